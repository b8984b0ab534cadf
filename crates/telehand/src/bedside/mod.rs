//! `telehand bedside`: the patient side's network, camera, recording and page.
//!
//! It hands every command on to the `arm` process, which judges it. Killing this process leaves the
//! arm without beats, so it holds.

mod arm_line;
mod camera;
mod desk;
mod endpoint;
mod painter;

pub use arm_line::{ActionError, ArmLine, Heard};
pub use camera::write_picture;
pub use endpoint::{ADMISSION, GRANT, HOLD, VIDEO_CONFIG, figures_message};
pub use painter::Renderer;

use crate::arm::admission::Note;
use crate::arm::wire::{Action, Report};
use crate::http::VideoMessage;
use crate::lock;
use crate::net::{Config, Driver, Handle, Outbox, Outgoing, PathSpec, Snapshot};
use crate::station::StationArgs;
use crate::tape::Tape;
use anyhow::Result;
use camera::{CameraNote, CameraSettings};
use painter::Painter;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, OnceLock};
use telehand_link::identity::Role;
use telehand_record::{ArmInput, ArmTick, Event, GuardChange, Refused, chain};
use tokio::sync::broadcast;

/// State to the console after so many ticks: 250 times a second.
const STATE_TICKS: u64 = 4;
/// The score goes onto the tape after so many ticks: ten times a second.
const SCORE_TICKS: u64 = 100;
/// Pictures that a slow viewer may be behind.
const VIDEO_QUEUE: usize = 64;

/// `telehand bedside`.
#[derive(Debug, clap::Args)]
pub struct BedsideArgs {
    /// The arm process's local stream.
    #[arg(long, value_name = "PATH")]
    arm: PathBuf,
    /// One network to listen on: [NAME@]ADDRESS:PORT. Give one for each network.
    #[arg(long = "path", value_name = "[NAME@]LOCAL", required = true)]
    paths: Vec<PathSpec>,
    #[command(flatten)]
    station: StationArgs,
    /// Record into this MCAP file.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Pixels of one eye, as 480x360.
    #[arg(long, default_value = "480x360", value_parser = parse_size)]
    size: (usize, usize),
    /// One eye instead of two side by side.
    #[arg(long)]
    mono: bool,
    /// What draws the pictures.
    #[arg(long, value_enum, default_value_t = Renderer::Software)]
    renderer: Renderer,
    /// Pictures a second, 1 to 60.
    #[arg(long, default_value_t = 30.0, value_parser = |text: &str| crate::within(text, 1.0, 60.0))]
    fps: f64,
    /// Megabits a second of video to begin with, 0.1 to 100.
    #[arg(long, default_value_t = 4.0, value_parser = |text: &str| crate::within(text, 0.1, 100.0))]
    mbit: f64,
    /// Enable the arms and grant them as soon as a console is connected: for drills only.
    #[arg(long)]
    grant: bool,
}

/// What the threads of this process share.
pub struct Ward {
    pub(crate) tape: Tape,
    pub(crate) scene: Mutex<Vec<u8>>,
    pub(crate) video: broadcast::Sender<VideoMessage>,
    pub(crate) video_config: Mutex<Option<Value>>,
    pub(crate) bitrate_bps: AtomicU32,
    report: Mutex<Option<Arc<Report>>>,
    /// How the arm stands with the console.
    pub(crate) admission: Mutex<Option<Note>>,
    arm: OnceLock<ArmLine>,
    outbox: OnceLock<Outbox>,
    link: OnceLock<Arc<Handle>>,
    camera: Mutex<Sender<CameraNote>>,
    console_up: AtomicBool,
    /// A person took the arms or stopped them: a drill keeps its hands off.
    pub(crate) people_act: AtomicBool,
    /// When the newest picture was encoded, nanoseconds; 0 before the first.
    pub(crate) pictured_ns: AtomicU64,
}

impl Ward {
    fn new(tape: Tape, camera: Sender<CameraNote>) -> Self {
        Self {
            tape,
            scene: Mutex::default(),
            video: broadcast::channel(VIDEO_QUEUE).0,
            video_config: Mutex::default(),
            bitrate_bps: AtomicU32::new(0),
            report: Mutex::default(),
            admission: Mutex::default(),
            arm: OnceLock::new(),
            outbox: OnceLock::new(),
            link: OnceLock::new(),
            camera: Mutex::new(camera),
            console_up: AtomicBool::new(false),
            people_act: AtomicBool::new(false),
            pictured_ns: AtomicU64::new(0),
        }
    }

    pub(crate) fn link_snapshot(&self) -> Option<Snapshot> {
        self.link.get().map(|link| link.snapshot())
    }

    pub(crate) fn send(&self, outgoing: Outgoing) {
        if let Some(outbox) = self.outbox.get() {
            outbox.send(outgoing);
        }
    }

    /// What the pictures are, as the console hears it; `None` before the first picture.
    pub(crate) fn video_message(&self) -> Option<Vec<u8>> {
        let config = lock(&self.video_config).clone()?;
        let mut message = vec![VIDEO_CONFIG];
        message.extend(config.to_string().into_bytes());
        Some(message)
    }

    fn note_to_camera(&self, note: CameraNote) {
        // A dead camera shows as a frozen picture at the console, which the guard acts on.
        let _ = lock(&self.camera).send(note);
    }

    /// The newest report of the arm.
    fn report(&self) -> Option<Arc<Report>> {
        lock(&self.report).clone()
    }

    /// A person presses a button.
    fn press(&self, action: Action) -> Result<(), ActionError> {
        match action {
            // What a person took or stopped, a drill gives back to nobody.
            Action::TakeOver | Action::Stop | Action::Disable => {
                self.people_act.store(true, Ordering::Release);
            }
            Action::Grant => self.people_act.store(false, Ordering::Release),
            Action::Enable | Action::ClearStop | Action::RemoteHold => {}
        }
        self.do_action(action)
    }

    /// Passes a button on to the arm and records it.
    fn do_action(&self, action: Action) -> Result<(), ActionError> {
        self.tape.note("action", action.name());
        self.arm.get().map_or(Err(ActionError::NoAnswer), |arm| arm.press(action))
    }

    /// On the arm line's thread: everything the arm tells.
    fn hear(&self, heard: &Heard<'_>) {
        match heard {
            Heard::Config(config) => {
                let text = serde_json::to_string(config).unwrap_or_default();
                self.tape.note("arm", text);
            }
            Heard::Admission(note) => self.hear_admission((*note).clone()),
            Heard::Report(report) => self.hear_report(report),
            Heard::Gone => {
                self.tape.note("arm", "gone");
                *lock(&self.report) = None;
                *lock(&self.admission) = None;
            }
        }
    }

    /// The console hears it too: a challenge is for its key.
    fn hear_admission(&self, note: Note) {
        let text = serde_json::to_string(&note).unwrap_or_default();
        self.tape.note("admission", text);
        *lock(&self.admission) = Some(note);
        if let Some(message) = self.admission_message() {
            self.send(Outgoing::Message(message));
        }
    }

    /// A console is there, and the arm has not asked it for its grant: it knows nothing of it.
    pub(crate) fn arm_awaits_console(&self) -> bool {
        lock(&self.admission).as_ref().is_some_and(|n| n.needed && n.asks.is_none())
    }

    /// How the arm stands with the console, as the console hears it.
    pub(crate) fn admission_message(&self) -> Option<Vec<u8>> {
        let note = lock(&self.admission).clone()?;
        let mut message = vec![ADMISSION];
        message.extend(serde_json::to_vec(&note).ok()?);
        Some(message)
    }

    fn hear_report(&self, report: &Report) {
        if !report.scene.is_empty() {
            lock(&self.scene).clone_from(&report.scene);
        }
        if report.feedback.tick.is_multiple_of(STATE_TICKS) {
            let mut bytes = Vec::with_capacity(512);
            telehand_link::feedback::encode(&report.feedback, &mut bytes);
            self.send(Outgoing::State(bytes));
        }
        let report = Arc::new(report.clone());
        if self.tape.runs() {
            record_report(&self.tape, report.clone());
        }
        *lock(&self.report) = Some(report);
    }
}

/// Runs until it is told to stop.
pub fn run(args: &BedsideArgs) -> Result<()> {
    let credentials = args.station.credentials(Role::Bedside)?;
    let (tape, reel) = Tape::start("bedside", args.record.as_deref())?;
    let (camera_sender, camera_notes) = std::sync::mpsc::channel();
    let ward = Arc::new(Ward::new(tape.clone(), camera_sender));
    let settings = CameraSettings {
        width: args.size.0,
        height: args.size.1,
        stereo: !args.mono,
        fps: args.fps,
        bitrate_bps: (args.mbit * 1e6) as u32,
    };
    let painter = Painter::open(args.renderer, &settings)?;
    let link = Driver::spawn(
        Config::new(credentials, args.paths.clone()),
        endpoint::BedsideEnd::new(ward.clone()),
    )?;
    let link = Arc::new(link);
    let _ = ward.outbox.set(link.outbox());
    let _ = ward.link.set(link);
    let hearing = ward.clone();
    let line = ArmLine::open(&args.arm, move |heard| hearing.hear(&heard))?;
    let _ = ward.arm.set(line);
    let filming = ward.clone();
    std::thread::Builder::new().name("camera".into()).spawn(move || {
        if let Err(error) = camera::run(&filming, settings, painter, &camera_notes) {
            eprintln!("telehand bedside: the camera stopped: {error:#}");
        }
    })?;
    if args.grant {
        let granting = ward.clone();
        std::thread::Builder::new()
            .name("drill".into())
            .spawn(move || desk::grant_for_ever(&granting))?;
    }
    let told = crate::net_words::tell("bedside", || ward.link_snapshot());
    args.station.serve_until("bedside", Arc::new(desk::Desk::new(ward.clone())), told)?;
    tape.note("stop", "asked to stop");
    reel.end()
}

fn parse_size(text: &str) -> Result<(usize, usize), String> {
    let sizes = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    match sizes {
        Some((w, h)) if (128..=1920).contains(&w) && (64..=1080).contains(&h) => {
            if w % 16 == 0 && h % 2 == 0 {
                Ok((w, h))
            } else {
                Err(format!("{w}x{h}: the width must be a multiple of 16, the height even"))
            }
        }
        Some((w, h)) => Err(format!("{w}x{h} is outside 128x64 to 1920x1080")),
        None => Err(format!("{text:?} is not WIDTHxHEIGHT, for example 480x360")),
    }
}

fn record_report(tape: &Tape, report: Arc<Report>) {
    tape.with(move |recorder| {
        let f = &report.feedback;
        let at = f.at.as_nanos();
        for input in crate::arm::wire::messages(&report.inputs) {
            recorder.write(at, &ArmInput { tick: f.tick, hex: chain::hex(input) })?;
        }
        for change in &report.changes {
            let cause = change.verdict.map(|v| crate::view::code(v.cause));
            let number = |value: Option<f64>| value.filter(|v| v.is_finite());
            recorder.write(
                change.at.as_nanos(),
                &GuardChange {
                    at_ns: change.at.as_nanos(),
                    from: change.from.name().into(),
                    to: change.to.name().into(),
                    cause,
                    value: number(change.verdict.map(|v| v.value)),
                    limit: number(change.verdict.map(|v| v.limit)),
                },
            )?;
        }
        if let Some(refused) = report.refused {
            recorder.write(
                at,
                &Refused {
                    at_ns: at,
                    what: "command".into(),
                    cause: crate::view::code(refused.cause),
                    value: if refused.value.is_finite() { refused.value } else { 0.0 },
                    limit: if refused.limit.is_finite() { refused.limit } else { 0.0 },
                    total: report.refusals,
                },
            )?;
        }
        if let Some(score) = report.score.filter(|_| f.tick.is_multiple_of(SCORE_TICKS)) {
            let text = serde_json::to_string(&score).unwrap_or_default();
            recorder.write(at, &Event { at_ns: at, kind: "score".into(), text })?;
        }
        recorder.write(at, &tick_of(&report))
    });
}

fn tick_of(report: &Report) -> ArmTick {
    let f = &report.feedback;
    let each = |pick: fn(&telehand_vocab::message::ArmFeedback) -> f64| f.arms.each_ref().map(pick);
    ArmTick {
        tick: f.tick,
        at_ns: f.at.as_nanos(),
        took_ns: report.took.as_nanos(),
        overruns: report.overruns,
        state: f.state.name().into(),
        authority: f.authority.name().into(),
        lease: f.lease.0,
        hold: f.hold.map(crate::view::code),
        command_seq: f.command_seq,
        command_age_ns: f.command_age.as_nanos(),
        joints: f.arms.each_ref().map(|arm| arm.joints),
        setpoints: report.setpoints,
        jaws_rad: each(|arm| arm.jaw_rad),
        tips_m: f.arms.each_ref().map(|arm| arm.camera_from_tip.translation.to_array()),
        forces_n: each(|arm| arm.force_n),
        following: f.arms.each_ref().map(|arm| arm.following),
        verdicts: report.verdicts.map(|v| v.map(|v| crate::view::code(v.cause))),
    }
}
