// A result is shared from the Mini App, and an account of the web gets its way to the bot. Pictures
// of both are in target/screenshots.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { PHONE, Person, openBrowser } from "./people.js";
import { startTelegram } from "./programs.js";

const limit = { timeout: 120_000 };

let browser, telegram;

before(async () => {
    browser = await openBrowser();
    telegram = await startTelegram();
}, limit);

after(async () => {
    await browser?.close();
    await telegram?.stop();
}, limit);

/** Opens the app inside Telegram, as one of its people; `choices` are the simulated client's. */
async function open(person, choices) {
    await person.page.goto(`${telegram.url}/?${new URLSearchParams(choices)}`);
    person.app = person.page.frameLocator("#app");
    await person.see("screen-home");
}

test("a result is sent to a chat as a message that the bot has prepared", limit, async () => {
    const viewport = { width: 1280, height: 960 };
    const ann = await Person.arrive(browser, "ann", { viewport });
    const boris = await Person.arrive(browser, "boris", { ...PHONE, viewport });
    await open(ann, { user: "1001", theme: "light", platform: "weba" });
    await open(boris, { user: "1002", theme: "dark", platform: "android" });
    for (const person of [ann, boris]) await person.press("join-pong");
    for (const person of [ann, boris]) {
        await person.see("screen-match", { status: "pending" });
        await person.page.locator("#main").click();
    }
    for (const person of [ann, boris]) await person.see("screen-match", { status: "active" });
    await boris.press("leave");
    await boris.press("dialog-confirm");
    await ann.see("result", { result: "won" });
    await ann.picture("telegram-share-button");
    await ann.press("share-result");
    const popup = ann.page.locator("#popup");
    await popup.getByText("🏆").waitFor();
    const shown = await popup.locator("p").innerText();
    assert.match(shown, /^Pong\n[^]*🏆 \u2068Ann\u2069[^]*The match is over\./);
    assert.match(shown, /\[Replay\] https:\/\/t\.me\/artel_development_bot\?startapp=r_\w{11}$/);
    await ann.picture("telegram-share");
    await popup.getByRole("button", { name: "Send" }).click();
    const log = ann.page.locator("#log");
    await log.getByText("→ prepared_message_sent").waitFor();

    // From the history as well; and who says no is not asked again in another way.
    await ann.page.locator("#back").click();
    await ann.press("nav-me");
    await ann.press("history-share");
    await popup.getByRole("button", { name: "Cancel" }).click();
    await log.getByText("USER_DECLINED").waitFor();
    await ann.picture("telegram-me-share");
    assert.equal(await log.getByText("web_app_open_tg_link").count(), 0);

    // Where Telegram has no such messages, the link that opens the replay in the Mini App is shared.
    await open(boris, { user: "1002", theme: "dark", platform: "android", version: "7.7" });
    await boris.press("nav-me");
    await boris.press("history-share");
    const link = boris.page.locator("#log").getByText("web_app_open_tg_link");
    await link.waitFor();
    assert.match(await link.innerText(), /share\/url\?url=https%3A%2F%2Ft\.me%2F\w+%3Fstartapp%3Dr_\w{11}&/);
    for (const person of [ann, boris]) assert.deepEqual(person.complaints, [], person.name);
});

test("an account of the web gets a link to the bot", limit, async () => {
    const eve = await Person.arrive(browser, "eve_links", PHONE);
    await eve.register(telegram.app);
    await eve.press("nav-me");
    await eve.press("telegram-link");
    const link = await eve.see("telegram-go");
    const way = /^https:\/\/t\.me\/artel_development_bot\?start=link_[\w-]{43}$/;
    assert.match(await link.getAttribute("href"), way);
    await link.scrollIntoViewIfNeeded();
    await eve.picture("telegram-link");
    assert.deepEqual(eve.complaints, []);
});
