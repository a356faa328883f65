//! Who plays whom: those who have waited longest choose first, each the nearest in rating, and the
//! longer they have waited the further away. Those who wait in a group play each other first,
//! whatever their ratings. Two of whom one has blocked the other are never a pair.

use std::{
    collections::{HashSet, VecDeque},
    mem,
    time::Duration,
};

use crate::{Millis, UserId, clock::millis};

/// How far apart two ratings may be for a pair as soon as both wait …
const WINDOW_START: f64 = 100.0;
/// … by how much that grows in each second that the one who waits longer has waited …
const WINDOW_GROWTH_A_SECOND: f64 = 20.0;
/// … and from when on anybody will do: a game against a stranger's rating beats no game.
const WINDOW_OPEN_AFTER: Duration = Duration::from_secs(30);

/// For how long those who wait in a group are kept for its members.
const GROUP_FIRST: Duration = Duration::from_secs(20);

/// Somebody who waits.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Entry {
    pub(crate) user_id: UserId,
    /// The group that they wait in.
    pub(crate) chat_id: Option<String>,
    pub(crate) rating: f64,
    pub(crate) joined_at: Millis,
}

/// Who has blocked whom of those who wait.
pub(crate) type Apart = HashSet<(UserId, UserId)>;

/// The pairs that fit now: first within groups, then among all who don't wait for their group any
/// more.
pub(crate) fn pairs(entries: Vec<Entry>, apart: &Apart, now: Millis) -> Vec<[UserId; 2]> {
    let (mut grouped, mut rest): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|it| it.chat_id.is_some());
    grouped.sort_by(|a, b| a.chat_id.cmp(&b.chat_id));
    let mut made = Vec::new();
    for group in grouped.chunk_by(|a, b| a.chat_id == b.chat_id) {
        let mut group = group.to_vec();
        made.append(&mut in_turn(&mut group, apart, |_| f64::INFINITY));
        rest.extend(group.into_iter().filter(|it| now - it.joined_at >= millis(GROUP_FIRST)));
    }
    made.append(&mut in_turn(&mut rest, apart, |since| window(now - since)));
    made
}

/// Takes out the pairs that fit: those who wait choose in the order in which they came, each the
/// nearest in rating. `reach` is how far apart two may be of whom one has waited since a moment.
///
/// Two fit when they are within the window of the one who has waited longer, so in the end
/// everybody gets a game. And it is fair: of two who are a pair, at least one came before everybody
/// else whom either of them could play and who still waits.
fn in_turn(
    entries: &mut Vec<Entry>,
    apart: &Apart,
    reach: impl Fn(Millis) -> f64,
) -> Vec<[UserId; 2]> {
    entries.sort_by_key(|it| (it.joined_at, it.user_id));
    let mut waiting = VecDeque::from(mem::take(entries));
    let mut pairs = Vec::new();
    while let Some(first) = waiting.pop_front() {
        let reach = reach(first.joined_at);
        let gap = |it: &Entry| (it.rating - first.rating).abs();
        let fits = |it: &Entry| gap(it) <= reach && !are_apart(apart, first.user_id, it.user_id);
        // Of those who are equally near, the one who has waited longest.
        let fitting = waiting.iter().enumerate().filter(|it| fits(it.1));
        let nearest = fitting.min_by(|a, b| gap(a.1).total_cmp(&gap(b.1))).map(|it| it.0);
        match nearest.and_then(|it| waiting.remove(it)) {
            Some(second) => pairs.push([first.user_id, second.user_id]),
            None => entries.push(first),
        }
    }
    pairs
}

fn are_apart(apart: &Apart, one: UserId, other: UserId) -> bool {
    apart.contains(&(one, other)) || apart.contains(&(other, one))
}

/// How far somebody's window reaches after `waited` milliseconds.
fn window(waited: Millis) -> f64 {
    let waited = Duration::from_millis(u64::try_from(waited).unwrap_or(0));
    match waited < WINDOW_OPEN_AFTER {
        true => WINDOW_START + WINDOW_GROWTH_A_SECOND * waited.as_secs_f64(),
        false => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::SmallRng};

    use super::*;

    /// Pairs of `(rating, seconds waited)`, by the index of each.
    #[track_caller]
    fn check(waiting: &[(f64, Millis)], expected: &[[i64; 2]]) {
        let entries = (0..).zip(waiting).map(|(id, &(rating, waited))| Entry {
            user_id: UserId(id),
            chat_id: None,
            rating,
            joined_at: -1000 * waited,
        });
        let made = pairs(entries.collect(), &Apart::new(), 0);
        let mut made: Vec<_> = made.into_iter().map(|it| [it[0].0, it[1].0]).collect();
        made.iter_mut().for_each(|it| it.sort_unstable());
        assert_eq!(made, expected);
    }

    #[test]
    fn whoever_came_first_chooses_the_nearest() {
        check(&[], &[]);
        check(&[(1500.0, 0)], &[]);
        check(&[(1500.0, 0), (1500.0, 0)], &[[0, 1]]);
        check(&[(1500.0, 2), (1590.0, 1), (1560.0, 0)], &[[0, 2]]);
        check(&[(1500.0, 0), (1590.0, 1), (1560.0, 0)], &[[1, 2]]);
        check(&[(1500.0, 0), (1540.0, 0), (1560.0, 0), (1610.0, 0)], &[[0, 1], [2, 3]]);
        check(&[(1500.0, 1), (1510.0, 9), (1600.0, 5), (1610.0, 2)], &[[0, 1], [2, 3]]);
        // Though two who came later are nearer to each other.
        check(&[(1500.0, 9), (1600.0, 0), (1600.0, 0)], &[[0, 1]]);
        check(&[(2500.0, 30), (1500.0, 1), (1500.0, 0)], &[[0, 1]]);
        // Nobody whom they can play has to wait for them.
        check(&[(2500.0, 29), (1500.0, 1), (1500.0, 0)], &[[1, 2]]);
    }

    #[test]
    fn nobody_is_passed_over_who_came_before_both() {
        let mut luck = SmallRng::seed_from_u64(8);
        for _ in 0..2_000 {
            let waiting: Vec<_> = (0..luck.random_range(0..24))
                .map(|id| Entry {
                    user_id: UserId(id),
                    chat_id: None,
                    rating: luck.random_range(1_000.0..2_000.0),
                    joined_at: -luck.random_range(0..40_000),
                })
                .collect();
            let apart: Apart = (0..luck.random_range(0..30))
                .map(|_| (UserId(luck.random_range(0..24)), UserId(luck.random_range(0..24))))
                .collect();
            let fit = |a: &Entry, b: &Entry| {
                let reach = window(-a.joined_at.min(b.joined_at));
                !are_apart(&apart, a.user_id, b.user_id) && (a.rating - b.rating).abs() <= reach
            };
            let of = |id: UserId| waiting.iter().find(|it| it.user_id == id).unwrap();
            let made = pairs(waiting.clone(), &apart, 0);
            let paired: HashSet<UserId> = made.iter().flatten().copied().collect();
            assert_eq!(paired.len(), 2 * made.len(), "somebody is in two pairs");
            let left = || waiting.iter().filter(|it| !paired.contains(&it.user_id));
            for [one, other] in made.iter().map(|it| it.map(of)) {
                assert!(fit(one, other), "{one:?} and {other:?} don't fit");
                let came = one.joined_at.min(other.joined_at);
                for still in left().filter(|it| it.joined_at < came) {
                    assert!(!fit(still, one) && !fit(still, other), "{still:?} is passed over");
                }
            }
            for one in left() {
                assert!(left().all(|it| it.user_id == one.user_id || !fit(one, it)));
            }
        }
    }

    #[test]
    fn of_equals_those_who_wait_longest() {
        check(&[(1500.0, 1), (1500.0, 3), (1500.0, 2)], &[[1, 2]]);
    }

    #[test]
    fn waiting_widens_the_window() {
        check(&[(1500.0, 0), (1700.0, 0)], &[]);
        check(&[(1500.0, 4), (1700.0, 0)], &[]);
        check(&[(1500.0, 5), (1700.0, 0)], &[[0, 1]]);
        check(&[(1500.0, 0), (1700.0, 5)], &[[0, 1]]);
        check(&[(400.0, 29), (3500.0, 0)], &[]);
        check(&[(400.0, 30), (3500.0, 0)], &[[0, 1]]);
    }

    #[test]
    fn groups_play_among_themselves_first() {
        let waits = |id, chat: Option<&str>, rating, seconds: Millis| Entry {
            user_id: UserId(id),
            chat_id: chat.map(str::to_owned),
            rating,
            joined_at: -1000 * seconds,
        };
        let made = |entries| {
            let mut made = pairs(entries, &Apart::new(), 0)
                .into_iter()
                .map(|it| [it[0].0, it[1].0])
                .collect::<Vec<_>>();
            made.iter_mut().for_each(|it| it.sort_unstable());
            made
        };
        // However far apart, and though somebody nearer waits elsewhere.
        let four = vec![
            waits(1, Some("-5"), 1500.0, 0),
            waits(2, None, 1500.0, 0),
            waits(3, Some("-5"), 2500.0, 0),
            waits(4, Some("-6"), 1500.0, 0),
        ];
        assert_eq!(made(four), [[1, 3]]);
        // In the end anybody will do.
        let two = |seconds| vec![waits(1, Some("-5"), 1500.0, seconds), waits(2, None, 1500.0, 0)];
        assert_eq!(made(two(19)), [[0; 2]; 0]);
        assert_eq!(made(two(20)), [[1, 2]]);
    }

    #[test]
    fn who_has_blocked_whom_is_no_pair() {
        let waits =
            |id, rating| Entry { user_id: UserId(id), chat_id: None, rating, joined_at: -29_000 };
        let entries = || vec![waits(1, 1500.0), waits(2, 1510.0), waits(3, 1600.0)];
        let made = |apart: &[(i64, i64)]| {
            let apart = apart.iter().map(|&(a, b)| (UserId(a), UserId(b))).collect();
            pairs(entries(), &apart, 0).into_iter().map(|it| [it[0].0, it[1].0]).collect::<Vec<_>>()
        };
        assert_eq!(made(&[]), [[1, 2]]);
        assert_eq!(made(&[(1, 2)]), [[1, 3]]);
        assert_eq!(made(&[(2, 1), (3, 2)]), [[1, 3]]);
        assert_eq!(made(&[(2, 1), (3, 2), (1, 3)]), [[0; 2]; 0]);
    }

    #[test]
    fn a_clock_that_went_back_is_no_waiting() {
        check(&[(1500.0, -60), (1500.0, -60)], &[[0, 1]]);
        check(&[(1500.0, -60), (1650.0, -60)], &[]);
    }
}
