-- What HubSpot announces: deliveries as they came, which events were taken, and the records that deserve a look.

create table webhook_deliveries (
    id integer primary key autoincrement,
    org text not null,
    -- The portal that was connected when it came; null where none was.
    portal integer,
    received_at integer not null,
    -- Version of the signature that held: v1 | v2 | v3.
    signature text not null,
    -- taken | ignored | unreadable, and why it was ignored: ingest_off | not_connected.
    verdict text not null,
    reason text,
    -- Events in it, and what became of them.
    events integer not null,
    taken integer not null,
    repeated integer not null,
    foreign_portal integer not null,
    unknown integer not null,
    -- As HubSpot sent it; null where it was not to be kept, or is kept no longer.
    body blob
) strict;

create index webhook_deliveries_by_time on webhook_deliveries (org, received_at);

-- Events that were taken, by what tells one from another: a redelivery changes nothing.
create table webhook_events (
    org text not null,
    fingerprint blob not null,
    portal integer not null,
    received_at integer not null,
    primary key (org, fingerprint)
) strict, without rowid;

create index webhook_events_by_time on webhook_events (org, received_at);

-- Records that were announced and not looked at since.
create table webhook_records (
    org text not null,
    portal integer not null,
    type text not null,
    id text not null,
    -- Number of the last announcement: a look that began before it does not count.
    told integer not null,
    since integer not null,
    told_at integer not null,
    -- It is said to be gone; a person is to be forgotten; it is one of many, which a run reads.
    deleted integer not null,
    forgotten integer not null,
    in_bulk integer not null,
    -- A run is going on that may hold an older state: one more look when it has ended.
    after_run integer not null,
    -- Looks that succeeded, looks that failed in a row, and why the last one did.
    looks integer not null,
    attempts integer not null,
    error text,
    due_at integer not null,
    primary key (org, portal, type, id)
) strict, without rowid;

create index webhook_records_by_time on webhook_records (org, portal, in_bulk, due_at);

-- How often what happened, since the beginning: nothing of a delivery itself.
create table webhook_counts (
    org text not null,
    what text not null,
    count integer not null,
    last_at integer not null,
    primary key (org, what)
) strict, without rowid;
