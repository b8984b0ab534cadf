//! The alliance on a store: one thread decides and writes in groups, everybody reads what is
//! committed.
//!
//! The thread has a state of its own, ahead of the one that is read by the group it is writing.
//! Answers go out after the group is on disk.

use super::engine::{Committed, Engine, Later, Request, Undecided};
use super::log::LogSource;
use crate::clock;
use crate::identity::signing::SigningKey;
use crate::identity::vault::{Change, Vault};
use crate::store::{
    Answer, Batch, Checkpoint as Kept, Entry, Epoch, Object, ObjectChange, SlotChange, SlotRow,
    Store, StoreError, Tile as Whole,
};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use telehand_alliance::apply::apply;
use telehand_alliance::cbor;
use telehand_alliance::command::{Command, Context};
use telehand_alliance::decide::decide;
use telehand_alliance::entity::booking::Claim;
use telehand_alliance::event::{Event, Stamped};
use telehand_alliance::log::{
    Checkpoint, Hash, KeyKind, PublicKey, SignedCheckpoint, TILE_HASHES, Tile, TileHashes,
    TileSource, Tree, VerifierKey, leaf_hash, proof,
};
use telehand_alliance::state::Alliance;
use tokio::sync::{oneshot, watch};

/// Commands written in one transaction at most.
const GROUP: usize = 256;
/// Commands that may wait; more are told to come again.
const WAITING: usize = 8192;
/// Events read at once while the state is loaded.
const PAGE: usize = 4096;

enum Job {
    Command(Box<Ask>),
    Objects(Vec<Change>, SyncSender<Result<(), String>>),
    Note(Box<Kept>, SyncSender<Result<(), String>>),
}

struct Ask {
    context: Context,
    command: Command,
    request: Option<Request>,
    reply: oneshot::Sender<Result<Committed, Undecided>>,
}

/// The alliance on a store.
pub struct Ledger {
    store: Arc<dyn Store>,
    state: Arc<RwLock<Alliance>>,
    jobs: Mutex<Option<SyncSender<Job>>>,
    seq: watch::Sender<u64>,
    key: Arc<SigningKey>,
    origin: String,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Ledger {
    /// Becomes the store's leader and loads the alliance. `origin` names the log.
    ///
    /// # Errors
    /// When another hub leads, or the store holds what cannot be replayed.
    pub fn open(
        store: Arc<dyn Store>,
        key: Arc<SigningKey>,
        origin: &str,
    ) -> anyhow::Result<Arc<Self>> {
        let epoch = store.lead(&format!("telehand-hub {}", std::process::id()))?;
        let mut state = Alliance::new();
        loop {
            let entries = store.entries(state.seq(), PAGE)?;
            if entries.is_empty() {
                break;
            }
            for entry in entries {
                let stamped: Stamped = cbor::from_slice(&entry.body)?;
                apply(&mut state, &stamped).map_err(|error| anyhow::anyhow!("{error}"))?;
            }
        }
        let (seq, _) = watch::channel(state.seq());
        let shared = Arc::new(RwLock::new(state.clone()));
        let (sender, jobs) = sync_channel(WAITING);
        let levels = partial_tiles(&*store, state.seq())?;
        let writer = Writer {
            store: store.clone(),
            epoch,
            state,
            shared: shared.clone(),
            seq: seq.clone(),
            levels,
        };
        let thread =
            std::thread::Builder::new().name("ledger".into()).spawn(move || writer.run(&jobs))?;
        Ok(Arc::new(Self {
            store,
            state: shared,
            jobs: Mutex::new(Some(sender)),
            seq,
            key,
            origin: origin.to_owned(),
            thread: Mutex::new(Some(thread)),
        }))
    }

    /// Finishes what waits, then stops.
    pub fn close(&self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic of the writer has been told by the panic hook already.
            let _ = thread.join();
        }
    }

    fn send(&self, job: Job) -> Result<(), &'static str> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(jobs) = jobs.as_ref() else { return Err("the hub is stopping") };
        jobs.try_send(job).map_err(|_| "too much is waiting to be written")
    }

    /// Signs a checkpoint over everything committed, if there is something new. Called each second.
    ///
    /// # Errors
    /// When the log cannot be read or written.
    pub fn sign_checkpoint(&self) -> anyhow::Result<()> {
        let size = *self.seq.borrow();
        let known = self.store.checkpoint(u64::MAX)?;
        if size == 0 || known.is_some_and(|known| known.size == size) {
            return Ok(());
        }
        let root = proof::root_at(&TileHashes::new(self), size)?;
        let checkpoint = Checkpoint { origin: self.origin.clone(), size, root };
        let note = checkpoint.sign(&*self.key)?.to_string().into_bytes();
        self.note(Kept { size, root: root.0, note, at_us: clock::now_us() })
    }

    fn note(&self, kept: Kept) -> anyhow::Result<()> {
        let (reply, answer) = sync_channel(1);
        self.send(Job::Note(Box::new(kept), reply)).map_err(anyhow::Error::msg)?;
        answer.recv()?.map_err(anyhow::Error::msg)
    }
}

impl Engine for Ledger {
    fn look(&self, at: &mut dyn FnMut(&Alliance)) {
        at(&self.state.read().unwrap_or_else(PoisonError::into_inner));
    }

    fn submit(
        &self,
        context: Context,
        command: Command,
        request: Option<Request>,
    ) -> Later<Result<Committed, Undecided>> {
        let (reply, answer) = oneshot::channel();
        let sent = self.send(Job::Command(Box::new(Ask { context, command, request, reply })));
        Box::pin(async move {
            sent.map_err(|reason| Undecided::Unavailable { reason: reason.into() })?;
            answer.await.unwrap_or_else(|_| {
                Err(Undecided::Unavailable { reason: "the writer stopped".into() })
            })
        })
    }

    fn events(&self, after: u64, limit: usize) -> anyhow::Result<Vec<Stamped>> {
        let entries = self.store.entries(after, limit)?;
        entries.iter().map(|entry| Ok(cbor::from_slice(&entry.body)?)).collect()
    }

    fn follow(&self) -> watch::Receiver<u64> {
        self.seq.subscribe()
    }
}

impl Vault for Ledger {
    fn all(&self, space: &'static str) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let mut found: Vec<(String, Vec<u8>)> = Vec::new();
        loop {
            let after = found.last().map(|(key, _)| key.clone()).unwrap_or_default();
            let page = self.store.objects(space, &after, PAGE)?;
            if page.is_empty() {
                return Ok(found);
            }
            found.extend(page.into_iter().map(|object| (object.key, object.body)));
        }
    }

    fn write(&self, changes: Vec<Change>) -> anyhow::Result<()> {
        let (reply, answer) = sync_channel(1);
        self.send(Job::Objects(changes, reply)).map_err(anyhow::Error::msg)?;
        answer.recv()?.map_err(anyhow::Error::msg)
    }
}

impl TileSource for Ledger {
    fn tile(&self, level: u8, index: u64) -> Option<Tile> {
        if let Some(whole) = self.store.tile(level, index).ok()? {
            return Tile::from_bytes(&whole.hashes);
        }
        let from = index.checked_mul(TILE_HASHES as u64)?;
        let until = *self.seq.borrow() >> (8 * u32::from(level).min(7));
        let until = until.min(from.checked_add(TILE_HASHES as u64)?);
        let hashes = row(&*self.store, level, from, until).ok()?;
        Tile::new(hashes)
    }
}

impl LogSource for Ledger {
    fn checkpoint(&self) -> anyhow::Result<Option<(u64, Vec<u8>)>> {
        Ok(self.store.checkpoint(u64::MAX)?.map(|kept| (kept.size, kept.note)))
    }

    fn leaf(&self, index: u64) -> anyhow::Result<Option<Hash>> {
        Ok(self.store.leaves(index, index.saturating_add(1))?.first().copied().map(Hash))
    }

    fn cosign(&self, note: Vec<u8>) -> anyhow::Result<()> {
        let signed = SignedCheckpoint::parse(&note)?;
        let Checkpoint { size, root, .. } = *signed.checkpoint();
        self.note(Kept { size, root: root.0, note, at_us: clock::now_us() })
    }

    fn key(&self) -> anyhow::Result<VerifierKey> {
        Ok(VerifierKey::new(&self.origin, KeyKind::Author, PublicKey::new(self.key.public()))?)
    }
}

/// Hashes `from..until` of a tile level.
fn row(store: &dyn Store, level: u8, from: u64, until: u64) -> Result<Vec<Hash>, StoreError> {
    if until <= from {
        return Ok(Vec::new());
    }
    let hashes = match level.checked_sub(1) {
        None => store.leaves(from, until)?,
        Some(below) => store.tile_roots(below, from, until)?,
    };
    Ok(hashes.into_iter().map(Hash).collect())
}

/// The tiles that are not whole yet, by level.
fn partial_tiles(store: &dyn Store, leaves: u64) -> anyhow::Result<Vec<(u64, Vec<Hash>)>> {
    let mut levels = Vec::new();
    let mut count = leaves;
    for level in 0..8 {
        if count == 0 {
            break;
        }
        let index = count / TILE_HASHES as u64;
        let hashes = row(store, level, index * TILE_HASHES as u64, count)?;
        levels.push((index, hashes));
        count = index;
    }
    Ok(levels)
}

struct Writer {
    store: Arc<dyn Store>,
    epoch: Epoch,
    /// Ahead of what is read by the group that is being written.
    state: Alliance,
    shared: Arc<RwLock<Alliance>>,
    seq: watch::Sender<u64>,
    levels: Vec<(u64, Vec<Hash>)>,
}

type Reply = (oneshot::Sender<Result<Committed, Undecided>>, Committed);

impl Writer {
    fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut group = vec![first];
            while group.len() < GROUP
                && let Ok(job) = jobs.try_recv()
            {
                group.push(job);
            }
            if !self.write(group) {
                // Somebody else leads, or the disk is gone: what waits is told so by its channel.
                return;
            }
        }
    }

    /// Writes one group; false when this hub must not write any more.
    fn write(&mut self, group: Vec<Job>) -> bool {
        let mut batch = Batch::after(self.state.seq());
        let mut replies: Vec<Reply> = Vec::new();
        let mut plain = Vec::new();
        let mut events = Vec::new();
        let known = match self.known(&group) {
            Ok(known) => known,
            Err(error) => {
                eprintln!("telehand hub: the store cannot be read: {error}");
                return false;
            }
        };
        let mut answered = known;
        for job in group {
            match job {
                Job::Objects(changes, reply) => {
                    batch.objects.extend(changes.into_iter().map(object));
                    plain.push(reply);
                }
                Job::Note(kept, reply) => {
                    batch.checkpoints.push(*kept);
                    plain.push(reply);
                }
                Job::Command(ask) => {
                    self.judge(*ask, &mut batch, &mut events, &mut answered, &mut replies);
                }
            }
        }
        let outcome = if batch.is_empty() { Ok(()) } else { self.store.append(self.epoch, &batch) };
        let outcome = outcome.or_else(|error| match (&error, self.store.head()) {
            // The connection broke, and the transaction had come through.
            (StoreError::Database { .. }, Ok(head))
                if !batch.entries.is_empty() && head.seq == batch.last() =>
            {
                Ok(())
            }
            _ => Err(error),
        });
        match outcome {
            Ok(()) => self.publish(&events, replies, plain),
            Err(error) => {
                eprintln!("telehand hub: nothing is written any more: {error}");
                let reason = error.to_string();
                for (reply, _) in replies {
                    let _ = reply.send(Err(Undecided::Unavailable { reason: reason.clone() }));
                }
                for reply in plain {
                    let _ = reply.send(Err(reason.clone()));
                }
                return false;
            }
        }
        true
    }

    fn publish(
        &self,
        events: &[Stamped],
        replies: Vec<Reply>,
        plain: Vec<SyncSender<Result<(), String>>>,
    ) {
        if !events.is_empty() {
            let mut shared = self.shared.write().unwrap_or_else(PoisonError::into_inner);
            for stamped in events {
                // The writer's own state took the same events in the same order.
                let _ = apply(&mut shared, stamped);
            }
            drop(shared);
            self.seq.send_replace(self.state.seq());
        }
        for (reply, committed) in replies {
            let _ = reply.send(Ok(committed));
        }
        for reply in plain {
            let _ = reply.send(Ok(()));
        }
    }

    fn known(&self, group: &[Job]) -> Result<BTreeMap<[u8; 32], Answer>, StoreError> {
        let names: Vec<_> = group
            .iter()
            .filter_map(|job| match job {
                Job::Command(ask) => ask.request.map(|request| request.name),
                _ => None,
            })
            .collect();
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let found = self.store.answers(&names)?;
        Ok(found.into_iter().map(|answer| (answer.request, answer)).collect())
    }

    fn judge(
        &mut self,
        ask: Ask,
        batch: &mut Batch,
        events: &mut Vec<Stamped>,
        answered: &mut BTreeMap<[u8; 32], Answer>,
        replies: &mut Vec<Reply>,
    ) {
        let Ask { context, command, request, reply } = ask;
        if let Some(request) = request
            && let Some(known) = answered.get(&request.name)
        {
            if known.body != request.body {
                let _ = reply.send(Err(Undecided::KeyReused));
                return;
            }
            let seq = if known.count == 0 { known.first } else { known.first + known.count - 1 };
            // An answer of this very group counts only once the group is on disk.
            replies.push((reply, Committed { seq, events: known.count, repeated: true }));
            return;
        }
        let decided = match decide(&self.state, &context, &command) {
            Ok(decided) => decided,
            Err(refusal) => {
                let _ = reply.send(Err(Undecided::Refused(refusal)));
                return;
            }
        };
        let follows = self.state.seq();
        let count = decided.len() as u64;
        for event in decided {
            let stamped = Stamped {
                seq: self.state.seq() + 1,
                at: context.now,
                actor: context.actor.clone(),
                reason: context.reason.clone(),
                event,
            };
            if let Err(reason) = self.take(&stamped, batch) {
                // What is decided applies, and every event has a form: anything else is a bug.
                panic!("event {} cannot be taken: {reason}", stamped.seq);
            }
            events.push(stamped);
        }
        if let Some(request) = request {
            let first = if count == 0 { follows } else { follows + 1 };
            let answer = Answer {
                request: request.name,
                body: request.body,
                first,
                count,
                at_us: context.now.0,
            };
            batch.answers.push(answer.clone());
            answered.insert(request.name, answer);
        }
        replies.push((reply, Committed { seq: self.state.seq(), events: count, repeated: false }));
    }

    fn take(&mut self, stamped: &Stamped, batch: &mut Batch) -> Result<(), String> {
        let body = cbor::to_vec(stamped).map_err(|error| error.to_string())?;
        let leaf = leaf_hash(&body);
        slots(&self.state, &stamped.event, &mut batch.slots);
        apply(&mut self.state, stamped).map_err(|error| error.to_string())?;
        self.push(leaf, batch);
        batch.entries.push(Entry {
            seq: stamped.seq,
            at_us: stamped.at.0,
            org: stamped.actor.org.to_string(),
            body,
            leaf: leaf.0,
        });
        Ok(())
    }

    /// Adds a leaf; tiles that become whole go into the batch.
    fn push(&mut self, leaf: Hash, batch: &mut Batch) {
        let mut hash = leaf;
        for level in 0.. {
            if self.levels.len() <= level {
                self.levels.push((0, Vec::new()));
            }
            let Some((index, row)) = self.levels.get_mut(level) else { return };
            row.push(hash);
            if row.len() < TILE_HASHES {
                return;
            }
            let Some(tile) = Tile::new(std::mem::take(row)) else { return };
            let mut tree = Tree::default();
            tile.hashes().iter().for_each(|hash| tree.push(*hash));
            let root = tree.root();
            let level = u8::try_from(level).unwrap_or(u8::MAX);
            batch.tiles.push(Whole { level, index: *index, hashes: tile.to_bytes(), root: root.0 });
            *index += 1;
            hash = root;
        }
    }
}

/// What an event does to the slots, asked of the state before it.
fn slots(state: &Alliance, event: &Event, changes: &mut Vec<SlotChange>) {
    let release = |booking: String| SlotChange::Release { booking };
    match event {
        Event::Held(hold) => claim(&hold.claims, &hold.id.to_string(), changes),
        Event::HoldReleased { hold } => changes.push(release(hold.to_string())),
        Event::Booked(booking) => {
            let name = booking.id.to_string();
            changes.push(release(name.clone()));
            claim(&booking.claims, &name, changes);
        }
        Event::BookingMoved { booking, claims, .. } => {
            changes.push(release(booking.to_string()));
            claim(claims, &booking.to_string(), changes);
        }
        Event::BookingCancelled { booking } => changes.push(release(booking.to_string())),
        Event::CaseClosed { case, .. } | Event::CaseWithdrawn { case } => {
            let Some(case) = state.case(case) else { return };
            let names = case.holds.iter().chain(&case.booking);
            changes.extend(names.map(|name| release(name.to_string())));
        }
        _ => {}
    }
}

fn claim(claims: &[Claim], booking: &str, changes: &mut Vec<SlotChange>) {
    for claim in claims {
        let resource = claim.resource.to_string();
        changes.extend(claim.slots.iter().map(|slot| {
            SlotChange::Claim(SlotRow {
                resource: resource.clone(),
                slot: slot.0,
                booking: booking.to_owned(),
            })
        }));
    }
}

fn object(change: Change) -> ObjectChange {
    let Change { space, key, body, expires_us } = change;
    match body {
        Some(body) => ObjectChange::Put(Object { space: space.into(), key, body, expires_us }),
        None => ObjectChange::Remove { space: space.into(), key },
    }
}
