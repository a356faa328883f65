// The parts of the page that need no page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Clock } from "../static/lib/clock.js";
import { html } from "../static/lib/html.js";
import { hear } from "../static/lib/match.js";
import { Outbox } from "../static/lib/outbox.js";
import { linked, place, startParameter } from "../static/lib/router.js";
import { clock, preferred, signed } from "../static/lib/words.js";
import en from "../static/i18n/en.js";
import ru from "../static/i18n/ru.js";

test("what people write is never markup", () => {
    const name = `<img src=x onerror='alert("1")'>&`;
    const { text } = html`<p title="${name}">${[html`<b>${name}</b>`, " ", 1, null, false]}</p>`;
    const safe = "&lt;img src=x onerror=&#39;alert(&quot;1&quot;)&#39;&gt;&amp;";
    assert.equal(text, `<p title="${safe}"><b>${safe}</b> 1</p>`);
});

test("false is nothing, but in an attribute it is said", () => {
    assert.equal(html`<b aria-pressed="${false}">${false}</b>`.text, '<b aria-pressed="false"></b>');
});

test("links of Telegram's lead to their places", () => {
    assert.equal(linked("room_KWBTRM"), "/rooms/KWBTRM");
    assert.equal(linked("m_4fQ9zKx02Lb"), "/match/4fQ9zKx02Lb");
    for (const start of ["room_KWBTRM", "m_4fQ9zKx02Lb", "r_4fQ9zKx02Lb", "q_eight_ball", "u_4fQ9zKx02Lb"]) {
        assert.equal(startParameter(/** @type {string} */ (linked(start))), start);
    }
    for (const path of ["/", "/rooms", "/rooms/KWBTRM/x", "/practice/pyramid", "/match/short"]) {
        assert.equal(startParameter(path), null, path);
    }
    for (const start of ["", "room_", "room_KW", "room_KWBTRMX", "x_KWBTRM", "room_../me"]) {
        assert.equal(linked(start), null, start);
    }
    assert.deepEqual(place("/rooms"), { screen: "rooms", id: "" });
    assert.deepEqual(place("/rooms/kwbtrm"), { screen: "room", id: "kwbtrm" });
    assert.equal(place("/rooms/kwbtrm/x").screen, "missing");
});

test("every language has every word, with the same values", () => {
    const values = (phrase) => new Set(JSON.stringify(phrase).match(/\{\w+\}/g));
    assert.deepEqual(Object.keys(ru).sort(), Object.keys(en).sort());
    for (const [word, phrase] of Object.entries(en)) {
        assert.deepEqual(values(ru[word]), values(phrase), word);
    }
});

test("every language has the plurals that it needs", () => {
    for (const [language, words] of Object.entries({ en, ru })) {
        const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
        for (const [word, phrase] of Object.entries(words)) {
            if (typeof phrase === "string") continue;
            const missing = forms.filter((form) => !(form in phrase) && form !== "other");
            assert.deepEqual(missing, [], `${language}: ${word}`);
        }
    }
});

test("numbers and languages as people say them", () => {
    assert.deepEqual([12, 0, -7].map(signed), ["+12", "0", "−7"]);
    assert.deepEqual([-5, 0, 59_999, 61_000, 600_000].map(clock), [
        "0:00",
        "0:00",
        "0:59",
        "1:01",
        "10:00",
    ]);
    assert.equal(preferred([null, "pt-BR", "ru-RU", "en"]), "ru");
    assert.equal(preferred(["ja"]), "en");
});

test("the clock believes its quickest ping", () => {
    const ours = new Clock();
    const ahead = 5000;
    // The answer came in 20 ms, then in 400 ms of which the way back took nearly all.
    ours.heard(1000, 20, 1000 - 10 + ahead);
    ours.heard(2000, 400, 2000 - 390 + ahead);
    assert.equal(ours.trip, 20);
    assert.ok(Math.abs(ours.now() - performance.now() - ahead) < 2);
});

test("messages are sent again until they are dealt with, and old aims never", () => {
    const sent = [];
    const outbox = new Outbox((message) => sent.push(message) > 0);
    outbox.post({ type: "player_ready" });
    outbox.post({ type: "player_move", y: 0.1 });
    outbox.post({ type: "player_move", y: 0.2 });
    assert.deepEqual(
        sent.splice(0).map(({ n }) => n),
        [1, 2, 3],
    );

    outbox.again();
    assert.deepEqual(
        sent.splice(0).map(({ n }) => n),
        [1, 3],
    );
    outbox.acknowledged(1);
    outbox.again();
    assert.deepEqual(sent.splice(0), [{ type: "player_move", y: 0.2, n: 3 }]);

    // Another window of mine was here before.
    outbox.acknowledged(9);
    assert.equal(outbox.post({ type: "player_ready" }), 10);
});

test("whose connection is weak is told, and changes nothing else", () => {
    const player = { seat: 0, ready: true, connected: true, waiting_until: null, rtt: null };
    const state = { type: "game_state", status: "active", seq: 1, ack: 0, rematch: [] };
    let match = hear(null, { ...state, players: [player, { ...player, seat: 1, rtt: 300 }] });
    assert.deepEqual(match.players.map(({ weak }) => weak), [false, true]);

    const update = { type: "player_update", at: 5, waiting_until: null };
    match = hear(match, { ...update, seat: 0, status: "weak", rtt: 280 });
    match = hear(match, { ...update, seat: 1, status: "steady" });
    assert.deepEqual(match.players, [
        { ...player, weak: true, rtt: 280 },
        { ...player, seat: 1, weak: false },
    ]);
});
