// Signing in at a provider that refuses the browser we run in, as Google does Telegram's: the
// system's browser does it, and shows a code that is typed here.

import { beginHandoff, finishHandoff } from "./api.js";
import { act, html, patch } from "./html.js";
import { explained } from "./parts.js";
import { telegram } from "./telegram.js";
import { t } from "./words.js";

/**
 * Sends somebody to the system's browser, and asks for the code that they are shown there.
 * @param {"google" | "telegram"} way
 * @param {boolean} link whether to join what they are there to their account
 * @returns {Promise<boolean>} whether it was finished
 */
export async function handOff(way, link) {
    const { secret, ticket } = await beginHandoff(way, link);
    const address = new URL(`/auth/${way}`, location.href);
    address.searchParams.set("handoff", ticket);
    telegram.open(address.href);
    return asked(secret, address.href);
}

/** @param {string} secret @param {string} address @returns {Promise<boolean>} */
function asked(secret, address) {
    const dialog = document.createElement("dialog");
    dialog.dataset["test"] = "handoff";
    dialog.setAttribute("aria-labelledby", "dialog-title");
    document.body.append(dialog);
    let wrong = "";
    let busy = false;
    /** @type {unknown} */
    let failure = null;
    const show = () => patch(dialog, html`<form class="handoff" data-do="send" novalidate>
        <h2 id="dialog-title">${t("handoff_title")}</h2>
        <p class="hint">${t("handoff_text")}</p>
        <div class="field"><label for="code">${t("handoff_code")}</label>
            <input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="12" data-test="code"
                ${wrong ? html`aria-invalid="true" aria-describedby="code-wrong"` : ""}>
            ${wrong ? html`<p class="wrong" id="code-wrong" data-test="code-wrong">${wrong}</p>` : ""}</div>
        <div class="buttons"><button type="button" class="quiet" data-do="no" data-test="dialog-cancel">${t("cancel")}</button>
            <button class="primary" data-test="code-send"${busy ? html` disabled` : ""}>${t("go_on")}</button></div>
        <button type="button" class="link wide" data-do="open">${t("handoff_open")}</button></form>`);
    show();
    return new Promise((resolve, reject) => {
        act(dialog, {
            no: () => dialog.close(""),
            open: () => telegram.open(address),
            send: (form) => void send(/** @type {HTMLFormElement} */ (form)),
        });
        dialog.addEventListener("close", () => {
            dialog.remove();
            if (failure) reject(failure);
            else resolve(dialog.returnValue === "done");
        });
        dialog.showModal();
    });

    /** @param {HTMLFormElement} form */
    async function send(form) {
        const code = String(new FormData(form).get("code") ?? "").replace(/\D/g, "");
        wrong = code.length === 6 ? "" : t("field_code");
        busy = !wrong;
        show();
        if (!busy) return;
        try {
            await finishHandoff(secret, code);
            dialog.close("done");
        } catch (error) {
            busy = false;
            const code = /** @type {{ code?: string }} */ (error).code ?? "";
            if (code === "code_wrong" || code === "handoff_pending") {
                wrong = explained(error);
                show();
            } else {
                failure = error;
                dialog.close("");
            }
        }
    }
}
