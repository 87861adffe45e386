//! Starting the two binaries and looking at what they left behind.

mod browser;
pub(crate) mod chat;
mod installation;
mod portal;

pub(crate) use browser::{Answer, Browser};
pub(crate) use installation::{Installation, Ran, SERVICE_KEY, Server};
pub(crate) use portal::Portal;

use std::future::Future;

/// Runs async steps of a test.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// A port nobody listens on at the moment.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
