// The tape of a replay: where the head is, and what was said by then.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Playhead, points, saidBy } from "../static/lib/replay.js";

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
