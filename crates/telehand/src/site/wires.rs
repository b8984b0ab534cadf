//! Wires: drilled, left, pulled, measured; and the account of the truth for a demo's scorer.

use super::acts::LOCAL;
use super::core::{Core, denied};
use super::scans::Task;
use crate::http::Denied;
use crate::planner::journal;
use crate::planner::state::Verification;
use serde_json::{Map, Value, json};
use telehand_ortho::ScrewId;
use telehand_ortho::case::{Act, Refusal, State, Why, WireFacts};
use telehand_sim::spine::scorer::score;
use telehand_sim::spine::theatre::PlacedScrew;
use telehand_vocab::Mono;

/// A wire takes this long in life, seconds, from the skin to the free sleeve.
const WIRE_NOMINAL_S: f64 = 294.0;
/// How fast the drill goes, metres a second of the devices' clock.
const DRILL: f64 = 0.003;

impl Core {
    pub(super) fn wire_in(&mut self, now: Mono) -> Result<(), Denied> {
        let target = self.arbiter.case().and_then(telehand_ortho::case::Case::target);
        let screw = target.ok_or_else(|| denied(Refusal::plain(Why::WrongTrajectory)))?;
        self.act(now, LOCAL, Act::WireIn(screw)).map_err(denied)?;
        match self.theatre.wire_in() {
            Ok(level) => {
                let planned = self.plan.as_ref().and_then(|plan| plan.screws().get(&screw));
                let depth = planned.map_or(0.04, telehand_ortho::Screw::length);
                self.task = Some(Task::Drill(screw, depth));
                self.note(now, format!("the wire meets {level}; drilling"));
            }
            Err(why) => {
                self.note(now, why.to_string());
                let _ = self.act(now, LOCAL, Act::GuideFree);
                let _ = self.act(now, LOCAL, Act::WireRemoved);
            }
        }
        Ok(())
    }

    pub(super) fn drill(&mut self, now: Mono, screw: ScrewId, goal: f64) {
        let step = self.stepped.as_secs_f64();
        match self.theatre.advance(DRILL * step) {
            Ok((depth, force)) if depth >= goal => {
                self.task = None;
                self.skipped_s += WIRE_NOMINAL_S;
                self.note(
                    now,
                    format!("{screw}: the wire is {:.0} mm deep, {force:.0} N", depth * 1e3),
                );
            }
            Ok(_) => {}
            Err(why) => {
                self.task = None;
                self.note(now, why.to_string());
            }
        }
    }

    pub(super) fn wire_out(&mut self, now: Mono) -> Result<(), Denied> {
        let Some(screw) = self.critical() else {
            return Err(denied(Refusal::plain(Why::OutOfStep(self.state()))));
        };
        if self.state() == State::WireIn {
            let whole = self.task.take().is_none();
            let freed =
                if whole { self.theatre.leave_wire(screw) } else { self.theatre.wire_out() };
            if let Err(why) = freed {
                self.note(now, why.to_string());
            }
            self.act(now, LOCAL, Act::GuideFree).map_err(denied)?;
            if whole {
                self.mark(screw, "wire");
                self.note(now, "the sleeve is free; the wire waits for its measurement".into());
                return Ok(());
            }
        } else if let Err(why) = self.theatre.pull_wire(screw) {
            self.note(now, why.to_string());
        }
        self.act(now, LOCAL, Act::WireRemoved).map_err(denied)?;
        self.mark(screw, "planned");
        self.theatre.hold_breath(false);
        self.note(now, format!("the wire of {screw} is out"));
        Ok(())
    }

    /// The planner has measured a wire in the control scan: millimetres, degrees, millimetres.
    pub(super) fn measured(
        &mut self,
        now: Mono,
        screw: ScrewId,
        [deviation, angle, margin]: [f64; 3],
        line: Verification,
    ) {
        let facts = WireFacts {
            screw,
            deviation: deviation * 1e-3,
            angle: angle.to_radians(),
            margin: margin * 1e-3,
        };
        if self.machine(now, Act::WireMeasured(facts)) {
            self.note(now, format!("{screw}: {deviation:.2} mm and {angle:.2} deg off the plan"));
            self.verify.insert(screw, line);
        }
    }

    /// What the simulation knows of the screws, for the scorer of a demo: the product never reads
    /// it.
    pub(super) fn write_truth(&self) {
        let (Some(plan), Some(volume)) = (&self.plan, &self.volume) else { return };
        let truth = self.theatre.truth();
        let score = |(id, placed): (&ScrewId, &PlacedScrew)| {
            let planned = plan.screws().get(id)?;
            let place = truth.image_from_bone(&volume.series, id.level)?;
            let score = score(self.theatre.phantom(), planned, placed, &place)?;
            let line = json!({
                "entry_mm": score.entry * 1e3,
                "target_mm": score.target * 1e3,
                "angle_deg": score.angle.to_degrees(),
                "depth_mm": score.depth * 1e3,
                "breach_mm": score.protrusion.map(|out| out.metres * 1e3),
                "grade": format!("{:?}", score.grade),
            });
            Some((id.to_string(), line))
        };
        let screws: Map<String, Value> = truth.screws.iter().filter_map(score).collect();
        let account = json!({
            "label": "SIMULATED",
            "screws": screws,
            "dragged_mm": truth.dragged * 1e3,
        });
        let path = self.setup.folder.join("truth.json");
        if let Err(error) = journal::replace(&path, account.to_string().as_bytes()) {
            eprintln!("telehand site: {error:#}");
        }
    }
}
