// Calls to the server, and who is signed in. The access token lives in this module's memory only;
// the refresh token is a cookie that no script can read.

import { telegram } from "./telegram.js";

/** @import { Handoff, Session, SessionUser, SignInOptions } from "../types.d.ts" */

/** The server said no, or did not answer (`status` 0). */
export class Refusal extends Error {
    /**
     * @param {number} status
     * @param {string} code
     * @param {string} detail
     * @param {{ field: string, message: string }[]} [errors]
     */
    constructor(status, code, detail, errors = []) {
        super(detail);
        this.status = status;
        this.code = code;
        this.errors = errors;
    }
}

/** How much of its life an access token is used for. */
const FRESH = 0.8;

/** @type {{ token: string, until: number, user: SessionUser } | null} */
let session = null;
/** @type {Promise<boolean> | null} */
let renewing = null;
/** How far the server's clock is ahead of ours, in ms, to the second. */
let ahead = 0;
/** @type {() => void} */
let onSignedOut = () => {};

/** Who is signed in. */
export function me() {
    return session?.user ?? null;
}

/** The time of day on the server, in ms. */
export function serverNow() {
    return Date.now() + ahead;
}

/** @param {() => void} hear called when the session turns out to be over */
export function whenSignedOut(hear) {
    onSignedOut = hear;
}

/** The session turned out to be over. */
export function signedOut() {
    session = null;
    onSignedOut();
}

/** @param {string} login @param {string} password */
export async function signIn(login, password) {
    begin(await request("POST", "/api/auth/login?cookie=1", { login, password }));
}

/** @param {string} username @param {string} password @param {string} email */
export async function signUp(username, password, email) {
    const account = email ? { username, password, email } : { username, password };
    begin(await request("POST", "/api/auth/register?cookie=1", account));
}

/** Signs in as the user that Telegram vouches for. */
export async function signInByTelegram() {
    begin(await request("POST", "/api/auth/telegram?cookie=1", { init_data: telegram.initData }));
}

/** Which ways to sign in the server has. @returns {Promise<SignInOptions>} */
export async function signInOptions() {
    return /** @type {SignInOptions} */ (await request("GET", "/api/auth/options"));
}

/**
 * Begins a sign-in in another browser; to `link`, as who is signed in.
 * @param {"google" | "telegram"} way @param {boolean} link
 * @returns {Promise<Handoff>}
 */
export async function beginHandoff(way, link) {
    if (link) return call("POST", "/api/auth/handoffs", { way, link });
    return /** @type {Handoff} */ (await request("POST", "/api/auth/handoffs", { way }));
}

/** Finishes it by the code that is shown there. @param {string} secret @param {string} code */
export async function finishHandoff(secret, code) {
    const answer = await call("POST", "/api/auth/handoffs/finish?cookie=1", { secret, code });
    if (answer) begin(answer);
}

/** Asks for a new password; answers where a link may have been sent. @param {string} login @returns {Promise<string[]>} */
export async function forgotPassword(login) {
    const answer = await request("POST", "/api/auth/password/forgot", { login });
    return /** @type {{ ways: string[] }} */ (answer).ways;
}

/** @param {string} token what came in a link @param {string} password */
export async function resetPassword(token, password) {
    begin(await request("POST", "/api/auth/password/reset?cookie=1", { token, password }));
}

export async function signOut() {
    await request("POST", "/api/auth/logout?cookie=1", undefined, { "X-Artel": "1" });
    signedOut();
}

/**
 * A new access token, by the cookie or else by what Telegram gave us.
 * @returns {Promise<boolean>} false when somebody has to sign in
 */
export function renew() {
    renewing ??= renewed().finally(() => {
        renewing = null;
    });
    return renewing;
}

async function renewed() {
    // Pages of one browser share the cookie, and each token in it is good once: one at a time.
    const alone = navigator.locks
        ? navigator.locks.request("artel.refresh", refresh)
        : refresh();
    try {
        return await alone;
    } catch (error) {
        if (!(error instanceof Refusal) || error.status !== 401) throw error;
    }
    if (!telegram.initData) return false;
    try {
        await signInByTelegram();
        return true;
    } catch (error) {
        if (error instanceof Refusal && error.status === 401) return false;
        throw error;
    }
}

async function refresh() {
    begin(await request("POST", "/api/auth/refresh?cookie=1", undefined, { "X-Artel": "1" }));
    return true;
}

/** @param {unknown} answer */
function begin(answer) {
    const { access_token, expires_in, user } = /** @type {Session} */ (answer);
    const until = performance.now() + expires_in * 1000 * FRESH;
    session = { token: access_token, until, user };
}

/**
 * A call as who is signed in.
 * @template T
 * @param {"GET" | "POST" | "PATCH" | "PUT" | "DELETE"} method
 * @param {string} path
 * @param {object} [body]
 * @param {string} [key] asked again with the same one, it is done once
 * @returns {Promise<T>}
 */
export async function call(method, path, body, key) {
    const once = /** @type {Record<string, string>} */ (key ? { "Idempotency-Key": key } : {});
    if (session && performance.now() > session.until) await renewOrLeave();
    try {
        return /** @type {T} */ (await request(method, path, body, { ...bearer(), ...once }));
    } catch (error) {
        if (!(error instanceof Refusal) || error.status !== 401) throw error;
        await renewOrLeave();
        return /** @type {T} */ (await request(method, path, body, { ...bearer(), ...once }));
    }
}

/** A new access token; who has no session any more is signed out here too. */
export async function renewOrLeave() {
    if (await renew()) return;
    // Who was never signed in is not signed out by that.
    const ended = session !== null;
    session = null;
    if (ended) onSignedOut();
    throw new Refusal(401, "unauthenticated", "signed out");
}

/** @returns {Record<string, string>} */
function bearer() {
    return session ? { Authorization: `Bearer ${session.token}` } : {};
}

/** How long an answer may take. */
const ANSWER_MS_MAX = 15_000;

/**
 * A call as nobody.
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @param {Record<string, string>} [headers]
 * @returns {Promise<unknown>}
 */
export async function request(method, path, body, headers = {}) {
    const init = {
        method,
        headers: body ? { ...headers, "Content-Type": "application/json" } : headers,
        body: body ? JSON.stringify(body) : null,
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
    };
    /** @type {Response} */
    let response;
    /** @type {any} */
    let answer = null;
    try {
        response = await fetch(path, init);
        const text = await response.text();
        answer = text && /json/.test(response.headers.get("Content-Type") ?? "")
            ? JSON.parse(text)
            : null;
    } catch {
        throw new Refusal(0, "network", "the server did not answer");
    }
    const date = Date.parse(response.headers.get("Date") ?? "");
    if (date) ahead = date + 500 - Date.now();
    if (response.ok) return answer;
    const { code = "internal", detail = response.statusText, errors = [] } = answer ?? {};
    throw new Refusal(response.status, code, detail, errors);
}

/**
 * The address of a socket, with a ticket that opens it once.
 * @param {string} path with its query, if any
 * @param {string} tickets who gives such tickets
 */
export async function socketAddress(path, tickets) {
    /** @type {{ ticket: string }} */
    const { ticket } = await call("POST", tickets);
    const url = new URL(path, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("ticket", ticket);
    return url.href;
}
