// Draws the OpenAPI document as a page.
// @ts-check

/** @typedef {Record<string, any>} Json */

/**
 * An element with children; text is never read as HTML.
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** @param {string} text */
const code = (text) => element("code", {}, text);

/** Text in which `words` are set as code. @param {string} text */
const words = (text) => text.split("`").map((part, i) => (i % 2 ? code(part) : part));

/** @param {string} text */
const prose = (text) => element("p", {}, ...words(text));

/** The name at the end of a reference. @param {string} ref */
const named = (ref) => ref.slice(ref.lastIndexOf("/") + 1);

/**
 * A schema's type in a few words, with links to the schemas it names.
 * @param {Json} schema
 * @returns {(Node | string)[]}
 */
function type(schema) {
  if (schema.$ref) {
    const name = named(schema.$ref);
    return [element("a", { href: `#schema-${name}` }, code(name))];
  }
  const several = schema.oneOf ?? schema.anyOf ?? schema.allOf;
  if (several) {
    const between = schema.allOf ? " and " : " or ";
    return several.flatMap((/** @type {Json} */ one, /** @type {number} */ i) =>
      i ? [between, ...type(one)] : type(one));
  }
  if ("const" in schema) return [code(JSON.stringify(schema.const))];
  if (schema.enum) return [code(schema.enum.map((/** @type {any} */ it) => JSON.stringify(it)).join(" | "))];
  if (schema.prefixItems) {
    const items = schema.prefixItems.flatMap((/** @type {Json} */ one, /** @type {number} */ i) =>
      i ? [", ", ...type(one)] : type(one));
    return ["[", ...items, "]"];
  }
  if (schema.items) return ["array of ", ...type(schema.items)];
  const names = [schema.type ?? "anything"].flat().join(" or ");
  return [schema.format ? `${names} (${schema.format})` : names];
}

/** What a value must keep to, in words. @param {Json} schema */
function bounds(schema) {
  const known = {
    minimum: "at least", maximum: "at most", minLength: "characters at least",
    maxLength: "characters at most", pattern: "matches", default: "default", example: "for example",
  };
  return Object.entries(known)
    .filter(([key]) => schema[key] !== undefined)
    .map(([key, said]) => `${said} ${JSON.stringify(schema[key])}`)
    .join(", ");
}

/**
 * One named value and what is known of it.
 * @param {string} name
 * @param {Json} schema
 * @param {boolean} required
 * @param {string} [description]
 */
function field(name, schema, required, description = schema.description) {
  const optional = required ? "" : ", optional";
  const limits = bounds(schema);
  const more = [description, limits].filter(Boolean).join(" · ");
  const details = element("dd", {}, ...words(more));
  if (schema.properties) details.append(fields(schema));
  return [element("dt", {}, code(name), " ", element("span", { class: "locked" }, ...type(schema), optional)), details];
}

/** The fields of an object. @param {Json} schema */
function fields(schema) {
  const list = element("dl", {});
  for (const [name, value] of Object.entries(schema.properties ?? {})) {
    list.append(...field(name, value, (schema.required ?? []).includes(name)));
  }
  return list;
}

/** A schema's body: its fields, its variants, or its type. @param {Json} schema */
function shape(schema) {
  const box = element("div", {});
  if (schema.properties) box.append(fields(schema));
  for (const one of schema.oneOf ?? schema.anyOf ?? schema.allOf ?? []) {
    if (one.properties || one.allOf) {
      box.append(element("h4", {}, one.description ?? "or"), shape(one));
    } else {
      box.append(element("p", {}, ...type(one), one.description ? `: ${one.description}` : ""));
    }
  }
  if (!box.hasChildNodes()) box.append(element("p", {}, ...type(schema)));
  return box;
}

/** The schema of what is sent or answered. @param {Json} [content] */
const body = (content) => Object.values(content ?? {})[0]?.schema;

/**
 * One method of one address.
 * @param {string} method
 * @param {string} path
 * @param {Json} operation
 */
function call(method, path, operation) {
  const heading = element("h3", {},
    element("span", { class: "method" }, method.toUpperCase()), " ", code(path));
  if (operation.security) heading.append(element("span", { class: "locked" }, " · signed in"));
  const article = element("article", { id: `${method}${path}` }, heading, prose(operation.summary ?? ""));
  if (operation.description) article.append(prose(operation.description));
  if (operation.parameters?.length) {
    const list = element("dl", {});
    for (const it of operation.parameters) {
      list.append(...field(it.name, { ...it.schema, example: it.example }, it.required, it.description));
    }
    article.append(element("h4", {}, "Parameters"), list);
  }
  const sent = body(operation.requestBody?.content);
  if (sent) article.append(element("h4", {}, "Body"), element("p", {}, ...type(sent)));
  for (const [status, answer] of Object.entries(operation.responses ?? {})) {
    const schema = body(answer.content);
    article.append(element("h4", {}, status === "default" ? "Refused" : `Answer ${status}`),
      element("p", {}, ...(schema ? type(schema) : [answer.description ?? ""])));
  }
  return article;
}

/** @param {Json} api */
function draw(api) {
  const page = /** @type {HTMLElement} */ (document.getElementById("document"));
  const contents = /** @type {HTMLElement} */ (document.getElementById("contents"));
  const raw = element("a", { href: "/api/openapi.json" }, "openapi.json");
  page.replaceChildren(element("h1", {}, `${api.info.title} API`), raw, prose(api.info.description ?? ""));

  /** @type {Map<string, [string, string, Json][]>} */
  const tags = new Map();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(/** @type {Json} */ (methods))) {
      const tag = operation.tags?.[0] ?? "Other";
      tags.set(tag, [...(tags.get(tag) ?? []), [method, path, operation]]);
    }
  }
  for (const [tag, calls] of tags) {
    contents.append(element("h2", {}, tag));
    page.append(element("h2", {}, tag));
    for (const [method, path, operation] of calls) {
      contents.append(element("a", { href: `#${method}${path}` }, `${method.toUpperCase()} ${path}`));
      page.append(call(method, path, operation));
    }
  }

  contents.append(element("h2", {}, "Schemas"));
  page.append(element("h2", {}, "Schemas"));
  for (const [name, schema] of Object.entries(api.components.schemas)) {
    contents.append(element("a", { href: `#schema-${name}` }, name));
    const article = element("article", { id: `schema-${name}` }, element("h3", {}, code(name)));
    if (schema.description) article.append(prose(schema.description));
    article.append(shape(schema));
    page.append(article);
  }
  // The address may name a part that was not there yet when the page was opened.
  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

const answer = await fetch("/api/openapi.json");
draw(await answer.json());
