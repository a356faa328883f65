// Anyone with the link looks at a shot, hit by hit. Pictures of what they see are in
// target/screenshots.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { DESKTOP, PHONE, Person, openBrowser } from "./people.js";
import { startServer } from "./programs.js";

const limit = { timeout: 60_000 };
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

        // What follows is seen.
        await rows.last().click();
        const rest = await person.number("shot-time");
        assert.ok(rest > hit);
        assert.ok(!before.equals(await person.find("court").screenshot()), "the balls have moved");
        await person.picture(`shots-${name}-rest`);

        // Keys wind finely; another shot is chosen, and has its address.
        await person.page.keyboard.press("Shift+ArrowLeft");
        await person.page.keyboard.press("Home");
        // It is drawn with the next frame.
        while (await person.number("shot-time") !== 0) await person.page.waitForTimeout(20);
        await person.find("shot").selectOption("draw");
        await person.page.waitForURL("**/shots/draw");
        assert.notEqual(await rows.count(), whole);
        assert.deepEqual(person.complaints, []);
    });
}
