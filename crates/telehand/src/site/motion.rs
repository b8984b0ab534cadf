//! The robot on its way to a trajectory: first near it, then by what the tracker still finds
//! missing. Every motion here uses up a permit of the arbiter; without one the robot holds.

use super::core::Core;
use super::senses::FRAMES;
use telehand_ortho::ScrewId;
use telehand_ortho::authority::{self, Approach, Drive, Motion, Permit, Step, guide_error};
use telehand_ortho::case::{Act, GuideError, Refusal, Why};
use telehand_ortho::track::average;
use telehand_sim::spine::robot::{Command, sleeve_along};
use telehand_vocab::space::{Base, Guide, Image, Reference, Tracker};
use telehand_vocab::{Mono, Pose, Quat, Span, Vec3};

/// The mouth of the sleeve stands this far off the planned entry, metres.
const STAND_OFF: f64 = 0.030;
/// The way from above ends this far behind that place; from there the tracker leads, metres.
const NEAR: f64 = 0.030;
/// A sleeve this close to the end of the way from above is near, metres.
const CLOSE: f64 = 0.004;

/// Frames of one look: the lever between both bodies turns a tracker's noise into a millimetre.
const LOOKED_AT: usize = 90;

/// The mean of poses that are close together; `None` of none.
pub(super) fn mean<A, B>(poses: &[Pose<A, B>]) -> Option<Pose<A, B>> {
    let first = poses.first()?;
    let share = 1.0 / poses.len() as f64;
    let (mut at, mut turn) = (Vec3::ZERO, Vec3::ZERO);
    for pose in poses {
        at += pose.translation * share;
        turn += (first.rotation.inverse() * pose.rotation).rotation_vector() * share;
    }
    Some(Pose::new(first.rotation * Quat::from_rotation_vector(turn), at))
}

/// The robot on its way.
#[derive(Debug, Clone, Copy)]
pub struct Going {
    /// Where to.
    pub screw: ScrewId,
    /// Where the sleeve is to be, on the patient.
    pub target: Pose<Reference, Guide>,
    phase: Phase,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// From above to behind the place, by the encoders.
    Above(Pose<Base, Guide>),
    /// The last way, by the tracker.
    Closing(Approach),
    /// There, by the tracker.
    There,
    /// It does not get better.
    Lost,
}

impl Core {
    /// One tick of permitted motion.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is used up")]
    pub(super) fn moves(&mut self, now: Mono, permit: Permit, step: Span) {
        match permit.motion() {
            Motion::Trajectory(screw) => self.goes(now, screw, step),
            Motion::Park => {
                self.going = None;
                if self.theatre.arrived() {
                    let _ = self.authority(now, &authority::Event::Parked);
                } else if !self.theatre.moving() {
                    let _ = self.theatre.command(&Command::Joints(self.home));
                }
            }
        }
    }

    /// No motion is permitted now.
    pub(super) fn rests(&mut self, refusal: Refusal) {
        let asked = self.arbiter.holds(crate::clock::now()).0;
        if asked && refusal.why != Why::NoEnable {
            self.denied = Some(refusal);
        }
        if self.theatre.moving() {
            self.hold();
        } else {
            self.looks_afresh();
        }
    }

    /// Come to rest.
    pub(super) fn hold(&mut self) {
        let _ = self.theatre.command(&Command::Hold);
        self.looks_afresh();
    }

    /// Whoever goes again after a rest is led by a fresh look: one that was there arrives again, one
    /// that was lost is given another try.
    fn looks_afresh(&mut self) {
        if let Some(going) = &mut self.going
            && !matches!(going.phase, Phase::Above(_))
        {
            going.phase = Phase::Closing(Approach::new());
        }
    }

    fn goes(&mut self, now: Mono, screw: ScrewId, step: Span) {
        if self.going.is_none_or(|going| going.screw != screw) {
            self.theatre.hold_breath(true);
            self.going = self.aim(screw);
        }
        let Some(mut going) = self.going else { return };
        let base_from_guide = self.theatre.believed_base_from_guide();
        going.phase = match going.phase {
            Phase::Above(goal) => {
                if (base_from_guide.translation - goal.translation).norm() < CLOSE
                    && !self.theatre.moving()
                {
                    Phase::Closing(Approach::new())
                } else if !self.theatre.moving()
                    && self.theatre.command(&Command::Guide(goal)).is_err()
                {
                    self.note(now, format!("the robot does not reach {screw}"));
                    Phase::Lost
                } else {
                    Phase::Above(goal)
                }
            }
            Phase::Closing(approach) => self.closes(now, screw, approach, going.target, step),
            rest @ (Phase::There | Phase::Lost) => rest,
        };
        self.going = Some(going);
    }

    fn closes(
        &mut self,
        now: Mono,
        screw: ScrewId,
        mut approach: Approach,
        target: Pose<Reference, Guide>,
        step: Span,
    ) -> Phase {
        let base_from_guide = self.theatre.believed_base_from_guide();
        match approach.step(base_from_guide, self.seen_at_rest(), target, step) {
            Step::Move(pose) => {
                if self.theatre.command(&Command::Guide(pose)).is_err() {
                    self.note(now, format!("the robot does not reach {screw}"));
                    return Phase::Lost;
                }
                Phase::Closing(approach)
            }
            Step::Look => Phase::Closing(approach),
            Step::Arrived(error) => {
                if let Some(monitor) = &mut self.monitor {
                    monitor.confirm_held(now);
                }
                self.machine(now, Act::Arrived(screw, error));
                self.note(
                    now,
                    format!(
                        "the guide is at {screw}: {:.2} mm, {:.2} deg by the tracker",
                        error.metres * 1e3,
                        error.radians.to_degrees()
                    ),
                );
                Phase::There
            }
            Step::Lost(error) => {
                self.note(
                    now,
                    format!(
                        "the guide does not come closer to {screw} than {:.2} mm: check the tracker",
                        error.metres * 1e3
                    ),
                );
                Phase::Lost
            }
        }
    }

    /// Where the sleeve belongs for a screw, and a place behind it to begin from.
    fn aim(&self, screw: ScrewId) -> Option<Going> {
        let planned = *self.plan.as_ref()?.screws().get(&screw)?;
        let registration = self.registration.as_ref()?;
        let base_from_reference = self.base_from_reference()?;
        let base_from_image: Pose<Base, Image> =
            base_from_reference * registration.image_from_reference().inverse();
        let direction = planned.direction()?;
        let ahead = base_from_image.rotation.rotate(direction);
        let wanted = |off: f64| {
            let mouth = base_from_image.point(planned.entry - direction * off);
            sleeve_along::<Base>(mouth, ahead, Vec3::new(0.0, 0.0, mouth.z))
        };
        let target = base_from_reference.inverse() * wanted(STAND_OFF)?;
        let phase = Phase::Above(wanted(STAND_OFF + NEAR)?);
        Some(Going { screw, target, phase })
    }

    /// Whether the robot reaches both ends of the last way.
    pub(super) fn reaches(&self, screw: ScrewId) -> bool {
        let Some(going) = self.aim(screw) else { return false };
        let Some(base_from_reference) = self.base_from_reference() else { return false };
        let behind = match going.phase {
            Phase::Above(goal) => Some(goal),
            _ => None,
        };
        [Some(base_from_reference * going.target), behind]
            .into_iter()
            .flatten()
            .all(|pose| self.theatre.clone().command(&Command::Guide(pose)).is_ok())
    }

    /// Where the reference is for the robot, by calibration and the mean of the last frames.
    fn base_from_reference(&self) -> Option<Pose<Base, Reference>> {
        let seen: Vec<Pose<Tracker, Reference>> =
            self.frames.iter().rev().take(30).filter_map(|(_, frame)| frame.reference).collect();
        let last = *seen.first()?;
        let tracker_from_reference = average(&seen).map_or(last, |rest| rest.pose);
        Some(self.theatre.calibration().base_from_tracker * tracker_from_reference)
    }

    /// The guide on the reference, averaged over frames since the robot came to rest.
    fn seen_at_rest(&self) -> Option<Pose<Reference, Guide>> {
        if self.theatre.moving() {
            return None;
        }
        let rested = self.rested_at?;
        let all: Vec<Pose<Reference, Guide>> = self
            .frames
            .iter()
            .rev()
            .take(FRAMES)
            .take_while(|(_, frame)| frame.at > rested)
            .filter_map(|(_, frame)| Some(frame.reference?.inverse() * frame.guide?))
            .collect();
        if all.len() < LOOKED_AT {
            return None;
        }
        average(&all).ok().map(|rest| rest.pose)
    }

    /// How far the guide is from its trajectory now, by the newest frames.
    pub(super) fn guide_now(&self) -> Option<GuideError> {
        let target = self.going.as_ref()?.target;
        let recent: Vec<Pose<Reference, Guide>> = self
            .frames
            .iter()
            .rev()
            .take(10)
            .filter_map(|(_, frame)| Some(frame.reference?.inverse() * frame.guide?))
            .collect();
        let mean = mean(&recent)?;
        Some(guide_error(mean, target))
    }

    /// What the robot does, in a word.
    pub(super) fn drive_word(&self) -> &'static str {
        if self.arbiter.stopped() {
            return "stopped";
        }
        match self.arbiter.drive() {
            Drive::Moving if self.theatre.moving() => "moving",
            Drive::Parking => "moving",
            Drive::Parked => "parked",
            Drive::Braked if self.going.is_none() && self.placed.is_empty() => "parked",
            Drive::Moving | Drive::Held | Drive::Braked => "held",
        }
    }
}
