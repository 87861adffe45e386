//! Bad input and bad luck: a clear sentence, the right exit code, and nothing lost.

use std::process::Command;

use crate::support::{Installation, Portal};

#[test]
fn an_unreachable_portal_is_named() {
    let mut here = Installation::for_address("http://127.0.0.1:9");
    here.settings.insert("HUBLORE_HUBSPOT__ATTEMPTS".to_owned(), "2".to_owned());
    let key = here.folder().join("key");
    std::fs::write(&key, "pat-na1-x").unwrap();
    let ran = here.run(&["connect", "--service-key", key.to_str().unwrap()]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.stderr.contains("cannot be reached") && ran.stderr.contains("hubspot.api_base"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("panicked"));
}

#[test]
fn a_wrong_client_secret_is_our_mistake_not_the_portals() {
    let portal = Portal::start(&["--contacts", "1"]);
    let mut here = Installation::for_portal(&portal);
    here.settings.insert("HUBLORE_HUBSPOT__CLIENT_SECRET".to_owned(), "wrong".to_owned());
    let server = here.serve();
    let link = here.run(&["connect", "--json"]).ok().json()["link"].as_str().unwrap().to_owned();
    let (status, page) = crate::support::block_on(async {
        let answer = crate::support::Browser::new().consent(&link, crate::support::Answer::Approve).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    });
    assert_eq!(status, 502);
    assert!(page.contains("hubspot.client_secret"), "{page}");
    assert_eq!(here.number("select count(*) from connections"), 0);
    drop(server);
}

#[test]
fn without_a_connection_sync_is_refused() {
    let here = Installation::for_address("http://127.0.0.1:9");
    let ran = here.run(&["sync"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("hublore connect"), "{}", ran.stderr);
}

#[test]
fn an_unset_client_id_is_told_before_any_browser_opens() {
    let mut here = Installation::for_address("http://127.0.0.1:9");
    here.settings.insert("HUBLORE_HUBSPOT__CLIENT_ID".to_owned(), String::new());
    let ran = here.run(&["connect"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("hubspot.client_id"), "{}", ran.stderr);
}

#[test]
fn settings_and_arguments_that_do_not_exist_are_wrong_usage() {
    let mut here = Installation::for_address("http://127.0.0.1:9");
    for arguments in
        [&["sync", "quick"][..], &["nonsense"], &["search", "--since", "soon"], &["serve", "--listen", "x"]]
    {
        let ran = here.run(arguments);
        assert_eq!(ran.code, Some(2), "{ran:?}");
    }
    here.settings.insert("HUBLORE_HUBSPOT__CLINET_ID".to_owned(), "x".to_owned());
    let ran = here.run(&["status"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("clinet_id"), "{}", ran.stderr);
}

#[test]
fn the_data_folder_may_come_from_the_environment() {
    let mut here = Installation::for_address("http://127.0.0.1:9");
    here.settings.insert("HUBLORE_DATA_DIR".to_owned(), "/nonexistent".to_owned());
    here.begin();
    // The option beats the variable, and the variable is not mistaken for a setting.
    here.run(&["index", "stats"]).ok();
}

#[test]
fn a_second_process_on_the_same_folder_is_told_and_changes_nothing() {
    let portal = Portal::start(&["--contacts", "10"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    let server = here.serve();
    let second = here.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.stderr.contains("another hublore is using"), "{}", second.stderr);
    // What only reads works beside the server, and a sync is handed over to it.
    here.run(&["status", "--json"]).ok();
    let report = here.run(&["sync", "--json"]).ok().json();
    assert_eq!(report["outcome"], "complete");
    assert_eq!(server.stop(), Some(0));
    assert_eq!(here.ids("contacts").len(), 10);
}

#[test]
fn an_unknown_customer_is_a_plain_answer() {
    let portal = Portal::start(&["--contacts", "3"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    here.run(&["sync"]).ok();
    let ran = here.run(&["context", "nobody@nowhere.example"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("nobody@nowhere.example"), "{}", ran.stderr);
}

/// A file size limit stands in for a full disk: writes beyond it fail the same way, without a mount.
#[test]
fn a_full_disk_is_told_and_the_sync_goes_on_when_there_is_room() {
    let portal = Portal::start(&["--contacts", "400"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    let sync = here.command(&["sync", "--json"]);
    let mut limited = Command::new("bash");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 600; exec \"$0\" \"$@\""])
        .arg(sync.get_program())
        .args(sync.get_args());
    limited.env_clear().envs(sync.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.env("PATH", "/usr/bin:/bin");
    let output = limited.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("disk is full"), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");

    let report = here.run(&["sync", "--json"]).ok().json();
    assert_eq!(report["outcome"], "complete");
    for (kind, record_type) in [("contacts", "contacts"), ("email", "emails"), ("note", "notes")] {
        assert_eq!(here.ids(kind), portal.ids(record_type), "{kind}");
    }
    here.verify();
}

#[test]
fn going_back_to_an_index_that_never_was_is_said_so() {
    let here = Installation::for_address("http://127.0.0.1:9");
    here.begin();
    let ran = here.run(&["index", "rollback"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("no earlier index"), "{ran:?}");
    let server = here.serve();
    let ran = here.run(&["index", "rollback"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("no earlier index"), "{ran:?}");
    drop(server);
}

/// Even what no handler sees is answered with a problem document, and no answer may be kept or sniffed at.
#[test]
fn every_refusal_has_words_and_no_answer_may_be_kept() {
    let here = Installation::for_address("http://127.0.0.1:9");
    let server = here.serve();
    for (method, path, body, status, kind) in [
        (
            "PUT",
            "/api/integrations/hubspot/other-portal",
            String::new(),
            405,
            "urn:hublore:method-not-allowed",
        ),
        ("GET", "/api/v1/nowhere", String::new(), 404, "urn:hublore:not-found"),
        ("POST", "/api/v1/search", "{}".to_owned(), 401, "urn:hublore:unauthorized"),
    ] {
        let (got, headers, text) = server.raw(method, path, &body);
        assert_eq!(got, status, "{method} {path}: {text}");
        let problem: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        assert_eq!(
            (problem["type"].as_str(), problem["status"].as_u64()),
            (Some(kind), Some(got.into())),
            "{text}"
        );
        for line in
            ["x-content-type-options: nosniff", "referrer-policy: no-referrer", "cache-control: no-store"]
        {
            assert!(headers.contains(line), "{method} {path}: no {line} in {headers}");
        }
        assert!(status != 405 || headers.contains("allow: POST"), "{headers}");
    }
    // Only announced: a body that is refused unread may end the connection under who sends it.
    let told = crate::support::announced(&server.address, "/api/v1/search", 3 << 20);
    assert!(told.starts_with("HTTP/1.1 413") && told.contains("urn:hublore:too-large"), "{told}");
    let (status, headers, page) = server.raw("GET", "/integrations/hubspot/connect", "");
    assert!(status >= 400 && page.contains("<h1>"), "{status} {page}");
    assert!(headers.contains("cache-control: no-store"), "{headers}");
}

/// Who has no key is told so before its body is waited for: slow senders hold nothing.
#[test]
fn without_a_key_nobody_waits_for_a_body() {
    use std::io::{Read, Write};
    let here = Installation::for_address("http://127.0.0.1:9");
    let server = here.serve();
    let address = server.address.trim_start_matches("http://");
    for path in
        ["/api/v1/search", "/api/v1/actions/create_note", "/api/v1/admin/rules", "/api/v1/admin/rules/test"]
    {
        let mut line = std::net::TcpStream::connect(address).unwrap();
        line.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer hl_no\r\ncontent-length: 900\r\n\r\n"
        );
        line.write_all(head.as_bytes()).unwrap();
        let mut begun = [0; 12];
        line.read_exact(&mut begun).unwrap();
        assert_eq!(&begun, b"HTTP/1.1 401", "{path}");
    }
}

/// The first command after an upgrade brings the database up to date; beside an older server it says what to do.
#[test]
fn a_data_folder_of_an_older_version_is_brought_up_to_date_by_whoever_comes_first() {
    let portal = Portal::start(&["--contacts", "3"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    let tables = || here.texts("select name from sqlite_master where sql is not null order by name");
    let now = tables();
    // What the newest step made is taken away again; a newer step belongs in here.
    let newest = || {
        let database = rusqlite::Connection::open(here.data().join("hublore.db")).unwrap();
        for table in ["slack", "notification_types", "notifications", "deliveries"] {
            database.execute_batch(&format!("drop table if exists {table}")).unwrap();
        }
        database.execute_batch("alter table action_executions drop column company").unwrap();
        database.execute_batch("delete from refinery_schema_history where version >= 20").unwrap();
    };
    newest();
    assert_ne!(tables(), now);
    here.run(&["status"]).ok();
    assert_eq!(tables(), now);
    newest();
    let owner = std::fs::File::open(here.data().join("lock")).unwrap();
    owner.lock().unwrap();
    let ran = here.run(&["status"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("older hublore") && !ran.stderr.contains("no such table"), "{ran:?}");
}

/// A reader that has seen enough (`| head`) is no mishap.
#[test]
fn a_closed_pipe_ends_a_listing_without_words() {
    let portal = Portal::start(&["--contacts", "20"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    here.run(&["sync", "--json"]).ok();
    let mut listing = here
        .command(&["status", "--json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(listing.stdout.take());
    let ended = listing.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(0), ""));
}
