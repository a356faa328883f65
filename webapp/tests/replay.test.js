// The tape of a replay: where the head is, and what was said by then.

import assert from "node:assert/strict";
import { test } from "node:test";

import { pauses as billiardsPauses } from "../static/games/billiards/scene.js";
import { pauses as pongPauses } from "../static/games/pong/scene.js";
import { matchTime, pausesBetween, Playhead, points, saidBy, tapeTime } from "../static/lib/replay.js";

/** A head from 1 s to 11 s, and the time that it goes by. */
function tape() {
    const time = { now: 100 };
    return { time, head: new Playhead(1_000, 11_000, () => time.now) };
}

test("it stands until it is played, and goes as fast as it is told", () => {
    const { time, head } = tape();
    time.now += 500;
    assert.deepEqual([head.now(), head.playing], [1_000, false]);
    head.play();
    time.now += 500;
    assert.deepEqual([head.now(), head.playing], [1_500, true]);
    head.speed = 4;
    time.now += 500;
    assert.equal(head.now(), 3_500);
    head.speed = 0.5;
    time.now += 500;
    assert.equal(head.now(), 3_750);
    head.pause();
    time.now += 500;
    assert.equal(head.now(), 3_750);
});

test("it is wound while it plays and while it stands, never beyond its ends", () => {
    const { time, head } = tape();
    head.seek(5_000);
    assert.equal(head.now(), 5_000);
    head.play();
    time.now += 100;
    head.seek(2_000);
    time.now += 100;
    assert.equal(head.now(), 2_100);
    head.seek(-1);
    assert.equal(head.now(), 1_000);
    head.seek(99_999);
    assert.equal(head.now(), 11_000);
});

test("it ends, and plays again from the beginning", () => {
    const { time, head } = tape();
    head.play();
    time.now += 60_000;
    assert.deepEqual([head.now(), head.ended, head.playing], [11_000, true, false]);
    head.play();
    assert.deepEqual([head.now(), head.ended, head.playing], [1_000, false, true]);
});

const messages = [
    { type: "game_state", at: 0 },
    { type: "game_update", at: 10 },
    { type: "score_update", at: 20, scores: [0, 1] },
    { type: "game_update", at: 20 },
    { type: "score_update", at: 30, scores: [1, 1] },
    { type: "game_over", at: 40 },
];

test("what is said by a time is all up to it", () => {
    const said = [-1, 0, 15, 20, 39, 40, 99].map((at) => saidBy(messages, at));
    assert.deepEqual(said, [0, 1, 2, 4, 5, 6, 6]);
    assert.equal(saidBy([], 0), 0);
});

test("points are whose score grew, and when", () => {
    assert.deepEqual(points(messages), [
        { at: 20, seat: 1, scores: [0, 1] },
        { at: 30, seat: 0, scores: [1, 1] },
    ]);
});

test("a tape without its pauses leaps over them, and time of both leads back", () => {
    const cuts = [{ from: 10_000, to: 30_000 }, { from: 40_000, to: 41_500 }];
    assert.deepEqual([0, 9_999, 10_000, 20_000, 30_000, 40_000, 50_000].map((at) => tapeTime(cuts, at)),
        [0, 9_999, 10_000, 10_000, 10_000, 20_000, 28_500]);
    assert.deepEqual([9_999, 10_000, 19_999, 20_000, 28_500].map((t) => matchTime(cuts, t)),
        [9_999, 30_000, 39_999, 41_500, 50_000]);
    assert.equal(matchTime([], 7), 7);
    let last = -1;
    for (let t = 0; t < 30_000; t += 100) {
        const at = matchTime(cuts, t);
        assert.ok(at > last && !cuts.some(({ from, to }) => at >= from && at < to));
        assert.equal(tapeTime(cuts, at), t);
        last = at;
    }
    assert.equal(tapeTime(cuts, Infinity), Infinity);
});

test("a pause is what is between the end of one thing and the next, but for a look at both", () => {
    assert.deepEqual(pausesBetween([
        { from: 0, to: 5_000 }, { from: 3_000, to: 3_000 }, { from: 9_000, to: 9_000 }, { from: 40_000, to: 41_000 },
    ]), [{ from: 11_000, to: 39_200 }]);
    assert.deepEqual(pausesBetween([]), []);
});

test("at billiards it is a pause while they think, and not while balls roll", () => {
    const told = (at, update) => ({ type: "game_update", at, seq: 0, ...update });
    assert.deepEqual(billiardsPauses([
        { type: "game_state", at: 0 },
        told(0, { turn: {} }),
        told(21_000, { shot: { began: 21_000, rest: 33_000 } }),
        told(33_000, { verdict: {} }),
        told(33_000, { turn: {} }),
        // Told again, for a clock that stands.
        told(50_000, { turn: {} }),
        told(70_000, { placed: [0, 1, 1] }),
        told(72_000, { shot: { began: 72_000, rest: 80_000 } }),
        { type: "game_over", at: 80_000 },
    ]), [{ from: 2_000, to: 20_200 }, { from: 35_000, to: 69_200 }]);
});

test("at Pong it is a pause while the ball stands for who is away, whatever the other does", () => {
    const told = (at, update) => ({ type: "game_update", at, seq: 0, ...update });
    assert.deepEqual(pongPauses([
        { type: "game_state", at: 0 },
        told(3_000, { ball: [3_000, 0, 0, 1, 1] }),
        told(9_000, { ball: [9_000, 0, 0, 1, 1] }),
        told(10_000, { pause: [30_000, 1] }),
        told(12_000, { paddle: [0, 1] }),
        told(13_000, { pause: [30_000, 0] }),
        told(28_000, { resume: 31_000 }),
        told(31_000, { ball: [31_000, 0, 0, 1, 1] }),
        { type: "game_over", at: 60_000 },
    ]), [{ from: 12_000, to: 27_200 }]);
});
