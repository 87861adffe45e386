//! The one HTTP client: TLS provider installed, timeouts set, redirects off.
//!
//! Everything else that could build a client is forbidden by `clippy.toml`.

use std::sync::Once;
use std::time::Duration;

/// Builds a client whose requests take at most `timeout`.
#[expect(clippy::disallowed_methods, reason = "the one place that builds a client")]
pub fn client(timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    static PROVIDER: Once = Once::new();
    // Fails only if another part of the process installed one first, which is as good.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(Duration::from_secs(30))
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("hublore/", env!("CARGO_PKG_VERSION")))
        .build()
}
