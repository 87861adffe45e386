//! What a filter names that nothing stored is called, each said with what there is.
//!
//! A doubt refuses nothing: a stage may be saved before the first record is in it.

use super::SegmentError;
use crate::domain::ids::OrgId;
use crate::domain::segment::{DealFilter, Members, PropertyFilter, SegmentFilter};
use crate::store::conn::Conn;
use crate::store::segment_values as known;

/// Names shown of what there is.
const MOST: usize = 20;
/// As many are read: one more tells that there are more.
const READ: i64 = 21;

/// Says of each condition whether what it names is unknown here.
pub(super) fn of(
    conn: &mut dyn Conn,
    org: &OrgId,
    filter: &SegmentFilter,
) -> Result<Vec<String>, SegmentError> {
    let mut doubts = Vec::new();
    if let Some(deal) = &filter.has_deal {
        doubts.extend(of_deal(conn, org, deal)?);
    }
    if let Some(stage) = &filter.lifecycle_stage {
        let there = known::lifecycle_stages(conn, org, filter.members, READ)?;
        let who = one(filter.members);
        doubts.extend(doubt(stage, there, &format!("no {who} has the lifecycle stage")));
    }
    for owner in filter.owner.iter().chain(filter.has_deal.as_ref().and_then(|deal| deal.owner.as_ref())) {
        if !known::is_owner(conn, org, owner)? {
            let there = known::owners(conn, org, READ)?;
            doubts.extend(doubt(owner, there, "no owner has the id, address or name"));
        }
    }
    if let Some(property) = &filter.property {
        doubts.extend(of_property(conn, org, filter.members, property)?);
    }
    Ok(doubts)
}

fn of_deal(conn: &mut dyn Conn, org: &OrgId, deal: &DealFilter) -> Result<Vec<String>, SegmentError> {
    if deal.pipeline.is_none() && deal.stage.is_none() {
        return Ok(Vec::new());
    }
    let stages = known::stages(conn, org)?;
    let mut doubts = Vec::new();
    let mut here: Vec<&known::Stage> = stages.iter().collect();
    if let Some(pipeline) = &deal.pipeline {
        here.retain(|stage| stage.pipeline == *pipeline || is(&stage.pipeline_label, pipeline));
        if here.is_empty() {
            let labels = stages.iter().map(|stage| stage.pipeline_label.clone()).collect();
            doubts.extend(doubt(pipeline, labels, "no pipeline has the label or id"));
            // Which stages are meant is not known either.
            return Ok(doubts);
        }
    }
    if let Some(stage) = &deal.stage
        && !here.iter().any(|one| one.id == *stage || is(&one.label, stage))
    {
        let labels = here.iter().map(|one| one.label.clone()).collect();
        doubts.extend(doubt(stage, labels, "no deal stage has the label or id"));
    }
    Ok(doubts)
}

fn of_property(
    conn: &mut dyn Conn,
    org: &OrgId,
    members: Members,
    asked: &PropertyFilter,
) -> Result<Option<String>, SegmentError> {
    let PropertyFilter { name, value } = asked;
    if known::has_value(conn, org, members, name, value)? {
        return Ok(None);
    }
    let names = known::properties(conn, org, members)?;
    let who = one(members);
    // Names are compared as they are written: HubSpot's are.
    if !names.contains(name) {
        let (name, there) = (name.escape_debug(), listed(names));
        return Ok(Some(format!("no property `{name}` of a {who} is read; {there}")));
    }
    let options = known::options(conn, org, members, name)?;
    let there = match options.is_empty() {
        true => known::values(conn, org, members, name, READ)?,
        false => options.into_iter().map(|option| option.value).collect(),
    };
    Ok(doubt(value, there, &format!("no {who} has in {name} the value")))
}

/// The doubt about a name that is none of these.
fn doubt(name: &str, there: Vec<String>, lead: &str) -> Option<String> {
    if there.iter().any(|one| is(one, name)) {
        return None;
    }
    Some(format!("{lead} `{}`; {}", name.escape_debug(), listed(there)))
}

fn listed(mut names: Vec<String>) -> String {
    names.sort();
    names.dedup();
    let more = if names.len() > MOST { ", …" } else { "" };
    names.truncate(MOST);
    let names: Vec<String> = names.iter().map(|name| name.escape_debug().to_string()).collect();
    if names.is_empty() {
        "none is known yet".to_owned()
    } else {
        format!("known: {}{more}", names.join(", "))
    }
}

/// As the filter compares.
fn is(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn one(members: Members) -> &'static str {
    match members {
        Members::Contacts => "contact",
        Members::Companies => "company",
    }
}
