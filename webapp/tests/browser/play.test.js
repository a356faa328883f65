// Two people meet, in browsers and inside Telegram. Pictures of all they see are in
// target/screenshots.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import {
    DESKTOP,
    PHONE,
    Person,
    finger,
    keys,
    mouse,
    openBrowser,
    playBadly,
    playWell,
    taps,
    until,
} from "./people.js";
import { startLine, startServer, startTelegram, telegramBesideRealBot } from "./programs.js";

/** A match takes some 45 s, longer on a busy machine; no test has more than one to its end. */
const limit = { timeout: 240_000 };
/** Until somebody scores who plays well. */
const MATCH_MS_MAX = 60_000;

let browser, line, server, telegram, ann, bob;

before(async () => {
    browser = await openBrowser();
    line = await startLine();
    server = await startServer(line.url);
    line.leadTo(server.url);
    telegram = await startTelegram();
    ann = await Person.arrive(browser, "ann", PHONE);
    bob = await Person.arrive(browser, "bob", DESKTOP);
}, limit);

after(async () => {
    await browser?.close();
    await server?.stop();
    await telegram?.stop();
    line?.stop();
}, limit);

test("strangers are asked who they are, and told what is wrong", limit, async () => {
    await ann.page.goto(server.url);
    await ann.see("screen-sign");
    await ann.picture("sign-in");

    await ann.press("tab-sign-up");
    await ann.write("username", "a");
    await ann.write("password", "short");
    await ann.press("submit");
    await ann.see("field-error-password");
    await ann.picture("sign-up-refused");

    await ann.press("language-ru");
    await ann.page.locator('html[lang="ru"]').waitFor();
    await ann.picture("sign-up-russian");
    await ann.press("language-en");
    await ann.page.locator('html[lang="en"]').waitFor();
});

test("two people register and meet in the queue", limit, async () => {
    await ann.register(server.url);
    await bob.register(line.url);
    await ann.picture("home");
    await bob.picture("home-desktop");

    await ann.press("join-pong");
    await ann.see("screen-queue");
    await until(async () => (await ann.number("queue-position")) === 1);
    await ann.picture("queue");
    await ann.press("queue-cancel");
    await ann.see("screen-home");

    await ann.press("join-pong");
    await ann.see("screen-queue");
    await bob.press("join-pong");
    for (const person of [ann, bob]) await person.see("screen-match", { status: "pending" });
    await ann.picture("match-pending");

    await ann.press("ready");
    await bob.see(`ready-state-${await seat(ann)}`, { ready: true });
    await bob.press("ready");
    for (const person of [ann, bob]) await person.see("screen-match", { status: "active" });
});

test("they play to the end, though a line is cut", limit, async () => {
    const match = Promise.all([playWell(ann, await finger(ann)), playBadly(bob, keys(bob))]);

    const scoreOfAnn = `score-${await seat(ann)}`;
    await until(async () => (await ann.number(scoreOfAnn)) >= 2, MATCH_MS_MAX);
    await Promise.all([ann.picture("match-active"), bob.picture("match-active-desktop")]);

    line.cut();
    await bob.see("connection-banner");
    await ann.see("pause-banner");
    await Promise.all([ann.picture("match-paused"), bob.picture("match-offline-desktop")]);
    line.mend();
    await bob.see("screen-match", { connection: "online" });
    await bob.lose("connection-banner");
    await ann.lose("pause-banner");

    await match;
    await wonAndLost(ann, bob);
    await ann.picture("result-won");
    await bob.picture("result-lost-desktop");
    // What the browser says of the line that we cut.
    bob.complaints = bob.complaints.filter((it) => !/WebSocket|ERR_/.test(it));
});

test("they play again, and one gives up", limit, async () => {
    const first = ann.page.url();
    await bob.press("rematch");
    await ann.see("rematch-status");
    await ann.picture("rematch-offered");
    await ann.press("rematch");
    for (const person of [ann, bob]) {
        await person.page.waitForURL((url) => /match/.test(url.pathname) && url.href !== first);
        await person.see("screen-match", { status: "pending" });
        await person.press("ready");
    }
    for (const person of [ann, bob]) await person.see("screen-match", { status: "active" });
    await bob.press("leave");
    await bob.see("dialog");
    await bob.picture("leave-dialog-desktop");
    await bob.press("dialog-confirm");
    await ann.see("result", { result: "won" });
    await bob.see("result", { result: "lost" });
});

test("both matches are in their history, and the ratings moved", limit, async () => {
    for (const [person, won] of [
        [ann, true],
        [bob, false],
    ]) {
        await person.press("to-home");
        await person.press("nav-me");
        await person.see("screen-me");
        await until(async () => (await person.find("history-item", { won }).count()) === 2);
        await until(async () => (await person.number(won ? "stat-wins-pong" : "stat-losses-pong")) === 2);
        const rating = await person.number("stat-rating-pong");
        assert.ok(won ? rating > 1500 : rating < 1500, `${person.name} has ${rating}`);
    }
    await ann.picture("me");
    await bob.picture("me-desktop");

    await bob.press("history-opponent");
    await bob.see("screen-user");
    await bob.find("profile-name").filter({ hasText: /ann/i }).waitFor();
    await bob.picture("user-desktop");

    await ann.press("nav-top");
    await ann.see("screen-top");
    // Two matches are too few for a place.
    await ann.see("empty");
    await ann.picture("top");
});

test("language and theme are as one says, and stay", limit, async () => {
    await ann.press("nav-me");
    await ann.press("language-ru");
    await ann.press("theme-dark");
    await ann.page.locator('html[lang="ru"][data-theme="dark"]').waitFor();
    await ann.page.reload();
    await ann.see("screen-me");
    await ann.page.locator('html[lang="ru"][data-theme="dark"]').waitFor();
    await ann.picture("me-russian-dark");
    await ann.press("nav-play");
    await ann.see("screen-home");
    await ann.picture("home-russian-dark");
});

test("where nothing is, the page says so; who leaves is a stranger again", limit, async () => {
    await bob.page.goto(`${line.url}/nowhere`);
    await bob.see("screen-missing");
    await bob.picture("missing-desktop");
    await bob.press("to-home");
    await bob.press("nav-me");
    // The page itself is a 404, as it should be.
    bob.complaints = bob.complaints.filter((it) => !it.includes("/nowhere)"));
    await bob.press("sign-out");
    await bob.see("screen-sign");
    await bob.page.reload();
    await bob.see("screen-sign");
});

test("nothing went wrong unseen", () => {
    for (const person of [ann, bob]) assert.deepEqual(person.complaints, [], person.name);
});

test("inside Telegram one is known, and plays at once", limit, async () => {
    const viewport = { width: 1280, height: 960 };
    const cho = await Person.arrive(browser, "cho", { viewport });
    const dan = await Person.arrive(browser, "dan", { ...PHONE, viewport });
    await cho.page.goto(`${telegram.url}/?user=1001&theme=light&platform=weba&insets=none`);
    await dan.page.goto(`${telegram.url}/?user=1002&theme=dark&platform=android&insets=notch`);
    for (const person of [cho, dan]) {
        person.app = person.page.frameLocator("#app");
        await person.see("screen-home");
        await person.page.locator("#ready", { hasText: "yes" }).waitFor();
    }
    await dan.app.locator('html[lang="ru"][data-theme="dark"]').waitFor();
    await cho.app.locator('html[lang="en"][data-theme="light"]').waitFor();
    await cho.picture("telegram-home");
    await dan.picture("telegram-home-dark");

    for (const person of [cho, dan]) await person.press("join-pong");
    for (const person of [cho, dan]) {
        await person.see("screen-match", { status: "pending" });
        await person.page.locator("#main").click();
    }
    for (const person of [cho, dan]) {
        await person.see("screen-match", { status: "active" });
        await person.page.locator("#closing", { hasText: "yes" }).waitFor();
        await person.page.locator("#swipes", { hasText: "no" }).waitFor();
    }
    const match = Promise.all([playWell(cho, mouse(cho)), playBadly(dan, taps(dan))]);
    await until(async () => (await cho.number(`score-${await seat(cho)}`)) >= 1, MATCH_MS_MAX);
    await Promise.all([cho.picture("telegram-match"), dan.picture("telegram-match-dark")]);
    await match;
    await wonAndLost(cho, dan);
    await Promise.all([cho.picture("telegram-won"), dan.picture("telegram-lost-dark")]);
    await cho.page.locator("#closing", { hasText: "no" }).waitFor();

    // Back is Telegram's own button.
    await cho.page.locator("#back").click();
    await cho.see("screen-home");
    await cho.press("nav-me");
    await cho.see("history-item", { won: true });
    await cho.picture("telegram-me");
    for (const person of [cho, dan]) assert.deepEqual(person.complaints, [], person.name);
});

test("the simulated Telegram refuses to stand beside a real bot", limit, () => {
    const { status, stderr } = telegramBesideRealBot();
    assert.equal(status, 1);
    assert.match(stderr, /TELOXIDE_TOKEN/);
    assert.doesNotMatch(stderr, /123456789/);
});

/** The seat that somebody has in the match they look at. */
async function seat(person) {
    return (await person.see("screen-match")).getAttribute("data-seat");
}

/** Checks what both see after a match that the first has won. */
async function wonAndLost(winner, loser) {
    for (const [person, result] of [
        [winner, "won"],
        [loser, "lost"],
    ]) {
        await person.see("result", { result });
        const change = await person.see("rating-change");
        const [from, to] = await Promise.all(
            ["data-before", "data-after"].map(async (name) =>
                Number(await change.getAttribute(name)),
            ),
        );
        assert.equal(from, 1500);
        assert.ok(result === "won" ? to > from : to < from, `${person.name}: ${from} to ${to}`);
    }
    const [mine, theirs] = (await winner.read("result-score")).split(":").map(Number);
    assert.ok(mine >= 11 && mine - theirs >= 2, `${mine} : ${theirs}`);
}
