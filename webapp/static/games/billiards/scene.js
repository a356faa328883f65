// What is known of a match of billiards, and how a message changes it. Pure: the same messages at
// the same times give the same scene.

import { pausesBetween } from "../../lib/replay.js";
import { ballAt, begin, moved, POCKETED, rowAt } from "./path.js";
import { laid, turnedAt } from "./turning.js";

/** @import { FromMatch } from "../../types.d.ts" */
/** @import { Aim, Ball, BallSpec, Discipline, Placed, Sheet, Shot, Table, Turn, Update, Verdict, View } from "./types.d.ts" */
/** @import { Pause, Timed } from "../../lib/replay.js" */
/** @import { Turning } from "./turning.js" */

/**
 * Where a ball lies, and how it is turned; `isNew` if it was not on the table before.
 * @typedef {{ ball: Ball, x: number, y: number, turning: Turning, isNew: boolean }} Lie
 */

/**
 * How the balls lay from a moment on, and the shot that has moved them since.
 * @typedef {object} Lay
 * @property {number} at
 * @property {"start" | "rack" | "spotted" | "hand" | "rest"} why "start": we came in on it; "rest": as a shot
 *     left them
 * @property {readonly Lie[]} lies by number of the ball
 * @property {Shot | null} shot
 * @property {number} late how many ms after its beginning we heard of the shot
 * @property {number} heard when
 */

/** How somebody aims, and since when we know. @typedef {{ aim: Aim, at: number, was: Aim }} Aiming */

/**
 * @typedef {object} Scene
 * @property {number | null} you
 * @property {Discipline} discipline
 * @property {Table} table
 * @property {BallSpec} ball
 * @property {View["spots"]} spots
 * @property {View["limits"]} limits
 * @property {number} target
 * @property {number} coloured of Kolkhoz: so many balls are worth more
 * @property {Lay} lay
 * @property {Lay | null} before until when a newer lay begins, this is what is seen
 * @property {Turn | null} turn null while a shot rolls or the next rack is set
 * @property {{ verdict: Verdict, at: number } | null} verdict the last one
 * @property {Sheet} sheet
 * @property {readonly number[]} scores by seat
 * @property {number | null} nextRackAt
 * @property {Readonly<Record<number, Aiming>>} aims of others, by seat
 * @property {{ at: number, seat: number, chose?: string, took?: Ball } | null} told the last decision
 * @property {{ winner: number | null, at: number } | null} over
 */

/**
 * A ball as it is seen. One that falls is seen until it has dropped.
 * @typedef {object} Shown
 * @property {Ball} ball
 * @property {number} x
 * @property {number} y
 * @property {number} speed
 * @property {Turning} turning
 * @property {number} there how much of it is there, to 1: one that is put on the table comes softly
 * @property {number | null} fallen for how many seconds it has been falling into a pocket
 * @property {number | null} pocket
 */

/** Balls that fall are seen for so many seconds. */
export const DROP_S = 0.32;
/** Balls that are put on the table come in so many ms. */
const COME_MS = 220;
/** News of a shot that comes late is caught up with in about this many ms, if it isn't later than this. */
const CATCH_UP_MS = 450;
const LATE_MS_MAX = 450;
/** Others' aims are told now and then: in between they glide, in ms. */
export const GLIDE_MS = 120;

/**
 * @param {Scene | null} scene null before the first view
 * @param {FromMatch} message
 * @param {number} now the match's time
 * @returns {Scene | null}
 */
export function hear(scene, message, now) {
    switch (message.type) {
        case "game_state":
            return message.game ? viewed(scene, message, /** @type {View} */ (message.game), now) : null;
        case "game_update":
            return scene && updated(scene, message.at, /** @type {Update} */ (/** @type {unknown} */ (message)), now);
        case "score_update":
            return scene && { ...scene, scores: message.scores };
        case "game_over":
            return scene && {
                ...scene, turn: null, aims: {}, nextRackAt: null, scores: message.outcome.scores,
                over: { winner: message.outcome.winner ?? null, at: message.at },
            };
        default:
            return scene;
    }
}

/**
 * @param {Scene | null} old
 * @param {Extract<FromMatch, { type: "game_state" }>} state
 * @param {View} view
 * @param {number} now
 * @returns {Scene}
 */
function viewed(old, state, view, now) {
    const { shot, sheet } = view;
    // After a gap in what we heard, what still lies or rolls as we know it goes on unturned.
    const same = old && shot && old.lay.shot?.began === shot.began ? old.lay : null;
    const known = old ? rested(old.lay) : [];
    const lies = view.balls.map((place) => lie(place, known, sheet.rack));
    return {
        you: state.you ?? null,
        discipline: view.discipline,
        table: view.table,
        ball: view.ball,
        spots: view.spots,
        limits: view.limits,
        target: view.target,
        coloured: Number(/** @type {{ coloured?: unknown } | null} */ (state.options)?.coloured ?? 0),
        lay: same ?? { at: shot?.began ?? state.at, why: "start", lies, shot, late: 0, heard: now },
        before: null,
        turn: view.turn,
        verdict: view.verdict && { verdict: view.verdict, at: -Infinity },
        sheet,
        scores: state.players.map(({ score }) => score),
        nextRackAt: view.next_rack_at,
        aims: {},
        told: null,
        over: state.outcome ? { winner: state.outcome.winner ?? null, at: -Infinity } : null,
    };
}

/**
 * @param {Scene} scene
 * @param {number} at when it happened
 * @param {Update} update
 * @param {number} now
 * @returns {Scene}
 */
function updated(scene, at, update, now) {
    if ("turn" in update) return { ...scene, turn: update.turn, nextRackAt: null };
    if ("shot" in update) return struck(scene, update.shot, now);
    if ("verdict" in update) {
        const { verdict } = update;
        return { ...scene, turn: null, verdict: { verdict, at }, nextRackAt: verdict.next_rack_at };
    }
    if ("balls" in update) {
        const { why, at: places } = update.balls;
        // What was in the shot goes on lying as it came to rest.
        const isRack = why === "rack";
        const known = isRack ? [] : rested(scene.lay);
        const lies = places.map((place) => lie(place, known, scene.sheet.rack + (isRack ? 1 : 0)));
        return { ...scene, before: scene.lay, lay: { at, why, lies, shot: null, late: 0, heard: now } };
    }
    if ("placed" in update) {
        const [ball] = update.placed;
        const known = rested(scene.lay);
        const fresh = lie(update.placed, known, scene.sheet.rack);
        const lies = [...known.filter((it) => it.ball !== ball), fresh].sort((a, b) => a.ball - b.ball);
        const { lay } = scene;
        if (!lay.shot) return { ...scene, lay: { ...lay, lies } };
        return { ...scene, before: lay, lay: { ...lay, at, why: "hand", lies, shot: null } };
    }
    if ("chose" in update) {
        return { ...scene, turn: null, told: { at, seat: update.chose[0], chose: update.chose[1] } };
    }
    if ("took" in update) {
        const [seat, ball] = update.took;
        const lies = rested(scene.lay).filter((it) => it.ball !== ball);
        const lay = { at, why: /** @type {const} */ ("rest"), lies, shot: null, late: 0, heard: now };
        return { ...scene, turn: null, before: scene.lay, lay, told: { at, seat, took: ball } };
    }
    return { ...scene, sheet: update.sheet };
}

/** A new shot begins where the last left everything. @param {Scene} scene @param {Shot} shot @param {number} now @returns {Scene} */
function struck(scene, shot, now) {
    const late = now - shot.began;
    const lies = rested(scene.lay);
    const aims = Object.fromEntries(Object.entries(scene.aims).filter(([seat]) => Number(seat) !== shot.seat));
    return {
        ...scene,
        before: null,
        lay: {
            at: shot.began, why: "rest", lies, shot, heard: now,
            late: late > 0 && late <= LATE_MS_MAX ? late : 0,
        },
        turn: null,
        aims,
    };
}

/**
 * Somebody else shows how they aim.
 * @param {Scene} scene
 * @param {number} seat
 * @param {Aim | null} aim
 * @param {number} now
 * @returns {Scene}
 */
export function aimed(scene, seat, aim, now) {
    const { [seat]: old, ...others } = scene.aims;
    if (!aim) return { ...scene, aims: others };
    const was = old && old.aim.ball === aim.ball ? glided(old, now) : aim;
    return { ...scene, aims: { ...others, [seat]: { aim, at: now, was } } };
}

/** Where an aim has glided to by now. @param {Aiming} aiming @param {number} now @returns {Aim} */
export function glided({ aim, at, was }, now) {
    const share = Math.max(0, Math.min(1, (now - at) / GLIDE_MS));
    /** @param {number} a @param {number} b */
    const between = (a, b) => a + (b - a) * share;
    const turn = Math.atan2(Math.sin(aim.heading - was.heading), Math.cos(aim.heading - was.heading));
    return {
        ...aim,
        heading: was.heading + turn * share,
        speed: between(was.speed, aim.speed),
        side: between(was.side, aim.side),
        height: between(was.height, aim.height),
        ...(aim.x !== undefined && aim.y !== undefined
            ? { x: between(was.x ?? aim.x, aim.x), y: between(was.y ?? aim.y, aim.y) } : {}),
    };
}

/** While they thought: something is seen when balls roll or are laid, and when somebody decides. @param {readonly Timed[]} messages @returns {Pause[]} */
export function pauses(messages) {
    return pausesBetween(messages.flatMap((message) => {
        const update = /** @type {Update} */ (/** @type {unknown} */ (message));
        if (message.type === "game_update" && "turn" in update) return [];
        const until = message.type === "game_update" && "shot" in update ? update.shot.rest : message.at;
        return { from: message.at, to: until };
    }));
}

/** The shot that is seen to roll, or has come to rest and not been followed by anything. @param {Scene} scene @param {number} now */
export function shotAt(scene, now) {
    return layAt(scene, now).shot;
}

/** How many seconds of its shot have been seen. @param {Scene} scene @param {number} now */
export function shotTime(scene, now) {
    return secondsInto(layAt(scene, now), now);
}

/** Whether balls are seen to move. @param {Scene} scene @param {number} now */
export function isRolling(scene, now) {
    const lay = layAt(scene, now);
    return lay.shot !== null && secondsInto(lay, now) < lay.shot.path.rest;
}

/** All balls that are seen, by number. @param {Scene} scene @param {number} now @returns {Shown[]} */
export function shownBalls(scene, now) {
    const lay = layAt(scene, now);
    const t = secondsInto(lay, now);
    return lay.lies.flatMap((it) => shown(lay, it, t, now) ?? []);
}

/** One of them, or null. @param {Scene} scene @param {Ball} ball @param {number} now @returns {Shown | null} */
export function shownBall(scene, ball, now) {
    const lay = layAt(scene, now);
    const found = lay.lies.find((it) => it.ball === ball);
    return found ? shown(lay, found, secondsInto(lay, now), now) : null;
}

/** @param {Lay} lay @param {Lie} lie @param {number} t seconds into the shot @param {number} now @returns {Shown | null} */
function shown({ at, why, shot }, { ball, x, y, turning, isNew }, t, now) {
    const rows = shot?.path.motions[ball];
    if (!shot || !rows || t < 0) {
        const there = isNew && why !== "start" ? Math.max(0, Math.min(1, (now - at) / COME_MS)) : 1;
        return { ball, x, y, speed: 0, turning, there, fallen: null, pocket: null };
    }
    const { path } = shot;
    const motion = ballAt(path, ball, t);
    const turned = turnedAt(path, ball, turning, t);
    if (motion.state !== POCKETED) {
        const { x: mx, y: my, vx, vy } = motion;
        return { ball, x: mx, y: my, speed: Math.hypot(vx, vy), turning: turned, there: 1, fallen: null, pocket: null };
    }
    const row = rowAt(path, ball, t);
    const [fell = 0] = rows[row] ?? [];
    const last = rows[row - 1];
    if (t - fell >= DROP_S || !last) return null;
    // It keeps its way until the pocket's back stops it, and turns on as it drops.
    const edge = moved(begin(last, path.ball), fell - (last[0] ?? 0), path.ball);
    const hit = path.hits.find(([, kind, who]) => kind === "pocket" && who === ball);
    const speed = Math.hypot(edge.vx, edge.vy);
    const share = 1 - Math.exp(-Math.max(3, (speed * 1.4) / path.ball.radius) * (t - fell));
    return {
        ball, turning: turned, speed, there: 1,
        x: edge.x + (motion.x - edge.x) * share,
        y: edge.y + (motion.y - edge.y) * share,
        fallen: t - fell,
        pocket: hit?.[3] ?? null,
    };
}

/** @param {Scene} scene @param {number} now @returns {Lay} */
function layAt({ lay, before }, now) {
    return before && now < lay.at ? before : lay;
}

/** @param {Lay} lay @param {number} now */
function secondsInto({ shot, late, heard }, now) {
    if (!shot) return 0;
    const lag = late && Number.isFinite(now) ? late * Math.exp(-Math.max(0, now - heard) / CATCH_UP_MS) : 0;
    return (now - shot.began - lag) / 1000;
}

/** Where everything lies once a lay's shot is over. @param {Lay} lay @returns {readonly Lie[]} */
function rested({ lies, shot }) {
    if (!shot) return lies.map((it) => (it.isNew ? { ...it, isNew: false } : it));
    return lies.flatMap((it) => {
        const rows = shot.path.motions[it.ball];
        if (!rows) return it;
        const { state, x, y } = ballAt(shot.path, it.ball, shot.path.rest);
        const turning = turnedAt(shot.path, it.ball, it.turning, shot.path.rest);
        return state === POCKETED ? [] : { ball: it.ball, x, y, turning, isNew: false };
    });
}

/** Keeps how it lay turned, if it lay somewhere. @param {Placed} placed @param {readonly Lie[]} known @param {number} rack @returns {Lie} */
function lie([ball, x, y], known, rack) {
    const old = known.find((it) => it.ball === ball);
    return { ball, x, y, turning: old?.turning ?? laid(ball, rack), isNew: !old };
}
