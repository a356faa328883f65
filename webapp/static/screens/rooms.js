// Rooms: the public ones, opening one, and coming in by a code.

import { call, Refusal } from "../lib/api.js";
import { act, html, patch } from "../lib/html.js";
import { lobby } from "../lib/lobby.js";
import { fieldsOf, readOptions } from "../lib/options.js";
import { avatar, empty, explained, gameTitle, icon, shown, toast } from "../lib/parts.js";
import { go } from "../lib/router.js";
import { telegram } from "../lib/telegram.js";
import { t } from "../lib/words.js";
import { games as playable } from "../games/index.js";
import { optionFields, rangeOf } from "./room_parts.js";

/** @import { Game, Games, ListedRoom, Rooms, RoomView } from "../types.d.ts" */
/** @import { Fetched } from "../lib/parts.js" */
/** @import { Html } from "../lib/html.js" */

/** How often the list is asked for, while somebody looks. */
const LOOK_EVERY_MS = 4_000;
const CODE_LETTERS = 6;

/** @type {import("../main.js").Screen} */
export function rooms(root) {
    /** @type {Fetched<ListedRoom[]>} */
    let list = { state: "loading" };
    /** @type {Game[]} */
    let games = [];
    /** The game of the room to be opened; null: none is. @type {Game | null} */
    let chosen = null;
    /** @type {Record<string, string>} */
    let wrong = {};
    let codeProblem = "";
    let busy = false;
    /** Asked again after no answer, a room is opened once. @type {{ key: string, asked: string } | null} */
    let attempt = null;
    let gone = false;

    const off = [
        act(root, {
            retry: look,
            "open-form": () => {
                chosen = games[0] ?? null;
                show();
                root.querySelector("form.open")?.scrollIntoView({ block: "nearest" });
                /** @type {HTMLElement | null} */ (root.querySelector("form.open button, form.open input"))?.focus();
            },
            "close-form": () => {
                chosen = null;
                show();
            },
            game: (button) => {
                chosen = games.find(({ name }) => name === button.dataset["game"]) ?? chosen;
                wrong = {};
                show();
            },
            open: (form) => void open(/** @type {HTMLFormElement} */ (form)),
            code: (form) => byCode(/** @type {HTMLFormElement} */ (form)),
        }),
        lobby.listen(show),
    ];
    const looking = setInterval(() => document.hidden || look(), LOOK_EVERY_MS);
    call("GET", "/api/games").then((value) => {
        games = /** @type {Games} */ (value).items.filter(({ name }) => playable[name]);
        show();
    }, () => {});
    show();
    look();
    return () => {
        gone = true;
        clearInterval(looking);
        telegram.main(null);
        for (const it of off) it();
    };

    function look() {
        call("GET", "/api/rooms").then(
            (value) => {
                list = { state: "there", value: /** @type {Rooms} */ (value).items };
                show();
            },
            (error) => {
                // A list that was there a moment ago is better than none.
                if (list.state !== "there") list = { state: "failed", error };
                show();
            },
        );
    }

    /** @param {HTMLFormElement} form */
    function byCode(form) {
        const code = String(new FormData(form).get("code") ?? "").replace(/[^A-Za-z]/g, "").toUpperCase();
        codeProblem = code.length === CODE_LETTERS ? "" : t("room_code_hint");
        show();
        if (!codeProblem) void go(`/rooms/${code}`);
    }

    /** @param {HTMLFormElement} form */
    async function open(form) {
        if (!chosen || busy) return;
        const fields = fieldsOf(chosen.options);
        const said = new FormData(form);
        const { values, wrong: bad } = readOptions(fields, said);
        wrong = Object.fromEntries(fields.filter(({ name }) => bad.includes(name)).map((it) => [it.name, rangeOf(it)]));
        if (bad.length) {
            show();
            return;
        }
        const body = { game: chosen.name, options: values, private: said.get("private") !== null };
        const asked = JSON.stringify(body);
        if (attempt?.asked !== asked) attempt = { key: newKey(), asked };
        busy = true;
        show();
        try {
            /** @type {RoomView} */
            const room = await call("POST", "/api/rooms", body, attempt.key);
            lobby.found(room, room.chat);
            if (!gone) void go(`/rooms/${room.code}`);
            return;
        } catch (error) {
            if (!(error instanceof Refusal) || error.status !== 0) attempt = null;
            const named = error instanceof Refusal ? error.errors : [];
            wrong = Object.fromEntries(named.map(({ field, message }) => [field.replace("options.", ""), message]));
            toast(explained(error));
        }
        busy = false;
        show();
    }

    function show() {
        if (gone) return;
        const mine = lobby.room;
        const mayOpen = !mine && !chosen && games.length > 0;
        telegram.main(mayOpen ? { text: t("open_room"), press: () => press("open-form") } : null);
        patch(root, html`<section class="page" data-test="screen-rooms"><h1>${t("rooms")}</h1>
            <p class="hint">${t("rooms_hint")}</p>
            ${mine ? html`<aside class="notice" data-key="mine"><p>${t("in_room", { code: mine.code })}</p>
                <a class="button" href="/rooms/${mine.code}" data-test="return-to-room">${t("return_to_match")}</a></aside>` : ""}
            ${mayOpen ? html`<button class="primary wide" data-key="open" data-do="open-form" data-test="open-room"${telegram.inside ? html` hidden` : ""}>${t("open_room")}</button>` : ""}
            ${chosen && !mine ? openForm(chosen) : ""}
            <form class="card code" data-key="code" data-do="code" novalidate>
                <label for="code">${t("join_by_code")}</label>
                <div class="with"><input id="code" name="code" maxlength="12" autocapitalize="characters" autocomplete="off" spellcheck="false"
                    placeholder="${t("room_code")}" data-test="room-code-input"${codeProblem ? html` aria-invalid="true" aria-describedby="code-wrong"` : ""}>
                    <button data-test="join-by-code">${t("join_room")}</button></div>
                ${codeProblem ? html`<p class="wrong" id="code-wrong" data-test="code-wrong">${codeProblem}</p>` : ""}</form>
            <h2 data-key="title">${t("public_rooms")}</h2>
            <div class="card" data-key="list" data-test="rooms">${shown(list, (items) => items.length
                ? html`<ol class="list">${items.map(item)}</ol>`
                : empty(t("no_rooms")))}</div></section>`);
    }

    /** @param {Game} game */
    function openForm(game) {
        const fields = fieldsOf(game.options);
        const values = /** @type {Record<string, unknown>} */ (game.options.default);
        return html`<form class="card open" data-key="form-${game.name}" data-do="open" data-test="open-form" novalidate>
            ${games.length > 1 ? html`<div class="segments" role="group" aria-label="${t("choose_game")}">${games.map(({ name }) =>
                html`<button type="button" data-do="game" data-game="${name}" data-test="choose-${name}" aria-pressed="${name === game.name}">${gameTitle(name)}</button>`)}</div>`
                : html`<p class="named"><b>${gameTitle(game.name)}</b></p>`}
            ${optionFields(game.name, fields, values, wrong)}
            <div class="row option"><label for="private">${t("private_room")}</label>
                <input id="private" name="private" type="checkbox" class="check" data-test="private-room"></div>
            <div class="buttons"><button type="button" class="quiet" data-do="close-form">${t("cancel")}</button>
                <button class="primary" data-test="open-submit"${busy ? html` disabled` : ""}>${t("open_this_room")}</button></div></form>`;
    }

    /** @param {ListedRoom} it @returns {Html} */
    function item({ code, game, host, seats, seated, playing }) {
        const title = t("room_of", { game: gameTitle(game), name: host.display_name });
        return html`<li data-key="${code}"><a class="item" href="/rooms/${code}" data-test="listed-room" data-code="${code}" aria-label="${title}">
            ${avatar(host)}<span class="grow"><b>${host.display_name}</b>
                <span class="hint">${gameTitle(game)} · ${t("seats_taken_of", { n: seated, all: seats.max })}</span></span>
            ${playing ? html`<span class="outcome won">${icon("play")}<span class="hidden">${t("room_is_playing")}</span></span>` : ""}</a></li>`;
    }

    /** What a button of the page does, pressed elsewhere. @param {string} what */
    function press(what) {
        /** @type {HTMLElement | null} */ (root.querySelector(`[data-do="${what}"]`))?.click();
    }
}

/** Random letters that name one request. */
function newKey() {
    return [...crypto.getRandomValues(new Uint8Array(16))].map((it) => it.toString(16).padStart(2, "0")).join("");
}
