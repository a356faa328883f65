// A stick's blow, and the way of the struck ball until it meets something. Pure. Metres, radians,
// seconds.

import { moved, SLIDING } from "./path.js";

/** @import { BallSpec, Point, Strike } from "./types.d.ts" */
/** @import { Motion } from "./path.js" */

/** What of a strike the stick does. @typedef {Pick<Strike, "speed" | "heading" | "side" | "height" | "elevation">} Blow */
/** A straight part of a way: where and when it begins, and where it leads, of length one. */
/** @typedef {{ at: Point, t: number, direction: Point }} Leg */

/** The server's stick: its mass in kg, that of its end, and the restitution of its leather tip. */
const STICK = { mass: 0.567, end: 0.170097 / 30, restitution: 0.73 };
/** A way that bends is drawn as so many straight parts. */
const LEGS = 20;
/** What bends less, as the sine of an angle, is straight. */
const STRAIGHT = 1e-4;

/**
 * By how much side turns the ball from the stick's line, to the left (Alciatore, TP A.31).
 * @param {number} side where the tip meets the ball, left is positive, in radii
 * @param {number} mass of the ball
 */
export function squirt(side, mass) {
    const depth = Math.max(0, 1 - side * side);
    return -Math.atan2(2.5 * side * Math.sqrt(depth), 1 + mass / STICK.end + 2.5 * depth);
}

/**
 * A ball right after the blow, as the server has it (Alciatore, TP A.30): a raised stick drives it
 * slower, and side then spins it about its way too, so that the cloth bends that.
 * @param {Blow} blow
 * @param {BallSpec} spec
 * @param {Point} at where it lies
 * @returns {Motion}
 */
export function struckBy({ speed, heading, side, height, elevation }, { mass, radius }, [x, y]) {
    const depth = Math.sqrt(Math.max(0, 1 - side * side - height * height));
    const [sin, cos] = [Math.sin(elevation), Math.cos(elevation)];
    // From the stick's frame to the ball's.
    const forward = depth * cos - height * sin;
    const up = depth * sin + height * cos;
    const turns = up * cos - forward * sin;
    const arm = (side * side + turns * turns) / 0.4;
    const away = ((1 + STICK.restitution) * speed) / (1 + mass / STICK.mass + arm);
    const turn = away / (0.4 * radius);
    const [hx, hy] = [Math.cos(heading), Math.sin(heading)];
    const squirted = heading + squirt(side, mass);
    return {
        state: SLIDING, x, y,
        vx: away * cos * Math.cos(squirted),
        vy: away * cos * Math.sin(squirted),
        wx: -turn * turns * hy - turn * side * sin * hx,
        wy: turn * turns * hx - turn * side * sin * hy,
        wz: -turn * side * cos,
    };
}

/**
 * How a ball rolls by its spin alone: the way that its lowest point pushes back, over its speed. Of
 * length one along its way it rolls, of none it slides.
 * @param {Motion} motion
 * @param {number} radius
 * @returns {Point}
 */
export function rollOf({ vx, vy, wx, wy }, radius) {
    const speed = Math.hypot(vx, vy);
    return speed ? [(radius * wy) / speed, (-radius * wx) / speed] : [0, 0];
}

/**
 * The way of a ball that slides, until it rolls and then straight on. A straight one has one leg.
 * @param {Motion} motion
 * @param {BallSpec} spec
 * @returns {[Leg, ...Leg[]]}
 */
export function wayOf(motion, spec) {
    const { x, y, vx, vy, wx, wy } = motion;
    const speed = Math.hypot(vx, vy);
    /** @type {Leg} */
    const first = { at: [x, y], t: 0, direction: speed ? [vx / speed, vy / speed] : [1, 0] };
    const [ux, uy] = [vx - spec.radius * wy, vy + spec.radius * wx];
    const slip = Math.hypot(ux, uy);
    if (Math.abs(ux * vy - uy * vx) <= STRAIGHT * slip * speed) return [first];
    const until = slip / (3.5 * spec.slide * spec.gravity);
    const spots = Array.from({ length: LEGS + 1 }, (_, i) => ({ t: (until * i) / LEGS, ...moved(motion, (until * i) / LEGS, spec) }));
    /** @type {Leg[]} */
    const legs = spots.map(({ t, ...it }, i) => {
        const next = spots[i + 1];
        const [dx, dy] = next ? [next.x - it.x, next.y - it.y] : [it.vx, it.vy];
        const far = Math.hypot(dx, dy);
        return { at: [it.x, it.y], t, direction: far ? [dx / far, dy / far] : first.direction };
    });
    return [legs[0] ?? first, ...legs.slice(1)];
}
