// Signing in, or up. Shown at any address while nobody is signed in; the address stays.

import { Refusal, signIn, signInOptions, signUp } from "../lib/api.js";
import { handOff } from "../lib/handoff.js";
import { act, html, patch } from "../lib/html.js";
import { explained } from "../lib/parts.js";
import { wish } from "../lib/settings.js";
import { telegram } from "../lib/telegram.js";
import { speak, spoken, t } from "../lib/words.js";

/** @import { SignInOptions } from "../types.d.ts" */
/** @import { Word } from "../lib/words.js" */

/** @typedef {"login" | "username" | "email" | "password"} Field */

/** What the server will want, so that most mistakes are told at once. */
const RULES = /** @type {Record<Field, { right: (value: string) => boolean, word: Word }>} */ ({
    login: { right: (it) => it !== "", word: "field_required" },
    username: { right: (it) => /^[A-Za-z][A-Za-z0-9_]{2,19}$/.test(it), word: "field_username" },
    email: { right: (it) => it === "" || /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(it), word: "field_email" },
    password: { right: (it) => [...it].length >= 8 && [...it].length <= 128, word: "field_password" },
});

/**
 * @param {HTMLElement} root
 * @param {() => void} done called when somebody is signed in
 * @returns {() => void}
 */
export function sign(root, done) {
    let isNew = false;
    let busy = false;
    let formError = "";
    /** @type {SignInOptions | null} */
    let server = null;
    /** @type {Partial<Record<Field, string>>} */
    let wrong = {};

    const off = act(root, {
        "sign-in": () => turn(false),
        "sign-up": () => turn(true),
        "en": () => say("en"),
        "ru": () => say("ru"),
        send: (form) => void send(/** @type {HTMLFormElement} */ (form)),
        google: () => void goTo("google"),
        telegram: () => void goTo("telegram"),
    });
    show();
    // Without an answer there is still the form.
    signInOptions().then((it) => {
        server = it;
        if (root.isConnected) show();
    }, () => {});
    return off;

    function show() {
        patch(root, html`<section class="page sign" data-test="screen-sign">
            <header><h1 class="mark">Artel</h1><p>${t("welcome")}</p></header>
            <div class="segments" role="group">
                <button data-do="sign-in" data-test="tab-sign-in" aria-pressed="${!isNew}">${t("sign_in")}</button>
                <button data-do="sign-up" data-test="tab-sign-up" aria-pressed="${isNew}">${t("new_here")}</button>
            </div>
            <form class="card" data-do="send" data-test="form" data-key="${isNew ? "up" : "in"}" novalidate>
                ${isNew
                    ? [
                        field("username", "text", "username", t("username"), t("username_hint")),
                        field("email", "email", "email", `${t("email")} (${t("optional")})`),
                        field("password", "password", "new-password", t("password"), t("password_hint")),
                    ]
                    : [
                        field("login", "text", "username", t("login")),
                        field("password", "password", "current-password", t("password")),
                    ]}
                <p class="wrong" data-test="form-error" role="alert"${formError ? "" : html` hidden`}>${formError}</p>
                <button class="primary" data-test="submit"${busy ? html` disabled` : ""}>
                    ${busy ? t("signing_in") : isNew ? t("sign_up") : t("sign_in")}</button>
            </form>
            ${server?.google || server?.telegram ? html`<div class="providers" data-key="providers"><p class="or">${t("or")}</p>
                ${server.google ? html`<button class="quiet wide" data-do="google" data-test="by-google">${t("by_google")}</button>` : ""}
                ${server.telegram ? html`<button class="quiet wide" data-do="telegram" data-test="by-telegram">${t("by_telegram")}</button>` : ""}</div>` : ""}
            ${isNew ? "" : html`<a class="button link" href="/reset" data-key="forgot" data-test="forgot">${t("forgot")}</a>`}
            <p class="languages" data-key="languages" role="group" aria-label="Language · Язык">
                <button class="link" lang="en" data-do="en" data-test="language-en" aria-pressed="${spoken() === "en"}">English</button>
                <button class="link" lang="ru" data-do="ru" data-test="language-ru" aria-pressed="${spoken() === "ru"}">Русский</button>
            </p></section>`);
    }

    /**
     * @param {Field} name @param {string} type @param {string} fill
     * @param {string} label @param {string} [hint]
     */
    function field(name, type, fill, label, hint) {
        const problem = wrong[name];
        const described = problem ? `${name}-wrong` : hint ? `${name}-hint` : "";
        return html`<div class="field"><label for="${name}">${label}</label>
            <input id="${name}" name="${name}" type="${type}" autocomplete="${fill}" data-test="${name}"
                autocapitalize="none" spellcheck="false"${described ? html` aria-describedby="${described}"` : ""}
                ${problem ? html`aria-invalid="true"` : ""}>
            ${problem
                ? html`<p class="wrong" id="${name}-wrong" data-key="wrong" data-test="field-error-${name}">${problem}</p>`
                : hint ? html`<p class="hint" id="${name}-hint" data-key="hint">${hint}</p>` : ""}</div>`;
    }

    /** Signs in at a provider, and comes back here. @param {"google" | "telegram"} way */
    async function goTo(way) {
        if (!telegram.inside) {
            location.assign(`/auth/${way}?next=${encodeURIComponent(location.pathname)}`);
            return;
        }
        try {
            if (await handOff(way, false)) done();
        } catch (error) {
            formError = explained(error);
            show();
        }
    }

    /** @param {boolean} toNew */
    function turn(toNew) {
        [isNew, wrong, formError] = [toNew, {}, ""];
        show();
    }

    /** @param {"en" | "ru"} language */
    function say(language) {
        wish({ language });
        speak(language);
        [wrong, formError] = [{}, ""];
        show();
    }

    /** @param {HTMLFormElement} form */
    async function send(form) {
        if (busy) return;
        const data = new FormData(form);
        const value = (/** @type {Field} */ name) => {
            const text = String(data.get(name) ?? "");
            return name === "password" ? text : text.trim();
        };
        const fields = /** @type {Field[]} */ (isNew ? ["username", "email", "password"] : ["login"]);
        [wrong, formError] = [{}, ""];
        for (const name of fields) {
            if (!RULES[name].right(value(name))) wrong[name] = t(RULES[name].word);
        }
        if (!isNew && !value("password")) wrong.password = t("field_required");
        if (Object.keys(wrong).length) {
            show();
            focusWrong();
            return;
        }
        busy = true;
        show();
        try {
            if (isNew) await signUp(value("username"), value("password"), value("email"));
            else await signIn(value("login"), value("password"));
            done();
        } catch (error) {
            busy = false;
            tell(error);
            show();
            focusWrong();
        }
    }

    /** @param {unknown} error */
    function tell(error) {
        if (error instanceof Refusal && error.code === "username_taken") {
            wrong.username = explained(error);
        } else if (error instanceof Refusal && error.errors.length) {
            for (const { field } of error.errors) {
                if (field in RULES) wrong[/** @type {Field} */ (field)] = t(RULES[/** @type {Field} */ (field)].word);
            }
            if (!Object.keys(wrong).length) formError = explained(error);
        } else {
            formError = explained(error);
        }
    }

    function focusWrong() {
        const first = root.querySelector("[aria-invalid]");
        if (first instanceof HTMLElement) first.focus();
    }
}
