//! Ratings, against numbers that others computed.

use arena::{Rating, Score};
use serde_json::Value;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../data/glicko2.json")).unwrap()
}

fn rating(rating: f64, deviation: f64) -> Rating {
    Rating { rating, deviation, volatility: 0.06 }
}

/// As far as the vector goes: rating, deviation and, where given, volatility.
#[track_caller]
fn check(it: Rating, expected: &Value, tolerance: f64) {
    let got = [it.rating, it.deviation, it.volatility];
    for (got, expected) in got.iter().zip(expected.as_array().unwrap()) {
        let expected = expected.as_f64().unwrap();
        assert!((got - expected).abs() <= tolerance, "{it:?}, expected {expected}");
    }
}

#[test]
fn vectors_of_others() {
    let vectors = vectors();
    let (winner, loser) = Rating::NEW.after(Rating::NEW, Score::Win);
    check(winner, &vectors["new_vs_new"]["win"], 1e-4);
    check(loser, &vectors["new_vs_new"]["loss"], 1e-4);
    // These two are published in whole points.
    let (winner, loser) = rating(1520.0, 350.0).after(rating(1420.0, 350.0), Score::Win);
    check(winner, &vectors["equal_1520_1420_350"]["winner"], 0.51);
    check(loser, &vectors["equal_1520_1420_350"]["loser"], 0.51);
    let (one, two) = rating(1600.0, 350.0).after(rating(1500.0, 50.0), Score::Draw);
    check(one, &vectors["draw_1600_350_vs_1500_50"]["p1"], 0.51);
    check(two, &vectors["draw_1600_350_vs_1500_50"]["p2"], 0.51);
}

#[test]
fn idleness_blurs() {
    let one_period = (DAY_MS as f64 / 0.21436).round() as i64;
    let blurred = rating(1700.0, 50.0).after_idle(one_period);
    let expected = vectors()["one_idle_period_rd50_vol006"].as_f64().unwrap();
    assert!((blurred.deviation - expected).abs() < 1e-4, "{blurred:?}");
    assert_eq!(blurred.rating, 1700.0);
    // A year turns 60 into 110, from where on a rating is provisional.
    let year = rating(1700.0, 60.0).after_idle(365 * DAY_MS);
    assert!((year.deviation - 110.0).abs() < 0.01, "{year:?}");
    assert!(year.provisional() && !rating(1700.0, 60.0).provisional());
    assert_eq!(rating(1700.0, 60.0).after_idle(-DAY_MS), rating(1700.0, 60.0));
    assert_eq!(rating(1700.0, 60.0).after_idle(i64::MAX).deviation, 350.0);
}

#[test]
fn both_sides_see_the_same_game() {
    let (one, two) = (rating(1812.0, 77.0), rating(1433.0, 201.0));
    for score in [Score::Win, Score::Draw, Score::Loss] {
        let (a, b) = one.after(two, score);
        let (c, d) = two.after(one, score.reversed());
        assert_eq!((a, b), (d, c));
    }
}

#[test]
fn no_run_of_results_leads_out_of_bounds() {
    let (mut winner, mut loser) = (Rating::NEW, Rating::NEW);
    for _ in 0..2000 {
        (winner, loser) = winner.after(loser, Score::Win);
        for it in [winner, loser] {
            assert!((100.0..=4000.0).contains(&it.rating), "{it:?}");
            assert!((45.0..=350.0).contains(&it.deviation), "{it:?}");
            assert!((0.01..=0.1).contains(&it.volatility), "{it:?}");
        }
    }
    assert!(winner.rating > loser.rating + 500.0, "{winner:?} {loser:?}");
}
