//! What the rows hold, in the store's own words: nothing here knows what a case or a robot is.

use std::collections::BTreeMap;

use super::StoreError;

/// A SHA-256 hash.
pub type Digest = [u8; 32];

/// One event, as it is written and as it is replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Counts the events of the alliance from 1.
    pub seq: u64,
    /// When, in microseconds since 1970 in UTC.
    pub at_us: i64,
    /// The organisation that acted.
    pub org: String,
    /// The leaf of the log: deterministic CBOR of the stamped event.
    pub body: Vec<u8>,
    /// Its leaf hash (RFC 9162, section 2.1.1).
    pub leaf: Digest,
}

/// Names one document. The organisation leads: no query goes without it by accident.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentKey {
    /// The organisation that owns it.
    pub org: String,
    /// What it is: `case`, `robot`, `person`.
    pub kind: String,
    /// Its id.
    pub id: String,
}

impl DocumentKey {
    /// Names one document.
    pub fn new(org: impl Into<String>, kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self { org: org.into(), kind: kind.into(), id: id.into() }
    }
}

/// One entity as pages read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its name.
    pub key: DocumentKey,
    /// The case it belongs to, or nothing.
    pub case: String,
    /// The number of the event that changed it last: what `If-Match` compares.
    pub version: u64,
    /// JSON.
    pub body: String,
}

/// Which documents, in order of kind, id and organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Of this organisation only.
    pub org: Option<String>,
    /// Of this kind.
    pub kind: String,
    /// Of this case only.
    pub case: Option<String>,
    /// After this id: the cursor.
    pub after: String,
    /// At most so many.
    pub limit: usize,
}

/// What happens to the slots of a booking or hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlotChange {
    /// Takes one slot of one resource.
    Claim(SlotRow),
    /// Gives back all slots of a booking.
    Release {
        /// The booking or hold.
        booking: String,
    },
}

/// One slot of one resource, taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotRow {
    /// A person, room, robot, console or path.
    pub resource: String,
    /// Counts 15 minutes since 1970-01-01T00:00Z.
    pub slot: u32,
    /// The booking or hold that took it.
    pub booking: String,
}

/// That a request was answered, and by which events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Hash of the organisation, the person and the idempotency key.
    pub request: Digest,
    /// Hash of what was asked: another question under the same key is refused.
    pub body: Digest,
    /// The first event that the request made; with `count` 0 the event after which it was decided.
    pub first: u64,
    /// How many events it made.
    pub count: u64,
    /// When.
    pub at_us: i64,
}

/// A whole tile of the log (C2SP tlog-tiles): 256 hashes of one level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// 0: leaves.
    pub level: u8,
    /// Counts the tiles of its level from 0.
    pub index: u64,
    /// 256 hashes of 32 bytes.
    pub hashes: Vec<u8>,
    /// Root of these 256: one hash of the level above.
    pub root: Digest,
}

/// A signed statement of the log's size and root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Leaves.
    pub size: u64,
    /// Root over them.
    pub root: Digest,
    /// The signed note, with the witnesses' signatures as they come in.
    pub note: Vec<u8>,
    /// When, in microseconds since 1970 in UTC.
    pub at_us: i64,
}

/// An opaque object of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it is: `session`, `credential`.
    pub space: String,
    /// Its name in the space.
    pub key: String,
    /// Whatever the server put there.
    pub body: Vec<u8>,
    /// Forgotten after this moment (microseconds since 1970 in UTC); 0: never.
    pub expires_us: i64,
}

/// What happens to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectChange {
    /// Writes it, whatever was there.
    Put(Object),
    /// Removes it, if it is there.
    Remove {
        /// The space.
        space: String,
        /// The name.
        key: String,
    },
}

/// Where the database stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The last event's number; 0: none.
    pub seq: u64,
    /// The leader's epoch; 0: nobody ever led.
    pub epoch: u64,
    /// How often the leader has said that it is alive.
    pub beats: u64,
    /// What the leader calls itself.
    pub holder: String,
}

/// The bookings that give their slots back, and the slots that are taken at the end, by whom.
pub(crate) type NetSlots<'a> = (Vec<&'a str>, BTreeMap<(&'a str, u32), &'a str>);

/// What one transaction writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// The event before the first of the batch.
    pub follows: u64,
    /// Events, numbered on from `follows`.
    pub entries: Vec<Entry>,
    /// Documents that changed (`None`: gone), each with its last value.
    pub documents: BTreeMap<DocumentKey, Option<Document>>,
    /// Slots, in the order of the events.
    pub slots: Vec<SlotChange>,
    /// Answers given.
    pub answers: Vec<Answer>,
    /// Tiles that became whole.
    pub tiles: Vec<Tile>,
    /// A checkpoint, or one with more signatures.
    pub checkpoints: Vec<Checkpoint>,
    /// The server's objects, in order.
    pub objects: Vec<ObjectChange>,
}

impl Batch {
    /// A batch after the given event.
    pub fn after(follows: u64) -> Self {
        Self { follows, ..Self::default() }
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.documents.is_empty()
            && self.slots.is_empty()
            && self.answers.is_empty()
            && self.tiles.is_empty()
            && self.checkpoints.is_empty()
            && self.objects.is_empty()
    }

    /// The last event's number once this batch is written.
    pub fn last(&self) -> u64 {
        self.entries.last().map_or(self.follows, |entry| entry.seq)
    }

    /// Which bookings give their slots back, and which slots are taken at the end.
    ///
    /// Errors: [`StoreError::Taken`] when the batch takes a slot twice.
    pub(crate) fn net_slots(&self) -> Result<NetSlots<'_>, StoreError> {
        let mut released = Vec::new();
        let mut taken: BTreeMap<(&str, u32), &str> = BTreeMap::new();
        for change in &self.slots {
            match change {
                SlotChange::Release { booking } => {
                    taken.retain(|_, by| by != booking);
                    released.push(booking.as_str());
                }
                SlotChange::Claim(row) => {
                    if taken.insert((&row.resource, row.slot), &row.booking).is_some() {
                        return Err(StoreError::Taken {
                            resource: row.resource.clone(),
                            slot: row.slot,
                        });
                    }
                }
            }
        }
        Ok((released, taken))
    }
}
