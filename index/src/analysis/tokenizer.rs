//! Hands the pieces of a text to the engine as tokens.
//!
//! The engine has one analyser per field but passages have languages of their
//! own, so the first character of a field's text names the language. That
//! keeps cutting words on the engine's threads and needs no field per language.

use super::{Forms, Piece, Scanner};
use crate::document::Language;
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

/// Puts the mark of the language before a text.
pub(crate) fn marked(language: Language, text: &str) -> String {
    let mut out = String::with_capacity(text.len() + MARK_BYTES);
    out.push(char::from(1 + language as u8));
    out.push_str(text);
    out
}

/// Bytes of the mark.
const MARK_BYTES: usize = 1;

/// The analyser of title, body and names.
#[derive(Default)]
pub(crate) struct Analyzer {
    stemmed: bool,
    languages: Vec<Option<Forms>>,
    pieces: Vec<Piece>,
    token: Token,
    second: String,
}

impl std::fmt::Debug for Analyzer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Analyzer").field("stemmed", &self.stemmed).finish_non_exhaustive()
    }
}

impl Clone for Analyzer {
    fn clone(&self) -> Self {
        Analyzer { stemmed: self.stemmed, ..Analyzer::default() }
    }
}

impl Analyzer {
    /// With stems for text, without for names.
    pub(crate) fn new(stemmed: bool) -> Analyzer {
        Analyzer { stemmed, ..Analyzer::default() }
    }
}

impl Tokenizer for Analyzer {
    type TokenStream<'a> = Stream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Stream<'a> {
        let mark = text.as_bytes().first().copied().unwrap_or(1);
        let index = usize::from(mark.saturating_sub(1)).min(Language::ALL.len() - 1);
        if self.languages.is_empty() {
            self.languages.resize_with(Language::ALL.len(), || None);
        }
        let stemmed = self.stemmed;
        let forms = self.languages[index].get_or_insert_with(|| match stemmed {
            true => Forms::new(Language::ALL[index]),
            false => Forms::unstemmed(),
        });
        self.pieces.clear();
        self.second.clear();
        self.token.reset();
        Stream {
            text,
            scanner: Scanner::new(text, MARK_BYTES.min(text.len())),
            forms,
            pieces: &mut self.pieces,
            next: 0,
            token: &mut self.token,
            second: &mut self.second,
        }
    }
}

/// The tokens of one text.
#[derive(Debug)]
pub(crate) struct Stream<'a> {
    text: &'a str,
    scanner: Scanner<'a>,
    forms: &'a mut Forms,
    pieces: &'a mut Vec<Piece>,
    next: usize,
    token: &'a mut Token,
    second: &'a mut String,
}

impl TokenStream for Stream<'_> {
    fn advance(&mut self) -> bool {
        if !self.second.is_empty() {
            std::mem::swap(&mut self.token.text, self.second);
            self.second.clear();
            return true;
        }
        if self.next == self.pieces.len() {
            self.pieces.clear();
            self.next = 0;
            if !self.scanner.next_into(self.pieces) {
                return false;
            }
        }
        let piece = self.pieces[self.next];
        self.next += 1;
        self.token.offset_from = piece.from;
        self.token.offset_to = piece.to;
        self.token.position = piece.position;
        self.forms.of(self.text, piece, &mut self.token.text, self.second);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}
