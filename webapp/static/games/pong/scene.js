// What is known of a match of Pong, and how a message changes it. Pure: the same messages at the
// same times give the same scene.

import { pausesBetween } from "../../lib/replay.js";
import { ballAt, HEIGHT, isStruck, PADDLE_MAX, PADDLE_MIN, paddleAt, WIDTH } from "./court.js";

/** @import { FromMatch, PongUpdate, PongView } from "../../types.d.ts" */
/** @import { Pause, Timed } from "../../lib/replay.js" */
/** @import { Flight, Paddle, Side, Spot } from "./court.js" */

/** A correction that is worked off bit by bit. @typedef {{ at: number, x: number, y: number }} Ease */
/** My move number `n`, which should reach the server at `at`. @typedef {{ n: number, at: number, y: number }} Aim */

/**
 * @typedef {object} Scene
 * @property {Side | null} you
 * @property {[Paddle, Paddle]} paddles as the server tells
 * @property {[Ease | null, Ease | null]} slips
 * @property {Paddle | null} mine my own paddle as I see it: ahead of the server by half a trip
 * @property {boolean} unsent whether I have aimed since I last sent something
 * @property {readonly Aim[]} aims what the server has not told of yet
 * @property {Flight | null} flight
 * @property {Flight | null} before the flight before it
 * @property {Ease | null} slip of the ball
 * @property {number} hits how often the ball was struck
 * @property {[number, Side] | null} serve
 * @property {[number, Side] | null} pause
 * @property {number | null} resume
 * @property {[number, number]} scores
 * @property {number} target
 * @property {{ side: Side, at: number } | null} lit who scored last
 * @property {{ winner: Side | null, at: number } | null} over
 */

/** How fast a correction is worked off: to a third in this many ms. */
const EASE_MS = 70;
/** A larger one is no correction but another place. */
const EASE_UNITS_MAX = 160;
const CENTRE = { x: WIDTH / 2, y: HEIGHT / 2 };

/**
 * @param {Scene | null} scene null before the first view
 * @param {FromMatch} message
 * @param {number} now the match's time
 * @returns {Scene | null}
 */
export function hear(scene, message, now) {
    switch (message.type) {
        case "game_state":
            return message.game ? viewed(scene, message, /** @type {PongView} */ (message.game), now) : null;
        case "game_update":
            return scene && eased(scene, updated(scene, message, /** @type {PongUpdate} */ (/** @type {unknown} */ (message)), now), now);
        case "score_update":
            return scene && scored(scene, message.scores, now);
        case "game_over":
            return scene && { ...scene, over: { winner: side(message.outcome.winner), at: now } };
        default:
            return scene;
    }
}

/** While somebody was away and the ball stood. @param {readonly Timed[]} messages @returns {Pause[]} */
export function pauses(messages) {
    /** @type {number | null} */
    let stands = null;
    return messages.flatMap((message) => {
        const { at } = message;
        const update = message.type === "game_update" ? /** @type {PongUpdate} */ (/** @type {unknown} */ (message)) : null;
        if (update && "paddle" in update) return [];
        if (update && "pause" in update) {
            stands ??= at;
            return [];
        }
        const since = stands;
        stands = null;
        return since === null ? [] : pausesBetween([{ from: since, to: since }, { from: at, to: at }]);
    });
}

/**
 * @param {Scene | null} old
 * @param {Extract<FromMatch, { type: "game_state" }>} state
 * @param {PongView} view
 * @param {number} now
 * @returns {Scene}
 */
function viewed(old, state, view, now) {
    const you = side(state.you);
    const [left, right] = view.paddles;
    if (!left || !right) throw new Error("a view without paddles");
    const aims = (old?.aims ?? []).filter(({ n }) => n > state.ack);
    const own = you === 0 ? left : right;
    return {
        you,
        paddles: [left, right],
        slips: [null, null],
        mine: you === null ? null : aims.length && old?.mine ? old.mine : own,
        unsent: false,
        aims,
        flight: view.ball ? flight(view.ball) : null,
        before: null,
        slip: null,
        hits: (old?.hits ?? 0) + 1,
        serve: place(view.serve),
        pause: place(view.pause),
        resume: view.resume ?? null,
        scores: pair(view.scores),
        target: view.target,
        lit: null,
        over: state.outcome ? { winner: side(state.outcome.winner), at: -Infinity } : null,
    };
}

/**
 * @param {Scene} scene
 * @param {Extract<FromMatch, { type: "game_update" }>} message
 * @param {PongUpdate} update
 * @param {number} now
 * @returns {Scene}
 */
function updated(scene, message, update, now) {
    if ("paddle" in update) return moved(scene, message, update.paddle, now);
    if ("serve" in update) {
        return {
            ...scene, serve: place(update.serve), flight: null, before: null, pause: null,
        };
    }
    if ("ball" in update) {
        const fresh = flight(update.ball);
        const resumed = scene.resume !== null && scene.resume === fresh.t;
        return {
            ...scene,
            flight: fresh,
            before: resumed ? null : scene.flight,
            serve: null,
            pause: null,
            hits: scene.hits + (isStruck(fresh) && !resumed ? 1 : 0),
        };
    }
    if ("pause" in update) {
        // It stands where it is, and not where it would have been when the news came.
        const stands = scene.flight && ballAt(scene.flight, message.at, believed(scene));
        return {
            ...scene,
            pause: place(update.pause),
            resume: null,
            serve: null,
            flight: scene.flight && stands
                ? { ...scene.flight, t: message.at, x: stands.x, y: stands.y }
                : null,
            before: null,
        };
    }
    return { ...scene, pause: null, resume: update.resume };
}

/**
 * News may show that the ball was never where we saw it, a serve that came late or a paddle that
 * was elsewhere: it glides to where it is.
 * @param {Scene} old
 * @param {Scene} scene
 * @param {number} now
 * @returns {Scene}
 */
function eased(old, scene, now) {
    const from = old.serve && scene.flight ? CENTRE : shownBall(old, now);
    return { ...scene, slip: slip(from, ball(scene, now), now) };
}

/**
 * @param {Scene} scene
 * @param {{ seat?: number | null, n?: number | null, at: number }} message
 * @param {number[]} way
 * @param {number} now
 * @returns {Scene}
 */
function moved(scene, message, [from = 0.5, to = 0.5], now) {
    const which = side(message.seat);
    if (which === null) return scene;
    const told = { at: message.at, from, to };
    const paddles = replaced(scene.paddles, which, told);
    if (which !== scene.you) {
        const shown = opponentAt(scene, which, now);
        const next = { at: now, x: 0, y: shown - paddleAt(told, now) };
        return { ...scene, paddles, slips: replaced(scene.slips, which, next) };
    }
    const aims = scene.aims.filter(({ n }) => n > (message.n ?? 0));
    const next = { ...scene, paddles, aims };
    // All that I did is told of: where that leads is where my paddle goes.
    if (!aims.length && !scene.unsent && scene.mine && scene.mine.to !== to) {
        next.mine = { at: now, from: paddleAt(scene.mine, now), to };
    }
    return next;
}

/**
 * @param {Scene} scene
 * @param {readonly number[]} scores
 * @param {number} now
 * @returns {Scene}
 */
function scored(scene, scores, now) {
    const fresh = pair(scores);
    const who = fresh[0] > scene.scores[0] ? 0 : 1;
    return { ...scene, scores: fresh, lit: { side: who, at: now } };
}

/**
 * I send my paddle somewhere: it goes at once, as fast as the server lets it.
 * @param {Scene} scene
 * @param {number} y in heights
 * @param {number} now
 * @returns {Scene}
 */
export function aim(scene, y, now) {
    if (!scene.mine) return scene;
    const to = Math.max(PADDLE_MIN, Math.min(PADDLE_MAX, y));
    return { ...scene, mine: { at: now, from: paddleAt(scene.mine, now), to }, unsent: true };
}

/**
 * That was sent, as number `n`.
 * @param {Scene} scene
 * @param {Aim} sent
 * @returns {Scene}
 */
export function sent(scene, sent) {
    return { ...scene, aims: [...scene.aims, sent], unsent: false };
}

/** The server refused number `n`. @param {Scene} scene @param {number} n @param {number} now @returns {Scene} */
export function refused(scene, n, now) {
    const aims = scene.aims.filter((it) => it.n > n);
    if (aims.length || !scene.mine || scene.you === null) return { ...scene, aims };
    const { to } = scene.paddles[scene.you];
    return { ...scene, aims, mine: { at: now, from: paddleAt(scene.mine, now), to } };
}

/** Where a paddle is shown, in heights. @param {Scene} scene @param {Side} which @param {number} now */
export function shownPaddle(scene, which, now) {
    if (which === scene.you && scene.mine) return paddleAt(scene.mine, now);
    return opponentAt(scene, which, now);
}

/** @param {Scene} scene @param {Side} which @param {number} now */
function opponentAt(scene, which, now) {
    const slips = scene.slips[which];
    const y = paddleAt(scene.paddles[which], now) + (slips ? slips.y * left(slips, now) : 0);
    return Math.max(PADDLE_MIN, Math.min(PADDLE_MAX, y));
}

/** Where the ball is shown; null when there is none. @param {Scene} scene @param {number} now @returns {Spot | null} */
export function shownBall(scene, now) {
    const spot = ball(scene, now);
    const { slip } = scene;
    if (!spot || !slip) return spot;
    const share = left(slip, now);
    return { ...spot, x: spot.x + slip.x * share, y: spot.y + slip.y * share };
}

/** @param {Scene} scene @param {number} now @returns {Spot | null} */
function ball(scene, now) {
    const { flight, before, pause } = scene;
    if (!flight) return null;
    if (pause || now < flight.t) {
        if (before && !pause) return ballAt(before, now, believed(scene));
        return { x: flight.x, y: flight.y, speed: 0, walls: 0, struck: false };
    }
    return ballAt(flight, now, believed(scene));
}

/** Where the server will find the paddles, as far as we know. @param {Scene} scene */
function believed(scene) {
    /** @param {Side} which @param {number} at */
    return (which, at) => {
        let paddle = scene.paddles[which];
        if (which === scene.you) {
            for (const aim of scene.aims) {
                if (aim.at > at) break;
                paddle = { at: aim.at, from: paddleAt(paddle, aim.at), to: aim.y };
            }
        }
        return paddleAt(paddle, at);
    };
}

/** @param {{ x: number, y: number } | null} from @param {Spot | null} to @param {number} now @returns {Ease | null} */
function slip(from, to, now) {
    if (!from || !to) return null;
    const [x, y] = [from.x - to.x, from.y - to.y];
    return Math.hypot(x, y) > EASE_UNITS_MAX ? null : { at: now, x, y };
}

/** @param {Ease} ease @param {number} now */
function left(ease, now) {
    return Math.exp(-Math.max(0, now - ease.at) / EASE_MS);
}

/** @param {readonly number[]} ball @returns {Flight} */
function flight([t = 0, x = 0, y = 0, vx = 0, vy = 0]) {
    return { t, x, y, vx, vy };
}

/** @param {readonly unknown[] | null | undefined} place @returns {[number, Side] | null} */
function place(place) {
    return place ? [Number(place[0]), side(Number(place[1])) ?? 0] : null;
}

/** @param {number | null | undefined} seat @returns {Side | null} */
function side(seat) {
    return seat === 0 || seat === 1 ? seat : null;
}

/**
 * @template T
 * @param {readonly [T, T]} both
 * @param {Side} which
 * @param {T} value
 * @returns {[T, T]}
 */
function replaced(both, which, value) {
    return which === 0 ? [value, both[1]] : [both[0], value];
}

/** @param {readonly number[]} scores @returns {[number, number]} */
function pair([left = 0, right = 0]) {
    return [left, right];
}
