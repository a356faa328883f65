// Handing a link to somebody else.

import { call, me } from "./api.js";
import { toast } from "./parts.js";
import { telegram } from "./telegram.js";
import { t } from "./words.js";

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
    if (telegram.share(url, text)) return;
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
