// Turns fingers, the mouse and keys into where the paddle should go.

/** Which way a key sends the paddle on the screen: back is up and left. */
const KEYS = /** @type {Record<string, -1 | 1>} */ ({
    ArrowUp: -1, ArrowLeft: -1, KeyW: -1, KeyA: -1,
    ArrowDown: 1, ArrowRight: 1, KeyS: 1, KeyD: 1,
});

/**
 * @param {HTMLCanvasElement} canvas
 * @param {object} does
 * @param {(x: number, y: number) => void} does.point a point of the canvas was pointed at
 * @param {(way: -1 | 0 | 1) => void} does.push a key is held, or none any more
 * @returns {() => void} lets go
 */
export function hands(canvas, { point, push }) {
    /** Keys that are down, the last one last. @type {string[]} */
    let held = [];
    const off = new AbortController();
    const { signal } = off;

    /** @param {PointerEvent} event */
    const pointed = (event) => {
        if (!event.isPrimary) return;
        const { left, top } = canvas.getBoundingClientRect();
        point(event.clientX - left, event.clientY - top);
    };
    canvas.addEventListener("pointerdown", (event) => {
        canvas.setPointerCapture(event.pointerId);
        pointed(event);
    }, { signal });
    canvas.addEventListener("pointermove", pointed, { signal });
    // Older Safari scrolls and zooms for all that touch-action says.
    canvas.addEventListener("touchmove", (event) => event.preventDefault(), { signal, passive: false });

    addEventListener("keydown", (event) => {
        if (!(event.code in KEYS) || event.ctrlKey || event.metaKey || event.altKey) return;
        if (document.querySelector("dialog[open]")) return;
        event.preventDefault();
        if (event.repeat || held.includes(event.code)) return;
        held.push(event.code);
        tell();
    }, { signal });
    addEventListener("keyup", (event) => {
        if (!held.includes(event.code)) return;
        held = held.filter((it) => it !== event.code);
        tell();
    }, { signal });
    addEventListener("blur", () => {
        if (!held.length) return;
        held = [];
        tell();
    }, { signal });

    function tell() {
        const last = held.at(-1);
        push(last ? (KEYS[last] ?? 0) : 0);
    }
    return () => off.abort();
}
