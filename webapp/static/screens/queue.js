// Waiting for an opponent.

import { call, serverNow } from "../lib/api.js";
import { act, html, patch } from "../lib/html.js";
import { lobby } from "../lib/lobby.js";
import { playComputer } from "../lib/computer.js";
import { announce, explained, gameTitle, loading, toast } from "../lib/parts.js";
import { go } from "../lib/router.js";
import { telegram } from "../lib/telegram.js";
import { clock, t } from "../lib/words.js";
import { games } from "../games/index.js";
import { missing } from "./missing.js";

/** @import { Games, Queued, QueueUpdate } from "../types.d.ts" */

/** Who has waited for so long, and alone, is offered another opponent. */
const ALONE_MS = 20_000;

/** @type {import("../main.js").Screen} */
export function queue(root, name) {
    const game = games[name];
    if (!game) return missing(root, name);
    /** `out`: somebody left for me, on another page of mine. @type {"joining" | "waiting" | "out" | "failed"} */
    let state = "joining";
    /** @type {unknown} */
    let error = null;
    /** @type {number | null} */
    let since = null;
    /** @type {number | null} */
    let position = null;
    /** @type {number | null} */
    let waiting = null;
    /** Whether the lobby has said that I wait, so that its saying otherwise is news. */
    let wasTold = false;
    /** Whether the lobby was out of reach, so that my place may be lost for that alone. */
    let wasCut = false;
    /** What the lobby said last. @type {QueueUpdate | undefined} */
    let last;
    /** Whether the computer plays this game. */
    let hasComputer = false;
    let offered = false;
    let gone = false;

    const off = [
        act(root, {
            cancel: () => void cancel(),
            retry: () => void join(),
            computer: () => void playComputer(name),
        }),
        lobby.listen(hear),
    ];
    const ticking = setInterval(showTime, 250);
    // It is an extra: without an answer one waits for people.
    call("GET", "/api/games").then((value) => {
        const { items } = /** @type {Games} */ (value);
        hasComputer = items.some((it) => it.name === name && it.computer);
    }, () => {});
    void join();
    return () => {
        gone = true;
        clearInterval(ticking);
        telegram.main(null);
        for (const it of off) it();
    };

    async function join() {
        [state, wasTold] = ["joining", false];
        show();
        try {
            /** @type {Queued} */
            const queued = await call("POST", `/api/queue/${name}/join`, {});
            if (gone) return;
            if (queued.status === "matched") {
                void go(`/match/${queued.match_id}`, { replace: true });
                return;
            }
            [state, position, waiting] = ["waiting", queued.position ?? null, queued.waiting ?? null];
            since ??= serverNow();
            hear();
        } catch (caught) {
            if (gone) return;
            [state, error] = ["failed", caught];
        }
        show();
    }

    async function cancel() {
        try {
            await call("POST", `/api/queue/${name}/leave`);
            if (gone) return;
            lobby.queues.delete(name);
            void go("/");
        } catch (caught) {
            toast(explained(caught));
        }
    }

    function hear() {
        const news = lobby.queues.get(name);
        if (lobby.state === "offline") wasCut = true;
        if (gone || !news) return;
        const isFresh = news !== last;
        last = news;
        if (news.status === "idle") {
            if (!wasTold) return;
            if (wasCut) {
                // I did not leave: the network did. Stand in line again.
                [since, wasCut] = [null, false];
                void join();
                return;
            }
            [state, since] = ["out", null];
            show();
            return;
        }
        wasTold = true;
        if (isFresh) wasCut = false;
        [position, waiting] = [news.position, news.waiting];
        since = Date.parse(news.since);
        if (state === "joining") return;
        show();
        announce(`${t("place_in_queue")}: ${position}`);
    }

    /** Nobody has come for a while. */
    function isAlone() {
        return hasComputer && state === "waiting" && waiting !== null && waiting <= 1
            && since !== null && serverNow() - since >= ALONE_MS;
    }

    function show() {
        if (gone) return;
        offered = isAlone();
        telegram.main(offered ? { text: t("play_computer"), press: () => void playComputer(name) } : null);
        patch(root, html`<section class="page queue" data-test="screen-queue"><h1>${gameTitle(name)}</h1>
            ${state === "failed"
                ? html`<div class="state" data-key="failed" data-test="error" role="alert"><p>${explained(error)}</p>
                    <button data-do="retry" data-test="retry">${t("retry")}</button></div>`
                : state === "out"
                ? html`<div class="state" data-key="out"><p data-test="queue-status">${t("queue_left")}</p>
                    <button class="primary" data-do="retry" data-test="retry">${t("join_queue")}</button></div>`
                : html`<div class="search" data-key="search">
                    <div class="ring" data-test="queue-ring"><p class="time" data-test="queue-time" role="timer" aria-label="${t("waited")}">${waited()}</p></div>
                    <p class="status" data-test="queue-status">${t("looking")}</p>
                    ${state === "joining" && position === null ? loading() : html`<dl class="facts" data-key="facts">
                        <div><dt>${t("place_in_queue")}</dt><dd data-test="queue-position">${position}</dd></div>
                        <div><dt>${t("waiting_in_all")}</dt><dd data-test="queue-waiting">${waiting}</dd></div></dl>`}
                    <p class="hint" data-test="queue-hint">${offered ? t("queue_alone") : t("queue_hint")}</p></div>
                    ${offered ? html`<button class="primary wide" data-key="computer" data-do="computer" data-test="play-computer"${telegram.inside ? html` hidden` : ""}>${t("play_computer")}</button>` : ""}
                    <button class="quiet wide" data-key="cancel" data-do="cancel" data-test="queue-cancel">${t("leave_queue")}</button>`}
            </section>`);
    }

    function showTime() {
        if (isAlone() !== offered) {
            show();
            if (offered) announce(t("queue_alone"));
        }
        const place = root.querySelector("[data-test=queue-time]");
        if (!place?.parentElement) return;
        place.textContent = waited();
        // A hand that goes round once a minute.
        const turn = since === null ? 0 : (Math.max(0, serverNow() - since) % 60_000) / 60_000;
        place.parentElement.style.setProperty("--turn", `${turn}turn`);
    }

    function waited() {
        return clock(since === null ? 0 : serverNow() - since);
    }
}
