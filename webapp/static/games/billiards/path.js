// Where a shot's balls are at any time: the server tells when each motion begins and how, and
// between these moments motion has a closed form, so every frame is exact. Pure.

/** @import { BallSpec, Path, Row } from "./types.d.ts" */

/**
 * How a ball moves: place in metres, velocity in m/s, rotation in rad/s about the axes across,
 * along and up.
 * @typedef {object} Motion
 * @property {number} state one of the states below
 * @property {number} x
 * @property {number} y
 * @property {number} vx
 * @property {number} vy
 * @property {number} wx
 * @property {number} wy
 * @property {number} wz
 */

/** It lies. */
export const STATIONARY = 0;
/** It turns on the spot, about the vertical. */
export const SPINNING = 1;
/** It rubs on the cloth. */
export const SLIDING = 2;
/** Its lowest point stands still. */
export const ROLLING = 3;
/** It has fallen. */
export const POCKETED = 4;

/**
 * @param {Path} path
 * @param {number} ball
 * @param {number} t seconds after the strike; before it everything lies where the strike finds it
 * @returns {Motion}
 */
export function ballAt(path, ball, t) {
    const row = path.motions[ball]?.[rowAt(path, ball, t)];
    if (!row) throw new Error(`a path without ball ${ball}`);
    return moved(begin(row, path.ball), Math.max(0, t - (row[0] ?? 0)), path.ball);
}

/** The number of the row that holds at `t`. @param {Path} path @param {number} ball @param {number} t */
export function rowAt(path, ball, t) {
    const rows = path.motions[ball] ?? [];
    let [low, high] = [0, rows.length];
    while (high - low > 1) {
        const middle = (low + high) >> 1;
        if ((rows[middle]?.[0] ?? 0) <= t) low = middle;
        else high = middle;
    }
    return low;
}

/** The motion with which a row begins. @param {Row} row @param {BallSpec} spec @returns {Motion} */
export function begin([, state = 0, x = 0, y = 0, a = 0, b = 0, c = 0, d = 0, e = 0], { radius }) {
    switch (state) {
        case SPINNING:
            return { state, x, y, vx: 0, vy: 0, wx: 0, wy: 0, wz: a };
        case SLIDING:
            return { state, x, y, vx: a, vy: b, wx: c, wy: d, wz: e };
        case ROLLING:
            return { state, x, y, vx: a, vy: b, wx: -b / radius, wy: a / radius, wz: c };
        default:
            return { state, x, y, vx: 0, vy: 0, wx: 0, wy: 0, wz: 0 };
    }
}

/**
 * The same motion, seconds later. Sliding: the cloth brakes the lowest point's slip, whose
 * direction stays, so the ball's way is a parabola. Rolling: it is braked along its way. Spin about
 * the vertical dies away on its own.
 * @param {Motion} motion
 * @param {number} dt
 * @param {BallSpec} spec
 * @returns {Motion}
 */
export function moved(motion, dt, { radius, slide, roll, spin, gravity }) {
    const { state, x, y, vx, vy, wx, wy, wz } = motion;
    if (state === STATIONARY || state === POCKETED) return motion;
    const left = Math.max(0, Math.abs(wz) - ((5 * spin * gravity) / (2 * radius)) * dt);
    const turns = Math.sign(wz) * left;
    if (state === SPINNING) return { ...motion, wz: turns };

    const [ux, uy] = state === SLIDING ? [vx - radius * wy, vy + radius * wx] : [vx, vy];
    const slip = Math.hypot(ux, uy);
    const brake = slip > 0 ? ((state === SLIDING ? slide : roll) * gravity) / slip : 0;
    const [ax, ay] = [-brake * ux, -brake * uy];
    const [fast, faster] = [vx + ax * dt, vy + ay * dt];
    return {
        state,
        x: x + (vx + (ax * dt) / 2) * dt,
        y: y + (vy + (ay * dt) / 2) * dt,
        vx: fast,
        vy: faster,
        wx: state === SLIDING ? wx + (2.5 / radius) * ay * dt : -faster / radius,
        wy: state === SLIDING ? wy - (2.5 / radius) * ax * dt : fast / radius,
        wz: turns,
    };
}
