// Friends: who they are and where, who asks, who was asked; and whom one keeps away from.

import { call } from "../lib/api.js";
import { act, html, patch } from "../lib/html.js";
import { lobby } from "../lib/lobby.js";
import { avatar, chosen, confirmed, empty, explained, gameTitle, icon, shown, toast } from "../lib/parts.js";
import { go } from "../lib/router.js";
import { t } from "../lib/words.js";
import { games as playable } from "../games/index.js";

/** @import { Blocks, Friend, FriendRequest, Friends, Games, PublicUser, RoomView, Shunned } from "../types.d.ts" */
/** @import { Fetched } from "../lib/parts.js" */
/** @import { Html } from "../lib/html.js" */

const USERNAME = /^@?[A-Za-z][A-Za-z0-9_]{2,19}$/;

/** @type {import("../main.js").Screen} */
export function friends(root) {
    /** @type {Fetched<Friends>} */
    let all = { state: "loading" };
    /** @type {readonly Shunned[]} */
    let shunned = [];
    let nameProblem = "";
    let heard = lobby.heard;
    let gone = false;

    const off = [
        act(root, {
            retry: load,
            ask: (form) => void ask(/** @type {HTMLFormElement} */ (form)),
            accept: (it) => void change("POST", `/api/friends/requests/${it.dataset["user"]}/accept`, t("friend_made")),
            decline: (it) => void change("POST", `/api/friends/requests/${it.dataset["user"]}/decline`),
            withdraw: (it) => void change("DELETE", `/api/friends/requests/${it.dataset["user"]}`),
            back: (it) => void change("DELETE", `/api/blocks/${it.dataset["user"]}`),
            invite: (it) => void invite(it.dataset["user"] ?? ""),
            part: (it) => void part(it.dataset["user"] ?? ""),
        }),
        lobby.listen(() => {
            // Somebody asked, or said yes.
            if (lobby.heard !== heard) load();
            heard = lobby.heard;
            show();
        }),
    ];
    show();
    load();
    return () => {
        gone = true;
        for (const it of off) it();
    };

    function load() {
        call("GET", "/api/friends").then(
            (value) => { all = { state: "there", value: /** @type {Friends} */ (value) }; },
            (error) => {
                if (all.state !== "there") all = { state: "failed", error };
            },
        ).then(show);
        call("GET", "/api/blocks").then((value) => {
            shunned = /** @type {Blocks} */ (value).items;
            show();
        }, () => {});
    }

    /** @param {"POST" | "DELETE"} method @param {string} path @param {string} [done] */
    async function change(method, path, done) {
        try {
            await call(method, path);
            if (done) toast(done);
        } catch (error) {
            toast(explained(error));
        }
        load();
    }

    /** @param {HTMLFormElement} form */
    async function ask(form) {
        const input = /** @type {HTMLInputElement} */ (form.elements.namedItem("username"));
        const username = input.value.trim();
        nameProblem = USERNAME.test(username) ? "" : t("friend_name_hint");
        if (!nameProblem) {
            try {
                /** @type {{ status: "requested" | "friends" }} */
                const { status } = await call("POST", "/api/friends/requests", { username });
                toast(t(status === "friends" ? "friend_made" : "friend_asked"));
                input.value = "";
                load();
            } catch (error) {
                nameProblem = explained(error);
            }
        }
        show();
    }

    /** @param {string} id */
    function friend(id) {
        return all.state === "there" ? all.value.friends.find(({ user }) => user.id === id) : undefined;
    }

    /** Invites somebody to my room, or to one that is opened for it. @param {string} id */
    async function invite(id) {
        const it = friend(id);
        if (!it) return;
        const name = it.user.display_name;
        try {
            const code = lobby.room?.code ?? await openRoom(name);
            if (!code) return;
            await call("POST", `/api/rooms/${code}/invite`, { user_id: id });
            toast(t(whereabouts(it).status === "offline" ? "invite_offline" : "invited", { name }));
            if (!gone) void go(`/rooms/${code}`);
        } catch (error) {
            toast(explained(error));
        }
    }

    /** @param {string} name @returns {Promise<string | null>} */
    async function openRoom(name) {
        /** @type {Games} */
        const { items } = await call("GET", "/api/games");
        const game = await chosen({
            title: t("invite_to", { name }),
            text: t("invite_text"),
            choices: items.filter((it) => playable[it.name]).map((it) =>
                ({ value: it.name, text: gameTitle(it.name), hint: "", test: `invite-${it.name}` })),
            no: t("cancel"),
        });
        if (!game) return null;
        /** @type {RoomView} */
        const room = await call("POST", "/api/rooms", { game, private: true });
        lobby.found(room, room.chat);
        return room.code;
    }

    /** @param {string} id */
    async function part(id) {
        const name = friend(id)?.user.display_name ?? "";
        const sure = await confirmed({ title: name, text: `${t("unfriend")}? ${t("unfriend_hint")}`, yes: t("unfriend"), no: t("cancel") });
        if (sure) await change("DELETE", `/api/friends/${id}`, t("friend_unmade"));
    }

    /** Where somebody is: as the lobby last said, or else as it was fetched. @param {Friend} it */
    function whereabouts({ user, presence }) {
        return lobby.presences.get(user.id) ?? presence;
    }

    function show() {
        if (gone) return;
        patch(root, html`<section class="page" data-test="screen-friends"><h1>${t("friends")}</h1>
            <p class="hint">${t("friends_hint")}</p>
            <form class="card code" data-key="ask" data-do="ask" novalidate>
                <label for="friend">${t("friend_name")}</label>
                <div class="with"><input id="friend" name="username" maxlength="21" autocapitalize="none" autocomplete="off" spellcheck="false"
                    data-test="friend-input"${nameProblem ? html` aria-invalid="true" aria-describedby="friend-wrong"` : ""}>
                    <button data-test="friend-ask">${t("add_friend")}</button></div>
                ${nameProblem ? html`<p class="wrong" id="friend-wrong" data-test="friend-wrong">${nameProblem}</p>` : ""}</form>
            ${all.state === "there" ? there(all.value) : html`<div class="card" data-key="all">${shown(all, () => html``)}</div>`}
            ${shunned.length ? html`<h2 data-key="shunned-title">${t("kept_away")}</h2>
                <div class="card" data-key="shunned"><ol class="list" data-test="shunned">${shunned.map(kept)}</ol></div>` : ""}</section>`);
    }

    /** @param {Friends} it */
    function there({ friends, incoming, outgoing }) {
        return html`${incoming.length ? html`<h2 data-key="in-title">${t("requests_incoming")}</h2>
                <div class="card" data-key="in"><ol class="list" data-test="incoming">${incoming.map(asks)}</ol></div>` : ""}
            <h2 data-key="friends-title">${t("friends")}</h2>
            <div class="card" data-key="friends" data-test="friends">${friends.length
                ? html`<ol class="list">${[...friends].sort(byPresence).map(item)}</ol>`
                : empty(t("no_friends"))}</div>
            ${outgoing.length ? html`<h2 data-key="out-title">${t("requests_outgoing")}</h2>
                <div class="card" data-key="out"><ol class="list" data-test="outgoing">${outgoing.map(asked)}</ol></div>` : ""}`;
    }

    /** Who is here comes first. @param {Friend} a @param {Friend} b */
    function byPresence(a, b) {
        const away = (/** @type {Friend} */ it) => Number(whereabouts(it).status === "offline");
        return away(a) - away(b);
    }

    /** @param {Friend} it @returns {Html} */
    function item(it) {
        const { user } = it;
        const where = whereabouts(it);
        return html`<li class="item" data-key="${user.id}" data-test="friend" data-user="${user.id}" data-presence="${where.status}">
            ${portraitOf(user, where.status)}${nameOf(user, t(`presence_${where.status}`))}
            ${where.status === "playing" ? html`<a class="button tool" href="/match/${where.match_id}" data-test="friend-watch"
                aria-label="${t("watch_friend", { name: user.display_name })}">${icon("play")}</a>`
                : html`<button class="quiet" data-do="invite" data-user="${user.id}" data-test="friend-invite">${t("invite")}</button>`}
            <button class="tool" data-do="part" data-user="${user.id}" data-test="friend-part" aria-label="${t("unfriend")}: ${user.display_name}"
                title="${t("unfriend")}">${icon("close")}</button></li>`;
    }

    /** @param {FriendRequest} it @returns {Html} */
    function asks({ user }) {
        return html`<li class="item wrap" data-key="${user.id}" data-test="incoming-item">${avatar(user)}${nameOf(user)}
            <span class="pair"><button class="primary small" data-do="accept" data-user="${user.id}" data-test="friend-accept">${t("accept")}</button>
            <button class="quiet" data-do="decline" data-user="${user.id}" data-test="friend-decline">${t("decline")}</button></span></li>`;
    }

    /** @param {FriendRequest} it @returns {Html} */
    function asked({ user }) {
        return html`<li class="item" data-key="${user.id}" data-test="outgoing-item">${avatar(user)}${nameOf(user)}
            <button class="quiet" data-do="withdraw" data-user="${user.id}" data-test="friend-withdraw">${t("withdraw")}</button></li>`;
    }

    /** @param {Shunned} it @returns {Html} */
    function kept({ user, kind }) {
        return html`<li class="item" data-key="${user.id}" data-test="shunned-item">${avatar(user)}${nameOf(user, t(`is_${kind}`))}
            <button class="quiet" data-do="back" data-user="${user.id}" data-test="let-back">${t("let_back")}</button></li>`;
    }

    /** @param {PublicUser} user @param {string} status */
    function portraitOf(user, status) {
        return html`<span class="seen" data-presence="${status}">${avatar(user)}</span>`;
    }

    /** @param {PublicUser} user @param {string} [more] */
    function nameOf({ id, display_name, username }, more = username ? `@${username}` : "") {
        return html`<div class="grow"><a href="/users/${id}">${display_name}</a><p class="hint">${more}</p></div>`;
    }
}
