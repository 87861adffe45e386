//! Secrets in bodies: listed by kind and place, never found and never shown; the operator may switch that off.

use serde_json::{Value, json};

use crate::support::chat::{Chat, finds};
use crate::support::{Installation, Portal};
use crate::text_secrets::seeded;

/// Twenty secrets in their sentences; the part in brackets is the secret.
const SECRETS: [&str; 20] = [
    "My card is [4111111111111111], thanks.",
    "Karte: [5500 0000 0000 0004]",
    "card number [378282246310005]",
    "Please pay to [DE89370400440532013000] until Friday",
    "IBAN [GB29 NWBK 6016 1331 9268 19] for the deposit",
    "IBAN: [FR1420041010050500013M02606]",
    "Password: [hunter2Kestrel!]",
    "Passwort: [Zaunkoenig77!]",
    "Mot de passe : [Martinpecheur9!]",
    "Contraseña: [Colibri2026!]",
    "the wifi password is [PelicanBay4411]",
    "use [sk_live_4eC39HqLyjWDarjtT1zdp7dc] for the test",
    "token [ghp_16C7e42F292c6912E7710c838347Ae178B4a] is mine",
    "bot [xoxb-123456789012-abcdefGHIJKLmnop]",
    "key [AKIAIOSFODNN7EXAMPLE] in the file",
    "Authorization: Bearer [mF9B5f41JqMx8kT2wQ7zR3vY6nL0pH4s]",
    "Your verification code is [493817].",
    "OTP: [220495]",
    "Ihr Sicherheitscode lautet [718263].",
    "https://admin:[s3cretHeron]@backup.example.com/",
];

fn synced(mask: bool) -> (Portal, Installation) {
    let portal = Portal::start(&["--contacts", "3", "--engagements-per-contact", "0"]);
    let mut here = Installation::for_portal(&portal);
    if !mask {
        here.settings.insert("HUBLORE_PRIVACY__MASK_SECRETS".to_owned(), "false".to_owned());
    }
    here.connect_with_key();
    let lines: Vec<String> =
        SECRETS.iter().map(|line| format!("<p>{}</p>", line.replace(['[', ']'], ""))).collect();
    let contact = &portal.ids("contacts")[0];
    let note = json!({
        "properties": {
            "hs_note_body": format!("<p>wombatmarker access list</p>{}", lines.concat()),
            "hs_timestamp": "2026-11-20T10:00:00Z",
        },
        "associations": {"contacts": [contact]},
    });
    portal.post("/__sim/objects/notes", &note);
    here.run(&["sync", "--json"]).ok();
    (portal, here)
}

fn values() -> Vec<&'static str> {
    let inside = |line: &'static str| line.split(['[', ']']).nth(1);
    SECRETS.into_iter().filter_map(inside).collect()
}

#[test]
fn twenty_seeded_secrets_are_listed_but_neither_found_nor_shown() {
    let (_portal, here) = synced(true);
    let shown = here.run(&["search", "--json", "wombatmarker"]).ok().stdout;
    assert!(shown.contains("wombatmarker"));
    for value in values() {
        assert!(!shown.contains(value), "{value} is shown");
        let word = value.replace(' ', "");
        for asked in [value.to_owned(), format!("\"{value}\""), word] {
            let found = here.run(&["search", "--json", &asked]).ok().stdout;
            assert!(!found.contains(value), "{value} is found");
        }
    }
    let listed = here.texts("select secrets from hubspot_engagements where secrets is not null");
    let listed: Vec<serde_json::Value> = serde_json::from_str(&listed[0]).unwrap();
    assert!(listed.len() >= SECRETS.len(), "{listed:?}");
    assert!(listed.iter().all(|secret| secret["kind"].is_string() && secret["start"].is_u64()));
    let text = serde_json::to_string(&listed).unwrap();
    assert!(values().iter().all(|value| !text.contains(value)));
    for column in ["text from passages", "coalesce(title, '') from hubspot_engagements"] {
        let stored = here.texts(&format!("select {column}")).concat();
        assert!(values().iter().all(|value| !stored.contains(value)), "{column}");
    }
}

#[test]
fn masking_can_be_switched_off() {
    let (_portal, here) = synced(false);
    assert_eq!(here.search("PelicanBay4411").len(), 1);
    assert_eq!(here.number("select count(*) from hubspot_engagements where secrets is not null"), 0);
}

#[test]
fn a_thousand_seeded_secrets_reach_neither_index_nor_passages_nor_insights_nor_a_model() {
    let chat = Chat::start(finds("yard", "environment.place"));
    let portal = Portal::start(&["--contacts", "3", "--engagements-per-contact", "0"]);
    let mut here = Installation::for_portal(&portal);
    for (name, value) in [("BASE_URL", chat.base.as_str()), ("NAME", "test-model"), ("API_KEY", "any")] {
        here.settings.insert(format!("HUBLORE_MODEL__{name}"), value.to_owned());
    }
    here.connect_with_key();
    let contact = &portal.ids("contacts")[0];
    let secrets = seeded();
    for lines in secrets.chunks(10) {
        let lines: Vec<String> = lines.iter().map(|(_, line)| format!("<p>{line}</p>")).collect();
        let body =
            format!("<p>The boxes stand in the yard. The contract renews in May.</p>{}", lines.concat());
        let note = json!({
            "properties": {"hs_note_body": body, "hs_timestamp": "2026-11-20T10:00:00Z"},
            "associations": {"contacts": [contact]},
        });
        portal.post("/__sim/objects/notes", &note);
    }
    here.run(&["sync", "--json"]).ok();
    let asked: String = chat.asked().iter().map(Value::to_string).collect();
    assert!(asked.contains("yard"), "the model was asked about these notes");
    let stored = here.texts("select text from passages").concat();
    let insights = here.texts("select statement || ' ' || coalesce(value, '') from insights").concat();
    assert!(stored.contains("[one_time_code]") && insights.contains("yard"), "{insights}");
    for (value, line) in &secrets {
        for (place, text) in [("a request", &asked), ("passages", &stored), ("insights", &insights)] {
            assert!(!text.contains(value.as_str()), "{place}: {line}");
        }
    }
    let key = here.run(&["agents", "create", "helper", "--json"]).ok().json()["key"].clone();
    let server = here.serve();
    for (value, line) in &secrets {
        let query = json!({"query": format!("\"{value}\""), "limit": 3});
        let (status, found) = server.request("POST", "/api/v1/search", key.as_str(), Some(&query)).unwrap();
        let found: Value = serde_json::from_str(&found).unwrap();
        assert_eq!((status, found["hits"].as_array().map(Vec::len)), (200, Some(0)), "{line}: {found}");
    }
}
