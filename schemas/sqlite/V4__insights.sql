-- Insights: facts about a customer, each proved by a span of an engagement's text; and what they are kept true by.

create table insights (
    org text not null,
    portal integer not null,
    -- The engagement that proves it, and a hash of subject, slot, value and place: together its id.
    engagement_kind text not null,
    engagement text not null,
    hash text not null,
    -- contacts | companies, and HubSpot's id.
    subject_type text not null,
    subject text not null,
    kind text not null,
    -- kind.facet
    slot text not null,
    statement text not null,
    language text,
    value text,
    -- Evidence: bytes of one passage of the engagement, and the SHA-256 of what stands there.
    passage integer not null,
    evidence_start integer not null,
    evidence_end integer not null,
    quote_hash blob not null,
    -- customer | us | note
    asserted_by text not null,
    said_by text,
    claim integer not null,
    said_at integer not null,
    position integer not null,
    -- World time in days since 1970; the end is the first day it no longer holds.
    valid_from integer not null,
    valid_to integer,
    recorded_at integer not null,
    superseded_at integer,
    -- Ids of other insights; of the chain of one subject and slot.
    superseded_by text,
    supports text,
    support integer not null,
    confidence real not null,
    distiller text not null,
    rules text not null,
    -- Hash of everything above that does not depend on other insights.
    content integer not null,
    primary key (org, portal, engagement_kind, engagement, hash)
) strict, without rowid;

create index insights_by_chain on insights (org, portal, subject_type, subject, slot);

-- Insights that no longer stand, so that their ids are answered with the reason: body_changed | skipped | rules.
create table retired_insights (
    org text not null,
    portal integer not null,
    engagement_kind text not null,
    engagement text not null,
    hash text not null,
    reason text not null,
    retired_at integer not null,
    primary key (org, portal, engagement_kind, engagement, hash)
) strict, without rowid;

-- Engagements to be looked at again from what is stored: judge (a rule changed meanwhile) | distil (a name changed).
create table engagements_due (
    org text not null,
    portal integer not null,
    kind text not null,
    id text not null,
    task text not null,
    primary key (org, portal, task, kind, id)
) strict, without rowid;
