// What a shot sounds and feels like: every hit by its strength, when it is seen.

import { click, drop, strike, thud } from "../../lib/sound.js";
import { telegram } from "../../lib/telegram.js";
import { shotAt, shotTime } from "./scene.js";

/** @import { Hit, Path, Shot } from "./types.d.ts" */
/** @import { Scene } from "./scene.js" */

/** Hits are not heard that are longer past than this, in seconds: somebody looked away, or wound. */
const PAST = 0.25;
/** In one frame only the strongest are heard: of a break it is one crack. */
const AT_ONCE = 4;
/** Weaker ones make no sound, in m/s. */
const SILENT = 0.02;
/** Hits of this strength sound as loud as any, in m/s. */
const LOUDEST = { strike: 7, ball: 5.5, rail: 4.5, jaw: 4.5, pocket: 3.5 };

const SOUNDS = { strike, ball: click, rail: thud, jaw: thud, pocket: drop };

/** Follows what is seen, and lets it be heard. */
export class Ears {
    /** @type {Shot | null} */
    #shot = null;
    #heard = 0;

    /**
     * Call it with every frame.
     * @param {Scene} scene
     * @param {number} now the match's time
     */
    follow(scene, now) {
        const shot = shotAt(scene, now);
        const t = shotTime(scene, now);
        if (shot !== this.#shot) [this.#shot, this.#heard] = [shot, -PAST / 2];
        if (!shot) return;
        const hits = t > this.#heard && t - this.#heard < PAST ? hitsBetween(shot.path, this.#heard, t) : [];
        this.#heard = t;
        for (const [, kind, , , strength] of loudest(hits)) {
            SOUNDS[kind](Math.min(1, (strength / LOUDEST[kind]) ** 0.7));
        }
        if (scene.you !== null && hits.some(([, kind]) => kind === "pocket")) telegram.haptic("light");
    }
}

/** After `from`, up to `to`, in seconds of the path. @param {Path} path @param {number} from @param {number} to */
export function hitsBetween({ hits }, from, to) {
    return hits.filter(([t]) => t > from && t <= to);
}

/** @param {readonly Hit[]} hits */
function loudest(hits) {
    return hits
        .filter(([, , , , strength]) => strength >= SILENT)
        .sort((a, b) => b[4] - a[4])
        .slice(0, AT_ONCE);
}
