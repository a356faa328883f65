// Draws a scene of Pong. Reads only.

import {
    BALL_RADIUS, HEIGHT, PADDLE_HEIGHT, PADDLE_WIDTH, PADDLE_X, WIDTH,
} from "./court.js";
import { shownBall, shownPaddle } from "./scene.js";

/** @import { Scene } from "./scene.js" */
/** @import { Side } from "./court.js" */

/**
 * How the court lies on the screen, in CSS pixels.
 * @typedef {object} View
 * @property {number} width of the canvas
 * @property {number} height
 * @property {number} density device pixels for each
 * @property {boolean} tall my side is at the bottom; else left and right are where they are
 * @property {Side} near whose side is at the bottom
 * @property {boolean} calm reduced motion is wished for
 */

/** @typedef {[number, number]} Point */

const COLOURS = {
    court: "#14181a", field: "#181d1f", line: "#2c3436", figures: "#262d30", quiet: "#8b959a",
    ivory: "#f3ead7", brass: "#c9a14a", chalk: "#6fa8c9", ink: "#14181a",
};
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
const MARGIN = 10;
/** How long the line is lit after a point, and the sweep after a win takes. */
const LIT_MS = 300;
const SWEEP_MS = 900;
const TRAIL = 9;
const TRAIL_STEP_MS = 11;
/** The countdown before a serve shows seconds when it is at least this long. */
const SECONDS_FROM_MS = 1_600;
const RING_MS = 3_000;

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Scene} scene
 * @param {number} now the match's time
 * @param {View} view
 */
export function draw(ctx, scene, now, view) {
    const place = placed(view);
    ctx.setTransform(view.density, 0, 0, view.density, 0, 0);
    ctx.fillStyle = COLOURS.court;
    ctx.fillRect(0, 0, view.width, view.height);
    drawField(ctx, scene, now, view, place);
    drawFigures(ctx, scene, view, place);
    drawPaddles(ctx, scene, now, view, place);
    drawBall(ctx, scene, now, view, place);
    drawCountdown(ctx, scene, now, view, place);
    drawSweep(ctx, scene, now, view, place);
}

/** @typedef {ReturnType<typeof placed>} Placed */

/** From the field to the screen. @param {View} view */
export function placed({ width, height, tall, near }) {
    const [long, short] = tall ? [height, width] : [width, height];
    const scale = Math.min((long - 2 * MARGIN) / WIDTH, (short - 2 * MARGIN) / HEIGHT);
    const [fieldWidth, fieldHeight] = tall ? [HEIGHT * scale, WIDTH * scale] : [WIDTH * scale, HEIGHT * scale];
    const left = (width - fieldWidth) / 2;
    const top = (height - fieldHeight) / 2;
    return {
        scale, left, top, width: fieldWidth, height: fieldHeight,
        /** @param {number} x @param {number} y @returns {Point} */
        at(x, y) {
            if (!tall) return [left + x * scale, top + y * scale];
            // Turned, not mirrored: both players look at the same table from their ends.
            return near === 0
                ? [left + y * scale, top + (WIDTH - x) * scale]
                : [left + (HEIGHT - y) * scale, top + x * scale];
        },
        /** How far along a paddle's way a point of the screen is, in heights. @param {number} sx @param {number} sy */
        across(sx, sy) {
            if (!tall) return (sy - top) / scale / HEIGHT;
            const along = (sx - left) / scale / HEIGHT;
            return near === 0 ? along : 1 - along;
        },
    };
}

/**
 * @param {CanvasRenderingContext2D} ctx @param {Scene} scene @param {number} now
 * @param {View} view @param {Placed} place
 */
function drawField(ctx, scene, now, view, place) {
    ctx.fillStyle = COLOURS.field;
    frame(ctx, place);
    ctx.fill();
    const lit = scene.lit && now - scene.lit.at < LIT_MS ? scene.lit : null;
    const glow = lit ? 1 - Math.max(0, now - lit.at) / LIT_MS : 0;
    ctx.lineWidth = 2;
    ctx.strokeStyle = COLOURS.line;
    frame(ctx, place);
    ctx.stroke();
    middle(ctx, place);
    if (!lit) return;
    ctx.globalAlpha = glow;
    ctx.strokeStyle = colour(scene, view, lit.side);
    frame(ctx, place);
    ctx.stroke();
    middle(ctx, place);
    ctx.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} ctx @param {Placed} place */
function frame(ctx, { left, top, width, height }) {
    ctx.beginPath();
    ctx.roundRect(left, top, width, height, 12);
}

/** @param {CanvasRenderingContext2D} ctx @param {Placed} place */
function middle(ctx, place) {
    const [ax, ay] = place.at(WIDTH / 2, 14);
    const [bx, by] = place.at(WIDTH / 2, HEIGHT - 14);
    ctx.setLineDash([6, 10]);
    ctx.beginPath();
    ctx.moveTo(ax, ay);
    ctx.lineTo(bx, by);
    ctx.stroke();
    ctx.setLineDash([]);
}

/**
 * The score behind the game, large and quiet.
 * @param {CanvasRenderingContext2D} ctx @param {Scene} scene @param {View} view @param {Placed} place
 */
function drawFigures(ctx, scene, view, place) {
    const size = Math.min(place.width, place.height) * (view.tall ? 0.42 : 0.36);
    ctx.font = `600 ${size}px ${FONT}`;
    ctx.fillStyle = COLOURS.figures;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    for (const side of /** @type {const} */ ([0, 1])) {
        const [x, y] = place.at(side === 0 ? WIDTH * 0.27 : WIDTH * 0.73, HEIGHT / 2);
        ctx.fillText(String(scene.scores[side]), x, y + size * 0.04);
    }
}

/**
 * @param {CanvasRenderingContext2D} ctx @param {Scene} scene @param {number} now
 * @param {View} view @param {Placed} place
 */
function drawPaddles(ctx, scene, now, view, place) {
    const { scale } = place;
    const [long, thick] = [PADDLE_HEIGHT * scale, Math.max(5, PADDLE_WIDTH * scale)];
    for (const side of /** @type {const} */ ([0, 1])) {
        const [x, y] = place.at(PADDLE_X[side], shownPaddle(scene, side, now) * HEIGHT);
        const [w, h] = view.tall ? [long, thick] : [thick, long];
        ctx.fillStyle = colour(scene, view, side);
        ctx.beginPath();
        ctx.roundRect(x - w / 2, y - h / 2, w, h, thick / 2);
        ctx.fill();
        if (side !== scene.you) continue;
        // A notch tells mine from theirs without its colour.
        ctx.fillStyle = COLOURS.ink;
        const [nw, nh] = view.tall ? [2, thick * 0.5] : [thick * 0.5, 2];
        ctx.fillRect(x - nw / 2, y - nh / 2, nw, nh);
    }
}

/**
 * @param {CanvasRenderingContext2D} ctx @param {Scene} scene @param {number} now
 * @param {View} view @param {Placed} place
 */
function drawBall(ctx, scene, now, view, place) {
    const radius = Math.max(4, BALL_RADIUS * place.scale);
    const ball = scene.serve || scene.over
        ? { x: WIDTH / 2, y: HEIGHT / 2, speed: 0 }
        : shownBall(scene, now);
    if (!ball || scene.over) return;
    ctx.save();
    // What has left the field is gone.
    frame(ctx, place);
    ctx.clip();
    if (!view.calm && ball.speed > 0) {
        for (let i = TRAIL; i > 0; i -= 1) {
            const past = shownBall(scene, now - i * TRAIL_STEP_MS);
            if (!past || past.speed === 0) continue;
            const [x, y] = place.at(past.x, past.y);
            ctx.globalAlpha = 0.16 * (1 - i / (TRAIL + 1));
            disc(ctx, x, y, radius * (1 - i / (TRAIL * 1.6)), COLOURS.ivory);
        }
        ctx.globalAlpha = 1;
    }
    const [x, y] = place.at(ball.x, ball.y);
    disc(ctx, x, y, radius, COLOURS.ivory);
    ctx.restore();
}

/**
 * The ring around the ball before it flies, with an arrow to where.
 * @param {CanvasRenderingContext2D} ctx @param {Scene} scene @param {number} now
 * @param {View} view @param {Placed} place
 */
function drawCountdown(ctx, scene, now, view, place) {
    const until = scene.over || scene.pause ? null : (scene.serve?.[0] ?? scene.resume);
    if (until === null || until === undefined || now >= until) return;
    const rest = until - now;
    const spot = scene.serve ? null : shownBall(scene, now);
    const [x, y] = place.at(spot?.x ?? WIDTH / 2, spot?.y ?? HEIGHT / 2);
    const radius = Math.max(20, 30 * place.scale);

    ctx.lineWidth = 3;
    ctx.lineCap = "round";
    ctx.strokeStyle = COLOURS.line;
    ctx.beginPath();
    ctx.arc(x, y, radius, 0, 2 * Math.PI);
    ctx.stroke();
    ctx.strokeStyle = COLOURS.brass;
    ctx.beginPath();
    const share = Math.min(1, rest / RING_MS);
    ctx.arc(x, y, radius, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * share);
    ctx.stroke();
    ctx.lineCap = "butt";

    const toward = scene.serve ? scene.serve[1] : null;
    if (toward !== null) {
        const ahead = toward === 0 ? -1 : 1;
        const far = WIDTH / 2 + ahead * (radius / place.scale + 22);
        const [ax, ay] = place.at(far, HEIGHT / 2);
        const [bx, by] = place.at(far - ahead * 12, HEIGHT / 2 - 9);
        const [cx, cy] = place.at(far - ahead * 12, HEIGHT / 2 + 9);
        ctx.strokeStyle = COLOURS.quiet;
        ctx.beginPath();
        ctx.moveTo(bx, by);
        ctx.lineTo(ax, ay);
        ctx.lineTo(cx, cy);
        ctx.stroke();
    }
    if (rest < SECONDS_FROM_MS && share < 0.5 && scene.serve && !scene.resume) return;
    ctx.font = `600 ${Math.max(17, 22 * place.scale)}px ${FONT}`;
    ctx.fillStyle = COLOURS.ivory;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    const seconds = String(Math.ceil(rest / 1000));
    // Beside the arrow's way.
    if (view.tall) ctx.fillText(seconds, x + radius + 18, y);
    else ctx.fillText(seconds, x, y - radius - 18);
}

/**
 * A win: brass runs along the frame, once.
 * @param {CanvasRenderingContext2D} ctx @param {Scene} scene @param {number} now
 * @param {View} view @param {Placed} place
 */
function drawSweep(ctx, scene, now, view, place) {
    const { over } = scene;
    if (!over || over.winner === null || (scene.you !== null && over.winner !== scene.you)) return;
    const share = Math.min(1, (now - over.at) / SWEEP_MS);
    if (share >= 1 && now - over.at > SWEEP_MS * 4) return;
    const round = 2 * (place.width + place.height);
    ctx.strokeStyle = COLOURS.brass;
    ctx.lineWidth = 3;
    if (view.calm) ctx.globalAlpha = share;
    else ctx.setLineDash([round * share, round]);
    frame(ctx, place);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.globalAlpha = 1;
}

/** Mine is brass; of two strangers' the near one. @param {Scene} scene @param {View} view @param {Side} side */
function colour(scene, view, side) {
    return side === (scene.you ?? view.near) ? COLOURS.brass : COLOURS.chalk;
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} x @param {number} y @param {number} radius @param {string} colour
 */
function disc(ctx, x, y, radius, colour) {
    ctx.fillStyle = colour;
    ctx.beginPath();
    ctx.arc(x, y, Math.max(0, radius), 0, 2 * Math.PI);
    ctx.fill();
}
