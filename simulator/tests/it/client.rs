//! A small blocking HTTP client over a plain socket, so that tests see exactly what is sent, and
//! the steps most stories share.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use hubspot_simulator::{Options, Running, start};
use serde_json::{Value, json};

/// The static bearer of every test portal.
pub(crate) const KEY: &str = "pat-na1-51300000-0000-4000-8000-000000000001";

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A portal and a kept connection to it.
pub(crate) struct Portal {
    pub(crate) running: Running,
    pub(crate) bearer: String,
    stream: Option<TcpStream>,
}

impl Portal {
    pub(crate) fn of(contacts: u64) -> Self {
        Self::with(Options { contacts, ..Options::default() })
    }

    pub(crate) fn with(options: Options) -> Self {
        let running = start(options).unwrap();
        Self { running, bearer: KEY.to_owned(), stream: None }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.running.addr()
    }

    /// One exchange; the connection is kept when the reply allows it.
    pub(crate) fn send(&mut self, method: &str, path: &str, kind: &str, body: &str) -> Result<Answer, Error> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => TcpStream::connect(self.addr())?,
        };
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.set_nodelay(true)?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: sim\r\nauthorization: Bearer {}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
            self.bearer,
            body.len()
        );
        stream.write_all(request.as_bytes())?;
        let answer = read_answer(&mut stream)?;
        self.stream = Some(stream);
        Ok(answer)
    }

    pub(crate) fn call(&mut self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, path, "application/json", &body).unwrap()
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.call("GET", path, &Value::Null)
    }

    /// A GET that must succeed.
    pub(crate) fn got(&mut self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, body)
    }

    /// A POST that must succeed.
    pub(crate) fn posted(&mut self, path: &str, body: &Value) -> Value {
        let answer = self.post(path, body);
        assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.text());
        answer.json()
    }

    pub(crate) fn form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send("POST", path, "application/x-www-form-urlencoded", &body).unwrap()
    }

    /// Sets one fault rule.
    pub(crate) fn fault(&mut self, rule: Value) {
        self.posted("/__sim/faults", &json!({"rules": [rule]}));
    }

    /// All ids of a list, page by page to its end.
    pub(crate) fn list_ids(&mut self, path: &str, limit: usize) -> Vec<String> {
        let mut ids = Vec::new();
        let mut after = String::new();
        loop {
            let page = self
                .got(&format!("{path}{}limit={limit}{after}", if path.contains('?') { '&' } else { '?' }));
            ids.extend(id_list(&page));
            match page["paging"]["next"]["after"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return ids,
            }
        }
    }

    /// All ids of a search, page by page to its end.
    pub(crate) fn search_ids(&mut self, kind: &str, query: &Value) -> (u64, Vec<String>) {
        let mut query = query.clone();
        query["limit"] = json!(200);
        let mut ids = Vec::new();
        loop {
            let page = self.posted(&format!("/crm/objects/2026-09/{kind}/search"), &query);
            ids.extend(id_list(&page));
            match page["paging"]["next"]["after"].as_str() {
                Some(next) => query["after"] = json!(next),
                None => return (page["total"].as_u64().unwrap(), ids),
            }
        }
    }

    pub(crate) fn truth_ids(&mut self, kind: &str) -> Vec<String> {
        self.get(&format!("/__sim/truth/ids?type={kind}")).text().lines().map(str::to_owned).collect()
    }
}

pub(crate) fn id_list(page: &Value) -> Vec<String> {
    page["results"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect()
}

fn read_answer(stream: &mut TcpStream) -> Result<Answer, Error> {
    let mut bytes = Vec::new();
    let mut buffer = [0_u8; 65_536];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break end + 4;
        }
        match stream.read(&mut buffer)? {
            0 => return Err(Error::new(ErrorKind::UnexpectedEof, "no reply")),
            read => bytes.extend_from_slice(&buffer[..read]),
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap();
    let mut answer = Answer { status, head, body: bytes.split_off(end) };
    let length: usize = answer.header("content-length").map_or(0, |l| l.parse().unwrap());
    while answer.body.len() < length {
        match stream.read(&mut buffer)? {
            0 => {
                return Err(Error::new(
                    ErrorKind::UnexpectedEof,
                    format!("{} of {length}", answer.body.len()),
                ));
            }
            read => answer.body.extend_from_slice(&buffer[..read]),
        }
    }
    Ok(answer)
}
