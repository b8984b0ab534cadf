//! `telehand console`: the surgeon's side: hands in, commands out, pictures and state back.
//!
//! Killing this process is silence at the patient side, so the arm holds there.

mod endpoint;
mod eye;
mod governor;
mod hands;
mod page;
mod shown;
mod ticket;

pub use endpoint::picture_words;
pub use hands::from_page;
pub use page::ask_wan;

use crate::arm::admission::Note;
use crate::http::VideoMessage;
use crate::lock;
use crate::net::{Config, Driver, Handle, PathSpec, Snapshot};
use crate::station::StationArgs;
use crate::tape::Tape;
use anyhow::Result;
use clap::ValueEnum;
use hands::Hands;
use serde_json::Value;
use shown::Shown;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use telehand_link::identity::Role;
use telehand_link::session::Clock;
use telehand_sim::surgeon::SurgeonConfig;
use telehand_video::WireFrame;
use telehand_vocab::{Feedback, Mono};
use ticket::Ticket;
use tokio::sync::{Notify, broadcast};

/// Pictures that a slow page may be behind.
const VIDEO_QUEUE: usize = 64;

/// Who moves the hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SurgeonKind {
    /// A person at the page.
    Manual,
    /// The simulated surgeon, who sees and feels only what arrives over the link.
    Scripted,
}

/// What the scripted surgeon does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Task {
    /// Carries rings from the left pegs to the right ones.
    PegTransfer,
}

/// `telehand console`.
#[derive(Debug, clap::Args)]
pub struct ConsoleArgs {
    /// One network to dial over: [NAME@]LOCAL=REMOTE. Give one for each network.
    #[arg(long = "path", value_name = "[NAME@]LOCAL=REMOTE", required = true)]
    paths: Vec<PathSpec>,
    #[command(flatten)]
    station: StationArgs,
    /// Record into this MCAP file.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Who moves the hands.
    #[arg(long, value_enum, default_value_t = SurgeonKind::Manual)]
    surgeon: SurgeonKind,
    /// What the scripted surgeon does; the program ends when it is done.
    #[arg(long, value_enum, default_value_t = Task::PegTransfer)]
    task: Task,
    /// Rings that the scripted surgeon transfers, 1 to 6.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=6))]
    objects: u8,
    /// Seed of the scripted surgeon.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Tool motion by hand motion, 0.05 to 1.
    #[arg(long, default_value_t = 0.2, value_parser = |text: &str| crate::within(text, 0.05, 1.0))]
    scale: f64,
    /// Look with our own decoder, without a page: pictures count as seen by nobody else.
    #[arg(long)]
    headless: bool,
    /// The session grant that this console shows to the arm (from the hub, signed by hub and site).
    #[arg(long, value_name = "FILE", requires = "session_key")]
    session_grant: Option<PathBuf>,
    /// The console's own key, to which the grant is bound.
    #[arg(long, value_name = "FILE")]
    session_key: Option<PathBuf>,
    /// Control address of an emulated network, offered on the page.
    #[arg(long, value_name = "URL")]
    wan_control: Option<String>,
}

/// What the threads of this process share.
pub(crate) struct Booth {
    pub(crate) tape: Tape,
    pub(crate) hands: Mutex<Hands>,
    pub(crate) feedback: Mutex<Option<Feedback>>,
    pub(crate) clock: Mutex<Option<Clock>>,
    pub(crate) shown: Mutex<Shown>,
    pub(crate) video: broadcast::Sender<VideoMessage>,
    pub(crate) video_config: Mutex<Option<Value>>,
    /// To our own decoder, when there is one.
    pub(crate) eye: Option<std::sync::mpsc::SyncSender<WireFrame>>,
    /// A decoder refused a frame: everything it holds is in doubt.
    pub(crate) damaged: AtomicBool,
    /// Somebody begins to look.
    pub(crate) join: AtomicBool,
    /// The grant and its key, if there is one to show.
    pub(crate) ticket: Option<Ticket>,
    /// How the arm stands with this console.
    pub(crate) admission: Mutex<Option<Note>>,
    pub(crate) surgeon: SurgeonKind,
    pub(crate) done: Notify,
    link: OnceLock<Handle>,
    wan_control: Option<String>,
}

impl Booth {
    pub(crate) fn link_snapshot(&self) -> Option<Snapshot> {
        self.link.get().map(Handle::snapshot)
    }

    pub(crate) fn feedback(&self) -> Option<Feedback> {
        *lock(&self.feedback)
    }

    /// A moment of ours on the patient side's clock.
    pub(crate) fn at_patient(&self, now: Mono) -> Option<Mono> {
        lock(&self.clock).map(|clock| clock.peer_from_local(now))
    }
}

/// Runs until it is told to stop, or the scripted surgeon is done.
pub fn run(args: &ConsoleArgs) -> Result<()> {
    let credentials = args.station.credentials(Role::Console)?;
    let ticket = Ticket::read(args.session_grant.as_deref(), args.session_key.as_deref())?;
    let (tape, reel) = Tape::start("console", args.record.as_deref())?;
    let looks = args.headless || args.surgeon == SurgeonKind::Scripted;
    let (eye, frames) = std::sync::mpsc::sync_channel(VIDEO_QUEUE);
    let booth = Arc::new(Booth {
        tape: tape.clone(),
        hands: Mutex::new(Hands::new(args.scale)),
        feedback: Mutex::default(),
        clock: Mutex::default(),
        shown: Mutex::default(),
        video: broadcast::channel(VIDEO_QUEUE).0,
        video_config: Mutex::default(),
        eye: looks.then_some(eye),
        damaged: AtomicBool::new(false),
        join: AtomicBool::new(false),
        ticket,
        admission: Mutex::default(),
        surgeon: args.surgeon,
        done: Notify::new(),
        link: OnceLock::new(),
        wan_control: args.wan_control.clone(),
    });
    let link = Driver::spawn(
        Config::new(credentials, args.paths.clone()),
        endpoint::ConsoleEnd::new(booth.clone()),
    )?;
    let _ = booth.link.set(link);
    if looks {
        let config = (args.surgeon == SurgeonKind::Scripted).then(|| SurgeonConfig {
            seed: args.seed,
            objects: args.objects.into(),
            scale: args.scale,
            ..SurgeonConfig::default()
        });
        let looking = booth.clone();
        std::thread::Builder::new().name("eye".into()).spawn(move || {
            if let Err(error) = eye::run(&looking, &frames, config) {
                eprintln!("telehand console: the eye closed: {error:#}");
            }
        })?;
    }
    let ends = async {
        tokio::select! {
            () = crate::net_words::tell("console", || booth.link_snapshot()) => {}
            () = booth.done.notified() => {
                // The last pictures and figures come in.
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        }
    };
    args.station.serve_until("console", Arc::new(page::Page::new(booth.clone())), ends)?;
    tape.note("stop", "the console ends");
    reel.end()
}
