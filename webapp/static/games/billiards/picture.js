// Small pictures of the games for lists.

import { html } from "../../lib/html.js";
import { clothOf, css, INK, IVORY, lookOf } from "./looks.js";

/** @import { Html } from "../../lib/html.js" */
/** @import { Discipline } from "./types.d.ts" */

/** Ball, x and y of what is told of each game in its picture. @type {Record<Discipline, readonly (readonly [number, number, number])[]>} */
const BALLS = {
    eight_ball: [[0, 84, 96], [8, 196, 62], [11, 228, 98], [3, 252, 44]],
    nine_ball: [[0, 84, 98], [1, 176, 80], [2, 194.5, 69.5], [3, 194.5, 90.5], [4, 213, 59], [9, 213, 80], [5, 213, 101], [6, 231.5, 69.5], [7, 231.5, 90.5], [8, 250, 80]],
    pyramid: [[0, 84, 60], [4, 190, 92], [11, 226, 58], [7, 250, 104]],
    kolkhoz: [[0, 80, 98], [9, 168, 62], [1, 206, 104], [2, 236, 54], [13, 262, 96]],
};
/** Whose way is drawn: from the white or yellow ball to another. */
const AIMED = { eight_ball: [84, 96, 179, 71], nine_ball: [84, 98, 159, 84], pyramid: [84, 60, 175, 85], kolkhoz: [80, 98, 151, 68] };

/** Kolkhoz may have balls that are worth more: it is known by them. */
const COLOURED = 2;

/** @param {Discipline} discipline @returns {Html} */
export function picture(discipline) {
    const { cloth, edge, nose } = clothOf(discipline);
    const [ax = 0, ay = 0, bx = 0, by = 0] = AIMED[discipline];
    return html`<svg class="picture" viewBox="0 0 320 160" aria-hidden="true">
        <rect width="320" height="160" fill="#5a3a26"/>
        <path d="M0 5h320M0 11h320M0 151h320M0 156h320" stroke="#7a5236" stroke-width="2" opacity=".55"/>
        <rect x="16" y="16" width="288" height="128" fill="${edge}"/>
        <rect x="24" y="24" width="272" height="112" fill="${cloth}"/>
        <path d="M28 16H150l-3 8H38zM170 16H292l-10 8H173zM28 144H150l-3-8H38zM170 144H292l-10-8H173zM16 28l8 10v84l-8 10zM304 28l-8 10v84l8 10z" fill="${nose}"/>
        <g fill="#0a0706" stroke="#2b1d14" stroke-width="4"><circle cx="18" cy="18" r="12"/><circle cx="160" cy="14" r="11"/>
            <circle cx="302" cy="18" r="12"/><circle cx="18" cy="142" r="12"/><circle cx="160" cy="146" r="11"/><circle cx="302" cy="142" r="12"/></g>
        <path d="M${ax} ${ay}L${bx} ${by}" stroke="#f3ead7" stroke-width="1.5" opacity=".7"/>
        ${BALLS[discipline].map(([ball, x, y]) => drawn(discipline, ball, x, y))}</svg>`;
}

/** @param {Discipline} discipline @param {number} ball @param {number} x @param {number} y */
function drawn(discipline, ball, x, y) {
    const { kind, colour, number } = lookOf(discipline, ball, COLOURED);
    const small = number.length > 1;
    return html`<g transform="translate(${x} ${y})"><circle cx="2.5" cy="3.5" r="10" opacity=".35"/>
        <circle r="10" fill="${css(kind === "stripe" ? IVORY : colour)}"/>
        ${kind === "stripe" ? html`<path d="M-7.5-6.6H7.5a10 10 0 0 1 0 13.2H-7.5a10 10 0 0 1 0-13.2z" fill="${css(colour)}"/>` : ""}
        ${kind === "solid" || kind === "stripe" ? html`<circle r="5.2" fill="${css(IVORY)}"/>` : ""}
        ${number ? html`<text y="${small ? 2.7 : 3}" text-anchor="middle" font-size="${small ? 7.4 : 8.4}" font-weight="600"
            font-family="system-ui, sans-serif" fill="${css(INK)}">${number}</text>` : ""}
        <ellipse cx="-3.4" cy="-5" rx="2.6" ry="1.6" transform="rotate(-32 -3.4 -5)" fill="#fff" opacity=".5"/></g>`;
}
