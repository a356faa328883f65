// What the server says of a match of billiards, from the generated types: all disciplines say the
// same, so those of 8-ball stand for every one. What the schema can't say, pairs of coordinates and
// rows of numbers, is said here. Metres, metres a second and radians; times in ms of the match, but
// within a shot's path in seconds from its strike.
// x runs across the table and y along it, from the head (where one breaks) to the foot (where the
// rack stands). A heading is measured from x toward y: half a pi looks from the head to the foot.

import type { components } from "../../../wire.d.ts";

type S = components["schemas"];

/** What is not there is said as null, and never left out. */
type Said<T> = { readonly [K in keyof T]-?: T[K] };
/** Two coordinates, where the schema has any list. */
type InPlace<T> = { readonly [K in keyof T]: T[K] extends number[] ? Point : T[K] };

export type Discipline = "eight_ball" | "nine_ball" | "pyramid" | "kolkhoz";

/** Balls are numbers: 0 is the cue ball, in pyramid the yellow one. */
export type Ball = number;
export type Point = readonly [number, number];
/** Ball, x, y. */
export type Placed = readonly [Ball, number, number];

export type BallSpec = S["EightBallBallSpec"];
export type Segment = InPlace<S["EightBallSegment"]>;
export type Circle = InPlace<S["EightBallPocket"]>;

/** Pockets: left near, left middle, left far, then the right ones; near is where y is 0. */
export type Table = InPlace<Omit<S["EightBallTable"], "segments" | "jaws" | "pockets">> & {
    readonly segments: readonly Segment[];
    readonly jaws: readonly Circle[];
    readonly pockets: readonly Circle[];
};

/**
 * When, the state, x, y, and what the state needs: 0 stationary, 1 spinning (wz), 2 sliding (vx,
 * vy, wx, wy, wz), 3 rolling (vx, vy, wz), 4 pocketed. It holds until the next row of its ball.
 */
export type Row = readonly number[];

/** When, what, which ball, with which ball, segment, jaw or pocket, and how fast they met. */
export type Hit = Readonly<S["EightBallBilliardsShot"]["hits"][number]>;

/** All that happens between a strike and rest; motions by ball, of each on the table at least one row. */
export type Path = Omit<S["EightBallBilliardsShot"], "motions" | "hits"> & {
    readonly motions: readonly (readonly Row[])[];
    readonly hits: readonly Hit[];
};

export type Call = S["EightBallCall"];
export type Strike = S["EightBallStrikeAction"];
export type Shot = Omit<S["EightBallShot"], "path"> & { readonly path: Path };
export type Choice = S["EightBallChoice"];
/** Where nobody referees, `moves` are the balls that may be moved, and not only the one in hand. */
export type Turn = Said<S["EightBallTurn"]> & { readonly moves?: readonly Ball[] };
export type Ruling = S["EightBallRuling"];
export type Fault = S["EightBallFoul"];
export type Verdict = Said<S["EightBallVerdict"]>;
export type Sheet = S["EightBallSheet"];

export type Update =
    | { turn: Turn }
    | { shot: Shot }
    | Exclude<S["EightBallUpdate"], { turn: unknown } | { shot: unknown } | { verdict: unknown }>
    | { verdict: Verdict };

export type View =
    & Said<Omit<S["EightBallView"], "discipline" | "table" | "spots" | "balls" | "shot" | "turn" | "verdict">>
    & {
        readonly discipline: Discipline;
        readonly table: Table;
        readonly spots: InPlace<S["EightBallSpots"]>;
        readonly balls: readonly Placed[];
        readonly shot: Shot | null;
        readonly turn: Turn | null;
        readonly verdict: Verdict | null;
    };

/** How somebody aims; x and y are where they hold the ball in hand. */
export interface Aim {
    ball: Ball;
    heading: number;
    speed: number;
    side: number;
    height: number;
    elevation?: number;
    x?: number;
    y?: number;
}
