//! The section `search`: as written, then as meant.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::{ConfigError, bad};
use crate::domain::engagement::Kind;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenSearch {
    recency_weight: f32,
    recency_half_life_days: f32,
    kinds: BTreeMap<String, f32>,
    semantic: String,
}

/// What counts in a search beside the words.
#[derive(Debug, Clone)]
pub struct Search {
    /// The most that age may take from a score, 0 to 1.
    pub recency_weight: f32,
    /// Days after which half of that is taken.
    pub recency_half_life_days: f32,
    /// Factors of kinds.
    pub kinds: Vec<(String, f32)>,
    /// Folder with a table of meanings; `None` searches by words alone.
    pub semantic: Option<PathBuf>,
}

impl WrittenSearch {
    /// As meant.
    pub(super) fn check(self) -> Result<Search, ConfigError> {
        if !(0.0..=1.0).contains(&self.recency_weight) {
            return bad(format!("search.recency_weight: {} is not between 0 and 1", self.recency_weight));
        }
        if !(1.0..=100_000.0).contains(&self.recency_half_life_days) {
            let days = self.recency_half_life_days;
            return bad(format!("search.recency_half_life_days: {days} is not a number of days above 1"));
        }
        for (kind, factor) in &self.kinds {
            let known = kind == "insight" || Kind::parse(kind).is_some();
            if !known {
                return bad(format!("search.kinds: `{kind}` is not a kind like email, note or insight"));
            }
            if !(0.1..=10.0).contains(factor) {
                return bad(format!("search.kinds: {kind} = {factor} is not between 0.1 and 10"));
            }
        }
        Ok(Search {
            recency_weight: self.recency_weight,
            recency_half_life_days: self.recency_half_life_days,
            kinds: self.kinds.into_iter().collect(),
            semantic: (!self.semantic.is_empty()).then(|| PathBuf::from(self.semantic)),
        })
    }
}
