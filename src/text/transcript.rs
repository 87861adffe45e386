//! Transcripts: speaker turns with their times, and their classes.
//!
//! It does not merge speakers or correct recognition errors; a turn is what the recorder wrote as one.

use std::ops::Range;

use super::body::{Span, SpanClass};

/// One turn of a speaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who speaks, where the transcript says so.
    pub speaker: Option<String>,
    /// Start of the turn in seconds, where a time stands beside it.
    pub start_s: Option<u32>,
    /// End of the turn in seconds, where one stands beside its start.
    pub end_s: Option<u32>,
    /// The words of the turn with their label, as bytes of the text.
    pub range: Range<usize>,
}

/// The turns of a transcript: lines that open with `Name:` (and perhaps a time) begin one.
#[must_use]
pub fn turns(text: &str) -> Vec<Turn> {
    let mut out: Vec<Turn> = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let range = start..start + line.len();
        start = range.end;
        let Label { speaker, start_s, end_s } = label(line);
        match out.last_mut() {
            Some(turn) if speaker.is_none() && start_s.is_none() => turn.range.end = range.end,
            // A time alone on its line belongs to the turn that follows with a name.
            Some(turn)
                if turn.speaker.is_none()
                    && text[turn.range.clone()].trim().len() < 12
                    && speaker.is_some() =>
            {
                turn.speaker = speaker;
                turn.range.end = range.end;
            }
            _ => out.push(Turn { speaker, start_s, end_s, range }),
        }
    }
    out
}

/// What a line opens with.
#[derive(Debug, Default)]
struct Label {
    speaker: Option<String>,
    start_s: Option<u32>,
    end_s: Option<u32>,
}

/// Speaker and times a line opens with.
fn label(line: &str) -> Label {
    let mut rest = line.trim();
    let mut label = Label::default();
    if let Some((start, end, after)) = times(rest) {
        (label.start_s, label.end_s) = (Some(start), end);
        rest = after.trim_start_matches([' ', '-', '\t']);
    }
    let Some((name, after)) = rest.split_once([':', '：']) else {
        return label;
    };
    let (name, inner) = split_times(name.trim(), rest);
    // "12:30" is a time, "http://" an address, and a sentence before a colon is no name.
    let words = name.split_whitespace().count();
    let named = !name.is_empty()
        && name.chars().count() <= 40
        && words <= 5
        && name.chars().any(char::is_alphabetic)
        && !name.contains(['.', ',', '?', '!', ';', '@', '/'])
        && name.chars().next().is_some_and(|c| c.is_uppercase() || !c.is_ascii())
        && !after.starts_with("//");
    label.speaker = named.then(|| name.to_owned());
    if let Some((start, end)) = inner.filter(|_| label.start_s.is_none()) {
        (label.start_s, label.end_s) = (Some(start), end);
    }
    label
}

/// A time, perhaps to another one (`[01:05-01:12]`, `00:12 --> 00:15`), and what follows.
fn times(text: &str) -> Option<(u32, Option<u32>, &str)> {
    let (start, after) = time(text)?;
    let to = after.trim_start_matches([' ', '-', '–', '>', '→']);
    let between = &after[..after.len() - to.len()];
    let end = time(to).filter(|(end, _)| between.contains(['-', '–', '→']) && *end >= start);
    Some(match end {
        Some((end, behind)) => (start, Some(end), behind),
        None => (start, None, after),
    })
}

/// A time such as `[00:12:03]`, `(1:02)` or `00:12` at the start, and what follows.
fn time(text: &str) -> Option<(u32, &str)> {
    let open = text.trim_start_matches(['[', '(']);
    let end = open.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.').unwrap_or(open.len());
    let (stamp, rest) = open.split_at(end);
    if !stamp.contains(':') || stamp.len() > 12 {
        return None;
    }
    let mut seconds: u32 = 0;
    for part in stamp.split('.').next()?.trim_end_matches(':').split(':') {
        seconds = seconds.checked_mul(60)?.checked_add(part.parse().ok()?)?;
    }
    Some((seconds, rest.trim_start_matches([']', ')'])))
}

/// A name with a time behind it: `Ann (00:12)`. The time has the colon the name was cut at, so the whole line is given.
fn split_times<'a>(name: &'a str, line: &str) -> (&'a str, Option<(u32, Option<u32>)>) {
    match name.find(['(', '[']) {
        Some(at) => (name[..at].trim(), line.get(at..).and_then(times).map(|(start, end, _)| (start, end))),
        None => (name, None),
    }
}

/// A transcript is new text throughout, one span per turn, so passages never cut a turn from its speaker.
pub(super) fn classify(text: &str) -> Vec<Span> {
    turns(text).into_iter().map(|t| Span { range: t.range, class: SpanClass::New }).collect()
}

#[cfg(test)]
mod tests {
    use super::turns;

    #[test]
    fn names_and_times_open_turns() {
        let text = "Ann Lee: hello\nmore words\n[00:01:05] Bob: yes: sure\nhttp://x.y\n";
        let got = turns(text);
        assert_eq!(got.len(), 2);
        assert_eq!(got[0].speaker.as_deref(), Some("Ann Lee"));
        assert_eq!(&text[got[0].range.clone()], "Ann Lee: hello\nmore words\n");
        assert_eq!((got[1].speaker.as_deref(), got[1].start_s), (Some("Bob"), Some(65)));
        for (line, times) in [
            ("[01:05-01:12] Ann: hi", (Some(65), Some(72))),
            ("[00:01:05.120 --> 00:01:12.900] Ann: hi", (Some(65), Some(72))),
            ("00:05 – 01:12 Ann: hi", (Some(5), Some(72))),
            ("[01:05] Ann: hi", (Some(65), None)),
            ("[01:05] 12:30 is when we meet", (Some(65), None)),
            ("[01:05-01:02] Ann: hi", (Some(65), None)),
            ("01:05 - Ann: hi", (Some(65), None)),
            ("Ann (01:05): hi", (Some(65), None)),
            ("Ann [01:05 - 01:12]: hi", (Some(65), Some(72))),
        ] {
            let turn = turns(line).remove(0);
            assert_eq!((turn.start_s, turn.end_s), times, "{line}");
        }
    }
}
