-- Engagements that HubSpot no longer has, so that "why is it not found" has an answer after the row is gone.
-- Ids only: nothing of what was in them is kept.

create table tombstones (
    org text not null,
    portal integer not null,
    kind text not null,
    id text not null,
    -- The change of the ledger that took it out of the index.
    seq integer not null,
    primary key (org, portal, kind, id)
) strict, without rowid;
