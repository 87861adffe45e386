//! What ranking may be tuned by, with the defaults that measured best.
//!
//! Figures: `cargo test -p hublore-index --release --test quality -- --nocapture`.

use super::schema::Fields;
use tantivy::schema::Field;

/// How hits are ranked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranking {
    /// The share of the true average length the engine is told, which sets both BM25
    /// parameters: k1 = 0.3 + 0.9 / scale, b = 0.9 / (scale × k1).
    pub length_scale: f64,
    /// Weight of a word in the title, where 1 is its weight in the body.
    pub title_weight: f32,
    /// Weight of a word in the names.
    pub names_weight: f32,
    /// Queries of at most this many words put passages with all of them first.
    pub all_words_up_to: usize,
}

impl Default for Ranking {
    fn default() -> Self {
        Ranking {
            length_scale: 0.75,
            title_weight: 1.0,
            names_weight: 1.0,
            all_words_up_to: 3,
        }
    }
}

impl Ranking {
    pub(crate) fn weight(&self, fields: &Fields, field: Field) -> f32 {
        if field == fields.title {
            self.title_weight
        } else if field == fields.names {
            self.names_weight
        } else {
            1.0
        }
    }
}
