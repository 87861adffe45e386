//! Recognises the lines clients put over a quoted message: "On D X wrote:", header blocks, delimiters.
//!
//! It looks at lines only, never at HTML, and does not decide what follows from them.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::finder::Finder;
use super::wording::{self, FORWARDED, OPENERS, ORIGINAL, WROTE};

/// What a header line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Header {
    /// Who sent it.
    From,
    /// When.
    When,
    /// To whom.
    To,
    /// The subject.
    Subject,
}

static LABELS: LazyLock<HashMap<&'static str, Header>> = LazyLock::new(|| {
    let mut out = HashMap::new();
    let lists = [
        (wording::TO, Header::To),
        (wording::WHEN, Header::When),
        (wording::SUBJECT, Header::Subject),
        (wording::FROM, Header::From),
    ];
    for (words, header) in lists {
        out.extend(words.split('|').map(|w| (w, header)));
    }
    out
});

/// The longest label in bytes, with room for marks around it.
const MAX_LABEL: usize = 48;

/// The header a line is, if it is `Label: value`.
pub(super) fn header(line: &str) -> Option<Header> {
    let line = line.trim_start_matches(['*', ' ', '>', '\t', '|', '_']);
    let head = &line[..line.floor_char_boundary(MAX_LABEL)];
    let at = head.find([':', '：'])?;
    label(&line[..at])
}

fn label(text: &str) -> Option<Header> {
    let label = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '|' | '_'));
    if label.is_empty() || label.split(' ').count() > 4 {
        return None;
    }
    LABELS.get(lower(label).as_str()).copied()
}

/// How many lines from the first are a header block, and whether the block is one.
pub(super) fn header_block(lines: &[&str]) -> usize {
    let Some(first) = lines.first().and_then(|l| header(l)) else {
        return 0;
    };
    if first == Header::To {
        return 0;
    }
    let mut kinds = inline_headers(lines[0]);
    kinds.push(first);
    let mut end = 1;
    for (n, line) in lines.iter().enumerate().take(14).skip(1) {
        match header(line) {
            Some(kind) => {
                kinds.push(kind);
                end = n + 1;
            }
            None if line.trim().is_empty() && kinds.len() > 1 => break,
            None => {}
        }
    }
    let has = |k| kinds.contains(&k);
    let distinct =
        [Header::From, Header::When, Header::To, Header::Subject].into_iter().filter(|k| has(*k)).count();
    let dated =
        has(Header::When) && lines[..end].iter().any(|l| l.bytes().filter(u8::is_ascii_digit).count() >= 3);
    let addressed = lines[..end].iter().any(|l| l.contains('@'));
    let enough = has(Header::From) && (distinct >= 3 || dated || has(Header::Subject) && has(Header::To))
        || dated && addressed && distinct >= 2;
    if enough { end } else { 0 }
}

/// Further labels on the same line, as when bold labels of one paragraph run together.
fn inline_headers(line: &str) -> Vec<Header> {
    let mut out = Vec::new();
    for (at, _) in line.match_indices(": ").skip(1).take(8) {
        let before = &line[..at];
        let word = before.rfind(' ').map_or(before, |s| &before[s + 1..]);
        out.extend(label(word));
    }
    out
}

/// Lower case without the dot that Turkish capitals leave behind.
pub(super) fn lower(text: &str) -> String {
    let mut out = text.to_lowercase();
    if out.contains('\u{307}') {
        out = out.replace('\u{307}', "");
    }
    out
}

/// A line that separates the message from an older one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delimiter {
    /// The older message is quoted.
    Original,
    /// The older message is forwarded.
    Forwarded,
}

/// The delimiter a line is, if it is one.
pub(super) fn delimiter(line: &str) -> Option<Delimiter> {
    let trimmed = line.trim_start_matches(['>', ' ', '\t']).trim_end();
    let dashed = trimmed.starts_with(['-', '_', '=', '*', '~', '—', '#']) && !trimmed.starts_with("- ");
    if trimmed.is_empty() || trimmed.len() > 200 || !dashed && !trimmed.ends_with([':', '：']) {
        return None;
    }
    let core = lower(trimmed.trim_matches(is_rule));
    if core.is_empty() {
        return None;
    }
    if FORWARDED.iter().any(|w| core.starts_with(w)) {
        return Some(Delimiter::Forwarded);
    }
    (dashed && ORIGINAL.iter().any(|w| core.starts_with(w))).then_some(Delimiter::Original)
}

fn is_rule(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '-' | '_' | '=' | '*' | '~' | '#' | '+' | '>' | '<' | '—' | '–' | '―' | ':' | '\u{1427}' | '─'
        )
}

/// Whether a line only draws a rule.
pub(super) fn rule(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && (line.len() >= 2 || line == "—") && line.chars().all(is_rule)
        || line.chars().eq(['\u{1427}'])
}

/// Lines an attribution may be folded over.
const MAX_FOLD: usize = 4;
/// Bytes of an unfolded attribution.
const MAX_BYTES: usize = 480;

/// An attribution that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// The line it begins on.
    pub(super) line: usize,
    /// Where on that line it begins.
    pub(super) offset: usize,
    /// Whether the wording alone is proof; else a quote has to follow.
    pub(super) sure: bool,
}

/// The attribution whose last line is `lines[last]`, if there is one; lines before `first` are not looked at.
pub(super) fn ending_at(lines: &[&str], first: usize, last: usize) -> Option<Found> {
    let end = lines[last].trim();
    if !may_end(end, lines[first..last].last()) {
        return None;
    }
    let window = &lines[first.max((last + 1).saturating_sub(MAX_FOLD))..=last];
    let proof = |l: &&str| l.contains('@') || l.contains(|c: char| c.is_numeric());
    // Without a date or an address only the last line itself, or the one above it, can say "X wrote:".
    let proven = window.iter().any(proof);
    if !proven && !says_wrote(end) {
        return None;
    }
    let fold = if proven { MAX_FOLD } else { 2 };
    let mut best: Option<Found> = None;
    let mut joined = String::new();
    for line in (first..=last).rev().take(fold) {
        let text = lines[line].trim().trim_start_matches(['>', ' ']);
        if text.is_empty() || text.len() + joined.len() > MAX_BYTES {
            break;
        }
        joined = if joined.is_empty() { text.to_owned() } else { format!("{text} {joined}") };
        let Some(sure) = judge(&joined) else { continue };
        if opens(text) {
            return Some(Found { line, offset: 0, sure });
        }
        if let Some(offset) = opens_inside(lines[line]) {
            let offset = lines[line][..offset].trim_end_matches(['-', ' ']).len();
            return Some(Found { line, offset, sure: true });
        }
        best.get_or_insert(Found { line, offset: 0, sure });
    }
    // Where the address opens the last line, the name stands alone on the line above.
    best.map(|found| match lines[..found.line].last() {
        Some(above) if found.line > first && lines[found.line].trim().starts_with('<') && is_short(above) => {
            Found { line: found.line - 1, ..found }
        }
        _ => found,
    })
}

fn is_short(line: &str) -> bool {
    (1..=5).contains(&line.split_whitespace().count()) && !line.trim_end().ends_with(['.', '!', '?', ','])
}

/// Whether the line after an attribution still belongs to it: the rest of a folded address.
pub(super) fn continues(line: &str, next: &str) -> bool {
    let next = next.trim();
    let open = line.matches('<').count() > line.matches('>').count();
    !next.is_empty()
        && next.len() <= 120
        && open
        && next.ends_with([':', '：', '>'])
        && next.split_whitespace().count() <= 3
}

/// Whether a text begins with an attribution, perhaps with the quote behind it on the same line.
pub(super) fn heads(text: &str) -> bool {
    let head = &text[..text.floor_char_boundary(300)];
    head.match_indices([':', '：']).any(|(at, colon)| judge(&head[..at + colon.len()]) == Some(true))
}

/// The last words of the wordings of "wrote" that are written in ASCII.
static LAST_WORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| WROTE.iter().filter_map(|w| w.rsplit(' ').next()).filter(|w| w.is_ascii()).collect());

/// Whether a line may end in "wrote", by its last word.
fn says_wrote(line: &str) -> bool {
    let stem = line.trim_end_matches(is_rule);
    let last = stem.rsplit(' ').next().unwrap_or_default();
    !last.is_ascii() || last.len() <= 16 && LAST_WORDS.contains(last.to_ascii_lowercase().as_str())
}

/// Cheap test of a line's end before anything is unfolded.
fn may_end(line: &str, above: Option<&&str>) -> bool {
    let line = line.trim_end_matches(['*', '_', ' ', '>', '\u{202c}', '\u{200f}']);
    line.ends_with([':', '：'])
        || line.ends_with("wrote")
        || line.ends_with("--")
        || starts_with_iso_date(line)
        || line.contains('@') && above.is_some_and(|l| starts_with_iso_date(l.trim()))
}

fn opens(text: &str) -> bool {
    let head = text.trim_start_matches(['-', '*', ' ', '\u{202b}', '[']);
    if let Some(end) = head.find(|c: char| !c.is_numeric()).filter(|end| *end > 0) {
        // A date opens an attribution, a mail address such as "42abc@" does not.
        return end <= 4 && !head[end..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '@');
    }
    let head = head[..head.floor_char_boundary(24)].to_lowercase();
    OPENERS.iter().any(|o| head.starts_with(o))
}

/// Where an English attribution begins behind other text on the same line.
fn opens_inside(line: &str) -> Option<usize> {
    line.match_indices("On ").map(|(at, _)| at).find(|at| {
        let next = line[at + 3..].split([' ', ',', '.']).next().unwrap_or_default();
        let dated = matches!(
            next,
            "Mon"
                | "Tue"
                | "Wed"
                | "Thu"
                | "Fri"
                | "Sat"
                | "Sun"
                | "Jan"
                | "Feb"
                | "Mar"
                | "Apr"
                | "May"
                | "Jun"
                | "Jul"
                | "Aug"
                | "Sep"
                | "Oct"
                | "Nov"
                | "Dec"
                | "Monday"
                | "Tuesday"
                | "Wednesday"
                | "Thursday"
                | "Friday"
                | "Saturday"
                | "Sunday"
        ) || next.starts_with(|c: char| c.is_ascii_digit());
        *at > 0 && dated && line[..*at].ends_with([' ', '-', '.'])
    })
}

/// Whether an unfolded line is an attribution; `Some(true)` where the wording alone is proof.
fn judge(line: &str) -> Option<bool> {
    let line = line.trim_end_matches([' ', '*', '_', '\u{a0}', '\u{202c}', '\u{200f}']);
    let bare = line.trim_matches(is_rule);
    let dashed = line.starts_with("--") && line.ends_with("--");
    let colon = line.ends_with([':', '：']) || line.ends_with(":>");
    let lower = bare.to_lowercase();
    let digits = lower.chars().filter(|c| c.is_numeric()).count();
    let mail = lower.contains('@');
    let words = lower.split_whitespace().count();
    if words > 45 || words == 0 {
        return None;
    }
    if starts_with_iso_date(bare) && (mail && words <= 14 || bare.contains(" GMT") || bare.contains(" UTC")) {
        return Some(true);
    }
    let wrote = Wrote::of(&lower);
    let ends = wrote.ends || mail && lower.ends_with(" sent");
    if dashed {
        return ends.then_some(true);
    }
    if !colon {
        return (ends && digits >= 3 && mail && opens(bare)).then_some(true);
    }
    if ends && (digits >= 3 || mail) {
        return Some(true);
    }
    if digits >= 3 || mail {
        let stamped = digits >= 5 && mail && words <= 30;
        let told = wrote.inside && (digits >= 5 || mail) || stamped;
        return if told { Some(true) } else { wrote.inside.then_some(false) };
    }
    (ends && words <= 6 && named(bare)).then_some(false)
}

/// Whether "X wrote" is about a name, not about "I" or "we".
fn named(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    !matches!(
        first,
        "I" | "We"
            | "You"
            | "He"
            | "She"
            | "They"
            | "As"
            | "Ich"
            | "Wir"
            | "Er"
            | "Sie"
            | "Je"
            | "Nous"
            | "Il"
    ) && first.starts_with(|c: char| c.is_uppercase() || !c.is_ascii())
}

/// Whether a text begins with a date written year first, with separators.
fn starts_with_iso_date(text: &str) -> bool {
    let b = text.as_bytes();
    b.len() > 9
        && b[..4].iter().all(u8::is_ascii_digit)
        && matches!(b[4], b'-' | b'/')
        && b[5].is_ascii_digit()
        && b[6..9].contains(&b[4])
        && matches!(b[0], b'1' | b'2')
}

static WROTES: LazyLock<Finder> = LazyLock::new(|| Finder::new(WROTE.iter().map(|wording| (*wording, 0))));

/// Where a text says "wrote" in any language: all wordings in one pass, since a body may have a colon on every line.
#[derive(Debug, Default)]
struct Wrote {
    inside: bool,
    ends: bool,
}

impl Wrote {
    fn of(lower: &str) -> Self {
        let mut wrote = Self::default();
        WROTES.each(lower, |_, at, len| {
            let (before, wording, behind) = (&lower[..at], &lower[at..at + len], &lower[at + len..]);
            // Words of scripts written without spaces may stand right behind a name.
            let spaceless = wording.chars().next_back().is_some_and(|c| c as u32 >= 0x0e00);
            let begins = spaceless || !before.ends_with(char::is_alphabetic);
            wrote.ends |= begins && behind.is_empty();
            wrote.inside |= begins && (spaceless || !behind.starts_with(char::is_alphabetic));
        });
        wrote
    }
}

#[cfg(test)]
mod tests {
    use super::{Delimiter, delimiter, ending_at, header_block, rule};

    fn start(lines: &[&str]) -> Option<usize> {
        ending_at(lines, 0, lines.len() - 1).map(|f| f.line)
    }

    #[test]
    fn attributions_of_one_client_in_thirty_languages() {
        for line in [
            "On Mon, May 3, 2021 at 10:00 AM Ann Lee <ann@example.com> wrote:",
            "Am Mo., 3. Mai 2021 um 10:00 Uhr schrieb Ann Lee <ann@example.com>:",
            "Le lun. 3 mai 2021 à 10:00, Ann Lee <ann@example.com> a écrit :",
            "El lun, 3 may 2021 a las 10:00, Ann Lee (<ann@example.com>) escribió:",
            "Il giorno lun 3 mag 2021 alle ore 10:00 Ann Lee <ann@example.com> ha scritto:",
            "Em seg., 3 de mai. de 2021 às 10:00, Ann Lee <ann@example.com> escreveu:",
            "Op ma 3 mei 2021 om 10:00 schreef Ann Lee <ann@example.com>:",
            "Den mån 3 maj 2021 kl 10:00 skrev Ann Lee <ann@example.com>:",
            "man. 3. mai 2021 kl. 10:00 skrev Ann Lee <ann@example.com>:",
            "ma 3. toukok. 2021 klo 10.00 Ann Lee (ann@example.com) kirjoitti:",
            "pon., 3 maj 2021 o 10:00 Ann Lee <ann@example.com> napisał(a):",
            "po 3. 5. 2021 v 10:00 odesílatel Ann Lee <ann@example.com> napsal:",
            "Ann Lee <ann@example.com> ezt írta (időpont: 2021. máj. 3., H, 10:00):",
            "În lun., 3 mai 2021 la 10:00, Ann Lee <ann@example.com> a scris:",
            "пн, 3 мая 2021 г. в 10:00, Ann Lee <ann@example.com>:",
            "пн, 3 трав. 2021 р. о 10:00 Ann Lee <ann@example.com> пише:",
            "Στις Δευ 3 Μαΐ 2021 στις 10:00 π.μ., ο χρήστης Ann Lee <ann@example.com> έγραψε:",
            "Ann Lee <ann@example.com>, 3 May 2021 Pzt, 10:00 tarihinde şunu yazdı:",
            "في الاثنين، 3 مايو 2021 في 10:00 ص تمت كتابة ما يلي بواسطة Ann Lee <ann@example.com>:",
            "Vào Th 2, 3 thg 5, 2021 vào lúc 10:00 Ann Lee <ann@example.com> đã viết:",
            "2021年5月3日(月) 10:00 Ann Lee <ann@example.com>:",
            "2021년 5월 3일 (월) 오전 10:00, Ann Lee <ann@example.com>님이 작성:",
            "Ann Lee <ann@example.com> 于2021年5月3日周一 10:00写道：",
            "Pada Sen, 3 Mei 2021 pukul 10.00 Ann Lee <ann@example.com> menulis:",
            "На пн, 3.05.2021 г. в 10:00 Ann Lee <ann@example.com> написа:",
            "Missatge de Ann Lee <ann@example.com> del dia dl., 3 de maig 2021 a les 10:00:",
        ] {
            assert_eq!(start(&[line]), Some(0), "{line}");
        }
    }

    #[test]
    fn folds_begin_at_the_opener_and_prose_is_left_alone() {
        assert_eq!(start(&["On Mon, 3 May 2021 at 10:00, Ann Lee", "<ann@example.com> wrote:"]), Some(0));
        assert_eq!(
            start(&["Thanks Ann", "On Mon, 3 May 2021 at 10:00, Bob", "<b@example.com> wrote:"]),
            Some(1)
        );
        assert_eq!(
            start(&["Thanks Ann", "Den 14 september, 2015 02:23:18, Bob (b@example.com) skrev:"]),
            Some(1)
        );
        assert_eq!(start(&["I wrote down three things that matter to us and to you:"]), None);
        assert_eq!(start(&["As I wrote:"]), None);
        let inside = ending_at(&["sure On Wed, Apr 4, 2012 at 3:59 PM, b@example.com wrote:"], 0, 0).unwrap();
        assert_eq!(inside.offset, 4);
    }

    #[test]
    fn delimiters_and_header_blocks() {
        assert_eq!(delimiter("-----Ursprüngliche Nachricht-----"), Some(Delimiter::Original));
        assert_eq!(delimiter("---------- Forwarded message ---------"), Some(Delimiter::Forwarded));
        assert_eq!(delimiter("the original message:"), None);
        assert_eq!(
            header_block(&["*Von:* Ann <a@b.co>", "*Gesendet:* Montag, 3. Mai 2021", "*An:* Bob", "", "x"]),
            3
        );
        assert_eq!(header_block(&["From: a@b.co Date: Thu, 24 Mar 2016 08:07", "text"]), 1);
        assert_eq!(header_block(&["From: the top", "we go down"]), 0);
        assert!(rule("________") && rule(" ---- ") && !rule("- a"));
    }
}
