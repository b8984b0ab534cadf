//! `telehand hub backup` and `telehand hub check`.

use super::init::{SIGNING_KEY, fresh, origin, private_dir, store_address};
use super::{BackupArgs, DirArgs};
use crate::config::{Config, FILE};
use crate::identity::signing::SigningKey;
use crate::store::{self, Store};
use anyhow::{Context, Result, bail, ensure};
use std::path::Path;
use telehand_alliance::apply::apply;
use telehand_alliance::cbor;
use telehand_alliance::event::Stamped;
use telehand_alliance::log::{KeyKind, PublicKey, SignedCheckpoint, Tree, VerifierKey, leaf_hash};
use telehand_alliance::state::Alliance;

const PAGE: usize = 4096;

/// Copies everything of a hub. The database by its own means, so that the copy is whole while the
/// hub writes.
pub fn backup(args: &BackupArgs) -> Result<()> {
    let config = Config::load(&args.dir)?;
    fresh(&args.to)?;
    let source = store_address(&args.dir, &config);
    if source.contains("://") {
        println!(
            "The store is PostgreSQL: copy it with pg_dump. Keys and settings are copied here."
        );
    } else {
        let target = args.to.join(Path::new(&source).file_name().context("the store has no name")?);
        let database = rusqlite::Connection::open_with_flags(
            &source,
            rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
        )
        .with_context(|| format!("cannot open {source}"))?;
        database
            .execute("VACUUM INTO ?1", [target.to_string_lossy()])
            .context("the database could not be copied")?;
    }
    for name in [FILE, SIGNING_KEY] {
        if args.dir.join(name).is_file() {
            std::fs::copy(args.dir.join(name), args.to.join(name))?;
        }
    }
    private_dir(&args.to.join("tls"))?;
    for entry in std::fs::read_dir(args.dir.join("tls")).into_iter().flatten() {
        let entry = entry?;
        std::fs::copy(entry.path(), args.to.join("tls").join(entry.file_name()))?;
    }
    println!(
        "Copied to {}. It holds the keys: keep it where only the operator can read it.",
        args.to.display()
    );
    Ok(())
}

/// Replays every event; recomputes every leaf and the newest checkpoint's root; checks its signature.
pub fn check(args: &DirArgs) -> Result<()> {
    let config = Config::load(&args.dir)?;
    let address = store_address(&args.dir, &config);
    ensure!(
        address.contains("://") || Path::new(&address).is_file(),
        "there is no store at {address}"
    );
    let store = store::open(&address, &store::Settings::default())?;
    let checkpoint = store.checkpoint(u64::MAX)?;
    let size = checkpoint.as_ref().map_or(0, |kept| kept.size);
    let (state, root) = replay(&*store, size)?;
    println!("{} events replay; their leaves are what the log says.", state.seq());
    let Some(kept) = checkpoint else {
        println!("There is no checkpoint yet.");
        return Ok(());
    };
    ensure!(
        kept.size <= state.seq(),
        "the checkpoint has {} events, the store {}",
        kept.size,
        state.seq()
    );
    ensure!(
        root == kept.root,
        "the checkpoint's root is not that of the events: the log was changed"
    );
    let key = SigningKey::load(&args.dir.join(SIGNING_KEY))?;
    let key = VerifierKey::new(&origin(&config), KeyKind::Author, PublicKey::new(key.public()))?;
    let note = SignedCheckpoint::parse(&kept.note)?;
    ensure!(note.is_signed_by_log(&key), "the checkpoint is not signed by this hub's key");
    println!("The checkpoint over {} events holds.", kept.size);
    Ok(())
}

/// The state after all events, and the root over the first `size` leaves.
fn replay(store: &dyn Store, size: u64) -> Result<(Alliance, [u8; 32])> {
    let mut state = Alliance::new();
    let mut tree = Tree::default();
    let mut root = tree.root();
    loop {
        let entries = store.entries(state.seq(), PAGE)?;
        if entries.is_empty() {
            return Ok((state, root.0));
        }
        for entry in entries {
            let leaf = leaf_hash(&entry.body);
            if leaf.0 != entry.leaf {
                bail!("event {} is not the one that the log has: it was changed", entry.seq);
            }
            let stamped: Stamped = cbor::from_slice(&entry.body)
                .with_context(|| format!("event {} cannot be read", entry.seq))?;
            apply(&mut state, &stamped).map_err(|error| anyhow::anyhow!("{error}"))?;
            tree.push(leaf);
            if entry.seq == size {
                root = tree.root();
            }
        }
    }
}
