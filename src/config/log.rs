//! The section `log`: as written, then as meant.
//!
//! What the filter library would take for the name of a module (`log.level = "bogus"`) is refused here.

use serde::Deserialize;

use super::{ConfigError, bad};

/// The words for how much is logged.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenLog {
    level: String,
    json: bool,
}

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct Log {
    /// A filter: a level, and levels of modules.
    pub filter: String,
    /// Lines of JSON.
    pub json: bool,
}

impl WrittenLog {
    /// As meant.
    pub(super) fn check(self) -> Result<Log, ConfigError> {
        let parts: Vec<String> = self.level.split(',').map(|part| part.trim().to_lowercase()).collect();
        if let Some(part) = parts.iter().find(|part| !is_directive(part)) {
            return bad(format!(
                "log.level: `{}` is not {} or, for a module, like hublore=debug",
                part.escape_debug(),
                LEVELS.join(", ")
            ));
        }
        Ok(Log { filter: parts.join(","), json: self.json })
    }
}

/// A level, or `module=level`.
fn is_directive(text: &str) -> bool {
    let (module, level) = text.split_once('=').map_or((None, text), |(module, level)| (Some(module), level));
    let is_path = |module: &str| {
        !module.is_empty() && module.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
    };
    LEVELS.contains(&level) && module.is_none_or(is_path)
}
