//! Talking to the server that owns the data folder, when there is one.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::{Failure, Global, runtime};
use crate::app::{App, DataFolder, StartError};
use crate::domain::clock::SystemClock;
use crate::server::admin::ServerFile;

/// Does something here, or has the server that owns the data folder do it.
pub(super) fn here_or_there(
    global: &Global,
    here: impl FnOnce(&Arc<App>) -> Result<Value, Failure>,
    there: impl AsyncFnOnce(&Remote) -> Result<Value, Failure>,
) -> Result<Value, Failure> {
    let config = global.config()?;
    match App::open(config, global.folder()?, global.org.as_deref(), Arc::new(SystemClock)) {
        Ok(app) => here(&Arc::new(app)),
        Err(StartError::InUse(folder)) => runtime()?.block_on(async {
            match Remote::find(global).await? {
                Some(remote) => there(&remote).await,
                None => Err(StartError::InUse(folder).into()),
            }
        }),
        Err(error) => Err(error.into()),
    }
}

/// A running server.
pub(super) struct Remote {
    http: reqwest::Client,
    file: ServerFile,
}

impl Remote {
    /// The server of the data folder, if one runs and answers.
    ///
    /// # Errors
    /// It works on another organisation than the one asked for: nothing is done to somebody else's data.
    pub(super) async fn find(global: &Global) -> Result<Option<Self>, Failure> {
        let Some(remote) = Self::of(&global.folder()?).await else { return Ok(None) };
        match &global.org {
            Some(org) if *org != remote.file.org => Err(Failure::Refused(format!(
                "the running server works on organisation {}; stop it, or leave out `--org {org}`",
                remote.file.org
            ))),
            _ => Ok(Some(remote)),
        }
    }

    async fn of(folder: &DataFolder) -> Option<Self> {
        let text = std::fs::read(folder.server_file()).ok()?;
        let file: ServerFile = serde_json::from_slice(&text).ok()?;
        let http = crate::http::client(Duration::from_secs(600)).ok()?;
        let remote = Self { http, file };
        // A file left by a killed server points at nothing, or at somebody else.
        remote.get("status").await.ok().map(|_| remote)
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/api/v1/admin/{path}", self.file.address)
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.answer(self.http.get(self.url(path))).await
    }

    /// The address that the segments of a path name; they may hold anything a person typed.
    fn named(&self, segments: &[&str]) -> Result<url::Url, Failure> {
        let mut url = url::Url::parse(&self.url("")).map_err(Failure::failed)?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        Ok(url)
    }

    pub(super) async fn delete(&self, segments: &[&str]) -> Result<Value, Failure> {
        self.answer(self.http.delete(self.named(segments)?)).await
    }

    pub(super) async fn patch(&self, segments: &[&str], body: &Value) -> Result<Value, Failure> {
        self.answer(self.http.patch(self.named(segments)?).json(body)).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.answer(self.http.post(self.url(path)).json(body)).await
    }

    /// The same where the path holds what a person typed.
    pub(super) async fn post_to(&self, segments: &[&str], body: &Value) -> Result<Value, Failure> {
        self.answer(self.http.post(self.named(segments)?).json(body)).await
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Value, Failure> {
        let response = request.bearer_auth(&self.file.key).send().await.map_err(Failure::failed)?;
        let status = response.status();
        let body: Value = response.json().await.map_err(Failure::failed)?;
        if status.is_success() {
            return Ok(body);
        }
        let detail = body["detail"].as_str().unwrap_or("the server refused").to_owned();
        Err(match status.as_u16() {
            400 | 404 => Failure::Usage(detail),
            403 | 409 => Failure::Refused(detail),
            _ => Failure::Failed(detail),
        })
    }
}
