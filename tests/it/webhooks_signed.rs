//! Which deliveries are believed: genuine ones however they are sent, forged ones never. The signer here is the test's own.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::support::{Installation, Portal, Server};

const SECRET: &str = "sim-client-secret";
/// The address that HubSpot knows; a proxy in front of us ends its encryption.
const PUBLIC: &str = "https://kb.example.org";

#[expect(clippy::disallowed_methods, reason = "signatures are compared with the machine's time")]
fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

struct Scene {
    portal: Portal,
    here: Installation,
    server: Server,
    path: String,
}

impl Scene {
    fn start(settings: &[(&str, &str)]) -> Self {
        let portal = Portal::start(&["--contacts", "3", "--engagements-per-contact", "1"]);
        let mut here = Installation::for_portal(&portal);
        here.settings.insert("HUBLORE_SERVER__PUBLIC_URL".to_owned(), PUBLIC.to_owned());
        for (name, value) in settings {
            here.settings.insert((*name).to_owned(), (*value).to_owned());
        }
        here.connect_with_key();
        let server = here.serve();
        let shown = here.run(&["webhooks", "show", "--json"]).ok().json();
        let address = shown["address"].as_str().unwrap();
        let path = address.strip_prefix(PUBLIC).unwrap().to_owned();
        portal.post("/__sim/journal/reset", &json!({}));
        Self { portal, here, server, path }
    }

    /// Sends bytes as they are; answers the status.
    fn send(&self, path: &str, headers: &[(&str, String)], body: &[u8]) -> u16 {
        let host = self.server.address.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        let mut head = format!(
            "POST {path} HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\nContent-Length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        // Whoever is refused early may not be listened to any longer.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let line = String::from_utf8_lossy(&answer);
        line.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {line}")).parse().unwrap()
    }

    fn events(&self, id: u64) -> String {
        let portal = self.here.number("select portal from connections");
        json!([{"eventId": id, "subscriptionId": 1, "portalId": portal, "appId": 1, "occurredAt": now_ms(),
            "subscriptionType": "object.creation", "objectTypeId": "0-46", "objectId": 9_000_000 + id,
            "attemptNumber": 0, "changeSource": "CRM_UI"}])
        .to_string()
    }

    fn stored(&self) -> i64 {
        self.here.number("select count(*) from webhook_deliveries")
    }

    fn refused(&self) -> u64 {
        let refused = self.here.run(&["status", "--json"]).ok().json()["webhooks"]["refused"].clone();
        refused.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

type Headers = Vec<(&'static str, String)>;

fn v1(body: &[u8]) -> Headers {
    declared("v1", &[SECRET.as_bytes(), body])
}

fn v2(url: &str, body: &[u8]) -> Headers {
    declared("v2", &[SECRET.as_bytes(), b"POST", url.as_bytes(), body])
}

fn declared(version: &str, parts: &[&[u8]]) -> Headers {
    let signature = hex(&Sha256::digest(parts.concat()));
    vec![("X-HubSpot-Signature", signature), ("X-HubSpot-Signature-Version", version.to_owned())]
}

fn v3(url: &str, body: &[u8], at: i64) -> Headers {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(&[b"POST", url.as_bytes(), body, at.to_string().as_bytes()].concat());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    vec![("X-HubSpot-Signature-v3", signature), ("X-HubSpot-Request-Timestamp", at.to_string())]
}

#[test]
fn whk_3_genuine_deliveries_of_every_version_are_believed_behind_a_proxy() {
    let scene = Scene::start(&[]);
    let path = scene.path.clone();
    for (query, signed) in [
        ("", ""),
        ("?b=2&a=1", "?b=2&a=1"),
        ("?src=a%2Fb%40c%2cd&q=x%20y%26z%3D1", "?src=a/b@c,d&q=x%20y%26z%3D1"),
    ] {
        let (sent, url) = (format!("{path}{query}"), format!("{PUBLIC}{path}{query}"));
        let number = scene.stored() as u64;
        for (n, body) in [scene.events(number), format!(" {}\n", scene.events(number + 1)), "[]".to_owned()]
            .iter()
            .enumerate()
        {
            let body = body.as_bytes();
            let decoded = format!("{PUBLIC}{path}{signed}");
            let both = [v1(body), v3(&decoded, body, now_ms())].concat();
            for (name, headers) in [
                ("v1", v1(body)),
                ("v2", v2(&url, body)),
                ("v3", v3(&decoded, body, now_ms())),
                ("both", both),
            ] {
                assert_eq!(scene.send(&sent, &headers, body), 200, "{name} {query} {n}");
            }
        }
    }
    let seen = scene.here.run(&["status", "--json"]).ok().json()["webhooks"]["deliveries"].clone();
    assert_eq!((seen, scene.stored()), (json!(36), 7), "each is believed, the same bytes are kept once");
    assert_eq!(scene.refused(), 0);
}

#[test]
fn whk_3_t2_forged_deliveries_are_refused_and_have_no_effect() {
    let scene = Scene::start(&[]);
    let (path, body) = (scene.path.clone(), scene.events(1));
    let url = format!("{PUBLIC}{path}");
    let bytes = body.as_bytes();
    let mut sent = 0;
    let mut refused = |path: &str, headers: Headers, body: &[u8], what: &str| {
        assert_eq!(scene.send(path, &headers, body), 401, "{what}");
        sent += 1;
    };
    for version in ["v1", "v2", "v3"] {
        let of = |url: &str, body: &[u8]| match version {
            "v1" => v1(body),
            "v2" => v2(url, body),
            _ => v3(url, body, now_ms()),
        };
        let good = of(&url, bytes);
        // Every byte counts, and so does every character of the signature.
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut flipped = bytes.to_vec();
            flipped[at] ^= 1;
            refused(&path, good.clone(), &flipped, "a byte of the body");
        }
        for at in 0..good[0].1.len() {
            let mut other = good.clone();
            let changed = if other[0].1.as_bytes()[at] == b'0' { "1" } else { "0" };
            other[0].1.replace_range(at..=at, changed);
            refused(&path, other, bytes, "a character of the signature");
        }
        let mut upper = good.clone();
        upper[0].1 = upper[0].1.to_uppercase();
        refused(&path, upper, bytes, "upper case");
        refused(&path, good[..1].to_vec(), bytes, "one header only");
        refused(&path, [good.clone(), good.clone()].concat(), bytes, "every header twice");
        if version != "v1" {
            for (url, what) in [
                (url.replace("https", "http"), "scheme"),
                (url.replace("kb.example.org", "elsewhere.example"), "the host of the request"),
                (format!("{url}/"), "path"),
                (format!("{url}?a=1"), "query"),
            ] {
                refused(&path, of(&url, bytes), bytes, what);
            }
            refused(&format!("{path}?a=1"), good, bytes, "a query that was not signed");
        }
    }
    for off in [-301_000, 301_000] {
        refused(&path, v3(&url, bytes, now_ms() + off), bytes, "too far in time");
    }
    // A good v1 does not help a bad v3.
    let mut both = [v1(bytes), v3(&url, bytes, now_ms())].concat();
    both[2].1 = STANDARD.encode([7; 32]);
    refused(&path, both, bytes, "v3 fails, v1 holds");
    refused(&path, Vec::new(), bytes, "nothing");
    // The field's borders: what was signed is cut elsewhere.
    let stamped = v3(&format!("{url}?a=1"), bytes, now_ms());
    refused(&format!("{path}?a=1["), stamped, &bytes[1..], "the body begins in the address");
    let at = now_ms();
    let mut tail = v3(&url, bytes, at);
    let longer = format!("{body}{}", at.to_string().chars().next().unwrap());
    tail[1].1.remove(0);
    refused(&path, tail, longer.as_bytes(), "the time begins in the body");
    assert_eq!(scene.stored(), 0, "nothing was stored");
    assert_eq!(scene.here.number("select count(*) from webhook_records"), 0);
    assert_eq!(scene.portal.json("/__sim/journal")["total"], 0, "HubSpot was asked nothing");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while scene.refused() < sent {
        assert!(std::time::Instant::now() < deadline, "{} of {sent} are counted", scene.refused());
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

/// Continues a hash of `length` bytes: the padding that its end had, and the hash of all with `more` behind it.
fn extended(hash: &str, length: usize, more: &[u8]) -> (Vec<u8>, String) {
    let mut state = [0_u32; 8];
    for (n, word) in state.iter_mut().enumerate() {
        *word = u32::from_str_radix(&hash[n * 8..n * 8 + 8], 16).unwrap();
    }
    let padding = |length: usize| {
        let mut bytes = vec![0x80_u8];
        bytes.resize(1 + (119 - length % 64) % 64, 0);
        bytes.extend((length as u64 * 8).to_be_bytes());
        bytes
    };
    let glue = padding(length);
    let mut rest = more.to_vec();
    rest.extend(padding(length + glue.len() + more.len()));
    let blocks: Vec<[u8; 64]> = rest.chunks(64).map(|block| block.try_into().unwrap()).collect();
    sha2::block_api::compress256(&mut state, &blocks);
    let bytes: Vec<u8> = state.iter().flat_map(|word| word.to_be_bytes()).collect();
    (glue, hex(&bytes))
}

#[test]
fn t2_a_lengthened_v1_or_v2_delivery_is_refused_although_its_hash_holds() {
    let scene = Scene::start(&[]);
    let (path, body) = (scene.path.clone(), scene.events(1));
    let url = format!("{PUBLIC}{path}");
    for more in [scene.events(2), String::new(), "]".to_owned(), ",{}]".to_owned()] {
        for (genuine, before) in
            [(v1(body.as_bytes()), SECRET.len()), (v2(&url, body.as_bytes()), SECRET.len() + 4 + url.len())]
        {
            let (glue, signature) = extended(&genuine[0].1, before + body.len(), more.as_bytes());
            let forged = [body.as_bytes(), &glue, more.as_bytes()].concat();
            // The forgery is a good one: the hash is what it should be.
            let check = if genuine[1].1 == "v1" { v1(&forged) } else { v2(&url, &forged) };
            assert_eq!(check[0].1, signature);
            let headers = vec![("X-HubSpot-Signature", signature), genuine[1].clone()];
            assert_eq!(scene.send(&path, &headers, &forged), 401);
        }
    }
    assert_eq!(scene.stored(), 0);
}

#[test]
fn t2_require_v3_turns_the_weaker_ones_off() {
    let scene = Scene::start(&[("HUBLORE_HUBSPOT__WEBHOOKS__REQUIRE_V3", "true")]);
    let (path, body) = (scene.path.clone(), scene.events(1));
    let (url, bytes) = (format!("{PUBLIC}{path}"), body.as_bytes());
    assert_eq!(scene.send(&path, &v1(bytes), bytes), 401);
    assert_eq!(scene.send(&path, &v2(&url, bytes), bytes), 401);
    assert_eq!(scene.send(&path, &v3(&url, bytes, now_ms()), bytes), 200);
    assert_eq!(scene.stored(), 1);
}

#[test]
fn without_a_client_secret_nobody_is_believed() {
    let scene = Scene::start(&[("HUBLORE_HUBSPOT__CLIENT_SECRET", "")]);
    let body = scene.events(1);
    let signature = hex(&Sha256::digest(body.as_bytes()));
    let empty = vec![("X-HubSpot-Signature", signature), ("X-HubSpot-Signature-Version", "v1".to_owned())];
    assert_eq!(scene.send(&scene.path, &empty, body.as_bytes()), 401);
    assert_eq!(scene.stored(), 0);
    let shown = scene.here.run(&["webhooks", "show"]).ok().stdout;
    assert!(shown.contains("client_secret is not set"), "{shown}");
}

#[test]
fn a_signed_body_that_cannot_be_read_is_kept_for_a_replay() {
    let scene = Scene::start(&[]);
    let url = format!("{PUBLIC}{}", scene.path);
    for (body, status) in [(&b"nonsense"[..], 200), (b"[1, \"x\", null, {}, [[[[]]]]]", 200), (b"{}", 200)] {
        assert_eq!(scene.send(&scene.path, &v3(&url, body, now_ms()), body), status);
    }
    let verdicts =
        scene.here.texts("select verdict from webhook_deliveries where body is not null order by id");
    assert_eq!(verdicts, ["unreadable", "taken", "taken"]);
    assert_eq!(scene.here.number("select sum(unknown) from webhook_deliveries"), 6);
    let deep = "[".repeat(1 << 19);
    assert_eq!(scene.send(&scene.path, &v3(&url, deep.as_bytes(), now_ms()), deep.as_bytes()), 200);
    assert_eq!(scene.here.number("select count(*) from webhook_deliveries where verdict = 'unreadable'"), 2);
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for_long() {
    let scene = Scene::start(&[]);
    let host = scene.server.address.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n[", scene.path);
    stream.write_all(head.as_bytes()).unwrap();
    let begun = std::time::Instant::now();
    let mut answer = [0; 64];
    let read = stream.read(&mut answer).unwrap();
    let line = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(line.starts_with("HTTP/1.1 408"), "{line}");
    assert!(begun.elapsed() < std::time::Duration::from_secs(6));
}

/// Six hundred strangers who send slowly, and HubSpot is answered at once; the operator's slow routes end such bodies too.
#[test]
fn r11_slow_senders_do_not_keep_hubspot_out() {
    let scene = Scene::start(&[]);
    let host = scene.server.address.strip_prefix("http://").unwrap();
    let stranger = || {
        let mut stream = TcpStream::connect(host).unwrap();
        let head = format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n[", scene.path);
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    let slow: Vec<TcpStream> = (0..600).map(|_| stranger()).collect();
    let url = format!("{PUBLIC}{}", scene.path);
    for n in 0..5 {
        let (begun, body) = (std::time::Instant::now(), scene.events(n));
        assert_eq!(scene.send(&scene.path, &v3(&url, body.as_bytes(), now_ms()), body.as_bytes()), 200);
        assert!(begun.elapsed() < std::time::Duration::from_secs(1), "{:?}", begun.elapsed());
    }
    drop(slow);
    // An operator's work may take long; its body may not.
    let file = std::fs::read_to_string(scene.here.data().join("server.json")).unwrap();
    let file: serde_json::Value = serde_json::from_str(&file).unwrap();
    let key = file["key"].as_str().unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "POST /api/v1/admin/rules/test HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: 100\r\n\r\n["
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    let mut answer = [0; 64];
    let read = stream.read(&mut answer).unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer[..read]));
}

#[test]
fn t2_a_captured_delivery_sent_again_is_counted_and_nothing_grows() {
    let scene = Scene::start(&[]);
    let portal = scene.here.number("select portal from connections");
    let unknown =
        json!([{"eventId": 1, "portalId": portal, "subscriptionType": "ticket.creation", "objectId": 5}]);
    for body in [scene.events(1), unknown.to_string()] {
        for _ in 0..20 {
            assert_eq!(scene.send(&scene.path, &v1(body.as_bytes()), body.as_bytes()), 200);
        }
    }
    assert_eq!(scene.stored(), 2);
    assert_eq!(scene.here.number("select count(*) from webhook_deliveries where body is not null"), 2);
    let seen = scene.here.run(&["status", "--json"]).ok().json()["webhooks"].clone();
    assert_eq!((&seen["deliveries"], &seen["events"]["repeated"]), (&json!(40), &json!(38)), "{seen}");
    // The same bytes while reading was off were not taken: they are once it is on again.
    scene.here.run(&["modes", "ingest", "off"]).ok();
    let later = scene.events(2);
    let send = || assert_eq!(scene.send(&scene.path, &v1(later.as_bytes()), later.as_bytes()), 200);
    (0..3).for_each(|_| send());
    scene.here.run(&["modes", "ingest", "on"]).ok();
    send();
    assert_eq!(
        scene.here.texts("select verdict from webhook_deliveries order by id desc limit 2"),
        ["taken", "ignored"]
    );
    assert_eq!(scene.stored(), 4);
}
