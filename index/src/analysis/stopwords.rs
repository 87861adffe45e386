//! Words that carry no meaning of their own in a question.
//!
//! In a query they only rank what its other words find; documents keep them, so
//! that a phrase made of them can be found. The English
//! list is wider than the engine's because people ask whole questions.

use crate::document::Language;
use std::sync::OnceLock;
use tantivy::tokenizer::{Language as Engine, RawTokenizer, StopWordFilter, TextAnalyzer};

const ENGLISH: &str = "a about after again all also am an and any are as at be because been before being but by can \
could did do does doing done for from further had has have having he her here hers him his how i if in into is it its \
just me more most my no nor not of off on once only or other our ours out over own please s same she should so some such \
than that the their theirs them then there these they this those through to too under until up us very was we were what \
when where which while who whom whose why will with would you your yours";

/// Whether a lower-case word, diacritics kept, carries no meaning in a language.
pub(crate) fn is_stop_word(language: Language, word: &str) -> bool {
    if language == Language::English {
        return ENGLISH.split_ascii_whitespace().any(|stop| stop == word);
    }
    let Some(analyzer) = analyzer(language) else {
        return false;
    };
    let mut analyzer = analyzer.clone();
    let kept = analyzer.token_stream(word).advance();
    !kept
}

fn analyzer(language: Language) -> Option<&'static TextAnalyzer> {
    static LISTS: OnceLock<Vec<Option<TextAnalyzer>>> = OnceLock::new();
    let lists = LISTS.get_or_init(|| Language::ALL.iter().map(|l| build(*l)).collect());
    lists.get(language as usize)?.as_ref()
}

fn build(language: Language) -> Option<TextAnalyzer> {
    let engine = match language {
        Language::German => Engine::German,
        Language::French => Engine::French,
        Language::Spanish => Engine::Spanish,
        Language::Portuguese => Engine::Portuguese,
        Language::Italian => Engine::Italian,
        Language::Dutch => Engine::Dutch,
        Language::Danish => Engine::Danish,
        Language::Swedish => Engine::Swedish,
        Language::Norwegian => Engine::Norwegian,
        Language::Finnish => Engine::Finnish,
        Language::Hungarian => Engine::Hungarian,
        Language::Russian => Engine::Russian,
        _ => return None,
    };
    let filter = StopWordFilter::new(engine)?;
    Some(TextAnalyzer::builder(RawTokenizer::default()).filter(filter).build())
}
