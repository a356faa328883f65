// A socket that comes back. The only file that knows WebSocket.

import { renewOrLeave, Refusal, socketAddress } from "./api.js";

/**
 * How it stands: `offline` means that it will be tried again; `ended` that it will not.
 * @typedef {"connecting" | "online" | "offline" | "ended"} LineState
 */

/**
 * @typedef {object} LineOptions
 * @property {() => string} path what to open, asked anew each time
 * @property {() => string} [tickets] who gives tickets for it, where it is not for who is signed in
 * @property {(message: any) => void} hear
 * @property {(state: LineState, code: number) => void} tell the state, and for `ended` the code
 * @property {(now: number, took: number, message: any) => void} [pong] a ping came back
 * @property {number} pingEvery ms
 */

/** The first pings come quickly, so that the clock is known soon. */
const FIRST_PINGS = 5;
const FIRST_PING_EVERY = 150;
/** A socket that leaves a ping unanswered for so long is dead. */
const SILENT_MS_MAX = 4_000;
/** The same where there is reason to think so: after another network, or a locked phone. */
const SILENT_MS_MAX_IN_DOUBT = 2_000;
/** How long a socket may take to open. */
const OPEN_MS_MAX = 8_000;
/** A timer that is later than this was stopped with the page: what it should say is not known. */
const LATE_MS = 1_000;
const WAIT_MS = 400;
const WAIT_MS_MAX = 10_000;
/** A try that is younger than this is not begun again. */
const TRY_MS_MIN = 1_000;
/** How long a connection must hold for the next wait to be short again. */
const HELD_MS = 5_000;

/** Codes after which coming back by itself would be wrong or useless. */
export const CODES = {
    refused: 1008, tooBig: 1009, restarting: 1012, signedOut: 4401, forbidden: 4403, missing: 4404,
    replaced: 4409, over: 4410, tooFast: 4429,
};
const FINAL = new Set([CODES.forbidden, CODES.missing, CODES.replaced, CODES.over]);
const SLOW = new Set([CODES.refused, CODES.tooBig, CODES.tooFast]);

export class Line {
    /** @type {WebSocket | null} */
    #socket = null;
    #closed = false;
    #tries = 0;
    /** @type {number | undefined} */
    #timer;
    /** @type {number | undefined} */
    #pinging;
    #pings = 0;
    /** Ends a socket that is silent, or does not open. @type {number | undefined} */
    #doubting;
    #openedAt = 0;
    /** Since when it is tried to connect; long ago while it only waits. */
    #triedAt = -Infinity;
    /** Nothing is tried any more, until `restart`. */
    #ended = false;
    #off = new AbortController();
    /** Counts connections, so that what comes late for an old one is known. */
    #turn = 0;

    /** @param {LineOptions} options */
    constructor(options) {
        this.options = options;
        const { signal } = this.#off;
        addEventListener("online", this.#wake, { signal });
        addEventListener("offline", this.#sleep, { signal });
        addEventListener("pageshow", this.#wake, { signal });
        document.addEventListener("visibilitychange", this.#wake, { signal });
        // A frozen page goes on, or a phone goes from one network to another.
        document.addEventListener("resume", this.#wake, { signal });
        const { connection } = /** @type {{ connection?: EventTarget }} */ (navigator);
        connection?.addEventListener?.("change", this.#wake, { signal });
        this.#connect();
    }

    /** Says it if the line is open. @param {object} message */
    send(message) {
        if (this.#socket?.readyState !== WebSocket.OPEN) return false;
        this.#socket.send(JSON.stringify(message));
        return true;
    }

    /** Opens it anew, at once. */
    restart() {
        this.#hangUp();
        this.#ended = false;
        this.#connect();
    }

    close() {
        this.#closed = true;
        this.#off.abort();
        this.#hangUp();
    }

    #hangUp() {
        this.#turn += 1;
        for (const timer of [this.#timer, this.#pinging, this.#doubting]) clearTimeout(timer);
        this.#doubting = undefined;
        this.#socket?.close(1000);
        this.#socket = null;
    }

    /** The network may be another, or the page is looked at again: don't wait for the timer. */
    #wake = () => {
        if (this.#closed || this.#ended || document.hidden) return;
        if (this.#socket?.readyState === WebSocket.OPEN) {
            this.#doubt(this.#turn, SILENT_MS_MAX_IN_DOUBT);
            this.#ping(this.#turn);
            return;
        }
        this.#tries = Math.min(this.#tries, 1);
        if (performance.now() - this.#triedAt > TRY_MS_MIN) this.restart();
    };

    /** There is no network: what is sent into the socket would only wait there. */
    #sleep = () => {
        if (this.#closed || this.#ended) return;
        this.#hangUp();
        void this.#lost(0);
    };

    /**
     * Gives the socket up unless it says something in time.
     * @param {number} turn
     * @param {number} patience ms
     */
    #doubt(turn, patience) {
        clearTimeout(this.#doubting);
        const due = performance.now() + patience;
        this.#doubting = setTimeout(() => {
            this.#doubting = undefined;
            if (turn !== this.#turn) return;
            if (performance.now() - due > LATE_MS) {
                // The page stood still meanwhile: the answer may be here, and not read yet.
                this.#doubt(turn, patience);
                return;
            }
            this.#hangUp();
            void this.#lost(0);
        }, patience);
    }

    #trust() {
        clearTimeout(this.#doubting);
        this.#doubting = undefined;
    }

    async #connect() {
        const turn = ++this.#turn;
        clearTimeout(this.#timer);
        this.#triedAt = performance.now();
        this.options.tell(this.#tries ? "offline" : "connecting", 0);
        /** @type {string} */
        let address;
        try {
            address = await socketAddress(this.options.path(), this.options.tickets?.() ?? "/api/ws-tickets");
        } catch (error) {
            if (turn !== this.#turn) return;
            if (error instanceof Refusal && error.status === 401) this.#end(CODES.signedOut);
            else if (error instanceof Refusal && error.status === 409) this.#end(CODES.over);
            else this.#again(0);
            return;
        }
        if (turn !== this.#turn) return;
        const socket = new WebSocket(address);
        this.#socket = socket;
        this.#doubt(turn, OPEN_MS_MAX);
        socket.onopen = () => {
            if (turn !== this.#turn) return;
            this.#openedAt = performance.now();
            this.#trust();
            this.#pings = 0;
            this.options.tell("online", 0);
            this.#ping(turn);
        };
        socket.onmessage = ({ data }) => {
            if (turn === this.#turn) this.#hear(data);
        };
        socket.onclose = ({ code }) => {
            if (turn === this.#turn) this.#lost(code);
        };
    }

    /** @param {unknown} data */
    #hear(data) {
        this.#trust();
        const now = performance.now();
        /** @type {any} */
        let message;
        try {
            message = JSON.parse(String(data));
        } catch {
            return;
        }
        if (message.type === "pong") {
            this.options.pong?.(now, now - message.t, message);
        } else {
            this.options.hear(message);
        }
    }

    /** @param {number} turn */
    #ping(turn) {
        clearTimeout(this.#pinging);
        if (turn !== this.#turn) return;
        this.send({ type: "ping", t: performance.now() });
        if (this.#doubting === undefined) this.#doubt(turn, SILENT_MS_MAX);
        this.#pings += 1;
        const wait = this.#pings < FIRST_PINGS ? FIRST_PING_EVERY : this.options.pingEvery;
        this.#pinging = setTimeout(() => this.#ping(turn), wait);
    }

    /** @param {number} code */
    async #lost(code) {
        this.#hangUp();
        if (performance.now() - this.#openedAt > HELD_MS) this.#tries = 0;
        if (FINAL.has(code)) {
            this.#end(code);
            return;
        }
        if (code === CODES.signedOut) {
            const turn = this.#turn;
            const isOver = (/** @type {unknown} */ error) => error instanceof Refusal && error.status === 401;
            const signedIn = await renewOrLeave().then(() => true, (error) => !isOver(error));
            if (turn !== this.#turn) return;
            if (!signedIn) {
                this.#end(code);
                return;
            }
        }
        this.#again(code);
    }

    /** @param {number} code */
    #end(code) {
        this.#ended = true;
        this.options.tell("ended", code);
    }

    /** Tries again after a wait that doubles, with jitter so that not all come at one moment. */
    #again(/** @type {number} */ code) {
        if (this.#closed) return;
        this.#tries += 1;
        this.#triedAt = -Infinity;
        this.options.tell("offline", 0);
        const most = Math.min(WAIT_MS_MAX, WAIT_MS * 2 ** (this.#tries - 1));
        const wait = code === CODES.restarting && this.#tries === 1
            ? Math.random() * WAIT_MS
            : SLOW.has(code) ? WAIT_MS_MAX : most * (0.5 + Math.random() / 2);
        this.#timer = setTimeout(() => this.#connect(), wait);
    }
}
