// Shots to look at: each with its hits on a line of time, so that a person can judge whether it looks
// right.

import { act, html, patch } from "../lib/html.js";
import { failed, icon, loading } from "../lib/parts.js";
import { Playhead } from "../lib/replay.js";
import { goBack } from "../lib/router.js";
import { hasSound, setSound } from "../lib/sound.js";
import { telegram } from "../lib/telegram.js";
import { t } from "../lib/words.js";
import { Painter } from "../games/billiards/draw.js";
import { ballIcon, css, lookOf } from "../games/billiards/looks.js";
import { hear, shotTime } from "../games/billiards/scene.js";
import { Ears } from "../games/billiards/sound.js";
import { placed } from "../games/billiards/table.js";
import { tracesOf } from "../games/billiards/traces.js";

/** @import { FromMatch } from "../types.d.ts" */
/** @import { Screen } from "../games/billiards/draw.js" */
/** @import { Scene } from "../games/billiards/scene.js" */
/** @import { Trace } from "../games/billiards/traces.js" */
/** @import { Discipline, Hit, Path, Strike, Table } from "../games/billiards/types.d.ts" */

/** @typedef {{ id: string, title: string, discipline: Discipline, table: string, strike: Strike, path: Path }} Sample */
/** @typedef {{ tables: Record<string, Table>, items: readonly Sample[] }} Samples */

const SPEEDS = [0.1, 0.25, 0.5, 1];
/** How far an arrow winds, and a finer one with the shift key, in ms. */
const STEP_MS = 100;
const FINE_MS = 4;
/** All is seen at rest for so long at the end. */
const TAIL_MS = 800;
/** As `--court` in style/0-tokens.css. */
const COURT = "#14181a";
const DENSITY_MAX = 3;
/** Around the table, in CSS pixels. */
const MARGIN = 6;
/** What is drawn as marks is so wide. */
const MARKS = 1_000;

/** @type {import("../main.js").Screen} */
export function shots(root, id) {
    const booth = new Booth(root, id);
    return () => booth.close();
}

class Booth {
    #root;
    #id;
    /** @type {Samples | null} */
    #samples = null;
    /** @type {unknown} */
    #error = null;
    /** @type {Sample | null} */
    #sample = null;
    /** @type {Scene | null} */
    #scene = null;
    /** @type {Trace[]} */
    #traces = [];
    #isTraced = true;
    #head = new Playhead(0, 0);
    #ears = new Ears();
    /** @type {{ painter: Painter, screen: Screen } | null} */
    #picture = null;
    #held = false;
    #frame = 0;
    /** What was last shown, so that a frame which changes nothing costs nothing. */
    #shown = "";
    #off = new AbortController();
    #watch = new ResizeObserver(() => this.#measure());
    #unact;

    /** @param {HTMLElement} root @param {string} id */
    constructor(root, id) {
        this.#root = root;
        this.#id = id;
        this.#unact = act(root, {
            toggle: () => this.#toggle(),
            speed: (button) => {
                this.#head.speed = Number(button.dataset["speed"]);
            },
            seek: (button) => this.#seek(Number(button.dataset["at"])),
            trace: () => {
                this.#isTraced = !this.#isTraced;
            },
            sound: () => setSound(!hasSound()),
            leave: () => goBack("/"),
            retry: () => void this.#open(),
        });
        const { signal } = this.#off;
        addEventListener("keydown", (event) => this.#key(event), { signal });
        root.addEventListener("input", (event) => this.#input(event), { signal });
        root.addEventListener("change", () => this.#letGo(), { signal });
        telegram.swipes(false);
        telegram.ground(COURT);
        void this.#open();
    }

    close() {
        this.#off.abort();
        this.#unact();
        cancelAnimationFrame(this.#frame);
        this.#watch.disconnect();
        telegram.swipes(true);
        telegram.ground(null);
    }

    async #open() {
        this.#error = null;
        this.#show();
        try {
            const answer = await fetch(new URL("../games/billiards/shots.json", import.meta.url));
            if (!answer.ok) throw new Error(`the shots answer ${answer.status}`);
            this.#samples = await answer.json();
        } catch (error) {
            this.#error = error;
        }
        if (this.#off.signal.aborted) return;
        const { items = [] } = this.#samples ?? {};
        const sample = items.find(({ id }) => id === this.#id) ?? items[0];
        if (sample) this.#choose(sample);
        this.#show();
        const canvas = this.#root.querySelector("canvas");
        const ctx = canvas?.getContext("2d", { alpha: false });
        if (!canvas || !ctx) return;
        this.#picture = { painter: new Painter(ctx), screen: /** @type {any} */ (null) };
        this.#watch.observe(canvas);
        this.#measure();
        const loop = () => {
            this.#frame = requestAnimationFrame(loop);
            this.#paint();
            this.#show();
        };
        loop();
    }

    /** @param {Sample} sample */
    #choose(sample) {
        this.#sample = sample;
        this.#scene = sceneOf(sample, this.#samples?.tables[sample.table]);
        this.#traces = tracesOf(sample.path, (ball) => {
            const { colour } = lookOf(sample.discipline, ball);
            // Black on dark cloth is no line.
            return css(Math.max(...colour) < 90 ? [150, 150, 156] : colour);
        });
        const speed = this.#head.speed;
        this.#head = new Playhead(0, sample.path.rest * 1000 + TAIL_MS);
        this.#head.speed = speed;
        this.#ears = new Ears();
        if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.#head.play();
        this.#measure();
        const path = `/shots/${sample.id}`;
        if (location.pathname !== path) history.replaceState(history.state, "", path);
    }

    #toggle() {
        if (this.#head.playing) this.#head.pause();
        else this.#head.play();
    }

    /** @param {number} at */
    #seek(at) {
        this.#head.pause();
        this.#head.seek(at);
    }

    /** A shot is chosen, or the bar drawn: it stands still until it is let go. @param {Event} event */
    #input({ target }) {
        if (target instanceof HTMLSelectElement) {
            const sample = this.#samples?.items.find(({ id }) => id === target.value);
            if (sample) this.#choose(sample);
            return;
        }
        if (!(target instanceof HTMLInputElement)) return;
        this.#held ||= this.#head.playing;
        this.#seek(target.valueAsNumber);
    }

    #letGo() {
        if (this.#held && !this.#head.ended) this.#head.play();
        this.#held = false;
    }

    /** @param {KeyboardEvent} event */
    #key(event) {
        if (!this.#sample || event.ctrlKey || event.metaKey || event.altKey) return;
        const on = event.target instanceof Element ? event.target.closest("button, select") : null;
        const step = event.shiftKey ? FINE_MS : STEP_MS;
        const does = /** @type {Record<string, () => void>} */ ({
            Space: () => this.#toggle(),
            ArrowLeft: () => this.#seek(this.#head.now() - step),
            ArrowRight: () => this.#seek(this.#head.now() + step),
            Home: () => this.#seek(0),
            End: () => this.#seek(Infinity),
        })[event.code];
        if (!does || (on && (event.code === "Space" || on instanceof HTMLSelectElement))) return;
        event.preventDefault();
        does();
    }

    #measure() {
        const canvas = this.#root.querySelector("canvas");
        if (!canvas || !this.#picture || !this.#scene) return;
        const { clientWidth: width, clientHeight: height } = canvas;
        const density = Math.min(devicePixelRatio || 1, DENSITY_MAX);
        const [w, h] = [Math.round(width * density), Math.round(height * density)];
        if (canvas.width !== w) canvas.width = w;
        if (canvas.height !== h) canvas.height = h;
        const area = { left: MARGIN, top: MARGIN, width: width - 2 * MARGIN, height: height - 2 * MARGIN };
        this.#picture.screen = { width, height, density, place: placed(this.#scene.table, area) };
    }

    #paint() {
        const scene = this.#scene;
        if (!scene || !this.#picture) return;
        const now = this.#head.now();
        const traces = this.#isTraced ? { traces: this.#traces, until: shotTime(scene, now) } : {};
        this.#picture.painter.draw(scene, now, this.#picture.screen, traces);
        if (this.#head.playing && this.#head.speed === 1) this.#ears.follow(scene, now);
    }

    #show() {
        if (this.#off.signal.aborted) return;
        if (this.#error) {
            patch(this.#root, html`<section class="page" data-test="screen-shots" data-key="error">${failed(this.#error)}</section>`);
            return;
        }
        const at = this.#head.now();
        const past = this.#sample?.path.hits.filter(([time]) => time * 1000 <= at).length ?? 0;
        const { playing, ended, speed } = this.#head;
        const state = JSON.stringify([playing, ended, speed, past, this.#sample?.id, this.#isTraced, hasSound()]);
        if (state !== this.#shown || !this.#sample) {
            this.#shown = state;
            this.#render(past);
            const select = this.#root.querySelector("select");
            if (select && this.#sample) select.value = this.#sample.id;
            this.#root.querySelector(".hits [aria-current]")?.scrollIntoView({ block: "nearest" });
        }
        const bar = this.#root.querySelector("input");
        if (bar) bar.value = String(Math.round(at));
        const time = this.#root.querySelector("time");
        if (time) time.textContent = seconds(Math.min(at / 1000, this.#sample?.path.rest ?? 0), 2);
    }

    /** @param {number} past how many hits there have been */
    #render(past) {
        const sample = this.#sample;
        const { playing, ended, speed } = this.#head;
        const toggle = playing ? /** @type {const} */ (["pause", "pause"]) : ended
            ? /** @type {const} */ (["again", "watch_again"]) : /** @type {const} */ (["play", "resume"]);
        const length = (sample?.path.rest ?? 0) * 1000 + TAIL_MS;
        patch(this.#root, html`<section class="match replay shots" data-test="screen-shots" data-key="shots" data-status="${sample ? "there" : "loading"}"
            data-playing="${playing}">
            <header class="strip"><label class="choice"><span class="hidden">${t("shot")}</span><select data-test="shot">
                ${this.#samples?.items.map(({ id, title }) => html`<option value="${id}"${id === sample?.id ? html` selected` : ""}>${title}</option>`)}</select></label>
                <button class="tool" data-do="leave" data-test="leave" aria-label="${t("leave")}" title="${t("leave")}">${icon("close")}</button></header>
            <div class="body"><div class="table">
                <canvas data-keep data-key="court" data-test="court" data-do="toggle" role="img" aria-label="${sample?.title ?? ""}"></canvas>
                ${sample ? "" : html`<div class="panel" data-key="loading">${loading()}</div>`}</div>
                <ol class="hits" data-test="hits">${sample?.path.hits.map((hit, i) => this.#hit(hit, i < past, i === past - 1))}
                    ${sample ? this.#row(sample.path.rest, html`<span>${t("shot_rest")}</span>`, "", past === sample.path.hits.length && ended, false) : ""}</ol></div>
            <footer class="deck"${sample ? "" : html` hidden`}>
                <div class="scrub"><time data-keep data-test="shot-time"></time>
                    <div class="bar">${this.#marks(length)}
                        <input type="range" min="0" max="${Math.round(length)}" step="1" data-test="shot-bar" aria-label="${t("position")}"></div>
                    <time>${seconds(sample?.path.rest ?? 0, 1)}</time></div>
                <div class="tools">
                    <button class="tool toggle" data-do="toggle" data-test="shot-toggle" aria-label="${t(toggle[1])}" title="${t(toggle[1])}">${icon(toggle[0])}</button>
                    <div class="segments" role="group" aria-label="${t("speed")}">${SPEEDS.map((it) => html`<button data-do="speed" data-speed="${it}"
                        data-test="shot-speed-${it}" aria-pressed="${it === speed}">${it === 0.1 ? "⅒" : it === 0.25 ? "¼" : it === 0.5 ? "½" : it}×</button>`)}</div>
                    <button class="tool" data-do="trace" data-test="trace" aria-pressed="${this.#isTraced}">${t("shot_ways")}</button>
                    <button class="tool" data-do="sound" data-test="sound" aria-pressed="${hasSound()}" aria-label="${t("sound")}" title="${t("sound")}">${icon(hasSound() ? "sound" : "silent")}</button>
                </div></footer></section>`);
    }

    /** @param {Hit} hit @param {boolean} isPast @param {boolean} isLast */
    #hit([time, kind, ball, other, strength], isPast, isLast) {
        const discipline = this.#sample?.discipline ?? "eight_ball";
        const second = kind === "ball" && other !== null ? ballIcon(discipline, other) : "";
        const a = html`<span class="who">${ballIcon(discipline, ball)}${second}</span>`;
        const said = t(`shot_${kind}`, { a: ball, b: other ?? "" });
        return this.#row(time, html`${a}<span>${said}</span>`, t("shot_strength", { speed: seconds(strength, 2) }), isLast, isPast);
    }

    /** @param {number} time @param {import("../lib/html.js").Html} what @param {string} strength @param {boolean} isLast @param {boolean} isPast */
    #row(time, what, strength, isLast, isPast) {
        return html`<li><button data-do="seek" data-at="${time * 1000}" data-past="${isPast}"${isLast ? html` aria-current="true"` : ""}>
            <b>${seconds(time, 3)}</b>${what}<i>${strength}</i></button></li>`;
    }

    /** @param {number} length */
    #marks(length) {
        const x = (/** @type {number} */ at) => Math.round(((at * 1000) / length) * MARKS);
        return html`<svg class="marks" viewBox="0 0 ${MARKS} 32" preserveAspectRatio="none" aria-hidden="true">
            ${this.#sample?.path.hits.map(([at, kind]) => html`<path class="${kind}" d="M${x(at)} ${kind === "rail" || kind === "jaw" ? "21v7" : kind === "pocket" ? "1v10" : "4v7"}"/>`)}</svg>`;
    }
}

/** A match in which nothing happens but this shot. @param {Sample} sample @param {Table | undefined} table @returns {Scene | null} */
function sceneOf({ discipline, strike, path }, table) {
    if (!table) return null;
    const balls = path.motions.flatMap(([row], ball) => (row ? [[ball, row[2], row[3]]] : []));
    const shot = { seat: 0, began: 0, rest: path.rest * 1000, strike, path };
    const game = { discipline, table, ball: path.ball, balls, shot, turn: null, verdict: null, sheet: { rack: 1 } };
    const state = { type: "game_state", at: 0, players: [], options: {}, game };
    return hear(null, /** @type {FromMatch} */ (/** @type {unknown} */ (state)), 0);
}

/** @param {number} value @param {number} digits */
function seconds(value, digits) {
    return value.toFixed(digits);
}
