// What stands beside a shot that is looked at: the choice of shots, and what happens line by line.

import { html } from "../lib/html.js";
import { t } from "../lib/words.js";
import { ballIcon } from "../games/billiards/looks.js";
import { farOff } from "../games/billiards/shown.js";

/** @import { Line, Run, Shown } from "../games/billiards/shown.js" */
/** @import { Html } from "../lib/html.js" */

/** What is drawn as marks is so wide. */
const MARKS = 1_000;
/** Below so many seconds or metres, it is told in millionths. */
const FINE = 1e-3;
/** And below this there is none. */
const NONE = 5e-9;

/** @param {ReadonlyMap<string, Shown>} shots @param {string} chosen */
export function shotsOf(shots, chosen) {
    const all = [...shots];
    const groups = [...new Set(all.map(([, { group }]) => group))];
    return groups.map((group) => html`<optgroup label="${group}">${all.filter(([, it]) => it.group === group).map(([key, { title }]) =>
        html`<option value="${key}"${key === chosen ? html` selected` : ""}>${title}</option>`)}</optgroup>`);
}

/** By which laws, and whose. @param {readonly Run[]} runs @param {Run} chosen */
export function runsOf(runs, chosen) {
    return runs.map((run, i) => html`<option value="${i}"${run === chosen ? html` selected` : ""}>${
        t(`shots_${run.by}`, { laws: run.laws })}</option>`);
}

/**
 * Everything that happens, and rest.
 * @param {Run} run @param {readonly Line[]} lines @param {number} past so many lines have been @param {boolean} rests
 */
export function linesShown(run, lines, past, rests) {
    const { path, against, isStill } = run;
    const note = isStill ? t("shots_still") : against ? t("shots_ghosts") : "";
    const late = against && !isStill ? path.rest - against.rest : null;
    const far = against && !isStill ? farOff(run) : 0;
    const isOff = against !== null && (Math.abs(late ?? 0) > against.late || far > against.far);
    const aside = late === null ? "" : `${seconds(late)}, ${metres(far)}`;
    return html`${note ? html`<li class="note" data-key="note">${note}</li>` : ""}
        ${lines.map((line, i) => lineShown(run, line, i < past, i === past - 1 && !rests))}
        ${row(path.rest, html`<span>${t("shot_rest")}</span>`, aside, { isPast: rests, isLast: rests, isOff })}`;
}

/** @param {Run} run @param {Line} line @param {boolean} isPast @param {boolean} isLast */
function lineShown({ discipline, against }, { hit: [time, kind, ball, other, strength], off, only }, isPast, isLast) {
    const second = kind === "ball" && other !== null ? ballIcon(discipline, other) : "";
    const what = html`<span class="who">${ballIcon(discipline, ball)}${second}</span><span>${t(`shot_${kind}`, { a: ball, b: other ?? "" })}</span>`;
    const isOff = only !== null || (off !== null && against !== null && Math.abs(off) > against.late);
    const fast = strength > 0 ? t("shot_strength", { speed: strength.toFixed(2) }) : "";
    const aside = only ? t(`shots_only_${only}`) : off === null ? fast : seconds(off);
    return row(time, what, aside, { isPast, isLast, isOff });
}

/** @param {number} time @param {Html} what @param {string} aside @param {{ isPast: boolean, isLast: boolean, isOff: boolean }} is */
function row(time, what, aside, { isPast, isLast, isOff }) {
    return html`<li><button data-do="seek" data-at="${time * 1000}" data-past="${isPast}" data-off="${isOff}"${isLast ? html` aria-current="true"` : ""}>
        <b>${time.toFixed(3)}</b>${what}<i>${isOff ? "≠ " : ""}${aside}</i></button></li>`;
}

/** A difference of times, with its sign. @param {number} value */
function seconds(value) {
    const sign = value < 0 ? "−" : "+";
    return (Math.abs(value) < NONE ? "" : sign) + told(Math.abs(value), "us", "ms");
}

/** @param {number} value */
function metres(value) {
    return Number.isFinite(value) ? told(value, "um", "mm") : t("shots_far");
}

/** @param {number} value @param {"us" | "um"} fine @param {"ms" | "mm"} coarse */
function told(value, fine, coarse) {
    const [n, unit] = value < FINE ? /** @type {const} */ ([value * 1e6, fine]) : /** @type {const} */ ([value * 1e3, coarse]);
    return t(`shots_${unit}`, { n: value < NONE ? 0 : n.toFixed(n < 10 ? 2 : n < 100 ? 1 : 0) });
}

/** Everything on the line of time. @param {readonly Line[]} lines @param {number} length in ms */
export function marks(lines, length) {
    const x = (/** @type {number} */ at) => Math.round(((at * 1000) / length) * MARKS);
    return html`<svg class="marks" viewBox="0 0 ${MARKS} 32" preserveAspectRatio="none" aria-hidden="true">
        ${lines.map(({ hit: [at, kind] }) => html`<path class="${kind}" d="M${x(at)} ${kind === "rail" || kind === "jaw" ? "21v7" : kind === "pocket" ? "1v10" : "4v7"}"/>`)}</svg>`;
}
