//! Recognises the lines clients put over a quoted message: "On D X wrote:", header blocks, delimiters.
//!
//! Word lists here are facts about mail clients in some thirty languages. It looks at lines only, never at HTML.

/// Words that say "wrote" in an attribution line, lower case.
const WROTE: &[&str] = &[
    "wrote",
    "writes",
    "schrieb",
    "schreibt",
    "a écrit",
    "écrit",
    "ecrit",
    "écrivait",
    "escribió",
    "escribio",
    "escribe",
    "ha scritto",
    "scrisse",
    "scritto",
    "escreveu",
    "escreve",
    "schreef",
    "heeft geschreven",
    "geschreven",
    "skrev",
    "skrev følgende",
    "kirjoitti",
    "napisał",
    "napisał(a)",
    "napisała",
    "pisze",
    "napsal",
    "napsal(a)",
    "napísal",
    "napísal(a)",
    "írta",
    "ezt írta",
    "a scris",
    "написал",
    "написала",
    "пишет",
    "написав",
    "написала(а)",
    "пише",
    "έγραψε",
    "yazdı",
    "şunu yazdı",
    "كتب",
    "đã viết",
    "viết",
    "のメール",
    "書きました",
    "wrote",
    "님이 작성",
    "작성",
    "写道",
    "寫道",
    "написа",
    "je napisao",
    "je napisala",
    "je napisal",
    "napisao je",
    "rašė",
    "rakstīja",
    "kirjutas",
    "va escriure",
    "כתב",
    "menulis",
    "เขียน",
    "नेे लिखा",
    "लिखा",
    "идазв",
    "skrifaði",
    "shkroi",
];

/// Words a header block's labels use, lower case, without the colon: `(from, when, to, subject)` in that order.
const FROM: &[&str] = &[
    "from",
    "von",
    "de",
    "da",
    "van",
    "från",
    "fra",
    "lähettäjä",
    "od",
    "feladó",
    "de la",
    "expéditeur",
    "от",
    "від",
    "από",
    "kimden",
    "gönderen",
    "من",
    "từ",
    "差出人",
    "送信者",
    "보낸 사람",
    "发件人",
    "寄件者",
    "寄件人",
    "מאת",
    "remitente",
    "mittente",
    "afzender",
    "avsändare",
    "afsender",
    "expeditor",
    "отправитель",
    "dari",
    "จาก",
    "от кого",
];
const WHEN: &[&str] = &[
    "sent",
    "date",
    "gesendet",
    "datum",
    "envoyé",
    "envoyé le",
    "date d'envoi",
    "enviado",
    "enviado el",
    "enviada em",
    "enviado em",
    "fecha",
    "data",
    "inviato",
    "verzonden",
    "skickat",
    "sendt",
    "dato",
    "lähetetty",
    "päivämäärä",
    "päiväys",
    "wysłano",
    "odesláno",
    "odoslané",
    "dátum",
    "elküldve",
    "trimis",
    "отправлено",
    "дата",
    "надіслано",
    "στάλθηκε",
    "ημερομηνία",
    "gönderildi",
    "gönderme tarihi",
    "tarih",
    "تاريخ",
    "التاريخ",
    "تم الإرسال",
    "đã gửi",
    "ngày",
    "送信日時",
    "日付",
    "보낸 날짜",
    "날짜",
    "发送时间",
    "日期",
    "傳送日期",
    "寄件日期",
    "נשלח",
    "תאריך",
    "изпратено",
    "poslano",
    "gesendet am",
    "sendt den",
    "küldve",
    "enviada",
    "отправлено в",
];
const TO: &[&str] = &[
    "to",
    "an",
    "à",
    "para",
    "a",
    "aan",
    "till",
    "til",
    "vastaanottaja",
    "do",
    "komu",
    "címzett",
    "către",
    "catre",
    "кому",
    "до",
    "προς",
    "kime",
    "alıcı",
    "إلى",
    "đến",
    "tới",
    "宛先",
    "받는 사람",
    "收件人",
    "אל",
    "destinataire",
    "za",
    "kam",
    "ke",
    "cc",
    "kopie",
    "copie",
    "kopia",
    "kopi",
    "копия",
    "抄送",
    "참조",
    "bcc",
    "reply-to",
    "antwort an",
];
const SUBJECT: &[&str] = &[
    "subject",
    "betreff",
    "objet",
    "asunto",
    "assunto",
    "oggetto",
    "onderwerp",
    "ämne",
    "emne",
    "aihe",
    "temat",
    "předmět",
    "predmet",
    "tárgy",
    "subiect",
    "тема",
    "θέμα",
    "konu",
    "الموضوع",
    "موضوع",
    "chủ đề",
    "tiêu đề",
    "件名",
    "제목",
    "主题",
    "主旨",
    "主題",
    "נושא",
    "relates to",
    "naslov",
    "assumpte",
    "perihal",
    "re",
    "относно",
];

/// Words of "original message" delimiters, lower case.
const ORIGINAL: &[&str] = &[
    "original message",
    "original appointment",
    "ursprüngliche nachricht",
    "originalnachricht",
    "message d'origine",
    "message original",
    "mensaje original",
    "mensagem original",
    "messaggio originale",
    "oorspronkelijk bericht",
    "originalmeddelande",
    "ursprungligt meddelande",
    "oprindelig meddelelse",
    "opprinnelig melding",
    "original besked",
    "alkuperäinen viesti",
    "wiadomość oryginalna",
    "oryginalna wiadomość",
    "původní zpráva",
    "původní e-mail",
    "pôvodná správa",
    "eredeti üzenet",
    "mesaj original",
    "mesajul original",
    "исходное сообщение",
    "оригинальное сообщение",
    "оригінальне повідомлення",
    "αρχικό μήνυμα",
    "özgün ileti",
    "orijinal mesaj",
    "الرسالة الأصلية",
    "tin nhắn gốc",
    "thư gốc",
    "元のメッセージ",
    "원본 메시지",
    "原始邮件",
    "原始郵件",
    "原始信件",
    "ההודעה המקורית",
    "izvorna poruka",
    "izvirno sporočilo",
    "reply message",
    "antwort nachricht",
    "original mail",
    "ursprungsmeldung",
    "urspr. nachricht",
];

/// Words of "forwarded message" delimiters, lower case.
const FORWARDED: &[&str] = &[
    "forwarded message",
    "begin forwarded message",
    "forwarded by",
    "weitergeleitete nachricht",
    "weitergeleitete mail",
    "anfang der weitergeleiteten",
    "message transféré",
    "début du message",
    "message réexpédié",
    "mensaje reenviado",
    "inicio del mensaje reenviado",
    "mensagem encaminhada",
    "mensagem reencaminhada",
    "início da mensagem",
    "messaggio inoltrato",
    "inizio messaggio inoltrato",
    "doorgestuurd bericht",
    "begin doorgestuurd bericht",
    "vidarebefordrat meddelande",
    "vidarebefordrat brev",
    "videresendt meddelelse",
    "videresendt besked",
    "videresendt melding",
    "edelleen lähetetty viesti",
    "välitetty viesti",
    "wiadomość przekazana",
    "przekazana wiadomość",
    "přeposlaná zpráva",
    "preposlaná správa",
    "továbbított üzenet",
    "mesaj redirecționat",
    "mesaj redirectionat",
    "пересылаемое сообщение",
    "переадресованное сообщение",
    "начало переадресованного",
    "переслане повідомлення",
    "προωθημένο μήνυμα",
    "iletilen ileti",
    "iletilmiş mesaj",
    "الرسالة المعاد توجيهها",
    "رسالة محوّلة",
    "thư đã chuyển tiếp",
    "tin nhắn chuyển tiếp",
    "転送メッセージ",
    "転送されたメッセージ",
    "전달된 메시지",
    "전달된 메일",
    "转发邮件",
    "转发的邮件",
    "轉寄郵件",
    "הודעה שהועברה",
    "proslijeđena poruka",
];

/// What a header line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// The header a line is, if it is `Label: value`.
pub(super) fn header(line: &str) -> Option<Header> {
    let line = line.trim_start_matches(['*', ' ', '>', '\t', '|']);
    let at = line.find([':', '：'])?;
    if at > 40 {
        return None;
    }
    let label = line[..at]
        .trim_matches(['*', ' ', '\u{a0}', '\t', '|'])
        .to_lowercase();
    let is = |words: &[&str]| words.contains(&label.as_str());
    if is(FROM) {
        Some(Header::From)
    } else if is(WHEN) {
        Some(Header::When)
    } else if is(SUBJECT) {
        Some(Header::Subject)
    } else if is(TO) {
        Some(Header::To)
    } else {
        None
    }
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
    let trimmed = line.trim();
    if trimmed.is_empty() || trimmed.len() > 160 {
        return None;
    }
    let dashed = trimmed.starts_with("--")
        || trimmed.starts_with("__")
        || trimmed.starts_with("==")
        || trimmed.starts_with("**");
    let core = trimmed
        .trim_matches(|c: char| {
            matches!(c, '-' | '_' | '=' | '*' | ' ' | '>' | '<' | '—' | '–' | ':')
        })
        .to_lowercase();
    if FORWARDED.iter().any(|w| core.starts_with(w)) && (dashed || trimmed.ends_with(':')) {
        return Some(Delimiter::Forwarded);
    }
    (dashed && ORIGINAL.iter().any(|w| core.starts_with(w))).then_some(Delimiter::Original)
}

/// Lines an attribution may be folded over.
const MAX_FOLD: usize = 4;

/// How many of the lines, from the first, are an attribution: 0 where they are none.
pub(super) fn attribution(lines: &[&str]) -> usize {
    let Some(first) = lines.first().map(|l| l.trim()) else {
        return 0;
    };
    if first.is_empty() || first.len() > 400 {
        return 0;
    }
    let mut joined = String::with_capacity(128);
    for (n, line) in lines.iter().take(MAX_FOLD).enumerate() {
        let line = line.trim();
        if line.is_empty() {
            return 0;
        }
        if n > 0 {
            joined.push(' ');
        }
        joined.push_str(line);
        if joined.len() > 400 {
            return 0;
        }
        if is_attribution(&joined) {
            return n + 1;
        }
    }
    0
}

/// Whether one unfolded line is an attribution.
fn is_attribution(line: &str) -> bool {
    let line = line.trim_end_matches([' ', '*', '_', '\u{a0}', '>']);
    let Some(stem) = line.strip_suffix([':', '：']) else {
        return false;
    };
    let lower = stem.to_lowercase();
    let when = lower.bytes().filter(u8::is_ascii_digit).count() >= 3;
    let mail = lower.contains('@') || lower.contains("mailto:");
    let wrote = WROTE
        .iter()
        .any(|w| ends_with_word(&lower, w) || (when || mail) && contains_word(&lower, w));
    if !wrote {
        return false;
    }
    let words = lower.split_whitespace().count();
    (when || mail || words <= 6) && words <= 40
}

fn ends_with_word(text: &str, word: &str) -> bool {
    text.trim_end()
        .strip_suffix(word)
        .is_some_and(|rest| !rest.ends_with(char::is_alphabetic) || !word.is_ascii())
}

fn contains_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !word.is_ascii()
            || !before.is_some_and(char::is_alphabetic) && !after.is_some_and(char::is_alphabetic)
    })
}

#[cfg(test)]
mod tests {
    use super::{Delimiter, attribution, delimiter};

    #[test]
    fn attributions_in_many_tongues_and_folds() {
        for line in [
            "On Mon, 3 May 2021 at 10:00, Ann Lee <ann@example.com> wrote:",
            "Am 03.05.2021 um 10:00 schrieb Ann Lee:",
            "Le lun. 3 mai 2021 à 10:00, Ann <ann@example.com> a écrit :",
            "W dniu 3.05.2021 o 10:00, Ann pisze:",
            "3 мая 2021 г., 10:00 Анна <a@example.ru> написала:",
            "2021年5月3日(月) 10:00 Ann <ann@example.com>のメール:",
        ] {
            assert_eq!(attribution(&[line]), 1, "{line}");
        }
        assert_eq!(
            attribution(&[
                "On Mon, 3 May 2021 at 10:00, Ann Lee",
                "<ann@example.com> wrote:",
                "> hi"
            ]),
            2
        );
        assert_eq!(
            attribution(&["I wrote down three things that matter to us and to you:"]),
            0
        );
        assert_eq!(
            delimiter("-----Ursprüngliche Nachricht-----"),
            Some(Delimiter::Original)
        );
        assert_eq!(
            delimiter("---------- Forwarded message ---------"),
            Some(Delimiter::Forwarded)
        );
    }
}
