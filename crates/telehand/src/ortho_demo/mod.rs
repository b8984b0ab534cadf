//! `telehand demo ortho`: three simulated hospitals and one surgeon on one machine.

pub mod keys;
mod line;
mod people;
mod summary;

use crate::demo::family::{Child, Family, open_browser};
use crate::{http, ports, stop};
use anyhow::{Context as _, Result, bail};
use line::Line;
use people::{Eyes, SurgeonScript};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use telehand_ortho::Level;
use telehand_sim::spine::phantom::Spec;
use telehand_sim::spine::theatre::{Setup, Theatre};

/// How often the demo looks after its processes.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The surgeon's name in the certificates.
const SURGEON: &str = "surgeon";

/// A hospital of the demo. They are invented; cities stand for distances.
struct Hospital {
    id: &'static str,
    name_en: &'static str,
    name_zh: &'static str,
    colour: &'static str,
}

const HOSPITALS: [Hospital; 4] = [
    Hospital {
        id: "tianjin",
        name_en: "Demo Hospital Tianjin",
        name_zh: "天津示范医院",
        colour: "#2f6fb0",
    },
    Hospital {
        id: "zhangjiakou",
        name_en: "Demo Hospital Zhangjiakou",
        name_zh: "张家口示范医院",
        colour: "#b0612f",
    },
    Hospital {
        id: "karamay",
        name_en: "Demo Hospital Karamay",
        name_zh: "克拉玛依示范医院",
        colour: "#3f8f4f",
    },
    Hospital {
        id: "kashgar",
        name_en: "Demo Hospital Kashgar",
        name_zh: "喀什示范医院",
        colour: "#8a4fb0",
    },
];

/// `telehand demo ortho`.
#[derive(Debug, clap::Args)]
pub struct OrthoDemoArgs {
    /// How many hospitals, 1 to 4
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=4))]
    sites: u8,
    /// Seed of everything that is invented
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A scripted surgeon and scripted teams do every case from the first signature to the report;
    /// no browser
    #[arg(long)]
    headless: bool,
    /// Scripted: screws of each patient, 1 to 6
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=6))]
    screws: u8,
    /// Keep reports, plans and the DICOM objects in this folder, with summary.json
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How much faster than life the simulated devices run; the link and its holds never do
    #[arg(long, default_value_t = 2.0, value_parser = |text: &str| crate::within(text, 0.1, 20.0))]
    speed: f64,
    /// Scan in 0.5 mm voxels instead of 0.8 mm ones
    #[arg(long)]
    fine: bool,
    /// Port of the planner's page; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Scripted: give up after so many seconds
    #[arg(long, default_value_t = 900, value_name = "SECONDS")]
    patience: u64,
}

/// Runs until Ctrl-C, or until the scripted people are done.
pub fn run(args: &OrthoDemoArgs) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(play(args))
}

async fn play(args: &OrthoDemoArgs) -> Result<()> {
    let place = Place::make(args)?;
    let plan = Plan::make(args, &place.folder)?;
    let mut family = Family::start(&plan.children)?;
    plan.say(args);
    let began = Instant::now();
    let over = Arc::new(AtomicBool::new(false));
    let mut script = args.headless.then(|| plan.script(args, &over)).transpose()?;
    let outcome = loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            asked = stop::asked() => { asked?; break Ok(false); }
        }
        if let Err(error) = family.look() {
            break Err(error);
        }
        if let Some(done) = script.take_if(|script| script.is_finished()) {
            break done.join().unwrap_or_else(|_| bail!("the script panicked")).map(|()| true);
        }
    };
    over.store(true, Ordering::Relaxed);
    let outcome = outcome.and_then(|scripted| {
        if scripted {
            let planner = Line::open(plan.planner_port, &plan.token)?;
            let state = planner.first_state()?;
            let wanted = [usize::from(args.sites), usize::from(args.screws)];
            summary::write(&state, &place.folder, wanted, began.elapsed())?;
        }
        Ok(())
    });
    family.end();
    if outcome.is_err() {
        // The logs that the message names must outlive it.
        std::mem::forget(place);
    }
    outcome
}

/// The folder everything lies in.
struct Place {
    folder: PathBuf,
    /// Removed at the end: nobody asked to keep it.
    passing: bool,
}

impl Place {
    fn make(args: &OrthoDemoArgs) -> Result<Self> {
        let own = || std::env::temp_dir().join(format!("telehand-ortho-{}", std::process::id()));
        let (folder, passing) = (args.out.clone().unwrap_or_else(own), args.out.is_none());
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        if folder.join("keys").exists() {
            bail!("{} already holds a demo; choose another --out", folder.display());
        }
        Ok(Self { folder, passing })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.passing {
            // What cannot be removed lies in a temporary folder.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// Who is started how.
struct Plan {
    children: Vec<Child>,
    hospitals: &'static [Hospital],
    site_ports: Vec<u16>,
    planner_port: u16,
    token: String,
}

fn seed_of(args: &OrthoDemoArgs, index: usize) -> u64 {
    args.seed.wrapping_mul(1_000).wrapping_add(index as u64 + 1)
}

impl Plan {
    fn make(args: &OrthoDemoArgs, folder: &Path) -> Result<Self> {
        let hospitals = HOSPITALS.get(..args.sites.into()).unwrap_or(&HOSPITALS);
        let ids: Vec<&str> = hospitals.iter().map(|hospital| hospital.id).collect();
        let keys = folder.join("keys");
        keys::make(&keys, SURGEON, &ids)?;
        let token = http::fresh_token()?;
        let free = ports::free(2 * hospitals.len() + 2)?;
        let port = |index: usize| free.get(index).copied().unwrap_or(0);
        let count = hospitals.len();
        let planner_port = if args.port == 0 { port(2 * count) } else { args.port };
        let dicom_port = port(2 * count + 1);
        let text = |path: &Path| path.display().to_string();
        let log = |name: &str| folder.join(format!("{name}.log"));
        let mut planner: Vec<String> = vec!["planner".into()];
        let mut children = Vec::new();
        for (index, hospital) in hospitals.iter().enumerate() {
            let (link, page) = (port(2 * index), port(2 * index + 1));
            let mut words: Vec<String> = [
                "site",
                "--id",
                hospital.id,
                "--name-en",
                hospital.name_en,
                "--name-zh",
                hospital.name_zh,
                "--colour",
                hospital.colour,
            ]
            .map(str::to_owned)
            .into();
            let more = [
                ("--seed", seed_of(args, index).to_string()),
                ("--path", format!("line@127.0.0.1:{link}")),
                ("--port", page.to_string()),
                ("--keys", text(&keys.join(hospital.id))),
                ("--push", format!("127.0.0.1:{dicom_port}")),
                ("--state", text(&folder.join("sites").join(hospital.id))),
                ("--speed", args.speed.to_string()),
                ("--surgeon", SURGEON.to_owned()),
            ];
            words.extend(more.into_iter().flat_map(|(key, value)| [key.to_owned(), value]));
            if args.fine {
                words.push("--fine".into());
            }
            children.push(Child::new(hospital.id, words, &token, log(hospital.id), false));
            planner.push("--site".into());
            planner.push(format!("{}@127.0.0.1:0=127.0.0.1:{link}", hospital.id));
        }
        let more = [
            ("--keys", text(&keys.join(keys::PLANNER))),
            ("--port", planner_port.to_string()),
            ("--dicom-port", dicom_port.to_string()),
            ("--state", text(&folder.join("planner"))),
        ];
        planner.extend(more.into_iter().flat_map(|(key, value)| [key.to_owned(), value]));
        children.push(Child::new("planner", planner, &token, log("planner"), false));
        let site_ports = (0..count).map(|index| port(2 * index + 1)).collect();
        Ok(Self { children, hospitals, site_ports, planner_port, token })
    }

    fn say(&self, args: &OrthoDemoArgs) {
        println!("SIMULATED patients, robots and trackers. Not a medical device. Ctrl-C ends it.");
        for (hospital, port) in self.hospitals.iter().zip(&self.site_ports) {
            println!("{:<12} http://127.0.0.1:{port}/?token={}", hospital.id, self.token);
        }
        let planner = format!("http://127.0.0.1:{}/?token={}", self.planner_port, self.token);
        println!("{:<12} {planner}", "planner");
        if !args.headless {
            println!("The teams sign, fix the reference and scan; the surgeon plans and commands.");
            open_browser(&planner);
        }
    }

    /// Starts the scripted people.
    fn script(
        &self,
        args: &OrthoDemoArgs,
        over: &Arc<AtomicBool>,
    ) -> Result<std::thread::JoinHandle<Result<()>>> {
        let planner = Line::open(self.planner_port, &self.token)?;
        let mut eyes = BTreeMap::new();
        for (index, (hospital, port)) in self.hospitals.iter().zip(&self.site_ports).enumerate() {
            let seed = seed_of(args, index);
            let spec = Spec { from: Level::L2, to: Level::L4, seed, vary: true, osteoporosis: 0.0 };
            let twin = Theatre::new(&Setup { spec, ..Setup::demo(seed) });
            eyes.insert(hospital.id.to_owned(), Eyes::of(twin, seed));
            let (line, over) = (Line::open(*port, &self.token)?, over.clone());
            let name = hospital.id;
            std::thread::Builder::new().name(name.into()).spawn(move || {
                if let Err(error) = people::team(&line, &over)
                    && !over.load(Ordering::Relaxed)
                {
                    eprintln!("the team of {name}: {error:#}");
                }
            })?;
        }
        let (screws, patience) = (args.screws.into(), Duration::from_secs(args.patience));
        let over = over.clone();
        let thread = std::thread::Builder::new()
            .name("surgeon".into())
            .spawn(move || SurgeonScript::new(&planner, eyes, screws).work(patience, &over))?;
        Ok(thread)
    }
}
