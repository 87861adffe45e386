//! Connecting a portal: the consent flow, its refusals, and what happens to tokens.

use std::path::Path;

use hublore::hubspot::oauth::REQUIRED_SCOPES;
use secrecy::ExposeSecret;

use crate::support::{Answer, Browser, Installation, Portal, block_on};

/// The link of a running server's connect page.
fn link(here: &Installation) -> String {
    here.run(&["connect", "--json"]).ok().json()["link"].as_str().unwrap().to_owned()
}

#[test]
fn con_1_con_2_connect_redirects_to_hubspot_with_the_ruled_scopes() {
    let portal = Portal::start(&["--contacts", "1"]);
    let here = Installation::for_portal(&portal);
    let _server = here.serve();
    let sent = block_on(async { Browser::new().open(&link(&here)).await });
    assert_eq!(sent.status(), 302);
    let address = sent.headers()["location"].to_str().unwrap();
    assert!(address.starts_with(&format!("{}/oauth/authorize?", portal.address)), "{address}");
    for part in ["client_id=sim-client-id", "redirect_uri=", "state="] {
        assert!(address.contains(part), "{part} in {address}");
    }
    let scope = address.split("&scope=").nth(1).unwrap().split('&').next().unwrap();
    assert_eq!(scope.split("%20").collect::<Vec<_>>(), REQUIRED_SCOPES);
}

#[test]
fn con_3_tokens_are_nowhere_in_clear() {
    let portal = Portal::start(&["--contacts", "30"]);
    let mut here = Installation::for_portal(&portal);
    here.settings.insert("RUST_LOG".to_owned(), "trace".to_owned());
    here.settings.insert("HUBLORE_LOG__LEVEL".to_owned(), "trace".to_owned());
    let ran = here.connect_by_consent(Answer::Approve).ok();
    let tokens = stored_tokens(&here);
    for token in tokens {
        assert!(token.len() >= 20, "{token}");
        assert!(!ran.stdout.contains(&token) && !ran.stderr.contains(&token), "a token was printed");
        assert!(!folder_contains(&here.data(), token.as_bytes()), "a token lies in the data folder");
    }
    let secret = b"sim-client-secret";
    assert!(!folder_contains(&here.data(), secret), "the client secret lies in the data folder");
}

/// Access and refresh token, opened with the installation's own keys.
fn stored_tokens(here: &Installation) -> [String; 2] {
    let vault = hublore::vault::Vault::open(&here.data().join("keys")).unwrap();
    let read = |column: &str, purpose: &str| {
        let sql = format!("select org, {column} from connections");
        let (org, sealed): (String, Vec<u8>) =
            here.database().query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        vault.open_sealed(&format!("connection/{org}/{purpose}"), &sealed).unwrap().expose_secret().to_owned()
    };
    [read("access_token", "access"), read("refresh_token", "refresh")]
}

fn folder_contains(folder: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().map(Result::unwrap).any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return folder_contains(&path, needle);
        }
        std::fs::read(&path).unwrap().windows(needle.len()).any(|part| part == needle)
    })
}

#[test]
fn con_7_a_refused_consent_or_a_forged_state_stores_nothing() {
    let portal = Portal::start(&["--contacts", "5"]);
    let here = Installation::for_portal(&portal);
    let server = here.serve();
    let callback = format!("{}/api/integrations/hubspot/callback", server.address);

    let refused = block_on(async {
        let answer = Browser::new().consent(&link(&here), Answer::Deny).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    });
    assert_eq!(refused.0, 400);
    assert!(refused.1.contains("refused"), "{}", refused.1);

    let forged =
        block_on(async { Browser::new().open(&format!("{callback}?code=abc&state=guess")).await.status() });
    assert_eq!(forged, 400);

    // Another browser brings an answer that this installation did ask for.
    let stolen = block_on(async {
        let back = Browser::new().answer(&link(&here), Answer::Approve).await;
        Browser::new().open(&back).await.status()
    });
    assert_eq!(stolen, 400);

    // The same answer twice: the second is worth nothing.
    let twice = block_on(async {
        let mut browser = Browser::new();
        let back = browser.answer(&link(&here), Answer::Deny).await;
        (browser.open(&back).await.status(), browser.open(&back).await.text().await.unwrap())
    });
    assert!(twice.1.contains("not asked for here"), "{}", twice.1);

    assert_eq!(here.number("select count(*) from connections"), 0);
    assert_eq!(here.number("select count(*) from sync_runs"), 0);
}

/// Who waits at the command line is told what the browser was told, and need not wait for ten minutes.
#[test]
fn con_7_the_command_line_hears_of_a_refused_consent() {
    let portal = Portal::start(&["--contacts", "5"]);
    let mut here = Installation::for_portal(&portal);
    let ran = here.connect_by_consent(Answer::Deny);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("refused"), "{ran:?}");
    here.settings.insert("HUBLORE_HUBSPOT__CLIENT_SECRET".to_owned(), "wrong".to_owned());
    let ran = here.connect_by_consent(Answer::Approve);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("hubspot.client_secret"), "{ran:?}");
}

#[test]
fn con_8_a_token_that_expires_mid_sync_is_refreshed_once() {
    let portal =
        Portal::start(&["--contacts", "1500", "--engagements-per-contact", "4", "--latency-ms", "2-6"]);
    let here = Installation::for_portal(&portal);
    let report = std::thread::scope(|scope| {
        let syncing = scope.spawn(|| here.connect_by_consent(Answer::Approve));
        // Wait until pages are being read, then end every access token at once.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while portal.json("/__sim/journal")["total"].as_u64().unwrap() < 25 {
            assert!(std::time::Instant::now() < deadline, "the sync does not start");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        portal.post("/__sim/tokens/expire", &serde_json::json!({}));
        syncing.join().unwrap()
    });
    assert_eq!(report.ok().json()["outcome"], "complete");
    assert_eq!(here.ids("email"), portal.ids("emails"));
    let journal = portal.json("/__sim/journal");
    let calls = journal["routes"].as_object().unwrap();
    let tokens: u64 =
        calls.iter().filter(|(route, _)| route.ends_with("/token")).map(|(_, n)| n.as_u64().unwrap()).sum();
    assert_eq!(tokens, 2, "one exchange and one refresh for all workers: {journal}");
}

#[test]
fn a_service_key_is_never_dropped_without_a_word() {
    let portal = Portal::start(&["--contacts", "5"]);
    let here = Installation::for_portal(&portal);
    let empty = here.folder().join("empty");
    std::fs::write(&empty, "\n").unwrap();
    let ran = here.run(&["connect", "--service-key", empty.to_str().unwrap()]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("holds no service key"), "{ran:?}");

    let server = here.serve();
    let key = here.folder().join("key");
    std::fs::write(&key, crate::support::SERVICE_KEY).unwrap();
    let ran = here.run(&["connect", "--service-key", key.to_str().unwrap()]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("stop it"), "{ran:?}");
    drop(server);
}
