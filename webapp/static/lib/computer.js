// Playing against the computer.

import { call } from "./api.js";
import { chosen, explained, toast } from "./parts.js";
import { go, place } from "./router.js";
import { t } from "./words.js";

/** @import { Level, MatchInfo } from "../types.d.ts" */

/** The weakest first. @type {readonly Level[]} */
const LEVELS = ["easy", "medium", "hard"];

/** Asks how strong it shall be, and goes to a match with it. @param {string} game */
export async function playComputer(game) {
    const level = await chosen({
        title: t("play_computer"),
        text: t("play_computer_text"),
        choices: LEVELS.map((it) => ({
            value: it, text: t(`level_${it}`), hint: t(`level_${it}_hint`), test: `level-${it}`,
        })),
        no: t("cancel"),
    });
    if (!level) return;
    try {
        /** @type {MatchInfo} */
        const { id } = await call("POST", "/api/matches", { game, opponent: "computer", level });
        // The lobby may have led there before the answer came.
        const { screen } = place();
        if (screen !== "match") await go(`/match/${id}`, { replace: screen === "queue" });
    } catch (error) {
        toast(explained(error));
    }
}
