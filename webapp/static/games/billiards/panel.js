// What stands around the cloth: whose turn, whose balls, the clock, and the controls. Only looks at
// things; `hall.js` does what its buttons say.

import { html } from "../../lib/html.js";
import { icon } from "../../lib/parts.js";
import { t, tally } from "../../lib/words.js";
import { ballIcon } from "./looks.js";
import { refusedAt } from "./plan.js";
import { ballWords, pocketWords, stateWords, stillThere, toPot } from "./words.js";

/** @import { Foreseen, Plan, Task } from "./plan.js" */
/** @import { Scene } from "./scene.js" */
/** @import { Place } from "./table.js" */
/** @import { Names } from "./words.js" */

/**
 * @typedef {object} Around
 * @property {Scene} scene
 * @property {Names} name
 * @property {Place} place
 * @property {boolean} isRolling
 * @property {{ text: string, isFoul: boolean } | null} note what the referee ruled just now
 * @property {boolean} plays whether I sit at the table
 * @property {{ task: Task, plan: Plan, foreseen: Foreseen | null } | null} mine my turn, if it is
 * @property {boolean} pad whether the spin pad is open
 */

/** @param {Around} around */
export function panel(around) {
    const { scene, plays, note } = around;
    return html`<div class="status" data-key="status" data-test="billiards" data-phase="${phase(around)}"
            data-mine="${around.mine !== null}">
            ${sheet(around)}
            <p class="line" data-test="billiards-line">${line(around)}</p></div>
        ${plays && !scene.over ? html`${wheel()}${power()}${dock(around)}` : ""}
        <div class="over" data-key="over">${plays && !scene.over ? html`<canvas class="lens" data-keep data-key="lens" aria-hidden="true" hidden></canvas>` : ""}${note ? html`<p class="note${note.isFoul ? " foul" : ""}" data-key="note"
            data-test="ruling">${note.text}</p>` : ""}${around.pad && around.mine ? pad(around.mine) : ""}</div>`;
}

/** Where things stand, in a word: for styles and tests. @param {Around} around */
function phase({ scene, isRolling, mine }) {
    if (scene.over) return "over";
    if (isRolling) return "moving";
    if (mine?.plan.sent) return "sent";
    return scene.turn?.phase ?? (scene.nextRackAt === null ? "moving" : "setting");
}

/** The one line of words: what is wrong with what I do, else what there is to do. @param {Around} around */
function line(around) {
    const { scene, isRolling, mine, name } = around;
    const { turn } = scene;
    const isShot = mine && turn && !scene.over && !isRolling && turn.phase !== "choose" && turn.phase !== "take";
    if (!isShot) return stateWords(scene, isRolling, name);
    const { plan, task, foreseen } = mine;
    const refused = plan.hover && refusedAt(task, plan.hand, plan.hover);
    if (refused) return html`<b class="wrong">${t(`error_${refused}`)}</b>`;
    if (plan.ball === null) return t("billiards_striker");
    if (foreseen?.isWrong) return html`<b class="wrong">✕ ${t("billiards_wrong_first")}</b>`;
    return stateWords(scene, isRolling, name);
}

/** Balls and clock. @param {Around} around */
function sheet(around) {
    switch (around.scene.discipline) {
        case "eight_ball":
        case "pyramid":
            return html`${shelf(around, 0)}${clock()}${shelf(around, 1)}`;
        case "nine_ball":
            return html`${still(around)}${clock()}`;
        default:
            return html`${crowd(around)}${clock()}`;
    }
}

/** What a side has to pot, or has potted. @param {Around} around @param {number} seat */
function shelf({ scene: { discipline, sheet }, name }, seat) {
    const { groups, shelves } = sheet;
    if (discipline === "pyramid") {
        const balls = shelves[seat] ?? [];
        const free = Array.from({ length: Math.max(0, 8 - balls.length) }, () => html`<i class="slot"></i>`);
        return html`<div class="shelf" role="img" data-test="shelf-${seat}" data-n="${balls.length}"
            aria-label="${t("billiards_has", { name: name(seat), n: balls.length })}">
            ${balls.map((ball) => ballIcon(discipline, ball))}${free}</div>`;
    }
    const balls = toPot(sheet, seat);
    return html`<div class="shelf" role="img" data-test="shelf-${seat}" data-group="${groups[seat] ?? ""}" data-n="${balls.length}"
        aria-label="${t("billiards_left_to_pot", { name: name(seat), n: balls.length })}">
        ${balls.map((ball) => ballIcon(discipline, ball))}</div>`;
}

/** 9-ball: what is on the table, and who is close to three fouls. @param {Around} around */
function still({ scene: { discipline, sheet }, name }) {
    const balls = stillThere(sheet);
    const warned = sheet.fouls.flatMap((n, seat) => n > 0
        ? [html`<span class="chip" data-key="${seat}" role="img" aria-label="${name(seat)}: ${t("billiards_fouls", { n })}"><span>${name(seat)}</span>${"✕".repeat(n)}</span>`] : []);
    return html`<div class="shelf" role="img" data-test="still" aria-label="${t("billiards_still")}: ${balls.join(", ")}">
        ${balls.map((ball) => ballIcon(discipline, ball))}</div>${warned.length ? html`<div class="fouls">${warned}</div>` : ""}`;
}

/** Kolkhoz: everybody in the order of play, with this rack's balls. @param {Around} around */
function crowd({ scene: { sheet: { rack, order, points, shelves, out }, turn, you, discipline, coloured }, name }) {
    return html`<span class="hint rack">${t("billiards_rack", { n: rack })}</span><ol class="order">${order.map((seat) => {
        const last = shelves[seat]?.at(-1);
        return html`<li data-key="${seat}" data-turn="${turn?.seat === seat}" class="${seat === you ? "mine" : ""}" data-test="shelf-${seat}"
            data-n="${points[seat] ?? 0}">
            <span class="name">${name(seat)}</span>
            <b>${tally(points[seat] ?? 0)}${last === undefined ? "" : ballIcon(discipline, last, coloured)}</b>
            ${out[seat] ? html`<span class="hint">${t("billiards_out")}</span>` : ""}</li>`;
    })}</ol>`;
}

// What follows the hand or the time is filled in by `hall.js`, at every frame.

function clock() {
    return html`<div class="ring" data-keep data-key="ring" role="timer" data-test="shot-clock"><b></b></div>`;
}

function wheel() {
    return html`<div class="wheel" data-keep data-key="wheel" data-test="wheel" role="slider" tabindex="0" aria-label="${t("billiards_wheel")}"
        aria-valuemin="-180" aria-valuemax="180"></div>`;
}

function power() {
    return html`<div class="power" data-keep data-key="power" data-test="power" role="slider" tabindex="0" aria-label="${t("billiards_power")}"
        aria-valuemin="0" aria-valuemax="100" title="${t("billiards_pull")}"><svg viewBox="0 0 16 24" aria-hidden="true"><path d="M3 5l5 5 5-5M3 13l5 5 5-5"/></svg><i></i><b></b></div>`;
}

/** What is said and chosen with buttons. @param {Around} around */
function dock(around) {
    const { mine } = around;
    const inside = !mine || mine.plan.sent !== null ? "" : mine.task.turn.phase === "choose"
        ? choices(mine.task) : mine.task.turn.phase === "take" ? takes(around, mine) : shot(around, mine);
    return html`<div class="dock" data-key="dock">${inside}</div>`;
}

/** @param {Task} task */
function choices({ turn }) {
    return html`${turn.choices.map((choice, i) => html`<button class="${i ? "" : "primary"}" data-key="${choice}" data-do="choose"
        data-choice="${choice}" data-test="choice-${choice}">${t(`billiards_choice_${choice}`)}</button>`)}`;
}

/** @param {Around} around @param {{ task: Task, plan: Plan }} mine */
function takes({ scene }, { task, plan }) {
    return html`<label class="pick" data-key="take"><span class="hidden">${t("billiards_take_which")}</span>
        <select data-pick="take" data-test="take-which">${plan.take === null ? html`<option value="" selected>${t("billiards_take_which")}</option>` : ""}
        ${task.turn.takes.map((ball) => option(ball, ballWords(scene, ball), ball === plan.take))}</select></label>
        <button class="primary" data-key="take-it" data-do="take" data-test="take"${plan.take === null ? html` disabled` : ""}>${plan.take === null
            ? t("billiards_take_none") : t("billiards_take_it", { n: plan.take })}</button>`;
}

/** @param {Around} around @param {{ task: Task, plan: Plan }} mine */
function shot(around, { task: { turn }, plan }) {
    return html`${plan.ball === null ? "" : spinButton(plan)}
        ${turn.strikers.length > 1 ? striker(around.scene, plan) : ""}
        ${turn.calls ? call(around, turn.on, plan) : ""}
        ${turn.safety ? html`<button class="toggle" data-key="safety" data-do="safety" data-test="safety" aria-pressed="${plan.safety}">${t("billiards_safety")}</button>` : ""}
        ${turn.push_out ? html`<button class="toggle" data-key="push" data-do="push" data-test="push-out" aria-pressed="${plan.pushOut}">${t("billiards_push")}</button>` : ""}`;
}

/** @param {Plan} plan */
function spinButton({ side, height, elevation }) {
    const words = elevation ? `${spinWords(side, height)}. ${t("billiards_raised_by", { n: degrees(elevation) })}` : spinWords(side, height);
    return html`<button class="spin" data-key="spin" data-do="spin" data-test="spin" aria-label="${words}">
        <svg viewBox="0 0 40 40" aria-hidden="true"><circle cx="20" cy="20" r="18" fill="#f3ead7"/>
        <circle cx="20" cy="20" r="12" fill="none" stroke="#c8bda5"/>
        <circle cx="${20 - side * 24}" cy="${20 - height * 24}" r="4" fill="#2a6f9e"/></svg>${elevation ? html`<b>${degrees(elevation)}°</b>` : ""}</button>`;
}

/** @param {Scene} scene @param {Plan} plan */
function striker(scene, plan) {
    const n = plan.ball;
    return html`<button class="pick" data-key="striker" data-do="striker" data-test="striker"
        aria-label="${n === null ? t("billiards_next_ball") : t("billiards_other_striker")}">${n === null
            ? t("billiards_next_ball") : html`${ballIcon(scene.discipline, n)}${t("billiards_other_striker")}`}</button>`;
}

/** @param {Around} around @param {readonly number[]} on @param {Plan} plan */
function call({ scene, place }, on, { call: called, safety }) {
    const pockets = place.table.pockets.map((_, i) => option(i, pocketWords(place, i), i === called?.pocket));
    return html`<div class="call" data-key="call" data-test="call" data-ball="${called?.ball ?? ""}" data-pocket="${called?.pocket ?? ""}"${safety ? html` data-off` : ""}>
        ${called ? ballIcon(scene.discipline, called.ball) : ""}
        <select data-pick="ball" data-test="call-ball" aria-label="${t("billiards_call_ball")}">${called ? "" : html`<option value="" selected></option>`}
            ${on.map((ball) => option(ball, String(ball), ball === called?.ball))}</select><span aria-hidden="true">→</span>
        <select data-pick="pocket" data-test="call-pocket" aria-label="${t("billiards_call_pocket")}">${pockets}</select></div>`;
}

/** @param {number} value @param {string} text @param {boolean} selected */
function option(value, text, selected) {
    return html`<option value="${value}"${selected ? html` selected` : ""}>${text}</option>`;
}

/** The spin pad, and for those who want it how far the cue is raised. @param {{ task: Task, plan: Plan }} mine */
function pad({ task: { limits }, plan: { side, height, elevation } }) {
    const [x, y, most] = [50 - side * 50, 50 - height * 50, limits.tip * 50];
    const n = degrees(elevation);
    return html`<div class="pad" data-key="pad" data-test="spin-pad" role="group" tabindex="0" data-keys="own" aria-label="${spinWords(side, height)}">
        <svg class="face" viewBox="0 0 100 100" aria-hidden="true">
            <defs><radialGradient id="ivory" cx=".4" cy=".32" r=".8"><stop offset="0" stop-color="#fffaf0"/><stop offset=".6" stop-color="#f3ead7"/><stop offset="1" stop-color="#b5a888"/></radialGradient></defs>
            <circle cx="50" cy="50" r="49.500" fill="url(#ivory)"/>
            <circle cx="50" cy="50" r="${most}" fill="none" stroke="#6b5f47" stroke-dasharray="1.500 2"/>
            <path d="M50 ${50 - most}V${50 + most}M${50 - most} 50H${50 + most}" stroke="#6b5f47" stroke-width=".5" opacity=".6"/>
            <circle cx="${x}" cy="${y}" r="5" fill="#2a6f9e" stroke="#fff" stroke-width="1.200"/></svg>
        <div class="raise"><b aria-hidden="true">${n}°</b><input type="range" min="0" max="${Math.floor(limits.elevation * 180 / Math.PI)}" step="1" value="${n}" data-pick="elevation"
            data-test="elevation" aria-label="${t("billiards_raised")}" aria-valuetext="${n}°" title="${t("billiards_raised")}">
        <button data-do="centre" data-test="spin-centre" aria-label="${t("billiards_spin_centre")}" title="${t("billiards_spin_centre")}">${icon("again")}</button></div></div>`;
}

/** @param {number} radians */
function degrees(radians) {
    return Math.round(radians * 180 / Math.PI);
}

/** @param {number} side @param {number} height */
function spinWords(side, height) {
    if (!side && !height) return `${t("billiards_spin")}: ${t("billiards_spin_none")}`;
    /** @param {number} it */
    const n = (it) => Math.round(Math.abs(it) * 200);
    const sideways = !side ? t("billiards_spin_none") : t(side > 0 ? "billiards_spin_left" : "billiards_spin_right", { n: n(side) });
    const upwards = !height ? t("billiards_spin_none") : t(height > 0 ? "billiards_spin_top" : "billiards_spin_back", { n: n(height) });
    return t("billiards_spin_is", { sideways, upwards });
}
