// Shots to look at: each with its hits on a line of time, so that a person can judge whether it looks
// right. Ours, and those of a file of reference runs.

import { act, html, patch } from "../lib/html.js";
import { failed, icon, loading, toast } from "../lib/parts.js";
import { Playhead } from "../lib/replay.js";
import { goBack } from "../lib/router.js";
import { hasSound, setSound } from "../lib/sound.js";
import { telegram } from "../lib/telegram.js";
import { t } from "../lib/words.js";
import { Painter } from "../games/billiards/draw.js";
import { css, lookOf } from "../games/billiards/looks.js";
import { readReference } from "../games/billiards/reference.js";
import { hear, shotTime } from "../games/billiards/scene.js";
import { linesOf, viewAt, viewsOf } from "../games/billiards/shown.js";
import { Ears } from "../games/billiards/sound.js";
import { framed, placed } from "../games/billiards/table.js";
import { tracesOf } from "../games/billiards/traces.js";
import { linesShown, marks, runsOf, shotsOf } from "./shots_parts.js";

/** @import { FromMatch } from "../types.d.ts" */
/** @import { Screen } from "../games/billiards/draw.js" */
/** @import { Scene } from "../games/billiards/scene.js" */
/** @import { Line, Run, Shown, View } from "../games/billiards/shown.js" */
/** @import { Trace } from "../games/billiards/traces.js" */
/** @import { Discipline, Path, Strike, Table } from "../games/billiards/types.d.ts" */

/** @typedef {{ id: string, title: string, discipline: Discipline, table: string, strike: Strike, path: Path }} Sample */
/** @typedef {{ tables: Record<string, Table>, items: readonly Sample[] }} Samples */
/** What is on the canvas. @typedef {{ shown: Shown, run: Run, lines: readonly Line[], traces: Trace[], scene: Scene, views: readonly View[] | null }} Booked */

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
/** From afar, balls look larger than they are: at least this radius, in CSS pixels. */
const RADIUS_MIN = 3.5;
/** Two runs come to rest at once within this. */
const SAME_MS = 1e-3;
/** Larger files are not read. */
const BYTES_MAX = 64 << 20;

/** @type {import("../main.js").Screen} */
export function shots(root, id) {
    const booth = new Booth(root, id);
    return () => booth.close();
}

class Booth {
    #root;
    #id;
    /** By what the choice calls them: those of an opened file first. @type {Map<string, Shown>} */
    #shots = new Map();
    /** Those that come with the page. @type {readonly Shown[]} */
    #own = [];
    /** @type {unknown} */
    #error = null;
    #key = "";
    /** @type {Booked | null} */
    #booked = null;
    #isTraced = true;
    #head = new Playhead(0, 0);
    #ears = new Ears();
    /** @type {{ painter: Painter, screen: Screen } | null} */
    #picture = null;
    #held = false;
    #frame = 0;
    /** What was last shown, so that a frame which changes nothing costs nothing. */
    #state = "";
    #off = new AbortController();
    #watch = new ResizeObserver(() => this.#measure());
    #unact;

    /** @param {HTMLElement} root @param {string} id */
    constructor(root, id) {
        this.#root = root;
        this.#id = id;
        /** What is done is seen at once. @param {(element: HTMLElement) => void} does */
        const seen = (does) => (/** @type {HTMLElement} */ element) => {
            does(element);
            this.#draw();
        };
        this.#unact = act(root, {
            toggle: seen(() => this.#toggle()),
            speed: seen((button) => {
                this.#head.speed = Number(button.dataset["speed"]);
            }),
            seek: (button) => this.#seek(Number(button.dataset["at"])),
            trace: seen(() => {
                this.#isTraced = !this.#isTraced;
            }),
            sound: seen(() => setSound(!hasSound())),
            file: () => this.#root.querySelector("input")?.click(),
            leave: () => goBack("/"),
            retry: () => void this.#open(),
        });
        const { signal } = this.#off;
        addEventListener("keydown", (event) => this.#pressed(event), { signal });
        root.addEventListener("input", (event) => this.#input(event), { signal });
        root.addEventListener("change", (event) => this.#changed(event), { signal });
        root.addEventListener("dragover", (event) => event.preventDefault(), { signal });
        root.addEventListener("drop", (event) => {
            event.preventDefault();
            void this.#read(event.dataTransfer?.files[0]);
        }, { signal });
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
            const [samples, reference] = await Promise.all([fetched("shots.json"), fetched("reference.json")]);
            const read = readReference(await reference.text(), t("shots_breaks"));
            this.#own = [...ownShots(await samples.json()), ...(typeof read === "string" ? [] : read.shots)];
        } catch (error) {
            this.#error = error;
        }
        if (this.#off.signal.aborted) return;
        this.#list([]);
        const key = this.#shots.has(this.#id) ? this.#id : this.#shots.keys().next().value;
        if (key !== undefined) this.#choose(key);
        this.#show();
        const canvas = this.#root.querySelector("canvas");
        const ctx = canvas?.getContext("2d", { alpha: false });
        if (!canvas || !ctx) return;
        this.#picture = { painter: new Painter(ctx), screen: /** @type {any} */ (null) };
        this.#watch.observe(canvas);
        this.#measure();
        const loop = () => {
            this.#frame = requestAnimationFrame(loop);
            this.#draw();
        };
        loop();
    }

    /** What there is to choose from. @param {readonly Shown[]} opened from a file */
    #list(opened) {
        this.#shots = new Map([
            ...opened.map((it) => /** @type {const} */ ([`file ${it.id}`, it])),
            ...this.#own.map((it) => /** @type {const} */ ([it.id, it])),
        ]);
    }

    /** A file of reference runs. @param {File | undefined} file */
    async #read(file) {
        if (!file) return;
        if (file.size > BYTES_MAX) return toast(t("shots_large"));
        const text = await file.text().catch(() => null);
        if (this.#off.signal.aborted) return;
        const read = text === null ? "no_shots" : readReference(text, t("shots_breaks"));
        if (typeof read === "string") return toast(t(`shots_${read}`));
        if (read.left) toast(t("shots_left", { n: read.left }));
        this.#list(read.shots);
        const [key] = this.#shots.keys();
        if (key !== undefined) this.#choose(key);
        this.#draw();
    }

    /** The same shot played otherwise is seen at the same time. @param {string} key @param {number} [number] of the run */
    #choose(key, number = 0) {
        const shown = this.#shots.get(key);
        const run = shown?.runs[number];
        if (!shown || !run) return;
        const { path, against, table } = run;
        const old = this.#booked?.shown === shown ? this.#head : null;
        const traces = tracesOf(path, (ball) => {
            const { colour } = lookOf(run.discipline, ball);
            // Black on dark cloth is no line.
            return css(Math.max(...colour) < 90 ? [150, 150, 156] : colour);
        });
        const views = table.segments.length ? null : viewsOf(path, against?.places ?? []);
        [this.#key, this.#booked] = [key, { shown, run, lines: linesOf(run), traces, scene: sceneOf(run), views }];
        const { speed } = this.#head;
        this.#head = new Playhead(0, lengthOf(run));
        this.#head.speed = speed;
        this.#ears = new Ears();
        if (old) this.#head.seek(old.now());
        const plays = old ? old.playing : !matchMedia("(prefers-reduced-motion: reduce)").matches;
        if (plays) this.#head.play();
        this.#measure();
        const path_ = this.#own.includes(shown) ? `/shots/${shown.id}` : "/shots";
        if (location.pathname !== path_) history.replaceState(history.state, "", path_);
    }

    #toggle() {
        if (this.#head.playing) this.#head.pause();
        else this.#head.play();
    }

    /** What is wound to is seen at once, and not a frame later. @param {number} at */
    #seek(at) {
        this.#head.pause();
        this.#head.seek(at);
        this.#draw();
    }

    /** The bar is drawn: it stands still until it is let go. @param {Event} event */
    #input({ target }) {
        if (!(target instanceof HTMLInputElement) || target.type !== "range") return;
        this.#held ||= this.#head.playing;
        this.#seek(target.valueAsNumber);
    }

    /** Something is chosen, or the bar is let go. @param {Event} event */
    #changed({ target }) {
        if (target instanceof HTMLSelectElement) {
            if (target.name === "run") this.#choose(this.#key, Number(target.value));
            else this.#choose(target.value);
            return this.#draw();
        }
        if (target instanceof HTMLInputElement && target.type === "file") {
            void this.#read(target.files?.[0]);
            // The same file may be opened again.
            target.value = "";
            return;
        }
        if (this.#held && !this.#head.ended) this.#head.play();
        this.#held = false;
    }

    /** @param {KeyboardEvent} event */
    #pressed(event) {
        if (!this.#booked || event.ctrlKey || event.metaKey || event.altKey) return;
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
        this.#draw();
    }

    #measure() {
        const canvas = this.#root.querySelector("canvas");
        if (!canvas || !this.#picture || !this.#booked) return;
        const { run: { table, path }, views, scene } = this.#booked;
        const { clientWidth: width, clientHeight: height } = canvas;
        const density = Math.min(devicePixelRatio || 1, DENSITY_MAX);
        const [w, h] = [Math.round(width * density), Math.round(height * density)];
        if (canvas.width !== w) canvas.width = w;
        if (canvas.height !== h) canvas.height = h;
        const area = { left: MARGIN, top: MARGIN, width: width - 2 * MARGIN, height: height - 2 * MARGIN };
        let place = placed(table, area);
        if (views) {
            const [left, near, right, far] = viewAt(views, Infinity);
            const upright = (far - near >= right - left) === (area.height >= area.width);
            place = framed(table, area, viewAt(views, this.#head.now() / 1000), upright);
            this.#booked.scene = { ...scene, ball: { ...path.ball, radius: Math.max(path.ball.radius, RADIUS_MIN / place.scale) } };
        }
        this.#picture.screen = { width, height, density, place };
    }

    /** What is there now. */
    #draw() {
        this.#paint();
        this.#show();
    }

    #paint() {
        if (!this.#booked || !this.#picture) return;
        if (this.#booked.views) this.#measure();
        const { scene, traces, run: { against } } = this.#booked;
        const now = this.#head.now();
        this.#picture.painter.draw(scene, now, this.#picture.screen, {
            ...(this.#isTraced ? { traces, until: shotTime(scene, now) } : {}),
            ghosts: against?.places.map(([, x, y]) => /** @type {const} */ ([x, y])) ?? [],
        });
        if (this.#head.playing && this.#head.speed === 1) this.#ears.follow(scene, now);
    }

    #show() {
        if (this.#off.signal.aborted) return;
        if (this.#error) {
            patch(this.#root, html`<section class="page" data-test="screen-shots" data-key="error">${failed(this.#error)}</section>`);
            return;
        }
        const at = this.#head.now();
        const { run, lines } = this.#booked ?? {};
        const past = lines?.filter(({ hit: [time] }) => time * 1000 <= at).length ?? 0;
        const { playing, ended, speed } = this.#head;
        const state = JSON.stringify([playing, ended, speed, past, this.#key, run?.laws, run?.by, this.#rests(), this.#shots.size, this.#isTraced, hasSound()]);
        if (state !== this.#state || !run) {
            this.#state = state;
            this.#render(past);
            for (const select of this.#root.querySelectorAll("select")) {
                select.value = select.name === "run" ? String(this.#booked?.shown.runs.indexOf(/** @type {Run} */ (run))) : this.#key;
            }
            this.#root.querySelector(".hits [aria-current]")?.scrollIntoView({ block: "nearest" });
        }
        const bar = /** @type {HTMLInputElement | null} */ (this.#root.querySelector("input[type=range]"));
        if (bar) bar.value = String(Math.round(at));
        const time = this.#root.querySelector("time");
        if (time) time.textContent = Math.min(at / 1000, run?.path.rest ?? 0).toFixed(2);
    }

    /** Whether all is at rest by now. */
    #rests() {
        return this.#head.now() >= (this.#booked?.run.path.rest ?? 0) * 1000 - SAME_MS;
    }

    /** @param {number} past how many lines have been */
    #render(past) {
        const { shown, run, lines = [] } = this.#booked ?? {};
        const { playing, ended, speed } = this.#head;
        const toggle = playing ? /** @type {const} */ (["pause", "pause"]) : ended
            ? /** @type {const} */ (["again", "watch_again"]) : /** @type {const} */ (["play", "resume"]);
        const length = run ? lengthOf(run) : TAIL_MS;
        const runs = shown?.runs ?? [];
        patch(this.#root, html`<section class="match replay shots" data-test="screen-shots" data-key="shots" data-status="${run ? "there" : "loading"}"
            data-playing="${playing}" data-by="${run?.by ?? ""}">
            <header class="strip"><label class="choice"><span class="hidden">${t("shot")}</span><select name="shot" data-test="shot">
                ${shotsOf(this.#shots, this.#key)}</select></label>
                <label class="choice laws"${runs.length > 1 ? "" : html` hidden`}><span class="hidden">${t("shots_laws")}</span><select name="run" data-test="shot-run">
                ${run ? runsOf(runs, run) : ""}</select></label>
                <input type="file" accept=".json,application/json" hidden data-test="shots-file">
                <button class="tool" data-do="file" data-test="shots-open" aria-label="${t("shots_open")}" title="${t("shots_open")}">${icon("folder")}</button>
                <button class="tool" data-do="leave" data-test="leave" aria-label="${t("leave")}" title="${t("leave")}">${icon("close")}</button></header>
            <div class="body"><div class="table">
                <canvas data-keep data-key="court" data-test="court" data-do="toggle" role="img" aria-label="${shown?.title ?? ""}"></canvas>
                ${run ? "" : html`<div class="panel" data-key="loading">${loading()}</div>`}</div>
                <ol class="hits" data-test="hits">${run ? linesShown(run, lines, past, this.#rests()) : ""}</ol></div>
            <footer class="deck"${run ? "" : html` hidden`}>
                <div class="scrub"><time data-keep data-test="shot-time"></time>
                    <div class="bar">${marks(lines, length)}
                        <input type="range" min="0" max="${Math.round(length)}" step="1" data-test="shot-bar" aria-label="${t("position")}"></div>
                    <time>${(run?.path.rest ?? 0).toFixed(1)}</time></div>
                <div class="tools">
                    <button class="tool toggle" data-do="toggle" data-test="shot-toggle" aria-label="${t(toggle[1])}" title="${t(toggle[1])}">${icon(toggle[0])}</button>
                    <div class="segments" role="group" aria-label="${t("speed")}">${SPEEDS.map((it) => html`<button data-do="speed" data-speed="${it}"
                        data-test="shot-speed-${it}" aria-pressed="${it === speed}">${it === 0.1 ? "⅒" : it === 0.25 ? "¼" : it === 0.5 ? "½" : it}×</button>`)}</div>
                    <button class="tool" data-do="trace" data-test="trace" aria-pressed="${this.#isTraced}">${t("shot_ways")}</button>
                    <button class="tool" data-do="sound" data-test="sound" aria-pressed="${hasSound()}" aria-label="${t("sound")}" title="${t("sound")}">${icon(hasSound() ? "sound" : "silent")}</button>
                </div></footer></section>`);
    }
}

/** @param {string} name */
async function fetched(name) {
    const answer = await fetch(new URL(`../games/billiards/${name}`, import.meta.url));
    if (!answer.ok) throw new Error(`${name} answers ${answer.status}`);
    return answer;
}

/** Shots as the game plays them. @param {Samples} samples @returns {Shown[]} */
function ownShots({ tables, items }) {
    return items.flatMap(({ id, title, discipline, table: name, strike, path }) => {
        const table = tables[name];
        if (!table) return [];
        const run = { laws: "", by: /** @type {const} */ ("ours"), discipline, table, strike, path, against: null, isStill: false };
        return [{ id, group: t("shots_game"), title, runs: [run] }];
    });
}

/** In ms. @param {Run} run */
function lengthOf({ path, against }) {
    return Math.max(path.rest, against?.rest ?? 0) * 1000 + TAIL_MS;
}

/** A match in which nothing happens but this shot. @param {Run} run @returns {Scene} */
function sceneOf({ discipline, table, strike, path }) {
    const balls = path.motions.flatMap(([row], ball) => (row ? [[ball, row[2], row[3]]] : []));
    const shot = { seat: 0, began: 0, rest: path.rest * 1000, strike, path };
    const game = { discipline, table, ball: path.ball, balls, shot, turn: null, verdict: null, sheet: { rack: 1 } };
    const state = { type: "game_state", at: 0, players: [], options: {}, game };
    const scene = hear(null, /** @type {FromMatch} */ (/** @type {unknown} */ (state)), 0);
    if (!scene) throw new Error("a scene of a shot is there at once");
    return scene;
}
