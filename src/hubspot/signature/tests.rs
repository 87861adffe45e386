//! Known answers, some of HubSpot's own clients, and what has to be refused. The full shared set is checked where it is
//! there (`../shared/hubspot-openapi/webhook-signature-vectors.json`).

use std::path::Path;

use reqwest::header::{HeaderName, HeaderValue};
use serde_json::Value;

use super::*;

const SECRET: &str = "c1ient-5ecret-0000-1111-222233334444";
const URL: &str = "https://kb.example.org/api/integrations/hubspot/webhook/org_7f3a";
const AT: i64 = 1_790_000_007_000;

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        let name: HeaderName = name.parse().unwrap();
        map.append(name, HeaderValue::from_str(value).unwrap());
    }
    map
}

fn verified(
    method: &str,
    url: &str,
    body: &[u8],
    secret: &str,
    pairs: &[(&str, &str)],
    now: i64,
) -> Result<Version, Refusal> {
    let headers = headers(pairs);
    let signed = Signed { method, url, headers: &headers, body };
    signed.verify(&SecretString::from(secret.to_owned()), Millis(now), false)
}

const V3: [(&str, &str); 2] = [
    ("X-HubSpot-Signature-v3", "oux+bUsmCnCGWp8LLdDOiY3T9gcPVth6lZDv3VuCayU="),
    ("X-HubSpot-Request-Timestamp", "1790000007000"),
];

#[test]
fn known_answers_hold() {
    assert_eq!(verified("POST", URL, b"[]", SECRET, &V3, AT), Ok(Version::V3));
    let official = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy";
    let example = "https://www.example.com/webhook_uri";
    let body = br#"{"example_field":"example_value"}"#;
    let v2 = |value| [("X-HubSpot-Signature", value), ("X-HubSpot-Signature-Version", "v2")];
    let post = v2("9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900");
    assert_eq!(verified("POST", example, body, official, &post, 0), Ok(Version::V2));
    let get = v2("eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e");
    assert_eq!(verified("GET", example, b"", official, &get, 0), Ok(Version::V2));
    let v1 = [
        ("X-HubSpot-Signature", "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750"),
        ("X-HubSpot-Signature-Version", "v1"),
    ];
    let body = b"{'example_field':'example_value'}";
    assert_eq!(verified("POST", "anywhere", body, official, &v1, 0), Ok(Version::V1));
}

#[test]
fn whatever_differs_is_refused() {
    let bad = Err(Refusal::BadSignature);
    assert_eq!(verified("GET", URL, b"[]", SECRET, &V3, AT), bad);
    assert_eq!(verified("POST", URL, b"[ ]", SECRET, &V3, AT), bad);
    assert_eq!(verified("POST", URL, b"[]", "other", &V3, AT), bad);
    for url in [&URL.replace("https", "http"), &format!("{URL}/"), &format!("{URL}?a=1")] {
        assert_eq!(verified("POST", url, b"[]", SECRET, &V3, AT), bad, "{url}");
    }
    let late = |ms| verified("POST", URL, b"[]", SECRET, &V3, AT + ms);
    assert_eq!((late(300_000), late(-300_000)), (Ok(Version::V3), Ok(Version::V3)));
    assert_eq!((late(300_001), late(-300_001)), (Err(Refusal::OutOfTime), Err(Refusal::OutOfTime)));
    for time in ["abc", "", "179000000700", "17900000070000", "+790000007000", "1790000007001"] {
        let refused = verified("POST", URL, b"[]", SECRET, &[V3[0], (V3[1].0, time)], AT);
        assert!(refused.is_err(), "{time}: {refused:?}");
    }
    assert_eq!(verified("POST", URL, b"[]", "", &V3, AT), Err(Refusal::NoClientSecret));
    assert_eq!(verified("POST", URL, b"[]", SECRET, &V3[..1], AT), Err(Refusal::NotSigned));
    assert_eq!(verified("POST", URL, b"[]", SECRET, &[], AT), Err(Refusal::NotSigned));
    let twice = [V3[0], V3[0], V3[1]];
    assert_eq!(verified("POST", URL, b"[]", SECRET, &twice, AT), Err(Refusal::SignedTwice));
}

#[test]
fn s1_of_a_hundred_thousand_forgeries_none_is_believed() {
    let (body, bodies) = (b"[{\"eventId\":1,\"objectId\":2}]", "[{\"eventId\":1,\"objectId\":2}]");
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("POST{URL}{bodies}{AT}").as_bytes());
    let genuine = [
        vec![
            ("X-HubSpot-Signature-v3", STANDARD.encode(mac.finalize().into_bytes())),
            ("X-HubSpot-Request-Timestamp", AT.to_string()),
        ],
        vec![
            ("X-HubSpot-Signature", hash(&[SECRET, bodies])),
            ("X-HubSpot-Signature-Version", "v1".to_owned()),
        ],
        vec![
            ("X-HubSpot-Signature", hash(&[SECRET, "POST", URL, bodies])),
            ("X-HubSpot-Signature-Version", "v2".to_owned()),
        ],
    ];
    // Numbers follow each other in a fixed way: the same forgeries every time.
    let mut number = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = move |below: usize| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(number >> 33).unwrap() % below
    };
    let flip = |text: &mut Vec<u8>, at: usize, bit: usize| text[at] ^= 1 << bit;
    for n in 0..100_000 {
        let (headers, mut forged, mut url) = (&genuine[n % 3], body.to_vec(), URL.as_bytes().to_vec());
        let mut signature = headers[0].1.clone().into_bytes();
        // The address is no part of v1.
        match draw(if n % 3 == 1 { 2 } else { 3 }) {
            0 => flip(&mut forged, draw(body.len()), draw(8)),
            1 => flip(&mut signature, draw(40), draw(5)),
            _ => flip(&mut url, draw(URL.len()), draw(7)),
        }
        let (Ok(signature), Ok(url)) = (String::from_utf8(signature), String::from_utf8(url)) else {
            continue;
        };
        if HeaderValue::from_str(&signature).is_err() {
            continue;
        }
        let pairs = [(headers[0].0, signature.as_str()), (headers[1].0, headers[1].1.as_str())];
        let judged = verified("POST", &url, &forged, SECRET, &pairs, AT);
        assert!(judged.is_err(), "{n}: {}", String::from_utf8_lossy(&forged));
    }
    for headers in &genuine {
        let pairs = [(headers[0].0, headers[0].1.as_str()), (headers[1].0, headers[1].1.as_str())];
        assert!(verified("POST", URL, body, SECRET, &pairs, AT).is_ok());
    }
}

/// The hash that v1 and v2 are.
fn hash(parts: &[&str]) -> String {
    Sha256::digest(parts.concat()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_v3_signature_that_fails_is_not_replaced_by_a_weaker_one() {
    let good = hash(&[SECRET, "[]"]);
    let weaker = [("X-HubSpot-Signature", good.as_str()), ("X-HubSpot-Signature-Version", "v1")];
    assert_eq!(verified("POST", URL, b"[]", SECRET, &weaker, AT), Ok(Version::V1));
    let both = [weaker[0], weaker[1], ("X-HubSpot-Signature-v3", "AAAA"), V3[1]];
    assert_eq!(verified("POST", URL, b"[]", SECRET, &both, AT), Err(Refusal::BadSignature));
    let upper = good.to_uppercase();
    let shouted = [("X-HubSpot-Signature", upper.as_str()), weaker[1]];
    assert_eq!(verified("POST", URL, b"[]", SECRET, &shouted, AT), Err(Refusal::BadSignature));
    let unknown = [weaker[0], ("X-HubSpot-Signature-Version", "v4")];
    assert_eq!(verified("POST", URL, b"[]", SECRET, &unknown, AT), Err(Refusal::NotSigned));
    let headers = headers(&weaker);
    let signed = Signed { method: "POST", url: URL, headers: &headers, body: b"[]" };
    assert_eq!(signed.verify(&SecretString::from(SECRET.to_owned()), Millis(AT), true), Err(Refusal::OnlyV3));
}

#[test]
fn only_twelve_codes_are_decoded() {
    let url = "https://x.example/org%3A7f3a?src=a%2fb%40c%2Cd&q=x%20y%26z%3D1%";
    assert_eq!(decoded(url), "https://x.example/org:7f3a?src=a/b@c,d&q=x%20y%26z%3D1%");
    assert_eq!(decoded("%é%3"), "%é%3");
}

#[test]
fn every_shared_vector_is_judged_as_it_should_be() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/hubspot-openapi/webhook-signature-vectors.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("skipped: there is no {}", file.display());
        return;
    };
    let shared: Value = serde_json::from_str(&text).unwrap();
    let vectors = shared["vectors"].as_array().unwrap();
    assert!(vectors.len() >= 15);
    for vector in vectors {
        assert_eq!(judged(vector, |_| {}), Ok(()), "{}", vector["id"]);
    }
    let find = |id: &str| vectors.iter().find(|vector| vector["id"] == id).unwrap();
    for case in shared["must_reject"].as_array().unwrap() {
        let (vector, change) = (find(case["from"].as_str().unwrap()), case["change"].as_str().unwrap());
        assert!(judged(vector, |one| one.change(change)).is_err(), "{change}");
    }
    for case in shared["must_accept"].as_array().unwrap() {
        let (vector, change) = (find(case["from"].as_str().unwrap()), case["change"].as_str().unwrap());
        assert_eq!(judged(vector, |one| one.change(change)), Ok(()), "{change}");
    }
}

/// A vector as a request, to be changed.
struct Case {
    method: String,
    url: String,
    secret: String,
    timestamp: Option<String>,
    signature: String,
    version: String,
    body: Vec<u8>,
    now: i64,
}

impl Case {
    fn change(&mut self, change: &str) {
        let at: i64 = self.timestamp.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0);
        match change {
            "last body byte flipped" => *self.body.last_mut().unwrap() ^= 1,
            "timestamp + 1" => self.timestamp = Some((at + 1).to_string()),
            "method GET" => self.method = "GET".to_owned(),
            "http:// instead of https://" => self.url = self.url.replace("https://", "http://"),
            "trailing slash added to the url" => self.url.push('/'),
            "other client secret" => self.secret.push('x'),
            "query parameters swapped to a=1&b=2" => self.url = self.url.replace("b=2&a=1", "a=1&b=2"),
            "body re-serialised without the whitespace" => {
                let value: Value = serde_json::from_slice(&self.body).unwrap();
                self.body = serde_json::to_vec(&value).unwrap();
            }
            "sent with X-HubSpot-Signature-Version: v2" => self.version = "v2".to_owned(),
            "clock exactly 300000 ms after the timestamp" => self.now = at + 300_000,
            change if change.starts_with("clock 300001 ms after") => self.now = at + 300_001,
            change if change.starts_with("clock 300001 ms before") => self.now = at - 300_001,
            change if change.starts_with("timestamp header 'abc'") => {
                let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).unwrap();
                let parts =
                    [self.method.as_bytes(), decoded(&self.url).as_bytes(), &self.body, b"abc"].concat();
                mac.update(&parts);
                self.signature = STANDARD.encode(mac.finalize().into_bytes());
                self.timestamp = Some("abc".to_owned());
            }
            other => panic!("unknown case: {other}"),
        }
    }
}

fn judged(vector: &Value, change: impl FnOnce(&mut Case)) -> Result<(), Refusal> {
    let text = |name: &str| vector[name].as_str().unwrap_or_default().to_owned();
    let timestamp = vector["timestamp"].as_str().map(str::to_owned);
    let mut case = Case {
        method: text("method"),
        url: text("wire_url"),
        secret: text("client_secret"),
        now: timestamp.as_deref().and_then(|at| at.parse().ok()).unwrap_or(0),
        timestamp,
        signature: text("signature"),
        version: text("version"),
        body: text("body").into_bytes(),
    };
    change(&mut case);
    let mut pairs = Vec::new();
    if case.version == "v3" {
        pairs.push(("X-HubSpot-Signature-v3", case.signature.as_str()));
        pairs.extend(case.timestamp.as_deref().map(|at| ("X-HubSpot-Request-Timestamp", at)));
    } else {
        pairs.push(("X-HubSpot-Signature", case.signature.as_str()));
        pairs.push(("X-HubSpot-Signature-Version", case.version.as_str()));
    }
    verified(&case.method, &case.url, &case.body, &case.secret, &pairs, case.now).map(drop)
}
