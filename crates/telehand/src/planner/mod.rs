//! `telehand planner`: one surgeon, many hospitals: series in, plans and intents out.
//!
//! Killing this process is silence at every site: each robot holds, and the plan is on disk.

mod actions;
mod analysis;
pub mod calendar;
mod drawing;
mod endpoint;
mod entry;
mod expert;
mod grading;
mod inbox;
pub mod journal;
pub mod objects;
mod office;
mod page;
mod plan_state;
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
use crate::{clock, http, keys_cli};
use anyhow::{Context as _, Result, bail};
use office::Office;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use telehand_link::identity::Role;
use telehand_vocab::Span;

/// The rhythm of the link.
const BEAT: Span = Span::from_millis(20);
/// How often leases are looked after.
const DESK_EVERY: Span = Span::from_millis(50);

/// `telehand planner`.
#[derive(Debug, clap::Args)]
pub struct PlannerArgs {
    /// One network to one site: ID@LOCAL=REMOTE, or ID+NETWORK@LOCAL=REMOTE with a name for people.
    /// Give one for each network of each site
    #[arg(long = "site", value_name = "ID[+NETWORK]@LOCAL=REMOTE", required = true)]
    sites: Vec<PathSpec>,
    #[command(flatten)]
    station: StationArgs,
    /// Port of the DICOM service on 127.0.0.1 that the sites' scans arrive at; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    dicom_port: u16,
    /// A second expert at this planner, who can take a robot over from the surgeon; they get a page of
    /// their own
    #[arg(long, value_name = "NAME")]
    second: Option<String>,
    /// Port of that page on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0, requires = "second")]
    second_port: u16,
    /// That page's token, for programs that start this one; else a fresh one
    #[arg(long, env = "TELEHAND_SECOND_TOKEN", hide_env_values = true)]
    second_token: Option<String>,
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
        let Some(name) = path.name.clone() else {
            bail!("the path {path} names no site; write it as ID@LOCAL=REMOTE");
        };
        let (id, network) = match name.split_once('+') {
            Some((id, network)) => (id.to_owned(), Some(network.to_owned())),
            None => (name, None),
        };
        if !sites.contains_key(&id) {
            order.push(id.clone());
        }
        sites.entry(id).or_default().push(PathSpec { name: network, ..path.clone() });
    }
    std::fs::create_dir_all(&args.state)
        .with_context(|| format!("cannot make {}", args.state.display()))?;
    let surgeon = credentials.own().name.clone();
    let office = Arc::new(Office::open(surgeon, args.second.clone(), &keys, &args.state, &order)?);
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
    if let Some(name) = &args.second {
        anyhow::ensure!(
            *name != office.surgeon && name != "local",
            "--second {name:?} is taken; give the second expert a name of their own"
        );
    }
    let seconds = args.second.is_some().then(|| office.clone());
    let token = args.second_token.clone().map_or_else(http::fresh_token, Ok)?;
    let port = args.second_port;
    let forever = async move {
        if let Some(office) = seconds {
            match http::serve(Arc::new(page::Page::new(office, 1)), port, token).await {
                Ok(served) => println!("second expert's page: {}", served.url),
                Err(error) => eprintln!("telehand planner: no page for the second: {error:#}"),
            }
        }
        std::future::pending::<()>().await;
    };
    args.station.serve_until("planner", Arc::new(page::Page::new(office, 0)), forever)
}
