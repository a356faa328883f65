-- Which process handles an update from Telegram, where there may be several.

-- As of letters: a carrier, or whoever comes first. Null where an older version took it.
alter table telegram_updates add column carrier bigint;
-- Few of many: looked for every few seconds.
create index telegram_updates_left on telegram_updates (update_id) where body <> '';
