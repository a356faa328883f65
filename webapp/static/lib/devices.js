// What a device is called, by what its browser says of itself.

/** In the order in which they are looked for: most say that they are others as well. */
const BROWSERS = /** @type {const} */ ([
    [/Edg(?:e|A|iOS)?\//, "Edge"], [/OPR\/|Opera/, "Opera"], [/YaBrowser\//, "Yandex"], [/SamsungBrowser\//, "Samsung Internet"],
    [/Telegram/, "Telegram"], [/Firefox\/|FxiOS\//, "Firefox"], [/CriOS\/|HeadlessChrome\/|Chrome\//, "Chrome"], [/Safari\//, "Safari"],
]);
const SYSTEMS = /** @type {const} */ ([
    [/iPhone/, "iPhone"], [/iPad/, "iPad"], [/Android/, "Android"], [/Windows/, "Windows"], [/Mac OS X|Macintosh/, "Mac"],
    [/CrOS/, "ChromeOS"], [/Linux/, "Linux"],
]);
const CHARS_MAX = 40;

/**
 * A browser and a system, or else the beginning of what it says.
 * @param {string} userAgent
 */
export function device(userAgent) {
    const browser = BROWSERS.find(([pattern]) => pattern.test(userAgent))?.[1];
    const system = SYSTEMS.find(([pattern]) => pattern.test(userAgent))?.[1];
    const known = [browser, system].filter(Boolean).join(" · ");
    return known || userAgent.slice(0, CHARS_MAX);
}
