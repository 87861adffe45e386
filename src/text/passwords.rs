//! Passwords by their label: the word behind it, several words in quotes or to the end of the line, and a name with its
//! password on one line ("Login: bob / ...").
//!
//! What is certain is masked, the rest stays; `docs/text.md` lists both. Keys and codes are found elsewhere.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use super::secret_words::{PROSE, TALK, USERS};
use super::secrets::{is_mask, within};

/// Words of a password that is a phrase.
const PHRASE_WORDS: std::ops::RangeInclusive<usize> = 2..=6;
/// Bytes of a password in quotes.
const LONGEST_QUOTED: usize = 80;

/// The password of a label.
pub(super) fn labelled(text: &str, label: &Range<usize>) -> Option<Range<usize>> {
    if joins_user(text, label.start)
        && let Some(password) = pair(text, label.end, Given::Both)
    {
        return Some(password);
    }
    let place = Place::behind(text, label.end);
    if place.is_talk(text) {
        return None;
    }
    place
        .quoted(text)
        .or_else(|| place.phrase(text))
        .or_else(|| value(text, label.end, |v, sure| sure && v.len() >= 3 || looks_secret(v, 6)))
}

/// The password of a label that is one with a colon only.
pub(super) fn marked(text: &str, label: &Range<usize>) -> Option<Range<usize>> {
    if joins_user(text, label.start) {
        return labelled(text, label);
    }
    let is_marked = within(text, label.end, 8).trim_start_matches([' ', '*']).starts_with([':', '=', '：']);
    let found = if is_marked { labelled(text, label) } else { None };
    found.filter(|password| !is_talk_word(&text[password.clone()]))
}

/// Where the value of a label stands on its line.
struct Place {
    /// First byte of the value; behind a quotation mark, if there is one.
    begin: usize,
    line_end: usize,
    /// A colon or its like stands right behind the label, or behind what it is for.
    marked: bool,
    /// The English "is" stands between.
    is: bool,
    /// The quotation mark before the value.
    quote: Option<char>,
}

impl Place {
    fn behind(text: &str, end: usize) -> Self {
        let rest = within(text, end, 300);
        let line = rest.split('\n').next().unwrap_or_default();
        let (gap, mark) = gap(line);
        let opening = opening(&line[gap..]);
        let quote = line[gap..gap + opening].trim_end().chars().next_back().filter(|c| closing(*c).is_some());
        let between = line[..gap].trim_matches([' ', '*', ':', '=', '：']).to_lowercase();
        let mut words = between.split_whitespace();
        let for_what = matches!(
            words.next(),
            None | Some(
                "for"
                    | "is"
                    | "für"
                    | "pour"
                    | "para"
                    | "per"
                    | "voor"
                    | "ist"
                    | "lautet"
                    | "est"
                    | "es"
                    | "は"
            )
        );
        Self {
            begin: end + gap + opening,
            line_end: end + line.len(),
            marked: mark.is_some() && for_what,
            is: mark.is_none() && between.ends_with("is"),
            quote,
        }
    }

    /// Several words in quotes, or one right behind "is".
    fn quoted(&self, text: &str) -> Option<Range<usize>> {
        let close = closing(self.quote?)?;
        let rest = within(text, self.begin, LONGEST_QUOTED.min(self.line_end.saturating_sub(self.begin)));
        let inner = rest[..rest.find(close)?].trim_end();
        let states = inner.split_whitespace().all(is_talk_word);
        let several = inner.trim().contains(char::is_whitespace) && inner.len() >= 3;
        (several && !states && !is_mask(inner)).then(|| self.begin..self.begin + inner.len())
    }

    /// Several words that end the line, none of which a sentence about passwords has.
    fn phrase(&self, text: &str) -> Option<Range<usize>> {
        if !self.marked && !self.is {
            return None;
        }
        let tail = text.get(self.begin..self.line_end).filter(|tail| tail.len() < LONGEST_QUOTED * 2)?;
        let phrase = tail.trim_end().trim_end_matches(['.', '"', '\'', '”', '“', '*', ')']);
        let count = phrase.split_whitespace().count();
        let plain = |word: &str| word.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '\'' | '’'));
        let numbered = |word: &&str| word.contains(|c: char| c.is_ascii_digit());
        let words = || phrase.split_whitespace();
        let with_digits = words().filter(numbered).count();
        let fits = PHRASE_WORDS.contains(&count)
            && phrase.len() <= LONGEST_QUOTED
            && (with_digits == 0 || with_digits == count && !self.is)
            && words().all(|word| plain(word) && !is_talk_word(word))
            && words().any(|word| word.contains(char::is_alphabetic));
        // Behind "is" an adjective may stand that no list has.
        let derived =
            |word: &str| ["ed", "ing", "ly", "able", "ible", "less", "ful"].iter().any(|e| word.ends_with(e));
        (fits && !(self.is && words().any(derived))).then(|| self.begin..self.begin + phrase.len())
    }

    /// Whether a sentence stands where the password is looked for: "Password: will be sent by post".
    fn is_talk(&self, text: &str) -> bool {
        let mut words = text.get(self.begin..self.line_end).unwrap_or_default().split_whitespace();
        let begins = words.next().is_some_and(|word| PROSE.split('|').any(|w| w.eq_ignore_ascii_case(word)));
        begins && words.any(is_talk_word)
    }
}

/// What a label says of the words behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    /// A name and its password, by name: "user / pass".
    Both,
    /// How to sign in, or what somebody has learned: "credentials".
    Credentials,
    /// A name, perhaps with its password: "login".
    Name,
}

/// The password of a name and its password behind a label, on its line or the next.
pub(super) fn pair(text: &str, end: usize, given: Given) -> Option<Range<usize>> {
    let rest = within(text, end, 240);
    let line = rest.split('\n').next().unwrap_or_default();
    let (gap, mark) = gap(line);
    let between = line[..gap].trim_matches([' ', '*', ':', '=', '：']);
    let alone = mark.is_some() && between.is_empty();
    if gap == 0 || given == Given::Name && !alone || between.split_whitespace().count() > 3 {
        return None;
    }
    let said = line[gap..].trim_start_matches([' ', '*', '\t']);
    let said = match said.trim() {
        "" => rest[line.len()..].trim_start().split('\n').next().unwrap_or_default(),
        _ => said,
    };
    let at = said.as_ptr() as usize - text.as_ptr() as usize;
    let (name, behind) = part(said, given)?;
    let plain_name = name.split_whitespace().count() <= 3
        && !name.is_empty()
        && name.len() <= 64
        && !is_mask(name)
        && !name.split_whitespace().any(|word| is_talk_word(word) || is_user_word(word));
    let word = word_at(text, at + behind);
    let password = &text[word.clone()];
    (plain_name && is_password(name, password, given, !said[..behind].ends_with(' '))).then_some(word)
}

/// The name of "bob / hunter2", and where its password begins.
fn part(said: &str, given: Given) -> Option<(&str, usize)> {
    let spaced = [" / ", " : ", " | ", " – ", " - "]
        .iter()
        .filter_map(|mark| Some((said.find(mark)?, mark.len())))
        .min();
    let split = spaced.or_else(|| {
        let word = said.split_whitespace().next()?;
        let at = word.find([':', '/']).filter(|at| *at > 0 && !word[*at..].starts_with("://"))?;
        Some((at, 1))
    });
    let two = || {
        let at = said.find(' ').filter(|_| given == Given::Both && said.split_whitespace().count() == 2)?;
        Some((at, 1))
    };
    let (at, len) = split.or_else(two)?;
    let behind = &said[at + len..];
    // "bob / pw hunter2" names it again.
    let again = behind.split_once([' ', ':']).filter(|(word, _)| {
        matches!(word.to_lowercase().as_str(), "pass" | "pw" | "pwd" | "passwort" | "password")
    });
    let skipped = again.map_or(0, |(_, rest)| behind.len() - rest.trim_start_matches([' ', ':']).len());
    Some((said[..at].trim(), at + len + skipped + opening(&behind[skipped..])))
}

/// Whether a word is the password of a name, as far as the label tells.
fn is_password(name: &str, word: &str, given: Given, tight: bool) -> bool {
    let digit = word.contains(|c: char| c.is_ascii_digit());
    let letter = word.contains(char::is_alphabetic);
    let time = word.starts_with(|c: char| c.is_ascii_digit())
        && (word.contains(':') || !letter && word.contains('.'));
    let place = word.contains("://") || word.starts_with("www.") || word.contains('@') && word.contains('.');
    if word.len() < 3 || time || place || is_mask(word) || is_talk_word(word) || is_user_word(word) {
        return false;
    }
    let symbol =
        word.contains(|c: char| c.is_ascii_punctuation() && !matches!(c, '.' | ',' | '-' | '\'' | '/' | '@'));
    let lower = word.contains(char::is_lowercase);
    match given {
        Given::Both => true,
        Given::Credentials if tight => name.contains(char::is_alphabetic) && !word.contains('/'),
        Given::Credentials => looks_secret(word, 4) || lower && !name.contains(char::is_uppercase),
        Given::Name => word.len() >= 6 && letter && lower && (digit || symbol) && !word.contains('/'),
    }
}

static TALK_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| TALK.split('|').collect());
static USER_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| USERS.split('|').collect());

/// Whether the word for a user is joined with the label that begins at `start`: "user / pass".
fn joins_user(text: &str, start: usize) -> bool {
    // How "/", "and" and its like end: nearly every label has something else before it.
    let joint = |c: char| matches!(c, '/' | '&' | '+' | '／' | 'と' | 'd' | 't' | 'y' | 'e' | 'n');
    if !text[..start].trim_end_matches(' ').ends_with(|c: char| joint(c.to_ascii_lowercase())) {
        return false;
    }
    let from = text.ceil_char_boundary(start.saturating_sub(32));
    let line = text[from..start].rsplit('\n').next().unwrap_or_default().to_lowercase();
    let trimmed = line.trim_end_matches([' ', '/', '&', '+', '／']);
    let joined = trimmed.len() < line.trim_end().len();
    let and = ["and", "und", "et", "y", "e", "en", "と"].iter().find_map(|and| {
        let before = trimmed.strip_suffix(and)?;
        (before.ends_with(' ') || *and == "と").then(|| before.trim_end())
    });
    let user = if joined { trimmed } else { and.unwrap_or_default() };
    user.split(|c: char| !c.is_alphanumeric() && c != 'ー').next_back().is_some_and(is_user_word)
}

fn is_user_word(word: &str) -> bool {
    let lower = word.trim_end_matches([':', ',']).to_lowercase();
    let password = ["password", "passwort", "pass", "pw", "contraseña", "senha", "wachtwoord", "パスワード"];
    USER_WORDS.contains(lower.as_str()) || password.contains(&lower.as_str())
}

/// Whether a word belongs to a sentence rather than to a password of several words.
fn is_talk_word(word: &str) -> bool {
    let lower = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    TALK_WORDS.contains(lower.as_str())
}

/// What closes a quotation.
fn closing(open: char) -> Option<&'static [char]> {
    Some(match open {
        '"' => &['"'],
        '“' => &['”', '“'],
        '„' => &['“', '”', '"'],
        '«' => &['»'],
        '»' => &['«'],
        '\'' => &['\''],
        '‘' | '‚' => &['’', '‘'],
        '`' => &['`'],
        '「' => &['」'],
        '『' => &['』'],
        _ => return None,
    })
}

/// Bytes of the marks and spaces before a value.
fn opening(tail: &str) -> usize {
    let mark = |c: char| closing(c).is_some() || matches!(c, ':' | '=' | '>' | '|' | '*' | '(' | '：');
    tail.len() - tail.trim_start_matches(|c: char| c.is_whitespace() || mark(c)).len()
}

/// Where a value may begin on the rest of its label's line: behind a colon or "is"; and the mark, where there is one.
fn gap(line: &str) -> (usize, Option<char>) {
    let near = &line[..line.floor_char_boundary(60)];
    match near.find([':', '=', '：', '|', '→', '\t']) {
        Some(at) if !near[..at].contains(['.', '?', '!']) => {
            let mark = near[at..].chars().next();
            (at + mark.map_or(1, char::len_utf8), mark.filter(|c| !matches!(c, '→' | '\t')))
        }
        _ => (said(near).unwrap_or(0), None),
    }
}

/// The value a label gives: behind a colon or "is" on the line, else the only word of the next line.
pub(super) fn value(text: &str, end: usize, fits: impl Fn(&str, bool) -> bool) -> Option<Range<usize>> {
    let rest = within(text, end, 300);
    let line = rest.split('\n').next().unwrap_or_default();
    let (gap, mark) = gap(line);
    let sure = mark.is_some();
    let begin = end + gap + opening(&line[gap..]);
    let word = word_at(text, begin);
    if is_mask(&text[word.clone()]) {
        return None;
    }
    if !word.is_empty() && begin < end + line.len() {
        return fits(&text[word.clone()], sure).then_some(word);
    }
    let next = end + line.len() + 1;
    let below = within(text, next.min(text.len()), 300).split('\n').find(|l| !l.trim().is_empty())?;
    let alone = below.trim();
    let start = below.as_ptr() as usize - text.as_ptr() as usize + (below.len() - below.trim_start().len());
    let single = !alone.contains(char::is_whitespace) && !is_mask(alone) && start < next + 200;
    (sure && single && fits(alone, true)).then(|| start..start + alone.len())
}

/// End of "is" and its like, where it stands close behind a label.
fn said(near: &str) -> Option<usize> {
    let mut at = 0;
    while at <= 30 {
        let rest = &near[at..];
        let start = at + (rest.len() - rest.trim_start_matches(' ').len());
        let len = near[start..].find(' ')?;
        if ["is", "lautet", "ist", "est", "es", "è", "é", "är", "er", "on", "to", "are", "sind", "sont"]
            .iter()
            .any(|w| near[start..start + len].eq_ignore_ascii_case(w))
        {
            return Some(start + len + 1);
        }
        if let Some(n) = near[start..start + len].find('は') {
            return Some(start + n + 'は'.len_utf8());
        }
        at = start + len;
    }
    None
}

/// The word at `begin`, without the marks that close a sentence or a quotation.
fn word_at(text: &str, begin: usize) -> Range<usize> {
    let rest = within(text, begin, 256);
    let len = rest
        .find(|c: char| {
            c.is_whitespace() || matches!(c, '|' | '"' | '“' | '”' | '<' | '`' | '」' | '』' | '»' | '«')
        })
        .unwrap_or(rest.len());
    begin..begin + rest[..len].trim_end_matches(['.', ',', ';', ')', '\'']).len()
}

/// Whether a word is made like a secret: long enough and not a plain word or address.
pub(super) fn looks_secret(word: &str, least: usize) -> bool {
    let digit = word.contains(|c: char| c.is_ascii_digit());
    let symbol =
        word.contains(|c: char| c.is_ascii_punctuation() && !matches!(c, '.' | ',' | '-' | '\'' | '/' | '@'));
    let mixed = word.chars().skip(1).any(char::is_uppercase) && word.contains(char::is_lowercase);
    word.len() >= least && !word.starts_with("//") && (digit || symbol || mixed) && !word.contains("://")
}
