// What I am about to do at the table: which ball, where, how hard, and what I say about it. Pure.

import {
    afterBall, along, firstContact, headingTo, meant, pocketAhead, pointing, refusedPlace, rollAt, scaled,
    turned,
} from "./aim.js";
import { rollOf, squirt, struckBy, wayOf } from "./blow.js";
import { moved } from "./path.js";

/** @import { Aim, Ball, Call, Placed, Point, Strike, Turn } from "./types.d.ts" */
/** @import { Contact, Leaving } from "./aim.js" */
/** @import { Motion } from "./path.js" */
/** @import { Scene } from "./scene.js" */

/**
 * @typedef {object} Plan
 * @property {Ball | null} ball the one to strike; null while it has to be chosen
 * @property {number} heading of the ball: the stick points a little off when it strikes off the middle
 * @property {number} drawn how far the cue is drawn back, 0 to 1
 * @property {number} side where the tip meets the ball, in radii: left is positive
 * @property {number} height the same upwards
 * @property {number} elevation how far the cue's butt is raised
 * @property {Call | null} call
 * @property {boolean} isCallKept the pocket was chosen by hand, and stays for this ball
 * @property {boolean} safety
 * @property {boolean} pushOut
 * @property {Ball | null} take the ball that is chosen to be taken off
 * @property {Point | null} hover where a ball that may be moved is held, or was put until the server has heard;
 *     null while it lies
 * @property {Ball | null} hand which ball that is
 * @property {boolean} isCarried whether a finger holds it
 * @property {number | null} sent the number under which it went to the server, which has not answered
 */

/** What a plan is made for: the table, my turn, and where the balls lie. */
/** @typedef {Pick<Scene, "table" | "ball" | "spots" | "limits"> & { turn: Turn, balls: readonly Placed[] }} Task */

/**
 * What a plan would do first.
 * @typedef {object} Foreseen
 * @property {Point} from
 * @property {Point} direction in which it begins
 * @property {readonly Point[]} bends where the cloth bends its way
 * @property {Contact | null} contact the first
 * @property {boolean} isWrong the ball that is met first is not one that may be
 * @property {{ object: Leaving, cue: Leaving } | null} after
 * @property {{ object: number, cue: number }} free how far both can go before they meet something again
 */

/** A cue that is drawn less strikes nothing. */
export const DRAWN_MIN = 0.04;
/** Soft shots need the finer control: speed grows with the draw to this power. */
const CURVE = 1.7;
/** What the guide supposes while the cue is not drawn. */
const DRAWN_SUPPOSED = 0.4;

/** @type {Plan} */
export const IDLE = {
    ball: null, heading: Math.PI / 2, drawn: 0, side: 0, height: 0, elevation: 0, call: null, isCallKept: false,
    safety: false, pushOut: false, take: null, hover: null, hand: null, isCarried: false, sent: null,
};

/** The stick's speed for a cue drawn so far, in m/s. @param {number} drawn @param {number} most */
export function speedOf(drawn, most) {
    return drawn < DRAWN_MIN ? 0 : Math.round(most * drawn ** CURVE * 1000) / 1000;
}

/** How far the cue is drawn for a speed. @param {number} speed @param {number} most */
export function drawnFor(speed, most) {
    return Math.max(0, Math.min(1, speed / most)) ** (1 / CURVE);
}

/** A fresh plan for a turn: at the nearest ball that may be hit. @param {Task} task @returns {Plan} */
export function begun(task) {
    const { turn, balls, spots: { foot } } = task;
    const ball = turn.strikers.length === 1 ? (turn.strikers[0] ?? null) : null;
    const from = ball === null ? null : spot(balls, ball);
    if (ball === null || !from) return IDLE;
    const wanted = turn.phase === "break" ? foot : nearest(task, ball, from) ?? foot;
    return called(task, { ...IDLE, ball, heading: headingTo(from, wanted) });
}

/** Where a ball lies. @param {readonly Placed[]} balls @param {Ball} ball @returns {Point | null} */
export function spot(balls, ball) {
    const found = balls.find(([n]) => n === ball);
    return found ? [found[1], found[2]] : null;
}

/** The nearest ball that may be hit, before all one that nothing hides. @param {Task} task @param {Ball} ball @param {Point} from @returns {Point | null} */
function nearest({ balls, turn, table, ball: { radius } }, ball, from) {
    const [x, y] = from;
    const far = (/** @type {Placed} */ [, bx, by]) => Math.hypot(bx - x, by - y);
    const others = balls.filter(([n]) => n !== ball);
    const on = others.filter(([n]) => turn.on.includes(n)).sort((a, b) => far(a) - far(b));
    const free = on.find(([n, bx, by]) => {
        const first = firstContact(table, radius, others, from, pointing(headingTo(from, [bx, by])));
        return first?.kind === "ball" && first.index === n;
    }) ?? on[0];
    return free ? [free[1], free[2]] : null;
}

/** The balls as the plan has them: the one in hand is where it is held. @param {Task} task @param {Plan} plan */
export function held({ balls }, { hover, hand }) {
    if (!hover || hand === null) return balls;
    return balls.map((it) => (it[0] === hand ? /** @type {Placed} */ ([hand, ...hover]) : it));
}

/** The balls that may be moved now. @param {Turn} turn @returns {readonly Ball[]} */
export function movable(turn) {
    return turn.moves ?? (turn.hand ? turn.strikers.slice(0, 1) : []);
}

/** What it would do first. Null while there is no ball to strike. @param {Task} task @param {Plan} plan @returns {Foreseen | null} */
export function foreseen(task, plan) {
    const { table, turn } = task;
    const balls = held(task, plan);
    const from = plan.ball === null ? null : spot(balls, plan.ball);
    if (!from) return null;
    const { radius, ball_restitution } = task.ball;
    const others = balls.filter(([n]) => n !== plan.ball);
    const struck = struckAway(task, plan, from);
    const met = meets(task, others, struck);
    const { contact, bends } = met;
    const direction = pointing(plan.heading);
    if (contact?.kind !== "ball") return { from, direction, bends, contact, isWrong: false, after: null, free: { object: 0, cue: 0 } };
    const after = afterBall(contact, met.direction, met.roll, ball_restitution);
    const rest = others.filter(([n]) => n !== contact.index);
    /** @param {Point} start @param {Leaving} leaving */
    const far = (start, leaving) => firstContact(table, radius, rest, start, leaving.direction)?.way ?? table.length;
    const free = {
        object: far(along(contact.at, contact.normal, -2 * radius), after.object),
        cue: far(contact.at, after.cue),
    };
    return { from, direction, bends, contact, isWrong: !turn.on.includes(contact.index), after, free };
}

/** The ball as the plan would strike it away. @param {Task} task @param {Plan} plan @param {Point} from @returns {Motion} */
function struckAway(task, plan, from) {
    const speed = speedOf(plan.drawn || DRAWN_SUPPOSED, task.limits.speed);
    const { side, height, elevation } = plan;
    return struckBy({ speed, heading: stickHeading(task, plan), side, height, elevation }, task.ball, from);
}

/**
 * What a struck ball meets first, where its way bends until then, and how it comes there.
 * @param {Task} task
 * @param {readonly Placed[]} others
 * @param {Motion} struck
 * @returns {{ contact: Contact | null, bends: readonly Point[], direction: Point, roll: Point }}
 */
function meets({ table, ball }, others, struck) {
    const legs = wayOf(struck, ball);
    const bends = legs.slice(1).map(({ at }) => at);
    for (const [i, { at, t, direction }] of legs.entries()) {
        const contact = firstContact(table, ball.radius, others, at, direction);
        const next = legs[i + 1];
        const long = next ? Math.hypot(next.at[0] - at[0], next.at[1] - at[1]) : Infinity;
        if (!contact || contact.way > long) continue;
        if (legs.length === 1) {
            const [rx, ry] = rollOf(struck, ball.radius);
            const spun = rx * direction[0] + ry * direction[1];
            const roll = rollAt(Math.hypot(struck.vx, struck.vy), spun, contact.way, ball);
            return { contact, bends, direction, roll: scaled(direction, roll) };
        }
        const then = next ? moved(struck, t + ((next.t - t) * contact.way) / long, ball) : null;
        return { contact, bends: bends.slice(0, i), direction, roll: then ? rollOf(then, ball.radius) : direction };
    }
    return { contact: null, bends, direction: legs[0].direction, roll: [0, 0] };
}

/** Turns the aim. @param {Task} task @param {Plan} plan @param {number} heading @returns {Plan} */
export function aimed(task, plan, heading) {
    return called(task, { ...plan, heading: turned(heading) });
}

/** Aims at a point of the table. @param {Task} task @param {Plan} plan @param {Point} point @returns {Plan} */
export function aimedAt(task, plan, point) {
    const from = plan.ball === null ? null : spot(held(task, plan), plan.ball);
    return from ? aimed(task, plan, headingTo(from, point)) : plan;
}

/** Chooses the ball to strike, or none. @param {Task} task @param {Plan} plan @param {Ball | null} ball @returns {Plan} */
export function struck(task, plan, ball) {
    const from = ball === null ? null : spot(task.balls, ball);
    if (ball === null || !from) return { ...plan, ball: null, drawn: 0 };
    const wanted = nearest(task, ball, from);
    const heading = wanted ? headingTo(from, wanted) : plan.heading;
    return called(task, { ...plan, ball, heading });
}

/** Where the tip meets the ball, within what it does not slip off. @param {Task} task @param {Plan} plan @param {number} side @param {number} height @returns {Plan} */
export function spun({ limits }, plan, side, height) {
    const most = limits.tip;
    const off = Math.hypot(side, height);
    const share = off > most ? most / off : 1;
    const round = (/** @type {number} */ it) => Math.trunc(it * share * 1000) / 1000;
    return { ...plan, side: round(side), height: round(height) };
}

/** Raises the cue, in radians. @param {Task} task @param {Plan} plan @param {number} elevation @returns {Plan} */
export function raised(task, plan, elevation) {
    return called(task, { ...plan, elevation: Math.max(0, Math.min(task.limits.elevation, elevation)) });
}

/** Says which ball goes where. @param {Plan} plan @param {Partial<Call>} change @returns {Plan} */
export function calling(plan, change) {
    const { ball, pocket } = { ...plan.call, ...change };
    if (ball === undefined || pocket === undefined) return plan;
    return { ...plan, call: { ball, pocket }, isCallKept: true, safety: false };
}

/**
 * The obvious call: the first ball on the line, and the pocket that it heads for.
 * @param {Task} task @param {Plan} plan @returns {Plan}
 */
export function called(task, plan) {
    const { table, turn, ball: { radius } } = task;
    if (!turn.calls || plan.ball === null) return { ...plan, call: null };
    const balls = held(task, plan);
    const from = spot(balls, plan.ball);
    if (!from) return plan;
    const others = balls.filter(([n]) => n !== plan.ball);
    // A straight line shows what is meant, off cushions too; where the way bends, it is what is met.
    const bent = plan.elevation ? meets(task, others, struckAway(task, plan, from)).contact : null;
    const contact = bent?.kind === "ball" ? bent : meant(table, radius, others, from, pointing(plan.heading));
    if (!contact || !turn.on.includes(contact.index)) {
        // Nothing is obvious: what was said stays, as long as it can.
        if (plan.call && turn.on.includes(plan.call.ball)) return plan;
        const ball = turn.on.find((n) => spot(balls, n));
        return { ...plan, call: ball === undefined ? null : { ball, pocket: 0 }, isCallKept: false };
    }
    if (plan.isCallKept && plan.call?.ball === contact.index) return plan;
    const centre = along(contact.at, contact.normal, -2 * radius);
    const pocket = pocketAhead(table, centre, [-contact.normal[0], -contact.normal[1]]);
    return { ...plan, call: { ball: contact.index, pocket }, isCallKept: false };
}

/** Why a ball may not be put there; null: it may. @param {Task} task @param {Ball | null} ball @param {Point} at */
export function refusedAt({ table, ball: { radius }, spots, turn, balls }, ball, at) {
    const others = balls.filter(([n]) => n !== ball);
    const line = turn.hand === "behind" ? spots.head_string : null;
    return refusedPlace(table, radius, others, at, line);
}

/** Whether anything can be aimed at all. @param {{ task: Task, plan: Plan } | null} mine */
export function canAim(mine) {
    if (!mine || mine.plan.ball === null || mine.plan.sent !== null) return false;
    const { phase } = mine.task.turn;
    return phase === "shoot" || phase === "break";
}

/** As the others see it. @param {Task} task @param {Plan} plan @returns {Aim | null} */
export function shownTo(task, plan) {
    if (plan.ball === null) return null;
    const { ball, side, height, elevation } = plan;
    const hover = plan.isCarried ? plan.hover : null;
    const heading = round(stickHeading(task, plan), 1e5);
    const speed = speedOf(plan.drawn, task.limits.speed);
    const aim = { ball, heading, speed, side, height, elevation: round(elevation, 1e4) };
    return hover ? { ...aim, x: round(hover[0], 1e4), y: round(hover[1], 1e4) } : aim;
}

/** The message that carries it out; null while it can't be. @param {Task} task @param {Plan} plan @returns {Omit<Strike, "call"> & { call?: Call } | null} */
export function strike(task, plan) {
    const { turn, limits } = task;
    const speed = speedOf(plan.drawn, limits.speed);
    if (plan.ball === null || speed <= 0) return null;
    const { ball, side, height, elevation } = plan;
    const safety = turn.safety && plan.safety;
    return {
        ball, speed, heading: stickHeading(task, plan), side, height, elevation,
        safety, push_out: turn.push_out && plan.pushOut,
        ...(turn.calls && !safety && plan.call ? { call: plan.call } : {}),
    };
}

/** Where the stick points, so that the ball goes where it is aimed. @param {Task} task @param {Plan} plan */
export function stickHeading({ ball: { mass } }, { heading, side }) {
    return turned(heading - squirt(side, mass));
}

/** @param {number} value @param {number} parts */
function round(value, parts) {
    return Math.round(value * parts) / parts;
}
