-- What was said in calls, as HubSpot's transcript endpoint tells it. A call read again keeps its transcript.

create table transcripts (
    org text not null,
    portal integer not null,
    call text not null,
    -- One line per turn: [minutes:seconds] speaker: words. Null where HubSpot has none to give.
    words text,
    fetched_at integer not null,
    primary key (org, portal, call)
) strict, without rowid;
