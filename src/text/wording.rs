//! What mail clients and people write around a message, by language: facts, one list per purpose.
//!
//! Lower case, parted by `|`. Only [`Words`] reads them; rules that use the lists stand with their stage.

use std::collections::HashSet;
use std::sync::LazyLock;

/// A list of wordings, parted once and then looked up without allocation.
pub(super) type Words = LazyLock<Vec<&'static str>>;

/// A list that whole lines or labels are looked up in.
pub(super) type WordSet = LazyLock<HashSet<&'static str>>;

pub(super) fn list(text: &'static str) -> Vec<&'static str> {
    text.split('|').collect()
}

pub(super) fn set(text: &'static str) -> HashSet<&'static str> {
    text.split('|').collect()
}

/// "wrote" in attribution lines.
pub(super) static WROTE: Words = LazyLock::new(|| {
    list(
        "wrote|writes|schrieb|schreibt|a écrit|écrit|ecrit|écrivait|escribió|escribio|escribe|ha scritto|scrisse|scritto|\
         escreveu|escreve|schreef|heeft geschreven|geschreven|skrev|skrev følgende|kirjoitti|napisał|napisał(a)|napisała|\
         napisał/a|pisze|napsal|napsal(a)|napsala|napísal|napísal(a)|napísala|írta|a scris|scris|написал|написала|\
         написал(а)|пишет|написав|написала|написав(ла)|пише|έγραψε|yazdı|yazmış|كتب|كتبت|كتب ما يلي|đã viết|viết|\
         のメール|書きました|님이 작성|작성|写道|寫道|写到|написа|napisao je|je napisao|je napisala|je napisal|rašė|parašė|\
         rakstīja|kirjutas|va escriure|כתב|כתבה|menulis|เขียนว่า|เขียน|skrifaði|shkroi|schreef het volgende|さんは書きました|\
         さんが書きました",
    )
});

/// Words an attribution opens with; digits open one as well.
pub(super) static OPENERS: Words = LazyLock::new(|| {
    list(
        "on |am |le |el |il |il giorno |em |op |den |på |dne |dňa |w dniu |dnia |în |la data |στις |ngày |vào |pada |u |v |\
         na |ב|في |dia |em |tarihinde |missatge de |bei |kl. |no dia |a las |i |ma |ti |ke |to |pe |la |su |mon|tue|wed|thu|\
         fri|sat|sun|пн|вт|ср|чт|пт|сб|вс|нд|понед|втор|сред|четв|пятн|субб|воскр|pon|wt|śr|czw|pt|sob|niedz|po |út |st |čt |\
         pá |so |ne |man|tir|tirs|ons|tor|tors|fre|lør|søn|mån|tis|lör|ในวันที่|вашият|на ",
    )
});

/// Labels of header blocks: the sender.
pub(super) const FROM: &str = "from|von|de|da|van|från|fra|lähettäjä|od|feladó|de la|expéditeur|от|від|από|kimden|\
    gönderen|من|từ|差出人|送信者|보낸 사람|보낸사람|发件人|寄件者|寄件人|מאת|remitente|mittente|afzender|avsändare|afsender|\
    expeditor|отправитель|dari|จาก|от кого|nuo|no|saatja|prej|absender|发送人|發件人|odesílatel|odosielateľ|nadawca|şu kişiden";
/// Labels of header blocks: the time.
pub(super) const WHEN: &str = "sent|date|gesendet|datum|envoyé|envoyé le|date d'envoi|enviado|enviado el|enviada em|\
    enviado em|fecha|data|inviato|verzonden|skickat|sendt|dato|lähetetty|päivämäärä|päiväys|wysłano|wysłane|odesláno|\
    odoslané|dátum|elküldve|küldve|trimis|отправлено|дата|надіслано|відправлено|στάλθηκε|ημερομηνία|gönderildi|\
    gönderme tarihi|tarih|تاريخ|التاريخ|تم الإرسال|أرسلت|đã gửi|ngày|送信日時|日時|日付|보낸 날짜|보낸날짜|날짜|发送时间|\
    发送日期|日期|傳送日期|寄件日期|נשלח|תאריך|изпратено|poslano|gesendet am|sendt den|enviada|отправлено в|dikirim|ส่ง|วันที่|\
    išsiųsta|nosūtīts|saadetud|inviata|sent on|when|tanggal|時間|时间|invio|am";
/// Labels of header blocks: whom it went to.
pub(super) const TO: &str = "to|an|à|para|a|aan|till|til|vastaanottaja|do|komu|címzett|către|catre|кому|до|προς|kime|alıcı|\
    إلى|đến|tới|宛先|받는 사람|받는사람|收件人|אל|destinataire|za|kam|ke|cc|kopie|copie|kopia|kopi|копия|копія|抄送|参考|참조|bcc|\
    reply-to|antwort an|kepada|ถึง|cc:|副本|másolatot kap|répondre à|destinatario|destinatari|empfänger|kópia|kopio|bilgi";
/// Labels of header blocks: the subject.
pub(super) const SUBJECT: &str = "subject|betreff|objet|asunto|assunto|oggetto|onderwerp|ämne|emne|aihe|temat|předmět|\
    predmet|tárgy|subiect|тема|θέμα|konu|الموضوع|موضوع|chủ đề|tiêu đề|件名|제목|主题|主旨|主題|标题|נושא|naslov|assumpte|perihal|\
    относно|subjek|เรื่อง|tema|teema|lënda|sujet|importance|attachments|anlagen|pièces jointes|priority";

/// "Original message" in delimiter lines.
pub(super) static ORIGINAL: Words = LazyLock::new(|| {
    list(
        "original message|original appointment|ursprüngliche nachricht|originalnachricht|ursprüngliche mail|message d'origine|\
         message d’origine|message original|mensaje original|mensagem original|messaggio originale|oorspronkelijk bericht|\
         originalmeddelande|ursprungligt meddelande|oprindelig meddelelse|opprinnelig melding|original besked|\
         original meddelelse|original melding|alkuperäinen viesti|wiadomość oryginalna|oryginalna wiadomość|původní zpráva|\
         původní e-mail|pôvodná správa|eredeti üzenet|mesaj original|mesajul original|исходное сообщение|\
         оригинальное сообщение|оригінальне повідомлення|вихідне повідомлення|αρχικό μήνυμα|özgün ileti|orijinal mesaj|\
         الرسالة الأصلية|tin nhắn gốc|thư gốc|元のメッセージ|원본 메시지|원본 메일|原始邮件|原始郵件|原始信件|原邮件|ההודעה המקורית|\
         izvorna poruka|izvirno sporočilo|reply message|antwort nachricht|original mail|urspr. nachricht|pesan asli|\
         ข้อความต้นฉบับ|оригинално съобщение|missatge original|originali žinutė|reply above this line",
    )
});

/// "Forwarded message" in delimiter lines.
pub(super) static FORWARDED: Words = LazyLock::new(|| {
    list(
        "forwarded message|begin forwarded message|forwarded by|forwarded mail|weitergeleitete nachricht|weitergeleitete mail|\
         weitergeleitet von|anfang der weitergeleiteten|beginn der weitergeleiteten|message transféré|début du message|\
         message réexpédié|mensaje reenviado|inicio del mensaje reenviado|mensagem encaminhada|mensagem reencaminhada|\
         início da mensagem|messaggio inoltrato|inizio messaggio inoltrato|doorgestuurd bericht|begin doorgestuurd bericht|\
         vidarebefordrat meddelande|vidarebefordrat brev|videresendt meddelelse|videresendt besked|videresendt melding|\
         videresendt mail|edelleen lähetetty viesti|välitetty viesti|wiadomość przekazana|przekazana wiadomość|\
         przekazywana wiadomość|přeposlaná zpráva|preposlaná správa|továbbított üzenet|továbbított levél|mesaj redirecționat|\
         mesaj redirectionat|mesaj transmis|пересылаемое сообщение|переадресованное сообщение|пересланное сообщение|\
         начало переадресованного|переслане повідомлення|προωθημένο μήνυμα|iletilen ileti|iletilmiş mesaj|iletilen mesaj|\
         الرسالة المعاد توجيهها|رسالة محوّلة|رسالة معاد توجيهها|thư đã chuyển tiếp|tin nhắn chuyển tiếp|転送メッセージ|\
         転送されたメッセージ|전달된 메시지|전달된 메일|转发邮件|转发的邮件|轉寄郵件|轉寄的郵件|הודעה שהועברה|proslijeđena poruka|\
         pesan terusan|препратено съобщение|missatge reenviat",
    )
});

/// Closing greetings that stand alone on their line.
pub(super) static SIGN_OFF: WordSet = LazyLock::new(|| {
    set(
        "best|best regards|kind regards|regards|warm regards|warmest regards|kindest regards|many thanks|thanks|thank you|\
         cheers|sincerely|yours sincerely|yours truly|yours|all the best|best wishes|with best regards|with kind regards|\
         respectfully|thanks again|thank you again|thanks a lot|thanks so much|thank you very much|thank you so much|\
         thanks in advance|thank you in advance|thx|br|kr|rgds|take care|talk soon|speak soon|speak to you soon|\
         looking forward|have a great day|have a nice day|kind regards from|many thanks and regards|thanks & regards|\
         thanks and regards|thanks and best regards|thanks & best regards|thank you and regards|sincerely yours|love|xoxo|\
         greetings|mit freundlichen grüßen|mit freundlichen grüssen|mit freundlichem gruß|mit besten grüßen|\
         freundliche grüße|freundliche grüsse|viele grüße|viele grüsse|beste grüße|beste grüsse|liebe grüße|liebe grüsse|lg|\
         mfg|vg|gruß|gruss|grüße|grüsse|herzliche grüße|schöne grüße|danke|vielen dank|besten dank|cordialement|\
         bien cordialement|bien à vous|bien à toi|sincères salutations|meilleures salutations|salutations|merci|\
         merci d'avance|à bientôt|amicalement|saludos|un saludo|saludos cordiales|atentamente|un cordial saludo|gracias|\
         muchas gracias|un abrazo|atenciosamente|cumprimentos|melhores cumprimentos|com os melhores cumprimentos|att|\
         abraço|abraços|obrigado|obrigada|cordiali saluti|distinti saluti|saluti|un saluto|grazie|grazie mille|\
         buona giornata|met vriendelijke groet|met vriendelijke groeten|vriendelijke groet|vriendelijke groeten|groeten|\
         groet|groetjes|mvg|alvast bedankt|bedankt|hartelijke groet|med vänlig hälsning|med vänliga hälsningar|\
         vänliga hälsningar|vänligen|mvh|hälsningar|tack|med venlig hilsen|venlig hilsen|de bedste hilsner|\
         med vennlig hilsen|vennlig hilsen|hilsen|hilsner|ystävällisin terveisin|terveisin|kiitos|yst. terv|pozdrawiam|\
         z poważaniem|pozdrowienia|dziękuję|s pozdravem|s přátelským pozdravem|děkuji|s pozdravom|ďakujem|üdvözlettel|\
         tisztelettel|köszönöm|cu stimă|cu respect|toate cele bune|mulțumesc|с уважением|с наилучшими пожеланиями|спасибо|\
         з повагою|дякую|με εκτίμηση|φιλικά|ευχαριστώ|saygılarımla|saygılarımızla|iyi çalışmalar|teşekkürler|مع التحية|\
         تحياتي|مع أطيب التحيات|شكرا|בברכה|תודה|trân trọng|cảm ơn|xin cảm ơn|よろしくお願いいたします|よろしくお願いします|\
         よろしくお願い致します|敬具|감사합니다|此致|祝好|谢谢|顺颂商祺|bedste hilsner|mange hilsner|kærlig hilsen|mange hilsener|beste hilsen|\
         bästa hälsningar|varma hälsningar|parhain terveisin|serdecznie pozdrawiam|pozdrawiam serdecznie|\
         z wyrazami szacunku|s úctou|se srdečným pozdravem|üdv|szívélyes üdvözlettel|numai bine|o zi bună|hartelijke groeten|\
         met groet|fijne dag|bonne journée|très cordialement|bien amicalement|cdt|cdlt|respectueusement|saluti cordiali|\
         cordialmente|a presto|un abraço|grande abraço|até breve|saludos y gracias|iyi günler|kolay gelsin|sevgiler|selamlar|\
         saygılar|всего доброго|с наилучшими|з найкращими побажаннями|με φιλικούς χαιρετισμούς|敬礼|lijep pozdrav|srdačan pozdrav|lep pozdrav|s spoštovanjem|\
         поздрави|с поздрав|pagarbiai|ar cieņu|lugupidamisega|salutacions|hormat saya|terima kasih|ด้วยความเคารพ|virðingarfyllst",
    )
});

/// What mobile clients put under a message, up to the device.
pub(super) static MOBILE: Words = LazyLock::new(|| {
    list(
        "sent from|sent via|sent using|sent with|sent by|sent on my|from my iphone|from my ipad|from my mobile|from my android|get outlook for|get [outlook|\
         von meinem|gesendet mit|gesendet von|gesendet über|diese nachricht wurde von|envoyé de|envoyé depuis|envoyé à partir|\
         envoyé avec|enviado desde|enviado de|enviado do|enviado con|enviado a partir|enviado com|enviado pelo|\
         inviato da|inviato con|verzonden vanaf|verzonden met|verzonden vanuit|verstuurd vanaf|verstuurd met|skickat från|\
         skickades från|sendt fra|sendt med|sendt via|lähetetty|wysłane z|wysłano z|odesláno z|odoslané z|odesláno|\
         trimis de|trimis din|отправлено с|отправлено из|отправлено от|надіслано з|відправлено з|στάλθηκε από|\
         από το iphone|enviat des|iphone'umdan|iphone’umdan|ipad'imden|android'den|أُرسلت من|أرسلت من|تم الإرسال من|\
         được gửi từ|đã gửi từ|gửi từ|iphoneから|ipadから|내 iphone|나의 iphone|发自我的|從我的|从我的|傳送自|發自|来自我的|\
         az iphone|elküldve|küldve|נשלח מ|poslano s|poslano z|изпратено от|dikirim dari|ส่งจาก|skickat via|tapatalk|nachricht von meinem|\
         diese e-mail wurde von|outlook for ios|outlook für ios|télécharger outlook|outlook für android|obtener outlook|\
         obtenha o outlook|scarica outlook|hämta outlook|someone from mobile",
    )
});

/// Devices and programs that make a short "sent from" line an advertisement.
pub(super) static DEVICE: Words = LazyLock::new(|| {
    list(
        "phone|iphon|ipad|ipod|android|galaxy|samsung|htc|nokia|xperia|sony|lumia|windows|blackberry|mobil|móvil|movil|mobiel|\
         mailbox|airmail|outlook|yahoo|gmail|nine|spark|mail|tablet|device|cell|handy|gerät|portable|celular|telemóvel|\
         telefon|telefoon|puhelim|матильд|телефон|мобильн|huawei|xiaomi|redmi|pixel|oneplus|motorola|nexus|palm|treo|\
         smartphone|handheld|wireless|touchpad|k-9|app|aol|gmx|web.de|pc|mac|watch|τηλέφωνο|κινητό|هاتف|携帯|手机|手機|電話|\
         휴대폰|電話|ti-85|verizon|t-mobile|at&t|vodafone|orange|boxer|hub|superhuman|front|hubspot|thunderbird|proton|fairemail",
    )
});

/// What a mail server puts above a message from outside: openings of lines.
pub(super) static BANNER: Words = LazyLock::new(|| {
    list(
        "external email|external sender|external message|external]|extern]|externe]|externe e-mail|externe mail|\
         caution: external|caution: this email|caution: this message|caution - this email|warning: this email|\
         warning: this message|this email originated|this message originated|this email was sent from outside|\
         this message was sent from outside|this message came from outside|this email came from outside|\
         do not click links|do not click on links|you don't often get email from|you don’t often get email from|\
         some people who received this message don't often|achtung: diese e-mail|achtung: externe|\
         diese e-mail stammt von außerhalb|diese e-mail kommt von außerhalb|diese nachricht stammt von außerhalb|\
         sie erhalten nicht häufig e-mails von|sie erhalten nicht oft eine e-mail von|courriel externe|e-mail externe|\
         attention : ce message provient|ce message provient de l'extérieur|vous n'obtenez pas souvent|correo externo|\
         este correo proviene de fuera|este mensaje proviene de fuera|e-mail externo|esta mensagem veio de fora|\
         email esterna|questa email proviene dall'esterno|let op: deze e-mail|deze e-mail komt van buiten",
    )
});
