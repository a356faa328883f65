-- A lobby around one or more matches in a row.
create table rooms (
    id            bigint  not null primary key,
    -- Six letters that people tell each other.
    code          text    not null,
    game          text    not null,
    options       text    not null,
    -- Reached by its code only, and listed nowhere.
    private       boolean not null,
    host_id       bigint  not null references users (id),
    -- The match that it plays now, and the last that it played.
    match_id      bigint references matches (id),
    last_match_id bigint references matches (id),
    -- How many matches it has begun.
    matches       bigint  not null,
    -- How many lines were said in it.
    said          bigint  not null,
    -- One more with every change.
    revision      bigint  not null,
    created_at    bigint  not null
);
create unique index rooms_by_code on rooms (code);
create index rooms_by_match on rooms (match_id);
create index rooms_by_age on rooms (private, created_at);

-- The primary key keeps everybody in at most one room.
create table room_members (
    user_id    bigint  not null primary key references users (id),
    room_id    bigint  not null references rooms (id),
    -- Null for who watches.
    seat       bigint,
    ready      boolean not null,
    -- The room's revision as they came: who has the smallest is there longest.
    place      bigint  not null,
    -- When they are out, unless a page of theirs in the lobby or a match keeps them in.
    expires_at bigint  not null
);
create index room_members_by_room on room_members (room_id, place);
create unique index room_members_by_seat on room_members (room_id, seat);
create index room_members_by_end on room_members (expires_at);

-- The running table; who has left stays in it.
create table room_scores (
    room_id bigint not null references rooms (id),
    user_id bigint not null references users (id),
    matches bigint not null,
    wins    bigint not null,
    points  bigint not null,
    primary key (room_id, user_id)
);

-- Who was put out, and may not come back.
create table room_kicked (
    room_id bigint not null references rooms (id),
    user_id bigint not null references users (id),
    primary key (room_id, user_id)
);

-- The last lines that were said.
create table room_lines (
    room_id bigint not null references rooms (id),
    seq     bigint not null,
    user_id bigint not null references users (id),
    at      bigint not null,
    text    text   not null,
    primary key (room_id, seq)
);

-- Answers to requests that carried an Idempotency-Key, so that they can be given again.
create table answers (
    user_id    bigint not null references users (id),
    name       text   not null,
    -- SHA-256 of what was asked, in hex.
    request    text   not null,
    -- JSON; null while the request is being answered.
    answer     text,
    expires_at bigint not null,
    primary key (user_id, name)
);
create index answers_by_end on answers (expires_at);
