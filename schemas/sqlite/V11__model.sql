-- The model path: what waits for a model, what it said, what that cost.

create table model_queue (
    org text not null,
    portal integer not null,
    -- facts | topics
    task text not null,
    kind text not null,
    id text not null,
    -- Version of the engagement's row this is about.
    seq integer not null,
    -- pending | done | failed | skipped, and why.
    state text not null,
    reason text,
    tries integer not null,
    -- Not before this time; null of a failed one: not by itself any more.
    next_at integer,
    -- What the model said about it: key of model_answers.
    answer blob,
    primary key (org, portal, task, kind, id)
) strict, without rowid;

create index model_queue_by_state on model_queue (org, portal, task, state);

-- What the model chose, as it said it: clause numbers and slots, no words. By a hash of everything that was shown.
create table model_answers (
    org text not null,
    key blob not null,
    items text not null,
    answered_at integer not null,
    primary key (org, key)
) strict, without rowid;

-- What the model said about a topic and a text: 0 not about it, 1 about it, 2 cannot tell.
create table model_verdicts (
    org text not null,
    key blob not null,
    said integer not null,
    -- The engagement it was said about: they go together.
    portal integer not null,
    kind text not null,
    id text not null,
    primary key (org, key)
) strict, without rowid;

create index model_verdicts_by_engagement on model_verdicts (org, portal, kind, id);

-- Tokens by day (since 1970), customer and the sync run they came after.
create table model_spending (
    org text not null,
    day integer not null,
    customer text not null,
    run text not null,
    tokens integer not null,
    primary key (org, day, customer, run)
) strict, without rowid;
