//! A mail with the mail before it and its sender.
#![no_main]

#[allow(dead_code)]
#[path = "../checks.rs"]
mod checks;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str)| checks::reply(input.0, input.1, input.2));
