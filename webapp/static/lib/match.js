// What is known of a match whatever its game, and how a message changes it. Pure.

/** @import { FromMatch, GameState, Outcome, RatingChange, SeatState } from "../types.d.ts" */

/** A trip to a player and back from which on their connection is weak, in ms: as the server has it. */
const WEAK_MS = 250;

/** @typedef {SeatState & { weak: boolean }} Player */

/**
 * @typedef {object} Match
 * @property {GameState["status"]} status
 * @property {number | null} you
 * @property {number} seq the last message's number
 * @property {number} ack the highest number of mine that the server dealt with
 * @property {readonly Player[]} players
 * @property {number | null} readyUntil
 * @property {GameState} state the last whole state that was sent
 * @property {Outcome | null} outcome
 * @property {readonly RatingChange[] | null} ratings
 * @property {readonly number[]} rematch who offers one
 * @property {string | null} next the match that came of it
 */

/**
 * @param {Match | null} match
 * @param {FromMatch} message
 * @returns {Match | null}
 */
export function hear(match, message) {
    if (message.type === "game_state") return stated(message);
    if (!match) return null;
    switch (message.type) {
        case "game_update": {
            const mine = message.seat === match.you && message.n;
            return { ...match, seq: message.seq, ack: Math.max(match.ack, mine || 0) };
        }
        case "score_update": {
            const score = (/** @type {number} */ seat) => message.scores[seat] ?? 0;
            return {
                ...match,
                seq: message.seq,
                players: match.players.map((it) => ({ ...it, score: score(it.seat) })),
            };
        }
        case "player_update":
            if (message.status === "weak" || message.status === "steady") {
                const weak = message.status === "weak";
                return withPlayer(match, message.seat, { weak, rtt: message.rtt ?? null });
            }
            return withPlayer(match, message.seat, {
                ...(message.status === "ready" ? { ready: true } : {}),
                // Who leaves before the start is asked again.
                ...(message.status === "reconnecting" && match.status === "pending" ? { ready: false } : {}),
                connected: message.status !== "reconnecting" && message.status !== "left",
                waiting_until: message.waiting_until ?? null,
            });
        case "game_over":
            return {
                ...match,
                seq: message.seq,
                status: "finished",
                outcome: message.outcome,
                ratings: message.ratings ?? null,
                players: match.players.map((it) => ({ ...it, score: message.outcome.scores[it.seat] ?? it.score })),
            };
        case "rematch":
            return { ...match, rematch: message.seats, next: message.match_id ?? null };
        case "error":
            return message.n ? { ...match, ack: Math.max(match.ack, message.n) } : match;
        default:
            return match;
    }
}

/** Whether something was missed before this message. @param {Match | null} match @param {FromMatch} message */
export function isGap(match, message) {
    if (!match || message.type === "game_state" || !("seq" in message)) return false;
    return message.seq > match.seq + 1;
}

/** @param {GameState} state @returns {Match} */
function stated(state) {
    return {
        status: state.status,
        you: state.you ?? null,
        seq: state.seq,
        ack: state.ack,
        players: state.players.map((it) => ({ ...it, weak: (it.rtt ?? 0) >= WEAK_MS })),
        readyUntil: state.ready_until ?? null,
        state,
        outcome: state.outcome ?? null,
        ratings: state.ratings ?? null,
        rematch: state.rematch,
        next: null,
    };
}

/** @param {Match} match @param {number} seat @param {Partial<Player>} change @returns {Match} */
function withPlayer(match, seat, change) {
    return {
        ...match,
        players: match.players.map((it) => (it.seat === seat ? { ...it, ...change } : it)),
    };
}
