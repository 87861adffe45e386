//! Text of strangers made fit for a message: one line, nothing invisible, nothing that Slack reads as markup.

use unicode_segmentation::UnicodeSegmentation;

use crate::text::secrets;

/// Words that call a whole channel when they stand behind an `@`.
const CALLS: [&str; 4] = ["channel", "here", "everyone", "group"];
/// Stands between an `@` and such a word: nothing is seen of it, and nobody is called.
const JOINER: char = '\u{2060}';

/// Masks secrets, drops what cannot be seen, makes one line of it and cuts it to `most` characters between two
/// graphemes. `None` where nothing is left.
#[must_use]
pub fn line(text: &str, most: usize) -> Option<String> {
    // Before anything is cut: half a secret is not recognised.
    let masked = secrets::mask(text);
    let seen: String = masked.chars().filter(|c| !is_invisible(*c)).map(spaced).collect();
    let seen = seen.split_whitespace().collect::<Vec<_>>().join(" ");
    // Something that only shows as a secret once the invisible is gone.
    let seen = secrets::mask(&seen);
    (!seen.is_empty()).then(|| cut(&seen, most))
}

fn spaced(c: char) -> char {
    if c.is_control() || c.is_whitespace() { ' ' } else { c }
}

/// Marks of direction, joiners, tags, variation selectors of no use in a line, and what hides text.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}' | '\u{200C}' | '\u{200E}' | '\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}'
        | '\u{E0000}'..='\u{E0FFF}')
}

/// At most `most` characters, the last of them an ellipsis where something is missing.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut left = most.saturating_sub(1);
    for grapheme in text.graphemes(true) {
        let length = grapheme.chars().count();
        if length > left {
            break;
        }
        left -= length;
        out.push_str(grapheme);
    }
    out.truncate(out.trim_end().len());
    out.push('…');
    out
}

/// Writes text so that Slack shows it as it is: no markup, no link, nobody is called.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => {
                out.push('@');
                out.extend(calls(&text[at + 1..]).then_some(JOINER));
            }
            c => out.push(c),
        }
    }
    out
}

fn calls(rest: &str) -> bool {
    CALLS.iter().any(|word| rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_5_markup_and_mentions_are_only_text() {
        for payload in [
            "<!everyone> look",
            "<!channel>",
            "<@U024BE7LH> hi",
            "<http://evil.example|invoice>",
            "<#C024BE7LR|general>",
            "<!subteam^SAZ94GDB8>",
            "a & b < c > d",
            "\u{202E}<!here>\u{E0001}\u{E0041}",
            "<\u{200B}!channel>",
            "&lt;!channel&gt;",
        ] {
            let out = escaped(&line(payload, 300).unwrap());
            assert!(!out.contains(['<', '>']) && !out.contains('\u{202E}'), "{out}");
            assert!(!out.chars().any(is_invisible), "{out}");
        }
        assert_eq!(escaped("&lt;!channel&gt;"), "&amp;lt;!channel&amp;gt;");
        assert_eq!(
            escaped("ask @here, @Channel, nina@channel.example, bob@x.example"),
            "ask @\u{2060}here, @\u{2060}Channel, nina@\u{2060}channel.example, bob@x.example"
        );
    }

    #[test]
    fn not_5_cut_between_graphemes_and_never_inside_a_secret() {
        let family = "👩‍👩‍👧‍👦";
        let text = family.repeat(100);
        let out = line(&text, 300).unwrap();
        assert!(out.chars().count() <= 300 && out.ends_with('…'));
        assert!(out.trim_end_matches('…').graphemes(true).all(|one| one == family), "{out}");
        assert_eq!(line("a\n\n b\u{7}\tc", 300).as_deref(), Some("a b c"));
        assert_eq!(line(" \n\u{200B}", 300), None);
        let secret = format!("{} password: Zaunkoenig77!", "word ".repeat(56));
        let out = line(&secret, 300).unwrap();
        assert!(!out.contains("Zaun"), "{out}");
        for hidden in ['\u{200B}', '\u{034F}', '\u{FE0F}', '\u{17B4}', '\u{17B5}'] {
            let card = format!("my card is 4111 11{hidden}11 1111 1111");
            assert!(!line(&card, 300).unwrap().contains("4111"), "{hidden:?}");
        }
        let exact = "é".repeat(300);
        assert_eq!(line(&exact, 300).as_deref(), Some(exact.as_str()));
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_leaves_short_and_without_markup(text in "\\PC{0,400}|[<>&@!#|a-z ]{0,400}") {
            if let Some(out) = line(&text, 120) {
                proptest::prop_assert!(out.chars().count() <= 120);
                let out = escaped(&out);
                proptest::prop_assert!(!out.contains(['<', '>', '\n']));
            }
        }
    }
}
