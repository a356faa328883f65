// A closer look at what is aimed at, while a finger aims on a small screen.

/** @import { Screen } from "./draw.js" */
/** @import { Mine } from "./overlay.js" */

/** The lens, in CSS pixels. */
const SIZE = 120;
/** So many times as large. */
const ZOOM = 2.75;
/** Balls that are larger, in CSS pixels from the centre to the edge, are seen well enough. */
const RADIUS_MAX = 10;

/**
 * Shows the place of the first contact, from what is drawn, in the corner that is farther from it.
 * @param {HTMLCanvasElement} lens
 * @param {HTMLCanvasElement} drawn
 * @param {Screen} screen
 * @param {Mine | null} mine null: nothing is aimed at
 */
export function look(lens, drawn, { place, density, width }, mine) {
    const contact = mine?.foreseen?.contact;
    const isSmall = mine !== null && mine.task.ball.radius * place.scale < RADIUS_MAX;
    lens.hidden = !contact || contact.kind !== "ball" || !isSmall || mine.plan.isCarried;
    const ctx = lens.getContext("2d", { alpha: false });
    if (lens.hidden || !contact || !ctx) return;
    const size = Math.round(SIZE * density);
    if (lens.width !== size) [lens.width, lens.height] = [size, size];
    const [x, y] = place.at(...contact.at);
    const part = SIZE / ZOOM;
    ctx.fillStyle = "#14181a";
    ctx.fillRect(0, 0, size, size);
    ctx.imageSmoothingQuality = "high";
    ctx.drawImage(
        drawn, (x - part / 2) * density, (y - part / 2) * density, part * density, part * density, 0, 0, size, size,
    );
    // High up, where no thumb is; on the side away from the contact.
    lens.dataset["side"] = x < width / 2 ? "right" : "left";
    lens.dataset["end"] = y < SIZE * 1.5 ? "low" : "high";
}
