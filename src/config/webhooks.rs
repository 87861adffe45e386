//! The section `hubspot.webhooks`: as written, then as meant.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenWebhooks {
    require_v3: bool,
    keep_days: u32,
    burst: u64,
}

/// Settings of webhooks.
#[derive(Debug, Clone, Copy)]
pub struct Webhooks {
    /// Only v3 signatures are accepted.
    pub require_v3: bool,
    /// Days that a delivery is kept as it came; 0 keeps none.
    pub keep_days: u32,
    /// More changed records than this at once are left to a run.
    pub burst: u64,
}

impl WrittenWebhooks {
    /// As meant.
    pub(super) fn check(self) -> Webhooks {
        Webhooks { require_v3: self.require_v3, keep_days: self.keep_days.min(3_650), burst: self.burst }
    }
}
