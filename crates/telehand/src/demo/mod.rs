//! `telehand demo`: everything on one machine, over an emulated network from Shanghai to Kashgar.

mod cut;
pub mod family;
mod place;

pub use cut::Cut;
pub use place::Place;

use crate::bedside::Renderer;
use crate::console::{SurgeonKind, Task};
use crate::{http, keys_cli, ports, report, stop};
use anyhow::{Result, bail};
use clap::ValueEnum;
use family::{Child, Family};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use telehand_record::Summary;

/// How often the demo looks after its processes.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A scripted surgeon that is not done after this has failed.
const PATIENCE: Duration = Duration::from_secs(600);

/// `telehand demo`.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// The emulated network: a profile's name or file (telehand wan --list).
    #[arg(long, default_value = "shanghai-kashgar", value_name = "NAME|FILE")]
    link: String,
    /// Who moves the hands.
    #[arg(long, value_enum, default_value_t = SurgeonKind::Manual)]
    surgeon: SurgeonKind,
    /// What the scripted surgeon does.
    #[arg(long, value_enum, default_value_t = Task::PegTransfer)]
    task: Task,
    /// Rings on the board, 1 to 6.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=6))]
    objects: u8,
    /// Seed of everything that is invented.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Record into this folder, and write summary.json and report.html at the end.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Open no browser; look with our own decoder.
    #[arg(long)]
    headless: bool,
    /// Cut a path (or `all`) so long after the surgeon first moves the arms: fibre@10s+5s.
    #[arg(long = "cut", value_name = "PATH@AT+FOR")]
    cuts: Vec<Cut>,
    /// What draws the endoscope's pictures.
    #[arg(long, value_enum, default_value_t = Renderer::Software)]
    renderer: Renderer,
    /// Port of the console page; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    console_port: u16,
    /// Port of the bedside page; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    bedside_port: u16,
}

/// Runs until Ctrl-C, or until the scripted surgeon is done.
pub fn run(args: &DemoArgs) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(play(args))
}

async fn play(args: &DemoArgs) -> Result<()> {
    let place = Place::make(args.out.as_deref(), "demo", &["console.mcap", "bedside.mcap"])?;
    let plan = Plan::make(args, &place)?;
    let mut family = Family::start(&plan.children)?;
    plan.say(args);
    let outcome = tokio::select! {
        outcome = look_after(args, &plan, &mut family) => outcome,
        asked = stop::asked() => asked.map(|()| Ended::Asked),
    };
    let process = family.end();
    let ended = match outcome {
        Ok(ended) => ended,
        Err(error) => {
            // The logs that the message names must outlive it.
            std::mem::forget(place);
            return Err(error);
        }
    };
    if args.out.is_none() {
        return Ok(());
    }
    let task = args.task.to_possible_value().map_or(String::new(), |v| v.get_name().to_owned());
    let summary = report::write(&place.folder, &task, process)?;
    println!("{}", words(&summary, &place.folder));
    judge(args, ended, &summary)
}

/// How the play came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Done,
    Asked,
    TooLong,
}

/// Looks after the processes until the console is done, making the cuts on the way.
async fn look_after(args: &DemoArgs, plan: &Plan, family: &mut Family) -> Result<Ended> {
    let began = std::time::Instant::now();
    let mut moved_at = None;
    let mut cuts = args.cuts.clone();
    cuts.sort_by_key(|cut| cut.at);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if family.look()? {
            return Ok(Ended::Done);
        }
        if moved_at.is_none() && !cuts.is_empty() {
            moved_at = plan.follows().then(std::time::Instant::now);
        }
        while let (Some(moved), Some(cut)) = (moved_at, cuts.first()) {
            if moved.elapsed() < cut.at {
                break;
            }
            println!("cut {cut}");
            plan.cut(cut)?;
            cuts.remove(0);
        }
        if args.surgeon == SurgeonKind::Scripted && began.elapsed() > PATIENCE {
            return Ok(Ended::TooLong);
        }
    }
}

fn judge(args: &DemoArgs, ended: Ended, summary: &Summary) -> Result<()> {
    if args.surgeon != SurgeonKind::Scripted || ended == Ended::Asked {
        return Ok(());
    }
    if ended == Ended::TooLong {
        bail!("the scripted surgeon was not done after {} s", PATIENCE.as_secs());
    }
    if summary.task.objects_done < u32::from(args.objects) {
        bail!("{} of {} objects were transferred", summary.task.objects_done, args.objects);
    }
    if summary.guard.queued_executed > 0 {
        bail!("{} queued commands were executed after a hold", summary.guard.queued_executed);
    }
    Ok(())
}

fn words(summary: &Summary, folder: &Path) -> String {
    let Summary { task, command, video, guard, .. } = summary;
    format!(
        "{} of {} objects in {:.1} s; commands {} sent, {} delivered, one way p50 {:.1} ms; \
         pictures {} shown, glass to glass p50 {:.1} ms; {} holds. SIMULATED.\n{}",
        task.objects_done,
        task.objects,
        task.time_s,
        command.sent,
        command.delivered,
        command.one_way_ms.p50,
        video.shown,
        video.glass_to_glass_ms.p50,
        guard.holds.len(),
        folder.join("report.html").display()
    )
}

/// Who is started how, and where each can be asked.
struct Plan {
    children: Vec<Child>,
    console_url: String,
    bedside_url: String,
    wan_url: String,
    token: String,
}

impl Plan {
    fn make(args: &DemoArgs, place: &Place) -> Result<Self> {
        let profile = crate::wan::load_profile(&args.link)?;
        let names: Vec<String> = profile.paths.iter().map(|path| path.name.clone()).collect();
        for cut in &args.cuts {
            if cut.path != "all" && !names.contains(&cut.path) {
                bail!(
                    "the profile {} has no path {:?}; it has {} (or all)",
                    args.link,
                    cut.path,
                    names.join(", ")
                );
            }
        }
        let keys = place.folder.join("keys");
        keys_cli::ensure(&keys)?;
        let token = http::fresh_token()?;
        let free = ports::free(2 * names.len() + 3)?;
        let port = |index: usize| free.get(index).copied().unwrap_or(0);
        let chosen = |asked: u16, index: usize| if asked == 0 { port(index) } else { asked };
        let console_port = chosen(args.console_port, 2 * names.len());
        let bedside_port = chosen(args.bedside_port, 2 * names.len() + 1);
        let wan_port = port(2 * names.len() + 2);
        let socket = place.folder.join("arm.sock");
        let text = |path: &Path| path.display().to_string();
        let number = |n: u64| n.to_string();
        let recorded = |name: &str| {
            let file = text(&place.folder.join(name));
            if args.out.is_some() { vec!["--record".into(), file] } else { Vec::new() }
        };
        let mut arm = words_of(&["arm", "run", "--demo", "--socket", &text(&socket)]);
        arm.extend(words_of(&["--objects", &number(args.objects.into())]));
        arm.extend(words_of(&["--seed", &number(args.seed)]));
        let mut bedside = words_of(&["bedside", "--arm", &text(&socket), "--keys", &text(&keys)]);
        bedside.extend(words_of(&["--port", &number(bedside_port.into())]));
        bedside.extend(words_of(&["--renderer", args.renderer.name()]));
        let mut wan = words_of(&["wan", "--profile", &args.link, "--seed", &number(args.seed)]);
        // Nobody measures microseconds in a demo; the processors have other work.
        wan.extend(words_of(&["--spin-us", "0"]));
        wan.extend(words_of(&["--http", &format!("127.0.0.1:{wan_port}")]));
        let mut console = words_of(&["console", "--keys", &text(&keys), "--wan-control"]);
        console.push(format!("http://127.0.0.1:{wan_port}"));
        console.extend(words_of(&["--port", &number(console_port.into())]));
        for (index, name) in names.iter().enumerate() {
            let (near, far) = (port(2 * index), port(2 * index + 1));
            bedside.extend(["--path".into(), format!("{name}@127.0.0.1:{far}")]);
            wan.extend(["--path".into(), format!("{name}@127.0.0.1:{near}=127.0.0.1:{far}")]);
            console.extend(["--path".into(), format!("{name}@127.0.0.1:0=127.0.0.1:{near}")]);
        }
        bedside.extend(recorded("bedside.mcap"));
        console.extend(recorded("console.mcap"));
        if args.headless {
            console.push("--headless".into());
        }
        if args.surgeon == SurgeonKind::Scripted {
            console.extend(words_of(&["--surgeon", "scripted", "--seed", &number(args.seed)]));
            console.extend(words_of(&["--objects", &number(args.objects.into())]));
            bedside.push("--grant".into());
        }
        let child = |name: &str, words: Vec<String>, ends: bool| {
            Child::new(name, words, &token, place.folder.join(format!("{name}.log")), ends)
        };
        Ok(Self {
            children: vec![
                child("arm", arm, false),
                child("wan", wan, false),
                child("bedside", bedside, false),
                child("console", console, true),
            ],
            console_url: format!("http://127.0.0.1:{console_port}"),
            bedside_url: format!("http://127.0.0.1:{bedside_port}"),
            wan_url: format!("http://127.0.0.1:{wan_port}"),
            token,
        })
    }

    fn say(&self, args: &DemoArgs) {
        println!("SIMULATED robot, patient and network. Not a medical device. Ctrl-C ends it.");
        println!("network  {} (control {})", args.link, self.wan_url);
        println!("bedside  {}/?token={}", self.bedside_url, self.token);
        let console = format!("{}/?token={}", self.console_url, self.token);
        println!("console  {console}");
        if args.surgeon == SurgeonKind::Manual {
            println!(
                "First enable and grant the arms at the bedside, then move them at the console."
            );
        }
        if !args.headless {
            family::open_browser(&console);
        }
    }

    /// Whether the arms follow the surgeon now.
    fn follows(&self) -> bool {
        let state = self.ask("/api/state");
        let state = state.as_ref().and_then(|s| s.get("guard")?.get("state")?.as_str());
        state == Some("FOLLOWING")
    }

    fn ask(&self, path: &str) -> Option<Value> {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().timeout_global(Some(LOOK_EVERY)).build().into();
        let bearer = format!("Bearer {}", self.token);
        let mut response = agent
            .get(format!("{}{path}", self.bedside_url))
            .header("authorization", &bearer)
            .call()
            .ok()?;
        serde_json::from_str(&response.body_mut().read_to_string().ok()?).ok()
    }

    fn cut(&self, cut: &Cut) -> Result<()> {
        let body = serde_json::json!({"path": cut.path, "for_s": cut.length.as_secs_f64()});
        crate::console::ask_wan(&format!("{}/api/cut", self.wan_url), Some(&body))
            .map(|_| ())
            .map_err(|denied| anyhow::anyhow!("the cut was not made: {denied:?}"))
    }
}

fn words_of(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
