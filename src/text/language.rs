//! Which language a text is in: script first, then a statistical detector for texts long enough.
//!
//! It does not guess on short Latin or Cyrillic text: the caller's hint (thread, contact) decides there.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A language we can name; stemming and stop words are chosen by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
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
    Id,
}

const CODES: [(Language, &str); 30] = {
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
        (Id, "id"),
    ]
};

impl Language {
    /// The ISO 639-1 code.
    #[must_use]
    pub fn code(self) -> &'static str {
        CODES.iter().find(|(l, _)| *l == self).map_or("en", |(_, code)| code)
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

/// Letters a Latin or Cyrillic text needs before the statistical detector is believed.
const ENOUGH_LETTERS: usize = 40;

/// The language of a text, or `None` where it is too short or mixed to tell.
#[must_use]
pub fn detect(text: &str) -> Option<Language> {
    let text = &text[..text.floor_char_boundary(MOST_BYTES)];
    let counts = Scripts::count(text);
    if let Some(language) = counts.by_script() {
        return Some(language);
    }
    if counts.letters < 4 {
        return None;
    }
    let votes = Votes::count(text);
    if counts.letters < ENOUGH_LETTERS {
        return votes.clear();
    }
    let head = &text[..text.floor_char_boundary(MOST_GUESSED)];
    let guess = from_whichlang(whichlang::detect_language(head));
    votes.overrule(guess)
}

/// Bytes of a text that are looked at: more do not change the answer.
const MOST_BYTES: usize = 2000;
/// Bytes the statistical detector is given: the slowest step, and as sure as with more.
const MOST_GUESSED: usize = 800;

/// The commonest small words of each language in Latin or Cyrillic script: they settle short texts, and languages the
/// statistical detector does not know.
const SMALL_WORDS: [(Language, &str); 21] = [
    (
        Language::En,
        "the|and|of|to|is|that|for|you|are|with|this|have|we|be|it|on|not|will|our|your|please|thanks|was|from|would|can|i|they|do|what",
    ),
    (
        Language::De,
        "der|die|das|und|ist|nicht|wir|sie|ich|mit|für|auf|ein|eine|den|dem|zu|von|bitte|danke|auch|es|haben|ihre|ihr|noch|bei|werden|uns|wie",
    ),
    (
        Language::Fr,
        "le|la|les|et|est|des|une|un|pour|nous|vous|que|dans|pas|sur|avec|merci|je|ce|au|du|votre|notre|à|être|sont|ne|qui|plus",
    ),
    (
        Language::Es,
        "el|la|los|las|y|que|de|en|un|una|es|por|para|con|no|su|se|lo|gracias|del|está|nos|más|como|pero|le|muy|ha|este|usted",
    ),
    (
        Language::Pt,
        "o|a|os|as|e|que|de|em|um|uma|é|por|para|com|não|do|da|no|na|obrigado|obrigada|se|mais|está|você|nos|ao|dos|como|pela",
    ),
    (
        Language::It,
        "il|la|le|i|e|che|di|in|un|una|è|per|con|non|si|del|della|grazie|sono|gli|nel|al|più|ci|anche|questo|come|dei|vi|lo",
    ),
    (
        Language::Nl,
        "de|het|een|en|is|van|dat|niet|wij|we|ik|met|voor|op|te|zijn|aan|bedankt|ook|u|naar|om|maar|bij|nog|jullie|kunnen|deze|hebben|graag",
    ),
    (
        Language::Sv,
        "och|att|det|är|en|ett|som|inte|vi|på|för|av|med|till|den|jag|har|tack|om|ni|kan|från|du|skulle|hej|också|eller|vara|när|var",
    ),
    (
        Language::Da,
        "og|at|det|er|en|et|som|ikke|vi|på|for|af|med|til|den|jeg|har|tak|kan|fra|hej|også|eller|være|mig|blev|meget|hvad|hvornår|noget|nogen|efter|uge|endnu|næste|jer|skal",
    ),
    (
        Language::No,
        "og|at|det|er|en|et|som|ikke|vi|på|for|av|med|til|den|jeg|har|takk|kan|fra|hei|også|eller|være|meg|ble|mye|hva|når|noe|noen|etter|uke|fortsatt|neste|dere|skal",
    ),
    (
        Language::Fi,
        "ja|on|ei|että|se|hän|me|ovat|oli|kiitos|voi|olla|mutta|kun|niin|myös|tämä|tai|jos|kuin|teidän|hei|olemme|olen|meidän|vielä|saada|milloin|teillä|ensi|viikolla|huomenna|toisesta|mitä|miten",
    ),
    (
        Language::Pl,
        "i|w|z|na|nie|się|że|do|jest|to|o|jak|ale|za|po|dziękuję|są|czy|dla|od|proszę|przez|my|oraz|może|był|tego|mamy|państwa|dzień",
    ),
    (
        Language::Cs,
        "a|v|z|na|ne|se|že|do|je|to|o|jak|ale|za|po|děkuji|jsou|pro|od|prosím|jsme|být|bude|který|také|nebo|máme|dobrý|kdy|může|něco|ještě|příští|zítra|jsem",
    ),
    (
        Language::Sk,
        "a|v|z|na|nie|sa|že|do|je|to|o|ako|ale|za|po|ďakujem|sú|pre|od|prosím|sme|byť|bude|ktorý|aj|alebo|máme|dobrý|som|kedy|môže|niečo|ešte|budúci|zajtra",
    ),
    (
        Language::Hu,
        "a|az|és|hogy|nem|is|egy|ez|van|meg|de|köszönöm|kérem|mint|vagy|már|csak|ha|azt|kell|volt|lesz|jó|nekünk|ön|önök|még|szeretnénk|mikor|valami|holnap|jövő|héten",
    ),
    (
        Language::Ro,
        "și|în|de|la|nu|să|este|cu|o|un|pe|pentru|mulțumesc|sunt|că|din|ce|mai|care|am|vă|noi|avem|dar|sau|fi|bună|ne|ați|rog|când|poate|ceva|al|doilea|și|putem",
    ),
    (
        Language::Tr,
        "ve|bir|bu|için|ile|da|de|değil|var|çok|teşekkürler|lütfen|olarak|daha|ne|biz|siz|gibi|ama|kadar|sonra|olan|mi|mı|merhaba|size|bize|olur|ederim|en",
    ),
    (
        Language::Vi,
        "và|là|của|có|không|cho|được|trong|với|một|chúng|tôi|bạn|xin|cảm|ơn|này|các|những|đã|để|khi|về|người|rất|anh|chị|gửi|từ|sẽ",
    ),
    (
        Language::Ru,
        "и|в|не|на|что|мы|вы|с|это|для|по|как|я|он|но|из|к|за|у|спасибо|пожалуйста|от|или|был|вам|нам|до|если|же|о",
    ),
    (
        Language::Uk,
        "і|в|не|на|що|ми|ви|з|це|для|по|як|я|він|але|із|до|за|у|дякую|будь|ласка|від|або|був|вам|нам|якщо|та|про",
    ),
    (
        Language::Id,
        "yang|dan|di|ke|dari|untuk|dengan|ini|itu|tidak|kami|anda|akan|pada|adalah|terima|kasih|bisa|juga|sudah|saya|atau|ada|mohon|dapat|apakah|telah|kita|bapak|ibu",
    ),
];

static SMALL: LazyLock<HashMap<&'static str, u32, Fast>> = LazyLock::new(|| {
    let mut out: HashMap<&'static str, u32, Fast> = HashMap::default();
    for (n, (_, words)) in SMALL_WORDS.iter().enumerate() {
        for word in words.split('|') {
            *out.entry(word).or_default() |= 1 << n;
        }
    }
    out
});

/// Hashes of words looked up in a fixed list, which nobody can flood.
type Fast = std::hash::BuildHasherDefault<WordHasher>;

#[derive(Debug, Default, Clone, Copy)]
struct WordHasher(u64);

impl std::hash::Hasher for WordHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// Endings of the languages whose small words are rarest: they carry their grammar at the end of words.
const ENDINGS: &[(Language, &[&str])] = &[
    (
        Language::Fi,
        &["ssä", "stä", "llä", "mme", "ään", "iin", "uun", "ksi", "istä", "tiin", "tään", "staan", "ssaan"],
    ),
    (
        Language::Hu,
        &[
            "ban", "ben", "nak", "nek", "hoz", "hez", "unk", "ünk", "ság", "ség", "jük", "juk", "ást", "ést",
            "ból", "ből", "ról", "ről",
        ],
    ),
    (Language::Ro, &["ului", "ilor", "ează", "ești", "ește", "ăm", "ția", "ții"]),
];

/// How many small words of each language a text holds.
#[derive(Debug, Default)]
struct Votes {
    hits: [u32; SMALL_WORDS.len()],
    words: u32,
}

impl Votes {
    fn count(text: &str) -> Self {
        let mut votes = Self::default();
        let mut lower = String::new();
        for word in text.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty()).take(160) {
            votes.words += 1;
            if word.len() > 12 {
                continue;
            }
            lower.clear();
            lower.extend(word.chars().flat_map(char::to_lowercase));
            let mut bits = SMALL.get(lower.as_str()).copied().unwrap_or(0);
            while bits != 0 {
                votes.hits[bits.trailing_zeros() as usize] += 1;
                bits &= bits - 1;
            }
        }
        votes.letters(text);
        votes
    }

    /// Letters and endings that only a few languages use.
    fn letters(&mut self, text: &str) {
        use Language::{Cs, Da, De, Es, Fi, Hu, No, Pl, Pt, Ro, Sk, Sv, Tr, Vi};
        for c in text.chars().filter(|c| !c.is_ascii()).take(400) {
            let languages: &[Language] = match c {
                'ą' | 'ę' | 'ł' | 'ś' | 'ź' | 'ż' | 'ć' | 'ń' | 'Ł' | 'Ż' | 'Ś' => &[Pl, Pl],
                'ě' | 'ř' | 'ů' | 'Ř' => &[Cs, Cs, Cs],
                'ľ' | 'ĺ' | 'ŕ' | 'ô' | 'Ľ' => &[Sk, Sk, Sk],
                'č' | 'š' | 'ž' | 'ť' | 'ď' | 'ň' | 'ý' | 'Č' | 'Š' | 'Ž' => &[Cs, Sk],
                'ő' | 'ű' | 'Ő' | 'Ű' => &[Hu, Hu, Hu],
                'ă' | 'ț' | 'ș' | 'Ț' | 'Ș' => &[Ro, Ro, Ro, Vi],
                'ğ' | 'ı' | 'ş' | 'İ' => &[Tr, Tr],
                'ø' | 'æ' | 'Ø' | 'Æ' => &[Da, Da, No, No],
                'å' | 'Å' => &[Sv, Da, No],
                'ä' | 'ö' => &[Sv, Fi, De],
                'ß' => &[De, De],
                'ñ' | '¿' | '¡' => &[Es, Es],
                'ã' | 'õ' => &[Pt, Pt],
                '\u{1ea0}'..='\u{1ef9}' | 'đ' | 'ơ' | 'ư' => &[Vi, Vi],
                _ => continue,
            };
            languages.iter().for_each(|l| self.add(*l));
        }
        if text.is_ascii() {
            return;
        }
        for word in text.split(|c: char| !c.is_alphabetic()).filter(|w| w.len() >= 5).take(160) {
            for (language, endings) in ENDINGS {
                if endings.iter().any(|e| word.ends_with(e)) {
                    self.add(*language);
                }
            }
        }
    }

    fn add(&mut self, language: Language) {
        if let Some(n) = SMALL_WORDS.iter().position(|(l, _)| *l == language) {
            self.hits[n] += 1;
        }
    }

    fn best(&self) -> (usize, u32, u32) {
        let mut order: Vec<usize> = (0..self.hits.len()).collect();
        order.sort_by_key(|n| std::cmp::Reverse(self.hits[*n]));
        (order[0], self.hits[order[0]], self.hits[order[1]])
    }

    /// The language of a short text, where its small words leave no doubt.
    fn clear(&self) -> Option<Language> {
        let (best, hits, second) = self.best();
        (hits >= 2 && hits >= second + 2 && hits * 5 >= self.words).then(|| SMALL_WORDS[best].0)
    }

    /// The detector's guess, unless the small words speak for another language.
    fn overrule(&self, guess: Option<Language>) -> Option<Language> {
        let (best, hits, _) = self.best();
        let own = SMALL_WORDS.iter().position(|(l, _)| Some(*l) == guess).map_or(0, |n| self.hits[n]);
        let voted = SMALL_WORDS[best].0;
        let margin = if known_to_detector(voted) { own * 2 + 3 } else { own + 2 };
        if hits >= margin && hits * 6 >= self.words { Some(voted) } else { guess }
    }
}

fn known_to_detector(language: Language) -> bool {
    use Language::{Ar, De, En, Es, Fr, Hi, It, Ja, Ko, Nl, Pt, Ru, Sv, Tr, Vi, Zh};
    matches!(language, Ar | De | En | Es | Fr | Hi | It | Ja | Ko | Nl | Pt | Ru | Sv | Tr | Vi | Zh)
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
        if text.is_ascii() {
            s.letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
            return s;
        }
        for c in text.chars() {
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
            return Some(if self.kana * 12 > cjk { Language::Ja } else { Language::Zh });
        }
        if main(self.arabic + self.persian) {
            return Some(if self.persian * 12 > self.arabic { Language::Fa } else { Language::Ar });
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
