// What the server says of a match of billiards: all its disciplines say the same. Metres, metres a
// second and radians; times in ms of the match, but within a shot's path in seconds from its strike.
// x runs across the table and y along it, from the head (where one breaks) to the foot (where the
// rack stands). A heading is measured from x toward y: half a pi looks from the head to the foot.

export type Discipline = "eight_ball" | "nine_ball" | "pyramid" | "kolkhoz";

/** Balls are numbers: 0 is the cue ball, in pyramid the yellow one. */
export type Ball = number;
export type Point = readonly [number, number];

/** What balls are like, and the cloth. */
export interface BallSpec {
    mass: number;
    radius: number;
    slide: number;
    roll: number;
    /** Spin about the vertical slows by 5 spin gravity / (2 radius) a second. */
    spin: number;
    ball_friction: number;
    ball_restitution: number;
    cushion_restitution: number;
    cushion_friction: number;
    gravity: number;
}

/** A straight part of a cushion's nose; its normal points to where balls are. */
export interface Segment {
    from: Point;
    to: Point;
    normal: Point;
}

export interface Circle {
    centre: Point;
    radius: number;
}

export interface Table {
    name: string;
    /** Between the cushions' noses. */
    width: number;
    length: number;
    /** How high the noses are. */
    nose: number;
    /** Rails and the straight faces of jaws. */
    segments: readonly Segment[];
    jaws: readonly Circle[];
    /** Left near, left middle, left far, then the right ones; near is where y is 0. */
    pockets: readonly Circle[];
    /** The line's y. */
    head_string: number;
    foot_spot: Point;
}

/**
 * When, the state, x, y, and what the state needs: 0 stationary, 1 spinning (wz), 2 sliding (vx,
 * vy, wx, wy, wz), 3 rolling (vx, vy, wz), 4 pocketed. It holds until the next row of its ball.
 */
export type Row = readonly number[];

/** When, what, which ball, with which ball, segment, jaw or pocket, and how fast they met. */
export type Hit = readonly [
    number, "strike" | "ball" | "rail" | "jaw" | "pocket", Ball, number | null, number,
];

/** All that happens between a strike and rest. */
export interface Path {
    ball: BallSpec;
    /** Seconds. */
    rest: number;
    /** By ball, at least one row each. */
    motions: readonly (readonly Row[])[];
    hits: readonly Hit[];
}

export interface Call {
    ball: Ball;
    pocket: number;
}

export interface Strike {
    ball: Ball;
    /** The stick's. */
    speed: number;
    heading: number;
    /** In radii, positive on the left. */
    side: number;
    /** In radii, positive above. */
    height: number;
    elevation: number;
    call: Call | null;
    safety: boolean;
    push_out: boolean;
}

export interface Shot {
    seat: number;
    began: number;
    rest: number;
    strike: Strike;
    path: Path;
}

export type Choice = "play" | "rerack" | "break_again" | "spot" | "rebreak" | "hand_back";

export interface Turn {
    seat: number;
    phase: "break" | "shoot" | "choose" | "take";
    /** When the shot's clock is out and the bank begins to run; null: it stands. */
    until: number | null;
    /** ms left, by seat. */
    bank: readonly number[];
    /** Whether the cue ball may be placed, and where. */
    hand: null | "anywhere" | "behind";
    strikers: readonly Ball[];
    on: readonly Ball[];
    calls: boolean;
    safety: boolean;
    push_out: boolean;
    choices: readonly Choice[];
    takes: readonly Ball[];
    /** Where nobody referees: balls that may be moved, and not only the one in hand. */
    moves?: readonly Ball[];
}

export type Ruling =
    | "goes_on" | "turn_passes" | "foul" | "illegal_break" | "eight_on_break" | "push_out"
    | "penalty" | "rack_won" | "rack_lost" | "rack_over";

export type Fault =
    | "scratch" | "no_contact" | "wrong_ball_first" | "no_cushion" | "ball_off_table"
    | "own_ball_without_contact" | "illegal_break" | "clock" | "early_eight"
    | "eight_in_wrong_pocket" | "eight_on_foul" | "eight_off_table" | "three_fouls";

export interface Verdict {
    seat: number;
    ruling: Ruling;
    fouls: readonly Fault[];
    /** Ball and pocket, in order of falling. */
    potted: readonly (readonly [Ball, number])[];
    off: readonly Ball[];
    spotted: readonly Ball[];
    points: readonly number[];
    next_rack_at: number | null;
}

export interface Sheet {
    rack: number;
    breaker: number;
    order: readonly number[];
    racks: readonly number[];
    points: readonly number[];
    totals: readonly number[];
    /** By seat, what it has brought down in this rack. */
    shelves: readonly (readonly Ball[])[];
    groups: readonly (null | "solids" | "stripes")[];
    fouls: readonly number[];
    gone: readonly Ball[];
    out: readonly boolean[];
}

/** Ball, x, y. */
export type Placed = readonly [Ball, number, number];

export type Update =
    | { turn: Turn }
    | { shot: Shot }
    | { verdict: Verdict }
    | { balls: { why: "rack" | "spotted" | "hand"; at: readonly Placed[] } }
    | { placed: Placed }
    | { chose: readonly [number, Choice] }
    | { took: readonly [number, Ball] }
    | { sheet: Sheet };

export interface View {
    discipline: Discipline;
    table: Table;
    ball: BallSpec;
    spots: { head: Point; foot: Point; head_string: number; centre: number };
    /** Where they lie; during a shot, where they lay when it began. */
    balls: readonly Placed[];
    shot: Shot | null;
    turn: Turn | null;
    verdict: Verdict | null;
    sheet: Sheet;
    target: number;
    next_rack_at: number | null;
    limits: { speed: number; tip: number; elevation: number };
    ends_at: number;
}

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
