//! How an action is set up on one agent: defaults and scope, checked when they are saved.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::Refusal;
use super::due::time_of_day;
use crate::domain::action::Action;
use crate::domain::crm::{Owner, Stage};
use crate::domain::ids::{OrgId, PortalId};
use crate::store::conn::Conn;
use crate::store::{StoreError, crm};

/// Defaults of `create_deal`; a call may say otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreateDeal {
    /// Pipeline id.
    pub pipeline: Option<String>,
    /// Stage id, of that pipeline.
    pub stage: Option<String>,
    /// Owner id.
    pub owner: Option<String>,
    /// Deal type.
    pub deal_type: Option<String>,
}

/// Scope of `update_contact`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateContact {
    /// Properties that may be changed.
    pub allowed_properties: Vec<String>,
}

impl Default for UpdateContact {
    fn default() -> Self {
        let names = ["lifecyclestage", "hs_lead_status", "jobtitle", "phone"];
        Self { allowed_properties: names.map(str::to_owned).into() }
    }
}

/// Types of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TaskType {
    /// To do.
    Todo,
    /// A call.
    Call,
    /// An e-mail.
    Email,
}

/// Priorities of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Priority {
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
}

/// Defaults of `log_activity`; a call may say otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogActivity {
    /// Type.
    #[serde(rename = "type")]
    pub task_type: TaskType,
    /// Priority.
    pub priority: Priority,
    /// Due so many days from today.
    pub due_days: u16,
    /// At this time of day.
    pub due_time: String,
    /// Owner id; without one the contact's owner.
    pub owner: Option<String>,
}

impl Default for LogActivity {
    fn default() -> Self {
        Self {
            task_type: TaskType::Todo,
            priority: Priority::Medium,
            due_days: 1,
            due_time: "09:00".to_owned(),
            owner: None,
        }
    }
}

/// Settings of `create_note`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreateNote {
    /// Stands before every note.
    pub body_prefix: Option<String>,
}

/// Settings of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Settings {
    /// Of `create_deal`.
    CreateDeal(CreateDeal),
    /// Of `update_contact`.
    UpdateContact(UpdateContact),
    /// Of `log_activity`.
    LogActivity(LogActivity),
    /// Of `create_note`.
    CreateNote(CreateNote),
}

impl Settings {
    /// Reads settings of an action; what is not said has its default.
    pub fn parse(action: Action, value: Value) -> Result<Self, Refusal> {
        fn read<T: DeserializeOwned>(value: Value) -> Result<T, Refusal> {
            serde_json::from_value(value)
                .map_err(|error| Refusal::bad_request(format!("settings of the action: {error}")))
        }
        Ok(match action {
            Action::CreateDeal => Self::CreateDeal(read(value)?),
            Action::UpdateContact => Self::UpdateContact(read(value)?),
            Action::LogActivity => Self::LogActivity(read(value)?),
            Action::CreateNote => Self::CreateNote(read(value)?),
        })
    }

    /// Stored settings. A row that cannot be read (a setting that is gone) is the defaults: nothing is allowed by it
    /// that was not before.
    #[must_use]
    pub fn stored(action: Action, text: &str) -> Self {
        let value = serde_json::from_str(text).unwrap_or_else(|_| Value::Object(serde_json::Map::new()));
        Self::parse(action, value).unwrap_or_else(|_| Self::defaults(action))
    }

    /// The defaults of an action.
    #[must_use]
    pub fn defaults(action: Action) -> Self {
        match action {
            Action::CreateDeal => Self::CreateDeal(CreateDeal::default()),
            Action::UpdateContact => Self::UpdateContact(UpdateContact::default()),
            Action::LogActivity => Self::LogActivity(LogActivity::default()),
            Action::CreateNote => Self::CreateNote(CreateNote::default()),
        }
    }

    /// Checks settings against the portal and writes names as ids.
    pub(super) fn checked(self, directory: &Directory) -> Result<Self, Refusal> {
        match self {
            Self::CreateDeal(mut one) => {
                (one.pipeline, one.stage) = directory.place(one.pipeline.as_deref(), one.stage.as_deref())?;
                one.owner = one.owner.as_deref().map(|name| directory.owner(name)).transpose()?;
                one.deal_type = one.deal_type.as_deref().map(deal_type).transpose()?;
                Ok(Self::CreateDeal(one))
            }
            Self::UpdateContact(one) => {
                one.allowed_properties.iter().try_for_each(|name| property(name))?;
                Ok(Self::UpdateContact(one))
            }
            Self::LogActivity(mut one) => {
                if time_of_day(&one.due_time).is_none() {
                    let text = &one.due_time;
                    return Err(Refusal::bad_request(format!("due_time: `{text}` is not a time like 09:00")));
                }
                if one.due_days > 366 {
                    return Err(Refusal::bad_request("due_days: at most 366"));
                }
                one.owner = one.owner.as_deref().map(|name| directory.owner(name)).transpose()?;
                Ok(Self::LogActivity(one))
            }
            Self::CreateNote(one) => {
                if one.body_prefix.as_ref().is_some_and(|prefix| prefix.chars().count() > 500) {
                    return Err(Refusal::bad_request("body_prefix: at most 500 characters"));
                }
                Ok(Self::CreateNote(one))
            }
        }
    }
}

/// A name that can be one of HubSpot's, and is none by which records are told apart.
fn property(name: &str) -> Result<(), Refusal> {
    let plain = !name.is_empty()
        && name.len() <= 100
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !plain {
        return Err(Refusal::bad_request(format!("`{name}` is not the internal name of a property")));
    }
    if matches!(name, "email" | "hs_additional_emails" | "hs_object_id") {
        return Err(Refusal::bad_request(format!(
            "`{name}` says who a contact is; agents cannot be allowed to change it"
        )));
    }
    Ok(())
}

/// A deal type as HubSpot stores it.
pub(super) fn deal_type(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let plain = !text.is_empty() && text.len() <= 100 && !text.contains(char::is_control);
    match plain {
        true => Ok(text.to_owned()),
        false => Err(Refusal::bad_request("deal_type: say the internal value, like newbusiness")),
    }
}

/// Pipelines, stages and owners of the portal as the last sync read them.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    stages: Vec<Stage>,
    owners: Vec<Owner>,
}

type Place = (Option<String>, Option<String>);

impl Directory {
    pub(super) fn read(
        conn: &mut dyn Conn,
        org: &OrgId,
        portal: Option<PortalId>,
    ) -> Result<Self, StoreError> {
        let Some(portal) = portal else { return Ok(Self { stages: Vec::new(), owners: Vec::new() }) };
        Ok(Self { stages: crm::stages(conn, org, portal)?, owners: crm::owners(conn, org, portal)? })
    }

    /// Pipeline and stage as ids, each by id or label; a stage of another pipeline is refused.
    pub(super) fn place(&self, pipeline: Option<&str>, stage: Option<&str>) -> Result<Place, Refusal> {
        if pipeline.is_none() && stage.is_none() {
            return Ok((None, None));
        }
        if self.stages.is_empty() {
            return Err(Refusal::bad_request(
                "the portal's pipelines are not known yet; run `hublore sync` first",
            ));
        }
        let same = |name: &str, id: &str, label: &str| name == id || name.eq_ignore_ascii_case(label);
        let pipeline = match pipeline {
            None => None,
            Some(name) => {
                let found = self.stages.iter().find(|one| same(name, &one.pipeline, &one.pipeline_label));
                Some(found.map(|one| one.pipeline.clone()).ok_or_else(|| self.no_pipeline(name))?)
            }
        };
        let Some(stage) = stage else { return Ok((pipeline, None)) };
        let within = |one: &&Stage| pipeline.as_ref().is_none_or(|id| one.pipeline == *id);
        let mut fitting = self.stages.iter().filter(within).filter(|one| same(stage, &one.id, &one.label));
        match (fitting.next(), fitting.next()) {
            (Some(one), None) => Ok((Some(one.pipeline.clone()), Some(one.id.clone()))),
            (Some(_), Some(_)) => Err(Refusal::bad_request(format!(
                "stage: several pipelines have a stage `{stage}`; say which pipeline"
            ))),
            (None, _) => Err(self.no_stage(pipeline.as_deref(), stage)),
        }
    }

    fn no_pipeline(&self, name: &str) -> Refusal {
        let mut names: Vec<String> =
            self.stages.iter().map(|one| format!("{} ({})", one.pipeline, one.pipeline_label)).collect();
        names.dedup();
        Refusal::bad_request(format!("pipeline: no `{name}` here; there are {}", names.join(", ")))
    }

    fn no_stage(&self, pipeline: Option<&str>, stage: &str) -> Refusal {
        let of = self.stages.iter().filter(|one| pipeline.is_none_or(|id| one.pipeline == id));
        let names: Vec<String> = of.map(|one| format!("{} ({})", one.id, one.label)).collect();
        let pipeline = pipeline.map_or("the portal".to_owned(), |id| format!("pipeline {id}"));
        Refusal::bad_request(format!("stage: {pipeline} has no `{stage}`; it has {}", names.join(", ")))
    }

    /// The first stage of a pipeline in which deals are open.
    pub(super) fn first_stage(&self, pipeline: Option<&str>) -> Option<(String, String)> {
        let wanted = pipeline.or_else(|| {
            let usual = self.stages.iter().find(|one| one.pipeline == "default");
            usual.or(self.stages.first()).map(|one| one.pipeline.as_str())
        })?;
        let found = self.stages.iter().find(|one| one.pipeline == wanted && !one.closed)?;
        Some((found.pipeline.clone(), found.id.clone()))
    }

    /// An owner by id, address or name.
    pub(super) fn owner(&self, name: &str) -> Result<String, Refusal> {
        let same = |one: &&Owner| {
            let named = [&one.email, &one.name].into_iter().flatten();
            one.id == name || named.into_iter().any(|other| other.eq_ignore_ascii_case(name))
        };
        let mut fitting = self.owners.iter().filter(same);
        match (fitting.next(), fitting.next()) {
            (Some(one), None) => Ok(one.id.clone()),
            (Some(_), Some(_)) => Err(Refusal::bad_request(format!(
                "owner: several are called `{name}`; say the address or id"
            ))),
            (None, _) => Err(Refusal::bad_request(format!(
                "owner: nobody active here has the id, address or name `{name}`"
            ))),
        }
    }
}
