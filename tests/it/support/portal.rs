//! A running `hubspot-simulator`.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::block_on;

/// A simulated portal in a process of its own; ends with the value.
pub(crate) struct Portal {
    process: Child,
    pub(crate) address: String,
}

impl Portal {
    /// Starts a portal with further arguments.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(binary())
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the simulator starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").expect("the simulator says where it listens");
        Self { address: address.to_owned(), process }
    }

    pub(crate) fn get(&self, path: &str) -> String {
        let url = format!("{}{path}", self.address);
        block_on(async {
            let http = hublore::http::client(Duration::from_secs(30)).unwrap();
            http.get(url).send().await.unwrap().text().await.unwrap()
        })
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> String {
        let url = format!("{}{path}", self.address);
        block_on(async {
            let http = hublore::http::client(Duration::from_secs(30)).unwrap();
            let answer = http.post(&url).json(body).send().await.unwrap();
            assert!(answer.status().is_success(), "{url}: {}", answer.status());
            answer.text().await.unwrap()
        })
    }

    /// Asks HubSpot's own API with the service key that portals accept.
    pub(crate) fn api(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.address);
        block_on(async {
            let http = hublore::http::client(Duration::from_secs(30)).unwrap();
            let answer = http.get(&url).bearer_auth(super::SERVICE_KEY).send().await.unwrap();
            assert!(answer.status().is_success(), "{url}: {}", answer.status());
            answer.json().await.unwrap()
        })
    }

    /// Changes as a person would.
    pub(crate) fn patch(&self, path: &str, body: &Value) {
        let url = format!("{}{path}", self.address);
        block_on(async {
            let http = hublore::http::client(Duration::from_secs(30)).unwrap();
            assert!(http.patch(url).json(body).send().await.unwrap().status().is_success());
        })
    }

    /// Deletes as a person would.
    pub(crate) fn delete(&self, path: &str) {
        let url = format!("{}{path}", self.address);
        block_on(async {
            let http = hublore::http::client(Duration::from_secs(30)).unwrap();
            assert!(http.delete(url).send().await.unwrap().status().is_success());
        })
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        let text = self.get(path);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error} in {text}"))
    }

    /// The ids HubSpot would have of a type, sorted.
    pub(crate) fn ids(&self, record_type: &str) -> Vec<String> {
        let text = self.get(&format!("/__sim/truth/ids?type={record_type}"));
        let mut ids: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        ids.sort();
        ids
    }

    /// What is true of one record.
    pub(crate) fn record(&self, record_type: &str, id: &str) -> Value {
        self.json(&format!("/__sim/truth/record?type={record_type}&id={id}"))
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn binary() -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_BIN_EXE_hublore")).with_file_name("hubspot-simulator");
    assert!(beside.exists(), "build the simulator first: cargo build --workspace");
    beside
}
