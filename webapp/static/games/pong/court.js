// The court's geometry and motion: what the server computes, computed again to be drawn.
// Lengths are in field units unless they are said to be heights of the field; times in ms.

export const WIDTH = 800;
export const HEIGHT = 500;
export const BALL_RADIUS = 8;
export const PADDLE_WIDTH = 12;
export const PADDLE_HEIGHT = 90;
export const PADDLE_X = /** @type {const} */ ([24, 776]);
/** Where the ball's centre is when it touches a paddle's face. */
export const PLANE_X = /** @type {const} */ ([38, 762]);
/** Heights of the field a millisecond. */
export const PADDLE_SPEED = 520 / HEIGHT / 1000;
/** A paddle's centre stays within, in heights. */
export const PADDLE_MIN = PADDLE_HEIGHT / 2 / HEIGHT;
export const PADDLE_MAX = 1 - PADDLE_MIN;

const REACH = PADDLE_HEIGHT / 2 + BALL_RADIUS;
const TOP = BALL_RADIUS;
const LANE = HEIGHT - 2 * BALL_RADIUS;
const BOUNCE_ANGLE = Math.PI / 3;
const SPEED_UP = 1.06;
const SPEED_MAX = 900;

/** Seats are 0 and 1. @typedef {0 | 1} Side */
/** At `from` at `at`, moving to `to`, in heights. @typedef {{ at: number, from: number, to: number }} Paddle */
/** From `t` on at `x`, `y`, flying `vx`, `vy` a second. @typedef {{ t: number, x: number, y: number, vx: number, vy: number }} Flight */
/**
 * Where a ball is. `walls` counts its reflections, `struck` says that it has met a paddle that the
 * server has not told of yet.
 * @typedef {{ x: number, y: number, speed: number, walls: number, struck: boolean }} Spot
 */

/** Where a paddle is, in heights. @param {Paddle} paddle @param {number} now */
export function paddleAt(paddle, now) {
    const reach = PADDLE_SPEED * Math.max(0, now - paddle.at);
    const way = paddle.to - paddle.from;
    return paddle.from + Math.max(-reach, Math.min(reach, way));
}

/**
 * Where a ball is in flight. If it has met a paddle since, the bounce is foreseen.
 * @param {Flight} flight
 * @param {number} now
 * @param {(side: Side, at: number) => number} paddle where a paddle is, in heights
 * @returns {Spot}
 */
export function ballAt(flight, now, paddle) {
    const side = flight.vx < 0 ? 0 : 1;
    const meets = flight.t + ((PLANE_X[side] - flight.x) / flight.vx) * 1000;
    if (now < meets || meets < flight.t) return flown(flight, now, false);

    const there = flown(flight, meets, false);
    const off = (there.y - paddle(side, meets) * HEIGHT) / REACH;
    if (Math.abs(off) > 1) return flown(flight, now, false);
    const speed = Math.min(there.speed * SPEED_UP, SPEED_MAX);
    const angle = off * BOUNCE_ANGLE;
    const vx = Math.cos(angle) * speed * (side === 0 ? 1 : -1);
    const bounced = { t: meets, x: PLANE_X[side], y: there.y, vx, vy: Math.sin(angle) * speed };
    return flown(bounced, now, true);
}

/** Whether a flight begins at a paddle. @param {Flight} flight */
export function isStruck(flight) {
    return flight.x === PLANE_X[0] || flight.x === PLANE_X[1];
}

/**
 * @param {Flight} flight
 * @param {number} now
 * @param {boolean} struck
 * @returns {Spot}
 */
function flown({ t, x, y, vx, vy }, now, struck) {
    const dt = Math.max(0, now - t) / 1000;
    const free = y + vy * dt;
    const walls = Math.abs(Math.floor((free - TOP) / LANE));
    return { x: x + vx * dt, y: fold(free), speed: Math.hypot(vx, vy), walls, struck };
}

/** Reflects a flight that ignores the walls back between them. @param {number} y */
export function fold(y) {
    const along = (((y - TOP) % (2 * LANE)) + 2 * LANE) % (2 * LANE);
    return TOP + (along > LANE ? 2 * LANE - along : along);
}
