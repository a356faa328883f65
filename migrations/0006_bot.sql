-- More that the bot tells, letters that are not lost for long, and links from the web to Telegram.

alter table notice_settings add column your_turn boolean not null default true;
alter table notice_settings add column friend_request boolean not null default true;

-- Those who deliver letters, each for one life of a bot, and when they were last heard of.
create table carriers (
    id      bigint not null primary key,
    seen_at bigint not null
);

-- Who delivers a letter now; null when nobody does. Letters of a carrier that is heard of no more
-- are free again.
alter table outbox add column carrier bigint;

-- Offers to let a Telegram user in to an account: made on a page that is signed in, taken in the
-- chat with the bot.
create table link_tokens (
    -- SHA-256 of the token, in hex. The token itself is kept nowhere.
    hash       text   not null primary key,
    user_id    bigint not null references users (id),
    expires_at bigint not null
);
create index link_tokens_by_user on link_tokens (user_id);
create index link_tokens_by_end on link_tokens (expires_at);
