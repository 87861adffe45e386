//! Engagements as rows of `hubspot_engagements`, and what the index and the answers read of them.

use sha2::{Digest, Sha256};

use super::StoreError;
use super::associations;
use super::conn::{Conn, Row, all, first};
use super::crm::{SOURCE, Stored, Tenant};
use super::ledger::{self, Operation};
use super::near_copies;
use super::passages::{self, list};
use crate::domain::clock::Millis;
use crate::domain::engagement::{
    Body, Kind, Passage, ProcessedEngagement, RawEngagement, SecretPlace, SkipReason,
};
use crate::domain::ids::{DocumentId, OrgId, PortalId};
use crate::params;

/// Stores an engagement with its links and appends to the ledger if anything changed.
pub fn put(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    engagement: &ProcessedEngagement,
) -> Result<Stored, StoreError> {
    let raw = &engagement.raw;
    let ids = passages::ids(&engagement.passages);
    let hash = content_hash(engagement, &ids);
    let key = params![tenant.org, tenant.portal, raw.kind.as_str(), &raw.id];
    let sql = "select content_hash, updated_at from hubspot_engagements \
               where org = $1 and portal = $2 and kind = $3 and id = $4";
    let before = first(conn, sql, key, |row| Ok((row.blob(0)? == hash, Millis(row.int(1)?))))?;
    let same = before.map(|(same, _)| same);
    if let Some((true, at)) = before {
        if raw.reread.is_none() {
            seen(conn, tenant, raw, at)?;
        }
        return Ok(Stored::Unchanged);
    }
    let document = DocumentId { portal: tenant.portal, kind: raw.kind, id: raw.id.clone() };
    let seq = ledger::append(conn, tenant.org, &document.to_string(), Operation::Put)?;
    put_row(conn, tenant, engagement, (&hash, &ids), seq)?;
    passages::replace(conn, tenant, &document, &engagement.passages, &ids)?;
    if same.is_some() {
        associations::drop_from(conn, tenant.key(raw.kind.as_str(), &raw.id))?;
    } else {
        // Restored from HubSpot's bin.
        conn.execute("delete from tombstones where org = $1 and portal = $2 and kind = $3 and id = $4", key)?;
    }
    add_links(conn, tenant, raw)?;
    Ok(if same.is_some() { Stored::Changed } else { Stored::New })
}

/// Marks a row as seen; where HubSpot says that it changed, if only in ways nobody sees, also when.
fn seen(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    raw: &RawEngagement,
    changed_at: Millis,
) -> Result<(), StoreError> {
    let seen = "update hubspot_engagements set last_seen = $5 \
                where org = $1 and portal = $2 and kind = $3 and id = $4";
    let bumped = "update hubspot_engagements set last_seen = $5, updated_at = $6 \
                  where org = $1 and portal = $2 and kind = $3 and id = $4";
    let key = params![tenant.org, tenant.portal, raw.kind.as_str(), &raw.id, tenant.now, raw.updated_at];
    let unmoved = changed_at == raw.updated_at;
    conn.execute(if unmoved { seen } else { bumped }, if unmoved { &key[..5] } else { key }).map(drop)
}

fn put_row(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    engagement: &ProcessedEngagement,
    (hash, ids): (&[u8; 32], &[String]),
    seq: i64,
) -> Result<(), StoreError> {
    let sql = "insert into hubspot_engagements (org, portal, kind, id, title, body_html, body_plain, occurred_at, \
               updated_at, owner, thread, from_address, url, properties, passage_ids, language, decision, reason, rule, \
               content_hash, seq, source, template, own_passages, secrets, first_seen, last_seen, created_at, link_hosts, text_status) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
               $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $26, $28, $29, $30) \
               on conflict (org, portal, kind, id) do update set title = excluded.title, \
               body_html = excluded.body_html, body_plain = excluded.body_plain, \
               occurred_at = excluded.occurred_at, updated_at = excluded.updated_at, owner = excluded.owner, \
               thread = excluded.thread, from_address = excluded.from_address, url = excluded.url, \
               properties = excluded.properties, passage_ids = excluded.passage_ids, language = excluded.language, \
               decision = excluded.decision, reason = excluded.reason, rule = excluded.rule, \
               content_hash = excluded.content_hash, seq = excluded.seq, template = excluded.template, \
               own_passages = excluded.own_passages, secrets = excluded.secrets, \
               last_seen = coalesce($27, last_seen), created_at = excluded.created_at, \
               link_hosts = excluded.link_hosts, text_status = excluded.text_status";
    let raw = &engagement.raw;
    let passage_ids = passages::json(ids)?;
    let own_passages = engagement.own_passages.as_deref().map(passages::json).transpose()?;
    let secrets = some_json(&engagement.secrets)?;
    let link_hosts = some_json(&engagement.link_hosts)?;
    let (reason, rule) = engagement.decision.cause();
    conn.execute(
        sql,
        params![
            tenant.org,
            tenant.portal,
            raw.kind.as_str(),
            &raw.id,
            &raw.title,
            &raw.body.html,
            &raw.body.plain,
            raw.occurred_at,
            raw.updated_at,
            &raw.owner,
            &raw.thread,
            &raw.from_address,
            &raw.url,
            &raw.properties,
            &passage_ids,
            &engagement.language,
            engagement.decision.as_str(),
            reason.map(SkipReason::as_str),
            rule,
            hash,
            seq,
            SOURCE,
            engagement.template,
            &own_passages,
            &secrets,
            tenant.now,
            // What comes from the store was not seen in HubSpot just now.
            raw.reread.is_none().then_some(tenant.now),
            raw.created_at,
            &link_hosts,
            engagement.text_status,
        ],
    )
    .map(drop)
}

fn add_links(conn: &mut dyn Conn, tenant: Tenant<'_>, raw: &RawEngagement) -> Result<(), StoreError> {
    let from = tenant.key(raw.kind.as_str(), &raw.id);
    associations::add(conn, from, "contacts", &raw.links.contacts)?;
    associations::add(conn, from, "companies", &raw.links.companies)?;
    associations::add(conn, from, "deals", &raw.links.deals)
}

/// A list as JSON; null where it is empty.
fn some_json<T: serde::Serialize>(list: &[T]) -> Result<Option<String>, StoreError> {
    (!list.is_empty()).then(|| passages::json(list)).transpose()
}

/// Everything that, when it changes, must reach the index or the answers. HubSpot's own modification time
/// is left out: HubSpot bumps it for changes of its own that mean nothing to a reader.
fn content_hash(engagement: &ProcessedEngagement, passage_ids: &[String]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    let mut field = |text: Option<&str>| {
        hasher.update([u8::from(text.is_some())]);
        hasher.update(text.unwrap_or_default().as_bytes());
        hasher.update([0]);
    };
    let raw = &engagement.raw;
    for text in
        [&raw.title, &raw.body.html, &raw.body.plain, &raw.owner, &raw.thread, &raw.from_address, &raw.url]
    {
        field(text.as_deref());
    }
    field(Some(&raw.properties));
    field(engagement.language.as_deref());
    field(Some(&passage_ids.join(" ")));
    field(Some(&engagement.link_hosts.join(" ")));
    field(engagement.text_status);
    for passage in engagement.own_passages.iter().flatten() {
        field(Some(&passage.text));
    }
    for secret in &engagement.secrets {
        field(Some(&format!("{} {} {}", secret.kind, secret.start, secret.end)));
    }
    if let Some(template) = engagement.template {
        field(Some(&template.to_string()));
    }
    for ids in [&raw.links.contacts, &raw.links.companies, &raw.links.deals] {
        field(Some(&ids.join(",")));
    }
    let (reason, rule) = engagement.decision.cause();
    field(Some(engagement.decision.as_str()));
    field(reason.map(SkipReason::as_str));
    field(rule);
    hasher.update(raw.occurred_at.0.to_le_bytes());
    hasher.finalize().into()
}

/// Removes an engagement with its links; the ledger tells the index.
pub fn remove(conn: &mut dyn Conn, org: &OrgId, document: &DocumentId) -> Result<bool, StoreError> {
    if document.kind == Kind::Call {
        super::transcripts::remove(conn, org, document.portal, &document.id)?;
    }
    if document.kind == Kind::Email {
        super::boilerplate::remove_tail(conn, org, document.portal, &document.id)?;
    }
    super::insights::erase_engagement(conn, org, document)?;
    passages::remove(conn, org, document)?;
    let key = params![org, document.portal, document.kind.as_str(), &document.id];
    conn.execute(
        "delete from associations where org = $1 and portal = $2 and from_type = $3 and from_id = $4",
        key,
    )?;
    let sql = "delete from hubspot_engagements where org = $1 and portal = $2 and kind = $3 and id = $4";
    let template = near_copies::of(conn, org, document)?;
    let removed = conn.execute(sql, key)? > 0;
    if removed {
        if let Some(template) = template {
            near_copies::leave(conn, org, document, &template)?;
        }
        let seq = ledger::append(conn, org, &document.to_string(), Operation::Remove)?;
        let sql = "insert into tombstones (org, portal, kind, id, seq) values ($1, $2, $3, $4, $5) \
                   on conflict (org, portal, kind, id) do update set seq = excluded.seq";
        let (kind, id) = (document.kind.as_str(), &document.id);
        conn.execute(sql, params![org, document.portal, kind, id, seq])?;
    }
    Ok(removed)
}

/// Whether it was stored once and HubSpot no longer has it.
pub fn was_removed(conn: &mut dyn Conn, org: &OrgId, document: &DocumentId) -> Result<bool, StoreError> {
    let sql = "select 1 from tombstones where org = $1 and portal = $2 and kind = $3 and id = $4";
    let key = params![org, document.portal, document.kind.as_str(), &document.id];
    Ok(first(conn, sql, key, |row| row.int(0))?.is_some())
}

/// A stored engagement as answers and the index need it.
#[derive(Debug, Clone)]
pub struct StoredEngagement {
    /// Organisation.
    pub org: OrgId,
    /// Its document id.
    pub document: DocumentId,
    /// Title, where it has one.
    pub title: Option<String>,
    /// Passages; of a copy with words of its own only those.
    pub passages: Vec<Passage>,
    /// Their ids, in the same order.
    pub passage_ids: Vec<String>,
    /// Hosts its new text links to, in the order they are named.
    pub link_hosts: Vec<String>,
    /// How reading the body went, where not everything was read.
    pub text_status: Option<String>,
    /// When it happened.
    pub occurred_at: Millis,
    /// Owner id.
    pub owner: Option<String>,
    /// Address in HubSpot's app.
    pub url: Option<String>,
    /// `learned`, `skipped` or `held`.
    pub decision: String,
    /// Why not learned.
    pub reason: Option<String>,
    /// The rule that decided.
    pub rule: Option<String>,
    /// Version of its document.
    pub seq: u64,
}

impl StoredEngagement {
    /// It is knowledge and belongs into the index.
    #[must_use]
    pub fn is_learned(&self) -> bool {
        self.decision == "learned"
    }

    /// It belongs into the customer's timeline: knowledge, or a copy of a mail that is.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.is_learned() || self.reason.as_deref() == Some(SkipReason::NearCopy.as_str())
    }
}

/// Columns in the order [`stored`] reads them.
macro_rules! columns {
    () => {
        "org, portal, kind, id, title, own_passages, occurred_at, owner, url, decision, reason, rule, seq, passage_ids, \
         link_hosts, text_status"
    };
}

fn stored(row: &dyn Row) -> Result<StoredEngagement, StoreError> {
    let kind = Kind::parse(row.text(2)?).ok_or(StoreError::Shape { column: 2 })?;
    let own = row.opt_text(5)?.map(serde_json::from_str).transpose();
    let own: Option<Vec<Passage>> = own.map_err(|_| StoreError::Shape { column: 5 })?;
    let own_ids = own.as_deref().map(passages::ids);
    Ok(StoredEngagement {
        org: OrgId::new(row.text(0)?),
        document: DocumentId { portal: PortalId::from_i64(row.int(1)?), kind, id: row.string(3)? },
        title: row.opt_string(4)?,
        passages: own.unwrap_or_default(),
        passage_ids: own_ids.map_or_else(|| list(row, 13), Ok)?,
        link_hosts: list(row, 14)?,
        text_status: row.opt_string(15)?,
        occurred_at: Millis(row.int(6)?),
        owner: row.opt_string(7)?,
        url: row.opt_string(8)?,
        decision: row.string(9)?,
        reason: row.opt_string(10)?,
        rule: row.opt_string(11)?,
        seq: u64::try_from(row.int(12)?).unwrap_or(0),
    })
}

/// One engagement.
pub fn get(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
) -> Result<Option<StoredEngagement>, StoreError> {
    let sql = concat!(
        "select ",
        columns!(),
        " from hubspot_engagements where org = $1 and portal = $2 and kind = $3 and id = $4"
    );
    let key = params![org, document.portal, document.kind.as_str(), &document.id];
    let mut found = first(conn, sql, key, stored)?;
    found.iter_mut().try_for_each(|one| with_passages(conn, one))?;
    Ok(found)
}

/// Reads the passages of a row that has none of its own.
fn with_passages(conn: &mut dyn Conn, row: &mut StoredEngagement) -> Result<(), StoreError> {
    if row.passages.is_empty() {
        row.passages = passages::in_order(conn, &row.org, &row.document, &row.passage_ids)?;
    }
    Ok(())
}

/// One engagement without its passages (see [`passage`]; those of its own it has), and of how many copies it is the
/// one that stands for all; `None` where it is the only one.
pub fn with_copies(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
) -> Result<Option<(StoredEngagement, Option<u64>)>, StoreError> {
    let sql = concat!(
        "select ",
        columns!(),
        ", (select t.copies from templates t where t.id = template and t.canonical = hubspot_engagements.id \
         and t.copies > 1) from hubspot_engagements where org = $1 and portal = $2 and kind = $3 and id = $4"
    );
    let key = params![org, document.portal, document.kind.as_str(), &document.id];
    first(conn, sql, key, |row| {
        let copies = row.opt_int(16)?.and_then(|copies| u64::try_from(copies).ok());
        Ok((stored(row)?, copies))
    })
}

/// One passage of an engagement that was read without them; the first where there are not so many.
pub fn passage(
    conn: &mut dyn Conn,
    row: &mut StoredEngagement,
    number: usize,
) -> Result<Option<Passage>, StoreError> {
    let at = if number < row.passage_ids.len() { number } else { 0 };
    if at < row.passages.len() {
        return Ok(Some(row.passages.swap_remove(at)));
    }
    match row.passage_ids.get(at) {
        Some(id) => passages::one(conn, &row.org, &row.document, id),
        None => Ok(None),
    }
}

/// The body of an engagement as HubSpot sent it, with what helps to read it.
#[derive(Debug, Clone)]
pub struct StoredBody {
    /// As HubSpot sent it.
    pub body: Body,
    /// Its thread.
    pub thread: Option<String>,
    /// The address it came from.
    pub from_address: Option<String>,
    /// Secrets in its visible text.
    pub secrets: Vec<SecretPlace>,
}

/// The body of one engagement.
pub fn body(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
) -> Result<Option<StoredBody>, StoreError> {
    let sql = "select body_html, body_plain, thread, from_address, coalesce(secrets, '[]') \
               from hubspot_engagements where org = $1 and portal = $2 and kind = $3 and id = $4";
    first(conn, sql, params![org, document.portal, document.kind.as_str(), &document.id], |row| {
        Ok(StoredBody {
            body: Body { html: row.opt_string(0)?, plain: row.opt_string(1)? },
            thread: row.opt_string(2)?,
            from_address: row.opt_string(3)?,
            secrets: serde_json::from_str(row.text(4)?).map_err(|_| StoreError::Shape { column: 4 })?,
        })
    })
}

/// The version of one engagement's row, if it is there.
pub fn get_seq(conn: &mut dyn Conn, org: &OrgId, document: &DocumentId) -> Result<Option<u64>, StoreError> {
    let sql = "select seq from hubspot_engagements where org = $1 and portal = $2 and kind = $3 and id = $4";
    let key = params![org, document.portal, document.kind.as_str(), &document.id];
    first(conn, sql, key, |row| row.int(0).map(|seq| u64::try_from(seq).unwrap_or(0)))
}

/// Where a scan of all engagements stands: the key of the last row handed out.
#[derive(Debug, Clone, Default)]
pub struct ScanKey {
    org: String,
    portal: i64,
    kind: String,
    id: String,
}

/// The next `limit` engagements of every organisation in key order; an empty answer ends the scan.
pub fn scan(
    conn: &mut dyn Conn,
    after: &mut ScanKey,
    limit: i64,
) -> Result<Vec<StoredEngagement>, StoreError> {
    let sql = concat!(
        "select ",
        columns!(),
        " from hubspot_engagements where (org, portal, kind, id) > ($1, $2, $3, $4) order by org, portal, kind, id limit $5"
    );
    let mut page = all(conn, sql, params![&after.org, after.portal, &after.kind, &after.id, limit], stored)?;
    passages::fill(conn, &mut page)?;
    if let Some(last) = page.last() {
        *after = ScanKey {
            org: last.org.as_str().to_owned(),
            portal: last.document.portal.as_i64(),
            kind: last.document.kind.as_str().to_owned(),
            id: last.document.id.clone(),
        };
    }
    Ok(page)
}

impl ScanKey {
    /// Before the first row of an organisation.
    #[must_use]
    pub fn of_org(org: &OrgId) -> Self {
        Self { org: org.as_str().to_owned(), portal: i64::MIN, ..Self::default() }
    }
}

/// Number of engagements of every organisation that belong into the index.
pub fn learned_total(conn: &mut dyn Conn) -> Result<u64, StoreError> {
    let sql = "select count(*) from hubspot_engagements where decision = 'learned'";
    let count = first(conn, sql, &[], |row| row.int(0))?;
    Ok(u64::try_from(count.unwrap_or(0)).unwrap_or(0))
}

/// Number of engagements of an organisation that belong into the index.
pub fn learned_count(conn: &mut dyn Conn, org: &OrgId) -> Result<u64, StoreError> {
    let sql = "select count(*) from hubspot_engagements where org = $1 and decision = 'learned'";
    let count = first(conn, sql, params![org], |row| row.int(0))?;
    Ok(u64::try_from(count.unwrap_or(0)).unwrap_or(0))
}

/// The newest `limit` engagements of a contact, learned or not.
pub fn recent_of_contact(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    contact: &str,
    before: Option<Millis>,
    limit: i64,
) -> Result<Vec<StoredEngagement>, StoreError> {
    let sql = "select e.org, e.portal, e.kind, e.id, e.title, e.own_passages, e.occurred_at, e.owner, e.url, e.decision, \
               e.reason, e.rule, e.seq, e.passage_ids, e.link_hosts, e.text_status from associations a join hubspot_engagements e \
               on e.org = a.org and e.portal = a.portal and e.kind = a.from_type and e.id = a.from_id \
               where a.org = $1 and a.portal = $2 and a.to_type = 'contacts' and a.to_id = $3 \
               and e.occurred_at <= coalesce($4, e.occurred_at) order by e.occurred_at desc, e.id desc limit $5";
    let mut found = all(conn, sql, params![org, portal, contact, before, limit], stored)?;
    found.iter_mut().try_for_each(|one| with_passages(conn, one))?;
    Ok(found)
}

/// E-mails stored without a body, at most `limit`: read again in case a permission was granted since.
pub fn emails_without_body(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let sql = "select id from hubspot_engagements where org = $1 and portal = $2 and kind = 'email' \
               and (reason in ('empty_body', 'redacted') or (body_html is null and body_plain is null)) \
               and properties ->> 'hs_gdpr_deleted' is not 'true' limit $3";
    all(conn, sql, params![org, portal, limit], |row| row.string(0))
}

/// Engagements with that id of HubSpot's, whatever their kind, those that are gone included.
pub fn with_id(conn: &mut dyn Conn, org: &OrgId, id: &str) -> Result<Vec<DocumentId>, StoreError> {
    let mut found = Vec::new();
    for kind in Kind::ALL {
        let sql = "select distinct portal from checkpoints where org = $1";
        for portal in all(conn, sql, params![org], |row| Ok(PortalId::from_i64(row.int(0)?)))? {
            let document = DocumentId { portal, kind, id: id.to_owned() };
            if get(conn, org, &document)?.is_some() || was_removed(conn, org, &document)? {
                found.push(document);
            }
        }
    }
    Ok(found)
}

/// Submissions of one form that came in from `from` to `to`, both included, with when they did.
pub fn submissions(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    form: &str,
    (from, to): (Millis, Millis),
) -> Result<Vec<(String, Millis)>, StoreError> {
    let sql = "select id, updated_at from hubspot_engagements where org = $1 and portal = $2 \
               and kind = 'form_submission' and updated_at between $3 and $4 and properties ->> 'form_id' = $5";
    all(conn, sql, params![org, portal, from, to, form], |row| Ok((row.string(0)?, Millis(row.int(1)?))))
}
