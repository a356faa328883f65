// What the page makes of a match of Pong, without a screen: the scene is a pure function of what
// was heard and when.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ballAt, fold, paddleAt } from "../static/games/pong/court.js";
import { aim, hear, sent, shownBall, shownPaddle } from "../static/games/pong/scene.js";

/** A match as somebody finds it on the seat `you`, before a serve at 3 s toward the right. */
function joined(you) {
    const paddle = { at: 0, from: 0.5, to: 0.5 };
    return hear(
        null,
        {
            type: "game_state",
            seq: 1,
            at: 0,
            status: "active",
            you,
            ack: 0,
            players: [],
            options: {},
            outcome: null,
            rematch: [],
            game: {
                field: {},
                paddles: [paddle, paddle],
                ball: null,
                serve: [3000, 1],
                pause: null,
                resume: null,
                scores: [0, 0],
                target: 11,
            },
        },
        0,
    );
}

function update(event, at, by = {}) {
    return { type: "game_update", seq: 2, at, ...event, ...by };
}

function near(found, expected) {
    assert.ok(Math.abs(found - expected) < 1e-6, `${found}, and not ${expected}`);
}

test("walls fold a flight back", () => {
    for (const [free, seen] of [
        [250, 250],
        [0, 16],
        [500, 484],
        [-476, 492],
        [984, 16],
    ]) {
        near(fold(free), seen);
    }
});

test("a paddle moves no faster than it may", () => {
    const paddle = { at: 1000, from: 0.2, to: 0.8 };
    near(paddleAt(paddle, 500), 0.2);
    near(paddleAt(paddle, 1100), 0.304);
    near(paddleAt(paddle, 9000), 0.8);
});

test("a bounce is foreseen, and a miss goes on", () => {
    const flight = { t: 0, x: 400, y: 250, vx: 362, vy: 0 };
    const met = ballAt(flight, 2000, () => 0.5);
    near(met.x, 762 - 362 * 1.06);
    near(met.y, 250);
    assert.equal(met.struck, true);
    const missed = ballAt(flight, 1100, () => 0.1);
    near(missed.x, 400 + 362 * 1.1);
    assert.equal(missed.struck, false);
});

test("the ball is drawn along its curve once it is served", () => {
    let scene = joined(0);
    assert.equal(shownBall(scene, 1000), null);
    scene = hear(scene, update({ ball: [3000, 400, 250, 360, 0] }, 3000), 3000);
    near(shownBall(scene, 3500).x, 580);
});

test("my paddle does not wait for the server, and another's is where it says", () => {
    let scene = aim(joined(0), 0.9, 1000);
    scene = sent(scene, { n: 1, at: 1020, y: 0.9 });
    near(shownPaddle(scene, 0, 1100), 0.604);
    near(shownPaddle(scene, 1, 1100), 0.5);
    scene = hear(scene, update({ paddle: [0.5, 0.9] }, 1020, { seat: 0, n: 1 }), 1060);
    near(shownPaddle(scene, 0, 1100), 0.604);
    scene = hear(scene, update({ paddle: [0.5, 0.1] }, 2000, { seat: 1, n: 1 }), 2000);
    near(shownPaddle(scene, 1, 2100), 0.396);
});

test("a pause holds the ball where it is", () => {
    let scene = hear(joined(0), update({ ball: [3000, 400, 250, 360, 0] }, 3000), 3000);
    scene = hear(scene, update({ pause: [23_500, 1] }, 3500), 3520);
    near(shownBall(scene, 9000).x, 580);
    scene = hear(scene, update({ resume: 10_000 }, 8000), 8000);
    scene = hear(scene, update({ ball: [10_000, 580, 250, 360, 0] }, 8000), 8000);
    near(shownBall(scene, 9999).x, 580);
    near(shownBall(scene, 10_500).x, 760);
});

test("scores and ends are told apart from what is drawn", () => {
    let scene = hear(joined(1), { type: "score_update", seq: 3, at: 5000, scores: [0, 1] }, 5000);
    assert.deepEqual([scene.scores, scene.lit], [[0, 1], { side: 1, at: 5000 }]);
    const outcome = { winner: 1, reason: "score", scores: [0, 11] };
    scene = hear(scene, { type: "game_over", seq: 9, at: 9000, outcome, ratings: null }, 9000);
    assert.equal(scene.over.winner, 1);
});
