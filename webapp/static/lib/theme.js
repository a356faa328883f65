// Light or dark: Telegram's inside Telegram, else as wished, else the system's.

import { wish, wishes } from "./settings.js";
import { telegram } from "./telegram.js";

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Shows the theme that is due. */
export function wearTheme() {
    if (telegram.inside) return;
    const { theme } = wishes();
    const shown = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
    document.documentElement.dataset["theme"] = shown;
}

/** @param {() => void} hear called when the system's theme changes */
export function whenThemeWished(hear) {
    dark.addEventListener("change", hear);
}

/** @param {"auto" | "light" | "dark"} theme */
export function setTheme(theme) {
    wish({ theme });
    wearTheme();
}
