// Turns fingers, the mouse and keys into what is done at the table. Knows nothing of the game.

/** A finger that moved less, in pixels, has tapped. */
const TAP_PX = 9;
/** A finger that stayed longer did not mean to tap. */
const TAP_MS = 400;
/** A key turns the aim by so much, in radians; with Shift by a tenth of it. */
const KEY_TURN = 0.01;
/** And draws the cue by so much of its way. */
const KEY_DRAW = 0.02;

/**
 * What hands do. Points and ways are in CSS pixels of the canvas.
 * @typedef {object} Does
 * @property {(x: number, y: number) => boolean} grab whether what is there can be carried
 * @property {(dx: number, dy: number) => void} carry it
 * @property {() => void} drop it
 * @property {(x: number, y: number, dx: number, dy: number) => void} sweep over the cloth, to there
 * @property {(x: number, y: number) => void} tap
 * @property {(by: number) => void} turn the aim, in radians
 * @property {(by: number) => void} draw the cue, in parts of its way
 * @property {() => void} strike
 * @property {() => void} cancel
 */

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Does} does
 * @returns {() => void} lets go
 */
export function hands(canvas, does) {
    const off = new AbortController();
    const { signal } = off;
    /** @type {"carry" | "sweep" | null} */
    let doing = null;
    let isTap = false;
    let since = 0;
    let [restX, restY] = [0, 0];

    drags(canvas, {
        down(x, y) {
            doing = does.grab(x, y) ? "carry" : "sweep";
            [isTap, since] = [true, performance.now()];
            [restX, restY] = [0, 0];
        },
        move(x, y, dx, dy, far) {
            if (far > TAP_PX) isTap = false;
            // What shakes while it taps does not aim; what is carried catches up.
            if (isTap) {
                [restX, restY] = [restX + dx, restY + dy];
                return;
            }
            if (doing === "carry") does.carry(dx + restX, dy + restY);
            else does.sweep(x, y, dx, dy);
            [restX, restY] = [0, 0];
        },
        up(x, y) {
            const tapped = isTap && performance.now() - since < TAP_MS;
            if (doing === "carry" && !isTap) does.drop();
            if (tapped) does.tap(x, y);
            doing = null;
        },
        cancel() {
            if (doing === "carry") does.drop();
            doing = null;
        },
    }, signal);
    // Older Safari scrolls and zooms for all that touch-action says.
    canvas.addEventListener("touchmove", (event) => event.preventDefault(), { signal, passive: false });
    canvas.addEventListener("wheel", (event) => {
        event.preventDefault();
        does.turn(event.deltaY * 5e-5);
    }, { signal, passive: false });

    addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        if (document.querySelector("dialog[open]")) return;
        const target = event.target instanceof Element ? event.target : null;
        if (target?.closest("select, input, [data-keys=own]")) return;
        const fine = event.shiftKey ? 0.1 : 1;
        const call = /** @type {Record<string, () => void>} */ ({
            ArrowLeft: () => does.turn(KEY_TURN * fine),
            ArrowRight: () => does.turn(-KEY_TURN * fine),
            ArrowDown: () => does.draw(KEY_DRAW * fine),
            ArrowUp: () => does.draw(-KEY_DRAW * fine),
            Escape: () => does.cancel(),
            // A button that has the focus takes it for itself.
            ...(target?.closest("button, a") ? {} : { Enter: () => does.strike() }),
        })[event.key];
        if (!call) return;
        event.preventDefault();
        call();
    }, { signal });
    return () => off.abort();
}

/**
 * Follows the first finger that is put on an element, also beyond its edges.
 * @param {HTMLElement} element
 * @param {object} does
 * @param {(x: number, y: number) => void} does.down
 * @param {(x: number, y: number, dx: number, dy: number, far: number) => void} does.move `far`: from
 *     where it was put down, at the farthest
 * @param {(x: number, y: number) => void} does.up
 * @param {() => void} does.cancel
 * @param {AbortSignal} signal
 */
export function drags(element, { down, move, up, cancel }, signal) {
    /** @type {{ id: number, x: number, y: number, fromX: number, fromY: number, far: number } | null} */
    let held = null;
    /** @param {PointerEvent} event */
    const place = ({ clientX, clientY }) => {
        const { left, top } = element.getBoundingClientRect();
        return /** @type {const} */ ([clientX - left, clientY - top]);
    };
    element.addEventListener("pointerdown", (event) => {
        if (held || event.button !== 0) return;
        // A button or a slider in it is for itself, and drags nothing else.
        if (event.target instanceof Element && event.target.closest("button, input")) return;
        event.preventDefault();
        // Keys go to the table again, and not to what was used before.
        if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
        element.setPointerCapture(event.pointerId);
        const [x, y] = place(event);
        held = { id: event.pointerId, x, y, fromX: x, fromY: y, far: 0 };
        down(x, y);
    }, { signal });
    element.addEventListener("pointermove", (event) => {
        if (held?.id !== event.pointerId) return;
        const [x, y] = place(event);
        const [dx, dy] = [x - held.x, y - held.y];
        const far = Math.max(held.far, Math.hypot(x - held.fromX, y - held.fromY));
        held = { ...held, x, y, far };
        move(x, y, dx, dy, far);
    }, { signal });
    element.addEventListener("pointerup", (event) => {
        if (held?.id !== event.pointerId) return;
        held = null;
        up(...place(event));
    }, { signal });
    element.addEventListener("pointercancel", (event) => {
        if (held?.id !== event.pointerId) return;
        held = null;
        cancel();
    }, { signal });
}
