// Somebody plays the computer, through flight mode and a locked phone; others watch it, live and
// again. Pictures of all they see are in target/screenshots.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { DESKTOP, PHONE, Person, openBrowser, taps, until } from "./people.js";
import { startLine, startServer } from "./programs.js";

const limit = { timeout: 180_000 };
/** Coming back takes no longer than this, and a machine that does much else some more. */
const BACK_MS_MAX = 10_000;

let browser, line, server, eve, fay, address, nudge;

before(async () => {
    browser = await openBrowser();
    line = await startLine();
    server = await startServer(line.url);
    line.leadTo(server.url);
    eve = await Person.arrive(browser, "eve", PHONE);
    fay = await Person.arrive(browser, "fay", DESKTOP);
    await eve.register(line.url);
    await fay.register(server.url);
}, limit);

after(async () => {
    await browser?.close();
    await server?.stop();
    line?.stop();
}, limit);

test("alone, one plays the computer in two taps", limit, async () => {
    await fay.see("live-empty");
    // So many that the match is not over before she gives up.
    await eve.page.route("**/api/matches", (route) => {
        const data = { ...route.request().postDataJSON(), options: { points: 21 } };
        return route.continue({ postData: JSON.stringify(data) });
    });
    await eve.press("computer-pong");
    await eve.see("dialog");
    await eve.picture("computer-levels");
    await eve.press("level-easy");
    await eve.see("screen-match", { status: "active", seat: 0 });
    address = new URL(eve.page.url()).pathname;
    await eve.see("tip");
    assert.equal(await eve.read("name-1"), "Computer");
    assert.equal(await eve.read("rating-1"), "Easy");
    await eve.picture("computer-match");
});

test("others find the match on their home page, and watch it", limit, async () => {
    await fay.see("live-match");
    await fay.picture("home-live-desktop");
    // It has no replay yet.
    await fay.page.goto(server.url + address.replace("match", "replay"));
    await fay.see("screen-replay", { code: "not_over" });
    await fay.picture("replay-not-over-desktop");
    await fay.press("watch-live");
    await fay.see("screen-match", { status: "active", seat: "" });
    assert.equal(await fay.find("leave").count(), 1);
    await fay.picture("watching-desktop");
});

test("who has the link watches without an account, and may then sign in", limit, async () => {
    await stir();
    const gus = await Person.arrive(browser, "gus", PHONE);
    let renewals = 0;
    gus.page.on("request", (request) => {
        if (request.url().includes("/api/auth/refresh")) renewals += 1;
    });
    await gus.page.goto(server.url + address);
    await gus.see("screen-match", { status: "active", seat: "", connection: "online" });
    assert.equal(renewals, 1, "who is a stranger is not asked again and again");
    await gus.picture("watching-stranger");
    await gus.press("enter");
    await gus.see("screen-sign");
    await gus.press("tab-sign-up");
    await gus.write("username", "gus");
    await gus.write("password", "the password of gus");
    await gus.press("submit");
    await gus.see("screen-match", { status: "active", seat: "", connection: "online" });
    assert.equal(await gus.find("enter").count(), 0);
    assert.deepEqual(gus.complaints.filter(isOurs), []);
    await gus.page.context().close();
});

test("flight mode, on and off", limit, async () => {
    await stir();
    const context = eve.page.context();
    await context.setOffline(true);
    await eve.see("connection-banner");
    await eve.picture("flight-mode");
    const { ball } = eve.heard;
    await context.setOffline(false);
    await back();
    await until(() => eve.heard.ball !== ball);
});

test("a locked phone whose connection is lost meanwhile", limit, async () => {
    await stir();
    const session = await eve.page.context().newCDPSession(eve.page);
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    line.cut();
    await fay.see("pause-banner");
    line.mend();
    await session.send("Page.setWebLifecycleState", { state: "active" });
    await back();
});

test("a network that takes everything and says nothing", limit, async () => {
    await stir();
    line.silence();
    await eve.page.evaluate(() => dispatchEvent(new Event("online")));
    await eve.see("connection-banner");
    line.mend();
    await back();
});

test("giving up against the computer costs no rating", limit, async () => {
    await eve.press("leave");
    await eve.press("dialog-confirm");
    await eve.see("result", { result: "lost" });
    await eve.see("unrated");
    assert.equal(await eve.find("rating-change").count(), 0);
    await eve.picture("computer-lost");
    await fay.see("result", { result: "none" });
});

test("the match is watched again: played, stopped, wound, shared", limit, async () => {
    await fay.press("watch-replay");
    const replay = (state) => fay.see("screen-replay", state);
    await replay({ status: "there", playing: true });
    const wound = () => fay.find("replay-bar").evaluate((bar) => bar.valueAsNumber);

    const { keyboard } = fay.page;
    await keyboard.press("Space");
    await replay({ playing: false });
    const stood = await wound();
    await keyboard.press("ArrowRight");
    assert.equal(await wound(), stood + 5_000);
    await fay.picture("replay-desktop");
    await keyboard.press("Home");
    assert.equal(await wound(), 0);

    await fay.press("replay-speed-4");
    await fay.press("replay-toggle");
    await replay({ playing: true });
    const speed = await fay.find("replay-bar").evaluate(speedOf);
    assert.ok(speed > 3 && speed < 5, `four times as fast, not ${speed} times`);
    await keyboard.press("End");
    await replay({ ended: true });
    assert.match(await fay.read("replay-end"), /Computer/);
    await fay.press("replay-toggle");
    await replay({ playing: true, ended: false });

    await fay.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await fay.press("replay-share");
    await fay.see("toast");
    const link = await fay.page.evaluate(() => navigator.clipboard.readText());
    assert.equal(link, server.url + address.replace("match", "replay"));
});

test("who has the link needs no account", limit, async () => {
    const stranger = await Person.arrive(browser, "stranger", PHONE);
    await stranger.page.goto(server.url + address.replace("match", "replay"));
    await stranger.see("screen-replay", { status: "there" });
    await until(async () => (await stranger.find("replay-bar").evaluate((bar) => bar.valueAsNumber)) > 1_000);
    await stranger.picture("replay");
    await stranger.page.goto(`${server.url}/replay/00000000000`);
    await stranger.see("error");
    await stranger.picture("replay-missing");
    assert.deepEqual(stranger.complaints.filter(isOurs), []);
});

test("it is in the history, with its replay", limit, async () => {
    await eve.page.goto(`${line.url}/me`);
    await eve.see("history-item", { won: false });
    await eve.picture("me-computer");
    assert.equal(await eve.find("history-opponent").getAttribute("href"), null);
    await eve.press("history-replay");
    await eve.see("screen-replay", { status: "there" });
    await eve.press("leave");
    await eve.see("screen-me");
    for (const person of [eve, fay]) {
        assert.deepEqual(person.complaints.filter(isOurs), [], person.name);
    }
});

/** She moves now and then, so as not to be taken for asleep. */
async function stir() {
    nudge ??= taps(eve);
    await nudge();
}

/** How many ms a replay goes in one, from frame to frame: in the page. */
async function speedOf(bar) {
    const frame = () => new Promise((drawn) => requestAnimationFrame(() => drawn([performance.now(), bar.valueAsNumber])));
    const [began, from] = await frame();
    for (;;) {
        const [now, at] = await frame();
        if (at - from > 4_000) return (at - from) / (now - began);
    }
}

/** Waits until eve plays on, and all who watch see that. */
async function back() {
    const since = Date.now();
    await eve.see("screen-match", { connection: "online" });
    assert.ok(Date.now() - since < BACK_MS_MAX, `it took ${Date.now() - since} ms`);
    await eve.lose("connection-banner");
    await fay.lose("pause-banner");
}

/** What a browser says of a line that we cut is no complaint. */
function isOurs(complaint) {
    return !/WebSocket|ERR_/.test(complaint);
}
