// Balls as small pictures: every pixel of a sphere asks which point of the turned ball it shows, and
// is lit. One ball costs a thousand pixels or so, and only when it has turned.

import { DOT, INK, IVORY } from "./looks.js";
import { axes } from "./turning.js";

/** @import { Colour, Look } from "./looks.js" */
/** @import { Turning } from "./turning.js" */

/** A ball's picture is its own as long as this stays. @typedef {{ look: Look, turning: Turning, quarters: number, cell: number }} Kept */

/** Sines of angles seen from a ball's middle: number disc, half of a stripe, dot. */
const DISC = 0.59;
const STRIPE = 0.65;
const DOTS = 0.17;
/** A ring's inner edge, in discs. */
const RING = 0.86;
/** To the left, up, and toward the eye: where the lamp hangs. */
const LAMP = unit([-0.42, 0.5, 0.76]);
/** Half of the lamp's mirror image, across and along, in radii. */
const GLEAM = /** @type {const} */ ([0.24, 0.16]);
/** A turn that moves no pixel by more than this is not drawn. */
const STILL_PX = 0.15;
/** Pictures in one sheet: snooker has so many balls. */
const CELLS = 22;
/** What is kept of a pixel: where it is in a cell, the sphere's normal, light, gloss, rim, cover. */
const STRIDE = 8;

export class Spheres {
    #radius;
    #half;
    #pixels;
    #sheet;
    #ctx;
    #image;
    #rim;
    /** @type {Map<number, Kept>} */
    #kept = new Map();
    /** @type {Map<string, Uint8ClampedArray>} */
    #glyphs = new Map();
    #glyph;

    /**
     * @param {number} radius in device pixels
     * @param {Colour} rim the cloth's colour, which balls mirror at their edge
     */
    constructor(radius, rim) {
        this.#radius = radius;
        this.#half = Math.ceil(radius) + 1;
        this.#pixels = pixelsOf(radius, this.#half);
        this.#rim = rim;
        this.#glyph = Math.max(12, 2 * Math.round(radius * DISC * 1.5));
        this.#sheet = canvasOf(2 * this.#half * CELLS, 2 * this.#half);
        const ctx = this.#sheet.getContext("2d", { willReadFrequently: true });
        if (!ctx) throw new Error("this browser has no canvas");
        this.#ctx = ctx;
        this.#image = ctx.createImageData(2 * this.#half, 2 * this.#half);
    }

    /** In device pixels. */
    get radius() {
        return this.#radius;
    }

    /**
     * Draws a ball's picture again if it has turned.
     * @param {number} ball from 0 to 21
     * @param {Look} look
     * @param {Turning} turning
     * @param {number} quarters how the table is turned on the screen
     */
    turn(ball, look, turning, quarters) {
        const kept = this.#kept.get(ball);
        if (kept && kept.quarters === quarters && kept.look.colour === look.colour && kept.look.kind === look.kind) {
            const near = Math.abs(kept.turning.reduce((sum, part, i) => sum + part * (turning[i] ?? 0), 0));
            if (2 * Math.acos(Math.min(1, near)) * this.#radius < STILL_PX) return;
        }
        const cell = kept?.cell ?? this.#kept.size % CELLS;
        this.#kept.set(ball, { look, turning, quarters, cell });
        this.#shade(look, onScreen(axes(turning), quarters));
        this.#ctx.putImageData(this.#image, cell * 2 * this.#half, 0);
    }

    /**
     * Draws a ball's picture around a point. Lengths are the context's.
     * @param {CanvasRenderingContext2D} ctx
     * @param {number} ball
     * @param {number} x
     * @param {number} y
     * @param {number} radius
     */
    put(ctx, ball, x, y, radius) {
        const kept = this.#kept.get(ball);
        if (!kept) return;
        const size = 2 * this.#half;
        const half = (radius * this.#half) / this.#radius;
        ctx.drawImage(this.#sheet, kept.cell * size, 0, size, size, x - half, y - half, 2 * half, 2 * half);
    }

    /** @param {Look} look @param {readonly number[]} m */
    #shade({ kind, colour, number }, m) {
        const { data } = this.#image;
        const pixels = this.#pixels;
        const sharp = this.#radius;
        const glyph = number ? this.#drawn(number) : null;
        const last = this.#glyph - 1;
        const [m0 = 1, m1 = 0, m2 = 0, m3 = 0, m4 = 1, m5 = 0, m6 = 0, m7 = 0, m8 = 1] = m;
        const [rimRed, rimGreen, rimBlue] = this.#rim;
        const [ownRed, ownGreen, ownBlue] = colour;
        const [baseRed, baseGreen, baseBlue] = kind === "stripe" ? IVORY : colour;
        const [whiteRed, whiteGreen, whiteBlue] = IVORY;
        const [inkRed, inkGreen, inkBlue] = INK;
        const [dotRed, dotGreen, dotBlue] = DOT;
        const edge = Math.sqrt(1 - DISC * DISC) - 0.1;
        for (let i = 0; i < pixels.length; i += STRIDE) {
            const x = pixels[i + 1] ?? 0;
            const y = pixels[i + 2] ?? 0;
            const z = pixels[i + 3] ?? 0;
            const px = m0 * x + m1 * y + m2 * z;
            const py = m3 * x + m4 * y + m5 * z;
            const pz = m6 * x + m7 * y + m8 * z;
            let red = baseRed;
            let green = baseGreen;
            let blue = baseBlue;
            if (kind === "stripe") {
                const share = within((STRIPE - Math.abs(py)) * sharp);
                red += (ownRed - red) * share;
                green += (ownGreen - green) * share;
                blue += (ownBlue - blue) * share;
            }
            if (kind === "cue") {
                const most = Math.max(Math.abs(px), Math.abs(py), Math.abs(pz));
                const share = most < 0.9 ? 0 : within((DOTS - Math.sqrt(Math.max(0, 1 - most * most))) * sharp);
                red += (dotRed - red) * share;
                green += (dotGreen - green) * share;
                blue += (dotBlue - blue) * share;
            } else if (Math.abs(pz) > edge) {
                const off = Math.hypot(px, py);
                const disc = within((DISC - off) * sharp);
                if (kind !== "ivory") {
                    red += (whiteRed - red) * disc;
                    green += (whiteGreen - green) * disc;
                    blue += (whiteBlue - blue) * disc;
                }
                let ink = kind === "ivory" ? disc * within((off - DISC * RING) * sharp) * 0.75 : 0;
                if (glyph && disc > 0) {
                    const u = ((pz > 0 ? px : -px) / DISC + 1) * 0.5 * last;
                    const v = (1 - py / DISC) * 0.5 * last;
                    ink = Math.max(ink, sampled(glyph, last + 1, u, v));
                }
                red += (inkRed - red) * ink;
                green += (inkGreen - green) * ink;
                blue += (inkBlue - blue) * ink;
            }
            const light = pixels[i + 4] ?? 1;
            const gloss = (pixels[i + 5] ?? 0) * 255;
            const rim = pixels[i + 6] ?? 0;
            const at = pixels[i] ?? 0;
            data[at] = red * light + gloss + rimRed * rim;
            data[at + 1] = green * light + gloss + rimGreen * rim;
            data[at + 2] = blue * light + gloss + rimBlue * rim;
            data[at + 3] = pixels[i + 7] ?? 0;
        }
    }

    /** A number's ink, by pixel of its disc. @param {string} number */
    #drawn(number) {
        const known = this.#glyphs.get(number);
        if (known) return known;
        const size = this.#glyph;
        const ctx = canvasOf(size, size).getContext("2d", { willReadFrequently: true });
        if (!ctx) throw new Error("this browser has no canvas");
        ctx.font = `700 ${size * (number.length > 1 ? 0.56 : 0.66)}px "Helvetica Neue", Arial, system-ui, sans-serif`;
        ctx.textAlign = "center";
        ctx.textBaseline = "alphabetic";
        const { actualBoundingBoxAscent: up, actualBoundingBoxDescent: down } = ctx.measureText(number);
        ctx.fillText(number, size / 2, size / 2 + (up - down) / 2);
        // Which way up is not known from the digit.
        if (number === "6" || number === "9") ctx.fillRect(size * 0.34, size * 0.79, size * 0.32, size * 0.06);
        const { data } = ctx.getImageData(0, 0, size, size);
        const ink = new Uint8ClampedArray(size * size).map((_, i) => data[i * 4 + 3] ?? 0);
        this.#glyphs.set(number, ink);
        return ink;
    }
}

/** What of a sphere is the same whichever way it is turned. @param {number} radius @param {number} half */
function pixelsOf(radius, half) {
    /** @type {number[]} */
    const pixels = [];
    for (let row = 0; row < 2 * half; row += 1) {
        for (let column = 0; column < 2 * half; column += 1) {
            const [dx, dy] = [column + 0.5 - half, half - row - 0.5];
            const off = Math.hypot(dx, dy);
            const cover = Math.min(1, radius - off + 0.5);
            if (cover <= 0) continue;
            // What is half outside is lit as the edge is.
            const share = Math.min(1, (radius - 0.01) / Math.max(off, 1e-9)) / radius;
            const [x, y] = [dx * share, dy * share];
            const z = Math.sqrt(Math.max(0, 1 - x * x - y * y));
            const lit = Math.max(0, x * LAMP[0] + y * LAMP[1] + z * LAMP[2]);
            const light = (0.36 + 0.74 * lit) * (0.7 + 0.3 * Math.sqrt(z));
            pixels.push((row * 2 * half + column) * 4, x, y, z, light, glossAt(x, y, z, radius), 0.4 * (1 - z) ** 2.5, cover * 255);
        }
    }
    return Float32Array.from(pixels);
}

/** The lamp in the ball: its mirror image, and a veil around it. @param {number} x @param {number} y @param {number} z @param {number} radius */
function glossAt(x, y, z, radius) {
    // The eye looks straight down: what it sees is mirrored about the normal.
    const [rx, ry, rz] = [2 * z * x, 2 * z * y, 2 * z * z - 1];
    const [dx, dy] = [rx - LAMP[0], ry - LAMP[1]];
    const along = Math.abs(0.77 * dx - 0.64 * dy) / GLEAM[0];
    const across = Math.abs(0.64 * dx + 0.77 * dy) / GLEAM[1];
    const soft = Math.max(0.16 * radius, 1.6);
    const image = rz > 0 ? within((1 - Math.hypot(along, across)) * soft) : 0;
    const veil = Math.max(0, rx * LAMP[0] + ry * LAMP[1] + rz * LAMP[2]) ** 9;
    return 0.62 * image + 0.16 * veil;
}

/** How far inside an edge, softly over a pixel: 0 outside, 1 inside. @param {number} pixels */
function within(pixels) {
    return Math.max(0, Math.min(1, pixels + 0.5));
}

/** Between the four nearest of a picture's values, from 0 to 1. @param {Uint8ClampedArray} ink @param {number} size @param {number} u @param {number} v */
function sampled(ink, size, u, v) {
    const column = Math.floor(u);
    const row = Math.floor(v);
    if (column < 0 || row < 0 || column >= size - 1 || row >= size - 1) return 0;
    const fu = u - column;
    const fv = v - row;
    const at = row * size + column;
    const top = (ink[at] ?? 0) * (1 - fu) + (ink[at + 1] ?? 0) * fu;
    const bottom = (ink[at + size] ?? 0) * (1 - fu) + (ink[at + size + 1] ?? 0) * fu;
    return (top * (1 - fv) + bottom * fv) / 255;
}

/**
 * From the table's axes to the screen's, with up as up: the table is turned by right angles.
 * @param {readonly number[]} columns
 * @param {number} quarters
 */
function onScreen(columns, quarters) {
    const turned = [...columns];
    for (let i = 0; i < 9; i += 3) {
        for (let n = 0; n < quarters; n += 1) {
            const x = turned[i] ?? 0;
            turned[i] = turned[i + 1] ?? 0;
            turned[i + 1] = -x;
        }
    }
    return turned;
}

/** @param {number} width @param {number} height */
export function canvasOf(width, height) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [Math.max(1, Math.ceil(width)), Math.max(1, Math.ceil(height))];
    return canvas;
}

/** @param {readonly [number, number, number]} v @returns {readonly [number, number, number]} */
function unit([x, y, z]) {
    const length = Math.hypot(x, y, z);
    return [x / length, y / length, z / length];
}
