// What devices are called.

import assert from "node:assert/strict";
import { test } from "node:test";

import { device } from "../static/lib/devices.js";

test("browsers are told apart by what only they say", () => {
    const webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
    for (const [said, expected] of [
        [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/130.0.0.0 Safari/537.36`, "Chrome · Windows"],
        [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0`, "Edge · Windows"],
        [`Mozilla/5.0 (Windows NT 10.0) ${webkit} Chrome/128.0.0.0 YaBrowser/24.10.0.0 Safari/537.36`, "Yandex · Windows"],
        ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1", "Safari · iPhone"],
        [`Mozilla/5.0 (Linux; Android 14; SM-S921B) ${webkit} Chrome/130.0.0.0 Mobile Safari/537.36 Telegram-Android/11.3`, "Telegram · Android"],
        ["Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox · Linux"],
        ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15", "Safari · Mac"],
        ["curl/8.5.0", "curl/8.5.0"],
        ["x".repeat(200), "x".repeat(40)],
        ["", ""],
    ]) {
        assert.equal(device(said), expected, said);
    }
});
