// How I sign in: my ways in, my password and address, where I am signed in, and two accounts of
// mine that can be made one.

import { call, me, serverNow, signInOptions, signOut } from "../lib/api.js";
import { device } from "../lib/devices.js";
import { handOff } from "../lib/handoff.js";
import { act, html, patch } from "../lib/html.js";
import { avatar, confirmed, explained, failed, loading, shown, toast } from "../lib/parts.js";
import { takeFragment } from "../lib/router.js";
import { telegram } from "../lib/telegram.js";
import { date, known, t, when } from "../lib/words.js";

/** @import { MergeOffer, MySession, MySessions, MyWays, SignInOptions, Way } from "../types.d.ts" */
/** @import { Fetched } from "../lib/parts.js" */
/** @import { Html } from "../lib/html.js" */

/** What is open to be filled in. @typedef {"password" | "email" | "other" | null} Open */

/** @type {import("../main.js").Screen} */
export function security(root) {
    /** @type {Fetched<MyWays>} */
    let mine = { state: "loading" };
    /** @type {Fetched<MySessions>} */
    let places = { state: "loading" };
    /** @type {SignInOptions | null} */
    let server = null;
    /** @type {Open} */
    let open = null;
    let wrong = "";
    let busy = false;
    let gone = false;

    const off = act(root, {
        retry: load,
        link: ({ dataset }) => void link(dataset["way"] === "telegram" ? "telegram" : "google"),
        unlink: ({ dataset }) => void unlink(/** @type {Way} */ (dataset["way"])),
        password: () => turn("password"),
        email: () => turn("email"),
        other: () => turn("other"),
        "no-email": () => void doing(() => call("PUT", "/api/me/email", { email: null })),
        "set-password": (form) => void setPassword(/** @type {HTMLFormElement} */ (form)),
        "set-email": (form) => void setEmail(/** @type {HTMLFormElement} */ (form)),
        "show-other": (form) => void showOther(/** @type {HTMLFormElement} */ (form)),
        merge: () => void merge(),
        apart: () => void doing(() => call("DELETE", "/api/me/merge")),
        end: ({ dataset }) => void end(dataset["id"] ?? ""),
        others: () => void doing(() => call("DELETE", "/api/me/sessions?others=1"), t("signed_out_others")),
        "sign-out": () => void signOut().catch((error) => toast(explained(error))),
    });
    if (takeFragment() === "linked") toast(t("linked"));
    load();
    return () => {
        gone = true;
        off();
    };

    function load() {
        fetched("/api/me/sign-in", (it) => { mine = it; });
        fetched("/api/me/sessions", (it) => { places = it; });
        signInOptions().then((it) => { server = it; show(); }, () => {});
        show();
    }

    /** @param {string} path @param {(it: Fetched<any>) => void} keep */
    function fetched(path, keep) {
        call("GET", path).then(
            (value) => keep({ state: "there", value }),
            (error) => keep({ state: "failed", error }),
        ).then(show);
    }

    /** @param {Open} what */
    function turn(what) {
        [open, wrong] = [open === what ? null : what, ""];
        show();
        const first = what && root.querySelector(`[data-key="${what}"] input`);
        if (first instanceof HTMLElement) first.focus();
    }

    /**
     * Does something, and shows how things are then. What went wrong stands at the form that is
     * open, or else is said for a moment.
     * @param {() => Promise<unknown>} work @param {string} [said]
     */
    async function doing(work, said) {
        if (busy) return;
        busy = true;
        wrong = "";
        show();
        try {
            await work();
            open = null;
            if (said) toast(said);
        } catch (error) {
            if (/** @type {{ code?: string }} */ (error).code === "merge_offered") open = null;
            else if (open) wrong = explained(error);
            else toast(explained(error));
        }
        busy = false;
        load();
    }

    /** @param {"google" | "telegram"} way */
    function link(way) {
        if (telegram.inside && way === "telegram") {
            const init_data = telegram.initData;
            return doing(() => call("POST", "/api/auth/link/telegram", { init_data }), t("linked"));
        }
        if (telegram.inside) {
            return doing(async () => {
                if (await handOff(way, true)) toast(t("linked"));
            });
        }
        return doing(async () => {
            /** @type {{ url: string }} */
            const { url } = await call("POST", "/api/auth/links", { way });
            location.assign(url);
        });
    }

    /** @param {Way} way */
    async function unlink(way) {
        const named = wayName(way);
        const sure = await confirmed({
            title: t("unlink_title", { way: named }), text: t("unlink_text", { way: named }), yes: t("unlink"), no: t("cancel"),
        });
        if (sure) await doing(() => call("DELETE", `/api/me/ways/${way}`), t("unlinked"));
    }

    /** @param {HTMLFormElement} form */
    function setPassword(form) {
        const data = new FormData(form);
        const [current, password, username] = ["current", "password", "username"].map((it) => data.get(it));
        const chars = [...String(password ?? "")].length;
        if (chars < 8 || chars > 128) return complain(t("field_password"));
        if (typeof username === "string" && !/^[A-Za-z][A-Za-z0-9_]{2,19}$/.test(username.trim())) return complain(t("field_username"));
        const body = {
            password,
            ...(typeof current === "string" ? { current } : {}),
            ...(typeof username === "string" ? { username: username.trim() } : {}),
        };
        return doing(() => call("PUT", "/api/me/password", body), t("password_set"));
    }

    /** @param {HTMLFormElement} form */
    function setEmail(form) {
        const email = String(new FormData(form).get("email") ?? "").trim();
        if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) return complain(t("field_email"));
        return doing(() => call("PUT", "/api/me/email", { email }), server?.reset.includes("email") ? t("email_asked") : t("saved"));
    }

    /** @param {HTMLFormElement} form */
    function showOther(form) {
        const data = new FormData(form);
        const [login, password] = [String(data.get("login") ?? "").trim(), String(data.get("password") ?? "")];
        if (!login || !password) return complain(t("field_required"));
        return doing(() => call("POST", "/api/auth/link/password", { login, password }));
    }

    /** @param {string} problem */
    function complain(problem) {
        wrong = problem;
        show();
    }

    async function merge() {
        if (mine.state !== "there" || !mine.value.offer) return;
        const { id, other } = mine.value.offer;
        const sure = await confirmed({
            title: t("merge_title"), text: t("merge_sure", { name: other.display_name }), yes: t("merge"), no: t("cancel"),
        });
        if (sure) await doing(() => call("POST", "/api/me/merge", { id }), t("merged"));
    }

    /** @param {string} id */
    function end(id) {
        return doing(() => call("DELETE", `/api/me/sessions/${id}`), t("session_ended"));
    }

    function show() {
        if (gone) return;
        patch(root, html`<section class="page security" data-test="screen-security">
            <header><h1>${t("security")}</h1></header>
            ${mine.state === "loading" ? loading() : mine.state === "failed" ? failed(mine.error) : html`
                ${mine.value.offer ? offered(mine.value.offer) : ""}
                <h2>${t("ways_in")}</h2>
                <div class="card settings" data-test="ways">${ways(mine.value)}</div>
                <h2>${t("email")}</h2>
                <div class="card settings" data-test="address">${address(mine.value)}</div>`}
            <h2>${t("signed_in_at")}</h2>
            <div class="card" data-test="sessions">${shown(places, ({ items }) => html`<ol class="list">${items.map(place)}</ol>`)}</div>
            ${places.state === "there" && places.value.items.length > 1
                ? html`<button class="quiet wide" data-do="others" data-test="end-others">${t("sign_out_others")}</button>` : ""}
            <h2>${t("other_account")}</h2>
            <div class="card settings" data-key="other" data-test="other">
                <p class="hint row">${t("other_account_about")}</p>
                ${open === "other" ? html`<form class="fill" data-do="show-other" novalidate>
                    ${field("login", "text", t("login"), "off")}${field("password", "password", t("password"), "off")}
                    ${problem()}<button class="quiet wide" data-test="other-send"${busy ? html` disabled` : ""}>${t("other_account_show")}</button></form>`
                    : html`<button class="quiet wide" data-do="other" data-test="other-open">${t("other_account_open")}</button>`}</div>
        </section>`);
    }

    /** @param {MergeOffer} offer */
    function offered({ way, other, since, matches }) {
        return html`<div class="card offer" data-test="offer" data-key="offer"><h2>${t("merge_title")}</h2>
            <p>${t("merge_text", { way: wayName(way) })}</p>
            <div class="item">${avatar(other)}<div class="grow"><p><b>${other.display_name}</b></p>
                <p class="hint">${t("since", { date: date(since) })} · ${t("merge_matches", { n: matches })}</p></div></div>
            <p class="hint">${t("merge_what", { name: me()?.display_name ?? "" })}</p>
            <div class="buttons"><button class="quiet" data-do="apart" data-test="merge-no">${t("merge_no")}</button>
                <button class="primary" data-do="merge" data-test="merge"${busy ? html` disabled` : ""}>${t("merge")}</button></div></div>`;
    }

    /** @param {MyWays} mine */
    function ways({ ways, username }) {
        const has = (/** @type {Way} */ way) => ways.find((it) => it.way === way);
        const password = has("password");
        const isLast = ways.length < 2;
        const others = /** @type {const} */ (["telegram", "google"]).filter((it) => has(it) || canLink(it));
        return html`${others.map((way) => {
            const it = has(way);
            return html`<div class="row" data-key="${way}" data-test="way-${way}"><div class="grow"><b>${wayName(way)}</b>
                <p class="hint">${it ? (it.label ?? t("linked_way")) : t("not_linked")}</p></div>
                ${it ? unlinkButton(way, isLast)
                    : html`<button class="quiet" data-do="link" data-way="${way}" data-test="link-${way}"${busy ? html` disabled` : ""}>${t("link")}</button>`}</div>`;
        })}
            <div class="row" data-key="password-row" data-test="way-password"><div class="grow"><b>${t("password")}</b>
                <p class="hint">${password ? `@${username ?? ""}` : t("no_password")}</p></div>
                <div class="deeds">${password ? unlinkButton("password", isLast) : ""}
                <button class="quiet" data-do="password" data-test="password-open" aria-expanded="${open === "password"}">${password ? t("change") : t("set_password")}</button></div></div>
            ${open === "password" ? html`<form class="fill" data-key="password" data-do="set-password" novalidate>
                ${username === null ? field("username", "text", t("username"), "username", t("username_hint")) : ""}
                ${password ? field("current", "password", t("password_current"), "current-password") : ""}
                ${field("password", "password", t("password_new"), "new-password", t("password_hint"))}
                ${problem()}<button class="quiet wide" data-test="password-save"${busy ? html` disabled` : ""}>${t("password_save")}</button>
                <p class="hint">${t("password_ends")}</p></form>` : ""}
            ${isLast ? html`<p class="hint row" data-key="last">${t("last_way")}</p>` : ""}`;
    }

    /** @param {"telegram" | "google"} way */
    function canLink(way) {
        if (way === "google") return server?.google ?? false;
        return server?.telegram || (telegram.inside && server?.mini_app);
    }

    /** @param {Way} way @param {boolean} isLast */
    function unlinkButton(way, isLast) {
        return isLast ? "" : html`<button class="link" data-do="unlink" data-way="${way}" data-test="unlink-${way}">${t("unlink")}</button>`;
    }

    /** @param {MyWays} mine */
    function address({ email }) {
        const letters = server?.reset.includes("email");
        return html`<div class="row"><div class="grow"><b>${email?.address ?? t("no_email")}</b>
            <p class="hint" data-test="email-state">${!email ? t("email_about") : email.confirmed ? t("email_confirmed")
                : letters ? t("email_unconfirmed") : t("email_no_letters")}</p></div>
            <div class="deeds">${email ? html`<button class="link" data-do="no-email" data-test="email-remove">${t("remove")}</button>` : ""}
            <button class="quiet" data-do="email" data-test="email-open" aria-expanded="${open === "email"}">${email ? t("change") : t("add")}</button></div></div>
            ${open === "email" ? html`<form class="fill" data-key="email" data-do="set-email" novalidate>
                ${field("email", "email", t("email"), "email")}${problem()}
                <button class="quiet wide" data-test="email-save"${busy ? html` disabled` : ""}>${t("save")}</button></form>` : ""}`;
    }

    /** @param {MySession} it @returns {Html} */
    function place({ id, current, user_agent, address, used_at }) {
        return html`<li class="item" data-key="${id}" data-test="session" data-current="${current}">
            <div class="grow"><p><b>${device(user_agent) || t("unknown_device")}</b>${current ? html` <span class="outcome won">${t("this_device")}</span>` : ""}</p>
                <p class="hint">${when(used_at, serverNow())}${address ? ` · ${address}` : ""}</p></div>
            ${current ? (telegram.inside ? "" : html`<button class="link" data-do="sign-out" data-test="session-leave">${t("sign_out")}</button>`)
                : html`<button class="link" data-do="end" data-id="${id}" data-test="session-end">${t("end_session")}</button>`}</li>`;
    }

    /** @param {string} name @param {string} type @param {string} label @param {string} fill @param {string} [hint] */
    function field(name, type, label, fill, hint) {
        const id = `${open}-${name}`;
        return html`<div class="field"><label for="${id}">${label}</label>
            <input id="${id}" name="${name}" type="${type}" autocomplete="${fill}" autocapitalize="none" spellcheck="false" data-test="${id}">
            ${hint ? html`<p class="hint">${hint}</p>` : ""}</div>`;
    }

    function problem() {
        return html`<p class="wrong" role="alert" data-test="fill-wrong"${wrong ? "" : html` hidden`}>${wrong}</p>`;
    }
}

/** What a way in is called. @param {Way} way */
function wayName(way) {
    const word = known(`way_${way}`);
    return word ? t(word) : way;
}
