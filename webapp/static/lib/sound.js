// Short woody sounds, made as they are needed. Off by default inside Telegram.

import { telegram } from "./telegram.js";
import { wish, wishes } from "./settings.js";

/** @type {AudioContext | null} */
let audio = null;
/** Where all sounds go. @type {AudioNode | null} */
let out = null;
/** @type {AudioBuffer | null} */
let grain = null;

/** Sounds together are this loud at most, before they are rounded off. */
const LOUDEST = 2.5;

/** Whether sounds are wanted. */
export function hasSound() {
    return wishes().sound ?? !telegram.inside;
}

/** @param {boolean} on */
export function setSound(on) {
    wish({ sound: on });
    if (on) {
        wake();
        knock(0.5);
    }
}

/** Browsers give sound only after a touch: call this in one. */
export function wake() {
    if (!hasSound()) return;
    if (!audio) {
        audio = new AudioContext();
        out = roundedOff(audio);
    }
    if (audio.state === "suspended") void audio.resume();
}

/** Something hard on wood. @param {number} force 0 to 1 */
export function knock(force) {
    const loud = 0.12 + 0.5 * force ** 1.5;
    tap(420 + 260 * force, loud, 0.07);
    rub(1400 + 1800 * force, loud * 0.7, 0.03);
}

/** The ball at a wall. @param {number} force 0 to 1 */
export function brush(force) {
    tap(250 + 90 * force, 0.05 + 0.16 * force, 0.05);
}

/** Two hard balls. @param {number} force 0 to 1 */
export function click(force) {
    const loud = 0.03 + 0.42 * force ** 1.3;
    tap(1900 + 700 * force, loud, 0.028);
    rub(3600 + 2400 * force, loud * 0.8, 0.014);
}

/** A ball on rubber under cloth. @param {number} force 0 to 1 */
export function thud(force) {
    const loud = 0.04 + 0.3 * force ** 1.2;
    tap(105 + 45 * force, loud, 0.07);
    rub(420 + 380 * force, loud * 0.7, 0.05);
}

/** A leather tip on a ball. @param {number} force 0 to 1 */
export function strike(force) {
    const loud = 0.08 + 0.3 * force;
    tap(620 + 240 * force, loud, 0.04);
    rub(1500 + 900 * force, loud * 0.9, 0.025);
}

/** A ball drops into leather, and on the balls that lie there. @param {number} force 0 to 1 */
export function drop(force) {
    const loud = 0.16 + 0.28 * force;
    tap(88, loud, 0.12);
    rub(300, loud * 0.8, 0.08);
    tap(760, loud * 0.24, 0.03, 0.13);
    tap(690, loud * 0.14, 0.03, 0.21);
}

/** A point: up for mine, down for theirs. @param {boolean} mine */
export function point(mine) {
    tap(mine ? 392 : 330, 0.25, 0.16);
    tap(mine ? 523 : 262, 0.25, 0.22, 0.11);
}

/** A second of a countdown. */
export function tick() {
    tap(880, 0.08, 0.03);
}

/** The end. @param {boolean} won */
export function finale(won) {
    const notes = won ? [392, 494, 587, 784] : [392, 349, 294];
    notes.forEach((note, i) => tap(note, 0.22, 0.35, i * 0.12));
}

/**
 * A struck bar: two partials that die away.
 * @param {number} pitch @param {number} loud @param {number} long s @param {number} [after] s
 */
function tap(pitch, loud, long, after = 0) {
    if (!hasSound() || audio?.state !== "running" || !out) return;
    const start = audio.currentTime + after;
    for (const [times, share] of /** @type {const} */ ([[1, 1], [2.76, 0.25]])) {
        const tone = audio.createOscillator();
        const gain = audio.createGain();
        tone.frequency.value = pitch * times;
        gain.gain.setValueAtTime(loud * share, start);
        gain.gain.exponentialRampToValueAtTime(0.0001, start + long / times + 0.02);
        tone.connect(gain).connect(out);
        tone.start(start);
        tone.stop(start + long + 0.05);
    }
}

/** The grain of a hit: a breath of noise. */
function rub(/** @type {number} */ pitch, /** @type {number} */ loud, /** @type {number} */ long) {
    if (!hasSound() || audio?.state !== "running" || !out) return;
    grain ??= noise(audio);
    const source = audio.createBufferSource();
    const filter = audio.createBiquadFilter();
    const gain = audio.createGain();
    source.buffer = grain;
    filter.type = "bandpass";
    filter.frequency.value = pitch;
    gain.gain.setValueAtTime(loud, audio.currentTime);
    gain.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + long);
    source.connect(filter).connect(gain).connect(out);
    source.start(0, 0, long + 0.02);
}

/** What is too loud is rounded off, not cut: many hits at once are one crack. @param {AudioContext} audio @returns {AudioNode} */
function roundedOff(audio) {
    const gain = audio.createGain();
    const shaper = audio.createWaveShaper();
    gain.gain.value = 1 / LOUDEST;
    shaper.curve = Float32Array.from({ length: 1025 }, (_, i) => Math.tanh(LOUDEST * (i / 512 - 1)));
    gain.connect(shaper).connect(audio.destination);
    return gain;
}

/** @param {AudioContext} audio */
function noise(audio) {
    const buffer = audio.createBuffer(1, audio.sampleRate * 0.1, audio.sampleRate);
    const samples = buffer.getChannelData(0);
    for (let i = 0; i < samples.length; i += 1) samples[i] = Math.random() * 2 - 1;
    return buffer;
}
