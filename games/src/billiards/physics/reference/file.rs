//! The format of the file. Everything may be missing, and more may be there.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString as _},
    vec::Vec,
};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use super::super::{
    ball::BallSpec,
    cue::Stick,
    table::{Jaw, Pocket, Segment, Table},
    vector::scale,
};
use super::cases::Unit;

/// A file of reference runs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct File {
    pub(super) ball_params: BTreeMap<String, Params>,
    pub(super) cue_specs: CueSpecs,
    pub(super) tables: BTreeMap<String, Parts>,
    pub(super) scenarios: Vec<Scenario>,
    pub(super) known_faults: Vec<Fault>,
    pub(super) unit: Unit,
    /// Breaks of whole racks.
    pub breaks: Vec<Break>,
}

impl File {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// What is wrong with the JSON, or where it has something else than the format has.
    pub fn read(json: &str) -> Result<File, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    pub(super) fn spec(&self, name: &str) -> Result<BallSpec, String> {
        let params = self.ball_params.get(name).ok_or_else(|| missing("balls", name))?;
        Ok(params.spec())
    }

    pub(super) fn parts(&self, name: &str) -> Result<&Parts, String> {
        self.tables.get(name).ok_or_else(|| missing("table", name))
    }

    /// The table of that name, as the file has it.
    ///
    /// # Errors
    ///
    /// If it has none.
    pub fn table(&self, name: &str) -> Result<Table, String> {
        Ok(self.parts(name)?.table(name).0)
    }

    pub(super) fn stick(&self) -> Stick {
        let CueSpecs { mass, end_mass } = self.cue_specs;
        Stick { mass, end_mass, restitution: 1.0 }
    }
}

fn missing(what: &str, name: &str) -> String {
    alloc::format!("the file has no {what} named {name}")
}

#[derive(Debug, Deserialize)]
pub(super) struct Params {
    m: f64,
    #[serde(rename = "R")]
    radius: f64,
    u_s: f64,
    u_r: f64,
    u_sp: f64,
    u_b: f64,
    e_b: f64,
    e_c: f64,
    f_c: f64,
    g: f64,
}

impl Params {
    fn spec(&self) -> BallSpec {
        BallSpec {
            mass: self.m,
            radius: self.radius,
            slide: self.u_s,
            roll: self.u_r,
            spin: self.u_sp,
            ball_friction: self.u_b,
            ball_restitution: self.e_b,
            cushion_restitution: self.e_c,
            cushion_friction: self.f_c,
            gravity: self.g,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct CueSpecs {
    #[serde(rename = "M")]
    mass: f64,
    end_mass: f64,
}

impl Default for CueSpecs {
    fn default() -> CueSpecs {
        let Stick { mass, end_mass, .. } = Stick::ELASTIC;
        CueSpecs { mass, end_mass }
    }
}

/// A table as its parts, with the names by which events call them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Parts {
    w: f64,
    l: f64,
    linear: Vec<Linear>,
    circular: Vec<Circular>,
    pockets: Vec<Hole>,
}

#[derive(Debug, Deserialize)]
struct Linear {
    id: String,
    p1: [f64; 3],
    p2: [f64; 3],
    direction: u8,
    lx: f64,
    ly: f64,
}

#[derive(Debug, Deserialize)]
struct Circular {
    id: String,
    center: [f64; 3],
    radius: f64,
}

#[derive(Debug, Deserialize)]
struct Hole {
    id: String,
    center: [f64; 3],
    radius: f64,
}

/// The names of a table's segments, jaws and pockets, by their indices.
pub(super) struct Names {
    pub(super) segments: Vec<String>,
    pub(super) jaws: Vec<String>,
    pub(super) pockets: Vec<String>,
}

impl Parts {
    pub(super) fn table(&self, name: &str) -> (Table, Names) {
        let nose = self.linear.first().map_or(0.0, |linear| linear.p1[2]);
        let mut names = Names { segments: Vec::new(), jaws: Vec::new(), pockets: Vec::new() };
        let mut segments = Vec::new();
        for linear in &self.linear {
            let line = [linear.lx, linear.ly];
            let length = super::super::vector::norm(line);
            let ([x1, y1, _], [x2, y2, _]) = (linear.p1, linear.p2);
            // 0: the table is where the line's form is negative; 1: positive; 2: on both sides.
            let sides: &[f64] = match linear.direction {
                0 => &[-1.0],
                1 => &[1.0],
                _ => &[1.0, -1.0],
            };
            for side in sides {
                let normal = scale(line, side / length);
                segments.push(Segment { from: [x1, y1], to: [x2, y2], normal });
                names.segments.push(linear.id.clone());
            }
        }
        let jaws = self.circular.iter().map(|circular| {
            names.jaws.push(circular.id.clone());
            Jaw { centre: [circular.center[0], circular.center[1]], radius: circular.radius }
        });
        let jaws = jaws.collect();
        let pockets = self.pockets.iter().map(|hole| {
            names.pockets.push(hole.id.clone());
            Pocket { centre: [hole.center[0], hole.center[1]], radius: hole.radius }
        });
        let pockets = pockets.collect();
        let size = [self.w, self.l];
        (Table::of_parts(name.to_string(), size, nose, segments, jaws, pockets), names)
    }

    /// The table with nothing but the part of that name.
    pub(super) fn only(&self, id: &str) -> Table {
        let (mut table, names) = self.table("one part");
        let mut named = names.segments.iter();
        table.segments.retain(|_| named.next().is_some_and(|name| name == id));
        let mut named = names.jaws.iter();
        table.jaws.retain(|_| named.next().is_some_and(|name| name == id));
        let mut named = names.pockets.iter();
        table.pockets.retain(|_| named.next().is_some_and(|name| name == id));
        table
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Placed {
    pub(super) id: String,
    pub(super) x: f64,
    pub(super) y: f64,
    #[serde(default)]
    pub(super) v: Vec<f64>,
    #[serde(default)]
    pub(super) w: Vec<f64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Cue {
    #[serde(rename = "V0")]
    pub(super) speed: f64,
    pub(super) phi: f64,
    #[serde(default)]
    pub(super) theta: f64,
    #[serde(default)]
    pub(super) a: f64,
    #[serde(default)]
    pub(super) b: f64,
    #[serde(default)]
    pub(super) cue_ball_id: String,
}

/// What lies where, and the stroke.
#[derive(Debug, Deserialize)]
pub(super) struct Start {
    pub(super) table: String,
    pub(super) ball_params: String,
    pub(super) balls: Vec<Placed>,
    pub(super) cue: Cue,
}

#[derive(Debug, Deserialize)]
pub(super) struct Scenario {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) start: Start,
    #[serde(default)]
    pub(super) runs: BTreeMap<String, Run>,
}

/// A break, with its runs.
#[derive(Debug, Deserialize)]
pub struct Break {
    /// Its name.
    pub id: String,
    /// What is played: "Nine Ball".
    #[serde(default)]
    pub game: String,
    #[serde(flatten)]
    pub(super) start: Start,
    #[serde(default)]
    pub(super) runs: BTreeMap<String, Run>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Run {
    pub(super) events: Option<Vec<Happened>>,
    pub(super) events_truncated: bool,
    pub(super) pooltool_fault: Option<Value>,
    pub(super) false_contacts: Vec<IgnoredAny>,
    pub(super) error: Option<Value>,
    pub(super) t_rest: Option<f64>,
    pub(super) r#final: BTreeMap<String, Vec<f64>>,
    pub(super) suggested_tol: Option<Tolerance>,
    pub(super) sensitivity: Option<Sensitivity>,
}

/// What a small shift of the start does to the end.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Sensitivity {
    #[serde(default)]
    pub(super) shift_m: Option<f64>,
    #[serde(default)]
    pub(super) final_shift_m: Option<f64>,
    #[serde(default)]
    pub(super) same_collision_sequence: Option<bool>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Tolerance {
    pub(super) final_pos_m: f64,
    pub(super) collision_time_s: f64,
}

/// An event: with names in scenarios, a row in breaks.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Happened {
    Named { t: f64, r#type: String, ids: Vec<String> },
    Row(f64, String, Vec<String>),
}

#[derive(Debug, Deserialize)]
pub(super) struct Fault {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) start: Start,
    #[serde(default)]
    pub(super) correct: BTreeMap<String, Value>,
}
