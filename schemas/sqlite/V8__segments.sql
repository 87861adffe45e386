-- Saved filters over contacts and companies; who is in one is computed when it is read.

create table segments (
    org text not null,
    id text not null,
    name text not null,
    -- The filter as JSON, checked before it is written.
    filter text not null,
    created_at integer not null,
    updated_at integer not null,
    primary key (org, id),
    unique (org, name)
) strict, without rowid;
