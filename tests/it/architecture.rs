//! The arrows between modules, read from the source: who may use whom.

use std::fs;
use std::path::{Path, PathBuf};

/// Layers from the outside in: a module may use itself, `crate` items listed for it, and nothing else.
const ALLOWED: [(&str, &[&str]); 25] = [
    ("domain", &[]),
    ("http", &[]),
    ("text", &[]),
    ("rules", &["domain", "text"]),
    ("insights", &["domain", "http", "text"]),
    ("store", &["domain", "params"]),
    ("vault", &[]),
    ("config", &["domain", "hubspot"]),
    ("hubspot", &["domain", "config", "http"]),
    ("pipeline", &["domain", "text", "rules", "insights", "store", "hubspot"]),
    ("sync", &["domain", "config", "hubspot", "pipeline", "store", "vault"]),
    ("webhooks", &["config", "domain", "hubspot", "pipeline", "store", "sync"]),
    ("knowledge", &["domain", "store", "text"]),
    ("actions", &["domain", "hubspot", "store", "sync", "text", "vault"]),
    ("agents", &["domain", "store", "vault"]),
    ("segments", &["domain", "store"]),
    ("modes", &["domain", "store"]),
    ("notify", &["config", "domain", "http", "hubspot", "store", "text", "vault"]),
    ("learning", &["domain", "insights", "rules", "store", "vault"]),
    (
        "app",
        &[
            "actions",
            "domain",
            "config",
            "insights",
            "knowledge",
            "learning",
            "notify",
            "pipeline",
            "rules",
            "store",
            "sync",
            "vault",
            "webhooks",
        ],
    ),
    ("status", &["app", "domain", "hubspot", "knowledge", "notify", "store", "webhooks"]),
    ("jobs", &["app", "domain", "notify", "store", "sync", "webhooks"]),
    ("doctor", &["app", "config", "domain", "hubspot", "notify", "status", "store", "sync", "webhooks"]),
    (
        "server",
        &[
            "actions",
            "agents",
            "app",
            "domain",
            "jobs",
            "knowledge",
            "learning",
            "modes",
            "notify",
            "pipeline",
            "segments",
            "status",
            "store",
            "sync",
            "vault",
            "webhooks",
        ],
    ),
    (
        "cli",
        &[
            "actions",
            "agents",
            "app",
            "config",
            "doctor",
            "domain",
            "http",
            "hubspot",
            "jobs",
            "knowledge",
            "learning",
            "modes",
            "notify",
            "segments",
            "server",
            "status",
            "store",
            "sync",
            "webhooks",
        ],
    ),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

fn under(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    found.sort();
    found
}

/// Source without its inline tests and without comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn module_of(path: &Path) -> String {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let inside = path.strip_prefix(source).unwrap();
    let first = inside.iter().next().unwrap().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// Modules of ours that a piece of source names after `crate::`.
fn used(code: &str) -> Vec<String> {
    let names = code.match_indices("crate::").map(|(at, word)| {
        let rest = &code[at + word.len()..];
        rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
    });
    names.filter(|name| !name.is_empty()).collect()
}

#[test]
fn modules_use_only_what_the_arrows_allow() {
    let mut wrong = Vec::new();
    for path in under("src") {
        let module = module_of(&path);
        if module == "main" || module == "lib" {
            continue;
        }
        let allowed = ALLOWED.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed);
        let allowed = allowed.unwrap_or_else(|| panic!("{module} has no place in the arrows"));
        for name in used(&code(&path)) {
            if name != module && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{} uses {name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn crates_stay_apart() {
    for (folder, forbidden) in [
        ("index/src", &["hublore::", "hubspot_simulator", "rusqlite", "reqwest", "\"hubspot:"][..]),
        ("simulator/src", &["hublore::", "hublore_index"]),
    ] {
        for path in under(folder) {
            let code = code(&path);
            for word in forbidden {
                assert!(!code.contains(word), "{} names {word}", path.display());
            }
        }
    }
}

#[test]
fn sql_hubspot_paths_and_prefixes_are_written_in_one_place_each() {
    let rules: [(&str, &[&str]); 3] = [
        ("store", &["\"select ", "\"insert into ", "\"update ", "\"delete from "]),
        ("hubspot", &["\"/crm/", "\"/oauth/"]),
        ("domain", &["\"hubspot:\"", "\"distilled:hubspot:\""]),
    ];
    for path in under("src") {
        let (module, code) = (module_of(&path), code(&path));
        for (owner, words) in rules {
            let found = words.iter().find(|word| code.contains(**word));
            assert!(module == owner || found.is_none(), "{}: {found:?} belongs into {owner}", path.display());
        }
    }
}

#[test]
fn every_file_opens_with_its_purpose() {
    for folder in ["src", "index/src", "simulator/src", "tests", "benches"] {
        for path in under(folder) {
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("//!"), "{} does not say what it is for", path.display());
        }
    }
}

#[test]
fn domain_and_store_never_await() {
    for path in under("src") {
        if ["domain", "store", "text", "rules"].contains(&module_of(&path).as_str()) {
            assert!(!code(&path).contains(".await"), "{} awaits", path.display());
        }
    }
}

#[test]
fn of_the_insights_only_the_model_path_talks_to_the_network() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/insights/model");
    for path in under("src/insights").iter().filter(|path| !path.starts_with(&model)) {
        for word in [".await", "async fn", "reqwest", "crate::http", "std::net", "std::fs"] {
            assert!(!code(path).contains(word), "{} has {word}", path.display());
        }
    }
}
