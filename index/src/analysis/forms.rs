//! Turns a piece of text into the terms it is looked up by: lower case, folded
//! diacritics, the stem of the language.
//!
//! A word with diacritics has up to two forms, because stemmers want accents
//! and people leave them out: the stem folded, and the folded word stemmed.

use super::{Kind, MAX_EXACT_BYTES, MAX_WORD_BYTES, Piece, phone};
use crate::document::Language;
use frostem::{Algorithm, Stemmer};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Makes terms for one language, remembering stems it has met.
pub(crate) struct Forms {
    stemmer: Option<Stemmer>,
    memory: Memory,
    lower: String,
}

impl std::fmt::Debug for Forms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Forms").finish_non_exhaustive()
    }
}

impl Forms {
    pub(crate) fn new(language: Language) -> Forms {
        Forms {
            stemmer: algorithm(language).map(Stemmer::new),
            memory: Memory::default(),
            lower: String::new(),
        }
    }

    /// Without memory of earlier stems, for the few words of a query.
    pub(crate) fn direct(language: Language) -> Forms {
        Forms { memory: Memory { off: true, ..Memory::default() }, ..Forms::new(language) }
    }

    /// Forms without any stemmer, for names.
    pub(crate) fn unstemmed() -> Forms {
        Forms { stemmer: None, memory: Memory::default(), lower: String::new() }
    }

    /// Writes the term of a piece into `first`, and a second one into `second` if it has two.
    pub(crate) fn of(&mut self, text: &str, piece: Piece, first: &mut String, second: &mut String) {
        first.clear();
        second.clear();
        let raw = &text[piece.from..piece.to];
        match piece.kind {
            Kind::Word => self.word(raw, first, second),
            Kind::Single | Kind::Pair => first.push_str(raw),
            Kind::Exact => {
                fold_into(cut(raw, MAX_EXACT_BYTES), first);
            }
            Kind::Phone => phone::tail(raw, 9, first),
            Kind::Tail(last) => phone::tail(raw, usize::from(last), first),
        }
    }

    fn word(&mut self, raw: &str, first: &mut String, second: &mut String) {
        let raw = cut(raw, MAX_WORD_BYTES);
        if raw.is_ascii() {
            first.push_str(raw);
            first.make_ascii_lowercase();
            self.stem_in_place(first);
            return;
        }
        self.lower.clear();
        self.lower.extend(raw.nfc().flat_map(char::to_lowercase));
        fold_into(&self.lower, first);
        self.stem_in_place(first);
        if let Some(stemmer) = &self.stemmer {
            fold_into(&stemmer.stem(&self.lower), second);
            if second == first {
                second.clear();
            }
        }
    }

    fn stem_in_place(&mut self, word: &mut String) {
        let Some(stemmer) = &self.stemmer else { return };
        if word.len() < 3 || word.as_bytes()[0].is_ascii_digit() {
            return;
        }
        self.memory.stem(*stemmer, word);
    }
}

/// Lower case without diacritics, as typed text is compared.
pub(crate) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    fold_into(text, &mut out);
    out
}

fn fold_into(text: &str, out: &mut String) {
    if text.is_ascii() {
        let from = out.len();
        out.push_str(text);
        out[from..].make_ascii_lowercase();
        return;
    }
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
        for c in c.to_lowercase() {
            match c {
                'ß' => out.push_str("ss"),
                'æ' => out.push_str("ae"),
                'œ' => out.push_str("oe"),
                'ø' => out.push('o'),
                'đ' | 'ð' => out.push('d'),
                'ł' => out.push('l'),
                'þ' => out.push_str("th"),
                'ı' => out.push('i'),
                c if is_combining_mark(c) => {}
                c => out.push(c),
            }
        }
    }
}

fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// Text of unknown language is mostly short English, and a stemmer of the wrong
/// language does little harm as long as both sides use the same.
fn algorithm(language: Language) -> Option<Algorithm> {
    Some(match language {
        Language::English | Language::Unknown => Algorithm::English,
        Language::German => Algorithm::German,
        Language::French => Algorithm::French,
        Language::Spanish => Algorithm::Spanish,
        Language::Portuguese => Algorithm::Portuguese,
        Language::Italian => Algorithm::Italian,
        Language::Dutch => Algorithm::Dutch,
        Language::Danish => Algorithm::Danish,
        Language::Swedish => Algorithm::Swedish,
        Language::Norwegian => Algorithm::Norwegian,
        Language::Finnish => Algorithm::Finnish,
        Language::Polish => Algorithm::Polish,
        Language::Czech => Algorithm::Czech,
        Language::Hungarian => Algorithm::Hungarian,
        Language::Romanian => Algorithm::Romanian,
        Language::Russian => Algorithm::Russian,
        Language::Greek => Algorithm::Greek,
        Language::Turkish => Algorithm::Turkish,
        Language::Arabic => Algorithm::Arabic,
        Language::Hindi => Algorithm::Hindi,
        Language::Vietnamese | Language::Chinese | Language::Japanese | Language::Korean => {
            return None;
        }
    })
}

const SLOTS: usize = 4096;
const SLOT_BYTES: usize = 24;

/// A small table of stems. Stemming costs more than everything else done to a
/// word, and a few thousand words make up most of any mail.
#[derive(Default)]
struct Memory {
    /// Word and stem, each zero-padded with its length in the last byte; empty until first used.
    slots: Vec<[[u8; SLOT_BYTES]; 2]>,
    off: bool,
}

impl Memory {
    fn stem(&mut self, stemmer: Stemmer, word: &mut String) {
        let Some(key) = padded(word).filter(|_| !self.off) else {
            *word = stemmer.stem(word).into_owned();
            return;
        };
        if self.slots.is_empty() {
            self.slots = vec![[[0; SLOT_BYTES]; 2]; SLOTS];
        }
        let slot = &mut self.slots[slot_of(word.as_bytes())];
        if slot[0] != key {
            let stem = stemmer.stem(word);
            match padded(&stem) {
                Some(value) => *slot = [key, value],
                None => {
                    *word = stem.into_owned();
                    return;
                }
            }
        }
        let length = usize::from(slot[1][SLOT_BYTES - 1]);
        if let Ok(stem) = std::str::from_utf8(&slot[1][..length]) {
            word.clear();
            word.push_str(stem);
        }
    }
}

fn padded(word: &str) -> Option<[u8; SLOT_BYTES]> {
    let mut out = [0; SLOT_BYTES];
    out.get_mut(..word.len()).filter(|slot| slot.len() < SLOT_BYTES)?.copy_from_slice(word.as_bytes());
    out[SLOT_BYTES - 1] = u8::try_from(word.len()).ok()?;
    Some(out)
}

fn slot_of(word: &[u8]) -> usize {
    let hash = word.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash ^ (hash >> 29)) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(language: Language, word: &str) -> Vec<String> {
        let piece = Piece { from: 0, to: word.len(), kind: Kind::Word, position: 0 };
        let (mut first, mut second) = (String::new(), String::new());
        let mut remembering = Forms::new(language);
        for forms in [&mut Forms::direct(language), &mut remembering] {
            forms.of(word, piece, &mut first, &mut second);
        }
        let again = first.clone();
        remembering.of(word, piece, &mut first, &mut second);
        assert_eq!(first, again, "a remembered stem is the stem");
        [first, second].into_iter().filter(|form| !form.is_empty()).collect()
    }

    /// If this fails after an upgrade of the stemmers, existing indexes hold other terms than
    /// queries ask for: raise `VERSION`, so that they are rebuilt.
    #[test]
    fn stems_are_those_of_the_recorded_version() {
        use Language::{Dutch, English, French, German, Italian, Portuguese, Spanish, Swedish};
        for (language, word, expected) in [
            (English, "Invoices", &["invoic"][..]),
            (English, "renewals", &["renew"]),
            (German, "Verträge", &["vertrag"]),
            (German, "Rechnungen", &["rechnung"]),
            (French, "facturations", &["factur"]),
            (Spanish, "facturación", &["factur"]),
            (Portuguese, "renovações", &["renovaco", "renov"]),
            (Italian, "clienti", &["client"]),
            (Dutch, "rekeningen", &["rekeen"]),
            (Swedish, "fakturorna", &["faktur"]),
        ] {
            assert_eq!(forms(language, word), expected, "{word}");
        }
    }

    #[test]
    fn folding_knows_letters_that_do_not_decompose() {
        assert_eq!(fold("Straße Ærø Łódź ÎLE ｶﾞ Ⅳ"), "strasse aero lodz ile カ iv");
    }

    #[test]
    fn numbers_and_codes_have_no_stem() {
        assert_eq!(forms(Language::English, "4s"), ["4s"]);
        assert_eq!(forms(Language::English, "is"), ["is"]);
        let long = "a".repeat(300);
        assert_eq!(forms(Language::Unknown, &long)[0].len(), MAX_WORD_BYTES);
    }
}
