// Two people at a pool table: one breaks, places, calls and fouls, the other has the ball in hand
// and gives up. Pictures of all they see are in target/screenshots.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { atTable, carry, keys, listen, REST_MS_MAX, strike, turn } from "./cues.js";
import { DESKTOP, PHONE, Person, openBrowser, until } from "./people.js";
import { startServer } from "./programs.js";

const limit = { timeout: 240_000 };

let browser, server, ivy, jon;

before(async () => {
    browser = await openBrowser();
    server = await startServer("http://127.0.0.1");
    ivy = await Person.arrive(browser, "ivy", PHONE);
    jon = await Person.arrive(browser, "jon", DESKTOP);
    for (const person of [ivy, jon]) {
        listen(person);
        await person.register(server.url);
    }
}, limit);

after(async () => {
    await browser?.close();
    await server?.stop();
}, limit);

test("two people meet at a table", limit, async () => {
    await ivy.picture("billiards-home");
    await ivy.press("join-eight_ball");
    await ivy.see("screen-queue");
    await jon.press("join-eight_ball");
    for (const person of [ivy, jon]) await person.see("screen-match", { status: "pending" });
    await ivy.press("ready");
    await jon.press("ready");
    for (const person of [ivy, jon]) {
        await person.see("screen-match", { status: "active" });
        await person.see("billiards", { phase: "break" });
    }
    const [mine, theirs] = await sides();
    assert.equal(await theirs.find("spin").count(), 0, "who waits has no cue");
    await mine.picture("billiards-break");
});

test("who breaks has the ball in hand, and not everywhere", limit, async () => {
    const [mine, theirs] = await sides();
    const { spots, ball, table } = mine.table.view;
    const y = spots.head_string - 3 * ball.radius;

    await carry(mine, [table.width / 4, y + 10 * ball.radius], async () => {
        await mine.app.locator("[data-test=billiards-line] .wrong").waitFor();
        await mine.picture("billiards-refused");
    });
    assert.equal(mine.table.placed, null, "what may not be is not sent");

    await carry(mine, [table.width / 4, y]);
    await until(() => mine.table.placed && theirs.table.placed);
    const [, x] = theirs.table.placed;
    assert.ok(Math.abs(x - table.width / 4) < 0.02, `it was put to ${x}`);
});

test("a break is seen by both, and shown live before it", limit, async () => {
    const [mine, theirs] = await sides();
    const bar = await (await mine.see("power")).boundingBox();
    const at = [bar.x + bar.width / 2, bar.y + bar.height * 0.1];
    await mine.page.mouse.move(...at);
    await mine.page.mouse.down();
    await mine.page.mouse.move(at[0], at[1] + bar.height * 0.7, { steps: 12 });
    await until(() => theirs.table.gesture?.speed > 1);
    await mine.picture("billiards-drawn");
    const rested = turn(mine, theirs);
    await mine.page.mouse.up();

    for (const person of [mine, theirs]) await person.see("billiards", { phase: "moving" });
    await theirs.picture("billiards-rolling");
    await until(() => mine.table.shot);
    assert.ok(mine.table.shot.strike.speed > 3, "it was struck as hard as it was drawn");
    await rested();
    assert.deepEqual(mine.table.verdict, theirs.table.verdict);
});

test("a shot is called, and a foul is explained", limit, async () => {
    // Whatever the break brought: choices are taken until somebody shoots.
    const shooter = await shooting();
    const other = shooter === ivy ? jon : ivy;
    const pocket = await shooter.see("call-pocket");
    for (const value of ["1", "4"]) {
        await pocket.selectOption(value);
        await shooter.see("call", { pocket: value });
    }
    await shooter.press("safety");
    await shooter.app.locator("[data-test=safety][aria-pressed=true]").waitFor();
    await shooter.press("safety");
    await shooter.picture("billiards-called");

    // So softly that the ball reaches nothing.
    await strike(3, shooter, other);
    assert.deepEqual([shooter.table.shot.strike.call.pocket, shooter.table.verdict.ruling], [4, "foul"]);
    for (const person of [shooter, other]) await person.find("ruling").filter({ hasText: /.{9}/ }).first().waitFor();
    await shooter.picture("billiards-foul");
    await other.see("billiards", { mine: true });
    assert.equal(other.table.turn.hand, "anywhere");
    await other.picture("billiards-in-hand");
});

test("one gives up, and it can be watched again", limit, async () => {
    const [mine, theirs] = await sides();
    await mine.press("leave");
    await mine.press("dialog-confirm");
    await mine.see("result", { result: "lost" });
    await theirs.see("result", { result: "won" });
    await theirs.picture("billiards-won");
    await theirs.press("watch-replay");
    await theirs.see("screen-replay", { status: "there" });
    await theirs.see("billiards");
    await theirs.picture("billiards-replay");
    for (const person of [ivy, jon]) assert.deepEqual(person.complaints, [], person.name);
});

test("alone, one sets balls up, strikes, undoes, and shares the position", limit, async () => {
    await jon.page.goto(`${server.url}/practice/nine_ball`);
    await jon.see("screen-practice", { status: "there", busy: false });
    await jon.press("practice-setup");
    await jon.press("ball-4");
    await jon.app.locator("[data-test=ball-4][aria-pressed=false]").waitFor();
    await jon.press("practice-setup");
    await keys(jon, "ArrowDown", 25);
    await jon.page.keyboard.press("Enter");
    await jon.see("screen-practice", { busy: true });
    await jon.picture("practice-rolling");
    await jon.find("screen-practice", { busy: false }).waitFor({ timeout: REST_MS_MAX });
    await jon.press("practice-undo");
    await jon.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await jon.press("practice-share");
    await jon.see("toast");
    const link = await jon.page.evaluate(() => navigator.clipboard.readText());
    await ivy.page.goto(link);
    await ivy.see("screen-practice", { status: "there" });
    await ivy.press("practice-setup");
    await ivy.app.locator("[data-test=ball-4][aria-pressed=false]").waitFor();
    await ivy.picture("practice");
    for (const person of [ivy, jon]) assert.deepEqual(person.complaints, [], person.name);
});

test("who raises the cue sees its way bend, and strikes so", limit, async () => {
    await ivy.page.goto(`${server.url}/practice/eight_ball`);
    await ivy.see("screen-practice", { status: "there", busy: false });
    await ivy.press("spin");
    await ivy.find("elevation").fill("50");
    const face = await ivy.app.locator("[data-test=spin-pad] .face").boundingBox();
    await ivy.page.mouse.click(face.x + face.width * 0.35, face.y + face.height * 0.45);
    await ivy.app.locator('[data-test=spin][aria-label*="50°"]').waitFor();
    await ivy.picture("practice-raised-pad");
    await ivy.page.keyboard.press("Escape");
    await ivy.find("spin-pad").waitFor({ state: "hidden" });
    await ivy.picture("practice-raised");
    const asked = ivy.page.waitForRequest(/api\/billiards\/shots/);
    await keys(ivy, "ArrowDown", 30);
    await ivy.page.keyboard.press("Enter");
    const { strike: sent } = (await asked).postDataJSON();
    assert.ok(Math.abs(sent.elevation - (50 * Math.PI) / 180) < 1e-6 && sent.side > 0.1, JSON.stringify(sent));
    await ivy.see("screen-practice", { busy: true });
    await ivy.find("screen-practice", { busy: false }).waitFor({ timeout: REST_MS_MAX });
    assert.deepEqual(ivy.complaints, []);
});

function sides() {
    return atTable([ivy, jon]);
}

/** Whoever is to act chooses and strikes until somebody has a shot that is called. */
async function shooting() {
    for (let acts = 0; acts < 8; acts += 1) {
        const [mine, theirs] = await sides();
        const { phase, calls } = mine.table.turn;
        if (phase === "shoot" && calls) return mine;
        if (phase === "choose") {
            const next = turn(mine, theirs);
            await mine.app.locator("[data-do=choose]").first().click();
            await next();
        } else {
            await strike(40, mine, theirs);
        }
    }
    return assert.fail("nobody came to shoot");
}
