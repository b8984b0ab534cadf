//! The console page: the picture, the heads-up display, the hands.

use super::endpoint::{fate, picture_words};
use super::{Booth, SurgeonKind, hands};
use crate::bedside::HOLD;
use crate::http::{Backend, Denied, Feed, VideoMessage};
use crate::lock;
use crate::net::Outgoing;
use crate::{clock, view};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use telehand_video::Stamp;
use telehand_video::integrity::Picture;
use telehand_vocab::{Mono, Span};
use tokio::sync::broadcast;

/// How long the emulated network's control may take.
const WAN_WAIT: Duration = Duration::from_secs(2);

/// What the page talks to.
pub struct Page {
    booth: Arc<Booth>,
}

impl Page {
    /// For this process.
    pub const fn new(booth: Arc<Booth>) -> Self {
        Self { booth }
    }

    fn picture(&self, now: Mono) -> Value {
        let at_patient = self.booth.at_patient(now);
        let shown = lock(&self.booth.shown);
        let echo = shown.echo(now, at_patient);
        let (state, _) = picture_words(shown.chain.unwrap_or(Picture::Waiting));
        let counts = shown.counts();
        json!({
            "state": state,
            "age_ms": (echo.age < Span::MAX).then(|| echo.age.as_millis_f64()),
            "shown": counts.pictures,
            "late": counts.late,
            "lost": shown.lost,
            "damaged": shown.damaged,
            "mbit_s": shown.mbit_s(),
            "glass_to_glass_ms": shown.glass_to_glass().map(|[p50, p99]| {
                json!({"p50": p50.as_millis_f64(), "p99": p99.as_millis_f64()})
            }),
        })
    }
}

impl Backend for Page {
    fn page(&self) -> &'static str {
        "console.html"
    }

    fn state(&self, controls: bool) -> Value {
        let now = clock::now();
        let feedback = self.booth.feedback();
        let at_patient = self.booth.at_patient(now);
        let link = self.booth.link_snapshot().map_or(Value::Null, |snapshot| view::link(&snapshot));
        let hands = lock(&self.booth.hands);
        let intents: Vec<Value> = hands
            .intents()
            .iter()
            .map(|hand| json!({"arm": hand.arm.name(), "engaged": hand.engaged}))
            .collect();
        let scale = hands.scale();
        drop(hands);
        json!({
            "type": "state",
            "side": "console",
            "simulated": true,
            "now_us": now.as_nanos() / 1000,
            "controls": controls && self.booth.surgeon == SurgeonKind::Manual,
            "surgeon": match self.booth.surgeon {
                SurgeonKind::Manual => "manual",
                SurgeonKind::Scripted => "scripted",
            },
            "link": link,
            "guard": view::guard(feedback.as_ref(), at_patient),
            "arms": view::arms(feedback.as_ref()),
            "hands": intents,
            "scale": scale,
            "picture": self.picture(now),
            "admission": view::admission(lock(&self.booth.admission).as_ref()),
            "demo": self.booth.wan_control.as_ref().map(|_| json!({"wan": true})),
        })
    }

    fn action(&self, body: &Value) -> Result<Value, Denied> {
        match body.get("action").and_then(Value::as_str).unwrap_or_default() {
            "hold" => {
                let link = self.booth.link.get();
                link.map(|link| link.send(Outgoing::Message(vec![HOLD])));
                lock(&self.booth.hands).let_go();
                Ok(json!({"ok": true}))
            }
            "set_scale" => {
                let scale = body.get("scale").and_then(Value::as_f64);
                let scale =
                    scale.filter(|scale| (0.05..=1.0).contains(scale)).ok_or_else(|| {
                        Denied::Bad(
                            "scale must be a number from 0.05 to 1; it stays as it was".into(),
                        )
                    })?;
                Ok(json!({"ok": true, "scale": lock(&self.booth.hands).set_scale(scale)}))
            }
            "swap_arms" => {
                lock(&self.booth.hands).swap();
                Ok(json!({"ok": true}))
            }
            other => Err(Denied::Bad(format!(
                "there is no action {other:?} at the console; there are hold, set_scale and swap_arms"
            ))),
        }
    }

    fn hands(&self, body: &Value) {
        if self.booth.surgeon != SurgeonKind::Manual {
            return;
        }
        let now = clock::now();
        if let Some(samples) = hands::from_page(now, body) {
            lock(&self.booth.hands).put(now, samples);
        }
    }

    fn hands_gone(&self) {
        if self.booth.surgeon == SurgeonKind::Manual {
            lock(&self.booth.hands).let_go();
        }
    }

    fn feed(&self, name: &str) -> Option<Arc<dyn Feed>> {
        name.is_empty().then(|| Arc::new(Self::new(self.booth.clone())) as Arc<dyn Feed>)
    }

    fn wan(&self, body: Option<&Value>) -> Result<Value, Denied> {
        let Some(base) = &self.booth.wan_control else {
            return Err(Denied::Bad("there is no emulated network to control here".into()));
        };
        let base = base.trim_end_matches('/');
        let Some(body) = body else { return ask_wan(&format!("{base}/api/state"), None) };
        if let Some(path) = body.get("cut").and_then(Value::as_str) {
            let cut = json!({"path": path, "for_s": body.get("for_s").and_then(Value::as_f64)});
            ask_wan(&format!("{base}/api/cut"), Some(&cut))
        } else if let Some(path) = body.get("restore").and_then(Value::as_str) {
            ask_wan(&format!("{base}/api/restore"), Some(&json!({"path": path})))
        } else {
            Err(Denied::Bad(
                "say {\"cut\": PATH, \"for_s\": SECONDS} or {\"restore\": PATH}".into(),
            ))
        }
    }
}

impl Feed for Page {
    fn join_video(&self) {
        self.booth.join.store(true, Ordering::Release);
    }

    fn video(&self) -> broadcast::Receiver<VideoMessage> {
        self.booth.video.subscribe()
    }

    fn video_config(&self) -> Option<Value> {
        lock(&self.booth.video_config).clone()
    }

    /// The page drew a picture. With an own decoder in the process, that one counts.
    fn drawn(&self, body: &Value) {
        if self.booth.eye.is_some() {
            return;
        }
        let number = |key: &str| body.get(key).and_then(Value::as_u64);
        let now = clock::now();
        let Some(seq) = number("seq").and_then(|seq| u32::try_from(seq).ok()) else { return };
        let mut shown = lock(&self.booth.shown);
        let Some(passed) = shown.passed(seq) else { return };
        // The page's clock is ours but for the ping-pong's error; a drawing of the future is none.
        let drawn =
            number("drawn_us").map_or(now, |us| Mono::from_nanos(us.saturating_mul(1000)).min(now));
        let Some(at_patient) = self.booth.at_patient(drawn) else { return };
        let stamped = number("stamp_frame") == Some(u64::from(seq & 0x00FF_FFFF));
        let mark = stamped.then(|| Stamp {
            stream: 0,
            eye: 0,
            frame: seq & 0x00FF_FFFF,
            born_us: passed.captured_at.as_nanos() / 1000,
        });
        let age = shown.show(drawn, at_patient, mark);
        drop(shown);
        let word = if stamped { "shown" } else { "shown_unstamped" };
        let born = age.map(|age| drawn - age);
        self.booth.tape.write(now, fate(now, passed, word, born, age));
    }
}

/// One request to the emulated network's control.
pub fn ask_wan(url: &str, body: Option<&Value>) -> Result<Value, Denied> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(WAN_WAIT))
        .http_status_as_error(false)
        .build()
        .into();
    let response = match body {
        None => agent.get(url).call(),
        Some(body) => {
            agent.post(url).header("content-type", "application/json").send(body.to_string())
        }
    };
    let silent = |error| Denied::Bad(format!("the emulated network does not answer: {error}"));
    let mut response = response.map_err(silent)?;
    let text = response.body_mut().read_to_string().map_err(silent)?;
    let refused = || Denied::Bad(format!("the emulated network refused: {text}"));
    if !response.status().is_success() {
        return Err(refused());
    }
    serde_json::from_str(&text).map_err(|_| refused())
}
