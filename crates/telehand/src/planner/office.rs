//! What the threads of the planner share: the desk, and one room for each site.

use super::analysis::Analysis;
use super::expert::{Expert, SECOND, SURGEON};
use super::signature::{Signer, Trusted};
use super::state::{SeriesState, SiteState, Verification};
use super::workup::Workup;
use crate::http::VideoMessage;
use crate::net::{Handle, Outgoing, Snapshot};
use crate::site::wire::{self, FromPlanner, Pulse, Purpose, Refused, SurgeonAct};
use crate::{clock, lock};
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use telehand_bridge::dicom::Origin;
use telehand_ortho::authority::{Message, limits};
use telehand_ortho::case::{PersonId, SiteId};
use telehand_ortho::plan::{Role, Verify};
use telehand_ortho::register::Tre;
use telehand_ortho::{RegistrationId, ScrewId, SeriesUid, Volume};
use telehand_vocab::space::{Image, Reference};
use telehand_vocab::{Mono, Pose, Quat, Vec3};
use tokio::sync::broadcast;

/// Pictures that a slow viewer may be behind.
const VIDEO_QUEUE: usize = 32;
/// Longest wait for a site's answer to a button.
const ANSWER_WAIT: Duration = Duration::from_millis(2_500);

/// The planner.
pub struct Office {
    /// The surgeon's name.
    pub surgeon: String,
    /// The surgeon's key.
    pub signer: Signer,
    /// Who sits here, the surgeon first.
    experts: Vec<Expert>,
    /// Where reports go.
    pub folder: PathBuf,
    rooms: Vec<Arc<Room>>,
    keys: Keys,
}

/// The public keys that count.
pub struct Keys {
    own: [u8; 32],
    surgeon: String,
    sites: BTreeMap<String, Trusted>,
}

impl Verify for Keys {
    fn verify(&self, role: Role, name: &str, statement: &[u8], signature: &[u8]) -> bool {
        match role {
            Role::Remote => {
                name == self.surgeon && Trusted::from(self.own).verifies(statement, signature)
            }
            Role::Local => {
                self.sites.get(name).is_some_and(|key| key.verifies(statement, signature))
            }
        }
    }
}

/// How image and patient are tied at a site, as far as the planner needs it.
#[derive(Debug, Clone)]
pub struct Registered {
    /// Which.
    pub id: RegistrationId,
    /// On which series.
    pub series: SeriesUid,
    /// What predicts errors.
    pub tre: Option<Tre>,
    /// The balls it rests on: their numbers on the plate, and their places in frame Image, metres.
    pub fiducials: Vec<(usize, Vec3)>,
    /// Where the patient reference is in the image; `None` when what was told is no pose.
    pub image_from_reference: Option<Pose<Image, Reference>>,
}

impl Registered {
    /// From what the site says ([`wire::FromSite::Registered`]), in its units.
    pub fn told(
        id: RegistrationId,
        series: SeriesUid,
        fiducials_mm: &[(usize, [f64; 3])],
        fle_mm: f64,
        ([w, x, y, z], reference_mm): ([f64; 4], [f64; 3]),
    ) -> Self {
        let metres = |mm: [f64; 3]| Vec3::from_array(mm) * 1e-3;
        let fiducials: Vec<(usize, Vec3)> =
            fiducials_mm.iter().map(|(ball, mm)| (*ball, metres(*mm))).collect();
        let points: Vec<Vec3> = fiducials.iter().map(|(_, at)| *at).collect();
        let at = metres(reference_mm);
        let turned = Quat::new(w, x, y, z).filter(|_| at.is_finite());
        Self {
            id,
            series,
            tre: Tre::new(&points, fle_mm * 1e-3),
            fiducials,
            image_from_reference: turned.map(|turned| Pose::new(turned, at)),
        }
    }
}

/// What a site last said.
#[derive(Debug, Default)]
pub struct Heard {
    /// Everything a page shows of it.
    pub state: Option<SiteState>,
    /// When.
    pub at: Mono,
    /// Its heartbeat.
    pub pulse: Option<Pulse>,
}

/// One site's room in the planner.
pub struct Room {
    /// Its identity.
    pub id: String,
    /// The same as a number.
    pub number: SiteId,
    /// What it last said.
    pub heard: Mutex<Heard>,
    /// The patient as the planner knows him.
    pub workup: Mutex<Workup>,
    /// The registration in force.
    pub registered: Mutex<Option<Registered>>,
    /// What the site says of each screw.
    pub placed: Mutex<BTreeMap<ScrewId, String>>,
    /// How each came to lie.
    pub lines: Mutex<BTreeMap<ScrewId, Verification>>,
    /// What was found about the newest plan.
    pub analysis: Mutex<Arc<Analysis>>,
    /// Series that were announced and not yet read, and what for.
    pub expected: Mutex<BTreeMap<SeriesUid, (usize, Purpose)>>,
    /// Series that were read.
    pub read: Mutex<BTreeSet<SeriesUid>>,
    /// What the planning series says of patient and study, and its Frame of Reference UID.
    pub origin: Mutex<Option<(Origin, String)>>,
    /// The last control scan of screws.
    pub last: Mutex<Option<Arc<Volume>>>,
    /// The report, once written.
    pub report: Mutex<Option<String>>,
    /// To the viewers of its camera.
    pub video: broadcast::Sender<VideoMessage>,
    /// What its pictures are.
    pub video_config: Mutex<Option<Value>>,
    /// A viewer waits for a picture that starts by itself.
    pub join: AtomicBool,
    /// Its folder on disk.
    pub folder: PathBuf,
    link: OnceLock<Handle>,
    next: AtomicU64,
    shown: Mutex<Option<SeriesState>>,
    waiting: Mutex<BTreeMap<u64, Sender<Option<Refused>>>>,
}

impl Office {
    /// Opens every site's room; what was on disk is there again.
    pub fn open(
        surgeon: String,
        second: Option<String>,
        keys: &Path,
        folder: &Path,
        sites: &[String],
    ) -> Result<Self> {
        let signer = Signer::load(keys)?;
        let trusted = sites.iter().map(|id| Ok((id.clone(), Trusted::load(keys, id)?)));
        let trusted: BTreeMap<_, _> = trusted.collect::<Result<_>>()?;
        let rooms = sites
            .iter()
            .map(|id| Ok(Arc::new(Room::open(id, &folder.join(id))?)))
            .collect::<Result<_>>()?;
        let mut experts = vec![Expert::new(surgeon.clone(), SURGEON)];
        experts.extend(second.map(|name| Expert::new(name, SECOND)));
        let own = signer.public();
        Ok(Self {
            keys: Keys { own, surgeon: surgeon.clone(), sites: trusted },
            surgeon,
            signer,
            experts,
            folder: folder.to_owned(),
            rooms,
        })
    }

    /// Every site, in the order of the command line.
    pub fn sites(&self) -> &[Arc<Room>] {
        &self.rooms
    }

    /// The site called so.
    pub fn site(&self, id: &str) -> Option<&Arc<Room>> {
        self.rooms.iter().find(|room| room.id == id)
    }

    /// The public keys that count.
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The site with this number.
    pub fn numbered(&self, number: SiteId) -> Option<&Arc<Room>> {
        self.rooms.iter().find(|room| room.number == number)
    }

    /// Who sits here, the surgeon first.
    pub fn experts(&self) -> &[Expert] {
        &self.experts
    }

    /// Renews the leases that are held, whatever is looked at.
    pub fn look_after_leases(&self) {
        for expert in &self.experts {
            let message = lock(&expert.desk).renew(clock::now());
            self.say(message.as_slice());
        }
    }

    /// Sends what the desk says to the site it is for. To a site that has not spoken lately nothing
    /// is sent: it would only refuse it for its age.
    pub fn say(&self, messages: &[Message]) {
        let Some(first) = messages.first() else { return };
        let Some(room) = self.numbered(first.envelope.site) else { return };
        if clock::now().since(lock(&room.heard).at) > limits::ROUND_TRIP {
            return;
        }
        let mut bytes = vec![wire::DESK];
        bytes.extend(messages.iter().flat_map(Message::encode));
        room.send(Outgoing::Message(bytes));
    }
}

impl Room {
    fn open(id: &str, folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        let workup = Workup::open(&folder.join("plan.jsonl"))?;
        Ok(Self {
            id: id.to_owned(),
            number: SiteId(crate::site::number(id)),
            heard: Mutex::default(),
            workup: Mutex::new(workup),
            registered: Mutex::default(),
            placed: Mutex::default(),
            lines: Mutex::default(),
            analysis: Mutex::default(),
            expected: Mutex::default(),
            read: Mutex::default(),
            origin: Mutex::default(),
            last: Mutex::default(),
            report: Mutex::default(),
            video: broadcast::channel(VIDEO_QUEUE).0,
            video_config: Mutex::default(),
            join: AtomicBool::new(false),
            folder: folder.to_owned(),
            link: OnceLock::new(),
            next: AtomicU64::new(1),
            shown: Mutex::default(),
            waiting: Mutex::default(),
        })
    }

    /// Its link is there.
    pub fn joined(&self, link: Handle) {
        let _ = self.link.set(link);
    }

    /// How its link is.
    pub fn link_snapshot(&self) -> Option<Snapshot> {
        self.link.get().map(Handle::snapshot)
    }

    /// To the site.
    pub fn send(&self, outgoing: Outgoing) {
        if let Some(link) = self.link.get() {
            link.send(outgoing);
        }
    }

    /// To the site, reliably.
    pub fn tell(&self, message: &FromPlanner) {
        if let Ok(bytes) = wire::encode(message) {
            self.send(Outgoing::Message(bytes));
        }
    }

    /// Presses a button at the site and waits for what it says.
    pub fn ask(&self, person: PersonId, act: SurgeonAct) -> Result<(), Refused> {
        let (sender, receiver) = channel();
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.waiting).insert(id, sender);
        self.tell(&FromPlanner::Act { id, person: person.0, act });
        let answer = receiver.recv_timeout(ANSWER_WAIT);
        lock(&self.waiting).remove(&id);
        match answer {
            Ok(None) => Ok(()),
            Ok(Some(refused)) => Err(refused),
            Err(_) => Err(Refused {
                id: "site-silent".into(),
                message: format!("{} does not answer. Nothing was done there.", self.id),
                value: None,
                limit: None,
                unit: Box::default(),
                clears: "Wait for the line, or call the site.".into(),
            }),
        }
    }

    /// The site's answer to a button.
    pub fn answered(&self, id: u64, refusal: Option<Refused>) {
        if let Some(sender) = lock(&self.waiting).remove(&id) {
            let _ = sender.send(refusal);
        }
    }

    /// Sends the newest plan, what was found about it, and the surgeon's signature if there is one.
    pub fn send_plan(&self) {
        let workup = lock(&self.workup);
        let Some(chart) = workup.chart() else { return };
        let plan = chart.plan().clone();
        let signature = chart.signature(Role::Remote).cloned();
        drop(workup);
        let analysis = lock(&self.analysis);
        let found = analysis.findings();
        let judged = if analysis.hash == Some(plan.hash()) {
            analysis.screws.values().cloned().collect()
        } else {
            Vec::new()
        };
        drop(analysis);
        self.tell(&FromPlanner::Plan { plan, found, judged, signature });
    }

    /// Looks at the newest plan again.
    pub fn analyse(&self) {
        let registered = lock(&self.registered).clone();
        let workup = lock(&self.workup);
        let fresh = Analysis::of(&workup, registered.as_ref().and_then(|made| made.tre.as_ref()));
        drop(workup);
        *lock(&self.analysis) = Arc::new(fresh);
    }

    /// A series as the page sees it; its voxels are looked through once.
    pub fn series(&self, volume: &Volume) -> SeriesState {
        let mut shown = lock(&self.shown);
        match shown.as_ref().filter(|shown| shown.uid == volume.series.as_str()) {
            Some(shown) => shown.clone(),
            None => shown.insert(super::view::series(volume)).clone(),
        }
    }
}
