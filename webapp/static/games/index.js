// The games that this page can play. Adding one adds a line; the server says which there are.

import { eightBall, kolkhoz, nineBall, pyramid } from "./billiards/index.js";
import { pong } from "./pong/index.js";

/** @import { FromMatch, GameState } from "../types.d.ts" */
/** @import { Html } from "../lib/html.js" */
/** @import { Pause, Timed } from "../lib/replay.js" */
/** @import { Word } from "../lib/words.js" */

/**
 * What a game is given to play with.
 * @typedef {object} Seat
 * @property {HTMLCanvasElement} canvas the game keeps it described in words
 * @property {HTMLElement} beside a place for what is not drawn: controls, and what is said of the game
 * @property {Time} clock
 * @property {number} [near] whose side is the near one for who only watches
 * @property {((message: object) => number) | null} send sends it until it is acknowledged; its
 *     number. Null where nothing is played: a replay
 * @property {((gesture: object) => void) | null} show lets the others see what my hand does before it
 *     acts: worth something only now, and never sent again
 * @property {(seat: number | null) => void} turns says whose turn it is, in a game that has turns
 */

/**
 * The match's time in ms, and how long a message takes to the server and back.
 * @typedef {{ now(): number, readonly trip: number }} Time
 */

/**
 * A match on the screen.
 * @typedef {object} Stage
 * @property {(message: FromMatch, at?: number) => void} hear `at` is the match's time; now, unless said
 * @property {(messages: readonly (FromMatch & { at: number })[]) => void} recall begins anew with all that was
 *     said, without a sound
 * @property {() => void} stop
 */

/**
 * @typedef {object} Game
 * @property {Word} title
 * @property {Word} about
 * @property {() => Html} picture for lists
 * @property {(state: GameState) => string} rules in one or two sentences
 * @property {Word} tip what the hands do, in one sentence
 * @property {(messages: readonly Timed[]) => Pause[]} pauses when nothing was seen to happen, in a
 *     match that is over
 * @property {boolean} [practice] whether one can play it alone, at `/practice/{game}`
 * @property {string} ground the colour of what is around the field, as #rrggbb
 * @property {string} look the class that a screen of it has
 * @property {(seat: Seat) => Stage} stage
 */

/** @type {Record<string, Game>} */
export const games = {
    eight_ball: eightBall,
    nine_ball: nineBall,
    pyramid,
    kolkhoz,
    pong,
};
