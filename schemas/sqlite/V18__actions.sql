-- What agents may do in HubSpot, and every attempt to do it.

-- An action on one agent. A row that is not enabled remembers its settings.
create table agent_actions (
    org text not null,
    agent text not null,
    action text not null,
    enabled integer not null,
    -- JSON; what is not said has its default.
    settings text not null,
    changed_at integer not null,
    primary key (org, agent, action)
) strict, without rowid;

-- One row per attempt, refused ones too.
create table action_executions (
    id text primary key,
    org text not null,
    -- Null until the gates are passed: what was refused never reached a portal.
    portal integer,
    -- Null for an operator.
    agent text,
    action text not null,
    -- run | propose | confirm | undo
    step text not null,
    -- The execution that is confirmed or undone.
    target text,
    -- JSON, secrets masked.
    arguments text not null,
    -- Address of the customer it is about.
    customer text,
    idempotency_key text,
    -- Hash of what was asked: a key stands for one question.
    asked blob not null,
    -- refused | started | sending | proposed | done | not_applied | unchanged | failed | unknown
    outcome text not null,
    reason text,
    detail text,
    -- HubSpot's ids of the contact and of what was written.
    contact text,
    record_type text,
    record text,
    -- A changed property with its value before and after.
    property text,
    old_value text,
    new_value text,
    -- JSON: hashes of the values as HubSpot keeps them, compared before anything is taken back.
    written text,
    -- Time of the note, by which it is known before its id is.
    stamp integer,
    confirmation text,
    expires_at integer,
    -- JSON, as the caller got it.
    answer text,
    started_at integer not null,
    sent_at integer,
    finished_at integer
) strict, without rowid;

create unique index action_executions_by_key on action_executions (org, agent, idempotency_key)
    where idempotency_key is not null;
create unique index action_executions_by_confirmation on action_executions (confirmation)
    where confirmation is not null;
create index action_executions_by_time on action_executions (org, started_at);
create index action_executions_by_record on action_executions (org, portal, record_type, record)
    where record is not null;
create index action_executions_by_target on action_executions (target) where target is not null;
create index action_executions_open on action_executions (org, outcome)
    where outcome in ('started', 'sending', 'unknown');
create index action_executions_by_contact on action_executions (org, portal, contact) where contact is not null;
