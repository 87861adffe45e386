//! Passages of engagements as rows, each with an id from what it holds: of a changed engagement only the passages that
//! changed are written, and the engagement's row keeps their order.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::StoreError;
use super::conn::{Conn, Row, all, first};
use super::crm::Tenant;
use super::engagements::StoredEngagement;
use super::in_step::InStep;
use crate::domain::engagement::{Passage, Spoken};
use crate::domain::ids::{DocumentId, OrgId};
use crate::params;

/// Bytes of the hash that become an id.
const ID_BYTES: usize = 8;

/// Ids of passages in their order: equal passages have equal ids, whatever stands around them.
#[must_use]
pub fn ids(passages: &[Passage]) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut named = |passage: &Passage| {
        let id = id(passage);
        let times = seen.entry(id.clone()).or_default();
        *times += 1;
        if *times == 1 { id } else { format!("{id}-{times}") }
    };
    passages.iter().map(&mut named).collect()
}

fn id(passage: &Passage) -> String {
    let mut hasher = Sha256::new();
    let mut field = |bytes: &[u8]| {
        hasher.update(bytes);
        hasher.update([0]);
    };
    field(passage.text.as_bytes());
    field(passage.language.as_deref().unwrap_or_default().as_bytes());
    field(&[u8::from(passage.quoted)]);
    if let Some(spoken) = &passage.spoken {
        field(format!("{:?} {:?} {:?}", spoken.start_s, spoken.end_s, spoken.speakers).as_bytes());
    }
    let mut out = String::with_capacity(ID_BYTES * 2);
    for byte in &hasher.finalize()[..ID_BYTES] {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// Makes `passages` the passages of an engagement: writes those that are new, removes those that are gone.
pub(super) fn replace(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    document: &DocumentId,
    passages: &[Passage],
    ids: &[String],
) -> Result<(), StoreError> {
    let (kind, engagement) = (document.kind.as_str(), &document.id);
    let sql = "select id from passages where org = $1 and portal = $2 and kind = $3 and engagement = $4";
    let key = params![tenant.org, tenant.portal, kind, engagement];
    let stored: HashSet<String> = all(conn, sql, key, |row| row.string(0))?.into_iter().collect();
    let wanted: HashSet<&str> = ids.iter().map(String::as_str).collect();
    for gone in stored.iter().filter(|id| !wanted.contains(id.as_str())) {
        let sql = "delete from passages where org = $1 and portal = $2 and kind = $3 and engagement = $4 and id = $5";
        conn.execute(sql, params![tenant.org, tenant.portal, kind, engagement, gone])?;
    }
    for (passage, id) in passages.iter().zip(ids).filter(|(_, id)| !stored.contains(*id)) {
        let spoken = passage.spoken.as_ref();
        let seconds = |at: fn(&Spoken) -> Option<u32>| spoken.and_then(at).map(i64::from);
        let speakers = spoken.map(|spoken| json(&spoken.speakers)).transpose()?;
        conn.execute(
            "insert into passages (org, portal, kind, engagement, id, text, language, quoted, start_s, end_s, speakers) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            params![
                tenant.org,
                tenant.portal,
                kind,
                engagement,
                id,
                &passage.text,
                &passage.language,
                passage.quoted,
                seconds(|spoken| spoken.start_s),
                seconds(|spoken| spoken.end_s),
                &speakers,
            ],
        )?;
    }
    Ok(())
}

/// Removes the passages of an engagement.
pub(super) fn remove(conn: &mut dyn Conn, org: &OrgId, document: &DocumentId) -> Result<(), StoreError> {
    let sql = "delete from passages where org = $1 and portal = $2 and kind = $3 and engagement = $4";
    conn.execute(sql, params![org, document.portal, document.kind.as_str(), &document.id]).map(drop)
}

/// The order of passages as the row of their engagement keeps it.
pub(super) fn json<T: serde::Serialize + ?Sized>(list: &T) -> Result<String, StoreError> {
    serde_json::to_string(list).map_err(|error| StoreError::Engine(error.to_string()))
}

/// The passages with these ids, in the order of the ids.
pub(super) fn in_order(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
    ids: &[String],
) -> Result<Vec<Passage>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "select id, text, language, quoted, start_s, end_s, speakers from passages \
               where org = $1 and portal = $2 and kind = $3 and engagement = $4";
    let key = params![org, document.portal, document.kind.as_str(), &document.id];
    let mut found: HashMap<String, Passage> = all(conn, sql, key, passage)?.into_iter().collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// The passage with an id.
pub(super) fn one(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
    id: &str,
) -> Result<Option<Passage>, StoreError> {
    let sql = "select id, text, language, quoted, start_s, end_s, speakers from passages \
               where org = $1 and portal = $2 and kind = $3 and engagement = $4 and id = $5";
    let key = params![org, document.portal, document.kind.as_str(), &document.id, id];
    Ok(first(conn, sql, key, passage)?.map(|(_, passage)| passage))
}

/// Reads the passages of rows that are in key order, all at once.
pub(super) fn fill(conn: &mut dyn Conn, rows: &mut [StoredEngagement]) -> Result<(), StoreError> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
    let range = ((&first.org, &first.document), (&last.org, &last.document));
    let mut found: Vec<HashMap<String, Passage>> = vec![HashMap::new(); rows.len()];
    let mut step = InStep::default();
    between(conn, range, &mut |whose, id, passage| {
        if let Some(at) = step.find(rows, |one| whose.is(&one.org, &one.document)) {
            found[at].insert(id, passage);
        }
    })?;
    for (row, mut found) in rows.iter_mut().zip(found).filter(|(row, _)| row.passages.is_empty()) {
        row.passages = row.passage_ids.iter().filter_map(|id| found.remove(id)).collect();
    }
    Ok(())
}

/// An engagement of an organisation: one end of a stretch of passages.
type End<'a> = (&'a OrgId, &'a DocumentId);

/// Whose a row is, as the row says it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whose<'a> {
    org: &'a str,
    portal: i64,
    kind: &'a str,
    engagement: &'a str,
}

impl Whose<'_> {
    pub(super) fn is(self, org: &OrgId, document: &DocumentId) -> bool {
        document.id == self.engagement
            && document.kind.as_str() == self.kind
            && document.portal.as_i64() == self.portal
            && org.as_str() == self.org
    }
}

/// Hands out the passages from one engagement to another, both included, in key order, each with its id.
pub(super) fn between(
    conn: &mut dyn Conn,
    ((org, from), (last_org, to)): (End<'_>, End<'_>),
    each: &mut dyn FnMut(Whose<'_>, String, Passage),
) -> Result<(), StoreError> {
    let sql = "select id, text, language, quoted, start_s, end_s, speakers, org, portal, kind, engagement from passages \
               where (org, portal, kind, engagement) >= ($1, $2, $3, $4) \
               and (org, portal, kind, engagement) <= ($5, $6, $7, $8) order by org, portal, kind, engagement, id";
    let (kind, last_kind) = (from.kind.as_str(), to.kind.as_str());
    let range = params![org, from.portal, kind, &from.id, last_org, to.portal, last_kind, &to.id];
    conn.query(sql, range, &mut |row| {
        let whose =
            Whose { org: row.text(7)?, portal: row.int(8)?, kind: row.text(9)?, engagement: row.text(10)? };
        let (id, passage) = passage(row)?;
        each(whose, id, passage);
        Ok(())
    })
}

fn passage(row: &dyn Row) -> Result<(String, Passage), StoreError> {
    let seconds = |column| Ok::<_, StoreError>(row.opt_int(column)?.and_then(|at| u32::try_from(at).ok()));
    let speakers = row.opt_text(6)?.map(serde_json::from_str).transpose();
    let speakers: Option<Vec<String>> = speakers.map_err(|_| StoreError::Shape { column: 6 })?;
    let (start_s, end_s) = (seconds(4)?, seconds(5)?);
    let passage = Passage {
        text: row.string(1)?,
        language: row.opt_string(2)?,
        quoted: row.int(3)? != 0,
        spoken: speakers.map(|speakers| Spoken { start_s, end_s, speakers }),
    };
    Ok((row.string(0)?, passage))
}

/// All passages of a stored engagement, whatever of it is indexed.
pub fn of(conn: &mut dyn Conn, org: &OrgId, document: &DocumentId) -> Result<Vec<Passage>, StoreError> {
    let sql = "select passage_ids from hubspot_engagements where org = $1 and portal = $2 and kind = $3 and id = $4";
    let key = params![org, document.portal, document.kind.as_str(), &document.id];
    let ids = first(conn, sql, key, |row| list(row, 0))?.unwrap_or_default();
    in_order(conn, org, document, &ids)
}

/// A JSON list of words in a column.
pub(super) fn list(row: &dyn Row, column: usize) -> Result<Vec<String>, StoreError> {
    match row.opt_text(column)? {
        Some(text) => serde_json::from_str(text).map_err(|_| StoreError::Shape { column }),
        None => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::{ids, of};
    use crate::domain::engagement::{Kind, Passage};
    use crate::domain::ids::{DocumentId, OrgId, PortalId};
    use crate::store::sqlite::Sqlite;
    use crate::store::{migrate, migrations};

    #[test]
    fn ids_follow_the_words_and_repeated_words_are_told_apart() {
        let passage = |text: &str| Passage { text: text.to_owned(), ..Passage::default() };
        let before = ids(&[passage("a"), passage("b"), passage("a")]);
        let after = ids(&[passage("new"), passage("a"), passage("b"), passage("a")]);
        assert_eq!(before, after[1..]);
        assert_eq!(before[2], format!("{}-2", before[0]));
        let quoted = Passage { quoted: true, ..passage("a") };
        assert_ne!(ids(&[quoted])[0], before[0]);
    }

    #[test]
    fn passages_of_an_older_database_become_rows_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut sqlite = Sqlite::open(&folder.path().join("old.db")).unwrap();
        let old = migrations::migrations::runner().set_target(refinery::Target::Version(11));
        old.run(sqlite.raw()).unwrap();
        let texts: Vec<String> = (0..12).map(|n| format!("part {n}")).collect();
        let passages: Vec<_> =
            texts.iter().map(|text| serde_json::json!({"text": text, "quoted": true})).collect();
        let row = "insert into hubspot_engagements (org, portal, kind, id, occurred_at, updated_at, properties, \
                   passages, decision, content_hash, seq, source, first_seen, last_seen) \
                   values ('o', 1, 'note', ?1, 0, 0, '{}', ?2, 'learned', x'', 1, 's', 0, 0)";
        let passages = serde_json::to_string(&passages).unwrap();
        sqlite.raw().execute(row, ["7", &passages]).unwrap();
        sqlite.raw().execute(row, ["8", "[]"]).unwrap();
        migrate(&mut sqlite).unwrap();
        let mut read = |id: &str| {
            let document = DocumentId { portal: PortalId(1), kind: Kind::Note, id: id.to_owned() };
            of(&mut sqlite, &OrgId::new("o"), &document).unwrap()
        };
        let found = read("7");
        assert!(found.iter().all(|passage| passage.quoted));
        assert_eq!(found.into_iter().map(|passage| passage.text).collect::<Vec<_>>(), texts);
        assert_eq!(read("8"), []);
    }
}
