//! Rate limits: headers, refusals in HubSpot's words, and the journal's count of violations.

use hubspot_simulator::{Options, RateLimit};
use serde_json::{Value, json};

use crate::client::Portal;

#[test]
fn headers_are_on_everything_but_search() {
    let mut portal = Portal::of(20);
    let list = portal.get("/crm/v3/objects/contacts");
    assert_eq!(
        (list.header("x-hubspot-ratelimit-max"), list.header("x-hubspot-ratelimit-interval-milliseconds")),
        (Some("110"), Some("10000"))
    );
    assert!(list.header("x-hubspot-correlation-id").is_some());
    let search = portal.post("/crm/v3/objects/contacts/search", &Value::Null);
    assert!(
        search.header("x-hubspot-ratelimit-max").is_none()
            && search.header("x-hubspot-correlation-id").is_some()
    );
}

#[test]
fn the_burst_window_refuses_and_is_counted() {
    let mut portal =
        Portal::with(Options { contacts: 20, rate_limit: Some(RateLimit::burst(30)), ..Options::default() });
    for left in (0..30).rev() {
        let answer = portal.get("/crm/v3/objects/contacts");
        assert_eq!(
            (answer.status, answer.header("x-hubspot-ratelimit-remaining").unwrap().to_owned()),
            (200, left.to_string())
        );
    }
    let refused = portal.get("/crm/v3/objects/contacts");
    let body = refused.json();
    assert_eq!((refused.status, body["policyName"].as_str()), (429, Some("TEN_SECONDLY_ROLLING")));
    assert_eq!(body["message"], json!("You have reached your ten_secondly_rolling limit."));
    assert_eq!(body["errorType"], json!("RATE_LIMIT"));
    assert_eq!(body["correlationId"].as_str(), refused.header("x-hubspot-correlation-id"));
    for _ in 0..5 {
        portal.posted("/crm/v3/objects/contacts/search", &Value::Null);
    }
    let search = portal.post("/crm/v3/objects/contacts/search", &Value::Null);
    assert_eq!(
        (search.status, search.json()["message"].clone()),
        (429, json!("You have reached your secondly limit."))
    );
    let journal = portal.got("/__sim/journal");
    assert_eq!(journal["rate_limit_violations"], json!(2));
    assert_eq!(journal["violations"], json!({"TEN_SECONDLY_ROLLING": 1, "SECONDLY": 1}));
    portal.posted("/__sim/clock/advance", &json!({"ms": 10_000}));
    assert_eq!(portal.get("/crm/v3/objects/contacts").status, 200);
}

#[test]
fn the_daily_limit_ends_at_midnight() {
    let mut portal = Portal::of(20);
    portal.posted("/__sim/rate-limit", &json!({"per_ten_seconds": 100, "per_day": 3}));
    for _ in 0..3 {
        assert_eq!(portal.get("/crm/v3/owners").status, 200);
    }
    let refused = portal.get("/crm/v3/owners");
    assert_eq!((refused.status, refused.json()["policyName"].clone()), (429, json!("DAILY")));
    assert_eq!(refused.header("x-hubspot-ratelimit-daily-remaining"), Some("0"));
    portal.posted("/__sim/clock/advance", &json!({"ms": 86_400_000}));
    assert_eq!(portal.get("/crm/v3/owners").status, 200);
}

#[test]
fn the_journal_counts_routes_in_their_first_order() {
    let mut portal = Portal::of(20);
    let id = portal.truth_ids("contacts")[0].clone();
    portal.get("/crm/v3/objects/contacts");
    portal.get("/crm/objects/2026-09/0-1");
    portal.get(&format!("/crm/v3/objects/contacts/{id}"));
    portal.get("/nothing/here");
    let journal = portal.got("/__sim/journal");
    assert_eq!(
        journal["order"],
        json!(["GET crm/objects/contacts", "GET crm/objects/contacts/{id}", "unknown"])
    );
    assert_eq!(journal["routes"]["GET crm/objects/contacts"], json!(2));
    assert_eq!((journal["total"].clone(), journal["highest_concurrency"].clone()), (json!(4), json!(1)));
    portal.posted("/__sim/journal/reset", &Value::Null);
    assert_eq!(portal.got("/__sim/journal")["total"], json!(0));
}

#[test]
fn the_journal_knows_how_many_calls_were_under_way_at_once() {
    let mut portal = Portal::with(Options {
        contacts: 20,
        latency: Some((std::time::Duration::from_millis(80), std::time::Duration::from_millis(80))),
        ..Options::default()
    });
    let addr = portal.addr();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(move || {
                use std::io::{Read, Write};
                let mut stream = std::net::TcpStream::connect(addr).unwrap();
                stream
                    .write_all(b"GET /crm/v3/owners HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n\r\n")
                    .unwrap();
                stream.read_to_end(&mut Vec::new()).unwrap();
            });
        }
    });
    let highest = portal.got("/__sim/journal")["highest_concurrency"].as_u64().unwrap();
    assert!((2..=6).contains(&highest), "{highest}");
}

#[test]
fn it_listens_on_loopback_only() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused =
            hubspot_simulator::start(Options { listen: address.parse().unwrap(), ..Options::default() });
        assert!(matches!(refused, Err(hubspot_simulator::Error::NotLoopback(_))), "{address}");
    }
    let binary = std::process::Command::new(env!("CARGO_BIN_EXE_hubspot-simulator"))
        .args(["--listen", "0.0.0.0:0"])
        .output()
        .unwrap();
    assert!(!binary.status.success());
    assert!(String::from_utf8_lossy(&binary.stderr).contains("loopback only"));
}
