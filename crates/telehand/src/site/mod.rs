//! `telehand site`: a hospital's patient side for orthopaedics: theatre, arbiter, local page.
//!
//! The arbiter is here and nowhere else: one thread ([`core`]) owns the devices, the case and the
//! robot's authority; the network, the page and the camera only hand things to it. Killing the
//! planner, the network or this process's page leaves the robot held; a local stop needs none of
//! them. The theatre behind the devices is simulated.

mod acts;
mod bridge;
mod camera;
mod core;
mod endpoint;
mod motion;
mod outward;
mod page;
mod scans;
mod senses;
mod view;
pub mod wire;
mod wires;

pub use core::number;

use crate::http::{Denied, VideoMessage};
use crate::lock;
use crate::net::{Config, Driver, Handle, Outbox, Outgoing, PathSpec, Snapshot};
use crate::planner::signature::{Signer, Trusted};
use crate::planner::state::{Name, SiteState};
use crate::station::StationArgs;
use anyhow::{Context as _, Result, bail};
use camera::CameraNote;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use telehand_link::identity::Role;
use telehand_ortho::authority::Message;
use telehand_ortho::{Level, SeriesUid, Volume};
use telehand_sim::spine::theatre::Room;
use telehand_vocab::{Mono, Span};
use tokio::sync::broadcast;

/// Pictures that a slow viewer may be behind.
const VIDEO_QUEUE: usize = 32;
/// The rhythm of the link; a site sends no commands, so this only bounds its waits.
const BEAT: Span = Span::from_millis(20);

/// `telehand site`.
#[derive(Debug, clap::Args)]
pub struct SiteArgs {
    /// Its name on the link: that of its certificate
    #[arg(long)]
    id: String,
    /// Name of the hospital, in English
    #[arg(long, default_value = "")]
    name_en: String,
    /// Name of the hospital, in Chinese
    #[arg(long, default_value = "")]
    name_zh: String,
    /// Colour of everything that belongs to this site, as #rrggbb
    #[arg(long, default_value = "#2f6fb0", value_parser = colour)]
    colour: String,
    /// Seed of the patient and the devices
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The vertebrae of the simulated patient, as L2-L4
    #[arg(long, default_value = "L2-L4", value_parser = levels)]
    levels: (Level, Level),
    /// One network to listen on: [NAME@]ADDRESS:PORT. Give one for each network
    #[arg(long = "path", value_name = "[NAME@]LOCAL", required = true)]
    paths: Vec<PathSpec>,
    #[command(flatten)]
    station: StationArgs,
    /// The planner's DICOM address, which scans are pushed to
    #[arg(long, value_name = "ADDRESS:PORT")]
    push: SocketAddr,
    /// Folder for what must survive: the epoch, the record, the scans
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// How much faster than life the simulated devices run; the link and its holds never do
    #[arg(long, default_value_t = 1.0, value_parser = |text: &str| crate::within(text, 0.1, 20.0))]
    speed: f64,
    /// Scan in 0.5 mm voxels instead of 0.8 mm ones
    #[arg(long)]
    fine: bool,
    #[command(flatten)]
    doors: bridge::Doors,
    /// The surgeon whose signatures count: a name in the folder `trusted` of the keys
    #[arg(long, default_value = "surgeon")]
    surgeon: String,
}

/// What the threads of this process share.
pub struct Hall {
    /// Who the local team is.
    pub team: String,
    /// What the pages show, renewed by the core.
    pub state: Mutex<SiteState>,
    /// The scan that the plan is made on, for cuts.
    pub volume: Mutex<Option<Arc<Volume>>>,
    /// Where everything stands, until the camera takes it.
    pub room: Mutex<Option<Room>>,
    /// To the viewers of this process's page.
    pub video: broadcast::Sender<VideoMessage>,
    /// What the pictures are, once known.
    pub video_config: Mutex<Option<Value>>,
    orders: Mutex<Sender<Order>>,
    camera: Mutex<Sender<CameraNote>>,
    outbox: OnceLock<Outbox>,
    link: OnceLock<Handle>,
}

/// What other threads hand to the core.
pub enum Order {
    /// A button of the local team.
    Local {
        /// `{"action": ...}`.
        body: Value,
        /// To whoever waits.
        answer: Sender<Result<(), Denied>>,
    },
    /// The local team's hold-to-run button.
    Enable {
        /// When it was heard.
        at: Mono,
        /// Whether it is held.
        on: bool,
    },
    /// The desk far away.
    Desk {
        /// When it arrived.
        at: Mono,
        /// What it says.
        message: Message,
    },
    /// The planner.
    Planner(Box<wire::FromPlanner>),
    /// A session has begun.
    LinkUp {
        /// The name in the other side's certificate.
        surgeon: String,
    },
    /// The planner is silent.
    LinkGone,
    /// The push of a scan has ended.
    Pushed {
        /// Which series.
        uid: SeriesUid,
        /// What for.
        purpose: wire::Purpose,
        /// How many slices, or why not.
        outcome: Result<usize, String>,
    },
}

impl Hall {
    /// Hands something to the core.
    pub fn order(&self, order: Order) {
        // A core that died shows as a page that stands still; its robot holds.
        let _ = lock(&self.orders).send(order);
    }

    /// To the planner.
    pub fn send(&self, outgoing: Outgoing) {
        if let Some(outbox) = self.outbox.get() {
            outbox.send(outgoing);
        }
    }

    /// A viewer needs a picture that starts by itself.
    pub fn viewer_joins(&self) {
        if let Some(config) = lock(&self.video_config).as_ref() {
            self.send(Outgoing::Message(camera::video_message(config)));
        }
        let _ = lock(&self.camera).send(CameraNote::Join);
    }

    /// What the planner's receiver says of the pictures.
    pub fn picture_feedback(&self, bytes: Vec<u8>) {
        let _ = lock(&self.camera).send(CameraNote::Feedback(bytes));
    }

    /// How the link is.
    pub fn link_snapshot(&self) -> Option<Snapshot> {
        self.link.get().map(Handle::snapshot)
    }
}

/// Runs until it is told to stop.
pub fn run(args: &SiteArgs) -> Result<()> {
    let credentials = args.station.credentials(Role::Bedside)?;
    if credentials.own().name != args.id {
        bail!("the keys are those of {}, not of site {:?}", credentials.own(), args.id);
    }
    std::fs::create_dir_all(&args.state)
        .with_context(|| format!("cannot make {}", args.state.display()))?;
    let keys = crate::keys_cli::directory(args.station.keys.as_deref())?;
    let signer = Signer::load(&keys)?;
    let surgeon = Trusted::load(&keys, &args.surgeon)?;
    let (orders, order_inbox) = channel();
    let (camera, notes) = channel();
    let hall = Arc::new(Hall {
        team: format!("{} team", args.id),
        state: Mutex::default(),
        volume: Mutex::default(),
        room: Mutex::default(),
        video: broadcast::channel(VIDEO_QUEUE).0,
        video_config: Mutex::default(),
        orders: Mutex::new(orders),
        camera: Mutex::new(camera),
        outbox: OnceLock::new(),
        link: OnceLock::new(),
    });
    let setup = core::SiteSetup {
        id: args.id.clone(),
        name: Name { en: or_id(&args.name_en, &args.id), zh: or_id(&args.name_zh, &args.id) },
        colour: args.colour.clone(),
        seed: args.seed,
        levels: args.levels,
        speed: args.speed,
        fine: args.fine,
        push: args.push,
        folder: args.state.clone(),
        surgeon_name: args.surgeon.clone(),
        surgeon,
        signer,
        publisher: args.doors.open()?,
    };
    let core = core::Core::new(hall.clone(), setup)?;
    let config =
        Config { beat: Some(BEAT), realtime: None, ..Config::new(credentials, args.paths.clone()) };
    let link = Driver::spawn(config, endpoint::SiteEnd::new(hall.clone()))?;
    let _ = hall.outbox.set(link.outbox());
    let _ = hall.link.set(link);
    std::thread::Builder::new().name("core".into()).spawn(move || core.run(&order_inbox))?;
    let filming = hall.clone();
    std::thread::Builder::new().name("camera".into()).spawn(move || {
        if let Err(error) = camera::run(&filming, &notes) {
            eprintln!("telehand site: the camera stopped: {error:#}");
        }
    })?;
    let told = crate::net_words::tell("site", || hall.link_snapshot());
    args.station.serve_until("site", Arc::new(page::Page::new(hall.clone())), told)
}

fn or_id(name: &str, id: &str) -> String {
    if name.is_empty() { id.to_owned() } else { name.to_owned() }
}

fn colour(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix('#').unwrap_or_default();
    if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is no colour; write it as #2f6fb0"))
}

fn levels(text: &str) -> Result<(Level, Level), String> {
    let level = |name: &str| Level::ALL.into_iter().find(|level| level.to_string() == name);
    let found = text.split_once('-').and_then(|(from, to)| Some((level(from)?, level(to)?)));
    found.filter(|(from, to)| from <= to && *to <= Level::L5).ok_or_else(|| {
        format!("{text:?} is no chain of vertebrae from T1 to L5; write it as L2-L4")
    })
}
