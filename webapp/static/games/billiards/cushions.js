// The outlines of a table's cushions, from the parts that balls meet: rails, jaws and their faces.
// Pure.

import { cushionOf } from "./table.js";

/** @import { Circle, Point, Segment, Table } from "./types.d.ts" */

/**
 * One cushion: its nose from back edge to back edge, and which way it faces.
 * @typedef {object} Cushion
 * @property {Point[]} nose face, round point, rail, round point, face
 * @property {Point} normal from the rail to where balls are
 * @property {[Point, Point]} rail the straight part
 */

/** Parts that end this near to each other touch, in metres. */
const TOUCH = 1e-3;
const ARC_STEPS = 8;

/** @param {Table} table @returns {Cushion[]} */
export function cushionsOf(table) {
    const isRail = (/** @type {Segment} */ it) => [it.from, it.to].every((end) => behind(table, end) < 1e-6);
    const rails = table.segments.filter(isRail);
    const faces = table.segments.filter((it) => !isRail(it));
    return rails.map(({ from, to, normal }) => ({
        normal,
        rail: /** @type {[Point, Point]} */ ([from, to]),
        nose: [...corner(table, faces, from, to, normal).reverse(), ...corner(table, faces, to, from, normal)],
    }));
}

/**
 * The mouth of every pocket: the face ends on both sides, from the nose to the back and across.
 * @param {Table} table
 * @returns {Point[][]}
 */
export function mouthsOf(table) {
    const ends = cushionsOf(table).flatMap(({ nose }) => [nose, [...nose].reverse()]);
    return table.pockets.map(({ centre }) => {
        const near = ends
            .map((nose) => ({ nose, off: distance(nose[0] ?? [0, 0], centre) }))
            .sort((a, b) => a.off - b.off)
            .slice(0, 2);
        const [one = [], other = []] = near.map(({ nose }) => nose.slice(0, nose.length / 2));
        return [...[...one].reverse(), ...other];
    });
}

/**
 * From a rail's end around its jaw and down the face. Where there is no jaw, rails meet aslant.
 * @param {Table} table @param {readonly Segment[]} faces @param {Point} end @param {Point} start
 * @param {Point} normal
 * @returns {Point[]}
 */
function corner(table, faces, end, start, normal) {
    const jaw = table.jaws.find(({ centre, radius }) =>
        Math.abs(distance(centre, end) - radius) < TOUCH && isAhead(start, end, centre));
    const length = distance(start, end) || 1;
    const depth = cushionOf(table);
    /** @type {Point} */
    const aslant = [
        end[0] + ((end[0] - start[0]) / length - normal[0]) * depth,
        end[1] + ((end[1] - start[1]) / length - normal[1]) * depth,
    ];
    if (!jaw) return [end, aslant];
    const face = faces
        .flatMap(({ from, to }) => [[from, to], [to, from]])
        .find(([near]) => near && Math.abs(distance(near, jaw.centre) - jaw.radius) < TOUCH);
    const [near, back] = face ?? [];
    return near && back ? [...arc(jaw, end, near), back] : [end, aslant];
}

/** A rail's jaws are at its ends, and not beyond a pocket. @param {Point} start @param {Point} end @param {Point} centre */
function isAhead([ax, ay], [bx, by], [x, y]) {
    const length = distance([ax, ay], [bx, by]) || 1;
    const along = ((x - bx) * (bx - ax) + (y - by) * (by - ay)) / length;
    return Math.abs(along) < TOUCH;
}

/** @param {Circle} circle @param {Point} from @param {Point} to @returns {Point[]} */
function arc({ centre: [x, y], radius }, from, to) {
    const start = Math.atan2(from[1] - y, from[0] - x);
    const turn = Math.atan2(to[1] - y, to[0] - x) - start;
    const short = Math.atan2(Math.sin(turn), Math.cos(turn));
    return Array.from({ length: ARC_STEPS + 1 }, (_, i) => {
        const angle = start + (short * i) / ARC_STEPS;
        return /** @type {Point} */ ([x + radius * Math.cos(angle), y + radius * Math.sin(angle)]);
    });
}

/** How far a point is outside the nose lines, or inside when negative. @param {Table} table @param {Point} point */
function behind({ width, length }, [x, y]) {
    return Math.max(-x, x - width, -y, y - length);
}

/** @param {Point} a @param {Point} b */
function distance(a, b) {
    return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
