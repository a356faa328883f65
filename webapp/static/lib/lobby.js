// The lobby's socket, and what it last said. One for the page; screens listen.

import { Line } from "./socket.js";

/** @import { FromLobby, Matched, QueueUpdate } from "../types.d.ts" */
/** @import { LineState } from "./socket.js" */

const PING_EVERY_MS = 15_000;

/** @type {Line | null} */
let line = null;
/** @type {Set<() => void>} */
const listeners = new Set();

export const lobby = {
    /** @type {LineState} */
    state: "connecting",
    /** What was last said of each game's queue. @type {Map<string, QueueUpdate>} */
    queues: new Map(),
    /** The match that I am in. @type {Matched | null} */
    matched: null,

    open() {
        line ??= new Line({
            path: () => "/ws/lobby",
            pingEvery: PING_EVERY_MS,
            hear,
            tell(state) {
                lobby.state = state;
                changed();
            },
        });
    },

    /** Leaves, and forgets what was said: the next time it is said anew. */
    close() {
        line?.close();
        line = null;
        lobby.state = "connecting";
        lobby.queues.clear();
        lobby.matched = null;
    },

    /**
     * @param {() => void} hear called whenever something of the above has changed
     * @returns {() => void} takes it back
     */
    listen(hear) {
        listeners.add(hear);
        return () => listeners.delete(hear);
    },
};

/** @param {FromLobby} message */
function hear(message) {
    if (message.type === "queue_update") {
        lobby.queues.set(message.game, message);
        lobby.matched = null;
    } else if (message.type === "matched") {
        lobby.matched = message;
        for (const queue of lobby.queues.values()) {
            if (queue.status === "waiting") lobby.queues.delete(queue.game);
        }
    } else {
        return;
    }
    changed();
}

function changed() {
    for (const listener of [...listeners]) listener();
}
