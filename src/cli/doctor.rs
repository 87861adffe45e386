//! `hublore doctor`

use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::{Failure, Global, output, runtime};
use crate::config::DEFAULTS;
use crate::doctor::{self, Verdict};
use crate::domain::clock::SystemClock;

#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Print every setting with its default and meaning, and look at nothing
    #[arg(long)]
    settings: bool,
}

pub(super) fn run(global: &Global, doctor: &Doctor) -> Result<(), Failure> {
    if doctor.settings {
        return output::line(DEFAULTS.trim_end());
    }
    let (config, folder) = (global.config()?, global.folder()?);
    let clock = Arc::new(SystemClock);
    let checks = runtime()?.block_on(doctor::examine(config, folder, global.org.as_deref(), clock));
    if global.json {
        output::json(&json!({ "checks": checks }))?;
    } else {
        for check in &checks {
            let mark = match check.verdict {
                Verdict::Ok => "ok",
                Verdict::Warning => "warning",
                Verdict::Failed => "FAILED",
                Verdict::Skipped => "skipped",
            };
            output::line(&format!("{mark:<8} {:<12} {}", check.name, output::plain(&check.found)))?;
            if let Some(cure) = &check.cure {
                output::line(&format!("{:<8} {:<12} → {cure}", "", ""))?;
            }
        }
    }
    let failed = checks.iter().filter(|check| check.verdict == Verdict::Failed).count();
    match failed {
        0 => Ok(()),
        1 => Err(Failure::Failed("one check failed".to_owned())),
        more => Err(Failure::Failed(format!("{more} checks failed"))),
    }
}
