//! What a person types and reads: which commands begin a data folder, what is said where, and the codes they end with.

use std::process::{Command, Stdio};

use crate::support::Installation;

#[test]
fn a_mistyped_data_folder_is_named_and_not_made() {
    let here = Installation::for_address("http://127.0.0.1:9");
    let writing: [&[&str]; 9] = [
        &["rules", "add", "keyword", "secret"],
        &["agents", "create", "support"],
        &["modes", "ingest", "off"],
        &["segments", "save", "all", "--members", "contacts"],
        &["slack", "enable"],
        &["index", "rebuild"],
        &["webhooks", "replay", "--since", "1h"],
        &["disconnect"],
        &["sync"],
    ];
    let folder = here.data().to_str().unwrap().to_owned();
    for arguments in writing.iter().chain([&["status"][..], &["search", "x"]].iter()) {
        let ran = here.run(arguments);
        assert_eq!(ran.code, Some(3), "{arguments:?} {ran:?}");
        for said in [&*folder, "--data-dir", "hublore connect"] {
            assert!(ran.stderr.contains(said), "{arguments:?} {ran:?}");
        }
        assert!(!here.data().exists(), "{arguments:?}");
    }
    // What is meant to begin one does.
    here.begin();
    here.run(&["agents", "create", "support"]).ok();
}

#[test]
fn the_demo_has_a_folder_of_its_own_and_says_so() {
    let mut here = Installation::for_address("http://127.0.0.1:9");
    let demo = ["demo", "--once", "--json", "--contacts", "2"];
    for arguments in [&demo[..], &["--org", "org_x", "demo", "--once"]] {
        let ran = here.run(arguments);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains("--data-dir") && ran.stderr.contains("temporary"), "{ran:?}");
    }
    assert!(!here.data().exists());
    // The folder of everyday work, named in the environment, is neither refused nor touched.
    here.settings.insert("HUBLORE_DATA_DIR".to_owned(), here.data().to_str().unwrap().to_owned());
    let mut alone = Command::new(env!("CARGO_BIN_EXE_hublore"));
    let ran = alone.env_clear().envs(&here.settings).args(demo).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(!here.data().exists());
}

#[test]
fn a_log_level_that_does_not_exist_is_refused_with_those_that_do() {
    let mut here = Installation::for_address("http://127.0.0.1:9");
    here.begin();
    let file = here.folder().join("hublore.toml");
    std::fs::write(&file, "[log]\nlevel = \"bogus\"\n").unwrap();
    let in_file = here.run(&["--config", file.to_str().unwrap(), "status"]);
    here.settings.insert("HUBLORE_LOG__LEVEL".to_owned(), "bogus".to_owned());
    for ran in [in_file, here.run(&["status"]), here.run(&["serve"])] {
        assert_eq!(ran.code, Some(2), "{ran:?}");
        for said in ["log.level", "`bogus`", "off, error, warn, info, debug, trace", "hublore=debug"] {
            assert!(ran.stderr.contains(said), "{ran:?}");
        }
    }
    for level in ["DEBUG", "warn,hublore=debug", "off", "hublore::store=trace"] {
        here.settings.insert("HUBLORE_LOG__LEVEL".to_owned(), level.to_owned());
        here.run(&["status"]).ok();
    }
}

#[test]
fn what_is_logged_into_a_pipe_holds_no_colours() {
    let mut here = Installation::for_address("http://127.0.0.1:9");
    here.begin();
    here.settings.insert("HUBLORE_LOG__LEVEL".to_owned(), "trace".to_owned());
    let piped = here.run(&["agents", "create", "support"]).ok();
    assert!(piped.stderr.contains(" INFO "), "something is logged: {piped:?}");
    assert!(!piped.stderr.contains('\u{1b}'), "{piped:?}");
    // On a terminal there are colours, unless they are not wanted.
    let on_a_terminal = |no_color: Option<&str>| {
        let verb = here.command(&["agents", "create", "sales"]);
        let words: Vec<String> = std::iter::once(verb.get_program())
            .chain(verb.get_args())
            .map(|word| format!("'{}'", word.to_str().unwrap()))
            .collect();
        let mut script = Command::new("script");
        script.env_clear().envs(&here.settings).env("PATH", "/usr/bin:/bin").env("TERM", "xterm");
        script.envs(no_color.map(|value| ("NO_COLOR", value)));
        script.args(["-q", "-e", "-c", &words.join(" "), "/dev/null"]).stdin(Stdio::null());
        let ran = script.output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
        String::from_utf8_lossy(&ran.stdout).into_owned()
    };
    assert!(on_a_terminal(None).contains('\u{1b}'));
    assert!(!on_a_terminal(Some("1")).contains('\u{1b}'));
}
