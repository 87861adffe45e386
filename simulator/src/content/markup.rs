//! Small text forms shared by all content: escaping for HTML, amounts and dates as people write
//! them, and names folded to what an e-mail address may hold.

use super::lexicon::Lexicon;
use crate::clock::civil;

/// Appends `text` so that HTML shows it as it is.
pub(crate) fn push_escaped(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
}

/// Appends `<tag>text</tag>` with the text escaped; attributes may stand in `tag`.
pub(crate) fn push_element(tag: &str, text: &str, out: &mut String) {
    out.push('<');
    out.push_str(tag);
    out.push('>');
    push_escaped(text, out);
    out.push_str("</");
    out.push_str(tag.split(' ').next().unwrap_or(tag));
    out.push('>');
}

/// An amount of euros with the thousands separator of the language.
pub(crate) fn amount(thousands: u64, lexicon: &Lexicon) -> String {
    let separator = match lexicon.code {
        "en" | "ja" => ',',
        "fr" => ' ',
        _ => '.',
    };
    format!("{thousands}{separator}000 EUR")
}

/// A date and time of day as mail programs write them above a quote.
pub(crate) fn written_date(ms: i64, lexicon: &Lexicon) -> String {
    let c = civil(ms);
    let month = lexicon.months[(c.month as usize + 11) % 12];
    match lexicon.code {
        "en" => format!("{month} {}, {}, at {:02}:{:02}", c.day, c.year, c.hour, c.minute),
        "de" => format!("{}. {month} {} um {:02}:{:02}", c.day, c.year, c.hour, c.minute),
        "ja" => format!("{}年{month}{}日 {:02}:{:02}", c.year, c.day, c.hour, c.minute),
        "fr" => format!("{} {month} {} à {:02}:{:02}", c.day, c.year, c.hour, c.minute),
        _ => format!("{} de {month} de {}, {:02}:{:02}", c.day, c.year, c.hour, c.minute),
    }
}

/// Lower-case letters and digits only, accents taken off; empty when nothing is left.
pub(crate) fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => out.push(c),
            'á' | 'à' | 'â' | 'ã' => out.push('a'),
            'ä' => out.push_str("ae"),
            'é' | 'è' | 'ê' | 'ë' => out.push('e'),
            'í' | 'ï' | 'î' => out.push('i'),
            'ó' | 'ô' | 'õ' => out.push('o'),
            'ö' => out.push_str("oe"),
            'ú' | 'û' => out.push('u'),
            'ü' => out.push_str("ue"),
            'ç' => out.push('c'),
            'ñ' => out.push('n'),
            'ß' => out.push_str("ss"),
            _ => {}
        }
    }
    out
}
