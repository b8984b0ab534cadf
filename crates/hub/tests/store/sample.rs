//! Stores to test, and batches whose every byte follows from their number.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sha2::{Digest as _, Sha256};
use telehand_hub::store::{
    Answer, Batch, Digest, Document, DocumentKey, Entry, Settings, SlotChange, SlotRow, Store, open,
};

/// A fresh address of each kind of store. The directory lives as long as the value.
pub struct Place {
    pub address: String,
    dir: Option<std::path::PathBuf>,
}

impl Place {
    pub fn open(&self) -> Arc<dyn Store> {
        open(&self.address, &Settings::default()).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(dir) = &self.dir {
            let _ = std::fs::remove_dir_all(dir);
        }
    }
}

pub fn sqlite() -> Place {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let dir = std::env::temp_dir().join(format!("telehand-store-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    Place { address: dir.join("hub.sqlite").display().to_string(), dir: Some(dir) }
}

#[cfg(feature = "postgres")]
pub fn postgres() -> Place {
    Place { address: super::server::database(), dir: None }
}

pub fn digest(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

pub fn entry(seq: u64) -> Entry {
    let body = format!("event {seq} ").repeat(1 + (seq % 40) as usize).into_bytes();
    let leaf = digest(&body);
    Entry { seq, at_us: 1_000_000 + seq as i64, org: format!("org-{}", seq % 5), body, leaf }
}

pub fn request(seq: u64) -> Digest {
    digest(format!("request {seq}").as_bytes())
}

pub fn key(seq: u64) -> DocumentKey {
    DocumentKey::new(format!("org-{}", seq % 5), "case", format!("c-{:06}", seq % 1000))
}

/// Events `follows + 1 ..= follows + count`, each with its answer, its document and its slot.
pub fn batch(follows: u64, count: u64) -> Batch {
    let mut batch = Batch::after(follows);
    for seq in follows + 1..=follows + count {
        batch.entries.push(entry(seq));
        let (body, first) = (digest(b"body"), seq);
        batch.answers.push(Answer { request: request(seq), body, first, count: 1, at_us: 0 });
        let document = Document {
            key: key(seq),
            case: key(seq).id,
            version: seq,
            body: format!("{{\"version\":{seq}}}"),
        };
        batch.documents.insert(document.key.clone(), Some(document));
        batch.slots.push(claim("robot/r-1", seq as u32, &format!("b-{seq}")));
    }
    batch
}

pub fn claim(resource: &str, slot: u32, booking: &str) -> SlotChange {
    SlotChange::Claim(SlotRow { resource: resource.into(), slot, booking: booking.into() })
}

/// Seeded numbers (Knuth's multiplier).
pub struct Draw(pub u64);

impl Draw {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}
