-- Which properties of contacts, companies and deals are read, as the account defines them.

create table properties (
    org text not null,
    portal integer not null,
    type text not null,
    name text not null,
    position integer not null,
    label text not null,
    value_type text not null,
    -- JSON [{"value","label"}].
    options text not null,
    -- When it was first asked for.
    since integer not null,
    -- 1: every stored record has been read with it.
    settled integer not null,
    primary key (org, portal, type, name)
) strict, without rowid;

-- What is not read, by type: how many of the account's own the limit leaves out, and names in the settings that the
-- account does not have (JSON).
create table properties_left (
    org text not null,
    portal integer not null,
    type text not null,
    left_out integer not null,
    unknown text not null,
    primary key (org, portal, type)
) strict, without rowid;
