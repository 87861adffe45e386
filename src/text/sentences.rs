//! Sentence and clause bounds as byte ranges.
//!
//! One pass over end marks; abbreviations, initials, ordinals, list numbers and folded lines decide whether a mark ends
//! a sentence. It does not parse grammar and never looks further than the words beside a mark, so it is linear.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

/// Titles and words that always go on: the next word may be a capitalised name or a number.
static GOES_ON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    "mr|mrs|ms|dr|prof|st|sr|sra|srta|mme|mlle|messrs|gen|col|capt|lt|sgt|maj|cmdr|adm|rep|sen|gov|pres|hon|rev|fr|vs|v|\
     e.g|i.e|cf|viz|approx|ca|z.b|z. b|d.h|u.a|bzw|vgl|evtl|ggf|inkl|zzgl|tel|hr|fr|frl|dipl|ing|skt|f.eks|bl.a|m.fl|\
     hovedst|p.ej|p. ej|av|avda|dña|dn|ud|uds|núm|pág|ex|dott|sig|sig.ra|avv|egr|spett|dhr|mevr|mw|drs|mgr|ir|bijv|o.a|\
     t.a.v|d.w.z|j|ul|al|pl|gen|inż|np|tzn|tj|tzv|např|mudr|phdr|judr|rndr|doc|napr|гр|ул|пл|бул|проф|акад|им|т.е|т.к|\
     напр|см|рис|стр|кв|д-р|инж|κ|κα|δρ|π.χ|κ.κ|örn|doç|yrd|bkz|vd|ps|art|fig|figs|eq|pp|p|vol|ed|eds|sec|ch|op|nr|nrs|\
     n°|n|pos|abs|abt|bd|hrsg|str|geb|verh|max|min|mind|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|okt|nov|dec|dez|déc|mon|tue|wed|\
     thu|fri|sat|sun|ft|mt|mtn|ave|blvd|rd|dept|est|univ|assn|bros|gmbh & co|pl.|т|дж|с|ст"
        .split('|')
        .collect()
});

/// Words that may end a sentence or not: they do where a usual first word follows.
static MAY_END: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    "inc|ltd|co|corp|llc|jr|etc|ind|plc|bros|esq|m.d|ph.d|b.a|m.a|b.sc|d.c|usw|u.s.w|uvm|u.v.m|etc|ecc|osv|m.m|itd|itp|apod|atd|и т.д|и т.п|и др|\
     vb|ss|a.d|b.c|ltda|s.a|s.l|s.p.a|s.r.l|gmbh|a.s|s.r.o|sp|z o.o|kft|zrt|oy|ab|n.v|b.v|pty|govt"
        .split('|')
        .collect()
});

/// Words sentences usually begin with.
static STARTERS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    "A|An|The|This|That|These|Those|I|He|She|It|We|They|You|My|Our|Your|His|Her|Their|Its|In|On|At|As|By|For|From|With|To|Of|\
     But|And|So|Or|If|When|While|After|Before|Since|Because|Although|How|What|Why|Where|Who|Which|Is|Are|Was|Were|Do|Does|Did|\
     Can|Could|Will|Would|Should|Have|Has|Had|Please|Let|There|Here|Then|Now|Also|However|Yes|No|Not|Thanks|Thank|Der|Die|Das|\
     Ein|Eine|Ich|Er|Sie|Es|Wir|Ihr|Wenn|Aber|Und|Oder|Bitte|Im|Am|Wie|Was|Wo|Wer|Warum|Le|La|Les|Un|Une|Je|Il|Elle|Nous|Vous|\
     Ils|Mais|Et|El|Los|Las|Una|Yo|Pero|Y|Si|Se|En|O|Os|As|Um|Uma|Eu|Mas|E|Lo|Gli|Ma|De|Het|Een|Ik|Wij|Maar|Det|Den|Jag|Vi|Men|Jeg|Du|Hvad|Hvor|Hvem|Han|Hun|Og|Vad|Var|Vem|Och|Mitä|Se|Hän|Co|Jak|Kdo|Ale|To|Que|Qué|Qui|Où|Cosa|Chi|Wat|Waar|Wie|Он|Она|Мы|Это|Но|Вы|Я|Что|Как"
        .split('|')
        .collect()
});

/// Months, before which a number with a dot is a day.
const MONTHS: &[&str] = &[
    "jan", "feb", "mär", "mar", "apr", "mai", "maj", "may", "jun", "jul", "aug", "sep", "okt", "oct", "nov",
    "dez", "dec", "des", "led", "úno", "bře", "dub", "kvě", "čer", "srp", "zář", "říj", "lis", "pro", "sty",
    "lut", "kwi", "cze", "lip", "sie", "wrz", "paź", "gru", "tammi", "helmi", "maalis", "huhti", "touko",
    "kesä", "heinä", "elo", "syys", "loka", "marras", "joulu",
];

/// The sentences of a text as byte ranges without surrounding white space.
#[must_use]
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let end = match c {
            '\n' if line_ends(text, start, at) => at,
            '.' | '!' | '?' | '…' | '‼' | '⁇' | '⁈' | '⁉' => {
                let end = mark_end(text, at);
                if end <= at || !latin_ends(text, start, at, end) {
                    continue;
                }
                end
            }
            '。' | '！' | '？' | '｡' | '．' | '።' | '፧' | '။' | '।' | '॥' | '۔' | '؟' | '։' => {
                mark_end(text, at)
            }
            ':' if colon_ends(text, at) => at + 1,
            ';' if greek_before(text, at) => at + 1,
            '•' | '⁃' | '◦' | '▪' if at > start && !text[start..at].trim().is_empty() => at,
            _ => continue,
        };
        push(text, start..end, &mut out);
        start = end;
        while chars.peek().is_some_and(|(next, _)| *next < end) {
            chars.next();
        }
    }
    push(text, start..text.len(), &mut out);
    out
}

/// Add a sentence; an inline list is parted into its items.
fn push(text: &str, range: Range<usize>, out: &mut Vec<Range<usize>>) {
    let part = &text[range.clone()];
    let from = range.start + (part.len() - part.trim_start().len());
    let to = from + part.trim().len();
    let mut start = from;
    if let Some(mut item) = Item::read(&text[from..to]) {
        while let Some(at) = item.next_in(&text[start..to]) {
            out.push(start..start + text[start..start + at].trim_end().len());
            start += at;
        }
    }
    if start < to {
        out.push(start..to);
    }
}

/// The number or letter an inline list has reached.
struct Item {
    number: u32,
    letter: bool,
    mark: char,
}

impl Item {
    /// The first item a text opens with.
    fn read(text: &str) -> Option<Self> {
        let head = text.trim_start_matches(['•', '⁃', ' ', '(']);
        let digits = head.len() - head.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let mut rest = head[digits..].chars();
        if (1..=3).contains(&digits) {
            let mark = rest.next().filter(|c| matches!(c, '.' | ')'))?;
            return rest.next().is_some_and(char::is_whitespace).then_some(Self {
                number: head[..digits].parse().ok()?,
                letter: false,
                mark,
            });
        }
        let mut chars = head.chars();
        (chars.next() == Some('a') && digits == 0).then_some(())?;
        let mark = chars.next().filter(|c| matches!(c, '.' | ')'))?;
        chars.next().is_some_and(char::is_whitespace).then_some(Self { number: 0, letter: true, mark })
    }

    /// Where the next item begins.
    fn next_in(&mut self, text: &str) -> Option<usize> {
        self.number += 1;
        let mut from = 0;
        // Items stand behind a space and are followed by one: "1. this 2. that".
        while let Some(at) = text[from..].find(self.mark).map(|n| from + n) {
            from = at + 1;
            let near = text.ceil_char_boundary(at.saturating_sub(5));
            let Some(space) = text[near..at].rfind(' ').map(|n| near + n) else { continue };
            if self.is_label(&text[space + 1..at]) && text[from..].starts_with(' ') {
                return Some(space + 1);
            }
        }
        None
    }

    fn is_label(&self, label: &str) -> bool {
        if self.letter {
            let wanted = u8::try_from(self.number).ok().and_then(|n| b'a'.checked_add(n));
            return label.len() == 1 && label.bytes().next() == wanted;
        }
        label.len() <= 4 && label.parse() == Ok(self.number)
    }
}

/// End of a run of end marks with the quotes and brackets that close behind it.
fn mark_end(text: &str, at: usize) -> usize {
    let mut end = at;
    let mut closed = false;
    for (n, c) in text[at..].char_indices().take(64) {
        let mark = matches!(
            c,
            '.' | '!'
                | '?'
                | '…'
                | '‼'
                | '⁇'
                | '⁈'
                | '⁉'
                | '。'
                | '！'
                | '？'
                | '｡'
                | '．'
                | '።'
                | '፧'
                | '။'
                | '।'
                | '॥'
                | '۔'
                | '؟'
                | '։'
        );
        let close =
            matches!(c, ')' | ']' | '"' | '\'' | '”' | '’' | '»' | '」' | '』' | '）' | '“' | '*' | '_');
        if !(mark && !closed || close) {
            break;
        }
        closed |= close;
        end = at + n + c.len_utf8();
    }
    end
}

/// Whether the mark `at..end` of an alphabetic script ends the sentence that began at `start`.
fn latin_ends(text: &str, start: usize, at: usize, end: usize) -> bool {
    let rest = &text[end..];
    let Some(gap) = rest.chars().next() else {
        return true;
    };
    if !gap.is_whitespace() {
        // Only marks of scripts without spaces may stand right before the next word.
        return is_wide(gap);
    }
    let mark = &text[at..end];
    let next = rest.trim_start();
    let first = next.chars().next().unwrap_or('A');
    if mark.starts_with("...") && mark.contains(']') || mark.starts_with('.') && next.starts_with('.') {
        return false;
    }
    let aside = next.trim_start_matches(['-', '–', '—', ' ']);
    if aside.len() < next.len() && aside.starts_with(char::is_lowercase) {
        return false;
    }
    if first.is_lowercase() || matches!(first, ',' | ';' | ':') && !next.starts_with(": ") {
        return false;
    }
    if mark.ends_with(['"', '”', '»']) && first == '(' {
        return false;
    }
    !mark.starts_with('.') || mark.starts_with("..") || dot_ends(&text[start..at], next)
}

/// Whether a single dot behind `before` ends the sentence, with `next` following it.
fn dot_ends(before: &str, next: &str) -> bool {
    let cut = before.floor_char_boundary(before.len().saturating_sub(64));
    let mut words = before[cut..].rsplit(char::is_whitespace);
    let word = words
        .next()
        .unwrap_or_default()
        .trim_start_matches(['(', '[', '"', '“', '„', '«', '\'', '•', '⁃', '-', '–']);
    let earlier = words.next().unwrap_or_default();
    let follow = follow(next);
    if word.is_empty() {
        return true;
    }
    if word.bytes().all(|c| c.is_ascii_digit()) {
        return number_ends(before, word, earlier, follow);
    }
    let lower = word.to_lowercase();
    let starter = STARTERS.contains(follow.split('\'').next().unwrap_or_default());
    if lower == "no" || lower == "№" {
        return !follow.starts_with(|c: char| c.is_ascii_digit());
    }
    if word.chars().count() == 1 && word.chars().all(char::is_alphabetic) {
        // "you and I." ends, "Albert I. Jones" does not, "a." opens a list.
        return word == "I"
            && earlier.starts_with(char::is_lowercase)
            && follow.starts_with(char::is_uppercase);
    }
    if matches!(word, "P.M" | "A.M") {
        return true;
    }
    if GOES_ON.contains(lower.as_str()) && !(is_weak(&lower) && starter) {
        return false;
    }
    if MAY_END.contains(lower.as_str()) || dotted(word) || is_roman(word) {
        return starter;
    }
    true
}

/// The word a text begins with.
fn follow(next: &str) -> &str {
    let end = next
        .char_indices()
        .take(24)
        .find(|(_, c)| !c.is_alphanumeric() && *c != '\'')
        .map_or_else(|| next.floor_char_boundary(24), |(at, _)| at);
    &next[..end]
}

/// Short forms that are also whole words; a usual first word after them shows a full stop.
fn is_weak(word: &str) -> bool {
    matches!(
        word,
        "sat"
            | "sun"
            | "mar"
            | "max"
            | "min"
            | "al"
            | "ed"
            | "art"
            | "ch"
            | "ex"
            | "av"
            | "p"
            | "v"
            | "n"
            | "j"
            | "pos"
            | "st"
            | "est"
            | "co"
            | "ps"
            | "rd"
            | "ave"
            | "mon"
            | "fri"
            | "dec"
            | "nov"
            | "may"
            | "jun"
            | "str"
    )
}

/// Whether a number with a dot ends a sentence: not as a list number, not as a day or ordinal.
fn number_ends(before: &str, word: &str, earlier: &str, follow: &str) -> bool {
    let opens = before.trim_start_matches(['•', '⁃', ' ', '\n', '\t', '-', '*', '(']).trim_end() == word;
    let day = word.len() <= 2;
    // The next number of an inline list opens its item; the list is parted when the sentence is done.
    let listed = Item::read(before.trim_start()).is_some_and(|i| {
        !i.letter && i.mark == '.' && word.parse().is_ok_and(|n: u32| n > i.number && n < i.number + 30)
    });
    let month = || {
        let lower = follow.to_lowercase();
        follow.starts_with(char::is_alphabetic)
            && lower.chars().count() >= 3
            && MONTHS.iter().any(|m| lower.starts_with(m))
    };
    let article = || {
        matches!(
            earlier.to_lowercase().as_str(),
            "am" | "vom"
                | "den"
                | "der"
                | "dem"
                | "zum"
                | "bis"
                | "des"
                | "dne"
                | "ab"
                | "die"
                | "das"
                | "im"
                | "d"
        )
    };
    !(opens || listed || day && (month() || article()))
}

/// Letters with dots between them, such as `U.S` or `z.B`.
fn dotted(word: &str) -> bool {
    word.contains('.')
        && word.split('.').all(|p| (1..=3).contains(&p.chars().count()) && p.chars().all(char::is_alphabetic))
}

fn is_roman(word: &str) -> bool {
    word.len() >= 2
        && word.chars().all(|c| matches!(c, 'I' | 'V' | 'X' | 'L' | 'C' | 'D' | 'M'))
        && !matches!(word, "CD" | "DC" | "MD" | "CV")
}

/// Whether a character belongs to a script written without spaces.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{1200}'..='\u{139f}' | '\u{1000}'..='\u{109f}' | '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{ff00}'..='\u{ffef}')
}

/// Colons end sentences in Armenian and part a heading from its text in Arabic.
fn colon_ends(text: &str, at: usize) -> bool {
    let before = text[..at].chars().next_back();
    matches!(before, Some('\u{530}'..='\u{58f}' | '\u{620}'..='\u{64a}'))
        && text[at + 1..].starts_with([' ', '\n'])
}

/// The semicolon is the Greek question mark.
fn greek_before(text: &str, at: usize) -> bool {
    matches!(text[..at].chars().next_back(), Some('\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}'))
        && text[at + 1..].starts_with([' ', '\n'])
}

/// Whether a line end at `at` ends the sentence begun at `start`: it does, unless the line was only folded there.
fn line_ends(text: &str, start: usize, at: usize) -> bool {
    let line_start = text[start..at].rfind('\n').map_or(start, |n| start + n + 1);
    let line = &text[line_start..at];
    let next_line = text[at + 1..].split('\n').next().unwrap_or_default();
    let next = next_line.trim_start();
    let Some(first) = next.chars().next() else {
        return true;
    };
    let item = matches!(first, '-' | '*' | '•' | '⁃' | '|' | '>' | '#') || Item::read(next).is_some();
    let kept = line.trim_end();
    if item || kept.is_empty() {
        return true;
    }
    let length = kept.chars().count();
    let open = kept.ends_with(|c: char| {
        c.is_alphanumeric() || matches!(c, ',' | '-' | '–' | ';' | '(' | '"' | '\'' | '’')
    });
    let folded = first.is_lowercase() && (length >= 45 || line.ends_with(' ') || kept.ends_with(','))
        || length >= 60 && open && !first.is_whitespace();
    !folded
}

/// The clauses of a sentence: cut at semicolons, dashes and commas that leave enough words on both sides.
#[must_use]
pub fn clauses(text: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    for sentence in sentences(text) {
        let mut start = sentence.start;
        for (at, c) in text[sentence.clone()].char_indices() {
            let at = sentence.start + at;
            let strong = matches!(c, ';' | '；' | '–' | '—');
            let weak = matches!(c, ',' | '，' | '、' | ':' | '：');
            let next = at + c.len_utf8();
            if !(strong || weak) || c.is_ascii() && !text[next..].starts_with(char::is_whitespace) {
                continue;
            }
            let need = if strong { 2 } else { 3 };
            let ahead = words(&text[next..sentence.end], need);
            if words(&text[start..at], need) >= need && ahead >= need {
                out.push(start..at);
                start = next + (text[next..].len() - text[next..].trim_start().len());
            }
        }
        if start < sentence.end {
            out.push(start..sentence.end);
        }
    }
    out
}

/// Words of a text, counted up to `most` so that long tails cost nothing.
fn words(text: &str, most: usize) -> usize {
    text.split_whitespace().take(most).count()
}

#[cfg(test)]
mod tests {
    use super::{clauses, sentences};

    fn parts(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|r| &text[r]).collect()
    }

    #[test]
    fn abbreviations_and_initials_do_not_end_sentences() {
        assert_eq!(parts("Dr. Smith called. He waits."), ["Dr. Smith called.", "He waits."]);
        assert_eq!(
            parts("Wir kommen am 3. Mai. Passt z.B. Montag?"),
            ["Wir kommen am 3. Mai.", "Passt z.B. Montag?"]
        );
        assert_eq!(parts("She lives in the U.S. She likes it."), ["She lives in the U.S.", "She likes it."]);
        assert_eq!(parts("Pay $3.50 to x.com now!"), ["Pay $3.50 to x.com now!"]);
    }

    #[test]
    fn lists_lines_and_folds() {
        assert_eq!(parts("1) first thing 2) second thing"), ["1) first thing", "2) second thing"]);
        assert_eq!(parts("Agenda\nPrice\nTerm"), ["Agenda", "Price", "Term"]);
        let folded = "We would like to have the new offer before the end of this\nmonth if you can.";
        assert_eq!(parts(folded).len(), 1);
    }

    #[test]
    fn scripts_without_spaces() {
        assert_eq!(parts("これはペンです。それは本です。"), ["これはペンです。", "それは本です。"]);
    }

    #[test]
    fn clauses_need_words_on_both_sides() {
        let text = "We like the price, but the term is too long. Yes, fine.";
        let got: Vec<&str> = clauses(text).into_iter().map(|r| &text[r]).collect();
        assert_eq!(got, ["We like the price", "but the term is too long.", "Yes, fine."]);
    }
}
