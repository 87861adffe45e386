//! The outbox: takes what waits, sends it, notes what became of it.
//!
//! One message is on its way at a time, so they arrive in order. It is noted before it is sent and again when Slack has
//! answered. Where the answer is lost, or the process died before it came, a bot looks whether the message is there
//! before it sends it again; a webhook cannot look, so such a message may arrive twice rather than never.

use super::entry::{self, Entry};
use super::failure::{Cause, Code, Failure};
use super::message::{MOST_ENTRIES, Message};
use super::pace::{self, Moment};
use super::{Envelope, Notifications, Notifier, NotifyError};
use crate::domain::clock::Millis;
use crate::domain::ids::{DocumentId, OrgId};
use crate::domain::mode::IntegrationMode;
use crate::domain::notification::NotificationType;
use crate::store::conn::Conn;
use crate::store::notifications::{self, Delivery, State};
use crate::store::slack::{self as rows, SlackConnection, TypeSetting};
use crate::store::{StoreError, connections, orgs};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// How long what ended is remembered.
const KEPT_MS: i64 = 30 * DAY_MS;
/// Pause before the second attempt; it doubles up to the longest.
const FIRST_PAUSE_MS: i64 = 1_000;
const LONGEST_PAUSE_MS: i64 = 5 * MINUTE_MS;
/// Where Slack asks to wait and does not say how long.
const UNSAID_WAIT_MS: i64 = 30_000;
/// Why something that waited too long is let go.
const TOO_OLD: &str = "too_old";

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// There was nothing to do.
    Idle,
    /// A message arrived.
    Sent,
    /// A message did not, or nobody knows.
    Failed,
}

/// A message on its way.
#[derive(Debug)]
struct Attempt {
    id: i64,
    notification: NotificationType,
    number: u32,
    /// Made when; it cannot have arrived before.
    made_at: Millis,
    may_have_arrived: bool,
    channel: Option<String>,
    connection: SlackConnection,
    message: Message,
}

/// What is to be done next.
#[derive(Debug)]
enum Turn {
    /// Nothing.
    Rest,
    /// Everything is let go, for this reason.
    CallOff(&'static str),
    /// What was queued before this time is let go.
    DropOld(Millis),
    /// This message is.
    GiveUp(i64),
    /// A message that was not finished is sent once more.
    OnceMore(Delivery, (TypeSetting, SlackConnection)),
    /// What was queued before this time goes into a message.
    FirstTime(Millis, (TypeSetting, SlackConnection)),
}

impl Notifications {
    /// What a process that died was sending is looked at again. Called once, before the first round.
    pub async fn recover(&self) -> Result<(), NotifyError> {
        self.locally(|this| {
            let (org, now) = (this.org.clone(), this.clock.now());
            Ok(this.store.write::<_, StoreError>(move |conn| notifications::recover(conn, &org, now))?)
        })
        .await
    }

    /// Forgets what ended long ago.
    pub async fn prune(&self) -> Result<(), NotifyError> {
        self.locally(|this| {
            let (org, before) = (this.org.clone(), this.clock.now().plus(-KEPT_MS));
            Ok(this.store.write::<_, StoreError>(move |conn| notifications::prune(conn, &org, before))?)
        })
        .await
    }

    /// Sends at most one message.
    pub async fn round(&self) -> Result<Round, NotifyError> {
        for notification in NotificationType::ALL {
            let Some(attempt) = self.locally(move |this| this.next(notification)).await? else { continue };
            let outcome = self.attempt(&attempt).await;
            let arrived = outcome.is_ok();
            self.locally(move |this| this.settle(&attempt, &outcome)).await?;
            return Ok(if arrived { Round::Sent } else { Round::Failed });
        }
        Ok(Round::Idle)
    }

    async fn attempt(&self, attempt: &Attempt) -> Result<(), Failure> {
        // A stored secret that does not open, or that the settings no longer allow, needs a person.
        let unusable = |_| Failure::Refused(Cause { code: Code::parse("stored_secret_unusable", 0) });
        let slack = self.slack(self.way(&attempt.connection).map_err(unusable)?);
        // A database that was restored counts its messages anew.
        let marker = format!("{}-{}", attempt.id, attempt.made_at.0);
        let to = Envelope { channel: attempt.channel.as_deref(), marker: &marker };
        if attempt.may_have_arrived {
            match slack.arrived(to, attempt.made_at).await {
                Ok(Some(true)) => return Ok(()),
                Ok(Some(false) | None) => {}
                Err(failure) => return Err(failure),
            }
        }
        slack.send(to, &attempt.message).await
    }

    /// The message that is to be sent now, noted as being sent.
    fn next(&self, notification: NotificationType) -> Result<Option<Attempt>, NotifyError> {
        let now = self.clock.now();
        // Most looks find nothing to do: the writer is not troubled by them.
        let turn = self.store.read::<_, StoreError>(|conn| self.turn(conn, notification, now))?;
        if matches!(turn, Turn::Rest) {
            return Ok(None);
        }
        let this = self.clone();
        Ok(self.store.write::<_, StoreError>(move |conn| {
            let (org, kind) = (&this.org, Some(notification));
            // What was read may have changed meanwhile.
            match this.turn(conn, notification, now)? {
                Turn::Rest => Ok(None),
                Turn::CallOff(why) => notifications::cancel(conn, org, kind, why).map(|()| None),
                Turn::DropOld(before) => {
                    notifications::drop_older(conn, org, notification, before, TOO_OLD).map(|()| None)
                }
                Turn::GiveUp(id) => {
                    notifications::settle(conn, id, State::Failed, Some(TOO_OLD), None, now).map(|()| None)
                }
                Turn::OnceMore(open, to) => this.once_more(conn, &open, to, now),
                Turn::FirstTime(queued_before, to) => this.first_time(conn, queued_before, to, now),
            }
        })?)
    }

    fn turn(
        &self,
        conn: &mut dyn Conn,
        notification: NotificationType,
        now: Millis,
    ) -> Result<Turn, StoreError> {
        let org = &self.org;
        let open = notifications::open(conn, org, notification)?;
        let oldest = notifications::oldest(conn, org, notification)?;
        if open.is_none() && oldest.is_none() {
            return Ok(Turn::Rest);
        }
        let setting = rows::of_type(conn, org, notification)?;
        if !orgs::modes(conn, org)?.is_on(IntegrationMode::Notifications) || !setting.enabled {
            return Ok(Turn::CallOff("turned_off"));
        }
        let Some(connection) = rows::get(conn, org)? else { return Ok(Turn::CallOff("disconnected")) };
        let limit = now.plus(-self.settings.max_age_ms - setting.cadence.period_ms());
        match (oldest, open) {
            (Some(oldest), _) if oldest < limit => Ok(Turn::DropOld(limit)),
            (_, Some(open)) if open.created_at < limit => Ok(Turn::GiveUp(open.id)),
            _ if connection.stopped.is_some() => Ok(Turn::Rest),
            (_, Some(open)) if open.next_at.is_none_or(|at| at > now) => Ok(Turn::Rest),
            (_, Some(open)) => Ok(Turn::OnceMore(open, (setting, connection))),
            (_, None) => Ok(match self.due(conn, &setting, now)? {
                Some(queued_before) => Turn::FirstTime(queued_before, (setting, connection)),
                None => Turn::Rest,
            }),
        }
    }

    /// A message that was not finished: written anew, because its engagements may have changed.
    fn once_more(
        &self,
        conn: &mut dyn Conn,
        open: &Delivery,
        (setting, connection): (TypeSetting, SlackConnection),
        now: Millis,
    ) -> Result<Option<Attempt>, StoreError> {
        let documents = notifications::of_delivery(conn, open.id)?;
        let (entries, _) = self.entries(conn, setting.notification, documents)?;
        if entries.is_empty() {
            notifications::settle(conn, open.id, State::Failed, Some("nothing_left"), None, now)?;
            return Ok(None);
        }
        let (channel, name) = channel(&setting, &connection);
        notifications::resume(conn, open.id, name.as_deref())?;
        Ok(Some(Attempt {
            id: open.id,
            notification: setting.notification,
            number: open.attempts + 1,
            made_at: open.created_at,
            may_have_arrived: open.state == State::Unknown,
            channel,
            connection,
            message: Message::of(&entries),
        }))
    }

    fn first_time(
        &self,
        conn: &mut dyn Conn,
        queued_before: Millis,
        (setting, connection): (TypeSetting, SlackConnection),
        now: Millis,
    ) -> Result<Option<Attempt>, StoreError> {
        let most = i64::try_from(MOST_ENTRIES).unwrap_or(i64::MAX);
        let times = (queued_before, now);
        let documents = notifications::next(conn, &self.org, setting.notification, times, most)?;
        let (entries, documents) = self.entries(conn, setting.notification, documents)?;
        if entries.is_empty() {
            return Ok(None);
        }
        let (channel, name) = channel(&setting, &connection);
        let kind = setting.notification.as_str();
        let id = notifications::begin(conn, &self.org, kind, name.as_deref(), &documents, now)?;
        let message = Message::of(&entries);
        Ok(Some(Attempt {
            id,
            notification: setting.notification,
            number: 1,
            made_at: now,
            may_have_arrived: false,
            channel,
            connection,
            message,
        }))
    }

    fn due(
        &self,
        conn: &mut dyn Conn,
        setting: &TypeSetting,
        now: Millis,
    ) -> Result<Option<Millis>, StoreError> {
        let waiting = notifications::waiting(conn, &self.org, setting.notification, now)?;
        let Some(oldest) = waiting.oldest else { return Ok(None) };
        let (lately, last) = notifications::recent(conn, &self.org, now.plus(-MINUTE_MS))?;
        let offset_ms = connections::get(conn, &self.org)?.and_then(|one| one.utc_offset_ms).unwrap_or(0);
        Ok(pace::due(Moment {
            now,
            cadence: setting.cadence,
            waiting: waiting.count,
            oldest,
            lately,
            last,
            offset_ms,
            digest_hour: self.settings.digest_hour,
        }))
    }

    /// What is told of each, and of which; what nobody is to be told of any more is let go.
    fn entries(
        &self,
        conn: &mut dyn Conn,
        notification: NotificationType,
        documents: Vec<DocumentId>,
    ) -> Result<(Vec<Entry>, Vec<DocumentId>), StoreError> {
        let (mut entries, mut kept) = (Vec::new(), Vec::new());
        for document in documents {
            match entry::read(conn, &self.org, &document, &self.app_base)? {
                Ok(entry) => {
                    entries.push(entry);
                    kept.push(document);
                }
                Err(why) => notifications::drop_one(conn, &self.org, notification, &document, why)?,
            }
        }
        Ok((entries, kept))
    }

    fn settle(&self, attempt: &Attempt, outcome: &Result<(), Failure>) -> Result<(), NotifyError> {
        let (org, now, id) = (self.org.clone(), self.clock.now(), attempt.id);
        let (state, next_at) = after(outcome, attempt, now);
        let cause = outcome.as_ref().err().map(Failure::name);
        if let Some(cause) = &cause {
            tracing::warn!(delivery = id, %cause, "a message did not reach Slack");
        }
        let stops = matches!(outcome, Err(Failure::Refused(_)));
        let halved = matches!(outcome, Err(Failure::Unacceptable(_))).then_some(attempt.notification);
        Ok(self.store.write::<_, StoreError>(move |conn| {
            notifications::settle(conn, id, state, cause.as_deref(), next_at, now)?;
            if let Some(notification) = halved {
                halve(conn, &org, id, notification, now)?;
            }
            match cause.filter(|_| stops) {
                Some(code) => rows::set_stopped(conn, &org, Some((&code, now))),
                None => Ok(()),
            }
        })?)
    }
}

/// One engagement of a group may be why Slack does not take the message: each half is a message of its own.
fn halve(
    conn: &mut dyn Conn,
    org: &OrgId,
    id: i64,
    notification: NotificationType,
    now: Millis,
) -> Result<(), StoreError> {
    let documents = notifications::of_delivery(conn, id)?;
    if documents.len() < 2 {
        return Ok(());
    }
    let (first, second) = documents.split_at(documents.len() / 2);
    for half in [first, second] {
        let made = notifications::begin(conn, org, notification.as_str(), None, half, now)?;
        notifications::settle(conn, made, State::Retry, None, Some(now), now)?;
    }
    Ok(())
}

/// What becomes of a message, and when it is sent next.
fn after(outcome: &Result<(), Failure>, attempt: &Attempt, now: Millis) -> (State, Option<Millis>) {
    let doubled = FIRST_PAUSE_MS.saturating_mul(1 << attempt.number.saturating_sub(1).min(20));
    let later = Some(now.plus(doubled.min(LONGEST_PAUSE_MS)));
    // What may have arrived once may still have, whatever became of the attempt after it.
    let unsent = if attempt.may_have_arrived { State::Unknown } else { State::Retry };
    match outcome {
        Ok(()) => (State::Sent, None),
        Err(Failure::RateLimited(wait)) => {
            let wait = wait.and_then(|wait| i64::try_from(wait.as_millis()).ok()).unwrap_or(UNSAID_WAIT_MS);
            (unsent, Some(now.plus(wait)))
        }
        Err(Failure::Unreachable) => (unsent, later),
        Err(Failure::Lost | Failure::Server(_)) => (State::Unknown, later),
        // Sent again once a person has done something.
        Err(Failure::Refused(_)) => (unsent, Some(now)),
        Err(Failure::Unacceptable(_)) => (State::Failed, None),
    }
}

/// Where a type goes: what Slack is told, and what people call it.
fn channel(setting: &TypeSetting, connection: &SlackConnection) -> (Option<String>, Option<String>) {
    let channel = setting.channel.as_ref().or(connection.channel.as_ref());
    (channel.map(|one| one.id.clone()), channel.map(|one| one.name.clone()))
}
