// From addresses to screens, without loading the page again.

/** @typedef {"home" | "queue" | "rooms" | "room" | "match" | "replay" | "practice" | "shots" | "me" | "user" | "top" | "friends" | "desk" | "security" | "reset" | "confirm" | "handoff" | "problem" | "missing"} ScreenName */
/** @typedef {{ screen: ScreenName, id: string }} Place `id` is the variable part of the address */

/** @type {[RegExp, ScreenName][]} */
const PLACES = [
    [/^\/()$/, "home"],
    [/^\/queue\/([a-z_]{1,32})$/, "queue"],
    [/^\/match\/([0-9A-Za-z]{11})$/, "match"],
    [/^\/replay\/([0-9A-Za-z]{11})$/, "replay"],
    [/^\/rooms()$/, "rooms"],
    [/^\/rooms\/([A-Za-z]{6})$/, "room"],
    [/^\/practice\/([a-z_]{1,32})$/, "practice"],
    [/^\/shots(?:\/([a-z0-9_]{1,64}))?$/, "shots"],
    [/^\/me()$/, "me"],
    [/^\/users\/([0-9A-Za-z]{11})$/, "user"],
    [/^\/top()$/, "top"],
    [/^\/security()$/, "security"],
    [/^\/reset()$/, "reset"],
    [/^\/confirm()$/, "confirm"],
    [/^\/handoff()$/, "handoff"],
    [/^\/auth\/(?:google|telegram)(?:\/callback)?()$/, "problem"],
    [/^\/friends()$/, "friends"],
    [/^\/desk(?:\/([0-9A-Za-z]{11}))?$/, "desk"],
];

/** What a link of Telegram's may ask for: `m_<match>`, `r_<match>`, `q_<game>`, `u_<user>`, `room_<code>`. */
const LINKS = { m: "/match/", r: "/replay/", q: "/queue/", u: "/users/", room: "/rooms/" };

/** In the browser's history: there is a place of ours before this one. */
const INSIDE = "inside";

/** @type {(place: Place) => void} */
let show = () => {};
/** @type {(() => Promise<boolean>) | null} */
let guard = null;
let shown = "";

/** Where the address leads. @param {string} [path] @returns {Place} */
export function place(path = location.pathname) {
    for (const [pattern, screen] of PLACES) {
        const found = pattern.exec(path);
        if (found) return { screen, id: found[1] ?? "" };
    }
    return { screen: "missing", id: "" };
}

/** Where a Telegram link leads; null when it doesn't say. @param {string} start */
export function linked(start) {
    const [, kind, id] = /^([mrqu]|room)_(\w+)$/.exec(start) ?? [];
    if (!kind || !id) return null;
    const path = LINKS[/** @type {keyof LINKS} */ (kind)] + id;
    return place(path).screen === "missing" ? null : path;
}

/** What a Telegram link to a place says; null for places that they don't lead to. @param {string} path */
export function startParameter(path) {
    for (const [kind, start] of Object.entries(LINKS)) {
        const param = `${kind}_${path.slice(start.length)}`;
        if (path.startsWith(start) && linked(param) === path) return param;
    }
    return null;
}

/** @param {(place: Place) => void} hear called with every place that is gone to */
export function startRouter(hear) {
    show = hear;
    shown = location.pathname;
    addEventListener("popstate", async () => {
        const wanted = location.pathname;
        if (guard) {
            // The browser has gone already: go back until it is clear whether one may.
            history.pushState(INSIDE, "", shown);
            if (!(await mayLeave())) return;
            history.replaceState(history.state, "", wanted);
        }
        arrive();
    });
    document.addEventListener("click", (event) => {
        const target = event.target instanceof Element ? event.target : null;
        const link = target?.closest("a[href^='/']");
        if (!(link instanceof HTMLAnchorElement) || link.target || event.defaultPrevented) return;
        if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        void go(link.pathname);
    });
    show(place());
}

/**
 * Goes somewhere, unless the screen that is shown asks and the answer is to stay.
 * @param {string} path
 * @param {{ replace?: boolean }} [how]
 */
export async function go(path, { replace = false } = {}) {
    if (!(await mayLeave())) return;
    if (replace || path === shown) history.replaceState(history.state, "", path);
    else history.pushState(INSIDE, "", path);
    arrive();
}

/** Goes back to where one came from, or else somewhere. @param {string} path */
export function goBack(path) {
    if (history.state === null) void go(path);
    else history.back();
}

/** What is behind the # of the address, which may be secret: it is taken off the address. */
export function takeFragment() {
    const fragment = location.hash.slice(1);
    if (fragment) history.replaceState(history.state, "", location.pathname);
    return fragment;
}

/** Shows the same place again. */
export function again() {
    show(place());
}

/** What has to agree before the screen that is shown is left. @param {(() => Promise<boolean>) | null} ask */
export function guarded(ask) {
    guard = ask;
}

async function mayLeave() {
    if (guard && !(await guard())) return false;
    guard = null;
    return true;
}

function arrive() {
    shown = location.pathname;
    scrollTo(0, 0);
    show(place());
}
