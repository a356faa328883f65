// Where balls lie, without a match: racks as they are set up, positions as text for links. Pure.

import { noseReach } from "./aim.js";

/** @import { Ball, BallSpec, Discipline, Hit, Path, Placed, Point, Row, Table, View } from "./types.d.ts" */

/** Balls of a rack that touch by computation may overlap by rounding: so much between them, in metres. */
const GAP = 1e-4;
/** So much of an overlap is nothing, to the server too. */
const ROUNDED = 1e-7;
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** A coordinate is three digits of 6 bits: on a table, hundredths of a millimetre. */
const STEPS = 64 ** 3 - 1;
/** A digit for the ball, and three for each coordinate. */
const BALL_CHARS = 7;

/** The balls of each game, row by row from the one on the foot spot. */
const RACKS = {
    eight_ball: [[1], [10, 2], [3, 8, 11], [12, 4, 13, 5], [6, 14, 7, 15, 9]],
    nine_ball: [[1], [2, 3], [4, 9, 5], [6, 7], [8]],
    pyramid: [[1], [2, 3], [4, 5, 6], [7, 8, 9, 10], [11, 12, 13, 14, 15]],
};

/** @param {Discipline} discipline */
function rowsOf(discipline) {
    return RACKS[discipline === "kolkhoz" ? "pyramid" : discipline];
}

/** All balls of a game, in order. @param {Discipline} discipline @returns {Ball[]} */
export function ballsOf(discipline) {
    return [0, ...rowsOf(discipline).flat()].sort((a, b) => a - b);
}

/**
 * The balls as a game begins.
 * @param {Discipline} discipline
 * @param {BallSpec} spec
 * @param {{ head: Point, foot: Point }} spots
 * @returns {Placed[]}
 */
export function racked(discipline, { radius }, { head, foot }) {
    const step = 2 * radius + GAP;
    const row = (step * Math.sqrt(3)) / 2;
    const balls = rowsOf(discipline).flatMap((numbers, i) => numbers.map((ball, j) =>
        /** @type {Placed} */ ([ball, foot[0] + (j - (numbers.length - 1) / 2) * step, foot[1] + i * row])));
    return [/** @type {Placed} */ ([0, head[0], head[1]]), ...balls].sort((a, b) => a[0] - b[0]);
}

/** The marks of a table. @param {Table} table @returns {View["spots"]} */
export function spotsOf({ width, length, head_string, foot_spot }) {
    return { head: [width / 2, head_string], foot: foot_spot, head_string, centre: length / 2 };
}

/**
 * A path of balls in some order, as a path of balls by their numbers. Balls that are not in it have
 * no rows.
 * @param {Path} path
 * @param {readonly Ball[]} numbers in that order
 * @returns {Path}
 */
export function numbered(path, numbers) {
    /** @type {(readonly Row[])[]} */
    const motions = Array.from({ length: Math.max(...numbers) + 1 }, () => []);
    numbers.forEach((ball, i) => {
        motions[ball] = path.motions[i] ?? [];
    });
    /** @param {number | null} i */
    const number = (i) => (i === null ? 0 : (numbers[i] ?? 0));
    const hits = path.hits.map(([t, kind, ball, other, strength]) =>
        /** @type {Hit} */ ([t, kind, number(ball), kind === "ball" ? number(other) : other, strength]));
    return { ...path, motions, hits };
}

/**
 * A place for one more ball: that nearest to a wanted one. Null: there is none.
 * @param {Table} table
 * @param {number} radius
 * @param {readonly Placed[]} balls
 * @param {Point} wanted
 * @returns {Point | null}
 */
export function freeSpot({ width, length }, radius, balls, [wx, wy]) {
    /** @type {Point[]} */
    const free = [];
    for (let x = radius; x <= width - radius; x += radius) {
        for (let y = radius; y <= length - radius; y += radius) {
            if (balls.every(([, bx, by]) => Math.hypot(bx - x, by - y) >= 2 * radius)) free.push([x, y]);
        }
    }
    if (balls.every(([, bx, by]) => Math.hypot(bx - wx, by - wy) >= 2 * radius)) free.push([wx, wy]);
    const far = (/** @type {Point} */ [x, y]) => Math.hypot(x - wx, y - wy);
    return free.sort((a, b) => far(a) - far(b))[0] ?? null;
}

/** As a word that an address can carry. @param {Table} table @param {readonly Placed[]} balls */
export function written({ width, length }, balls) {
    return balls.map(([ball, x, y]) => digit(ball) + number(x / width) + number(y / length)).join("");
}

/**
 * The other way round. Balls that rounding let overlap are moved apart.
 * @param {Table} table
 * @param {BallSpec} spec
 * @param {Discipline} discipline
 * @param {string} text
 * @returns {Placed[] | null} null: it is no position of this game
 */
export function read(table, { radius }, discipline, text) {
    const known = ballsOf(discipline);
    if (!text || text.length % BALL_CHARS !== 0 || text.length > known.length * BALL_CHARS) return null;
    /** @type {Placed[]} */
    const balls = [];
    for (let i = 0; i < text.length; i += BALL_CHARS) {
        const ball = DIGITS.indexOf(text[i] ?? "");
        const [x, y] = [value(text.slice(i + 1, i + 4)), value(text.slice(i + 4, i + 7))];
        if (x === null || y === null || !known.includes(ball) || balls.some(([n]) => n === ball)) return null;
        balls.push([ball, x * table.width, y * table.length]);
    }
    const apart = movedApart(balls, radius);
    // A ball may rest against a cushion, and rounding may push it in a little.
    const least = noseReach(table, radius);
    const inside = apart.map(([n, x, y]) =>
        /** @type {Placed} */ ([n, clamped(x, least, table.width), clamped(y, least, table.length)]));
    const isInside = inside.every(([, x, y], i) =>
        Math.hypot(x - (apart[i]?.[1] ?? 0), y - (apart[i]?.[2] ?? 0)) < 2 * GAP);
    const isFree = inside.every(([, x, y], i) => inside.slice(i + 1).every(([, ox, oy]) =>
        Math.hypot(x - ox, y - oy) >= 2 * radius - ROUNDED));
    return isInside && isFree ? inside.sort((a, b) => a[0] - b[0]) : null;
}

/** @param {number} at @param {number} least @param {number} size */
function clamped(at, least, size) {
    return Math.max(least, Math.min(size - least, at));
}

/** @param {readonly Placed[]} balls @param {number} radius @returns {Placed[]} */
function movedApart(balls, radius) {
    const places = balls.map(([n, x, y]) => ({ n, x, y }));
    for (let round = 0; round < 4; round += 1) {
        places.forEach((a, i) => {
            for (const b of places.slice(i + 1)) {
                const [dx, dy] = [b.x - a.x, b.y - a.y];
                const off = Math.hypot(dx, dy);
                // What overlaps by more was never a position.
                if (off >= 2 * radius || off < 1.9 * radius) continue;
                const push = (2 * radius - off) / 2 + 1e-9;
                [a.x, a.y] = [a.x - (dx / off) * push, a.y - (dy / off) * push];
                [b.x, b.y] = [b.x + (dx / off) * push, b.y + (dy / off) * push];
            }
        });
    }
    return places.map(({ n, x, y }) => [n, x, y]);
}

/** @param {number} n */
function digit(n) {
    return DIGITS[n] ?? "";
}

/** @param {number} share 0 to 1 */
function number(share) {
    const steps = Math.round(Math.max(0, Math.min(1, share)) * STEPS);
    return digit(Math.floor(steps / 4096)) + digit(Math.floor(steps / 64) % 64) + digit(steps % 64);
}

/** @param {string} text @returns {number | null} */
function value(text) {
    const digits = [...text].map((it) => DIGITS.indexOf(it));
    if (digits.length !== 3 || digits.some((it) => it < 0)) return null;
    return digits.reduce((sum, it) => sum * 64 + it, 0) / STEPS;
}
