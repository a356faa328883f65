// Waiting for an opponent.

import { call, serverNow } from "../lib/api.js";
import { act, html, patch } from "../lib/html.js";
import { lobby } from "../lib/lobby.js";
import { announce, explained, gameTitle, loading, toast } from "../lib/parts.js";
import { go } from "../lib/router.js";
import { clock, t } from "../lib/words.js";
import { games } from "../games/index.js";
import { missing } from "./missing.js";

/** @import { Queued } from "../types.d.ts" */

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
    let gone = false;

    const off = [act(root, { cancel: () => void cancel(), retry: () => void join() }), lobby.listen(hear)];
    const ticking = setInterval(showTime, 250);
    void join();
    return () => {
        gone = true;
        clearInterval(ticking);
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
        if (gone || !news) return;
        if (news.status === "idle") {
            if (!wasTold) return;
            [state, since] = ["out", null];
            show();
            return;
        }
        wasTold = true;
        [position, waiting] = [news.position, news.waiting];
        since = Date.parse(news.since);
        if (state === "joining") return;
        show();
        announce(`${t("place_in_queue")}: ${position}`);
    }

    function show() {
        if (gone) return;
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
                    <p class="hint">${t("queue_hint")}</p></div>
                    <button class="quiet wide" data-do="cancel" data-test="queue-cancel">${t("leave_queue")}</button>`}
            </section>`);
    }

    function showTime() {
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
