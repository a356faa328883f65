-- Read by SQLite and PostgreSQL alike: see README.md in this folder.

create table users (
    id           bigint not null primary key,
    -- As typed by people, shown with their capitals; null for who came by Telegram alone.
    username     text,
    -- Lower case: what makes a username unique.
    username_key text,
    email        text,
    display_name text   not null,
    avatar_url   text,
    -- en or ru
    language     text   not null,
    -- player, moderator or admin
    role         text   not null,
    created_at   bigint not null,
    updated_at   bigint not null
);
create unique index users_by_username on users (username_key);
create unique index users_by_email on users (email);

-- The ways in to an account: (password, the user's id), (telegram, Telegram's user id),
-- (google, Google's sub).
create table identities (
    provider   text   not null,
    subject    text   not null,
    user_id    bigint not null references users (id),
    -- The argon2id hash of a password in PHC form; null for other providers.
    secret     text,
    created_at bigint not null,
    primary key (provider, subject)
);
create unique index identities_by_user on identities (user_id, provider);

-- One sign-in on one device; its refresh tokens are one family and end together.
create table sessions (
    id         bigint not null primary key,
    user_id    bigint not null references users (id),
    created_at bigint not null,
    used_at    bigint not null,
    -- What the device called itself, cut to 200 characters.
    user_agent text   not null,
    ended_at   bigint
);
create index sessions_by_user on sessions (user_id);
-- How processes hear of each other's.
create index sessions_by_end on sessions (ended_at);

create table refresh_tokens (
    -- SHA-256 of the token, in hex. The token itself is kept nowhere.
    hash       text   not null primary key,
    session_id bigint not null references sessions (id),
    created_at bigint not null,
    expires_at bigint not null,
    spent_at   bigint
);
create index refresh_tokens_by_session on refresh_tokens (session_id);
create index refresh_tokens_by_expiry on refresh_tokens (expires_at);

-- What is made once and kept, such as the key that signs access tokens.
create table secrets (
    name  text not null primary key,
    value text not null
);

-- Glicko-2 and statistics, by game.
create table ratings (
    user_id    bigint           not null references users (id),
    game       text             not null,
    rating     double precision not null,
    deviation  double precision not null,
    volatility double precision not null,
    wins       bigint           not null,
    losses     bigint           not null,
    draws      bigint           not null,
    -- Wins in a row, or losses when negative.
    streak     bigint           not null,
    best_streak bigint          not null,
    -- The last rated match: deviation grows from here.
    rated_at   bigint           not null,
    primary key (user_id, game)
);
create index ratings_by_game on ratings (game, rating desc);

create table matches (
    id          bigint  not null primary key,
    game        text    not null,
    -- The version of the game's rules that it is played by.
    rules       bigint  not null,
    options     text    not null,
    seed        bigint  not null,
    rated       boolean not null,
    -- pending, active or finished
    status      text    not null,
    created_at  bigint  not null,
    updated_at  bigint  not null,
    started_at  bigint,
    finished_at bigint,
    -- What ended it, as in games::Reason.
    reason      text,
    winner      bigint references users (id),
    -- The match that this is a rematch of.
    rematch_of  bigint references matches (id)
);
create index matches_by_status on matches (status, created_at);
-- At most one rematch of a match, however many times both ask.
create unique index matches_by_rematch on matches (rematch_of);

create table match_players (
    match_id      bigint  not null references matches (id),
    seat          bigint  not null,
    user_id       bigint  not null references users (id),
    -- left or right; null in games of more than two
    side          text,
    score         bigint  not null,
    ready         boolean not null,
    -- Ratings before and after, null until settled and in matches that do not count.
    rating_before double precision,
    rating_after  double precision,
    finished_at   bigint,
    primary key (match_id, seat)
);
create unique index match_players_by_user on match_players (user_id, match_id);
create index match_players_by_history on match_players (user_id, finished_at desc, match_id);

-- Who is in a live match: the primary key keeps everybody in at most one.
create table playing (
    user_id  bigint not null primary key references users (id),
    match_id bigint not null references matches (id)
);
create index playing_by_match on playing (match_id);

-- Who waits for an opponent: the primary key keeps everybody in at most one queue.
create table queue_entries (
    user_id   bigint           not null primary key references users (id),
    game      text             not null,
    chat_id   text,
    rating    double precision not null,
    joined_at bigint           not null,
    -- When the entry lapses, unless a page of theirs in the lobby keeps it.
    expires_at bigint          not null
);
create index queue_entries_by_game on queue_entries (game, joined_at);

-- Append-only. What happened in a live match, in order; folded into `replays` at its end.
create table journal (
    match_id bigint not null references matches (id),
    seq      bigint not null,
    -- Microseconds since the match was opened.
    at       bigint not null,
    entry    text   not null,
    primary key (match_id, seq)
);

create table replays (
    match_id   bigint not null primary key references matches (id),
    rules      bigint not null,
    -- SHA-256 of data, in hex.
    checksum   text   not null,
    data       text   not null,
    created_at bigint not null
);
