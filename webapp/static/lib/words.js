// What the page says, in the language of its reader.

import en from "../i18n/en.js";
import ru from "../i18n/ru.js";

/** @typedef {keyof typeof en} Word */
/** @typedef {"en" | "ru"} Language */
/** @typedef {string | Partial<Record<Intl.LDMLPluralRule, string>>} Phrase */
/** @typedef {Record<Word, Phrase>} Words every language has every word */

/** @type {Record<Language, Words>} */
const LANGUAGES = { en, ru };

/** @type {Language} */
let language = "en";
let plurals = new Intl.PluralRules(language);

/** The language in use. */
export function spoken() {
    return language;
}

/** @param {Language} wanted */
export function speak(wanted) {
    language = wanted;
    plurals = new Intl.PluralRules(language);
    document.documentElement.lang = language;
}

/**
 * The first language that we speak of those that somebody prefers (`ru`, `pt-BR`).
 * @param {readonly (string | null | undefined)[]} tags
 * @returns {Language}
 */
export function preferred(tags) {
    for (const tag of tags) {
        const main = tag?.split(/[-_]/)[0]?.toLowerCase();
        if (main === "en" || main === "ru") return main;
    }
    return "en";
}

/**
 * The words for something. `{name}` in them stands for a value; where there are several forms,
 * the value `n` chooses.
 * @param {Word} word
 * @param {Record<string, string | number>} [values]
 */
export function t(word, values = {}) {
    const phrase = LANGUAGES[language][word];
    const form = typeof phrase === "string"
        ? phrase
        : (phrase[plurals.select(Number(values["n"]))] ?? phrase.other ?? "");
    return form.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/**
 * Whether there are words for it, and if so which.
 * @param {string} word
 * @returns {Word | null}
 */
export function known(word) {
    return word in en ? /** @type {Word} */ (word) : null;
}

/** @param {number} n */
export function signed(n) {
    return n > 0 ? `+${n}` : n < 0 ? `−${-n}` : "0";
}

/** A score, which may be below zero. @param {number} n */
export function tally(n) {
    return n < 0 ? signed(n) : String(n);
}

/** Minutes and seconds. @param {number} ms */
export function clock(ms) {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Several names, as people say them. @param {readonly string[]} names */
export function listed(names) {
    return new Intl.ListFormat(language, { type: "conjunction" }).format(names);
}

/** A moment, as people say it. @param {string} moment @param {number} now */
export function when(moment, now) {
    const then = Date.parse(moment);
    const days = Math.round((startOfDay(now) - startOfDay(then)) / 86_400_000);
    const time = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" });
    if (days === 0) return t("today", { time: time.format(then) });
    if (days === 1) return t("yesterday", { time: time.format(then) });
    return date(moment);
}

/** @param {string} moment */
export function date(moment) {
    return new Intl.DateTimeFormat(language, { day: "numeric", month: "long", year: "numeric" })
        .format(Date.parse(moment));
}

/** @param {number} at */
function startOfDay(at) {
    return new Date(at).setHours(0, 0, 0, 0);
}
