// The games, and what I am in the middle of.

import { call, me } from "../lib/api.js";
import { act, html, patch } from "../lib/html.js";
import { lobby } from "../lib/lobby.js";
import { playComputer } from "../lib/computer.js";
import { empty, gameTitle, named, portrait, shortly, shown, some } from "../lib/parts.js";
import { listed, signed, t, tally } from "../lib/words.js";
import { games as playable } from "../games/index.js";

/** @import { Game, Games, Matches, MatchInfo, Stats } from "../types.d.ts" */
/** @import { Fetched } from "../lib/parts.js" */
/** @import { Html } from "../lib/html.js" */

/** How often it is asked what is played, while somebody looks. */
const LOOK_EVERY_MS = 4_000;
/** A longer list is no news. */
const LIVE_MAX = 8;
/** So many of three or more who play are named on a line. */
const NAMES_MAX = 4;

/** @type {import("../main.js").Screen} */
export function home(root) {
    /** @type {Fetched<Games>} */
    let games = { state: "loading" };
    /** @type {Stats | null} */
    let stats = null;
    /** What is played by others now; null: not known. @type {readonly MatchInfo[] | null} */
    let live = null;
    let gone = false;

    const off = [
        act(root, {
            retry: load,
            computer: (button) => void playComputer(button.dataset["game"] ?? ""),
        }),
        lobby.listen(show),
    ];
    const looking = setInterval(look, LOOK_EVERY_MS);
    document.addEventListener("visibilitychange", look);
    load();
    look();
    return () => {
        gone = true;
        clearInterval(looking);
        document.removeEventListener("visibilitychange", look);
        for (const it of off) it();
    };

    /** What it does not get it asks for again soon: the list is an extra. */
    function look() {
        if (document.hidden) return;
        call("GET", "/api/matches?live=1").then((value) => {
            const { items } = /** @type {Matches} */ (value);
            live = items.filter(({ game, status, players }) =>
                playable[game] && status === "active" && players.every(({ user }) => user.id !== me()?.id));
            show();
        }, () => {});
    }

    function load() {
        games = { state: "loading" };
        show();
        call("GET", "/api/games").then(
            (value) => {
                games = { state: "there", value: /** @type {Games} */ (value) };
                show();
            },
            (error) => {
                games = { state: "failed", error };
                show();
            },
        );
        // Ratings are an extra: without them the games are shown all the same.
        call("GET", `/api/users/${me()?.id}/stats`).then((value) => {
            stats = /** @type {Stats} */ (value);
            show();
        }, () => {});
    }

    function show() {
        if (gone) return;
        patch(root, html`<section class="page" data-test="screen-home"><h1>${t("games")}</h1>
            ${current()}
            <div class="games" data-test="games">${shown(games, ({ items }) => {
                const known = items.filter(({ name }) => playable[name]);
                return known.length ? html`${known.map(card)}` : empty(t("no_games"));
            })}</div>
            ${live ? html`<h2 data-key="live-title">${t("live_now")}</h2>
                <div class="card" data-key="live" data-test="live">${live.length
                    ? html`<ol class="list">${live.slice(0, LIVE_MAX).map(liveMatch)}</ol>`
                    : html`<p class="state" data-test="live-empty">${t("nobody_plays")}</p>`}</div>` : ""}</section>`);
    }

    /** @param {MatchInfo} match @returns {Html} */
    function liveMatch(match) {
        const { id, game, players } = match;
        const [left, right] = players;
        if (!left || !right) return html``;
        const score = players.map((it) => tally(it.score)).join(" : ");
        const label = t("watch_match", { names: listed(players.map(named)), score });
        const isCrowd = players.length > 2;
        return html`<li data-key="${id}"><a class="item ${isCrowd ? "party" : "versus"}" href="/match/${id}" data-test="live-match" data-match-id="${id}" aria-label="${label}">
            ${isCrowd ? party(match) : html`${portrait(left)}<span class="name">${shortly(left)}</span>
            <span class="middle"><b>${score}</b><span class="hint">${gameTitle(game)}</span></span>
            <span class="name">${shortly(right)}</span>${portrait(right)}`}</a></li>`;
    }

    /** Three or more: who plays, and who leads. @param {MatchInfo} match */
    function party({ game, players }) {
        const best = Math.max(...players.map(({ score }) => score));
        const leaders = players.filter(({ score }) => score === best);
        const [leader] = leaders;
        const lead = leaders.length === 1 && leader ? t("leads", { name: shortly(leader), score: signed(best) }) : t("no_leader");
        return html`<span class="count" aria-hidden="true">${players.length}</span><span class="grow">
            <span class="named">${some(players.map((it) => html`${shortly(it)}`), NAMES_MAX)}</span>
            <span class="hint">${gameTitle(game)} · ${lead}</span></span>`;
    }

    /** What I am in the middle of. */
    function current() {
        if (lobby.matched) {
            return html`<aside class="notice" data-key="match"><p>${t("in_match")}</p>
                <a class="button" href="/match/${lobby.matched.match_id}" data-test="return-to-match">${t("return_to_match")}</a></aside>`;
        }
        if (lobby.room) {
            return html`<aside class="notice" data-key="room"><p>${t("in_room", { code: lobby.room.code })}</p>
                <a class="button" href="/rooms/${lobby.room.code}" data-test="return-to-room">${t("return_to_match")}</a></aside>`;
        }
        const waiting = [...lobby.queues.values()].find(({ status }) => status === "waiting");
        if (!waiting) return "";
        return html`<aside class="notice" data-key="queue"><p>${t("in_queue", { game: gameTitle(waiting.game) })}</p>
            <a class="button" href="/queue/${waiting.game}" data-test="return-to-queue">${t("return_to_queue")}</a></aside>`;
    }

    /** @param {Game} game @returns {Html} */
    function card({ name, computer, seats }) {
        const game = playable[name];
        if (!game) return html``;
        const mine = stats?.games.find((it) => it.game === name);
        const waiting = lobby.queues.get(name)?.waiting ?? null;
        return html`<article class="card game" data-key="${name}" data-test="game-${name}">
            ${game.picture()}
            <div class="about"><h2>${t(game.title)}</h2><p class="hint">${t(game.about)}</p>
                <p class="facts"><span data-test="rating-${name}"${mine ? "" : html` hidden`}>${mine ? rating(mine) : ""}</span>
                    <span data-test="waiting-${name}"${waiting === null ? html` hidden` : ""}>${waiting ? t("people_wait", { n: waiting }) : t("nobody_waits")}</span></p></div>
            <div class="ways">${seats.min <= 2 && seats.max >= 2
                ? html`<a class="button primary" href="/queue/${name}" data-test="join-${name}">${t("join_queue")}</a>`
                : html`<a class="button primary" href="/rooms" data-test="rooms-${name}">${t("find_room")}</a>`}
                ${computer ? html`<button data-do="computer" data-game="${name}" data-test="computer-${name}">${t("play_computer")}</button>` : ""}
                ${game.practice ? html`<a class="button" href="/practice/${name}" data-test="practice-${name}">${t("practice")}</a>` : ""}</div>
        </article>`;
    }

    /** @param {Stats["games"][number]} mine */
    function rating(mine) {
        const text = t("your_rating", { rating: Math.round(mine.rating) });
        return mine.provisional ? `${text}, ${t("provisional")}` : text;
    }
}
