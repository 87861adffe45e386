//! Names single lines and paragraphs that people do not write: disclaimers, mobile and list footers, join blocks.
//!
//! It looks at wording only; where such text may stand is decided by [`super::reply`].

use super::body::SpanClass;
use super::lines::{self, Line};
use super::wording::{DEVICE, MOBILE};

const DISCLAIMER: &[&str] = &[
    "intended recipient",
    "confidential",
    "confidentiality",
    "may contain privileged",
    "if you are not the intended",
    "if you have received this",
    "vertraulich",
    "nicht der richtige adressat",
    "nicht der beabsichtigte",
    "confidentiel",
    "destinataire",
    "confidencial",
    "destinatario",
    "destinatário",
    "riservat",
    "vertrouwelijk",
    "geadresseerde",
    "konfidentiell",
    "fortrolig",
    "luottamuksellinen",
    "poufn",
    "důvěrn",
    "dôvern",
    "bizalmas",
    "confidenț",
    "конфиденциальн",
    "конфіденційн",
    "εμπιστευτικ",
    "gizli",
    "سري",
    "bảo mật",
    "機密",
    "기밀",
    "机密",
    "保密",
    "think before you print",
    "consider the environment before printing",
    "virus",
];

const LIST: &[&str] = &[
    "unsubscribe",
    "abmelden",
    "abbestellen",
    "désabonner",
    "désinscrire",
    "darse de baja",
    "cancelar suscripción",
    "descadastrar",
    "cancelar a inscrição",
    "disiscriv",
    "annulla iscrizione",
    "afmelden",
    "uitschrijven",
    "avregistrera",
    "avmeld",
    "отписаться",
    "退订",
    "配信停止",
    "mailing list",
    "email preferences",
    "view in browser",
    "view this email in",
    "you are receiving this",
    "you're receiving this",
    "you received this message because",
];

const DISCLAIMER_SURE: &[&str] = &[
    "consider the environment before",
    "think before you print",
    "denken sie an die umwelt",
    "bevor sie diese e-mail ausdrucken",
    "confidentiality notice",
    "this message and any attachments are confidential",
    "this e-mail and any files transmitted",
    "this email and any files transmitted",
    "the information contained in this",
    "if you are not the intended recipient",
    "if you have received this e-mail in error",
    "if you have received this email in error",
    "external email: do not click",
    "caution: this email originated",
    "this email originated from outside",
    "wenn sie nicht der richtige adressat",
    "diese e-mail enthält vertrauliche",
    "ce message et toutes les pièces jointes",
    "este mensaje y sus archivos adjuntos",
    "esta mensagem pode conter",
    "questo messaggio è riservato",
    "dit bericht is uitsluitend bestemd",
    "aviso de confidencialidad",
    "avis de confidentialité",
];

const LIST_OPENERS: &[&str] = &[
    "to unsubscribe",
    "you are receiving this",
    "you're receiving this",
    "you received this",
    "unsubscribe from",
    "view this email in",
    "view in browser",
    "view it in your browser",
    "view online",
    "this email was sent to",
    "this message was sent to",
    "to respond, reply to this email",
    "you are subscribed to",
    "this list is",
    "sie erhalten diese",
    "diese e-mail wurde an",
    "vous recevez ce",
    "recibes este",
    "você está recebendo",
];

const MEETING_MORE: &[&str] = &[
    "passcode",
    "meeting id",
    "dial in",
    "dial-in",
    "phone conference",
    "find a local number",
    "learn more",
    "meeting options",
    "one tap",
    "find your local",
    "join with",
    "kenncode",
    "besprechungsoptionen",
    "toll",
    "+1 ",
    "pin:",
    "reset dial",
    "________",
    "for organizers",
    "need help?",
];

const MEETING: &[&str] = &[
    "microsoft teams meeting",
    "join microsoft teams",
    "join the meeting now",
    "join on your computer",
    "click here to join the meeting",
    "join zoom meeting",
    "is inviting you to a scheduled zoom meeting",
    "join with google meet",
    "meet.google.com/",
    "teams.microsoft.com/l/meetup",
    "zoom.us/j/",
    "meeting id:",
    "besprechungs-id:",
    "an microsoft teams-besprechung teilnehmen",
    "dial by your location",
    "dial-in:",
    "webex.com/",
    "join by phone",
    "one tap mobile",
    "find your local number",
    "besprechung beitreten",
];

/// Whether a line is a mobile client's own advertisement: an opening such as "sent from" and a device or program.
pub(super) fn is_mobile_footer(line: &str) -> bool {
    let line = line
        .trim()
        .trim_start_matches(['-', '*', '_', ' ', '(', '[', '<', '>']);
    if line.len() < 8 || line.len() > 160 {
        return false;
    }
    let lower = line.to_lowercase();
    let opens = MOBILE
        .iter()
        .any(|w| lower.starts_with(w) || w.len() > 12 && lower.contains(w));
    // Prose such as "sent from my desk, is much easier than my phone" has a verb behind a comma.
    let head = lower.split(", is ").next().unwrap_or_default();
    let mine = lower.starts_with("sent from my ")
        && !lower.contains(", ")
        && lower.split_whitespace().count() <= 9;
    let device = mine || DEVICE.iter().any(|d| head.contains(d));
    opens && device && lower.split_whitespace().count() <= 16 && !lower.ends_with('?')
}

/// Mark boilerplate paragraphs that stand below new text.
pub(super) fn mark(lines: &mut [Line]) {
    mark_meetings(lines);
    let mut written = false;
    let paragraphs = lines::paragraphs(lines);
    let last = paragraphs.len();
    for (n, range) in paragraphs.into_iter().enumerate() {
        match paragraph(&joined(&lines[range.clone()])) {
            // Asking to be taken off a list is a message; the footer of a list stands at the end of one.
            Some(class) if written && (class == SpanClass::Disclaimer || n + 6 >= last) => {
                lines::set(&mut lines[range], class);
            }
            _ => written = true,
        }
    }
}

/// Mark the blocks that tell how to join an online meeting.
pub(super) fn mark_meetings(lines: &mut [Line]) {
    let mut inside = false;
    for range in lines::paragraphs(lines) {
        let text = joined(&lines[range.clone()]).to_lowercase();
        let joins = MEETING.iter().any(|w| text.contains(w));
        inside = joins || inside && MEETING_MORE.iter().any(|w| text.contains(w));
        if inside {
            lines::set(&mut lines[range], SpanClass::MeetingJoin);
        }
    }
}

fn joined(lines: &[Line]) -> String {
    let mut out = String::new();
    for line in lines.iter().take(40) {
        out.push_str(line.text);
        out.push(' ');
    }
    out
}

/// What a paragraph is by its wording, if it is boilerplate.
pub(super) fn paragraph(text: &str) -> Option<SpanClass> {
    let lower = text[..text.floor_char_boundary(2000)].trim().to_lowercase();
    let hits = |words: &[&str]| words.iter().filter(|w| lower.contains(**w)).count();
    let legal = hits(DISCLAIMER);
    if legal >= 2 && lower.len() > 120 || hits(DISCLAIMER_SURE) >= 1 {
        return Some(SpanClass::Disclaimer);
    }
    let list = hits(LIST);
    let linked = lower.contains("http")
        || lower.contains("click")
        || lower.contains("klick")
        || lower.contains("www.");
    let opens = LIST_OPENERS.iter().any(|w| lower.starts_with(w));
    let short = lower.split_whitespace().count() <= 2;
    (list >= 1 && lower.len() < 700 && (list >= 2 || linked || opens || short)
        || opens && lower.len() < 400)
        .then_some(SpanClass::ListFooter)
}

#[cfg(test)]
mod tests {
    use super::{is_mobile_footer, paragraph};
    use crate::text::SpanClass;

    #[test]
    fn wording_names_the_class() {
        assert!(is_mobile_footer("Sent from my iPhone"));
        assert!(!is_mobile_footer("The parcel was sent from my office"));
        let legal = "This message is confidential. If you are not the intended recipient you must not use it, and \
                     please tell the sender at once and delete it.";
        assert_eq!(paragraph(legal), Some(SpanClass::Disclaimer));
        assert_eq!(
            paragraph("Click here to unsubscribe"),
            Some(SpanClass::ListFooter)
        );
    }
}
