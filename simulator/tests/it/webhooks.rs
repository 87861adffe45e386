//! Webhook deliveries: what arrives, in which batches, and that failures are repeated.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::client::Portal;

/// Answers so many deliveries with the given statuses and returns what they carried.
fn receiver(statuses: Vec<u16>) -> (String, JoinHandle<Vec<(String, Value)>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook?src=a%2Fb", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let one = |status: u16| {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut bytes, mut buffer) = (Vec::new(), [0_u8; 65_536]);
            loop {
                let read = stream.read(&mut buffer).unwrap();
                bytes.extend_from_slice(&buffer[..read]);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head
                    .lines()
                    .find_map(|l| l.strip_prefix("content-length: "))
                    .unwrap()
                    .parse::<usize>()
                    .unwrap();
                if body.len() >= length {
                    stream
                        .write_all(format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n").as_bytes())
                        .unwrap();
                    return (head.to_owned(), serde_json::from_str(body).unwrap());
                }
            }
        };
        statuses.into_iter().map(one).collect()
    });
    (url, thread)
}

#[test]
fn events_arrive_signed_batched_and_again_after_a_failure() {
    let mut portal = Portal::of(60);
    let (url, thread) = receiver(vec![500, 200, 200]);
    portal.posted(
        "/__sim/webhooks/target",
        &json!({"url": url, "client_secret": "s", "signed_url": "https://kb.example.org/hook"}),
    );
    let ids = portal.truth_ids("contacts");
    portal.posted("/__sim/objects/notes", &json!({"count": 100}));
    portal.posted("/__sim/merge", &json!({"primary": ids[1], "merged": ids[2]}));
    portal.posted("/__sim/privacy-delete", &json!({"id": ids[3]}));
    portal.call(
        "PATCH",
        &format!("/__sim/objects/contacts/{}", ids[5]),
        &json!({"properties": {"city": "Ulm"}}),
    );
    let flushed = portal.posted("/__sim/webhooks/flush", &Value::Null);
    assert_eq!(flushed["events"], json!(104));
    assert_eq!(flushed["deliveries"][0]["statuses"], json!([500, 200]));
    let deliveries = thread.join().unwrap();
    assert_eq!(deliveries[0].1.as_array().unwrap().len(), 100);
    assert_eq!(deliveries[1].1[0]["attemptNumber"], json!(1));
    let note = &deliveries[0].1[0];
    assert_eq!(
        (note["subscriptionType"].as_str(), note["objectTypeId"].as_str()),
        (Some("object.creation"), Some("0-46"))
    );
    let kinds: Vec<&str> =
        deliveries[2].1.as_array().unwrap().iter().map(|e| e["subscriptionType"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["contact.merge", "contact.privacyDeletion", "contact.deletion", "contact.propertyChange"]
    );
    let merge = &deliveries[2].1[0];
    assert_eq!(merge["mergedObjectIds"].as_array().unwrap().len(), 2);
    let head = &deliveries[0].0;
    for name in ["X-HubSpot-Signature-v3", "X-HubSpot-Request-Timestamp", "X-HubSpot-Signature-Version: v1"] {
        assert!(head.contains(name), "{head}");
    }
}

#[test]
fn targets_beyond_loopback_are_refused() {
    let mut portal = Portal::of(10);
    let target = json!({"url": "https://kb.example.org/hook", "client_secret": "s"});
    assert_eq!(portal.post("/__sim/webhooks/target", &target).status, 400);
    assert_eq!(portal.post("/__sim/webhooks/flush", &Value::Null).status, 400);
}

#[test]
fn neighbours_keep_what_they_were_sent() {
    let mut portal = Portal::of(10);
    portal.posted("/__slack/script", &json!([{"status": 429, "body": {"ok": false}}]));
    assert_eq!(
        portal.post("/__slack/api/chat.postMessage", &json!({"text": "hi", "channel": "C0SALES"})).status,
        429
    );
    assert_eq!(
        portal.posted("/__slack/api/chat.postMessage", &json!({"text": "hi", "channel": "C0SALES"}))["ok"],
        json!(true)
    );
    let calls = portal.got("/__slack/journal");
    assert_eq!(calls["calls"][1]["body"]["text"], json!("hi"));
    portal.posted("/__model/v1/chat/completions", &json!({"messages": []}));
    assert_eq!(portal.got("/__model/journal")["calls"].as_array().unwrap().len(), 1);
}
