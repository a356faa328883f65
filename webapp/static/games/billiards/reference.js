// Files of reference runs, as shots to look at: the reference's own, drawn from the states that the
// file tells after every event, and ours, if `cargo xtask shots --reference` has put them in. Pure.

import { begin, moved, POCKETED, ROLLING, SLIDING, SPINNING, STATIONARY } from "./path.js";
import { numbered } from "./position.js";

/** @import { Against, Run, Shown } from "./shown.js" */
/** @import { Motion } from "./path.js" */
/** @import { Ball, BallSpec, Hit, Path, Row, Strike, Table } from "./types.d.ts" */

/** After an event, by the ball's name: x, y, vx, vy, wx, wy, wz and the state. @typedef {Readonly<Record<string, readonly number[]>>} States */
/** @typedef {{ t: number, type: string, ids: readonly string[], after: States | null }} Happened */
/** What is known of a table by the names of its parts. @typedef {{ table: Table, parts: Map<string, number> }} Named */
/**
 * What a shot is begun with.
 * @typedef {{ spec: BallSpec, named: Named, balls: Map<string, Ball>, rows: Map<Ball, Row>, strike: Strike }} Start
 */

const KINDS = ["strike", "ball", "rail", "jaw", "pocket"];
/** Snooker has so many, and no game has more. */
const BALLS_MAX = 22;
/** Larger than any table: balls on it are far from its cushions. In metres. */
const ENDLESS = 6;
/** Two times are the same within this, in seconds. */
const AT_ONCE = 1e-9;
/** A motion that ends sooner than this before its ball's next event ends by it. */
const SOON = 1e-6;
/** What agrees is within so many of the file's own tolerances. */
const TIMES = 3;
/** Where it says none: in seconds and metres, or as much as a rounding error grows to. */
const LEAST = 1e-6;
const ROUNDING = 1e-14;

/**
 * Reads a file.
 * @param {string} text
 * @param {string} breaks what the group of breaks is called
 * @returns {{ shots: Shown[], left: number } | "not_json" | "no_shots"} `left`: so many runs in it can't be shown
 */
export function readReference(text, breaks) {
    /** @type {any} */
    let file;
    try {
        file = JSON.parse(text);
    } catch {
        return "not_json";
    }
    let left = 0;
    /** @param {any} entry @param {string} group @param {string} title @returns {Shown[]} */
    const shown = (entry, group, title) => {
        const runs = Object.entries(entry?.runs ?? {}).flatMap(([laws, run]) => {
            try {
                return runsOf(file, entry, laws, run);
            } catch {
                left += 1;
                return [];
            }
        });
        return runs.length ? [{ id: String(entry.id), group, title, runs }] : [];
    };
    const shots = [
        ...listed(file?.scenarios).flatMap((it) => shown(it, String(it?.group ?? ""), String(it?.title ?? it?.id))),
        ...listed(file?.breaks).flatMap((it) => shown(it, breaks, [it?.game, it?.id].filter(Boolean).join(", "))),
    ];
    return shots.length ? { shots, left } : "no_shots";
}

/** The reference's run, and ours. @param {any} file @param {any} entry @param {string} laws @param {any} run @returns {Run[]} */
function runsOf(file, entry, laws, run) {
    const start = startOf(file, entry);
    const events = listed(run.events).map(happened);
    const isTold = events.length > 0 && events.every(({ after }) => after);
    const path = pathOf(start, events, run);
    const places = Object.entries(run.final ?? {}).flatMap(([id, [x, y, , , , , , state]]) =>
        (state === POCKETED ? [] : [/** @type {const} */ ([ballOf(start, id), finite(x), finite(y)])]));
    /** @type {Against} */
    const against = { hits: path.hits, rest: path.rest, places, ...toleranceOf(run) };
    const ours = run.ours ? numbered(pathIn(run.ours), [...start.balls.values()]) : null;
    const table = tableFor(start.named.table, [path, ours]);
    const of = { laws, discipline: /** @type {const} */ ("eight_ball"), table, strike: start.strike };
    /** @type {Run[]} */
    const runs = [{ ...of, by: "theirs", path, against: isTold ? null : against, isStill: !isTold }];
    if (ours) runs.unshift({ ...of, by: "ours", path: ours, against, isStill: false });
    return runs;
}

/** A shot's message, if it is one. @param {any} path @returns {Path} */
function pathIn(path) {
    finite(path.rest);
    for (const row of path.motions.flat()) row.forEach(finite);
    for (const [t, kind, , , strength] of path.hits) {
        if (!KINDS.includes(kind)) throw new Error(`nothing is hit by ${kind}`);
        finite(t + strength);
    }
    return path;
}

/** @param {any} run @returns {{ late: number, far: number }} */
function toleranceOf({ suggested_tol: own, sensitivity: it }) {
    const grown = it?.final_shift_m / it?.shift_m;
    const least = Math.max(LEAST, ROUNDING * (Number.isFinite(grown) ? grown : 0));
    return { late: TIMES * (own?.collision_time_s ?? least), far: TIMES * (own?.final_pos_m ?? least) };
}

/** Balls that stay away from the cushions of a hall lie on cloth without end. @param {Table} table @param {readonly (Path | null)[]} paths */
function tableFor(table, paths) {
    const meets = paths.some((path) => path?.hits.some(([, kind]) => kind !== "strike" && kind !== "ball"));
    if (meets || Math.min(table.width, table.length) < ENDLESS) return table;
    return { ...table, name: `${table.name} without end`, segments: [], jaws: [], pockets: [] };
}

/** @param {any} file @param {any} entry @returns {Start} */
function startOf(file, entry) {
    const spec = specOf(file.ball_params[entry.ball_params]);
    const named = tableOf(String(entry.table), file.tables[entry.table]);
    const cue = entry.cue ?? {};
    const placed = listed(entry.balls);
    if (placed.length === 0 || placed.length > BALLS_MAX) throw new Error(`${placed.length} balls`);
    const balls = numbersOf(placed.map(({ id }) => String(id)), String(cue.cue_ball_id ?? ""));
    const rows = new Map(placed.map(({ id, x, y, v = [], w = [], s }) => {
        const [vx = 0, vy = 0] = v;
        const [wx = 0, wy = 0, wz = 0] = w;
        const state = s ?? stateOf({ vx, vy, wx, wy, wz }, spec);
        return [balls.get(String(id)) ?? 0, rowOf(0, [x, y, vx, vy, wx, wy, wz, state])];
    }));
    const angle = (/** @type {unknown} */ degrees) => (Number(degrees ?? 0) * Math.PI) / 180;
    const strike = {
        ball: balls.get(String(cue.cue_ball_id)) ?? 0, speed: Number(cue.V0 ?? 0), heading: angle(cue.phi),
        elevation: angle(cue.theta), side: Number(cue.a ?? 0), height: Number(cue.b ?? 0),
        call: null, safety: false, push_out: false,
    };
    return { spec, named, balls, rows, strike };
}

/** The struck ball is 0, and those with numbers keep theirs. @param {readonly string[]} ids @param {string} struck @returns {Map<string, Ball>} */
function numbersOf(ids, struck) {
    const white = ids.includes("cue") ? "cue" : struck;
    const isNumber = (/** @type {string} */ id) => /^[1-9]\d?$/.test(id) && Number(id) < BALLS_MAX;
    const taken = new Set(ids.filter(isNumber).map(Number));
    let next = 1;
    return new Map(ids.map((id) => {
        if (id === white) return [id, 0];
        if (isNumber(id)) return [id, Number(id)];
        while (taken.has(next)) next += 1;
        taken.add(next);
        return [id, next];
    }));
}

/** @param {any} params @returns {BallSpec} */
function specOf({ m, R, u_s, u_r, u_sp, u_b, e_b, e_c, f_c, g }) {
    return {
        mass: finite(m), radius: finite(R), slide: finite(u_s), roll: finite(u_r), spin: finite(u_sp),
        ball_friction: u_b, ball_restitution: e_b, cushion_restitution: e_c, cushion_friction: f_c, gravity: finite(g),
    };
}

/** @param {string} name @param {any} parts @returns {Named} */
function tableOf(name, { w, l, linear, circular, pockets }) {
    const parts = new Map();
    const [width, length] = [finite(w), finite(l)];
    const round = (/** @type {any[]} */ list) => list.map(({ id, center: [x, y], radius }, at) => {
        parts.set(id, at);
        return { centre: /** @type {const} */ ([finite(x), finite(y)]), radius: finite(radius) };
    });
    /** @type {{ from: [number, number], to: [number, number], normal: [number, number] }[]} */
    const segments = [];
    for (const { id, p1, p2, direction, lx, ly } of listed(linear)) {
        parts.set(id, segments.length);
        const long = Math.hypot(finite(lx), finite(ly));
        // 0: the table is where the line's form is negative; 1: positive; 2: on both sides.
        for (const side of direction === 0 ? [-1] : direction === 1 ? [1] : [1, -1]) {
            segments.push({
                from: [finite(p1[0]), finite(p1[1])], to: [finite(p2[0]), finite(p2[1])],
                normal: [(side * lx) / long, (side * ly) / long],
            });
        }
    }
    const table = {
        name, width, length, nose: Number(listed(linear)[0]?.p1[2] ?? 0),
        segments, jaws: round(listed(circular)), pockets: round(listed(pockets)),
        head_string: length / 4, foot_spot: /** @type {const} */ ([width / 2, (3 * length) / 4]),
    };
    return { table, parts };
}

/** An event: with names, or a row without states. @param {any} event @returns {Happened} */
function happened(event) {
    const [t, type, ids, after] = Array.isArray(event) ? event : [event.t, event.type, event.ids, event.after];
    return { t: finite(t), type: String(type), ids: listed(ids).map(String), after: after ?? null };
}

/**
 * The reference's own path. Balls of which it tells no states stay where they are.
 * @param {Start} start @param {readonly Happened[]} events @param {any} run @returns {Path}
 */
function pathOf(start, events, run) {
    const { spec, balls } = start;
    /** @type {Row[][]} */
    const told = Array.from({ length: Math.max(...balls.values()) + 1 }, (_, ball) => {
        const row = start.rows.get(ball);
        return row ? [row] : [];
    });
    const hits = events.flatMap((event) => {
        const hit = hitOf(start, event, (ball) => stateAt(told[ball] ?? [], event.t, spec));
        for (const [id, state] of Object.entries(event.after ?? {})) {
            const rows = told[ballOf(start, id)];
            while (rows?.length && (rows.at(-1)?.[0] ?? 0) > event.t - AT_ONCE) rows.pop();
            rows?.push(rowOf(event.t, state));
        }
        return hit ? [hit] : [];
    });
    const isTold = events.some(({ after }) => after);
    const motions = !isTold ? told : told.map((rows) => rows.flatMap((row, i) => through(row, rows[i + 1]?.[0] ?? Infinity, spec)));
    const last = Math.max(0, ...motions.flat().map(([t = 0]) => t), ...events.map(({ t }) => t));
    return { ball: spec, rest: finite(run.t_rest ?? last), motions, hits };
}

/** What is to be seen or heard of an event. @param {Start} start @param {Happened} event @param {(ball: Ball) => Motion} at @returns {Hit | null} */
function hitOf(start, { t, type, ids: [one = "", two = ""], after }, at) {
    const { named: { table, parts }, strike } = start;
    const part = parts.get(two) ?? null;
    /** How fast a ball goes that way. @param {Motion} motion @param {number} nx @param {number} ny */
    const along = ({ vx, vy }, nx, ny) => (after ? Math.abs(vx * nx + vy * ny) / (Math.hypot(nx, ny) || 1) : 0);
    switch (type) {
        case "stick_ball":
            return [t, "strike", ballOf(start, two), null, strike.speed];
        case "ball_ball": {
            const [a = 0, b = 0] = [ballOf(start, one), ballOf(start, two)].sort((x, y) => x - y);
            const [p, q] = [at(a), at(b)];
            return [t, "ball", a, b, along({ ...p, vx: p.vx - q.vx, vy: p.vy - q.vy }, p.x - q.x, p.y - q.y)];
        }
        case "ball_linear_cushion": {
            const [nx, ny] = table.segments[part ?? -1]?.normal ?? [0, 0];
            return [t, "rail", ballOf(start, one), part, along(at(ballOf(start, one)), nx, ny)];
        }
        case "ball_circular_cushion": {
            const ball = at(ballOf(start, one));
            const [x, y] = table.jaws[part ?? -1]?.centre ?? [0, 0];
            return [t, "jaw", ballOf(start, one), part, along(ball, ball.x - x, ball.y - y)];
        }
        case "ball_pocket": {
            const ball = at(ballOf(start, one));
            return [t, "pocket", ballOf(start, one), part, along(ball, ball.vx, ball.vy)];
        }
        default:
            return null;
    }
}

/** @param {Start} start @param {string} id */
function ballOf({ balls }, id) {
    const ball = balls.get(id);
    if (ball === undefined) throw new Error(`no ball is called ${id}`);
    return ball;
}

/** @param {readonly Row[]} rows @param {number} t @param {BallSpec} spec @returns {Motion} */
function stateAt(rows, t, spec) {
    const row = rows.flatMap((it, i) => (i === rows.length - 1 ? through(it, t, spec) : [])).at(-1) ?? [];
    return moved(begin(row, spec), Math.max(0, t - (row[0] ?? 0)), spec);
}

/** A row, and those of what a ball comes to by itself until then: it slides, rolls, spins, lies. @param {Row} row @param {number} until @param {BallSpec} spec @returns {Row[]} */
function through(row, until, spec) {
    const rows = [row];
    for (;;) {
        const [t = 0] = row;
        const motion = begin(row, spec);
        const lasts = lasting(motion, spec);
        if (!(t + lasts < until - SOON) || !Number.isFinite(lasts)) return rows;
        const { x, y, vx, vy, wz } = moved(motion, lasts, spec);
        if (motion.state === SLIDING) row = [t + lasts, ROLLING, x, y, vx, vy, wz];
        else if (motion.state === ROLLING && wz !== 0) row = [t + lasts, SPINNING, x, y, wz];
        else row = [t + lasts, STATIONARY, x, y];
        rows.push(row);
    }
}

/** For how many seconds a ball moves as it does. @param {Motion} motion @param {BallSpec} spec */
function lasting({ state, vx, vy, wx, wy, wz }, { radius, slide, roll, spin, gravity }) {
    if (state === SLIDING) return (2 * Math.hypot(vx - radius * wy, vy + radius * wx)) / (7 * slide * gravity);
    if (state === ROLLING) return Math.hypot(vx, vy) / (roll * gravity);
    if (state === SPINNING) return (Math.abs(wz) * 2 * radius) / (5 * spin * gravity);
    return Infinity;
}

/** How a ball moves of which only speed and spin are told. @param {Pick<Motion, "vx" | "vy" | "wx" | "wy" | "wz">} motion @param {BallSpec} spec */
function stateOf({ vx, vy, wx, wy, wz }, { radius }) {
    if (Math.hypot(vx - radius * wy, vy + radius * wx) > AT_ONCE) return SLIDING;
    if (Math.hypot(vx, vy) > 0) return ROLLING;
    return wz ? SPINNING : STATIONARY;
}

/** @param {number} t @param {readonly number[]} state @returns {Row} */
function rowOf(t, state) {
    const [x, y, vx, vy, wx, wy, wz, s] = state.map(finite);
    const row = /** @type {(number | undefined)[]} */ ({
        [STATIONARY]: [x, y], [SPINNING]: [x, y, wz], [SLIDING]: [x, y, vx, vy, wx, wy, wz],
        [ROLLING]: [x, y, vx, vy, wz], [POCKETED]: [x, y],
    }[s ?? -1]);
    if (!row) throw new Error(`no ball moves as ${s}`);
    return [t, finite(s), ...row.map(finite)];
}

/** @param {unknown} value */
function finite(value) {
    if (typeof value !== "number" || !Number.isFinite(value)) throw new Error(`${value} is no number`);
    return value;
}

/** @param {unknown} value @returns {any[]} */
function listed(value) {
    return Array.isArray(value) ? value : [];
}
