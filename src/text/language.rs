//! Which language a text is in: script first, then a statistical detector for texts long enough.
//!
//! It does not guess on short Latin or Cyrillic text: the caller's hint (thread, contact) decides there.

/// A language we can name; stemming and stop words are chosen by it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the variants are ISO 639-1 codes")]
pub enum Language {
    En,
    De,
    Fr,
    Es,
    Pt,
    It,
    Nl,
    Sv,
    Da,
    No,
    Fi,
    Pl,
    Cs,
    Sk,
    Hu,
    Ro,
    Ru,
    Uk,
    El,
    Tr,
    Ar,
    He,
    Fa,
    Hi,
    Vi,
    Ja,
    Ko,
    Zh,
    Th,
}

const CODES: [(Language, &str); 29] = {
    use Language::*;
    [
        (En, "en"),
        (De, "de"),
        (Fr, "fr"),
        (Es, "es"),
        (Pt, "pt"),
        (It, "it"),
        (Nl, "nl"),
        (Sv, "sv"),
        (Da, "da"),
        (No, "no"),
        (Fi, "fi"),
        (Pl, "pl"),
        (Cs, "cs"),
        (Sk, "sk"),
        (Hu, "hu"),
        (Ro, "ro"),
        (Ru, "ru"),
        (Uk, "uk"),
        (El, "el"),
        (Tr, "tr"),
        (Ar, "ar"),
        (He, "he"),
        (Fa, "fa"),
        (Hi, "hi"),
        (Vi, "vi"),
        (Ja, "ja"),
        (Ko, "ko"),
        (Zh, "zh"),
        (Th, "th"),
    ]
};

impl Language {
    /// The ISO 639-1 code.
    #[must_use]
    pub fn code(self) -> &'static str {
        CODES
            .iter()
            .find(|(l, _)| *l == self)
            .map_or("en", |(_, code)| code)
    }

    /// The language of a code such as `de`, `de-AT` or `pt_BR`.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        let short = code.split(['-', '_']).next()?.trim().to_ascii_lowercase();
        let short = match short.as_str() {
            "nb" | "nn" => "no",
            "iw" => "he",
            other => other,
        };
        CODES.iter().find(|(_, c)| *c == short).map(|(l, _)| *l)
    }
}

/// Letters a Latin or Cyrillic text needs before the detector is believed.
const ENOUGH_LETTERS: usize = 40;

/// The language of a text, or `None` where it is too short or mixed to tell.
#[must_use]
pub fn detect(text: &str) -> Option<Language> {
    let counts = Scripts::count(text);
    if let Some(language) = counts.by_script() {
        return Some(language);
    }
    if counts.letters < ENOUGH_LETTERS {
        return None;
    }
    from_whichlang(whichlang::detect_language(text))
}

/// The language of a text, with the caller's hint for texts too short to tell.
#[must_use]
pub fn detect_or(text: &str, hint: Option<Language>) -> Option<Language> {
    detect(text).or(hint)
}

/// The language with the largest weight.
#[must_use]
pub fn most_common(weighted: impl Iterator<Item = (Option<Language>, usize)>) -> Option<Language> {
    let mut sums: Vec<(Language, usize)> = Vec::new();
    for (language, weight) in weighted {
        let Some(language) = language else { continue };
        match sums.iter_mut().find(|(l, _)| *l == language) {
            Some((_, sum)) => *sum += weight,
            None => sums.push((language, weight)),
        }
    }
    sums.into_iter().max_by_key(|(_, sum)| *sum).map(|(l, _)| l)
}

/// How many letters of each script a text holds.
#[derive(Debug, Default)]
struct Scripts {
    letters: usize,
    kana: usize,
    han: usize,
    hangul: usize,
    arabic: usize,
    persian: usize,
    hebrew: usize,
    greek: usize,
    thai: usize,
    devanagari: usize,
    ukrainian: usize,
}

impl Scripts {
    fn count(text: &str) -> Self {
        let mut s = Self::default();
        for c in text.chars().take(4000) {
            if c.is_ascii() {
                s.letters += usize::from(c.is_ascii_alphabetic());
                continue;
            }
            if !c.is_alphabetic() {
                continue;
            }
            s.letters += 1;
            match c {
                '\u{3040}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9d}' => s.kana += 1,
                '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' => s.han += 1,
                '\u{ac00}'..='\u{d7af}' | '\u{1100}'..='\u{11ff}' => s.hangul += 1,
                'پ' | 'چ' | 'ژ' | 'گ' | 'ک' | 'ی' => s.persian += 1,
                '\u{600}'..='\u{6ff}' => s.arabic += 1,
                '\u{590}'..='\u{5ff}' => s.hebrew += 1,
                '\u{370}'..='\u{3ff}' => s.greek += 1,
                '\u{e00}'..='\u{e7f}' => s.thai += 1,
                '\u{900}'..='\u{97f}' => s.devanagari += 1,
                'і' | 'ї' | 'є' | 'ґ' | 'І' | 'Ї' | 'Є' | 'Ґ' => s.ukrainian += 1,
                _ => {}
            }
        }
        s
    }

    /// A script that names its language, when it is the text's main script.
    fn by_script(&self) -> Option<Language> {
        let cjk = self.kana + self.han;
        let main = |n: usize| n >= 2 && n * 3 > self.letters;
        if main(self.hangul) {
            return Some(Language::Ko);
        }
        if main(cjk) || cjk >= 8 && cjk * 5 > self.letters {
            return Some(if self.kana * 12 > cjk {
                Language::Ja
            } else {
                Language::Zh
            });
        }
        if main(self.arabic + self.persian) {
            return Some(if self.persian * 12 > self.arabic {
                Language::Fa
            } else {
                Language::Ar
            });
        }
        let single = [
            (self.hebrew, Language::He),
            (self.greek, Language::El),
            (self.thai, Language::Th),
            (self.devanagari, Language::Hi),
        ];
        if let Some((_, language)) = single.into_iter().find(|(n, _)| main(*n)) {
            return Some(language);
        }
        (self.ukrainian >= 2 && self.ukrainian * 40 > self.letters).then_some(Language::Uk)
    }
}

/// The detector's answer in our terms.
fn from_whichlang(lang: whichlang::Lang) -> Option<Language> {
    use whichlang::Lang;
    Some(match lang {
        Lang::Ara => Language::Ar,
        Lang::Cmn => Language::Zh,
        Lang::Deu => Language::De,
        Lang::Eng => Language::En,
        Lang::Fra => Language::Fr,
        Lang::Hin => Language::Hi,
        Lang::Ita => Language::It,
        Lang::Jpn => Language::Ja,
        Lang::Kor => Language::Ko,
        Lang::Nld => Language::Nl,
        Lang::Por => Language::Pt,
        Lang::Rus => Language::Ru,
        Lang::Spa => Language::Es,
        Lang::Swe => Language::Sv,
        Lang::Tur => Language::Tr,
        Lang::Vie => Language::Vi,
    })
}

#[cfg(test)]
mod tests {
    use super::{Language, detect};

    #[test]
    fn codes_go_there_and_back() {
        assert_eq!(Language::from_code("pt_BR"), Some(Language::Pt));
        assert_eq!(Language::from_code("xx"), None);
        assert_eq!(Language::Zh.code(), "zh");
    }

    #[test]
    fn script_decides_short_text_and_short_latin_stays_open() {
        assert_eq!(detect("ありがとうございます"), Some(Language::Ja));
        assert_eq!(detect("谢谢你的邮件"), Some(Language::Zh));
        assert_eq!(detect("ok danke"), None);
        assert_eq!(
            detect("Wir melden uns nächste Woche wegen des neuen Vertrags bei Ihnen."),
            Some(Language::De)
        );
    }
}
