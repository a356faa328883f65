// What my hands do to my plan: at the cloth, the wheel, the cue, the spin pad and the buttons.

import { act } from "../../lib/html.js";
import { telegram } from "../../lib/telegram.js";
import { t } from "../../lib/words.js";
import { drags, hands } from "./hands.js";
import { Showing } from "./live.js";
import * as plans from "./plan.js";
import { pocketAt } from "./table.js";

/** @import { Seat } from "../index.js" */
/** @import { Mine } from "./overlay.js" */
/** @import { Plan } from "./plan.js" */
/** @import { Place } from "./table.js" */
/** @import { Choice, Point } from "./types.d.ts" */

/** A finger finds a ball from so far, in CSS pixels. */
const REACH = 24;
/** Nearer to the ball a finger would turn the aim too fast: it is taken to be so far away. */
const ARM = 80;
/** How much of the bar is the cue's whole way. */
const PULL = 0.8;
/** A pixel of the wheel turns the aim by so much, in radians. */
const WHEEL = 5e-4;
/** A key moves the tip by so much, in radii. */
const TIP = 0.05;
const TICK_PX = 9;
/** After a finger aimed it is looked closely for so long. */
const LOOK_MS = 1_200;

/**
 * What is done about it.
 * @typedef {object} Does
 * @property {() => Mine | null} mine my turn, while I may act
 * @property {() => Place | null} place
 * @property {(plan: Plan) => void} plan takes over a changed one
 * @property {() => void} stroke strikes as planned
 */

export class Doing {
    /** @type {Seat} */
    #seat;
    /** @type {Does} */
    #does;
    #showing;
    #off = new AbortController();
    #letGo;
    #unact;
    /** @type {WeakSet<Element>} */
    #met = new WeakSet();
    /** The ball that a finger is on. @type {number | null} */
    #held = null;
    /** What was aimed at before it was carried: it is aimed at again. @type {Point | null} */
    #target = null;
    /** Until when a finger aims, and what it aims at is worth a closer look. */
    aimsUntil = -Infinity;
    /** Whether the spin pad is open. */
    hasPad = false;

    /** @param {Seat} seat @param {Does} does */
    constructor(seat, does) {
        [this.#seat, this.#does] = [seat, does];
        this.#showing = new Showing((aim) => seat.show?.(aim));
        this.#letGo = hands(seat.canvas, {
            grab: (x, y) => this.#grab(x, y),
            carry: (dx, dy) => this.#carry(dx, dy),
            drop: () => this.#drop(),
            sweep: (x, y, dx, dy) => this.#sweep(x, y, dx, dy),
            tap: (x, y) => this.#tap(x, y),
            turn: (by) => this.#turn(by),
            draw: (by) => this.#aim((plan) => ({ ...plan, drawn: Math.max(0, Math.min(1, plan.drawn + by)) })),
            strike: () => does.stroke(),
            cancel: () => {
                this.#open(false);
                this.#aim((plan) => ({ ...plan, drawn: 0 }));
            },
        });
        this.#unact = act(seat.beside, {
            spin: () => this.#open(!this.hasPad),
            centre: () => {
                this.#aim((plan, { task }) => plans.raised(task, plans.spun(task, plan, 0, 0), 0));
                this.#open(false);
            },
            safety: () => this.#change(({ plan }) => ({ ...plan, safety: !plan.safety })),
            push: () => this.#change(({ plan }) => ({ ...plan, pushOut: !plan.pushOut })),
            striker: () => this.#nextStriker(),
            choose: ({ dataset }) => this.#decide({ action: "choose", choice: /** @type {Choice} */ (dataset["choice"]) }),
            take: () => {
                const ball = does.mine()?.plan.take ?? null;
                if (ball !== null) this.#decide({ action: "take", ball });
            },
        });
        const { signal } = this.#off;
        seat.beside.addEventListener("change", (event) => this.#pick(event), { signal });
        seat.beside.addEventListener("input", ({ target }) => {
            if (!(target instanceof HTMLInputElement) || target.dataset["pick"] !== "elevation") return;
            const radians = (target.valueAsNumber * Math.PI) / 180;
            this.#aim((plan, { task }) => plans.raised(task, plan, radians));
        }, { signal });
        seat.beside.addEventListener("click", ({ detail, target }) => {
            // A button that was clicked, not pressed by a key, leaves Enter to the cue.
            const button = target instanceof Element ? target.closest("button") : null;
            if (detail > 0) button?.blur();
        }, { signal });
        seat.beside.addEventListener("keydown", (event) => this.#padKey(event), { signal });
    }

    stop() {
        this.#off.abort();
        this.#letGo();
        this.#unact();
        this.#showing.drop();
    }

    /** It is not my turn any more. */
    rest() {
        this.#showing.drop();
        this.hasPad = false;
    }

    /** What stands beside the cloth was shown anew: new controls are taken in hand, all are set. */
    shown() {
        const { beside } = this.#seat;
        for (const [name, meet] of /** @type {const} */ ([
            ["wheel", this.#meetWheel], ["power", this.#meetPower], ["pad", this.#meetPad],
        ])) {
            const element = beside.querySelector(`.${name}`);
            if (!(element instanceof HTMLElement) || this.#met.has(element)) continue;
            this.#met.add(element);
            meet(element);
        }
        const mine = this.#does.mine();
        for (const select of beside.querySelectorAll("select")) {
            const chosen = select.querySelector("option[selected]");
            if (chosen instanceof HTMLOptionElement && select.value !== chosen.value) select.value = chosen.value;
        }
        const isOff = String(!plans.canAim(mine));
        const { drawn, heading } = mine?.plan ?? plans.IDLE;
        const [wheel, power, pad] = [".wheel", ".power", ".pad"].map((it) => beside.querySelector(it));
        if (wheel instanceof HTMLElement) {
            const degrees = ((heading * 180) / Math.PI).toFixed(1);
            wheel.setAttribute("aria-disabled", isOff);
            wheel.setAttribute("aria-valuenow", degrees);
            wheel.setAttribute("aria-valuetext", t("billiards_heading_is", { n: degrees }));
            wheel.style.setProperty("--turn", `${(((heading / WHEEL) % TICK_PX) + TICK_PX) % TICK_PX}px`);
        }
        if (power instanceof HTMLElement) {
            const n = Math.round(drawn * 100);
            power.setAttribute("aria-disabled", isOff);
            power.setAttribute("aria-valuenow", String(n));
            power.setAttribute("aria-valuetext", t("billiards_power_is", { n }));
            power.style.setProperty("--drawn", String(drawn));
            const label = power.querySelector("b");
            if (label) label.textContent = n ? String(n) : "";
        }
        if (pad instanceof HTMLElement) this.#lay(pad);
        const raise = pad?.querySelector("input");
        if (raise && raise.value !== raise.getAttribute("value")) raise.value = raise.getAttribute("value") ?? "0";
    }

    /** The pad opens over the cue ball, as far as there is room. @param {HTMLElement} pad */
    #lay(pad) {
        const [mine, place] = [this.#does.mine(), this.#does.place()];
        if (!mine?.foreseen || !place || !(pad.parentElement instanceof HTMLElement)) return;
        const [x, y] = place.at(...mine.foreseen.from);
        const { clientWidth, clientHeight } = pad.parentElement;
        const half = faceOf(pad).size / 2;
        pad.style.left = `${Math.max(0, Math.min(clientWidth - pad.offsetWidth, x - pad.offsetWidth / 2))}px`;
        pad.style.top = `${Math.max(0, Math.min(clientHeight - pad.offsetHeight, y - half))}px`;
    }

    /** @param {HTMLElement} wheel */
    #meetWheel = (wheel) => {
        drags(wheel, {
            down() {},
            move: (_x, _y, _dx, dy) => this.#turn(dy * WHEEL),
            up() {},
            cancel() {},
        }, this.#off.signal);
        wheel.addEventListener("wheel", (event) => {
            event.preventDefault();
            this.#turn(event.deltaY * WHEEL * 0.1);
        }, { signal: this.#off.signal, passive: false });
    };

    /** @param {HTMLElement} power */
    #meetPower = (power) => {
        let from = 0;
        drags(power, {
            down: (_x, y) => {
                from = y;
                this.#open(false);
            },
            move: (_x, y) => this.#aim((plan) => {
                const drawn = Math.max(0, Math.min(1, (y - from) / (PULL * power.clientHeight)));
                return { ...plan, drawn };
            }),
            up: () => {
                const mine = this.#does.mine();
                if (mine && mine.plan.drawn >= plans.DRAWN_MIN) this.#does.stroke();
                else this.#aim((plan) => ({ ...plan, drawn: 0 }));
            },
            cancel: () => this.#aim((plan) => ({ ...plan, drawn: 0 })),
        }, this.#off.signal);
    };

    /** @param {HTMLElement} pad */
    #meetPad = (pad) => {
        /** @param {number} x @param {number} y */
        const put = (x, y) => {
            const { left, size } = faceOf(pad);
            if (y <= size) this.#tip(1 - (2 * (x - left)) / size, 1 - (2 * y) / size);
        };
        // Who opened it with a key goes on with keys.
        if (document.activeElement?.matches(".spin")) pad.focus({ preventScroll: true });
        drags(pad, {
            down: put,
            move: put,
            up() {},
            cancel() {},
        }, this.#off.signal);
    };

    /** @param {KeyboardEvent} event */
    #padKey(event) {
        if (!(event.target instanceof Element) || !event.target.closest(".pad")) return;
        if (event.target instanceof HTMLInputElement && event.key !== "Escape") return;
        const { side, height } = this.#does.mine()?.plan ?? plans.IDLE;
        const to = /** @type {Record<string, [number, number]>} */ ({
            ArrowLeft: [side + TIP, height], ArrowRight: [side - TIP, height],
            ArrowUp: [side, height + TIP], ArrowDown: [side, height - TIP],
        })[event.key];
        if (event.key === "Escape") this.#open(false);
        if (!to) return;
        event.preventDefault();
        this.#tip(...to);
    }

    /** @param {boolean} open */
    #open(open) {
        const mine = this.#does.mine();
        if (open === this.hasPad || !mine) return;
        this.hasPad = open && plans.canAim(mine);
        this.#does.plan({ ...mine.plan });
    }

    /** @param {number} side @param {number} height */
    #tip(side, height) {
        this.#aim((plan, mine) => plans.spun(mine.task, plan, side, height));
    }

    /** Changes the plan while it is mine to make. @param {(mine: Mine) => Plan} change */
    #change(change) {
        const mine = this.#does.mine();
        if (!mine || mine.plan.sent !== null) return;
        const plan = change(mine);
        this.#does.plan(plan);
        const aim = plans.shownTo(mine.task, plan);
        if (aim) this.#showing.tell(aim);
    }

    /** The same where there is something to aim. @param {(plan: Plan, mine: Mine) => Plan} change */
    #aim(change) {
        this.#change((mine) => (plans.canAim(mine) ? change(mine.plan, mine) : mine.plan));
    }

    /** @param {number} by */
    #turn(by) {
        this.aimsUntil = performance.now() + LOOK_MS;
        this.#aim((plan, { task }) => plans.aimed(task, plan, plan.heading + by));
    }

    /** @param {number} x @param {number} y @param {number} dx @param {number} dy */
    #sweep(x, y, dx, dy) {
        const place = this.#does.place();
        this.aimsUntil = performance.now() + LOOK_MS;
        this.#aim((plan, { task, foreseen }) => {
            if (!foreseen || !place) return plan;
            const [cx, cy] = place.at(...foreseen.from);
            const [rx, ry] = [x - dx - cx, y - dy - cy];
            const far = Math.max(ARM, Math.hypot(rx, ry));
            return plans.aimed(task, plan, plan.heading - (rx * dy - ry * dx) / (far * far));
        });
    }

    /** @param {number} x @param {number} y */
    #grab(x, y) {
        const [mine, place] = [this.#does.mine(), this.#does.place()];
        if (!mine || !place || mine.plan.sent !== null) return false;
        const moves = plans.movable(mine.task.turn);
        const ball = moves.length ? this.#ballAt(mine, place, x, y, moves) : null;
        if (ball === null) return false;
        this.#held = ball;
        const contact = ball === mine.plan.ball ? mine.foreseen?.contact : null;
        const met = contact?.kind === "ball" ? plans.spot(mine.task.balls, contact.index) : null;
        this.#target = met ?? contact?.at ?? null;
        return true;
    }

    /** @param {number} dx @param {number} dy */
    #carry(dx, dy) {
        const place = this.#does.place();
        const hand = this.#held;
        this.#change(({ task, plan }) => {
            const lies = hand === null ? null : plans.spot(plans.held(task, plan.hand === hand ? plan : plans.IDLE), hand);
            if (!lies || !place) return plan;
            const [x, y] = place.at(...lies);
            return { ...plan, hover: place.back(x + dx, y + dy), hand, isCarried: true };
        });
    }

    /** It stays where it may lie; else it goes back to where it lay. */
    #drop() {
        this.#change(({ task, plan }) => {
            const { hover, hand: ball } = plan;
            if (!hover || ball === null) return plan;
            if (plans.refusedAt(task, ball, hover) !== null) {
                telegram.haptic("warning");
                return plans.called(task, { ...plan, hover: null, hand: null, isCarried: false });
            }
            const [x, y] = hover;
            this.#seat.send?.({ type: "game_action", action: "place", ball, x, y });
            telegram.haptic("light");
            const laid = { ...plan, isCarried: false };
            return this.#target ? plans.aimedAt(task, laid, this.#target) : plans.called(task, laid);
        });
    }

    /** @param {number} x @param {number} y */
    #tap(x, y) {
        if (this.hasPad) return this.#open(false);
        const place = this.#does.place();
        if (!place) return;
        this.#change((mine) => {
            const { task, plan } = mine;
            const { turn } = task;
            if (turn.phase === "choose") return plan;
            const ball = this.#ballAt(mine, place, x, y);
            if (turn.phase === "take") return ball !== null && turn.takes.includes(ball) ? { ...plan, take: ball } : plan;
            const pocket = turn.calls && ball === null ? pocketAt(place, x, y, 14) : null;
            if (pocket !== null) return plans.calling(plan, { pocket });
            if (plan.ball === null) return ball !== null && turn.strikers.includes(ball) ? plans.struck(task, plan, ball) : plan;
            if (ball === plan.ball) return turn.strikers.length > 1 ? plans.struck(task, plan, null) : plan;
            const lies = ball === null ? null : plans.spot(task.balls, ball);
            return plans.aimedAt(task, plan, lies ?? place.back(x, y));
        });
    }

    /**
     * The nearest ball that a finger means.
     * @param {Mine} mine @param {Place} place @param {number} x @param {number} y
     * @param {readonly number[]} [among]
     */
    #ballAt({ task, plan }, place, x, y, among) {
        const reach = Math.max(REACH, task.ball.radius * place.scale);
        const balls = plans.held(task, plan).filter(([ball]) => !among || among.includes(ball));
        const far = balls.map(([ball, bx, by]) => {
            const [sx, sy] = place.at(bx, by);
            return { ball, off: Math.hypot(sx - x, sy - y) };
        });
        const [nearest] = far.sort((a, b) => a.off - b.off);
        return nearest && nearest.off <= reach ? nearest.ball : null;
    }

    #nextStriker() {
        this.#change(({ task, plan }) => {
            const { strikers } = task.turn;
            const next = strikers[(plan.ball === null ? 0 : strikers.indexOf(plan.ball) + 1) % strikers.length];
            return plans.struck(task, plan, next ?? null);
        });
    }

    /** @param {Event} event */
    #pick({ target }) {
        if (!(target instanceof HTMLSelectElement) || target.value === "") return;
        const value = Number(target.value);
        const what = target.dataset["pick"];
        this.#change(({ plan }) => what === "take" ? { ...plan, take: value }
            : plans.calling(plan, what === "ball" ? { ball: value } : { pocket: value }));
    }

    /** Says a decision, and waits for what comes of it. @param {object} action */
    #decide(action) {
        this.#change(({ plan }) => {
            const n = this.#seat.send?.({ type: "game_action", ...action }) ?? null;
            telegram.haptic("light");
            return { ...plan, sent: n };
        });
    }
}

/** The ball on a spin pad: where it begins, and how wide it is. @param {HTMLElement} pad */
function faceOf(pad) {
    const size = pad.querySelector(".face")?.getBoundingClientRect().width ?? pad.clientWidth;
    return { left: (pad.clientWidth - size) / 2, size };
}
