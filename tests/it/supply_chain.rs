//! Known defects of what we depend on: the lock file against a copy of the RustSec advisory database.
//!
//! The database is not part of the repository; without it the test says so and passes.

use std::path::PathBuf;

use rustsec::database::Query;
use rustsec::{Database, Lockfile};

#[test]
fn no_dependency_has_a_known_vulnerability() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("HUBLORE_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let folder = shared.join("advisory-db");
    if !folder.is_dir() {
        println!("skipped: {} is not here", folder.display());
        return;
    }
    let database = Database::open(&folder).unwrap();
    let lockfile = Lockfile::load(root.join("Cargo.lock")).unwrap();
    let found = database.query_vulnerabilities(&lockfile, &Query::crate_scope());
    let names: Vec<String> = found
        .iter()
        .map(|one| format!("{} {}: {}", one.package.name, one.package.version, one.advisory.id))
        .collect();
    assert!(names.is_empty(), "{names:#?}");
    // A lock file with a package that is known to be bad must be noticed, or this test proves nothing.
    let planted = "version = 4\n[[package]]\nname = \"time\"\nversion = \"0.1.42\"\n\
                   source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
    let planted: Lockfile = planted.parse().unwrap();
    assert!(!database.query_vulnerabilities(&planted, &Query::crate_scope()).is_empty());
}
