-- Who one is: several ways in to one account, and how they are joined and got back.

-- What a person knows it by, such as the address of their Google account.
alter table identities add column label text;
alter table identities add column used_at bigint;

-- Roughly where from: a network, never a whole address.
alter table sessions add column address text;

-- The account that took over all that was this one's. Nothing leads in to it any more.
alter table users add column merged_into bigint references users (id);

-- Addresses that people say are theirs. Several may claim one: `users.email` is whose it was seen
-- to be, by a letter that was answered.
create table email_claims (
    user_id    bigint not null primary key references users (id),
    email      text   not null,
    claimed_at bigint not null
);
create index email_claims_by_email on email_claims (email, claimed_at);
insert into email_claims (user_id, email, claimed_at)
    select id, email, created_at from users where email is not null;
update users set email = null where email is not null;

-- Sign-ins that a provider was asked for and has not answered yet.
create table flows (
    -- SHA-256 of the state, in hex, as all that is secret here.
    state      text   not null primary key,
    provider   text   not null,
    -- Of the cookie of the browser that it began in.
    browser    text   not null,
    -- Where to go once signed in.
    next       text   not null,
    -- The account to join the identity to, and who asks for it.
    user_id    bigint references users (id),
    session_id bigint,
    -- Of the page that waits for the answer in another browser.
    handoff    text,
    expires_at bigint not null
);
create index flows_by_end on flows (expires_at);

-- Sign-ins that a page began whose own browser the provider refuses.
create table handoffs (
    -- Of the page's secret.
    secret     text   not null primary key,
    -- Of what opens the other browser, once; null from then on.
    ticket     text,
    provider   text   not null,
    user_id    bigint references users (id),
    session_id bigint,
    -- What the other browser shows and the page is to be told; null until the provider answered.
    code       text,
    tries      bigint not null,
    -- JSON: who the provider says it is.
    proved     text,
    expires_at bigint not null
);
create unique index handoffs_by_ticket on handoffs (ticket);
create index handoffs_by_end on handoffs (expires_at);

-- Two accounts that were both shown to be one person's, who has not said yet what to do.
create table merge_offers (
    id         bigint not null primary key,
    user_id    bigint not null references users (id),
    session_id bigint not null,
    other_id   bigint not null references users (id),
    provider   text   not null,
    subject    text   not null,
    expires_at bigint not null
);
create index merge_offers_by_session on merge_offers (session_id);
create index merge_offers_by_end on merge_offers (expires_at);

-- What was sent to somebody to come back with, once.
create table mail_tokens (
    -- SHA-256 of the token, in hex.
    hash       text   not null primary key,
    -- reset or email
    purpose    text   not null,
    user_id    bigint not null references users (id),
    -- The address that it was sent to; empty for other ways.
    email      text   not null,
    created_at bigint not null,
    expires_at bigint not null
);
create index mail_tokens_by_user on mail_tokens (user_id, created_at);
create index mail_tokens_by_end on mail_tokens (expires_at);
