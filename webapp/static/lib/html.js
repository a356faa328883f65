// Markup: the only file that hands text to the browser's parser.
//
//     patch(root, html`<p title="${anything}">${[html`<b>safe</b>`, "escaped"]}</p>`);

/** Markup whose values are escaped. */
export class Html {
    /** @param {string} text */
    constructor(text) {
        this.text = text;
    }
}

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/**
 * A template whose values are escaped, but for other templates. Lists are joined; null, undefined
 * and false are nothing; the value of an attribute may be the word "false".
 * @param {TemplateStringsArray} strings
 * @param {unknown[]} values
 */
export function html(strings, ...values) {
    /** @param {string} text @param {unknown} value */
    const join = (text, value) =>
        text + (value === false && text.endsWith('="') ? "false" : written(value));
    return new Html(strings.map((text, i) => join(text, values[i])).join(""));
}

/**
 * @param {unknown} value
 * @returns {string}
 */
function written(value) {
    if (value instanceof Html) return value.text;
    if (Array.isArray(value)) return value.map(written).join("");
    if (value === null || value === undefined || value === false) return "";
    return String(value).replace(/[&<>"']/g, (it) => ESCAPES[/** @type {keyof ESCAPES} */ (it)]);
}

/**
 * Makes what is in `root` be `markup`, changing only what differs: focus, scrolling and what has
 * been typed stay. What carries `data-keep` is left as it is once it is there; elements with
 * different `data-key` are never made into each other.
 * @param {Element} root
 * @param {Html} markup
 */
export function patch(root, markup) {
    const template = document.createElement("template");
    template.innerHTML = markup.text;
    patchChildren(root, template.content);
}

/**
 * @param {Node} root
 * @param {Node} fresh
 */
function patchChildren(root, fresh) {
    let old = root.firstChild;
    for (const node of [...fresh.childNodes]) {
        const next = old?.nextSibling ?? null;
        if (old && alike(old, node)) patchNode(old, node);
        else if (old) root.replaceChild(node, old);
        else root.appendChild(node);
        old = next;
    }
    while (old) {
        const next = old.nextSibling;
        root.removeChild(old);
        old = next;
    }
}

/**
 * @param {Node} a
 * @param {Node} b
 */
function alike(a, b) {
    if (a.nodeName !== b.nodeName) return false;
    if (!(a instanceof Element && b instanceof Element)) return true;
    return a.getAttribute("data-key") === b.getAttribute("data-key");
}

/**
 * @param {Node} old
 * @param {Node} fresh
 */
function patchNode(old, fresh) {
    if (!(old instanceof Element && fresh instanceof Element)) {
        if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
        return;
    }
    if (old.hasAttribute("data-keep")) return;
    for (const { name } of [...old.attributes]) {
        if (!fresh.hasAttribute(name) && name !== "style") old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
        if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    patchChildren(old, fresh);
}

/**
 * Calls what `data-do` names when something in `root` is clicked: `data-do="join"` calls
 * `does.join(element)`. A form's is called when it is submitted.
 * @param {HTMLElement} root
 * @param {Record<string, (element: HTMLElement) => void>} does
 * @returns {() => void} takes it back
 */
export function act(root, does) {
    /** @param {Event} event */
    const hear = (event) => {
        const target = event.target instanceof Element ? event.target : null;
        const element = target?.closest("[data-do]");
        if (!(element instanceof HTMLElement)) return;
        const isForm = element instanceof HTMLFormElement;
        if (isForm !== (event.type === "submit")) return;
        if (isForm) event.preventDefault();
        does[element.dataset["do"] ?? ""]?.(element);
    };
    root.addEventListener("click", hear);
    root.addEventListener("submit", hear);
    return () => {
        root.removeEventListener("click", hear);
        root.removeEventListener("submit", hear);
    };
}
