//! An installation of hublore: a data folder, settings for a portal, and the binary run on it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;

use super::{Answer, Browser, Portal, block_on, free_port};

/// Service key that a portal accepts where nothing else is said.
pub(crate) const SERVICE_KEY: &str = "pat-na1-51300000-0000-4000-8000-000000000001";

/// A data folder with settings; removed with the value.
pub(crate) struct Installation {
    folder: TempDir,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) port: u16,
}

/// What a run of the binary left: code, stdout, stderr.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The JSON values on stdout, which must hold nothing else.
    pub(crate) fn values(&self) -> Vec<Value> {
        let values: Result<Vec<Value>, _> =
            serde_json::Deserializer::from_str(&self.stdout).into_iter().collect();
        values.unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The last JSON value on stdout.
    pub(crate) fn json(&self) -> Value {
        self.values().pop().unwrap_or_else(|| panic!("no JSON: {self:?}"))
    }

    /// Asserts success and hands itself on.
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Installation {
    /// An installation set up for `portal`, not connected yet.
    pub(crate) fn for_portal(portal: &Portal) -> Self {
        Self::for_address(&portal.address)
    }

    /// An installation set up for whatever is at `address`.
    pub(crate) fn for_address(address: &str) -> Self {
        let port = free_port();
        let settings = [
            ("HUBLORE_SERVER__LISTEN", format!("127.0.0.1:{port}")),
            ("HUBLORE_SERVER__PUBLIC_URL", format!("http://127.0.0.1:{port}")),
            ("HUBLORE_HUBSPOT__API_BASE", address.to_owned()),
            ("HUBLORE_HUBSPOT__APP_BASE", address.to_owned()),
            ("HUBLORE_HUBSPOT__CLIENT_ID", "sim-client-id".to_owned()),
            ("HUBLORE_HUBSPOT__CLIENT_SECRET", "sim-client-secret".to_owned()),
            ("HUBLORE_HUBSPOT__REQUESTS_PER_10S", "1000000".to_owned()),
            ("HUBLORE_HUBSPOT__RETRY_PAUSE_MS", "20".to_owned()),
        ];
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { folder: TempDir::new().unwrap(), settings, port }
    }

    /// A second one with a copy of everything that a process left; none may be running.
    pub(crate) fn copy(&self) -> Self {
        let folder = TempDir::new().unwrap();
        copy_folder(&self.data(), &folder.path().join("data"));
        Self { folder, settings: self.settings.clone(), port: self.port }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The binary with settings and data folder, ready for a verb.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hublore"));
        command.env_clear().envs(&self.settings).arg("--data-dir").arg(self.data()).args(arguments);
        command
    }

    /// Runs a verb to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }

    /// Makes the data folder, connected to nothing.
    pub(crate) fn begin(&self) {
        assert_eq!(self.serve().stop(), Some(0));
    }

    /// Connects with a service key, without syncing: the short way for tests that are not about OAuth.
    pub(crate) fn connect_with_key(&self) {
        let key = self.folder.path().join("service-key");
        std::fs::write(&key, SERVICE_KEY).unwrap();
        self.run(&["connect", "--no-sync", "--json", "--service-key", key.to_str().unwrap()]).ok();
    }

    /// Connects through the consent page with `hublore connect`, which then runs the first sync.
    pub(crate) fn connect_by_consent(&self, answer: Answer) -> Ran {
        self.connect_with(&[], answer)
    }

    /// The same with further arguments.
    pub(crate) fn connect_with(&self, arguments: &[&str], answer: Answer) -> Ran {
        let mut process = self
            .command(&[&["connect", "--json", "--quiet"], arguments].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut first = String::new();
        while !first.trim_end().ends_with('}') {
            assert!(stdout.read_line(&mut first).unwrap() > 0, "no link: {first}");
        }
        let link: Value = serde_json::from_str(&first).unwrap();
        let link = link["link"].as_str().unwrap().to_owned();
        block_on(Browser::new().consent(&link, answer));
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        let mut stderr = String::new();
        process.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let code = process.wait().unwrap().code();
        Ran { code, stdout: rest, stderr }
    }

    /// Starts `hublore serve` and waits until it answers.
    pub(crate) fn serve(&self) -> Server {
        let process = self.command(&["serve"]).stderr(Stdio::piped()).spawn().unwrap();
        let mut server = Server { process, address: format!("http://127.0.0.1:{}", self.port) };
        let deadline = Instant::now() + Duration::from_secs(60);
        while server.get("/healthz").is_none() {
            if let Some(status) = server.process.try_wait().unwrap() {
                let mut said = String::new();
                server.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                panic!("the server ended with {status}: {said}");
            }
            assert!(Instant::now() < deadline, "the server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// The database, read directly.
    pub(crate) fn database(&self) -> Connection {
        Connection::open_with_flags(self.data().join("hublore.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
    }

    /// Changes the database directly, while no process of ours runs.
    pub(crate) fn change(&self, sql: &str) {
        let database = Connection::open(self.data().join("hublore.db")).unwrap();
        assert!(database.execute(sql, []).unwrap() > 0, "{sql}");
    }

    /// Ids of a table or of a kind of engagement, sorted.
    pub(crate) fn ids(&self, what: &str) -> Vec<String> {
        let sql = match what {
            "contacts" => "select id from end_users order by id".to_owned(),
            "companies" | "deals" => format!("select id from {what} order by id"),
            kind => format!("select id from hubspot_engagements where kind = '{kind}' order by id"),
        };
        self.texts(&sql)
    }

    /// First column of a query as text.
    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        let database = self.database();
        let mut statement = database.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// One number.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.database().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Searches and answers the ids of the documents found.
    pub(crate) fn search(&self, query: &str) -> Vec<String> {
        let answer = self.run(&["search", "--json", query]).ok().json();
        let hits = answer["hits"].as_array().unwrap();
        hits.iter().map(|hit| hit["id"].as_str().unwrap().split('#').next().unwrap().to_owned()).collect()
    }

    /// Asserts that index and database say the same.
    pub(crate) fn verify(&self) -> Value {
        let ran = self.run(&["index", "verify", "--json"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.json()
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A running server; ends with the value.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: String,
}

impl Server {
    /// Body of a GET, if the server answers with success.
    pub(crate) fn get(&self, path: &str) -> Option<String> {
        let (status, body) = self.request("GET", path, None, None)?;
        (status == 200).then_some(body)
    }

    /// Status and body of a request with an agent's key.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Option<(u16, String)> {
        let url = format!("{}{path}", self.address);
        block_on(async {
            let http = hublore::http::client(Duration::from_secs(30)).unwrap();
            let mut request = http.request(method.parse().unwrap(), url);
            if let Some(key) = key {
                request = request.bearer_auth(key);
            }
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = request.send().await.ok()?;
            Some((answer.status().as_u16(), answer.text().await.ok()?))
        })
    }

    /// Status, headers (a line each, names in lower case) and body of a request without a key.
    pub(crate) fn raw(&self, method: &str, path: &str, body: &str) -> (u16, String, String) {
        let url = format!("{}{path}", self.address);
        block_on(async {
            let http = hublore::http::client(Duration::from_secs(30)).unwrap();
            let request = http.request(method.parse().unwrap(), url).body(body.to_owned());
            let answer = request.send().await.unwrap();
            let line = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
                format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))
            };
            let headers = answer.headers().iter().map(line).collect();
            (answer.status().as_u16(), headers, answer.text().await.unwrap())
        })
    }

    /// Ends it without warning and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Ends it as an operator would and answers the exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap();
        self.process.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
