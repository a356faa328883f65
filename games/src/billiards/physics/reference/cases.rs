//! The format of single laws, motions and times.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use serde::Deserialize;

use super::file::Cue;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Unit {
    pub(super) cue_strike: Vec<Struck>,
    pub(super) evolve: Vec<Evolved>,
    pub(super) ball_ball: Vec<Parted>,
    pub(super) ball_cushion: Vec<Rebounded>,
    pub(super) ball_ball_time: Rows<PairTime>,
    pub(super) linear_cushion_time_7ft: Vec<PartTime>,
    pub(super) circular_cushion_time_7ft: Vec<PartTime>,
    pub(super) pocket_time_7ft: Vec<PartTime>,
    pub(super) quartic_hard: Rows<Quartic>,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct Rows<T> {
    pub(super) rows: Vec<T>,
}

impl<T> Default for Rows<T> {
    fn default() -> Rows<T> {
        Rows { rows: Vec::new() }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Struck {
    pub(super) ball_params: String,
    #[serde(flatten)]
    pub(super) cue: Cue,
    pub(super) v: [f64; 3],
    pub(super) w: [f64; 3],
}

#[derive(Debug, Deserialize)]
pub(super) struct Evolved {
    pub(super) ball_params: String,
    pub(super) s: u8,
    pub(super) v: [f64; 3],
    pub(super) w: [f64; 3],
    pub(super) at: Vec<Instant>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Instant {
    pub(super) t: f64,
    pub(super) r: [f64; 2],
    pub(super) v: [f64; 2],
    pub(super) w: [f64; 3],
}

#[derive(Debug, Deserialize)]
pub(super) struct Parted {
    pub(super) tag: String,
    pub(super) ball_params: String,
    pub(super) centre_line_angle_rad: f64,
    #[serde(flatten)]
    pub(super) before: Two,
    pub(super) out: BTreeMap<String, Two>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Two {
    pub(super) v1: [f64; 3],
    pub(super) w1: [f64; 3],
    pub(super) v2: [f64; 3],
    pub(super) w2: [f64; 3],
}

#[derive(Debug, Deserialize)]
pub(super) struct Rebounded {
    pub(super) tag: String,
    pub(super) kind: String,
    pub(super) ball_params: String,
    pub(super) h: f64,
    pub(super) ball_xy: [f64; 2],
    #[serde(flatten)]
    pub(super) before: Moving,
    pub(super) out: BTreeMap<String, Moving>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Moving {
    pub(super) v: [f64; 3],
    pub(super) w: [f64; 3],
}

#[derive(Debug, Deserialize)]
pub(super) struct PairTime {
    pub(super) s1: u8,
    pub(super) r1: [f64; 2],
    pub(super) v1: [f64; 2],
    pub(super) w1: [f64; 3],
    pub(super) s2: u8,
    pub(super) r2: [f64; 2],
    pub(super) v2: [f64; 2],
    pub(super) w2: [f64; 3],
    pub(super) t: Option<f64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PartTime {
    pub(super) id: String,
    pub(super) s: u8,
    pub(super) r: [f64; 2],
    pub(super) v: [f64; 2],
    pub(super) w: [f64; 3],
    pub(super) t: Option<f64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Quartic {
    pub(super) coeffs: [f64; 5],
    pub(super) smallest: Option<f64>,
}
