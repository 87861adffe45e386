//! The one HTTP client: TLS provider installed, timeouts set, redirects off.
//!
//! Everything else that could build a client is forbidden by `clippy.toml`.

use std::sync::Once;
use std::time::Duration;

/// Longest silence of a server that answers piece by piece.
const SILENCE: Duration = Duration::from_secs(30);

/// Builds a client whose requests take at most `timeout`.
pub fn client(timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    build(timeout, SILENCE)
}

/// Builds a client for servers that think before they answer: they may be silent for all of `timeout`.
pub fn patient_client(timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    build(timeout, timeout)
}

#[expect(clippy::disallowed_methods, reason = "the one place that builds a client")]
fn build(timeout: Duration, silence: Duration) -> Result<reqwest::Client, reqwest::Error> {
    static PROVIDER: Once = Once::new();
    // Fails only if another part of the process installed one first, which is as good.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(silence)
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("hublore/", env!("CARGO_PKG_VERSION")))
        .build()
}
