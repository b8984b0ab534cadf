//! What takes time in the theatre: scans and their way to the planner, registration, drilling.

use super::Order;
use super::acts::LOCAL;
use super::core::{Core, denied};
use super::motion::mean;
use super::senses::{FRAMES, MUTUAL};
use super::wire::{FromSite, Purpose};
use crate::http::Denied;
use crate::lock;
use crate::planner::{calendar, view};
use std::path::Path;
use std::sync::Arc;
use telehand_bridge::dicom::{self, Origin, Patient};
use telehand_ortho::case::{Act, Refusal, RegistrationFacts, SeriesFacts, State, Why};
use telehand_ortho::register::{
    PlateModel, ReferenceId, Registration, find_balls, match_plate, moved_vertebra,
};
use telehand_ortho::track::{Monitor, Surveillance, average};
use telehand_ortho::{Level, ScrewId, SeriesUid, Volume};
use telehand_sim::spine::scanner::Scan;
use telehand_vocab::space::{Plate, Reference};
use telehand_vocab::{Mono, Pose, Span, Vec3};

/// A scan in the simulation takes this long by the devices' clock.
const SCAN: Span = Span::from_millis(3_500);
/// And this long in life, seconds: 12 minutes with draping and undraping.
const SCAN_NOMINAL_S: f64 = 720.0;
/// Standard deviation of a touch with the pointer, one axis, metres.
const TOUCH: f64 = 0.15e-3;
/// The same of a click into the image, metres.
const CLICK: f64 = 0.20e-3;

/// What is under way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Task {
    /// A scan, until this moment of the devices' clock.
    Scan(Purpose, Mono),
    /// The drill goes on to this depth, metres.
    Drill(ScrewId, f64),
}

impl Core {
    /// One tick of what is under way.
    pub(super) fn work(&mut self, now: Mono) {
        match self.task {
            Some(Task::Scan(purpose, until)) if self.theatre.now() >= until => {
                self.task = None;
                self.take_scan(now, purpose);
            }
            Some(Task::Drill(screw, goal)) => self.drill(now, screw, goal),
            Some(Task::Scan(..)) | None => {}
        }
        if self.theatre.moving() {
            self.rested_at = None;
        } else if self.rested_at.is_none() {
            self.rested_at = Some(self.theatre.now());
        }
    }

    pub(super) fn begin_scan(&mut self, now: Mono) -> Result<(), Denied> {
        if let Some(task) = self.task {
            return Err(Denied::Bad(format!("{task:?} is under way; wait for its end")));
        }
        let critical = self.critical();
        let purpose = match (self.state(), critical) {
            (State::Scan | State::Registered | State::Planned, _) => Purpose::Plan,
            (State::Verified, Some(screw)) => Purpose::Wire(screw),
            (State::Screws, _) => Purpose::Final,
            (other, _) => return Err(denied(Refusal::plain(Why::OutOfStep(other)))),
        };
        self.theatre.hold_breath(true);
        self.task = Some(Task::Scan(purpose, self.theatre.now() + SCAN));
        self.skipped_s += SCAN_NOMINAL_S;
        self.note(now, "the patient is held in apnoea; the scan runs".into());
        Ok(())
    }

    fn take_scan(&mut self, now: Mono, purpose: Purpose) {
        let scan = self.theatre.scan();
        self.scans += 1;
        let volume = Arc::new(scan.volume.clone());
        if purpose == Purpose::Plan {
            self.at_scan = self.frames.iter().rev().take(FRAMES).map(|(_, frame)| *frame).collect();
            self.series = Some(view::series(&volume));
            self.volume = Some(volume.clone());
            *lock(&self.hall.volume) = Some(volume.clone());
            self.show_scan(&volume);
        } else {
            self.theatre.hold_breath(false);
        }
        let folder = self.setup.folder.join(format!("scan-{}", self.scans));
        let origin = origin(&scan, &self.setup.name.en, purpose);
        let (hall, to, site) = (self.hall.clone(), self.setup.push, self.setup.id.clone());
        let frame_of_reference = scan.frame_of_reference;
        self.note(now, "the scan is taken and on its way to the planner".into());
        let sent = std::thread::Builder::new().name("push".into()).spawn(move || {
            let instances = deliver(&volume, &origin, &frame_of_reference, &folder, (to, &site));
            let uid = volume.series.clone();
            let outcome = instances.map_err(|error| format!("{error:#}"));
            hall.order(Order::Pushed { uid, purpose, outcome });
        });
        if let Err(error) = sent {
            self.note(now, format!("the scan was not sent: {error}"));
        }
    }

    /// The push has ended.
    pub(super) fn pushed(
        &mut self,
        now: Mono,
        uid: SeriesUid,
        purpose: Purpose,
        outcome: Result<usize, String>,
    ) {
        match outcome {
            Ok(instances) => {
                self.note(now, format!("{instances} slices are at the planner"));
                self.tell(&FromSite::Series { uid, instances, purpose });
            }
            Err(error) => self.note(now, format!("the series was not sent: {error}; scan again")),
        }
    }

    /// The planner has the series, whole or not.
    pub(super) fn imported(&mut self, now: Mono, uid: &SeriesUid, complete: bool, allowed: bool) {
        if self.volume.as_ref().map(|volume| &volume.series) != Some(uid) {
            return;
        }
        let facts = SeriesFacts { uid: uid.clone(), complete, registration_allowed: allowed };
        if self.machine(now, Act::Series(facts)) && self.state() == State::Registered {
            self.register(now);
        }
        self.theatre.hold_breath(false);
    }

    /// From the metal balls in the scan and the plate as the tracker saw it meanwhile.
    fn register(&mut self, now: Mono) {
        let Some(volume) = self.volume.clone() else { return };
        let frames = std::mem::take(&mut self.at_scan);
        let plate: Vec<Pose<Reference, Plate>> = frames
            .iter()
            .filter_map(|frame| Some(frame.reference?.inverse() * frame.plate?))
            .collect();
        let mutual: Vec<Pose<Reference, Surveillance>> = frames
            .iter()
            .filter_map(|frame| Some(frame.reference?.inverse() * frame.surveillance?))
            .collect();
        match registration(&volume, &plate, self.scans) {
            Ok((registration, facts)) => match Monitor::new(now, &smooth(&mutual)) {
                Ok(monitor) => {
                    self.monitor = Some(monitor);
                    self.checks.clear();
                    self.accepted = false;
                    self.registration = Some(registration);
                    self.machine(now, Act::Registration(facts));
                    self.note(
                        now,
                        "image and patient are registered; touch the check points".into(),
                    );
                    self.tell_registration();
                }
                Err(why) => self.note(now, format!("no registration: {why}")),
            },
            Err(why) => self.note(now, format!("no registration: {why}")),
        }
    }

    /// What the planner must know to predict errors, and to bind its plan.
    pub(super) fn tell_registration(&self) {
        let Some(made) = self.registration.as_ref().filter(|_| self.registration_holds()) else {
            return;
        };
        let Pose { rotation: turned, translation, .. } = made.image_from_reference();
        let balls = made.fiducials().iter().map(|pair| (pair.ball, view::mm(pair.image)));
        self.tell(&FromSite::Registered {
            id: made.id(),
            series: made.series().clone(),
            fiducials_mm: balls.collect(),
            fle_mm: made.fle() * 1e3,
            reference_wxyz: turned.to_array(),
            reference_mm: view::mm(translation),
        });
    }

    /// The local team touches a bony point with the tracked pointer (O-018: the check that does not
    /// rest on the balls).
    pub(super) fn touch(&mut self, now: Mono, name: &str) -> Result<(), Denied> {
        let levels: Vec<Level> = self.theatre.phantom().bones.iter().map(|b| b.level).collect();
        let named = levels.iter().copied().find(|level| level.to_string() == name);
        let next = levels.get(self.checks.len() % levels.len().max(1)).copied();
        let level = named.or(next).unwrap_or(Level::L3);
        let Some((in_image, in_reference)) = self.spinous_tip(level) else {
            return Err(Denied::Bad("there is no scan with that vertebra yet".into()));
        };
        let mut off = |sigma: f64| {
            let random = &mut self.random;
            Vec3::new(random.normal(), random.normal(), random.normal()) * sigma
        };
        let (touched, clicked) = (in_reference + off(TOUCH), in_image + off(CLICK));
        let Some(registration) = &self.registration else {
            return Err(Denied::Bad("there is no registration to check yet".into()));
        };
        let what = format!("spinous process of {level}");
        let check = registration.check_point(&what, Some(level), clicked, touched);
        self.act(now, LOCAL, Act::CheckPoint(check.distance())).map_err(denied)?;
        self.note(now, format!("{what}: {:.2} mm", check.distance() * 1e3));
        self.checks.push(check);
        if let Some(why) = moved_vertebra(&self.checks) {
            self.note(now, why.to_string());
        }
        Ok(())
    }

    /// Where a vertebra's spinous process is in the image, and where on the reference: the
    /// simulation stands in for the hand that touches and the eye that clicks.
    fn spinous_tip(&self, level: Level) -> Option<(Vec3, Vec3)> {
        let bone = self.theatre.phantom().bone(level)?;
        let tip = Vec3::new(0.0, bone.bone.spinous_back(), -0.002);
        let series = &self.volume.as_ref()?.series;
        let in_image = self.theatre.truth().image_from_bone(series, level)?.point(tip);
        let room = self.theatre.room();
        let reference_from_patient = room.reference.inverse() * room.patient;
        Some((in_image, reference_from_patient.point(bone.patient_from_bone.point(tip))))
    }
}

/// The means of neighbouring frames, as many as the monitor gets later.
fn smooth(frames: &[Pose<Reference, Surveillance>]) -> Vec<Pose<Reference, Surveillance>> {
    frames.windows(MUTUAL).filter_map(mean).collect()
}

type Registered = (Registration, RegistrationFacts);

fn registration(
    volume: &Volume,
    plate: &[Pose<Reference, Plate>],
    fixation: u64,
) -> Result<Registered, String> {
    let words = |why: &dyn std::fmt::Display| why.to_string();
    let rest = average(plate).map_err(|why| words(&why))?;
    let found = match_plate(&PlateModel::demo(), &find_balls(volume)).map_err(|why| words(&why))?;
    let reference = ReferenceId { body: "R".into(), fixation: fixation as u32 };
    let series = volume.series.clone();
    let made = Registration::new(series.clone(), &volume.grid, reference, rest.pose, &found)
        .map_err(|why| words(&why))?;
    let middle = volume.grid.centre();
    let at = [-0.03, 0.0, 0.03].map(|z| (format!("{z:+.2}"), middle + Vec3::new(0.0, 0.0, z)));
    let accuracy = made.accuracy(&at).map_err(|why| words(&why))?;
    let facts = RegistrationFacts {
        id: made.id(),
        series,
        balls: made.plate_balls() as u32,
        found: made.fiducials().len() as u32,
        fre: accuracy.fre_mm() * 1e-3,
        worst_tre: accuracy.worst_tre_mm() * 1e-3,
    };
    Ok((made, facts))
}

fn origin(scan: &Scan, hospital: &str, purpose: Purpose) -> Origin {
    let (date, time) = calendar::dicom_now();
    Origin {
        patient: Patient {
            name: scan.person.name.clone(),
            id: scan.person.id.clone(),
            birth_date: scan.person.birth.clone(),
            sex: String::new(),
        },
        study_uid: scan.study.clone(),
        study_id: "1".into(),
        study_date: date,
        study_time: time,
        accession: String::new(),
        description: format!(
            "SIMULATED {}, {hospital}",
            match purpose {
                Purpose::Plan => "planning scan",
                Purpose::Wire(_) => "wire control",
                Purpose::Final => "control of screws",
            }
        ),
        kernel: String::new(),
        manufacturer: "telehand simulation".into(),
        deidentified: false,
        lossy: false,
    }
}

/// Writes a series to the disk and pushes it to the planner; how many objects it took.
fn deliver(
    volume: &Volume,
    origin: &Origin,
    frame_of_reference: &str,
    folder: &Path,
    (to, site): (std::net::SocketAddr, &str),
) -> anyhow::Result<usize> {
    std::fs::create_dir_all(folder)?;
    let files = dicom::encode_series(volume, origin, frame_of_reference)?;
    for file in &files {
        dicom::write_whole(&folder.join(&file.name), &file.bytes)?;
    }
    let title: String = site.chars().take(16).collect::<String>().to_uppercase();
    let pushed = dicom::network::push(to, &title, crate::planner::TITLE, &files)?;
    Ok(pushed.stored)
}
