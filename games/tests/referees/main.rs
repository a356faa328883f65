//! Rulings of billiards, case by case and without physics: a score sheet, a stroke and what was
//! seen of it go in, a verdict comes out.

mod eight_ball;
mod kolkhoz;
mod nine_ball;
mod pyramid;

use games::{
    Seat,
    billiards::{
        Call, Choice, Discipline, Foul, Hand, Next, Offer, Ruling, Seen, Sheet, Stage, Stroke,
        Verdict,
    },
};

const ME: Seat = Seat(0);
const OTHER: Seat = Seat(1);

/// The sheet of a match that begins, the seats playing in their order.
fn sheet<D: Discipline>(seats: u8) -> Sheet {
    Sheet::new((0..seats).map(Seat).collect(), D::BALLS)
}

/// The sheet of a rack under way, these balls being gone.
fn under_way<D: Discipline>(seats: u8, gone: impl IntoIterator<Item = u8>) -> Sheet {
    let mut sheet = sheet::<D>(seats);
    sheet.stage = Stage::Later;
    for ball in gone {
        sheet.remove(ball);
    }
    sheet
}

/// My stroke with ball 0, nothing being called.
fn stroke() -> Stroke {
    Stroke { seat: ME, striker: 0, call: None, safety: false, push_out: false }
}

/// My stroke with ball 0 for this ball in this pocket.
fn call(ball: u8, pocket: u8) -> Stroke {
    Stroke { call: Some(Call { ball, pocket }), ..stroke() }
}

fn plays(seat: Seat) -> Next {
    Next::Play { seat, hand: None }
}

fn in_hand(seat: Seat, hand: Hand) -> Next {
    Next::Play { seat, hand: Some(hand) }
}

/// What the rules make of it.
#[track_caller]
fn check<D: Discipline>(
    rules: &D,
    sheet: &Sheet,
    stroke: &Stroke,
    seen: &[Seen],
    (ruling, fouls, next): (Ruling, &[Foul], Next),
) -> Verdict {
    let verdict = rules.judge(sheet, stroke, seen);
    let found = (verdict.ruling, verdict.fouls.as_slice(), verdict.next.clone());
    assert_eq!(found, (ruling, fouls, next), "{seen:?}");
    let seats = sheet.seats();
    assert_eq!((verdict.points.len(), verdict.sheet.seats()), (seats, seats));
    for &ball in &verdict.spotted {
        assert!(verdict.sheet.has(ball), "ball {ball} was spotted");
    }
    verdict
}
