//! `cargo xtask bench computers`: whole matches of billiards with real strokes, outside of any
//! server, on one core and on a clock of their own. Shows which computer plays better and how long
//! matches last, and stops at the first moment at which something does not hold that always should.

use std::{
    f64::consts::{FRAC_PI_2, PI},
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use games::{
    Game, Kind, Out, Reason, Seat, Seed, Time, Viewer,
    billiards::{
        Action, Billiards, Discipline, Doing, EightBall, Kolkhoz, NineBall, Pyramid, Turn, check,
    },
};
use live::computer::{Level, Skill, Thinker};
use serde_json::{Value, json};

#[derive(clap::Args)]
pub(super) struct Options {
    /// Of which games; all of them unless said.
    #[arg(long, value_name = "GAME", value_delimiter = ',')]
    games: Vec<String>,
    /// Who plays, by seat, turned by one with each match; where it takes more, they are repeated.
    /// `easy`, `medium`, `hard`; `spinless` and `planless`: hard, but without that; `wild`: strokes
    /// without aim.
    #[arg(long, value_name = "WHO", value_delimiter = ',', default_values_t = [Who::Hard, Who::Medium])]
    players: Vec<Who>,
    /// How many matches of each game.
    #[arg(long, value_name = "N", default_value_t = 100)]
    matches: u64,
    /// How many ideas a computer tries for a stroke; as many as it has time for unless said.
    #[arg(long, value_name = "N")]
    ideas: Option<u32>,
    /// Begin no more matches of a game after so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    within: u64,
    /// Options of the games, as JSON, where not the defaults.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    options: String,
    /// The seed of the first match.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Easy,
    Medium,
    Hard,
    Spinless,
    Planless,
    Wild,
}

impl Who {
    const ALL: [Who; 6] =
        [Who::Easy, Who::Medium, Who::Hard, Who::Spinless, Who::Planless, Who::Wild];

    fn name(self) -> &'static str {
        match self {
            Who::Easy => "easy",
            Who::Medium => "medium",
            Who::Hard => "hard",
            Who::Spinless => "spinless",
            Who::Planless => "planless",
            Who::Wild => "wild",
        }
    }

    fn skill(self, ideas: Option<u32>) -> Option<Skill> {
        let level = match self {
            Who::Easy => Level::Easy,
            Who::Medium => Level::Medium,
            Who::Hard | Who::Spinless | Who::Planless => Level::Hard,
            Who::Wild => return None,
        };
        let planless = self == Who::Planless;
        Some(Skill { level, planless, spinless: planless || self == Who::Spinless, ideas })
    }
}

impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Who {
    type Err = String;

    fn from_str(text: &str) -> Result<Who, String> {
        let found = Who::ALL.into_iter().find(|it| it.name() == text);
        found.ok_or_else(|| format!("one of {}", Who::ALL.map(Who::name).join(", ")))
    }
}

pub(super) fn run(options: &Options) -> Result<()> {
    let all = [Kind::EightBall, Kind::NineBall, Kind::Pyramid, Kind::Kolkhoz];
    let kinds: Vec<Kind> = match options.games.as_slice() {
        [] => all.to_vec(),
        names => names
            .iter()
            .map(|it| it.parse().map_err(|_| anyhow!("there is no game {it}")))
            .collect::<Result<_>>()?,
    };
    ensure!(!options.players.is_empty(), "somebody has to play");
    for kind in kinds {
        match kind {
            Kind::EightBall => series::<EightBall>(kind, options)?,
            Kind::NineBall => series::<NineBall>(kind, options)?,
            Kind::Pyramid => series::<Pyramid>(kind, options)?,
            Kind::Kolkhoz => series::<Kolkhoz>(kind, options)?,
            Kind::Pong => bail!("pong is no billiards"),
        }
    }
    Ok(())
}

/// What many matches came to.
#[derive(Default)]
struct Tally {
    matches: u64,
    strokes: u64,
    fouls: u64,
    /// Matches that time ended, and those that were given up.
    late: u64,
    other: u64,
    /// By who: matches that they won, and in which they played.
    won: Vec<(Who, u64, u64)>,
    minutes: Vec<f64>,
    slowest: Duration,
}

fn series<D: Discipline>(kind: Kind, options: &Options) -> Result<()> {
    let rules: D = serde_json::from_str(&options.options).context("--options")?;
    let (begun, mut tally) = (Instant::now(), Tally::default());
    for number in 0..options.matches {
        if begun.elapsed() >= Duration::from_secs(options.within) {
            break;
        }
        let seed = options.seed + number;
        play(kind, &rules, seed, options, &mut tally)
            .with_context(|| format!("{kind}, seed {seed}"))?;
    }
    let Tally { matches, strokes, fouls, late, other, won, mut minutes, slowest } = tally;
    minutes.sort_by(f64::total_cmp);
    let at =
        |part: f64| minutes.get((part * minutes.len() as f64) as usize).copied().unwrap_or(0.0);
    println!(
        "{kind}: {matches} matches, {strokes} strokes, {fouls} fouls in {:.0} s; minutes of a match: \
         {:.0} in the median, {:.0} for nine of ten; {late} were ended by time, {other} given up; \
         the longest thought took {} ms",
        begun.elapsed().as_secs_f64(),
        at(0.5),
        at(0.9),
        slowest.as_millis(),
    );
    for (who, wins, of) in won {
        println!("  {who} won {wins} of {of}");
    }
    Ok(())
}

/// Luck that goes on wherever it is cloned to.
fn luck(seed: u64) -> impl FnMut() -> f64 + Clone + Send + 'static {
    let state = Arc::new(AtomicU64::new(seed));
    move || {
        // SplitMix64.
        let mut it = state.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed);
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((it ^ (it >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Plays one match to its end.
fn play<D: Discipline>(
    kind: Kind,
    rules: &D,
    seed: u64,
    options: &Options,
    tally: &mut Tally,
) -> Result<()> {
    let seats = usize::from(*D::SEATS.start());
    let who = |seat: usize| options.players[(seat + seed as usize) % options.players.len()];
    let mut wild = luck(!seed);
    let mut thinkers: Vec<Option<Thinker<_>>> = (0..seats)
        .map(|seat| {
            let skill = who(seat).skill(options.ideas)?;
            let of_seat = luck(seed.wrapping_mul(1_000).wrapping_add(seat as u64));
            Some(Thinker::new(kind, Seat(seat as u8), skill, of_seat))
        })
        .collect();
    let mut now = Time(0);
    let mut game = Billiards::deal(rules.clone(), seats as u8, Seed(seed), now)
        .map_err(|it| anyhow!("{}: {}", it.field, it.message))?;
    let held = |game: &Billiards<D>| check(game).map_err(|it| anyhow!("a rule is broken: {it}"));
    let mut out = Out::default();
    while game.outcome().is_none() {
        held(&game)?;
        let view = game.view(now, Viewer::Crowd);
        let Some(turn) = &view.turn else {
            now = game.next_wake().context("it sleeps for ever")?;
            game.wake(now, &mut out);
            if game.view(now, Viewer::Crowd).verdict.is_some_and(|it| !it.fouls.is_empty()) {
                tally.fouls += 1;
            }
            continue;
        };
        let seat = turn.seat;
        let said = match &mut thinkers[seat.index()] {
            Some(thinker) => {
                let begun = Instant::now();
                let said = thinker.hear(json!({ "game": view }).to_string().as_bytes());
                tally.slowest = tally.slowest.max(begun.elapsed());
                said
            }
            None => vec![(Duration::from_secs(4), anything(turn, &mut wild))],
        };
        ensure!(!said.is_empty(), "it does not know what to do: {turn:?}");
        for (after, message) in said {
            now = now + Time::millis(after.as_millis() as u64);
            if message["type"] != "game_action" {
                continue;
            }
            let mut action = message.clone();
            action.as_object_mut().context("an action is an object")?.remove("type");
            let action: Action = serde_json::from_value(action)?;
            tally.strokes += u64::from(matches!(action, Action::Strike(_)));
            game.act(now, seat, action, &mut out)
                .map_err(|it| anyhow!("{}: {message} at {turn:?}", it.code))?;
        }
    }
    held(&game)?;
    let outcome = game.outcome().context("it is over")?;
    tally.matches += 1;
    tally.other += u64::from(outcome.reason != Reason::Score);
    tally.late += u64::from(now >= Time::secs(2 * 60 * 60));
    tally.minutes.push(now.0 as f64 / 60e6);
    for seat in 0..seats {
        let who = who(seat);
        let place = match tally.won.iter().position(|it| it.0 == who) {
            Some(place) => place,
            None => {
                tally.won.push((who, 0, 0));
                tally.won.len() - 1
            }
        };
        tally.won[place].1 += u64::from(outcome.winner == Some(Seat(seat as u8)));
        tally.won[place].2 += 1;
    }
    Ok(())
}

/// Something that the turn allows, without any aim: as hard, as far off the ball's middle and with
/// the stick as steep as luck will have it.
fn anything(turn: &Turn, luck: &mut impl FnMut() -> f64) -> Value {
    let mut action = match turn.phase {
        Doing::Choose => {
            json!({ "action": "choose", "choice": turn.choices[any(luck, turn.choices.len())] })
        }
        Doing::Take => json!({ "action": "take", "ball": turn.takes[any(luck, turn.takes.len())] }),
        Doing::Break | Doing::Shoot => {
            let ball = turn.strikers[any(luck, turn.strikers.len())];
            let called =
                json!({ "ball": turn.on[any(luck, turn.on.len())], "pocket": any(luck, 6) });
            let safe = turn.safety && any(luck, 5) == 0;
            let is_break = turn.phase == Doing::Break;
            json!({
                "action": "strike", "ball": ball,
                "speed": if is_break { 9.0 } else { unit(luck, 0.2, 9.5) },
                "heading": if is_break { FRAC_PI_2 } else { unit(luck, -PI, PI) },
                "side": unit(luck, -0.35, 0.35), "height": unit(luck, -0.35, 0.35),
                "elevation": if unit(luck, 0.0, 1.0) < 0.1 { unit(luck, 0.0, 1.3) } else { 0.0 },
                "call": if turn.calls && !safe { called } else { Value::Null },
                "safety": safe, "push_out": turn.push_out && any(luck, 2) == 0,
            })
        }
    };
    action["type"] = "game_action".into();
    action
}

fn unit(luck: &mut impl FnMut() -> f64, from: f64, to: f64) -> f64 {
    from + (to - from) * luck()
}

/// The index of one of so many.
fn any(luck: &mut impl FnMut() -> f64, of: usize) -> usize {
    ((luck() * of as f64) as usize).min(of.saturating_sub(1))
}
