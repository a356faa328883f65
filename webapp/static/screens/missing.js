// Where nothing is.

import { html, patch } from "../lib/html.js";
import { t } from "../lib/words.js";

/** @type {import("../main.js").Screen} */
export function missing(root) {
    patch(root, html`<section class="page" data-test="screen-missing"><div class="state">
        <p>${t("nothing_here")}</p>
        <a class="button" href="/" data-test="to-home">${t("to_games")}</a></div></section>`);
    return () => {};
}
