//! What ranking may be tuned by, with the defaults that measured best.
//!
//! Figures: `cargo test -p hublore-index --release --test quality -- --nocapture`.

use super::schema::Fields;
use crate::query::Word;
use tantivy::schema::Field;

/// How hits are ranked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranking {
    /// The share of the true average length the engine is told, which sets both BM25
    /// parameters: k1 = 0.3 + 0.9 / scale, b = 0.9 / (scale × k1).
    pub length_scale: f64,
    /// Weight of a word in the title, beside its weight of 1 in the whole text, of which the
    /// title is a part.
    pub title_weight: f32,
    /// Weight of a word in the names.
    pub names_weight: f32,
    /// Weight of words such as "how" and "the", which rank what other words have found.
    pub stop_weight: f32,
    /// Such words are left out where they are in more than this share of the passages.
    pub stop_share: f64,
    /// Queries of at most this many words put passages with all of them first.
    pub all_words_up_to: usize,
}

impl Default for Ranking {
    fn default() -> Self {
        Ranking {
            length_scale: 1.0,
            title_weight: 0.4,
            names_weight: 1.0,
            stop_weight: 0.15,
            stop_share: 0.5,
            all_words_up_to: 3,
        }
    }
}

impl Ranking {
    /// Weight of a word in a field.
    pub(crate) fn weight(&self, fields: &Fields, field: Field, word: &Word) -> f32 {
        let place = if field == fields.title {
            self.title_weight
        } else if field == fields.names {
            self.names_weight
        } else {
            1.0
        };
        let kind = if word.stop { self.stop_weight } else { 1.0 };
        place * kind * word.weight
    }
}
