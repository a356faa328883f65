// Where a ball that is aimed at something goes: until it meets the first thing, and a little after.
// Pure geometry, with the table's real cushions, jaws and pockets. Metres, radians, seconds.

/** @import { BallSpec, Placed, Point, Table } from "./types.d.ts" */

/**
 * The first thing that a ball meets on its way: `index` is a ball's number, or where it stands
 * among the table's segments, jaws or pockets. `at` is the ball's centre then.
 * @typedef {object} Contact
 * @property {"ball" | "rail" | "jaw" | "pocket"} kind
 * @property {number} index
 * @property {number} way how far it went
 * @property {Point} at
 * @property {Point} normal from what is met to the ball, of length one; for a pocket, the way back
 */

/** What a shot does first. Directions have length one; `share` is of the speed before. */
/** @typedef {{ direction: Point, share: number }} Leaving */

/** The bounces that are followed to find out which ball is meant. */
const BOUNCES_MAX = 2;
/** A ball that touches a cushion is not inside it for what was rounded. */
const ROUNDED = 1e-6;

/** Where something points. @param {number} heading @returns {Point} */
export function pointing(heading) {
    return [Math.cos(heading), Math.sin(heading)];
}

/** The heading from one point to another. @param {Point} a @param {Point} b */
export function headingTo([ax, ay], [bx, by]) {
    return Math.atan2(by - ay, bx - ax);
}

/** The same heading from -π to π. @param {number} heading */
export function turned(heading) {
    const whole = 2 * Math.PI;
    return heading - whole * Math.floor((heading + Math.PI) / whole);
}

/**
 * What a ball meets first on a straight way. Null: nothing, which a table with gaps may have.
 * @param {Table} table
 * @param {number} radius of every ball
 * @param {readonly Placed[]} others the balls in its way, without itself
 * @param {Point} from
 * @param {Point} direction of length one
 * @returns {Contact | null}
 */
export function firstContact(table, radius, others, from, direction) {
    /** @type {Contact | null} */
    let first = null;
    /** @param {Contact["kind"]} kind @param {number} index @param {number} way @param {(at: Point) => Point} normal */
    const met = (kind, index, way, normal) => {
        if (first && first.way <= way) return;
        const at = along(from, direction, way);
        first = { kind, index, way, at, normal: normal(at) };
    };
    for (const [n, x, y] of others) {
        const way = toCircle(from, direction, [x, y], 2 * radius);
        if (way !== null) met("ball", n, way, (at) => unit(minus(at, [x, y])));
    }
    const reach = noseReach(table, radius);
    table.segments.forEach((it, index) => {
        const way = toSegment(from, direction, it, reach);
        if (way !== null) met("rail", index, way, () => it.normal);
    });
    table.jaws.forEach((jaw, index) => {
        const way = toCircle(from, direction, jaw.centre, jaw.radius + reach);
        if (way !== null) met("jaw", index, way, (at) => unit(minus(at, jaw.centre)));
    });
    table.pockets.forEach((pocket, index) => {
        const way = toCircle(from, direction, pocket.centre, pocket.radius);
        if (way !== null) met("pocket", index, way, () => [-direction[0], -direction[1]]);
    });
    return first;
}

/**
 * How far from a cushion's nose a ball's centre is when they touch: the nose is above the ball's
 * middle, so a little less than its radius.
 * @param {Table} table @param {number} radius
 */
export function noseReach({ nose }, radius) {
    return Math.sqrt(Math.max(0, radius * radius - (nose - radius) * (nose - radius)));
}

/**
 * The ball that a shot is meant for: the first on its way, also off a cushion or two.
 * @param {Table} table
 * @param {number} radius
 * @param {readonly Placed[]} others
 * @param {Point} from
 * @param {Point} direction
 * @returns {Contact | null} whose `kind` is "ball"
 */
export function meant(table, radius, others, from, direction) {
    for (let bounces = 0; bounces <= BOUNCES_MAX; bounces += 1) {
        const contact = firstContact(table, radius, others, from, direction);
        if (!contact || contact.kind === "ball") return contact;
        if (contact.kind === "pocket") return null;
        direction = mirrored(direction, contact.normal);
        from = along(contact.at, direction, 2 * ROUNDED);
    }
    return null;
}

/**
 * Where both balls go after they met: the one that was met along the line of centres; the other
 * as its spin has it once it rolls. Throw is left out.
 * @param {Contact} contact with a ball
 * @param {Point} direction that the ball came in
 * @param {Point} roll of its spin, as `rollOf` in blow.js has it
 * @param {number} restitution of two balls
 * @returns {{ object: Leaving, cue: Leaving }}
 */
export function afterBall({ normal }, direction, roll, restitution) {
    const into = -dot(direction, normal);
    const object = { direction: scaled(normal, -1), share: (into * (1 + restitution)) / 2 };
    const left = along(direction, normal, object.share);
    // Of a sliding ball's motion 5/7 stay, and its spin gives the rest.
    const rolls = along(scaled(left, 5 / 7), roll, 2 / 7);
    const share = Math.hypot(...rolls);
    return { object, cue: { direction: share ? scaled(rolls, 1 / share) : direction, share } };
}

/**
 * How a ball spins forward when it has gone some way: 0 slides, 1 rolls, below 0 spins back.
 * @param {number} speed of the ball when it was struck, in m/s
 * @param {number} spun how it spun forward then
 * @param {number} way in metres
 * @param {BallSpec} spec
 */
export function rollAt(speed, spun, way, { slide, gravity }) {
    if (speed <= 0) return 1;
    const slows = Math.sign(1 - spun) * slide * gravity;
    if (slows === 0) return 1;
    const until = ((1 - spun) * speed) / (3.5 * slows);
    // The way is speed t - slows t²/2; where that has no time, it has rolled before.
    const rest = speed * speed - 2 * slows * way;
    const time = rest < 0 ? until : (speed - Math.sqrt(rest)) / slows;
    if (time >= until) return 1;
    return (spun * speed + 2.5 * slows * time) / (speed - slows * time);
}

/**
 * Which pocket a ball heads for.
 * @param {Table} table @param {Point} from @param {Point} direction
 */
export function pocketAhead({ pockets }, from, direction) {
    let [best, most] = [0, -Infinity];
    pockets.forEach(({ centre }, i) => {
        const straight = dot(unit(minus(centre, from)), direction);
        if (straight > most) [best, most] = [i, straight];
    });
    return best;
}

/**
 * Why a ball may not be put somewhere, by the code of the server's refusal; null: it may.
 * @param {Table} table
 * @param {number} radius
 * @param {readonly Placed[]} others
 * @param {Point} at
 * @param {number | null} line it may not lie beyond, if there is one
 * @returns {"place_outside" | "place_beyond_the_line" | "place_on_a_ball" | null}
 */
export function refusedPlace({ width, length }, radius, others, [x, y], line) {
    const isInside = x >= radius && x <= width - radius && y >= radius && y <= length - radius;
    if (!isInside) return "place_outside";
    if (line !== null && y > line) return "place_beyond_the_line";
    const isFree = others.every(([, ox, oy]) => Math.hypot(x - ox, y - oy) >= 2 * radius);
    return isFree ? null : "place_on_a_ball";
}

/**
 * How far a point has to go in a direction to be on a circle, coming from outside.
 * @param {Point} from @param {Point} direction @param {Point} centre @param {number} radius
 */
function toCircle(from, direction, centre, radius) {
    const to = minus(centre, from);
    const ahead = dot(to, direction);
    if (ahead <= 0) return null;
    const beside = dot(to, to) - ahead * ahead;
    if (beside >= radius * radius) return null;
    return Math.max(0, ahead - Math.sqrt(radius * radius - beside));
}

/** @param {Point} from @param {Point} direction @param {Table["segments"][number]} segment @param {number} reach */
function toSegment(from, direction, segment, reach) {
    const into = -dot(direction, segment.normal);
    const off = dot(minus(from, segment.from), segment.normal) - reach;
    if (into <= 0 || off < -reach) return null;
    const way = Math.max(0, off / into);
    const side = minus(segment.to, segment.from);
    const part = dot(minus(along(from, direction, way), segment.from), side) / dot(side, side);
    return part >= 0 && part <= 1 ? way : null;
}

/** @param {Point} from @param {Point} direction @param {number} way @returns {Point} */
export function along([x, y], [dx, dy], way) {
    return [x + dx * way, y + dy * way];
}

/** @param {Point} direction @param {Point} normal @returns {Point} */
function mirrored(direction, normal) {
    return along(direction, normal, -2 * dot(direction, normal));
}

/** @param {Point} a @param {Point} b */
function dot(a, b) {
    return a[0] * b[0] + a[1] * b[1];
}

/** @param {Point} a @param {Point} b @returns {Point} */
function minus(a, b) {
    return [a[0] - b[0], a[1] - b[1]];
}

/** @param {Point} a @param {number} by @returns {Point} */
export function scaled(a, by) {
    return [a[0] * by, a[1] * by];
}

/** @param {Point} a @returns {Point} */
function unit(a) {
    const size = Math.hypot(a[0], a[1]);
    return size ? [a[0] / size, a[1] / size] : [1, 0];
}
