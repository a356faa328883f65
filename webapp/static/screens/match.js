// A match: ready, play, result. The game draws; this is everything around it.

import { call, me, Refusal } from "../lib/api.js";
import { Clock } from "../lib/clock.js";
import { act, html, patch } from "../lib/html.js";
import { hear as heard, isGap } from "../lib/match.js";
import { Outbox } from "../lib/outbox.js";
import { announce, confirmed, failed, gameTitle, icon, loading, named } from "../lib/parts.js";
import { go, guarded } from "../lib/router.js";
import { shareMatch } from "../lib/share.js";
import { CODES, Line } from "../lib/socket.js";
import { hasSound, setSound } from "../lib/sound.js";
import { telegram } from "../lib/telegram.js";
import { clock as minutes, t, tally } from "../lib/words.js";
import { games } from "../games/index.js";
import { hasComputer, readyPanel, remembered, resultPanel, strip, timeAndLine } from "./match_parts.js";

/** @import { FromMatch, History, MatchInfo, Me } from "../types.d.ts" */
/** @import { Match } from "../lib/match.js" */
/** @import { LineState } from "../lib/socket.js" */
/** @import { Stage } from "../games/index.js" */
/** @import { Primary } from "./match_parts.js" */

const PING_EVERY_MS = 2_000;
/** How to play is said for so long to who was not asked whether they are ready. */
const TIP_MS = 6_000;

/** @type {import("../main.js").Screen} */
export function match(root, id) {
    const shown = new MatchScreen(root, id);
    return () => shown.close();
}

class MatchScreen {
    #root;
    #id;
    /** @type {MatchInfo | null} */
    #info = null;
    /** @type {unknown} */
    #error = null;
    /** The code of the room that plays it, where I am in that. @type {string | null} */
    #home = null;
    /** @type {Match | null} */
    #match = null;
    /** @type {Line | null} */
    #line = null;
    /** @type {LineState} */
    #state = "connecting";
    #endedBy = 0;
    /** @type {Stage | null} */
    #stage = null;
    /** What was said that has no number, to be said again after a reconnect. */
    #said = { ready: false, rematch: false };
    /** When we saw it begin. */
    #begunAt = -Infinity;
    #clock = new Clock();
    #outbox = new Outbox((message) => this.#line?.send(message) ?? false);
    /** @type {Promise<boolean> | null} */
    #asking = null;
    #off;
    #ticking;
    #closed = false;
    /** Whose turn it is, in a game that has turns. @type {number | null} */
    #turn = null;

    /** @param {HTMLElement} root @param {string} id */
    constructor(root, id) {
        this.#root = root;
        this.#id = id;
        this.#off = act(root, {
            ready: () => this.#ready(),
            room: () => void this.#goHome(),
            rematch: () => this.#rematch(),
            sound: () => {
                setSound(!hasSound());
                this.#show();
            },
            share: () => void shareMatch(this.#id, t("match_of", { game: gameTitle(this.#info?.game ?? "") })),
            leave: () => void this.#leave(),
            here: () => this.#line?.restart(),
            retry: () => void this.#open(),
        });
        this.#ticking = setInterval(() => this.#show(), 500);
        telegram.swipes(false);
        void this.#open();
    }

    close() {
        this.#closed = true;
        clearInterval(this.#ticking);
        this.#off();
        this.#stage?.stop();
        this.#line?.close();
        telegram.main(null);
        telegram.swipes(true);
        telegram.ground(null);
        telegram.asksBeforeClosing(false);
        guarded(null);
    }

    /** Learns what is played, then sits down. */
    async #open() {
        this.#error = null;
        this.#show();
        try {
            this.#info = await call("GET", `/api/matches/${this.#id}`);
        } catch (error) {
            this.#error = error;
        }
        if (!this.#error && me()) await this.#findHome();
        if (this.#closed) return;
        this.#show();
        const canvas = this.#root.querySelector("canvas");
        const game = games[this.#info?.game ?? ""];
        const beside = this.#root.querySelector(".beside");
        if (!canvas || !game || !(beside instanceof HTMLElement)) return;
        telegram.ground(game.ground);
        this.#stage ??= game.stage({
            canvas,
            beside,
            clock: this.#clock,
            send: (message) => this.#outbox.post(/** @type {{ type: string }} */ (message)),
            show: (gesture) => void this.#line?.send({ type: "gesture", ...gesture }),
            turns: (seat) => {
                this.#turn = seat;
                this.#show();
            },
        });
        this.#line ??= new Line({
            path: () => `/ws/game/${this.#id}${this.#match ? `?after=${this.#match.seq}` : ""}`,
            tickets: () => me() ? "/api/ws-tickets" : `/api/matches/${this.#id}/watch-tickets`,
            pingEvery: PING_EVERY_MS,
            pong: (now, took, { at }) => this.#clock.heard(now, took, at),
            hear: (message) => this.#hear(message),
            tell: (state, code) => this.#tell(state, code),
        });
    }

    /** Learns whether a room of mine plays it. Without an answer it is a match like any other. */
    async #findHome() {
        try {
            /** @type {Me} */
            const { room } = await call("GET", "/api/me");
            const isOurs = room?.match_id === this.#id || room?.last_match_id === this.#id;
            this.#home = isOurs ? (room?.code ?? null) : null;
        } catch {
            this.#home = null;
        }
    }

    async #goHome() {
        await go(`/rooms/${this.#home}`, { replace: true });
    }

    /** @param {LineState} state @param {number} code */
    #tell(state, code) {
        [this.#state, this.#endedBy] = [state, code];
        if (state === "online") {
            this.#clock.forget();
            this.#outbox.again();
            if (this.#said.ready) this.#line?.send({ type: "player_ready" });
            if (this.#said.rematch) this.#line?.send({ type: "rematch" });
        }
        if (state === "ended" && code === CODES.missing) this.#error = new Refusal(404, "match_missing", "");
        if (state === "ended" && code === CODES.forbidden) this.#error = new Refusal(403, "match_forbidden", "");
        if (state === "ended" && this.#match?.status !== "finished") void this.#lookBack();
        this.#show();
    }

    /** The match was over before we came: its result is in the history. */
    async #lookBack() {
        if (this.#endedBy !== CODES.over || !this.#info) return;
        try {
            const [info, history] = await Promise.all([
                /** @type {Promise<MatchInfo>} */ (call("GET", `/api/matches/${this.#id}`)),
                me() && /** @type {Promise<History>} */ (call("GET", `/api/users/${me()?.id}/history`)),
            ]);
            const past = history?.items.find(({ match_id }) => match_id === this.#id) ?? null;
            this.#match = remembered(info, past, me()?.id ?? "");
        } catch (error) {
            this.#error = error;
        }
        this.#show();
    }

    /** @param {FromMatch} message */
    #hear(message) {
        if (this.#closed) return;
        if ("at" in message && message.at) this.#clock.glimpsed(message.at);
        if (isGap(this.#match, message)) {
            this.#match = null;
            this.#line?.restart();
            return;
        }
        const before = this.#match;
        this.#match = heard(before, message);
        this.#stage?.hear(message);
        if (!this.#match) return;
        this.#outbox.acknowledged(this.#match.ack);
        if (this.#match.next) {
            void go(`/match/${this.#match.next}`, { replace: true });
            return;
        }
        if (message.type === "score_update") this.#sayScore();
        if ((message.type === "game_update" || message.type === "gesture") && before) return;
        if (before?.status !== this.#match.status) this.#turned(before);
        this.#show();
    }

    /** The match was made, has begun, or has ended. @param {Match | null} before */
    #turned(before) {
        // Who asks for the computer is ready for it, and in a room one has said so already.
        const asks = this.#match?.status === "pending" && this.#match.you !== null;
        if (asks && this.#match && (this.#home || hasComputer(this.#match))) this.#ready();
        if (before && this.#match?.status === "active") this.#begunAt = this.#clock.now();
        const live = this.#match?.status === "active" && this.#match.you !== null;
        telegram.asksBeforeClosing(live);
        guarded(live ? () => this.#resigned() : null);
        if (this.#match?.status === "active") announce(t("begins"));
    }

    #sayScore() {
        announce((this.#match?.players ?? []).map((it) => `${named(it)} ${tally(it.score)}`).join(", "));
    }

    #ready() {
        this.#said.ready = true;
        this.#line?.send({ type: "player_ready" });
        telegram.haptic("light");
        this.#show();
    }

    #rematch() {
        this.#said.rematch = true;
        this.#line?.send({ type: "rematch" });
        telegram.haptic("light");
        this.#show();
    }

    async #leave() {
        await go("/");
    }

    /**
     * Asks whether to give up. Either way one stays: to play on, or to see the result.
     * @returns {Promise<boolean>}
     */
    #resigned() {
        this.#asking ??= this.#ask().finally(() => {
            this.#asking = null;
        });
        return this.#asking;
    }

    async #ask() {
        const other = this.#match?.players.find(({ seat }) => seat !== this.#match?.you);
        const isCrowd = (this.#match?.players.length ?? 0) > 2;
        const text = isCrowd ? "resign_text_crowd" : this.#info?.rated ? "resign_text" : "resign_text_unrated";
        const yes = await confirmed({
            title: t("resign_title"),
            text: t(text, { name: other ? named(other) : "" }),
            yes: t("resign"),
            no: t("stay"),
        });
        if (this.#match?.status !== "active") return false;
        if (yes) this.#outbox.post(/** @type {any} */ ({ type: "game_action", action: "resign" }));
        return false;
    }

    /** The one thing to do now. @returns {Primary | null} */
    #primary() {
        const match = this.#match;
        if (match?.status === "finished" && this.#home) {
            return { do: "room", text: t("back_to_room"), press: () => void this.#goHome() };
        }
        if (!match || match.you === null) return null;
        if (match.status === "pending") {
            const ready = this.#said.ready || match.players[match.you]?.ready;
            return ready ? null : { do: "ready", text: t("ready"), press: () => this.#ready() };
        }
        if (match.status !== "finished" || this.#state === "ended") return null;
        if (match.outcome?.reason === "called_off") return null;
        if (this.#said.rematch || match.rematch.includes(match.you)) return null;
        const text = hasComputer(match) ? t("play_again") : match.rematch.length ? t("accept_rematch") : t("offer_rematch");
        return { do: "rematch", text, press: () => this.#rematch() };
    }

    #show() {
        if (this.#closed) return;
        const match = this.#match;
        const info = this.#info;
        if (this.#error && !match) {
            patch(this.#root, html`<section class="page" data-test="screen-match" data-key="error" data-status="loading"
                data-connection="ended" data-seat="">${failed(this.#error)}
                <p class="state"><a class="button" href="/" data-test="to-home">${t("to_games")}</a></p></section>`);
            return;
        }
        const game = games[info?.game ?? ""];
        const status = match?.status ?? "loading";
        const primary = this.#primary();
        telegram.main(primary && { text: primary.text, press: primary.press });
        const now = this.#clock.now();
        const replaced = this.#state === "ended" && this.#endedBy === CODES.replaced;
        patch(this.#root, html`<section class="match ${game?.look ?? ""}" data-test="screen-match" data-key="match" data-status="${status}"
            data-connection="${replaced ? "replaced" : this.#state}" data-seat="${match?.you ?? ""}">
            <header class="strip">${strip(match, { near: match?.you ?? 0, turn: this.#turn },
                timeAndLine(match, now, { state: this.#state, trip: this.#clock.trip }))}</header>
            <div class="table">
                <canvas data-keep data-key="court" data-test="court" role="img" aria-label="${gameTitle(info?.game ?? "")}"></canvas>
                <div class="beside" data-keep data-key="beside"></div>
                <div class="banners">${this.#banners(now, replaced)}</div>
                ${status === "loading" ? html`<div class="panel" data-key="loading">${loading()}</div>` : ""}
                ${match?.status === "pending" && game
                    ? readyPanel(match, { rules: game.rules(match.state), now, primary, ready: this.#said.ready, rated: info?.rated ?? true }) : ""}
                ${match?.status === "finished"
                    ? resultPanel(match, { id: this.#id, game: info?.game ?? "", primary, offered: this.#said.rematch, open: this.#state !== "ended", room: this.#home !== null, rated: info?.rated ?? true }) : ""}
            </div>
            <footer class="strip controls">
                <button class="tool" data-do="sound" data-test="sound" aria-pressed="${hasSound()}">
                    ${icon(hasSound() ? "sound" : "silent")}<span>${t("sound")}</span></button>
                ${match && match.you === null && me() ? html`<p class="hint">${t("watching")}</p>` : ""}
                ${me() ? "" : html`<button class="tool" data-do="enter" data-test="enter">${icon("me")}<span>${t("sign_in")}</span></button>`}
                <button class="tool" data-do="leave" data-test="leave"${status === "finished" ? html` hidden` : ""}>
                    ${icon("leave")}<span>${t("leave")}</span></button>
            </footer></section>`);
    }

    /** @param {number} now @param {boolean} replaced */
    #banners(now, replaced) {
        const match = this.#match;
        if (replaced) {
            return html`<p class="banner" data-key="replaced" data-test="replaced-banner" role="status">${t("replaced")}
                <button class="link" data-do="here" data-test="play-here">${t("play_here")}</button></p>`;
        }
        if (this.#state === "offline") {
            return html`<p class="banner" data-key="connection" data-test="connection-banner" role="status">${t("reconnecting")}</p>`;
        }
        const away = match?.players.find(({ waiting_until }) => waiting_until);
        if (match?.status !== "active") return "";
        const game = games[this.#info?.game ?? ""];
        if (!away && game && hasComputer(match) && match.you !== null && now - this.#begunAt < TIP_MS) {
            return html`<p class="tip" data-key="tip" data-test="tip">${t(game.tip)}</p>`;
        }
        if (!away) return "";
        const time = minutes((away.waiting_until ?? 0) - now + 999);
        const text = away.seat === match.you
            ? t("waiting_for_me", { time })
            : t("waiting_for", { name: named(away), time });
        return html`<p class="banner" data-key="pause" data-test="pause-banner" role="status">${text}</p>`;
    }
}
