// What a match's screen is made of. Only looks at things.

import { html } from "../lib/html.js";
import { icon, named, portrait, shortly } from "../lib/parts.js";
import { telegram } from "../lib/telegram.js";
import { clock, signed, t, tally } from "../lib/words.js";

/** @import { MatchInfo, Outcome, PastMatch } from "../types.d.ts" */
/** @import { Match, Player } from "../lib/match.js" */
/** @import { LineState } from "../lib/socket.js" */
/** @import { Html } from "../lib/html.js" */

/** The one thing to do now. @typedef {{ do: string, text: string, press: () => void }} Primary */

/** A trip there and back that is felt, in ms. */
const SLOW_MS = 150;

/**
 * The strip above: who, how good, the score, and what else there is to say.
 * @param {Match | null} match
 * @param {{ near: number, turn: number | null }} whose side is the near one, and whose turn it is, where
 *     there are turns
 * @param {Html | string} aside
 */
export function strip(match, { near, turn }, aside) {
    if (match && match.players.length > 2) return many(match, { near, turn }, aside);
    return html`${who(match, 0, { near, turn })}
        <div class="middle"><span class="score"><b data-test="score-0">${match?.players[0]?.score ?? 0}</b><i>:</i><b
            data-test="score-1">${match?.players[1]?.score ?? 0}</b></span>
            <span class="clock">${aside}</span></div>
        ${who(match, 1, { near, turn })}`;
}

/**
 * The strip for three or more.
 * @param {Match} match
 * @param {{ near: number, turn: number | null }} whose
 * @param {Html | string} aside
 */
function many(match, { near, turn }, aside) {
    return html`<ol class="crowd">${match.players.map((player) => html`<li class="who${player.seat === near ? " near" : ""}"
            data-test="player-${player.seat}" data-turn="${player.seat === turn}">
            <p class="name"><span data-test="name-${player.seat}">${shortly(player)}</span>${match.status === "active" ? weakness(player) : ""}</p>
            <b data-test="score-${player.seat}">${tally(player.score)}</b></li>`)}</ol>
        <span class="clock">${aside}</span>`;
}

/**
 * For how long it is played, and how well we are connected.
 * @param {Match | null} match
 * @param {number} now
 * @param {{ state: LineState, trip: number }} line
 */
export function timeAndLine(match, now, { state, trip }) {
    const n = Math.max(1, Math.round(trip));
    const quality = state !== "online" ? "none" : trip > SLOW_MS ? "slow" : "good";
    const words = quality === "none" ? t("connection_none") : t(`connection_${quality}`, { n });
    return html`${match?.status === "active" ? clock(now) : ""}<span class="bars ${quality}" role="img" aria-label="${words}"
        title="${words}"><i></i><i></i><i></i></span>`;
}

/** @param {Match | null} match @param {number} seat @param {{ near: number, turn: number | null }} whose */
function who(match, seat, { near, turn }) {
    const player = match?.players[seat];
    const mine = match?.you === seat;
    return html`<div class="who${seat === near ? " near" : ""}" data-test="player-${seat}" data-turn="${seat === turn}">${player ? portrait(player) : ""}
        <div><p class="name"><span data-test="name-${seat}">${player ? shortly(player) : ""}</span>${player && match?.status === "active" ? weakness(player) : ""}</p>
            <p class="hint"><span data-test="rating-${seat}">${player ? strength(player) : ""}</span>${mine ? html` · ${t("you")}` : ""}</p></div></div>`;
}

/** How good somebody is: a computer has no rating, but a level. @param {Player} player */
function strength({ computer, rating }) {
    return computer ? t(`level_${computer}`) : String(rating);
}

/** Beside a name: whose connection is weak. @param {Player} player */
function weakness({ seat, weak, rtt }) {
    if (!weak) return "";
    const words = rtt ? t("weak_ms", { n: Math.round(rtt) }) : t("weak");
    return html`<span class="weak" role="img" data-key="weak" data-test="weak-${seat}" aria-label="${words}" title="${words}">${icon("weak")}</span>`;
}

/**
 * Before the first serve.
 * @param {Match} match
 * @param {{ rules: string, now: number, primary: Primary | null, ready: boolean, rated: boolean }} with_
 */
export function readyPanel(match, { rules, now, primary, ready, rated }) {
    const other = match.players.find(({ seat }) => seat !== match.you);
    const rest = match.readyUntil === null ? null : Math.max(0, match.readyUntil - now + 999);
    const isCrowd = match.players.length > 2;
    const text = match.you === null ? "" : primary ? t(isCrowd ? "ready_ask_all" : "ready_ask")
        : isCrowd ? t("ready_wait_all") : t("ready_wait", { name: other ? named(other) : "" });
    return html`<div class="panel" data-key="ready">${isCrowd
            ? html`<ol class="standings" data-key="crowd">${match.players.map((it) => html`<li class="${it.seat === match.you ? "mine" : ""}">
                <span class="name">${shortly(it)}</span>${chip(it, match.you, ready)}</li>`)}</ol>`
            : html`<div class="sides" data-key="sides">${match.players.map((it) => side(it, match.you, ready))}</div>`}
        <p class="hint">${rules}</p>
        ${match.you !== null && !rated ? html`<p class="hint" data-key="unrated" data-test="unrated">${t("unrated")}</p>` : ""}
        <p role="status">${text}</p>
        ${button(primary)}
        ${rest === null ? "" : html`<p class="hint" data-test="ready-countdown">${t("called_off_in", { time: clock(rest) })}</p>`}</div>`;
}

/** Whether somebody in it is a computer. @param {Match} match */
export function hasComputer({ players }) {
    return players.some(({ computer }) => computer);
}

/** @param {Player} player @param {number | null} you @param {boolean} said */
function side(player, you, said) {
    return html`<div class="side">${portrait(player)}<p class="name">${shortly(player)}</p><p class="hint">${strength(player)}</p>
        ${chip(player, you, said)}</div>`;
}

/** @param {Player} player @param {number | null} you @param {boolean} said */
function chip({ seat, ready }, you, said) {
    const isReady = ready || (seat === you && said);
    return html`<p class="chip${isReady ? " on" : ""}" data-test="ready-state-${seat}" data-ready="${isReady}">${isReady ? t("is_ready") : t("not_ready")}</p>`;
}

/**
 * After the last point.
 * @param {Match} match
 * @param {{ id: string, game: string, primary: Primary | null, offered: boolean, open: boolean, room: boolean, rated: boolean }} with_
 */
export function resultPanel(match, { id, game, primary, offered, open, room, rated }) {
    const { outcome, you } = match;
    const mine = you === null ? null : (match.players[you] ?? null);
    const other = match.players.find(({ seat }) => seat !== you) ?? null;
    const isCrowd = match.players.length > 2;
    const offers = match.players.find(({ seat }) => seat !== you && match.rematch.includes(seat));
    const name = other ? named(other) : "";
    const result = mine === null || outcome?.winner === null || outcome?.winner === undefined
        ? "none"
        : outcome.winner === you ? "won" : "lost";
    const winner = match.players.find(({ seat }) => seat === outcome?.winner);
    const score = isCrowd ? standings(match) : mine && other
        ? `${mine.score} : ${other.score}`
        : match.players.map((it) => it.score).join(" : ");
    const why = outcome ? reason(outcome, result, name) : "";
    const theirOffer = match.rematch.some((seat) => seat !== you);
    const offer = offered && (isCrowd || !theirOffer) ? isCrowd ? t("rematch_offered_all") : t("rematch_offered", { name })
        : theirOffer && !offered ? t("rematch_wanted", { name: offers ? named(offers) : name }) : "";
    const isCalledOff = outcome?.reason === "called_off";
    return html`<div class="panel result ${result}" data-key="result" data-test="result" data-result="${result}" role="status">
        <h1 data-test="result-title">${verdict(outcome, isCrowd && result === "lost" ? "none" : result, winner ? named(winner) : "")}</h1>
        ${isCalledOff ? "" : html`${isCrowd ? score : html`<p class="score" data-key="score" data-test="result-score">${score}</p>`}`}
        ${why ? html`<p class="hint" data-key="why" data-test="result-reason">${why}</p>` : ""}
        ${ratingChange(match)}
        ${you !== null && !isCalledOff && !rated ? html`<p class="hint" data-key="unrated" data-test="unrated">${t("unrated")}</p>` : ""}
        <p data-key="offer" data-test="rematch-status" role="status"${offer && open ? "" : html` hidden`}>${offer}</p>
        ${button(primary)}
        ${you === null || room || isCrowd ? "" : html`<a class="button ${isCalledOff ? "primary" : "quiet"} wide" data-key="next" href="/queue/${game}" data-test="next-opponent">${t("next_opponent")}</a>`}
        ${isCalledOff ? "" : html`<a class="button quiet wide" data-key="replay" href="/replay/${id}" data-test="watch-replay">${icon("replay")}${t("watch_replay")}</a>
            <button class="quiet wide" data-key="share" data-do="share" data-test="share-result">${icon("share")}${t("share_result")}</button>`}
        <a class="button quiet wide" data-key="home" href="/" data-test="to-home">${t("to_games")}</a></div>`;
}

/** Who has how much: the winner, who may be the one that stayed, then the best first. @param {Match} match */
function standings({ players, you, outcome }) {
    const won = (/** @type {Player} */ { seat }) => Number(seat === outcome?.winner);
    const sorted = [...players].sort((a, b) => won(b) - won(a) || b.score - a.score);
    return html`<ol class="standings" data-key="score" data-test="result-score">${sorted.map((it) => html`<li class="${it.seat === you ? "mine" : ""}">
        <span class="name">${shortly(it)}</span><b>${signed(it.score)}</b></li>`)}</ol>`;
}

/** How it ended, in a word or two. @param {Outcome | null} outcome @param {string} result @param {string} winner */
export function verdict(outcome, result, winner) {
    if (outcome?.reason === "called_off") return t("called_off");
    if (result === "won") return t("won");
    if (result === "lost") return t("lost");
    if (winner) return t("user_won", { name: winner });
    return outcome?.reason === "score" ? t("drawn") : t("nobody_won");
}

/** @param {Outcome} outcome @param {string} result @param {string} name */
function reason({ reason }, result, name) {
    if (reason === "abandoned") return t("reason_abandoned");
    if (reason === "called_off") return t("reason_called_off");
    if (reason !== "forfeit") return "";
    if (result === "won") return t("reason_forfeit_won", { name });
    return result === "lost" ? t("reason_forfeit_lost") : t("reason_forfeit");
}

/** @param {Match} match */
function ratingChange(match) {
    const change = match.ratings?.find(({ seat }) => seat === match.you);
    if (!change) return "";
    const { before, after, provisional } = change;
    return html`<p class="change" data-key="change" data-test="rating-change" data-before="${before}" data-after="${after}"
        aria-label="${t("rating_change", { before, after })}"><span class="hint">${t("rating")}</span>
        <b>${after}</b> <span class="${after < before ? "down" : "up"}">${signed(after - before)}</span>
        ${provisional ? html`<span class="hint">${t("provisional")}</span>` : ""}</p>`;
}

/** In Telegram the primary button is Telegram's. @param {Primary | null} primary */
function button(primary) {
    if (!primary) return "";
    return html`<button class="primary wide" data-key="${primary.do}" data-do="${primary.do}" data-test="${primary.do}"${telegram.inside ? html` hidden` : ""}>${primary.text}</button>`;
}

/**
 * A match that was over before we came, from what is kept of it.
 * @param {MatchInfo} info
 * @param {PastMatch | null} past
 * @param {string} me
 * @returns {Match}
 */
export function remembered(info, past, me) {
    const you = info.players.find(({ user }) => user.id === me)?.seat ?? null;
    const winner = info.players.find(({ user }) => user.id === info.winner)?.seat ?? null;
    const before = past?.players.map((it) => it.rating_before ?? null) ?? [];
    const players = info.players.map(({ user, seat, side, score, ready, computer }, i) => ({
        seat, side, user, score, ready, computer: computer ?? null, rating: before[i] ?? 0, provisional: false,
        connected: false, waiting_until: null, rtt: null, weak: false,
    }));
    const ratings = past?.players.flatMap(({ seat, rating_before, rating_after }) =>
        typeof rating_before === "number" && typeof rating_after === "number"
            ? [{ seat, before: rating_before, after: rating_after, provisional: false }]
            : []);
    const outcome = /** @type {Outcome} */ ({
        winner, reason: past?.reason ?? "score", scores: players.map(({ score }) => score),
    });
    return {
        status: "finished", you, seq: 0, ack: 0, players, readyUntil: null, outcome,
        state: /** @type {any} */ ({ options: info.options }),
        ratings: ratings?.length ? ratings : null, rematch: [], next: null,
    };
}
