//! `hublore webhooks`

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde_json::json;

use super::remote::here_or_there;
use super::search::moment;
use super::{Failure, Global, output, runtime};
use crate::domain::clock::{Clock, Millis, SystemClock};
use crate::domain::counted::counted;
use crate::store::StoreError;
use crate::store::webhooks::{self as rows, Between, Delivery};
use crate::webhooks::overview::{self, Overview, Setup};

#[derive(Debug, Args)]
pub(super) struct Webhooks {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The organisation's id, the address to enter in HubSpot, what to tick there, and how it goes
    Show,
    /// The last deliveries, newest first
    List {
        /// Deliveries to show, at most 1000
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
        /// Only older ones than this number
        #[arg(long, value_name = "NUMBER")]
        before: Option<i64>,
    },
    /// Look again, as it is now, at everything that deliveries of that time announced; doing it twice changes nothing
    Replay {
        /// Start, like 2026-03-01 or 2026-03-01T10:00:00Z
        #[arg(long, value_name = "T", value_parser = moment, required_unless_present = "since")]
        from: Option<Millis>,
        /// Start, so long ago: 90s, 15m, 1h, 2d
        #[arg(long, value_name = "TIME", value_parser = span_ms, conflicts_with = "from")]
        since: Option<i64>,
        /// End; without it now
        #[arg(long, value_name = "T", value_parser = moment)]
        to: Option<Millis>,
    },
}

pub(super) fn run(global: &Global, webhooks: &Webhooks) -> Result<(), Failure> {
    match webhooks.verb {
        Verb::Show => show(global),
        Verb::List { limit, before } => list(global, before, limit),
        Verb::Replay { from, since, to } => {
            let now = SystemClock.now();
            let from = from.or(since.map(|ms| now.plus(-ms))).unwrap_or(now);
            replay(global, Between { from, to: to.unwrap_or(now) })
        }
    }
}

/// A span of time like 1h, in milliseconds.
fn span_ms(text: &str) -> Result<i64, String> {
    let units = [("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    let found = units.into_iter().find_map(|(unit, ms)| Some((text.strip_suffix(unit)?, ms)));
    let ms = found.and_then(|(number, ms)| Some(i64::from(number.parse::<u16>().ok()?) * ms));
    ms.ok_or_else(|| format!("`{text}` is not a span of time like 90s, 15m, 1h or 2d"))
}

fn show(global: &Global) -> Result<(), Failure> {
    let reading = global.reading()?;
    let setup = reading.store.read(|conn| overview::setup(conn, &reading.org, &reading.config));
    let setup: Setup = setup.map_err(|error: StoreError| Failure::failed(error))?;
    if global.json {
        return output::json(&setup);
    }
    output::line(&format!("organisation  {}", setup.org))?;
    output::line(&format!("address       {}", setup.overview.address))?;
    for line in lines(&setup.overview) {
        output::line(&line)?;
    }
    output::line("tick in HubSpot (hubspot-app/src/app/webhooks has them all):")?;
    for one in setup.subscriptions {
        let property = one.property.map(|name| format!(" {name}")).unwrap_or_default();
        output::line(format!("  {} {}{property}", one.event, one.object.unwrap_or_default()).trim_end())?;
    }
    Ok(())
}

fn tallied(what: &BTreeMap<String, u64>) -> String {
    let all: Vec<String> = what.iter().map(|(name, count)| format!("{count} {name}")).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

/// How it goes, for `status` too.
pub(super) fn lines(overview: &Overview) -> Vec<String> {
    let last = overview.last_delivery.map_or("never".to_owned(), |at| at.to_string());
    let events = tallied(&overview.events);
    let mut lines = vec![format!(
        "webhooks      {}, the last {last}; events: {events}",
        counted(overview.deliveries, "delivery")
    )];
    if !overview.client_secret {
        lines.push("              hubspot.client_secret is not set: every delivery is refused".to_owned());
    }
    if overview.unreadable > 0 {
        lines.push(format!("              {} cannot be read", counted(overview.unreadable, "delivery")));
    }
    if !overview.refused.is_empty() {
        lines.push(format!("              not believed: {}", tallied(&overview.refused)));
    }
    let queue = &overview.queue;
    if queue.waiting > 0 {
        let since = queue.since.map_or(String::new(), |at| format!(" since {at}"));
        let run = queue.left_to_a_run;
        lines.push(format!(
            "              {} waiting{since}, {run} of them for a run",
            counted(queue.waiting, "record")
        ));
    }
    let error = queue.error.iter();
    lines.extend(
        error.map(|error| format!("              {} failed: {}", queue.failing, output::plain(error))),
    );
    lines
}

fn list(global: &Global, before: Option<i64>, limit: i64) -> Result<(), Failure> {
    let reading = global.reading()?;
    let listed = reading.store.read(|conn| {
        let overview = overview::read(conn, &reading.org, &reading.config)?;
        Ok((rows::newest(conn, &reading.org, before, limit)?, overview))
    });
    let (listed, overview): (Vec<Delivery>, Overview) =
        listed.map_err(|error: StoreError| Failure::failed(error))?;
    if global.json {
        return output::json(&listed);
    }
    if listed.is_empty() {
        output::line(
            "no deliveries here; `hublore webhooks show` says what to enter in HubSpot so that some come",
        )?;
    }
    for one in listed {
        let t = one.tally;
        let counts = format!(
            "{}: {} taken, {} repeated, {} of another portal, {} unknown",
            counted(t.events, "event"),
            t.taken,
            t.repeated,
            t.foreign_portal,
            t.unknown
        );
        let reason = one.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        let kept = if one.kept { "" } else { "  (not kept)" };
        output::line(&format!(
            "{:>8}  {}  {}  {}{reason}  {counts}{kept}",
            one.id, one.received_at, one.signature, one.verdict
        ))?;
    }
    if overview.refused.is_empty() {
        return Ok(());
    }
    let last = overview.last_refused.map_or(String::new(), |at| format!(", the last signed one at {at}"));
    output::line(&format!("refused and not listed: {}{last}", tallied(&overview.refused)))
}

fn replay(global: &Global, between: Between) -> Result<(), Failure> {
    if between.from > between.to {
        return Err(Failure::Usage("--from is later than --to".to_owned()));
    }
    let replayed = here_or_there(
        global,
        |app| {
            let replayed = runtime()?.block_on(app.replay_webhooks(between, &|| false))?;
            Ok(json!(replayed))
        },
        async |remote| {
            remote.post("webhooks/replay", &json!({ "from": between.from, "to": between.to })).await
        },
    )?;
    if global.json {
        return output::json(&replayed);
    }
    let of = |name: &str| replayed[name].as_u64().unwrap_or(0);
    output::line(&format!(
        "{} ({} no longer kept, {} unreadable), {}; {}, {} of them failed",
        counted(of("deliveries"), "delivery"),
        of("without_body"),
        of("unreadable"),
        counted(of("events"), "event"),
        counted(of("looked"), "look"),
        of("failed")
    ))?;
    match of("failed") {
        0 => Ok(()),
        failed => Err(Failure::Failed(format!(
            "{} failed; a running server tries again, `hublore status` says why",
            counted(failed, "look")
        ))),
    }
}
