// People at their browsers: what they see, and what their hands do.

import { mkdir } from "node:fs/promises";

import { chromium } from "playwright-core";

const PICTURES = new URL("../../../target/screenshots/", import.meta.url).pathname;
/** Until something is to be seen, on a machine that does much else. */
const PATIENCE_MS = 30_000;
/** A hand that has told nothing new for so long stands still. */
const HAND_MS = 250;
/** Between two looks at what can't be waited for otherwise. */
const LOOK_MS = 20;

export const PHONE = {
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    isMobile: true,
    hasTouch: true,
};
export const DESKTOP = { viewport: { width: 1280, height: 800 } };

/** A browser; `more` is said to it when it starts. @param {...string} more */
export async function openBrowser(...more) {
    await mkdir(PICTURES, { recursive: true });
    return chromium.launch({
        executablePath: process.env.ARTEL_TEST_CHROMIUM,
        // Root is not allowed a sandbox, and these pages are our own.
        args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--mute-audio", ...more],
    });
}

/** Somebody with a window of their own. */
export class Person {
    /** What went wrong on their page, for the end of a test to look at. */
    complaints = [];
    /** What the match told their page last, by the field of `game_update`; and what ended it. */
    heard = { ball: null, over: null };
    /** Where their page last asked for their paddle to be. */
    asked = null;

    constructor(page, name) {
        this.page = page;
        this.name = name;
        /** Where the app is: the page itself, or Telegram's frame in it. */
        this.app = page;
        page.setDefaultTimeout(PATIENCE_MS);
        page.on("pageerror", (error) => this.complaints.push(String(error)));
        page.on("console", (message) => {
            if (message.type() !== "error") return;
            const said = `${message.text()} (${message.location().url})`;
            // The API's refusals are the page's to show, which other checks look at.
            if (!/status of 4\d\d .*\/api\//.test(said)) this.complaints.push(said);
        });
        page.on("websocket", (socket) => {
            socket.on("framereceived", ({ payload }) => this.#hear(JSON.parse(String(payload))));
            socket.on("framesent", ({ payload }) => {
                const message = JSON.parse(String(payload));
                if (message.type === "player_move") this.asked = message.y;
            });
        });
    }

    /** Opens a window; `options` are Playwright's, for a browser's context. */
    static async arrive(browser, name, options) {
        const context = await browser.newContext({ locale: "en-GB", ...options });
        return new Person(await context.newPage(), name);
    }

    /** Finds what carries this `data-test`, in this state of other `data-` attributes. */
    find(name, state = {}) {
        const conditions = Object.entries(state).map(([key, value]) => `[data-${key}="${value}"]`);
        return this.app.locator(`[data-test="${name}"]${conditions.join("")}`);
    }

    /** Waits until that is to be seen. */
    async see(name, state) {
        const found = this.find(name, state).first();
        try {
            await found.waitFor();
        } catch (error) {
            await this.picture(`failed-${this.name}`);
            const over = JSON.stringify(this.heard.over);
            throw new Error(`${this.name} sees ${await this.#screen()}; ${over}; ${this.complaints}`, { cause: error });
        }
        return found;
    }

    /** Waits until that is gone. */
    async lose(name) {
        await this.find(name).first().waitFor({ state: "hidden" });
    }

    /** What is there instead of what was waited for. */
    async #screen() {
        const screens = this.app.locator("[data-test^=screen-], [data-test=result]");
        return screens.evaluateAll((all) => all.map((it) => JSON.stringify(it.dataset)).join());
    }

    async press(name) {
        await this.find(name).first().click();
    }

    async write(name, text) {
        await this.find(name).first().fill(text);
    }

    /** What is written there. */
    async read(name) {
        return (await (await this.see(name)).innerText()).trim();
    }

    async number(name) {
        return Number((await this.read(name)).replace("−", "-"));
    }

    /** Keeps a picture of what they see, once what moves has come. */
    async picture(title) {
        await this.page.screenshot({ path: `${PICTURES}${title}.png`, animations: "disabled" });
    }

    async register(url) {
        await this.page.goto(url);
        await this.press("tab-sign-up");
        await this.write("username", this.name);
        await this.write("password", `the password of ${this.name}`);
        await this.press("submit");
        await this.see("screen-home");
    }

    #hear(message) {
        if (message.type === "game_state") {
            this.heard = { ball: message.game?.ball ?? null, over: null, seat: message.you };
        }
        if (message.type === "game_update" && message.ball) this.heard.ball = message.ball;
        if (message.type === "game_over") this.heard.over = message;
    }
}

/** Waits until something holds. */
export async function until(holds, patience = PATIENCE_MS) {
    const end = Date.now() + patience;
    while (!(await holds())) {
        if (Date.now() > end) throw new Error(`it took too long until ${holds}`);
        await new Promise((soon) => setTimeout(soon, LOOK_MS));
    }
}

// Three ways to move a paddle.

/** A mouse that hangs over the court: it needs no press. */
export function mouse(person) {
    return (x, y) => person.page.mouse.move(x, y, { steps: 5 });
}

/** A finger that is put down on the court once and then drawn along it. */
export async function finger(person) {
    const session = await person.page.context().newCDPSession(person.page);
    let type = "touchStart";
    return async (x, y) => {
        await session.send("Input.dispatchTouchEvent", { type, touchPoints: [{ x, y }] });
        type = "touchMove";
    };
}

/** Follows the ball by `hand` until the match is over, as well as a person can. */
export async function playWell(person, hand) {
    const court = await (await person.see("court")).boundingBox();
    const tall = court.height > court.width;
    /** Moves the hand along the court: 0 is one end of the paddle's way and 1 the other. */
    const moveTo = (part) =>
        tall
            ? hand(court.x + court.width * part, court.y + court.height * 0.8)
            : hand(court.x + court.width * 0.1, court.y + court.height * part);

    // Nobody is told which end is which: one tries, and sees where the paddle goes, until a second
    // round says the same. A page that stands still for a moment looks like a hand that does.
    let tries = [];
    person.asked = null;
    while (!person.heard.over) {
        const before = tries;
        tries = [];
        for (const part of [0.35, 0.65]) {
            const { asked } = person;
            await moveTo(part);
            await until(() => person.asked !== asked || person.heard.over);
            tries.push(await settled(person));
        }
        if (`${tries}` === `${before}`) break;
    }
    const [first, second] = tries;
    if (first === null || first === second) throw new Error(`the paddle went to ${tries}`);

    let chased = null;
    while (!person.heard.over) {
        const { ball } = person.heard;
        if (ball && ball !== chased) {
            chased = ball;
            const y = whereItComes(ball, person.heard.seat);
            if (y !== null) await moveTo(0.35 + (0.3 * (y - first)) / (second - first));
        }
        await person.page.waitForTimeout(20);
    }
}

/** Where the paddle is asked to be once the hand stands still: a move is told in several steps. */
async function settled(person) {
    let asked = null;
    let since = Date.now();
    await until(() => {
        if (person.asked !== asked) [asked, since] = [person.asked, Date.now()];
        return Date.now() - since > HAND_MS || person.heard.over;
    });
    return asked;
}

/** Where to have the paddle for this ball, from 0 to 1; null if it flies to the other side. */
function whereItComes([, x, y, vx, vy], seat) {
    const plane = seat === 0 ? 38 : 762;
    const time = (plane - x) / vx;
    if (time < 0) return null;
    // The walls are at 8 and 492: what is beyond is folded back.
    const turn = 2 * (492 - 8);
    const way = (((y + vy * time - 8) % turn) + turn) % turn;
    const at = 8 + Math.min(way, turn - way);
    // Hit off the middle, the ball leaves aslant, and is harder to get.
    return (at + (at < 250 ? 20 : -20)) / 500;
}

/** Stays about where they are, but moves now and then so as not to be taken for asleep. */
export async function playBadly(person, nudge) {
    while (!person.heard.over) {
        await nudge();
        await person.page.waitForTimeout(3000);
    }
}

/** Moves a paddle to and fro in the middle, by keys. */
export function keys(person) {
    return async () => {
        for (const key of ["ArrowUp", "ArrowDown"]) {
            await person.page.keyboard.down(key);
            await person.page.waitForTimeout(60);
            await person.page.keyboard.up(key);
        }
    };
}

/** Moves a paddle to and fro in a corner, by taps. */
export function taps(person) {
    const parts = [0.05, 0.12];
    return async () => {
        const court = await person.find("court").boundingBox();
        // The court is gone when the match is.
        if (!court) return;
        const [part] = parts.reverse();
        const [x, y] = [court.x + court.width * part, court.y + court.height * 0.9];
        await person.page.touchscreen.tap(x, y);
    };
}
