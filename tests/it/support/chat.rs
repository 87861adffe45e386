//! A chat endpoint on loopback that answers as a test says, and keeps what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// Status, further headers and body of an answer; status 0 closes without one.
pub(crate) type Reply = (u16, &'static str, Vec<u8>);
type Script = Box<dyn Fn(&Value) -> Reply + Send>;

/// The endpoint; it lives as long as the test's process.
pub(crate) struct Chat {
    pub(crate) base: String,
    asked: Arc<Mutex<Vec<Value>>>,
    script: Arc<Mutex<Script>>,
}

impl Chat {
    pub(crate) fn start(script: impl Fn(&Value) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/v1", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Value>>> = Arc::default();
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Box::new(script)));
        let (journal, answers) = (Arc::clone(&asked), Arc::clone(&script));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &journal, &answers);
            }
        });
        Self { base, asked, script }
    }

    /// From now on it answers like this.
    pub(crate) fn answer(&self, script: impl Fn(&Value) -> Reply + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// The bodies it was sent.
    pub(crate) fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, journal: &Mutex<Vec<Value>>, script: &Mutex<Script>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body: Value = serde_json::from_slice(&body).ok()?;
    journal.lock().unwrap().push(body.clone());
    let (status, headers, answer) = script.lock().unwrap()(&body);
    if status == 0 {
        return None;
    }
    let mut stream = stream;
    let head = format!(
        "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&answer).ok()
}

/// What a model says, in its envelope.
pub(crate) fn says(content: &Value) -> Reply {
    let message = json!({"role": "assistant", "content": content.to_string()});
    let body = json!({"choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"total_tokens": 500}});
    (200, "", body.to_string().into_bytes())
}

/// The data of a question.
pub(crate) fn data(body: &Value) -> Value {
    serde_json::from_str(body["messages"][1]["content"].as_str().unwrap()).unwrap()
}

/// Puts every clause that holds `word` in `slot`; judges no topic.
pub(crate) fn finds(word: &'static str, slot: &'static str) -> impl Fn(&Value) -> Reply {
    move |body| {
        let data = data(body);
        let mut facts = Vec::new();
        for engagement in data["engagements"].as_array().unwrap() {
            for clause in engagement["clauses"].as_array().into_iter().flatten() {
                if clause["text"].as_str().unwrap().contains(word) {
                    facts.push(json!({"e": engagement["e"], "first": clause["n"], "last": clause["n"], "slot": slot}));
                }
            }
        }
        says(&json!({ "facts": facts }))
    }
}
