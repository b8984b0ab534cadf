//! Cutting a site's networks, and what its robot made of it.

use super::people::word;
use crate::clock;
use crate::demo::Cut;
use crate::lock;
use anyhow::{Context as _, Result, anyhow};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use telehand_vocab::{Mono, Span};

/// How often the robot is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// Longest wait for an answer.
const WAIT: Duration = Duration::from_secs(2);

/// A cut that was made.
#[derive(Debug, Clone)]
pub struct Made {
    site: String,
    /// By the clock that every process of this machine shares.
    at: Mono,
    length: Span,
    /// What the robot was doing.
    robot: String,
}

/// Where a site can be asked without any of its networks: by the page in its operating room. Asked
/// over HTTP, for the first web socket is the one whose hands count.
pub struct Window {
    agent: ureq::Agent,
    url: String,
    bearer: String,
}

impl Window {
    /// Of the page server at 127.0.0.1:`port`.
    pub fn open(port: u16, token: &str) -> Self {
        let agent = ureq::Agent::config_builder().timeout_global(Some(WAIT)).build().into();
        let url = format!("http://127.0.0.1:{port}/api/state");
        Self { agent, url, bearer: format!("Bearer {token}") }
    }

    /// What the robot does; nothing while nobody answers.
    fn robot(&self) -> String {
        let asked = self.agent.get(&self.url).header("authorization", &self.bearer).call();
        let text = asked.ok().and_then(|mut answer| answer.body_mut().read_to_string().ok());
        let state: Value =
            text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        word(&state, "/site/robot/state").to_owned()
    }
}

/// Cuts every network of a site, so long after its robot first moves under the surgeon.
pub fn make(
    cut: &Cut,
    window: &Window,
    control: &str,
    made: &Mutex<Vec<Made>>,
    over: &AtomicBool,
) -> Result<()> {
    let robot = || window.robot();
    while robot() != "moving" {
        if over.load(Ordering::Relaxed) {
            return Ok(());
        }
        std::thread::sleep(LOOK);
    }
    let began = Instant::now();
    std::thread::sleep(cut.at.saturating_sub(began.elapsed()));
    let (robot, seconds) = (robot(), cut.length.as_secs_f64());
    let body = json!({"path": "all", "for_s": seconds});
    crate::console::ask_wan(&format!("{control}/api/cut"), Some(&body))
        .map_err(|denied| anyhow!("the cut was not made: {denied:?}"))?;
    let at = clock::now();
    println!("cut {cut}");
    let length = Span::from_secs_f64(seconds);
    lock(made).push(Made { site: cut.path.clone(), at, length, robot });
    Ok(())
}

/// How often the robot of a site, or the watch over a wire, went from hand to hand by its own record.
pub fn hand_overs(site: &Path) -> usize {
    let text = std::fs::read_to_string(site.join("record.jsonl")).unwrap_or_default();
    text.lines().filter(|line| line.contains("\"what\":\"HandedOff(")).count()
}

/// What a site's own record says of a cut: when its robot held, whether it moved before the line was
/// there again, and when the local team had it.
pub fn account(cut: &Made, sites: &Path) -> Result<Value> {
    let path = sites.join(&cut.site).join("record.jsonl");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let entries: Vec<(Mono, String)> = lines
        .filter_map(|line| {
            let at = Mono::from_nanos(line.get("at_ns")?.as_u64()?);
            Some((at, line.get("what")?.as_str()?.to_owned()))
        })
        .collect();
    Ok(judge(cut, &entries))
}

fn judge(cut: &Made, entries: &[(Mono, String)]) -> Value {
    let restored = cut.at + cut.length;
    let meanwhile = || entries.iter().filter(|(at, _)| (cut.at..restored).contains(at));
    let after = |words: &[&str]| {
        let found = meanwhile().find(|(_, what)| words.iter().any(|word| what.starts_with(word)));
        found.map(|(at, _)| *at)
    };
    // Who takes the robot over also makes it hold.
    let held = after(&["Held(", "Stopped"]);
    let moved = held.is_some_and(|held| {
        meanwhile().any(|(at, what)| *at > held && what.starts_with("Moving("))
    });
    let silence = meanwhile().find_map(|(_, what)| {
        let rest = what.strip_prefix("Held(")?;
        let value = rest.split_once("value: ")?.1.split_once(',')?.0;
        Some(value.parse::<f64>().ok()? * 1e3)
    });
    json!({
        "site": cut.site,
        "for_s": cut.length.as_secs_f64(),
        "robot_at_cut": cut.robot,
        "held_after_ms": held.map(|held| held.since(cut.at).as_millis_f64()),
        "silence_when_held_ms": silence.filter(|ms| ms.is_finite()),
        "moved_while_cut": moved,
        "local_team_had_it": meanwhile().any(|(_, what)| what.contains("Local")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(entries: &[(u64, &str)]) -> Value {
        let cut = Made {
            site: "a".into(),
            at: Mono::from_nanos(1_000_000_000),
            length: Span::from_millis(2_000),
            robot: "moving".into(),
        };
        let entries: Vec<(Mono, String)> = entries
            .iter()
            .map(|(ms, what)| (Mono::from_nanos(ms * 1_000_000), (*what).to_owned()))
            .collect();
        judge(&cut, &entries)
    }

    #[test]
    fn o_010_what_moves_after_the_hold_is_told() {
        let held = "Held(Refusal { why: NoGo, value: 0.204, limit: 0.2 })";
        let good = judged(&[(900, "Moving(L3L)"), (1_190, held), (3_100, "Moving(L3L)")]);
        assert_eq!(good["held_after_ms"], 190.0);
        assert!((good["silence_when_held_ms"].as_f64().unwrap() - 204.0).abs() < 1e-9);
        assert_eq!(good["moved_while_cut"], false);
        let bad = judged(&[(1_190, held), (1_500, "Moving(L3L)")]);
        assert_eq!(bad["moved_while_cut"], true);
        let never = judged(&[(900, "Moving(L3L)"), (3_200, held)]);
        assert!(never["held_after_ms"].is_null());
        let taken = judged(&[(1_190, held), (1_400, "Ended(Epoch(3), Local)")]);
        assert_eq!(taken["local_team_had_it"], true);
    }
}
