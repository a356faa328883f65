// The browser's evaluation of a shot against the server's: a hundred random shots, a thousand
// instants of each, within a micrometre.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

import { ballAt } from "../../static/games/billiards/path.js";

const { ARTEL_TEST_PROGRAMS } = process.env;
if (!ARTEL_TEST_PROGRAMS) throw new Error("run these by `cargo xtask test --only browser`");

const SHOTS = 100;
const INSTANTS = 1_000;
const METRES_MAX = 1e-6;
/** A micrometre on a ball's skin. */
const RADIANS_A_SECOND_MAX = 1e-4;

test("a page finds every ball where the server does", { timeout: 180_000 }, () => {
    const { stdout, status } = spawnSync(join(ARTEL_TEST_PROGRAMS, "xtask"), ["shots"], {
        encoding: "utf8", maxBuffer: 1 << 28,
    });
    assert.equal(status, 0);
    const shots = stdout.trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(shots.length, SHOTS);
    let worst = 0;
    for (const [number, { path, at }] of shots.entries()) {
        assert.equal(at.length, INSTANTS);
        for (const [t, ball, x, y, ...w] of at) {
            const here = ballAt(path, ball, t);
            const off = Math.hypot(here.x - x, here.y - y);
            worst = Math.max(worst, off);
            assert.ok(off < METRES_MAX, `shot ${number}, ball ${ball} at ${t} s: ${off} m off`);
            for (const [axis, name] of ["wx", "wy", "wz"].entries()) {
                assert.ok(
                    Math.abs(here[name] - w[axis]) < RADIANS_A_SECOND_MAX,
                    `shot ${number}, ball ${ball} at ${t} s: ${name} ${here[name]}, not ${w[axis]}`,
                );
            }
        }
    }
    assert.ok(worst > 0, "it is rounded on the way, so something differs");
});
