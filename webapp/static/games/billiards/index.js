// The four games at a billiard table. They share one table on the screen: what differs is what the
// server tells of them, and their words.

import { t } from "../../lib/words.js";
import { Hall } from "./hall.js";
import { picture } from "./picture.js";
import { pauses } from "./scene.js";

/** @import { Game } from "../index.js" */
/** @import { Discipline } from "./types.d.ts" */

/** How many racks a match has unless said. */
const RACKS = { eight_ball: 1, nine_ball: 3, pyramid: 1, kolkhoz: 3 };

/** @param {Discipline} discipline @returns {Game} */
function game(discipline) {
    return {
        title: `game_${discipline}`,
        about: `game_${discipline}_about`,
        rules(state) {
            const options = /** @type {{ racks?: number, casual?: boolean } | null} */ (state.options);
            const n = options?.racks ?? RACKS[discipline];
            const isCasual = discipline === "eight_ball" && options?.casual;
            return t(isCasual ? "eight_ball_rules_casual" : `${discipline}_rules`, { n });
        },
        tip: "billiards_tip",
        picture: () => picture(discipline),
        // As `--court` in style/0-tokens.css.
        ground: "#14181a",
        look: "billiards",
        pauses,
        practice: true,
        stage: (seat) => new Hall(seat),
    };
}

export const eightBall = game("eight_ball");
export const nineBall = game("nine_ball");
export const pyramid = game("pyramid");
export const kolkhoz = game("kolkhoz");
