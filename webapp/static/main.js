// Boot: Telegram, language, theme, who is signed in; then the screen for the address.

import { call, me, renew, signInByTelegram, whenSignedOut, Refusal } from "./lib/api.js";
import { act, html, patch } from "./lib/html.js";
import { lobby } from "./lib/lobby.js";
import { explained, gameTitle, icon, loading } from "./lib/parts.js";
import { again, go, goBack, linked, place, startRouter } from "./lib/router.js";
import { wishes } from "./lib/settings.js";
import { wake } from "./lib/sound.js";
import { telegram } from "./lib/telegram.js";
import { whenThemeWished, wearTheme } from "./lib/theme.js";
import { preferred, speak, t } from "./lib/words.js";
import { desk } from "./screens/desk.js";
import { friends } from "./screens/friends.js";
import { home } from "./screens/home.js";
import { match } from "./screens/match.js";
import { missing } from "./screens/missing.js";
import { me as mine, user } from "./screens/profile.js";
import { practice } from "./screens/practice.js";
import { queue } from "./screens/queue.js";
import { confirm, handoff, problem, reset } from "./screens/recovery.js";
import { replay } from "./screens/replay.js";
import { room } from "./screens/room.js";
import { rooms } from "./screens/rooms.js";
import { security } from "./screens/security.js";
import { shots } from "./screens/shots.js";
import { sign } from "./screens/sign.js";
import { top } from "./screens/top.js";

/** @import { Place } from "./lib/router.js" */
/** @import { Word } from "./lib/words.js" */

/**
 * Puts itself into `root` and answers how to take itself away. `id` is the variable part of the
 * address.
 * @typedef {(root: HTMLElement, id: string) => () => void} Screen
 */

/** @type {Record<Place["screen"], Screen>} */
const SCREENS = {
    home, queue, rooms, room, match, replay, practice, shots, me: mine, user, top, friends, desk, security, reset, confirm, handoff, problem, missing,
};
/** @type {Record<Place["screen"], Word>} */
const TITLES = {
    home: "games", queue: "looking", rooms: "rooms", room: "room", match: "match", replay: "replay", practice: "practice",
    shots: "shots", me: "me", user: "player", top: "top", friends: "friends", desk: "desk", security: "security", reset: "reset_title",
    confirm: "email", handoff: "handoff_done", problem: "went_wrong", missing: "nowhere",
};
/** What anyone may look at who has the link. @type {ReadonlySet<Place["screen"]>} */
const OPEN = new Set(["match", "replay", "practice", "shots", "reset", "confirm", "handoff", "problem"]);
/** The places at the bottom, and the screens that belong to them. */
const TABS = /** @type {const} */ ([
    { path: "/", word: "play", screens: ["home", "queue"] },
    { path: "/rooms", word: "rooms", screens: ["rooms", "room"] },
    { path: "/friends", word: "friends", screens: ["friends"] },
    { path: "/top", word: "top", screens: ["top", "user"] },
    { path: "/me", word: "me", screens: ["me", "security", "desk"] },
]);

const app = /** @type {HTMLElement} */ (document.getElementById("app"));
/** @type {(() => void) | null} */
let leave = null;
let signedIn = false;
/** Somebody who looks at what is open to all wants to sign in. */
let asksToSignIn = false;
/** The match that was left for another screen: the lobby does not lead back to it by itself. */
let leftMatch = "";
/** How much of what I was told of was shown. */
let toldUpTo = 0;
/** @type {number | undefined} */
let telling;
/** How long what I was told of is shown. */
const TOLD_MS = 12_000;

telegram.start();
speak(wishes().language ?? preferred([telegram.language, ...navigator.languages]));
wearTheme();
whenThemeWished(wearTheme);
build();
addEventListener("pointerdown", wake, { capture: true });
addEventListener("keydown", wake, { capture: true });
act(app, {
    retry: enter,
    untold: () => {
        element("told").hidden = true;
    },
    enter: () => {
        asksToSignIn = true;
        again();
    },
});
void enter();

/** The frame that every screen stands in. */
function build() {
    app.dataset["telegram"] = String(telegram.inside);
    patch(app, html`
        <p id="offline" class="banner" data-test="offline" role="status" hidden></p>
        <main id="screen" tabindex="-1"></main>
        <nav id="tabs" hidden></nav>
        <aside id="told" data-test="told" role="status" hidden></aside>
        <p id="toast" data-test="toast" role="status" hidden></p>
        <p id="announcer" class="hidden" data-test="announcer" aria-live="polite"></p>`);
}

/** Finds out who is here. */
async function enter() {
    const screen = element("screen");
    patch(screen, loading());
    try {
        signedIn = telegram.initData ? await byTelegram() : await renew();
    } catch (error) {
        patch(screen, html`<div class="state" data-test="error" role="alert"><p>${explained(error)}</p>
            <button data-do="retry" data-test="retry">${t("retry")}</button></div>`);
        return;
    }
    adoptLanguage();
    const start = linked(telegram.startParam);
    if (start && location.pathname === "/") history.replaceState(null, "", start);
    whenSignedOut(() => {
        // Who was nobody before sees nothing else now.
        if (!signedIn) return;
        signedIn = false;
        lobby.close();
        again();
    });
    lobby.listen(followLobby);
    document.addEventListener("artel:language", () => again());
    telegram.settings(() => void go("/me"));
    startRouter(show);
}

/** Who has chosen no language here has it from their account; a choice goes to the account. */
function adoptLanguage() {
    const account = me()?.language;
    const { language } = wishes();
    if (account && !language) speak(account);
    // The bot speaks it too from then on; that it does is no condition.
    if (account && language && language !== account) {
        call("PATCH", "/api/me", { language }).catch(() => {});
    }
}

async function byTelegram() {
    try {
        await signInByTelegram();
        return true;
    } catch (error) {
        if (!(error instanceof Refusal) || error.status === 0 || error.status >= 500 || error.code === "banned") throw error;
        // What Telegram gave is too old or this server has no bot: a session may still be there.
        return renew();
    }
}

/** @param {Place} to */
function show({ screen, id }) {
    leave?.();
    signedIn = me() !== null;
    const open = signedIn || (OPEN.has(screen) && !asksToSignIn);
    asksToSignIn = false;
    const root = document.createElement("div");
    root.className = "screen";
    element("screen").replaceChildren(root);
    app.dataset["screen"] = open ? screen : "sign";
    document.title = `${t(open ? TITLES[screen] : "sign_in")} · Artel`;
    if (screen === "match") leftMatch = id;
    if (signedIn && screen !== "match") lobby.open();
    if (!signedIn || screen === "match") lobby.close();
    showTabs(screen);
    const isTab = TABS.some(({ path }) => path === location.pathname);
    telegram.back(isTab || !open ? null : () => void back(screen));
    leave = open ? SCREENS[screen](root, id) : sign(root, () => {
        adoptLanguage();
        again();
    });
    element("screen").focus({ preventScroll: true });
}

/** @param {Place["screen"]} screen */
function back(screen) {
    if (screen === "replay" || screen === "practice" || screen === "shots") return goBack("/");
    return go(TABS.find(({ screens }) => screens.some((it) => it === screen))?.path ?? "/");
}

/** @param {Place["screen"]} screen */
function showTabs(screen) {
    const tabs = element("tabs");
    tabs.hidden = !signedIn || screen === "match" || screen === "replay" || screen === "practice" || screen === "shots";
    tabs.setAttribute("aria-label", t("places"));
    patch(tabs, html`${TABS.map(({ path, word, screens }) => {
        const here = screens.some((it) => it === screen);
        return html`<a href="${path}" data-test="nav-${word}"${here ? html` aria-current="page"` : ""}>
            ${icon(word)}<span>${t(word)}</span></a>`;
    })}`);
}

/** The lobby says where I am needed, and whether it can be heard at all. */
function followLobby() {
    const offline = element("offline");
    offline.hidden = lobby.state !== "offline";
    offline.textContent = t("offline");
    tell();
    const found = lobby.matched;
    if (found && found.match_id !== leftMatch && place().screen !== "match") {
        void go(`/match/${found.match_id}`);
    }
}

/** Shows what I was told of, with the way to it. */
function tell() {
    const { told, heard } = lobby;
    if (!told || heard === toldUpTo) return;
    toldUpTo = heard;
    const name = told.user.display_name;
    const [text, path, word] = told.kind === "invitation"
        ? [t("told_invitation", { name, game: gameTitle(told.game) }), `/rooms/${told.room}`, t("join")]
        : [t(`told_${told.kind}`, { name }), "/friends", t("show")];
    const box = element("told");
    patch(box, html`<p data-test="told-text">${text}</p><a class="button" href="${path}" data-do="untold" data-test="told-go">${word}</a>
        <button class="link" data-do="untold" data-test="told-close" aria-label="${t("close")}">${icon("close")}</button>`);
    box.hidden = false;
    telegram.haptic("light");
    clearTimeout(telling);
    telling = setTimeout(() => {
        box.hidden = true;
    }, TOLD_MS);
}

/** @param {string} id */
function element(id) {
    return /** @type {HTMLElement} */ (document.getElementById(id));
}
