//! `hublore doctor` finds what is wrong, says what to do, and is quiet about what is right.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Answer, Installation, Portal, Ran};

fn check(ran: &Ran, name: &str) -> Value {
    let report = ran.json();
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no check `{name}`: {report}")).clone()
}

fn doctor(here: &Installation) -> Ran {
    here.run(&["doctor", "--json"])
}

/// A portal on the machine's time: its answers are dated now.
fn portal() -> Portal {
    Portal::start(&["--contacts", "20", "--seed", "71"])
}

#[test]
fn a_healthy_installation_passes_and_a_revoked_one_is_told_to_connect() {
    let portal = portal();
    let here = Installation::for_portal(&portal);
    let before = doctor(&here).ok();
    assert_eq!(check(&before, "database")["verdict"], "skipped");
    assert!(!here.data().exists(), "looking makes nothing");

    here.connect_by_consent(Answer::Approve).ok();
    let healthy = doctor(&here).ok();
    let report = healthy.json();
    for check in report["checks"].as_array().unwrap() {
        // The redirect address of a test is plain http on 127.0.0.1, which HubSpot would not take.
        let expected = if check["name"] == "hubspot app" { "warning" } else { "ok" };
        assert_eq!(check["verdict"], expected, "{check}");
    }
    let app = check(&healthy, "hubspot app");
    assert!(app["found"].as_str().unwrap().ends_with("/api/integrations/hubspot/callback"), "{app}");

    let server = here.serve();
    let beside = doctor(&here).ok();
    assert!(check(&beside, "connection")["found"].as_str().unwrap().contains("running server"));
    drop(server);

    portal.post("/__sim/tokens/revoke", &json!({}));
    let revoked = doctor(&here);
    assert_eq!(revoked.code, Some(1));
    assert_eq!(check(&revoked, "connection")["verdict"], "failed");
    assert!(check(&revoked, "connection")["found"].as_str().unwrap().contains("hublore connect"));
}

#[test]
fn what_is_broken_is_named_with_its_cure() {
    let portal = portal();
    let mut here = Installation::for_portal(&portal);
    here.connect_with_key();
    here.run(&["sync", "--quiet"]).ok();

    fs::set_permissions(here.data(), fs::Permissions::from_mode(0o755)).unwrap();
    let open = doctor(&here).ok();
    assert_eq!(check(&open, "data folder")["verdict"], "warning");
    assert!(check(&open, "data folder")["cure"].as_str().unwrap().starts_with("chmod 700"));
    assert_eq!(check(&open, "permissions")["verdict"], "skipped", "a service key tells nothing");

    here.settings.insert("HUBLORE_HUBSPOT__API_BASE".to_owned(), "http://127.0.0.1:9".to_owned());
    let away = doctor(&here);
    assert_eq!(away.code, Some(1));
    assert_eq!(check(&away, "hubspot")["verdict"], "failed");
    assert!(check(&away, "hubspot")["cure"].as_str().unwrap().contains("hubspot.api_base"));

    let database = fs::File::options().write(true).open(here.data().join("hublore.db")).unwrap();
    let size = database.metadata().unwrap().len();
    for page in (3..size / 4096).step_by(2) {
        database.write_all_at(&[0xa5; 2048], page * 4096).unwrap();
    }
    let damaged = doctor(&here);
    assert_eq!(damaged.code, Some(1));
    assert_eq!(check(&damaged, "database")["verdict"], "failed");
    assert!(check(&damaged, "database")["cure"].as_str().unwrap().contains("backup"));
}

#[test]
fn wrong_settings_point_to_the_list_of_settings() {
    let mut here = Installation::for_address("http://127.0.0.1:9");
    here.settings.insert("HUBLORE_SERVER__LISTENN".to_owned(), "x".to_owned());
    let ran = here.run(&["status"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("hublore doctor --settings"), "{ran:?}");
    let listed = here.run(&["doctor", "--settings"]).ok();
    assert!(listed.stdout.contains("public_url"));
}

/// The app an operator uploads asks for what the code asks for, and comes back to where the code listens.
#[test]
fn the_hubspot_app_matches_the_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("hubspot-app");
    let read = |file: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(folder.join(file)).unwrap()).unwrap()
    };
    assert_eq!(read("hsproject.json")["srcDir"], "src");
    let auth = &read("src/app/app-hsmeta.json")["config"]["auth"];
    assert_eq!(auth["requiredScopes"], json!(hublore::hubspot::oauth::REQUIRED_SCOPES));
    assert_eq!(auth["optionalScopes"], json!(hublore::hubspot::oauth::OPTIONAL_SCOPES));
    let config = hublore::config::Config::load(None).unwrap();
    let base = config.server.public_url.as_str().trim_end_matches('/').to_owned();
    let redirect = format!("{base}{}", hublore::sync::connection::CALLBACK_PATH);
    assert_eq!(auth["redirectUrls"], json!([redirect]));
}
