// Shows others how I aim: the newest, only when it changed, and not too often.

/** Twelve times a second at most. */
export const SHOW_EVERY_MS = 85;

export class Showing {
    /** @type {(value: object) => void} */
    #show;
    /** @type {{ now: () => number, later: (call: () => void, ms: number) => unknown }} */
    #time;
    #last = "";
    #at = -Infinity;
    /** @type {object | null} */
    #waiting = null;
    /** @type {unknown} */
    #timer;

    /**
     * @param {(value: object) => void} show
     * @param {object} [time] what time it is, and how to be called later; both in ms
     * @param {() => number} time.now
     * @param {(call: () => void, ms: number) => unknown} time.later
     */
    constructor(show, time = { now: () => performance.now(), later: (call, ms) => setTimeout(call, ms) }) {
        [this.#show, this.#time] = [show, time];
    }

    /** @param {object} value */
    tell(value) {
        const isTold = JSON.stringify(value) === this.#last;
        this.#waiting = isTold ? null : value;
        if (isTold || this.#timer !== undefined) return;
        const wait = this.#at + SHOW_EVERY_MS - this.#time.now();
        if (wait <= 0) this.#now();
        else this.#timer = this.#time.later(() => {
            this.#timer = undefined;
            this.#now();
        }, wait);
    }

    /** What waits is not worth telling any more. */
    drop() {
        this.#waiting = null;
    }

    #now() {
        if (!this.#waiting) return;
        const value = this.#waiting;
        [this.#waiting, this.#last, this.#at] = [null, JSON.stringify(value), this.#time.now()];
        this.#show(value);
    }
}
