//! Init data, against vectors of several independent implementations.

use std::time::Duration;

use arena::{InitData, NotInitData};
use serde::Deserialize;

use crate::support::{BOT_TOKEN, START, signed};

const DAY: Duration = Duration::from_secs(86_400);
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
struct Vectors {
    init_data: Vec<Vector>,
    freshness: Vec<Freshness>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    token: String,
    init_data: String,
    auth_date: i64,
    accepted: bool,
    user_id: Option<i64>,
}

#[derive(Deserialize)]
struct Freshness {
    now_minus_auth_date: i64,
    max_age: u64,
    future_skew: u64,
    ok: bool,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../data/init_data.json")).unwrap()
}

#[test]
fn vectors_of_others() {
    for it in vectors().init_data {
        let now = it.auth_date * 1000;
        let checked = InitData::check(&it.init_data, &it.token, now, DAY, MINUTE);
        assert_eq!(checked.is_ok(), it.accepted, "{}: {checked:?}", it.name);
        if let Ok(init_data) = checked {
            assert_eq!(init_data.auth_date, it.auth_date * 1000, "{}", it.name);
            assert_eq!(init_data.user.map(|it| it.id), it.user_id, "{}", it.name);
        }
    }
}

#[test]
fn freshness() {
    let raw = signed(&[("auth_date", "1790000000")]);
    for it in vectors().freshness {
        let now = START + it.now_minus_auth_date * 1000;
        let [max_age, max_ahead] = [it.max_age, it.future_skew].map(Duration::from_secs);
        let checked = InitData::check(&raw, BOT_TOKEN, now, max_age, max_ahead);
        assert_eq!(checked.is_ok(), it.ok, "{} s: {checked:?}", it.now_minus_auth_date);
    }
    let check = |now| InitData::check(&raw, BOT_TOKEN, now, DAY, MINUTE);
    assert_eq!(check(START + 86_400_001), Err(NotInitData::Expired));
    assert_eq!(check(START - 60_001), Err(NotInitData::Ahead));
    assert_eq!(check(i64::MAX), Err(NotInitData::Expired));
    assert_eq!(check(i64::MIN), Err(NotInitData::Ahead));
}

/// Every byte changed into every other, of what decodes to something else.
#[test]
fn no_changed_byte_is_accepted() {
    let vectors = vectors();
    let good = vectors.init_data.iter().find(|it| it.name == "syn-ok").unwrap();
    let meaning = |raw: &[u8]| -> Vec<(String, String)> {
        url::form_urlencoded::parse(raw).into_owned().collect()
    };
    let said = meaning(good.init_data.as_bytes());
    let mut tried = 0;
    for index in 0..good.init_data.len() {
        for byte in 0..128 {
            let mut raw = good.init_data.clone().into_bytes();
            raw[index] = byte;
            if meaning(&raw) == said {
                continue;
            }
            let raw = String::from_utf8(raw).unwrap();
            let checked = InitData::check(&raw, &good.token, START, DAY, MINUTE);
            assert!(checked.is_err(), "accepted: {raw}");
            tried += 1;
        }
    }
    assert!(tried > 10_000, "{tried}");
}

#[test]
fn hashes_are_64_small_digits_of_hex() {
    let good = signed(&[("auth_date", "1790000000")]);
    let (rest, hash) = good.split_once("hash=").unwrap();
    assert!(InitData::check(&good, BOT_TOKEN, START, DAY, MINUTE).is_ok());
    let bad = [
        String::new(),
        hash[1..].to_owned(),
        format!("{hash}0"),
        hash.to_uppercase(),
        "g".repeat(64),
        "é".repeat(32),
        "0".repeat(64),
        "a".repeat(1 << 20),
    ];
    for hash in bad {
        let raw = format!("{rest}hash={hash}");
        let checked = InitData::check(&raw, BOT_TOKEN, START, DAY, MINUTE);
        assert!(checked.is_err(), "{raw}");
    }
}

#[test]
fn what_has_not_the_shape_is_malformed() {
    let long = "a=b&".repeat(100_000);
    for raw in
        ["", "&", "=", "hash", "a=%", "a=%4", "a=%zz", "a=%ff", "a;b=c", "a=b;c", "🎱", &long]
    {
        let checked = InitData::check(raw, BOT_TOKEN, START, DAY, MINUTE);
        assert_eq!(checked, Err(NotInitData::Malformed), "{raw:.40}");
    }
}

#[test]
fn another_bots_word_counts_for_nothing() {
    let raw = signed(&[("auth_date", "1790000000")]);
    for token in ["", "42:TEST", "WebAppData"] {
        let checked = InitData::check(&raw, token, START, DAY, MINUTE);
        assert_eq!(checked, Err(NotInitData::Forged));
    }
}
