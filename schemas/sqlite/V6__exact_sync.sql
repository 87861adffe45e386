-- What an exact sync has to remember besides rows and checkpoints.

-- When HubSpot created an engagement: comparisons with HubSpot count by it.
alter table hubspot_engagements add column created_at integer;
update hubspot_engagements set created_at = coalesce(
    cast(round(unixepoch(properties ->> 'hs_createdate', 'subsec') * 1000) as integer), occurred_at);

-- Counting by time must not walk through bodies and properties.
create index engagements_by_change on hubspot_engagements (org, portal, kind, updated_at, created_at);
create index end_users_by_change on end_users (org, portal, updated_at, created_at);
create index companies_by_change on companies (org, portal, updated_at, created_at);
create index deals_by_change on deals (org, portal, updated_at, created_at);

-- Tasks of a sync that are due once a day, with the start of the run that did them last.
create table upkeep (
    org text not null,
    portal integer not null,
    task text not null,
    done_at integer not null,
    primary key (org, portal, task)
) strict, without rowid;

-- The last comparison with HubSpot, as JSON.
create table reconciliations (
    org text not null,
    portal integer not null,
    at integer not null,
    report text not null,
    primary key (org, portal)
) strict, without rowid;

-- Ids of erased persons: nothing but the id, so that a page read before the erasure brings nobody back.
create table erased (
    org text not null,
    portal integer not null,
    type text not null,
    id text not null,
    erased_at integer not null,
    primary key (org, portal, type, id)
) strict, without rowid;

alter table parked add column attempts integer not null default 1;
alter table parked add column since integer;

-- Facts of the account that HubSpot may change, and until when it asked us to leave it alone.
alter table connections add column utc_offset_ms integer;
alter table connections add column facts_at integer;
alter table connections add column paused_until integer;
alter table connections add column pause_reason text;
