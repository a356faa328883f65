// A room: who is in it, what is played, what was said; and the way to the next match.

import { call, me as myself, Refusal } from "../lib/api.js";
import { act, html, patch } from "../lib/html.js";
import { lobby } from "../lib/lobby.js";
import { fieldsOf, readOptions } from "../lib/options.js";
import { announce, chosen, explained, failed, gameTitle, icon, loading, toast } from "../lib/parts.js";
import { go } from "../lib/router.js";
import { share } from "../lib/share.js";
import { telegram } from "../lib/telegram.js";
import { known, t } from "../lib/words.js";
import { decideAbout } from "./person.js";
import { optionFields, optionName, optionValue, rangeOf, scoreTable, seatList, talk, watcherList } from "./room_parts.js";

/** @import { Game, Games, PublicUser, RoomInfo, RoomView } from "../types.d.ts" */
/** @import { Values } from "../lib/options.js" */

/** How often somebody who is not in the room sees how it is. */
const LOOK_EVERY_MS = 4_000;

/** The one thing to do now. @typedef {{ do: string, text: string, active?: boolean }} Primary */

/** @type {import("../main.js").Screen} */
export function room(root, name) {
    const code = name.toUpperCase();
    const me = myself()?.id ?? "";
    /** As it was fetched, for who is not in it. @type {RoomInfo | null} */
    let seen = null;
    /** @type {unknown} */
    let error = null;
    /** @type {readonly Game[]} */
    let games = [];
    /** What is wrong with the options, by name. @type {Record<string, string>} */
    let wrong = {};
    let busy = false;
    /** The match that was being played when I last looked: I am led to the next, not to this one.
     * @type {string | null | undefined} undefined: not known yet */
    let knownMatch;
    let opened = lobby.opened;
    let told = "";
    let gone = false;

    const off = [
        act(root, {
            retry: () => void load(),
            join: () => void change("join"),
            sit: () => void change("seat", { seated: true }),
            stand: () => void change("seat", { seated: false }),
            ready: () => void change("ready", { ready: true }),
            unready: () => void change("ready", { ready: false }),
            start: () => void change("start"),
            watch: () => void go(`/match/${here()?.match_id}`),
            leave: () => void leave(),
            share: () => void share(`/rooms/${code}`, t("share_room_text", { game: gameTitle(here()?.game ?? ""), code })),
            "share-watch": () => void share(`/match/${here()?.match_id}`, t("watch_this")),
            member: (button) => void decide(button.dataset["user"] ?? ""),
            options: (form) => void setOptions(/** @type {HTMLFormElement} */ (form)),
            say: (form) => say(/** @type {HTMLFormElement} */ (form)),
        }),
        lobby.listen(hear),
    ];
    lobby.refused = (it) => toast(t(known(`error_${it}`) ?? "error_internal"));
    const looking = setInterval(() => {
        if (!document.hidden && !mine() && seen) void load();
    }, LOOK_EVERY_MS);
    // Without them the options are not shown, and everything else is.
    call("GET", "/api/games").then((value) => {
        games = /** @type {Games} */ (value).items;
        show();
    }, () => {});
    show();
    void load();
    return () => {
        gone = true;
        clearInterval(looking);
        lobby.refused = () => {};
        telegram.main(null);
        for (const it of off) it();
    };

    /** The room, if I am in it. */
    function mine() {
        return lobby.room?.code === code ? lobby.room : null;
    }

    function here() {
        return mine() ?? seen;
    }

    /** Why I am not in it any more, if I was. */
    function parting() {
        return lobby.parted?.code === code ? lobby.parted.why : null;
    }

    async function load() {
        try {
            keep(await call("GET", `/api/rooms/${code}`));
            error = null;
        } catch (caught) {
            error = caught;
            // It was closed: there is nothing to look at any more.
            if (caught instanceof Refusal && caught.status === 404) seen = null;
        }
        show();
    }

    /** @param {RoomView} view */
    function keep(view) {
        if (gone) return;
        seen = view;
        if (view.members.some(({ user }) => user.id === me)) lobby.found(view, view.chat);
    }

    function hear() {
        if (gone) return;
        // What was said while the line was down is asked for.
        if (lobby.opened !== opened && mine()) void load();
        opened = lobby.opened;
        const now = mine();
        if (now) seen = now;
        const last = lobby.lines.at(-1);
        const heard = last ? `${last.user.display_name}: ${last.text}` : "";
        const isNew = heard !== told && last?.user.id !== me;
        told = heard;
        const began = now?.match_id && knownMatch !== undefined && now.match_id !== knownMatch;
        if (now) knownMatch = now.match_id ?? null;
        if (began && !seatOf(now)) {
            // Those who play are led there by the lobby.
            void go(`/match/${now?.match_id}`);
            return;
        }
        show();
        if (heard) toEnd();
        if (isNew && heard) announce(heard);
    }

    /** @param {RoomInfo | null} it */
    function seatOf(it) {
        const member = it?.members.find(({ user }) => user.id === me);
        return typeof member?.seat === "number" ? member : null;
    }

    /**
     * Changes something about the room or me.
     * @param {string} what
     * @param {object} [body]
     */
    async function change(what, body) {
        if (busy) return;
        busy = true;
        show();
        try {
            keep(await call("POST", `/api/rooms/${code}/${what}`, body));
            telegram.haptic("light");
        } catch (caught) {
            toast(explained(caught));
        }
        busy = false;
        show();
    }

    async function leave() {
        try {
            await call("POST", `/api/rooms/${code}/leave`);
            if (lobby.room?.code === code) lobby.room = null;
            if (!gone) void go("/rooms");
        } catch (caught) {
            toast(explained(caught));
        }
    }

    /** What one does about somebody in the room. @param {string} id */
    async function decide(id) {
        const member = here()?.members.find(({ user }) => user.id === id);
        if (!member) return;
        const isHost = here()?.host === me && mine() !== null;
        const what = isHost ? await asHost(member.user) : "about";
        if (what === "about") {
            await decideAbout(member.user, mine() ? code : undefined);
            // What somebody said whom I don't hear any more is gone.
            if (mine()) lobby.lines = [];
            void load();
        } else if (what) await change(what, { user_id: id });
    }

    /** @param {PublicUser} user */
    function asHost(user) {
        return chosen({
            title: t("member_actions", { name: user.display_name }),
            text: "",
            choices: [
                { value: "host", text: t("make_host"), hint: t("make_host_hint"), test: "make-host" },
                { value: "kick", text: t("kick"), hint: t("kick_hint"), test: "kick" },
                { value: "about", text: t("more_actions"), hint: t("more_actions_hint"), test: "about-person" },
            ],
            no: t("cancel"),
        });
    }

    /** @param {HTMLFormElement} form */
    async function setOptions(form) {
        const fields = game() ? fieldsOf(/** @type {Game} */ (game()).options) : [];
        const said = new FormData(form);
        const { values, wrong: bad } = readOptions(fields, said);
        wrong = Object.fromEntries(fields.filter(({ name }) => bad.includes(name)).map((it) => [it.name, rangeOf(it)]));
        if (!bad.length) await change("options", { options: values, private: said.get("private") !== null });
        show();
    }

    /** @param {HTMLFormElement} form */
    function say(form) {
        const input = /** @type {HTMLInputElement} */ (form.elements.namedItem("text"));
        const text = input.value.trim();
        if (!text) return;
        if (lobby.say(text)) input.value = "";
        else toast(t("offline"));
    }

    /** The newest line is to be seen. */
    function toEnd() {
        const list = root.querySelector("[data-test=chat-lines]");
        if (list) list.scrollTop = list.scrollHeight;
    }

    function game() {
        return games.find((it) => it.name === here()?.game) ?? null;
    }

    /** The one thing to do now. @param {RoomInfo} it @returns {Primary | null} */
    function primary(it) {
        const inside = mine() !== null;
        const seated = seatOf(it);
        if (!inside) return { do: "join", text: t("join_room") };
        if (it.match_id) return { do: "watch", text: seated && lobby.matched ? t("return_to_match") : t("watch_this") };
        if (it.host === me) return { do: "start", text: t("start_match"), active: !hindrance(it) };
        if (seated) return seated.ready ? { do: "unready", text: t("room_unready") } : { do: "ready", text: t("room_ready") };
        return isFree(it) ? { do: "sit", text: t("take_seat") } : null;
    }

    /** What keeps the host from starting, in words. @param {RoomInfo} it */
    function hindrance(it) {
        const seated = it.members.filter(({ seat }) => typeof seat === "number");
        const n = it.seats.min - seated.length;
        if (n > 0) return t("start_needs_players", { n });
        const late = seated.find(({ ready, user }) => !ready && user.id !== it.host);
        return late ? t("start_needs_ready", { name: late.user.display_name }) : "";
    }

    /** What to say beside that. @param {RoomInfo} it */
    function advice(it) {
        if (it.match_id) return t("room_plays");
        if (!mine()) return "";
        if (it.host === me) return hindrance(it);
        const host = it.members.find(({ user }) => user.id === it.host)?.user.display_name ?? "";
        const seated = seatOf(it);
        if (!seated) return "";
        return t(seated.ready ? "wait_for_host" : "ask_ready", { name: host });
    }

    /** @param {RoomInfo} it */
    function isFree(it) {
        return it.members.filter(({ seat }) => typeof seat === "number").length < it.seats.max;
    }

    function show() {
        if (gone) return;
        const it = here();
        const why = parting();
        if (why || !it) {
            telegram.main(null);
            patch(root, html`<section class="page" data-test="screen-room" data-key="none" data-code="${code}" data-parting="${why ?? ""}">
                <h1>${t("room")}</h1>
                ${why ? html`<div class="state" data-key="parted" role="status"><p data-test="parted">${t(`parted_${why}`)}</p>
                    ${why === "kicked" ? "" : html`<button data-do="join" data-test="room-join">${t("join_room")}</button>`}</div>`
                    : error ? failed(error) : loading()}
                ${why || error ? html`<p class="state" data-key="ways"><a class="button" href="/rooms" data-test="to-rooms">${t("to_rooms")}</a></p>` : ""}</section>`);
            return;
        }
        const isHost = it.host === me && mine() !== null;
        const main = primary(it);
        const isActive = main?.active !== false && !busy;
        telegram.main(main && { text: main.text, press: () => press(main.do), active: isActive });
        const with_ = { me, free: mine() !== null && !seatOf(it) };
        patch(root, html`<section class="page room" data-test="screen-room" data-key="room" data-code="${code}" data-inside="${mine() !== null}"
            data-host="${isHost}" data-playing="${Boolean(it.match_id)}">
            <header class="card ticket" data-key="head"><p class="hint">${gameTitle(it.game)} · ${t(it.private ? "is_private" : "is_public")} · ${t(it.rated ? "is_rated" : "is_unrated")}</p>
                <h1 class="code-letters" data-test="room-code" aria-label="${t("room")} ${[...code].join(" ")}">${code}</h1>
                <button data-do="share" data-test="share-room">${icon("share")}${t("share_room")}</button></header>
            <div class="card next" data-key="next"${main || advice(it) ? "" : html` hidden`}>
                <p role="status" data-test="room-advice"${advice(it) ? "" : html` hidden`}>${advice(it)}</p>
                ${main ? html`<button class="${main.do === "unready" ? "quiet" : "primary"} wide" data-key="${main.do}" data-do="${main.do}" data-test="room-${main.do}"${isActive ? "" : html` disabled`}${telegram.inside ? html` hidden` : ""}>${main.text}</button>` : ""}
                ${it.match_id ? html`<button class="link wide" data-key="share-watch" data-do="share-watch" data-test="share-watch">${icon("share")}${t("share_watch")}</button>` : ""}</div>
            <h2>${t("room_seats")}</h2>
            <div class="card" data-key="seats">${seatList(it, with_)}</div>
            ${watcherList(it, with_)}
            ${scoreTable(it.table)}
            ${mine() ? html`<h2 data-key="chat-title">${t("chat")}</h2>
                <div class="card chat" data-key="chat">${talk(lobby.lines, me)}
                    <form class="with" data-do="say" data-key="say"><label class="hidden" for="say">${t("chat_write")}</label>
                        <input id="say" name="text" maxlength="200" autocomplete="off" placeholder="${t("chat_write")}" data-test="chat-input">
                        <button class="quiet" data-test="chat-send">${t("send")}</button></form></div>` : ""}
            ${settings(it, isHost)}
            ${mine() ? html`<div class="buttons" data-key="ways">
                ${seatOf(it) && !it.match_id ? html`<button class="quiet" data-key="stand" data-do="stand" data-test="stand-up">${t("stand_up")}</button>` : ""}
                <button class="quiet danger" data-key="leave" data-do="leave" data-test="leave-room">${t("leave_room")}</button></div>` : ""}</section>`);
    }

    /** What the next match is played by: a form for the host. @param {RoomInfo} it @param {boolean} isHost */
    function settings(it, isHost) {
        const known = game();
        if (!known) return "";
        const fields = fieldsOf(known.options);
        const values = /** @type {Values} */ (it.options);
        if (!isHost) {
            return html`<h2 data-key="settings-title">${t("room_settings")}</h2>
                <dl class="card options" data-key="options" data-test="room-options">${fields.map((field) => html`<div class="row" data-key="${field.name}"><dt>${optionName(it.game, field)}</dt>
                    <dd data-test="option-value-${field.name}">${optionValue(it.game, field, values[field.name])}</dd></div>`)}</dl>`;
        }
        // Made anew when they were set.
        return html`<h2 data-key="settings-title">${t("room_settings")}</h2>
            <form class="card options" data-key="form-${JSON.stringify(values)}${it.private}" data-do="options" data-test="options-form" novalidate>
                ${optionFields(it.game, fields, values, wrong)}
                <div class="row option"><label for="private">${t("private_room")}</label>
                    <input id="private" name="private" type="checkbox" class="check" data-test="private-room"${it.private ? html` checked` : ""}></div>
                <button class="quiet wide" data-test="save-options"${busy ? html` disabled` : ""}>${t("save")}</button></form>`;
    }

    /** What a button of the page does, pressed elsewhere. @param {string} what */
    function press(what) {
        /** @type {HTMLElement | null} */ (root.querySelector(`[data-do="${what}"]`))?.click();
    }
}
