// A match of billiards on the screen: the scene, kept up to date by messages; my plan, by my hands;
// both drawn at the display's rate.

import { patch } from "../../lib/html.js";
import { announce, shortly, toast } from "../../lib/parts.js";
import { wish, wishes } from "../../lib/settings.js";
import { finale, tick } from "../../lib/sound.js";
import { telegram } from "../../lib/telegram.js";
import { known, t } from "../../lib/words.js";
import { Painter } from "./draw.js";
import { Doing } from "./doing.js";
import { look } from "./lens.js";
import { backOf, dimmed, overlay } from "./overlay.js";
import { Pace } from "./pace.js";
import { panel } from "./panel.js";
import * as plans from "./plan.js";
import * as scenes from "./scene.js";
import { Ears } from "./sound.js";
import { placed } from "./table.js";
import { decisionWords, rulingWords, sheetWords, tableWords, taskWords } from "./words.js";

/** @import { Seat, Stage } from "../index.js" */
/** @import { FromMatch, GameState } from "../../types.d.ts" */
/** @import { Screen } from "./draw.js" */
/** @import { Mine, Stroke } from "./overlay.js" */
/** @import { Task } from "./plan.js" */
/** @import { Scene } from "./scene.js" */
/** @import { Aim, Placed, Shot, Turn } from "./types.d.ts" */

/** More pixels than this are not seen on a phone, but cost. A device that can't keep up draws fewer. */
const DENSITIES = [3, 2, 1.5];
/** How often this device could not. */
let falls = 0;
/** Around the table, in CSS pixels. */
const MARGIN = 4;
/** A ruling is shown for so long. */
const NOTE_MS = 6_500;
/** The last seconds are heard. */
const TICKS = 5;
const CLOCK_S = 30;

/** @implements {Stage} */
export class Hall {
    #seat;
    #painter;
    /** @type {Scene | null} */
    #scene = null;
    /** @type {GameState | null} */
    #state = null;
    /** @type {Screen | null} */
    #screen = null;
    /** My turn, while it is. @type {Task | null} */
    #task = null;
    #plan = plans.IDLE;
    /** @type {Stroke | null} */
    #stroke = null;
    /** @type {{ text: string, isFoul: boolean, at: number } | null} */
    #note = null;
    #frame = 0;
    #ears = new Ears();
    #pace = new Pace();
    /** It can't keep up: as soon as nothing moves, less is drawn. */
    #isTired = false;
    #watch;
    #doing;
    /** What was shown around the cloth. */
    #shown = "";
    #isStale = true;
    #wasRolling = false;
    #second = 0;
    /** What was last said aloud of whose turn it is. */
    #said = "";

    /** @param {Seat} seat */
    constructor(seat) {
        this.#seat = seat;
        const ctx = seat.canvas.getContext("2d", { alpha: false });
        if (!ctx) throw new Error("this browser has no canvas");
        this.#painter = new Painter(ctx);
        this.#watch = new ResizeObserver(() => {
            this.#measure();
            this.#paint();
        });
        this.#watch.observe(seat.canvas);
        this.#doing = seat.send ? new Doing(seat, {
            mine: () => this.#mine(),
            place: () => this.#screen?.place ?? null,
            plan: (plan) => {
                this.#plan = plan;
                this.#isStale = true;
            },
            stroke: () => this.#strike(),
        }) : null;
        const loop = (/** @type {number} */ at) => {
            this.#frame = requestAnimationFrame(loop);
            this.#paint();
            this.#keepUp(at);
        };
        loop(performance.now());
    }

    /** @param {FromMatch} message @param {number} [now] */
    hear(message, now = this.#seat.clock.now()) {
        if (message.type === "error") return this.#refused(message.n ?? null, message.code);
        if (message.type === "gesture") {
            if (!this.#scene || message.seat === this.#scene.you) return;
            // What a gesture leaves out comes as null.
            const said = Object.entries(Object(message.gesture)).filter(([, value]) => value !== null);
            this.#scene = scenes.aimed(this.#scene, message.seat, /** @type {Aim} */ (Object.fromEntries(said)), now);
            return;
        }
        const old = this.#scene;
        this.#scene = scenes.hear(old, message, now);
        if (message.type === "game_state") this.#heardAll(message);
        const scene = this.#scene;
        if (!scene) return;
        this.#tell(old, scene, message, now);
        if (old?.lay.shot !== scene.lay.shot && scene.lay.shot && old) this.#struck(old, scene.lay.shot, now);
        if (message.type === "game_state" || old?.table !== scene.table) this.#measure();
        this.#follow();
    }

    /** After the line was cut: what was refused meanwhile is not told again. @param {GameState} state */
    #heardAll(state) {
        this.#state = state;
        const { sent } = this.#plan;
        if (sent !== null && sent <= state.ack) [this.#plan, this.#stroke] = [{ ...this.#plan, sent: null, drawn: 0 }, null];
    }

    /** @param {readonly (FromMatch & { at: number })[]} messages */
    recall(messages) {
        this.#scene = null;
        for (const message of messages) {
            if (message.type === "game_state") this.#state = message;
            this.#scene = scenes.hear(this.#scene, message, message.at);
        }
        [this.#note, this.#stroke] = [null, null];
        this.#measure();
        this.#follow();
    }

    stop() {
        cancelAnimationFrame(this.#frame);
        this.#watch.disconnect();
        this.#doing?.stop();
        patch(this.#seat.beside, { text: "" });
    }

    /** My turn, while I may act. @returns {Mine | null} */
    #mine() {
        const task = this.#task;
        if (!task || !this.#scene || scenes.isRolling(this.#scene, this.#seat.clock.now())) return null;
        return { task, plan: this.#plan, foreseen: plans.foreseen(task, this.#plan) };
    }

    /** Takes over what the scene says of my turn. */
    #follow() {
        const scene = this.#scene;
        this.#isStale = true;
        if (!scene) return;
        const { turn, you } = scene;
        const isMine = turn !== null && turn.seat === you && !scene.over && this.#seat.send !== null;
        this.#seat.turns(turn?.seat ?? (scene.over ? null : scene.lay.shot?.seat ?? null));
        if (!isMine) {
            this.#task = null;
            this.#plan = plans.IDLE;
            this.#doing?.rest();
            return;
        }
        const fresh = !this.#task || !isSame(this.#task.turn, turn);
        const { table, ball, spots, limits } = scene;
        this.#task = { table, ball, spots, limits, turn, balls: resting(scene) };
        if (fresh) this.#plan = plans.begun(this.#task);
    }

    /** Says what changed, to eyes, ears and thumbs. @param {Scene | null} old @param {Scene} scene @param {FromMatch} message @param {number} now */
    #tell(old, scene, message, now) {
        const update = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (message));
        if (message.type === "game_update" && "verdict" in update && scene.verdict) {
            const { verdict } = scene.verdict;
            const text = rulingWords(scene, verdict, this.#name);
            this.#note = text ? { text, isFoul: verdict.fouls.length > 0, at: now } : null;
            if (text) announce(text);
            if (scene.you !== null && verdict.fouls.length && verdict.seat === scene.you) telegram.haptic("warning");
        }
        if (message.type === "game_update" && "sheet" in update && old) {
            const more = sheetWords(scene, old.sheet, this.#name);
            if (more) {
                const text = [this.#note?.text, more].filter(Boolean).join(" ");
                this.#note = { text, isFoul: this.#note?.isFoul ?? false, at: now };
                announce(text);
            }
        }
        const decided = scene.told !== old?.told ? decisionWords(scene, this.#name) : "";
        if (decided && old) {
            this.#note = { text: decided, isFoul: false, at: now };
            announce(decided);
        }
        if (message.type === "game_update" && "placed" in update && !this.#plan.isCarried) {
            this.#plan = { ...this.#plan, hover: null, hand: null };
        }
        if (message.type === "game_over") {
            this.#note = null;
            const won = message.outcome.winner === scene.you;
            finale(won);
            if (scene.you !== null) telegram.haptic(won ? "success" : "warning");
        }
        const { turn } = scene;
        if (turn && turn !== old?.turn) {
            const words = taskWords(scene, turn, this.#name);
            if (words !== this.#said && this.#seat.send) announce([this.#note?.text, words].filter(Boolean).join(" "));
            this.#said = words;
            if (turn.seat === scene.you && old?.turn?.seat !== turn.seat) telegram.haptic("light");
            if (turn.seat === scene.you) this.#teach(now);
        }
    }

    /** Who has never struck is told how; against the computer the screen says it. @param {number} now */
    #teach(now) {
        const isTold = wishes().struck || this.#note || this.#state?.players.some(({ computer }) => computer);
        if (!isTold && this.#seat.send) this.#note = { text: t("billiards_tip"), isFoul: false, at: now };
    }

    /** @param {Scene} old @param {Shot} shot @param {number} now */
    #struck(old, { seat, strike }, now) {
        this.#note = null;
        if (this.#stroke && seat === old.you) {
            this.#stroke = { ...this.#stroke, away: now };
            return;
        }
        const lies = scenes.shownBall(old, strike.ball, now);
        if (!lies) return;
        const back = backOf(plans.drawnFor(strike.speed, old.limits.speed)) / 2;
        this.#stroke = {
            ball: [lies.x, lies.y], heading: strike.heading, side: strike.side, elevation: strike.elevation,
            back, at: now, away: now,
        };
    }

    /** My hand lets the cue go: it is seen at once, and the balls when the server has said so. */
    #strike() {
        const mine = this.#mine();
        const strike = mine && plans.strike(mine.task, mine.plan);
        if (!mine?.foreseen || !strike || !this.#seat.send) return;
        const { foreseen, task, plan } = mine;
        const at = this.#seat.clock.now();
        const n = this.#seat.send({ type: "game_action", action: "strike", ...strike });
        this.#stroke = {
            ball: foreseen.from, heading: plans.stickHeading(task, plan), side: plan.side,
            elevation: plan.elevation, back: backOf(plan.drawn), at, away: null,
        };
        this.#plan = { ...plan, sent: n, hover: null, hand: null, isCarried: false };
        this.#isStale = true;
        if (!wishes().struck) wish({ struck: true });
        telegram.haptic("medium");
    }

    /** The server said no: the hands are free again. @param {number | null} n @param {string} code */
    #refused(n, code) {
        // What has no number was a gesture, which came too late: nothing is lost.
        if (n === null) return;
        const word = known(`error_${code}`);
        if (word) toast(t(word));
        if (this.#plan.sent === n) [this.#plan, this.#stroke] = [{ ...this.#plan, sent: null, drawn: 0 }, null];
        else this.#plan = { ...this.#plan, hover: null, hand: null, isCarried: false };
        this.#isStale = true;
    }

    /** What a seat is called. @param {number} seat */
    #name = (seat) => {
        const player = this.#state?.players.find((it) => it.seat === seat);
        return player ? shortly(player) : "";
    };

    #paint() {
        const [scene, screen] = [this.#scene, this.#screen];
        if (!scene || !screen) {
            this.#painter.blank();
            return;
        }
        const now = this.#seat.clock.now();
        const mine = this.#mine();
        const { guide } = wishes();
        this.#painter.draw(scene, now, screen, {
            ...overlay(scene, now, { mine, guide, stroke: this.#stroke }),
            dimmed: mine && guide !== "off" ? dimmed(mine.task, mine.plan) : [],
        });
        this.#ears.follow(scene, now);
        const lens = this.#seat.beside.querySelector(".lens");
        const aims = this.#doing && performance.now() < this.#doing.aimsUntil && guide !== "off";
        if (lens instanceof HTMLCanvasElement) look(lens, this.#seat.canvas, screen, aims ? mine : null);

        const isRolling = scenes.isRolling(scene, now);
        if (this.#note && now - this.#note.at > NOTE_MS) [this.#note, this.#isStale] = [null, true];
        if (isRolling !== this.#wasRolling) [this.#wasRolling, this.#isStale] = [isRolling, true];
        if (this.#isStale) this.#show(scene, screen, mine, isRolling);
        this.#time(scene, now);
    }

    /** Draws less on a device that misses frames, but not while balls roll. @param {number} at */
    #keepUp(at) {
        if (this.#wasRolling) this.#isTired ||= this.#pace.falls(at);
        if (!this.#isTired || this.#wasRolling) return;
        this.#isTired = false;
        const less = (DENSITIES[falls + 1] ?? Infinity) < devicePixelRatio;
        falls = Math.min(DENSITIES.length - 1, falls + 1);
        if (less) this.#measure();
    }

    /** @param {Scene} scene @param {Screen} screen @param {Mine | null} mine @param {boolean} isRolling */
    #show(scene, screen, mine, isRolling) {
        this.#isStale = false;
        this.#seat.canvas.setAttribute("aria-label", tableWords(scene, isRolling, this.#name));
        const plays = this.#seat.send !== null && scene.you !== null;
        const markup = panel({
            scene, name: this.#name, place: screen.place, isRolling, note: this.#note, plays, mine,
            pad: this.#doing?.hasPad ?? false,
        });
        if (markup.text !== this.#shown) {
            this.#shown = markup.text;
            patch(this.#seat.beside, markup);
        }
        this.#doing?.shown();
    }

    /** The shot's clock and the bank. @param {Scene} scene @param {number} now */
    #time({ turn, you, over }, now) {
        const ring = this.#seat.beside.querySelector(".ring");
        if (!(ring instanceof HTMLElement) || !ring.firstElementChild) return;
        const options = /** @type {{ clock?: number, bank?: number } | null} */ (this.#state?.options ?? null);
        const all = (options?.clock ?? CLOCK_S) * 1000;
        const bank = turn?.bank[turn.seat] ?? 0;
        const left = !turn || turn.until === null || over ? null : turn.until - now;
        const isBank = left !== null && left <= 0;
        const rest = left === null ? 0 : isBank ? Math.max(0, bank + left) : left;
        const seconds = Math.ceil(rest / 1000);
        const bankAll = Math.max(bank, (options?.bank ?? CLOCK_S) * 1000, 1);
        const text = left === null ? "" : String(seconds);
        if (ring.firstElementChild.textContent !== text) {
            ring.firstElementChild.textContent = text;
            ring.dataset["state"] = left === null ? "none" : isBank ? "bank" : seconds <= TICKS ? "late" : "clock";
            ring.setAttribute("aria-label", left === null ? t("billiards_clock_stands")
                : t(isBank ? "billiards_bank" : "billiards_clock", { n: seconds }));
        }
        const parts = [isBank ? 0 : Math.min(1, rest / all), (isBank ? rest : bank) / bankAll];
        ring.style.setProperty("--clock", `${(parts[0] ?? 0).toFixed(3)}turn`);
        ring.style.setProperty("--bank", `${(parts[1] ?? 0).toFixed(3)}turn`);
        const isUrgent = turn?.seat === you && this.#seat.send !== null && left !== null && seconds <= TICKS;
        if (isUrgent && seconds !== this.#second && seconds > 0) tick();
        this.#second = isUrgent ? seconds : 0;
    }

    #measure() {
        const { canvas } = this.#seat;
        const { clientWidth: width, clientHeight: height } = canvas;
        const density = Math.min(devicePixelRatio || 1, DENSITIES[falls] ?? 1);
        const [w, h] = [Math.round(width * density), Math.round(height * density)];
        if (canvas.width !== w) canvas.width = w;
        if (canvas.height !== h) canvas.height = h;
        const table = this.#scene?.table;
        this.#isStale = true;
        if (!table || !width || !height) {
            this.#screen = null;
            return;
        }
        const area = { left: MARGIN, top: MARGIN, width: width - 2 * MARGIN, height: height - 2 * MARGIN };
        this.#screen = { width, height, density, place: placed(table, area) };
    }
}

/** Where the balls lie once all is at rest. @param {Scene} scene @returns {Placed[]} */
function resting(scene) {
    return scenes.shownBalls(scene, Infinity).map(({ ball, x, y }) => [ball, x, y]);
}

/** Whether it is the same turn, told again. @param {Turn} a @param {Turn} b */
function isSame(a, b) {
    return JSON.stringify({ ...a, until: 0, bank: 0 }) === JSON.stringify({ ...b, until: 0, bank: 0 });
}
