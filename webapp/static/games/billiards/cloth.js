// The table without its balls: wood, leather, cloth and cushions, drawn once for each size.

import { cushionsOf, mouthsOf } from "./cushions.js";
import { clothOf } from "./looks.js";
import { canvasOf } from "./sphere.js";
import { holesOf, LEATHER } from "./table.js";

/** @import { Discipline, Point } from "./types.d.ts" */
/** @import { Cushion } from "./cushions.js" */
/** @import { Area, Place } from "./table.js" */

/** @typedef {ReturnType<typeof clothOf>} Cloth */

/** The table throws its shadow so far, in CSS pixels. */
const SHADOW = 14;
const WOOD = { dark: "#3d2617", low: "#5a3a26", high: "#7a5236", light: "#946a49" };
const PEARL = "#e9dcc0";

/**
 * @param {CanvasRenderingContext2D} ctx in device pixels
 * @param {Place} place
 * @param {number} density device pixels for each of CSS
 * @param {Discipline} discipline
 */
export function drawTable(ctx, place, density, discipline) {
    ctx.setTransform(density, 0, 0, density, 0, 0);
    const cloth = clothOf(discipline);
    // Cloth without end: nothing but it is near.
    if (place.table.segments.length === 0) {
        bed(ctx, place, cloth, density);
        return metres(ctx, place);
    }
    const cushions = cushionsOf(place.table);
    wood(ctx, place, density);
    diamonds(ctx, place);
    leather(ctx, place);
    bed(ctx, place, cloth, density);
    marks(ctx, place, discipline);
    for (const { centre, radius } of holesOf(place.table)) hole(ctx, place.at(...centre), radius * place.scale);
    for (const cushion of cushions) nose(ctx, place, cushion, cloth, density);
    light(ctx, place);
}

/** @param {CanvasRenderingContext2D} ctx @param {Place} place @param {number} density */
function wood(ctx, place, density) {
    const { frame } = place;
    const round = Math.max(6, place.margin * 0.42);
    ctx.save();
    ctx.shadowColor = "rgb(0 0 0 / 55%)";
    ctx.shadowBlur = SHADOW * 0.8 * density;
    ctx.shadowOffsetY = 3 * density;
    ctx.fillStyle = WOOD.low;
    ctx.beginPath();
    ctx.roundRect(frame.left, frame.top, frame.width, frame.height, round);
    ctx.fill();
    ctx.restore();

    ctx.save();
    ctx.beginPath();
    ctx.roundRect(frame.left, frame.top, frame.width, frame.height, round);
    ctx.clip();
    const random = dice(7);
    for (const side of /** @type {const} */ ([0, 1, 2, 3])) plank(ctx, frame, place.margin, side, random);
    ctx.restore();

    // The edges catch the lamp above on the left.
    for (const [inset, colour, width] of /** @type {const} */ ([[0.75, "rgb(20 11 5 / 70%)", 1.5], [2, "rgb(255 226 180 / 16%)", 1]])) {
        ctx.strokeStyle = colour;
        ctx.lineWidth = width;
        ctx.beginPath();
        ctx.roundRect(frame.left + inset, frame.top + inset, frame.width - 2 * inset, frame.height - 2 * inset, round - inset);
        ctx.stroke();
    }
    // The groove where wood meets cloth.
    const { rail } = place;
    ctx.strokeStyle = "rgb(15 8 4 / 65%)";
    ctx.lineWidth = 2;
    ctx.strokeRect(frame.left + rail, frame.top + rail, frame.width - 2 * rail, frame.height - 2 * rail);
}

/**
 * One of the four rails: lit across, with grain along, mitred at the corners.
 * @param {CanvasRenderingContext2D} ctx @param {Area} frame @param {number} margin
 * @param {0 | 1 | 2 | 3} side above, right, below, left
 * @param {() => number} random
 */
function plank(ctx, frame, margin, side, random) {
    const lying = side % 2 === 0;
    const long = lying ? frame.width : frame.height;
    ctx.save();
    // Drawn as if above: x along the rail, y from its outer edge inward.
    if (side === 0) ctx.translate(frame.left, frame.top);
    if (side === 1) ctx.transform(0, 1, -1, 0, frame.left + frame.width, frame.top);
    if (side === 2) ctx.transform(-1, 0, 0, -1, frame.left + frame.width, frame.top + frame.height);
    if (side === 3) ctx.transform(0, -1, 1, 0, frame.left, frame.top + frame.height);
    ctx.beginPath();
    ctx.moveTo(0, 0);
    ctx.lineTo(long, 0);
    ctx.lineTo(long - margin, margin);
    ctx.lineTo(margin, margin);
    ctx.clip();
    const across = ctx.createLinearGradient(0, 0, 0, margin);
    const lit = side === 0 || side === 3;
    across.addColorStop(0, WOOD.dark);
    across.addColorStop(0.1, lit ? WOOD.light : WOOD.low);
    across.addColorStop(0.4, lit ? WOOD.high : "#6b472f");
    across.addColorStop(1, lit ? WOOD.low : WOOD.dark);
    ctx.fillStyle = across;
    ctx.fillRect(0, 0, long, margin);
    const lines = Math.round(margin * 1.6);
    for (let i = 0; i < lines; i += 1) {
        const y = random() * margin;
        const sway = margin * (0.02 + 0.07 * random());
        const wave = long * (0.25 + 0.5 * random());
        const phase = random() * 7;
        const dark = random() < 0.7;
        ctx.strokeStyle = dark ? `rgb(30 14 5 / ${6 + 14 * random()}%)` : `rgb(255 214 160 / ${3 + 6 * random()}%)`;
        ctx.lineWidth = 0.4 + 0.9 * random();
        ctx.beginPath();
        for (let x = 0; x <= long + 12; x += 12) {
            const at = y + sway * Math.sin((x / wave) * 2 * Math.PI + phase);
            if (x === 0) ctx.moveTo(x, at);
            else ctx.lineTo(x, at);
        }
        ctx.stroke();
    }
    ctx.strokeStyle = "rgb(15 8 4 / 45%)";
    ctx.lineWidth = 0.75;
    ctx.beginPath();
    ctx.moveTo(0, 0);
    ctx.lineTo(margin, margin);
    ctx.stroke();
    ctx.restore();
}

/** The sights on the rails: eighths of the length, quarters of the width. @param {CanvasRenderingContext2D} ctx @param {Place} place */
function diamonds(ctx, place) {
    const { table, scale, margin, rail } = place;
    const out = (margin - rail / 2) / scale;
    const size = Math.max(1.6, Math.min(3.2, rail * 0.13));
    /** @type {Point[]} */
    const points = [];
    for (const i of [1, 2, 3, 5, 6, 7]) {
        points.push([-out, (table.length * i) / 8], [table.width + out, (table.length * i) / 8]);
    }
    for (const i of [1, 2, 3]) {
        points.push([(table.width * i) / 4, -out], [(table.width * i) / 4, table.length + out]);
    }
    for (const point of points) {
        const [x, y] = place.at(...point);
        ctx.fillStyle = "rgb(20 10 4 / 55%)";
        rhombus(ctx, x + 0.4, y + 0.7, size * 1.2);
        ctx.fillStyle = PEARL;
        rhombus(ctx, x, y, size);
    }
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {number} size */
function rhombus(ctx, x, y, size) {
    ctx.beginPath();
    ctx.moveTo(x, y - size);
    ctx.lineTo(x + size, y);
    ctx.lineTo(x, y + size);
    ctx.lineTo(x - size, y);
    ctx.fill();
}

/** @param {CanvasRenderingContext2D} ctx @param {Place} place */
function leather(ctx, place) {
    const { frame, scale, margin } = place;
    ctx.save();
    ctx.beginPath();
    ctx.roundRect(frame.left, frame.top, frame.width, frame.height, Math.max(6, margin * 0.42));
    ctx.clip();
    for (const { centre, radius } of holesOf(place.table)) {
        const [x, y] = place.at(...centre);
        const [inner, outer] = [radius * scale, (radius + LEATHER) * scale];
        const skin = ctx.createRadialGradient(x, y, inner, x, y, outer);
        skin.addColorStop(0, "#150e09");
        skin.addColorStop(0.45, "#3a281b");
        skin.addColorStop(1, "#1d130c");
        disc(ctx, x, y, outer + 1.2, "rgb(10 5 2 / 60%)");
        disc(ctx, x, y, outer, skin);
        ctx.strokeStyle = "rgb(214 178 120 / 38%)";
        ctx.lineWidth = Math.max(0.6, 0.0022 * scale);
        const stitch = Math.max(1.4, 0.006 * scale);
        ctx.setLineDash([stitch, stitch]);
        ctx.beginPath();
        ctx.arc(x, y, inner + (outer - inner) * 0.62, 0, 2 * Math.PI);
        ctx.stroke();
        ctx.setLineDash([]);
    }
    ctx.restore();
}

/**
 * The cloth that balls run on, and of the mouths of the pockets.
 * @param {CanvasRenderingContext2D} ctx @param {Place} place @param {Cloth} cloth @param {number} density
 */
function bed(ctx, place, cloth, density) {
    const { left, top, width, height } = place.cloth;
    const [x, y] = [left + width / 2, top + height / 2];
    const glow = ctx.createRadialGradient(x, y, 0, x, y, Math.hypot(width, height) * 0.56);
    glow.addColorStop(0, cloth.middle);
    glow.addColorStop(0.45, cloth.cloth);
    glow.addColorStop(1, cloth.edge);
    ctx.beginPath();
    ctx.rect(left - 1, top - 1, width + 2, height + 2);
    for (const mouth of mouthsOf(place.table)) outline(ctx, place, clockwise(place, mouth));
    for (const fill of [glow, napOf(ctx, density, place.upright)]) {
        ctx.fillStyle = fill;
        ctx.fill();
    }
}

/** So that parts which overlap add up to one. @param {Place} place @param {readonly Point[]} points */
function clockwise(place, points) {
    const area = points.reduce((sum, point, i) => {
        const [ax, ay] = place.at(...point);
        const [bx, by] = place.at(...(points[(i + 1) % points.length] ?? point));
        return sum + ax * by - bx * ay;
    }, 0);
    return area < 0 ? [...points].reverse() : points;
}

/** The nap: short fibres along the table. @param {CanvasRenderingContext2D} ctx @param {number} density @param {boolean} upright */
function napOf(ctx, density, upright) {
    const size = 256;
    const tile = canvasOf(size, size);
    const paint = tile.getContext("2d");
    if (!paint) return "transparent";
    const random = dice(23);
    for (let i = 0; i < 13_000; i += 1) {
        const [x, y] = [Math.floor(random() * size), Math.floor(random() * size)];
        const long = 1 + 3 * random();
        paint.fillStyle = random() < 0.5 ? `rgb(0 0 0 / ${1 + 5 * random()}%)` : `rgb(255 255 255 / ${1 + 3.4 * random()}%)`;
        // Over the edge and in again, so that the tiles don't show.
        for (const [dx, dy] of /** @type {const} */ ([[0, 0], [upright ? 0 : -size, upright ? -size : 0]])) {
            paint.fillRect(x + dx, y + dy, upright ? 1 : long, upright ? long : 1);
        }
    }
    const pattern = ctx.createPattern(tile, "repeat");
    if (!pattern) return "transparent";
    pattern.setTransform(new DOMMatrix([1 / density, 0, 0, 1 / density, 0, 0]));
    return pattern;
}

/** A line each metre, where nothing else tells how far it is. @param {CanvasRenderingContext2D} ctx @param {Place} place */
function metres(ctx, place) {
    const { table } = place;
    ctx.strokeStyle = "rgb(255 255 255 / 7%)";
    ctx.lineWidth = 1;
    ctx.beginPath();
    for (let x = 0; x <= table.width; x += 1) {
        ctx.moveTo(...place.at(x, 0));
        ctx.lineTo(...place.at(x, table.length));
    }
    for (let y = 0; y <= table.length; y += 1) {
        ctx.moveTo(...place.at(0, y));
        ctx.lineTo(...place.at(table.width, y));
    }
    ctx.stroke();
}

/** @param {CanvasRenderingContext2D} ctx @param {Place} place @param {Discipline} discipline */
function marks(ctx, place, discipline) {
    const { table, scale } = place;
    ctx.strokeStyle = "rgb(255 255 255 / 20%)";
    ctx.lineWidth = Math.max(0.8, 0.003 * scale);
    const [ax, ay] = place.at(0, table.head_string);
    const [bx, by] = place.at(table.width, table.head_string);
    ctx.beginPath();
    ctx.moveTo(ax, ay);
    ctx.lineTo(bx, by);
    ctx.stroke();
    /** @type {Point[]} */
    const spots = [[table.width / 2, table.head_string], table.foot_spot];
    if (discipline === "pyramid" || discipline === "kolkhoz") spots.push([table.width / 2, table.length / 2]);
    for (const spot of spots) {
        disc(ctx, ...place.at(...spot), Math.max(1.3, 0.006 * scale), "rgb(12 20 18 / 55%)");
        disc(ctx, ...place.at(...spot), Math.max(0.7, 0.0035 * scale), "rgb(243 234 215 / 60%)");
    }
}

/** @param {CanvasRenderingContext2D} ctx @param {readonly [number, number]} at @param {number} radius */
function hole(ctx, [x, y], radius) {
    disc(ctx, x, y, radius + 0.8, "rgb(0 0 0 / 55%)");
    // Its wall away from the lamp is lit.
    const wall = ctx.createLinearGradient(x - radius, y - radius, x + radius, y + radius);
    wall.addColorStop(0, "#070504");
    wall.addColorStop(0.6, "#120c08");
    wall.addColorStop(1, "#4a3423");
    disc(ctx, x, y, radius, wall);
    const deep = ctx.createRadialGradient(x - radius * 0.1, y - radius * 0.1, radius * 0.2, x - radius * 0.06, y - radius * 0.06, radius * 0.95);
    deep.addColorStop(0, "#030303");
    deep.addColorStop(0.75, "#050403");
    deep.addColorStop(1, "rgb(5 4 3 / 0%)");
    disc(ctx, x, y, radius, deep);
}

/**
 * @param {CanvasRenderingContext2D} ctx @param {Place} place @param {Cushion} cushion @param {Cloth} cloth
 * @param {number} density
 */
function nose(ctx, place, { nose: points, normal, rail }, cloth, density) {
    const [ax, ay] = place.at(...rail[0]);
    const depth = place.margin - place.rail;
    const [ox, oy] = place.at(0, 0);
    const [px, py] = place.at(normal[0], normal[1]);
    const [nx, ny] = [(px - ox) / place.scale, (py - oy) / place.scale];
    ctx.save();
    ctx.shadowColor = "rgb(0 0 0 / 50%)";
    // A shadow's measures are the screen's own.
    ctx.shadowBlur = Math.max(4, depth * 0.8) * density;
    [ctx.shadowOffsetX, ctx.shadowOffsetY] = [depth * 0.16 * density, depth * 0.3 * density];
    const top = ctx.createLinearGradient(ax, ay, ax - nx * depth, ay - ny * depth);
    top.addColorStop(0, cloth.nose);
    top.addColorStop(0.16, cloth.cloth);
    top.addColorStop(1, cloth.back);
    ctx.fillStyle = top;
    ctx.beginPath();
    outline(ctx, place, points);
    ctx.fill();
    ctx.restore();
    ctx.strokeStyle = "rgb(255 255 255 / 14%)";
    ctx.lineWidth = 1;
    ctx.lineJoin = "round";
    ctx.beginPath();
    trace(ctx, place, points);
    ctx.stroke();
}

/** The lamp over the table: its edges lie in the dusk. @param {CanvasRenderingContext2D} ctx @param {Place} place */
function light(ctx, place) {
    const { left, top, width, height } = place.frame;
    const [x, y] = [left + width / 2, top + height / 2];
    const dusk = ctx.createRadialGradient(x, y, Math.min(width, height) * 0.42, x, y, Math.hypot(width, height) * 0.56);
    dusk.addColorStop(0, "rgb(0 0 0 / 0%)");
    dusk.addColorStop(1, "rgb(0 0 0 / 34%)");
    ctx.fillStyle = dusk;
    ctx.beginPath();
    ctx.roundRect(left, top, width, height, Math.max(6, place.margin * 0.42));
    ctx.fill();
}

/** @param {CanvasRenderingContext2D} ctx @param {Place} place @param {readonly Point[]} points */
function trace(ctx, place, points) {
    points.forEach((point, i) => {
        const [x, y] = place.at(...point);
        if (i) ctx.lineTo(x, y);
        else ctx.moveTo(x, y);
    });
}

/** @param {CanvasRenderingContext2D} ctx @param {Place} place @param {readonly Point[]} points */
function outline(ctx, place, points) {
    trace(ctx, place, points);
    ctx.closePath();
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} x @param {number} y @param {number} radius @param {string | CanvasGradient} colour
 */
export function disc(ctx, x, y, radius, colour) {
    ctx.fillStyle = colour;
    ctx.beginPath();
    ctx.arc(x, y, Math.max(0, radius), 0, 2 * Math.PI);
    ctx.fill();
}

/** Numbers from 0 to 1 that look like chance and are the same every time. @param {number} seed */
function dice(seed) {
    let state = seed;
    return () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 32;
    };
}
