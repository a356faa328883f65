// What the page makes of a shot and of a match of billiards, without a screen.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { ballAt } from "../static/games/billiards/path.js";
import { cushionsOf, mouthsOf } from "../static/games/billiards/cushions.js";
import {
    aimed, DROP_S, glided, hear, isRolling, shotTime, shownBall, shownBalls,
} from "../static/games/billiards/scene.js";
import { pocketAt, placed } from "../static/games/billiards/table.js";
import { axes, laid, times, turnedAt, UNTURNED } from "../static/games/billiards/turning.js";

/** A micrometre, and what that is to speeds and spins of a ball. */
const CLOSE = { place: 1e-6, speed: 1e-6, spin: 1e-4 };

function read(path) {
    return JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
}

/** Shots of an independent simulator, as we put them on the wire, and its states on a grid of times. */
const vectors = read("./vectors/billiards_path.json");
const shots = read("../static/games/billiards/shots.json");

for (const { name, path, samples } of vectors) {
    test(`a path is followed within a micrometre: ${name}`, () => {
        assert.ok(samples.length > 5);
        for (const [t, ball, x, y, vx, vy, wx, wy, wz, state] of samples) {
            const found = ballAt(path, ball, t);
            assert.equal(found.state, state, `the state of ${ball} at ${t}`);
            near(Math.hypot(found.x - x, found.y - y), 0, CLOSE.place);
            near(Math.hypot(found.vx - vx, found.vy - vy), 0, CLOSE.speed);
            near(Math.hypot(found.wx - wx, found.wy - wy, found.wz - wz), 0, CLOSE.spin);
        }
    });
}

test("a ball that only rolls has turned by its way over its radius", () => {
    const radius = 0.028575;
    const path = { ...vectors[0].path, motions: [[[0, 3, 0, 0, 0, 1, 0]]] };
    const way = ballAt(path, 0, 2).y;
    const angle = way / radius;
    // It rolls along y, so about x: the top goes forward.
    const [, , , , , , , zy, zz] = axes(turnedAt(path, 0, UNTURNED, 2));
    near(zy, Math.sin(angle), 1e-9);
    near(zz, Math.cos(angle), 1e-9);
});

test("a rotation doesn't depend on when it was asked for", () => {
    const { path } = shots.items.find(({ id }) => id === "side");
    const from = laid(0, 1);
    const copy = structuredClone(path);
    for (const t of [4, 0.3, 2.2, 0.31, 4.4]) turnedAt(path, 0, from, t);
    for (const t of [0.31, 2.2]) {
        turnedAt(path, 0, from, t).forEach((part, i) => near(part, turnedAt(copy, 0, from, t)[i], 1e-12));
    }
    const whole = Math.hypot(...turnedAt(path, 0, from, 4.4));
    near(whole, 1, 1e-12);
});

test("a sliding ball with side turns as fine steps turn it", () => {
    const { path } = shots.items.find(({ id }) => id === "side");
    const [end] = path.motions[0][1];
    const steps = 20_000;
    let turning = UNTURNED;
    for (let i = 0; i < steps; i += 1) {
        const { wx, wy, wz } = ballAt(path, 0, ((i + 0.5) / steps) * end);
        const half = end / steps / 2;
        const step = times([1, wx * half, wy * half, wz * half], turning);
        const length = Math.hypot(...step);
        turning = step.map((part) => part / length);
    }
    const found = turnedAt(path, 0, UNTURNED, end - 1e-9);
    const same = Math.abs(found.reduce((sum, part, i) => sum + part * turning[i], 0));
    assert.ok(2 * Math.acos(Math.min(1, same)) < 1e-4, `off by ${2 * Math.acos(same)}`);
});

/** A match as somebody finds it before a shot of the built-in list. */
function joined({ table, discipline, path }, change = {}) {
    const at = shots.tables[table];
    return hear(null, {
        type: "game_state", seq: 1, at: 0, status: "active", you: 0, ack: 0, options: {}, outcome: null, rematch: [],
        players: [{ score: 0 }, { score: 0 }],
        game: {
            discipline, table: at, ball: path.ball,
            spots: { head: [0, 0], foot: at.foot_spot, head_string: at.head_string, centre: at.length / 2 },
            balls: path.motions.flatMap(([row], i) => (row ? [[i, row[2], row[3]]] : [])),
            shot: null, turn: null, verdict: null, sheet: { rack: 1, shelves: [[], []] }, target: 1,
            next_rack_at: null, limits: { speed: 10, tip: 0.5, elevation: 1.4 }, length_max: 0,
            ...change,
        },
    }, 0);
}

function shotOf({ path, strike }, began) {
    return { seat: 0, began, rest: began + path.rest * 1000, strike, path };
}

function update(event, at) {
    return { type: "game_update", seq: 2, at, ...event };
}

const breaking = shots.items.find(({ id }) => id === "eight_ball_break");

test("hearing changes nothing that was there", () => {
    const scene = joined(breaking);
    const before = structuredClone(scene);
    const messages = [
        update({ turn: { seat: 0, phase: "break" } }, 10),
        update({ shot: shotOf(breaking, 1000) }, 1000),
        update({ verdict: { seat: 0, ruling: "goes_on", next_rack_at: null } }, 9000),
        update({ balls: { why: "spotted", at: [[0, 0.5, 0.5]] } }, 9000),
        update({ placed: [0, 0.6, 0.6] }, 9500),
        update({ took: [1, 3] }, 9600),
        update({ chose: [1, "play"] }, 9700),
        update({ sheet: { rack: 1 } }, 9800),
        { type: "score_update", seq: 3, at: 9900, scores: [1, 0] },
        { type: "game_over", seq: 4, at: 9900, outcome: { winner: 0, scores: [1, 0] } },
    ];
    for (const message of messages) hear(scene, message, message.at);
    aimed(scene, 1, { ball: 0, heading: 1, speed: 0, side: 0, height: 0 }, 5);
    assert.deepEqual(scene, before);
    // And the same messages give the same scene.
    const [one, other] = [0, 1].map(() => messages.reduce((it, message) => hear(it, message, message.at), joined(breaking)));
    assert.deepEqual(one, other);
    assert.deepEqual(shownBalls(one, 9900), shownBalls(other, 9900));
});

test("balls lie, roll, fall, and lie where the shot left them", () => {
    const { path } = breaking;
    let scene = hear(joined(breaking), update({ shot: shotOf(breaking, 1000) }, 1000), 1000);
    const [, , x, y] = path.motions[0][0];
    assert.deepEqual([shownBall(scene, 0, 500).x, shownBall(scene, 0, 500).y], [x, y]);
    assert.equal(isRolling(scene, 999 + path.rest * 1000), true);
    assert.equal(isRolling(scene, 1001 + path.rest * 1000), false);
    const there = ballAt(path, 0, 1.5);
    near(shownBall(scene, 0, 2500).y, there.y, 1e-12);

    const [t, , ball, pocket] = path.hits.find(([, kind]) => kind === "pocket");
    const falling = shownBall(scene, ball, 1000 + t * 1000 + 60);
    assert.deepEqual([falling.pocket, Math.round(falling.fallen * 1000)], [pocket, 60]);
    assert.equal(shownBall(scene, ball, 1000 + (t + DROP_S) * 1000 + 1), null);

    // Where a ball comes back is not seen before the shot is.
    const rest = 1000 + path.rest * 1000;
    const left = shownBall(scene, 3, rest);
    scene = hear(scene, update({ balls: { why: "spotted", at: [[ball, 0.6, 1.9], [3, left.x, left.y]] } }, rest), rest - 40);
    assert.equal(shownBall(scene, ball, rest - 20), null);
    assert.equal(shownBall(scene, ball, rest + 20).y, 1.9);
    assert.deepEqual(shownBall(scene, 3, rest + 20).turning, left.turning);
    // It comes softly, and what was there stays.
    const parts = [20, 120, 500].map((after) => shownBall(scene, ball, rest + after).there);
    assert.ok(parts[0] < parts[1] && parts[1] < 1 && parts[2] === 1, String(parts));
    assert.equal(shownBall(scene, 3, rest + 20).there, 1);
});

test("a shot that was heard late is caught up with, and never runs backward", () => {
    const scene = hear(joined(breaking), update({ shot: shotOf(breaking, 1000) }, 1000), 1120);
    const [, , , y] = breaking.path.motions[0][0];
    near(shownBall(scene, 0, 1120).y, y, 1e-9);
    let last = 0;
    for (let now = 1120; now < 4000; now += 4) {
        const seen = shotTime(scene, now);
        assert.ok(seen >= last && seen <= (now - 1000) / 1000);
        last = seen;
    }
    near(last, 2.996, 1e-3);
    near(shownBall(scene, 5, 9000).x, ballAt(breaking.path, 5, 8).x, 1e-5);
});

test("who comes back amid a shot sees it as it was", () => {
    const shot = shotOf(breaking, 1000);
    const scene = hear(joined(breaking), update({ shot }, 1000), 1000);
    const balls = breaking.path.motions.map(([row], i) => [i, row[2], row[3]]);
    const again = hear(scene, {
        type: "game_state", seq: 9, at: 2000, status: "active", you: 0, ack: 0, options: {}, players: [],
        game: { ...joined(breaking), balls, shot: structuredClone(shot), verdict: null, sheet: scene.sheet },
    }, 2000);
    assert.deepEqual(shownBalls(again, 2000), shownBalls(scene, 2000));
});

test("another's aim glides the short way round", () => {
    const aim = { ball: 0, heading: 3.1, speed: 1, side: 0, height: 0 };
    let scene = aimed(joined(breaking), 1, aim, 0);
    scene = aimed(scene, 1, { ...aim, heading: -3.1 }, 1000);
    const halfway = glided(scene.aims[1], 1060);
    near(Math.cos(halfway.heading), -1, 1e-3);
    near(glided(scene.aims[1], 9000).heading, 2 * Math.PI - 3.1, 1e-12);
    assert.deepEqual(aimed(scene, 1, null, 2000).aims, {});
});

test("places on the screen lead back to the table, whichever way it lies", () => {
    const table = shots.tables.pool_9ft;
    for (const near_ of ["head", "foot"]) {
        for (const [width, height] of [[390, 700], [844, 300]]) {
            const place = placed(table, { left: 0, top: 20, width, height }, { near: near_ });
            assert.equal(place.upright, height > width);
            for (const [x, y] of [[0, 0], [0.3, 2.1], [1.27, 0.4]]) {
                const [sx, sy] = place.at(x, y);
                const [bx, by] = place.back(sx, sy);
                near(Math.hypot(bx - x, by - y), 0, 1e-12);
                const [ax, ay] = place.at(x + 0.1 * Math.cos(0.7), y + 0.1 * Math.sin(0.7));
                near(Math.cos(Math.atan2(ay - sy, ax - sx) - place.angle(0.7)), 1, 1e-12);
                near(place.heading(place.angle(0.7)), 0.7, 1e-12);
            }
            const [hx, hy] = place.at(table.width / 2, 0);
            const isNear = place.upright ? hy > 20 + height / 2 : hx < width / 2;
            assert.equal(isNear, near_ === "head");
        }
    }
    const place = placed(table, { left: 0, top: 0, width: 390, height: 700 });
    assert.equal(pocketAt(place, ...place.at(-0.05, 1.27)), 1);
    assert.equal(pocketAt(place, ...place.at(0.6, 1.27)), null);
});

test("the shots to look at hang together", () => {
    assert.ok(shots.items.length > 8);
    for (const { id, table, path } of shots.items) {
        const { segments, jaws, pockets } = shots.tables[table];
        const others = { ball: path.motions, rail: segments, jaw: jaws, pocket: pockets };
        for (const [t, kind, ball, other] of path.hits) {
            assert.ok(t <= path.rest && path.motions[ball].length > 0, id);
            assert.ok(kind === "strike" || others[kind][other], `${id}: ${kind} ${other}`);
        }
        path.motions.forEach((rows, ball) => rows.slice(1).forEach((row, i) => {
            if (row[1] === 4) return;
            const [t] = row;
            const last = ballAt({ ...path, motions: [[rows[i]]] }, 0, t);
            // The simulator that some are from puts balls a micrometre apart before they part.
            near(Math.hypot(last.x - row[2], last.y - row[3]), 0, 5e-6);
            assert.equal(ballAt(path, ball, t).state, row[1]);
        }));
    }
});

test("cushions without pockets meet aslant", () => {
    const corners = [[0, 0], [1.42, 0], [1.42, 2.84], [0, 2.84]];
    const normals = [[0, 1], [-1, 0], [0, -1], [1, 0]];
    const segments = corners.map((from, i) => ({ from, to: corners[(i + 1) % 4], normal: normals[i] }));
    const cushions = cushionsOf({ width: 1.42, length: 2.84, segments, jaws: [], pockets: [] });
    assert.deepEqual(cushions[0].nose, [[-0.04, -0.04], [0, 0], [1.42, 0], [1.46, -0.04]]);
});

test("every table's cushions are whole", () => {
    for (const table of Object.values(shots.tables)) {
        const cushions = cushionsOf(table);
        assert.equal(cushions.length, 6);
        for (const { nose } of cushions) assert.equal(nose.length, 20);
        const mouths = mouthsOf(table);
        mouths.forEach((mouth, i) => {
            assert.equal(mouth.length, 20);
            const { centre, radius } = table.pockets[i];
            for (const [x, y] of mouth) assert.ok(Math.hypot(x - centre[0], y - centre[1]) < 2.2 * radius);
        });
    }
});

function near(found, expected, close) {
    assert.ok(Math.abs(found - expected) <= close, `${found}, and not ${expected}`);
}
