//! The listener: HTTP/1.1 on loopback, one task per connection. It reads requests, hands them to
//! `route` and writes replies; it knows no endpoint.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;

use crate::corpus::Corpus;
use crate::delivery::{Cut, Manner, Pieces};
use crate::faults::Rules;
use crate::handle;
use crate::http::{Reply, Request};
use crate::options::{Error, Options};
use crate::portal::Portal;
use crate::state::State;

/// A portal that is listening. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What clients take in place of `https://api.hubapi.com` and `https://app.hubspot.com`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Stops listening and waits until all threads are gone.
    pub fn stop(mut self) {
        self.halt();
    }

    fn halt(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread returns nothing, and its panic has already been printed.
            drop(thread.join());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.halt();
    }
}

/// Starts a portal on its own threads and returns once it listens.
///
/// # Errors
/// When the address is not loopback or taken, or a given file cannot be used.
pub fn start(options: Options) -> Result<Running, Error> {
    if !options.listen.ip().is_loopback() {
        return Err(Error::NotLoopback(options.listen));
    }
    let corpus = options.corpus.as_deref().map_or_else(|| Ok(Corpus::default()), Corpus::read)?;
    let rules = options.faults.as_deref().map_or_else(|| Ok(Rules::default()), read_rules)?;
    let bind = |source| Error::Bind { address: options.listen, source };
    let listener = StdListener::bind(options.listen).map_err(bind)?;
    listener.set_nonblocking(true).map_err(bind)?;
    let addr = listener.local_addr().map_err(bind)?;
    let portal = Portal::new(&options, corpus);
    let state = Arc::new(State::new(options, portal, rules));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("simulator")
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    let (stop, stopped) = oneshot::channel();
    let serve = move || {
        runtime.block_on(async move {
            tokio::select! {
                () = accept(listener, state) => {}
                _ = stopped => {}
            }
        });
    };
    let thread = std::thread::Builder::new().name("simulator-main".to_owned()).spawn(serve);
    let thread = thread.map_err(Error::Runtime)?;
    Ok(Running { addr, stop: Some(stop), thread: Some(thread) })
}

async fn accept(listener: StdListener, state: Arc<State>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        // Replies are small and waited for; collecting them for a fuller packet only adds delay.
        drop(stream.set_nodelay(true));
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(|request| serve(&state, request));
            let http = hyper::server::conn::http1::Builder::new()
                .max_buf_size(1 << 18)
                .serve_connection(TokioIo::new(stream), service);
            // A client that hangs up is no failure of ours.
            drop(http.await);
        });
    }
}

fn read_rules(path: &Path) -> Result<Rules, Error> {
    let fail = |reason: String| Error::File { path: path.to_owned(), reason };
    let text = std::fs::read_to_string(path).map_err(|e| fail(e.to_string()))?;
    serde_json::from_str(&text).map_err(|e| fail(e.to_string()))
}

async fn serve(
    state: &Arc<State>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Pieces>, Cut> {
    let (reply, manner) = match read(request).await {
        Ok(request) => handle::handle(state, &request).await,
        Err(reply) => (reply, Manner::Whole),
    };
    // An error instead of a response makes hyper close the connection without a byte.
    if manner == Manner::Nothing { Err(Cut) } else { Ok(response(reply, manner)) }
}

/// No request is larger; a client that sends more is stopped before it fills the memory.
const LARGEST_BODY: usize = 1 << 26;

async fn read(request: hyper::Request<Incoming>) -> Result<Request, Reply> {
    let (head, body) = request.into_parts();
    let header = |name| head.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let path = head.uri.path().to_owned();
    let decode = |s: &str| {
        let form = format!("x={}", s.replace('+', "%2B"));
        url::form_urlencoded::parse(form.as_bytes()).next().map_or_else(String::new, |(_, v)| v.into_owned())
    };
    let body = Limited::new(body, LARGEST_BODY).collect().await.map_err(|error| {
        let too_large = error.is::<LengthLimitError>();
        let (status, message) = if too_large { (413, "Payload Too Large") } else { (400, "unreadable body") };
        Reply::error(status, "VALIDATION_ERROR", message)
    })?;
    let query = head.uri.query().unwrap_or_default();
    Ok(Request {
        method: head.method.as_str().to_owned(),
        segments: path.split('/').filter(|s| !s.is_empty()).map(decode).collect(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        bearer: header(AUTHORIZATION).strip_prefix("Bearer ").map(|token| token.trim().to_owned()),
        content_type: header(CONTENT_TYPE),
        body: body.to_bytes().to_vec(),
        uri_length: path.len() + query.len(),
        path,
    })
}

fn response(reply: Reply, manner: Manner) -> hyper::Response<Pieces> {
    let length = reply.body.len();
    let mut response = hyper::Response::new(Pieces::of(reply.body, manner));
    *response.status_mut() = hyper::StatusCode::from_u16(reply.status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    match manner {
        Manner::Half => drop(headers.insert(CONTENT_LENGTH, HeaderValue::from(length))),
        Manner::TooShort => drop(headers.insert(CONTENT_LENGTH, HeaderValue::from(length + 1_000))),
        _ => {}
    }
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}
