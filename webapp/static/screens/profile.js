// Somebody's profile; one's own has the settings too.

import { call, me as myself, serverNow, signOut } from "../lib/api.js";
import { act, html, patch } from "../lib/html.js";
import { avatar, empty, explained, failed, gameTitle, icon, loading, portrait, shortly, shown, toast } from "../lib/parts.js";
import { setTheme } from "../lib/theme.js";
import { wish, wishes } from "../lib/settings.js";
import { hasSound, setSound } from "../lib/sound.js";
import { telegram } from "../lib/telegram.js";
import { date, signed, speak, spoken, t, when } from "../lib/words.js";
import { befriend, decideAbout } from "./person.js";

/** @import { GameStats, History, PastMatch, Profile, Stats } from "../types.d.ts" */
/** @import { Fetched } from "../lib/parts.js" */
/** @import { Html } from "../lib/html.js" */

/** How much of the aiming line one may have. */
const GUIDES = /** @type {const} */ (["full", "short", "off"]);
const NAME_CHARS_MAX = 32;

/** @type {import("../main.js").Screen} */
export function me(root) {
    return profile(root, myself()?.id ?? "", true);
}

/** @type {import("../main.js").Screen} */
export function user(root, id) {
    return profile(root, id, false);
}

/** @param {HTMLElement} root @param {string} id @param {boolean} isMe */
function profile(root, id, isMe) {
    /** @type {Fetched<Profile>} */
    let who = { state: "loading" };
    /** @type {Fetched<Stats>} */
    let stats = { state: "loading" };
    /** @type {Fetched<History>} */
    let history = { state: "loading" };
    let isFetchingMore = false;
    let nameProblem = "";
    let gone = false;

    const off = act(root, {
        retry: load,
        more: () => void more(),
        en: () => say("en"),
        ru: () => say("ru"),
        sound: () => { setSound(!hasSound()); show(); },
        auto: () => { setTheme("auto"); show(); },
        light: () => { setTheme("light"); show(); },
        dark: () => { setTheme("dark"); show(); },
        guide: ({ dataset }) => {
            wish({ guide: GUIDES.find((it) => it === dataset["guide"]) ?? "full" });
            show();
        },
        befriend: () => {
            if (who.state === "there") void befriend(who.value);
        },
        about: () => {
            if (who.state === "there") void decideAbout(who.value);
        },
        name: (form) => void rename(/** @type {HTMLFormElement} */ (form)),
        "sign-out": () => void signOut().catch((error) => toast(explained(error))),
    });
    load();
    return () => {
        gone = true;
        off();
    };

    function load() {
        [who, stats, history] = [{ state: "loading" }, { state: "loading" }, { state: "loading" }];
        show();
        fetched(`/api/users/${id}`, (it) => { who = it; });
        fetched(`/api/users/${id}/stats`, (it) => { stats = it; });
        fetched(`/api/users/${id}/history`, (it) => { history = it; });
    }

    /** @param {string} path @param {(it: Fetched<any>) => void} keep */
    function fetched(path, keep) {
        call("GET", path).then(
            (value) => keep({ state: "there", value }),
            (error) => keep({ state: "failed", error }),
        ).then(show);
    }

    async function more() {
        if (history.state !== "there" || !history.value.next_cursor || isFetchingMore) return;
        isFetchingMore = true;
        show();
        const { items, next_cursor } = history.value;
        try {
            /** @type {History} */
            const next = await call("GET", `/api/users/${id}/history?cursor=${encodeURIComponent(next_cursor)}`);
            history = { state: "there", value: { ...next, items: [...items, ...next.items] } };
        } catch (error) {
            toast(explained(error));
        }
        isFetchingMore = false;
        show();
    }

    /** @param {"en" | "ru"} language */
    function say(language) {
        wish({ language });
        speak(language);
        // The bot speaks it too from now on; that it does is no condition.
        call("PATCH", "/api/me", { language }).catch(() => {});
        document.dispatchEvent(new Event("artel:language"));
    }

    /** @param {HTMLFormElement} form */
    async function rename(form) {
        const name = String(new FormData(form).get("name") ?? "").trim();
        nameProblem = name && [...name].length <= NAME_CHARS_MAX ? "" : t("field_display_name");
        if (!nameProblem) {
            try {
                await call("PATCH", "/api/me", { display_name: name });
                toast(t("saved"));
                if (who.state === "there") who.value.display_name = name;
            } catch (error) {
                nameProblem = explained(error);
            }
        }
        show();
    }

    function show() {
        if (gone) return;
        patch(root, html`<section class="page profile" data-test="screen-${isMe ? "me" : "user"}">
            ${who.state === "failed" ? failed(who.error) : html`
                ${who.state === "there" ? head(who.value) : loading()}
                <h2>${t("statistics")}</h2>
                <div class="card" data-test="stats">${shown(stats, ({ games }) =>
                    games.length ? html`${games.map(game)}` : empty(t("no_stats")))}</div>
                <h2>${t("history")}</h2>
                <div class="card" data-test="history">${shown(history, past)}</div>
                ${isMe ? settings() : ""}`}</section>`);
    }

    /** @param {Profile} profile */
    function head(profile) {
        return html`<header class="head">${avatar(profile)}<div><h1 data-test="profile-name">${profile.display_name}</h1>
            <p class="hint">${profile.username ? `@${profile.username} · ` : ""}${t("since", { date: date(profile.created_at) })}</p>
            ${about(profile)}</div></header>`;
    }

    /** What may be done about somebody. @param {Profile} profile */
    function about(profile) {
        const keepsOrder = myself()?.role === "moderator" || myself()?.role === "admin";
        if (isMe) {
            return keepsOrder ? html`<div class="actions"><a class="button" href="/desk" data-test="to-desk">${t("desk")}</a></div>` : "";
        }
        if (profile.id === myself()?.id) return "";
        return html`<div class="actions"><button data-do="befriend" data-test="befriend">${t("add_friend")}</button>
            <button class="quiet" data-do="about" data-test="about-person" aria-label="${t("more_actions")}">${icon("more")}</button>
            ${keepsOrder ? html`<a class="button" href="/desk/${profile.id}" data-test="to-file">${t("file_of")}</a>` : ""}</div>`;
    }

    /** @param {GameStats} it */
    function game(it) {
        return html`<div class="stats" data-key="${it.game}" data-test="stats-${it.game}">
            <p class="rating"><span>${gameTitle(it.game)}</span><b data-test="stat-rating-${it.game}">${it.rating}</b>
                ${it.provisional ? html`<span class="hint">${t("provisional")}</span>` : ""}</p>
            <dl class="facts">
                <div><dt>${t("wins")}</dt><dd data-test="stat-wins-${it.game}">${it.wins}</dd></div>
                <div><dt>${t("losses")}</dt><dd data-test="stat-losses-${it.game}">${it.losses}</dd></div>
                <div><dt>${t("streak")}</dt><dd data-test="stat-streak-${it.game}">${Math.max(0, it.streak)}</dd></div>
                <div><dt>${t("best_streak")}</dt><dd>${it.best_streak}</dd></div></dl></div>`;
    }

    /** @param {History} history */
    function past({ items, next_cursor }) {
        if (!items.length) {
            return isMe
                ? empty(t("no_history_me"), html`<a class="button" href="/">${t("to_games")}</a>`)
                : empty(t("no_history"));
        }
        return html`<ol class="list">${items.map(item)}</ol>
            ${next_cursor ? html`<button class="quiet wide" data-do="more" data-test="history-more"${isFetchingMore ? html` disabled` : ""}>${t("more")}</button>` : ""}`;
    }

    /** @param {PastMatch} match @returns {Html} */
    function item({ match_id, game, finished_at, won, players }) {
        const mine = players.find(({ user }) => user.id === id);
        const other = players.find(({ user }) => user.id !== id);
        const { rating_before: before, rating_after: after } = mine ?? {};
        const change = typeof before === "number" && typeof after === "number" ? after - before : null;
        const result = won === true ? "won" : won === false ? "lost" : "none";
        return html`<li class="item" data-key="${match_id}" data-test="history-item" data-match-id="${match_id}" data-won="${won ?? "none"}">
            ${other ? portrait(other) : ""}
            <div class="grow"><p class="named">${other && !other.computer
                ? html`<a data-test="history-opponent" href="/users/${other.user.id}">${other.user.display_name}</a>`
                : html`<b data-test="history-opponent">${other ? shortly(other) : t("unknown_opponent")}</b>`}
                <span class="outcome ${result}">${t(`result_${result}`)}</span></p>
                <p class="hint">${other?.computer ? `${t(`level_${other.computer}`)} · ` : ""}${gameTitle(game)} · ${when(finished_at, serverNow())}</p></div>
            <div class="end"><p data-test="history-score">${mine?.score ?? 0} : ${other?.score ?? 0}</p>
                <p class="hint" data-test="history-change">${change === null ? "" : signed(change)}</p></div>
            <a class="button tool" href="/replay/${match_id}" data-test="history-replay" aria-label="${t("watch_replay")}" title="${t("watch_replay")}">${icon("replay")}</a></li>`;
    }

    function settings() {
        const { theme, guide } = wishes();
        const name = who.state === "there" ? who.value.display_name : "";
        return html`<h2 id="settings">${t("settings")}</h2>
            <div class="card settings" data-test="settings">
                <div class="row"><span id="set-language">${t("language")}</span>
                    <div class="segments" role="group" aria-labelledby="set-language">
                        <button lang="en" data-do="en" data-test="language-en" aria-pressed="${spoken() === "en"}">English</button>
                        <button lang="ru" data-do="ru" data-test="language-ru" aria-pressed="${spoken() === "ru"}">Русский</button></div></div>
                <div class="row"><span id="set-sound">${t("sound")}</span>
                    <button class="switch" role="switch" data-do="sound" data-test="sound-switch" aria-labelledby="set-sound"
                        aria-checked="${hasSound()}"><i></i><span class="hidden">${hasSound() ? t("on") : t("off")}</span></button></div>
                ${telegram.inside ? "" : html`<div class="row" data-key="theme"><span id="set-theme">${t("theme")}</span>
                    <div class="segments" role="group" aria-labelledby="set-theme">
                        <button data-do="auto" data-test="theme-auto" aria-pressed="${theme === "auto"}">${t("theme_auto")}</button>
                        <button data-do="light" data-test="theme-light" aria-pressed="${theme === "light"}">${t("theme_light")}</button>
                        <button data-do="dark" data-test="theme-dark" aria-pressed="${theme === "dark"}">${t("theme_dark")}</button></div></div>`}
                <div class="row" data-key="guide"><span id="set-guide">${t("billiards_guide")}</span>
                    <div class="segments" role="group" aria-labelledby="set-guide">${GUIDES.map((it) => html`<button data-do="guide" data-guide="${it}"
                        data-test="guide-${it}" aria-pressed="${guide === it}">${t(`billiards_guide_${it}`)}</button>`)}</div></div>
                <form class="row name" data-do="name" data-key="name-${name}" novalidate>
                    <label for="name">${t("shown_name")}</label>
                    <div class="with"><input id="name" name="name" value="${name}" maxlength="${NAME_CHARS_MAX * 2}" autocomplete="nickname"
                        data-test="name-input"${nameProblem ? html` aria-invalid="true" aria-describedby="name-wrong"` : ""}>
                        <button class="quiet" data-test="name-save">${t("save")}</button></div>
                    ${nameProblem ? html`<p class="wrong" id="name-wrong">${nameProblem}</p>` : ""}</form>
                ${telegram.inside ? "" : html`<button class="quiet wide" data-key="out" data-do="sign-out" data-test="sign-out">${t("sign_out")}</button>`}
            </div>`;
    }
}
