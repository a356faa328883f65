// Hands at a billiard table: what their page hears, and how they aim, place and strike.

import { placed } from "../../static/games/billiards/table.js";
import { until } from "./people.js";

/** Until balls lie still and a referee has spoken. */
export const REST_MS_MAX = 60_000;
/** Around the table on its canvas, in pixels: as the page has it. */
const MARGIN = 4;

/** Keeps what a person's page hears of the table. */
export function listen(person) {
    const table = {
        view: null, balls: [], turn: null, turns: 0, shot: null, verdict: null, placed: null, gesture: null, took: null,
    };
    person.table = table;
    person.page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => {
        const message = JSON.parse(String(payload));
        if (message.type === "game_state" && message.game) {
            table.view = message.game;
            [table.balls, table.turn] = [message.game.balls, message.game.turn];
        }
        if (message.type === "gesture") table.gesture = message.gesture;
        if (message.type !== "game_update") return;
        for (const name of ["shot", "verdict", "placed", "turn", "took"]) {
            if (message[name]) table[name] = message[name];
        }
        if (message.turn) table.turns += 1;
        if (message.balls) table.balls = message.balls.at;
        if (message.shot) table.balls = restOf(message.shot, table.balls);
        if (message.placed) table.balls = [...table.balls.filter(([n]) => n !== message.placed[0]), message.placed];
        if (message.took) table.balls = table.balls.filter(([n]) => n !== message.took[1]);
    }));
}

/** Where the balls lie after a shot. */
function restOf({ path }, balls) {
    return balls.flatMap(([n, x, y]) => {
        const last = path.motions[n]?.at(-1);
        if (!last) return [[n, x, y]];
        return last[1] === 4 ? [] : [[n, last[2], last[3]]];
    });
}

/** Of these people who is to act, and the others. */
export async function atTable(people) {
    for (const person of people) await person.find("billiards").waitFor();
    const mine = () => Promise.all(people.map((it) => it.find("billiards", { mine: true }).count()));
    await until(async () => (await mine()).reduce((a, b) => a + b) === 1, REST_MS_MAX);
    const at = (await mine()).indexOf(1);
    return [people[at], ...people.toSpliced(at, 1)];
}

/** From now on: waits until all have heard of another turn. */
export function turn(...people) {
    const turns = people.map(({ table }) => table.turns);
    return () => until(() => people.every(({ table }, i) => table.turns > turns[i]), REST_MS_MAX);
}

/** Strikes with the cue drawn by so many keys, and waits until it is somebody's turn again. */
export async function strike(drawn, mine, ...others) {
    const rested = turn(mine, ...others);
    await keys(mine, "ArrowDown", drawn);
    await mine.page.keyboard.press("Enter");
    await rested();
}

export async function keys(person, key, times) {
    for (let i = 0; i < times; i += 1) await person.page.keyboard.press(key);
}

/** Where a point of the table is on somebody's screen. */
export async function onScreen(person, point) {
    const canvas = await person.find("court").boundingBox();
    const area = {
        left: MARGIN, top: MARGIN, width: canvas.width - 2 * MARGIN, height: canvas.height - 2 * MARGIN,
    };
    const [x, y] = placed(person.table.view.table, area).at(...point);
    return [canvas.x + x, canvas.y + y];
}

/** Where a ball is on somebody's screen. */
export function ballOnScreen(person, ball) {
    const [, ...at] = person.table.balls.find(([n]) => n === ball);
    return onScreen(person, at);
}

/** Carries the cue ball from where it lies to a point of the table, and does something before it is dropped. */
export async function carry(person, to, held = async () => {}) {
    await person.page.mouse.move(...await ballOnScreen(person, 0));
    await person.page.mouse.down();
    await person.page.mouse.move(...await onScreen(person, to), { steps: 10 });
    await held();
    await person.page.mouse.up();
}
