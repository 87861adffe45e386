//! Finds where the signature of a message begins, with what the CRM knows of the sender.
//!
//! It looks at the end of the new text only; quoted and forwarded text is cut off before.

const SIGN_OFF: &[&str] = &[
    "best",
    "best regards",
    "kind regards",
    "regards",
    "warm regards",
    "warmest regards",
    "many thanks",
    "thanks",
    "thank you",
    "cheers",
    "sincerely",
    "yours sincerely",
    "yours truly",
    "yours",
    "all the best",
    "best wishes",
    "with best regards",
    "respectfully",
    "thanks again",
    "thx",
    "br",
    "rgds",
    "mit freundlichen grüßen",
    "mit freundlichen grüssen",
    "freundliche grüße",
    "freundliche grüsse",
    "viele grüße",
    "viele grüsse",
    "beste grüße",
    "beste grüsse",
    "liebe grüße",
    "lg",
    "mfg",
    "vg",
    "gruß",
    "gruss",
    "herzliche grüße",
    "schöne grüße",
    "cordialement",
    "bien cordialement",
    "bien à vous",
    "sincères salutations",
    "meilleures salutations",
    "saludos",
    "un saludo",
    "saludos cordiales",
    "atentamente",
    "un cordial saludo",
    "atenciosamente",
    "cumprimentos",
    "melhores cumprimentos",
    "abraço",
    "abraços",
    "cordiali saluti",
    "distinti saluti",
    "saluti",
    "grazie",
    "met vriendelijke groet",
    "met vriendelijke groeten",
    "vriendelijke groet",
    "groeten",
    "groet",
    "mvg",
    "med vänlig hälsning",
    "med vänliga hälsningar",
    "vänliga hälsningar",
    "mvh",
    "hälsningar",
    "med venlig hilsen",
    "venlig hilsen",
    "med vennlig hilsen",
    "vennlig hilsen",
    "hilsen",
    "ystävällisin terveisin",
    "terveisin",
    "pozdrawiam",
    "z poważaniem",
    "s pozdravem",
    "s pozdravom",
    "üdvözlettel",
    "cu stimă",
    "cu respect",
    "с уважением",
    "з повагою",
    "με εκτίμηση",
    "saygılarımla",
    "iyi çalışmalar",
    "مع التحية",
    "تحياتي",
    "trân trọng",
    "よろしくお願いいたします",
    "よろしくお願いします",
    "감사합니다",
    "此致",
    "祝好",
    "谢谢",
];

/// Whether a line is only a closing greeting.
pub(super) fn is_sign_off(line: &str) -> bool {
    let line = line.trim();
    if line.is_empty() || line.len() > 60 {
        return false;
    }
    let core = line
        .trim_end_matches(['.', ',', '!', ' ', '，', '。', '-'])
        .to_lowercase();
    SIGN_OFF.contains(&core.as_str())
}

/// Whether a line is the usual mark that a signature follows.
pub(super) fn is_delimiter(line: &str) -> bool {
    matches!(line.trim_end(), "--" | "-- " | "—" | "---" | "– –") || line == "-- "
}

/// The first line of the signature among `lines` (the end of the new text), if there is one.
pub(super) fn start(lines: &[&str], sender: &[&str]) -> Option<usize> {
    let from = lines.len().saturating_sub(20);
    if let Some(at) = (from..lines.len()).rev().find(|n| is_delimiter(lines[*n])) {
        return Some(at);
    }
    let at = (from.max(1)..lines.len())
        .rev()
        .find(|n| is_sign_off(lines[n - 1]) || is_sender(lines[*n], sender))?;
    let rest = &lines[at..];
    let short = rest
        .iter()
        .filter(|l| !l.trim().is_empty())
        .all(|l| l.trim().chars().count() <= 80);
    (short && rest.len() <= 12).then_some(at)
}

/// Whether a line is the sender's own name.
fn is_sender(line: &str, sender: &[&str]) -> bool {
    let line = line.trim().trim_end_matches([',', '.']).to_lowercase();
    !line.is_empty()
        && sender.iter().any(|s| {
            let s = s.to_lowercase();
            s == line
                || s.split_whitespace()
                    .next()
                    .is_some_and(|first| first.len() > 1 && first == line)
        })
}

#[cfg(test)]
mod tests {
    use super::start;

    #[test]
    fn marks_greetings_and_names_begin_signatures() {
        assert_eq!(start(&["hi", "text", "-- ", "Ann"], &[]), Some(2));
        assert_eq!(
            start(&["text", "Best regards,", "Ann Lee", "Sales"], &[]),
            Some(2)
        );
        assert_eq!(start(&["text", "", "Ann"], &["Ann Lee"]), Some(2));
        assert_eq!(start(&["just text"], &["Ann Lee"]), None);
    }
}
