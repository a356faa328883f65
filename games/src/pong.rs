//! Pong: two paddles and a ball, exact between events.
//!
//! The ball flies in a straight line, folded at the walls, until its centre meets the plane in
//! front of a paddle. That moment is solved for, and nothing happens before it: no tick, no
//! tunnelling, and the same match on every machine.
//!
//! Lengths are in field units (the field is 800 × 500), times in seconds unless they are [`Time`].

use alloc::{format, vec::Vec};
use core::{f64::consts::PI, ops::RangeInclusive};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Absence, BadOptions, Game, NoGesture, Out, Outcome, Pace, Reason, Refusal, Seat, Seed, Time,
    Viewer, seed::Luck,
};

const WIDTH: f64 = 800.0;
/// The height of the field.
pub const HEIGHT: f64 = 500.0;
const BALL_RADIUS: f64 = 8.0;
const PADDLE_WIDTH: f64 = 12.0;
const PADDLE_HEIGHT: f64 = 90.0;
/// Centres of the paddles, by seat.
const PADDLE_X: [f64; 2] = [24.0, 776.0];
/// A paddle's speed, and so the most that any client can make of its hands.
const PADDLE_SPEED: f64 = 520.0;
/// Where the ball's centre is when it touches a paddle's face, by seat.
const PLANE_X: [f64; 2] = [
    PADDLE_X[0] + PADDLE_WIDTH / 2.0 + BALL_RADIUS,
    PADDLE_X[1] - PADDLE_WIDTH / 2.0 - BALL_RADIUS,
];
/// Where the ball's centre is when it has wholly left the field, by the seat that concedes.
const OUT_X: [f64; 2] = [-BALL_RADIUS, WIDTH + BALL_RADIUS];
/// A paddle reaches this far from its centre, the ball's own size included.
const REACH: f64 = PADDLE_HEIGHT / 2.0 + BALL_RADIUS;
const TOP: f64 = BALL_RADIUS;
const BOTTOM: f64 = HEIGHT - BALL_RADIUS;

const SERVE_SPEED: f64 = 360.0;
const SERVE_ANGLE: f64 = PI / 6.0;
const BOUNCE_ANGLE: f64 = PI / 3.0;
const SPEED_UP: f64 = 1.06;
const SPEED_MAX: f64 = 900.0;

const FIRST_SERVE: Time = Time::secs(3);
const NEXT_SERVE: Time = Time::millis(1_500);
/// The countdown after a pause.
const RESUME: Time = Time::secs(3);
/// How long the match waits for a player whose connection is lost.
const GRACE: Time = Time::secs(20);
/// How often a player's lost connection stops the ball; after that play goes on without them.
const PAUSES: u8 = 2;
/// Who does nothing for this long forfeits.
const IDLE: Time = Time::secs(30);
/// How many points above the target end a match whatever the margin.
const DEUCE: i64 = 4;
/// Two perfect players could rally for ever: at this age of the match the leader wins.
const LONGEST: Time = Time::secs(30 * 60);

/// What can be set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "PongOptions")]
pub struct Options {
    /// First to this many points wins, by two; four above it, the next point decides.
    #[schemars(range(min = 3, max = 21))]
    pub points: u8,
}

impl Default for Options {
    fn default() -> Options {
        Options { points: 11 }
    }
}

/// What a player may do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "PongAction")]
pub enum Action {
    /// Send my paddle's centre toward `y`, in heights of the field from its top.
    Move {
        /// From 0 to 1.
        y: f64,
    },
    /// Give the match up.
    Resign {},
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "PongUpdate")]
pub enum Update {
    /// `[from, to]` in heights of the field: the paddle of the message's seat is at `from` at the
    /// message's `at` and moves to `to` at 1.04 heights a second.
    Paddle([f64; 2]),
    /// `[t, toward]`: the ball rests in the centre and will be served at `t` (ms) toward that seat.
    Serve((f64, Seat)),
    /// `[t, x, y, vx, vy]`: from `t` (ms) on the ball flies so, folded at the walls, until told
    /// otherwise; before `t` it rests there.
    Ball([f64; 5]),
    /// `[until, seat]`: the ball stands still until `until` (ms) for that seat to come back.
    Pause((f64, Seat)),
    /// Everyone is back; play goes on at this `t` (ms). The ball or the serve follows.
    Resume(f64),
}

/// All that can be seen.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "PongView")]
pub struct View {
    /// Sizes and speeds that never change.
    pub field: Field,
    /// By seat.
    pub paddles: [PaddleView; 2],
    /// As in the update; none before a serve.
    pub ball: Option<[f64; 5]>,
    /// As in the update.
    pub serve: Option<(f64, Seat)>,
    /// As in the update; the first to run out where both are away.
    pub pause: Option<(f64, Seat)>,
    /// As in the update; none once play goes on.
    pub resume: Option<f64>,
    /// By seat.
    pub scores: [i64; 2],
    /// Points to win.
    pub target: u8,
}

/// The court, in field units and field units a second.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Field {
    pub width: f64,
    pub height: f64,
    pub ball_radius: f64,
    pub paddle_width: f64,
    pub paddle_height: f64,
    /// Centres, by seat.
    pub paddle_x: [f64; 2],
    pub paddle_speed: f64,
}

/// A paddle on its way: at `from` at `at` (ms), moving to `to`, in heights of the field.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "PongPaddle")]
#[expect(missing_docs, reason = "said above")]
pub struct PaddleView {
    pub at: f64,
    pub from: f64,
    pub to: f64,
}

/// A match of Pong.
#[derive(Clone, Debug, PartialEq)]
pub struct Pong {
    points: u8,
    luck: Luck,
    players: [Player; 2],
    phase: Phase,
    ends_at: Time,
}

#[derive(Clone, Debug, PartialEq)]
struct Player {
    score: i64,
    paddle: Paddle,
    /// The last sign of life.
    active_at: Time,
    away: Option<Away>,
    pauses_left: u8,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Away {
    /// When it forfeits.
    until: Time,
    /// Whether the ball waits for it.
    pausing: bool,
}

/// On its way from where it was at `at`, in field units.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Paddle {
    at: Time,
    from: f64,
    to: f64,
}

#[derive(Clone, Debug, PartialEq)]
enum Phase {
    Serving { at: Time, toward: Seat },
    Rally(Ball),
    Paused(Held),
    Over(Outcome),
}

/// What goes on after a pause.
#[derive(Clone, Debug, PartialEq)]
enum Held {
    Serve { toward: Seat },
    Ball(Ball),
}

/// In flight: at `x`, `y` at `at`, and resting there before.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Ball {
    at: Time,
    x: f64,
    y: f64,
    vx: f64,
    vy: f64,
    speed: f64,
    /// It has passed the paddle that it flies toward.
    missed: bool,
}

impl Paddle {
    fn y(&self, at: Time) -> f64 {
        let reach = PADDLE_SPEED * (at - self.at).as_secs();
        self.from + (self.to - self.from).clamp(-reach, reach)
    }
}

impl Ball {
    fn served(at: Time, toward: Seat, luck: &mut Luck) -> Ball {
        let angle = (luck.unit() * 2.0 - 1.0) * SERVE_ANGLE;
        Ball::struck(at, (WIDTH / 2.0, HEIGHT / 2.0), toward, angle, SERVE_SPEED)
    }

    fn struck(at: Time, (x, y): (f64, f64), toward: Seat, angle: f64, speed: f64) -> Ball {
        let ahead = if toward == Seat(0) { -1.0 } else { 1.0 };
        let (vx, vy) = (ahead * speed * libm::cos(angle), speed * libm::sin(angle));
        Ball { at, x, y, vx, vy, speed, missed: false }
    }

    /// The seat that it flies toward.
    fn toward(&self) -> Seat {
        if self.vx < 0.0 { Seat(0) } else { Seat(1) }
    }

    /// When it meets the paddle's plane, or leaves the field if it has passed that.
    fn next_event(&self) -> Time {
        let goal = if self.missed { OUT_X } else { PLANE_X }[self.toward().index()];
        self.at + Time::at_or_after((goal - self.x) / self.vx)
    }

    /// Where it is and how it flies at `at`, as a ball that starts there.
    fn moved(&self, at: Time) -> Ball {
        let dt = (at - self.at).as_secs();
        let (y, vy) = fold(self.y + self.vy * dt, self.vy);
        Ball { at: at.max(self.at), x: self.x + self.vx * dt, y, vy, ..*self }
    }
}

/// Where a ball that was told as in [`Update::Ball`] meets the plane of a seat's paddle, in field
/// units from the top; none when it flies the other way.
pub fn meets([_, x, y, vx, vy]: [f64; 5], seat: Seat) -> Option<f64> {
    let plane = PLANE_X.get(seat.index())?;
    let dt = (plane - x) / vx;
    (dt.is_finite() && dt > 0.0).then(|| fold(y + vy * dt, vy).0)
}

/// Reflects a flight that ignores the walls back between them.
fn fold(y: f64, vy: f64) -> (f64, f64) {
    let lane = BOTTOM - TOP;
    let along = libm::fmod(y - TOP, 2.0 * lane);
    let along = if along < 0.0 { along + 2.0 * lane } else { along };
    match along > lane {
        true => (TOP + 2.0 * lane - along, -vy),
        false => (TOP + along, vy),
    }
}

impl Game for Pong {
    type Options = Options;
    type Action = Action;
    type Update = Update;
    type View = View;
    type Gesture = NoGesture;

    const RULES: u32 = 1;
    const SEATS: RangeInclusive<u8> = 2..=2;
    const PACE: Pace = Pace::TellFirst;

    fn deal(options: Options, seats: u8, seed: Seed, at: Time) -> Result<Pong, BadOptions> {
        if !(3..=21).contains(&options.points) {
            let message = format!("from 3 to 21, not {}", options.points);
            return Err(BadOptions { field: "points", message });
        }
        if !Self::SEATS.contains(&seats) {
            let message = format!("Pong is for 2 players, not {seats}");
            return Err(BadOptions { field: "seats", message });
        }
        let mut luck = seed.luck();
        let serve_at = at + FIRST_SERVE;
        let player = Player {
            score: 0,
            paddle: Paddle { at, from: HEIGHT / 2.0, to: HEIGHT / 2.0 },
            active_at: serve_at,
            away: None,
            pauses_left: PAUSES,
        };
        let toward = Seat(luck.coin().into());
        Ok(Pong {
            points: options.points,
            luck,
            players: [player.clone(), player],
            phase: Phase::Serving { at: serve_at, toward },
            ends_at: at + LONGEST,
        })
    }

    fn act(
        &mut self,
        at: Time,
        seat: Seat,
        action: Action,
        out: &mut Out<Update>,
    ) -> Result<(), Refusal> {
        if matches!(self.phase, Phase::Over(_)) {
            return Err(Refusal { code: "match_over", message: "this match is over" });
        }
        let Some(player) = self.players.get_mut(seat.index()) else {
            return Err(Refusal { code: "no_such_seat", message: "Pong has seats 0 and 1" });
        };
        match action {
            Action::Move { y } => {
                if !(0.0..=1.0).contains(&y) {
                    let message = "y must be a number from 0 (top) to 1 (bottom)";
                    return Err(Refusal { code: "out_of_range", message });
                }
                player.active_at = player.active_at.max(at);
                // Rounded as it is told, so that everyone moves it to the same place.
                let half = PADDLE_HEIGHT / 2.0;
                let to = (rounded(y) * HEIGHT).clamp(half, HEIGHT - half);
                if to != player.paddle.to {
                    let from = player.paddle.y(at);
                    player.paddle = Paddle { at, from, to };
                    out.tell(Update::Paddle([rounded(from / HEIGHT), rounded(to / HEIGHT)]));
                }
            }
            Action::Resign {} => self.finish(Some(seat.other()), Reason::Forfeit),
        }
        Ok(())
    }

    fn away(
        &mut self,
        at: Time,
        seat: Seat,
        absence: Absence,
        out: &mut Out<Update>,
    ) -> Option<Time> {
        if matches!(self.phase, Phase::Over(_)) {
            return None;
        }
        let player = self.players.get_mut(seat.index())?;
        if let Some(away) = player.away {
            return Some(away.until);
        }
        let until = at + GRACE;
        let pausing = match absence {
            Absence::Interrupted => true,
            Absence::Lost => player.pauses_left > 0,
        };
        if absence == Absence::Lost {
            player.pauses_left = player.pauses_left.saturating_sub(1);
        }
        player.away = Some(Away { until, pausing });
        if pausing {
            match self.phase {
                Phase::Serving { toward, .. } => self.phase = Phase::Paused(Held::Serve { toward }),
                Phase::Rally(ball) => self.phase = Phase::Paused(Held::Ball(ball.moved(at))),
                Phase::Paused(_) | Phase::Over(_) => {}
            }
            out.tell(Update::Pause((millis(until), seat)));
        }
        Some(until)
    }

    fn back(&mut self, at: Time, seat: Seat, out: &mut Out<Update>) {
        let Some(player) = self.players.get_mut(seat.index()) else { return };
        if player.away.take().is_none() {
            return;
        }
        player.active_at = at;
        let Phase::Paused(held) = &self.phase else { return };
        if let Some((until, seat)) = self.pause() {
            out.tell(Update::Pause((millis(until), seat)));
            return;
        }
        let resume_at = at + RESUME;
        out.tell(Update::Resume(millis(resume_at)));
        self.phase = match *held {
            Held::Serve { toward } => {
                out.tell(Update::Serve((millis(resume_at), toward)));
                Phase::Serving { at: resume_at, toward }
            }
            Held::Ball(ball) => {
                let ball = Ball { at: resume_at, ..ball };
                out.tell(Update::Ball(told(&ball)));
                Phase::Rally(ball)
            }
        };
        for player in &mut self.players {
            player.active_at = resume_at;
        }
    }

    fn leave(&mut self, _at: Time, seat: Seat, _out: &mut Out<Update>) {
        if !matches!(self.phase, Phase::Over(_)) && seat.index() < 2 {
            self.finish(Some(seat.other()), Reason::Forfeit);
        }
    }

    fn wake(&mut self, at: Time, out: &mut Out<Update>) {
        // Several things can be due at one instant: each is handled once, in this order.
        while self.next_wake().is_some_and(|due| due <= at) {
            if let Some(gone) = self.overdue(|player| player.away.map(|it| it.until), at) {
                // Nobody wins who is not there to see it.
                let other_is_here = self.players[gone.other().index()].away.is_none();
                self.forfeit(gone, other_is_here);
            } else if let Some(idle) = self.idle(at) {
                let other_is_active = self.idle_until(idle.other()).is_none_or(|it| it > at);
                self.forfeit(idle, other_is_active);
            } else if self.ends_at <= at {
                let [left, right] = self.scores2();
                let winner = (left != right).then_some(Seat((right > left).into()));
                self.finish(winner, Reason::Score);
            } else {
                self.play_on(at, out);
            }
        }
    }

    fn next_wake(&self) -> Option<Time> {
        let play = match &self.phase {
            Phase::Serving { at, .. } => Some(*at),
            Phase::Rally(ball) => Some(ball.next_event()),
            Phase::Paused(_) => None,
            Phase::Over(_) => return None,
        };
        let gone = self.players.iter().filter_map(|player| player.away.map(|it| it.until));
        let idle = [Seat(0), Seat(1)].into_iter().filter_map(|seat| self.idle_until(seat));
        gone.chain(idle).chain(play).chain([self.ends_at]).min()
    }

    fn view(&self, at: Time, _viewer: Viewer) -> View {
        let paddles = [0, 1].map(|seat: usize| {
            let Paddle { at, from, to } = self.players[seat].paddle;
            PaddleView { at: millis(at), from: rounded(from / HEIGHT), to: rounded(to / HEIGHT) }
        });
        let (ball, serve) = match &self.phase {
            Phase::Serving { at, toward } => (None, Some((millis(*at), *toward))),
            Phase::Rally(ball) | Phase::Paused(Held::Ball(ball)) => (Some(told(ball)), None),
            Phase::Paused(Held::Serve { .. }) | Phase::Over(_) => (None, None),
        };
        let resume = match &self.phase {
            Phase::Rally(ball) => (ball.at > at).then_some(millis(ball.at)),
            Phase::Serving { .. } | Phase::Paused(_) | Phase::Over(_) => None,
        };
        View {
            field: Field {
                width: WIDTH,
                height: HEIGHT,
                ball_radius: BALL_RADIUS,
                paddle_width: PADDLE_WIDTH,
                paddle_height: PADDLE_HEIGHT,
                paddle_x: PADDLE_X,
                paddle_speed: PADDLE_SPEED,
            },
            paddles,
            ball,
            serve,
            pause: self.pause().map(|(until, seat)| (millis(until), seat)),
            resume,
            scores: self.scores2(),
            target: self.points,
        }
    }

    fn scores(&self) -> Vec<i64> {
        self.scores2().to_vec()
    }

    fn outcome(&self) -> Option<Outcome> {
        match &self.phase {
            Phase::Over(outcome) => Some(outcome.clone()),
            Phase::Serving { .. } | Phase::Rally(_) | Phase::Paused(_) => None,
        }
    }

    fn gesture(&self, _seat: Seat, gesture: &NoGesture) -> Result<(), Refusal> {
        match *gesture {}
    }
}

impl Pong {
    fn scores2(&self) -> [i64; 2] {
        [self.players[0].score, self.players[1].score]
    }

    /// For whom the ball waits and until when, the first to run out.
    fn pause(&self) -> Option<(Time, Seat)> {
        let waits = self.players.iter().zip(0..).filter_map(|(player, seat)| {
            player.away.filter(|it| it.pausing).map(|it| (it.until, Seat(seat)))
        });
        waits.min()
    }

    /// When a seat that does nothing forfeits; none while it is away or the ball stands still.
    fn idle_until(&self, seat: Seat) -> Option<Time> {
        let player = &self.players[seat.index()];
        let playing = matches!(self.phase, Phase::Serving { .. } | Phase::Rally(_));
        (playing && player.away.is_none()).then_some(player.active_at + IDLE)
    }

    fn idle(&self, at: Time) -> Option<Seat> {
        [Seat(0), Seat(1)].into_iter().find(|&it| self.idle_until(it).is_some_and(|it| it <= at))
    }

    fn overdue(&self, deadline: fn(&Player) -> Option<Time>, at: Time) -> Option<Seat> {
        let late = |player: &Player| deadline(player).is_some_and(|it| it <= at);
        self.players.iter().position(late).map(|seat| Seat(seat as u8))
    }

    fn forfeit(&mut self, loser: Seat, other_is_here: bool) {
        match other_is_here {
            true => self.finish(Some(loser.other()), Reason::Forfeit),
            false => self.finish(None, Reason::Abandoned),
        }
    }

    fn finish(&mut self, winner: Option<Seat>, reason: Reason) {
        self.phase = Phase::Over(Outcome { winner, reason, scores: self.scores() });
    }

    /// The serve, the meeting with a paddle's plane, or the point.
    fn play_on(&mut self, at: Time, out: &mut Out<Update>) {
        match self.phase {
            Phase::Serving { toward, .. } => {
                let ball = Ball::served(at, toward, &mut self.luck);
                out.tell(Update::Ball(told(&ball)));
                self.phase = Phase::Rally(ball);
            }
            Phase::Rally(ball) if ball.missed => self.point(at, ball.toward(), out),
            Phase::Rally(ball) => self.meet(at, ball, out),
            Phase::Paused(_) | Phase::Over(_) => {}
        }
    }

    /// The ball is at the plane of the paddle that it flies toward: a hit or a miss.
    fn meet(&mut self, at: Time, ball: Ball, out: &mut Out<Update>) {
        let seat = ball.toward();
        let here = ball.moved(at);
        let off = here.y - self.players[seat.index()].paddle.y(at);
        if libm::fabs(off) > REACH {
            self.phase = Phase::Rally(Ball { missed: true, ..ball });
            return;
        }
        let angle = (off / REACH).clamp(-1.0, 1.0) * BOUNCE_ANGLE;
        let speed = (ball.speed * SPEED_UP).min(SPEED_MAX);
        let from = (PLANE_X[seat.index()], here.y);
        let ball = Ball::struck(at, from, seat.other(), angle, speed);
        out.tell(Update::Ball(told(&ball)));
        self.phase = Phase::Rally(ball);
    }

    fn point(&mut self, at: Time, conceded: Seat, out: &mut Out<Update>) {
        let scorer = conceded.other();
        self.players[scorer.index()].score += 1;
        out.score(self.scores());
        let mine = self.players[scorer.index()].score;
        let theirs = self.players[conceded.index()].score;
        let points = i64::from(self.points);
        if mine >= points && mine >= theirs + 2 || mine >= points + DEUCE {
            self.finish(Some(scorer), Reason::Score);
            return;
        }
        let serve_at = at + NEXT_SERVE;
        out.tell(Update::Serve((millis(serve_at), conceded)));
        self.phase = Phase::Serving { at: serve_at, toward: conceded };
    }
}

/// To four decimals: a twentieth of a field unit on the wire.
fn rounded(value: f64) -> f64 {
    libm::round(value * 1e4) / 1e4
}

/// To milliseconds of the wire, exact to the microsecond.
fn millis(at: Time) -> f64 {
    at.0 as f64 / 1e3
}

fn told(ball: &Ball) -> [f64; 5] {
    [millis(ball.at), rounded(ball.x), rounded(ball.y), rounded(ball.vx), rounded(ball.vy)]
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn dealt() -> Pong {
        Pong::deal(Options::default(), 2, Seed(1), Time(0)).unwrap()
    }

    /// Where a ball at `y` goes from the left paddle at 250, flying at `speed`.
    #[track_caller]
    fn check_bounce(y: f64, speed: f64, degrees: f64, then: f64) {
        let mut pong = dealt();
        let at = Time::secs(10);
        let flying = Ball::struck(at, (100.0, y), Seat(0), 0.0, speed);
        pong.phase = Phase::Rally(flying);
        pong.wake(flying.next_event(), &mut Out::default());
        let Phase::Rally(ball) = pong.phase else { panic!("not in a rally: {:?}", pong.phase) };
        assert!(ball.vx > 0.0, "it flies away from the paddle");
        let angle = libm::atan2(ball.vy, ball.vx).to_degrees();
        assert!((angle - degrees).abs() < 1e-9, "{angle}° rather than {degrees}°");
        assert!((ball.speed - then).abs() < 1e-9, "{} rather than {then}", ball.speed);
    }

    #[test]
    fn the_place_of_the_hit_gives_the_angle() {
        check_bounce(250.0, 360.0, 0.0, 381.6);
        check_bounce(250.0 + REACH / 2.0, 360.0, 30.0, 381.6);
        check_bounce(250.0 - REACH, 360.0, -60.0, 381.6);
        check_bounce(250.0, 880.0, 0.0, 900.0);
    }

    #[test]
    fn sixteen_hits_reach_the_greatest_speed() {
        let speed = (0..16).fold(SERVE_SPEED, |speed, _| (speed * SPEED_UP).min(SPEED_MAX));
        assert_eq!(speed, 900.0);
    }

    /// Plays points by seat and answers who won.
    fn played(points: &[u8]) -> Option<Seat> {
        let mut pong = dealt();
        for &scorer in points {
            assert_eq!(pong.outcome(), None, "the match goes on");
            pong.point(Time(0), Seat(scorer).other(), &mut Out::default());
        }
        pong.outcome().map(|it| it.winner.unwrap())
    }

    #[test]
    fn first_to_eleven_by_two_and_fifteen_at_most() {
        let level = |n: usize| [0, 1].repeat(n);
        assert_eq!(played(&[0; 11]), Some(Seat(0)));
        assert_eq!(played(&[level(10), vec![0]].concat()), None, "11-10 plays on");
        assert_eq!(played(&[level(10), vec![1, 1]].concat()), Some(Seat(1)), "12-10 ends");
        assert_eq!(played(&[level(14), vec![0]].concat()), Some(Seat(0)), "15-14 ends");
    }

    #[test]
    fn a_ball_past_the_edge_of_the_paddle_is_a_point() {
        let mut pong = dealt();
        let flying =
            Ball::struck(Time::secs(10), (100.0, 250.0 + REACH + 0.01), Seat(0), 0.0, 360.0);
        pong.phase = Phase::Rally(flying);
        let mut out = Out::default();
        for _ in 0..2 {
            let at = pong.next_wake().unwrap();
            pong.wake(at, &mut out);
        }
        assert_eq!(pong.scores(), [0, 1]);
        assert!(matches!(pong.phase, Phase::Serving { toward: Seat(0), .. }));
    }

    #[test]
    fn walls_reflect() {
        assert_eq!(fold(500.0, 3.0), (484.0, -3.0));
        assert_eq!(fold(0.0, -3.0), (16.0, 3.0));
        assert_eq!(fold(8.0 + 968.0 * 3.0 + 1.0, 3.0), (9.0, 3.0));
        assert_eq!(fold(8.0 - 968.0 * 3.0 - 1.0, -3.0), (9.0, 3.0));
    }

    #[test]
    fn a_paddle_moves_no_faster_than_it_may() {
        let mut pong = dealt();
        pong.act(Time::secs(1), Seat(0), Action::Move { y: 1.0 }, &mut Out::default()).unwrap();
        assert_eq!(pong.players[0].paddle.y(Time::millis(1_100)), 302.0);
        assert_eq!(pong.players[0].paddle.y(Time::secs(9)), 455.0, "it stops at the wall");
    }

    #[test]
    fn a_lost_connection_stops_the_ball_twice_and_then_no_more() {
        let mut pong = dealt();
        let mut at = Time::secs(5);
        pong.wake(Time::secs(3), &mut Out::default());
        for _ in 0..2 {
            let mut out = Out::default();
            assert_eq!(pong.away(at, Seat(1), Absence::Lost, &mut out), Some(at + GRACE));
            assert!(matches!(pong.phase, Phase::Paused(_)));
            at = at + Time::secs(10);
            pong.back(at, Seat(1), &mut out);
            assert!(matches!(pong.phase, Phase::Rally(ball) if ball.at == at + RESUME));
        }
        assert_eq!(pong.away(at, Seat(1), Absence::Lost, &mut Out::default()), Some(at + GRACE));
        assert!(matches!(pong.phase, Phase::Rally(_)), "play goes on");
    }

    #[test]
    fn who_stays_away_forfeits_and_nobody_wins_alone_against_nobody() {
        for (away, winner, reason) in
            [(&[1][..], Some(Seat(0)), Reason::Forfeit), (&[0, 1], None, Reason::Abandoned)]
        {
            let mut pong = dealt();
            for &seat in away {
                pong.away(Time::secs(1), Seat(seat), Absence::Lost, &mut Out::default());
            }
            assert_eq!(pong.next_wake(), Some(Time::secs(21)));
            pong.wake(Time::secs(21), &mut Out::default());
            assert_eq!(pong.outcome(), Some(Outcome { winner, reason, scores: vec![0, 0] }));
        }
    }

    #[test]
    fn who_does_nothing_for_half_a_minute_forfeits() {
        let mut pong = dealt();
        let mut at = Time(0);
        while pong.outcome().is_none() {
            at = pong.next_wake().unwrap();
            if at < Time::secs(33) {
                let y = if (at.0 / 1000).is_multiple_of(2) { 0.4 } else { 0.6 };
                pong.act(at - Time(1), Seat(0), Action::Move { y }, &mut Out::default()).unwrap();
            }
            pong.wake(at, &mut Out::default());
        }
        assert_eq!(at, Time::secs(33), "thirty seconds after the first serve");
        let outcome = pong.outcome().unwrap();
        assert_eq!((outcome.winner, outcome.reason), (Some(Seat(0)), Reason::Forfeit));
    }
}
