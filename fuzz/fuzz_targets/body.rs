//! Any body of any kind.
#![no_main]

#[allow(dead_code)]
#[path = "../checks.rs"]
mod checks;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, bool, &str, &str)| checks::body(input.0, input.1, input.2, input.3));
