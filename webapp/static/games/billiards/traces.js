// Where the balls of a shot have been, as lines. Points are worked out once for a shot.

import { begin, moved, SLIDING } from "./path.js";

/** @import { Ball, Path, Point } from "./types.d.ts" */
/** @import { Place } from "./table.js" */

/** A way's points, each with its time in seconds. @typedef {{ ball: Ball, colour: string, points: readonly (readonly [number, number, number])[] }} Trace */

/** A sliding ball's way is a parabola: it is drawn as so many straight parts. */
const PARTS = 8;

/**
 * @param {Path} path
 * @param {(ball: Ball) => string} colour
 * @returns {Trace[]} of the balls that move
 */
export function tracesOf(path, colour) {
    return path.motions.flatMap((rows, ball) => {
        if (rows.length < 2) return [];
        const points = rows.flatMap((row, i) => {
            const [t = 0] = row;
            const until = rows[i + 1]?.[0] ?? t;
            const start = begin(row, path.ball);
            const parts = start.state === SLIDING ? PARTS : 1;
            return Array.from({ length: parts }, (_, part) => {
                const at = ((until - t) * part) / parts;
                const { x, y } = moved(start, at, path.ball);
                return /** @type {const} */ ([t + at, x, y]);
            });
        });
        return { ball, colour: colour(ball), points };
    });
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Place} place
 * @param {readonly Trace[]} traces
 * @param {number} t until when
 * @param {(ball: Ball) => Point | null} where a ball is then
 */
export function drawTraces(ctx, place, traces, t, where) {
    ctx.save();
    ctx.lineJoin = "round";
    ctx.lineCap = "round";
    for (const [width, opacity, dark] of /** @type {const} */ ([[3, 0.3, true], [1.5, 0.8, false]])) {
        ctx.lineWidth = width;
        ctx.globalAlpha = opacity;
        for (const { ball, colour, points } of traces) {
            ctx.strokeStyle = dark ? "#081412" : colour;
            ctx.beginPath();
            for (const [at, x, y] of points) {
                if (at > t) break;
                ctx.lineTo(...place.at(x, y));
            }
            const end = where(ball);
            if (end) ctx.lineTo(...place.at(...end));
            ctx.stroke();
        }
    }
    ctx.restore();
}
