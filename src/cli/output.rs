//! How answers look on a terminal, and the one way they leave as JSON.

use std::io::{IsTerminal, Write};

use serde::Serialize;

use super::Failure;
use crate::knowledge::search::SearchHit;

/// Characters of a passage shown to a person.
const SHOWN: usize = 320;

/// Whether colours are wanted there: it is a terminal, and nobody said NO_COLOR.
pub(super) fn coloured(to: &impl IsTerminal) -> bool {
    to.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|said| said.is_empty())
}

/// Prints a value as JSON on stdout.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(Failure::failed)?;
    line(&text)
}

/// Prints a line on stdout; a reader that went away (`| head`) is not an error worth words.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Failure::Unread),
        other => other.map_err(Failure::failed),
    }
}

/// Something about what was asked, on stderr: the answer stays what it is.
pub(super) fn warning(text: &str) {
    // Who closed stderr does not want to know.
    let _ = writeln!(std::io::stderr(), "warning: {}", plain(text));
}

/// A hit as a few lines: what, when, who, and the part of the passage that matches.
pub(super) fn hit(hit: &SearchHit) -> String {
    let who: Vec<&str> =
        hit.customers.iter().filter_map(|one| one.name.as_deref().or(one.email.as_deref())).collect();
    let company = hit.company.as_ref().and_then(|company| company.name.as_deref());
    let mut about = vec![hit.occurred_at.day(), hit.source.kind.to_owned()];
    about.extend((!who.is_empty()).then(|| who.join(", ")));
    about.extend(company.map(str::to_owned));
    let title = if hit.title.is_empty() { String::new() } else { format!("  {}\n", plain(&hit.title)) };
    format!("{}  {}\n{title}  {}", plain(&about.join(" · ")), hit.id, excerpt(hit))
}

/// The passage around its first highlight, highlights in bold.
fn excerpt(hit: &SearchHit) -> String {
    let characters: Vec<char> = hit.passage.chars().collect();
    let first = hit.highlights.first().map_or(0, |range| range[0]);
    let from = if characters.len() <= SHOWN {
        0
    } else {
        first.saturating_sub(SHOWN / 4).min(characters.len() - SHOWN)
    };
    let to = (from + SHOWN).min(characters.len());
    let (bold, normal) = if coloured(&std::io::stdout()) { ("\x1b[1m", "\x1b[0m") } else { ("[", "]") };
    let mut out = String::new();
    if from > 0 {
        out.push('…');
    }
    for (at, character) in characters.iter().enumerate().take(to).skip(from) {
        if hit.highlights.iter().any(|range| range[0] == at) {
            out.push_str(bold);
        }
        out.push(if character.is_control() { ' ' } else { *character });
        if hit.highlights.iter().any(|range| range[1] == at + 1) {
            out.push_str(normal);
        }
    }
    if to < characters.len() {
        out.push('…');
    }
    out
}

/// Text of strangers must not move the cursor or change colours.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// The same for a text of several lines, which stay.
pub(super) fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}
