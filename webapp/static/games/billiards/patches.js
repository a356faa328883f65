// Which parts of the canvas something drawn over the table covers, so that a frame restores those
// and not all of it. Only reckons.

import { CUE } from "./sight.js";
import { holesOf } from "./table.js";

/** @import { Overlay } from "./draw.js" */
/** @import { Place } from "./table.js" */
/** @import { Point } from "./types.d.ts" */

/** A part of the canvas, in whole device pixels: left, top, width, height. @typedef {readonly [number, number, number, number]} Patch */
/** @typedef {readonly [number, number]} Spot a point of the screen, in CSS pixels */

/** Half a line's width, with its soft edge, and a ring's around what it is around. */
const LINE = 4;
const RING = 8;
/** A cue's shadow falls so far beside it, and so much farther upright, in metres: as `drawCue` has it. */
const SHADOW = { level: 0.046, upright: 0.05 };

/**
 * What lies within a reach of a point.
 * @param {Spot} at @param {number} reach in CSS pixels @param {number} density
 * @returns {Patch}
 */
export function patchOf(at, reach, density) {
    return boxOf(at, at, reach, density);
}

/**
 * All that is drawn for whoever aims. Null: too much to be told apart.
 * @param {Overlay} overlay
 * @param {Place} place
 * @param {number} radius of a ball, in metres
 * @param {number} density
 * @returns {Patch[] | null}
 */
export function patchesOf({ sight, cues, held, house, pocket, ghosts, traces }, place, radius, density) {
    if (traces?.length) return null;
    const { scale, table } = place;
    const r = radius * scale;
    /** @type {Patch[]} */
    const patches = [];
    /** @param {readonly Point[]} points @param {number} reach */
    const along = (points, reach) => {
        const spots = points.map((it) => place.at(...it));
        spots.slice(1).forEach((to, i) => patches.push(...covered(spots[i] ?? to, to, reach, density)));
    };
    if (sight) {
        along([sight.from, ...sight.bends, sight.to], LINE);
        patches.push(patchOf(place.at(...sight.to), r + LINE, density));
        for (const stub of sight.stubs) along(stub, LINE);
    }
    for (const { ball: [x, y], heading, back, elevation } of cues ?? []) {
        const long = radius + back + CUE.length;
        const butt = /** @type {const} */ ([x - long * Math.cos(heading), y - long * Math.sin(heading)]);
        const beside = SHADOW.level + SHADOW.upright * Math.sin(elevation);
        along([[x, y], butt], Math.max(3, (CUE.butt / 2) * scale) + Math.max(radius, beside) * scale);
    }
    for (const ghost of ghosts ?? []) patches.push(patchOf(place.at(...ghost), r + RING, density));
    if (held) patches.push(patchOf(place.at(held.x, held.y), Math.max(1.7 * r, 16) + RING, density));
    const hole = pocket === null || pocket === undefined ? undefined : holesOf(table)[pocket];
    if (hole) patches.push(patchOf(place.at(...hole.centre), hole.radius * scale + RING, density));
    if (house) {
        const [[ax, ay], [bx, by]] = [place.at(0, 0), place.at(table.width, house === "behind" ? table.head_string : table.length)];
        patches.push(boxOf([ax, ay], [bx, by], 1, density));
    }
    return patches;
}

/** What lies between two points, and a reach around it. @param {Spot} a @param {Spot} b @param {number} reach @param {number} density @returns {Patch} */
function boxOf([ax, ay], [bx, by], reach, density) {
    const [left, top] = [Math.floor((Math.min(ax, bx) - reach) * density), Math.floor((Math.min(ay, by) - reach) * density)];
    const [wide, high] = [Math.abs(bx - ax) + 2 * reach, Math.abs(by - ay) + 2 * reach];
    return [left, top, Math.ceil(wide * density) + 1, Math.ceil(high * density) + 1];
}

/** A line in as many boxes as have the least area together: one if it lies level or upright. @param {Spot} from @param {Spot} to @param {number} reach @param {number} density */
function covered([ax, ay], [bx, by], reach, density) {
    const [dx, dy] = [bx - ax, by - ay];
    const n = Math.max(1, Math.round(Math.sqrt(Math.abs(dx * dy)) / (2 * reach)));
    /** @param {number} i @returns {Spot} */
    const at = (i) => [ax + (dx * i) / n, ay + (dy * i) / n];
    return Array.from({ length: n }, (_, i) => boxOf(at(i), at(i + 1), reach, density));
}
