// Pong on the screen: the scene, kept up to date by messages and hands, drawn at the display's rate.

import { html } from "../../lib/html.js";
import { brush, finale, knock, point, tick } from "../../lib/sound.js";
import { telegram } from "../../lib/telegram.js";
import { t } from "../../lib/words.js";
import { draw, placed } from "./draw.js";
import { hands } from "./hands.js";
import * as scenes from "./scene.js";
import { PADDLE_MAX, PADDLE_MIN } from "./court.js";

/** @import { Game, Seat, Stage } from "../index.js" */
/** @import { FromMatch } from "../../types.d.ts" */
/** @import { Scene } from "./scene.js" */
/** @import { View } from "./draw.js" */

/** My paddle's target is sent at most this often. */
const SEND_EVERY_MS = 45;
/** A smaller change of it is not worth a message, in heights of the field. */
const SEND_FROM = 0.002;
/** More pixels than this are not seen on a phone, but cost. */
const DENSITY_MAX = 3;
/** The server lets a move count from so long before it has heard of it. */
const BACK_MS_MAX = 100;
const FASTEST = 900;
const SLOWEST = 360;

/** @type {Game} */
export const pong = {
    title: "game_pong",
    about: "game_pong_about",
    rules(state) {
        const options = /** @type {{ points?: number } | null} */ (state.options);
        return t("pong_rules", { n: options?.points ?? 11 });
    },
    tip: "pong_tip",
    picture: () => html`<svg class="picture" viewBox="0 0 320 160" aria-hidden="true">
        <rect width="320" height="160" fill="#14181a"/>
        <path d="M160 12V148" stroke="#2c3436" stroke-width="2" stroke-dasharray="6 8"/>
        <g fill="#262d30" font-size="64" font-weight="600" text-anchor="middle" font-family="system-ui, sans-serif">
            <text x="98" y="103">7</text><text x="222" y="103">5</text></g>
        <g fill="#f3ead7"><circle cx="150" cy="100" r="2" opacity=".1"/><circle cx="166" cy="92" r="3" opacity=".18"/>
            <circle cx="182" cy="84" r="4" opacity=".3"/><circle cx="200" cy="75" r="6"/></g>
        <rect x="20" y="84" width="8" height="44" rx="4" fill="#c9a14a"/>
        <rect x="292" y="34" width="8" height="44" rx="4" fill="#6fa8c9"/></svg>`,
    // As `--court` in style/0-tokens.css.
    ground: "#14181a",
    look: "court",
    pauses: scenes.pauses,
    stage: (seat) => new Court(seat),
};

/** @implements {Stage} */
class Court {
    /** @type {Scene | null} */
    #scene = null;
    #seat;
    #ctx;
    /** @type {View} */
    #view;
    #frame = 0;
    #sentAt = -Infinity;
    #lastSent = -1;
    /** @type {number | undefined} */
    #sending;
    /** What the ball last did, so that a sound is made when it does something else. */
    #ball = { hits: 0, walls: 0, at: 0 };
    #second = 0;
    #letGo;
    #watch;
    #calm = matchMedia("(prefers-reduced-motion: reduce)");

    /** @param {Seat} seat */
    constructor(seat) {
        this.#seat = seat;
        const ctx = seat.canvas.getContext("2d", { alpha: false });
        if (!ctx) throw new Error("this browser has no canvas");
        this.#ctx = ctx;
        this.#view = this.#measured();
        this.#watch = new ResizeObserver(() => {
            this.#view = this.#measured();
            this.#paint();
        });
        this.#watch.observe(seat.canvas);
        this.#letGo = seat.send ? hands(seat.canvas, {
            point: (x, y) => this.#aim(placed(this.#view).across(x, y)),
            push: (way) => this.#push(way),
        }) : () => {};
        const loop = () => {
            this.#frame = requestAnimationFrame(loop);
            this.#paint();
        };
        loop();
    }

    /** @param {FromMatch} message @param {number} [now] */
    hear(message, now = this.#seat.clock.now()) {
        if (message.type === "error") {
            if (this.#scene && message.n) this.#scene = scenes.refused(this.#scene, message.n, now);
            return;
        }
        const old = this.#scene;
        this.#scene = scenes.hear(old, message, now);
        if (this.#scene && (message.type === "game_state" || !old)) {
            this.#ball = { hits: this.#scene.hits, walls: 0, at: now };
            this.#lastSent = this.#scene.mine?.to ?? -1;
            this.#view = this.#measured();
        }
        if (message.type === "game_state" || message.type === "score_update") this.#describe();
        if (message.type === "score_update" && this.#scene?.lit) {
            const mine = this.#scene.lit.side === this.#scene.you;
            point(mine);
            telegram.haptic("light");
        }
        if (message.type === "game_over") {
            const won = message.outcome.winner === this.#scene?.you;
            finale(won);
            if (this.#scene?.you !== null) telegram.haptic(won ? "success" : "warning");
        }
    }

    /** @param {readonly (FromMatch & { at: number })[]} messages */
    recall(messages) {
        this.#scene = messages.reduce(
            (scene, message) => scenes.hear(scene, message, message.at),
            /** @type {Scene | null} */ (null),
        );
        if (!this.#scene) return;
        const now = this.#seat.clock.now();
        const walls = scenes.shownBall(this.#scene, now)?.walls ?? 0;
        this.#ball = { hits: this.#scene.hits, walls, at: now };
        this.#second = 0;
        this.#view = this.#measured();
        this.#describe();
    }

    /** The court for who can't see it. */
    #describe() {
        const [left, right] = this.#scene?.scores ?? [0, 0];
        const [mine, theirs] = this.#view.near === 0 ? [left, right] : [right, left];
        this.#seat.canvas.setAttribute("aria-label", t("court", { mine, theirs }));
    }

    stop() {
        cancelAnimationFrame(this.#frame);
        clearTimeout(this.#sending);
        this.#watch.disconnect();
        this.#letGo();
    }

    #paint() {
        if (!this.#scene) {
            this.#ctx.fillStyle = "#14181a";
            this.#ctx.fillRect(0, 0, this.#seat.canvas.width, this.#seat.canvas.height);
            return;
        }
        const now = this.#seat.clock.now();
        draw(this.#ctx, this.#scene, now, this.#view);
        this.#sound(this.#scene, now);
    }

    /** Sounds follow what is seen. @param {Scene} scene @param {number} now */
    #sound(scene, now) {
        const ball = scene.serve || scene.pause ? null : scenes.shownBall(scene, now);
        const hits = scene.hits + (ball?.struck ? 1 : 0);
        const walls = ball?.walls ?? 0;
        const force = ball ? Math.max(0, Math.min(1, (ball.speed - SLOWEST) / (FASTEST - SLOWEST))) : 0;
        const last = this.#ball;
        if (hits > last.hits && ball && ball.speed > 0) {
            knock(force);
            const mine = scene.you === (ball.x < 400 ? 0 : 1);
            if (mine && ball.x !== 400) telegram.haptic("light");
        } else if (hits === last.hits && walls > last.walls) {
            brush(force);
        }
        if (hits !== last.hits || walls !== last.walls) this.#ball = { hits, walls, at: now };

        const until = scene.pause ? null : (scene.serve?.[0] ?? scene.resume);
        const second = until && until > now ? Math.ceil((until - now) / 1000) : 0;
        if (second && second !== this.#second && this.#second) tick();
        this.#second = second;
    }

    /** @param {number} y in heights */
    #aim(y) {
        if (!this.#scene?.mine || this.#scene.over) return;
        this.#scene = scenes.aim(this.#scene, y, this.#seat.clock.now());
        this.#sendSoon();
    }

    /** A key sends the paddle to the end; letting go stops it where it is. @param {-1 | 0 | 1} way */
    #push(way) {
        const scene = this.#scene;
        if (!scene || scene.you === null) return;
        if (way === 0) {
            this.#aim(scenes.shownPaddle(scene, scene.you, this.#seat.clock.now()));
            return;
        }
        const { tall, near } = this.#view;
        const along = tall && near === 1 ? -way : way;
        this.#aim(along < 0 ? PADDLE_MIN : PADDLE_MAX);
    }

    /** Sends now, or as soon as it may again: the newest aim always goes out. */
    #sendSoon() {
        if (this.#sending !== undefined) return;
        const wait = this.#sentAt + SEND_EVERY_MS - performance.now();
        if (wait <= 0) {
            this.#send();
            return;
        }
        this.#sending = setTimeout(() => {
            this.#sending = undefined;
            this.#send();
        }, wait);
    }

    #send() {
        const scene = this.#scene;
        const { clock, send } = this.#seat;
        if (!scene?.mine || scene.over || !send) return;
        const y = Math.round(scene.mine.to * 1e4) / 1e4;
        if (Math.abs(y - this.#lastSent) < SEND_FROM) {
            this.#scene = { ...scene, unsent: false };
            return;
        }
        this.#sentAt = performance.now();
        this.#lastSent = y;
        // It counts from when the hand moved, as far back as the server allows.
        const at = Math.max(0, Math.round(scene.mine.at));
        const n = send({ type: "player_move", y, at });
        const arrives = clock.now() + clock.trip / 2;
        this.#scene = scenes.sent(scene, { n, at: Math.max(at, arrives - BACK_MS_MAX), y });
    }

    /** @returns {View} */
    #measured() {
        const { canvas } = this.#seat;
        const { clientWidth: width, clientHeight: height } = canvas;
        const density = Math.min(devicePixelRatio || 1, DENSITY_MAX);
        const [w, h] = [Math.round(width * density), Math.round(height * density)];
        if (canvas.width !== w) canvas.width = w;
        if (canvas.height !== h) canvas.height = h;
        const near = this.#scene?.you ?? (this.#seat.near === 1 ? 1 : 0);
        return { width, height, density, tall: height > width, near, calm: this.#calm.matches };
    }
}
