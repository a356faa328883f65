// Telegram's side of the Mini App bridge, as web.telegram.org speaks it to an iframe: JSON strings
// {eventType, eventData} by postMessage, and launch parameters in the address's fragment.
//
// The choices are kept in this page's own address: /?user=1002&theme=dark opens the app at once.

const THEMES = {
    light: {
        bg_color: "#ffffff",
        secondary_bg_color: "#efeff4",
        section_bg_color: "#ffffff",
        header_bg_color: "#ffffff",
        bottom_bar_bg_color: "#ffffff",
        text_color: "#000000",
        hint_color: "#707579",
        subtitle_text_color: "#707579",
        section_header_text_color: "#3390ec",
        section_separator_color: "#dfe1e5",
        accent_text_color: "#2678b6",
        link_color: "#2678b6",
        button_color: "#2678b6",
        button_text_color: "#ffffff",
        destructive_text_color: "#c4372c",
    },
    dark: {
        bg_color: "#212121",
        secondary_bg_color: "#0f0f0f",
        section_bg_color: "#212121",
        header_bg_color: "#212121",
        bottom_bar_bg_color: "#212121",
        text_color: "#ffffff",
        hint_color: "#aaaaaa",
        subtitle_text_color: "#aaaaaa",
        section_header_text_color: "#8774e1",
        section_separator_color: "#2f2f2f",
        accent_text_color: "#a394ee",
        link_color: "#a394ee",
        button_color: "#8774e1",
        button_text_color: "#ffffff",
        destructive_text_color: "#ff6b6b",
    },
};

/** What the phone covers, and what Telegram covers of the rest. */
const INSETS = {
    none: { safe: edges(0, 0), content: edges(0, 0) },
    notch: { safe: edges(0, 34), content: edges(0, 0) },
    fullscreen: { safe: edges(47, 34), content: edges(46, 0) },
};

const setup = await (await fetch("/setup")).json();
const origin = new URL(setup.app).origin;
const choices = document.forms.namedItem("choices");
const frame = id("app");
let needsConfirmation = false;

for (const person of setup.people) choices.user.append(new Option(person.first_name, person.id));
for (const [name, value] of new URLSearchParams(location.search)) {
    const field = choices.elements.namedItem(name);
    if (field) field.value = value;
}
if (location.search) open();

choices.onsubmit = (event) => {
    event.preventDefault();
    open();
};
choices.onchange = (event) => {
    remember();
    if (frame.src === "") return;
    // Telegram tells an open app of these; the others are for the next launch.
    const tell = { theme: tellTheme, insets: tellInsets, size: tellViewport }[event.target.name];
    dress();
    tell?.();
};
addEventListener("resize", tellViewport);

/** Opens the app, as a tap on its link does. */
async function open() {
    remember();
    forget();
    dress();
    const query = new URLSearchParams({
        user: choices.user.value,
        start_param: choices.start.value,
    });
    const launch = new URLSearchParams({
        tgWebAppData: await (await fetch(`/init-data?${query}`)).text(),
        tgWebAppVersion: choices.version.value,
        tgWebAppPlatform: choices.platform.value,
        tgWebAppThemeParams: JSON.stringify(theme()),
    });
    const address = new URL(setup.app);
    if (choices.start.value) address.searchParams.set("tgWebAppStartParam", choices.start.value);
    // A new frame each time: setting another fragment would not load anything.
    frame.src = "about:blank";
    await new Promise((loaded) => frame.addEventListener("load", loaded, { once: true }));
    frame.src = `${address}#${launch}`;
    id("client").hidden = false;
}

function remember() {
    history.replaceState(null, "", `?${new URLSearchParams(new FormData(choices))}`);
}

/** Everything as before the app asked for anything. */
function forget() {
    needsConfirmation = false;
    for (const name of ["main", "secondary", "back", "settings"]) id(name).hidden = true;
    for (const name of ["ready", "expanded", "fullscreen", "closing"]) say(name, false);
    say("swipes", true);
    id("log").replaceChildren();
}

/** Shows the chosen theme and size around the app. */
function dress() {
    const [width, height] = choices.size.value.split("×");
    const { style } = id("client");
    style.setProperty("--width", `${width}px`);
    style.setProperty("--height", `${height}px`);
    style.setProperty("--text", theme().text_color);
    style.setProperty("--header", theme().header_bg_color);
    style.setProperty("--bottom", theme().bottom_bar_bg_color);
    style.setProperty("--background", theme().bg_color);
}

// Telegram to the app.

function tell(eventType, eventData = {}) {
    log("→", eventType, eventData);
    frame.contentWindow.postMessage(JSON.stringify({ eventType, eventData }), origin);
}

function tellTheme() {
    tell("theme_changed", { theme_params: theme() });
}

function tellInsets() {
    tell("safe_area_changed", INSETS[choices.insets.value].safe);
    tell("content_safe_area_changed", INSETS[choices.insets.value].content);
}

function tellViewport() {
    const { clientWidth: width, clientHeight: height } = frame;
    tell("viewport_changed", { width, height, is_expanded: true, is_state_stable: true });
}

id("main").onclick = () => tell("main_button_pressed");
id("secondary").onclick = () => tell("secondary_button_pressed");
id("back").onclick = () => tell("back_button_pressed");
id("settings").onclick = () => tell("settings_button_pressed");
id("close").onclick = () => {
    if (!needsConfirmation) return close();
    const buttons = [
        { id: "close", text: "Close anyway" },
        { id: "", text: "Cancel" },
    ];
    popup("", "Changes that you made may not be saved.", buttons, (pressed) => {
        if (pressed === "close") close();
    });
};

// The app to Telegram.

/** What each of the app's events does. */
const EVENTS = {
    web_app_ready: () => say("ready", true),
    web_app_expand: () => say("expanded", true),
    web_app_close: () => close(),
    web_app_request_theme: tellTheme,
    web_app_request_viewport: tellViewport,
    web_app_request_safe_area: () => tell("safe_area_changed", INSETS[choices.insets.value].safe),
    web_app_request_content_safe_area: () =>
        tell("content_safe_area_changed", INSETS[choices.insets.value].content),
    web_app_setup_main_button: (data) => setupButton(id("main"), data),
    web_app_setup_secondary_button: (data) => setupButton(id("secondary"), data),
    web_app_setup_back_button: (data) => {
        id("back").hidden = !data.is_visible;
    },
    web_app_setup_settings_button: (data) => {
        id("settings").hidden = !data.is_visible;
    },
    web_app_setup_swipe_behavior: (data) => say("swipes", data.allow_vertical_swipe),
    web_app_setup_closing_behavior: (data) => {
        needsConfirmation = data.need_confirmation;
        say("closing", needsConfirmation);
    },
    web_app_request_fullscreen: () => setFullscreen(true),
    web_app_exit_fullscreen: () => setFullscreen(false),
    web_app_request_write_access: () => tell("write_access_requested", { status: "allowed" }),
    // The system's browser is a window beside this one.
    web_app_open_link: ({ url }) => window.open(url, "_blank", "noopener"),
    web_app_send_prepared_message: (data) => void sendPrepared(data.id),
    web_app_open_popup: (data) =>
        popup(data.title, data.message, data.buttons, (pressed) =>
            tell("popup_closed", pressed ? { button_id: pressed } : {}),
        ),
};

addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow || event.origin !== origin) return;
    const { eventType, eventData } = JSON.parse(event.data);
    log("←", eventType, eventData);
    EVENTS[eventType]?.(eventData ?? {});
});

function setupButton(button, data) {
    const were = [button.hidden];
    button.hidden = !data.is_visible;
    button.disabled = !data.is_active;
    button.textContent = data.is_progress_visible ? `${data.text} …` : data.text;
    button.style.background = data.color || theme().button_color;
    button.style.color = data.text_color || theme().button_text_color;
    if (were[0] !== button.hidden) tellViewport();
}

function setFullscreen(on) {
    say("fullscreen", on);
    tell("fullscreen_changed", { is_fullscreen: on });
}

function popup(title, message, buttons, closed) {
    const dialog = id("popup");
    dialog.querySelector("h2").textContent = title ?? "";
    dialog.querySelector("p").textContent = message;
    const words = { ok: "OK", close: "Close", cancel: "Cancel" };
    dialog.querySelector("form").replaceChildren(
        ...buttons.map(({ id, type, text }) => {
            const button = document.createElement("button");
            button.value = id;
            button.textContent = text || words[type] || id;
            return button;
        }),
    );
    dialog.returnValue = "";
    dialog.onclose = () => closed(dialog.returnValue);
    dialog.showModal();
}

/** Shows a message that the bot has prepared, and asks whether to send it. */
async function sendPrepared(number) {
    const found = await fetch(`/prepared/${encodeURIComponent(number)}`);
    if (!found.ok) return tell("prepared_message_failed", { error: "MESSAGE_EXPIRED" });
    const { input_message_content: content, reply_markup: markup } = await found.json();
    // Of Telegram's HTML our bot uses one tag.
    const text = new DOMParser().parseFromString(content.message_text, "text/html").body.textContent;
    const links = (markup?.inline_keyboard ?? []).flat().map((it) => `[${it.text}] ${it.url}`);
    const buttons = [
        { id: "send", text: "Send" },
        { id: "", text: "Cancel" },
    ];
    popup("Send to a chat?", [text, ...links].join("\n\n"), buttons, (pressed) => {
        if (pressed === "send") tell("prepared_message_sent");
        else tell("prepared_message_failed", { error: "USER_DECLINED" });
    });
}

function close() {
    id("client").hidden = true;
    frame.removeAttribute("src");
}

function theme() {
    return THEMES[choices.theme.value];
}

function say(name, yes) {
    id(name).textContent = yes ? "yes" : "no";
}

function log(arrow, type, data) {
    const line = document.createElement("li");
    line.textContent = `${arrow} ${type} ${JSON.stringify(data ?? {})}`;
    id("log").prepend(line);
}

function edges(top, bottom) {
    return { top, bottom, left: 0, right: 0 };
}

function id(name) {
    return document.getElementById(name);
}
