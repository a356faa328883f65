// What is said at the table: whose turn it is, what the referee ruled, where a pocket is.

import { known, t } from "../../lib/words.js";
import { isPool } from "./looks.js";

/** @import { Scene } from "./scene.js" */
/** @import { Place } from "./table.js" */
/** @import { Sheet, Turn, Verdict } from "./types.d.ts" */

/** What a seat is called. @typedef {(seat: number) => string} Names */

/** Whose turn it is, and what has to be hit. @param {Scene} scene @param {Turn} turn @param {Names} name */
export function turnWords(scene, turn, name) {
    const mine = turn.seat === scene.you;
    const word = t(mine ? `billiards_${turn.phase}_mine` : `billiards_${turn.phase}`, { name: name(turn.seat) });
    const target = turn.phase === "shoot" ? targetWords(scene, turn) : "";
    return target ? `${word}: ${target}` : word;
}

/** @param {Scene} scene @param {Turn} turn */
function targetWords({ discipline, sheet }, { seat, on }) {
    if (discipline === "nine_ball") return t("billiards_first", { n: on[0] ?? "" });
    if (discipline !== "eight_ball") return "";
    if (on.length === 1 && on[0] === 8) return t("billiards_eight");
    const group = sheet.groups[seat];
    return group ? t(`billiards_${group}`) : t("billiards_open");
}

/**
 * What the referee ruled, in a sentence or two; empty when there is nothing to explain.
 * @param {Scene} scene
 * @param {Verdict} verdict
 * @param {Names} name
 */
export function rulingWords({ discipline, you }, { seat, ruling, fouls, potted, points }, name) {
    const mine = seat === you ? "_mine" : "";
    const why = fouls.map((fault) => t(
        fault === "no_cushion" && !isPool(discipline)
            ? "billiards_fault_no_cushion_pyramid" : `billiards_fault_${fault}`,
    )).join(", ");
    const values = { name: name(seat), why };
    switch (ruling) {
        case "goes_on":
        case "turn_passes": {
            if (!potted.length) return "";
            const balls = potted.map(([ball]) => ball).join(", ");
            const n = points.reduce((sum, it) => sum + it, 0) || potted.length;
            return isPool(discipline) ? t("billiards_potted", { balls }) : t("billiards_potted_n", { n });
        }
        case "eight_on_break":
        case "rack_over":
            return t(`billiards_${ruling}`);
        default: {
            // An illegal break is its own explanation.
            const word = known(`billiards_${ruling}${mine}`);
            return word ? t(word, values) : "";
        }
    }
}

/**
 * What a new sheet tells beyond the ruling: groups that are given, and a warning.
 * @param {Scene} scene the new one
 * @param {Sheet} old
 * @param {Names} name
 */
export function sheetWords({ sheet, you }, old, name) {
    const given = sheet.groups.some((group, i) => group && !old.groups[i]) && old.rack === sheet.rack;
    if (given) {
        const seat = you ?? 0;
        const group = sheet.groups[seat];
        if (!group) return "";
        return you === null
            ? t("billiards_group", { name: name(seat), group: t(`billiards_${group}`) })
            : t(`billiards_group_${group}`);
    }
    const warned = you !== null && sheet.fouls[you] === 2 && old.fouls[you] !== 2;
    return warned ? t("billiards_warned_mine") : "";
}

/** Where a pocket is on the screen. @param {Place} place @param {number} pocket */
export function pocketWords(place, pocket) {
    const found = place.table.pockets[pocket];
    if (!found) return "";
    const [x, y] = place.at(found.centre[0], found.centre[1]);
    const { left, top, width, height } = place.cloth;
    const across = x < left + width / 4 ? "left" : x > left + (width * 3) / 4 ? "right" : "";
    const down = y < top + height / 4 ? "top" : y > top + (height * 3) / 4 ? "bottom" : "";
    const word = known(`billiards_pocket_${[down, across].filter(Boolean).join("_")}`);
    return word ? t(word) : String(pocket + 1);
}

/** What a ball is called where its picture is not. @param {Scene} scene @param {number} ball */
export function ballWords({ discipline }, ball) {
    return ball === 0 && !isPool(discipline) ? t("billiards_yellow") : t("billiards_ball", { n: ball });
}
