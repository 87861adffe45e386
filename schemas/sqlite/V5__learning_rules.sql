-- Learning rules and what they decided.

create table learning_rules (
    org text not null,
    id text not null,
    -- Grows with every edit.
    version integer not null,
    -- keyword | topic | instruction
    type text not null,
    text text not null,
    -- A keyword also counts inside longer words.
    substring integer not null,
    -- Kinds of engagement as JSON; an empty list is all.
    kinds text not null,
    position integer not null,
    enabled integer not null,
    primary key (org, id)
) strict, without rowid;

-- Grows with every change of the rules: what was judged under another number is judged again.
alter table orgs add column rules_revision integer not null default 0;

create table rule_decisions (
    org text not null,
    portal integer not null,
    kind text not null,
    id text not null,
    rule text not null,
    version integer not null,
    -- learned | skipped | held
    outcome text not null,
    reason text not null,
    -- keyword, or the name of a topic judge; empty where none could be asked.
    judge text not null,
    primary key (org, portal, kind, id)
) strict, without rowid;

create index rule_decisions_held on rule_decisions (org, portal, kind, id) where outcome = 'held';
