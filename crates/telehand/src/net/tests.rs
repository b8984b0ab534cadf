//! Two drivers over loopback sockets: nothing here asserts a time, only that things come to pass.

use super::*;
use std::net::UdpSocket;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;
use telehand_link::identity::{DemoAuthority, Role};

/// Long enough for any machine; only a failure takes it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tells a test what happens; the console sends a command at each beat.
struct Teller {
    commands: bool,
    tell: Sender<Told>,
}

#[derive(Debug, PartialEq)]
enum Told {
    Up(String),
    Event(Event),
}

impl Endpoint for Teller {
    fn on_up(&mut self, _: Mono, _: &mut Session, peer: &PeerIdentity) {
        let _ = self.tell.send(Told::Up(peer.to_string()));
    }

    fn on_beat(&mut self, now: Mono, session: &mut Session) {
        if self.commands {
            session.send_command(now, b"a command");
        }
    }

    fn on_event(&mut self, _: Mono, _: &mut Session, event: Event) {
        let _ = self.tell.send(Told::Event(event));
    }
}

struct Side {
    handle: Handle,
    told: Receiver<Told>,
}

impl Side {
    fn start(credentials: &Credentials, paths: &[String]) -> Self {
        let paths = paths.iter().map(|path| path.parse().unwrap()).collect();
        let (tell, told) = mpsc::channel();
        let commands = credentials.own().role == Role::Console;
        let config = Config { realtime: None, ..Config::new(credentials.clone(), paths) };
        Self { handle: Driver::spawn(config, Teller { commands, tell }).unwrap(), told }
    }

    #[track_caller]
    fn wait(&self, what: &str, wanted: impl Fn(&Told) -> bool) {
        loop {
            match self.told.recv_timeout(PATIENCE) {
                Ok(told) if wanted(&told) => return,
                Ok(_) => {}
                Err(error) => panic!("{what} did not come: {error}"),
            }
        }
    }

    #[track_caller]
    fn wait_up(&self) {
        self.wait("a session", |told| matches!(told, Told::Up(_)));
    }

    #[track_caller]
    fn wait_commands(&self) {
        for _ in 0..5 {
            let wanted = |told: &Told| matches!(told, Told::Event(Event::Command { .. }));
            self.wait("a command", wanted);
        }
    }

    fn address(&self, path: usize) -> SocketAddr {
        self.handle.snapshot().sockets[path].local
    }
}

fn sides() -> [Credentials; 2] {
    let day = Span::from_millis(24 * 3600 * 1000);
    let authority = DemoAuthority::new(crate::clock::wall(), day).unwrap();
    [Role::Console, Role::Bedside].map(|role| {
        let issued = authority.issue(&PeerIdentity::new(role, "here").unwrap()).unwrap();
        Credentials::from_pem(authority.pem(), &issued.certificate_pem, &issued.key_pem).unwrap()
    })
}

/// Addresses that were free a moment ago, to listen at.
fn listen<const N: usize>() -> [String; N] {
    let ports: [u16; N] = crate::ports::free(N).unwrap().try_into().unwrap();
    ports.map(|port| format!("127.0.0.1:{port}"))
}

fn dial(listen: &[String]) -> Vec<String> {
    listen.iter().map(|address| format!("127.0.0.1={address}")).collect()
}

#[test]
fn l_103_commands_messages_states_and_pictures_cross_between_two_drivers() {
    let [console, bedside] = sides();
    let paths = listen::<2>();
    // The console dials before anybody listens.
    let console = Side::start(&console, &dial(&paths));
    let bedside = Side::start(&bedside, &paths);
    console.wait_up();
    bedside.wait("the console's name", |told| *told == Told::Up("console \"here\"".into()));
    // A picture is not sent while no path is known to carry both ways.
    let open = |side: &Side| {
        side.handle.snapshot().figures.is_some_and(|figures| figures.paths.iter().any(|p| p.up))
    };
    while !open(&bedside) {
        bedside.wait_commands();
    }
    let picture: Vec<u8> = (0..30_000u32).map(|i| ((i * i) >> 8) as u8).collect();
    let born = crate::clock::now();
    assert!(bedside.handle.send(Outgoing::Message(b"granted".to_vec())));
    assert!(bedside.handle.send(Outgoing::State(b"holding".to_vec())));
    bedside.handle.outbox().send(Outgoing::Frame { seq: 1, born, bytes: picture.clone() });
    assert!(console.handle.send(Outgoing::Message(b"thanks".to_vec())));
    // A message may overtake a state and the other way round, so each is looked for on its own.
    let mut left = vec![
        Told::Event(Event::Message { bytes: b"granted".to_vec() }),
        Told::Event(Event::State { bytes: b"holding".to_vec() }),
        Told::Event(Event::Frame { seq: 1, born, bytes: picture }),
    ];
    while !left.is_empty() {
        let told = console.told.recv_timeout(PATIENCE).expect("everything arrives");
        left.retain(|wanted| *wanted != told);
    }
    let thanks = Told::Event(Event::Message { bytes: b"thanks".to_vec() });
    bedside.wait("the console's message", |told| *told == thanks);
    let up = console.handle.snapshot();
    assert!(matches!(up.status, Status::Up { .. }), "{up:?}");
    assert!(console.handle.stop() && bedside.handle.stop());
}

#[test]
fn l_104_either_side_may_die_and_come_back() {
    let [console, bedside] = sides();
    let paths = listen::<1>();
    let first = Side::start(&console, &dial(&paths));
    let patient = Side::start(&bedside, &paths);
    patient.wait_commands();
    // The console dies and starts again: the bedside takes it in at once, it is the same one.
    assert!(first.handle.stop());
    let second = Side::start(&console, &dial(&paths));
    patient.wait_up();
    patient.wait_commands();
    // The bedside dies: the console notices, dials for ever, and finds the next one.
    assert!(patient.handle.stop());
    second.wait("the silence", |told| *told == Told::Event(Event::PeerGone));
    let patient = Side::start(&bedside, &paths);
    patient.wait_commands();
    second.wait_up();
}

#[test]
fn l_105_the_peer_is_followed_to_a_new_address() {
    let [console, bedside] = sides();
    let paths = listen::<1>();
    let patient = Side::start(&bedside, &paths);
    let server: SocketAddr = paths[0].parse().unwrap();
    // A router between them that changes the console's outer address once.
    let [inner, mut outer, next] = [(); 3].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
    let next_address = next.local_addr().unwrap();
    let mut next = Some(next);
    inner.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    outer.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    let surgeon = Side::start(&console, &dial(&[inner.local_addr().unwrap().to_string()]));
    let (end, ended) = mpsc::channel::<()>();
    let (switch, switched) = mpsc::channel::<()>();
    let router = std::thread::spawn(move || {
        let (mut buffer, mut back) = ([0; 2048], None);
        while ended.try_recv() == Err(mpsc::TryRecvError::Empty) {
            if switched.try_recv().is_ok()
                && let Some(next) = next.take()
            {
                next.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
                outer = next;
            }
            if let Ok((len, from)) = inner.recv_from(&mut buffer) {
                back = Some(from);
                let _ = outer.send_to(&buffer[..len], server);
            }
            if let (Ok(len), Some(back)) = (outer.recv(&mut buffer), back) {
                let _ = inner.send_to(&buffer[..len], back);
            }
        }
    });
    patient.wait_commands();
    switch.send(()).unwrap();
    let moved = || patient.handle.snapshot().sockets[0].remote == Some(next_address);
    while !moved() {
        patient.wait_commands();
    }
    // The way back works too: a message gets through and the session is the same one.
    patient.handle.send(Outgoing::Message(b"still here".to_vec()));
    let here = Told::Event(Event::Message { bytes: b"still here".to_vec() });
    surgeon.wait("the message", |told| *told == here);
    assert!(surgeon.address(0).ip().is_loopback());
    end.send(()).unwrap();
    router.join().unwrap();
}

#[test]
fn l_106_a_driver_that_cannot_work_says_so_at_once() {
    let [console, bedside] = sides();
    let (tell, _told) = mpsc::channel();
    let spawn = |credentials: &Credentials, path: &str| {
        let config = Config::new(credentials.clone(), vec![path.parse().unwrap()]);
        let endpoint = Teller { commands: false, tell: tell.clone() };
        Driver::spawn(config, endpoint).map(|_| ()).unwrap_err().to_string()
    };
    assert!(spawn(&console, "127.0.0.1:9").contains("has no REMOTE"));
    assert!(spawn(&bedside, "127.0.0.1:0=127.0.0.1:9").contains("has a REMOTE"));
    assert!(spawn(&bedside, "192.0.2.1:9").contains("local address"));
}
