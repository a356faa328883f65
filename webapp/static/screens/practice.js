// Alone at a billiard table: the balls lie as one likes, and the server says only where they roll.

import { call, me } from "../lib/api.js";
import { act, html, patch } from "../lib/html.js";
import { explained, failed, icon, loading, toast } from "../lib/parts.js";
import { goBack } from "../lib/router.js";
import { share } from "../lib/share.js";
import { telegram } from "../lib/telegram.js";
import { t } from "../lib/words.js";
import { games } from "../games/index.js";
import { ballIcon } from "../games/billiards/looks.js";
import { ballsOf, freeSpot, numbered, racked, read, spotsOf, written } from "../games/billiards/position.js";
import { missing } from "./missing.js";

/** @import { Stage } from "../games/index.js" */
/** @import { Ball, Discipline, Path, Placed, Strike, Turn, View } from "../games/billiards/types.d.ts" */

/** A table, its balls and its marks. @typedef {Pick<View, "table" | "ball" | "spots">} Furniture */
/** A strike, and how all lay before it. @typedef {{ balls: readonly Placed[], strike: Strike, path: Path }} Taken */

/** The server's. */
const LIMITS = { speed: 10, tip: 0.5, elevation: (80 * Math.PI) / 180 };
const UNDO_MAX = 100;

/** @param {string} name @returns {Discipline | null} */
function disciplineOf(name) {
    return name === "eight_ball" || name === "nine_ball" || name === "pyramid" || name === "kolkhoz" ? name : null;
}

/** @type {import("../main.js").Screen} */
export function practice(root, name) {
    const discipline = disciplineOf(name);
    if (!discipline) return missing(root, name);
    const room = new Practice(root, discipline);
    return () => room.close();
}

class Practice {
    /** @type {HTMLElement} */
    #root;
    /** @type {Discipline} */
    #discipline;
    /** @type {Furniture | null} */
    #furniture = null;
    /** @type {unknown} */
    #error = null;
    /** @type {Stage | null} */
    #stage = null;
    /** @type {readonly Placed[]} */
    #balls = [];
    /** How the balls lay before each change, the newest last. @type {(readonly Placed[])[]} */
    #past = [];
    /** @type {Taken | null} */
    #last = null;
    #isSetUp = false;
    /** Balls roll, or the server is asked how. */
    #isBusy = false;
    #n = 0;
    #seq = 0;
    /** @type {number | undefined} */
    #resting;
    #closed = false;
    #off;

    /** @param {HTMLElement} root @param {Discipline} discipline */
    constructor(root, discipline) {
        [this.#root, this.#discipline] = [root, discipline];
        this.#off = act(root, {
            setup: () => {
                this.#isSetUp = !this.#isSetUp;
                this.#tellTurn();
                this.#show();
            },
            toggle: ({ dataset }) => this.#toggle(Number(dataset["ball"])),
            undo: () => this.#undo(),
            again: () => this.#again(),
            rack: () => this.#rack(),
            share: () => this.#share(),
            leave: () => goBack("/"),
            retry: () => void this.#open(),
        });
        telegram.swipes(false);
        telegram.ground(games[discipline]?.ground ?? null);
        void this.#open();
    }

    close() {
        this.#closed = true;
        clearTimeout(this.#resting);
        this.#off();
        this.#stage?.stop();
        telegram.swipes(true);
        telegram.ground(null);
    }

    get #tableName() {
        return this.#discipline === "eight_ball" || this.#discipline === "nine_ball" ? "pool" : "pyramid";
    }

    async #open() {
        this.#error = null;
        this.#show();
        try {
            /** @type {Pick<View, "table" | "ball">} */
            const { table, ball } = await call("GET", `/api/billiards/tables/${this.#tableName}`);
            this.#furniture = { table, ball, spots: spotsOf(table) };
        } catch (error) {
            this.#error = error;
        }
        if (this.#closed) return;
        this.#show();
        const canvas = this.#root.querySelector("canvas");
        const beside = this.#root.querySelector(".beside");
        if (!this.#furniture || !canvas || !(beside instanceof HTMLElement)) return;
        const { table, ball, spots } = this.#furniture;
        const linked = new URLSearchParams(location.search).get("at");
        const found = linked === null ? null : read(table, ball, this.#discipline, linked);
        if (linked !== null && !found) toast(t("practice_bad_link"));
        this.#balls = found ?? racked(this.#discipline, ball, spots);
        this.#stage = games[this.#discipline]?.stage({
            canvas, beside, clock: { now: () => performance.now(), trip: 0 },
            send: (message) => this.#hear(/** @type {any} */ (message)),
            show: null,
            turns: () => {},
        }) ?? null;
        this.#state();
    }

    /** All that there is, to the stage. */
    #state() {
        if (!this.#furniture) return;
        const at = performance.now();
        const user = me();
        const player = {
            seat: 0, side: "left", user, score: 0, ready: true, computer: null, rating: 0, provisional: false,
            connected: true, waiting_until: null, rtt: null,
        };
        /** @type {View} */
        const view = {
            ...this.#furniture, discipline: this.#discipline, balls: this.#balls, shot: null, turn: this.#turn(),
            verdict: null, target: 0, next_rack_at: null, limits: LIMITS, ends_at: Infinity,
            sheet: {
                rack: 1, breaker: 0, order: [0], racks: [0], points: [0], totals: [0], shelves: [[]],
                groups: [null], fouls: [0], gone: [], out: [false],
            },
        };
        this.#seq = 1;
        this.#stage?.hear(/** @type {any} */ ({
            type: "game_state", seq: 1, ack: this.#n, at, status: "active", you: 0, players: user ? [player] : [],
            options: {}, outcome: null, rematch: [], game: view,
        }), at);
    }

    /** @param {object} update @param {number} [at] */
    #tell(update, at = performance.now()) {
        this.#seq += 1;
        this.#stage?.hear(/** @type {any} */ ({ type: "game_update", seq: this.#seq, at, ...update }), at);
    }

    /** What I may do: anything that the table allows. @returns {Turn} */
    #turn() {
        const all = this.#balls.map(([n]) => n);
        const isPool = this.#tableName === "pool";
        return {
            seat: 0, phase: "shoot", until: null, bank: [0], hand: "anywhere", on: all,
            strikers: isPool ? all.filter((n) => n === 0) : all,
            calls: false, safety: false, push_out: false, choices: [], takes: [],
            moves: this.#isSetUp ? all : isPool ? [0] : [],
        };
    }

    #tellTurn() {
        this.#tell({ turn: this.#turn() });
    }

    /** What my hands sent. @param {{ action: string } & Strike & { x: number, y: number }} message */
    #hear(message) {
        this.#n += 1;
        if (message.action === "place") this.#place(message.ball, message.x, message.y);
        if (message.action === "strike") void this.#strike(message, this.#n);
        return this.#n;
    }

    /** @param {Ball} ball @param {number} x @param {number} y */
    #place(ball, x, y) {
        this.#remember();
        this.#balls = this.#balls.map((it) => (it[0] === ball ? [ball, x, y] : it));
        // The hand that sends it has not finished yet.
        queueMicrotask(() => this.#tell({ placed: [ball, x, y] }));
        this.#show();
    }

    /** @param {Strike} message @param {number} n */
    async #strike({ ball, speed, heading, side, height, elevation }, n) {
        const strike = { ball, speed, heading, side, height, elevation };
        const balls = this.#balls;
        this.#isBusy = true;
        this.#show();
        try {
            /** @type {{ path: Path }} */
            const tried = await call("POST", "/api/billiards/shots", { table: this.#tableName, balls, strike });
            if (this.#closed) return;
            const path = numbered(tried.path, balls.map(([number]) => number));
            this.#remember();
            this.#last = { balls, path, strike: { ...strike, call: null, safety: false, push_out: false } };
            this.#roll(this.#last);
        } catch (error) {
            if (this.#closed) return;
            this.#isBusy = false;
            this.#stage?.hear(/** @type {any} */ ({ type: "error", code: "unavailable_shot", detail: "", n }), performance.now());
            toast(explained(error));
            this.#show();
        }
    }

    /** @param {Taken} taken */
    #roll({ strike, path }) {
        const began = performance.now();
        const rest = began + path.rest * 1000;
        this.#isBusy = true;
        this.#balls = this.#balls.flatMap(([n]) => {
            const last = path.motions[n]?.at(-1);
            const [, state = 0, x = 0, y = 0] = last ?? [];
            return last && state !== 4 ? [/** @type {Placed} */ ([n, x, y])] : [];
        });
        this.#tell({ shot: { seat: 0, began, rest, strike, path } }, began);
        clearTimeout(this.#resting);
        this.#resting = setTimeout(() => this.#rest(), path.rest * 1000 + 30);
        this.#show();
    }

    /** All lies still: a cue ball that fell comes back. */
    #rest() {
        this.#isBusy = false;
        const furniture = this.#furniture;
        if (furniture && this.#tableName === "pool" && !this.#balls.some(([n]) => n === 0)) this.#add(0);
        this.#tellTurn();
        this.#show();
    }

    #remember() {
        this.#past = [...this.#past.slice(1 - UNDO_MAX), this.#balls];
    }

    /** Lays all balls as said. @param {readonly Placed[]} balls */
    #lay(balls) {
        this.#balls = balls;
        this.#tell({ balls: { why: "hand", at: balls } });
        this.#tellTurn();
        this.#show();
    }

    #undo() {
        const before = this.#past.at(-1);
        if (!before || this.#isBusy) return;
        this.#past = this.#past.slice(0, -1);
        this.#lay(before);
    }

    /** Shows the last shot once more. */
    #again() {
        const last = this.#last;
        if (!last || this.#isBusy) return;
        this.#remember();
        this.#lay(last.balls);
        this.#roll(last);
    }

    #rack() {
        if (!this.#furniture || this.#isBusy) return;
        this.#remember();
        this.#lay(racked(this.#discipline, this.#furniture.ball, this.#furniture.spots));
    }

    /** Puts a ball on the table, or takes it off. @param {Ball} ball */
    #toggle(ball) {
        if (this.#isBusy) return;
        this.#remember();
        if (this.#balls.some(([n]) => n === ball)) this.#lay(this.#balls.filter(([n]) => n !== ball));
        else this.#add(ball);
    }

    /** @param {Ball} ball */
    #add(ball) {
        if (!this.#furniture) return;
        const { table, ball: { radius }, spots } = this.#furniture;
        const spot = freeSpot(table, radius, this.#balls, ball === 0 ? spots.head : [table.width / 2, table.length / 2]);
        if (!spot) return;
        const placed = /** @type {Placed} */ ([ball, ...spot]);
        this.#lay([...this.#balls, placed].sort((a, b) => a[0] - b[0]));
    }

    #share() {
        if (!this.#furniture) return;
        const path = `/practice/${this.#discipline}?at=${written(this.#furniture.table, this.#balls)}`;
        history.replaceState(history.state, "", path);
        void share(path, t("practice_of", { game: t(`game_${this.#discipline}`) }));
    }

    #show() {
        if (this.#closed) return;
        if (this.#error) {
            patch(this.#root, html`<section class="page" data-test="screen-practice" data-key="error" data-status="failed">${failed(this.#error)}</section>`);
            return;
        }
        const game = games[this.#discipline];
        const isOff = this.#isBusy || !this.#furniture;
        /** @param {"undo" | "again" | "rack" | "share" | "setup"} what @param {Parameters<typeof icon>[0]} sign @param {boolean} off @param {boolean} [pressed] */
        const tool = (what, sign, off, pressed) => html`<button class="tool" data-do="${what}" data-test="practice-${what}" aria-label="${t(`practice_${what}`)}"
            title="${t(`practice_${what}`)}"${pressed === undefined ? "" : html` aria-pressed="${pressed}"`}${off ? html` disabled` : ""}>${icon(sign)}</button>`;
        patch(this.#root, html`<section class="match practice ${game?.look ?? ""}" data-test="screen-practice" data-key="practice"
            data-status="${this.#furniture ? "there" : "loading"}" data-busy="${this.#isBusy}">
            <header class="strip"><h1>${t("practice")} · ${t(`game_${this.#discipline}`)}</h1>
                <button class="tool" data-do="leave" data-test="leave" aria-label="${t("leave")}" title="${t("leave")}">${icon("close")}</button></header>
            <div class="table">
                <canvas data-keep data-key="court" data-test="court" role="img" aria-label="${t("practice")}"></canvas>
                <div class="beside" data-keep data-key="beside"></div>
                ${this.#furniture ? "" : html`<div class="panel" data-key="loading">${loading()}</div>`}
            </div>
            <footer class="deck">
                ${this.#isSetUp ? html`<div class="tray" data-key="tray" role="group" aria-label="${t("practice_setup")}">${ballsOf(this.#discipline).map((n) => html`<button
                    data-do="toggle" data-ball="${n}" data-test="ball-${n}" aria-pressed="${this.#balls.some(([it]) => it === n)}"
                    aria-label="${n ? t("billiards_ball", { n }) : t("practice_cue_ball")}"${isOff ? html` disabled` : ""}>${ballIcon(this.#discipline, n)}</button>`)}</div>` : ""}
                <div class="tools" data-key="tools">
                    ${tool("setup", "hand", isOff, this.#isSetUp)}
                    ${tool("undo", "undo", isOff || !this.#past.length)}
                    ${tool("again", "replay", isOff || !this.#last)}
                    ${tool("rack", "rack", isOff)}
                    ${tool("share", "share", isOff)}
                </div></footer></section>`);
    }
}
