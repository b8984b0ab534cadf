//! `telehand planner`: one surgeon, many hospitals: series in, plans and intents out.
//!
//! Killing this process is silence at every site: each robot holds, and the plan is on disk.

mod actions;
mod analysis;
pub mod calendar;
mod endpoint;
mod grading;
mod inbox;
pub mod journal;
pub mod objects;
mod office;
mod page;
mod queue;
pub mod report;
pub mod signature;
pub mod slices;
pub mod state;
pub mod view;
pub mod workup;

pub use inbox::TITLE;

use crate::net::{Config, Driver, PathSpec};
use crate::station::StationArgs;
use crate::{clock, keys_cli};
use anyhow::{Context as _, Result, bail};
use office::Office;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use telehand_link::identity::Role;
use telehand_vocab::Span;

/// The rhythm of the link.
const BEAT: Span = Span::from_millis(20);
/// How often leases are looked after.
const DESK_EVERY: Span = Span::from_millis(50);

/// `telehand planner`.
#[derive(Debug, clap::Args)]
pub struct PlannerArgs {
    /// One network to one site: ID@LOCAL=REMOTE. Give one for each network of each site
    #[arg(long = "site", value_name = "ID@LOCAL=REMOTE", required = true)]
    sites: Vec<PathSpec>,
    #[command(flatten)]
    station: StationArgs,
    /// Port of the DICOM service on 127.0.0.1 that the sites' scans arrive at; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    dicom_port: u16,
    /// Folder for what must survive: plans, series, reports
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
}

/// Runs until it is told to stop.
pub fn run(args: &PlannerArgs) -> Result<()> {
    let credentials = args.station.credentials(Role::Console)?;
    let keys = keys_cli::directory(args.station.keys.as_deref())?;
    let mut sites: BTreeMap<String, Vec<PathSpec>> = BTreeMap::new();
    let mut order = Vec::new();
    for path in &args.sites {
        let Some(id) = path.name.clone() else {
            bail!("the path {path} names no site; write it as ID@LOCAL=REMOTE");
        };
        if !sites.contains_key(&id) {
            order.push(id.clone());
        }
        sites.entry(id).or_default().push(path.clone());
    }
    std::fs::create_dir_all(&args.state)
        .with_context(|| format!("cannot make {}", args.state.display()))?;
    let surgeon = credentials.own().name.clone();
    let office = Arc::new(Office::open(surgeon, &keys, &args.state, &order)?);
    for site in office.sites() {
        let paths = sites.remove(&site.id).unwrap_or_default();
        let mut config = Config::new(credentials.clone(), paths);
        (config.beat, config.realtime) = (Some(BEAT), None);
        let end = endpoint::PlannerEnd::new(office.clone(), site.clone());
        site.joined(Driver::spawn(config, end)?);
    }
    let dicom_port = inbox::serve(&office, args.dicom_port, &args.state.join("incoming"))?;
    println!("planner DICOM: 127.0.0.1:{dicom_port}");
    let looking = office.clone();
    std::thread::Builder::new().name("desk".into()).spawn(move || {
        let mut next = clock::now();
        loop {
            next = (next + DESK_EVERY).max(clock::now());
            clock::sleep_until(next);
            looking.look_after_leases();
        }
    })?;
    let forever = async {
        loop {
            tokio::time::sleep(Duration::from_secs(3600)).await;
        }
    };
    args.station.serve_until("planner", Arc::new(page::Page::new(office)), forever)
}
