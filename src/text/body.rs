//! The types of this module and `normalize`, which runs the stages in order.
//!
//! It decides nothing about content itself: what a line is, is decided by the stage that knows.

use std::collections::HashSet;
use std::ops::Range;

use super::language::{self, Language};
use super::noise::{self, Noise};
use super::reply::Classed;
use super::secrets::{self, Secret};
use super::{form, html, passages, reply, transcript};

/// The most bytes of one body that are read; the rest is cut and the status says so.
pub const MAX_BODY_BYTES: usize = 2 * 1024 * 1024;

/// Hosts of links that are named of one body.
const MOST_HOSTS: usize = 50;

/// What kind of engagement a body belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyKind {
    /// A mail, logged or sent: replies, signatures and footers are looked for.
    Email,
    /// A note written by a user.
    Note,
    /// The notes or summary of a call.
    Call,
    /// The notes of a meeting, often with a join block.
    Meeting,
    /// The fields of a submitted form.
    FormSubmission,
    /// A transcript with speaker turns.
    Transcript,
}

impl BodyKind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Email, Self::Note, Self::Call, Self::Meeting, Self::FormSubmission, Self::Transcript];

    /// The kind of body that engagements of that name have; a note where the name says nothing.
    #[must_use]
    pub fn of_engagement(name: &str) -> Self {
        match name {
            "email" => Self::Email,
            "call" => Self::Call,
            "meeting" => Self::Meeting,
            "form_submission" => Self::FormSubmission,
            _ => Self::Note,
        }
    }
}

/// One engagement body as it is stored, with what is known around it.
#[derive(Debug, Clone, Copy)]
pub struct Body<'a> {
    /// What kind of engagement it is.
    pub kind: BodyKind,
    /// The HTML body, preferred when it holds text.
    pub html: Option<&'a str>,
    /// The plain body.
    pub plain: Option<&'a str>,
    /// Subject or title; used to recognise forwards, auto-replies and calendar mail.
    pub subject: Option<&'a str>,
    /// Visible text of the parent mail in the thread, if stored: its lines are quotes with certainty.
    pub parent: Option<&'a str>,
    /// Names and addresses of the sender, for signatures.
    pub sender_names: &'a [&'a str],
    /// Phones, title and company of the sender from the CRM: last lines that say just that are its signature.
    pub sender_facts: &'a [&'a str],
    /// Lines learned to be boilerplate of the sender's domain, as [`Normalized::tail`] names them.
    pub boilerplate: Option<&'a HashSet<u64>>,
    /// Language of the thread or contact, used for texts too short to tell.
    pub language_hint: Option<Language>,
    /// Whether secrets are masked in passages.
    pub mask_secrets: bool,
}

impl<'a> Body<'a> {
    /// A body of this kind with nothing known yet; secrets are masked.
    #[must_use]
    pub fn new(kind: BodyKind) -> Self {
        Self {
            kind,
            html: None,
            plain: None,
            subject: None,
            parent: None,
            sender_names: &[],
            sender_facts: &[],
            boilerplate: None,
            language_hint: None,
            mask_secrets: true,
        }
    }

    /// The same body with this HTML.
    #[must_use]
    pub fn with_html(mut self, html: &'a str) -> Self {
        self.html = Some(html);
        self
    }

    /// The same body with this plain text.
    #[must_use]
    pub fn with_plain(mut self, plain: &'a str) -> Self {
        self.plain = Some(plain);
        self
    }
}

/// What a part of a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanClass {
    /// Written by the sender in this message.
    New,
    /// Quoted from an earlier message.
    Quote,
    /// "On Monday X wrote:".
    Attribution,
    /// The header block or delimiter over a quoted or forwarded message.
    ForwardHeader,
    /// The content of a forwarded message.
    Forward,
    /// "Best regards," and the like.
    SignOff,
    /// Name, title, phone, company under a message.
    Signature,
    /// Legal and confidentiality notices.
    Disclaimer,
    /// "Sent from my phone".
    MobileFooter,
    /// Unsubscribe, preference and mailing-list footers.
    ListFooter,
    /// The block that tells how to join an online meeting.
    MeetingJoin,
    /// Text a calendar wrote.
    Calendar,
    /// An automatic reply.
    AutoReply,
    /// Code, logs, preformatted text.
    Code,
    /// Rows of a data table.
    Table,
}

impl SpanClass {
    /// Whether text of this class counts as new text and is indexed as such.
    #[must_use]
    pub fn is_new(self) -> bool {
        matches!(self, Self::New | Self::Code | Self::Table | Self::AutoReply)
    }

    /// The name used in stored rows and counters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Quote => "quote",
            Self::Attribution => "attribution",
            Self::ForwardHeader => "forward_header",
            Self::Forward => "forward",
            Self::SignOff => "sign_off",
            Self::Signature => "signature",
            Self::Disclaimer => "disclaimer",
            Self::MobileFooter => "mobile_footer",
            Self::ListFooter => "list_footer",
            Self::MeetingJoin => "meeting_join",
            Self::Calendar => "calendar",
            Self::AutoReply => "auto_reply",
            Self::Code => "code",
            Self::Table => "table",
        }
    }
}

/// A classed byte range of `Normalized::text`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Span {
    /// Bytes of the text.
    pub range: Range<usize>,
    /// What they are.
    pub class: SpanClass,
}

/// A link that stood in the HTML.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Link {
    /// The visible text of the link, as bytes of the text.
    pub range: Range<usize>,
    /// Host the link leads to, click-tracking unwrapped where the target stands in the address.
    pub domain: String,
}

/// One piece of new text, small enough to search and cite.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Passage {
    /// The new text of the passage, secrets masked.
    pub text: String,
    /// Its language.
    pub language: Option<Language>,
    /// Where it stands in `Normalized::text`.
    pub ranges: Vec<Range<usize>>,
    /// When and by whom it was said, in a transcript.
    pub spoken: Option<Spoken>,
}

/// When and by whom a part of a transcript was said.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Spoken {
    /// Second in which its first turn begins.
    pub start_s: Option<u32>,
    /// Second in which its last turn ends; where that is not told, the turn behind it begins; else its last turn begins.
    pub end_s: Option<u32>,
    /// Who speaks, in the order they begin.
    pub speakers: Vec<String>,
}

/// How normalization went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Everything was read.
    #[default]
    Ok,
    /// The body was over a limit and was read up to it.
    Capped,
    /// The HTML held no text; the plain body was used.
    Fallback,
    /// Classing would have cost too much; the text was taken as new.
    Plain,
    /// There was no text at all.
    Empty,
}

impl Status {
    /// The name of a status that says that not everything was read.
    #[must_use]
    pub fn fell_short(self) -> Option<&'static str> {
        match self {
            Self::Ok => None,
            Self::Capped => Some("capped"),
            Self::Fallback => Some("fallback"),
            Self::Plain => Some("plain"),
            Self::Empty => Some("empty"),
        }
    }
}

/// The outcome for one body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Normalized {
    /// All visible text.
    pub text: String,
    /// Classes of the text: sorted, without gaps or overlaps.
    pub spans: Vec<Span>,
    /// Pieces of new text for the index.
    pub passages: Vec<Passage>,
    /// Links of an HTML body.
    pub links: Vec<Link>,
    /// Hosts that links in the new text lead to, each once, in the order they stand there; at most 50.
    pub link_hosts: Vec<String>,
    /// Language of the new text.
    pub language: Option<Language>,
    /// Why this body is noise, if it is.
    pub noise: Option<Noise>,
    /// Secrets found: kind and place, never the value.
    pub secrets: Vec<Secret>,
    /// The last lines of a mail's new text as hashes, learned boilerplate included: what it is learned from.
    pub tail: Vec<u64>,
    /// How it went.
    pub status: Status,
}

impl Normalized {
    /// The new text: what the sender wrote, secrets as they are. Where nothing is new, the forwarded content,
    /// else the quote: a mail is never without text.
    #[must_use]
    pub fn new_text(&self) -> String {
        let keeps: [fn(SpanClass) -> bool; 4] =
            [SpanClass::is_new, |c| c == SpanClass::Forward, |c| c == SpanClass::Quote, |_| true];
        keeps.into_iter().map(|keep| self.text_of(keep)).find(|t| !t.is_empty()).unwrap_or_default()
    }

    /// The text of the spans whose class passes `keep`.
    #[must_use]
    pub fn text_of(&self, keep: impl Fn(SpanClass) -> bool) -> String {
        let mut out = String::new();
        for span in self.spans.iter().filter(|s| keep(s.class)) {
            let part = &self.text[span.range.clone()];
            if !out.is_empty() && !out.ends_with('\n') {
                out.push('\n');
            }
            out.push_str(part);
        }
        out.truncate(out.trim_end().len());
        out
    }
}

/// The visible text of a body and what each part of it is: the first half of [`normalize`].
#[must_use]
pub fn spans(body: &Body) -> (String, Vec<Span>) {
    let source = visible(body);
    let spans = classify(&source, body).spans;
    (source.text, spans)
}

fn hosts(links: &[Link], spans: &[Span]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for link in links {
        let at = spans.partition_point(|span| span.range.end <= link.range.start);
        let new = spans.get(at).is_some_and(|span| span.class.is_new());
        if new && !out.contains(&link.domain) && out.len() < MOST_HOSTS {
            out.push(link.domain.clone());
        }
    }
    out
}

/// The classes of the lines.
fn classify(source: &html::Extract, body: &Body) -> Classed {
    let spans = match body.kind {
        BodyKind::Email => return reply::classify(source, body),
        BodyKind::Transcript => transcript::classify(&source.text),
        BodyKind::FormSubmission => form::classify(&source.text),
        BodyKind::Note | BodyKind::Call | BodyKind::Meeting => reply::classify_note(source),
    };
    Classed { spans, ..Classed::default() }
}

/// Turn one body into clean text, classed spans and passages. Never panics, linear in the size of the body.
#[must_use]
pub fn normalize(body: &Body) -> Normalized {
    let source = visible(body);
    let Classed { spans, tail, plain } = classify(&source, body);
    let secrets = secrets::find(&source.text);
    let noise = noise::detect(body.kind, body.subject, &source.text);
    let passages = passages::build(body, &source.text, &spans, &secrets);
    let language = dominant(&passages).or(body.language_hint);
    Normalized {
        status: match source.text.trim() {
            "" => Status::Empty,
            _ if plain => Status::Plain,
            _ => source.status,
        },
        text: source.text,
        passages,
        link_hosts: hosts(&source.links, &spans),
        spans,
        links: source.links,
        language,
        noise,
        secrets,
        tail,
    }
}

/// The language most of the passages' bytes are in.
fn dominant(passages: &[Passage]) -> Option<Language> {
    language::most_common(passages.iter().map(|p| (p.language, p.text.len())))
}

/// The visible text of a mail as [`Body::parent`] wants it.
#[must_use]
pub fn visible_text(html: Option<&str>, plain: Option<&str>) -> String {
    visible(&Body { html, plain, ..Body::new(BodyKind::Email) }).text
}

/// Visible text of a body, from HTML where it holds any, else from the plain part.
fn visible(body: &Body) -> html::Extract {
    if let Some(markup) = body.html.filter(|h| !h.trim().is_empty()) {
        let extract = if body.kind == BodyKind::Email || html::looks_like_html(markup) {
            html::extract(markup, html::Visibility::Reader)
        } else {
            html::from_plain(markup)
        };
        if !extract.text.trim().is_empty() {
            return extract;
        }
    }
    let mut plain = html::from_plain(body.plain.unwrap_or_default());
    if body.html.is_some_and(|h| !h.trim().is_empty()) && plain.status == Status::Ok {
        plain.status = Status::Fallback;
    }
    plain
}
