//! Parse, build, run, exit code. Everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    hublore::cli::main()
}
