// A match that is over, as a tape: where the head is, and what was said by then. Pure.

/** @import { FromMatch } from "../types.d.ts" */

/** What is said at a time of the match. @typedef {Extract<FromMatch, { at: number }>} Timed */
/** @typedef {{ at: number, seat: number, scores: readonly number[] }} Point */

/** Times of the match between which nothing is seen to happen, in ms. @typedef {{ from: number, to: number }} Pause */

/** What has come to rest is looked at for so long, and so long one sees that something is about to move. */
const REST_MS = 2_000;
const LEAD_MS = 800;
/** To cut out less would be more noticed than to wait. */
const PAUSE_MS_MIN = 1_500;

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

/**
 * The pauses between what is seen.
 * @param {readonly Pause[]} seen in the order in which it begins: from when until when something moves
 * @returns {Pause[]}
 */
export function pausesBetween(seen) {
    let busy = Infinity;
    return seen.flatMap(({ from, to }) => {
        const pause = { from: busy + REST_MS, to: from - LEAD_MS };
        busy = busy === Infinity ? to : Math.max(busy, to);
        return pause.to - pause.from >= PAUSE_MS_MIN ? [pause] : [];
    });
}

// A tape from which pauses are cut has a time of its own, which runs on where the match's leaps.

/** What time of the tape a time of the match is at. @param {readonly Pause[]} pauses in order @param {number} at */
export function tapeTime(pauses, at) {
    return pauses.reduce((t, { from, to }) => t - Math.max(0, Math.min(at, to) - from), at);
}

/** What time of the match is seen at a time of the tape. @param {readonly Pause[]} pauses in order @param {number} t */
export function matchTime(pauses, t) {
    return pauses.reduce((at, { from, to }) => (at >= from ? at + to - from : at), t);
}
