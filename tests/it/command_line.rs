//! What a person types and reads: which commands begin a data folder, what is said where, and the codes they end with.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::support::{Installation, Portal};

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

/// Every code stands in `--help` and in the documentation, and is what the binary ends with.
#[test]
fn the_exit_codes_are_those_of_the_table() {
    let portal = Portal::start(&["--contacts", "2"]);
    let mut here = Installation::for_portal(&portal);
    let failed = {
        let mut elsewhere = Installation::for_address("http://127.0.0.1:9");
        elsewhere.settings.insert("HUBLORE_HUBSPOT__ATTEMPTS".to_owned(), "1".to_owned());
        let key = elsewhere.folder().join("key");
        std::fs::write(&key, "pat-na1-x").unwrap();
        elsewhere.run(&["connect", "--service-key", key.to_str().unwrap()]).code
    };
    let refused = here.run(&["sync"]).code;
    let interrupted = {
        let mut waiting = here.command(&["connect", "--json"]).stdout(Stdio::null()).spawn().unwrap();
        let reachable = || std::net::TcpStream::connect(("127.0.0.1", here.port)).is_ok();
        while !reachable() {
            assert!(waiting.try_wait().unwrap().is_none(), "it waits for the consent");
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(300));
        Command::new("kill").args(["-INT", &waiting.id().to_string()]).status().unwrap();
        waiting.wait().unwrap().code()
    };
    let done = here.run(&["status"]).code;
    here.settings.insert("HUBLORE_NO__SUCH".to_owned(), "1".to_owned());
    let usage = here.run(&["status"]).code;
    here.settings.remove("HUBLORE_NO__SUCH");

    let help = here.run(&["--help"]).ok().stdout;
    let (_, help) = help.split_once("Exit codes:\n").unwrap();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let documented = std::fs::read_to_string(folder.join("docs/operations.md")).unwrap();
    let ended = [
        (done, "done"),
        (failed, "failed"),
        (usage, "wrong usage"),
        (refused, "refused"),
        (interrupted, "interrupted"),
    ];
    let lines: Vec<(&str, &str)> = help.lines().filter_map(|line| line.trim().split_once("  ")).collect();
    assert_eq!(lines.len(), ended.len(), "{help}");
    for ((code, begins), (told, meaning)) in ended.into_iter().zip(lines) {
        assert_eq!(code.map(|code| code.to_string()).as_deref(), Some(told), "{begins}");
        assert!(meaning.starts_with(begins), "{meaning}");
        assert!(documented.contains(&format!("| {told} | {meaning} |")), "{told} {meaning}");
    }
}

#[test]
fn one_is_told_as_one() {
    let portal = Portal::start(&["--contacts", "1", "--engagements-per-contact", "0"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    let note = json!({
        "properties": {"hs_note_body": "<p>A single note.</p>", "hs_timestamp": "2026-03-01T10:00:00Z"},
        "associations": {"contacts": portal.ids("contacts")}
    });
    portal.post("/__sim/objects/notes", &note);
    let sync = here.run(&["sync", "--quiet"]).ok().stdout;
    let status = here.run(&["status"]).ok().stdout;
    let rules = here.run(&["rules", "test", "keyword", "single"]).ok().stdout;
    let saved = here.run(&["segments", "save", "all", "--members", "contacts"]).ok().stdout;
    let shown = here.run(&["segments", "show", "all"]).ok().stdout;
    let doctor = here.run(&["doctor"]).stdout;
    for (text, said) in [
        (&sync, "1 document,"),
        (&status, "1 contact,"),
        (&status, "1 engagement ("),
        (&status, "1 document,"),
        (&rules, "1 engagement would be judged"),
        (&saved, "now in it: 1 contact, with "),
        (&shown, "all: 1 contact, "),
        (&doctor, "1 contact, 1 engagement"),
    ] {
        assert!(text.contains(said), "no `{said}` in {text}");
    }
    let all = [sync, status, rules, saved, shown, doctor].concat();
    let words: Vec<&str> = all.split_whitespace().collect();
    let plural = |word: &str| {
        let word = word.trim_end_matches([',', ';', '.']);
        ["contacts", "companies", "deals", "engagements", "documents", "changes", "requests"].contains(&word)
    };
    for pair in words.windows(2) {
        assert!(!(pair[0].trim_start_matches('(') == "1" && plural(pair[1])), "{} {}", pair[0], pair[1]);
    }
}
