//! E-mails: threads between a contact and an owner, newsletters and automatic answers. A message
//! quotes the ones before it in its thread; its unique word stands in its own new text only.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::lexicon::Lexicon;
use super::markup::push_element;
use super::persons::Person;
use super::quoting;
use crate::hash::{pick, unique_word};
use crate::kind::Kind;
use crate::portal::Portal;

/// Messages of a contact that share one subject.
const THREAD_LENGTH: u64 = 4;
/// How many earlier messages a reply still carries.
const QUOTED_AT_MOST: usize = 2;
/// What now and then a writer adds in a script that runs from right to left.
const RIGHT_TO_LEFT: [&str; 2] = ["נא לאשר את קבלת ההודעה.", "يرجى تأكيد استلام هذه الرسالة."];

/// The mail program a message was written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    Gmail,
    Outlook,
    Apple,
    /// No HTML part at all.
    Plain,
}

/// What sort of e-mail it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Thread,
    Newsletter,
    AutoReply,
}

/// One message as its writer saw it, without quotes.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) subject: String,
    pub(crate) at: i64,
    pub(crate) from: Person,
    pub(crate) to: Person,
    pub(crate) body: Vec<String>,
    pub(crate) signature: Vec<String>,
    table: Option<u64>,
}

impl Message {
    pub(super) fn paragraphs(&self) -> impl Iterator<Item = &str> {
        self.body.iter().map(String::as_str)
    }

    /// A table of prices, in the messages that have one.
    pub(super) fn push_table(&self, lexicon: &Lexicon, out: &mut String) {
        let Some(draw) = self.table else { return };
        out.push_str("<table border=\"1\" cellpadding=\"4\" style=\"border-collapse:collapse\"><tbody><tr>");
        for head in lexicon.table {
            push_element("th", head, out);
        }
        out.push_str("</tr>");
        for row in 0..2 + draw % 3 {
            let cells = [
                format!("A-{}", 100 + draw % 800 + row),
                (row * 5 + 2).to_string(),
                format!("{}.50", draw % 90 + row),
            ];
            out.push_str("<tr>");
            for cell in &cells {
                push_element("td", cell, out);
            }
            out.push_str("</tr>");
        }
        out.push_str("</tbody></table>");
    }
}

impl Portal {
    pub(crate) fn email_sort(&self, email: u64) -> Sort {
        match self.draw(Kind::Email, email, 11) % 20 {
            0 => Sort::Newsletter,
            1 => Sort::AutoReply,
            _ => Sort::Thread,
        }
    }

    /// The contact writes on even turns, the owner on odd ones; automatic answers come from the
    /// contact, newsletters from us.
    pub(crate) fn email_is_incoming(&self, email: u64) -> bool {
        match self.email_sort(email) {
            Sort::Newsletter => false,
            Sort::AutoReply => true,
            Sort::Thread => self.turn(Kind::Email, email).number.is_multiple_of(2),
        }
    }

    pub(crate) fn email_client(&self, email: u64) -> Client {
        let contact = self.turn(Kind::Email, email).contact;
        match self.draw(Kind::Contact, contact, 12) % 10 {
            0..=3 => Client::Gmail,
            4..=6 => Client::Outlook,
            7..=8 => Client::Apple,
            _ => Client::Plain,
        }
    }

    /// When it was sent: shortly before it was logged.
    pub(crate) fn happened(&self, kind: Kind, engagement: u64) -> i64 {
        let before = self.draw(kind, engagement, 13) % 1_800;
        (self.created(kind, engagement) - before as i64 * 1_000) / 1_000 * 1_000
    }

    pub(crate) fn email_thread(&self, email: u64) -> (u64, u64) {
        let turn = self.turn(Kind::Email, email);
        let lane = email % 16;
        (
            turn.contact * 1_000_003 + turn.number / THREAD_LENGTH * 17 + u64::from(lane == 1),
            turn.number % THREAD_LENGTH,
        )
    }

    pub(crate) fn email_people(&self, email: u64) -> (Person, Person) {
        let contact = self.turn(Kind::Email, email).contact;
        let owner = Self::owner_person(self.owner_of_contact(contact));
        let contact = self.contact_person(contact);
        if self.email_is_incoming(email) { (contact, owner) } else { (owner, contact) }
    }

    pub(crate) fn email_subject(&self, email: u64) -> String {
        if let Some(body) = self.corpus.body(email) {
            return body.subject.clone().unwrap_or_default();
        }
        let turn = self.turn(Kind::Email, email);
        let lexicon = self.language_of_contact(turn.contact);
        match self.email_sort(email) {
            Sort::Newsletter => lexicon.newsletter[0].to_owned(),
            Sort::AutoReply => lexicon.auto_reply[0].to_owned(),
            Sort::Thread => {
                let (thread, position) = self.email_thread(email);
                let subject = pick(lexicon.subjects, self.draw(Kind::Email, thread, 14));
                if position == 0 { subject.to_owned() } else { format!("Re: {subject}") }
            }
        }
    }

    /// The message's own words; with `marked` they contain the unique word.
    fn message(&self, email: u64, marked: bool) -> Message {
        let turn = self.turn(Kind::Email, email);
        let lexicon = self.language_of_contact(turn.contact);
        let (from, to) = self.email_people(email);
        let word = unique_word(self.seed, Kind::Email.stream(), email);
        let reference = lexicon.reference.replace("{}", &word);
        let mut body = match self.email_sort(email) {
            Sort::Newsletter => lexicon.newsletter[..3].iter().map(|s| (*s).to_owned()).collect(),
            Sort::AutoReply => vec![lexicon.auto_reply[1].to_owned()],
            Sort::Thread => self.letter(email, lexicon, &to),
        };
        if marked {
            let before_closing =
                if self.email_sort(email) == Sort::Thread { body.len() - 1 } else { body.len() };
            body.insert(before_closing, reference);
        }
        let draw = self.draw(Kind::Email, email, 15);
        Message {
            subject: self.email_subject(email),
            at: self.happened(Kind::Email, email),
            signature: vec![from.name(), from.job.to_owned(), from.organisation.clone(), from.phone.clone()],
            from,
            to,
            body,
            table: draw.is_multiple_of(9).then_some(draw / 9),
        }
    }

    fn letter(&self, email: u64, lexicon: &'static Lexicon, to: &Person) -> Vec<String> {
        let contact = self.turn(Kind::Email, email).contact;
        let draw = |salt: u64| self.draw(Kind::Email, email, salt);
        let mut body = vec![pick(lexicon.greetings, draw(16)).replace("{}", to.first)];
        let first = draw(17) % lexicon.sentences.len() as u64;
        for n in 0..1 + draw(18) % 3 {
            body.push(lexicon.sentences[((first + n) % lexicon.sentences.len() as u64) as usize].to_owned());
        }
        if self.email_is_incoming(email) {
            let facts = self.facts_in(Kind::Email, email, contact, self.happened(Kind::Email, email));
            body.extend(facts.into_iter().map(|fact| fact.sentence));
        }
        if email % 97 == 53 {
            body.push(RIGHT_TO_LEFT[(email % 2) as usize].to_owned());
        }
        body.push(pick(lexicon.closings, draw(19)).to_owned());
        body
    }

    fn chain(&self, email: u64) -> Vec<Message> {
        let mut chain = vec![self.message(email, true)];
        let (mut at, (_, mut position)) = (email, self.email_thread(email));
        while position > 0 && chain.len() <= QUOTED_AT_MOST && self.email_sort(email) == Sort::Thread {
            let Some(previous) = self.turn(Kind::Email, at).previous else {
                break;
            };
            if self.email_sort(previous) == Sort::Thread {
                chain.push(self.message(previous, false));
            }
            at = previous;
            position -= 1;
        }
        chain
    }

    /// The HTML part; none for plain-text mail.
    pub(crate) fn email_html(&self, email: u64) -> Option<String> {
        if let Some(body) = self.corpus.body(email) {
            return body.html.clone();
        }
        if self.lean {
            return Some(format!("<p>ref {}</p>", unique_word(self.seed, Kind::Email.stream(), email)));
        }
        let client = self.email_client(email);
        let lexicon = self.language_of_contact(self.turn(Kind::Email, email).contact);
        if self.email_sort(email) == Sort::Newsletter {
            return Some(newsletter(&self.message(email, true), lexicon));
        }
        (client != Client::Plain).then(|| {
            let mut html = quoting::html(&self.chain(email), client, lexicon);
            self.embed_image(email, &mut html);
            html
        })
    }

    /// Some mails carry a logo inside their HTML, a very few a photograph of a megabyte.
    fn embed_image(&self, email: u64, html: &mut String) {
        let bytes = match email {
            n if n % 4_096 == 2_049 => 750_000,
            n if n % 29 == 17 => 1_500,
            _ => return,
        };
        let noise = (0..bytes / 8).flat_map(|n| self.draw(Kind::Email, email, 1_000 + n).to_le_bytes());
        let image = STANDARD.encode(noise.collect::<Vec<u8>>());
        let tag = format!("<img alt=\"\" src=\"data:image/png;base64,{image}\">");
        let end = html.rfind("</body>").unwrap_or(html.len());
        html.insert_str(end, &tag);
    }

    /// The plain-text part; HubSpot keeps one for nearly every message.
    pub(crate) fn email_text(&self, email: u64) -> Option<String> {
        if let Some(body) = self.corpus.body(email) {
            return body.text().map(str::to_owned);
        }
        if self.lean {
            return Some(format!("ref {}", unique_word(self.seed, Kind::Email.stream(), email)));
        }
        let lexicon = self.language_of_contact(self.turn(Kind::Email, email).contact);
        Some(quoting::text(&self.chain(email), lexicon))
    }
}

fn newsletter(message: &Message, lexicon: &Lexicon) -> String {
    let mut out = String::from(
        "<html><head><style>.wrap{max-width:600px}.pre{display:none}</style></head><body><span class=\"pre\" style=\"display:none;max-height:0\">",
    );
    super::markup::push_escaped(lexicon.newsletter[0], &mut out);
    out.push_str("</span><table class=\"wrap\" role=\"presentation\" width=\"600\"><tbody>");
    for (at, paragraph) in message.paragraphs().enumerate() {
        out.push_str("<tr><td style=\"padding:16px\">");
        push_element(if at == 0 { "h1" } else { "p" }, paragraph, &mut out);
        out.push_str("</td></tr>");
    }
    out.push_str("<tr><td><img src=\"https://vendor.example/pixel.gif\" width=\"1\" height=\"1\" alt=\"\"><a href=\"https://vendor.example/unsubscribe\">");
    super::markup::push_escaped(lexicon.newsletter[3], &mut out);
    out.push_str("</a></td></tr></tbody></table></body></html>");
    out
}
