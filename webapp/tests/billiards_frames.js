// How long frames of a billiards table take on a phone's screen with a slow processor, how much of
// the processor they take, and what they look like. Run by hand: `ARTEL_TEST_CHROMIUM=/path/to/chromium node tests/billiards_frames.js`.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, normalize } from "node:path";

import { DESKTOP, openBrowser, PHONE } from "./browser/people.js";

const STATIC = new URL("../static/", import.meta.url).pathname;
const PICTURES = new URL("../../target/screenshots/", import.meta.url).pathname;
const TYPES = { ".js": "text/javascript", ".json": "application/json", ".css": "text/css" };
/** What a frame of ours is in a trace, and what of it is the browser's: copying the canvas, with no graphics card. */
const OURS = "FireAnimationFrame";
const COPIED = "LayerTreeHost::DoUpdateLayers";
/** A mid-range phone is about so much slower than a desktop. */
const SLOWER = 4;
const SIZES = {
    phone: PHONE,
    phone_wide: { ...PHONE, viewport: { width: 844, height: 390 } },
    phone_sharp: { ...PHONE, deviceScaleFactor: 3 },
    desktop: DESKTOP,
};

const PAGE = `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>html,body{margin:0;background:#14181a}
canvas{position:fixed;inset:0;width:100vw;height:100vh}</style><canvas></canvas><script type="module">
import { Painter } from "/games/billiards/draw.js";
import { hear } from "/games/billiards/scene.js";
import { placed } from "/games/billiards/table.js";
import { laid } from "/games/billiards/turning.js";
const list = await (await fetch("/games/billiards/shots.json")).json();
const canvas = document.querySelector("canvas");
const painter = new Painter(canvas.getContext("2d", { alpha: false }));
const density = Math.min(devicePixelRatio, 3);
[canvas.width, canvas.height] = [innerWidth * density, innerHeight * density];
window.begin = (id) => {
    const { table, discipline, path, strike } = list.items.find((it) => it.id === id);
    const at = list.tables[table];
    const shot = { seat: 0, began: 0, rest: path.rest * 1000, strike, path };
    const game = { discipline, table: at, ball: path.ball, spots: {}, shot, sheet: { rack: 1 },
        balls: path.motions.flatMap(([row], i) => (row ? [[i, row[2], row[3]]] : [])) };
    window.scene = hear(null, { type: "game_state", at: 0, players: [], options: {}, game }, 0);
    const area = { left: 6, top: 6, width: innerWidth - 12, height: innerHeight - 12 };
    window.screen_ = { width: innerWidth, height: innerHeight, density, place: placed(at, area) };
    return shot.rest;
};
window.paint = (now, overlay) => painter.draw(window.scene, now, window.screen_, overlay);
window.flush = () => canvas.getContext("2d").getImageData(0, 0, 1, 1).data[0];
window.ready = true;
</script>`;

const server = createServer(async ({ url = "/" }, answer) => {
    const path = normalize(url.split("?")[0] ?? "/");
    if (path === "/") {
        answer.writeHead(200, { "content-type": "text/html" }).end(PAGE);
        return;
    }
    try {
        const text = await readFile(STATIC + path);
        answer.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/plain" }).end(text);
    } catch {
        answer.writeHead(404).end();
    }
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const url = `http://127.0.0.1:${server.address().port}/`;
const browser = await openBrowser();
try {
    for (const [name, options] of Object.entries(SIZES)) await measure(name, options);
} finally {
    await browser.close();
    server.close();
}

async function measure(name, options) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.on("pageerror", (error) => process.stderr.write(`${error}\n`));
    await page.goto(url);
    await page.waitForFunction(() => window.ready);
    for (const [id, at] of [["eight_ball_break", 900], ["pyramid_break", 1300], ["eight_ball_break", 0]]) {
        await page.evaluate(([id, at]) => {
            window.begin(id);
            const aim = [window.scene.lay.lies[0].x, window.scene.lay.lies[0].y];
            const heading = 1.45;
            const to = [aim[0] + 1.1 * Math.cos(heading), aim[1] + 1.1 * Math.sin(heading)];
            window.paint(at, at ? {} : {
                sight: { from: aim, bends: [], to, ghost: true, allowed: true, stubs: [[to, [to[0] + 0.05, to[1] + 0.12]], [to, [to[0] - 0.1, to[1] + 0.02]]] },
                cues: [{ ball: aim, heading, side: 0, back: 0.12, elevation: 0.05 }],
                pocket: 2, rings: [1],
            });
        }, [id, at]);
        await page.screenshot({ path: `${PICTURES}billiards_${name}_${id}_${at}.png` });
    }
    const session = await context.newCDPSession(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
    const times = await page.evaluate(async () => {
        const rest = window.begin("eight_ball_break");
        const script = [];
        const whole = [];
        const start = performance.now();
        let last = start;
        // As it is played: one frame for each of the display's.
        while (last - start < Math.min(rest, 5000)) {
            const now = await new Promise(requestAnimationFrame);
            const before = performance.now();
            window.paint(now - start);
            script.push(performance.now() - before);
            whole.push(now - last);
            last = now;
        }
        const aiming = [];
        const still = [];
        const begin = performance.now();
        const { x, y } = window.scene.lay.lies[0];
        while (performance.now() - begin < 2000) {
            await new Promise(requestAnimationFrame);
            const heading = 1.5 + Math.sin(performance.now() / 500) / 4;
            const to = [x + Math.cos(heading), y + Math.sin(heading)];
            const sight = { from: [x, y], bends: [], to, ghost: true, allowed: true, stubs: [[to, [x, y + 1.2]]] };
            const cue = { ball: [x, y], heading, side: 0, back: 0.1, elevation: 0 };
            const before = performance.now();
            window.paint(0, { sight, cues: [cue], pocket: 2 });
            aiming.push(performance.now() - before);
            const again = performance.now();
            window.paint(0, { sight, cues: [cue], pocket: 2 });
            still.push(performance.now() - again);
        }
        const raster = [];
        for (let at = 0; at < 1200; at += 16) {
            const before = performance.now();
            window.paint(at);
            window.flush();
            raster.push(performance.now() - before);
        }
        return { script: script.slice(5), whole: whole.slice(5), raster: raster.slice(5), aiming: aiming.slice(5), still };
    });
    const said = Object.entries(times).map(([what, all]) => {
        all.sort((a, b) => a - b);
        const at = (share) => (all[Math.floor(share * (all.length - 1))] ?? 0).toFixed(1);
        return `${what} ${at(0.5)} / ${at(0.95)} / ${at(1)}`;
    });
    process.stdout.write(`${name}: ${said.join(", ")} ms (median / 95 % / worst), ${times.whole.length} frames\n`);
    for (const what of ["rolling", "aiming"]) process.stdout.write(`${name}, ${what}: ${await processor(page, what)}\n`);
    await context.close();
}

/** The processor's time a frame, which other programs disturb little: ours, and what the browser does after us. */
async function processor(page, what) {
    const session = await browser.newBrowserCDPSession();
    const spent = { [OURS]: 0, [COPIED]: 0 };
    session.on("Tracing.dataCollected", ({ value }) => {
        for (const { ph, name, tdur } of value) if (ph === "X" && name in spent) spent[name] += tdur ?? 0;
    });
    const over = new Promise((done) => session.once("Tracing.tracingComplete", done));
    const includedCategories = ["toplevel", "cc", "blink", "devtools.timeline"];
    await session.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories } });
    const frames = await page.evaluate(async (what) => {
        const rest = window.begin("eight_ball_break");
        const { x, y } = window.scene.lay.lies[0];
        const start = performance.now();
        let frames = 0;
        for (let now = start; now - start < Math.min(rest, 4000); frames += 1) {
            now = await new Promise(requestAnimationFrame);
            const heading = 1.5 + Math.sin(now / 500) / 4;
            const to = [x + Math.cos(heading), y + Math.sin(heading)];
            const sight = { from: [x, y], bends: [], to, ghost: true, allowed: true, stubs: [[to, [x, y + 1.2]]] };
            const cues = [{ ball: [x, y], heading, side: 0, back: 0.1, elevation: 0 }];
            if (what === "rolling") window.paint(now - start);
            else window.paint(0, { sight, cues, pocket: 2 });
        }
        return frames;
    }, what);
    await session.send("Tracing.end");
    await over;
    await session.detach();
    const each = (name) => (spent[name] / 1000 / frames).toFixed(1);
    return `${each(OURS)} ms of the processor a frame for us, ${each(COPIED)} ms for the browser, ${frames} frames`;
}
