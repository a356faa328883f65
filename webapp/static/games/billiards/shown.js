// A shot that is looked at: how it differs from the reference's, and how much of the cloth is seen.
// Pure.

import { ballAt, POCKETED } from "./path.js";

/** @import { Discipline, Hit, Path, Placed, Strike, Table } from "./types.d.ts" */

/**
 * Something that can be looked at, played by one or several sets of laws.
 * @typedef {{ id: string, group: string, title: string, runs: readonly Run[] }} Shown
 */

/**
 * @typedef {object} Run
 * @property {string} laws their name; "" for those of the game
 * @property {"ours" | "theirs"} by whose the path is
 * @property {Discipline} discipline by which balls and cloth look
 * @property {Table} table without cushions: it is cloth without end
 * @property {Strike} strike
 * @property {Path} path
 * @property {Against | null} against what the reference has instead
 * @property {boolean} isStill nobody told how the balls move: only what happens, and where they end
 */

/**
 * What the reference says of a shot.
 * @typedef {object} Against
 * @property {readonly Hit[]} hits
 * @property {number} rest
 * @property {readonly Placed[]} places where balls rest that are not in a pocket
 * @property {number} late by more seconds nothing may be off
 * @property {number} far nor by more metres
 */

/**
 * A line of what happens: `off` is how many seconds later it is than in the reference; null where
 * there is nothing to compare with.
 * @typedef {{ hit: Hit, off: number | null, only: "ours" | "theirs" | null }} Line
 */

/** What of a table is seen from a time on: left, near, right and far, in metres. @typedef {{ from: number, box: Box }} View */
/** @typedef {readonly [number, number, number, number]} Box */

/** Closer than so many metres nobody looks. */
const CLOSEST = 1.4;
/** Around the balls, in metres. */
const ROOM = 0.16;
/** A shot is looked through at so many instants. */
const INSTANTS = 600;

/**
 * What happens, in order, with what only the reference has. The n-th time that two things meet is
 * the n-th time in both.
 * @param {Run} run
 * @returns {Line[]}
 */
export function linesOf({ path, against, isStill }) {
    if (!against || isStill) return path.hits.map((hit) => ({ hit, off: null, only: null }));
    const theirs = byName(against.hits);
    const ours = byName(path.hits);
    const lines = [...ours].map(([name, hit]) => {
        const other = theirs.get(name);
        return { hit, off: other ? hit[0] - other[0] : null, only: other ? null : /** @type {const} */ ("ours") };
    });
    const missing = [...theirs].filter(([name]) => !ours.has(name))
        .map(([, hit]) => ({ hit, off: null, only: /** @type {const} */ ("theirs") }));
    return [...lines, ...missing].sort((a, b) => a.hit[0] - b.hit[0]);
}

/** By what meets what, and for which time. @param {readonly Hit[]} hits @returns {Map<string, Hit>} */
function byName(hits) {
    const named = new Map();
    for (const hit of hits) {
        const [, kind, ball, other] = hit;
        for (let time = 1; ; time += 1) {
            const name = [kind, ball, other, time].join();
            if (named.has(name)) continue;
            named.set(name, hit);
            break;
        }
    }
    return named;
}

/** By how many metres the ball is off that rests farthest from where the reference has it. @param {Run} run */
export function farOff({ path, against }) {
    const off = (against?.places ?? []).map(([ball, x, y]) => {
        const rests = ballAt(path, ball, path.rest);
        return rests.state === POCKETED ? Infinity : Math.hypot(rests.x - x, rests.y - y);
    });
    const fallen = path.motions.filter((rows) => rows.at(-1)?.[1] === POCKETED).length;
    const all = path.motions.filter((rows) => rows.length).length;
    // A ball that only the reference has in a pocket lies here.
    return all - fallen > (against?.places.length ?? 0) ? Infinity : Math.max(0, ...off);
}

/**
 * As balls part on cloth without end, more of it is seen: twice as much each time.
 * @param {Path} path
 * @param {readonly Placed[]} places that are seen, too
 * @returns {View[]} in order of time, at least one
 */
export function viewsOf(path, places) {
    const moving = path.motions.flatMap((rows, ball) => (rows.length ? [ball] : []));
    /** @type {View[]} */
    const views = [];
    let [box, from, last, most] = [bounds([]), 0, 0, CLOSEST];
    for (let i = 0; i <= INSTANTS; i += 1) {
        const t = (path.rest * i) / INSTANTS;
        const wider = wide(box, moving.map((ball) => ballAt(path, ball, t)));
        if (sizeOf(wider) > most) {
            if (i > 0) {
                views.push({ from, box: least(box, most) });
                from = last;
            }
            while (sizeOf(wider) > most) most *= 2;
        }
        [box, last] = [wider, t];
    }
    const all = wide(box, places.map(([, x, y]) => ({ x, y })));
    return [...views, { from, box: least(all, CLOSEST) }];
}

/** @param {readonly View[]} views @param {number} t @returns {Box} */
export function viewAt(views, t) {
    return (views.findLast(({ from }) => from <= t) ?? views[0])?.box ?? [0, 0, CLOSEST, CLOSEST];
}

/** @param {readonly { x: number, y: number }[]} points @returns {Box} */
function bounds(points) {
    return wide([Infinity, Infinity, -Infinity, -Infinity], points);
}

/** @param {Box} box @param {readonly { x: number, y: number }[]} points @returns {Box} */
function wide([left, near, right, far], points) {
    const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
    return [Math.min(left, ...xs), Math.min(near, ...ys), Math.max(right, ...xs), Math.max(far, ...ys)];
}

/** With room around it. @param {Box} box */
function sizeOf([left, near, right, far]) {
    return Math.max(right - left, far - near) + 2 * ROOM;
}

/** The box with room around it, or one of that size around the same middle. @param {Box} box @param {number} size @returns {Box} */
function least([left, near, right, far], size) {
    const [x, y] = [(left + right) / 2, (near + far) / 2];
    const [w, h] = [Math.max(size, right - left + 2 * ROOM) / 2, Math.max(size, far - near + 2 * ROOM) / 2];
    return [x - w, y - h, x + w, y + h];
}
