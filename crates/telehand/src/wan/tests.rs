use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use super::control::{Control, Which};
use super::*;

fn listening() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    // not a measurement: only keeps a broken relay from hanging the test
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

fn start(profile: &str, names_targets: &[(&str, SocketAddr)]) -> RelayHandle {
    let route = |(name, target): &(&str, SocketAddr)| Route {
        name: (*name).into(),
        listen: "127.0.0.1:0".parse().unwrap(),
        target: *target,
    };
    Relay::start(Settings {
        profile: Profile::parse(profile).unwrap(),
        seed: 7,
        routes: names_targets.iter().map(route).collect(),
        spin: Span::ZERO,
        log: None,
    })
    .unwrap()
}

const ONE: &str = "name = 'lab'\n[[path]]\nname = 'one'\ndelay_ms = 1\n";

fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = [0; 2048];
    let (length, from) = socket.recv_from(&mut buffer).expect("a datagram");
    (buffer[..length].to_vec(), from)
}

#[test]
fn s_060_datagrams_go_both_ways_and_each_client_gets_its_own_replies() {
    let (target, target_address) = listening();
    let relay = start(ONE, &[("one", target_address)]);
    let entry = relay.listens()[0].1;
    let (first, _) = listening();
    let (second, _) = listening();
    first.send_to(b"from first", entry).unwrap();
    let (bytes, first_seen) = receive(&target);
    assert_eq!(bytes, b"from first");
    second.send_to(b"from second", entry).unwrap();
    let (bytes, second_seen) = receive(&target);
    assert_eq!(bytes, b"from second");
    assert_ne!(first_seen, second_seen, "one upstream socket for each client");
    target.send_to(b"to first", first_seen).unwrap();
    target.send_to(b"to second", second_seen).unwrap();
    assert_eq!(receive(&first), (b"to first".to_vec(), entry));
    assert_eq!(receive(&second), (b"to second".to_vec(), entry));
    let state = relay.stop().unwrap();
    assert_eq!((state.paths[0].clients, state.paths[0].forwarded), (2, 4));
}

#[test]
fn s_061_a_cut_path_carries_nothing_and_a_restored_one_does() {
    let (target, target_address) = listening();
    let relay = start(ONE, &[("one", target_address)]);
    let (client, _) = listening();
    let send = |text: &[u8]| client.send_to(text, relay.listens()[0].1).unwrap();
    let one = || Which::Named("one".into());
    assert!(relay.ask(Control::Cut(one(), None)).unwrap().paths[0].cut);
    send(b"lost");
    // the loss is seen in the counters, not by waiting for silence
    let mut lost = 0;
    while lost == 0 {
        lost = relay.ask(Control::Look).unwrap().paths[0].out.lost["cut"];
    }
    assert!(!relay.ask(Control::Restore(one())).unwrap().paths[0].cut);
    send(b"carried");
    assert_eq!(receive(&target).0, b"carried");
    assert_eq!(relay.stop().unwrap().paths[0].out.dropped, 1);
}

#[test]
fn s_062_settings_change_one_direction_or_nothing_at_all() {
    let (_target, target_address) = listening();
    let relay = start(ONE, &[("one", target_address), ("two", target_address)]);
    let set = |which, directions: &[telehand_sim::network::Direction], text| {
        let table: toml::Table = toml::from_str(text).unwrap();
        relay.ask(Control::Set(which, directions.to_vec(), table))
    };
    let both = telehand_sim::network::Direction::BOTH;
    let state = set(Which::Named("two".into()), &both[..1], "delay_ms = 80\nloss = 0.5").unwrap();
    assert_eq!((state.paths[1].out.delay_ms, state.paths[1].out.loss), (80.0, 0.5));
    assert_eq!((state.paths[1].back.delay_ms, state.paths[0].out.delay_ms), (1.0, 1.0));
    for (which, text, wanted) in [
        (Which::All, "delay_ms = 9\nlos = 1", "unknown key `los`; the nearest known key is `loss`"),
        (Which::All, "delay_ms = 9\nloss = 2", "`loss` = 2 is outside 0 to 1"),
        (Which::Named("three".into()), "delay_ms = 9", "the paths are one, two, or all"),
    ] {
        let error = set(which, &both, text).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
    assert_eq!(relay.stop().unwrap().paths, state.paths, "a refused request changes nothing");
}

#[test]
fn s_063_the_http_control_cuts_restores_and_refuses() {
    let (_target, target_address) = listening();
    let relay = start(ONE, &[("fibre", target_address), ("5g", target_address)]);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.unwrap();
    let address = runtime.block_on(serve(relay.remote(), "127.0.0.1:0".parse().unwrap())).unwrap();
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let url = |way: &str| format!("http://{address}{way}");
    let post = |way: &str, kind: &str, body: &str| {
        let mut answer = agent.post(url(way)).content_type(kind).send(body).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    };
    let json = "application/json";
    let cut = |text: &str| {
        let state: serde_json::Value = serde_json::from_str(text).unwrap();
        [0, 1].map(|path| state["paths"][path]["cut"].as_bool().unwrap())
    };
    let get = |way: &str| agent.get(url(way)).call().unwrap().body_mut().read_to_string().unwrap();
    assert_eq!(cut(&get("/api/state")), [false, false]);
    let (status, text) = post("/api/cut", json, r#"{"path":"fibre"}"#);
    assert_eq!((status, cut(&text)), (200, [true, false]));
    let (status, text) = post("/api/cut", json, r#"{"path":"all","for_s":3600}"#);
    assert_eq!((status, cut(&text)), (200, [true, true]));
    let (status, text) = post("/api/restore", json, r#"{"path":"all"}"#);
    assert_eq!((status, cut(&text)), (200, [false, false]));
    for (way, kind, body, wanted) in [
        ("/api/cut", json, r#"{"path":"copper"}"#, 400),
        ("/api/cut", json, r#"{"path":"fibre","for_s":-1}"#, 400),
        ("/api/set", json, r#"{"path":"fibre","delay":1}"#, 400),
        ("/api/cut", "text/plain", r#"{"path":"fibre"}"#, 415),
    ] {
        let (status, text) = post(way, kind, body);
        assert_eq!(status, wanted, "{body}: {text}");
        assert!(text.contains("nothing was changed"), "{text}");
    }
    assert_eq!(cut(&get("/api/state")), [false, false]);
    assert!(get("/").contains("<h1>telehand wan</h1>") && get("/page.js").contains("restoreAll"));
    let elsewhere = agent.get(url("/api/state")).header("Origin", "http://evil.example").call();
    assert_eq!(elsewhere.unwrap().status().as_u16(), 403);
    let public = runtime.block_on(serve(relay.remote(), "0.0.0.0:0".parse().unwrap()));
    assert!(public.unwrap_err().to_string().contains("loopback only"));
}

#[test]
fn s_064_routes_are_read_and_matched_to_the_profile() {
    let route = |text: &str| text.parse::<Route>();
    let fibre = route("fibre@127.0.0.1:7001=127.0.0.1:7101").unwrap();
    assert_eq!(
        (fibre.name.as_str(), fibre.listen.port(), fibre.target.port()),
        ("fibre", 7001, 7101)
    );
    assert!(route("v6@[::1]:1=[::1]:2").is_ok());
    for text in [
        "",
        "fibre",
        "fibre@127.0.0.1:1",
        "@127.0.0.1:1=127.0.0.1:2",
        "all@127.0.0.1:1=127.0.0.1:2",
        "UP@127.0.0.1:1=127.0.0.1:2",
        "a@127.0.0.1=127.0.0.1:2",
        "a@127.0.0.1:1=127.0.0.1:99999",
    ] {
        assert!(route(text).unwrap_err().contains("example"), "{text}");
    }
    let profile = Profile::shipped("shanghai-kashgar").unwrap();
    let named = |name: &str| Route { name: name.into(), ..fibre.clone() };
    let from = |names: &[&str]| {
        let routes: Vec<_> = names.iter().map(|name| named(name)).collect();
        route::matched(&profile, &routes).map(|(_, from)| from)
    };
    assert_eq!(from(&["5g", "fibre"]).unwrap(), ["5g", "fibre"]);
    assert_eq!(from(&["a", "b", "c"]).unwrap(), ["fibre", "5g", "5g"]);
    assert!(from(&["a", "a"]).unwrap_err().to_string().contains("its own name"));
    assert!(from(&[]).is_err());
}

#[test]
fn s_065_the_log_holds_one_line_for_every_packet() {
    let file = std::env::temp_dir().join(format!("telehand-wan-log-{}.csv", std::process::id()));
    let (target, target_address) = listening();
    let relay = Relay::start(Settings {
        profile: Profile::parse("name='l'\n[[path]]\nname='one'\nloss=0.5\n").unwrap(),
        seed: 3,
        routes: vec![Route {
            name: "one".into(),
            listen: "127.0.0.1:0".parse().unwrap(),
            target: target_address,
        }],
        spin: Span::ZERO,
        log: Some(file.clone()),
    })
    .unwrap();
    let (client, _) = listening();
    for _ in 0..40 {
        client.send_to(b"beat", relay.listens()[0].1).unwrap();
    }
    while relay.ask(Control::Look).unwrap().paths[0].out.offered < 40 {}
    let state = relay.stop().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let lost = text.lines().filter(|line| line.contains(",one,out,4,random,,")).count() as u64;
    let carried = text.lines().filter(|line| line.contains(",one,out,4,carried,")).count() as u64;
    assert_eq!(text.lines().count(), 41);
    assert_eq!((lost, carried), (state.paths[0].out.dropped, state.paths[0].out.forwarded));
    assert!(lost > 0 && carried > 0);
    drop(target);
}

#[test]
fn s_066_an_unknown_profile_is_refused_with_where_to_look() {
    for (name, wanted) in [("no-such", "--list"), ("/no/such/file.toml", "cannot read")] {
        assert!(load_profile(name).unwrap_err().to_string().contains(wanted), "{name}");
    }
    assert!(list().lines().count() >= 26 && list().contains("shanghai-kashgar"));
}
