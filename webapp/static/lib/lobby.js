// The lobby's socket, and what it last said. One for the page; screens listen.

import { signedOut } from "./api.js";
import { CODES, Line } from "./socket.js";

/** @import { FromLobby, Matched, Notification, Parting, Presence, QueueUpdate, RoomInfo, RoomLine } from "../types.d.ts" */
/** @import { LineState } from "./socket.js" */

const PING_EVERY_MS = 15_000;
/** As many as the server keeps. */
const LINES_MAX = 50;

/** @type {Line | null} */
let line = null;
/** Whether nothing was heard of my room since the line was opened. */
let awaited = false;
/** @type {Set<() => void>} */
const listeners = new Set();

export const lobby = {
    /** @type {LineState} */
    state: "connecting",
    /** What was last said of each game's queue. @type {Map<string, QueueUpdate>} */
    queues: new Map(),
    /** The match that I am in. @type {Matched | null} */
    matched: null,
    /** The room that I am in. @type {RoomInfo | null} */
    room: null,
    /** The room that I was in last, and why no more. @type {{ code: string, why: Parting } | null} */
    parted: null,
    /** How often the line was opened and my room heard of: what was said meanwhile is to be asked for. */
    opened: 0,
    /** What was said in my room lately. @type {readonly RoomLine[]} */
    lines: [],

    /** Where friends are, as was last said of each. @type {Map<string, Presence>} */
    presences: new Map(),
    /** The last thing that I was told of, and how many there were. @type {Notification | null} */
    told: null,
    heard: 0,

    open() {
        line ??= new Line({
            path: () => "/ws/lobby",
            pingEvery: PING_EVERY_MS,
            hear,
            tell(state, code) {
                // Ended elsewhere, and the page can't renew it.
                if (state === "ended" && code === CODES.signedOut) return signedOut();
                lobby.state = state;
                // Newer pages of mine took over. It is this one's turn when it is looked at again.
                if (state === "ended" && code === CODES.replaced) awaitReturn();
                if (state === "online") awaited = true;
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
        lobby.room = null;
        lobby.parted = null;
        lobby.lines = [];
        lobby.presences.clear();
        lobby.told = null;
    },

    /**
     * My room, as the server answered it. @param {RoomInfo} room @param {readonly RoomLine[]} [chat]
     */
    found(room, chat = []) {
        settle(room);
        recall(chat);
        changed();
    },

    /** Says something in my room. @param {string} text */
    say(text) {
        return lobby.room !== null && line !== null && line.send({ type: "chat", room: lobby.room.code, text });
    },

    /** Called with what was refused of what I said. @type {(code: string) => void} */
    refused: () => {},

    /**
     * @param {() => void} hear called whenever something of the above has changed
     * @returns {() => void} takes it back
     */
    listen(hear) {
        listeners.add(hear);
        return () => listeners.delete(hear);
    },
};

/** Opens the line again once somebody comes back to the page. */
function awaitReturn() {
    const away = line;
    const off = new AbortController();
    const back = () => {
        if (document.hidden) return;
        off.abort();
        if (line === away && lobby.state === "ended") line?.restart();
    };
    for (const type of ["focus", "visibilitychange", "pointerdown"]) {
        addEventListener(type, back, { capture: true, signal: off.signal });
    }
}

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
    } else if (message.type === "room_update") {
        if (message.room) {
            settle(message.room);
            if (awaited) lobby.opened += 1;
            awaited = false;
        } else part(message.code, message.parting ?? "left");
    } else if (message.type === "presence") {
        lobby.presences.set(message.user_id, message.presence);
    } else if (message.type === "notification") {
        lobby.told = message;
        lobby.heard += 1;
    } else if (message.type === "chat") {
        if (message.room !== lobby.room?.code) return;
        recall([message]);
    } else {
        const { type, code } = /** @type {{ type: string, code: string }} */ (message);
        if (type === "error") lobby.refused(code);
        return;
    }
    changed();
}

/** Of two states of a room, the newer holds. @param {RoomInfo} room */
function settle(room) {
    const isSame = lobby.room?.code === room.code;
    if (isSame && lobby.room && lobby.room.revision > room.revision) return;
    if (!isSame) lobby.lines = [];
    lobby.room = room;
    lobby.parted = null;
}

/** @param {string} code @param {Parting} why */
function part(code, why) {
    if (lobby.room?.code !== code) return;
    lobby.room = null;
    lobby.lines = [];
    lobby.parted = { code, why };
}

/** Lines may come twice, and late. @param {readonly RoomLine[]} lines */
function recall(lines) {
    const all = new Map([...lobby.lines, ...lines].map(({ user, at, text }) => [user.id + at, { user, at, text }]));
    lobby.lines = [...all.values()].sort((a, b) => a.at.localeCompare(b.at)).slice(-LINES_MAX);
}

function changed() {
    for (const listener of [...listeners]) listener();
}
