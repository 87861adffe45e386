-- Boilerplate: lines that stand at the end of many mails of one sender domain.

-- The last lines of each mail's new text as hashes of 8 bytes: what boilerplate is counted from.
create table mail_tails (
    org text not null,
    portal integer not null,
    id text not null,
    -- Domain of the sender's address, lower case.
    domain text not null,
    lines blob not null,
    primary key (org, portal, id)
) strict, without rowid;

create index mail_tails_by_domain on mail_tails (org, portal, domain, id);

-- What a full run found in them; replaced as a whole.
create table boilerplate (
    org text not null,
    portal integer not null,
    domain text not null,
    line integer not null,
    -- Mails that end with it, copies of one template counted once.
    mails integer not null,
    primary key (org, portal, domain, line)
) strict, without rowid;
