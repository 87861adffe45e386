//! Text of an agent as HTML that HubSpot shows: every sign means itself, lines stay lines.

/// Characters HubSpot keeps of a body (contract, section 5).
pub(super) const LONGEST_BODY: usize = 65_536;
/// Stands where something was cut.
pub(super) const CUT: &str = " [cut]";

fn escaped(character: char) -> Option<&'static str> {
    match character {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '\n' => Some("<br>"),
        // A carriage return belongs to the line feed behind it; other controls are nothing a person reads.
        other if other.is_control() && other != '\t' => Some(""),
        _ => None,
    }
}

/// The text as HTML of at most `most` characters; what is cut leaves a mark, and no escape is cut in two.
pub(super) fn of(text: &str, most: usize) -> String {
    let (mut out, mut length, mut at_cut) = (String::with_capacity(text.len()), 0, 0);
    let room_for_mark = most.saturating_sub(CUT.len());
    for character in text.chars() {
        let mut buffer = [0; 4];
        let piece: &str = escaped(character).unwrap_or_else(|| character.encode_utf8(&mut buffer));
        length += piece.chars().count();
        if length > most {
            out.truncate(at_cut);
            return out + CUT;
        }
        out.push_str(piece);
        if length <= room_for_mark {
            at_cut = out.len();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_mean_themselves_and_lines_stay() {
        assert_eq!(of("a < b & c\r\nd", 100), "a &lt; b &amp; c<br>d");
        assert_eq!(of("<script>", 100), "&lt;script&gt;");
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_longer_than_allowed_and_what_is_cut_is_marked(text in "[a<&\né]{0,80}", most in 6_usize..60) {
            let out = of(&text, most);
            proptest::prop_assert!(out.chars().count() <= most);
            let whole = of(&text, usize::MAX);
            match out.strip_suffix(CUT) {
                Some(kept) if out != whole => proptest::prop_assert!(whole.starts_with(kept)),
                _ => proptest::prop_assert_eq!(out, whole),
            }
        }
    }
}
