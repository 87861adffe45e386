//! Real mail: the bodies of a public corpus, served by the simulated portal, all arrive.
//!
//! The corpus is not part of the repository; without it the test says so and passes.

use std::path::PathBuf;

use crate::support::{Installation, Portal};

fn corpus() -> Option<PathBuf> {
    let shared = std::env::var_os("HUBLORE_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let folder = shared.join("corpora/spamassassin-mail");
    let files = std::fs::read_dir(folder).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|kind| kind == "jsonl")).collect();
    files.sort();
    files.into_iter().next()
}

#[test]
fn a_corpus_of_real_mail_arrives_complete() {
    let Some(corpus) = corpus() else {
        println!("skipped: ../shared/corpora/spamassassin-mail is not here");
        return;
    };
    let portal = Portal::start(&["--contacts", "100", "--corpus", corpus.to_str().unwrap()]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    let report = here.run(&["sync", "--json"]).ok().json();
    assert_eq!(report["outcome"], "complete", "{report}");
    assert_eq!(here.ids("email"), portal.ids("emails"));
    assert!(here.ids("email").len() > 500, "the corpus has more mails than that");
    here.verify();
}
