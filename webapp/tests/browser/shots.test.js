// Anyone with the link looks at a shot, hit by hit. Pictures of what they see are in
// target/screenshots.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { DESKTOP, PHONE, Person, openBrowser } from "./people.js";
import { startServer } from "./programs.js";

const limit = { timeout: 180_000 };
const REFERENCE = new URL("../../static/games/billiards/reference.json", import.meta.url);
let browser, server;

before(async () => {
    browser = await openBrowser();
    server = await startServer("http://127.0.0.1");
}, limit);

after(async () => {
    await browser?.close();
    await server?.stop();
}, limit);

for (const [name, options] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
    test(`a shot is watched and wound, on a ${name}`, limit, async () => {
        const person = await Person.arrive(browser, "kim", options);
        await person.page.goto(`${server.url}/shots/follow`);
        await person.see("screen-shots", { status: "there" });
        const rows = person.find("hits").locator("button");
        const whole = await rows.count();
        assert.ok(whole > 4, `${whole} rows`);

        // A hit is gone to, and it is that time.
        await rows.nth(1).click();
        await person.see("screen-shots", { playing: "false" });
        assert.equal(await rows.nth(1).getAttribute("aria-current"), "true");
        const hit = Number(await rows.nth(1).locator("b").innerText());
        assert.ok(Math.abs((await person.number("shot-time")) - hit) < 0.011);
        const before = await person.find("court").screenshot();
        await person.picture(`shots-${name}-hit`);

        // What is wound to is there at once.
        await rows.last().click();
        assert.ok((await person.number("shot-time")) > hit);
        assert.ok(!before.equals(await person.find("court").screenshot()), "the balls have moved");
        await person.picture(`shots-${name}-rest`);

        // Keys wind finely; another shot is chosen, and has its address.
        await person.page.keyboard.press("Shift+ArrowLeft");
        await person.page.keyboard.press("Home");
        assert.equal(await person.number("shot-time"), 0);
        await person.find("shot").selectOption("draw");
        await person.page.waitForURL("**/shots/draw");
        assert.notEqual(await rows.count(), whole);
        assert.deepEqual(person.complaints, []);
    });

    test(`a file of reference runs is opened, and ours seen against it, on a ${name}`, limit, async () => {
        const person = await Person.arrive(browser, "kim", { ...options, reducedMotion: "reduce" });
        await person.page.goto(`${server.url}/shots`);
        await person.see("screen-shots", { status: "there" });

        // What is no such file is told in words, and changes nothing.
        for (const [text, word] of [["{", /not JSON/], [`{"a":1}`, /no shots/]]) {
            await open(person, text);
            await person.find("toast").filter({ hasText: word }).waitFor();
        }
        assert.equal(await person.find("shot-run").isVisible(), false);
        await person.picture(`shots-${name}-wrong-file`);

        await open(person, await readFile(REFERENCE, "utf8"));
        await person.see("screen-shots", { by: "ours" });
        assert.equal(new URL(person.page.url()).pathname, "/shots");
        for (const [title, picture] of [
            ["quarter-ball hit (48.59 deg cut), rolling", "cloth"], ["pot ball 1 into lb", "pot"], ["Eight Ball, e1", "break"],
        ]) {
            const key = person.find("shot").locator("optgroup option").filter({ hasText: title }).first();
            await person.find("shot").selectOption(await key.getAttribute("value"));
            const rows = person.find("hits").locator("button");
            assert.equal(await rows.filter({ hasText: "≠" }).count(), 0, title);
            await rows.nth(1).click();
            await person.picture(`shots-${name}-${picture}-hit`);
            await rows.last().click();
            await person.picture(`shots-${name}-${picture}-ours`);
            // The reference's own run, at the same time.
            const time = await person.number("shot-time");
            await person.find("shot-run").selectOption({ index: 1 });
            await person.see("screen-shots", { by: "theirs" });
            assert.ok(Math.abs((await person.number("shot-time")) - time) < 0.011);
            await person.picture(`shots-${name}-${picture}-theirs`);
        }
        assert.deepEqual(person.complaints, []);
    });
}

/** Gives the page a file. */
async function open(person, text) {
    const file = { name: "runs.json", mimeType: "application/json", buffer: Buffer.from(text) };
    await person.find("shots-file").setInputFiles(file);
}

test("what is drawn for whoever aims leaves nothing behind", limit, async () => {
    const person = await Person.arrive(browser, "lou", PHONE);
    await person.page.goto(`${server.url}/shots/eight_ball_break`);
    await person.see("screen-shots", { status: "there" });
    const differ = await person.page.evaluate(async () => {
        const load = (name) => import(performance.getEntriesByType("resource").find((it) => it.name.includes(`/games/billiards/${name}`)).name);
        const [{ Painter }, { hear }, { placed }] = await Promise.all(["draw.js", "scene.js", "table.js"].map(load));
        const { tables, items } = await (await fetch(performance.getEntriesByType("resource").find((it) => it.name.includes("shots.json")).name)).json();
        const { discipline, table, path, strike } = items.find(({ id }) => id === "eight_ball_break");
        const balls = path.motions.flatMap(([row], i) => (row ? [[i, row[2], row[3]]] : []));
        const shot = { seat: 0, began: 0, rest: path.rest * 1000, strike, path };
        const scene = hear(null, {
            type: "game_state", at: 0, players: [], options: {},
            game: { discipline, table: tables[table], ball: path.ball, balls, shot, sheet: { rack: 1 } },
        }, 0);
        const differ = [];
        for (const [width, height] of [[390, 700], [700, 390]]) {
            const density = 3;
            const screen = { width, height, density, place: placed(tables[table], { left: 4, top: 4, width: width - 8, height: height - 8 }) };
            const painter = () => {
                const canvas = document.createElement("canvas");
                [canvas.width, canvas.height] = [width * density, height * density];
                const ctx = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
                return { ctx, painter: new Painter(ctx) };
            };
            const [x, y] = balls[0].slice(1);
            const overlays = Array.from({ length: 16 }, (_, i) => {
                const heading = i * 0.7;
                const to = [x + 0.4 * Math.cos(heading), y + 0.4 * Math.sin(heading)];
                const bends = i % 3 ? [] : [[x + 0.2 * Math.cos(heading + 0.2), y + 0.2 * Math.sin(heading + 0.2)]];
                return {
                    sight: { from: [x, y], bends, to, ghost: true, allowed: i % 2 === 0, stubs: [[to, [to[0], to[1] + 0.3]]] },
                    cues: [{ ball: [x, y], heading, side: 0.3, back: 0.02 * i, elevation: i % 4 ? 0 : 1.2 }],
                    pocket: i % 6, rings: [i % 16], house: i % 5 ? null : "behind",
                    held: i % 4 === 1 ? { ball: 0, x: x + 0.1, y, fits: false } : null, dimmed: [i % 7],
                };
            });
            const one = painter();
            overlays.forEach((overlay, i) => {
                one.painter.draw(scene, 0, screen, overlay);
                const other = painter();
                other.painter.draw(scene, 0, screen, overlay);
                const [a, b] = [one, other].map(({ ctx }) => new Uint32Array(ctx.getImageData(0, 0, ctx.canvas.width, ctx.canvas.height).data.buffer));
                const first = a.findIndex((it, at) => it !== b[at]);
                if (first >= 0) differ.push([i, (first % (width * density)) / density, first / (width * density) / density]);
            });
        }
        return differ;
    });
    assert.deepEqual(differ, []);
});
