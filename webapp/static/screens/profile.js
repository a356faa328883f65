// Somebody's profile; one's own has the settings too.

import { call, me as myself, serverNow, signOut } from "../lib/api.js";
import { act, html, patch } from "../lib/html.js";
import { avatar, empty, explained, failed, gameTitle, icon, loading, portrait, shortly, shown, some, toast } from "../lib/parts.js";
import { shareMatch } from "../lib/share.js";
import { setTheme } from "../lib/theme.js";
import { wish, wishes } from "../lib/settings.js";
import { hasSound, setSound } from "../lib/sound.js";
import { telegram } from "../lib/telegram.js";
import { date, signed, speak, spoken, t, when } from "../lib/words.js";
import { befriend, decideAbout } from "./person.js";

/** @import { GameStats, History, Me, PastMatch, Profile, Stats, TelegramLink } from "../types.d.ts" */
/** @import { Fetched } from "../lib/parts.js" */
/** @import { Html } from "../lib/html.js" */

/** How much of the aiming line one may have. */
const GUIDES = /** @type {const} */ (["full", "short", "off"]);
const NAME_CHARS_MAX = 32;
/** So many of those one played with are named on a line. */
const OTHERS_MAX = 3;

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
    /** What the server knows of me alone; asked for where Telegram can be linked. @type {Me | null} */
    let mine = null;
    /** @type {TelegramLink | null} */
    let link = null;
    let linkProblem = "";
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
        share: ({ dataset }) => void shareMatch(
            dataset["match"] ?? "", t("match_of", { game: gameTitle(dataset["game"] ?? "") })),
        link: () => void linkTelegram(),
        "sign-out": () => void signOut().catch((error) => toast(explained(error))),
    });
    // Who comes back from the bot sees what came of it.
    const look = () => {
        if (link && !document.hidden) askOfMe();
    };
    document.addEventListener("visibilitychange", look);
    load();
    return () => {
        gone = true;
        off();
        document.removeEventListener("visibilitychange", look);
    };

    function load() {
        [who, stats, history] = [{ state: "loading" }, { state: "loading" }, { state: "loading" }];
        show();
        fetched(`/api/users/${id}`, (it) => { who = it; });
        fetched(`/api/users/${id}/stats`, (it) => { stats = it; });
        fetched(`/api/users/${id}/history`, (it) => { history = it; });
        if (isMe && !telegram.inside) askOfMe();
    }

    /** Without an answer nothing is offered. */
    function askOfMe() {
        call("GET", "/api/me").then((it) => {
            mine = it;
            show();
        }, () => {});
    }

    /** Asks for a link to the bot, which is shown for them to follow. */
    async function linkTelegram() {
        [link, linkProblem] = [null, ""];
        try {
            link = await call("POST", "/api/me/telegram-link");
        } catch (error) {
            linkProblem = explained(error);
        }
        show();
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
    function item({ match_id, game, finished_at, won, reason, players }) {
        const mine = players.find(({ user }) => user.id === id);
        const others = players.filter((it) => it !== mine);
        const [other] = others;
        const { rating_before: before, rating_after: after } = mine ?? {};
        const change = typeof before === "number" && typeof after === "number" ? after - before : null;
        const result = won === true ? "won" : won === false ? "lost" : "none";
        // Among three or more it is the place that counts, where they all stayed.
        const isCrowd = players.length > 2;
        const score = mine?.score ?? 0;
        const place = 1 + others.filter((it) => it.score > score).length;
        const words = isCrowd && result === "lost" && reason === "score" ? t("place_of", { place, n: players.length }) : t(`result_${result}`);
        const level = !isCrowd && other?.computer ? `${t(`level_${other.computer}`)} · ` : "";
        return html`<li class="item" data-key="${match_id}" data-test="history-item" data-match-id="${match_id}" data-won="${won ?? "none"}">
            ${isCrowd ? html`<span class="count" aria-hidden="true">${players.length}</span>` : other ? portrait(other) : ""}
            <div class="grow"><p class="named">${others.length ? some(others.map(opponent), OTHERS_MAX) : html`<b data-test="history-opponent">${t("unknown_opponent")}</b>`}
                <span class="outcome ${isCrowd && result === "lost" ? "none" : result}" data-test="history-outcome">${words}</span></p>
                <p class="hint">${level}${gameTitle(game)} · ${when(finished_at, serverNow())}</p></div>
            <div class="end"><p data-test="history-score">${isCrowd ? signed(score) : `${score} : ${other?.score ?? 0}`}</p>
                <p class="hint" data-test="history-change">${change === null ? "" : signed(change)}</p></div>
            <a class="button tool" href="/replay/${match_id}" data-test="history-replay" aria-label="${t("watch_replay")}" title="${t("watch_replay")}">${icon("replay")}</a>
            ${isMe && reason !== "called_off" && reason !== "abandoned" ? html`<button class="tool" data-do="share" data-match="${match_id}" data-game="${game}" data-test="history-share"
                aria-label="${t("share_result")}" title="${t("share_result")}">${icon("share")}</button>` : ""}</li>`;
    }

    /** The way in to this account from Telegram. @param {Me} mine */
    function linking({ telegram_linked: isLinked }) {
        if (isLinked) {
            return html`<div class="row" data-key="link"><span>Telegram</span><b data-test="telegram-linked">${t("telegram_linked")}</b></div>`;
        }
        return html`<div class="row" data-key="link"><span>Telegram</span>
            ${link ? html`<a class="button primary" data-key="go" href="${link.url}" target="_blank" rel="noopener" data-test="telegram-go">${t("telegram_go")}</a>`
                : html`<button class="quiet" data-key="ask" data-do="link" data-test="telegram-link">${t("telegram_link")}</button>`}
            ${link ? html`<p class="hint" data-key="how">${t("telegram_link_how")}</p>` : ""}
            ${linkProblem ? html`<p class="wrong" role="alert">${linkProblem}</p>` : ""}</div>`;
    }

    /** @param {PastMatch["players"][number]} other */
    function opponent(other) {
        return other.computer
            ? html`<b data-test="history-opponent">${shortly(other)}</b>`
            : html`<a data-test="history-opponent" href="/users/${other.user.id}">${other.user.display_name}</a>`;
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
                <a class="row onward" href="/security" data-key="security" data-test="to-security"><span>${t("security")}</span><span class="hint">${t("security_about")}</span></a>
                ${mine?.telegram ? linking(mine) : ""}
                ${telegram.inside ? "" : html`<button class="quiet wide" data-key="out" data-do="sign-out" data-test="sign-out">${t("sign_out")}</button>`}
            </div>`;
    }
}
