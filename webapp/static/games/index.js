// The games that this page can play. Adding one adds a line; the server says which there are.

import { pong } from "./pong/index.js";

/** @import { FromMatch, GameState } from "../types.d.ts" */
/** @import { Html } from "../lib/html.js" */
/** @import { Clock } from "../lib/clock.js" */
/** @import { Word } from "../lib/words.js" */

/**
 * What a game is given to play with.
 * @typedef {object} Seat
 * @property {HTMLCanvasElement} canvas
 * @property {Clock} clock the server's time
 * @property {(message: object) => number} send sends it until it is acknowledged; its number
 */

/**
 * A match on the screen.
 * @typedef {object} Stage
 * @property {(message: FromMatch) => void} hear
 * @property {() => void} stop
 */

/**
 * @typedef {object} Game
 * @property {Word} title
 * @property {Word} about
 * @property {() => Html} picture for lists
 * @property {(state: GameState) => string} rules in one or two sentences
 * @property {(seat: Seat) => Stage} stage
 */

/** @type {Record<string, Game>} */
export const games = { pong };
