//! Names single lines and paragraphs that people do not write: disclaimers, mobile and list footers, join blocks.
//!
//! It looks at wording only; where such text may stand is decided by [`super::reply`].

use super::body::SpanClass;

const MOBILE: &[&str] = &[
    "sent from my ",
    "sent from mobile",
    "sent from outlook",
    "sent from mail for windows",
    "sent via ",
    "sent from yahoo",
    "get outlook for",
    "sent with ",
    "von meinem ",
    "gesendet mit ",
    "gesendet von ",
    "diese nachricht wurde von meinem",
    "envoyé de mon",
    "envoyé depuis",
    "enviado desde",
    "enviado de mi",
    "enviado do meu",
    "inviato da",
    "verzonden vanaf",
    "verstuurd vanaf",
    "skickat från",
    "sendt fra",
    "lähetetty ",
    "wysłane z",
    "odesláno z",
    "odoslané z",
    "trimis de pe",
    "отправлено с ",
    "надіслано з",
    "iphone'umdan",
    "iphonetan",
    "iphoneから",
    "내 iphone에서",
    "发自我的",
    "從我的",
    "από το iphone",
    "enviat des del",
    "sendt med",
    "envoyé avec",
    "enviado con",
    "inviato con",
];

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

/// Whether a line is a mobile client's own advertisement.
pub(super) fn is_mobile_footer(line: &str) -> bool {
    let line = line.trim();
    line.len() <= 120 && !line.is_empty() && {
        let lower = line
            .trim_start_matches(['-', '*', '_', ' ', '(', '['])
            .to_lowercase();
        MOBILE.iter().any(|w| lower.starts_with(w))
    }
}

/// What a paragraph is by its wording, if it is boilerplate.
pub(super) fn paragraph(text: &str) -> Option<SpanClass> {
    let lower = text[..text.floor_char_boundary(1500)].to_lowercase();
    let hits = |words: &[&str]| words.iter().filter(|w| lower.contains(**w)).count();
    if hits(MEETING) >= 1 {
        return Some(SpanClass::MeetingJoin);
    }
    if hits(DISCLAIMER) >= 2 && text.len() > 120 {
        return Some(SpanClass::Disclaimer);
    }
    (hits(LIST) >= 1 && text.len() < 700).then_some(SpanClass::ListFooter)
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
