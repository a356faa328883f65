// What links lead to: a new password, an address that is confirmed, a code to type elsewhere, and
// what went wrong on the way to a provider and back.

import { forgotPassword, me, Refusal, request, resetPassword } from "../lib/api.js";
import { act, html, patch } from "../lib/html.js";
import { explained, loading } from "../lib/parts.js";
import { go, takeFragment } from "../lib/router.js";
import { t } from "../lib/words.js";

/** @import { Html } from "../lib/html.js" */

/** A new password: by what came in a link, or else the question where to send one. @type {import("../main.js").Screen} */
export function reset(root) {
    const token = takeFragment();
    let wrong = "";
    let busy = false;
    /** Where to look for a link. @type {string[] | null} */
    let sent = null;
    const off = act(root, {
        ask: (form) => void ask(/** @type {HTMLFormElement} */ (form)),
        set: (form) => void set(/** @type {HTMLFormElement} */ (form)),
    });
    show();
    return off;

    function show() {
        patch(root, page("reset", token ? html`<h1>${t("password_new")}</h1>
            <form class="card" data-do="set" data-test="form" data-key="set" novalidate>
                <div class="field"><label for="password">${t("password_new")}</label>
                    <input id="password" name="password" type="password" autocomplete="new-password" data-test="password"${wrong ? html` aria-invalid="true"` : ""}>
                    <p class="hint">${t("password_hint")}</p></div>
                ${problem()}<button class="primary" data-test="submit"${busy ? html` disabled` : ""}>${t("password_save")}</button></form>`
        : sent ? html`<h1>${t("reset_title")}</h1>${told(sent)}<a class="button quiet" href="/">${t("sign_in")}</a>`
        : html`<h1>${t("reset_title")}</h1>
            <form class="card" data-do="ask" data-test="form" data-key="ask" novalidate>
                <p class="hint">${t("reset_about")}</p>
                <div class="field"><label for="login">${t("login")}</label>
                    <input id="login" name="login" autocomplete="username" autocapitalize="none" spellcheck="false" data-test="login"></div>
                ${problem()}<button class="primary" data-test="submit"${busy ? html` disabled` : ""}>${t("reset_send")}</button></form>
            <a class="button link" href="/">${t("back_to_sign_in")}</a>`));
    }

    /** @param {string[]} ways */
    function told(ways) {
        if (!ways.length) return html`<p data-test="told">${t("reset_nowhere")}</p>`;
        return html`<div data-test="told"><p>${t("reset_sent")}</p><ul class="ways">
            ${ways.includes("telegram") ? html`<li>${t("reset_by_telegram")}</li>` : ""}
            ${ways.includes("email") ? html`<li>${t("reset_by_email")}</li>` : ""}</ul>
            <p class="hint">${t("reset_else")}</p></div>`;
    }

    function problem() {
        return html`<p class="wrong" role="alert" data-test="form-error"${wrong ? "" : html` hidden`}>${wrong}</p>`;
    }

    /** @param {HTMLFormElement} form */
    async function ask(form) {
        const login = String(new FormData(form).get("login") ?? "").trim();
        if (!login) return tell(t("field_required"));
        await work(async () => { sent = await forgotPassword(login); });
    }

    /** @param {HTMLFormElement} form */
    async function set(form) {
        const password = String(new FormData(form).get("password") ?? "");
        const chars = [...password].length;
        if (chars < 8 || chars > 128) return tell(t("field_password"));
        await work(async () => {
            await resetPassword(token, password);
            await go("/", { replace: true });
        });
    }

    /** @param {string} problem */
    function tell(problem) {
        wrong = problem;
        show();
    }

    /** @param {() => Promise<void>} what */
    async function work(what) {
        if (busy) return;
        [busy, wrong] = [true, ""];
        show();
        try {
            await what();
        } catch (error) {
            wrong = explained(error);
        }
        busy = false;
        if (root.isConnected) show();
    }
}

/** Confirms an address by what came in a letter. @type {import("../main.js").Screen} */
export function confirm(root) {
    const token = takeFragment();
    patch(root, page("confirm", loading()));
    request("POST", "/api/auth/email/confirm", { token }).then(
        () => patch(root, page("confirm", html`<h1>${t("email_confirmed_title")}</h1><p data-test="told">${t("email_confirmed_text")}</p>${onward()}`)),
        (error) => patch(root, page("confirm", html`<h1>${t("went_wrong")}</h1><p data-test="told" role="alert">${explained(error)}</p>${onward()}`)),
    );
    return () => {};
}

/** Shows the code that a page in another browser asks for. @type {import("../main.js").Screen} */
export function handoff(root) {
    const code = takeFragment();
    patch(root, page("handoff", /^\d{6}$/.test(code)
        ? html`<h1>${t("handoff_done")}</h1><p>${t("handoff_type")}</p>
            <p class="code" data-test="handoff-code">${code.slice(0, 3)} ${code.slice(3)}</p>
            <p class="notice">${t("handoff_warning")}</p>`
        : html`<h1>${t("went_wrong")}</h1><p>${t("error_handoff_gone")}</p>`));
    return () => {};
}

/** What went wrong on the way to a provider or back, as the server says in the page. @type {import("../main.js").Screen} */
export function problem(root) {
    const code = document.querySelector('meta[name="artel-problem"]')?.getAttribute("content") ?? "flow_unknown";
    history.replaceState(history.state, "", location.pathname);
    const isOffer = code === "merge_offered";
    patch(root, page("problem", html`<h1>${isOffer ? t("merge_title") : t("went_wrong")}</h1>
        <p data-test="told" data-code="${code}" role="alert">${explained(new Refusal(400, code, ""))}</p>${onward(isOffer)}`));
    return () => {};
}

/** @param {boolean} [isOffer] */
function onward(isOffer = false) {
    if (!me()) return html`<a class="button primary" href="/" data-test="onward">${t("sign_in")}</a>`;
    return html`<a class="button primary" href="/security" data-test="onward">${isOffer ? t("merge_look") : t("security")}</a>
        <a class="button quiet" href="/">${t("to_games")}</a>`;
}

/** @param {string} name @param {Html} content */
function page(name, content) {
    return html`<section class="page sign told" data-test="screen-${name}">${content}</section>`;
}
