//! Collapses white space the way a browser does while text is written, so that blocks never fuse words.
//!
//! It knows nothing of tags; the walk tells it what kind of break comes next.

/// The text written so far with the break that is due before the next word.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) text: String,
    space: bool,
    breaks: u8,
    cell: bool,
}

impl Writer {
    /// Text of an element; white space collapses unless it is preformatted.
    pub(super) fn push(&mut self, text: &str, pre: bool) {
        if pre {
            self.push_pre(text);
            return;
        }
        let mut rest = text;
        while !rest.is_empty() {
            let plain = plain_run(rest.as_bytes());
            if plain > 0 {
                self.flush();
                self.text.push_str(&rest[..plain]);
                rest = &rest[plain..];
                continue;
            }
            let Some(c) = rest.chars().next() else { return };
            self.push_char(c);
            rest = &rest[c.len_utf8()..];
        }
    }

    fn push_char(&mut self, c: char) {
        if c.is_whitespace() || c.is_control() {
            self.space = true;
        } else if !is_filler(c, self.text.chars().next_back()) {
            self.flush();
            self.text.push(c);
        }
    }

    fn push_pre(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '\n' => self.line(),
                // The end of a line is one character here: `\r\n` ends it once.
                '\r' => {}
                '\u{a0}' | '\t' | ' ' => {
                    // Indentation is kept; it is what makes code and quotes readable.
                    if self.breaks > 0 || self.text.is_empty() {
                        self.flush();
                    }
                    self.text.push(' ');
                }
                c => self.push_char(c),
            }
        }
    }

    /// Write the break that is due.
    fn flush(&mut self) {
        if self.text.is_empty() {
        } else if self.breaks > 0 {
            self.text.truncate(self.text.trim_end_matches(' ').len());
            for _ in 0..self.breaks {
                self.text.push('\n');
            }
        } else if self.cell {
            self.text.push_str(" | ");
        } else if self.space && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
        self.space = false;
        self.breaks = 0;
        self.cell = false;
    }

    /// A block begins or ends: at least this many line ends before the next word.
    pub(super) fn block(&mut self, lines: u8) {
        self.breaks = self.breaks.max(lines);
    }

    /// A forced line end.
    pub(super) fn line(&mut self) {
        self.breaks = (self.breaks + 1).min(3);
    }

    /// The next word stands in another cell of the same row.
    pub(super) fn cell(&mut self) {
        self.cell = !self.text.is_empty() && !self.text.ends_with('\n');
    }

    /// A word break without a line end.
    pub(super) fn space(&mut self) {
        self.space = true;
    }

    /// Where the next word would stand, if no break were due.
    pub(super) fn position(&self) -> usize {
        self.text.len()
    }
}

/// Bytes at the start of a text that are written as they stand: ASCII words with single spaces between them.
fn plain_run(bytes: &[u8]) -> usize {
    let is_plain = |byte: u8| (0x21..0x7f).contains(&byte);
    let mut end = 0;
    loop {
        end += bytes[end..].iter().take_while(|byte| is_plain(**byte)).count();
        match bytes[end..] {
            [b' ', next, ..] if end > 0 && is_plain(next) => end += 1,
            _ => return end,
        }
    }
}

/// Characters that take no room and are put into mail to defeat filters, to pad preview texts, or to say something to
/// programs that no reader sees. `before` is the character in front of it: joiners shape the letters of some scripts and
/// make one picture of several.
pub(super) fn is_filler(c: char, before: Option<char>) -> bool {
    match c {
        '\u{200c}' | '\u{200d}' | '\u{fe0f}' => before.is_none_or(|before| before <= '\u{2ff}'),
        c => matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0e}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e01ef}'),
    }
}
