//! Optional meaning: texts as vectors, from a table of one vector for each piece
//! of a word, so that a question finds answers in other words.
//!
//! `table` reads the vectors, `pieces` cuts words into the pieces that have one.
//! Both come from a folder on this machine and are never fetched. A text is the
//! mean of its pieces, kept as small whole numbers. Nothing here searches.

mod pieces;
mod table;

use pieces::Pieces;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use table::Table;

/// Pieces of one text that count; the rest is left out.
const MAX_PIECES: usize = 1_024;

/// The files of a folder.
const TABLE: &str = "model.safetensors";
const TOKENIZER: &str = "tokenizer.json";

/// Why a folder cannot be used; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum MeaningError {
    /// A file is not there or cannot be read.
    #[error(
        "cannot read {path}: {source}; the folder must hold model.safetensors and tokenizer.json (docs/search.md), \
         or leave the setting empty to search by words alone"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is there and not what it should be.
    #[error(
        "{path} cannot be used: {reason}; copy the file again, or leave the setting empty to search by words alone"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// Turns texts into vectors.
pub struct Encoder {
    id: String,
    table: Table,
    pieces: Pieces,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Encoder {
    /// Reads a folder.
    ///
    /// # Errors
    /// [`MeaningError`] naming the file and what to do.
    pub fn open(folder: &Path) -> Result<Encoder, MeaningError> {
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path)
                .map(|bytes| (path.clone(), bytes))
                .map_err(|source| MeaningError::Unreadable { path, source })
        };
        let (table_path, table_bytes) = read(TABLE)?;
        let (tokenizer_path, tokenizer_bytes) = read(TOKENIZER)?;
        let mut hash = Sha256::new();
        hash.update(Sha256::digest(&table_bytes));
        hash.update(Sha256::digest(&tokenizer_bytes));
        let id = hash.finalize()[..8].iter().fold(String::new(), |out, byte| format!("{out}{byte:02x}"));
        let damaged = |path: &Path| {
            let path = path.to_owned();
            |reason| MeaningError::Damaged { path, reason }
        };
        let table = Table::read(&table_bytes).map_err(damaged(&table_path))?;
        let pieces = Pieces::read(&tokenizer_bytes).map_err(damaged(&tokenizer_path))?;
        if pieces.highest() >= table.rows() {
            let reason = format!(
                "it numbers pieces up to {}, the table has {} rows: they belong to different models",
                pieces.highest(),
                table.rows()
            );
            return Err(damaged(&tokenizer_path)(reason));
        }
        Ok(Encoder { id, table, pieces })
    }

    /// Changes when either file does.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The vector of some texts read as one; `None` where no piece of them is known.
    pub(crate) fn encode<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> Option<Vector> {
        let mut sum = vec![0.0_f32; self.table.width()];
        let mut left = MAX_PIECES;
        for text in texts {
            self.pieces.of(text, &mut left, &mut |piece| {
                for (sum, value) in sum.iter_mut().zip(self.table.row(piece)) {
                    *sum += value;
                }
            });
        }
        Vector::of(&sum)
    }
}

/// A direction, in steps of 1/127 of its largest part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vector(Vec<i8>);

impl Vector {
    fn of(values: &[f32]) -> Option<Vector> {
        let largest = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        if !(largest > 0.0 && largest.is_finite()) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "rounded values lie within -127 and 127")]
        let step = |value: &f32| (value / largest * 127.0).round() as i8;
        Some(Vector(values.iter().map(step).collect()))
    }

    /// As kept in the index.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().map(|value| value.cast_unsigned()).collect()
    }

    /// The cosine between this and a kept one, -1 to 1; 0 for one of another width.
    pub(crate) fn cosine(&self, kept: &[u8]) -> f32 {
        if kept.len() != self.0.len() {
            return 0.0;
        }
        let (mut product, mut own, mut other) = (0_i32, 0_i32, 0_i32);
        for (a, b) in self.0.iter().zip(kept) {
            let (a, b) = (i32::from(*a), i32::from(b.cast_signed()));
            product += a * b;
            own += a * a;
            other += b * b;
        }
        #[expect(clippy::cast_precision_loss, reason = "a cosine needs no more than 24 bits")]
        let lengths = (own as f32).sqrt() * (other as f32).sqrt();
        #[expect(clippy::cast_precision_loss, reason = "a cosine needs no more than 24 bits")]
        let product = product as f32;
        if lengths > 0.0 { product / lengths } else { 0.0 }
    }
}
