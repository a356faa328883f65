// How balls lie turned: a quaternion each, from the ball's own axes to the table's. Pure, and the
// same for everybody who has heard the same shots.

import { begin, moved, POCKETED, rowAt, SLIDING, STATIONARY } from "./path.js";

/** @import { Path, Row } from "./types.d.ts" */
/** @import { Motion } from "./path.js" */

/** w, x, y, z of length one. @typedef {readonly [number, number, number, number]} Turning */
/** Where a ball's rotation stands at the beginning of a row, and every so often within it. @typedef {{ row: Row, grid: Turning[] }} Leg */

/** Where the axis wanders, a rotation is followed in steps of so many seconds. */
const STEPS = { sliding: 1 / 120, rolling: 1 / 30 };
/** Every so many steps are remembered. */
const KEPT = 8;

/** @type {Turning} */
export const UNTURNED = [1, 0, 0, 0];

/**
 * How a ball is put down: its number is near the top, and no two lie the same way.
 * @param {number} ball
 * @param {number} rack which rack of the match it is
 * @returns {Turning}
 */
export function laid(ball, rack) {
    // Low-discrepancy numbers look more like chance than chance does.
    const lean = ((ball + 1) * 0.754877666 + rack * 0.569840291) % 1;
    const way = ((ball + 1) * 0.618033989 + rack * 0.324717957) % 1;
    const tilt = aboutAxis(Math.cos(way * 2 * Math.PI), Math.sin(way * 2 * Math.PI), 0, 0.25 + 0.5 * lean);
    return times(tilt, aboutAxis(0, 0, 1, (way - 0.5) * 2.4));
}

/**
 * @param {number} x of the axis, as y and z of length one
 * @param {number} y
 * @param {number} z
 * @param {number} angle
 * @returns {Turning}
 */
export function aboutAxis(x, y, z, angle) {
    const share = Math.sin(angle / 2);
    return [Math.cos(angle / 2), x * share, y * share, z * share];
}

/** First `b`, then `a`. @param {Turning} a @param {Turning} b @returns {Turning} */
export function times([aw, ax, ay, az], [bw, bx, by, bz]) {
    return [
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    ];
}

/**
 * The columns of the rotation's matrix: where the ball's own axes point.
 * @param {Turning} turning
 * @returns {readonly [number, number, number, number, number, number, number, number, number]}
 */
export function axes([w, x, y, z]) {
    return [
        1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y),
        2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x),
        2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y),
    ];
}

/**
 * What is followed is remembered with its path, so that a frame costs a few steps at most: by
 * ball, for the turning that it began with.
 * @type {WeakMap<Path, Map<number, { from: Turning, legs: Leg[] }>>}
 */
const followed = new WeakMap();

/**
 * How a ball lies turned `t` seconds into a path.
 * @param {Path} path
 * @param {number} ball
 * @param {Turning} from how it lay when the path began
 * @param {number} t
 * @returns {Turning}
 */
export function turnedAt(path, ball, from, t) {
    const legs = legsOf(path, ball, from);
    const wanted = rowAt(path, ball, t);
    for (let i = legs.length; i <= wanted; i += 1) {
        const last = legs[i - 1];
        const row = path.motions[ball]?.[i];
        if (!last || !row) break;
        legs.push({ row, grid: [within(last, path, (row[0] ?? 0) - (last.row[0] ?? 0))] });
    }
    const leg = legs[wanted];
    return leg ? within(leg, path, Math.max(0, t - (leg.row[0] ?? 0))) : from;
}

/** @param {Path} path @param {number} ball @param {Turning} from */
function legsOf(path, ball, from) {
    let balls = followed.get(path);
    if (!balls) followed.set(path, balls = new Map());
    const known = balls.get(ball);
    if (known && known.from.every((part, i) => part === from[i])) return known.legs;
    const row = path.motions[ball]?.[0];
    const legs = row ? [{ row, grid: [from] }] : [];
    balls.set(ball, { from, legs });
    return legs;
}

/** @param {Leg} leg @param {Path} path @param {number} dt @returns {Turning} */
function within({ row, grid }, path, dt) {
    const start = begin(row, path.ball);
    const first = grid[0] ?? UNTURNED;
    if (start.state === STATIONARY || start.state === POCKETED) return first;
    if (keepsAxis(start)) return stepped(first, start, path, 0, dt);
    const step = start.state === SLIDING ? STEPS.sliding : STEPS.rolling;
    const steps = Math.floor(dt / step);
    const from = Math.min(grid.length - 1, Math.floor(steps / KEPT));
    let turning = grid[from] ?? first;
    for (let i = from * KEPT; i < steps; i += 1) {
        turning = stepped(turning, start, path, i * step, step);
        if ((i + 1) % KEPT === 0) grid[(i + 1) / KEPT] = turning;
    }
    return stepped(turning, start, path, steps * step, dt - steps * step);
}

/** Whether it turns about the same axis until the row ends. @param {Motion} start */
function keepsAxis({ state, vx, vy, wx, wy, wz }) {
    if (state !== SLIDING) return wz === 0 || (vx === 0 && vy === 0);
    // The cloth turns it about an axis that is square to its slip, which is along its way when it
    // spins about no other.
    return wz === 0 && Math.abs(vx * wx + vy * wy) <= 1e-9 * Math.hypot(vx, vy) * Math.hypot(wx, wy);
}

/**
 * A rotation w that changes evenly from a to b turns by dt (a + b) / 2 + dt² (b × a) / 12, to the
 * fourth order (Magnus; Iserles and Nørsett, 1999).
 * @param {Turning} turning @param {Motion} start @param {Path} path
 * @param {number} at seconds into the row @param {number} dt
 * @returns {Turning}
 */
function stepped(turning, start, path, at, dt) {
    const a = moved(start, at, path.ball);
    const b = moved(start, at + dt, path.ball);
    const [even, bent] = [dt / 2, (dt * dt) / 12];
    const x = even * (a.wx + b.wx) + bent * (b.wy * a.wz - b.wz * a.wy);
    const y = even * (a.wy + b.wy) + bent * (b.wz * a.wx - b.wx * a.wz);
    const z = even * (a.wz + b.wz) + bent * (b.wx * a.wy - b.wy * a.wx);
    const angle = Math.hypot(x, y, z);
    if (angle === 0) return turning;
    const turned = times(aboutAxis(x / angle, y / angle, z / angle, angle), turning);
    const length = Math.hypot(...turned);
    return [turned[0] / length, turned[1] / length, turned[2] / length, turned[3] / length];
}
