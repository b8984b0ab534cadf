//! `telehand bridge igtl`: a tracker and a scan for 3D Slicer, Plus and every other program that
//! speaks `OpenIGTLink`.

use super::doors::{self, Left, Note, bind};
use super::feed::{BODIES, Case, Feed, Frame};
use super::theatre::Theatre;
use super::{Ends, announce, feed, igtl_client, listening, print, serve_until_asked, until_asked};
use crate::clock;
use anyhow::Result;
use clap::Args;
use std::sync::Arc;
use telehand_bridge::igtl::{
    IgtlError, Message, Packet, Session, StatusCode, Stream, ToolKind, Tracked, ras_from_lps,
};
use telehand_vocab::Span;
use tokio::io::AsyncReadExt as _;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// The longest body that is taken from a client: it has little to say.
const BODY_MAX: u64 = 64 * 1024;
/// A body that is not seen for so long is reported.
const UNSEEN: Span = Span::from_millis(200);
/// Frames do not come to the nanosecond: one that is this early is due.
const EARLY: Span = Span::from_millis(4);
/// The device of messages about the tracker as a whole.
const TRACKER: &str = "Tracker";

/// `telehand bridge igtl`.
#[derive(Debug, Args)]
pub struct IgtlArgs {
    #[command(flatten)]
    ends: Ends,
    /// Scan the patient first, register the scan, and send both
    #[arg(long, requires = "listen")]
    scan: bool,
    /// Frames a second, at most
    #[arg(long, default_value_t = 60, value_name = "HZ",
          value_parser = clap::value_parser!(u64).range(1..=60))]
    rate_hz: u64,
    /// Ask for TDATA with so many milliseconds between two; 0 as fast as it comes
    #[arg(long, requires = "connect", value_name = "MS")]
    tdata_ms: Option<u32>,
}

/// Runs the subcommand.
pub fn run(args: &IgtlArgs) -> Result<()> {
    let Ends { count, json, lan, seed, .. } = args.ends;
    if let Some(server) = &args.ends.connect {
        return until_asked(igtl_client::read(server, args.tdata_ms, count, json));
    }
    let address = args.ends.address();
    let rate = Span::from_nanos(1_000_000_000 / args.rate_hz.max(1));
    let (publisher, feed) = feed::pair();
    serve_until_asked(async move || {
        let listener = bind(address, lan).await?;
        let theatre = Theatre::start(seed, args.scan, publisher)?;
        print(&listening("OpenIGTLink", listener.local_addr()?).to_string());
        Ok((theatre, serve(listener, feed, rate, Arc::new(announce))))
    })
}

/// Serves a feed to everybody who connects, until its publisher is gone. At most one frame each
/// `period`.
pub async fn serve(
    listener: TcpListener,
    feed: Feed,
    period: Span,
    tell: Arc<dyn Fn(&Note) + Send + Sync>,
) {
    let full = status(StatusCode::Busy, "FULL", "all places are taken; try again later");
    let open = feed.scan.clone();
    let client = |stream| attend(stream, feed.clone(), period);
    doors::serve(listener, open, tell, client, packet(TRACKER, wall_ns(), full)).await;
}

async fn attend(stream: TcpStream, feed: Feed, period: Span) -> Left {
    let (from, to) = stream.into_split();
    let client = Client {
        from,
        to,
        feed,
        stream: Stream::with_limit(BODY_MAX),
        session: Session::default(),
        transforms: Pace::new(period),
        tdata: Pace::default(),
        seen_ns: [None; 4],
        unseen: [false; 4],
    };
    let Err(left) = client.talk().await;
    left
}

/// What one client is told, and when.
struct Client {
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    feed: Feed,
    stream: Stream,
    session: Session,
    transforms: Pace,
    tdata: Pace,
    /// When each body was seen last.
    seen_ns: [Option<u64>; 4],
    /// Which bodies were reported missing.
    unseen: [bool; 4],
}

impl Client {
    async fn talk(mut self) -> Result<std::convert::Infallible, Left> {
        self.greet().await?;
        self.feed.scan.mark_changed();
        self.feed.case.mark_changed();
        let mut buffer = vec![0; 16 * 1024];
        loop {
            tokio::select! {
                changed = self.feed.frames.changed() => {
                    if changed.is_err() {
                        let text = "the tracker's process ends";
                        let _ = self.say(TRACKER, status(StatusCode::ShutDown, "END", text)).await;
                        return Err(Left::Ended);
                    }
                    let frame = *self.feed.frames.borrow_and_update();
                    self.frame(&frame).await?;
                }
                Ok(()) = self.feed.scan.changed() => {
                    let image = self.feed.scan.borrow_and_update().clone();
                    if let Some(image) = image {
                        self.send(&image).await?;
                    }
                }
                Ok(()) = self.feed.case.changed() => self.case().await?,
                read = self.from.read(&mut buffer) => match read {
                    Ok(0) => return Err(Left::Closed),
                    Ok(count) => self.hear(buffer.get(..count).unwrap_or_default()).await?,
                    Err(error) => return Err(Left::Broken(error.to_string())),
                },
            }
        }
    }

    async fn greet(&mut self) -> Result<(), Left> {
        let text = "SIMULATED tracker; it only tells, and obeys nobody";
        self.say(TRACKER, status(StatusCode::Ok, "SIMULATED", text)).await?;
        let text = "SIMULATED: an invented patient and devices; not for use on people. \
                    ReferenceToTracker, GuideToTracker, PlateToTracker, WatchToTracker, \
                    GuideToReference; with a registered scan GuideToRas; millimetres. A site \
                    tells its case: CaseStatus, Case";
        self.say("Label", Message::Text(text.into())).await
    }

    async fn hear(&mut self, bytes: &[u8]) -> Result<(), Left> {
        self.stream.push(bytes);
        while let Some(packet) = self.stream.next_packet() {
            match &packet {
                Ok(packet) => self.answer(&packet.message).await?,
                Err(error) => self.say(TRACKER, error.status()).await?,
            }
            if let Some(error) = packet.err().filter(IgtlError::is_fatal) {
                return Err(Left::Foreign(error.to_string()));
            }
        }
        Ok(())
    }

    /// STATUS for programs, STRING for people.
    async fn case(&mut self) -> Result<(), Left> {
        let case = self.feed.case.borrow_and_update().clone();
        let Some(Case { code, name, words }) = case else { return Ok(()) };
        self.say("CaseStatus", status(code, &name, &words)).await?;
        self.say("Case", Message::Text(format!("{name}: {words}"))).await
    }

    async fn answer(&mut self, message: &Message) -> Result<(), Left> {
        let image = self.feed.scan.borrow().clone();
        if let (Message::GetImage, Some(image)) = (message, image) {
            return self.send(&image).await;
        }
        let answer = self.session.handle(message);
        self.tdata.period = self.session.tdata_every.unwrap_or_default();
        match answer {
            Some(answer) => self.say(TRACKER, answer).await,
            None => Ok(()),
        }
    }

    async fn frame(&mut self, frame: &Frame) -> Result<(), Left> {
        let mut bytes = Vec::new();
        if self.transforms.due(frame.time_ns) {
            transforms(frame, &mut bytes);
        }
        if self.session.tdata_every.is_some() && self.tdata.due(frame.time_ns) {
            bytes.extend(packet(TRACKER, frame.time_ns, Message::Tdata(items(frame))));
        }
        for message in self.sight(frame) {
            bytes.extend(packet(TRACKER, frame.time_ns, message));
        }
        self.send(&bytes).await
    }

    /// What to say of bodies that are no longer seen, or seen again: a client shows the last pose
    /// it heard, however old.
    fn sight(&mut self, frame: &Frame) -> Vec<Message> {
        let mut said = Vec::new();
        let before = self.seen_ns.iter_mut().zip(&mut self.unseen);
        for (((last, unseen), pose), name) in before.zip(frame.poses).zip(BODIES) {
            if pose.is_some() {
                *last = Some(frame.time_ns);
                if std::mem::take(unseen) {
                    said.push(status(StatusCode::Ok, name, &format!("{name} is seen again")));
                }
                continue;
            }
            let since = *last.get_or_insert(frame.time_ns);
            if !*unseen && frame.time_ns.saturating_sub(since) > UNSEEN.as_nanos() {
                *unseen = true;
                let text = format!("{name} is not seen; its last pose is no longer true");
                said.push(status(StatusCode::NotPresent, name, &text));
            }
        }
        said
    }

    async fn say(&mut self, device: &str, message: Message) -> Result<(), Left> {
        self.send(&packet(device, wall_ns(), message)).await
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Left> {
        let text = "you read too slowly and are dropped; poses would be old";
        let farewell = status(StatusCode::Overflow, "SLOW", text);
        doors::send(&mut self.to, bytes, &packet(TRACKER, wall_ns(), farewell)).await
    }
}

/// When a message that is sent with a period is due.
#[derive(Debug, Default)]
struct Pace {
    period: Span,
    next_ns: u64,
}

impl Pace {
    const fn new(period: Span) -> Self {
        Self { period, next_ns: 0 }
    }

    fn due(&mut self, time_ns: u64) -> bool {
        if time_ns + EARLY.as_nanos() < self.next_ns {
            return false;
        }
        // the beat is kept, but what was missed is not made up for
        let beat = self.next_ns.max(time_ns.saturating_sub(EARLY.as_nanos()));
        self.next_ns = beat + self.period.as_nanos();
        true
    }
}

/// Where everything is. What is not seen is not told.
fn transforms(frame: &Frame, bytes: &mut Vec<u8>) {
    let mut tell = |device: &str, pose| {
        bytes.extend(packet(device, frame.time_ns, Message::Transform(pose)));
    };
    for (name, pose) in BODIES.iter().zip(frame.poses) {
        if let Some(pose) = pose {
            tell(&format!("{name}ToTracker"), pose);
        }
    }
    // a message has one type for all frames; the device's name says which they are
    if let Some(pose) = frame.reference_from_guide() {
        tell("GuideToReference", pose.relabel());
    }
    if let Some(pose) = frame.image_from_guide() {
        tell("GuideToRas", ras_from_lps(pose).relabel());
    }
}

fn items(frame: &Frame) -> Vec<Tracked> {
    let item = |(name, pose): (&&str, Option<_>)| {
        Some(Tracked { name: format!("{name}ToTracker"), kind: ToolKind::SixD, pose: pose? })
    };
    BODIES.iter().zip(frame.poses).filter_map(item).collect()
}

fn status(code: StatusCode, name: &str, text: &str) -> Message {
    Message::Status { code, sub_code: 0, name: name.into(), text: text.into() }
}

fn packet(device: &str, time_ns: u64, message: Message) -> Vec<u8> {
    Packet { device: device.into(), time_ns, message }.encode()
}

fn wall_ns() -> u64 {
    clock::wall().as_nanos()
}
