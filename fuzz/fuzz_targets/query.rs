//! A query and a text.
#![no_main]

#[allow(dead_code)]
#[path = "../checks.rs"]
mod checks;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, u8, u16)| checks::query(input.0, input.1, input.2, input.3));
