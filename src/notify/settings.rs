//! What an operator does: connects Slack, says what is posted where, tries it, looks at it.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::channel::{Choice, resolved};
use super::failure::Failure;
use super::message::Message;
use super::slack::{ChannelFacts, Identity, Way};
use super::state::{self, SlackState};
use super::{Envelope, Notifications, Notifier, NotifyError};
use crate::domain::notification::{Cadence, NotificationType};
use crate::store::StoreError;
use crate::store::notifications::{self, Delivery, State, TEST};
use crate::store::slack::{self as rows, Method, SlackConnection};

/// Reads a channel back, so that a message is never sent twice.
const READS: [&str; 2] = ["channels:history", "groups:history"];
/// Why notifications of a type that is switched off are let go.
const TURNED_OFF: &str = "turned_off";

/// How Slack is to be connected.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewConnection {
    /// Address of an incoming webhook.
    pub webhook_url: Option<SecretString>,
    /// Or the token of a bot.
    pub bot_token: Option<SecretString>,
    /// Default channel of the bot, by name or id.
    pub channel: Option<String>,
}

/// How a type of notification is to be set; what is not said stays.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TypeChange {
    /// Post it, or not.
    pub enabled: Option<bool>,
    /// Its channel; empty: the default one.
    pub channel: Option<String>,
    /// How often.
    pub cadence: Option<Cadence>,
}

/// The address of an incoming webhook, if it is one below `base`: scheme, host and port are its own, nothing else.
pub(super) fn webhook(address: SecretString, base: &Url) -> Result<SecretString, NotifyError> {
    let refused = || {
        let host = base.host_str().unwrap_or_default();
        NotifyError::Invalid(format!(
            "that is not the address of an incoming webhook at {host}; it is shown once, so it is not repeated here"
        ))
    };
    let url = Url::parse(address.expose_secret().trim()).map_err(|_| refused())?;
    let below = url.path().strip_prefix(base.path().trim_end_matches('/')).unwrap_or_default();
    let same = url.scheme() == base.scheme() && url.host() == base.host() && url.port() == base.port();
    let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let named = below.starts_with('/') && below.len() > 1;
    if same && bare && named { Ok(SecretString::from(String::from(url))) } else { Err(refused()) }
}

impl Notifications {
    /// Connects Slack, after Slack has said that the credential works. Nothing is posted.
    pub async fn connect(&self, asked: NewConnection) -> Result<SlackState, NotifyError> {
        let (method, secret, way) = self.understood(&asked)?;
        let slack = self.slack(way);
        let Identity { team, scopes } = slack.identify().await?;
        let (channel, unchecked) = match &asked.channel {
            Some(name) => resolved(&slack, name).await?.split(),
            None => (None, None),
        };
        let reads_back = READS.iter().any(|scope| scopes.iter().any(|one| one == scope));
        let connected_at = self.clock.now();
        let secret = self.seal(&secret)?;
        let connection =
            SlackConnection { method, secret, team, channel, reads_back, connected_at, stopped: None };
        self.locally(move |this| {
            let org = this.org.clone();
            this.store.write::<_, StoreError>(move |conn| {
                let before = rows::get(conn, &org)?;
                rows::put(conn, &org, &connection)?;
                let same = |one: SlackConnection| one.team.is_some() && one.team == connection.team;
                // Another workspace, or a webhook, does not have the channels that types were given.
                if before.is_some_and(same) { Ok(()) } else { rows::forget_channels(conn, &org) }
            })?;
            Ok(SlackState { warnings: unchecked.into_iter().collect(), ..this.state()? })
        })
        .await
    }

    fn understood(&self, asked: &NewConnection) -> Result<(Method, SecretString, Way), NotifyError> {
        match (&asked.webhook_url, &asked.bot_token, &asked.channel) {
            (Some(address), None, None) => {
                let address = webhook(address.clone(), &self.settings.webhook_base)?;
                Ok((Method::Webhook, address.clone(), Way::Webhook(address)))
            }
            (Some(_), None, Some(_)) => Err(NotifyError::Invalid(
                "an incoming webhook posts into its own channel; a bot token is needed to choose one"
                    .to_owned(),
            )),
            (None, Some(token), Some(_)) if !token.expose_secret().trim().is_empty() => {
                let token = SecretString::from(token.expose_secret().trim().to_owned());
                Ok((Method::Bot, token.clone(), Way::Bot { token, reads_back: false }))
            }
            (None, Some(_), _) => {
                Err(NotifyError::Invalid("a bot needs its token and a channel to post into".to_owned()))
            }
            _ => Err(NotifyError::Invalid(
                "give the address of an incoming webhook, or the token of a bot and a channel".to_owned(),
            )),
        }
    }

    /// Ends the connection. What waits is let go; how types are set stays.
    pub fn disconnect(&self) -> Result<(), NotifyError> {
        let org = self.org.clone();
        let removed = self.store.write::<_, StoreError>(move |conn| {
            notifications::cancel(conn, &org, None, "disconnected")?;
            rows::remove(conn, &org)
        })?;
        if removed { Ok(()) } else { Err(NotifyError::NotConnected) }
    }

    /// Sets a type. What waits of one that is switched off is let go.
    pub async fn set_type(
        &self,
        notification: NotificationType,
        change: TypeChange,
    ) -> Result<SlackState, NotifyError> {
        let (channel, unchecked) = match change.channel.as_deref() {
            None => (None, None),
            Some("") => (Some(None), None),
            Some(name) => {
                let (channel, unchecked) = self.channel(name).await?.split();
                (Some(channel), unchecked)
            }
        };
        self.locally(move |this| {
            let org = this.org.clone();
            this.store.write::<_, StoreError>(move |conn| {
                let mut setting = rows::of_type(conn, &org, notification)?;
                setting.enabled = change.enabled.unwrap_or(setting.enabled);
                setting.channel = channel.unwrap_or(setting.channel);
                setting.cadence = change.cadence.unwrap_or(setting.cadence);
                rows::set_type(conn, &org, &setting)?;
                if setting.enabled {
                    return Ok(());
                }
                notifications::cancel(conn, &org, Some(notification), TURNED_OFF)
            })?;
            Ok(SlackState { warnings: unchecked.into_iter().collect(), ..this.state()? })
        })
        .await
    }

    /// Looks a channel up for a type.
    async fn channel(&self, name: &str) -> Result<Choice, NotifyError> {
        let connection = self.locally(Self::connection).await?;
        if connection.method == Method::Webhook {
            let only = "an incoming webhook posts into its own channel; connect a bot to choose one";
            return Err(NotifyError::Invalid(only.to_owned()));
        }
        resolved(&self.slack(self.way(&connection)?), name).await
    }

    /// The stored connection.
    pub(super) fn connection(&self) -> Result<SlackConnection, NotifyError> {
        let found: Option<SlackConnection> =
            self.store.read::<_, StoreError>(|conn| rows::get(conn, &self.org))?;
        found.ok_or(NotifyError::NotConnected)
    }

    /// Sends a test message where a type goes. If it arrives, posting goes on.
    pub async fn test(&self, notification: NotificationType) -> Result<Delivery, NotifyError> {
        let (connection, setting) = self
            .locally(move |this| {
                let setting =
                    this.store.read::<_, StoreError>(|conn| rows::of_type(conn, &this.org, notification))?;
                Ok((this.connection()?, setting))
            })
            .await?;
        let slack = self.slack(self.way(&connection)?);
        let channel = setting.channel.or(connection.channel);
        let to = Envelope { channel: channel.as_ref().map(|one| one.id.as_str()), marker: TEST };
        let outcome = slack.send(to, &Message::test()).await;
        let name = channel.map(|one| one.name);
        self.locally(move |this| this.note_test(name.as_deref(), &outcome)).await
    }

    fn note_test(
        &self,
        channel: Option<&str>,
        outcome: &Result<(), Failure>,
    ) -> Result<Delivery, NotifyError> {
        let (org, now, channel) = (self.org.clone(), self.clock.now(), channel.map(str::to_owned));
        let failed = outcome.as_ref().err().map(Failure::name);
        let noted = self.store.write::<_, StoreError>(move |conn| {
            let id = notifications::begin(conn, &org, TEST, channel.as_deref(), &[], now)?;
            let state = if failed.is_none() { State::Sent } else { State::Failed };
            notifications::settle(conn, id, state, failed.as_deref(), None, now)?;
            if failed.is_none() {
                rows::set_stopped(conn, &org, None)?;
            }
            notifications::deliveries(conn, &org, 1)
        })?;
        outcome.clone()?;
        noted.into_iter().next().ok_or(NotifyError::Store(StoreError::Shape { column: 0 }))
    }

    /// Channels that the bot can see.
    pub async fn channels(&self) -> Result<Vec<ChannelFacts>, NotifyError> {
        let connection = self.locally(Self::connection).await?;
        if connection.method == Method::Webhook {
            return Err(NotifyError::Invalid("an incoming webhook posts into its own channel".to_owned()));
        }
        Ok(self.slack(self.way(&connection)?).channels().await?.channels)
    }

    /// Whether Slack still takes the stored credential.
    pub async fn check(&self) -> Result<(), NotifyError> {
        let connection = self.locally(Self::connection).await?;
        Ok(self.slack(self.way(&connection)?).identify().await.map(drop)?)
    }

    /// Everything at a glance.
    pub fn state(&self) -> Result<SlackState, NotifyError> {
        Ok(self.store.read::<_, StoreError>(|conn| state::read(conn, &self.org))?)
    }

    /// The newest messages.
    pub fn deliveries(&self, limit: usize) -> Result<Vec<Delivery>, NotifyError> {
        let limit = i64::try_from(limit.clamp(1, 1_000)).unwrap_or(1_000);
        Ok(self.store.read::<_, StoreError>(|conn| notifications::deliveries(conn, &self.org, limit))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(address: &str, base: &str) -> bool {
        webhook(SecretString::from(address.to_owned()), &Url::parse(base).unwrap()).is_ok()
    }

    #[test]
    fn only_addresses_of_slacks_own_host_are_webhooks() {
        let base = "https://hooks.slack.com";
        assert!(taken("https://hooks.slack.com/services/T0/B0/xyz", base));
        assert!(taken(" https://hooks.slack.com/services/T0/B0/xyz\n", base));
        for bad in [
            "http://hooks.slack.com/services/T0/B0/x",
            "https://hooks.slack.com./services/T0/B0/x",
            "https://hooks.slack.com:8443/services/x",
            "https://user@hooks.slack.com/services/x",
            "https://hooks.slack.com@evil.example/services/x",
            "https://hooks.slack.com.evil.example/services/x",
            "https://hooks.slack.com/",
            "https://evil.example/?https://hooks.slack.com/services/x",
            "https://xn--hooks-slack-com.example/services/x",
            "https://127.0.0.1/services/x",
            "https://0x7f000001/services/x",
            "https://2130706433/services/x",
            "https://0177.0.0.1/services/x",
            "https://[::ffff:7f00:1]/services/x",
            "https://[64:ff9b::7f00:1]/services/x",
            "https://localhost/services/x",
            "https://hооks.slack.com/services/x",
            "file:///etc/passwd",
            "hooks.slack.com/services/x",
            "",
        ] {
            assert!(!taken(bad, base), "{bad}");
        }
        let local = "http://127.0.0.1:9000/__slack";
        assert!(taken("http://127.0.0.1:9000/__slack/services/x", local));
        assert!(!taken("http://127.0.0.1:9001/__slack/services/x", local));
        assert!(!taken("http://127.0.0.1:9000/services/x", local));
        assert!(!taken("https://hooks.slack.com/services/x", local));
    }

    #[test]
    fn hosts_however_they_are_written_are_not_slacks() {
        const HOSTS: &str = "127.0.0.1 127.1 0 0.0.0.0 2130706433 0x7f.1 0x7f000001 017700000001 0177.0.0.1 localhost \
            localhost. [::1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [64:ff9b::7f00:1] 169.254.169.254 2852039166 \
            0xa9fea9fe [fd00:ec2::254] metadata.google.internal 10.0.0.1 192.168.0.1 172.16.0.1 100.64.0.1 [fe80::1] \
            hooks.slack.com. hooks.slack.com.. slack.com evil-hooks.slack.com hooks.slack.com.localtest.me \
            ｈooks.slack.com.evil.example hooks。slack。com。evil";
        const SHAPES: &str =
            "{} {}:443 {}:80 hooks.slack.com@{} hooks.slack.com:443@{} {}#hooks.slack.com {}?hooks.slack.com";
        let mut tried = 0;
        for host in HOSTS.split_whitespace() {
            for shape in SHAPES.split_whitespace() {
                let address = format!("https://{}/services/T0/B0/x", shape.replace("{}", host));
                assert!(!taken(&address, "https://hooks.slack.com"), "{address}");
                tried += 1;
            }
        }
        assert!(tried >= 200);
    }
}
