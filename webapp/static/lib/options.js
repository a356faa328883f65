// What can be set for a match, as a form: made from the JSON schema that the server gives.

/** @import { Game } from "../types.d.ts" */

/**
 * One thing to set. `text` is the schema's own, in English, for which there may be better words.
 * @typedef {{ name: string, text: string } & (
 *     | { kind: "number", min: number, max: number, step: number | "any" }
 *     | { kind: "switch" }
 *     | { kind: "choice", choices: { value: string | number | null, text: string }[] }
 * )} Field
 */

/** @typedef {Record<string, unknown>} Values */

/**
 * The fields of a form for a game's options; what no form can show keeps its default.
 * @param {Game["options"]} options
 * @returns {Field[]}
 */
export function fieldsOf({ schema }) {
    const all = /** @type {any} */ (schema);
    return Object.entries(all.properties ?? {})
        .map(([name, raw]) => fieldOf(name, resolved(raw, all.$defs ?? {})))
        .filter((it) => it !== null);
}

/** @param {string} name @param {any} it @returns {Field | null} */
function fieldOf(name, it) {
    const text = String(it.title ?? it.description ?? name);
    const choices = choicesOf(it);
    if (choices) return { name, text, kind: "choice", choices };
    if (it.type === "boolean") return { name, text, kind: "switch" };
    if (it.type !== "integer" && it.type !== "number") return null;
    const [min, max] = [it.minimum ?? -Infinity, it.maximum ?? Infinity];
    return { name, text, kind: "number", min, max, step: it.type === "integer" ? 1 : "any" };
}

/**
 * What a form says, and which of its fields say nothing that may be.
 * @param {Field[]} fields
 * @param {{ get(name: string): unknown }} form such as FormData
 * @returns {{ values: Values, wrong: string[] }}
 */
export function readOptions(fields, form) {
    /** @type {Values} */
    const values = {};
    const wrong = [];
    for (const field of fields) {
        const said = form.get(field.name);
        if (field.kind === "switch") {
            values[field.name] = said !== null;
        } else if (field.kind === "choice") {
            const choice = field.choices[Number(said)];
            if (choice && said !== null) values[field.name] = choice.value;
            else wrong.push(field.name);
        } else {
            const number = Number(said);
            const isWhole = field.step === "any" || Number.isInteger(number);
            const isGood = String(said ?? "").trim() !== "" && isWhole && number >= field.min && number <= field.max;
            if (isGood) values[field.name] = number;
            else wrong.push(field.name);
        }
    }
    return { values, wrong };
}

/** Follows references. @param {any} it @param {Record<string, any>} defs @returns {any} */
function resolved(it, defs) {
    if (typeof it.$ref === "string") {
        const found = defs[it.$ref.split("/").at(-1) ?? ""] ?? {};
        const { $ref, ...own } = it;
        return resolved({ ...found, ...own }, defs);
    }
    if (Array.isArray(it.allOf) && it.allOf.length === 1) {
        const { allOf, ...own } = it;
        return resolved({ ...allOf[0], ...own }, defs);
    }
    return it;
}

/** The few values of an enum, with or without words for each. @param {any} it */
function choicesOf(it) {
    if (Array.isArray(it.enum)) {
        return /** @type {(string | number | null)[]} */ (it.enum).map((value) => ({ value, text: String(value) }));
    }
    if (!Array.isArray(it.oneOf)) return null;
    const some = /** @type {any[]} */ (it.oneOf).flatMap((one) => "const" in one
        ? [{ value: one.const, text: String(one.title ?? one.const) }]
        : (one.enum ?? []).map((/** @type {any} */ value) => ({ value, text: String(value) })));
    return some.length ? some : null;
}
