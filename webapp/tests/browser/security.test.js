// How people sign in, in real browsers: by Google, in two ways to one account, and out again.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { DESKTOP, openBrowser, Person, PHONE } from "./people.js";
import { startServer, startTelegram } from "./programs.js";
import { startProvider } from "./provider.js";

/** Pages that explain what went wrong have its status. */
const OF_PAGES = /status of 4\d\d .*\/auth\/google\/callback/;

let browser;
let provider;
let server;
let home;

before(async () => {
    provider = await startProvider();
    // All of them come from one address, and pages of a debug build are not kept by browsers.
    server = await startServer("", { ...provider.variables, ARTEL_RATE_LIMITS: "off" });
    home = server.url;
    browser = await openBrowser();
});
after(async () => {
    await browser?.close();
    await server?.stop();
    provider?.stop();
});

/** At the provider: who they are, or `cancel`. */
async function choose(person, who) {
    await person.page.locator(`#${who}`).click();
}

test("somebody comes by Google, and sets a password as well", async () => {
    const ann = await Person.arrive(browser, "ann", PHONE);
    await ann.page.goto(`${home}/top`);
    await ann.see("by-google");
    await ann.picture("security-sign-in");
    await ann.press("by-google");
    await choose(ann, "ann");
    await ann.see("screen-top");
    // Nothing of what Google sent is left in the address.
    assert.equal(new URL(ann.page.url()).search, "");
    await ann.page.goto(`${home}/me`);
    await ann.press("to-security");
    await ann.see("way-google");
    assert.match(await ann.read("way-google"), /ann@example\.org/);
    assert.equal(await ann.find("unlink-google").count(), 0, "the last way in can't be given up");
    await ann.picture("security-one-way");

    await ann.press("password-open");
    await ann.write("password-username", "ann_b");
    await ann.write("password-password", "short");
    await ann.press("password-save");
    await ann.see("fill-wrong");
    await ann.write("password-password", "correct horse battery");
    await ann.press("password-save");
    await ann.see("unlink-google");
    assert.match(await ann.read("way-password"), /@ann_b/);
    await ann.picture("security-two-ways");

    // What a script could read of who is signed in: nothing that lasts.
    const readable = await ann.page.evaluate(() => JSON.stringify([
        document.cookie, { ...localStorage }, { ...sessionStorage }, location.href,
    ]));
    assert.doesNotMatch(readable, /eyJ|refresh|[\w-]{43}/);

    // Elsewhere, by the password; then the one place ends the other.
    const laptop = await Person.arrive(browser, "laptop", DESKTOP);
    await laptop.page.goto(`${home}/security`);
    await laptop.write("login", "ann_b");
    await laptop.write("password", "correct horse battery");
    await laptop.press("submit");
    await laptop.see("screen-security");
    await laptop.see("session", { current: false });
    await laptop.picture("security-desktop");
    await laptop.press("end-others");
    await laptop.page.waitForFunction(() => document.querySelectorAll('[data-test="session"]').length === 1);
    await ann.see("screen-sign");

    await laptop.press("unlink-google");
    await laptop.press("dialog-confirm");
    await laptop.see("link-google");
    await laptop.press("link-google");
    await choose(laptop, "cancel");
    await laptop.see("told", { code: "provider_denied" });
    await laptop.picture("security-cancelled");
    await laptop.press("onward");
    await laptop.see("link-google");
    assert.deepEqual([...ann.complaints, ...laptop.complaints].filter((it) => !OF_PAGES.test(it)), []);
});

test("two accounts of one person become one", async () => {
    const first = await Person.arrive(browser, "first", PHONE);
    await first.page.goto(home);
    await first.press("by-google");
    await choose(first, "boris");
    await first.see("screen-home");

    const boris = await Person.arrive(browser, "boris", PHONE);
    await boris.register(home);
    await boris.page.goto(`${home}/security`);
    await boris.press("link-google");
    await choose(boris, "boris");
    await boris.see("told", { code: "merge_offered" });
    await boris.picture("security-merge-found");
    await boris.press("onward");
    await boris.see("offer");
    await boris.picture("security-merge-offer");
    await boris.press("merge");
    await boris.picture("security-merge-sure");
    await boris.press("dialog-confirm");
    await boris.see("unlink-google");
    assert.equal(await boris.find("offer").count(), 0);
    assert.deepEqual(boris.complaints.filter((it) => !OF_PAGES.test(it)), []);
});

test("a lost password leads to whoever runs the server, where it sends nothing", async () => {
    const carl = await Person.arrive(browser, "carl", PHONE);
    await carl.page.goto(home);
    await carl.press("forgot");
    await carl.write("login", "carl");
    await carl.press("submit");
    await carl.see("told");
    await carl.picture("security-lost");
    await carl.page.goto(`${home}/handoff#482193`);
    await carl.see("handoff-code");
    assert.equal(new URL(carl.page.url()).hash, "");
    await carl.picture("security-code");
    await carl.page.goto(`${home}/confirm#nothing`);
    await carl.see("told");
    await carl.page.goto(`${home}/auth/google/callback?code=x&state=y`);
    await carl.see("told", { code: "flow_unknown" });
    assert.equal(new URL(carl.page.url()).search, "");
});

test("another site frames no page of ours", async () => {
    const eve = await Person.arrive(browser, "eve", DESKTOP);
    const asked = eve.page.waitForResponse((it) => it.url().startsWith(home));
    await eve.page.goto(`${provider.url}/frame?of=${encodeURIComponent(home)}`);
    await asked;
    await eve.page.waitForFunction(() => performance.getEntriesByType("resource").length > 0 || document.readyState === "complete");
    assert.ok(eve.page.frames().every((frame) => !frame.url().startsWith(home)), "the page is shown to another site");
});

test("inside Telegram the system's browser goes to Google, and a code comes back", async () => {
    const telegram = await startTelegram({ ...provider.variables, ARTEL_RATE_LIMITS: "off" });
    try {
        const phone = await Person.arrive(browser, "ann", { viewport: { width: 1280, height: 960 } });
        await phone.page.goto(`${telegram.url}/?user=1001&theme=light&platform=weba&insets=none`);
        phone.app = phone.page.frameLocator("#app");
        await phone.see("screen-home");
        await phone.press("nav-me");
        await phone.press("to-security");
        const opened = phone.page.waitForEvent("popup");
        await phone.press("link-google");
        await phone.see("code");
        await phone.picture("security-handoff");
        const outside = new Person(await opened, "outside");
        await choose(outside, "ann");
        const code = await outside.read("handoff-code");
        await outside.picture("security-handoff-code");
        await phone.write("code", code === "000 000" ? "000001" : "000000");
        await phone.press("code-send");
        await phone.see("code-wrong");
        await phone.write("code", code);
        await phone.press("code-send");
        await phone.see("unlink-google");
        assert.match(await phone.read("way-google"), /ann@example\.org/);
    } finally {
        await telegram.stop();
    }
});
