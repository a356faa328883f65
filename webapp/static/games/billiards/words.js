// What is said at the table: whose turn it is, what the referee ruled, where a pocket is.

import { known, t, tally } from "../../lib/words.js";
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

/** The same, and where the ball in hand may go. @param {Scene} scene @param {Turn} turn @param {Names} name */
export function taskWords(scene, turn, name) {
    const words = turnWords(scene, turn, name);
    return turn.hand && turn.seat === scene.you ? `${words}. ${t(`billiards_hand_${turn.hand}`)}` : words;
}

/** What goes on: whose turn it is, or why it is nobody's. @param {Scene} scene @param {boolean} isRolling @param {Names} name */
export function stateWords(scene, isRolling, name) {
    if (scene.over) return t("billiards_over");
    if (isRolling) return t("billiards_moving");
    if (!scene.turn) return t(scene.nextRackAt === null ? "billiards_moving" : "billiards_setting");
    return scene.turn.moves ? t("practice_line") : taskWords(scene, scene.turn, name);
}

/** The table for who can't see it. @param {Scene} scene @param {boolean} isRolling @param {Names} name */
export function tableWords(scene, isRolling, name) {
    const { discipline, turn, lay } = scene;
    const stands = turn?.moves ? [t("billiards_lie", { n: lay.lies.length })] : standWords(scene, name);
    return [t(`game_${discipline}`), stateWords(scene, isRolling, name), ...stands].map((it) => `${it}.`).join(" ");
}

/** How the rack stands. @param {Scene} scene @param {Names} name @returns {string[]} */
function standWords({ discipline, sheet }, name) {
    const { order, groups, shelves, points, fouls } = sheet;
    switch (discipline) {
        case "eight_ball":
            // Whose turn it is says so while the table is open.
            if (!groups.some(Boolean)) return [];
            return order.map((seat) => {
                const left = t("billiards_left_to_pot", { name: name(seat), n: toPot(sheet, seat).length });
                return `${left}, ${t(`billiards_${groups[seat] ?? "open"}`)}`;
            });
        case "nine_ball": {
            const still = `${t("billiards_still")}: ${stillThere(sheet).join(", ")}`;
            const warned = order.filter((seat) => fouls[seat]);
            return [still, ...warned.map((seat) => `${name(seat)}: ${t("billiards_fouls", { n: fouls[seat] ?? 0 })}`)];
        }
        case "pyramid":
            return order.map((seat) => t("billiards_has", { name: name(seat), n: shelves[seat]?.length ?? 0 }));
        default:
            return order.map((seat) => `${name(seat)}: ${tally(points[seat] ?? 0)}`);
    }
}

/** 8-ball: what a seat has to pot before it wins; nothing while the table is open. @param {Sheet} sheet @param {number} seat */
export function toPot({ groups, gone }, seat) {
    const group = groups[seat];
    if (!group) return [];
    const first = group === "solids" ? 1 : 9;
    const own = Array.from({ length: 7 }, (_, i) => first + i).filter((ball) => !gone.includes(ball));
    return own.length ? own : [8];
}

/** 9-ball: what is on the table. @param {Sheet} sheet */
export function stillThere({ gone }) {
    return Array.from({ length: 9 }, (_, i) => i + 1).filter((ball) => !gone.includes(ball));
}

/** What somebody else decided; empty where I did. @param {Scene} scene @param {Names} name */
export function decisionWords({ told, you }, name) {
    if (!told || told.seat === you) return "";
    const who = name(told.seat);
    if (told.took !== undefined) return t("billiards_took", { name: who, n: told.took });
    const choice = known(`billiards_choice_${told.chose}`);
    return choice ? t("billiards_chose", { name: who, choice: t(choice) }) : "";
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
