//! Starting the two binaries and looking at what they left behind.

mod browser;
mod installation;
mod portal;

pub use browser::{Answer, Browser};
pub use installation::{Installation, Ran, Server};
pub use portal::Portal;

use std::future::Future;

/// Runs async steps of a test.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// A port nobody listens on at the moment.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
