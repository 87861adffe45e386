-- Near-copies: the same mail to many people is one document, and the others say which one.

-- One row per outgoing mail that is long enough to be a template; most have no copies.
create table templates (
    id integer primary key,
    org text not null,
    portal integer not null,
    kind text not null,
    -- The engagement that stands for all of them in the index.
    canonical text not null,
    -- Its min-hashes, 64 of 4 bytes.
    mins blob not null,
    -- Engagements of this template, the canonical one included.
    copies integer not null
) strict;

create index templates_by_canonical on templates (org, portal, kind, canonical);

-- A key is made of a part of the min-hashes; templates with an equal key are candidates.
create table template_bands (
    band integer not null,
    template integer not null,
    primary key (band, template)
) strict, without rowid;

alter table hubspot_engagements add column template integer;
-- What only this copy says: passages as JSON; they are indexed instead of the whole.
alter table hubspot_engagements add column own_passages text;
-- Secrets found in the body as JSON [{"kind","start","end"}], bytes of its visible text; never their values.
alter table hubspot_engagements add column secrets text;

create index engagements_by_template on hubspot_engagements (template, occurred_at, id) where template is not null;
