-- Everything an installation knows. Times are epoch milliseconds, booleans 0/1, JSON is TEXT.
-- Key of everything from HubSpot: (org, portal, [type,] id).

create table meta (
    key text primary key,
    value text not null
) strict, without rowid;

create table orgs (
    id text primary key,
    name text not null,
    created_at integer not null,
    -- Stored mode toggles; null means unset, which has a default.
    ingest integer,
    actions integer,
    notifications integer
) strict, without rowid;

create table agents (
    id text primary key,
    org text not null references orgs (id),
    name text not null,
    key_hash blob not null unique,
    -- An agent may be bound to one customer: address, lower case.
    customer text,
    created_at integer not null,
    revoked_at integer
) strict, without rowid;

create table connections (
    org text primary key references orgs (id),
    portal integer not null,
    method text not null,
    access_token blob not null,
    refresh_token blob,
    expires_at integer,
    scopes text not null,
    hub_domain text,
    user text,
    ui_domain text,
    time_zone text,
    api_base text,
    connected_at integer not null,
    last_synced integer,
    auth_error text,
    auth_error_at integer
) strict, without rowid;

create table oauth_states (
    state_hash blob primary key,
    org text not null references orgs (id),
    browser_hash blob,
    created_at integer not null,
    expires_at integer not null
) strict, without rowid;

create table end_users (
    org text not null,
    portal integer not null,
    id text not null,
    email text,
    first_name text,
    last_name text,
    job_title text,
    phone text,
    lifecycle_stage text,
    owner text,
    company text,
    properties text not null,
    content_hash blob not null,
    source text not null,
    created_at integer not null,
    updated_at integer not null,
    first_seen integer not null,
    last_seen integer not null,
    primary key (org, portal, id)
) strict, without rowid;

-- Every address of a contact, primary and additional.
create table contact_emails (
    org text not null,
    email text not null,
    portal integer not null,
    contact text not null,
    primary key (org, email, portal, contact)
) strict, without rowid;

create index contact_emails_by_contact on contact_emails (org, portal, contact);

create table companies (
    org text not null,
    portal integer not null,
    id text not null,
    name text,
    domain text,
    industry text,
    employees integer,
    lifecycle_stage text,
    phone text,
    owner text,
    properties text not null,
    content_hash blob not null,
    source text not null,
    created_at integer not null,
    updated_at integer not null,
    first_seen integer not null,
    last_seen integer not null,
    primary key (org, portal, id)
) strict, without rowid;

create index companies_by_name on companies (org, name);

create table deals (
    org text not null,
    portal integer not null,
    id text not null,
    name text,
    amount text,
    currency text,
    pipeline text,
    stage text,
    close_date integer,
    deal_type text,
    owner text,
    properties text not null,
    content_hash blob not null,
    source text not null,
    created_at integer not null,
    updated_at integer not null,
    first_seen integer not null,
    last_seen integer not null,
    primary key (org, portal, id)
) strict, without rowid;

create table hubspot_engagements (
    org text not null,
    portal integer not null,
    kind text not null,
    id text not null,
    title text,
    -- As HubSpot sent it.
    body_html text,
    body_plain text,
    occurred_at integer not null,
    updated_at integer not null,
    owner text,
    thread text,
    from_address text,
    url text,
    properties text not null,
    -- What normalizing made of the body: passages as JSON [{"text","language"}], language of the whole.
    passages text not null,
    language text,
    -- learned | skipped | held, with the reason and, where a rule decided, the rule.
    decision text not null,
    reason text,
    rule text,
    content_hash blob not null,
    -- Sequence number of the last change of this document: its version in the index.
    seq integer not null,
    source text not null,
    first_seen integer not null,
    last_seen integer not null,
    primary key (org, portal, kind, id)
) strict, without rowid;

create index engagements_by_thread on hubspot_engagements (org, portal, thread) where thread is not null;

create table associations (
    org text not null,
    portal integer not null,
    from_type text not null,
    from_id text not null,
    to_type text not null,
    to_id text not null,
    -- 0 for the primary one, then as HubSpot lists them.
    position integer not null,
    primary key (org, portal, from_type, from_id, to_type, to_id)
) strict, without rowid;

create index associations_back on associations (org, portal, to_type, to_id, from_type, from_id);

create table owners (
    org text not null,
    portal integer not null,
    id text not null,
    email text,
    name text,
    archived integer not null,
    primary key (org, portal, id)
) strict, without rowid;

create table pipeline_stages (
    org text not null,
    portal integer not null,
    pipeline text not null,
    id text not null,
    pipeline_label text not null,
    label text not null,
    position integer not null,
    closed integer not null,
    probability real not null,
    primary key (org, portal, pipeline, id)
) strict, without rowid;

create table sync_runs (
    id text primary key,
    org text not null,
    mode text not null,
    started_at integer not null,
    finished_at integer,
    -- running | complete | partial | failed | interrupted
    outcome text not null,
    error text,
    report text
) strict, without rowid;

create index sync_runs_by_time on sync_runs (org, started_at);

-- How far the reading of one record type has come; written in the transaction of the page it describes.
create table checkpoints (
    org text not null,
    portal integer not null,
    type text not null,
    run text not null,
    mode text not null,
    -- Cursor of the next page; null before the first page and when finished.
    after text,
    finished integer not null,
    -- Changes up to here are known to be stored once the type is finished.
    high_water integer not null,
    fetched integer not null,
    stored integer not null,
    unchanged integer not null,
    failed integer not null,
    primary key (org, portal, type)
) strict, without rowid;

-- Per record type: every change up to here is stored. Moves only when a run has read a type to its end.
create table watermarks (
    org text not null,
    portal integer not null,
    type text not null,
    at integer not null,
    primary key (org, portal, type)
) strict, without rowid;

-- Ids that HubSpot merged into another record.
create table aliases (
    org text not null,
    portal integer not null,
    type text not null,
    old_id text not null,
    new_id text not null,
    primary key (org, portal, type, old_id)
) strict, without rowid;

-- Records that could not be taken in, with the reason; retried by later runs.
create table parked (
    org text not null,
    portal integer not null,
    type text not null,
    id text not null,
    reason text not null,
    parked_at integer not null,
    primary key (org, portal, type, id)
) strict, without rowid;

-- The ledger that the index follows. Rows below every reader's position may be trimmed; numbers are never reused.
create table knowledge_changes (
    seq integer primary key autoincrement,
    org text not null,
    document text not null,
    -- put | remove
    operation text not null
) strict;
