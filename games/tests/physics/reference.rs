//! Agreement with recorded runs of a reference simulator.

use games::billiards::physics::{
    Table,
    reference::{File, Outcome, compare},
};

fn file() -> File {
    File::read(include_str!("../data/billiards.json")).unwrap()
}

#[test]
fn every_run_and_case_agrees() {
    let all = compare(&file());
    let wrong: Vec<String> = all
        .iter()
        .filter(|compared| matches!(compared.outcome, Outcome::Differs(_) | Outcome::NotOffered))
        .map(|compared| format!("{compared:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let agree = all.iter().filter(|compared| compared.outcome == Outcome::Agrees).count();
    assert!(agree > 700, "only {agree} were compared");
}

#[test]
fn a_wrong_run_is_noticed() {
    let json = include_str!("../data/billiards.json").replace("\"sliding_rolling\"", "\"slid\"");
    let all = compare(&File::read(&json).unwrap());
    assert!(all.iter().any(|compared| matches!(compared.outcome, Outcome::Differs(_))));
}

#[test]
fn tables_are_made_as_measured() {
    let file = file();
    for (ours, name) in [
        (Table::pool_7ft(), "pool_7ft"),
        (Table::pool_9ft(), "pool_9ft"),
        (Table::snooker(), "snooker"),
        (Table::carom(), "billiard"),
    ] {
        let theirs = file.table(name).unwrap();
        let close =
            |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).abs() < 1e-12 && (a[1] - b[1]).abs() < 1e-12;
        assert!((ours.nose - theirs.nose).abs() < 1e-12, "{name}");
        assert_eq!(ours.segments.len(), theirs.segments.len(), "{name}");
        for a in &ours.segments {
            let twin = theirs.segments.iter().any(|b| {
                let same = close(a.from, b.from) && close(a.to, b.to);
                let turned = close(a.from, b.to) && close(a.to, b.from);
                (same || turned) && close(a.normal, b.normal)
            });
            assert!(twin, "{name}: {a:?}");
        }
        assert_eq!(ours.jaws.len(), theirs.jaws.len(), "{name}");
        for a in &ours.jaws {
            let twin = theirs.jaws.iter().any(|b| close(a.centre, b.centre));
            assert!(twin, "{name}: {a:?}");
        }
        assert_eq!(ours.pockets.len(), theirs.pockets.len(), "{name}");
        for (a, b) in ours.pockets.iter().zip(&theirs.pockets) {
            assert!(close(a.centre, b.centre), "{name}: {a:?}");
        }
    }
}
