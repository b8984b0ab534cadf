//! Outside a demo the arm follows only a console that shows a session grant: four real processes on
//! loopback, no hub among them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is wrong"
)]

use serde_json::Value;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use telehand::arm::wall_clock;
use telehand_alliance::entity::device::{Firmware, FirmwareRange};
use telehand_alliance::entity::session::GrantRole;
use telehand_alliance::grant::{Claims, KeyPair, LogHead, Revocations, Signer, Token, thumbprint};
use telehand_alliance::log::digest;
use telehand_alliance::time::Window;

/// A slow machine may take this long for anything; a sound one takes seconds.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(20);
const TOKEN: &str = "admission-test-0123456789abcdef";
const SERIAL: &str = "RX-0042";

const HUB: [u8; 32] = [1; 32];
const SITE: [u8; 32] = [2; 32];
const CONSOLE: [u8; 32] = [3; 32];

/// An operating room and a console, each process of which dies with it.
struct Room {
    folder: PathBuf,
    processes: Vec<Child>,
    bedside: String,
    console_port: u16,
    link_port: u16,
}

impl Room {
    /// Arm and bedside; `trust` is what stands in the arm's trust file.
    fn open(name: &str, serial: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("telehand-admission-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let ports = telehand::ports::free(3).unwrap();
        let mut room = Self {
            bedside: format!("http://127.0.0.1:{}", ports[0]),
            console_port: ports[1],
            link_port: ports[2],
            processes: Vec::new(),
            folder,
        };
        let file = |name: &str| room.folder.join(name).display().to_string();
        let (keys, socket, trust) = (file("keys"), file("arm.sock"), file("trust.toml"));
        std::fs::write(&trust, trust_file(serial)).unwrap();
        std::fs::write(file("revoked"), no_revocations()).unwrap();
        let made = program(&["keys", "--dir", &keys]).status().unwrap();
        assert!(made.success());
        let path = format!("lan@127.0.0.1:{}", room.link_port);
        let port = ports[0].to_string();
        room.start(&["arm", "run", "--socket", &socket, "--trust", &trust, "--objects", "6"]);
        room.start(&[
            "bedside", "--arm", &socket, "--keys", &keys, "--path", &path, "--port", &port,
        ]);
        room
    }

    /// A scripted surgeon; with the grant in `folder` if there is one.
    fn console(&mut self) {
        let file = |name: &str| self.folder.join(name);
        let keys = file("keys").display().to_string();
        let path = format!("lan@127.0.0.1:0=127.0.0.1:{}", self.link_port);
        let port = self.console_port.to_string();
        let mut words = vec!["console", "--keys", &keys, "--path", &path, "--port", &port];
        words.extend(["--headless", "--surgeon", "scripted"]);
        let (grant, key) = (file("grant"), file("console.key"));
        let (grant, key) = (grant.display().to_string(), key.display().to_string());
        if std::fs::exists(&grant).unwrap() {
            words.extend(["--session-grant", &grant, "--session-key", &key]);
        }
        self.start(&words);
    }

    fn start(&mut self, words: &[&str]) {
        self.processes.push(program(words).spawn().unwrap());
    }

    fn state(&self) -> Option<Value> {
        let mut answer = ureq::get(format!("{}/api/state", self.bedside))
            .header("authorization", format!("Bearer {TOKEN}"))
            .call()
            .ok()?;
        serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()
    }

    fn wait_until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(state) = self.state().filter(|state| holds(state)) {
                return state;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        panic!("not {what} within {PATIENCE:?}: {:?}", self.state());
    }

    /// Presses a button at the bedside until it answers; the answer and its status.
    fn press(&self, action: &str) -> (u16, Value) {
        let body = serde_json::json!({"action": action}).to_string();
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut answer = agent
            .post(format!("{}/api/action", self.bedside))
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/json")
            .send(&body)
            .unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap())
    }

    /// Enables, and grants until that is done: the clocks of both sides must be known first.
    fn enable_and_grant(&self) {
        let began = Instant::now();
        while state_word(&self.state().unwrap_or_default()) != "FOLLOWING" {
            assert!(began.elapsed() < PATIENCE, "never followed: {:?}", self.state());
            match state_word(&self.state().unwrap_or_default()).as_str() {
                "OFF" => drop(self.press("enable")),
                "LOCAL" => drop(self.press("grant")),
                _ => {}
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn program(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_telehand"));
    command.args(words).env("TELEHAND_TOKEN", TOKEN);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn state_word(state: &Value) -> String {
    state.pointer("/guard/state").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn trust_file(serial: &str) -> String {
    let public = |seed| KeyPair::from_seed(&seed).public_key().0.to_string();
    format!(
        "revocations = \"revoked\"\n\
         [robot]\nserial = \"{serial}\"\nmodel = \"RX\"\nfirmware = \"4.2.0\"\n\
         [hubs]\nalliance = [\"{}\"]\n[sites]\nkashgar = [\"{}\"]\n",
        public(HUB),
        public(SITE)
    )
}

fn no_revocations() -> Vec<u8> {
    let list = Revocations {
        hub: "alliance".parse().unwrap(),
        number: 1,
        issued: wall_clock(),
        grants: [].into(),
        people: [].into(),
        robots: [].into(),
    };
    list.sign(&KeyPair::from_seed(&HUB)).unwrap()
}

/// A grant for this console and the robot with [`SERIAL`], signed by hub and site.
fn write_grant(room: &Room) {
    let now = wall_clock();
    let claims = Claims {
        id: "grant-1".parse().unwrap(),
        hub: "alliance".parse().unwrap(),
        session: "session-1".parse().unwrap(),
        case: "case-1".parse().unwrap(),
        robot_serial: SERIAL.into(),
        window: Window { from: now.plus_hours(-1), until: now.plus_hours(30) },
        issued: now.plus_hours(-1),
        console_key: thumbprint(&KeyPair::from_seed(&CONSOLE).public_key()),
        people: [("surgeon".parse().unwrap(), GrantRole::Control)].into(),
        procedure: "0SG00A1".parse().unwrap(),
        robot_model: "RX".parse().unwrap(),
        robot_firmware: FirmwareRange { from: Firmware(4, 0, 0), to: Firmware(4, 9, 9) },
        site: "kashgar".parse().unwrap(),
        rtt_max_us: 200_000,
        consent_hash: digest(b"consent"),
        plan_hash: digest(b"plan"),
        epoch_base: 1,
        log: LogHead { size: 1, root: digest(b"root") },
    };
    let token = Token::new(&claims).unwrap();
    let token = token.sign(&KeyPair::from_seed(&HUB)).sign(&KeyPair::from_seed(&SITE));
    std::fs::write(room.folder.join("grant"), token.to_bytes().unwrap()).unwrap();
    let seed = telehand_record::chain::hex(&CONSOLE);
    std::fs::write(room.folder.join("console.key"), seed).unwrap();
}

#[test]
fn a_010_with_a_grant_the_arm_follows_and_a_012_the_bedside_takes_it_without_one() {
    let mut room = Room::open("granted", SERIAL);
    write_grant(&room);
    room.console();
    let state = room.wait_until("admitted", |s| s.pointer("/admission/admitted/grant").is_some());
    assert_eq!(state.pointer("/admission/admitted/surgeon").unwrap(), "surgeon");
    room.enable_and_grant();
    // Nobody asks the bedside for a paper.
    assert_eq!(room.press("take_over").0, 200);
    room.wait_until("LOCAL", |state| state_word(state) == "LOCAL");
}

#[test]
fn a_010_without_a_grant_the_arm_does_not_follow() {
    let mut room = Room::open("without", SERIAL);
    room.console();
    room.wait_until("asked", |s| s.pointer("/admission/needed") == Some(&Value::Bool(true)));
    room.wait_until("connected", |s| s.pointer("/link/status").is_some_and(|up| up == "up"));
    room.wait_until("enabled", |s| state_word(s) == "LOCAL" || room.press("enable").0 > 999);
    let (status, answer) = room.press("grant");
    assert_eq!((status, answer["name"].as_str()), (409, Some("no_session_grant")), "{answer}");
    assert_eq!(state_word(&room.state().unwrap()), "LOCAL");
}

#[test]
fn a_010_a_grant_for_another_robot_lets_nobody_in() {
    let mut room = Room::open("other", "RX-0043");
    write_grant(&room);
    room.console();
    let state = room.wait_until("refused", |s| s.pointer("/admission/refused/rule").is_some());
    assert_eq!(state.pointer("/admission/refused/rule").unwrap(), "A-010");
    assert_eq!(state.pointer("/admission/refused/value").unwrap(), "RX-0043");
    assert!(state.pointer("/admission/admitted").unwrap().is_null());
}
