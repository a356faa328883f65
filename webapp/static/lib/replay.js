// A match that is over, as a tape: where the head is, and what was said by then. Pure.

/** @import { FromMatch } from "../types.d.ts" */

/** What is said at a time of the match. @typedef {Extract<FromMatch, { at: number }>} Timed */
/** @typedef {{ at: number, seat: number, scores: readonly number[] }} Point */

/** Time that is played, stopped, sped up and wound. */
export class Playhead {
    /** @type {number} */
    #from;
    /** @type {number} */
    #to;
    /** @type {() => number} */
    #ours;
    #speed = 1;
    /** Where it was when it was last touched. @type {number} */
    #at;
    /** Our time then; null while it is stopped. @type {number | null} */
    #since = null;

    /** A message takes no time to get here: it is what a game asks of a clock. */
    trip = 0;

    /**
     * @param {number} from
     * @param {number} to
     * @param {() => number} ours our time, in ms
     */
    constructor(from, to, ours = () => performance.now()) {
        [this.#from, this.#to, this.#ours, this.#at] = [from, to, ours, from];
    }

    /** Where it is, in ms. */
    now() {
        if (this.#since === null) return this.#at;
        return Math.min(this.#to, this.#at + (this.#ours() - this.#since) * this.#speed);
    }

    /** Whether it moves: at its end it does not. */
    get playing() {
        return this.#since !== null && !this.ended;
    }

    get ended() {
        return this.now() >= this.#to;
    }

    get speed() {
        return this.#speed;
    }

    set speed(speed) {
        this.#touch(this.now());
        this.#speed = speed;
    }

    /** Plays on, or from the beginning when it has ended. */
    play() {
        this.#at = this.ended ? this.#from : this.now();
        this.#since = this.#ours();
    }

    pause() {
        this.#at = this.now();
        this.#since = null;
    }

    /** Winds to a time. @param {number} at */
    seek(at) {
        this.#touch(Math.max(this.#from, Math.min(this.#to, at)));
    }

    /** @param {number} at */
    #touch(at) {
        this.#at = at;
        if (this.#since !== null) this.#since = this.#ours();
    }
}

/**
 * How many messages are said up to a time.
 * @param {readonly Timed[]} messages in order
 * @param {number} at
 */
export function saidBy(messages, at) {
    let [low, high] = [0, messages.length];
    while (low < high) {
        const middle = (low + high) >> 1;
        if ((messages[middle]?.at ?? 0) <= at) low = middle + 1;
        else high = middle;
    }
    return low;
}

/**
 * When who scored.
 * @param {readonly Timed[]} messages
 * @returns {Point[]}
 */
export function points(messages) {
    /** @type {readonly number[]} */
    let last = [];
    return messages.flatMap((message) => {
        if (message.type !== "score_update") return [];
        const { at, scores } = message;
        const seat = scores.findIndex((score, i) => score > (last[i] ?? 0));
        last = scores;
        return seat < 0 ? [] : [{ at, seat, scores }];
    });
}
