// A socket that comes back. The only file that knows WebSocket.

import { renew, Refusal, socketAddress } from "./api.js";

/**
 * How it stands: `offline` means that it will be tried again; `ended` that it will not.
 * @typedef {"connecting" | "online" | "offline" | "ended"} LineState
 */

/**
 * @typedef {object} LineOptions
 * @property {() => string} path what to open, asked anew each time
 * @property {(message: any) => void} hear
 * @property {(state: LineState, code: number) => void} tell the state, and for `ended` the code
 * @property {(now: number, took: number, message: any) => void} [pong] a ping came back
 * @property {number} pingEvery ms
 */

/** The first pings come quickly, so that the clock is known soon. */
const FIRST_PINGS = 5;
const FIRST_PING_EVERY = 150;
/** A socket that says nothing for this many pings is dead. */
const SILENT_PINGS = 3;
const WAIT_MS = 400;
const WAIT_MS_MAX = 10_000;
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
    #heardAt = 0;
    #openedAt = 0;
    /** Counts connections, so that what comes late for an old one is known. */
    #turn = 0;

    /** @param {LineOptions} options */
    constructor(options) {
        this.options = options;
        addEventListener("online", this.#wake);
        document.addEventListener("visibilitychange", this.#wake);
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
        this.#connect();
    }

    close() {
        this.#closed = true;
        removeEventListener("online", this.#wake);
        document.removeEventListener("visibilitychange", this.#wake);
        this.#hangUp();
    }

    #hangUp() {
        this.#turn += 1;
        clearTimeout(this.#timer);
        clearTimeout(this.#pinging);
        this.#socket?.close(1000);
        this.#socket = null;
    }

    /** The network is back, or the page is looked at again: don't wait for the timer. */
    #wake = () => {
        if (this.#closed || document.hidden) return;
        if (!this.#socket) this.restart();
        else if (this.#socket.readyState === WebSocket.OPEN) this.#ping(this.#turn);
    };

    async #connect() {
        const turn = ++this.#turn;
        clearTimeout(this.#timer);
        this.options.tell(this.#tries ? "offline" : "connecting", 0);
        /** @type {string} */
        let address;
        try {
            address = await socketAddress(this.options.path());
        } catch (error) {
            if (turn !== this.#turn) return;
            if (error instanceof Refusal && error.status === 401) this.#end(CODES.signedOut);
            else this.#again(0);
            return;
        }
        if (turn !== this.#turn) return;
        const socket = new WebSocket(address);
        this.#socket = socket;
        socket.onopen = () => {
            this.#openedAt = this.#heardAt = performance.now();
            this.#pings = 0;
            this.options.tell("online", 0);
            this.#ping(turn);
        };
        socket.onmessage = ({ data }) => this.#hear(data);
        socket.onclose = ({ code }) => {
            if (turn === this.#turn) this.#lost(code);
        };
    }

    /** @param {unknown} data */
    #hear(data) {
        this.#heardAt = performance.now();
        /** @type {any} */
        let message;
        try {
            message = JSON.parse(String(data));
        } catch {
            return;
        }
        if (message.type === "pong") {
            this.options.pong?.(this.#heardAt, this.#heardAt - message.t, message);
        } else {
            this.options.hear(message);
        }
    }

    /** @param {number} turn */
    #ping(turn) {
        clearTimeout(this.#pinging);
        if (turn !== this.#turn) return;
        const now = performance.now();
        const { pingEvery } = this.options;
        if (now - this.#heardAt > pingEvery * SILENT_PINGS + 2_000) {
            this.#socket?.close();
            this.#lost(1006);
            return;
        }
        this.send({ type: "ping", t: now });
        this.#pings += 1;
        const wait = this.#pings < FIRST_PINGS ? FIRST_PING_EVERY : pingEvery;
        this.#pinging = setTimeout(() => this.#ping(turn), wait);
    }

    /** @param {number} code */
    async #lost(code) {
        this.#turn += 1;
        clearTimeout(this.#pinging);
        this.#socket = null;
        if (performance.now() - this.#openedAt > HELD_MS) this.#tries = 0;
        if (FINAL.has(code)) {
            this.#end(code);
            return;
        }
        if (code === CODES.signedOut) {
            const turn = this.#turn;
            const signedIn = await renew().catch(() => true);
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
        this.options.tell("ended", code);
    }

    /** Tries again after a wait that doubles, with jitter so that not all come at one moment. */
    #again(/** @type {number} */ code) {
        if (this.#closed) return;
        this.#tries += 1;
        this.options.tell("offline", 0);
        const most = Math.min(WAIT_MS_MAX, WAIT_MS * 2 ** (this.#tries - 1));
        const wait = code === CODES.restarting && this.#tries === 1
            ? Math.random() * WAIT_MS
            : SLOW.has(code) ? WAIT_MS_MAX : most * (0.5 + Math.random() / 2);
        this.#timer = setTimeout(() => this.#connect(), wait);
    }
}
