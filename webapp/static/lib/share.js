// Handing a link to somebody else.

import { call, me } from "./api.js";
import { toast } from "./parts.js";
import { startParameter } from "./router.js";
import { telegram } from "./telegram.js";
import { t } from "./words.js";

/** @import { Me } from "../types.d.ts" */

/**
 * Shares how a match ended: in Telegram as a message that shows it, for those who played; else as a
 * link to its replay.
 * @param {string} id
 * @param {string} text what the link leads to
 */
export async function shareMatch(id, text) {
    if (telegram.sends && me()) {
        try {
            const { prepared_message_id } = await call("POST", `/api/matches/${id}/share`);
            if ((await telegram.send(prepared_message_id)) !== "failed") return;
        } catch {
            // It was not theirs, or the bot is away: the link is as good.
        }
    }
    await share(`/replay/${id}`, text);
}

/**
 * Shares an address of this page: in Telegram's own way, else by the system's sheet, else it is
 * copied.
 * @param {string} path
 * @param {string} text what it leads to
 */
export async function share(path, text) {
    const url = new URL(path, location.origin).href;
    if (telegram.inside && telegram.share(await inApp(path) ?? url, text)) return;
    try {
        // Desktops have a sheet too, but there a copied link is what people want.
        if (navigator.share && matchMedia("(pointer: coarse)").matches) {
            await navigator.share({ title: text, url });
            return;
        }
        await navigator.clipboard.writeText(url);
        toast(t("link_copied"));
    } catch (error) {
        // Who closes the sheet has changed their mind.
        if (error instanceof DOMException && error.name === "AbortError") return;
        toast(t("link_is", { url }));
    }
}

/**
 * The link that opens a place in the Mini App, as who is in Telegram wants it; null where the bot
 * has no such links, or it can't be known now.
 * @param {string} path
 */
async function inApp(path) {
    const start = startParameter(path);
    if (!start) return null;
    try {
        const { app_link } = /** @type {Me} */ (await call("GET", "/api/me"));
        return app_link ? `${app_link}=${start}` : null;
    } catch {
        return null;
    }
}
