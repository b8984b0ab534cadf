//! `telehand bridge ndi`: the simulated tracker as an NDI tracker on the network, and a client for
//! a real one.

use super::doors::{self, Left, Note, bind};
use super::feed::{BODIES, Feed};
use super::theatre::Theatre;
use super::{Ends, announce, feed, listening, ndi_client, print, serve_until_asked, until_asked};
use anyhow::{Context as _, Result};
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;
use telehand_bridge::ndi::{Emulator, Seen, Tool};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};

/// `telehand bridge ndi`.
#[derive(Debug, Args)]
pub struct NdiArgs {
    #[command(flatten)]
    ends: Ends,
    /// The definition of a passive tool to load into the tracker; may be repeated
    #[arg(long, requires = "connect", value_name = "FILE")]
    rom: Vec<PathBuf>,
}

/// Runs the subcommand.
pub fn run(args: &NdiArgs) -> Result<()> {
    let Ends { count, json, lan, seed, .. } = args.ends;
    if let Some(tracker) = &args.ends.connect {
        let mut definitions = Vec::with_capacity(args.rom.len());
        for path in &args.rom {
            let bytes = std::fs::read(path);
            definitions.push(bytes.with_context(|| format!("cannot read {}", path.display()))?);
        }
        return until_asked(ndi_client::read(tracker, definitions, count, json));
    }
    let address = args.ends.address();
    let (publisher, feed) = feed::pair();
    serve_until_asked(async move || {
        let listener = bind(address, lan).await?;
        let theatre = Theatre::start(seed, false, publisher)?;
        print(&listening("NDI", listener.local_addr()?).to_string());
        Ok((theatre, serve(listener, feed, Arc::new(announce))))
    })
}

/// Emulates a tracker for everybody who connects, each with a tracker of its own that sees the same
/// tools, until the feed's publisher is gone.
pub async fn serve(listener: TcpListener, feed: Feed, tell: Arc<dyn Fn(&Note) + Send + Sync>) {
    let open = feed.scan.clone();
    let client = |stream| attend(stream, feed.clone());
    // this language has no word for it
    doors::serve(listener, open, tell, client, Vec::new()).await;
}

/// The tools that a client finds, in the order of [`BODIES`].
fn tools() -> Vec<Tool> {
    let tool = |(serial, name): (u32, &&str)| Tool {
        manufacturer: "telehand".into(),
        part: format!("SIM {name}"),
        serial,
    };
    (1..).zip(&BODIES).map(tool).collect()
}

async fn attend(stream: TcpStream, mut feed: Feed) -> Left {
    let (mut from, mut to) = stream.into_split();
    let mut emulator = Emulator::new(tools());
    let mut buffer = vec![0; 2 * 1024];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            ended = feed.scan.changed() => {
                if ended.is_err() { return Left::Ended }
                continue;
            }
        };
        let count = match read {
            Ok(0) => return Left::Closed,
            Ok(count) => count,
            Err(error) => return Left::Broken(error.to_string()),
        };
        let frame = *feed.frames.borrow();
        let seen = frame.poses.map(|pose| match pose {
            // how well the markers fit is not simulated
            Some(pose) => Seen::At { pose, error: 0.0 },
            None => Seen::Missing,
        });
        let heard = buffer.get(..count).unwrap_or_default();
        let replies = emulator.handle(heard, &seen, frame.number);
        if let Err(left) = doors::send(&mut to, &replies, &[]).await {
            return left;
        }
    }
}
