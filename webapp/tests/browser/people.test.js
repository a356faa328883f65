// People become friends, invite, keep others away, report them, and order is kept. Pictures of all
// they see are in target/screenshots.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { DESKTOP, PHONE, Person, openBrowser } from "./people.js";
import { startServer } from "./programs.js";

const limit = { timeout: 120_000 };
const EVIL = `<img src=x onerror="window.hurt=1"></script>`;

let browser, server, ann, bob, eve, ada;

before(async () => {
    browser = await openBrowser();
    server = await startServer("http://localhost:8080");
    ann = await Person.arrive(browser, "anna", PHONE);
    bob = await Person.arrive(browser, "bobby", { ...PHONE, colorScheme: "dark" });
    eve = await Person.arrive(browser, "evelyn", DESKTOP);
    ada = await Person.arrive(browser, "adele", DESKTOP);
    for (const person of [ann, bob, eve, ada]) await person.register(server.url);
}, limit);

after(async () => {
    await browser?.close();
    await server?.stop();
}, limit);

test("two become friends, and see each other", limit, async () => {
    await ann.press("nav-friends");
    await ann.see("empty");
    await ann.picture("friends-empty");
    await ann.write("friend-input", "no");
    await ann.press("friend-ask");
    await ann.see("friend-wrong");
    await ann.write("friend-input", "nobody_here");
    await ann.press("friend-ask");
    await ann.page.waitForFunction(() => /no such thing/.test(document.querySelector("[data-test=friend-wrong]")?.textContent ?? ""));
    await ann.write("friend-input", "@Bobby");
    await ann.press("friend-ask");
    await ann.see("outgoing-item");

    // Bob is told wherever he is.
    await bob.see("told");
    assert.match(await bob.read("told-text"), /anna wants to be friends/);
    await bob.picture("friends-told-dark");
    await bob.press("told-go");
    await bob.see("incoming-item");
    await bob.picture("friends-asked-dark");
    await bob.press("friend-accept");
    await bob.see("friend", { presence: "online" });
    await ann.see("friend", { presence: "online" });
    await ann.picture("friends");
});

test("a friend is invited to a room", limit, async () => {
    await ann.press("friend-invite");
    await ann.see("dialog");
    await ann.picture("friends-invite");
    await ann.press("invite-pong");
    await ann.see("screen-room");
    await bob.page.waitForFunction(() => /invites you/.test(document.querySelector("[data-test=told-text]")?.textContent ?? ""));
    await bob.picture("friends-invited-dark");
    await bob.press("told-go");
    await bob.see("room-join");
    await bob.press("room-join");
    await bob.see("screen-room", { inside: "true" });
});

test("what somebody calls themselves is text, and what they say can be kept away and reported", limit, async () => {
    await bob.page.evaluate(() => document.querySelector("[data-test=nav-me]").click());
    // The form has the name in it once that is known.
    await bob.see("profile-name");
    await bob.write("name-input", EVIL.slice(0, 32));
    await bob.press("name-save");
    await bob.page.waitForFunction(() => /onerror/.test(document.querySelector("[data-test=profile-name]")?.textContent ?? ""));
    await bob.press("nav-rooms");
    await bob.press("return-to-room");
    await bob.see("chat-input");
    await bob.write("chat-input", EVIL);
    await bob.page.keyboard.press("Enter");
    await ann.see("chat-line");
    assert.equal(await ann.page.evaluate(() => window.hurt), undefined);
    assert.match(await ann.read("chat-lines"), /<img src=x onerror=/);

    const about = async (what) => {
        await ann.page.locator("[data-test=member]:not(.mine) [data-test=member-actions]").click();
        await ann.press("about-person");
        await ann.see(`person-${what}`);
        if (what === "report") await ann.picture("person-actions");
        await ann.press(`person-${what}`);
    };
    await about("report");
    await ann.press("reason-abuse");
    await ann.see("report-text");
    await ann.picture("person-report");
    await ann.write("report-text", `He wrote ${EVIL}`);
    await ann.press("report-send");
    await ann.page.waitForFunction(() => /Somebody will look/.test(document.getElementById("toast")?.textContent ?? ""));
    await about("mute");
    await ann.page.waitForFunction(() => !document.querySelector("[data-test=chat-line]"));
    await ann.press("nav-friends");
    await ann.see("shunned-item");
    await ann.picture("friends-kept-away");
    await ann.press("let-back");
    await ann.find("shunned-item").waitFor({ state: "detached" });
});

test("an administrator looks at the report, and shuts somebody out", limit, async () => {
    server.grant("adele");
    await ada.page.reload();
    await ada.see("screen-home");
    await ada.press("nav-me");
    await ada.press("to-desk");
    await ada.see("report");
    assert.match(await ada.read("report"), /onerror/);
    assert.equal(await ada.page.evaluate(() => window.hurt), undefined);
    await ada.picture("desk-reports");
    await ada.press("report-about");
    await ada.see("screen-file");
    await ada.find("sanction-kind").selectOption("ban");
    await ada.find("sanction-term").selectOption("86400");
    await ada.write("sanction-reason", "Markup in the chat");
    await ada.picture("desk-file-new");
    await ada.press("sanction-do");
    await ada.see("sanction", { active: "true" });
    await ada.picture("desk-file");

    // Bob is out at once, and is told why when he knocks.
    await bob.see("submit");
    await bob.write("login", "bobby");
    await bob.write("password", "the password of bobby");
    await bob.press("submit");
    await bob.page.waitForFunction(() => /Markup in the chat/.test(document.querySelector("[data-test=form-error]")?.textContent ?? ""));
    await bob.picture("banned-dark");

    await ada.page.goBack();
    await ada.press("close-acted");
    await ada.see("empty");
    await ada.press("desk-audit");
    await ada.see("audit-line", { kind: "banned" });
    await ada.picture("desk-audit");
});

test("on a profile one may ask, block and report", limit, async () => {
    await ann.page.goto(`${server.url}/friends`);
    await ann.write("friend-input", "evelyn");
    await ann.press("friend-ask");
    await ann.see("outgoing-item");
    await eve.press("nav-friends");
    await eve.see("incoming-item");
    await eve.page.locator("[data-test=incoming-item] a").click();
    await eve.see("befriend");
    await eve.picture("profile-of-other");
    await eve.press("about-person");
    await eve.press("person-block");
    await eve.page.waitForFunction(() => /Blocked/.test(document.getElementById("toast")?.textContent ?? ""));
    await eve.press("nav-friends");
    await eve.see("shunned-item");
    assert.equal(await eve.find("incoming-item").count(), 0);
    await eve.picture("friends-blocked");
    for (const person of [ann, bob, eve, ada]) assert.deepEqual(person.complaints, [], person.name);
});
