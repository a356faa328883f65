// From the table's metres to the screen's pixels and back. Pure.

/** @import { Circle, Table } from "./types.d.ts" */

/**
 * A part of the canvas, in CSS pixels.
 * @typedef {{ left: number, top: number, width: number, height: number }} Area
 */

/**
 * How a table lies on the screen. Lengths of the screen in CSS pixels.
 * @typedef {object} Place
 * @property {Table} table
 * @property {number} scale pixels a metre
 * @property {boolean} upright its length runs from the bottom to the top; else across the screen
 * @property {0 | 1 | 2 | 3} quarters how often it is turned by a right angle, clockwise: at 0 its head
 *     is at the bottom, at 1 at the left, at 2 at the top, at 3 at the right
 * @property {Area} frame the whole table, with its rails
 * @property {Area} cloth between the cushions' noses
 * @property {number} margin from the noses to the frame's edge
 * @property {number} rail of it, the wood
 * @property {(x: number, y: number) => [number, number]} at where a point of the table is
 * @property {(sx: number, sy: number) => [number, number]} back which point of the table is there
 * @property {(heading: number) => number} angle a heading as the screen has it: clockwise from the right
 * @property {(angle: number) => number} heading the other way round
 */

/** Leather around a pocket, in metres. */
export const LEATHER = 0.017;
/** Wood behind the cushions, in lengths of the table. */
const WOOD = 0.0245;
/** Pockets are seen to reach so far behind the cushions at most, in metres. */
const DEEP = 0.056;

/** From the noses to the frame's outer edge, in metres. @param {Table} table */
export function marginOf(table) {
    const behind = holesOf(table).map(({ centre: [x, y], radius }) =>
        radius + Math.max(-x, x - table.width, -y, y - table.length));
    return Math.max(cushionOf(table) + WOOD * table.length, ...behind.map((it) => it + LEATHER));
}

/**
 * The pockets as they are seen. Their edge toward the table is where balls fall; those that are
 * deeper than a rail is wide look shallower, so that more of the screen is cloth.
 * @param {Table} table
 * @returns {Circle[]}
 */
export function holesOf(table) {
    const most = cushionOf(table) + DEEP;
    const middle = table.length / 2;
    return table.pockets.map((pocket) => {
        const { centre: [x, y], radius } = pocket;
        const depth = Math.max(-x, x - table.width);
        if (Math.abs(y - middle) > radius || depth + radius <= most) return pocket;
        const front = depth - radius;
        const off = (front + most) / 2;
        return { centre: [x < middle / 2 ? -off : table.width + off, y], radius: (most - front) / 2 };
    });
}

/** How far the cushions reach back from their noses, in metres. @param {Table} table */
export function cushionOf(table) {
    const ends = table.segments.flatMap(({ from, to }) => [from, to]);
    const behind = ends.map(([x, y]) => Math.max(-x, x - table.width, -y, y - table.length));
    return Math.max(0.04, ...behind);
}

/**
 * Lays a table into an area, as large as it fits.
 * @param {Table} table
 * @param {Area} area
 * @param {object} [how]
 * @param {"head" | "foot"} [how.near] which end is the viewer's: at the bottom, or at the left
 * @param {boolean} [how.upright] unless said, as it comes out larger
 * @returns {Place}
 */
export function placed(table, area, { near = "head", upright } = {}) {
    const margin = marginOf(table);
    const [wide, long] = [table.width + 2 * margin, table.length + 2 * margin];
    const standing = Math.min(area.width / wide, area.height / long);
    const lying = Math.min(area.width / long, area.height / wide);
    const stands = upright ?? standing >= lying;
    const scale = Math.max(1, stands ? standing : lying);
    const [w, h] = stands ? [wide * scale, long * scale] : [long * scale, wide * scale];
    const frame = {
        left: area.left + (area.width - w) / 2,
        top: area.top + (area.height - h) / 2,
        width: w,
        height: h,
    };
    const quarters = /** @type {0 | 1 | 2 | 3} */ ((stands ? 0 : 1) + (near === "head" ? 0 : 2));
    return laidBy(table, frame, scale, quarters, margin);
}

/**
 * Lays a table so that a part of it fills an area, as large as it fits. The rest goes beyond.
 * @param {Table} table
 * @param {Area} area
 * @param {readonly [number, number, number, number]} box of the table: left, near, right, far
 * @param {boolean} upright
 * @returns {Place}
 */
export function framed(table, area, [left, near, right, far], upright) {
    const [wide, long] = upright ? [right - left, far - near] : [far - near, right - left];
    const scale = Math.min(area.width / wide, area.height / long);
    const margin = marginOf(table);
    const [w, h] = [(table.width + 2 * margin) * scale, (table.length + 2 * margin) * scale];
    const [x, y] = [((left + right) / 2 + margin) * scale, ((near + far) / 2 + margin) * scale];
    const [cx, cy] = [area.left + area.width / 2, area.top + area.height / 2];
    const frame = upright ? { left: cx - x, top: cy - (h - y), width: w, height: h }
        : { left: cx - y, top: cy - x, width: h, height: w };
    return laidBy(table, frame, scale, upright ? 0 : 1, margin);
}

/** @param {Table} table @param {Area} frame @param {number} scale @param {0 | 1 | 2 | 3} quarters @param {number} margin in metres @returns {Place} */
function laidBy(table, frame, scale, quarters, margin) {
    const inset = margin * scale;
    const cloth = {
        left: frame.left + inset, top: frame.top + inset,
        width: frame.width - 2 * inset, height: frame.height - 2 * inset,
    };
    const [cx, cy] = [cloth.left + cloth.width / 2, cloth.top + cloth.height / 2];
    const [mx, my] = [table.width / 2, table.length / 2];
    // Up on the screen is -y; a right angle clockwise takes (x, y) to (y, -x).
    const [cos, sin] = /** @type {const} */ ([[1, 0], [0, 1], [-1, 0], [0, -1]])[quarters];
    return {
        table, scale, upright: quarters % 2 === 0, quarters, frame, cloth, margin: inset, rail: (margin - cushionOf(table)) * scale,
        at(x, y) {
            const [dx, dy] = [(x - mx) * scale, (y - my) * scale];
            return [cx + cos * dx + sin * dy, cy + sin * dx - cos * dy];
        },
        back(sx, sy) {
            const [dx, dy] = [(sx - cx) / scale, (sy - cy) / scale];
            return [mx + cos * dx + sin * dy, my + sin * dx - cos * dy];
        },
        angle: (heading) => quarters * (Math.PI / 2) - heading,
        heading: (angle) => quarters * (Math.PI / 2) - angle,
    };
}

/**
 * Which pocket is under a point of the screen, or null.
 * @param {Place} place @param {number} sx @param {number} sy
 * @param {number} [reach] so far from its rim, in pixels
 */
export function pocketAt(place, sx, sy, reach = 12) {
    const [x, y] = place.back(sx, sy);
    const near = place.table.pockets.map(({ centre, radius }) =>
        (Math.hypot(x - centre[0], y - centre[1]) - radius) * place.scale);
    const nearest = near.indexOf(Math.min(...near));
    return nearest >= 0 && (near[nearest] ?? Infinity) <= reach ? nearest : null;
}
