//! JSON by appending: the replies of list, batch read and search are written straight into one
//! buffer. Small replies use `serde_json` instead.

use crate::associations::types;
use crate::clock::push_iso;
use crate::kind::Kind;
use crate::records::push_number;
use crate::view::{Record, Target, View};
use crate::{catalog, portal::Portal};

/// How many associations of one type a list shows inline.
pub(crate) const INLINE_ASSOCIATIONS: usize = 100;
/// What HubSpot shows of an e-mail to an app that may not read e-mails.
pub(crate) const REDACTED: &str =
    "The content of this email has been redacted because the app lacks the sales-email-read scope.";

/// What of a record a reply shows.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) properties: Vec<String>,
    pub(crate) associations: Vec<Kind>,
    pub(crate) redact_mail: bool,
    /// Properties whose past is shown too.
    pub(crate) history: Vec<String>,
}

impl Shape {
    /// Keeps the names the portal knows and adds those that are always there.
    pub(crate) fn of(kind: Kind, asked: &[&str]) -> Self {
        let asked = if asked.is_empty() { kind.default_properties() } else { asked };
        let always = [kind.created_property(), kind.modified_property(), "hs_object_id"];
        let known = asked.iter().filter(|name| catalog::find(kind, name).is_some());
        let mut properties: Vec<String> = known.copied().chain(always).map(str::to_owned).collect();
        properties.sort_unstable();
        properties.dedup();
        Self { properties, associations: Vec::new(), redact_mail: false, history: Vec::new() }
    }

    /// The same with the past of some properties, which are then shown as well.
    pub(crate) fn with_history(kind: Kind, asked: &[&str], past: &[&str]) -> Self {
        if past.is_empty() {
            return Self::of(kind, asked);
        }
        let mut history: Vec<String> =
            past.iter().filter(|n| catalog::find(kind, n).is_some()).map(|n| (*n).to_owned()).collect();
        history.sort_unstable();
        history.dedup();
        let defaults = if asked.is_empty() { kind.default_properties() } else { asked };
        let both: Vec<&str> = defaults.iter().chain(past).copied().collect();
        Self { history, ..Self::of(kind, &both) }
    }
}

/// Appends a JSON string.
pub(crate) fn push_string(text: &str, out: &mut String) {
    out.push('"');
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => {
                out.push_str(&text[start..at]);
                out.push_str(&format!("\\u{byte:04x}"));
                start = at + 1;
                continue;
            }
            _ => continue,
        };
        out.push_str(&text[start..at]);
        out.push_str(escape);
        start = at + 1;
    }
    out.push_str(&text[start..]);
    out.push('"');
}

impl View<'_> {
    /// Appends one CRM object.
    pub(crate) fn push_object(&self, record: &Record<'_>, shape: &Shape, out: &mut String) {
        out.push_str("{\"id\":\"");
        push_number(self.id(record), out);
        out.push_str("\",\"properties\":{");
        let mut value = String::new();
        for (at, name) in shape.properties.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            push_string(name, out);
            out.push(':');
            value.clear();
            match self.value(record, name, &mut value) {
                true if shape.redact_mail && is_mail_content(name) => push_string(REDACTED, out),
                true => push_string(&value, out),
                false => out.push_str("null"),
            }
        }
        out.push('}');
        self.push_history(record, shape, out);
        out.push_str(",\"createdAt\":\"");
        push_iso(self.created(record), out);
        out.push_str("\",\"updatedAt\":\"");
        push_iso(self.modified(record), out);
        out.push_str("\",\"archived\":");
        match record.life() {
            crate::overlay::Life::Archived(at) => {
                out.push_str("true,\"archivedAt\":\"");
                push_iso(at, out);
                out.push('"');
            }
            _ => out.push_str("false"),
        }
        push_url(self.portal, record.kind, self.id(record), out);
        self.push_associations(record, shape, out);
        out.push('}');
    }

    fn push_history(&self, record: &Record<'_>, shape: &Shape, out: &mut String) {
        if shape.history.is_empty() {
            return;
        }
        out.push_str(",\"propertiesWithHistory\":{");
        for (at, name) in shape.history.iter().enumerate() {
            out.push_str(if at > 0 { "," } else { "" });
            push_string(name, out);
            out.push_str(":[");
            for (n, (value, when, source)) in self.history(record, name).into_iter().enumerate() {
                out.push_str(if n > 0 { ",{\"value\":" } else { "{\"value\":" });
                push_string(if shape.redact_mail && is_mail_content(name) { REDACTED } else { &value }, out);
                out.push_str(",\"timestamp\":\"");
                push_iso(when, out);
                out.push_str("\",\"sourceType\":\"");
                out.push_str(source);
                out.push_str("\"}");
            }
            out.push(']');
        }
        out.push('}');
    }

    fn push_associations(&self, record: &Record<'_>, shape: &Shape, out: &mut String) {
        let mut opened = false;
        for to in &shape.associations {
            let targets = self.targets(record, *to);
            if targets.is_empty() {
                continue;
            }
            out.push_str(if opened { "," } else { ",\"associations\":{" });
            opened = true;
            self.push_inline(record, *to, &targets, out);
        }
        if opened {
            out.push('}');
        }
    }

    /// One entry per target and type, so a primary company appears twice.
    fn push_inline(&self, record: &Record<'_>, to: Kind, targets: &[Target], out: &mut String) {
        push_string(to.plural(), out);
        out.push_str(":{\"results\":[");
        let mut entries = targets
            .iter()
            .flat_map(|t| types(record.kind, to, t.tie).into_iter().map(move |kind| (t.index, kind)));
        let mut last = 0;
        for (at, (index, kind)) in entries.by_ref().take(INLINE_ASSOCIATIONS).enumerate() {
            out.push_str(if at > 0 { ",{\"id\":\"" } else { "{\"id\":\"" });
            last = self.portal.id(to, index);
            push_number(last, out);
            out.push_str("\",\"type\":\"");
            kind.push_name(record.kind, to, out);
            out.push_str("\"}");
        }
        out.push(']');
        if entries.next().is_some() {
            let (from, id, to) = (record.kind.plural(), self.id(record), to.plural());
            let link =
                format!("https://api.hubapi.com/crm/v3/objects/{from}/{id}/associations/{to}?after={last}");
            push_paging(&last.to_string(), Some(&link), out);
        }
        out.push('}');
    }
}

/// Appends `,"paging":{"next":{...}}`.
pub(crate) fn push_paging(after: &str, link: Option<&str>, out: &mut String) {
    out.push_str(",\"paging\":{\"next\":{\"after\":");
    push_string(after, out);
    if let Some(link) = link {
        out.push_str(",\"link\":");
        push_string(link, out);
    }
    out.push_str("}}");
}

fn is_mail_content(name: &str) -> bool {
    matches!(name, "hs_email_html" | "hs_email_text" | "hs_email_subject" | "hs_body_preview")
}

fn push_url(portal: &Portal, kind: Kind, id: u64, out: &mut String) {
    out.push_str(",\"url\":\"https://");
    if portal.hublet == "na1" {
        out.push_str("app.hubspot.com");
    } else {
        out.push_str(&portal.ui_domain());
    }
    out.push_str("/contacts/");
    push_number(portal.id, out);
    out.push_str("/record/");
    out.push_str(kind.type_id());
    out.push('/');
    push_number(id, out);
    out.push('"');
}
