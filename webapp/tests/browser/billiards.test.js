// Two people at a pool table: one breaks, places, calls and fouls, the other has the ball in hand
// and gives up. Pictures of all they see are in target/screenshots.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { placed } from "../../static/games/billiards/table.js";
import { DESKTOP, PHONE, Person, openBrowser, until } from "./people.js";
import { startServer } from "./programs.js";

const limit = { timeout: 240_000 };
/** Until balls lie still and a referee has spoken. */
const REST_MS_MAX = 60_000;
/** Around the table on its canvas, in pixels: as the page has it. */
const MARGIN = 4;

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

    await strikeSoftly(shooter, other);
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

/** Keeps what a person's page hears of the table. */
function listen(person) {
    const table = {
        view: null, balls: [], turn: null, turns: 0, shot: null, verdict: null, placed: null, gesture: null,
    };
    person.table = table;
    person.page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => {
        const message = JSON.parse(String(payload));
        if (message.type === "game_state" && message.game) {
            table.view = message.game;
            [table.balls, table.turn] = [message.game.balls, message.game.turn];
        }
        if (message.type === "gesture") table.gesture = message.gesture;
        if (message.type !== "game_update") return;
        for (const name of ["shot", "verdict", "placed", "turn"]) {
            if (message[name]) table[name] = message[name];
        }
        if (message.turn) table.turns += 1;
        if (message.balls) table.balls = message.balls.at;
    }));
}

/** Who is to act, and the other. */
async function sides() {
    for (const person of [ivy, jon]) await person.find("billiards").waitFor();
    const isIvys = () => ivy.find("billiards", { mine: true }).count();
    const isJons = () => jon.find("billiards", { mine: true }).count();
    await until(async () => (await isIvys()) + (await isJons()) === 1);
    return (await isIvys()) ? [ivy, jon] : [jon, ivy];
}

/** Whoever is to act chooses and strikes until somebody has a shot that is called. */
async function shooting() {
    for (let acts = 0; acts < 8; acts += 1) {
        const [mine, theirs] = await sides();
        const { phase, calls } = mine.table.turn;
        if (phase === "shoot" && calls) return mine;
        const next = turn(mine, theirs);
        if (phase === "choose") {
            await mine.app.locator("[data-do=choose]").first().click();
        } else {
            await keys(mine, "ArrowDown", 40);
            await mine.page.keyboard.press("Enter");
        }
        await next();
    }
    return assert.fail("nobody came to shoot");
}

/** So softly that the ball reaches nothing. */
async function strikeSoftly(mine, theirs) {
    const rested = turn(mine, theirs);
    await keys(mine, "ArrowDown", 3);
    await mine.page.keyboard.press("Enter");
    await rested();
}

/** From now on: waits until both have heard of another turn. */
function turn(mine, theirs) {
    const turns = [mine.table.turns, theirs.table.turns];
    return () => until(() => mine.table.turns > turns[0] && theirs.table.turns > turns[1], REST_MS_MAX);
}

async function keys(person, key, times) {
    for (let i = 0; i < times; i += 1) await person.page.keyboard.press(key);
}

/** Carries the cue ball from where it lies to a point of the table, and does something before it is dropped. */
async function carry(person, to, held = async () => {}) {
    const { view, balls } = person.table;
    const canvas = await person.find("court").boundingBox();
    const area = {
        left: MARGIN, top: MARGIN, width: canvas.width - 2 * MARGIN, height: canvas.height - 2 * MARGIN,
    };
    const place = placed(view.table, area);
    const [, ...from] = balls.find(([ball]) => ball === 0);
    const [start, end] = [from, to].map((point) => {
        const [x, y] = place.at(...point);
        return [canvas.x + x, canvas.y + y];
    });
    await person.page.mouse.move(...start);
    await person.page.mouse.down();
    await person.page.mouse.move(...end, { steps: 10 });
    await held();
    await person.page.mouse.up();
}
