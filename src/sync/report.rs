//! The report of a run, as printed and stored; its shape is an outside contract.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::reconcile::Reconciliation;
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;
use crate::hubspot::budget::Daily;
use crate::hubspot::requests::RequestCounts;
use crate::store::checkpoints::Checkpoint;
use crate::store::totals::Totals;

/// Counts of a type of CRM record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeReport {
    /// Records read.
    pub fetched: u64,
    /// New or changed rows.
    pub stored: u64,
    /// Rows that were as before.
    pub unchanged: u64,
    /// Rows removed because HubSpot no longer has them.
    pub deleted: u64,
    /// Records parked with a reason.
    pub failed: u64,
}

/// Counts of a kind of engagement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngagementReport {
    /// Records read.
    pub fetched: u64,
    /// Engagements that are knowledge now.
    pub indexed: u64,
    /// Engagements that are not, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Engagements whose decision is open.
    pub held: u64,
    /// Engagements tied to a known contact.
    pub linked: u64,
    /// Rows removed because HubSpot no longer has them.
    #[serde(default)]
    pub deleted: u64,
    /// Records parked with a reason.
    pub failed: u64,
}

/// Insights made by the run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InsightReport {
    /// New ones.
    pub added: u64,
    /// Ones replaced by newer facts.
    pub superseded: u64,
}

/// Requests the run needed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestReport {
    /// Requests sent.
    pub total: u64,
    /// Of these, repeated ones.
    pub retried: u64,
    /// Answers that were a rate limit.
    pub rate_limited: u64,
    /// The account's requests of the day, where HubSpot limits them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily: Option<DailyReport>,
}

/// The account's budget of the day, all its apps together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyReport {
    /// Permitted.
    pub limit: u64,
    /// Left.
    pub remaining: u64,
}

impl From<Daily> for DailyReport {
    fn from(daily: Daily) -> Self {
        Self { limit: daily.limit, remaining: daily.remaining }
    }
}

impl From<RequestCounts> for RequestReport {
    fn from(counts: RequestCounts) -> Self {
        Self { total: counts.total, retried: counts.retried, rate_limited: counts.rate_limited, daily: None }
    }
}

/// The report of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Run id.
    pub run: String,
    /// Mode.
    pub mode: String,
    /// Start.
    pub started_at: Millis,
    /// End.
    pub finished_at: Millis,
    /// `complete`, `partial`, `failed` or `interrupted`.
    pub outcome: String,
    /// CRM records by type.
    pub types: BTreeMap<String, TypeReport>,
    /// Engagements by kind.
    pub engagements: BTreeMap<String, EngagementReport>,
    /// Insights.
    pub insights: InsightReport,
    /// Documents in the index after the run.
    pub documents: u64,
    /// Requests.
    pub requests: RequestReport,
    /// Share of HubSpot's permitted rate that was used, 0 to 1.
    pub permitted_rate_used: f64,
    /// Highest memory use of this process so far; 0 where the system does not tell.
    pub peak_memory_bytes: u64,
    /// CPU time of this process so far, seconds; 0 where the system does not tell.
    #[serde(default)]
    pub cpu_seconds: f64,
    /// What the learning rules did.
    pub learning_rules: String,
    /// Whether insights were looked for.
    pub distillation: String,
    /// How the store compares with HubSpot, where the run compared them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconciliation: Option<Reconciliation>,
    /// What could not be read, by type, with the reason.
    pub errors: BTreeMap<String, String>,
}

impl Report {
    /// Fills in what checkpoints and totals say.
    pub fn count(&mut self, points: &[Checkpoint], totals: &Totals) {
        for record_type in RecordType::all() {
            let name = record_type.as_str();
            let point = points.iter().find(|point| point.record_type == name && point.run == self.run);
            let fetched = point.map_or(0, |point| point.fetched);
            let failed = point.map_or(0, |point| point.failed);
            if let RecordType::Engagement(_) = record_type {
                let kind = totals.by_kind.get(name).cloned().unwrap_or_default();
                let report = EngagementReport {
                    fetched,
                    indexed: kind.learned,
                    skipped: kind.skipped,
                    held: kind.held,
                    linked: kind.linked,
                    deleted: 0,
                    failed,
                };
                self.engagements.insert(name.to_owned(), report);
            } else {
                let report = TypeReport {
                    fetched,
                    stored: point.map_or(0, |point| point.stored),
                    unchanged: point.map_or(0, |point| point.unchanged),
                    deleted: 0,
                    failed,
                };
                self.types.insert(name.to_owned(), report);
            }
        }
    }
}

impl Report {
    /// Adds what was removed because HubSpot no longer has it.
    pub fn count_deleted(&mut self, deleted: &BTreeMap<RecordType, u64>) {
        for (record_type, count) in deleted {
            let name = record_type.as_str();
            if let Some(report) = self.types.get_mut(name) {
                report.deleted = *count;
            }
            if let Some(report) = self.engagements.get_mut(name) {
                report.deleted = *count;
            }
        }
    }
}

/// User and system time of this process, seconds; 0 where the system does not tell.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "clock ticks far below 2^52")]
pub fn cpu_seconds() -> f64 {
    // Linux counts in hundredths of a second for user space (proc(5), USER_HZ).
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is the program's name in parentheses and may hold spaces.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    (ticks(11) + ticks(12)) as f64 / TICKS_PER_SECOND
}

/// Highest resident memory of this process, bytes; 0 where the system does not tell.
#[must_use]
pub fn peak_memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
