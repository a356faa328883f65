// What a billiard table sounds and feels like: how loud each hit is, rendered by the browser itself,
// and that strokes and pots are heard and felt, outside Telegram and in it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { written } from "../../static/games/billiards/position.js";
import { keys, REST_MS_MAX } from "./cues.js";
import { PHONE, Person, openBrowser, until } from "./people.js";
import { startServer, startTelegram } from "./programs.js";

const limit = { timeout: 120_000 };

let browser, server, telegram;

before(async () => {
    browser = await openBrowser();
    server = await startServer("http://127.0.0.1");
    telegram = await startTelegram();
}, limit);

after(async () => {
    await browser?.close();
    await server?.stop();
    await telegram?.stop();
}, limit);

test("hits are louder the harder they are, always heard, and never clipped", limit, async () => {
    const una = await Person.arrive(browser, "una", PHONE);
    // A context that renders at once, and says that it runs.
    await una.page.addInitScript(() => {
        window.AudioContext = class extends OfflineAudioContext {
            constructor() {
                super(1, 48_000, 48_000);
                window.rendered = () => this.startRendering();
            }

            get state() {
                return "running";
            }
        };
    });
    await una.page.goto(server.url);
    await una.see("tab-sign-up");
    /** The loudest sample, and the energy, of something that sounds. */
    const heard = (names, force) => una.page.evaluate(async ([names, force]) => {
        const { name } = performance.getEntriesByType("resource").find(({ name }) => /\/lib\/sound\.js/.test(name));
        // Each time another copy of it, with a context of its own.
        const sound = await import(`${name}${name.includes("?") ? "&" : "?"}${Math.random()}`);
        sound.wake();
        for (const it of names) sound[it](force);
        const samples = (await window.rendered()).getChannelData(0);
        return {
            peak: samples.reduce((most, it) => Math.max(most, Math.abs(it)), 0),
            energy: samples.reduce((sum, it) => sum + it * it, 0),
        };
    }, [names, force]);

    for (const name of ["strike", "click", "thud", "drop"]) {
        const levels = [];
        for (const force of [0.05, 0.25, 0.5, 0.75, 1]) levels.push(await heard([name], force));
        const said = `${name}: ${levels.map(({ peak }) => peak.toFixed(3)).join(", ")}`;
        assert.ok(levels.every(({ energy }, i) => i === 0 || energy > levels[i - 1].energy), said);
        assert.ok(levels[0].peak > 0.01, said);
        assert.ok(levels.at(-1).energy > 3 * levels[0].energy, said);
        assert.ok(levels.at(-1).peak <= 1, said);
    }
    // As much as is heard in one frame, at its loudest.
    const crack = await heard(["click", "click", "click", "click"], 1);
    assert.ok(crack.peak <= 1, `four at once: ${crack.peak}`);
    await una.page.context().close();
});

test("a stroke and a pot are heard and felt", limit, async () => {
    const vic = await Person.arrive(browser, "vic", PHONE);
    await vic.page.addInitScript(() => {
        window.gains = [];
        const set = AudioParam.prototype.setValueAtTime;
        AudioParam.prototype.setValueAtTime = function (value, at) {
            window.gains.push(value);
            return set.call(this, value, at);
        };
        window.buzzes = [];
        navigator.vibrate = (pattern) => window.buzzes.push(pattern);
    });
    const soft = await strikeToPocket(vic, server.url, 28);
    const felt = await vic.page.evaluate(() => window.buzzes);
    assert.ok(felt.length >= 2, `the stroke and the pot were felt: ${JSON.stringify(felt)}`);
    const hard = await strikeToPocket(vic, server.url, 48);
    for (const { gains, hits } of [soft, hard]) {
        assert.ok(hits.some(([, kind]) => kind === "pocket"), "it was potted");
        // A strike has three parts, two of which ring; so has every other hit.
        assert.ok(gains.length >= 3 * hits.filter(([, , , , strength]) => strength >= 0.02).length - 3, `${gains.length} for ${hits.length} hits`);
    }
    // The strike is heard first.
    assert.ok(hard.gains[0] > 1.2 * soft.gains[0], `struck harder, it is louder: ${soft.gains[0]}, ${hard.gains[0]}`);
    assert.deepEqual(vic.complaints, []);
    await vic.page.context().close();
});

test("in Telegram it is Telegram that shakes", limit, async () => {
    const wim = await Person.arrive(browser, "wim", { viewport: { width: 1280, height: 1000 } });
    await wim.page.goto(`${telegram.url}/?user=1001&theme=dark&platform=ios&insets=none`);
    wim.app = wim.page.frameLocator("#app");
    await wim.see("screen-home");
    await wim.page.evaluate(() => {
        window.felt = [];
        addEventListener("message", ({ data }) => {
            const { eventType, eventData } = JSON.parse(String(data));
            if (eventType === "web_app_trigger_haptic_feedback") window.felt.push(eventData);
        });
    });
    await wim.press("practice-eight_ball");
    await wim.see("screen-practice", { status: "there" });
    await wim.find("court").click({ position: { x: 60, y: 200 } });
    await keys(wim, "ArrowDown", 30);
    await wim.page.keyboard.press("Enter");
    await until(() => wim.page.evaluate(() => window.felt.some(({ impact_style }) => impact_style === "medium")));
    assert.deepEqual(wim.complaints, []);
});

/** Strikes a ball straight into a corner, with the cue drawn by so many keys: what was heard, and what was hit. */
async function strikeToPocket(person, url, drawn) {
    const { table } = await (await fetch(`${url}/api/billiards/tables/pool`)).json();
    const [px, py] = table.pockets[5].centre;
    const along = (way) => [px - way * Math.SQRT1_2, py - way * Math.SQRT1_2];
    const at = written(table, [[0, ...along(0.9)], [1, ...along(0.3)]]);
    await person.page.goto(`${url}/practice/eight_ball?at=${at}`);
    await person.see("screen-practice", { status: "there", busy: false });
    // Browsers give sound only after a touch.
    await person.press("practice-setup");
    await person.press("practice-setup");
    await person.page.evaluate(() => {
        window.gains.length = 0;
        window.buzzes.length = 0;
    });
    const answer = person.page.waitForResponse(/api\/billiards\/shots/);
    await keys(person, "ArrowDown", drawn);
    await person.page.keyboard.press("Enter");
    const { path } = await (await answer).json();
    await person.see("screen-practice", { busy: true });
    await person.find("screen-practice", { busy: false }).waitFor({ timeout: REST_MS_MAX });
    return { gains: await person.page.evaluate(() => window.gains), hits: path.hits };
}
