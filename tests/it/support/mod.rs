//! Starting the two binaries and looking at what they left behind.

mod browser;
pub(crate) mod chat;
mod installation;
mod portal;

pub(crate) use browser::{Answer, Browser};
pub(crate) use installation::{Installation, Ran, SERVICE_KEY, Server};
pub(crate) use portal::Portal;

use std::future::Future;

/// Every record type as rows and as the portal name it.
pub(crate) const RECORD_TYPES: [(&str, &str); 8] = [
    ("contacts", "contacts"),
    ("companies", "companies"),
    ("deals", "deals"),
    ("email", "emails"),
    ("note", "notes"),
    ("call", "calls"),
    ("meeting", "meetings"),
    ("form_submission", "form_submissions"),
];

/// Asserts that an installation holds exactly what its portal has, by id.
pub(crate) fn assert_same_ids(portal: &Portal, here: &Installation) {
    for (what, record_type) in RECORD_TYPES {
        assert_eq!(here.ids(what), portal.ids(record_type), "{what}");
    }
}

/// Runs async steps of a test.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// What is answered to the head of a request with a body of so many bytes.
pub(crate) fn announced(address: &str, path: &str, length: usize) -> String {
    use std::io::{Read, Write};
    let mut line = std::net::TcpStream::connect(address.trim_start_matches("http://")).unwrap();
    line.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let head =
        format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    line.write_all(head.as_bytes()).unwrap();
    let mut told = Vec::new();
    let _ = line.read_to_end(&mut told);
    String::from_utf8_lossy(&told).into_owned()
}

/// A port nobody listens on, below those that the system gives to outgoing connections and to whoever asks for any: one
/// of those may be taken again before the server listens on it.
pub(crate) fn free_port() -> u16 {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let offset = std::process::id().wrapping_mul(97);
    let port = || {
        let n = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        u16::try_from(10_000 + offset.wrapping_add(n) % 20_000).unwrap()
    };
    let mut tries = std::iter::repeat_with(port).take(1_000);
    tries.find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}
