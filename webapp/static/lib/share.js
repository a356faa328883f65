// Handing a link to somebody else.

import { toast } from "./parts.js";
import { telegram } from "./telegram.js";
import { t } from "./words.js";

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
