//! Slack at a glance: how it is connected, what is posted where, what waits and what became of the rest.

use std::collections::BTreeMap;

use serde::Serialize;

use super::failure::cure;
use crate::domain::clock::Millis;
use crate::domain::ids::OrgId;
use crate::domain::mode::IntegrationMode;
use crate::domain::notification::{Cadence, NotificationType};
use crate::store::conn::Conn;
use crate::store::slack::{SlackConnection, TypeSetting};
use crate::store::{StoreError, notifications, orgs, slack};

/// The connection.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectionView {
    /// `webhook` or `bot`.
    pub method: &'static str,
    /// Workspace, where Slack told.
    pub team: Option<String>,
    /// Default channel; null: the webhook's own.
    pub channel: Option<String>,
    /// A message whose outcome is unknown is looked for before it is sent again.
    pub reads_back: bool,
    /// Since when.
    pub connected_at: Millis,
    /// Why nothing is posted until a person does something: Slack's code.
    pub stopped: Option<String>,
    /// Since when.
    pub stopped_at: Option<Millis>,
    /// What helps.
    pub cure: Option<&'static str>,
}

impl From<SlackConnection> for ConnectionView {
    fn from(one: SlackConnection) -> Self {
        let (stopped, stopped_at) = one.stopped.unzip();
        Self {
            method: one.method.as_str(),
            team: one.team,
            channel: one.channel.map(|channel| channel.name),
            reads_back: one.reads_back,
            connected_at: one.connected_at,
            cure: stopped.as_deref().map(cure),
            stopped,
            stopped_at,
        }
    }
}

/// One type of notification.
#[derive(Debug, Clone, Serialize)]
pub struct TypeView {
    /// The type.
    #[serde(rename = "type")]
    pub notification: NotificationType,
    /// It is posted, where the mode is on and Slack is connected.
    pub enabled: bool,
    /// Its channel; null: the default one.
    pub channel: Option<String>,
    /// How often.
    pub cadence: Cadence,
}

impl From<TypeSetting> for TypeView {
    fn from(one: TypeSetting) -> Self {
        let TypeSetting { notification, enabled, channel, cadence } = one;
        Self { notification, enabled, channel: channel.map(|channel| channel.name), cadence }
    }
}

/// Everything about Slack.
#[derive(Debug, Clone, Serialize)]
pub struct SlackState {
    /// The mode `notifications` is on; while it is off nothing is posted.
    pub mode_is_on: bool,
    /// The connection, if there is one.
    pub connection: Option<ConnectionView>,
    /// Every type.
    pub types: Vec<TypeView>,
    /// Engagements by what became of them: `waiting`, `sending`, `posted`, `failed`, or why they were dropped.
    pub notifications: BTreeMap<String, u64>,
    /// What whoever made a change should know about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Reads the state.
pub fn read(conn: &mut dyn Conn, org: &OrgId) -> Result<SlackState, StoreError> {
    Ok(SlackState {
        mode_is_on: orgs::modes(conn, org)?.is_on(IntegrationMode::Notifications),
        connection: slack::get(conn, org)?.map(ConnectionView::from),
        types: slack::types(conn, org)?.into_iter().map(TypeView::from).collect(),
        notifications: notifications::counts(conn, org)?,
        warnings: Vec::new(),
    })
}
