//! The table of vectors: one two-dimensional tensor of a safetensors file.
//!
//! The format is eight bytes of length, a JSON header of that length, and the
//! numbers as they are (<https://github.com/huggingface/safetensors>). Only what
//! a table needs is read, with every bound checked: the file is foreign.

use serde::Deserialize;
use std::collections::HashMap;

/// Longest header that is read.
const MAX_HEADER: usize = 1 << 20;

/// Widest vector; wider ones would make the index larger than the text.
const MAX_WIDTH: usize = 1_024;

/// Names of the tensor, in order of preference; else the only one with two dimensions.
const NAMES: [&str; 3] = ["embeddings", "embedding.weight", "embeddings.weight"];

/// A tensor as the header names it.
#[derive(Debug, Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

/// Vectors by number.
pub(super) struct Table {
    values: Vec<f32>,
    width: usize,
}

impl Table {
    pub(super) fn read(bytes: &[u8]) -> Result<Table, String> {
        let cut = || "it is cut short".to_owned();
        let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(cut)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        if length > MAX_HEADER {
            return Err("it is no safetensors file".to_owned());
        }
        let (header, data) = rest.split_at_checked(length).ok_or_else(cut)?;
        let tensor = chosen(header)?;
        let [rows, width] = tensor.shape[..] else {
            return Err("its tensor has not two dimensions".to_owned());
        };
        if rows == 0 || width == 0 || width > MAX_WIDTH {
            return Err(format!(
                "a table of {rows} x {width} numbers is not usable; width may be 1 to {MAX_WIDTH}"
            ));
        }
        let [from, to] = tensor.data_offsets;
        let data = data.get(from..to).ok_or_else(cut)?;
        let values = numbers(&tensor.dtype, data)?;
        if rows.checked_mul(width) != Some(values.len()) {
            return Err(format!("it holds {} numbers for {rows} x {width}", values.len()));
        }
        if !values.iter().all(|value| value.is_finite()) {
            return Err("it holds numbers that are none".to_owned());
        }
        Ok(Table { values, width })
    }

    pub(super) fn rows(&self) -> usize {
        self.values.len() / self.width
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The vector of a row; empty beyond the last.
    pub(super) fn row(&self, row: usize) -> &[f32] {
        let from = row.saturating_mul(self.width);
        self.values.get(from..from.saturating_add(self.width)).unwrap_or_default()
    }
}

fn chosen(header: &[u8]) -> Result<Tensor, String> {
    let mut all: HashMap<String, serde_json::Value> =
        serde_json::from_slice(header).map_err(|error| format!("its header is damaged ({error})"))?;
    all.remove("__metadata__");
    let named = NAMES.iter().find(|name| all.contains_key(**name)).map(|name| (*name).to_owned());
    let flat = |value: &serde_json::Value| value["shape"].as_array().is_some_and(|shape| shape.len() == 2);
    let only = || {
        let mut flat = all.iter().filter(|(_, value)| flat(value)).map(|(name, _)| name.clone());
        flat.next().filter(|_| flat.next().is_none())
    };
    let name = named.or_else(only).ok_or("it holds no table called `embeddings`")?;
    let tensor = all.remove(&name).unwrap_or_default();
    serde_json::from_value(tensor).map_err(|error| format!("its header is damaged ({error})"))
}

fn numbers(kind: &str, data: &[u8]) -> Result<Vec<f32>, String> {
    Ok(match kind {
        "F32" => data.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect(),
        "F16" => data.as_chunks().0.iter().map(|two| from_half(u16::from_le_bytes(*two))).collect(),
        "BF16" => {
            let wide = |two: &[u8; 2]| f32::from_bits(u32::from(u16::from_le_bytes(*two)) << 16);
            data.as_chunks().0.iter().map(wide).collect()
        }
        "I8" => data.iter().map(|byte| f32::from(byte.cast_signed())).collect(),
        other => {
            return Err(format!("numbers of type {other} are not understood; F32, F16, BF16 and I8 are"));
        }
    })
}

/// IEEE 754 binary16.
fn from_half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    match exponent {
        0 => sign * fraction * 2.0_f32.powi(-24),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        _ => sign * (1.0 + fraction / 1024.0) * 2.0_f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_is_read_as_it_is_written() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x3555, 0.333_251_95),
            (0x0001, 5.960_464_5e-8),
            (0x7bff, 65504.0),
        ] {
            assert!((from_half(bits) - value).abs() <= value.abs() * 1e-6, "{bits:x}");
        }
        assert!(from_half(0x7c00).is_infinite() && from_half(0x7e00).is_nan());
    }
}
