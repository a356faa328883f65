// Draws a scene of billiards. The table is drawn once for a size, balls when they turn; a frame is
// mostly a matter of putting these pictures together. Only looks at things.

import { disc, drawTable } from "./cloth.js";
import { clothOf, isPool, lookOf } from "./looks.js";
import { patchesOf, patchOf } from "./patches.js";
import { DROP_S, shownBalls } from "./scene.js";
import { drawCalled, drawCue, drawHeld, drawHouse, drawRing, drawSight } from "./sight.js";
import { canvasOf, Spheres } from "./sphere.js";
import { holesOf } from "./table.js";
import { drawTraces } from "./traces.js";

/** @import { Ball, Point } from "./types.d.ts" */
/** @import { Scene, Shown } from "./scene.js" */
/** @import { Cue, Held, Sight } from "./sight.js" */
/** @import { Place } from "./table.js" */
/** @import { Look } from "./looks.js" */
/** @import { Patch } from "./patches.js" */
/** @import { Trace } from "./traces.js" */

/**
 * What is drawn on.
 * @typedef {object} Screen
 * @property {number} width of the canvas, in CSS pixels
 * @property {number} height
 * @property {number} density device pixels for each
 * @property {Place} place
 */

/**
 * What is drawn over the table for those who aim or choose; all of it may be missing.
 * @typedef {object} Overlay
 * @property {Sight | null} [sight]
 * @property {readonly Cue[]} [cues]
 * @property {Held | null} [held] it is drawn in the hand, and not where it lies
 * @property {"anywhere" | "behind" | null} [house] where the ball in hand may lie
 * @property {number | null} [pocket] that was called
 * @property {readonly Ball[]} [rings] balls with a ring around them
 * @property {readonly Point[]} [ghosts] rings where balls might lie
 * @property {readonly Trace[]} [traces] where balls have been
 * @property {number} [until] until when, in seconds of the shot
 * @property {readonly Ball[]} [dimmed] balls that recede into the cloth, for they may not be hit first
 */

const GROUND = "#14181a";
/** What the balls' edges mirror. */
const RIMS = /** @type {const} */ ({ pool: [22, 70, 54], pyramid: [32, 60, 100] });
/** A ball's shadow reaches so many radii from its middle, with how far it falls. */
const REACH = 2.45;
/** How long the sweep along the frame takes after a win, and stays. */
const SWEEP_MS = 900;
const SWEPT_MS = 3_600;
const BRASS = "#c9a14a";

export class Painter {
    #ctx;
    /** @type {{ key: string, base: HTMLCanvasElement, shadow: HTMLCanvasElement, spheres: Spheres } | null} */
    #pictures = null;
    /** @type {Map<string, Look>} */
    #looks = new Map();
    /** What is on the canvas over the bare table; null: nobody knows. @type {Patch[] | null} */
    #painted = null;
    /** What the last frame showed, if nothing in it moved. */
    #still = "";
    #calm = matchMedia("(prefers-reduced-motion: reduce)");

    /** @param {CanvasRenderingContext2D} ctx nothing else draws on it */
    constructor(ctx) {
        this.#ctx = ctx;
    }

    /**
     * Only what has changed since the last frame is painted.
     * @param {Scene} scene
     * @param {number} now the match's time
     * @param {Screen} screen
     * @param {Overlay} [overlay]
     */
    draw(scene, now, screen, overlay = {}) {
        const ctx = this.#ctx;
        const { place, density } = screen;
        const fresh = this.#prepare(scene, screen);
        const pictures = this.#pictures;
        if (!pictures) return;
        const { base, shadow, spheres } = pictures;
        const held = overlay.held ?? null;
        const balls = shownBalls(scene, now).map((it) =>
            held && it.ball === held.ball ? { ...it, x: held.x, y: held.y } : it);
        const won = sinceWin(scene, now);
        const moves = won !== null || balls.some(({ speed, fallen, there }) => speed > 0 || fallen !== null || there < 1);
        const still = moves ? "" : JSON.stringify([{ ...overlay, traces: overlay.traces?.length }, balls]);
        if (still && still === this.#still && !fresh) return;
        this.#still = still;

        ctx.setTransform(1, 0, 0, 1, 0, 0);
        if (fresh || !this.#painted) ctx.drawImage(base, 0, 0);
        else for (const [x, y, w, h] of this.#painted) ctx.drawImage(base, x, y, w, h, x, y, w, h);
        const radius = scene.ball.radius * place.scale;
        const over = won === null ? patchesOf(overlay, place, scene.ball.radius, density) : null;
        const around = Math.max(radius * REACH, radius + 5);
        this.#painted = over && [...over, ...balls.map(({ x, y }) => patchOf(place.at(x, y), around, density))];

        ctx.setTransform(density, 0, 0, density, 0, 0);
        if (overlay.traces) {
            drawTraces(ctx, place, overlay.traces, overlay.until ?? 0, (ball) => {
                const found = balls.find((it) => it.ball === ball);
                return found ? [found.x, found.y] : null;
            });
        }
        if (overlay.house) drawHouse(ctx, place, overlay.house);
        if (overlay.pocket !== null && overlay.pocket !== undefined) drawCalled(ctx, place, overlay.pocket);
        for (const { ball, turning } of balls) {
            spheres.turn(ball, this.#look(scene, ball), turning, place.quarters);
        }
        for (const ball of balls) {
            if (ball.fallen !== null) this.#falling(ball, radius, place, spheres);
        }
        const lying = balls.filter(({ fallen }) => fallen === null);
        for (const { x, y, there } of lying) {
            ctx.globalAlpha = there;
            const [sx, sy] = place.at(x, y);
            const half = radius * 2;
            ctx.drawImage(shadow, sx - half + radius * 0.34, sy - half + radius * 0.42, 2 * half, 2 * half);
        }
        ctx.globalAlpha = 1;
        if (overlay.sight) drawSight(ctx, place, overlay.sight, scene.ball.radius);
        const { cloth } = clothOf(scene.discipline);
        for (const { ball, x, y, speed, there } of lying) {
            const [sx, sy] = place.at(x, y);
            // At rest it lies on whole pixels, and is sharp.
            const [px, py] = speed > 0 ? [sx, sy] : [Math.round(sx * density) / density, Math.round(sy * density) / density];
            ctx.globalAlpha = there;
            spheres.put(ctx, ball, px, py, radius);
            ctx.globalAlpha = 1;
            if (overlay.dimmed?.includes(ball)) {
                ctx.globalAlpha = 0.34;
                disc(ctx, px, py, radius + 0.5, cloth);
                ctx.globalAlpha = 1;
            }
            if (overlay.rings?.includes(ball)) drawRing(ctx, place, [x, y], scene.ball.radius);
        }
        for (const ghost of overlay.ghosts ?? []) drawRing(ctx, place, ghost, scene.ball.radius);
        if (held) drawHeld(ctx, place, held, scene.ball.radius);
        for (const cue of overlay.cues ?? []) drawCue(ctx, place, cue, scene.ball.radius);
        if (won !== null) this.#sweep(place, Math.min(1, won / SWEEP_MS));
    }

    /** A win: brass runs along the frame, once. @param {Place} place @param {number} share */
    #sweep({ frame: { left, top, width, height }, margin }, share) {
        const ctx = this.#ctx;
        const round = 2 * (width + height);
        ctx.save();
        ctx.strokeStyle = BRASS;
        ctx.lineWidth = 3;
        if (this.#calm.matches) ctx.globalAlpha = share;
        else ctx.setLineDash([round * share, round]);
        ctx.beginPath();
        ctx.roundRect(left + 1, top + 1, width - 2, height - 2, Math.max(6, margin * 0.42) - 1);
        ctx.stroke();
        ctx.restore();
    }

    /**
     * A ball over a pocket: it sinks, and what is around the pocket hides it.
     * @param {Shown} ball @param {number} radius @param {Place} place @param {Spheres} spheres
     */
    #falling({ ball, x, y, fallen, pocket }, radius, place, spheres) {
        const ctx = this.#ctx;
        const hole = holesOf(place.table)[pocket ?? -1];
        const share = Math.min(1, (fallen ?? 0) / DROP_S);
        const [sx, sy] = place.at(x, y);
        const size = radius * (1 - 0.22 * share * share);
        ctx.save();
        if (hole) {
            ctx.beginPath();
            const { left, top, width, height } = place.cloth;
            if (share < 0.35) ctx.rect(left, top, width, height);
            const [hx, hy] = place.at(...hole.centre);
            ctx.moveTo(hx, hy);
            ctx.arc(hx, hy, hole.radius * place.scale, 0, 2 * Math.PI);
            ctx.clip();
        }
        spheres.put(ctx, ball, sx, sy, size);
        disc(ctx, sx, sy, size + 0.5, `rgb(4 3 2 / ${Math.round(100 * share ** 0.8)}%)`);
        ctx.restore();
    }

    /** Nothing to be seen yet. */
    blank() {
        this.#ctx.setTransform(1, 0, 0, 1, 0, 0);
        this.#ctx.fillStyle = GROUND;
        this.#ctx.fillRect(0, 0, this.#ctx.canvas.width, this.#ctx.canvas.height);
        [this.#painted, this.#still] = [null, ""];
    }

    /** Makes the pictures for this size; whether they are new. @param {Scene} scene @param {Screen} screen */
    #prepare({ discipline, ball, table }, { place, density, width, height }) {
        const { left, top } = place.frame;
        const key = [discipline, table.name, place.scale, place.quarters, left, top, density, width, height].join();
        if (this.#pictures?.key === key) return false;
        const radius = ball.radius * place.scale * density;
        const base = canvasOf(width * density, height * density);
        const ctx = base.getContext("2d", { alpha: false });
        if (!ctx) throw new Error("this browser has no canvas");
        ctx.fillStyle = GROUND;
        ctx.fillRect(0, 0, base.width, base.height);
        drawTable(ctx, place, density, discipline);
        this.#pictures = {
            key, base,
            shadow: shadowPicture(radius),
            spheres: new Spheres(radius, RIMS[isPool(discipline) ? "pool" : "pyramid"]),
        };
        return true;
    }

    /** @param {Scene} scene @param {Ball} ball */
    #look({ discipline, coloured }, ball) {
        const key = `${discipline} ${ball} ${coloured}`;
        let look = this.#looks.get(key);
        if (!look) this.#looks.set(key, look = lookOf(discipline, ball, coloured));
        return look;
    }
}

/** For how many ms a win that is shown here has been; null when there is none. @param {Scene} scene @param {number} now */
function sinceWin({ over, you }, now) {
    if (!over || over.winner === null || (you !== null && over.winner !== you)) return null;
    const since = now - over.at;
    return since >= 0 && since < SWEPT_MS ? since : null;
}

/** What a ball keeps of the light: dark beneath it, soft around. @param {number} radius in device pixels */
function shadowPicture(radius) {
    const half = Math.ceil(radius * 2);
    const canvas = canvasOf(2 * half, 2 * half);
    const ctx = canvas.getContext("2d");
    if (!ctx) throw new Error("this browser has no canvas");
    const soft = ctx.createRadialGradient(half, half, radius * 0.55, half, half, radius * 1.7);
    soft.addColorStop(0, "rgb(0 0 0 / 62%)");
    soft.addColorStop(0.4, "rgb(0 0 0 / 40%)");
    soft.addColorStop(0.75, "rgb(0 0 0 / 11%)");
    soft.addColorStop(1, "rgb(0 0 0 / 0%)");
    ctx.fillStyle = soft;
    ctx.fillRect(0, 0, 2 * half, 2 * half);
    return canvas;
}
