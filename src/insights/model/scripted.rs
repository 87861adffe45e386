//! A chat endpoint that answers by script, faults of every sort included; only for tests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::endpoint::Endpoint;

/// What the endpoint does with one request.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// A status with headers and a body.
    Raw(u16, &'static str, Vec<u8>),
    /// Closes before, or in the middle of, the answer.
    Cut(Option<&'static str>),
    /// Never answers.
    Silent,
}

pub(super) fn says(content: &str) -> Reply {
    envelope(&json!({"role": "assistant", "content": content}), "stop")
}

pub(super) fn envelope(message: &Value, finish: &str) -> Reply {
    let body = json!({"choices": [{"index": 0, "finish_reason": finish, "message": message}],
        "usage": {"total_tokens": 100}});
    Reply::Raw(200, "", body.to_string().into_bytes())
}

pub(super) fn status(code: u16) -> Reply {
    Reply::Raw(code, "", b"{\"error\": {\"message\": \"no\"}}".to_vec())
}

pub(super) type Script = Arc<dyn Fn(usize, &Value) -> Reply + Send + Sync>;

pub(super) struct Scripted {
    address: String,
    pub(super) asked: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Scripted {
    pub(super) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let journal = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&journal)));
            }
        });
        Self { address, asked }
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        let base = Url::parse(&format!("http://{}/v1/", self.address)).unwrap();
        let key = Some(SecretString::from("sk-secret"));
        Endpoint::new(&base, key, "test-model".to_owned(), Duration::from_millis(700)).unwrap()
    }

    pub(super) fn bodies(&self) -> Vec<Value> {
        self.asked.lock().unwrap().iter().map(|(_, body)| body.clone()).collect()
    }
}

async fn serve(
    mut stream: TcpStream,
    script: Script,
    journal: Arc<Mutex<Vec<(String, Value)>>>,
) -> Option<()> {
    let mut bytes = Vec::new();
    let head = loop {
        let mut buffer = [0; 8192];
        let read = stream.read(&mut buffer).await.ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
    };
    let headers = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
    let length: usize = headers.lines().find_map(|l| l.strip_prefix("content-length: "))?.parse().ok()?;
    while bytes.len() < head + 4 + length {
        let mut buffer = [0; 8192];
        let read = stream.read(&mut buffer).await.ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
    }
    let body: Value = serde_json::from_slice(&bytes[head + 4..]).ok()?;
    let number = {
        let mut journal = journal.lock().unwrap();
        journal.push((headers, body.clone()));
        journal.len()
    };
    let answer = match script(number, &body) {
        Reply::Raw(code, headers, body) => {
            let head = format!(
                "HTTP/1.1 {code} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            [head.into_bytes(), body].concat()
        }
        Reply::Cut(part) => {
            let part = part.unwrap_or_default();
            match part.is_empty() {
                true => Vec::new(),
                false => format!("HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n{part}").into_bytes(),
            }
        }
        Reply::Silent => {
            tokio::time::sleep(Duration::from_secs(5)).await;
            return None;
        }
    };
    stream.write_all(&answer).await.ok()?;
    stream.shutdown().await.ok()
}
