//! Recognises mail nobody wrote to anybody: automatic replies, bounces, calendar mail, newsletters.
//!
//! It only names the reason; whether such mail is stored, indexed or hidden is the pipeline's setting.

use std::sync::LazyLock;

use super::body::BodyKind;
use super::finder::Finder;

/// Why a body is noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Noise {
    /// Out of office and other automatic answers.
    AutoReply,
    /// Delivery failures.
    Bounce,
    /// Invitations, acceptances, cancellations.
    Calendar,
    /// Newsletters and other mass mail.
    Newsletter,
}

impl Noise {
    /// The name used in counters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AutoReply => "auto_reply",
            Self::Bounce => "bounce",
            Self::Calendar => "calendar",
            Self::Newsletter => "newsletter",
        }
    }
}

const AUTO_SUBJECT: &str = "out of office|automatic reply|auto-reply|autoreply|auto reply|out of the office|automatische antwort|\
    abwesenheitsnotiz|abwesend:|réponse automatique|reponse automatique|absence du bureau|\
    respuesta automática|respuesta automatica|fuera de la oficina|resposta automática|resposta automatica|\
    fora do escritório|risposta automatica|fuori sede|automatisch antwoord|afwezigheidsbericht|autosvar|\
    automatiskt svar|automatisk svar|automaattinen vastaus|autoodpowiedź|odpowiedź automatyczna|\
    automatická odpověď|automatická odpoveď|automatikus válasz|răspuns automat|автоответ|\
    автоматический ответ|автоматична відповідь|αυτόματη απάντηση|otomatik yanıt|رد تلقائي|trả lời tự động|\
    自動応答|自動返信|不在通知|자동 회신|부재중|自动回复|自動回覆";

const AUTO_TEXT: &str = "i am out of the office|i'm out of the office|i am currently out of|i will be out of the office|\
    this is an automated response|this is an automatic reply|ich bin derzeit nicht im büro|\
    ich bin zurzeit nicht im|ich bin bis zum|je suis absent|je suis actuellement absent|\
    i am on annual leave|i'm on annual leave|i am on vacation until|i am on holiday until|i am currently on leave|\
    je suis en congé|estaré de vacaciones|estoy de vacaciones|休暇をいただ|wieder im büro erreichbar|\
    estoy fuera de la oficina|estarei ausente|sono fuori ufficio|ik ben afwezig|jag är inte på kontoret";

const BOUNCE_SUBJECT: &str = "undeliverable|undelivered mail|delivery status notification|mail delivery failed|mail delivery failure|\
    returned mail|failure notice|delivery failure|unzustellbar|nicht zustellbar|non remis|\
    no se puede entregar|não foi possível entregar|recapito non riuscito|onbestelbaar|kan inte levereras";

const BOUNCE_TEXT: &str = "delivery to the following recipient failed|delivery has failed to these recipients|\
    could not be delivered|this message was created automatically by mail delivery software|550 5.1.1|\
    wasn't delivered to|the email account that you tried to reach does not exist|address not found";

/// What mail servers say of a mail, beside the wordings above.
const BOUNCE_HINT: &str = "mailer-daemon|mailer daemon|postmaster|smtp|remote server|mail system|diagnostic|recipient|empfänger|\
    destinataire|destinatario|destinatário|delivery|undeliverable|unzustellbar|zugestellt";

/// What calendars write around the words of a person.
const CALENDAR_TEXT: &str = "when:|where:|wann:|wo:|quand:|cuándo:|quando:|wanneer:|organizer|organiser|organisator|attendees|guests|\
    teilnehmer|google calendar|google kalender|calendar.google|has accepted|has declined|hat zugesagt|hat abgesagt|\
    hat angenommen|hat abgelehnt|a accepté|ha aceptado|teams meeting|teams-besprechung|zoom meeting|meet.google|zoom.us/j|\
    teams.microsoft|view your calendar|this event|this meeting|diese besprechung|dieser termin|cancelled|canceled|abgesagt|\
    time zone|zeitzone|invitation from|einladung von|begin:vcalendar";

const CALENDAR_SUBJECT: &str = "invitation:|updated invitation:|accepted:|declined:|tentative:|canceled event:|cancelled event:|\
    canceled:|cancelled:|einladung:|zugesagt:|abgesagt:|angenommen:|abgelehnt:|mit vorbehalt:|invitation :|\
    accepté :|accepté:|refusé :|aceptado:|rechazado:|aceito:|recusado:|accettato:|rifiutato:|geaccepteerd:|\
    afgewezen:|accepterat:|new time proposed:";

const BULK_TEXT: &str = "unsubscribe|view in browser|view this email in your browser|view it in your browser|email preferences|\
    manage your preferences|manage preferences|update your preferences|you are receiving this|\
    you received this email because|you're receiving this|abmelden|abbestellen|newsletter abbestellen|\
    im browser ansehen|im browser anzeigen|se désabonner|se désinscrire|désinscription|\
    voir dans le navigateur|darse de baja|cancelar suscripción|ver en el navegador|cancelar a inscrição|\
    descadastrar|ver no navegador|annulla iscrizione|cancellati|disiscriviti|visualizza nel browser|\
    afmelden|uitschrijven|bekijk in browser|avprenumerera|avregistrera|avmeld|отписаться|配信停止|退订";

static SUBJECTS: LazyLock<Finder> = LazyLock::new(|| {
    let lists = [(AUTO_SUBJECT, AUTO), (BOUNCE_SUBJECT, BOUNCED), (CALENDAR_SUBJECT, INVITED)];
    Finder::new(lists.into_iter().flat_map(|(list, id)| list.split('|').map(move |w| (w, id))))
});

static TEXTS: LazyLock<Finder> = LazyLock::new(|| {
    let many = |list: &'static str, from: usize| {
        list.split('|').enumerate().map(move |(n, w)| (w, from + n.min(63)))
    };
    Finder::new(
        many(BULK_TEXT, BULK)
            .chain(many(BOUNCE_TEXT, BOUNCED))
            .chain(AUTO_TEXT.split('|').map(|w| (w, AUTO)))
            .chain(CALENDAR_TEXT.split('|').map(|w| (w, INVITED)))
            .chain(BOUNCE_HINT.split('|').map(|w| (w, HINTED))),
    )
});

const AUTO: usize = 0;
const INVITED: usize = 1;
/// From here on a text's bounce wordings are numbered, and from `BULK` on those of mass mail.
const BOUNCED: usize = 2;
const HINTED: usize = 63;
const BULK: usize = 64;

/// The reason this body is noise, or `None`.
#[must_use]
pub fn detect(kind: BodyKind, subject: Option<&str>, text: &str) -> Option<Noise> {
    if kind != BodyKind::Email {
        return None;
    }
    let subject = subject.unwrap_or_default().trim().to_lowercase();
    let answer = ["re:", "aw:", "fw:", "fwd:", "wg:", "sv:", "tr:"].iter().any(|p| subject.starts_with(p));
    let seen = seen(text);
    if let Some(noise) = by_subject(&subject, answer).filter(|noise| bears_out(*noise, seen, text)) {
        return Some(noise);
    }
    if text.len() < 6000 && (seen & ((1 << HINTED) - (1 << BOUNCED))).count_ones() >= 2 {
        return Some(Noise::Bounce);
    }
    if text.len() < 2500 && seen & (1 << AUTO) != 0 && !answer {
        return Some(Noise::AutoReply);
    }
    let bulk = (seen >> BULK).count_ones();
    (bulk >= 2 || bulk == 1 && !answer && text.len() > 1500).then_some(Noise::Newsletter)
}

fn by_subject(subject: &str, answer: bool) -> Option<Noise> {
    let mut found = None;
    SUBJECTS.each(subject, |id, at, len| {
        // "Automatic reply: x", not "Automatic reply feature".
        let named = || at == 0 && !subject[len..].trim_start().starts_with(|c: char| c.is_alphanumeric());
        let noise = match id {
            AUTO if !answer && named() => Noise::AutoReply,
            BOUNCED if !answer => Noise::Bounce,
            INVITED if at == 0 => Noise::Calendar,
            _ => return,
        };
        found.get_or_insert(noise);
    });
    found
}

/// Words of a body so short that its subject says all.
const FEW_WORDS: usize = 3;

/// Whether a body bears out what its subject says of it: "Accepted: your offer" with a letter below is a letter.
fn bears_out(noise: Noise, seen: u128, text: &str) -> bool {
    let of = |from: usize, to: usize| seen & ((1 << to) - (1 << from)) != 0;
    let told = match noise {
        Noise::Calendar => of(INVITED, INVITED + 1),
        Noise::Bounce => of(BOUNCED, HINTED + 1),
        Noise::AutoReply | Noise::Newsletter => true,
    };
    told || text.split_whitespace().nth(FEW_WORDS).is_none()
}

/// The wordings seen at the head and the tail of a text, as bits.
fn seen(text: &str) -> u128 {
    let head = &text[..text.floor_char_boundary(1200)];
    let tail = &text[text.ceil_char_boundary(text.len().saturating_sub(1500)).max(head.len())..];
    let mut seen = 0;
    for part in [head, tail] {
        let folded;
        let part = if part.is_ascii() {
            part
        } else {
            folded = part.to_lowercase();
            &folded
        };
        TEXTS.each(part, |id, _, _| seen |= 1 << id);
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::{Noise, detect};
    use crate::text::BodyKind;

    #[test]
    fn reasons_are_told_apart() {
        let mail = |subject: &str, text: &str| detect(BodyKind::Email, Some(subject), text);
        assert_eq!(mail("Automatische Antwort: Angebot", "Danke"), Some(Noise::AutoReply));
        assert_eq!(mail("Undeliverable: offer", ""), Some(Noise::Bounce));
        assert_eq!(mail("Accepted: Demo", ""), Some(Noise::Calendar));
        assert_eq!(mail("News", "Hello\nView in browser\nUnsubscribe"), Some(Noise::Newsletter));
        let reply = "We accept your offer. Please send the contract to Karl.";
        assert_eq!(mail("Accepted: your offer 4711", reply), None);
        assert_eq!(
            mail("Undeliverable parcel 8812", "The parcel came back to us, please send it again."),
            None
        );
        assert_eq!(mail("Out of office chairs", "We need forty chairs."), None);
        assert_eq!(mail("Accepted: Demo", "Karl has accepted this invitation."), Some(Noise::Calendar));
        assert_eq!(mail("Einladung: Demo", "Wann: Montag, 3. Mai\nWo: Hamburg"), Some(Noise::Calendar));
        assert_eq!(mail("Re: offer", "We accept. Regards, Ann"), None);
        assert_eq!(detect(BodyKind::Note, None, "unsubscribe view in browser"), None);
    }
}
