use super::doors::{CLIENTS_MAX, Left, Note, bind};
use super::feed::{self, Publisher};
use super::{igtl, ndi};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use telehand_bridge::igtl::{Message, Packet, StatusCode, Stream, ras_from_lps};
use telehand_bridge::ndi::{Client, Reading, Seen};
use telehand_ortho::{Grid, SeriesUid, Volume};
use telehand_vocab::space::{Image, Reference, Tip, Tracker};
use telehand_vocab::{Pose, Quat, Span, Vec3};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

/// Nothing here takes so long; a test that waits longer has failed.
const DEADLINE: Duration = Duration::from_secs(20);
/// Between two frames.
const FRAME_NS: u64 = 16_666_667;

fn at(x: f64) -> Pose<Tracker, Tip> {
    Pose::new(Quat::from_rotation_vector(Vec3::new(0.3, -0.2, 0.7)), Vec3::new(x, 0.1, 1.5))
}

fn four() -> [Option<Pose<Tracker, Tip>>; 4] {
    [at(0.1), at(0.2), at(0.3), at(0.4)].map(Some)
}

fn registered() -> Pose<Image, Reference> {
    Pose::new(Quat::from_rotation_vector(Vec3::new(0.0, 0.1, 0.2)), Vec3::new(0.01, 0.02, -0.3))
}

struct Server {
    publisher: Publisher,
    address: SocketAddr,
    notes: UnboundedReceiver<Note>,
    time_ns: u64,
}

impl Server {
    async fn igtl() -> Self {
        Self::start(|listener, feed, tell| {
            tokio::spawn(igtl::serve(listener, feed, Span::from_nanos(FRAME_NS), tell));
        })
        .await
    }

    async fn ndi() -> Self {
        Self::start(|listener, feed, tell| {
            tokio::spawn(ndi::serve(listener, feed, tell));
        })
        .await
    }

    async fn start(
        serve: impl FnOnce(tokio::net::TcpListener, feed::Feed, Arc<dyn Fn(&Note) + Send + Sync>),
    ) -> Self {
        let (publisher, feed) = feed::pair();
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0)), false).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (noted, notes) = unbounded_channel();
        serve(listener, feed, Arc::new(move |note: &Note| drop(noted.send(note.clone()))));
        Self { publisher, address, notes, time_ns: 1_700_000_000_000_000_000 }
    }

    fn frame(&mut self, poses: [Option<Pose<Tracker, Tip>>; 4]) {
        self.time_ns += FRAME_NS;
        self.publisher.tell(self.time_ns, poses, None);
    }

    async fn note(&mut self) -> Note {
        timeout(DEADLINE, self.notes.recv()).await.unwrap().unwrap()
    }

    /// A peer that has been greeted.
    async fn peer(&self) -> Peer {
        let mut peer = Peer::connect(self.address).await;
        let Message::Status { code: StatusCode::Ok, text, .. } = peer.next().await.message else {
            panic!("no status")
        };
        assert!(text.contains("SIMULATED"), "{text}");
        let Message::Text(text) = peer.next().await.message else { panic!("no label") };
        assert!(text.contains("SIMULATED"), "{text}");
        peer
    }
}

struct Peer {
    socket: TcpStream,
    stream: Stream,
}

impl Peer {
    async fn connect(address: SocketAddr) -> Self {
        Self { socket: TcpStream::connect(address).await.unwrap(), stream: Stream::default() }
    }

    async fn say(&mut self, message: Message) {
        let packet = Packet { device: "peer".into(), time_ns: 0, message };
        self.socket.write_all(&packet.encode()).await.unwrap();
    }

    /// The next message; `None` when the server hung up.
    async fn heard(&mut self) -> Option<Packet> {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            if let Some(packet) = self.stream.next_packet() {
                return Some(packet.unwrap());
            }
            let read = timeout(DEADLINE, self.socket.read(&mut buffer)).await.unwrap().ok()?;
            if read == 0 {
                return None;
            }
            self.stream.push(&buffer[..read]);
        }
    }

    async fn next(&mut self) -> Packet {
        self.heard().await.unwrap()
    }

    async fn transform(&mut self) -> (String, Pose<Tracker, Tip>) {
        match self.next().await {
            Packet { device, message: Message::Transform(pose), .. } => (device, pose),
            other => panic!("{other:?}"),
        }
    }

    async fn code(&mut self) -> StatusCode {
        match self.next().await.message {
            Message::Status { code, .. } => code,
            other => panic!("{other:?}"),
        }
    }
}

fn same(a: &Pose<Tracker, Tip>, b: &Pose<Tracker, Tip>) -> bool {
    (a.translation - b.translation).norm() < 1e-6
        && (a.rotation.inverse() * b.rotation).angle() < 1e-5
}

#[tokio::test]
async fn a_client_hears_where_everything_is_under_names_that_say_in_which_frame() {
    let mut server = Server::igtl().await;
    let mut peer = server.peer().await;
    server.publisher.tell(server.time_ns, four(), Some(registered()));
    let names = ["ReferenceToTracker", "GuideToTracker", "PlateToTracker", "WatchToTracker"];
    for (name, pose) in names.into_iter().zip(four()) {
        let (device, told) = peer.transform().await;
        assert_eq!(device, name);
        assert!(same(&told, &pose.unwrap()), "{name}");
    }
    let in_reference = at(0.1).inverse().relabel::<Tracker, Tracker>() * at(0.2);
    let (device, told) = peer.transform().await;
    assert_eq!(device, "GuideToReference");
    assert!(same(&told, &in_reference));
    let (device, told) = peer.transform().await;
    assert_eq!(device, "GuideToRas");
    let in_scan = registered().relabel::<Tracker, Tracker>() * in_reference;
    assert!(same(&told, &ras_from_lps(in_scan)), "turned from LPS to RAS");
    server.frame([None; 4]);
    server.frame(four());
    assert_eq!(peer.transform().await.0, "ReferenceToTracker", "what is not seen is not told");
}

#[tokio::test]
async fn tdata_comes_to_who_asks_for_it_with_the_same_poses() {
    let mut server = Server::igtl().await;
    let mut peer = server.peer().await;
    peer.say(Message::StartTdata { period_ms: 0, frame: String::new() }).await;
    assert_eq!(peer.next().await.message, Message::ReadyTdata { accepted: true });
    server.frame(four());
    for _ in 0..5 {
        peer.transform().await;
    }
    let Message::Tdata(items) = peer.next().await.message else { panic!("no TDATA") };
    assert_eq!(items.len(), 4);
    for (item, pose) in items.iter().zip(four()) {
        assert!(same(&item.pose, &pose.unwrap()), "{}", item.name);
    }
    peer.say(Message::StopTdata).await;
    assert_eq!(peer.next().await.message, Message::ReadyTdata { accepted: true });
    server.frame(four());
    for _ in 0..5 {
        peer.transform().await;
    }
    peer.say(Message::GetStatus).await;
    assert_eq!(peer.code().await, StatusCode::Ok, "no TDATA in between");
}

#[tokio::test]
async fn a_body_that_is_lost_is_reported_because_its_last_pose_stays_on_the_screen() {
    let mut server = Server::igtl().await;
    let mut peer = server.peer().await;
    let [reference, _, plate, surveillance] = four();
    let reader = tokio::spawn(async move {
        let mut codes = Vec::new();
        while codes.len() < 2 {
            if let Packet { message: Message::Status { code, name, .. }, .. } = peer.next().await {
                codes.push((code, name));
            }
        }
        codes
    });
    // the newest frame counts, and a frame may be missed: it is told until it was heard
    let mut frames = 0_u32;
    while !reader.is_finished() {
        let lost = frames % 200 < 100;
        server.frame(if lost { [reference, None, plate, surveillance] } else { four() });
        frames += 1;
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(frames < 10_000, "nothing was reported");
    }
    let told = reader.await.unwrap();
    assert_eq!(told, [(StatusCode::NotPresent, "Guide".into()), (StatusCode::Ok, "Guide".into())]);
}

#[tokio::test]
async fn a_scan_comes_when_it_is_there_and_again_when_it_is_asked_for() {
    let server = Server::igtl().await;
    let mut peer = server.peer().await;
    peer.say(Message::GetImage).await;
    assert_eq!(peer.code().await, StatusCode::NotFound);
    let axes = [Vec3::new(1.0, 0.0, 0.0), Vec3::new(0.0, 1.0, 0.0), Vec3::new(0.0, 0.0, 1.0)];
    let grid =
        Grid { size: [5, 4, 3], origin: Vec3::new(0.1, 0.2, -0.3), axes, spacing: [1e-3; 3] };
    let hu: Vec<i16> = (0..60).collect();
    let volume = Volume { series: SeriesUid::new("1.2.3").unwrap(), grid, hu: hu.clone() };
    assert!(server.publisher.scan(&volume));
    for _ in 0..2 {
        let Message::Image(image) = peer.next().await.message else { panic!("no image") };
        assert_eq!((image.grid.size, &image.values), (grid.size, &hu));
        assert!((image.grid.origin - grid.origin).norm() < 1e-6);
        peer.say(Message::GetImage).await;
    }
    let Message::Image(_) = server.peer().await.next().await.message else { panic!("no image") };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_is_dropped_and_nobody_waits_for_it() {
    let mut server = Server::igtl().await;
    let slow = TcpStream::connect(server.address).await.unwrap();
    let slow_address = slow.local_addr().unwrap();
    assert_eq!(server.note().await, Note::Joined(slow_address));
    let mut quick = server.peer().await;
    let quick_address = quick.socket.local_addr().unwrap();
    assert_eq!(server.note().await, Note::Joined(quick_address));
    let reading = tokio::spawn(async move {
        let mut last_ns = 0;
        while let Some(packet) = quick.heard().await {
            if matches!(packet.message, Message::Transform(_)) {
                last_ns = packet.time_ns;
            }
        }
        last_ns
    });
    let began = std::time::Instant::now();
    let note = loop {
        server.frame(four());
        match timeout(Duration::from_millis(1), server.notes.recv()).await {
            Ok(note) => break note.unwrap(),
            Err(_) => assert!(began.elapsed() < 3 * DEADLINE, "it is still served"),
        }
    };
    assert_eq!(note, Note::Left(slow_address, Left::Slow { told: false }));
    let last_ns = server.time_ns;
    // the other one hears the newest frame, and that the server ends
    drop(server.publisher);
    assert_eq!(timeout(DEADLINE, reading).await.unwrap().unwrap(), last_ns);
    drop(slow);
}

#[tokio::test]
async fn who_finds_the_places_taken_is_told_so() {
    let mut server = Server::igtl().await;
    let mut inside = Vec::new();
    for _ in 0..CLIENTS_MAX {
        inside.push(server.peer().await);
    }
    let mut outside = Peer::connect(server.address).await;
    assert_eq!(outside.code().await, StatusCode::Busy);
    assert!(outside.heard().await.is_none(), "it is not served");
    inside.pop();
    let left = |note: &Note| matches!(note, Note::Left(_, Left::Closed));
    while !left(&server.note().await) {}
    server.peer().await;
}

#[tokio::test]
async fn what_is_no_openigtlink_hears_it_and_is_shut_out() {
    let mut server = Server::igtl().await;
    let mut peer = server.peer().await;
    peer.socket.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(peer.code().await, StatusCode::UnknownVersion);
    assert!(peer.heard().await.is_none());
    assert!(matches!(server.note().await, Note::Joined(_)));
    assert!(matches!(server.note().await, Note::Left(_, Left::Foreign(_))));
    // what claims to be long is not waited for
    let mut peer = server.peer().await;
    let mut header = vec![0, 1];
    header.extend(b"IMAGE".iter().chain(&[0; 35]));
    header.extend(u64::from(u32::MAX).to_be_bytes());
    header.extend([0; 8]);
    peer.socket.write_all(&header).await.unwrap();
    assert_eq!(peer.code().await, StatusCode::Overflow);
}

#[tokio::test]
async fn when_the_tracker_ends_every_client_hears_it() {
    let server = Server::igtl().await;
    let mut peers = [server.peer().await, server.peer().await];
    drop(server.publisher);
    for peer in &mut peers {
        assert_eq!(peer.code().await, StatusCode::ShutDown);
        assert!(peer.heard().await.is_none());
    }
}

#[tokio::test]
async fn nobody_listens_beyond_the_loopback_unasked() {
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let refusal = bind(everywhere, false).await.unwrap_err().to_string();
    assert!(refusal.contains("--lan") && refusal.contains("authentication"), "{refusal}");
    bind(everywhere, true).await.unwrap();
}

#[tokio::test]
async fn every_ndi_client_has_a_tracker_of_its_own_with_the_same_tools() {
    let mut server = Server::ndi().await;
    let [reference, guide, _, surveillance] = four();
    server.frame([reference, guide, None, surveillance]);
    let mut first = Tracking::connect(server.address).await;
    let mut second = Tracking::connect(server.address).await;
    let from_first = first.readings().await;
    let from_second = second.readings().await;
    assert_eq!(from_first, from_second);
    let seen: Vec<bool> =
        from_first.iter().map(|reading| matches!(reading.seen, Seen::At { .. })).collect();
    assert_eq!(seen, [true, true, false, true]);
    let Seen::At { pose, .. } = from_first[1].seen else { panic!("{from_first:?}") };
    assert!((pose.translation - at(0.2).translation).norm() < 1e-5);
    server.frame(four());
    let later = first.readings().await;
    assert_eq!(later[0].frame, from_first[0].frame + 1);
    assert!(matches!(later[2].seen, Seen::At { .. }));
}

struct Tracking {
    socket: TcpStream,
    client: Client,
}

impl Tracking {
    async fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).await.unwrap();
        Self { socket, client: Client::new(Vec::new()).unwrap() }
    }

    async fn readings(&mut self) -> Vec<Reading> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(command) = self.client.poll() {
                self.socket.write_all(&command).await.unwrap();
            }
            let read = timeout(DEADLINE, self.socket.read(&mut buffer)).await.unwrap().unwrap();
            assert!(read > 0, "the tracker hung up");
            let readings = self.client.handle(&buffer[..read]).unwrap();
            if !readings.is_empty() {
                return readings;
            }
        }
    }
}
