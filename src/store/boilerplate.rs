//! Boilerplate of sender domains: the tails of mails it is counted from, and what was found.
//!
//! What a line is, and where boilerplate is taken away, is decided by `text`.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::StoreError;
use super::conn::{Conn, Row, all};
use super::crm::Tenant;
use super::due::{self, Task};
use crate::domain::engagement::Kind;
use crate::domain::ids::{DocumentId, OrgId, PortalId};
use crate::params;

/// Mails of a domain that a line has to end before it is boilerplate.
const LEAST_MAILS: u32 = 20;
/// And of all mails of the domain at least one in so many.
const LEAST_SHARE: u32 = 10;
/// Different lines that are counted of one domain; further ones are not admitted. Mails come in the order of their ids,
/// so the bound cuts the same lines whatever came first.
const MOST_LINES: usize = 200_000;

/// The boilerplate of one portal: hashes of lines by domain.
pub type Lines = HashMap<String, HashSet<u64>>;

/// Keeps the tail of a mail.
pub fn put_tail(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    id: &str,
    domain: &str,
    lines: &[u64],
) -> Result<(), StoreError> {
    let lines: Vec<u8> = lines.iter().flat_map(|line| line.to_le_bytes()).collect();
    let sql = "insert into mail_tails (org, portal, id, domain, lines) values ($1, $2, $3, $4, $5) \
               on conflict (org, portal, id) do update set domain = excluded.domain, lines = excluded.lines";
    conn.execute(sql, params![tenant.org, tenant.portal, id, domain, lines.as_slice()]).map(drop)
}

/// Forgets the tail of a mail.
pub fn remove_tail(conn: &mut dyn Conn, org: &OrgId, portal: PortalId, id: &str) -> Result<(), StoreError> {
    let sql = "delete from mail_tails where org = $1 and portal = $2 and id = $3";
    conn.execute(sql, params![org, portal, id]).map(drop)
}

/// What was found so far.
pub fn lines(conn: &mut dyn Conn, org: &OrgId, portal: PortalId) -> Result<Lines, StoreError> {
    let mut found = Lines::new();
    let sql = "select domain, line from boilerplate where org = $1 and portal = $2";
    conn.query(sql, params![org, portal], &mut |row| {
        found.entry(row.string(0)?).or_default().insert(row.int(1)?.cast_unsigned());
        Ok(())
    })?;
    Ok(found)
}

/// Counts the tails of all mails anew. Mails that end with a line whose standing changed are queued to be read again.
///
/// The outcome depends on the stored mails only, not on the order in which they came.
pub fn learn(conn: &mut dyn Conn, tenant: Tenant<'_>) -> Result<(), StoreError> {
    let before = lines(conn, tenant.org, tenant.portal)?;
    let after = count(conn, tenant)?;
    let changed = differences(&before, &after);
    if changed.is_empty() {
        return Ok(());
    }
    let key = params![tenant.org, tenant.portal];
    conn.execute("delete from boilerplate where org = $1 and portal = $2", key)?;
    for (domain, lines) in &after {
        for (line, mails) in lines {
            let sql =
                "insert into boilerplate (org, portal, domain, line, mails) values ($1, $2, $3, $4, $5)";
            let row = params![tenant.org, tenant.portal, domain, line.cast_signed(), i64::from(*mails)];
            conn.execute(sql, row)?;
        }
    }
    for (domain, lines) in &changed {
        let sql =
            "select id, lines from mail_tails where org = $1 and portal = $2 and domain = $3 order by id";
        let tails = all(conn, sql, params![tenant.org, tenant.portal, domain], |row| {
            Ok((row.string(0)?, tail(row, 1)?))
        })?;
        for (id, _) in tails.into_iter().filter(|(_, tail)| tail.iter().any(|line| lines.contains(line))) {
            let document = DocumentId { portal: tenant.portal, kind: Kind::Email, id };
            due::add(conn, tenant.org, &document, Task::Judge)?;
        }
    }
    Ok(())
}

/// Lines with the number of mails they end, by domain.
type Counted = BTreeMap<String, BTreeMap<u64, u32>>;

fn count(conn: &mut dyn Conn, tenant: Tenant<'_>) -> Result<Counted, StoreError> {
    let sql = "select t.domain, t.lines, e.template from mail_tails t join hubspot_engagements e on e.org = t.org \
               and e.portal = t.portal and e.kind = 'email' and e.id = t.id where t.org = $1 and t.portal = $2 \
               order by t.domain, t.id";
    let mut found = Counted::new();
    let mut domain = Domain::default();
    conn.query(sql, params![tenant.org, tenant.portal], &mut |row| {
        let name = row.text(0)?;
        if domain.name != name {
            std::mem::take(&mut domain).close(&mut found);
            domain.name = name.to_owned();
        }
        domain.add(&tail(row, 1)?, row.opt_int(2)?);
        Ok(())
    })?;
    domain.close(&mut found);
    Ok(found)
}

/// The domain being counted.
#[derive(Debug, Default)]
struct Domain {
    name: String,
    mails: u32,
    lines: HashMap<u64, u32>,
    templates: HashSet<i64>,
}

impl Domain {
    fn add(&mut self, tail: &[u64], template: Option<i64>) {
        // One mail to many says a line once.
        if template.is_some_and(|template| !self.templates.insert(template)) {
            return;
        }
        self.mails += 1;
        let distinct: HashSet<u64> = tail.iter().copied().collect();
        for line in distinct {
            let full = self.lines.len() >= MOST_LINES;
            match self.lines.get_mut(&line) {
                Some(mails) => *mails += 1,
                None if full => {}
                None => drop(self.lines.insert(line, 1)),
            }
        }
    }

    fn close(self, found: &mut Counted) {
        let least = LEAST_MAILS.max(self.mails / LEAST_SHARE);
        let lines: BTreeMap<u64, u32> = self.lines.into_iter().filter(|(_, mails)| *mails >= least).collect();
        if !lines.is_empty() {
            found.insert(self.name, lines);
        }
    }
}

fn differences(before: &Lines, after: &Counted) -> BTreeMap<String, HashSet<u64>> {
    let mut out: BTreeMap<String, HashSet<u64>> = BTreeMap::new();
    for (domain, lines) in before {
        let gone = lines.iter().filter(|line| !after.get(domain).is_some_and(|now| now.contains_key(line)));
        out.entry(domain.clone()).or_default().extend(gone);
    }
    for (domain, lines) in after {
        let new = lines.keys().filter(|line| !before.get(domain).is_some_and(|then| then.contains(line)));
        out.entry(domain.clone()).or_default().extend(new);
    }
    out.retain(|_, lines| !lines.is_empty());
    out
}

fn tail(row: &dyn Row, column: usize) -> Result<Vec<u64>, StoreError> {
    let (lines, rest) = row.blob(column)?.as_chunks::<8>();
    let whole = rest.is_empty().then(|| lines.iter().map(|line| u64::from_le_bytes(*line)).collect());
    whole.ok_or(StoreError::Shape { column })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Counted, Domain};

    fn learned(mails: impl Iterator<Item = (Vec<u64>, Option<i64>)>) -> Vec<u64> {
        let (mut domain, mut found) = (Domain::default(), Counted::new());
        mails.for_each(|(tail, template)| domain.add(&tail, template));
        domain.close(&mut found);
        found.into_values().flat_map(BTreeMap::into_keys).collect()
    }

    #[test]
    fn what_ends_many_mails_is_learned_and_templates_count_once() {
        let footer = |n: u64| (vec![1_000 + n, 7], None);
        assert_eq!(learned((0..20).map(footer)), [7]);
        assert!(learned((0..19).map(footer)).is_empty(), "too few");
        assert!(
            learned((0..500).map(|n| (vec![1_000 + n], None)).chain((0..30).map(footer))).is_empty(),
            "too rare"
        );
        assert!(learned((0..500).map(|_| (vec![7, 8], Some(1)))).is_empty(), "one template");
        let backwards: Vec<_> = (0..40).map(footer).rev().collect();
        assert_eq!(learned(backwards.into_iter()), learned((0..40).map(footer)));
    }
}
