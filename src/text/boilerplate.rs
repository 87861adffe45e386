//! Names single lines and paragraphs that people do not write: disclaimers, mobile and list footers, join blocks.
//!
//! It looks at wording only; where such text may stand is decided by [`super::reply`].

use super::body::SpanClass;
use super::finder::Finder;
use super::lines::{self, Line};
use super::wording::{BANNER, DEVICE, MOBILE};
use std::collections::HashSet;
use std::sync::LazyLock;

const DISCLAIMER: &str = "intended recipient|confidential|confidentiality|may contain privileged|if you are not the intended|\
    if you have received this|vertraulich|nicht der richtige adressat|nicht der beabsichtigte|confidentiel|\
    destinataire|confidencial|destinatario|destinatário|riservat|vertrouwelijk|geadresseerde|konfidentiell|\
    fortrolig|luottamuksellinen|poufn|důvěrn|dôvern|bizalmas|confidenț|конфиденциальн|конфіденційн|\
    εμπιστευτικ|gizli|سري|bảo mật|機密|기밀|机密|保密|think before you print|\
    consider the environment before printing|virus";

const LIST: &str = "unsubscribe|abmelden|abbestellen|désabonner|désinscrire|darse de baja|cancelar suscripción|descadastrar|\
    cancelar a inscrição|disiscriv|annulla iscrizione|afmelden|uitschrijven|avregistrera|avmeld|отписаться|\
    退订|配信停止|mailing list|email preferences|view in browser|view this email in|you are receiving this|\
    you're receiving this|you received this message because";

const DISCLAIMER_SURE: &str = "consider the environment before|think before you print|denken sie an die umwelt|\
    bevor sie diese e-mail ausdrucken|confidentiality notice|\
    this message and any attachments are confidential|this e-mail and any files transmitted|\
    this email and any files transmitted|the information contained in this|\
    if you are not the intended recipient|if you have received this e-mail in error|\
    if you have received this email in error|intended only for the addressee|intended solely for the|\
    intended only for the use of|if you received it in error, please|if you have received it in error|\
    received this message in error|nur für den empfänger bestimmt|ausschließlich für den adressaten|\
    irrtümlich erhalten haben|für den vorgesehenen empfänger|sitz der gesellschaft:|registergericht:|\
    informationen zum datenschutz finden sie|hinweise zum datenschutz finden sie|si vous n'êtes pas le destinataire|\
    si vous n’êtes pas le destinataire|n'imprimez ce m|n’imprimez ce m|le informazioni contenute in questo messaggio|\
    le informazioni contenute nella presente|ai sensi del regolamento ue 2016/679|antes de imprimir este|\
    en cumplimiento del rgpd|en cumplimiento del reglamento|se não for o destinatário|indien u niet de geadresseerde|\
    jeśli nie są państwo adresatem|opinions expressed are those of the author|please do not feel obliged to|\
    si vous l'avez reçu par erreur|dirigido exclusivamente a su destinatario|external email: do not click|caution: this email originated|\
    this email originated from outside|wenn sie nicht der richtige adressat|\
    diese e-mail enthält vertrauliche|ce message et toutes les pièces jointes|\
    este mensaje y sus archivos adjuntos|esta mensagem pode conter|questo messaggio è riservato|\
    dit bericht is uitsluitend bestemd|aviso de confidencialidad|avis de confidentialité";

const LIST_OPENERS: &str = "to unsubscribe|you are receiving this|you're receiving this|you received this|unsubscribe from|\
    view this email in|view in browser|view it in your browser|view online|this email was sent to|\
    this message was sent to|to respond, reply to this email|you are subscribed to|this list is|\
    sie erhalten diese|diese e-mail wurde an|vous recevez ce|recibes este|você está recebendo";

const MEETING_MORE: &str = "passcode|meeting id|dial in|dial-in|phone conference|find a local number|learn more|meeting options|\
    one tap|find your local|join with|kenncode|besprechungsoptionen|toll|+1 |pin:|reset dial|________|\
    for organizers|need help?";

const MEETING: &str = "microsoft teams meeting|join microsoft teams|join the meeting now|join on your computer|\
    click here to join the meeting|join zoom meeting|is inviting you to a scheduled zoom meeting|\
    join with google meet|meet.google.com/|teams.microsoft.com/l/meetup|zoom.us/j/|meeting id:|\
    besprechungs-id:|an microsoft teams-besprechung teilnehmen|dial by your location|dial-in:|webex.com/|\
    join by phone|one tap mobile|find your local number|besprechung beitreten";

/// Legal wordings as they follow one another in a notice: two of them make one.
const FROM_DISCLAIMER: usize = 0;
const FROM_SURE: usize = 40;
const FROM_LIST: usize = 41;
const FROM_OPENER: usize = 80;
const FROM_MEETING: usize = 81;
const FROM_MORE: usize = 82;
const FROM_LINK: usize = 83;

static WORDINGS: LazyLock<Finder> = LazyLock::new(|| {
    let numbered = |text: &'static str, from: usize, most: usize| {
        text.split('|').enumerate().map(move |(n, w)| (w, from + n.min(most)))
    };
    Finder::new(
        numbered(DISCLAIMER, FROM_DISCLAIMER, FROM_SURE - 1)
            .chain(numbered(DISCLAIMER_SURE, FROM_SURE, 0))
            .chain(numbered(LIST, FROM_LIST, FROM_OPENER - FROM_LIST - 1))
            .chain(numbered(LIST_OPENERS, FROM_OPENER, 0))
            .chain(numbered(MEETING, FROM_MEETING, 0))
            .chain(numbered(MEETING_MORE, FROM_MORE, 0))
            .chain(numbered("http|www.|click|klick", FROM_LINK, 0)),
    )
});

static MOBILES: LazyLock<Finder> = LazyLock::new(|| Finder::new(MOBILE.iter().map(|w| (*w, 0))));
/// Those that say enough wherever they stand in a line.
static LONG_MOBILES: LazyLock<Finder> =
    LazyLock::new(|| Finder::new(MOBILE.iter().filter(|w| w.len() > 12).map(|w| (*w, 0))));

/// Whether a line is a mobile client's own advertisement: an opening such as "sent from" and a device or program.
pub(super) fn is_mobile_footer(line: &str) -> bool {
    let line = line.trim().trim_start_matches(['-', '*', '_', ' ', '(', '[', '<', '>']);
    if line.len() < 8 || line.len() > 160 || line.ends_with('?') {
        return false;
    }
    // ASCII needs no folding, and most lines end here.
    if line.is_ascii() && !opens_mobile(line) {
        return false;
    }
    let lower = line.to_lowercase();
    let opens = line.is_ascii() || opens_mobile(&lower);
    if !opens || lower.split_whitespace().count() > 16 {
        return false;
    }
    // Prose such as "sent from my desk, is much easier than my phone" has a verb behind a comma.
    let head = lower.split(", is ").next().unwrap_or_default();
    let mine =
        lower.starts_with("sent from my ") && !lower.contains(", ") && lower.split_whitespace().count() <= 9;
    mine || DEVICE.iter().any(|d| head.contains(d))
}

/// Whether a line begins like a mobile footer, or holds a long wording of one.
fn opens_mobile(line: &str) -> bool {
    let mut opens = MOBILES.opens(line);
    if !opens {
        LONG_MOBILES.each(line, |_, _, _| opens = true);
    }
    opens
}

static BANNERS: LazyLock<Finder> = LazyLock::new(|| Finder::new(BANNER.iter().map(|w| (*w, 0))));

/// Lines with words at the top of a mail among which a server's warning may stand.
const TOP: usize = 5;
/// Bytes of the longest line of such a warning.
const LONGEST_BANNER: usize = 300;

/// Mark what mail servers put above a message from outside. Line by line: the message may follow without a blank.
pub(super) fn mark_banner(lines: &mut [Line]) {
    for line in lines.iter_mut().filter(|line| line.is_open()).take(TOP) {
        let text = line.text.trim_start_matches(|c: char| !c.is_alphanumeric());
        if text.len() <= LONGEST_BANNER && BANNERS.opens(text) {
            line.class = Some(SpanClass::Disclaimer);
        }
    }
}

/// What the wordings of one paragraph say.
#[derive(Debug, Default, Clone, Copy)]
struct Hits {
    seen: u128,
    opens: bool,
}

impl Hits {
    fn of(lines: &[Line]) -> Self {
        let mut hits = Self::default();
        for (n, line) in lines.iter().take(60).enumerate() {
            hits.add(line.text, n == 0);
        }
        hits
    }

    fn add(&mut self, line: &str, first: bool) {
        let folded;
        let line = if line.is_ascii() {
            line
        } else {
            folded = line.to_lowercase();
            &folded
        };
        let indent = line.len() - line.trim_start().len();
        WORDINGS.each(line, |id, at, _| {
            self.seen |= 1 << id;
            self.opens |= first && id == FROM_OPENER && at == indent;
        });
    }

    fn any(self, id: usize) -> bool {
        self.seen & (1 << id) != 0
    }

    fn between(self, from: usize, to: usize) -> u32 {
        (self.seen & ((1 << to) - (1 << from))).count_ones()
    }

    /// What the paragraph is, if it is boilerplate; `bytes` and `words` are its size.
    fn class(self, bytes: usize, words: usize) -> Option<SpanClass> {
        let legal = self.between(FROM_DISCLAIMER, FROM_SURE);
        if legal >= 2 && bytes > 120 || self.any(FROM_SURE) {
            return Some(SpanClass::Disclaimer);
        }
        let list = self.between(FROM_LIST, FROM_OPENER);
        let linked = self.any(FROM_LINK);
        let footer = list >= 1 && bytes < 700 && (list >= 2 || linked || self.opens || words <= 2);
        (footer || self.opens && bytes < 400).then_some(SpanClass::ListFooter)
    }
}

/// Mark boilerplate paragraphs that stand below new text.
pub(super) fn mark(lines: &mut [Line]) {
    let paragraphs = lines::paragraphs(lines);
    let last = paragraphs.len();
    let (mut written, mut meeting) = (false, false);
    for (n, range) in paragraphs.into_iter().enumerate() {
        let hits = Hits::of(&lines[range.clone()]);
        meeting = hits.any(FROM_MEETING) || meeting && hits.any(FROM_MORE);
        if meeting {
            lines::set(&mut lines[range], SpanClass::MeetingJoin);
            continue;
        }
        let bytes: usize = lines[range.clone()].iter().map(|l| l.text.len()).sum();
        let words =
            lines[range.clone()].iter().take(2).flat_map(|l| l.text.split_whitespace()).take(3).count();
        match hits.class(bytes, words) {
            // Asking to be taken off a list is a message; the footer of a list stands at the end of one.
            Some(class) if written && (class == SpanClass::Disclaimer || n + 6 >= last) => {
                lines::set(&mut lines[range], class);
            }
            _ => written = true,
        }
    }
}

/// Lines at the end of a mail's new text that may be boilerplate.
const TAIL: usize = 12;
/// Letters and digits of the shortest line that is told apart from others.
const LEAST_LETTERS: usize = 12;

/// The places of the last lines of new text that are long enough to be told apart, and what they are known by.
fn last_lines(lines: &[Line]) -> Vec<(usize, u64)> {
    // A question is asked of somebody, however often it was asked before.
    let is_told = |line: &Line| line.is_open() && !line.text.trim_end().ends_with('?');
    let open = lines.iter().enumerate().rev().filter(|(_, line)| is_told(line));
    open.take(TAIL).filter_map(|(n, line)| Some((n, key(line.text)?))).collect()
}

/// What a line is known by: its letters, lower case, and how many digits stand where; `None` for short lines.
fn key(line: &str) -> Option<u64> {
    let mut known = Known { hash: 0xcbf2_9ce4_8422_2325, count: 0 };
    if line.is_ascii() {
        let letters = line.bytes().filter(u8::is_ascii_alphanumeric);
        letters.for_each(|byte| known.add(char::from(byte.to_ascii_lowercase())));
    } else {
        line.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).for_each(|c| known.add(c));
    }
    (known.count >= LEAST_LETTERS).then_some(known.hash)
}

/// FNV-1a of letters, and how many they are.
struct Known {
    hash: u64,
    count: usize,
}

impl Known {
    fn add(&mut self, c: char) {
        // Numbers differ between mails: dates, tickets, offers.
        let c = if c.is_numeric() { '0' } else { c };
        self.hash = (self.hash ^ u64::from(c)).wrapping_mul(0x0100_0000_01b3);
        self.count += 1;
    }
}

/// The last lines of the new text, by what they are known by: what boilerplate is learned from.
pub(super) fn tail(lines: &[Line]) -> Vec<u64> {
    last_lines(lines).into_iter().map(|(_, key)| key).collect()
}

/// Mark the last lines of the new text that were learned to be boilerplate of the sender's domain.
pub(super) fn mark_learned(lines: &mut [Line], learned: &HashSet<u64>) {
    for (n, key) in last_lines(lines) {
        if learned.contains(&key) {
            lines[n].class = Some(SpanClass::Disclaimer);
        }
    }
}

/// Mark the blocks that tell how to join an online meeting.
pub(super) fn mark_meetings(lines: &mut [Line]) {
    let mut inside = false;
    for range in lines::paragraphs(lines) {
        let hits = Hits::of(&lines[range.clone()]);
        inside = hits.any(FROM_MEETING) || inside && hits.any(FROM_MORE);
        if inside {
            lines::set(&mut lines[range], SpanClass::MeetingJoin);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Hits, is_mobile_footer};
    use crate::text::SpanClass;

    fn class(text: &str) -> Option<SpanClass> {
        let mut hits = Hits::default();
        hits.add(text, true);
        hits.class(text.len(), text.split_whitespace().count())
    }

    #[test]
    fn wording_names_the_class() {
        assert!(is_mobile_footer("Sent from my iPhone"));
        assert!(!is_mobile_footer("The parcel was sent from my office"));
        let legal = "This message is confidential. If you are not the intended recipient you must not use it, and \
                     please tell the sender at once and delete it.";
        assert_eq!(class(legal), Some(SpanClass::Disclaimer));
        assert_eq!(class("Click here to unsubscribe"), Some(SpanClass::ListFooter));
        assert_eq!(class("Please unsubscribe my colleague, he left us"), None);
    }
}
