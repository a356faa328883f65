// The screens for those with large letters, a small phone, or a notch: nothing is wider than the
// screen, and whatever can be pressed can be reached. Pictures are in target/screenshots.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { listen } from "./cues.js";
import { PHONE, Person, openBrowser } from "./people.js";
import { startServer, startTelegram } from "./programs.js";

const limit = { timeout: 180_000 };
/** What browsers have as letters of 200 %, where 16 is usual. */
const LARGE = "--blink-settings=defaultFontSize=32,defaultFixedFontSize=26";
const SMALL = { width: 320, height: 568 };

let browser, large, server, telegram;

before(async () => {
    [browser, large, server] = await Promise.all([openBrowser(), openBrowser(LARGE), startServer("http://127.0.0.1")]);
    telegram = await startTelegram();
}, limit);

after(async () => {
    await Promise.all([browser, large].map((it) => it?.close()));
    await server?.stop();
    await telegram?.stop();
}, limit);

test("with letters of 200 %", limit, async () => {
    await tour(await Person.arrive(large, "liv", PHONE), "large");
});

test("on a small phone, upright and sideways", limit, async () => {
    await tour(await Person.arrive(browser, "sam", { ...PHONE, viewport: SMALL }), "small");
});

test("in Telegram's frame on a phone with a notch", limit, async () => {
    const tom = await Person.arrive(browser, "tom", { viewport: { width: 900, height: 1000 } });
    listen(tom);
    await tom.page.goto(`${telegram.url}/?user=1001&theme=dark&platform=ios&insets=fullscreen`);
    tom.app = tom.page.frameLocator("#app");
    await tom.see("screen-home");
    await tom.picture("notch-home");
    await tom.press("computer-nine_ball");
    await tom.press("level-easy");
    await tom.see("screen-match", { status: "active" });
    await tom.see("billiards");
    await tom.picture("notch-match");
    const frame = await (await tom.page.locator("#app").elementHandle()).contentFrame();
    await assertInReach({ page: frame }, "match in Telegram");
    const top = await frame.evaluate(() => document.querySelector(".strip").firstElementChild.getBoundingClientRect().top);
    assert.ok(top >= 93, `what is above is covered by Telegram's buttons: ${top}`);
});

/** Through the places where a table or a list is. */
async function tour(person, title) {
    listen(person);
    const { width, height } = person.page.viewportSize();
    const go = (path) => person.page.goto(server.url + path);
    const look = async (name) => {
        await person.picture(`${title}-${name}`);
        await assertFits(person, name);
    };
    await go("/");
    await person.see("tab-sign-up");
    await look("sign");
    await person.register(server.url);
    await look("home");

    await person.press("nav-rooms");
    await person.press("open-room");
    await person.press("choose-kolkhoz");
    await look("rooms-form");
    await person.press("open-submit");
    await person.see("screen-room");
    await look("room");
    await person.press("leave-room");
    await person.see("screen-rooms");
    await person.press("nav-me");
    await person.see("stats");
    await look("me");

    await go("/practice/eight_ball");
    await person.see("screen-practice", { status: "there" });
    await person.press("practice-setup");
    await look("practice");
    await assertInReach(person, "practice");
    await person.press("practice-setup");
    const sideways = { width: height, height: width };
    for (const [turned, size] of [["upright", { width, height }], ["sideways", sideways]]) {
        await person.page.setViewportSize(size);
        await person.press("spin");
        await person.see("elevation");
        await person.find("elevation").fill("35");
        await look(`pad-${turned}`);
        await assertInReach(person, `spin pad ${turned}`, "[data-test=spin-pad]");
        await person.press("spin-centre");
        await person.find("spin-pad").waitFor({ state: "hidden" });
        await assertInReach(person, `practice ${turned}`);
    }
    await person.page.setViewportSize({ width, height });

    await go("/");
    await person.press("computer-eight_ball");
    await person.press("level-easy");
    await person.see("screen-match", { status: "active" });
    await person.find("billiards", { mine: true }).waitFor({ timeout: 90_000 });
    await person.find("tip").waitFor({ state: "hidden" });
    await look("match");
    await assertInReach(person, "match");
    await person.page.setViewportSize(sideways);
    await look("match-sideways");
    await assertInReach(person, "match sideways");
    // The notch is at one side then.
    await person.page.evaluate(() => {
        for (const edge of ["left", "right"]) document.documentElement.style.setProperty(`--safe-${edge}`, "47px");
    });
    await look("match-sideways-notch");
    await assertInReach(person, "match sideways with a notch");
    await person.page.evaluate(() => document.documentElement.removeAttribute("style"));
    await person.page.setViewportSize({ width, height });

    await person.press("leave");
    await look("leave");
    await person.press("dialog-confirm");
    await person.see("result");
    await look("result");
    await person.press("watch-replay");
    await person.see("screen-replay", { status: "there" });
    await look("replay");
    await assertInReach(person, "replay");
    assert.deepEqual(person.complaints, [], title);
}

/** Nothing is wider than the screen. */
async function assertFits(person, where) {
    const wide = await person.page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= person.page.viewportSize().width, `${where}: ${wide} px`);
}

/** Whatever can be pressed lies on the screen, and under nothing else. */
async function assertInReach(person, where, within = "#app") {
    const hidden = await person.page.evaluate((within) => {
        const all = document.querySelectorAll(`${within} :is(button, a, select, input, [role=slider])`);
        return [...all].flatMap((it) => {
            const { left, top, width, height } = it.getBoundingClientRect();
            if (!width || !height || it.closest(".tray")) return [];
            const [x, y] = [left + width / 2, top + height / 2];
            const there = document.elementFromPoint(x, y);
            const isWhole = left >= -1 && top >= -1 && left + width <= innerWidth + 1 && top + height <= innerHeight + 1;
            const isFree = there && (it.contains(there) || there.contains(it) && there.closest("label"));
            return isWhole && isFree ? [] : [`${it.dataset.test ?? it.outerHTML.slice(0, 60)} at ${Math.round(left)} ${Math.round(top)} ${Math.round(width)}×${Math.round(height)}`];
        });
    }, within);
    assert.deepEqual(hidden, [], where);
}
