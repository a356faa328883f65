// The games, and what I am in the middle of.

import { call, me } from "../lib/api.js";
import { act, html, patch } from "../lib/html.js";
import { lobby } from "../lib/lobby.js";
import { empty, gameTitle, shown } from "../lib/parts.js";
import { t } from "../lib/words.js";
import { games as playable } from "../games/index.js";

/** @import { Game, Games, Stats } from "../types.d.ts" */
/** @import { Fetched } from "../lib/parts.js" */
/** @import { Html } from "../lib/html.js" */

/** @type {import("../main.js").Screen} */
export function home(root) {
    /** @type {Fetched<Games>} */
    let games = { state: "loading" };
    /** @type {Stats | null} */
    let stats = null;
    let gone = false;

    const off = [act(root, { retry: load }), lobby.listen(show)];
    load();
    return () => {
        gone = true;
        for (const it of off) it();
    };

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
            })}</div></section>`);
    }

    /** What I am in the middle of. */
    function current() {
        if (lobby.matched) {
            return html`<aside class="notice" data-key="match"><p>${t("in_match")}</p>
                <a class="button" href="/match/${lobby.matched.match_id}" data-test="return-to-match">${t("return_to_match")}</a></aside>`;
        }
        const waiting = [...lobby.queues.values()].find(({ status }) => status === "waiting");
        if (!waiting) return "";
        return html`<aside class="notice" data-key="queue"><p>${t("in_queue", { game: gameTitle(waiting.game) })}</p>
            <a class="button" href="/queue/${waiting.game}" data-test="return-to-queue">${t("return_to_queue")}</a></aside>`;
    }

    /** @param {Game} game @returns {Html} */
    function card({ name }) {
        const game = playable[name];
        if (!game) return html``;
        const mine = stats?.games.find((it) => it.game === name);
        const waiting = lobby.queues.get(name)?.waiting ?? null;
        return html`<article class="card game" data-key="${name}" data-test="game-${name}">
            ${game.picture()}
            <div class="about"><h2>${t(game.title)}</h2><p class="hint">${t(game.about)}</p>
                <p class="facts"><span data-test="rating-${name}"${mine ? "" : html` hidden`}>${mine ? rating(mine) : ""}</span>
                    <span data-test="waiting-${name}"${waiting === null ? html` hidden` : ""}>${waiting ? t("people_wait", { n: waiting }) : t("nobody_waits")}</span></p></div>
            <a class="button primary" href="/queue/${name}" data-test="join-${name}">${t("join_queue")}</a>
        </article>`;
    }

    /** @param {Stats["games"][number]} mine */
    function rating(mine) {
        const text = t("your_rating", { rating: Math.round(mine.rating) });
        return mine.provisional ? `${text}, ${t("provisional")}` : text;
    }
}
