// What this browser remembers of its owner's wishes.

/**
 * @typedef {object} Settings
 * @property {"en" | "ru" | null} language null: as Telegram or the browser has it.
 * @property {boolean | null} sound null: on, but off inside Telegram.
 * @property {"auto" | "light" | "dark"} theme
 * @property {boolean} struck whether its owner has struck a billiard ball, and knows how
 * @property {boolean} pauses whether replays show what was waited for
 * @property {"full" | "short" | "off"} guide how much of the aiming line is shown at a billiard table
 */

const NAME = "artel.settings";

/** @type {Settings} */
const settings = { language: null, sound: null, theme: "auto", guide: "full", struck: false, pauses: false, ...read() };

/** @returns {Readonly<Settings>} */
export function wishes() {
    return settings;
}

/** @param {Partial<Settings>} some */
export function wish(some) {
    Object.assign(settings, some);
    try {
        localStorage.setItem(NAME, JSON.stringify(settings));
    } catch {
        // Storage may be full or forbidden: the wish lasts as long as the page.
    }
}

function read() {
    try {
        const found = JSON.parse(localStorage.getItem(NAME) ?? "{}");
        return typeof found === "object" && found !== null ? found : {};
    } catch {
        return {};
    }
}
