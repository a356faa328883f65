// The desk of those who keep order: reports, people's files, the audit.

import { call, me, serverNow } from "../lib/api.js";
import { act, html, patch } from "../lib/html.js";
import { avatar, empty, explained, shown, toast } from "../lib/parts.js";
import { t, when } from "../lib/words.js";

/** @import { AuditLine, AuditPage, PersonFile, Report, Reports, Sanction } from "../types.d.ts" */
/** @import { Fetched } from "../lib/parts.js" */
/** @import { Html } from "../lib/html.js" */

const HOUR_S = 3600;
/** For how long something may be done; 0: for good. */
const TERMS = /** @type {const} */ ([
    ["an_hour", HOUR_S], ["a_day", 24 * HOUR_S], ["a_week", 7 * 24 * HOUR_S], ["a_month", 30 * 24 * HOUR_S], ["for_good", 0],
]);
const ROLES = /** @type {const} */ (["player", "moderator", "admin"]);
/** @typedef {"reports" | "closed" | "audit"} View */

/** @type {import("../main.js").Screen} */
export function desk(root, id) {
    /** @type {View} */
    let view = "reports";
    /** @type {Fetched<Reports>} */
    let reports = { state: "loading" };
    /** @type {Fetched<AuditPage>} */
    let audit = { state: "loading" };
    /** @type {Fetched<PersonFile>} */
    let file = { state: "loading" };
    let busy = false;
    let gone = false;
    const isAdmin = me()?.role === "admin";

    const off = act(root, {
        retry: load,
        view: (it) => {
            view = /** @type {View} */ (it.dataset["view"]);
            load();
        },
        more: () => void more(),
        verdict: (it) => void change("POST", `/api/moderation/reports/${it.dataset["report"]}/close`, { verdict: it.dataset["verdict"] }),
        sanction: (form) => void sanction(/** @type {HTMLFormElement} */ (form)),
        lift: (it) => void change("DELETE", `/api/moderation/sanctions/${it.dataset["sanction"]}`),
        role: (it) => void change("PUT", `/api/admin/users/${id}/role`, { role: it.dataset["role"] }),
    });
    load();
    return () => {
        gone = true;
        off();
    };

    function load() {
        [reports, audit] = [{ state: "loading" }, { state: "loading" }];
        show();
        if (id) fetched(`/api/moderation/users/${id}`, (it) => { file = it; });
        else if (view === "audit") fetched("/api/admin/audit", (it) => { audit = it; });
        else fetched(`/api/moderation/reports?closed=${Number(view === "closed")}`, (it) => { reports = it; });
    }

    /** @param {string} path @param {(it: Fetched<any>) => void} keep */
    function fetched(path, keep) {
        call("GET", path).then(
            (value) => keep({ state: "there", value }),
            (error) => keep({ state: "failed", error }),
        ).then(show);
    }

    async function more() {
        const list = view === "audit" ? audit : reports;
        if (list.state !== "there" || !list.value.next_cursor || busy) return;
        const cursor = encodeURIComponent(list.value.next_cursor);
        busy = true;
        try {
            if (view === "audit" && audit.state === "there") {
                /** @type {AuditPage} */
                const next = await call("GET", `/api/admin/audit?cursor=${cursor}`);
                audit = { state: "there", value: { ...next, items: [...audit.value.items, ...next.items] } };
            } else if (reports.state === "there") {
                /** @type {Reports} */
                const next = await call("GET", `/api/moderation/reports?closed=${Number(view === "closed")}&cursor=${cursor}`);
                reports = { state: "there", value: { ...next, items: [...reports.value.items, ...next.items] } };
            }
        } catch (error) {
            toast(explained(error));
        }
        busy = false;
        show();
    }

    /** @param {"POST" | "PUT" | "DELETE"} method @param {string} path @param {object} [body] */
    async function change(method, path, body) {
        try {
            await call(method, path, body);
            toast(t("sanction_done"));
        } catch (error) {
            toast(explained(error));
        }
        load();
    }

    /** @param {HTMLFormElement} form */
    async function sanction(form) {
        const said = new FormData(form);
        const seconds = Number(said.get("term"));
        const body = { kind: said.get("kind"), reason: String(said.get("reason")), ...(seconds ? { seconds } : {}) };
        await change("POST", `/api/moderation/users/${id}/sanctions`, body);
    }

    function show() {
        if (gone) return;
        patch(root, id ? filePage() : html`<section class="page" data-test="screen-desk"><h1>${t("desk")}</h1>
            <div class="segments" role="group" aria-label="${t("desk")}">${/** @type {View[]} */ (isAdmin ? ["reports", "closed", "audit"] : ["reports", "closed"]).map((it) =>
                html`<button data-do="view" data-view="${it}" data-test="desk-${it}" aria-pressed="${it === view}">${t(`desk_${it}`)}</button>`)}</div>
            <div class="card" data-key="${view}">${view === "audit" ? shown(audit, lines) : shown(reports, list)}</div></section>`);
    }

    /** @param {Reports} page */
    function list({ items, next_cursor }) {
        return items.length ? html`<ol class="list" data-test="reports">${items.map(report)}</ol>${moreOf(next_cursor)}` : empty(t("no_reports"));
    }

    /** @param {string | null | undefined} cursor */
    function moreOf(cursor) {
        return cursor ? html`<button class="quiet wide" data-do="more" data-test="desk-more">${t("more")}</button>` : "";
    }

    /** @param {Report} it @returns {Html} */
    function report({ id, by, about, reason, text, evidence, match_id, at, verdict }) {
        return html`<li class="report" data-key="${id}" data-test="report">
            <div class="item">${avatar(about)}<div class="grow"><a href="/desk/${about.id}" data-test="report-about">${about.display_name}</a>
                <p class="hint">${t("report_about", { reason: t(`reason_${reason}`), name: by.display_name })} · ${when(at, serverNow())}</p></div>
                ${verdict ? html`<span class="outcome">${t(`verdict_${verdict}`)}</span>` : ""}</div>
            ${text ? html`<blockquote data-test="report-words">${text}</blockquote>` : ""}
            ${evidence.length ? html`<p class="hint">${t("they_said")}</p>${evidence.map((it) => html`<blockquote>${it}</blockquote>`)}` : ""}
            ${match_id ? html`<p><a href="/replay/${match_id}">${t("watch_replay")}</a></p>` : ""}
            ${verdict ? "" : html`<div class="buttons"><button data-do="verdict" data-verdict="acted" data-report="${id}" data-test="close-acted">${t("close_acted")}</button>
                <button class="quiet" data-do="verdict" data-verdict="dismissed" data-report="${id}" data-test="close-dismissed">${t("close_dismissed")}</button></div>`}</li>`;
    }

    /** @param {AuditPage} page */
    function lines({ items, next_cursor }) {
        return items.length ? html`<ol class="list" data-test="audit">${items.map(line)}</ol>${moreOf(next_cursor)}` : empty(t("no_audit"));
    }

    /** @param {AuditLine} it @returns {Html} */
    function line({ id, at, kind, by, about, address, detail, times }) {
        const who = by ? html`<a href="/desk/${by.id}">${by.display_name}</a>` : about ? t("the_operator") : "";
        return html`<li class="item" data-key="${id}" data-test="audit-line" data-kind="${kind}"><div class="grow">
            <p>${who} ${about ? html`→ <a href="/desk/${about.id}">${about.display_name}</a>` : ""} <b>${t(`audit_${kind}`)}</b>${times > 1 ? ` × ${times}` : ""}</p>
            <p class="hint wide-text">${[when(at, serverNow()), address, detail].filter(Boolean).join(" · ")}</p></div></li>`;
    }

    function filePage() {
        return html`<section class="page" data-test="screen-file"><h1>${t("file_of")}</h1>${shown(file, ({ user, sanctions, reports, reports_acted }) => html`
            <header class="head">${avatar(user)}<div><a href="/users/${user.id}"><b data-test="file-name">${user.display_name}</b></a>
                <p class="hint">${user.username ? `@${user.username} · ` : ""}${t(`role_${user.role}`)} · ${t("file_reports", { n: reports, right: reports_acted })}</p></div></header>
            <div class="card" data-key="sanctions">${sanctions.length ? html`<ol class="list" data-test="sanctions">${sanctions.map(sanctionItem)}</ol>` : empty(t("no_sanctions"))}</div>
            <form class="card settings stack" data-key="new-${sanctions.length}" data-do="sanction">
                <div class="row option"><label for="kind">${t("desk")}</label><select id="kind" name="kind" data-test="sanction-kind">
                    <option value="mute">${t("do_mute")}</option><option value="ban">${t("do_ban")}</option></select></div>
                <div class="row option"><label for="term">${t("how_long")}</label><select id="term" name="term" data-test="sanction-term">
                    ${TERMS.map(([word, seconds]) => html`<option value="${seconds}">${t(word)}</option>`)}</select></div>
                <div class="row option"><label for="reason">${t("sanction_reason")}</label><input id="reason" name="reason" maxlength="300" required minlength="3" data-test="sanction-reason"></div>
                <button class="wide danger" data-test="sanction-do">${t("send")}</button></form>
            ${isAdmin ? html`<div class="card settings" data-key="role"><div class="row"><span id="role">${t("role_is")}</span>
                <div class="segments" role="group" aria-labelledby="role">${ROLES.map((it) => html`<button data-do="role" data-role="${it}"
                    data-test="role-${it}" aria-pressed="${it === user.role}">${t(`role_${it}`)}</button>`)}</div></div></div>` : ""}`)}</section>`;
    }

    /** @param {Sanction} it @returns {Html} */
    function sanctionItem({ id, kind, reason, by, at, until, lifted_at, active }) {
        const term = lifted_at ? t("lifted") : !until ? t("for_good") : active ? t("until", { date: when(until, serverNow()) }) : t("over");
        return html`<li class="item" data-key="${id}" data-test="sanction" data-active="${active}"><div class="grow"><p><b>${t(`sanction_${kind}`)}</b> · ${term}</p>
            <p class="hint wide-text">${reason} · ${by.display_name} · ${when(at, serverNow())}</p></div>
            ${active ? html`<button class="quiet" data-do="lift" data-sanction="${id}" data-test="lift">${t("lift")}</button>` : ""}</li>`;
    }
}
