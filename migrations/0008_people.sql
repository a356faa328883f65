-- Who people are to each other, who keeps order, and what was done.

-- What names look like, for finding those that could be taken for each other. A name has one look
-- or two: see arena/src/names.rs.
create table looks (
    user_id bigint not null references users (id),
    -- username or display_name
    of_what text   not null,
    look    text   not null,
    primary key (user_id, of_what, look)
);
create index looks_by_look on looks (look, of_what);
-- Whatever is written at the same instant: no two usernames look the same.
create unique index looks_of_usernames on looks (look) where of_what = 'username';

-- A friendship is two rows, one for each.
create table friends (
    user_id   bigint not null references users (id),
    friend_id bigint not null references users (id),
    since     bigint not null,
    primary key (user_id, friend_id)
);
create index friends_by_friend on friends (friend_id);

create table friend_requests (
    from_id    bigint  not null references users (id),
    to_id      bigint  not null references users (id),
    created_at bigint  not null,
    -- From somebody who is blocked: shown to them, and not to whom it is for.
    hidden     boolean not null,
    primary key (from_id, to_id)
);
create index friend_requests_by_to on friend_requests (to_id, created_at);

-- Whom somebody does not want to hear (mute), or to have to do with at all (block).
create table shuns (
    user_id    bigint not null references users (id),
    other_id   bigint not null references users (id),
    kind       text   not null,
    created_at bigint not null,
    primary key (user_id, other_id)
);
create index shuns_by_other on shuns (other_id);

-- What moderators did about somebody. Rows are never deleted.
create table sanctions (
    id         bigint not null primary key,
    user_id    bigint not null references users (id),
    -- mute or ban
    kind       text   not null,
    reason     text   not null,
    by_id      bigint not null references users (id),
    created_at bigint not null,
    -- Null: for good.
    until      bigint,
    lifted_at  bigint,
    lifted_by  bigint references users (id)
);
create index sanctions_by_user on sanctions (user_id, kind);

create table reports (
    id         bigint not null primary key,
    by_id      bigint not null references users (id),
    about_id   bigint not null references users (id),
    -- spam, abuse, cheating, name or other
    reason     text   not null,
    -- In the words of who reported.
    text       text   not null,
    -- What the one whom it is about said in the room, as the server has it; JSON.
    evidence   text   not null,
    match_id   bigint references matches (id),
    created_at bigint not null,
    closed_at  bigint,
    closed_by  bigint references users (id),
    -- acted or dismissed
    verdict    text
);
create index reports_by_state on reports (closed_at, created_at);
create index reports_by_author on reports (by_id, created_at);
create index reports_by_subject on reports (about_id, created_at);

-- Who did what, when and from where. No row holds a secret.
create table audit (
    id         bigint not null primary key,
    at         bigint not null,
    kind       text   not null,
    -- Who did it; null where that is not known.
    by_id      bigint,
    -- To whom; null for nobody else.
    about_id   bigint,
    -- The address that it came from; empty for what came from none.
    address    text   not null,
    detail     text   not null,
    -- How often: what happens often is summed up.
    times      bigint not null,
    -- What is summed up in this row; null for what happened once.
    sum_of     text
);
create unique index audit_by_sum on audit (sum_of);
create index audit_by_time on audit (at, id);
create index audit_by_author on audit (by_id, at);
create index audit_by_subject on audit (about_id, at);
