// What may be done about somebody, on their profile: friends, quiet, order.

import { call } from "../lib/api.js";
import { html, patch } from "../lib/html.js";
import { chosen, explained, toast } from "../lib/parts.js";
import { t } from "../lib/words.js";

/** @import { PublicUser } from "../types.d.ts" */

const REASONS = /** @type {const} */ (["spam", "abuse", "cheating", "name", "other"]);

/** Asks somebody to be a friend. @param {PublicUser} user */
export async function befriend({ id }) {
    try {
        /** @type {{ status: "requested" | "friends" }} */
        const { status } = await call("POST", "/api/friends/requests", { user_id: id });
        toast(t(status === "friends" ? "friend_made" : "friend_asked"));
    } catch (error) {
        toast(explained(error));
    }
}

/** Lets one choose what to do about somebody. @param {PublicUser} user @param {string} [room] where they were met */
export async function decideAbout(user, room) {
    const what = await chosen({
        title: user.display_name,
        text: "",
        choices: [
            { value: "mute", text: t("mute_person"), hint: t("mute_person_hint"), test: "person-mute" },
            { value: "block", text: t("block_person"), hint: t("block_person_hint"), test: "person-block" },
            { value: "report", text: t("report_person"), hint: t("report_person_hint"), test: "person-report" },
        ],
        no: t("cancel"),
    });
    try {
        if (what === "report") await report(user, room);
        else if (what) {
            await call("PUT", `/api/blocks/${user.id}`, { kind: what });
            toast(t(what === "mute" ? "person_muted" : "person_blocked"));
        }
    } catch (error) {
        toast(explained(error));
    }
}

/** @param {PublicUser} user @param {string} [room] */
async function report(user, room) {
    const reason = await chosen({
        title: t("report", { name: user.display_name }),
        text: t("report_why"),
        choices: REASONS.map((it) => ({ value: it, text: t(`reason_${it}`), hint: "", test: `reason-${it}` })),
        no: t("cancel"),
    });
    if (!reason) return;
    const text = await written(t("report_text"));
    if (text === null) return;
    await call("POST", "/api/reports", { user_id: user.id, reason, text, ...(room ? { room } : {}) });
    toast(t("report_sent"));
}

/**
 * Lets somebody write a few words, or none.
 * @param {string} label
 * @returns {Promise<string | null>} null: they thought better of it
 */
function written(label) {
    const dialog = document.createElement("dialog");
    dialog.dataset["test"] = "dialog";
    patch(dialog, html`<form method="dialog"><label for="words">${label}</label>
        <textarea id="words" rows="4" maxlength="500" data-test="report-text"></textarea>
        <div class="buttons"><button class="quiet" value="" formnovalidate>${t("cancel")}</button>
        <button class="primary" value="send" data-test="report-send">${t("send")}</button></div></form>`);
    document.body.append(dialog);
    return new Promise((resolve) => {
        dialog.addEventListener("close", () => {
            const text = dialog.querySelector("textarea")?.value.trim() ?? "";
            dialog.remove();
            resolve(dialog.returnValue === "send" ? text : null);
        });
        dialog.showModal();
    });
}
