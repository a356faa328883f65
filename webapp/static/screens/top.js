// The best players of a game.

import { call, me } from "../lib/api.js";
import { act, html, patch } from "../lib/html.js";
import { avatar, empty, gameTitle, shown } from "../lib/parts.js";
import { t } from "../lib/words.js";
import { games } from "../games/index.js";

/** @import { Games, TopList, TopPlayer } from "../types.d.ts" */
/** @import { Fetched } from "../lib/parts.js" */

/** @type {import("../main.js").Screen} */
export function top(root) {
    let names = Object.keys(games);
    let name = names[0] ?? "";
    /** @type {Fetched<TopList>} */
    let list = { state: "loading" };
    let gone = false;

    const off = act(root, {
        retry: load,
        game: (button) => {
            name = button.dataset["game"] ?? name;
            load();
        },
    });
    load();
    // Only where there are ratings is anybody the best.
    call("GET", "/api/games").then((value) => {
        const { items } = /** @type {Games} */ (value);
        names = items.filter((it) => it.rated && games[it.name]).map((it) => it.name);
        show();
    }, () => {});
    return () => {
        gone = true;
        off();
    };

    function load() {
        const asked = name;
        list = { state: "loading" };
        show();
        call("GET", `/api/games/${name}/top`).then(
            (value) => {
                if (asked === name) list = { state: "there", value: /** @type {TopList} */ (value) };
            },
            (error) => {
                if (asked === name) list = { state: "failed", error };
            },
        ).then(show);
    }

    function show() {
        if (gone) return;
        patch(root, html`<section class="page" data-test="screen-top"><h1>${t("top_players", { game: gameTitle(name) })}</h1>
            ${names.length > 1 ? html`<div class="segments many" role="group">${names.map((it) => html`<button data-do="game"
                data-game="${it}" aria-pressed="${it === name}">${gameTitle(it)}</button>`)}</div>` : ""}
            <div class="card" data-test="top-list">${shown(list, ({ items }) => items.length
                ? html`<ol class="list">${items.map(item)}</ol>`
                : empty(t("no_top"), html`<a class="button" href="/">${t("to_games")}</a>`))}</div></section>`);
    }

    /** @param {TopPlayer} it */
    function item({ rank, user, rating, games }) {
        return html`<li class="item${user.id === me()?.id ? " mine" : ""}" data-key="${user.id}" data-test="top-item" data-rank="${rank}" data-user-id="${user.id}">
            <span class="rank">${rank}</span>${avatar(user)}
            <div class="grow"><a href="/users/${user.id}">${user.display_name}</a><p class="hint">${t("matches", { n: games })}</p></div>
            <b class="end">${rating}</b></li>`;
    }
}
