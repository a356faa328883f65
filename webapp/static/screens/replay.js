// A match that is over, watched again: the game draws it as it does live, at a time of our choice.

import { call, me, Refusal } from "../lib/api.js";
import { act, html, patch } from "../lib/html.js";
import { hear as heard } from "../lib/match.js";
import { announce, failed, icon, loading, named, shortly } from "../lib/parts.js";
import { matchTime, Playhead, points, saidBy, tapeTime } from "../lib/replay.js";
import { goBack } from "../lib/router.js";
import { wish, wishes } from "../lib/settings.js";
import { shareMatch } from "../lib/share.js";
import { hasSound, setSound } from "../lib/sound.js";
import { telegram } from "../lib/telegram.js";
import { clock as minutes, known, listed, t } from "../lib/words.js";
import { games } from "../games/index.js";
import { strip, verdict } from "./match_parts.js";

/** @import { Replayed } from "../types.d.ts" */
/** @import { Match } from "../lib/match.js" */
/** @import { Pause, Point, Timed } from "../lib/replay.js" */
/** @import { Stage } from "../games/index.js" */

const SPEEDS = [0.5, 1, 2, 4];
/** How far an arrow winds. */
const STEP_MS = 5_000;
/** Before the first serve there is nothing to see for longer than this. */
const LEAD_MS_MAX = 1_500;
/** The end is seen for so long. */
const TAIL_MS = 1_200;
/** That something was skipped is said for so long. */
const SKIPPED_MS = 1_800;
/** What is drawn as marks is so wide. */
const MARKS = 1_000;

/** @type {import("../main.js").Screen} */
export function replay(root, id) {
    const tape = new Tape(root, id);
    return () => tape.close();
}

class Tape {
    #root;
    #id;
    /** @type {unknown} */
    #error = null;
    /** @type {readonly Timed[]} */
    #messages = [];
    /** @type {Point[]} */
    #points = [];
    /** When it begins and ends, in ms of the match. */
    #from = 0;
    #to = 0;
    /** When nothing was seen to happen. @type {readonly Pause[]} */
    #pauses = [];
    /** Those that are cut out. @type {readonly Pause[]} */
    #cuts = [];
    /** Whose side is near: mine, if I played. */
    #near = 0;
    /** Runs by the tape's time, which leaves out what is cut. */
    #head = new Playhead(0, 0);
    /** @type {Match | null} */
    #match = null;
    /** @type {Stage | null} */
    #stage = null;
    #game = "";
    /** Whose turn it is, in a game that has turns. @type {number | null} */
    #turn = null;
    /** How many messages the stage has heard. */
    #said = 0;
    /** It played until somebody took hold of it. */
    #held = false;
    #frame = 0;
    /** What was last shown, so that a frame which changes nothing costs nothing. */
    #shown = "";
    #off = new AbortController();
    #unact;

    /** @param {HTMLElement} root @param {string} id */
    constructor(root, id) {
        this.#root = root;
        this.#id = id;
        this.#unact = act(root, {
            toggle: () => this.#toggle(),
            speed: (button) => this.#faster(Number(button.dataset["speed"])),
            pauses: () => this.#cut(!wishes().pauses),
            sound: () => {
                setSound(!hasSound());
                this.#show();
            },
            share: () => void shareMatch(id, this.#title()),
            leave: () => goBack("/"),
            retry: () => void this.#open(),
        });
        const { signal } = this.#off;
        addEventListener("keydown", (event) => this.#key(event), { signal });
        root.addEventListener("input", (event) => this.#wind(event), { signal });
        root.addEventListener("change", () => this.#letGo(), { signal });
        document.addEventListener("visibilitychange", () => {
            if (document.hidden) this.#head.pause();
        }, { signal });
        telegram.swipes(false);
        void this.#open();
    }

    close() {
        this.#off.abort();
        this.#unact();
        cancelAnimationFrame(this.#frame);
        this.#stage?.stop();
        telegram.swipes(true);
        telegram.ground(null);
    }

    async #open() {
        this.#error = null;
        this.#show();
        try {
            /** @type {Replayed} */
            const replayed = await call("GET", `/api/matches/${this.#id}/replay`);
            if (!this.#off.signal.aborted) this.#load(replayed);
        } catch (error) {
            this.#error = error;
            this.#show();
        }
    }

    /** @param {Replayed} replayed */
    #load({ game, players, messages }) {
        this.#game = game;
        this.#messages = /** @type {Timed[]} */ (/** @type {unknown} */ (messages));
        this.#points = points(this.#messages);
        const [first, second] = this.#messages;
        this.#to = (this.#messages.at(-1)?.at ?? 0) + TAIL_MS;
        this.#from = Math.max(first?.at ?? 0, (second?.at ?? 0) - LEAD_MS_MAX);
        this.#near = Math.max(0, players.findIndex(({ user }) => user.id === me()?.id));
        this.#pauses = games[game]?.pauses(this.#messages) ?? [];
        this.#cuts = wishes().pauses ? [] : this.#pauses;
        this.#head = new Playhead(this.#from, tapeTime(this.#cuts, this.#to));
        this.#hear();
        this.#show();
        const canvas = this.#root.querySelector("canvas");
        const beside = this.#root.querySelector(".beside");
        const played = games[game];
        if (!canvas || !played || !(beside instanceof HTMLElement)) return;
        telegram.ground(played.ground);
        this.#stage = played.stage({
            canvas, beside, clock: { now: () => this.#now(), trip: 0 }, near: this.#near, send: null, show: null,
            turns: (seat) => {
                this.#turn = seat;
            },
        });
        this.#stage.recall(this.#messages.slice(0, this.#said));
        if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.#head.play();
        const loop = () => {
            this.#frame = requestAnimationFrame(loop);
            this.#hear();
            this.#show();
        };
        loop();
    }

    /** Where the head is, in ms of the match. */
    #now() {
        return matchTime(this.#cuts, this.#head.now());
    }

    /** Cuts the pauses out, or puts them back; the head stays where it is. @param {boolean} whole */
    #cut(whole) {
        wish({ pauses: whole });
        const { playing, speed } = this.#head;
        const at = this.#now();
        this.#cuts = whole ? [] : this.#pauses;
        this.#head = new Playhead(this.#from, tapeTime(this.#cuts, this.#to));
        this.#head.speed = speed;
        this.#head.seek(tapeTime(this.#cuts, at));
        if (playing) this.#head.play();
        this.#shown = "";
        this.#show();
    }

    /** How long the pause was that was just cut out; 0 if none was. */
    #skipped() {
        const now = this.#head.now();
        const cut = this.#cuts.findLast(({ from }) => tapeTime(this.#cuts, from) <= now);
        const isFresh = cut && now - tapeTime(this.#cuts, cut.from) < SKIPPED_MS * this.#head.speed;
        return isFresh ? cut.to - cut.from : 0;
    }

    /** Says what is due by now. */
    #hear() {
        const due = saidBy(this.#messages, this.#now());
        for (const message of this.#messages.slice(this.#said, due)) {
            this.#match = heard(this.#match, message);
            this.#stage?.hear(message, message.at);
            if (message.type === "game_over") announce(this.#ending());
        }
        this.#said = due;
    }

    /** Goes to a time, as if all before it had been said at once. @param {number} at */
    #seek(at) {
        this.#head.seek(at);
        this.#said = saidBy(this.#messages, this.#now());
        const said = this.#messages.slice(0, this.#said);
        this.#match = said.reduce(heard, /** @type {Match | null} */ (null));
        this.#stage?.recall(said);
        this.#show();
    }

    #toggle() {
        if (this.#head.playing) this.#head.pause();
        else if (this.#head.ended) {
            this.#head.play();
            this.#seek(this.#from);
        } else this.#head.play();
        this.#show();
    }

    /** @param {number} speed */
    #faster(speed) {
        this.#head.speed = speed;
        this.#show();
    }

    /** The bar was drawn: it stands still until it is let go. @param {Event} event */
    #wind({ target }) {
        if (!(target instanceof HTMLInputElement)) return;
        this.#held ||= this.#head.playing;
        this.#head.pause();
        this.#seek(this.#from + target.valueAsNumber);
    }

    #letGo() {
        if (this.#held && !this.#head.ended) this.#head.play();
        this.#held = false;
        this.#show();
    }

    /** @param {KeyboardEvent} event */
    #key(event) {
        if (!this.#match || event.ctrlKey || event.metaKey || event.altKey) return;
        const speed = SPEEDS.indexOf(this.#head.speed);
        const does = /** @type {Record<string, () => void>} */ ({
            Space: () => this.#toggle(),
            ArrowLeft: () => this.#seek(this.#head.now() - STEP_MS),
            ArrowRight: () => this.#seek(this.#head.now() + STEP_MS),
            ArrowDown: () => this.#faster(SPEEDS[Math.max(0, speed - 1)] ?? 1),
            ArrowUp: () => this.#faster(SPEEDS[Math.min(SPEEDS.length - 1, speed + 1)] ?? 1),
            Home: () => this.#seek(this.#from),
            End: () => this.#seek(Infinity),
        })[event.code];
        // A button that has the focus takes the space for itself.
        const on = event.target instanceof Element ? event.target.closest("button") : null;
        const isPress = event.code === "Space" && on !== null;
        if (!does || isPress) return;
        event.preventDefault();
        does();
    }

    #title() {
        return t("replay_of", { names: listed((this.#match?.players ?? []).map(named)) });
    }

    /** How it ended, once it has. */
    #ending() {
        const outcome = this.#match?.outcome ?? null;
        const winner = this.#match?.players.find(({ seat }) => seat === outcome?.winner);
        return outcome ? verdict(outcome, "none", winner ? shortly(winner) : "") : "";
    }

    #show() {
        if (this.#off.signal.aborted) return;
        if (this.#error) {
            this.#showProblem();
            return;
        }
        const at = this.#head.now();
        const { playing, ended, speed } = this.#head;
        const passed = Math.round((at - this.#from) / 1000);
        const scores = this.#match?.players.map(({ score }) => score);
        const state = JSON.stringify([playing, ended, speed, passed, this.#skipped(), scores, this.#turn, this.#match?.status, hasSound()]);
        if (state !== this.#shown || !this.#match) {
            this.#shown = state;
            this.#render(at, playing, ended);
        }
        const bar = this.#root.querySelector("input");
        if (bar) bar.value = String(Math.round(at - this.#from));
    }

    /** @param {number} at @param {boolean} playing @param {boolean} ended */
    #render(at, playing, ended) {
        const match = this.#match;
        const length = tapeTime(this.#cuts, this.#to) - this.#from;
        const [time, all] = [minutes(at - this.#from), minutes(length)];
        const skipped = this.#skipped();
        const score = match?.players.map((it) => it.score).join(" : ") ?? "";
        const toggle = playing ? /** @type {const} */ (["pause", "pause"]) : ended
            ? /** @type {const} */ (["again", "watch_again"]) : /** @type {const} */ (["play", "resume"]);
        patch(this.#root, html`<section class="match replay ${games[this.#game]?.look ?? ""}" data-test="screen-replay" data-key="replay"
            data-status="${match ? "there" : "loading"}" data-playing="${playing}" data-ended="${ended}">
            <header class="strip">${strip(match, { near: this.#near, turn: this.#turn }, t("replay"))}</header>
            <div class="table">
                <canvas data-keep data-key="court" data-test="court" data-do="toggle" role="img" aria-label="${t("replay")}"></canvas>
                <div class="beside" data-keep data-key="beside"></div>
                <div class="banners ending">${match?.status === "finished"
                    ? html`<p class="banner" data-key="end" data-test="replay-end">${this.#ending()}</p>`
                    : skipped ? html`<p class="tip" data-key="skipped" data-test="replay-skipped">${t("skipped", { time: spell(skipped) })}</p>` : ""}</div>
                ${match ? "" : html`<div class="panel" data-key="loading">${loading()}</div>`}
            </div>
            <footer class="deck"${match ? "" : html` hidden`}>
                <div class="scrub"><time data-test="replay-time">${time}</time>
                    <div class="bar">${this.#marks(length)}
                        <input type="range" min="0" max="${Math.round(length)}" step="1" data-test="replay-bar"
                            aria-label="${t("position")}" aria-valuetext="${t("position_of", { time, all, score })}"></div>
                    <time data-test="replay-length">${all}</time>
                    ${this.#pauses.length ? html`<button class="tool" data-key="pauses" data-do="pauses" data-test="replay-pauses" aria-pressed="${!wishes().pauses}"
                        aria-label="${t("skip_pauses")}" title="${t("skip_pauses")}">${icon("skip")}</button>` : ""}</div>
                <div class="tools">
                    <button class="tool toggle" data-do="toggle" data-test="replay-toggle" aria-label="${t(toggle[1])}" title="${t(toggle[1])}">${icon(toggle[0])}</button>
                    <div class="segments" role="group" aria-label="${t("speed")}">${SPEEDS.map((it) => html`<button data-do="speed" data-speed="${it}"
                        data-test="replay-speed-${it}" aria-pressed="${it === this.#head.speed}">${it === 0.5 ? "½" : it}×</button>`)}</div>
                    <button class="tool" data-do="sound" data-test="sound" aria-pressed="${hasSound()}" aria-label="${t("sound")}" title="${t("sound")}">${icon(hasSound() ? "sound" : "silent")}</button>
                    <button class="tool" data-do="share" data-test="replay-share" aria-label="${t("share")}" title="${t("share")}">${icon("share")}</button>
                    <button class="tool" data-do="leave" data-test="leave" aria-label="${t("leave")}" title="${t("leave")}">${icon("close")}</button>
                </div></footer></section>`);
    }

    /** On the bar: the near side's points below, the other's above, and dots where a pause is cut out. @param {number} length */
    #marks(length) {
        const x = (/** @type {number} */ at) => Math.round(((tapeTime(this.#cuts, at) - this.#from) / length) * MARKS);
        return html`<svg class="marks" viewBox="0 0 ${MARKS} 32" preserveAspectRatio="none" aria-hidden="true" data-test="replay-marks">
            ${this.#cuts.map(({ from }) => html`<path class="cut" d="M${x(from)} 11v10"/>`)}
            ${this.#points.map(({ at, seat }) => seat === this.#near
                ? html`<path class="near" d="M${x(at)} 21v9"/>`
                : html`<path d="M${x(at)} 2v9"/>`)}</svg>`;
    }

    #showProblem() {
        const code = this.#error instanceof Refusal ? this.#error.code : "";
        const error = this.#error instanceof Refusal && this.#error.status === 404
            ? new Refusal(404, "replay_missing", "") : this.#error;
        const goesOn = code === "not_over";
        patch(this.#root, html`<section class="page" data-test="screen-replay" data-key="error" data-status="failed"
            data-code="${known(`error_${code}`) ? code : ""}">${failed(error)}
            <p class="state">${goesOn
                ? html`<a class="button primary" data-key="live" href="/match/${this.#id}" data-test="watch-live">${t("watch_live")}</a>`
                : html`<a class="button" data-key="home" href="/" data-test="to-home">${t("to_games")}</a>`}</p></section>`);
    }
}

/** A while, in words. @param {number} ms */
function spell(ms) {
    const n = Math.round(ms / 1000);
    return n < 60 ? t("seconds", { n }) : minutes(ms);
}
