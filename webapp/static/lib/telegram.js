// Telegram around the page: its side of the Mini App bridge, spoken directly, so that nothing is
// loaded from elsewhere. The only file that touches what Telegram puts into a window.

/**
 * What the bridge says to us.
 * @typedef {"back_button_pressed" | "main_button_pressed" | "settings_button_pressed"} Press
 */
/** What became of a message that somebody was asked to send. @typedef {"sent" | "declined" | "failed"} Sending */
/** @typedef {{ top: number, bottom: number, left: number, right: number }} Insets */

/** @typedef {"light" | "medium" | "success" | "error" | "warning"} Feel */

const KEPT = "artel.launch";
/** For how many ms the phone shakes, rests, and shakes again. @type {Record<Feel, number[]>} */
const BUZZES = { light: [10], medium: [18], success: [12, 70, 24], error: [24, 50, 24], warning: [20, 60, 20] };
/** No inset is larger, whatever a host says. */
const INSET_PX_MAX = 200;

const launch = launchParameters();
const root = document.documentElement;
/** @type {Map<Press, () => void>} */
const presses = new Map();
/** @type {{ safe: Insets, content: Insets }} */
const insets = { safe: edges({}), content: edges({}) };
/** @type {() => void} */
let onTheme = () => {};
/** What the main button was last set to: it is not said twice. */
let mainButton = "";
/** Hears what becomes of the message that is being sent. @type {(became: Sending) => void} */
let onSent = () => {};

export const telegram = {
    /** Whether the page was opened by Telegram. */
    inside: launch !== null,
    /** What Telegram vouches for, to sign in with; empty outside. */
    initData: launch?.get("tgWebAppData") ?? "",
    /** The language of its user, as Telegram knows it. */
    language: userLanguage(),
    /** What the link that opened the page asked for. */
    startParam: new URLSearchParams(launch?.get("tgWebAppData") ?? "").get("start_param") ?? "",

    /** Takes Telegram's theme and insets, and says that the page is there. */
    start() {
        if (!launch) return;
        listen();
        try {
            dress(JSON.parse(launch.get("tgWebAppThemeParams") ?? "{}"));
        } catch {
            // A theme that can't be read: ours stays.
        }
        post("iframe_ready", { reload_supported: false });
        post("web_app_ready");
        post("web_app_expand");
        post("web_app_request_theme");
        post("web_app_request_viewport");
        if (knows("8.0")) {
            post("web_app_request_safe_area");
            post("web_app_request_content_safe_area");
        }
        this.ground(null);
    },

    /** The colour of what Telegram shows around the page; null: as its theme has it. @param {string | null} color */
    ground(color) {
        if (color ? !knows("6.9") : !knows("6.1")) return;
        const data = color ? { color } : { color_key: "secondary_bg_color" };
        post("web_app_set_header_color", data);
        post("web_app_set_background_color", { color: color ?? token("--tg-theme-secondary-bg-color") });
        if (knows("7.10")) {
            const bottom = color ?? token("--tg-theme-section-bg-color");
            post("web_app_set_bottom_bar_color", { color: bottom });
        }
    },

    /** @param {() => void} hear called when Telegram's theme changes */
    whenThemed(hear) {
        onTheme = hear;
    },

    /** Shows the back button while there is something to call. @param {(() => void) | null} press */
    back(press) {
        hold("back_button_pressed", press);
        if (knows("6.1")) post("web_app_setup_back_button", { is_visible: press !== null });
    },

    /** The item of Telegram's own menu. @param {(() => void) | null} press */
    settings(press) {
        hold("settings_button_pressed", press);
        if (knows("7.0")) post("web_app_setup_settings_button", { is_visible: press !== null });
    },

    /**
     * Telegram's bottom button, for the one thing to do on a screen; null hides it.
     * @param {{ text: string, press: () => void, active?: boolean } | null} button
     */
    main(button) {
        hold("main_button_pressed", button?.press ?? null);
        const active = button !== null && button.active !== false;
        const data = {
            is_visible: button !== null,
            is_active: active,
            is_progress_visible: false,
            text: button?.text ?? "",
            color: token("--tg-theme-button-color"),
            text_color: token("--tg-theme-button-text-color"),
        };
        const said = JSON.stringify(data);
        if (said === mainButton || (!button && !mainButton)) return;
        mainButton = said;
        post("web_app_setup_main_button", data);
    },

    /** Whether swiping down would close the page: never while a finger steers something. */
    swipes(/** @type {boolean} */ on) {
        if (knows("7.7")) post("web_app_setup_swipe_behavior", { allow_vertical_swipe: on });
    },

    /** Whether Telegram asks before it closes the page. @param {boolean} on */
    asksBeforeClosing(on) {
        if (knows("6.2")) post("web_app_setup_closing_behavior", { need_confirmation: on });
    },

    /** Lets a link be sent to a chat; false when this Telegram can't. @param {string} url @param {string} text */
    share(url, text) {
        if (!knows("6.1")) return false;
        const query = new URLSearchParams({ url, text });
        post("web_app_open_tg_link", { path_full: `/share/url?${query}` });
        return true;
    },

    /** Opens an address in the system's browser, or, outside of Telegram, beside this page. @param {string} url */
    open(url) {
        if (launch) post("web_app_open_link", { url });
        else window.open(url, "_blank", "noopener");
    },

    /** Whether this Telegram lets messages be sent that the bot has prepared. */
    sends: knows("8.0"),

    /**
     * Lets a message be sent to a chat that the bot has prepared.
     * @param {string} id
     * @returns {Promise<Sending>}
     */
    send(id) {
        onSent("declined");
        return new Promise((resolve) => {
            onSent = resolve;
            post("web_app_send_prepared_message", { id });
        });
    },

    /** A tap that is felt; outside Telegram by the phone's own means, where it has them. @param {Feel} feel */
    haptic(feel) {
        // Browsers complain of what shakes before it was touched.
        if (!launch && navigator.userActivation?.hasBeenActive) navigator.vibrate?.(BUZZES[feel]);
        if (!knows("6.1")) return;
        const data = feel === "light" || feel === "medium"
            ? { type: "impact", impact_style: feel }
            : { type: "notification", notification_type: feel };
        post("web_app_trigger_haptic_feedback", data);
    },
};

/**
 * What Telegram put behind the `#`. It is taken off the address, where others could read it over
 * a shoulder, and kept for a reload of this tab.
 */
function launchParameters() {
    let text = location.hash.slice(1);
    if (new URLSearchParams(text).has("tgWebAppVersion")) {
        history.replaceState(history.state, "", location.pathname + location.search);
        keep(text);
    } else {
        text = kept();
    }
    const found = new URLSearchParams(text);
    return found.has("tgWebAppVersion") ? found : null;
}

/** @param {string} text */
function keep(text) {
    try {
        sessionStorage.setItem(KEPT, text);
    } catch {
        // Forbidden in some frames: a reload will then be a page outside Telegram.
    }
}

function kept() {
    try {
        return sessionStorage.getItem(KEPT) ?? "";
    } catch {
        return "";
    }
}

function userLanguage() {
    try {
        const user = new URLSearchParams(launch?.get("tgWebAppData") ?? "").get("user");
        const language = JSON.parse(user ?? "{}").language_code;
        return typeof language === "string" ? language : null;
    } catch {
        return null;
    }
}

/** Whether this Telegram knows what came with a version. @param {string} version */
function knows(version) {
    if (!launch) return false;
    const [major = 0, minor = 0] = (launch.get("tgWebAppVersion") ?? "6.0").split(".").map(Number);
    const [wantedMajor = 0, wantedMinor = 0] = version.split(".").map(Number);
    return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/**
 * Says something to Telegram, by the door that this client has.
 * @param {string} eventType
 * @param {object} [eventData]
 */
function post(eventType, eventData = {}) {
    const host = /** @type {any} */ (window);
    if (host.TelegramWebviewProxy) {
        host.TelegramWebviewProxy.postEvent(eventType, JSON.stringify(eventData));
    } else if (typeof host.external?.notify === "function") {
        host.external.notify(JSON.stringify({ eventType, eventData }));
    } else if (window.parent !== window) {
        // Any origin will do: who may frame us is in our frame-ancestors, and it holds no secret.
        window.parent.postMessage(JSON.stringify({ eventType, eventData }), "*");
    }
}

function listen() {
    const host = /** @type {any} */ (window);
    host.Telegram = { ...host.Telegram, WebView: { receiveEvent: receive } };
    host.TelegramGameProxy = { receiveEvent: receive };
    host.TelegramGameProxy_receiveEvent = receive;
    addEventListener("message", (event) => {
        if (event.source !== window.parent || window.parent === window) return;
        try {
            const { eventType, eventData } = JSON.parse(String(event.data));
            receive(String(eventType), eventData);
        } catch {
            // Not a message of the bridge.
        }
    });
}

/** @param {string} type @param {any} data */
function receive(type, data) {
    switch (type) {
        case "back_button_pressed":
        case "main_button_pressed":
        case "settings_button_pressed":
            presses.get(type)?.();
            break;
        case "prepared_message_sent":
            onSent("sent");
            break;
        case "prepared_message_failed":
            onSent(data?.error === "USER_DECLINED" ? "declined" : "failed");
            break;
        case "theme_changed":
            dress(data?.theme_params);
            break;
        case "safe_area_changed":
            insets.safe = edges(data);
            fit();
            break;
        case "content_safe_area_changed":
            insets.content = edges(data);
            fit();
            break;
        case "viewport_changed":
            // On phones the web view can be taller than what is seen of it.
            if (data?.is_state_stable && window.parent === window && data.height > 0) {
                root.style.setProperty("--height", `${Number(data.height)}px`);
            }
            break;
    }
}

/** @param {Press} press @param {(() => void) | null} call */
function hold(press, call) {
    if (call) presses.set(press, call);
    else presses.delete(press);
}

/** Takes the colours of Telegram's theme. @param {unknown} theme */
function dress(theme) {
    if (typeof theme !== "object" || theme === null) return;
    for (const [name, colour] of Object.entries(theme)) {
        if (!/^[a-z_]+$/.test(name) || !/^#[0-9a-f]{6}$/i.test(String(colour))) continue;
        root.style.setProperty(`--tg-theme-${name.replaceAll("_", "-")}`, String(colour));
    }
    const known = /** @type {Record<string, string>} */ (theme);
    // Older clients don't tell these.
    const ground = known["bg_color"];
    if (ground && !known["section_bg_color"]) {
        root.style.setProperty("--tg-theme-section-bg-color", ground);
    }
    if (ground) root.dataset["theme"] = isDark(ground) ? "dark" : "light";
    onTheme();
}

/** @param {string} colour */
function isDark(colour) {
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
    return r * 0.3 + g * 0.59 + b * 0.11 < 128;
}

/** What is covered at the edges, by the phone and by Telegram together. */
function fit() {
    for (const edge of /** @type {(keyof Insets)[]} */ (["top", "bottom", "left", "right"])) {
        const px = insets.safe[edge] + insets.content[edge];
        root.style.setProperty(`--safe-${edge}`, `${px}px`);
    }
}

/** @param {any} data @returns {Insets} */
function edges(data) {
    /** @param {unknown} px */
    const one = (px) => Math.min(INSET_PX_MAX, Math.max(0, Number(px) || 0));
    return {
        top: one(data?.top), bottom: one(data?.bottom),
        left: one(data?.left), right: one(data?.right),
    };
}

/** @param {string} name */
function token(name) {
    return getComputedStyle(root).getPropertyValue(name).trim();
}
