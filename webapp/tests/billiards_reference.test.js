// Files of reference runs, as shots to look at.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { ballAt, POCKETED } from "../static/games/billiards/path.js";
import { readReference } from "../static/games/billiards/reference.js";
import { farOff, linesOf, viewAt, viewsOf } from "../static/games/billiards/shown.js";
import { framed } from "../static/games/billiards/table.js";

const text = readFileSync(new URL("../static/games/billiards/reference.json", import.meta.url), "utf8");
const file = JSON.parse(text);
/** What the reference moves things by that touch, in metres, with room for how often. */
const SPACER = 2e-5;

function read(changed = file) {
    const found = readReference(JSON.stringify(changed), "Breaks");
    assert.equal(typeof found, "object", String(found));
    return found;
}

/** The runs of one shot. */
function runs(id, changed = file) {
    return read(changed).shots.find((it) => it.id === id).runs;
}

function copyWith(change) {
    const copy = structuredClone(file);
    change(copy);
    return copy;
}

test("everything in the file can be chosen, ours first", () => {
    const { shots, left } = read();
    assert.equal(left, 0);
    assert.equal(shots.length, file.scenarios.length + file.breaks.length);
    for (const { runs: all } of shots) assert.deepEqual(all.map(({ by }) => by), ["ours", "theirs"]);
    assert.deepEqual(shots.slice(-2).map(({ group }) => group), ["Breaks", "Breaks"]);
});

for (const scenario of file.scenarios) {
    test(`the reference's motions lead from event to event: ${scenario.id}`, () => {
        const [, { path, isStill }] = runs(scenario.id);
        assert.equal(isStill, false);
        const ids = scenario.balls.map(({ id }) => id);
        const ball = (id) => (id === scenario.cue.cue_ball_id ? 0 : Number(id) || 1);
        const { events, final } = scenario.runs.default;
        let compared = 0;
        for (const { t, type, after } of events) {
            for (const [id, [x, y, vx, vy, wx, wy, wz, s]] of Object.entries(after)) {
                const now = ballAt(path, ball(id), t + 1e-12);
                near([now.x, now.y, now.vx, now.vy], [x, y, vx, vy], 1e-9);
                // Of a second event at once only the last state is kept.
                if (s === now.state && s === 2) near([now.wx, now.wy, now.wz], [wx, wy, wz], 1e-7);
                if (t === 0 || type === "ball_pocket") continue;
                const before = ballAt(path, ball(id), t - 1e-9);
                near([before.x, before.y], [x, y], SPACER);
                compared += 1;
            }
        }
        assert.ok(compared > 0);
        for (const id of ids) {
            const rests = ballAt(path, ball(id), path.rest + 1);
            assert.equal(rests.state, final[id][7]);
            near([rests.x, rests.y], final[id].slice(0, 2), 1e-9);
        }
    });
}

test("ours agrees with the reference's, in every line and at rest", () => {
    for (const { id, runs: [ours, theirs] } of read().shots) {
        const { against, path } = ours;
        for (const { hit, off, only } of linesOf(ours)) {
            assert.equal(only, null, `${id}: ${hit}`);
            assert.ok(Math.abs(off) <= against.late, `${id}: ${hit} is ${off} s off`);
        }
        assert.ok(farOff(ours) <= against.far, `${id} rests ${farOff(ours)} m off`);
        assert.ok(Math.abs(path.rest - against.rest) <= against.late, id);
        if (theirs.isStill) continue;
        for (const [at, hit] of path.hits.entries()) {
            const [, , , , strength] = theirs.path.hits[at];
            assert.ok(Math.abs(strength - hit[4]) < 2e-3, `${id}: ${hit}, not ${strength}`);
        }
    }
});

test("what differs is told", () => {
    const changed = copyWith(({ scenarios: [it] }) => {
        it.runs.default.events.splice(2, 0, { t: 0.01, type: "ball_linear_cushion", ids: ["cue", "3"], after: {} });
        it.runs.default.final.cue[0] += 0.25;
    });
    const [ours, theirs] = runs(file.scenarios[0].id, changed);
    const only = linesOf(ours).filter((line) => line.only);
    assert.deepEqual(only.map((line) => [line.only, line.hit[0], line.hit[1]]), [["theirs", 0.01, "rail"]]);
    near([farOff(ours)], [0.25], 1e-5);
    assert.ok(linesOf(theirs).every((line) => line.off === null && line.only === null));
    const fallen = copyWith(({ scenarios: [it] }) => {
        it.runs.default.final.cue[7] = POCKETED;
    });
    assert.equal(farOff(runs(file.scenarios[0].id, fallen)[0]), Infinity);
});

test("what a ball comes to by itself need not be told", () => {
    const id = "b07_quarter_roll";
    const [, whole] = runs(id);
    const bare = copyWith(({ scenarios }) => {
        const run = scenarios.find((it) => it.id === id).runs.default;
        run.events = run.events.filter(({ type }) => !/sliding|rolling|spinning/.test(type));
        assert.equal(run.events.length, 2);
    });
    const [, { path }] = runs(id, bare);
    for (let t = 0; t < whole.path.rest; t += 0.1) {
        for (const ball of [0, 1]) {
            const [a, b] = [ballAt(path, ball, t), ballAt(whole.path, ball, t)];
            near([a.x, a.y, a.vx, a.vy], [b.x, b.y, b.vx, b.vy], 1e-8);
        }
    }
});

test("balls that begin on their way do so, and keep their numbers", () => {
    const given = copyWith(({ scenarios: [it] }) => {
        it.balls = [
            { id: "white", x: 20, y: 20, v: [1, 0], w: [0, 1 / 0.028575, 0] },
            { id: "7", x: 20, y: 21, v: [1, 0] },
            { id: "b", x: 20, y: 22, w: [0, 0, 3] },
        ];
        it.cue = { V0: 0, phi: 0, cue_ball_id: "white" };
        it.runs = { default: { events: [{ t: 0, type: "none", ids: ["dummy"], after: {} }], final: {} } };
    });
    const [{ path }] = runs(file.scenarios[0].id, given);
    assert.deepEqual(path.motions.flatMap(([row], ball) => (row ? [[ball, row[1]]] : [])), [[0, 3], [1, 1], [7, 2]]);
    assert.deepEqual(path.motions[7].map(([, state]) => state), [2, 3, 0]);
});

test("a file that tells only what happens shows no motions", () => {
    const id = file.breaks[0].id;
    const [, still] = runs(id);
    assert.equal(still.isStill, true);
    assert.ok(still.path.motions.every((rows) => rows.length === 1));
    assert.equal(still.path.hits.length, still.against.hits.length);
    assert.ok(still.path.hits.every(([, , , , strength], at) => at === 0 || strength === 0));
    const without = copyWith(({ breaks: [it] }) => delete it.runs.default.ours);
    assert.deepEqual(runs(id, without).map(({ by }) => by), ["theirs"]);
});

test("wrong files are told apart, and wrong runs left out", () => {
    assert.equal(readReference("{", ""), "not_json");
    for (const nothing of ["null", "[]", "3", "{}", `{"scenarios":7,"breaks":[null,{"runs":null}]}`]) {
        assert.equal(readReference(nothing, ""), "no_shots", nothing);
    }
    const damages = [
        (it) => (it.balls[0].x = "20"),
        (it) => (it.balls = Array.from({ length: 23 }, (_, i) => ({ id: String(i), x: i, y: 0 }))),
        (it) => (it.table = "nowhere"),
        (it) => (it.ball_params = "none"),
        (it) => (it.runs.default.events[0].after.cue[7] = 9),
        (it) => (it.runs.default.events[0].ids[1] = "nobody"),
        (it) => (it.runs.default.ours.motions[0][0][2] = null),
        (it) => (it.runs.default.ours.hits[0][1] = "toString"),
    ];
    for (const damage of damages) {
        const { left, shots } = read(copyWith(({ scenarios: [it] }) => damage(it)));
        assert.deepEqual([left, shots.length], [1, file.scenarios.length + file.breaks.length - 1], String(damage));
    }
});

test("on cloth without end all is seen, first from near", () => {
    for (const { id, runs: all } of read().shots) {
        for (const { path, table, against } of all) {
            assert.equal(table.segments.length === 0, /^[abc]/.test(id), id);
            if (table.segments.length) continue;
            const views = viewsOf(path, against?.places ?? []);
            for (let t = 0; t <= path.rest; t += 0.013) {
                const [left, near_, right, far] = viewAt(views, t);
                for (const ball of path.motions.keys()) {
                    if (!path.motions[ball].length) continue;
                    const { x, y } = ballAt(path, ball, t);
                    const within = x - 0.029 > left && x + 0.029 < right && y - 0.029 > near_ && y + 0.029 < far;
                    assert.ok(within, `${id}: ball ${ball} at ${t}`);
                }
            }
            const sizes = views.map(({ box: [left, near_, right, far] }) => Math.max(right - left, far - near_));
            assert.ok(sizes.every((size, i) => i === 0 || size > sizes[i - 1]), `${id}: ${sizes}`);
        }
    }
});

test("a part of a table fills its area, standing and lying", () => {
    const [{ table }] = runs("b07_quarter_roll");
    const area = { left: 6, top: 10, width: 300, height: 500 };
    for (const upright of [true, false]) {
        const box = [19, 18, 20, 22];
        const place = framed(table, area, box, upright);
        const corners = [place.at(box[0], box[1]), place.at(box[2], box[3])];
        for (const [x, y] of corners) {
            assert.ok(x >= 6 - 1e-9 && x <= 306 + 1e-9 && y >= 10 - 1e-9 && y <= 510 + 1e-9, `${x}, ${y}`);
        }
        assert.ok(Math.abs(place.scale - (upright ? 125 : 75)) < 1e-9);
        near(place.at(19.5, 20), [156, 260], 1e-9);
        near(place.back(...place.at(19.2, 21)), [19.2, 21], 1e-9);
    }
});

function near(values, expected, tolerance) {
    for (const [i, value] of values.entries()) {
        assert.ok(Math.abs(value - expected[i]) <= tolerance, `${value}, not ${expected[i]}`);
    }
}
