-- Which process runs which match, where there may be several; see docs/cluster.md.

-- Processes that share this database. A row is there before its process owns anything.
create table processes (
    id         bigint not null primary key,
    -- Grows while the process lives and can't say so in Redis. Who takes its matches over checks
    -- that it has not.
    beat       bigint not null,
    -- The name of its machine, by which a proxy can be asked to bring sockets there.
    machine    text,
    started_at bigint not null
);

create table owners (
    match_id bigint not null primary key references matches (id),
    -- 0: nobody, and whoever is first takes it.
    process  bigint not null,
    -- Grows each time that the match changes hands. What is written of a match is written under
    -- its owner's fence, or not at all.
    fence    bigint not null
);
create index owners_by_process on owners (process);

insert into owners (match_id, process, fence)
select id, 0, 0 from matches where status <> 'finished';
