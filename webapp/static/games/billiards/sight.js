// What is drawn for whoever aims: the line, the ghost of the ball, the cue, the ball in the hand.
// Only looks at things. Points in metres, drawn where a place has them.

import { disc } from "./cloth.js";
import { holesOf } from "./table.js";

/** @import { Ball, Point } from "./types.d.ts" */
/** @import { Place } from "./table.js" */

/**
 * Where the shot goes, as far as it is shown.
 * @typedef {object} Sight
 * @property {Point} from the struck ball's centre
 * @property {readonly Point[]} bends where its way bends
 * @property {Point} to its centre where it meets the first thing
 * @property {boolean} ghost whether that is a ball, and a ghost stands there
 * @property {boolean} allowed whether that ball may be met first; if not, the ghost is crossed out
 * @property {readonly (readonly [Point, Point])[]} stubs both directions afterwards
 */

/**
 * The stick behind a ball.
 * @typedef {object} Cue
 * @property {Point} ball its centre
 * @property {number} heading
 * @property {number} side where the tip meets the ball: left is positive, in radii
 * @property {number} back from the ball to the tip, in metres
 * @property {number} elevation of the butt, in radians: what is high looks short
 * @property {number} [alpha] 1 unless said
 */

/** The ball in the hand. @typedef {{ ball: Ball, x: number, y: number, fits: boolean }} Held */

const CHALK = "111 168 201";
/** Chalk on cloth, which has to be seen from afar. */
const LINE = "196 220 233";
const IVORY = "243 234 215";
const BRASS = "201 161 74";
const WRONG = "232 110 92";
/** A stick's length, and its widths at the tip and the butt, in metres. */
export const CUE = { length: 1.45, tip: 0.0125, butt: 0.03 };

/** @param {CanvasRenderingContext2D} ctx @param {Place} place @param {Sight} sight @param {number} radius of a ball, in metres */
export function drawSight(ctx, place, { from, bends, to, ghost, allowed, stubs }, radius) {
    const r = radius * place.scale;
    const [bx, by] = place.at(...to);
    ctx.save();
    ctx.lineCap = "round";
    // From the ball's edge to the ghost's: through them it would only blur them.
    const line = shortened(shortened([from, ...bends, to].map((it) => place.at(...it)), r).reverse(), ghost ? r : 0);
    if (line.length > 1) {
        stroke(ctx, line, 3, "rgb(8 20 18 / 30%)");
        stroke(ctx, line, 1.4, `rgb(${LINE} / 90%)`);
    }
    for (const [start, end] of stubs) {
        const line = [place.at(...start), place.at(...end)];
        stroke(ctx, line, 3.4, "rgb(8 20 18 / 30%)");
        stroke(ctx, line, 1.8, `rgb(${CHALK} / 95%)`);
    }
    if (ghost) {
        ctx.lineWidth = 1.4;
        ctx.fillStyle = `rgb(${IVORY} / 14%)`;
        ctx.strokeStyle = allowed ? `rgb(${IVORY} / 85%)` : `rgb(${WRONG})`;
        ctx.beginPath();
        ctx.arc(bx, by, r - 0.5, 0, 2 * Math.PI);
        ctx.fill();
        ctx.stroke();
        if (!allowed) {
            const arm = r * 0.45;
            stroke(ctx, [[bx - arm, by - arm], [bx + arm, by + arm]], 1.8, `rgb(${WRONG})`);
            stroke(ctx, [[bx - arm, by + arm], [bx + arm, by - arm]], 1.8, `rgb(${WRONG})`);
        }
    } else {
        disc(ctx, bx, by, 2.2, `rgb(${LINE} / 90%)`);
    }
    ctx.restore();
}

/** @param {CanvasRenderingContext2D} ctx @param {Place} place @param {Cue} cue @param {number} radius of a ball, in metres */
export function drawCue(ctx, place, { ball, heading, side, back, elevation, alpha = 1 }, radius) {
    const { scale } = place;
    const [x, y] = place.at(...ball);
    ctx.save();
    ctx.globalAlpha *= alpha;
    ctx.translate(x, y);
    ctx.rotate(place.angle(heading));
    // Along -x now, from the tip back; the left of the heading is up, which is -y.
    // What is raised looks shorter from above, and comes to the ball from over it.
    const away = (Math.sqrt(Math.max(0, 1 - side * side)) * radius + back) * Math.cos(elevation) * scale;
    ctx.translate(-away, -side * radius * scale);
    ctx.save();
    ctx.translate(0.012 * scale, (0.02 + 0.05 * Math.sin(elevation)) * scale);
    ctx.rotate(-place.angle(heading));
    ctx.translate(0.016 * scale, 0.016 * scale);
    ctx.rotate(place.angle(heading));
    stick(ctx, scale, Math.cos(elevation), "rgb(0 0 0 / 26%)");
    ctx.restore();
    stick(ctx, scale, Math.cos(elevation), null);
    ctx.restore();
}

/** A tapered stick; of one colour, it is its shadow. @param {CanvasRenderingContext2D} ctx @param {number} scale @param {number} short @param {string | null} flat */
function stick(ctx, scale, short, flat) {
    const long = CUE.length * scale * short;
    const [thin, thick] = [Math.max(1.5, (CUE.tip * scale) / 2), Math.max(3, (CUE.butt * scale) / 2)];
    /** @param {number} share */
    const half = (share) => thin + (thick - thin) * share;
    /** @param {number} from @param {number} to @param {string} light @param {string} middle @param {string} dark */
    const part = (from, to, light, middle, dark) => {
        const round = ctx.createLinearGradient(0, -half(to), 0, half(to));
        round.addColorStop(0, dark);
        round.addColorStop(0.32, light);
        round.addColorStop(0.6, middle);
        round.addColorStop(1, dark);
        ctx.fillStyle = flat ?? round;
        ctx.beginPath();
        ctx.moveTo(-from * long, -half(from));
        ctx.lineTo(-from * long, half(from));
        ctx.lineTo(-to * long, half(to));
        ctx.lineTo(-to * long, -half(to));
        ctx.fill();
    };
    part(0, 0.006, "#7fb2cf", "#5b93b4", "#3c6d8a");
    part(0.006, 0.022, "#fffaf0", "#efe6d2", "#b9ad95");
    part(0.022, 0.62, "#f0d3a0", "#d9b47c", "#96713f");
    part(0.62, 0.632, "#f0d58c", "#c9a14a", "#7c5f22");
    part(0.632, 0.94, "#6d432a", "#42261a", "#1f110b");
    part(0.94, 0.952, "#f0d58c", "#c9a14a", "#7c5f22");
    part(0.952, 1, "#33302d", "#1c1a18", "#0a0909");
    if (flat) return;
    // Points of light wood let into the butt.
    ctx.fillStyle = "#d9b47c";
    for (const way of [-1, 1]) {
        ctx.beginPath();
        ctx.moveTo(-0.634 * long, way * half(0.634) * 0.85);
        ctx.lineTo(-0.78 * long, way * half(0.7) * 0.34);
        ctx.lineTo(-0.634 * long, way * half(0.634) * 0.1);
        ctx.fill();
    }
}

/** A ring around the ball in the hand: whole where it fits, else broken and crossed. @param {CanvasRenderingContext2D} ctx @param {Place} place @param {Held} held @param {number} radius in metres */
export function drawHeld(ctx, place, { x, y, fits }, radius) {
    const [sx, sy] = place.at(x, y);
    const r = Math.max(radius * place.scale * 1.7, 16);
    ctx.save();
    ctx.lineWidth = 2;
    ctx.strokeStyle = fits ? `rgb(${IVORY} / 90%)` : `rgb(${WRONG})`;
    if (!fits) ctx.setLineDash([5, 4]);
    ctx.beginPath();
    ctx.arc(sx, sy, r, 0, 2 * Math.PI);
    ctx.stroke();
    ctx.setLineDash([]);
    if (!fits) stroke(ctx, [[sx - r * 0.7, sy + r * 0.7], [sx + r * 0.7, sy - r * 0.7]], 2, `rgb(${WRONG})`);
    ctx.restore();
}

/** The part of the table where the ball in hand may lie. @param {CanvasRenderingContext2D} ctx @param {Place} place @param {"anywhere" | "behind"} hand */
export function drawHouse(ctx, place, hand) {
    const { table } = place;
    const [ax, ay] = place.at(0, 0);
    const [bx, by] = place.at(table.width, hand === "behind" ? table.head_string : table.length);
    ctx.fillStyle = `rgb(${IVORY} / 6%)`;
    ctx.fillRect(Math.min(ax, bx), Math.min(ay, by), Math.abs(bx - ax), Math.abs(by - ay));
}

/** The pocket that was called. @param {CanvasRenderingContext2D} ctx @param {Place} place @param {number} pocket */
export function drawCalled(ctx, place, pocket) {
    const circle = holesOf(place.table)[pocket];
    if (!circle) return;
    const [x, y] = place.at(...circle.centre);
    const r = circle.radius * place.scale + 2;
    ctx.save();
    ctx.lineWidth = 5;
    ctx.strokeStyle = "rgb(8 12 10 / 50%)";
    ctx.beginPath();
    ctx.arc(x, y, r, 0, 2 * Math.PI);
    ctx.stroke();
    ctx.lineWidth = 2.5;
    ctx.strokeStyle = `rgb(${BRASS})`;
    ctx.stroke();
    ctx.restore();
}

/** A ring around a ball that is meant, called or may be chosen. @param {CanvasRenderingContext2D} ctx @param {Place} place @param {Point} at @param {number} radius in metres */
export function drawRing(ctx, place, at, radius) {
    const [x, y] = place.at(...at);
    ctx.lineWidth = 2;
    ctx.strokeStyle = `rgb(${BRASS})`;
    ctx.beginPath();
    ctx.arc(x, y, radius * place.scale + 2.5, 0, 2 * Math.PI);
    ctx.stroke();
}

/** A line without what of it is nearer to its beginning. @param {(readonly [number, number])[]} points @param {number} by */
function shortened(points, by) {
    const [[x, y] = [0, 0]] = points;
    const first = points.findIndex(([px, py]) => Math.hypot(px - x, py - y) > by);
    const [before, after] = [points[first - 1], points[first]];
    if (!before || !after) return by ? [] : points;
    // Between these two it leaves the circle: near enough, for they are close or the first is its centre.
    const [near, far] = [before, after].map(([px, py]) => Math.hypot(px - x, py - y));
    const share = (by - (near ?? 0)) / ((far ?? 1) - (near ?? 0));
    const edge = /** @type {const} */ ([before[0] + (after[0] - before[0]) * share, before[1] + (after[1] - before[1]) * share]);
    return [edge, ...points.slice(first)];
}

/** @param {CanvasRenderingContext2D} ctx @param {readonly (readonly [number, number])[]} points @param {number} width @param {string} colour */
function stroke(ctx, points, width, colour) {
    ctx.lineWidth = width;
    ctx.strokeStyle = colour;
    ctx.beginPath();
    for (const [x, y] of points) ctx.lineTo(x, y);
    ctx.stroke();
}
