// A player's numbered messages: kept until the server has dealt with them, sent again after the
// connection was lost. Of aims only the newest is worth keeping.

/** @typedef {{ type: string, n: number }} Numbered */

export class Outbox {
    /** @type {Numbered[]} */
    #kept = [];
    #last = 0;
    #send;

    /** @param {(message: object) => boolean} send */
    constructor(send) {
        this.#send = send;
    }

    /** Numbers it and sends it; its number. @param {{ type: string }} message */
    post(message) {
        const numbered = { ...message, n: ++this.#last };
        if (message.type === "player_move") {
            this.#kept = this.#kept.filter(({ type }) => type !== "player_move");
        }
        this.#kept.push(numbered);
        this.#send(numbered);
        return numbered.n;
    }

    /** The server has dealt with all up to `n`. @param {number} n */
    acknowledged(n) {
        this.#last = Math.max(this.#last, n);
        this.#kept = this.#kept.filter((it) => it.n > n);
    }

    /** The connection is back. */
    again() {
        for (const message of this.#kept) this.#send(message);
    }
}
