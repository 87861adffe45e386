//! `hublore slack`: posting to Slack, here or in the running server.

use clap::{Args, Subcommand};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::remote::here_or_there;
use super::{Failure, Global, output, runtime};
use crate::domain::counted::counted;
use crate::domain::notification::{Cadence, NotificationType};
use crate::notify::NotifyError;
use crate::notify::failure::Failure as SlackFailure;
use crate::notify::settings::{NewConnection, TypeChange};
use crate::notify::state::{self, SlackState};
use crate::store::StoreError;
use crate::store::notifications::{self, Delivery};

#[derive(Debug, Args)]
pub(super) struct Slack {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Connect Slack by an incoming webhook, or by a bot token and a channel; posts nothing
    Connect(Connect),
    /// Send a test message; if it arrives, posting goes on where it had stopped
    Test(Of),
    /// Post a type of notification
    Enable(Enable),
    /// Stop posting a type; what waits is let go
    Disable(Of),
    /// How Slack is connected, what is posted where, what waits
    Status,
    /// The newest messages and what became of them
    Deliveries {
        /// How many
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
    },
    /// Channels that the bot can see
    Channels,
    /// End the connection; what waits is let go
    Disconnect,
}

#[derive(Debug, Args)]
struct Connect {
    /// Read the address of an incoming webhook from this file (- for standard input)
    #[arg(long, value_name = "FILE", required_unless_present = "bot_token", conflicts_with_all = ["bot_token", "channel"])]
    webhook: Option<String>,
    /// Read the token of a bot from this file (- for standard input)
    #[arg(long, value_name = "FILE", requires = "channel")]
    bot_token: Option<String>,
    /// Channel the bot posts into, by name or id
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<String>,
}

#[derive(Debug, Args)]
struct Of {
    /// Type of notification
    #[arg(value_name = "TYPE", value_parser = notification, default_value = "new_hubspot_engagement")]
    notification: NotificationType,
}

#[derive(Debug, Args)]
struct Enable {
    #[command(flatten)]
    of: Of,
    /// Channel in the place of the default one, by name or id; "" for the default one
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<String>,
    /// At once, or a digest: at_once, hourly or daily
    #[arg(long, value_name = "WHEN", value_parser = cadence)]
    digest: Option<Cadence>,
}

fn notification(text: &str) -> Result<NotificationType, String> {
    let names = NotificationType::ALL.map(NotificationType::as_str).join(", ");
    NotificationType::parse(text).ok_or_else(|| format!("the types are {names}"))
}

fn cadence(text: &str) -> Result<Cadence, String> {
    let names = Cadence::ALL.map(Cadence::as_str).join(", ");
    Cadence::parse(text).ok_or_else(|| format!("the choices are {names}"))
}

impl From<NotifyError> for Failure {
    fn from(error: NotifyError) -> Self {
        match error {
            NotifyError::Invalid(text) => Self::Usage(text),
            NotifyError::NotConnected | NotifyError::Slack(SlackFailure::Refused(_)) => {
                Self::Refused(error.to_string())
            }
            other => Self::failed(other),
        }
    }
}

pub(super) fn run(global: &Global, slack: &Slack) -> Result<(), Failure> {
    match &slack.verb {
        Verb::Connect(connect) => show(global, &connected(global, connect)?),
        Verb::Test(of) => {
            let delivery = test(global, of.notification)?;
            if global.json { output::json(&delivery) } else { output::line("the test message was posted") }
        }
        Verb::Enable(enable) => {
            let change =
                TypeChange { enabled: Some(true), channel: enable.channel.clone(), cadence: enable.digest };
            show(global, &set(global, enable.of.notification, &change)?)
        }
        Verb::Disable(of) => {
            let change = TypeChange { enabled: Some(false), ..TypeChange::default() };
            show(global, &set(global, of.notification, &change)?)
        }
        Verb::Status => show(global, &json!(read(global)?)),
        Verb::Deliveries { limit } => deliveries(global, i64::from(*limit)),
        Verb::Channels => channels(global),
        Verb::Disconnect => {
            let done = here_or_there(
                global,
                |app| {
                    app.notifications.disconnect()?;
                    Ok(json!({ "disconnected": true }))
                },
                async |remote| remote.delete(&["slack"]).await,
            )?;
            if global.json { output::json(&done) } else { output::line("disconnected from Slack") }
        }
    }
}

/// A secret on the command line would be seen by everybody on the machine.
fn secret(file: &str) -> Result<SecretString, Failure> {
    let text =
        if file == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    let text = text.map_err(|error| Failure::Usage(format!("cannot read `{file}`: {error}")))?;
    match text.trim() {
        "" => Err(Failure::Usage(format!("`{file}` is empty"))),
        secret => Ok(SecretString::from(secret.to_owned())),
    }
}

fn connected(global: &Global, connect: &Connect) -> Result<Value, Failure> {
    let webhook_url = connect.webhook.as_deref().map(secret).transpose()?;
    let bot_token = connect.bot_token.as_deref().map(secret).transpose()?;
    let exposed = |one: &Option<SecretString>| one.as_ref().map(|one| one.expose_secret().to_owned());
    let body = json!({
        "webhook_url": exposed(&webhook_url), "bot_token": exposed(&bot_token), "channel": connect.channel,
    });
    let asked = NewConnection { webhook_url, bot_token, channel: connect.channel.clone() };
    here_or_there(
        global,
        |app| Ok(json!(runtime()?.block_on(app.notifications.connect(asked))?)),
        async |remote| remote.post("slack", &body).await,
    )
}

fn test(global: &Global, notification: NotificationType) -> Result<Value, Failure> {
    here_or_there(
        global,
        |app| Ok(json!(runtime()?.block_on(app.notifications.test(notification))?)),
        async |remote| remote.post(&format!("slack/types/{notification}/test"), &json!({})).await,
    )
}

fn set(global: &Global, notification: NotificationType, change: &TypeChange) -> Result<Value, Failure> {
    let body = json!({
        "enabled": change.enabled, "channel": change.channel, "cadence": change.cadence,
    });
    here_or_there(
        global,
        |app| Ok(json!(runtime()?.block_on(app.notifications.set_type(notification, change.clone()))?)),
        async |remote| remote.patch(&["slack", "types", notification.as_str()], &body).await,
    )
}

fn channels(global: &Global) -> Result<(), Failure> {
    let found = here_or_there(
        global,
        |app| Ok(json!({ "channels": runtime()?.block_on(app.notifications.channels())? })),
        async |remote| remote.get("slack/channels").await,
    )?;
    if global.json {
        return output::json(&found);
    }
    let all = found["channels"].as_array().into_iter().flatten();
    all.map(|one| (one["id"].as_str().unwrap_or_default(), one["name"].as_str().unwrap_or_default()))
        .try_for_each(|(id, name)| output::line(&format!("{id:<14}{}", output::plain(name))))
}

fn read(global: &Global) -> Result<SlackState, Failure> {
    let reading = global.reading()?;
    let seen: Result<SlackState, StoreError> = reading.store.read(|conn| state::read(conn, &reading.org));
    seen.map_err(Failure::failed)
}

/// The state as it is after a change, whoever made it.
fn show(global: &Global, answer: &Value) -> Result<(), Failure> {
    let warnings = answer["warnings"].as_array().into_iter().flatten();
    warnings.filter_map(Value::as_str).for_each(output::warning);
    if global.json {
        return output::json(answer);
    }
    let lines = lines(&read(global)?);
    if lines.is_empty() {
        return output::line("not connected, and nothing is posted; `hublore slack connect` connects Slack");
    }
    lines.iter().try_for_each(|line| output::line(line))
}

/// Slack at a glance; nothing where nobody ever touched it.
pub(super) fn lines(state: &SlackState) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(one) = &state.connection {
        let team = one.team.as_deref().map(|team| format!(" to {}", output::plain(team))).unwrap_or_default();
        let channel = one.channel.as_deref().map_or("the webhook's channel".to_owned(), |c| format!("#{c}"));
        lines.push(format!("connected{team} as {}, posting into {channel}", one.method));
        if let (Some(code), Some(cure)) = (&one.stopped, one.cure) {
            lines.push(format!("STOPPED: {code}; {cure}"));
        }
    } else if state.types.iter().any(|one| one.enabled) {
        lines.push("not connected; nothing is posted".to_owned());
    }
    if !state.mode_is_on && (state.connection.is_some() || !lines.is_empty()) {
        lines.push("nothing is posted: the mode is off; hublore modes notifications on".to_owned());
    }
    for one in state.types.iter().filter(|one| one.enabled || state.connection.is_some()) {
        let on = if one.enabled { "on" } else { "off" };
        let channel = one.channel.as_deref().map(|channel| format!(" into #{channel}")).unwrap_or_default();
        lines.push(format!("{} {on}, {}{channel}", one.notification, one.cadence.as_str()));
    }
    if !state.notifications.is_empty() {
        let counts = state.notifications.iter().map(|(what, count)| format!("{count} {what}"));
        lines.push(counts.collect::<Vec<_>>().join(", "));
    }
    lines
}

fn deliveries(global: &Global, limit: i64) -> Result<(), Failure> {
    let reading = global.reading()?;
    let found: Result<Vec<Delivery>, StoreError> =
        reading.store.read(|conn| notifications::deliveries(conn, &reading.org, limit));
    let found = found.map_err(Failure::failed)?;
    if global.json {
        return output::json(&json!({ "deliveries": found }));
    }
    found.iter().try_for_each(|one| {
        let channel = one.channel.as_deref().map(|channel| format!(" #{channel}")).unwrap_or_default();
        let cause = one.cause.as_deref().map(|cause| format!("  {cause}")).unwrap_or_default();
        output::line(&format!(
            "{}  {:<8}{}, {}{channel}{cause}",
            one.created_at,
            one.state.as_str(),
            one.notification,
            counted(one.notifications, "engagement")
        ))
    })
}
