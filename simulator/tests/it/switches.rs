//! Switches of the controls that no other story turns: how deliveries bend the rules, what held calls do, and the
//! exact body of a refusal.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Portal;

/// Answers every delivery with a status, several at once, and keeps what came.
struct Receiver {
    url: String,
    events: Arc<Mutex<Vec<Value>>>,
    under_way: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    gate: Arc<AtomicUsize>,
}

impl Receiver {
    /// Deliveries are answered once as many as `together` were under way at the same time.
    fn start(status: u16, together: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let this = Self {
            url: format!("http://{}/hook", listener.local_addr().unwrap()),
            events: Arc::default(),
            under_way: Arc::default(),
            most: Arc::default(),
            gate: Arc::new(AtomicUsize::new(together)),
        };
        let (events, under_way) = (Arc::clone(&this.events), Arc::clone(&this.under_way));
        let (most, gate) = (Arc::clone(&this.most), Arc::clone(&this.gate));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (events, under_way) = (Arc::clone(&events), Arc::clone(&under_way));
                let (most, gate) = (Arc::clone(&most), Arc::clone(&gate));
                std::thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let body = body_of(&mut stream);
                    let now = under_way.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    events.lock().unwrap().extend(body.as_array().unwrap().clone());
                    // A delivery too many would show within this time.
                    let until = Instant::now() + Duration::from_secs(3);
                    while most.load(Ordering::SeqCst) < gate.load(Ordering::SeqCst) && Instant::now() < until
                    {
                        std::thread::sleep(Duration::from_millis(2));
                    }
                    std::thread::sleep(Duration::from_millis(20));
                    under_way.fetch_sub(1, Ordering::SeqCst);
                    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
                    stream.write_all(answer.as_bytes()).unwrap();
                });
            }
        });
        this
    }

    fn types(&self) -> Vec<String> {
        let events = self.events.lock().unwrap();
        events.iter().map(|event| event["subscriptionType"].as_str().unwrap().to_owned()).collect()
    }
}

fn body_of(stream: &mut TcpStream) -> Value {
    let (mut bytes, mut buffer) = (Vec::new(), [0_u8; 65_536]);
    loop {
        let read = stream.read(&mut buffer).unwrap();
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((_, body)) = text.split_once("\r\n\r\n")
            && let Ok(body) = serde_json::from_str(body)
        {
            return body;
        }
    }
}

fn target(portal: &mut Portal, receiver: &Receiver, more: Value) {
    let mut target = json!({"url": receiver.url, "client_secret": "s"});
    target.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    portal.posted("/__sim/webhooks/target", &target);
}

#[test]
fn deliveries_under_way_at_once_are_as_many_as_asked_for_and_no_more_than_the_app_allows() {
    for (asked, most) in [(None, 1), (Some(3), 3), (Some(500), 10)] {
        let mut portal = Portal::of(20);
        let receiver = Receiver::start(200, most);
        target(&mut portal, &receiver, json!({}));
        portal.posted("/__sim/objects/notes", &json!({"count": 24}));
        let flushed = portal.posted("/__sim/webhooks/flush", &json!({"batch": 1, "in_flight": asked}));
        assert_eq!(flushed["deliveries"].as_array().unwrap().len(), 24);
        assert_eq!(receiver.most.load(Ordering::SeqCst), most, "{asked:?}");
        assert_eq!(receiver.types().len(), 24);
    }
}

#[test]
fn a_record_that_never_was_can_be_announced() {
    let mut portal = Portal::of(20);
    let receiver = Receiver::start(200, 1);
    target(&mut portal, &receiver, json!({}));
    portal.posted("/__sim/objects/notes", &json!({}));
    let flushed = portal.posted("/__sim/webhooks/flush", &json!({"unknown_object": true}));
    assert_eq!(flushed["events"], 2);
    let events = receiver.events.lock().unwrap().clone();
    let stranger = &events[1];
    assert_eq!(stranger["subscriptionType"], "contact.creation");
    let id = stranger["objectId"].as_u64().unwrap();
    assert!(!portal.truth_ids("contacts").contains(&id.to_string()));
    assert_eq!(portal.get(&format!("/crm/v3/objects/contacts/{id}")).status, 404);
    assert_eq!(events[0]["portalId"], stranger["portalId"]);
}

#[test]
fn new_engagements_can_go_by_the_names_of_the_specification() {
    let mut portal = Portal::of(20);
    let receiver = Receiver::start(200, 1);
    let make = |portal: &mut Portal| {
        for kind in ["emails", "notes", "calls", "meetings", "contacts"] {
            portal.posted(&format!("/__sim/objects/{kind}"), &json!({}));
        }
        portal.posted("/__sim/webhooks/flush", &Value::Null);
    };
    target(&mut portal, &receiver, json!({}));
    make(&mut portal);
    let usual =
        ["object.creation", "object.creation", "object.creation", "object.creation", "contact.creation"];
    assert_eq!(receiver.types(), usual);
    target(&mut portal, &receiver, json!({"specification_names": true}));
    make(&mut portal);
    let named = ["email.creation", "note.creation", "call.creation", "meeting.creation", "contact.creation"];
    assert_eq!(receiver.types()[5..], named);
    assert!(receiver.events.lock().unwrap()[5..].iter().all(|event| event["objectTypeId"].is_null()));
}

#[test]
fn a_final_status_ends_the_attempts_and_no_other_does() {
    for (status, last, attempts) in [(410, json!([]), 11), (410, json!([410]), 1), (404, json!([410]), 11)] {
        let mut portal = Portal::of(20);
        let receiver = Receiver::start(status, 1);
        target(&mut portal, &receiver, json!({"final_statuses": last}));
        portal.posted("/__sim/objects/notes", &json!({}));
        let flushed = portal.posted("/__sim/webhooks/flush", &Value::Null);
        assert_eq!(flushed["deliveries"][0]["statuses"], json!(vec![status; attempts]));
        let numbers: Vec<u64> = receiver
            .events
            .lock()
            .unwrap()
            .iter()
            .map(|one| one["attemptNumber"].as_u64().unwrap())
            .collect();
        assert_eq!(numbers, (0..attempts as u64).collect::<Vec<_>>());
    }
}

#[test]
fn an_import_is_announced_property_by_property_only_if_told_to() {
    let mut portal = Portal::of(20);
    let receiver = Receiver::start(200, 1);
    target(&mut portal, &receiver, json!({}));
    let import = |announce: bool| {
        json!({"type": "contacts", "first": 2, "count": 3, "announce": announce,
            "properties": {"city": "Ulm", "jobtitle": "Chair"}})
    };
    portal.posted("/__sim/touch", &import(false));
    assert_eq!(portal.posted("/__sim/webhooks/flush", &Value::Null)["events"], 0);
    portal.posted("/__sim/touch", &import(true));
    assert_eq!(portal.posted("/__sim/webhooks/flush", &Value::Null)["events"], 6);
    let ids = portal.truth_ids("contacts");
    let events = receiver.events.lock().unwrap();
    for (n, event) in events.iter().enumerate() {
        let (name, value) = if n % 2 == 0 { ("city", "Ulm") } else { ("jobtitle", "Chair") };
        let told = (
            &event["subscriptionType"],
            &event["changeSource"],
            &event["propertyName"],
            &event["propertyValue"],
        );
        assert_eq!(told, (&json!("contact.propertyChange"), &json!("IMPORT"), &json!(name), &json!(value)));
        assert_eq!(event["objectId"].to_string(), ids[2 + n / 2]);
    }
}

#[test]
fn a_refusal_for_want_of_a_scope_has_the_body_of_its_version() {
    let mut portal = Portal::of(20);
    let wanted = |context: &str, body: &Value| {
        assert_eq!((&body["status"], &body["category"]), (&json!("error"), &json!("MISSING_SCOPES")));
        assert!(
            body["message"].as_str().unwrap().starts_with("This app hasn't been granted all required scopes")
        );
        assert_eq!(body["correlationId"].as_str().unwrap().len(), 36);
        assert!(body["errors"][0]["message"].is_string());
        assert!(body["errors"][0]["context"][context].is_array(), "{body}");
    };
    // As a fault, whatever the token may do.
    portal.fault(json!({"route": "objects/notes", "do": "status", "status": 403}));
    let refused = portal.get("/crm/objects/2026-09/notes");
    assert_eq!(refused.status, 403);
    wanted("requiredGranularScopes", &refused.json());
    portal.fault(json!({"route": "nowhere", "do": "status", "status": 403}));
    // For want of a scope, in the words of both generations.
    crate::oauth::connect(&mut portal);
    portal.posted("/__sim/scopes/remove", &json!({"scope": "crm.objects.deals.read"}));
    let new = portal.get("/crm/objects/2026-09/deals");
    assert_eq!(new.status, 403);
    wanted("requiredGranularScopes", &new.json());
    assert_eq!(
        new.json()["errors"][0]["context"]["requiredGranularScopes"],
        json!(["crm.objects.deals.read"])
    );
    assert_eq!(new.json()["links"]["scopes"], "https://developers.hubspot.com/scopes");
    let old = portal.get("/deals/v1/deal/paged");
    assert_eq!(old.status, 403);
    wanted("requiredScopes", &old.json());
}

#[test]
fn a_held_call_is_executed_when_it_is_released_and_not_before() {
    let mut portal = Portal::of(30);
    portal.fault(json!({"route": "GET crm/objects/notes", "calls": [2], "do": "hold"}));
    portal.got("/crm/v3/objects/notes?limit=3");
    let (address, bearer) = (portal.addr(), portal.bearer.clone());
    let held = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let request = format!(
            "GET /crm/v3/objects/notes?limit=3 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {bearer}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    while portal.got("/__sim/faults")["rules"][0]["struck"] != 1 {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(100));
    assert!(!held.is_finished());
    // What is done meanwhile is seen by it.
    let first = portal.truth_ids("notes")[0].clone();
    portal.call("DELETE", &format!("/__sim/objects/notes/{first}"), &Value::Null);
    portal.posted("/__sim/faults/release", &Value::Null);
    let answer = held.join().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(!answer.contains(&format!("\"id\":\"{first}\"")), "{answer}");
    // Other calls of the route were never held.
    portal.got("/crm/v3/objects/notes?limit=3");
}
