-- Posting to Slack: the connection, what is posted, the outbox and what became of it. No words of customers stand here:
-- a message is written anew from the engagements whenever it is sent.

create table slack (
    org text primary key references orgs (id),
    -- webhook | bot
    method text not null,
    -- Encrypted: address of the incoming webhook, or token of the bot.
    secret blob not null,
    team text,
    -- Default channel of a bot, by id where it is known, and as it was named; a webhook has its own.
    channel text,
    channel_name text,
    -- The bot may read the channel back to see whether a message arrived.
    reads_back integer not null,
    connected_at integer not null,
    -- Why nothing is posted until a person does something: Slack's code; null: nothing is wrong.
    stopped text,
    stopped_at integer
) strict, without rowid;

create table notification_types (
    org text not null references orgs (id),
    type text not null,
    enabled integer not null,
    -- In the place of the default channel.
    channel text,
    channel_name text,
    -- at_once | hourly | daily
    cadence text not null,
    primary key (org, type)
) strict, without rowid;

-- One row for each engagement that is to be posted, whoever sees it first. It waits while it has neither delivery nor
-- a reason why it was dropped.
create table notifications (
    org text not null,
    type text not null,
    portal integer not null,
    kind text not null,
    id text not null,
    queued_at integer not null,
    delivery integer,
    dropped text,
    primary key (org, type, portal, kind, id)
) strict, without rowid;

create index notifications_waiting on notifications (org, type, queued_at) where delivery is null and dropped is null;
create index notifications_by_delivery on notifications (delivery) where delivery is not null;

-- One row for each message.
create table deliveries (
    id integer primary key,
    org text not null,
    -- A type of notification, or test.
    type text not null,
    channel text,
    -- Engagements in it.
    notifications integer not null,
    -- sending | retry (known not to have arrived) | unknown (may have arrived) | sent | failed
    state text not null,
    attempts integer not null,
    next_at integer,
    cause text,
    created_at integer not null,
    ended_at integer
) strict;

create index deliveries_by_org on deliveries (org, id);
create index deliveries_open on deliveries (org) where state in ('sending', 'retry', 'unknown');
