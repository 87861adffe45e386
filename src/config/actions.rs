//! The section `actions`: as written, then as meant.
//!
//! Not here: which actions an agent may call; that is kept in the store.

use std::time::Duration;

use serde::Deserialize;

use super::{ConfigError, bad};
use crate::domain::zone::Zone;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenActions {
    per_minute: u64,
    per_day: u64,
    confirm_minutes: u32,
    undo_hours: u32,
    keep_days: u32,
    timeout_s: u64,
    time_zone: String,
}

/// What limits agents' actions.
#[derive(Debug, Clone)]
pub struct Actions {
    /// Actions of an organisation in a minute.
    pub per_minute: u64,
    /// And in a day.
    pub per_day: u64,
    /// How long a proposed change can be confirmed, milliseconds.
    pub confirm_ms: i64,
    /// How long something can be taken back, milliseconds.
    pub undo_ms: i64,
    /// How long attempts are remembered, milliseconds.
    pub keep_ms: i64,
    /// Limit of one request.
    pub timeout: Duration,
    /// Zone that dates are meant in; `None` is the portal's.
    pub time_zone: Option<Zone>,
}

impl WrittenActions {
    /// As meant.
    pub(super) fn check(self) -> Result<Actions, ConfigError> {
        let name = self.time_zone.trim();
        let time_zone = match Zone::named(name) {
            _ if name.is_empty() => None,
            None => return bad(format!("actions.time_zone: `{name}` is not a zone like Europe/Berlin")),
            known => known,
        };
        let day_ms = 86_400_000;
        let undo_ms = i64::from(self.undo_hours.min(24 * 365)) * 3_600_000;
        Ok(Actions {
            per_minute: self.per_minute,
            per_day: self.per_day,
            confirm_ms: i64::from(self.confirm_minutes.clamp(1, 60)) * 60_000,
            undo_ms,
            // What can be taken back, and what counts against the day, is known that long.
            keep_ms: (i64::from(self.keep_days.min(36_500)) * day_ms).max(undo_ms + 2 * day_ms),
            timeout: Duration::from_secs(self.timeout_s.clamp(1, 60)),
            time_zone,
        })
    }
}
