-- Passages stand in a table of their own: what did not change is not written again.

create table passages (
    org text not null,
    portal integer not null,
    kind text not null,
    engagement text not null,
    -- From a hash of what the passage holds; a second one of the same words has a number behind it.
    id text not null,
    text text not null,
    language text,
    -- 1: not written by the sender of this message.
    quoted integer not null,
    -- Of a transcript: seconds into the call, and who speaks as JSON.
    start_s integer,
    end_s integer,
    speakers text,
    primary key (org, portal, kind, engagement, id)
) strict, without rowid;

insert into passages
select e.org, e.portal, e.kind, e.id, 'was-' || p.key, p.value ->> 'text', p.value ->> 'language',
    coalesce(p.value ->> 'quoted', 0), null, null, null
from hubspot_engagements e, json_each(e.passages) p;

-- Ids of the passages in their order, as JSON: what stands before and behind each is told by it.
alter table hubspot_engagements rename column passages to passage_ids;

update hubspot_engagements set passage_ids = (
    select json_group_array(p.id order by cast(substr(p.id, 5) as integer)) from passages p
    where p.org = hubspot_engagements.org and p.portal = hubspot_engagements.portal
    and p.kind = hubspot_engagements.kind and p.engagement = hubspot_engagements.id
);

-- Hosts its new text links to, as JSON; null where there are none.
alter table hubspot_engagements add column link_hosts text;
-- How reading the body went: capped | fallback | plain | empty; null where everything was read.
alter table hubspot_engagements add column text_status text;
