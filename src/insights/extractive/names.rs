//! Names of people, firms and products: runs of capitalised words, checked against the people of the engagement.
//!
//! A heuristic without a model: where every noun is capitalised (German) only mixed case, titles and known people
//! count; Japanese names are recognised by what follows them.

use std::ops::Range;

use super::entities::Entity;
use super::fold::Folded;
use super::lexicon::{Hit, known};

/// Bytes the longest cue may take, its gap included.
const LONGEST_CUE: usize = 256;

/// Who is known around the engagement, folded.
#[derive(Debug, Default)]
pub(crate) struct People {
    /// Words of the names of contacts and owners.
    words: Vec<String>,
    /// Words of the customers' company names, which are nobody.
    companies: Vec<String>,
}

impl People {
    /// From full names and company names.
    pub(crate) fn new<'a>(
        names: impl Iterator<Item = &'a str>,
        companies: impl Iterator<Item = &'a str>,
    ) -> Self {
        let words = |texts: &mut dyn Iterator<Item = &'a str>| {
            let mut out = Vec::new();
            for text in texts {
                out.extend(
                    Folded::phrase(text)
                        .split([' ', '.', '\u{3000}'])
                        .filter(|w| w.chars().count() >= 2)
                        .map(str::to_owned),
                );
            }
            out
        };
        let (mut names, mut companies) = (names, companies);
        Self { words: words(&mut names), companies: words(&mut companies) }
    }

    pub(crate) fn knows(&self, word: &str) -> bool {
        self.words.iter().any(|w| w == word)
    }
}

/// Names in one sentence.
pub(crate) struct Sentence<'a> {
    pub original: &'a str,
    pub range: Range<usize>,
    pub folded: &'a Folded,
    pub hits: &'a [Hit],
    pub people: &'a People,
    pub german: bool,
}

/// A capitalised word: its bytes in the original.
type Word = Range<usize>;

impl Sentence<'_> {
    /// The names, left to right.
    pub(crate) fn find(&self) -> Vec<Entity> {
        let mut out = self.japanese();
        let mut run: Vec<Word> = Vec::new();
        let mut last_end = self.range.start;
        for word in self.words() {
            let text = &self.original[word.clone()];
            let gap = &self.original[last_end..word.start];
            let joined = matches!(gap, " " | " & " | "-") || gap == ". ";
            let capital = text.starts_with(char::is_uppercase) && !self.is_common(&word);
            if !(capital && joined && !run.is_empty()) {
                out.extend(self.finish(&mut run));
            }
            if capital {
                run.push(word.clone());
            }
            last_end = word.end;
        }
        out.extend(self.finish(&mut run));
        out
    }

    fn words(&self) -> impl Iterator<Item = Word> {
        let part = &self.original[self.range.clone()];
        let mut at = 0;
        std::iter::from_fn(move || {
            let from = at + part[at..].find(|c: char| c.is_alphanumeric())?;
            let len = part[from..]
                .find(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '’'))
                .unwrap_or(part.len() - from);
            at = from + len;
            Some(self.range.start + from..self.range.start + from + len)
        })
    }

    fn folded_range(&self, word: &Word) -> Range<usize> {
        self.folded.folded(word.clone())
    }

    /// Function words, months, weekdays, roles and titles are no names.
    fn is_common(&self, word: &Word) -> bool {
        let place = self.folded_range(word);
        let text = &self.folded.text[place.clone()];
        if self.people.knows(text) {
            return false;
        }
        if self.people.companies.iter().any(|w| w == text)
            || text.split('\'').nth(1).is_some_and(|t| matches!(t, "ll" | "m" | "d" | "ve" | "re"))
        {
            return true;
        }
        let from = self.hits.partition_point(|h| h.start < place.start);
        let exact =
            self.hits[from..].iter().take_while(|h| h.start == place.start).filter(|h| h.end == place.end);
        exact.into_iter().any(|h| {
            let c = h.class;
            c == const { known("fn") }
                || c == const { known("role") }
                || c == const { known("title") }
                || c == const { known("family") }
                || (const { known("m1") }..=const { known("w7") }).contains(&c)
                || c == const { known("unit") }
        })
    }

    /// The cues that may touch a name: a long text has thousands, and a name looks at its own neighbours only.
    fn near(&self, place: &Range<usize>) -> &[Hit] {
        let from = self.hits.partition_point(|h| h.start + LONGEST_CUE < place.start);
        let to = self.hits.partition_point(|h| h.start <= place.end);
        &self.hits[from.min(to)..to]
    }

    /// Makes an entity of a run of words, if it is a name.
    fn finish(&self, run: &mut Vec<Word>) -> Option<Entity> {
        let words = std::mem::take(run);
        let (first, last) = (words.first()?, words.last()?);
        let place = self.folded.folded(first.start..last.end);
        let value = self.original[first.start..last.end].to_owned();
        let known_person = words.iter().any(|w| self.people.knows(&self.folded.text[self.folded_range(w)]));
        let near = self.near(&place);
        let introduced = near.iter().any(|h| {
            (h.class == const { known("title") }
                || h.class == const { known("role") }
                || h.class == const { known("family") })
                && h.end <= place.start
                && place.start - h.end <= 4
                && self.folded.text[h.end..place.start].chars().all(|c| matches!(c, ' ' | '.' | ','))
        });
        let given = near.iter().any(|h| {
            h.class == const { known("given") }
                && h.start == place.start
                && h.end == self.folded_range(first).end
        });
        let mixed = words.iter().any(|w| is_mixed(&self.original[w.clone()]));
        let product = near
            .iter()
            .any(|h| h.class == const { known("product") } && h.start >= place.start && h.end <= place.end);
        let covered = near.iter().any(|h| {
            h.start <= place.start
                && place.end <= h.end
                && h.class != const { known("product") }
                && h.class != const { known("given") }
        });
        let long = value.chars().count() >= 3;
        let plausible = if self.german {
            mixed || !covered && words.len() <= 2 && self.bare(&place)
        } else {
            long && !covered
        };
        let class = if known_person || introduced || given {
            const { known("@PERSON") }
        } else if product || plausible {
            const { known("@NAME") }
        } else {
            return None;
        };
        Some(Entity { start: place.start, end: place.end, class, value })
    }

    /// A German noun without an article behind "mit", "über" or "bei" that is not formed like a word of the language.
    fn bare(&self, place: &Range<usize>) -> bool {
        const ENDS: [&str; 22] = [
            "ung", "ungen", "heit", "keit", "schaft", "tion", "tionen", "ment", "tat", "nis", "ling", "chen",
            "en", "ern", "eln", "ein", "zeit", "geld", "karte", "rift", "ck", "tte",
        ];
        let word = &self.folded.text[place.clone()];
        let before = self.folded.text[..place.start].trim_end();
        let free = [
            "mit",
            "uber",
            "bei",
            "von",
            "zu",
            "gegen",
            "auf",
            "in",
            "nutzen",
            "nutzt",
            "verwenden",
            "hatten",
            "hatten wir",
        ];
        let led = free
            .iter()
            .any(|w| before.strip_suffix(w).is_some_and(|head| !head.ends_with(super::fold::is_word)));
        led && word.chars().count() >= 4 && !ENDS.iter().any(|end| word.ends_with(end))
    }

    /// Kanji before an honorific is a person, a long run of katakana a name.
    fn japanese(&self) -> Vec<Entity> {
        let part = &self.original[self.range.clone()];
        let mut out = Vec::new();
        if part.is_ascii() {
            return out;
        }
        for honorific in ["様", "さん", "さま", "氏", "部長", "社長", "課長", "店長", "係長"]
        {
            for (at, _) in part.match_indices(honorific) {
                let head = &part[..at];
                let from = head
                    .rfind(|c: char| !is_name_letter(c))
                    .map_or(0, |n| n + head[n..].chars().next().map_or(1, char::len_utf8));
                let value = head[from..].trim_start_matches(['長', '事', '当', '役']);
                if (1..=6).contains(&value.chars().count()) {
                    out.push(self.at(self.range.start + at - value.len(), value, "@PERSON"));
                }
            }
        }
        for hit in self.hits.iter().filter(|h| h.class == const { known("given") }) {
            let range = self.folded.original(hit.start..hit.end);
            let taken = |e: &Entity| e.start < hit.end && hit.start < e.end;
            if self.range.start <= range.start && range.end <= self.range.end && !out.iter().any(taken) {
                let (class, value) = (const { known("@PERSON") }, self.original[range].to_owned());
                out.push(Entity { start: hit.start, end: hit.end, class, value });
            }
        }
        let katakana = |c: char| matches!(c, 'ァ'..='ヴ' | 'ー');
        let mut start = None;
        for (at, c) in part.char_indices().chain([(part.len(), ' ')]) {
            match (katakana(c), start) {
                (true, None) => start = Some(at),
                (false, Some(from)) => {
                    let value = &part[from..at];
                    let entity = self.at(self.range.start + from, value, "@NAME");
                    let covered = self.hits.iter().any(|h| h.start <= entity.start && entity.end <= h.end);
                    if value.chars().count() >= 3 && !covered {
                        out.push(entity);
                    }
                    start = None;
                }
                _ => {}
            }
        }
        out
    }

    fn at(&self, start: usize, value: &str, class: &str) -> Entity {
        let place = self.folded.folded(start..start + value.len());
        Entity { start: place.start, end: place.end, class: known(class), value: value.to_owned() }
    }
}

fn is_name_letter(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | 'ァ'..='ヴ' | 'ー' | '々')
}

/// Capitals inside the word: `MediFox`, `DATEV`.
fn is_mixed(word: &str) -> bool {
    let mut inner = word.chars().skip(1);
    word.len() >= 3 && inner.any(char::is_uppercase)
}
