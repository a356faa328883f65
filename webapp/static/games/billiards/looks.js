// What the balls and cloths of each discipline look like. Nothing is told by colour alone: balls
// have numbers, and stripes are stripes.

import { html } from "../../lib/html.js";

/** @import { Ball, Discipline } from "./types.d.ts" */
/** @import { Html } from "../../lib/html.js" */

/** Red, green and blue from 0 to 255. @typedef {readonly [number, number, number]} Colour */

/**
 * "solid" and "stripe" have a number in a disc at both ends of an axis, "ivory" only a number in a
 * ring; "cue" has six dots, by which its spin is seen.
 * @typedef {object} Look
 * @property {"solid" | "stripe" | "ivory" | "cue"} kind
 * @property {Colour} colour
 * @property {string} number
 */

/** @type {Colour} */
export const IVORY = [243, 234, 215];
/** @type {Colour} */
export const INK = [28, 26, 24];
/** The cue ball's dots. @type {Colour} */
export const DOT = [172, 52, 44];
/** Pool's, by number from 1; stripes have them again. @type {readonly Colour[]} */
const POOL = [
    [240, 184, 40], [36, 84, 172], [206, 44, 36], [104, 50, 142], [236, 118, 32], [28, 138, 76],
    [130, 34, 46], [30, 30, 34],
];
/** @type {Colour} */
const YELLOW = [232, 172, 44];
/** Kolkhoz: worth 2, 3 and 5. @type {readonly Colour[]} */
const COLOURED = [[206, 44, 36], [28, 138, 76], [36, 84, 172]];

/** Cloth in the middle and at its edge, and the top of the cushions. */
const CLOTHS = {
    pool: { middle: "#236b55", cloth: "#1d5c48", edge: "#14463a", nose: "#2d7a61", back: "#175041" },
    pyramid: { middle: "#325a8f", cloth: "#2a4d7c", edge: "#1d3860", nose: "#416ba3", back: "#234370" },
};

/** @param {Discipline} discipline */
export function clothOf(discipline) {
    return CLOTHS[isPool(discipline) ? "pool" : "pyramid"];
}

/** @param {Discipline} discipline */
export function isPool(discipline) {
    return discipline === "eight_ball" || discipline === "nine_ball";
}

/**
 * @param {Discipline} discipline
 * @param {Ball} ball
 * @param {number} [coloured] of Kolkhoz: balls up to this one are worth more
 * @returns {Look}
 */
export function lookOf(discipline, ball, coloured = 0) {
    const number = String(ball);
    if (!isPool(discipline)) {
        if (ball === 0) return { kind: "cue", colour: YELLOW, number: "" };
        const colour = ball <= coloured ? COLOURED[ball - 1] : undefined;
        return colour ? { kind: "solid", colour, number } : { kind: "ivory", colour: IVORY, number };
    }
    if (ball === 0) return { kind: "cue", colour: IVORY, number: "" };
    const colour = POOL[(ball - 1) % 8] ?? INK;
    return { kind: ball > 8 ? "stripe" : "solid", colour, number };
}

/**
 * A ball among words: for shelves, groups and choices. As large as its text's line.
 * @param {Discipline} discipline
 * @param {Ball} ball
 * @param {number} [coloured]
 * @returns {Html}
 */
export function ballIcon(discipline, ball, coloured = 0) {
    const { kind, colour, number } = lookOf(discipline, ball, coloured);
    const own = css(colour);
    const ivory = css(IVORY);
    return html`<svg class="ball" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
        <circle cx="12" cy="12" r="11" fill="${kind === "stripe" ? ivory : own}"/>
        ${kind === "stripe" ? html`<path d="M3.9 4.6h16.2a11 11 0 0 1 0 14.8H3.9a11 11 0 0 1 0-14.8z" fill="${own}"/>` : ""}
        ${kind === "cue" ? html`<circle cx="12" cy="12" r="2.6" fill="${css(DOT)}"/>` : ""}
        ${kind === "solid" || kind === "stripe" ? html`<circle cx="12" cy="12" r="5.8" fill="${ivory}"/>` : ""}
        ${number ? html`<text x="12" y="15.6" text-anchor="middle" font-size="${number.length > 1 ? 8.4 : 10}" font-weight="600"
            font-family="system-ui, sans-serif" fill="${css(INK)}">${number}</text>` : ""}
        <circle cx="12" cy="12" r="11" fill="none" stroke="#fff" stroke-opacity=".16"/>
        <ellipse cx="8.6" cy="5.6" rx="3.4" ry="2" transform="rotate(-32 8.6 5.6)" fill="#fff" opacity=".45"/></svg>`;
}

/** @param {Colour} colour */
export function css([r, g, b]) {
    return `rgb(${r} ${g} ${b})`;
}
