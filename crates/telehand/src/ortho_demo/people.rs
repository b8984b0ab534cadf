//! A scripted surgeon: sees states and presses buttons; nothing else.

use super::line::Line;
use anyhow::{Result, bail};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use telehand_ortho::Level;
use telehand_sim::random::Random;
use telehand_sim::spine::theatre::Theatre;
use telehand_vocab::Vec3;

/// A person looks this often.
pub const LOOK: Duration = Duration::from_millis(40);
/// A held button is repeated this often.
pub const REPEAT: Duration = Duration::from_millis(50);
/// Root mean square error of a click, metres.
const CLICK: f64 = 0.5e-3;
/// The wall of bone that the surgeon keeps around a screw where the pedicle allows it, millimetres.
const WALL_MM: f64 = 1.5;
/// The thinnest screw the surgeon takes for that, millimetres.
const THINNEST_MM: f64 = 4.5;

/// A word of a state, `""` where it is not.
pub fn word<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

/// A number of a state, 0 where it is not.
pub fn number(value: &Value, path: &str) -> f64 {
    value.pointer(path).and_then(Value::as_f64).unwrap_or_default()
}

/// A yes or no of a state, no where it is not.
pub fn yes(value: &Value, path: &str) -> bool {
    value.pointer(path).and_then(Value::as_bool).unwrap_or_default()
}

/// A list of a state, empty where it is not.
pub fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value.pointer(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A wire is in bone and not yet verified.
pub fn critical(site: &Value) -> bool {
    number(site, "/case/number") as u8 == 12 && list(site, "/case/gates").len() > 1
}

/// The surgeon's eyes on one patient: where the vertebrae are in the image, to within a click.
pub struct Eyes {
    levels: Vec<(Level, [Vec3; 3])>,
    random: Random,
}

impl Eyes {
    /// For the patient of a theatre, of which `theatre` is a twin: the script looks into the
    /// phantom instead of into the image, and errs as a person does who clicks.
    pub fn of(mut theatre: Theatre, seed: u64) -> Self {
        use telehand_ortho::Side::{Left, Right};
        let scan = theatre.scan();
        let series = &scan.volume.series;
        let levels = theatre
            .phantom()
            .bones
            .iter()
            .filter_map(|placed| {
                let at = theatre.truth().image_from_bone(series, placed.level)?;
                let [left, right] = [Left, Right].map(|side| placed.bone.pedicle(side).isthmus);
                let front = Vec3::new(0.0, -0.5 * placed.bone.shape().body_depth, left.z);
                Some((placed.level, [front, left, right].map(|point| at.point(point))))
            })
            .collect();
        Self { levels, random: Random::stream(seed, "clicks") }
    }

    fn click(&mut self, level: Level) -> Option<Value> {
        let (_, points) = self.levels.iter().find(|(known, _)| *known == level)?;
        let sigma = CLICK / 3.0_f64.sqrt();
        let [anterior, left, right] = points.map(|point| {
            let random = &mut self.random;
            let off = Vec3::new(random.normal(), random.normal(), random.normal()) * sigma;
            (point + off).to_array().map(|metres| metres * 1e3)
        });
        Some(json!({"anterior_mm": anterior, "left_mm": left, "right_mm": right}))
    }

    fn names(&self) -> Vec<Level> {
        self.levels.iter().map(|(level, _)| *level).collect()
    }
}

/// The surgeon, until every case is closed.
pub struct SurgeonScript<'a> {
    line: &'a Line,
    eyes: BTreeMap<String, Eyes>,
    /// Screws of one patient.
    screws: usize,
    /// Whose robot was taken, and when: from there to the verified wire the surgeon stays.
    bound: Option<(String, Instant)>,
    /// Where a wire is handed over, once, and to whom.
    hand_over: Option<(String, Line)>,
}

impl<'a> SurgeonScript<'a> {
    /// Plans `screws` screws for every patient.
    pub const fn new(line: &'a Line, eyes: BTreeMap<String, Eyes>, screws: usize) -> Self {
        Self { line, eyes, screws, bound: None, hand_over: None }
    }

    /// The first measured wire at `site` is judged by the second expert, at whose page `second` is.
    #[must_use]
    pub fn handing_over(mut self, site: Option<(String, Line)>) -> Self {
        self.hand_over = site;
        self
    }

    /// Works until every case is closed, or `patience` has passed.
    pub fn work(&mut self, patience: Duration, over: &AtomicBool) -> Result<()> {
        let began = Instant::now();
        while !over.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK);
            let state = self.line.state();
            let sites = list(&state, "/sites");
            let closed = |site: &Value| number(site, "/case/number") as u8 == 14;
            if !sites.is_empty() && sites.iter().all(closed) {
                return Ok(());
            }
            if began.elapsed() > patience {
                let stands: Vec<String> = sites.iter().map(stands).collect();
                bail!(
                    "not every case is closed after {} s: {}",
                    patience.as_secs(),
                    stands.join("; ")
                );
            }
            if let Some(site) = self.whose_turn(&state) {
                self.serve(&site)?;
            }
        }
        Ok(())
    }

    /// Whoever the surgeon is bound to, else the first of the queue.
    fn whose_turn(&mut self, state: &Value) -> Option<String> {
        let bound = self.bound.take_if(|(id, since)| {
            let site = find(state, id).unwrap_or_default();
            let has = word(&site, "/lease/holder") == "remote" || critical(&site);
            !has && since.elapsed() > Duration::from_secs(3)
        });
        // Whoever lost the robot looks at the queue again.
        drop(bound);
        // Who is cut off cannot be served; the local team has the robot.
        let there = |id: &str| find(state, id).is_some_and(|site| yes(&site, "/link/up"));
        let mut queue = list(state, "/queue").iter().map(|one| word(one, "/site"));
        let mut first = || queue.find(|id| there(id)).map(str::to_owned);
        self.bound.as_ref().map(|(id, _)| id.clone()).or_else(&mut first)
    }

    /// Turns to a site and does what it waits for.
    fn serve(&mut self, id: &str) -> Result<()> {
        let state = self.line.state();
        if word(&state, "/focus") != id {
            if let Some(other) =
                list(&state, "/sites").iter().find(|site| word(site, "/lease/holder") == "remote")
            {
                // One robot at a time: the other one is given back first.
                self.line.press("release", json!({"site": word(other, "/id")}))?;
                std::thread::sleep(Duration::from_millis(200));
            }
            self.line.press("focus", json!({"site": id}))?;
            self.until(Duration::from_secs(3), |state| {
                word(state, "/focus") == id && number(state, "/blank_ms") <= 0.0
            });
            return Ok(());
        }
        let Some(site) = find(&state, id) else { return Ok(()) };
        if number(&state, "/blank_ms") > 0.0 {
            return Ok(());
        }
        let needs = word(&site, "/waiting/needs").to_owned();
        let step = number(&site, "/case/number") as u8;
        let next = next_screw(&site);
        let confirmed = word(&state, "/confirmed/site") == id;
        if !confirmed || step < 2 {
            return self.confirm(&site, next.as_deref());
        }
        let at = json!({"site": id});
        match needs.as_str() {
            "confirm" if step == 2 => self.press("time_out", at),
            "confirm" => {
                let screw = word(&site, "/robot/target");
                self.press("confirm_pose", json!({"site": id, "screw": screw}))
            }
            "register" => self.press("accept_registration", at),
            "plan" => self.plan(id, &site),
            "approve" => {
                let hash = word(&site, "/plan/hash");
                self.press("approve", json!({"site": id, "hash": hash}))
            }
            "go" => self.go(id, &site, next.as_deref()),
            "verify" if self.hand_over.as_ref().is_some_and(|(at, _)| at == id) => {
                if let Some((_, second)) = self.hand_over.take() {
                    super::second::takes_over(self.line, &second, &site)?;
                }
                self.bound = None;
                Ok(())
            }
            "verify" => {
                let screw = word(&site, "/robot/target");
                self.press("verify", json!({"site": id, "screw": screw, "accept": true}))?;
                let verified = |state: &Value| find(state, id).is_some_and(|s| !critical(&s));
                self.until(Duration::from_secs(2), verified);
                if verified(&self.line.state()) {
                    // The next one may have the surgeon: one robot at a time.
                    self.bound = None;
                    self.press("release", json!({"site": id}))?;
                }
                Ok(())
            }
            "grade" => self.press("close", at),
            _ => Ok(()),
        }
    }

    fn press(&self, action: &str, body: Value) -> Result<()> {
        let answer = self.line.press(action, body)?;
        if !yes(&answer, "/ok") {
            // A person reads it and looks again.
            eprintln!("surgeon: {action}: {}", word(&answer, "/message"));
            std::thread::sleep(Duration::from_millis(300));
        }
        // What was pressed shows in one of the next states.
        std::thread::sleep(Duration::from_millis(250));
        Ok(())
    }

    fn confirm(&self, site: &Value, screw: Option<&str>) -> Result<()> {
        let first = self.eyes.get(word(site, "/id")).and_then(|eyes| eyes.names().first().copied());
        let screw = screw.and_then(|id| id.parse::<telehand_ortho::ScrewId>().ok());
        let level = screw.map(|screw| screw.level).or(first).unwrap_or(Level::L3);
        let side = screw.map_or(telehand_ortho::Side::Left, |screw| screw.side);
        let body = json!({
            "site": word(site, "/id"),
            "patient": word(site, "/patient/id"),
            "level": level,
            "side": side,
        });
        self.press("confirm", body)
    }

    /// Points at vertebrae until there are screws enough, then signs.
    fn plan(&mut self, id: &str, site: &Value) -> Result<()> {
        let planned = list(site, "/plan/screws");
        let version = number(site, "/plan/version") as u64;
        if planned.len() > self.screws {
            let last = planned.last().map(|screw| word(screw, "/id")).unwrap_or_default();
            return self.press("plan_remove", json!({"site": id, "version": version, "id": last}));
        }
        if planned.len() < self.screws {
            let levels = self.eyes.get(id).map(Eyes::names).unwrap_or_default();
            let free = levels.iter().find(|level| {
                planned.iter().all(|screw| word(screw, "/level") != level.to_string())
            });
            let Some((level, eyes)) = free.copied().zip(self.eyes.get_mut(id)) else {
                bail!("{id} has no vertebra for {} screws", self.screws);
            };
            let landmarks = eyes.click(level);
            let body = json!({
                "site": id, "version": version, "level": level, "landmarks": landmarks,
            });
            return self.press("suggest", body);
        }
        if let Some(thinner) = planned.iter().find_map(thinner) {
            return self
                .press("plan_set", json!({"site": id, "version": version, "screw": thinner}));
        }
        let hash = word(site, "/plan/hash");
        self.press("approve", json!({"site": id, "hash": hash}))
    }

    /// Takes the robot and holds the button until the guide is there.
    fn go(&mut self, id: &str, site: &Value, screw: Option<&str>) -> Result<()> {
        let Some(screw) = screw else { return Ok(()) };
        if word(site, "/lease/holder") != "remote" {
            self.bound = Some((id.to_owned(), Instant::now()));
            return self.press("grab", json!({"site": id}));
        }
        let state = self.line.state();
        let wanted: telehand_ortho::ScrewId = screw.parse()?;
        let same = word(&state, "/confirmed/level") == wanted.level.to_string()
            && word(&state, "/confirmed/side") == crate::planner::view::side(wanted.side);
        if !same {
            return self.confirm(site, Some(screw));
        }
        let body = json!({"action": "go", "site": id, "screw": screw});
        let (began, mut moved) = (Instant::now(), Instant::now());
        loop {
            let state = self.line.state();
            let Some(site) = find(&state, id) else { break };
            let there = number(&site, "/case/number") as u8 == 10;
            if there || word(&site, "/lease/holder") != "remote" {
                break;
            }
            if yes(&site, "/robot/hold_remote") {
                moved = Instant::now();
            }
            // Held but not counted, or for very long: let go and look again.
            if moved.elapsed() > Duration::from_millis(900)
                || began.elapsed() > Duration::from_secs(60)
            {
                break;
            }
            self.line.hold(body.clone(), true)?;
            std::thread::sleep(REPEAT);
        }
        self.line.hold(body, false)?;
        std::thread::sleep(Duration::from_millis(300));
        Ok(())
    }

    fn until(&self, patience: Duration, done: impl Fn(&Value) -> bool) {
        let began = Instant::now();
        while began.elapsed() < patience && !done(&self.line.state()) {
            std::thread::sleep(LOOK);
        }
    }
}

/// A thinner screw where the pedicle leaves too little wall.
fn thinner(screw: &Value) -> Option<Value> {
    let (margin, diameter) = (number(screw, "/margin_mm"), number(screw, "/diameter_mm"));
    let wanted = diameter - 2.0 * (WALL_MM - margin).max(0.0);
    let fits = (wanted * 2.0).floor() / 2.0;
    let chosen = fits.max(THINNEST_MM);
    (chosen < diameter).then(|| {
        json!({
            "id": word(screw, "/id"),
            "entry_mm": screw.get("entry_mm"),
            "tip_mm": screw.get("tip_mm"),
            "diameter_mm": chosen,
        })
    })
}

/// One site of a planner's state.
pub fn find(state: &Value, id: &str) -> Option<Value> {
    list(state, "/sites").iter().find(|site| word(site, "/id") == id).cloned()
}

/// The first screw without a wire that was verified.
fn next_screw(site: &Value) -> Option<String> {
    let todo = |screw: &&Value| matches!(word(screw, "/state"), "planned");
    list(site, "/plan/screws").iter().find(todo).map(|screw| word(screw, "/id").to_owned())
}

/// Where a case stands, for a message.
fn stands(site: &Value) -> String {
    let shut: Vec<String> = list(site, "/case/gates")
        .iter()
        .filter(|gate| !yes(gate, "/ok"))
        .map(|gate| word(gate, "/name").to_owned())
        .collect();
    let alarms: Vec<&str> =
        list(site, "/alarms").iter().map(|alarm| word(alarm, "/cause")).collect();
    format!(
        "{} is in {} ({}) {}",
        word(site, "/id"),
        word(site, "/case/state"),
        shut.join(", "),
        alarms.join(", ")
    )
}
