// What is drawn over the table: my plan where it is mine to play, else how the one at the table aims.

import { along } from "./aim.js";
import { canAim, drawnFor, refusedAt, stickHeading } from "./plan.js";
import { glided, shownBall } from "./scene.js";

/** @import { Overlay } from "./draw.js" */
/** @import { Foreseen, Plan, Task } from "./plan.js" */
/** @import { Scene } from "./scene.js" */
/** @import { Cue, Sight } from "./sight.js" */
/** @import { Ball, Point } from "./types.d.ts" */

/** How much of the aiming line is wanted. @typedef {"full" | "short" | "off"} Guide */
/** My turn. @typedef {{ task: Task, plan: Plan, foreseen: Foreseen | null }} Mine */

/** A strike that was just made: the cue goes through where the ball was, and away. */
/** @typedef {{ ball: Point, heading: number, side: number, elevation: number, back: number, at: number, away: number | null }} Stroke */

/** How long the stubs are for all of a shot's speed, in metres. */
const STUBS = { full: 0.75, short: 0.24, off: 0 };
/** Without a guide the line is only so long that one sees where the cue points. */
const BLIND = 0.2;
/** The tip of a cue that is not drawn is so far from the ball, and drawn so much farther. */
const BACK = { least: 0.018, most: 0.34 };
const STROKE_MS = 65;
const AWAY_MS = 320;

/** How far the tip is from the ball. @param {number} drawn 0 to 1 */
export function backOf(drawn) {
    return BACK.least + drawn * (BACK.most - BACK.least);
}

/**
 * @param {Scene} scene
 * @param {number} now
 * @param {object} what
 * @param {Mine | null} what.mine
 * @param {Guide} what.guide
 * @param {Stroke | null} what.stroke
 * @returns {Overlay}
 */
export function overlay(scene, now, { mine, guide, stroke }) {
    const cues = stroke ? [stroked(stroke, now)].flatMap((it) => it ?? []) : [];
    if (!mine) return theirs(scene, now, cues);
    const { task, plan, foreseen } = mine;
    const { turn } = task;
    if (turn.phase === "take") return { rings: plan.take === null ? [] : [plan.take], cues };
    if (turn.phase === "choose") return { cues };
    if (plan.sent !== null) return { cues };
    const held = plan.hover && plan.hand !== null
        ? { ball: plan.hand, x: plan.hover[0], y: plan.hover[1], fits: refusedAt(task, plan.hand, plan.hover) === null }
        : null;
    if (foreseen && !plan.isCarried && canAim(mine)) {
        cues.push({
            ball: foreseen.from, heading: stickHeading(task, plan), side: plan.side,
            back: backOf(plan.drawn), elevation: plan.elevation,
        });
    }
    return {
        cues,
        sight: foreseen && !plan.isCarried ? sight(task, foreseen, guide) : null,
        held,
        house: turn.hand === "behind" || plan.isCarried ? turn.hand : null,
        pocket: turn.calls && !plan.safety ? (plan.call?.pocket ?? null) : null,
        rings: turn.strikers.length > 1 && plan.ball !== null ? [plan.ball] : [],
    };
}

/** Somebody else aims. @param {Scene} scene @param {number} now @param {Cue[]} cues @returns {Overlay} */
function theirs(scene, now, cues) {
    const seat = scene.turn?.seat;
    const aiming = seat === undefined || seat === scene.you ? undefined : scene.aims[seat];
    if (!aiming) return { cues };
    const { ball, heading, speed, side, elevation = 0, x, y } = glided(aiming, now);
    const lies = shownBall(scene, ball, now);
    if (!lies) return { cues };
    const isHeld = x !== undefined && y !== undefined;
    const at = /** @type {Point} */ (isHeld ? [x, y] : [lies.x, lies.y]);
    cues.push({ ball: at, heading, side, elevation, back: backOf(drawnFor(speed, scene.limits.speed)), alpha: 0.85 });
    const rings = (scene.turn?.strikers.length ?? 0) > 1 ? [ball] : [];
    return { cues, rings, held: isHeld ? { ball, x, y, fits: true } : null };
}

/** @param {Task} task @param {Foreseen} foreseen @param {Guide} guide @returns {Sight} */
function sight({ table, ball: { radius } }, { from, direction, bends, contact, isWrong, after, free }, guide) {
    if (guide === "off" || !contact) {
        // Where a way bends, the cue still points where it begins.
        const way = guide === "off" ? BLIND + radius : table.length;
        const most = bends.length ? way : contact?.way ?? way;
        return { from, bends: [], to: along(from, direction, Math.min(way, most)), ghost: false, allowed: true, stubs: [] };
    }
    /** @type {(readonly [Point, Point])[]} */
    const stubs = [];
    if (after && !isWrong) {
        const { object, cue } = after;
        const centre = along(contact.at, contact.normal, -2 * radius);
        for (const [start, { direction: way, share }, most] of /** @type {const} */ ([
            [centre, object, free.object], [contact.at, cue, free.cue],
        ])) {
            // From the ball's edge; what would hardly leave it is not shown.
            const size = Math.min(most, share * STUBS[guide] + radius);
            if (size > radius * 1.3) stubs.push([along(start, way, radius), along(start, way, size)]);
        }
    }
    return { from, bends, to: contact.at, ghost: contact.kind === "ball", allowed: !isWrong, stubs };
}

/** @param {Stroke} stroke @param {number} now @returns {Cue | null} */
function stroked({ ball, heading, side, elevation, back, at, away }, now) {
    const share = Math.max(0, Math.min(1, (now - at) / STROKE_MS));
    const gone = away === null ? 0 : (now - away) / AWAY_MS;
    if (gone >= 1) return null;
    const drift = Math.max(0, gone) * 0.05;
    return { ball, heading, side, back: back * (1 - share * share) + drift, elevation, alpha: 1 - Math.max(0, gone) };
}

/** Balls that may not be hit first: they recede into the cloth. @param {Task} task @param {Plan} plan @returns {Ball[]} */
export function dimmed({ balls, turn }, plan) {
    const isShot = turn.phase === "shoot" || turn.phase === "break";
    if (!isShot || plan.ball === null || turn.on.length + 1 >= balls.length) return [];
    return balls.flatMap(([ball]) => (ball === plan.ball || turn.on.includes(ball) ? [] : ball));
}
