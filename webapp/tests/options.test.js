// The form that is made of a game's options.

import assert from "node:assert/strict";
import { test } from "node:test";

import { fieldsOf, readOptions } from "../static/lib/options.js";

/** As schemars writes them: plain, by reference, with and without words for the values. */
const schema = {
    type: "object",
    properties: {
        points: { type: "integer", minimum: 3, maximum: 21, description: "First to this many." },
        casual: { type: "boolean" },
        pace: { $ref: "#/$defs/Pace", description: "How fast." },
        deck: { type: "string", enum: ["36", "52"] },
        friction: { type: "number", minimum: 0, maximum: 1 },
        names: { type: "array" },
    },
    $defs: { Pace: { oneOf: [{ const: "slow", description: "Calm." }, { enum: ["fast"] }] } },
};
const fields = fieldsOf({ schema, default: {} });

const form = (said) => ({ get: (name) => (name in said ? said[name] : null) });
const good = { points: "7", casual: "on", pace: "1", deck: "0", friction: "0.5" };

test("a schema becomes fields; what no form can show is left out", () => {
    assert.deepEqual(
        fields.map(({ name, kind }) => [name, kind]),
        [
            ["points", "number"],
            ["casual", "switch"],
            ["pace", "choice"],
            ["deck", "choice"],
            ["friction", "number"],
        ],
    );
    assert.deepEqual(fields[0], {
        name: "points", text: "First to this many.", kind: "number", min: 3, max: 21, step: 1,
    });
    assert.deepEqual(fields[2].choices.map(({ value }) => value), ["slow", "fast"]);
});

test("what was filled in becomes options of the right types", () => {
    const { values, wrong } = readOptions(fields, form(good));
    assert.deepEqual(values, { points: 7, casual: true, pace: "fast", deck: "36", friction: 0.5 });
    assert.deepEqual(wrong, []);
    const { casual, ...rest } = good;
    assert.equal(readOptions(fields, form(rest)).values.casual, false);
});

test("what may not be is named", () => {
    for (const points of ["", " ", "2", "22", "3.5", "x", "1e9", "NaN"]) {
        assert.deepEqual(readOptions(fields, form({ ...good, points })).wrong, ["points"], points);
    }
    assert.deepEqual(readOptions(fields, form({ ...good, pace: "9", friction: "1.01" })).wrong, ["pace", "friction"]);
});

test("there may be nothing to set", () => {
    assert.deepEqual(fieldsOf({ schema: {}, default: {} }), []);
});
