//! Segments: saved filters, and who meets them, computed when it is asked.
//!
//! One text per question; a condition that was not set is a null parameter. Nothing is cached: a deal that
//! changes its stage changes every segment with the transaction that stores it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::StoreError;
use super::conn::{Conn, Param, Row, all, first};
use crate::domain::clock::Millis;
use crate::domain::ids::{OrgId, PortalId};
use crate::domain::segment::{Members, SegmentFilter};
use crate::params;

/// A saved filter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Segment {
    /// Id.
    pub id: String,
    /// Name, unique within the organisation.
    pub name: String,
    /// What its members have in common.
    pub filter: SegmentFilter,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last changed.
    pub updated_at: Millis,
}

/// One member of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Portal it belongs to.
    pub portal_id: PortalId,
    /// HubSpot's id.
    pub id: String,
    /// Name, where there is one.
    pub name: Option<String>,
    /// Address of a contact, web domain of a company.
    pub address: Option<String>,
}

/// How many meet a filter, and what their matching deals come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Members.
    pub members: u64,
    /// Matching deals in which a member takes part, each counted once.
    pub deals: u64,
    /// Of these, deals without a readable amount.
    pub deals_without_amount: u64,
    /// Sum of the amounts per currency code, as an exact decimal; `?` where a deal names no currency.
    pub sums: BTreeMap<String, String>,
}

/// Saves a segment, new or changed, under its id.
pub fn put(conn: &mut dyn Conn, org: &OrgId, segment: &Segment) -> Result<(), StoreError> {
    let filter = serde_json::to_string(&segment.filter).map_err(|_| StoreError::Shape { column: 3 })?;
    conn.execute(
        "insert into segments (org, id, name, filter, created_at, updated_at) values ($1, $2, $3, $4, $5, $6) \
         on conflict (org, id) do update set name = excluded.name, filter = excluded.filter, \
         updated_at = excluded.updated_at",
        params![org, &segment.id, &segment.name, &filter, segment.created_at, segment.updated_at],
    )
    .map(drop)
}

/// Every segment, by name.
pub fn list(conn: &mut dyn Conn, org: &OrgId) -> Result<Vec<Segment>, StoreError> {
    let sql = "select id, name, filter, created_at, updated_at from segments where org = $1 order by name";
    all(conn, sql, params![org], segment)
}

/// The segment of that id or name.
pub fn find(conn: &mut dyn Conn, org: &OrgId, id_or_name: &str) -> Result<Option<Segment>, StoreError> {
    let sql = "select id, name, filter, created_at, updated_at from segments \
               where org = $1 and (id = $2 or lower(name) = lower($2)) order by id = $2 desc";
    first(conn, sql, params![org, id_or_name], segment)
}

/// Forgets a segment; says whether there was one.
pub fn remove(conn: &mut dyn Conn, org: &OrgId, id: &str) -> Result<bool, StoreError> {
    Ok(conn.execute("delete from segments where org = $1 and id = $2", params![org, id])? > 0)
}

fn segment(row: &dyn Row) -> Result<Segment, StoreError> {
    Ok(Segment {
        id: row.string(0)?,
        name: row.string(1)?,
        filter: serde_json::from_str(row.text(2)?).map_err(|_| StoreError::Shape { column: 2 })?,
        created_at: Millis(row.int(3)?),
        updated_at: Millis(row.int(4)?),
    })
}

/// Conditions on a deal `d` with its stage `s`: parameters 3 to 12.
macro_rules! deal_matches {
    () => {
        "($3 is null or d.pipeline = $3 or lower(s.pipeline_label) = lower($3)) \
         and ($4 is null or d.stage = $4 or lower(s.label) = lower($4)) \
         and ($5 is null or case when s.closed = 0 then 'open' when s.closed = 1 and s.probability > 0 then 'won' \
         when s.closed = 1 then 'lost' when d.properties ->> 'hs_is_closed_won' = 'true' then 'won' \
         when d.properties ->> 'hs_is_closed' = 'true' then 'lost' else 'open' end = $5) \
         and ($6 is null or cast(d.amount as real) >= $6) and ($7 is null or cast(d.amount as real) <= $7) \
         and ($8 is null or d.close_date >= $8) and ($9 is null or d.close_date < $9) \
         and ($10 is null or d.created_at >= $10) and ($11 is null or d.created_at < $11) \
         and ($12 is null or d.owner = $12 or exists (select 1 from owners o where o.org = d.org \
         and o.portal = d.portal and o.id = d.owner and (lower(o.email) = lower($12) or lower(o.name) = lower($12))))"
    };
}

/// Conditions on a member `u`: parameters 13 to 16.
macro_rules! member_matches {
    () => {
        "($13 is null or lower(u.lifecycle_stage) = lower($13)) \
         and ($14 is null or u.owner = $14 or exists (select 1 from owners p where p.org = u.org \
         and p.portal = u.portal and p.id = u.owner and (lower(p.email) = lower($14) or lower(p.name) = lower($14)))) \
         and ($15 is null or lower(u.properties ->> $15) = lower($16))"
    };
}

/// Rows of the table `$table` in the organisation that meet the filter, called `u`.
macro_rules! members_from {
    ($table:literal, $type:literal) => {
        concat!(
            " from ",
            $table,
            " u where u.org = $1 and ",
            member_matches!(),
            " and ($2 = 0 or exists (select 1 from associations a cross join deals d \
             left join pipeline_stages s on s.org = d.org and s.portal = d.portal and s.pipeline = d.pipeline \
             and s.id = d.stage where a.org = u.org and a.portal = u.portal and a.to_type = '",
            $type,
            "' and a.to_id = u.id and a.from_type = 'deals' and d.org = a.org and d.portal = a.portal \
             and d.id = a.from_id and ",
            deal_matches!(),
            "))"
        )
    };
}

/// Matching deals in which a row of `$table` that meets the filter takes part.
macro_rules! deals_of {
    ($table:literal, $type:literal) => {
        concat!(
            "select d.amount, d.currency from deals d left join pipeline_stages s on s.org = d.org \
             and s.portal = d.portal and s.pipeline = d.pipeline and s.id = d.stage where d.org = $1 and ",
            deal_matches!(),
            " and exists (select 1 from associations a cross join ",
            $table,
            " u where a.org = d.org and a.portal = d.portal and a.from_type = 'deals' and a.from_id = d.id \
             and a.to_type = '",
            $type,
            "' and u.org = a.org and u.portal = a.portal and u.id = a.to_id and ",
            member_matches!(),
            ")"
        )
    };
}

/// Everything after the rows wanted: pages are cut by the key of the last row, not by counting.
macro_rules! page {
    () => {
        " and (u.portal > $17 or (u.portal = $17 and u.id > $18)) order by u.portal, u.id limit $19"
    };
}

struct Questions {
    count: &'static str,
    members: &'static str,
    deals: &'static str,
}

const OF_CONTACTS: Questions = Questions {
    count: concat!("select count(*)", members_from!("end_users", "contacts")),
    members: concat!(
        "select u.portal, u.id, u.first_name, u.last_name, u.email",
        members_from!("end_users", "contacts"),
        page!()
    ),
    deals: deals_of!("end_users", "contacts"),
};

const OF_COMPANIES: Questions = Questions {
    count: concat!("select count(*)", members_from!("companies", "companies")),
    members: concat!(
        "select u.portal, u.id, u.name, null, u.domain",
        members_from!("companies", "companies"),
        page!()
    ),
    deals: deals_of!("companies", "companies"),
};

fn questions(filter: &SegmentFilter) -> &'static Questions {
    match filter.members {
        Members::Contacts => &OF_CONTACTS,
        Members::Companies => &OF_COMPANIES,
    }
}

/// Parameters 1 to 16.
fn conditions<'a>(org: &'a OrgId, filter: &'a SegmentFilter) -> Vec<Param<'a>> {
    let deal = filter.has_deal.as_ref();
    let text = |value: Option<&'a String>| Param::from(value.map(|text| text.trim()));
    let real = |value: Option<f64>| value.map_or(Param::Null, Param::Real);
    let property = filter.property.as_ref();
    vec![
        Param::from(org),
        Param::from(deal.is_some()),
        text(deal.and_then(|deal| deal.pipeline.as_ref())),
        text(deal.and_then(|deal| deal.stage.as_ref())),
        Param::from(deal.and_then(|deal| deal.state).map(crate::domain::segment::DealState::as_str)),
        real(deal.and_then(|deal| deal.amount_min)),
        real(deal.and_then(|deal| deal.amount_max)),
        Param::from(deal.and_then(|deal| deal.close_after)),
        Param::from(deal.and_then(|deal| deal.close_before)),
        Param::from(deal.and_then(|deal| deal.created_after)),
        Param::from(deal.and_then(|deal| deal.created_before)),
        text(deal.and_then(|deal| deal.owner.as_ref())),
        text(filter.lifecycle_stage.as_ref()),
        text(filter.owner.as_ref()),
        text(property.map(|one| &one.name)),
        text(property.map(|one| &one.value)),
    ]
}

/// Members after the one named by portal and id, in that order.
pub fn members(
    conn: &mut dyn Conn,
    org: &OrgId,
    filter: &SegmentFilter,
    after: Option<(PortalId, &str)>,
    limit: i64,
) -> Result<Vec<Member>, StoreError> {
    let mut values = conditions(org, filter);
    let (portal, id) = after.map_or((-1, ""), |(portal, id)| (portal.as_i64(), id));
    values.extend([Param::Int(portal), Param::Text(id), Param::Int(limit)]);
    all(conn, questions(filter).members, &values, |row| {
        let names: Vec<&str> = [row.opt_text(2)?, row.opt_text(3)?].into_iter().flatten().collect();
        Ok(Member {
            portal_id: PortalId::from_i64(row.int(0)?),
            id: row.string(1)?,
            name: (!names.is_empty()).then(|| names.join(" ")),
            address: row.opt_string(4)?,
        })
    })
}

/// Counts the members and adds up their matching deals.
pub fn summary(conn: &mut dyn Conn, org: &OrgId, filter: &SegmentFilter) -> Result<Summary, StoreError> {
    let (asked, values) = (questions(filter), conditions(org, filter));
    let members = first(conn, asked.count, &values, |row| row.int(0))?.unwrap_or(0);
    let mut summary = Summary { members: u64::try_from(members).unwrap_or(0), ..Summary::default() };
    let mut sums: BTreeMap<String, i128> = BTreeMap::new();
    conn.query(asked.deals, &values, &mut |row| {
        summary.deals += 1;
        match row.opt_text(0)?.and_then(millionths) {
            Some(amount) => {
                let currency = row.opt_text(1)?.filter(|code| !code.is_empty()).unwrap_or("?");
                let sum = sums.entry(currency.to_owned()).or_default();
                *sum = sum.saturating_add(amount);
            }
            None => summary.deals_without_amount += 1,
        }
        Ok(())
    })?;
    summary.sums = sums.into_iter().map(|(currency, sum)| (currency, decimal(sum))).collect();
    Ok(summary)
}

/// A decimal number in millionths. Floating point would make a sum of cents depend on its order.
fn millionths(text: &str) -> Option<i128> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 24 || !numeric(whole) || !numeric(fraction) {
        return None;
    }
    let fraction: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let value: i128 = format!("{whole}{fraction}").parse().ok()?;
    Some(if negative { -value } else { value })
}

fn decimal(millionths: i128) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    let (whole, fraction) = (millionths.unsigned_abs() / 1_000_000, millionths.unsigned_abs() % 1_000_000);
    let text = format!("{sign}{whole}.{fraction:06}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_decimals() {
        let sum: i128 = ["0.1", "0.2", "-0.05", "9000"].iter().filter_map(|text| millionths(text)).sum();
        assert_eq!(decimal(sum), "9000.25");
        assert_eq!(decimal(millionths("-12").unwrap()), "-12");
        assert_eq!(decimal(0), "0");
        for text in ["", "12,5", "1e9", "abc", "."] {
            assert_eq!(millionths(text), None, "{text}");
        }
    }
}
