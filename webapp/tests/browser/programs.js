// The programs that people meet: the server, the simulated Telegram, and a line that can be cut.
//
// They are those that cargo built last; `cargo xtask test` says where they lie.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** How long a program may take until it says where it is. */
const START_MS_MAX = 60_000;

const TELEGRAM = ["telegram", "--no-build", "--listen", "127.0.0.1:0"];

const { ARTEL_TEST_PROGRAMS } = process.env;
if (!ARTEL_TEST_PROGRAMS) throw new Error("run these by `cargo xtask test --only browser`");

/**
 * Starts the server on an empty database. `at` is how it is reached from outside.
 *
 * @param {string} at
 * @param {Record<string, string>} [variables] more of its environment
 */
export async function startServer(at, variables = {}) {
    const folder = mkdtempSync(join(tmpdir(), "artel-browser-"));
    // Also when it does not start, or nobody comes to stop it.
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    const options = {
        cwd: folder,
        env: {
            ...plainEnvironment(),
            ARTEL_LISTEN: "127.0.0.1:0",
            ARTEL_METRICS_LISTEN: "off",
            PUBLIC_URL: at,
            ...variables,
        },
    };
    const server = await start("artel", [], options);
    return {
        url: server.said.split(" ").at(-1),
        /** Makes somebody an administrator. @param {string} username */
        grant: (username) => {
            const { status } = spawnSync(join(ARTEL_TEST_PROGRAMS, "artel"), ["admin", "grant", username], options);
            if (status !== 0) throw new Error(`${username} is no administrator`);
        },
        stop: server.stop,
    };
}

/** Starts the simulated Telegram, and the server that it frames, with more in its environment. */
export async function startTelegram(variables = {}) {
    // Said aloud, it holds against the token that a developer may have in .env.
    const env = { ...plainEnvironment(), TELOXIDE_TOKEN: "1:development", ...variables };
    const telegram = await start("xtask", TELEGRAM, { env });
    const url = /is on (\S+?),/.exec(telegram.said)?.[1];
    const app = /frames (\S+)/.exec(telegram.said)?.[1];
    if (!url || !app) throw new Error(`the simulated Telegram said: ${telegram.said}`);
    return { url, app, stop: telegram.stop };
}

/** How the simulated Telegram ends beside a real token, and what it says. */
export function telegramBesideRealBot() {
    const env = { ...plainEnvironment(), TELOXIDE_TOKEN: "123456789:real" };
    const options = { env, encoding: "utf8", timeout: START_MS_MAX };
    const { status, stderr } = spawnSync(join(ARTEL_TEST_PROGRAMS, "xtask"), TELEGRAM, options);
    return { status, stderr };
}

/**
 * A line to a server that can be cut, as when a phone enters a tunnel, or silenced, as when it has
 * left a network without a word.
 */
export async function startLine() {
    const ends = new Set();
    let whole = true;
    let silent = false;
    let port = 0;
    const line = net.createServer((near) => {
        if (silent) ends.add(near.on("error", () => {}));
        if (silent) return;
        if (!whole) return near.destroy();
        const far = net.connect(port, "127.0.0.1");
        for (const [from, to] of [
            [near, far],
            [far, near],
        ]) {
            ends.add(from);
            from.pipe(to);
            from.on("error", () => to.destroy());
            from.on("close", () => {
                ends.delete(from);
                to.destroy();
            });
        }
    });
    await once(line.listen(0, "127.0.0.1"), "listening");
    return {
        url: `http://127.0.0.1:${line.address().port}`,
        /** @param {string} url */
        leadTo: (url) => (port = Number(new URL(url).port)),
        cut: () => {
            whole = false;
            for (const end of ends) end.destroy();
        },
        silence: () => {
            silent = true;
            for (const end of ends) end.unpipe();
        },
        mend: () => {
            if (silent) for (const end of ends) end.destroy();
            [whole, silent] = [true, false];
        },
        stop: () => {
            for (const end of ends) end.destroy();
            line.close();
        },
    };
}

/** Our own environment without what would lead a server elsewhere. */
function plainEnvironment() {
    const environment = { ...process.env };
    for (const name of Object.keys(environment)) {
        if (/^(ARTEL_|TELOXIDE_|TELEGRAM_|DATABASE_|REDIS_|JWT_|PUBLIC_|GOOGLE_)/.test(name)) {
            delete environment[name];
        }
    }
    return { ...environment, RUST_LOG: "warn" };
}

/** Starts a program and waits for the first line that it prints. */
async function start(name, words, options) {
    const program = spawn(join(ARTEL_TEST_PROGRAMS, name), words, {
        ...options,
        stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(program, "exit");
    const lines = createInterface(program.stdout);
    const late = setTimeout(() => program.kill("SIGTERM"), START_MS_MAX);
    const [said] = await Promise.race([once(lines, "line"), ended.then(() => [null])]);
    clearTimeout(late);
    if (said === null) throw new Error(`${name} did not start`);
    return {
        said,
        stop: async () => {
            program.kill("SIGTERM");
            await ended;
        },
    };
}
