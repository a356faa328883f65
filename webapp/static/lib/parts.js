// Parts that several screens are made of.

import { Refusal } from "./api.js";
import { act, html, patch } from "./html.js";
import { date, known, t } from "./words.js";

/** @import { Level, PublicUser } from "../types.d.ts" */
/** @import { Html } from "./html.js" */

const TOAST_MS = 4_000;
/** Asking again after these gives the same answer. */
const FINAL = new Set([403, 404, 409, 410]);
const ICONS = {
    play: html`<path d="M8 5.5v13l11-6.5z"/>`,
    rooms: html`<path d="M4 20h16M6.500 20V4.500h11V20M14 12.500v.5"/>`,
    chair: html`<path d="M7 4v9h10V4M7 13l-1 7M17 13l1 7M7 9h10"/>`,
    more: html`<path d="M6 12h.01M12 12h.01M18 12h.01"/>`,
    top: html`<path d="M5 20v-7h4v7M10 20V6h4v14M15 20v-4.500h4V20"/>`,
    friends: html`<circle cx="9" cy="8.500" r="3.500"/><path d="M2.500 20c.8-4 3.300-5.500 6.500-5.500s5.700 1.500 6.500 5.500M15.500 5.300a3.500 3.500 0 0 1 0 6.400M17.500 14.900c2.200.7 3.500 2.300 4 5.100"/>`,
    me: html`<circle cx="12" cy="8" r="4"/><path d="M4.500 20.500c1-4.500 4-6 7.500-6s6.500 1.500 7.500 6"/>`,
    sound: html`<path d="M4 9.500v5h3.500l4.500 4v-13l-4.500 4zM15.500 9a4.200 4.200 0 0 1 0 6M18 6.500a8 8 0 0 1 0 11"/>`,
    silent: html`<path d="M4 9.500v5h3.500l4.500 4v-13l-4.500 4zM16 9.500l5 5M21 9.500l-5 5"/>`,
    pause: html`<path d="M8.500 5.500v13M15.500 5.500v13"/>`,
    again: html`<path d="M5 5v5h5M5.500 10a7.500 7.500 0 1 1-1 4.500"/>`,
    skip: html`<path d="M4.500 6.500v11l7-5.500zM12.500 6.500v11l7-5.500z"/>`,
    share: html`<path d="M12 15V4M8 7.500l4-4 4 4M5.500 11.500v8h13v-8"/>`,
    replay: html`<circle cx="12" cy="12" r="8.500"/><path d="M10.300 8.700v6.600l5-3.300z"/>`,
    undo: html`<path d="M9 6L4.500 10.500 9 15M5 10.500h9a5 5 0 0 1 0 10h-3"/>`,
    hand: html`<path d="M8 12V6.500a1.500 1.500 0 0 1 3 0V11M11 10.500v-6a1.500 1.500 0 0 1 3 0v6M14 11V6a1.500 1.500 0 0 1 3 0v8.500a6 6 0 0 1-6 6c-3 0-4.300-1.600-5.600-4.200L4 13.500a1.500 1.500 0 0 1 2.600-1.500l1.400 2"/>`,
    rack: html`<path d="M12 4L3.500 19.500h17z"/><circle cx="12" cy="10.500" r="1.400"/><circle cx="9.500" cy="15.500" r="1.400"/><circle cx="14.500" cy="15.500" r="1.400"/>`,
    computer: html`<rect x="4" y="5" width="16" height="11" rx="2"/><path d="M9 20h6M12 16v4"/>`,
    weak: html`<path d="M5 19v-3M10 19v-5"/><path d="M16 9l5 5M21 9l-5 5"/>`,
    close: html`<path d="M6 6l12 12M18 6L6 18"/>`,
    folder: html`<path d="M3.500 18.500v-13h6l2 2.500h9v10.500z"/>`,
    leave: html`<path d="M6 21V4M6 4.500h11l-2.500 4 2.500 4H6"/>`,
};

/** @param {keyof ICONS} name */
export function icon(name) {
    return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${ICONS[name]}</svg>`;
}

/** Who plays: a person, or a computer of a level. @typedef {{ user: PublicUser, computer?: Level | null | undefined }} Somebody */

/** What a player is called. @param {Somebody} player */
export function named({ user, computer }) {
    return computer ? t(`computer_${computer}`) : user.display_name;
}

/** The same where there is little room: a computer's level goes elsewhere. @param {Somebody} player */
export function shortly({ user, computer }) {
    return computer ? t("computer") : user.display_name;
}

/**
 * Several players where there is little room: the first of them by name, and how many more.
 * @param {readonly Html[]} names
 * @param {number} most
 */
export function some(names, most) {
    const more = names.length > most ? names.length - most : 0;
    return html`<span class="some">${names.slice(0, most).map((it, i) => html`${i ? ", " : ""}${it}`)}</span>${more
        ? html`<span class="more">+${more}</span>` : ""}`;
}

/** What a player looks like. @param {Somebody} player */
export function portrait({ user, computer }) {
    return computer ? html`<span class="avatar">${icon("computer")}</span>` : avatar(user);
}

/** A person's picture, or else the first letter of their name. @param {PublicUser} user */
export function avatar({ display_name, avatar_url }) {
    const letter = [...display_name.trim()][0]?.toUpperCase() ?? "?";
    return avatar_url
        ? html`<img class="avatar" src="${avatar_url}" alt="" referrerpolicy="no-referrer">`
        : html`<span class="avatar" aria-hidden="true">${letter}</span>`;
}

/** What a list shows while it is not there. */
export function loading() {
    return html`<p class="state" data-key="loading" data-test="loading" role="status">${t("loading")}…</p>`;
}

/** @param {string} text @param {Html} [button] */
export function empty(text, button) {
    return html`<div class="state" data-key="empty" data-test="empty"><p>${text}</p>${button}</div>`;
}

/** What could not be had, and why. `data-do="retry"` is the way on. @param {unknown} error */
export function failed(error) {
    // What is not there, or not for us, will not be there the next time.
    const isFinal = error instanceof Refusal && FINAL.has(error.status);
    return html`<div class="state" data-key="error" data-test="error" role="alert"><p>${explained(error)}</p>
        ${isFinal ? "" : html`<button class="quiet" data-do="retry" data-test="retry">${t("retry")}</button>`}</div>`;
}

/** For how long somebody is shut out, and why in the words of who did it. @param {string} detail */
function shutOut(detail) {
    const [, until, words] = /(?:until (\S+Z)|for good): (.*)$/s.exec(detail) ?? [];
    const term = until ? t("banned_until", { date: date(until) }) : t("banned_for_good");
    return `${term} ${words ? t("banned_why", { words }) : ""}`;
}

/** What went wrong, in words for people. @param {unknown} error */
export function explained(error) {
    if (error instanceof Refusal && error.code === "banned") return shutOut(error.message);
    const word = error instanceof Refusal ? known(`error_${error.code}`) : null;
    if (word) return t(word);
    if (error instanceof Refusal && error.status === 404) return t("error_not_found");
    return t("error_internal");
}

/**
 * Something that is fetched, to be shown in each of its states.
 * @template T
 * @typedef {{ state: "loading" } | { state: "failed", error: unknown } | { state: "there", value: T }} Fetched
 */

/**
 * @template T
 * @param {Fetched<T>} fetched
 * @param {(value: T) => Html} there
 */
export function shown(fetched, there) {
    if (fetched.state === "loading") return loading();
    if (fetched.state === "failed") return failed(fetched.error);
    return there(fetched.value);
}

/** Says something for a moment. @param {string} text */
export function toast(text) {
    const place = document.getElementById("toast");
    if (!place) return;
    place.textContent = text;
    place.hidden = false;
    clearTimeout(toasting);
    toasting = setTimeout(() => {
        place.hidden = true;
    }, TOAST_MS);
}

/** @type {number | undefined} */
let toasting;

/** Tells those who listen rather than look. @param {string} text */
export function announce(text) {
    const place = document.getElementById("announcer");
    if (place && place.textContent !== text) place.textContent = text;
}

/**
 * Asks before something that can't be taken back.
 * @param {{ title: string, text: string, yes: string, no: string }} words
 * @returns {Promise<boolean>}
 */
export async function confirmed({ title, text, yes, no }) {
    const value = await answered(html`<h2 id="dialog-title">${title}</h2><p>${text}</p><div class="buttons">
        <button class="quiet" data-do="no" data-test="dialog-cancel">${no}</button>
        <button class="danger" data-do="yes" value="yes" data-test="dialog-confirm">${yes}</button></div>`);
    return value === "yes";
}

/**
 * Lets one of a few things be chosen.
 * @template {string} T
 * @param {object} words
 * @param {string} words.title
 * @param {string} words.text
 * @param {{ value: T, text: string, hint: string, test: string }[]} words.choices
 * @param {string} words.no
 * @returns {Promise<T | null>} null: none of them
 */
export async function chosen({ title, text, choices, no }) {
    const value = await answered(html`<h2 id="dialog-title">${title}</h2><p class="hint">${text}</p>
        <div class="choices">${choices.map((it) => html`<button data-do="yes" value="${it.value}" data-test="${it.test}">
            <b>${it.text}</b><span class="hint">${it.hint}</span></button>`)}</div>
        <button class="link wide" data-do="no" data-test="dialog-cancel">${no}</button>`);
    return choices.find((it) => it.value === value)?.value ?? null;
}

/**
 * A dialog, until one of its buttons is pressed: the button's value, or nothing.
 * @param {Html} markup
 * @returns {Promise<string>}
 */
function answered(markup) {
    const dialog = document.createElement("dialog");
    dialog.dataset["test"] = "dialog";
    dialog.setAttribute("aria-labelledby", "dialog-title");
    patch(dialog, markup);
    document.body.append(dialog);
    return new Promise((resolve) => {
        act(dialog, {
            yes: (button) => dialog.close(button.getAttribute("value") ?? ""),
            no: () => dialog.close(""),
        });
        dialog.addEventListener("click", (event) => {
            if (event.target === dialog) dialog.close("");
        });
        dialog.addEventListener("close", () => {
            dialog.remove();
            resolve(dialog.returnValue);
        });
        dialog.showModal();
    });
}

/** The words for a game's name. @param {string} name */
export function gameTitle(name) {
    const word = known(`game_${name}`);
    return word ? t(word) : name;
}
