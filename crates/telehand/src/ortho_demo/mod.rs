//! `telehand demo ortho`: three simulated hospitals and one surgeon on one machine.

mod cuts;
mod hospitals;
pub mod keys;
mod line;
mod people;
mod plan;
mod second;
mod summary;
mod team;

use crate::demo::family::Family;
use crate::demo::{Cut, Place};
use crate::{lock, stop};
use anyhow::{Result, bail};
use line::Line;
use people::{Eyes, SurgeonScript};
use plan::{Plan, Site};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use telehand_ortho::Level;
use telehand_sim::spine::phantom::Spec;
use telehand_sim::spine::theatre::{Setup, Theatre};

/// How often the demo looks after its processes.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The surgeon's name in the certificates.
const SURGEON: &str = "surgeon";
/// The second expert's name at the planner.
const SECOND: &str = "second";

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
    /// The emulated network to every hospital: a profile's name or file (telehand wan --list). Without
    /// it each has fibre and 5G by its distance from Beijing
    #[arg(long, value_name = "NAME|FILE")]
    link: Option<String>,
    /// Cut a hospital off so long after its robot first moves: tianjin@200ms+6s
    #[arg(long = "cut", value_name = "SITE@AT+FOR")]
    cuts: Vec<Cut>,
    /// Scripted: the first wire at this hospital is handed over to the second expert
    #[arg(long, value_name = "SITE", requires = "headless")]
    hand_over: Option<String>,
    /// Serve the first hospital's case to OpenIGTLink clients on this port of 127.0.0.1
    #[arg(long, value_name = "PORT")]
    igtl: Option<u16>,
    /// The same as an NDI tracker
    #[arg(long, value_name = "PORT")]
    ndi: Option<u16>,
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
    let place = Place::make(args.out.as_deref(), "ortho", &["keys"])?;
    let plan = Plan::make(args, &place.folder)?;
    let mut family = Family::start(&plan.children)?;
    plan.say(args);
    let began = Instant::now();
    let over = Arc::new(AtomicBool::new(false));
    let cuts = plan.cut(args, &over)?;
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
            let cuts = lock(&cuts).clone();
            summary::write(&state, &place.folder, wanted, began.elapsed(), &cuts)?;
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

impl Plan {
    /// Starts the scripted people.
    fn script(
        &self,
        args: &OrthoDemoArgs,
        over: &Arc<AtomicBool>,
    ) -> Result<std::thread::JoinHandle<Result<()>>> {
        let planner = Line::open(self.planner_port, &self.token)?;
        let mut eyes = BTreeMap::new();
        for Site { hospital, seed, page, .. } in &self.sites {
            let (seed, name) = (*seed, hospital.id);
            let spec = Spec { from: Level::L2, to: Level::L4, seed, vary: true, osteoporosis: 0.0 };
            let twin = Theatre::new(&Setup { spec, ..Setup::demo(seed) });
            eyes.insert(name.to_owned(), Eyes::of(twin, seed));
            let (line, over) = (Line::open(*page, &self.token)?, over.clone());
            std::thread::Builder::new().name(name.into()).spawn(move || {
                if let Err(error) = team::team(&line, &over)
                    && !over.load(Ordering::Relaxed)
                {
                    eprintln!("the team of {name}: {error:#}");
                }
            })?;
        }
        let (screws, patience) = (args.screws.into(), Duration::from_secs(args.patience));
        let over = over.clone();
        let (port, token) = &self.second;
        let second = match &args.hand_over {
            Some(site) => Some((site.clone(), Line::open(*port, token)?)),
            None => None,
        };
        let thread = std::thread::Builder::new().name("surgeon".into()).spawn(move || {
            SurgeonScript::new(&planner, eyes, screws).handing_over(second).work(patience, &over)
        })?;
        Ok(thread)
    }

    /// Waits for each cut's moment, in a thread of its own.
    fn cut(
        &self,
        args: &OrthoDemoArgs,
        over: &Arc<AtomicBool>,
    ) -> Result<Arc<Mutex<Vec<cuts::Made>>>> {
        let made = Arc::new(Mutex::new(Vec::new()));
        for cut in args.cuts.clone() {
            let to = self.sites.iter().find(|site| site.hospital.id == cut.path);
            let Some(Site { page, network, .. }) = to else { continue };
            let window = cuts::Window::open(*page, &self.token);
            let (network, made, over) = (network.clone(), made.clone(), over.clone());
            std::thread::Builder::new().name("cut".into()).spawn(move || {
                if let Err(error) = cuts::make(&cut, &window, &network, &made, &over) {
                    eprintln!("{error:#}");
                }
            })?;
        }
        Ok(made)
    }
}
