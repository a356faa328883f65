// Whether a device keeps up with what is drawn. Pure.

/** So many frames are looked at together. */
const FRAMES = 90;
/** One that took longer was missed, in ms: at 60 a second they take 17. */
const SLOW_MS = 25;
/** Who waited longer was doing something else. */
const AWAY_MS = 250;
/** So many of them missed are seen as stutter. */
const SLOW_MAX = 27;

export class Pace {
    #last = -Infinity;
    #frames = 0;
    #slow = 0;

    /**
     * Call it with each frame in which something moved.
     * @param {number} at in ms
     * @returns {boolean} whether too many of the last ones were missed; then it begins anew
     */
    falls(at) {
        const took = at - this.#last;
        this.#last = at;
        if (took > AWAY_MS) return false;
        this.#frames += 1;
        if (took > SLOW_MS) this.#slow += 1;
        if (this.#frames < FRAMES) return false;
        const falls = this.#slow > SLOW_MAX;
        [this.#frames, this.#slow] = [0, 0];
        return falls;
    }
}
