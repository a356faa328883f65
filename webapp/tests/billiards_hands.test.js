// What is foreseen, planned and shown at a billiard table, without a table.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import {
    afterBall, firstContact, headingTo, meant, noseReach, pocketAhead, pointing, refusedPlace, rollAt,
    turned,
} from "../static/games/billiards/aim.js";
import { rollOf, squirt, struckBy, wayOf } from "../static/games/billiards/blow.js";
import { SHOW_EVERY_MS, Showing } from "../static/games/billiards/live.js";
import { Pace } from "../static/games/billiards/pace.js";
import * as plans from "../static/games/billiards/plan.js";
import { ballsOf, freeSpot, numbered, racked, read, spotsOf, written } from "../static/games/billiards/position.js";

const shots = JSON.parse(
    await readFile(new URL("../static/games/billiards/shots.json", import.meta.url), "utf8"),
);
const blows = JSON.parse(await readFile(new URL("vectors/billiards_blows.json", import.meta.url), "utf8"));
const table = shots.tables.pool_9ft;
const { ball: spec } = shots.items.find(({ id }) => id === "draw").path;
const R = spec.radius;
const spots = { head: [table.width / 2, table.head_string], foot: table.foot_spot };

function near(found, expected, within = 1e-9) {
    assert.ok(Math.abs(found - expected) <= within, `${found}, and not ${expected}`);
}

/** My turn, with these balls. */
function task(balls, turn = {}) {
    const numbers = balls.map(([n]) => n);
    return {
        table,
        ball: spec,
        spots: { ...spots, head_string: table.head_string, centre: table.length / 2 },
        limits: { speed: 10, tip: 0.5, elevation: 1.4 },
        balls,
        turn: {
            seat: 0, phase: "shoot", until: null, bank: [0, 0], hand: null, strikers: [0],
            on: numbers.filter((n) => n > 0), calls: true, safety: true, push_out: false, choices: [],
            takes: [], ...turn,
        },
    };
}

test("a ball is met at two radii, and goes along the line of centres", () => {
    // Half a ball: the line of centres stands 30° to the way.
    const contact = firstContact(table, R, [[3, 0.6 + R, 1.5]], [0.6, 1], [0, 1]);
    assert.deepEqual([contact.kind, contact.index], ["ball", 3]);
    near(Math.hypot(contact.at[0] - 0.6 - R, contact.at[1] - 1.5), 2 * R);
    near(contact.at[1], 1.5 - Math.sqrt(3) * R);
    const stun = afterBall(contact, [0, 1], [0, 0], 1);
    near(stun.object.direction[0], 0.5);
    near(stun.object.share, Math.sqrt(3) / 2);
    // It slides: the other leaves square to it, before its spin says otherwise.
    const { object, cue } = stun;
    near(object.direction[0] * cue.direction[0] + object.direction[1] * cue.direction[1], 0);
});

test("straight on, a rolling ball follows, a sliding one stands, a drawn one comes back", () => {
    const contact = firstContact(table, R, [[3, 0.6, 1.5]], [0.6, 1], [0, 1]);
    const after = (roll) => afterBall(contact, [0, 1], [0, roll], 1).cue;
    near(after(0).share, 0);
    near(after(1).direction[1], 1);
    near(after(1).share, 2 / 7);
    near(after(-1).direction[1], -1);
});

test("a ball begins to roll after its way, and backspin wears off", () => {
    assert.equal(rollAt(3, 1, 0.1, spec), 1);
    near(rollAt(3, 0, 0, spec), 0);
    near(rollAt(3, -1, 0, spec), -1);
    const way = [0.2, 0.6, 1.2, 3].map((it) => rollAt(3, -1, it, spec));
    assert.ok(way.every((it, i) => i === 0 || it >= way[i - 1]), String(way));
    assert.equal(way.at(-1), 1);
    // Sliding without spin, it rolls after (12/49) v²/(slide g).
    const rolls = (12 / 49) * (9 / (spec.slide * spec.gravity));
    assert.ok(rollAt(3, 0, rolls * 0.99, spec) < 1);
    assert.equal(rollAt(3, 0, rolls * 1.01, spec), 1);
});

test("cushions are met at their noses, pockets at their rims", () => {
    const straight = firstContact(table, R, [], [0.4, 1], [0, 1]);
    assert.equal(straight.kind, "rail");
    const reach = noseReach(table, R);
    assert.ok(reach < R && reach > 0.95 * R);
    near(straight.at[1], table.length - reach, 1e-6);
    const corner = table.pockets[2].centre;
    const into = firstContact(table, R, [], [0.3, table.length - 0.3], pointing(headingTo([0.3, table.length - 0.3], corner)));
    assert.deepEqual([into.kind, into.index], ["pocket", 2]);
    // Beside the pocket's mouth there is a jaw.
    const kinds = new Set();
    for (let y = 0.03; y < 0.2; y += 0.01) kinds.add(firstContact(table, R, [], [0.3, y], [-1, 0]).kind);
    assert.ok(kinds.has("jaw") && kinds.has("rail"), [...kinds].join());
});

test("every first hit of simulated shots is foreseen", () => {
    let checked = 0;
    for (const { path, strike, table: name } of shots.items) {
        const met = path.hits.find(([, kind, a, b]) => kind !== "strike" && (a === strike.ball || (kind === "ball" && b === strike.ball)));
        const rows = path.motions[strike.ball];
        const start = rows.find(([, state]) => state !== 0);
        // Where side makes the cloth bend its way, or it lies until it is hit, no straight line holds.
        if (!met || !start || start[0] > 0 || strike.elevation) continue;
        const [, , x, y, vx, vy] = start;
        const speed = Math.hypot(vx, vy);
        const others = path.motions.flatMap((it, n) =>
            n === strike.ball || !it.length || it[0][1] === 4 ? [] : [[n, it[0][2], it[0][3]]]);
        const contact = firstContact(shots.tables[name], path.ball.radius, others, [x, y], [vx / speed, vy / speed]);
        const [, kind, a, b] = met;
        assert.equal(contact.kind, kind);
        assert.equal(contact.index, kind === "ball" ? (a === strike.ball ? b : a) : b);
        checked += 1;
    }
    assert.ok(checked >= 5, `only ${checked} shots were looked at`);
});

test("side turns the ball, and the stick is aimed so that it goes where it should", () => {
    assert.ok(squirt(0.4, spec.mass) < 0, "to the right, struck on the left");
    near(squirt(-0.4, spec.mass), -squirt(0.4, spec.mass));
    const my = task([[0, 0.6, 1], [1, 0.6, 2]]);
    const plan = plans.spun(my, { ...plans.begun(my), drawn: 0.5 }, 0.4, 0);
    near(plan.heading, Math.PI / 2);
    near(plans.strike(my, plan).heading + squirt(0.4, spec.mass), Math.PI / 2, 1e-9);
});

test("a blow is the server's, raised or level, and so is the way that it bends", () => {
    for (const { blow, rows: [first, second], hit } of blows.cases) {
        const [[, , x, y, ...motion]] = [first];
        const struck = struckBy(blow, blows.ball, [x, y]);
        const { vx, vy, wx, wy, wz } = struck;
        [vx, vy, wx, wy, wz].forEach((it, i) => near(it, motion[i], 1e-5 * (1 + Math.abs(it))));
        const legs = wayOf(struck, blows.ball);
        const isBent = Boolean(blow.side) && Boolean(blow.elevation || blow.height);
        assert.equal(legs.length > 1, isBent, JSON.stringify(blow));
        const { t, at } = legs.at(-1);
        // It rolls straight on, unless something was hit before.
        if (isBent && second[1] === 3) near(Math.hypot(t - second[0], at[0] - second[2], at[1] - second[3]), 0, 1e-6);
        const [rx, ry] = rollOf(struck, blows.ball.radius);
        near(Math.hypot(rx, ry), (Math.hypot(wx, wy) * blows.ball.radius) / Math.hypot(vx, vy));
        assert.ok(hit[0] > 0);
    }
});

test("what a raised cue would hit first is foreseen, and where both balls go", () => {
    let balls = 0;
    for (const { blow, hit: [at, kind, a, b], other, rows } of blows.cases) {
        const my = { ...task(blows.balls), ball: blows.ball };
        const { side, height, elevation, speed } = blow;
        const plan = {
            ...plans.begun(my), side, height, elevation, drawn: plans.drawnFor(speed, 10),
            heading: turned(blow.heading + squirt(side, blows.ball.mass)),
        };
        const strike = plans.strike(my, plan);
        near(strike.elevation, elevation);
        near(strike.heading, blow.heading, 1e-9);
        const seen = plans.foreseen(my, plan);
        assert.equal(seen.contact.kind, kind, JSON.stringify(blow));
        assert.equal(seen.contact.index, kind === "ball" && a !== 0 ? a : b);
        if (!other) continue;
        balls += 1;
        const [, , , , vx, vy] = other;
        const [dx, dy] = seen.after.object.direction;
        // Throw is left out, and turns it by no more than a few degrees.
        assert.ok((vx * dx + vy * dy) / Math.hypot(vx, vy) > Math.cos(0.06), JSON.stringify(blow));
        const met = rows.at(-1);
        if (met[0] === at) near(Math.hypot(seen.contact.at[0] - met[2], seen.contact.at[1] - met[3]), 0, 1e-3);
    }
    assert.ok(balls >= 2);
});

test("a cue is raised as far as it may be, and what its way then meets is called", () => {
    const my = task([[0, 0.5, 0.7], [3, 0.55, 1.9], [7, 0.9, 1.5]]);
    const level = plans.aimed(my, plans.begun(my), 1.2);
    const spun = plans.spun(my, { ...level, drawn: plans.drawnFor(3.5, 10) }, -0.3, -0.3);
    const raised = plans.raised(my, { ...spun, heading: 1.2 + squirt(-0.3, spec.mass) }, 0.8);
    assert.equal(plans.raised(my, level, 9).elevation, my.limits.elevation);
    assert.ok(plans.foreseen(my, raised).bends.length > 3);
    assert.equal(raised.call.ball, 7);
    assert.equal(plans.shownTo(my, raised).elevation, 0.8);
});

test("what a ball may be hit by, off a cushion too", () => {
    const off = meant(table, R, [[5, 1.1, 1.6]], [0.4, 1], pointing(headingTo([0.4, 1], [table.width + 0.62, 1.6])));
    assert.equal(off, null);
    // Mirrored at the right cushion, whose nose is nearer for a ball's centre.
    const mirror = 2 * (table.width - noseReach(table, R)) - 0.9;
    const kick = meant(table, R, [[5, 0.9, 1.9]], [0.4, 1], pointing(headingTo([0.4, 1], [mirror, 1.9])));
    assert.deepEqual([kick.kind, kick.index], ["ball", 5]);
});

test("a ball in hand lies on the cloth, behind its line, on no other", () => {
    const others = [[1, 0.6, 0.5]];
    const at = (x, y, line = null) => refusedPlace(table, R, others, [x, y], line);
    assert.equal(at(0.3, 0.5), null);
    assert.equal(at(R, R), null);
    assert.equal(at(R - 1e-6, 0.5), "place_outside");
    assert.equal(at(0.6 + 2 * R, 0.5), null);
    assert.equal(at(0.6 + 2 * R - 1e-6, 0.5), "place_on_a_ball");
    assert.equal(at(0.3, 0.7, table.head_string), "place_beyond_the_line");
    assert.equal(at(0.3, table.head_string, table.head_string), null);
});

test("the obvious is called, and a pocket that was chosen stays with its ball", () => {
    const corner = table.pockets[5].centre;
    const ball = [1, 0.9, 2.1];
    const back = headingTo(corner, [0.9, 2.1]);
    const cue = [0, 0.9 + 0.4 * Math.cos(back), 2.1 + 0.4 * Math.sin(back)];
    const my = task([cue, ball, [2, 0.2, 1.2]]);
    let plan = plans.begun(my);
    assert.deepEqual(plan.call, { ball: 1, pocket: 5 });
    plan = plans.calling(plan, { pocket: 2 });
    plan = plans.aimed(my, plan, plan.heading + 0.01);
    assert.deepEqual(plan.call, { ball: 1, pocket: 2 });
    plan = plans.aimedAt(my, plan, [0.2, 1.2]);
    assert.equal(plan.call.ball, 2);
    assert.equal(plans.strike(my, { ...plan, drawn: 0.5 }).call.ball, 2);
    const safe = plans.strike(my, { ...plan, drawn: 0.5, safety: true });
    assert.deepEqual([safe.safety, "call" in safe], [true, false]);
});

test("a turn begins with an aim at what nothing hides", () => {
    const my = task([[0, 0.6, 1], [1, 0.6, 1.3], [9, 0.6, 1.6], [10, 0.2, 2.2]], { on: [9, 10] });
    const plan = plans.begun(my);
    near(plan.heading, headingTo([0.6, 1], [0.2, 2.2]));
    assert.equal(plans.foreseen(my, plan).isWrong, false);
});

test("what may not be hit first is not called, and is known", () => {
    const my = task([[0, 0.6, 1], [1, 0.6, 1.5], [9, 0.3, 2]], { on: [9] });
    const plan = plans.aimedAt(my, plans.begun(my), [0.6, 1.5]);
    assert.equal(plans.foreseen(my, plan).isWrong, true);
    assert.equal(plan.call.ball, 9);
});

test("a cue that is not drawn strikes nothing, and all of it is the limit", () => {
    const my = task([[0, 0.6, 1], [1, 0.6, 1.5]]);
    const plan = plans.begun(my);
    assert.equal(plans.strike(my, { ...plan, drawn: plans.DRAWN_MIN / 2 }), null);
    assert.equal(plans.strike(my, { ...plan, drawn: 1 }).speed, 10);
    near(plans.drawnFor(plans.speedOf(0.37, 10), 10), 0.37, 1e-3);
    const tip = plans.spun(my, plan, 3, -4);
    assert.ok(tip.side ** 2 + tip.height ** 2 <= 0.25);
    near(tip.side / tip.height, -0.75, 1e-2);
});

test("a ball that is carried is where the hand is", () => {
    const my = task([[0, 0.6, 0.5], [1, 0.6, 1.5]], { hand: "behind" });
    assert.deepEqual(plans.movable(my.turn), [0]);
    const plan = { ...plans.begun(my), hover: [0.3, 0.4], hand: 0, isCarried: true };
    assert.deepEqual(plans.foreseen(my, plan).from, [0.3, 0.4]);
    assert.deepEqual([plans.shownTo(my, plan).x, plans.shownTo(my, plan).y], [0.3, 0.4]);
    assert.equal(plans.refusedAt(my, 0, [0.6, 0.5]), null);
    assert.equal(plans.refusedAt(my, 0, [0.6, 0.7]), "place_beyond_the_line");
});

test("headings are told from -π to π", () => {
    near(turned(3 * Math.PI - 0.1), Math.PI - 0.1);
    near(turned(-7), 2 * Math.PI - 7);
    near(pointing(turned(9))[0], Math.cos(9));
    assert.equal(pocketAhead(table, [0.6, 1.2], [-1, 0.05]), 1);
});

test("aims are shown when they change, not too often, and the newest last", () => {
    const told = [];
    const time = { at: 0, calls: [] };
    const showing = new Showing((aim) => told.push(aim.heading), {
        now: () => time.at,
        later: (call, ms) => time.calls.push([time.at + ms, call]),
    });
    for (let i = 0; i < 100; i += 1) {
        time.at = i * 10;
        for (const [due, call] of time.calls.splice(0)) {
            if (due <= time.at) call();
            else time.calls.push([due, call]);
        }
        showing.tell({ heading: i < 60 ? i : 60 });
    }
    assert.equal(told[0], 0);
    assert.equal(told.at(-1), 60);
    assert.ok(told.length <= 600 / SHOW_EVERY_MS + 2, String(told.length));
    const before = told.length;
    showing.tell({ heading: 60 });
    assert.equal(told.length, before);
});

test("positions go through a link and come back", () => {
    for (const discipline of ["eight_ball", "nine_ball", "pyramid"]) {
        const [its, ball] = discipline === "pyramid"
            ? [shots.tables.pyramid_12ft, shots.items.find(({ id }) => id === "pyramid_break").path.ball]
            : [table, spec];
        const balls = racked(discipline, ball, {
            head: [its.width / 2, its.head_string], foot: its.foot_spot,
        });
        assert.deepEqual(balls.map(([n]) => n), ballsOf(discipline));
        for (const [i, [, x, y]] of balls.entries()) {
            assert.equal(refusedPlace(its, ball.radius, balls.toSpliced(i, 1), [x, y], null), null);
        }
        const text = written(its, balls);
        assert.match(text, /^[\w-]+$/);
        const back = read(its, ball, discipline, text);
        assert.equal(back.length, balls.length);
        for (const [i, [n, x, y]] of back.entries()) {
            assert.equal(n, balls[i][0]);
            near(x, balls[i][1], 5e-5);
            near(y, balls[i][2], 5e-5);
        }
    }
});

test("what is no position is none", () => {
    const text = written(table, [[0, 0.6, 0.6], [9, 0.6, 1.2]]);
    assert.equal(read(table, spec, "eight_ball", text).length, 2);
    for (const wrong of [
        "", text.slice(1), `${text}!`, text.replace("J", "!"), text + text,
        written(table, [[0, 0.6, 0.6], [9, 0.6, 0.61]]), written(table, [[0, 0, 0.6]]),
    ]) {
        assert.equal(read(table, spec, "eight_ball", wrong), null, wrong);
    }
    // Against a cushion is where balls often come to rest.
    const rests = noseReach(table, R);
    assert.equal(read(table, spec, "eight_ball", written(table, [[0, rests, table.length - rests]])).length, 1);
    // A ball that the game has not.
    assert.equal(read(table, spec, "nine_ball", written(table, [[12, 0.6, 0.6]])), null);
});

test("a path of some balls is told by their numbers", () => {
    const rows = [[[0, 0, 0.1, 0.2]], [[0, 0, 0.3, 0.4]], [[0, 0, 0.5, 0.6]]];
    const hits = [[0, "strike", 0, null, 1], [1, "ball", 0, 2, 1], [2, "rail", 2, 7, 1], [3, "pocket", 1, 4, 1]];
    const path = numbered({ ball: spec, rest: 3, motions: rows, hits }, [0, 5, 2]);
    assert.deepEqual(path.motions, [rows[0], [], rows[2], [], [], rows[1]]);
    assert.deepEqual(path.hits, [
        [0, "strike", 0, null, 1], [1, "ball", 0, 2, 1], [2, "rail", 2, 7, 1], [3, "pocket", 5, 4, 1],
    ]);
    assert.deepEqual(spotsOf(table).head, spots.head);
});

test("one more ball finds room", () => {
    const balls = racked("eight_ball", spec, spots);
    const [x, y] = freeSpot(table, R, balls, spots.foot);
    assert.equal(refusedPlace(table, R, balls, [x, y], null), null);
    assert.ok(Math.hypot(x - spots.foot[0], y - spots.foot[1]) < 0.3);
    assert.deepEqual(freeSpot(table, R, [], [0.5, 0.5]), [0.5, 0.5]);
});

test("a device falls behind when many frames are late, not when some are or nobody looked", () => {
    const run = (took, frames) => {
        const pace = new Pace();
        let at = 0;
        return Array.from({ length: frames }, (_, i) => pace.falls(at += took(i))).filter(Boolean).length;
    };
    assert.equal(run(() => 16.7, 1000), 0);
    assert.equal(run((i) => (i % 6 ? 16.7 : 33.3), 1000), 0);
    assert.equal(run((i) => (i % 2 ? 16.7 : 33.3), 95), 1);
    assert.equal(run((i) => (i % 2 ? 16.7 : 900), 1000), 0);
});
