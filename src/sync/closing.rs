//! How a run ends: its outcome, its report, and what is remembered for the next one.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use super::SyncError;
use super::errors::Errors;
use super::mode::Mode;
use super::report::{InsightReport, Report, cpu_seconds, peak_memory_bytes};
use super::run::Running;
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;
use crate::hubspot::error::HubspotError;
use crate::store::connections::Connection;
use crate::store::crm::Tenant;
use crate::store::runs::{self, Outcome};
use crate::store::upkeep::{self, Task};
use crate::store::{StoreError, announced, checkpoints, connections, insights, totals};

/// After midnight not everybody asks at once: each account begins at its own second of the next five minutes.
const SPREAD_MS: u64 = 300_000;

impl Running<'_> {
    /// Stores how the run ended and answers its report.
    pub(super) fn finish(&self, errors: Errors) -> Result<Report, SyncError> {
        if let Some(error) = errors.store {
            return Err(error.into());
        }
        let finished_at = self.syncer.clock.now();
        let outcome = self.outcome(&errors);
        let report = self.report(&errors, outcome, finished_at)?;
        let json = serde_json::to_string(&report).unwrap_or_default();
        let first_error = errors.by_type.values().next().map(ToString::to_string);
        let auth_error = errors.by_type.values().find(|error| matches!(error, HubspotError::Revoked(_)));
        let auth_error = auth_error.map(ToString::to_string);
        let pause = errors.by_type.values().find_map(|error| self.pause(error, finished_at));
        let tasks = self.tasks_done(outcome);
        let compared = self.reconciliation.as_ref().and_then(|found| serde_json::to_string(found).ok());
        let (owner, stamp) = (self.owner.clone(), self.stamp.clone());
        let covers_all = self.mode.covers_all_types();
        self.syncer.store.write(move |conn| {
            let (org, portal) = (&owner.org, owner.portal);
            runs::finish(conn, &stamp.id, outcome, first_error.as_deref(), &json, finished_at)?;
            if outcome == Outcome::Complete && covers_all {
                connections::set_last_synced(conn, org, finished_at)?;
                let read = checkpoints::watermarks(conn, org)?;
                announced::run_was_complete(conn, Tenant { org, portal, now: finished_at }, &read)?;
            }
            for task in tasks {
                upkeep::set_done(conn, org, portal, task, stamp.started_at)?;
            }
            if let Some(report) = compared {
                upkeep::keep_reconciliation(conn, org, portal, stamp.started_at, &report)?;
            }
            if let Some((until, why)) = pause {
                connections::set_pause(conn, org, Some((until, &why)))?;
            }
            match auth_error {
                Some(error) => connections::set_auth_error(conn, org, &error, finished_at),
                None => Ok(()),
            }
        })?;
        Ok(report)
    }

    /// Daily tasks that need not be done again for a day. A full reading makes all of them unnecessary.
    fn tasks_done(&self, outcome: Outcome) -> Vec<Task> {
        match (outcome, self.mode) {
            (Outcome::Complete, Mode::FullResync) => vec![Task::Associations, Task::Reconciliation],
            (Outcome::Complete, _) => self.done.clone(),
            _ => Vec::new(),
        }
    }

    fn pause(&self, error: &HubspotError, now: Millis) -> Option<(Millis, String)> {
        pause(&self.connection, error, now)
    }

    /// A type we were never allowed to read does not make a run incomplete; the report names it.
    fn outcome(&self, errors: &Errors) -> Outcome {
        let real = errors
            .by_type
            .values()
            .filter(|error| !matches!(error, HubspotError::MissingScope { .. }))
            .count();
        let pauses = |error: &HubspotError| self.pause(error, self.stamp.started_at).is_some();
        match real {
            _ if errors.stopped => Outcome::Interrupted,
            0 => Outcome::Complete,
            _ if errors.by_type.values().any(pauses) => Outcome::Partial,
            failed if failed >= RecordType::all().count() || errors.is_fatal() => Outcome::Failed,
            _ => Outcome::Partial,
        }
    }

    /// A mode that only one permission makes possible is skipped without it, by name.
    fn said_of(&self, outcome: Outcome, errors: &Errors) -> String {
        let lacks = |error: &HubspotError| matches!(error, HubspotError::MissingScope { .. });
        match self.mode {
            Mode::BackfillTranscripts if errors.by_type.values().any(lacks) => {
                "skipped: missing_scope".to_owned()
            }
            _ => outcome.as_str().to_owned(),
        }
    }

    fn report(&self, errors: &Errors, outcome: Outcome, finished_at: Millis) -> Result<Report, SyncError> {
        let org = &self.owner.org;
        let (points, totals, news, in_force) = self.syncer.store.read(|conn| {
            let points = checkpoints::list(conn, org, self.owner.portal)?;
            let news = insights::news(conn, org, self.stamp.started_at)?;
            let in_force = self.syncer.settings.policy.read(conn, &self.owner)?;
            Ok::<_, StoreError>((points, totals::of(conn, org)?, news, in_force))
        })?;
        let mut requests: super::report::RequestReport = self.client.requests().into();
        requests.daily = self.client.budget().daily().map(Into::into);
        let mut report = Report {
            run: self.stamp.id.clone(),
            mode: self.stamp.mode.to_owned(),
            started_at: self.stamp.started_at,
            finished_at,
            outcome: self.said_of(outcome, errors),
            types: BTreeMap::new(),
            engagements: BTreeMap::new(),
            insights: InsightReport { added: news.added, superseded: news.superseded },
            documents: 0,
            requests,
            permitted_rate_used: self.client.permitted_rate_used(),
            peak_memory_bytes: peak_memory_bytes(),
            cpu_seconds: cpu_seconds(),
            learning_rules: in_force.rules.summary(),
            distillation: in_force.distillation.summary().to_owned(),
            reconciliation: self.reconciliation.clone(),
            errors: errors.by_type.iter().map(|(name, error)| (name.clone(), error.to_string())).collect(),
        };
        report.count(&points, &totals);
        report.count_deleted(&self.removed.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(report)
    }
}

/// Until when HubSpot wants to be left alone, and why.
pub(super) fn pause(connection: &Connection, error: &HubspotError, now: Millis) -> Option<(Millis, String)> {
    let until = match error {
        HubspotError::DailyLimit => {
            let spread = 60_000 + connection.portal.0.wrapping_mul(7_919) % SPREAD_MS;
            let midnight = now.next_midnight(connection.utc_offset_ms.unwrap_or(0));
            midnight.plus(i64::try_from(spread).unwrap_or(60_000))
        }
        HubspotError::AskedToWait { wait, .. } => {
            now.plus(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
        }
        _ => return None,
    };
    Some((until, error.to_string()))
}
