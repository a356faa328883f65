// The server's clock, guessed from pings: the quickest of the last few knows best.

const SAMPLES_MAX = 12;
/** A guess that is off by more is taken at once; by less it is approached, so that nothing jumps. */
const JUMP_MS = 120;
const APPROACH = 0.3;

export class Clock {
    /** @type {{ took: number, offset: number }[]} */
    #samples = [];
    /** @type {number | null} */
    #offset = null;

    /** How long a message takes there and back, in ms. */
    trip = 60;

    /**
     * A ping came back.
     * @param {number} received our time
     * @param {number} took ms
     * @param {number} at the server's time when it answered
     */
    heard(received, took, at) {
        // The server rounds down to whole milliseconds.
        const offset = at + 0.5 + took / 2 - received;
        this.#samples.push({ took, offset });
        if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
        const best = this.#samples.reduce((a, b) => (b.took < a.took ? b : a));
        this.trip = best.took;
        if (this.#offset === null || Math.abs(best.offset - this.#offset) > JUMP_MS) {
            this.#offset = best.offset;
        } else {
            this.#offset += (best.offset - this.#offset) * APPROACH;
        }
    }

    /** A message named the server's time: a first guess, too early by how long it took. */
    glimpsed(/** @type {number} */ at) {
        this.#offset ??= at + this.trip / 2 - performance.now();
    }

    /** Forgets what was measured before the network may have changed. */
    forget() {
        this.#samples = [];
    }

    /** The server's time now, in ms. */
    now() {
        return performance.now() + (this.#offset ?? 0);
    }
}
