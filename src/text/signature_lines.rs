//! What one line at the end of a mail looks like: a name, a post, a way to reach somebody, a sentence.
//!
//! Where a signature begins is decided by [`super::signature`].

use std::collections::HashSet;
use std::sync::LazyLock;

use super::attribution;
use super::cells;
use super::signature::is_sign_off;

/// Characters of the longest signature line.
pub(super) const LONGEST: usize = 90;

/// Whether a line is a job title: few capitalised words, one of which names a post.
pub(super) fn is_title(line: &str) -> bool {
    let words = line.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    line.chars().count() <= 60
        && line.split_whitespace().count() <= 8
        && titled(line)
        && !line.ends_with(['.', '?', '!', ':'])
        && words.map(attribution::lower).any(|word| POSTS.contains(&word.as_str()))
}

/// Words that name a post.
const POSTS: &[&str] = &[
    "executive",
    "manager",
    "director",
    "engineer",
    "consultant",
    "ceo",
    "cto",
    "cfo",
    "coo",
    "cmo",
    "cio",
    "founder",
    "cofounder",
    "president",
    "officer",
    "head",
    "partner",
    "representative",
    "advisor",
    "specialist",
    "analyst",
    "architect",
    "developer",
    "lead",
    "coordinator",
    "assistant",
    "attorney",
    "controller",
    "buyer",
    "vertriebsleiter",
    "vertriebsleiterin",
    "geschäftsführer",
    "geschäftsführerin",
    "leiter",
    "leiterin",
    "berater",
    "beraterin",
    "referent",
    "referentin",
    "einkäufer",
    "einkäuferin",
    "sachbearbeiter",
    "sachbearbeiterin",
    "vorstand",
    "prokurist",
    "directeur",
    "directrice",
    "responsable",
    "gérant",
    "gérante",
    "ingénieur",
    "conseiller",
    "conseillère",
    "director",
    "directora",
    "gerente",
    "jefe",
    "jefa",
    "ingeniero",
    "ingeniera",
    "diretor",
    "diretora",
    "gestor",
    "gestora",
    "engenheiro",
    "engenheira",
    "direttore",
    "direttrice",
    "responsabile",
    "titolare",
    "directeur",
    "verkoopleider",
    "adviseur",
    "eigenaar",
    "kierownik",
    "dyrektor",
];

/// Whether a line looks like a person's name: two to four capitalised words, or one word of letters.
pub(super) fn is_name(line: &str) -> bool {
    let line = line.trim_end_matches([',', '.']);
    let words: Vec<&str> = line.split_whitespace().collect();
    if words.is_empty() || words.len() > 4 || line.chars().count() > 40 {
        return false;
    }
    let capital = |w: &str| {
        w.starts_with(char::is_uppercase)
            && w.chars().all(|c| c.is_alphabetic() || matches!(c, '.' | '-' | '\'' | '’'))
            || matches!(w, "von" | "van" | "de" | "der" | "da" | "di" | "del" | "la" | "le" | "bin" | "&")
    };
    words.iter().all(|w| capital(w))
        && !(words.len() == 1 && (is_answer(words[0]) || words[0].chars().count() < 3))
        && !is_sign_off(line)
}

/// One-word messages that look like names.
fn is_answer(word: &str) -> bool {
    let lower = word.to_lowercase();
    let word = lower.trim_end_matches('.');
    ANSWER_DAYS.contains(word) || is_short_answer(word)
}

fn is_short_answer(word: &str) -> bool {
    matches!(
        word,
        "yes"
            | "no"
            | "ok"
            | "okay"
            | "sure"
            | "done"
            | "agreed"
            | "perfect"
            | "great"
            | "thanks"
            | "approved"
            | "confirmed"
            | "fine"
            | "yep"
            | "nope"
            | "hello"
            | "hi"
            | "danke"
            | "ja"
            | "nein"
            | "gerne"
            | "passt"
            | "oui"
            | "non"
            | "merci"
            | "parfait"
            | "si"
            | "sí"
            | "gracias"
            | "vale"
            | "sim"
            | "não"
            | "obrigado"
            | "certo"
            | "nee"
            | "prima"
            | "received"
            | "noted"
            | "understood"
            | "cool"
            | "correct"
            | "accepted"
            | "rejected"
            | "after"
            | "before"
            | "unsubscribe"
            | "stop"
            | "test"
    )
}

/// Days and times of day: an answer to "when?".
const DAYS: &str = "monday|tuesday|wednesday|thursday|friday|saturday|sunday|today|tomorrow|tonight|morning|afternoon|evening|soon|\
    later|never|always|january|february|march|june|july|september|october|november|december|montag|dienstag|mittwoch|\
    donnerstag|freitag|samstag|sonntag|heute|morgen|übermorgen|bald|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|demain|\
    lunes|martes|miércoles|jueves|viernes|sábado|domingo|mañana|segunda|terça|quarta|quinta|sexta|amanhã|lunedì|martedì|\
    mercoledì|giovedì|venerdì|sabato|domani|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag";

/// Words of titles and organisations.
pub(super) fn titled(line: &str) -> bool {
    line.split_whitespace()
        .all(|w| w.starts_with(|c: char| c.is_uppercase() || !c.is_alphabetic()) || w.len() <= 3)
}

/// Whether a line is longer than those of signatures; each cell of a row counts by itself.
pub(super) fn is_long(line: &str) -> bool {
    cells::of(line).any(|cell| cell.chars().count() > LONGEST)
}

/// Whether a line holds a phone number, an address or a link, and little else.
pub(super) fn is_contact(line: &str) -> bool {
    cells::of(line).any(is_contact_cell)
}

fn is_contact_cell(line: &str) -> bool {
    let digits = line.bytes().filter(u8::is_ascii_digit).count();
    let words = line.split_whitespace().count();
    let dense =
        digits >= 5 && digits * 3 >= line.chars().filter(|c| !c.is_whitespace()).count() && words <= 8;
    let phone = dense && !is_dated(line) && !is_priced(line) && !is_reference(line);
    let mail = line.contains('@') && words <= 5;
    let link = (line.contains("://") || line.contains("www.")) && words <= 4;
    phone || mail || link
}

/// Whether a line holds a day in figures.
fn is_dated(line: &str) -> bool {
    line.split_whitespace().any(|word| {
        let parts: Vec<&str> = word.trim_end_matches([',', '.']).split(['.', '-', '/']).collect();
        let figures = parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        let sizes: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        figures && matches!(sizes.as_slice(), [1..=2, 1..=2, 2 | 4] | [4, 1..=2, 1..=2]) && is_day(&parts)
    })
}

/// Whether figures can be day, month and year: "30.12.24" can, "55.50.10" cannot.
fn is_day(parts: &[&str]) -> bool {
    let small = parts.iter().filter(|part| part.len() <= 2).filter_map(|part| part.parse::<u32>().ok());
    let small: Vec<u32> = small.collect();
    small.iter().take(2).all(|n| (1..=31).contains(n)) && small.iter().take(2).any(|n| *n <= 12)
}

/// Whether a line names an amount of money.
fn is_priced(line: &str) -> bool {
    line.contains(['€', '$', '£', '¥'])
        || line.split_whitespace().any(|word| matches!(word, "EUR" | "USD" | "GBP" | "CHF" | "Euro" | "JPY"))
}

/// Whether a line numbers an order, an invoice or a thing: no number to call.
pub(super) fn is_reference(line: &str) -> bool {
    let mut words = line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.any(|word| REFERENCE_WORDS.contains(attribution::lower(word).as_str()))
}

static REFERENCE_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| REFERENCES.split('|').collect());
static ANSWER_DAYS: LazyLock<HashSet<&str>> = LazyLock::new(|| DAYS.split('|').collect());

const REFERENCES: &str = "order|orders|invoice|po|ticket|case|reference|quote|offer|serial|tracking|shipment|item|part|position|budget|\
    bestellung|auftrag|rechnung|angebot|vorgang|lieferschein|artikel|artikelnummer|bestellnummer|auftragsnummer|rechnungsnummer|\
    ticketnummer|seriennummer|commande|facture|devis|pedido|factura|presupuesto|fatura|encomenda|ordine|fattura|bestelling|factuur|\
    offerte";

/// Whether a line, or a cell of a row, reads like a sentence.
pub(super) fn is_prose(line: &str) -> bool {
    cells::of(line).any(is_prose_cell)
}

fn is_prose_cell(line: &str) -> bool {
    let words = line.split_whitespace().count();
    let lower = line.split_whitespace().filter(|w| w.starts_with(char::is_lowercase)).count();
    words >= 7 && lower * 2 > words && !is_contact(line)
        || words >= 4 && lower * 3 >= words * 2 && line.ends_with(['.', '!', '?'])
}
