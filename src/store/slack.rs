//! The connection to Slack and what is posted there. The secret arrives encrypted and is never seen in clear here.

use super::StoreError;
use super::conn::{Conn, first};
use crate::domain::clock::Millis;
use crate::domain::ids::OrgId;
use crate::domain::notification::{Cadence, NotificationType};
use crate::params;

/// How messages get to Slack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// An incoming webhook, which has its own channel.
    Webhook,
    /// A bot.
    Bot,
}

impl Method {
    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Bot => "bot",
        }
    }
}

/// A channel: what Slack is told, and what people call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Slack's id, or the name where the id is not known.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A connection to Slack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackConnection {
    /// How.
    pub method: Method,
    /// Encrypted address or token.
    pub secret: Vec<u8>,
    /// Workspace, where Slack told.
    pub team: Option<String>,
    /// Default channel; a webhook has its own.
    pub channel: Option<Channel>,
    /// The bot may read the channel back.
    pub reads_back: bool,
    /// Since when.
    pub connected_at: Millis,
    /// Why and since when nothing is posted until a person does something.
    pub stopped: Option<(String, Millis)>,
}

/// How one type of notification is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeSetting {
    /// The type.
    pub notification: NotificationType,
    /// It is posted.
    pub enabled: bool,
    /// Its channel, in the place of the default one.
    pub channel: Option<Channel>,
    /// How often.
    pub cadence: Cadence,
}

impl TypeSetting {
    /// A type that nobody has set: off.
    #[must_use]
    pub fn unset(notification: NotificationType) -> Self {
        Self { notification, enabled: false, channel: None, cadence: Cadence::default() }
    }
}

fn channel(id: Option<String>, name: Option<String>) -> Option<Channel> {
    id.map(|id| Channel { name: name.unwrap_or_else(|| id.clone()), id })
}

/// The connection of an organisation, if it has one.
pub fn get(conn: &mut dyn Conn, org: &OrgId) -> Result<Option<SlackConnection>, StoreError> {
    let sql = "select method, secret, team, channel, channel_name, reads_back, connected_at, stopped, stopped_at \
               from slack where org = $1";
    first(conn, sql, params![org], |row| {
        Ok(SlackConnection {
            method: if row.text(0)? == "bot" { Method::Bot } else { Method::Webhook },
            secret: row.blob(1)?.to_vec(),
            team: row.opt_string(2)?,
            channel: channel(row.opt_string(3)?, row.opt_string(4)?),
            reads_back: row.int(5)? != 0,
            connected_at: Millis(row.int(6)?),
            stopped: row.opt_string(7)?.zip(row.opt_int(8)?.map(Millis)),
        })
    })
}

/// Stores a connection in place of any earlier one.
pub fn put(conn: &mut dyn Conn, org: &OrgId, one: &SlackConnection) -> Result<(), StoreError> {
    let sql = "insert into slack (org, method, secret, team, channel, channel_name, reads_back, connected_at) \
               values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (org) do update set method = excluded.method, \
               secret = excluded.secret, team = excluded.team, channel = excluded.channel, \
               channel_name = excluded.channel_name, reads_back = excluded.reads_back, \
               connected_at = excluded.connected_at, stopped = null, stopped_at = null";
    let (id, name) =
        (one.channel.as_ref().map(|c| c.id.as_str()), one.channel.as_ref().map(|c| c.name.as_str()));
    conn.execute(
        sql,
        params![org, one.method.as_str(), &one.secret, &one.team, id, name, one.reads_back, one.connected_at],
    )
    .map(drop)
}

/// Removes the connection; how types are set stays.
pub fn remove(conn: &mut dyn Conn, org: &OrgId) -> Result<bool, StoreError> {
    Ok(conn.execute("delete from slack where org = $1", params![org])? > 0)
}

/// Notes that nothing can be posted until a person does something, or that this is over.
pub fn set_stopped(conn: &mut dyn Conn, org: &OrgId, why: Option<(&str, Millis)>) -> Result<(), StoreError> {
    let sql = "update slack set stopped = $2, stopped_at = $3 where org = $1";
    conn.execute(sql, params![org, why.map(|(code, _)| code), why.map(|(_, at)| at)]).map(drop)
}

/// How a type is set.
pub fn of_type(
    conn: &mut dyn Conn,
    org: &OrgId,
    notification: NotificationType,
) -> Result<TypeSetting, StoreError> {
    let sql =
        "select enabled, channel, channel_name, cadence from notification_types where org = $1 and type = $2";
    let found = first(conn, sql, params![org, notification.as_str()], |row| {
        Ok(TypeSetting {
            notification,
            enabled: row.int(0)? != 0,
            channel: channel(row.opt_string(1)?, row.opt_string(2)?),
            cadence: Cadence::parse(row.text(3)?).ok_or(StoreError::Shape { column: 3 })?,
        })
    })?;
    Ok(found.unwrap_or_else(|| TypeSetting::unset(notification)))
}

/// How every type is set.
pub fn types(conn: &mut dyn Conn, org: &OrgId) -> Result<Vec<TypeSetting>, StoreError> {
    NotificationType::ALL.into_iter().map(|one| of_type(conn, org, one)).collect()
}

/// Sets a type.
pub fn set_type(conn: &mut dyn Conn, org: &OrgId, one: &TypeSetting) -> Result<(), StoreError> {
    let sql = "insert into notification_types (org, type, enabled, channel, channel_name, cadence) \
               values ($1, $2, $3, $4, $5, $6) on conflict (org, type) do update set enabled = excluded.enabled, \
               channel = excluded.channel, channel_name = excluded.channel_name, cadence = excluded.cadence";
    let (id, name) =
        (one.channel.as_ref().map(|c| c.id.as_str()), one.channel.as_ref().map(|c| c.name.as_str()));
    let (name_of_type, cadence) = (one.notification.as_str(), one.cadence.as_str());
    conn.execute(sql, params![org, name_of_type, one.enabled, id, name, cadence]).map(drop)
}

/// Forgets the channels that types were given: another connection may not have them.
pub fn forget_channels(conn: &mut dyn Conn, org: &OrgId) -> Result<(), StoreError> {
    let sql = "update notification_types set channel = null, channel_name = null where org = $1";
    conn.execute(sql, params![org]).map(drop)
}
