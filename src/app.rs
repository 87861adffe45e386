//! The composition root: builds every handle once, in the order that survives a crash. No logic.
//!
//! Order of a start: lock the data folder → open the database → open the vault → open the index → follow the
//! ledger (which replays or rebuilds, a server beside serving) → serve. Readers beside a running server open read-only and take no lock.

use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hublore_index::{Embedded, Encoder, Factors, KnowledgeIndex, MeaningError, Options};
use tokio::sync::watch;

use crate::actions::{Actions, Limits};
use crate::config::Config;
use crate::domain::clock::Clock;
use crate::domain::ids::OrgId;
use crate::insights::Distillation;
use crate::insights::model::Model;
use crate::insights::model::budget::Budget;
use crate::insights::model::endpoint::Endpoint;
use crate::knowledge::KnowledgeError;
use crate::knowledge::follower::{Follower, Renewal};
use crate::knowledge::search::Search;
use crate::learning::{self, Proposal, RuleError};
use crate::notify::{Notifications, NotifyError};
use crate::pipeline::Settings;
use crate::pipeline::answers::{ModelJudge, StoredAnswers};
use crate::pipeline::apply::{Review, Stored};
use crate::pipeline::ask::{Asker, Asking, Memory, Round};
use crate::pipeline::policy::Policy;
use crate::pipeline::publish::Owner;
use crate::rules::TopicJudge;
use crate::rules::concepts::Concepts;
use crate::store::check::Checking;
use crate::store::webhooks::Between;
use crate::store::{Store, StoreError, connections, meta, orgs};
use crate::sync::SyncError;
use crate::sync::connection::Connector;
use crate::sync::mode::Mode;
use crate::sync::progress::Progress;
use crate::sync::report::{Report, cpu_seconds, peak_memory_bytes};
use crate::sync::run::{Syncer, Wish};
use crate::vault::{Vault, VaultError, random};
use crate::webhooks::Webhooks;
use crate::webhooks::replay::Replayed;

/// How long a report waits for the index to catch up with what was stored.
const CATCH_UP: Duration = Duration::from_secs(600);

/// Rounds of asking the model in one go.
const ROUNDS: usize = 4;

/// Why the application cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder is in use.
    #[error(
        "another hublore is using the data folder {0}; stop it, or give this one its own with --data-dir"
    )]
    InUse(PathBuf),
    /// The data folder cannot be used.
    #[error("cannot use the data folder {folder}: {reason}")]
    Folder {
        /// Its path.
        folder: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Nothing has been stored there yet.
    #[error(
        "there is no data in {0}; give the folder that has it with --data-dir, or begin with `hublore connect`"
    )]
    Empty(PathBuf),
    /// `--org` names nobody.
    #[error("no organisation `{0}` here")]
    NoSuchOrg(String),
    /// The model endpoint cannot be used from this machine.
    #[error("model.base_url: no client can be made for it: {0}")]
    Model(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The index.
    #[error(transparent)]
    Knowledge(#[from] KnowledgeError),
    /// Notifications.
    #[error(transparent)]
    Notify(#[from] NotifyError),
    /// The table of meanings.
    #[error("search.semantic: {0}")]
    Meaning(#[from] MeaningError),
}

/// Files of the data folder.
#[derive(Debug, Clone)]
pub struct DataFolder(PathBuf);

impl DataFolder {
    /// The folder at `path`.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Something has been stored here.
    #[must_use]
    pub fn has_data(&self) -> bool {
        self.database().exists()
    }

    /// Looks at every page of the database, beside whatever process owns it.
    pub fn check(&self) -> Result<(), StoreError> {
        Store::open_read_only(&self.database())?.check()
    }

    /// Where a running server says how to reach it.
    #[must_use]
    pub fn server_file(&self) -> PathBuf {
        self.0.join("server.json")
    }

    fn database(&self) -> PathBuf {
        self.0.join("hublore.db")
    }

    fn index(&self) -> PathBuf {
        self.0.join("index")
    }

    fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// Takes the lock, making the folder if need be; it is held until the file is dropped.
    fn lock(&self) -> Result<File, StartError> {
        let failed =
            |error: std::io::Error| StartError::Folder { folder: self.0.clone(), reason: error.to_string() };
        // What customers wrote is nobody else's business on a shared machine.
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(failed)?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.0.join("lock"))
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StartError::InUse(self.0.clone())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

/// What a process that only reads needs.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Settings.
    pub config: Arc<Config>,
    /// Database.
    pub store: Store,
    /// Index.
    pub index: Arc<Embedded>,
    /// Organisation asked for, or the only one.
    pub org: OrgId,
}

impl Reading {
    /// Opens the data folder for reading, beside whatever process owns it.
    pub fn open(config: Arc<Config>, folder: &DataFolder, org: Option<&str>) -> Result<Self, StartError> {
        if !folder.has_data() {
            return Err(StartError::Empty(folder.0.clone()));
        }
        let store = up_to_date(folder)?;
        let index = Embedded::open_read_only(folder.index(), index_options(&config)?)
            .map_err(KnowledgeError::from)?;
        let known: Vec<OrgId> = store.read(|conn| orgs::list(conn))?;
        let org = chosen(known, org)?.ok_or_else(|| StartError::Empty(folder.0.clone()))?;
        Ok(Self { config, store, index: Arc::new(index), org })
    }

    /// Searches over store and index.
    #[must_use]
    pub fn search(&self) -> Search<'_> {
        Search { store: &self.store, index: &*self.index, include_unlinked: self.config.include_unlinked }
    }
}

/// The database for reading. After an upgrade the first command brings it up to date, unless a process owns it.
fn up_to_date(folder: &DataFolder) -> Result<Store, StartError> {
    let file = folder.database();
    let opened = Store::open_read_only(&file);
    if !matches!(opened, Err(StoreError::Older)) {
        return Ok(opened?);
    }
    match folder.lock() {
        Ok(_lock) => drop(Store::open(&file)?),
        Err(StartError::InUse(_)) => return Err(StoreError::Older.into()),
        Err(error) => return Err(error),
    }
    Ok(Store::open_read_only(&file)?)
}

/// How the index is opened, by a reader or a writer alike.
fn index_options(config: &Config) -> Result<Options, StartError> {
    let search = &config.search;
    let meaning = search.semantic.as_deref().map(Encoder::open).transpose()?.map(Arc::new);
    let factors = Factors {
        recency_weight: search.recency_weight,
        recency_half_life_days: search.recency_half_life_days,
        kinds: search.kinds.as_slice().into(),
    };
    let writer_budget_bytes = config.index.writer_budget_bytes;
    Ok(Options { writer_budget_bytes, factors, meaning, ..Options::default() })
}

fn chosen(known: Vec<OrgId>, asked: Option<&str>) -> Result<Option<OrgId>, StartError> {
    match asked {
        None => Ok(known.into_iter().next()),
        Some(asked) => {
            let found = known.into_iter().find(|org| org.as_str() == asked);
            found.map(Some).ok_or_else(|| StartError::NoSuchOrg(asked.to_owned()))
        }
    }
}

/// The whole application, owning its data folder.
#[derive(Debug)]
pub struct App {
    /// What readers need too.
    pub reading: Reading,
    /// Where files are.
    pub folder: DataFolder,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Seals what must not be read or changed outside.
    pub vault: Arc<Vault>,
    /// Connections to portals.
    pub connector: Connector,
    /// Keeps the index current.
    pub follower: Follower,
    /// Posts to Slack.
    pub notifications: Notifications,
    /// What HubSpot announces.
    pub webhooks: Webhooks,
    /// What agents may do in HubSpot.
    pub actions: Actions,
    syncer: Syncer,
    /// The model, where one is set.
    asking: Option<Asking>,
    asked: Arc<Mutex<Memory>>,
    /// Rules are tried or applied once at a time.
    reviewing: Mutex<()>,
    /// A look at every page of the database, where one is due.
    _checking: Option<Checking>,
    /// Held until everything above is closed: fields drop in order.
    _lock: File,
}

impl App {
    /// Opens the data folder for this process alone. An index of another version is rebuilt first.
    ///
    /// # Errors
    /// Also where nothing has been stored there: a folder whose name was mistyped is not made.
    pub fn open(
        config: Arc<Config>,
        folder: DataFolder,
        org: Option<&str>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        if !folder.has_data() {
            return Err(StartError::Empty(folder.0));
        }
        Self::opened(config, folder, org, clock, Renewal::First)
    }

    /// As [`open`](Self::open), making the folder and what is in it where there is none.
    pub fn begin(
        config: Arc<Config>,
        folder: DataFolder,
        org: Option<&str>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        Self::opened(config, folder, org, clock, Renewal::First)
    }

    /// As [`begin`](Self::begin), for a server: an index of another version is rebuilt while everything else is
    /// answered.
    pub fn open_to_serve(
        config: Arc<Config>,
        folder: DataFolder,
        org: Option<&str>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        Self::opened(config, folder, org, clock, Renewal::Beside)
    }

    fn opened(
        config: Arc<Config>,
        folder: DataFolder,
        org: Option<&str>,
        clock: Arc<dyn Clock>,
        renewal: Renewal,
    ) -> Result<Self, StartError> {
        let lock = folder.lock()?;
        let store = Store::open(&folder.database())?;
        let (epoch, org) = identities(&store, org, &clock)?;
        let vault = Arc::new(Vault::open(&folder.keys())?);
        let index = Embedded::open(folder.index(), index_options(&config)?).map_err(KnowledgeError::from)?;
        let index = Arc::new(index);
        let commit_after = config.index.commit_after;
        let follower = Follower::start(store.clone(), Arc::clone(&index), epoch, commit_after, renewal)?;
        let checking = store.check_beside(Arc::clone(&clock))?;
        let connector =
            Connector::new(store.clone(), Arc::clone(&vault), Arc::clone(&config), Arc::clone(&clock));
        let asking = asking(&config)?;
        let settings = Settings {
            mask_secrets: config.mask_secrets,
            skip_noise: config.skip_noise.clone(),
            policy: policy(&config, asking.as_ref(), &store, &org),
            news_age_ms: config.slack.max_age_ms,
        };
        let notifications =
            Notifications::new(store.clone(), Arc::clone(&vault), Arc::clone(&clock), org.clone(), &config)?;
        let syncer = Syncer {
            store: store.clone(),
            connector: connector.clone(),
            clock: Arc::clone(&clock),
            settings,
        };
        let webhooks = Webhooks::new(store.clone(), syncer.clone(), Arc::clone(&clock), &config);
        let actions =
            Actions::new(store.clone(), connector.clone(), Arc::clone(&clock), action_limits(&config));
        let reading = Reading { config, store, index, org };
        Ok(Self {
            reading,
            folder,
            clock,
            vault,
            connector,
            follower,
            notifications,
            webhooks,
            actions,
            syncer,
            asking,
            asked: Arc::default(),
            reviewing: Mutex::default(),
            _checking: checking,
            _lock: lock,
        })
    }

    /// The stored engagements of the organisation; nothing where none were ever read.
    fn stored(&self) -> Result<Option<Stored>, StoreError> {
        let org = &self.reading.org;
        let portal = self.reading.store.read(|conn| {
            let connected = connections::get(conn, org)?.map(|connection| connection.portal);
            Ok::<_, StoreError>(match connected {
                Some(portal) => Some(portal),
                None => connections::portal_of_data(conn, org)?,
            })
        })?;
        Ok(portal.map(|portal| self.syncer.stored(Owner { org: org.clone(), portal })))
    }

    /// What the stored rules with a proposal would do to everything stored.
    pub fn test_rules(&self, proposal: &Proposal) -> Result<Review, RuleError> {
        let _one = self.reviewing.try_lock().map_err(|_| RuleError::Busy)?;
        let rules = learning::proposed(&self.reading.store, &self.reading.org, proposal)?;
        let Some(stored) = self.stored()? else { return Ok(Review::default()) };
        let in_force = stored.settings.policy.of(0, &rules, Vec::new())?;
        Ok(stored.dry_run(&in_force)?)
    }

    /// Applies the stored rules to everything stored, without HubSpot.
    pub fn apply_rules(&self) -> Result<Review, RuleError> {
        let _one = self.reviewing.try_lock().map_err(|_| RuleError::Busy)?;
        let Some(stored) = self.stored()? else { return Ok(Review::default()) };
        Ok(stored.apply()?)
    }

    /// Does what is due from what is stored: judgements that were open, insights of an older distiller.
    pub fn catch_up(&self) -> Result<(), RuleError> {
        self.stored()?.map_or(Ok(()), |stored| Ok(stored.catch_up()?))
    }

    /// Asks the model about everything whose turn it is, and does what follows from its answers; nothing where no
    /// model is set.
    pub async fn ask_model(self: &Arc<Self>, stop: &watch::Receiver<bool>) -> Result<Round, RuleError> {
        let mut all = Round::default();
        let Some(asking) = &self.asking else { return Ok(all) };
        // A topic that was judged makes engagements learned, which are then read for facts, and that is all.
        for _ in 0..ROUNDS {
            let Some(Stored { store, owner, clock, settings }) = self.stored()? else { break };
            let (asking, memory) = (asking.clone(), Arc::clone(&self.asked));
            let asker = Asker { store, owner, clock, policy: settings.policy, asking, memory };
            let round = asker.round(stop).await?;
            all.add(round);
            if round.answered == 0 {
                break;
            }
            let this = Arc::clone(self);
            match tokio::task::spawn_blocking(move || this.catch_up()).await {
                // Rules are being applied: what is due stays due.
                Ok(Ok(()) | Err(RuleError::Busy)) => {}
                Ok(Err(error)) => return Err(error),
                Err(panic) => return Err(StoreError::Engine(panic.to_string()).into()),
            }
        }
        Ok(all)
    }

    /// Waits until what was stored before this call is searchable.
    pub fn follow(&self) -> Result<(), KnowledgeError> {
        self.follower.catch_up(CATCH_UP)
    }

    /// Why no sync may start now, if none may.
    pub fn admit_sync(&self) -> Result<(), SyncError> {
        self.syncer.admit(&self.reading.org).map(drop)
    }

    /// Replays webhooks and waits until what changed is searchable.
    pub async fn replay_webhooks(
        self: &Arc<Self>,
        between: Between,
        run_goes_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Replayed, SyncError> {
        let replayed = self.webhooks.replay(&self.reading.org, between, run_goes_on).await?;
        let this = Arc::clone(self);
        let followed = tokio::task::spawn_blocking(move || this.follow()).await;
        // The index follows by itself; that it takes long is no failure of a replay.
        if let Ok(Err(error)) = followed {
            tracing::warn!(%error, "the index has not followed a replay yet");
        }
        Ok(replayed)
    }

    /// Runs a sync and waits until what it stored is searchable.
    pub async fn sync(
        self: &Arc<Self>,
        mode: Mode,
        wish: Wish,
        progress: Arc<Progress>,
        stop: watch::Receiver<bool>,
    ) -> Result<Report, SyncError> {
        let mut report = self.syncer.run(&self.reading.org, mode, wish, progress, stop).await?;
        let this = Arc::clone(self);
        let counted = tokio::task::spawn_blocking(move || {
            this.follower.catch_up(CATCH_UP)?;
            this.reading.index.count(this.reading.org.as_str()).map_err(KnowledgeError::from)
        });
        match counted.await {
            Ok(Ok(documents)) => {
                report.documents = documents;
                // The index followed after the run's own report was made.
                report.peak_memory_bytes = peak_memory_bytes();
                report.cpu_seconds = cpu_seconds();
            }
            Ok(Err(error)) => drop(report.errors.insert("index".to_owned(), error.to_string())),
            Err(error) => drop(report.errors.insert("index".to_owned(), error.to_string())),
        }
        Ok(report)
    }
}

/// The limits of actions in the settings.
fn action_limits(config: &Config) -> Limits {
    let actions = &config.actions;
    Limits {
        per_minute: actions.per_minute,
        per_day: actions.per_day,
        confirm_ms: actions.confirm_ms,
        undo_ms: actions.undo_ms,
        keep_ms: actions.keep_ms,
        timeout: actions.timeout,
        time_zone: actions.time_zone.clone(),
    }
}

/// The model of the settings.
fn asking(config: &Config) -> Result<Option<Asking>, StartError> {
    let Some(model) = &config.model else { return Ok(None) };
    let endpoint = Endpoint::new(&model.base_url, model.api_key.clone(), model.name.clone(), model.timeout);
    Ok(Some(Asking {
        endpoint: endpoint.map_err(|error| StartError::Model(error.to_string()))?,
        budget: Budget {
            day: model.tokens_per_day,
            customer: model.tokens_per_customer,
            sync: model.tokens_per_sync,
        },
        facts: !config.distilled_kinds.is_empty(),
        topics: model.judge_topics,
    }))
}

/// What learning rules and distillation are built of: the embedded parts, or the model's over them.
fn policy(config: &Config, asking: Option<&Asking>, store: &Store, org: &OrgId) -> Policy {
    let embedded = Distillation::of_kinds(config.distilled_kinds.clone());
    let Some(asking) = asking else {
        return Policy { judge: Arc::new(Concepts), unsure: config.unsure, distillation: embedded };
    };
    let answers = StoredAnswers { store: store.clone(), org: org.clone() };
    let name = asking.endpoint.name();
    let judge: Arc<dyn TopicJudge> = match asking.topics {
        true => Arc::new(ModelJudge::new(answers.clone(), &name)),
        false => Arc::new(Concepts),
    };
    let distillation = embedded.by(Arc::new(Model::new(&name, Arc::new(answers))));
    Policy { judge, unsure: config.unsure, distillation }
}

/// The epoch of the database and the organisation to serve, both made at the first start.
fn identities(
    store: &Store,
    asked: Option<&str>,
    clock: &Arc<dyn Clock>,
) -> Result<(String, OrgId), StartError> {
    let fresh_epoch = hex(&random::<16>()?);
    let epoch: String = store.write(move |conn| meta::epoch(conn, &fresh_epoch))?;
    let known: Vec<OrgId> = store.read(|conn| orgs::list(conn))?;
    if let Some(org) = chosen(known, asked)? {
        return Ok((epoch, org));
    }
    let org = OrgId::new(format!("org_{}", hex(&random::<16>()?)));
    let (added, now) = (org.clone(), clock.now());
    let stored: Result<(), StoreError> = store.write(move |conn| orgs::add(conn, &added, "default", now));
    stored?;
    Ok((epoch, org))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
