// People meet in a room, by its code, its link and the list; they play matches in a row, and others
// watch. Pictures of all they see are in target/screenshots.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { DESKTOP, PHONE, Person, openBrowser, until } from "./people.js";
import { startServer } from "./programs.js";

const limit = { timeout: 180_000 };

let browser, server, gil, hal, ida, code;

before(async () => {
    browser = await openBrowser();
    server = await startServer("http://localhost:8080");
    gil = await Person.arrive(browser, "gil", PHONE);
    hal = await Person.arrive(browser, "hal", { ...PHONE, colorScheme: "dark" });
    ida = await Person.arrive(browser, "ida", DESKTOP);
    for (const person of [gil, hal, ida]) await person.register(server.url);
}, limit);

after(async () => {
    await browser?.close();
    await server?.stop();
}, limit);

test("one opens a room, with options that are refused by name", limit, async () => {
    await gil.press("nav-rooms");
    await gil.see("screen-rooms");
    await gil.see("empty");
    await gil.picture("rooms-empty");
    await gil.press("open-room");
    await gil.see("open-form");
    await gil.write("option-points", "99");
    await gil.press("open-submit");
    await gil.find("option-wrong-points").filter({ hasText: /^From 3 to 21\.$/ }).waitFor();
    await gil.picture("rooms-open-refused");
    await gil.write("option-points", "3");
    await gil.press("open-submit");
    await gil.see("screen-room", { host: true });
    code = await gil.read("room-code");
    assert.match(code, /^[A-Z]{6}$/);
    await gil.find("room-advice").filter({ hasText: "1 more player" }).waitFor();
    await until(() => gil.find("room-start").isDisabled());
    await gil.picture("room-alone");
});

test("another comes by the code, a third by the list, to watch", limit, async () => {
    await hal.press("nav-rooms");
    await hal.see("listed-room", { code });
    await hal.picture("rooms-dark");
    await hal.write("room-code-input", "kw");
    await hal.press("join-by-code");
    await hal.see("code-wrong");
    await hal.write("room-code-input", code.toLowerCase());
    await hal.press("join-by-code");
    await hal.see("screen-room", { code, inside: false });
    await hal.picture("room-before-joining-dark");
    await hal.press("room-join");
    await hal.see("screen-room", { inside: true });
    await hal.see("room-ready");
    await hal.find("option-value-points").filter({ hasText: /^3$/ }).waitFor();

    await ida.press("nav-rooms");
    await ida.press("listed-room");
    await ida.press("room-join");
    await ida.see("watchers");
    await ida.picture("room-watcher-desktop");
});

test("they talk, and what they write is only text", limit, async () => {
    await gil.write("chat-input", "<b>hello</b> hal");
    await gil.page.keyboard.press("Enter");
    await lineOf(hal, "<b>hello</b> hal");
    await hal.write("chat-input", "hi gil, ready when you are");
    await hal.press("chat-send");
    await lineOf(gil, "hi gil, ready when you are");
    assert.equal(await gil.find("chat-input").inputValue(), "", "what was said is no longer there to be said");
    // Faster than one may: within one task of the page.
    await hal.find("chat-input").evaluate((input) => {
        for (let line = 0; line < 5; line += 1) {
            input.value = "at once";
            input.form.requestSubmit();
        }
    });
    await hal.see("toast");
});

test("all ready, the host starts, and all land in the match", limit, async () => {
    await hal.press("room-ready");
    await gil.find("member").and(gil.page.locator("[data-ready=true]")).waitFor();
    await gil.picture("room-ready");
    await hal.picture("room-ready-dark");
    await gil.press("room-start");
    for (const person of [gil, hal]) await person.see("screen-match", { status: "active" });
    await ida.see("screen-match", { seat: "" });
});

test("the match ends, and the room goes on with its table", limit, async () => {
    await giveUp(gil);
    await hal.see("result", { result: "won" });
    await hal.see("unrated");
    await hal.picture("room-match-won-dark");
    for (const person of [gil, hal, ida]) {
        await person.press("room");
        await person.see("screen-room", { playing: false });
    }
    await hal.see("room-score", { wins: 1 });
    await gil.picture("room-table");

    await hal.press("room-ready");
    await gil.find("member").and(gil.page.locator("[data-ready=true]")).waitFor();
    await gil.press("room-start");
    for (const person of [gil, hal]) await person.see("screen-match", { status: "active" });
    // Sides have changed.
    await gil.see("screen-match", { seat: 1 });
    await giveUp(hal);
    for (const person of [gil, hal]) {
        await person.see("result");
        await person.press("room");
        await person.see("room-score", { matches: 2, wins: 1 });
    }
    await ida.press("room");
    await ida.see("screen-room", { inside: true });
});

test("who has the link comes in, and a reload stays in", limit, async () => {
    await hal.page.goto(`${server.url}/rooms/${code.toLowerCase()}`);
    await hal.see("screen-room", { inside: true });
    await lineOf(hal, "hi gil, ready when you are");
    await hal.press("nav-play");
    await hal.press("return-to-room");
    await hal.see("screen-room", { inside: true });
});

test("the host who leaves hands the room on, and the next may put others out", limit, async () => {
    await gil.press("leave-room");
    await gil.see("screen-rooms");
    await hal.see("screen-room", { host: true });
    await hal.press("member-actions");
    await hal.see("dialog");
    await hal.picture("room-member-dark");
    await hal.press("kick");
    await ida.see("parted");
    await ida.picture("room-kicked-desktop");
    await ida.press("to-rooms");
    await ida.press("listed-room");
    await ida.see("screen-room", { parting: "kicked" });
    await ida.page.reload();
    await ida.press("room-join");
    await ida.see("toast");
    await ida.see("screen-room", { inside: false });
});

test("everything is there by keyboard, on the narrowest screen, and in Russian", limit, async () => {
    await hal.page.setViewportSize({ width: 320, height: 700 });
    await hal.picture("room-narrow-dark");
    await assertFits(hal);
    await hal.find("option-points").focus();
    await hal.page.keyboard.press("Control+A");
    await hal.page.keyboard.type("7");
    await hal.page.keyboard.press("Tab");
    await hal.page.keyboard.press("Space");
    await hal.page.keyboard.press("Enter");
    await hal.find("private-room").and(hal.page.locator("[checked]")).waitFor();
    await until(async () => (await hal.find("option-points").inputValue()) === "7");

    await hal.press("nav-me");
    await hal.press("language-ru");
    await hal.press("nav-rooms");
    await hal.see("return-to-room");
    await hal.picture("rooms-narrow-russian-dark");
    await assertFits(hal);
    await hal.press("return-to-room");
    await hal.see("screen-room", { host: true });
    await hal.picture("room-narrow-russian-dark");
    await assertFits(hal);
    // Who is the last closes it.
    await hal.press("leave-room");
    await hal.see("screen-rooms");
    await hal.page.goto(`${server.url}/rooms/${code}`);
    await hal.see("error");
    await hal.see("to-rooms");
});

test("nothing went wrong unseen", () => {
    for (const person of [gil, hal, ida]) assert.deepEqual(person.complaints, [], person.name);
});

async function giveUp(person) {
    await person.press("leave");
    await person.press("dialog-confirm");
    await person.see("result", { result: "lost" });
}

async function lineOf(person, text) {
    await person.find("chat-line").filter({ hasText: text }).waitFor();
}

/** Nothing is wider than the screen. */
async function assertFits(person) {
    const fits = () => person.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
    assert.ok(await fits(), "nothing is wider than the screen");
}
