// What the screens of rooms are made of. Only looks at things.

import { html } from "../lib/html.js";
import { avatar, icon } from "../lib/parts.js";
import { known, t } from "../lib/words.js";

/** @import { RoomInfo, RoomLine, RoomMember, RoomScore } from "../types.d.ts" */
/** @import { Field, Values } from "../lib/options.js" */
/** @import { Html } from "../lib/html.js" */

/** What an option of a game is called. @param {string} game @param {Field} field */
export function optionName(game, { name, text }) {
    const word = known(`option_${game}_${name}`);
    return word ? t(word) : text;
}

/** @param {string} game @param {Field} field @param {unknown} value */
export function optionValue(game, field, value) {
    if (field.kind === "switch") return value ? t("yes") : t("no");
    if (field.kind !== "choice") return String(value);
    return choiceName(game, field.name, value, String(value));
}

/** @param {string} game @param {string} name @param {unknown} value @param {string} text */
function choiceName(game, name, value, text) {
    const word = known(`option_${game}_${name}_${value}`);
    return word ? t(word) : text;
}

/**
 * The fields of a form for options.
 * @param {string} game
 * @param {Field[]} fields
 * @param {Values} values
 * @param {Record<string, string>} wrong what is wrong, by field
 */
export function optionFields(game, fields, values, wrong) {
    return html`${fields.map((field) => {
        const id = `option-${field.name}`;
        const value = values[field.name];
        const error = wrong[field.name];
        const bad = error ? html` aria-invalid="true" aria-describedby="${id}-wrong"` : "";
        return html`<div class="row option" data-key="${id}"><label for="${id}">${optionName(game, field)}</label>
            ${field.kind === "number"
                ? html`<input id="${id}" name="${field.name}" type="number" inputmode="numeric" value="${value}" step="${field.step}"
                    ${Number.isFinite(field.min) ? html`min="${field.min}"` : ""} ${Number.isFinite(field.max) ? html`max="${field.max}"` : ""}
                    data-test="option-${field.name}"${bad}>`
                : field.kind === "switch"
                ? html`<input id="${id}" name="${field.name}" type="checkbox" class="check" data-test="option-${field.name}"${value ? html` checked` : ""}>`
                : html`<select id="${id}" name="${field.name}" data-test="option-${field.name}"${bad}>${field.choices.map((it, i) =>
                    html`<option value="${i}"${it.value === value ? html` selected` : ""}>${choiceName(game, field.name, it.value, it.text)}</option>`)}</select>`}
            ${error ? html`<p class="wrong" id="${id}-wrong" data-test="option-wrong-${field.name}">${error}</p>` : ""}</div>`;
    })}`;
}

/** What is wrong with a field that says nothing that may be. @param {Field} field */
export function rangeOf(field) {
    return field.kind === "number" && Number.isFinite(field.min) && Number.isFinite(field.max)
        ? t("option_range", { min: field.min, max: field.max })
        : t("field_required");
}

/**
 * Every seat, and who sits there.
 * @param {RoomInfo} room
 * @param {{ me: string, free: boolean }} with_ `free`: whether a free seat may be taken by me
 */
export function seatList(room, { me, free }) {
    const seats = Array.from({ length: room.seats.max }, (_, seat) => ({
        seat, member: room.members.find((it) => it.seat === seat),
    }));
    return html`<ol class="list" data-test="seats">${seats.map(({ seat, member }) => member
        ? person(room, member, { me })
        : html`<li class="item free" data-key="seat-${seat}" data-test="free-seat" data-seat="${seat}">
            <span class="avatar" aria-hidden="true">${icon("chair")}</span>
            <div class="grow"><p class="hint">${t("seat_n", { n: seat + 1 })} · ${t("free_seat")}</p></div>
            ${free ? html`<button class="quiet" data-do="sit" data-test="take-seat">${t("take_seat")}</button>` : ""}</li>`)}</ol>`;
}

/** Who only watches. @param {RoomInfo} room @param {{ me: string }} with_ */
export function watcherList(room, with_) {
    const watchers = room.members.filter(({ seat }) => typeof seat !== "number");
    if (!watchers.length) return "";
    return html`<h2 data-key="watchers-title">${t("room_watchers")}</h2>
        <div class="card" data-key="watchers"><ol class="list" data-test="watchers">${watchers.map((it) => person(room, it, with_))}</ol></div>`;
}

/** @param {RoomInfo} room @param {RoomMember} member @param {{ me: string }} with_ @returns {Html} */
function person(room, { user, seat, ready }, { me }) {
    const isSeated = typeof seat === "number";
    const isTheHost = user.id === room.host;
    return html`<li class="item${user.id === me ? " mine" : ""}" data-key="${user.id}" data-test="member" data-user-id="${user.id}" data-ready="${ready}" data-host="${isTheHost}">
        ${avatar(user)}<div class="grow"><p class="named"><b>${user.display_name}</b>${isTheHost ? html`<span class="outcome">${t("host")}</span>` : ""}</p>
            ${isSeated ? html`<p class="hint">${t("seat_n", { n: Number(seat) + 1 })}${user.id === me ? html` · ${t("you")}` : ""}</p>` : user.id === me ? html`<p class="hint">${t("you")}</p>` : ""}</div>
        ${isSeated && !isTheHost && !room.match_id ? html`<span class="outcome ready${ready ? " won" : ""}" data-key="ready">${ready ? html`✓ ${t("is_ready")}` : t("not_ready")}</span>` : ""}
        ${user.id !== me ? html`<button class="tool" data-key="more" data-do="member" data-user="${user.id}" data-test="member-actions"
            aria-label="${t("member_actions", { name: user.display_name })}" title="${t("member_actions", { name: user.display_name })}">${icon("more")}</button>` : ""}</li>`;
}

/** The running table. @param {readonly RoomScore[]} table */
export function scoreTable(table) {
    if (!table.length) return "";
    return html`<h2 data-key="table-title">${t("running_table")}</h2>
        <div class="card" data-key="table"><table class="scores" data-test="room-table">
            <thead><tr><th scope="col">${t("table_name")}</th><th scope="col">${t("table_matches")}</th>
                <th scope="col">${t("table_wins")}</th><th scope="col">${t("table_points")}</th></tr></thead>
            <tbody>${table.map(({ user, matches, wins, points }) => html`<tr data-key="${user.id}" data-test="room-score" data-user-id="${user.id}" data-wins="${wins}" data-matches="${matches}">
                <th scope="row">${user.display_name}</th><td>${matches}</td><td>${wins}</td><td>${points}</td></tr>`)}</tbody></table></div>`;
}

/** @param {readonly RoomLine[]} lines @param {string} me */
export function talk(lines, me) {
    return html`<ol class="lines" role="log" aria-label="${t("chat")}" tabindex="0" data-test="chat-lines">${lines.length
        ? lines.map(({ user, at, text }) => html`<li data-key="${user.id}${at}" data-test="chat-line"${user.id === me ? html` class="own"` : ""}>
            <b>${user.display_name}</b> <span>${text}</span></li>`)
        : html`<li class="hint" data-key="none">${t("chat_empty")}</li>`}</ol>`;
}
