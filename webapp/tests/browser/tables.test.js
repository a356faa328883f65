// 9-ball, pyramid and Kolkhoz, played by hands to their ends: fouls, penalties, who leaves, and what
// is told of it in lists and replays. Pictures, upright and sideways, are in target/screenshots.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import words from "../../static/i18n/billiards.en.js";
import { atTable, ballOnScreen, carry, listen, strike, turn } from "./cues.js";
import { DESKTOP, PHONE, Person, openBrowser, until } from "./people.js";
import { startServer } from "./programs.js";

const limit = { timeout: 240_000 };
const SIDEWAYS = { ...PHONE, viewport: { width: 844, height: 390 } };

let browser, server, kim, lee, max, nan;

before(async () => {
    browser = await openBrowser();
    server = await startServer("http://127.0.0.1");
    kim = await Person.arrive(browser, "kim", PHONE);
    lee = await Person.arrive(browser, "lee", SIDEWAYS);
    max = await Person.arrive(browser, "max", { ...PHONE, viewport: { width: 320, height: 568 } });
    nan = await Person.arrive(browser, "nan", DESKTOP);
    for (const person of [kim, lee, max, nan]) {
        listen(person);
        await person.register(server.url);
    }
}, limit);

after(async () => {
    await browser?.close();
    await server?.stop();
}, limit);

test("9-ball: three fouls running lose the rack, after a warning", limit, async () => {
    await play("nine_ball", { racks: 1 }, kim, lee);
    const [mine, theirs] = await atTable([kim, lee]);
    await pictures("nine-ball-break", mine, theirs);
    assert.match(await label(theirs), /^9-ball\. .+ breaks\. Balls on the table: 1, 2, 3/);

    // The break may pot, foul or be too weak; softly struck after that it is a foul for both.
    await strike(42, mine, theirs);
    let warned = 0;
    for (let strokes = 0; strokes < 12; strokes += 1) {
        if (await kim.find("result").count()) break;
        const [shooter, other] = await atTable([kim, lee]);
        if (shooter.table.turn.phase === "choose") {
            await choose(shooter, other);
            continue;
        }
        assert.equal(shooter.table.turn.calls, false);
        if (shooter.table.turn.hand && !strokes) await place(shooter);
        const over = Promise.race([kim, lee].map((it) => it.find("result").waitFor({ timeout: 60_000 })));
        await Promise.race([strike(3, shooter, other).catch(() => {}), over]);
        if (await kim.find("result").count()) break;
        const { verdict } = shooter.table;
        assert.equal(verdict.ruling, "foul");
        const why = verdict.fouls.map((fault) => words[`billiards_fault_${fault}`]).join(", ");
        assert.ok((await shooter.read("ruling")).startsWith(`Your foul: ${why}.`), why);
        assert.match(await other.read("ruling"), /^Foul by (kim|lee)/);
        // Those who listen hear it too, and what there is to do now.
        const said = await other.find("announcer").textContent();
        assert.match(said, /^Foul by (kim|lee): .+ Your shot: the \d first\. Ball in hand, anywhere$/);
        if (/Two fouls in a row/.test(await shooter.read("ruling"))) {
            warned += 1;
            await pictures("nine-ball-warned", shooter, other);
            assert.match(await label(shooter), /2 fouls/);
        }
    }
    assert.ok(warned >= 1, "somebody was warned before they lost");
    for (const person of [kim, lee]) await person.see("result");
    assert.deepEqual(kim.table.verdict.fouls.at(-1), "three_fouls");
    await pictures("nine-ball-over", kim, lee);
    await toRoom(kim, lee);
});

test("pyramid: any ball strikes, and a foul costs one", limit, async () => {
    await play("pyramid", { racks: 1 }, kim, lee);
    const [mine, theirs] = await atTable([kim, lee]);
    await pictures("pyramid-break", mine, theirs);
    await strike(44, mine, theirs);
    const [shooter, other] = await shooting("pyramid");

    assert.equal(await shooter.find("spin").count(), 0, "first the ball is chosen");
    await pictures("pyramid-choose", shooter, other);
    const ball = shooter.table.balls.find(([n]) => n > 0 && isInReach(shooter, n))[0];
    await tap(shooter, await ballOnScreen(shooter, ball));
    await shooter.see("spin");
    await until(() => other.table.gesture?.ball === ball || shooter.table.gesture === null);
    await pictures("pyramid-striker", shooter, other);

    const had = await shelf(other, seatOf(other));
    await strike(3, shooter, other);
    assert.deepEqual([shooter.table.verdict.ruling, other.table.turn.phase], ["penalty", "take"]);
    await pictures("pyramid-take", other, shooter);
    await tap(other, await ballOnScreen(other, other.table.turn.takes.at(-1)));
    await other.app.locator("[data-test=take]:not([disabled])").waitFor();
    const took = turn(shooter, other);
    await other.press("take");
    await took();
    // The ball is put on their shelf.
    await until(async () => (await shelf(other, seatOf(other))) > had);
    assert.match(await shooter.read("ruling"), new RegExp(`${other.name} took ball \\d+ off the table`));
    assert.match(await label(shooter), new RegExp(`${other.name}: \\d balls?`));
    await pictures("pyramid-taken", other, shooter);

    await giveUp(shooter);
    await other.see("result", { result: "won" });
    await shooter.see("result", { result: "lost" });
    await toRoom(kim, lee);
});

test("Kolkhoz: three play, one leaves, the others go on", limit, async () => {
    await play("kolkhoz", { racks: 1 }, kim, lee, max);
    const [first, second, third] = await inOrder();
    await pictures("kolkhoz-break", first, second, third);
    await strike(42, first, second, third);
    await pictures("kolkhoz-after", first, second, third);

    await nan.page.goto(server.url);
    const live = await nan.see("live-match");
    assert.match(await live.innerText(), /kim, lee, max|max, kim, lee|lee, max, kim|kim, max, lee|lee, kim, max|max, lee, kim/);
    assert.match(await live.getAttribute("aria-label"), /Watch .+, .+ and .+/);
    await nan.page.setViewportSize(PHONE.viewport);
    await live.scrollIntoViewIfNeeded();
    await nan.picture("home-live-crowd");
    await nan.press("live-match");
    await nan.see("screen-match", { status: "active", seat: "" });
    await nan.see("billiards");
    await nan.picture("kolkhoz-watched");

    const [shooter, ...others] = await atTable([kim, lee, max]);
    if (shooter.table.turn.strikers.length > 1) await tapSome(shooter);
    // They think, as people do: a replay need not.
    await until(async () => (await shooter.number("shot-clock")) <= 22);
    // What the break has brought is there already.
    const had = await shelf(shooter, seatOf(shooter));
    await strike(3, shooter, ...others);
    assert.equal(shooter.table.verdict.ruling, "foul");
    assert.equal(shooter.table.verdict.points[seatOf(shooter)], -1);
    await until(async () => (await shelf(shooter, seatOf(shooter))) === had - 1);
    for (const person of [shooter, ...others]) assert.ok((await person.read("ruling")).length > 8);
    assert.ok((await label(shooter)).includes(`: ${String(had - 1).replace("-", "−")}`));
    await pictures("kolkhoz-foul", shooter, ...others);

    // The others play on without who leaves.
    const [leaving, stays, last] = await atTable([kim, lee, max]);
    await leaving.press("leave");
    await leaving.press("dialog-confirm");
    await stays.app.locator(`[data-test=shelf-${seatOf(leaving)}]`).filter({ hasText: "out" }).waitFor();
    await until(async () => (await stays.find("billiards", { mine: true }).count()) + (await last.find("billiards", { mine: true }).count()) === 1);
    await pictures("kolkhoz-left", stays, last);
    await giveUp(stays);
    for (const person of [stays, last]) await person.see("result");
    await pictures("kolkhoz-over", last, stays);
    const standing = await last.find("result-score").locator("li").allInnerTexts();
    assert.equal(standing.length, 3);
    assert.match(standing[0], new RegExp(last.name), "who stayed has won");
});

test("all who played are in the history, with a place, and the replay skips what was waited for", limit, async () => {
    for (const person of [kim, max]) {
        await person.page.goto(`${server.url}/me`);
        const item = await person.see("history-item");
        assert.equal(await item.locator("[data-test=history-opponent]").count(), 2);
        const words = (await item.locator("[data-test=history-outcome]").innerText()).trim();
        assert.match(words, /^(Lost|Won|No result)$/, "they didn't all stay");
        await assertFits(person);
        await item.scrollIntoViewIfNeeded();
        await person.picture(`me-crowd-${person.name}`);
    }
    await kim.page.locator("[data-test=history-replay]").first().click();
    await kim.see("screen-replay", { status: "there" });
    const button = await kim.see("replay-pauses");
    assert.equal(await button.getAttribute("aria-pressed"), "true");
    const short = await kim.read("replay-length");
    await kim.page.keyboard.press("End");
    await button.click();
    await until(async () => (await kim.read("replay-length")) !== short);
    const whole = await kim.read("replay-length");
    assert.ok(seconds(whole) > seconds(short) + 3, `${whole}, and without pauses ${short}`);
    await button.click();
    await kim.page.keyboard.press("Home");
    await kim.press("replay-speed-4");
    await kim.press("replay-toggle");
    await kim.find("replay-skipped").waitFor({ timeout: 60_000 });
    await kim.picture("replay-skipped");
    await kim.page.setViewportSize({ width: 320, height: 568 });
    await kim.picture("replay-narrow");
    await assertFits(kim);
    for (const person of [kim, lee, max, nan]) assert.deepEqual(person.complaints, [], person.name);
});

/** The first opens a room for a game, the others come by its link; all are ready, and it begins. */
async function play(game, options, host, ...guests) {
    await host.page.goto(`${server.url}/rooms`);
    await host.press("open-room");
    await host.press(`choose-${game}`);
    for (const [name, value] of Object.entries(options)) await host.write(`option-${name}`, String(value));
    await host.press("open-submit");
    await host.see("screen-room", { host: true });
    const link = host.page.url();
    for (const guest of guests) {
        await guest.page.goto(link);
        await guest.press("room-join");
        await guest.press("room-ready");
    }
    await host.app.locator("[data-test=room-start]:not([disabled])").waitFor();
    await host.press("room-start");
    for (const person of [host, ...guests]) {
        await person.see("screen-match", { status: "active" });
        await person.see("billiards", { phase: "break" });
    }
}

/** Back to the room, and out of it. */
async function toRoom(...people) {
    for (const person of people) {
        await person.press("room");
        await person.press("leave-room");
        await person.see("screen-rooms");
    }
}

/** Whoever is to act does what there is to do until somebody has an ordinary shot. */
async function shooting() {
    for (let acts = 0; acts < 10; acts += 1) {
        const [mine, theirs] = await atTable([kim, lee]);
        const { phase } = mine.table.turn;
        if (phase === "shoot") return [mine, theirs];
        if (phase === "choose") await choose(mine, theirs);
        else if (phase === "take") {
            await tap(mine, await ballOnScreen(mine, mine.table.turn.takes[0]));
            const next = turn(mine, theirs);
            await mine.press("take");
            await next();
        } else await strike(44, mine, theirs);
    }
    return assert.fail("nobody came to shoot");
}

async function choose(mine, ...others) {
    await pictures("billiards-choice", mine);
    const next = turn(mine, ...others);
    await mine.app.locator("[data-do=choose]").first().click();
    await next();
}

/** Puts the ball in hand where it is free: behind the line, at the left. */
async function place(person) {
    const { table, ball, spots } = person.table.view;
    await carry(person, [table.width * 0.22, Math.min(spots.head_string, table.length / 4) - 2 * ball.radius]);
    await until(() => person.table.placed !== null);
}

/** The three in the order in which they play. */
async function inOrder() {
    const [first, ...others] = await atTable([kim, lee, max]);
    return [first, ...others];
}

async function tapSome(person) {
    const ball = person.table.balls.find(([n]) => isInReach(person, n))[0];
    await tap(person, await ballOnScreen(person, ball));
    await person.see("spin");
}

/** Whether a finger on a ball can mean no other one. */
function isInReach(person, ball) {
    const { balls } = person.table;
    const [, x, y] = balls.find(([n]) => n === ball);
    return balls.every(([n, bx, by]) => n === ball || Math.hypot(bx - x, by - y) > 0.2);
}

async function tap(person, at) {
    if (await person.page.evaluate(() => navigator.maxTouchPoints > 0)) await person.page.touchscreen.tap(...at);
    else await person.page.mouse.click(...at);
}

function seatOf(person) {
    return person.heard.seat;
}

async function shelf(person, seat) {
    return Number(await person.find(`shelf-${seat}`).getAttribute("data-n"));
}

function label(person) {
    return person.find("court").getAttribute("aria-label");
}

async function giveUp(person) {
    await person.press("leave");
    await person.press("dialog-confirm");
    await person.see("result");
}

async function pictures(title, ...people) {
    for (const person of people) await person.picture(`${title}-${person.name}`);
}

async function assertFits(person) {
    const [wide, view] = await person.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide <= view, `${wide} px on a screen of ${view}`);
}

/** @param {string} time minutes and seconds */
function seconds(time) {
    const [minutes, rest] = time.split(":").map(Number);
    return minutes * 60 + rest;
}
