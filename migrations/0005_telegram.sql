-- What the Telegram bot does and tells.

-- Updates of Telegram that were taken: none is handled twice.
create table telegram_updates (
    update_id bigint not null primary key,
    -- As it came, until it is handled; empty from then on.
    body      text   not null,
    taken_at  bigint not null
);
create index telegram_updates_by_time on telegram_updates (taken_at);

-- Chats where nothing may be written, and since when. A person's private chat has the person's
-- number.
create table telegram_quiet (
    chat_id     bigint not null primary key,
    quiet_since bigint not null
);

-- Who was seen in which group, as Telegram says.
create table telegram_members (
    chat_id bigint not null,
    user_id bigint not null references users (id),
    primary key (chat_id, user_id)
);

-- The last user name that each person had in Telegram, in lower case and without the @.
create table telegram_names (
    user_id bigint not null primary key references users (id),
    name    text   not null,
    seen_at bigint not null
);
create index telegram_names_by_name on telegram_names (name, seen_at);

-- What somebody wants to be told, where it is not what everybody is.
create table notice_settings (
    user_id    bigint  not null primary key references users (id),
    matched    boolean not null,
    challenged boolean not null,
    result     boolean not null
);

-- What Telegram has to be told. Rows stay for a while, so that nothing is told twice.
create table outbox (
    -- What it is about.
    about      text   not null primary key,
    notice     text   not null,
    -- Counts the changes of what it shows: only the newest is sent.
    revision   bigint not null,
    -- When to send it; null when there is nothing to send.
    due_at     bigint,
    attempts   bigint not null,
    changed_at bigint not null
);
create index outbox_by_due on outbox (due_at);
create index outbox_by_change on outbox (changed_at);

-- A message in a chat that shows a game from the invitation to the result.
create table cards (
    id         bigint not null primary key,
    -- What it was made for, once.
    origin     text   not null,
    game       text   not null,
    -- Where it is: in a chat, and there in a topic; or an inline message.
    chat_id    bigint,
    thread_id  bigint,
    message_id bigint,
    inline_id  text,
    language   text   not null,
    host       bigint not null references users (id),
    -- Who alone may join: a user name of Telegram, in lower case.
    invited    text,
    -- open, playing, over or closed
    status     text   not null,
    match_id   bigint references matches (id),
    -- The score that was told last.
    score      text   not null,
    -- The card of the rematch.
    next_card  bigint,
    created_at bigint not null,
    -- Until when one may join.
    expires_at bigint not null
);
create unique index cards_by_origin on cards (origin);
create index cards_by_match on cards (match_id);
create index cards_by_chat on cards (chat_id, game);
create index cards_by_status on cards (status, expires_at);

create table card_seats (
    card_id   bigint not null references cards (id),
    user_id   bigint not null references users (id),
    joined_at bigint not null,
    primary key (card_id, user_id)
);
create index card_seats_by_user on card_seats (user_id);
