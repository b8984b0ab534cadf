//! Who is started how, and where each can be asked.

use super::hospitals::{HOSPITALS, Hospital};
use super::{OrthoDemoArgs, SECOND, SURGEON, keys};
use crate::demo::family::{Child, open_browser};
use crate::{http, ports};
use anyhow::{Context as _, Result, bail};
use std::path::Path;

/// The processes of the demo.
pub struct Plan {
    /// In the order they are started.
    pub children: Vec<Child>,
    /// Each with its place.
    pub sites: Vec<Site>,
    /// Port of the planner's page.
    pub planner_port: u16,
    /// Of every page but the second expert's.
    pub token: String,
    /// Port and token of the second expert's page.
    pub second: (u16, String),
}

/// One hospital on this machine.
pub struct Site {
    /// Which.
    pub hospital: &'static Hospital,
    /// Seed of its patient and devices.
    pub seed: u64,
    /// Port of its page.
    pub page: u16,
    /// Control of the network to it.
    pub network: String,
}

/// Its processes' ports.
struct Ports {
    page: u16,
    control: u16,
    /// Of each network: where the planner sends, where the site listens.
    paths: Vec<(String, u16, u16)>,
}

impl Plan {
    /// Makes keys and network profiles, and finds ports.
    pub fn make(args: &OrthoDemoArgs, folder: &Path) -> Result<Self> {
        let hospitals = HOSPITALS.get(..args.sites.into()).unwrap_or(&HOSPITALS);
        let ids: Vec<&str> = hospitals.iter().map(|hospital| hospital.id).collect();
        if let Some(site) = args.hand_over.as_deref().filter(|site| !ids.contains(site)) {
            bail!("there is no site {site:?} to hand over at; there are {}", ids.join(", "));
        }
        for cut in &args.cuts {
            if !ids.contains(&cut.path.as_str()) {
                bail!("there is no site {:?} to cut off; there are {}", cut.path, ids.join(", "));
            }
        }
        let keys = folder.join("keys");
        keys::make(&keys, SURGEON, &ids)?;
        let token = http::fresh_token()?;
        let log = |name: &str| folder.join(format!("{name}.log"));
        let [planner_port, second_port, dicom_port] = free()?;
        let second_token = http::fresh_token()?;
        let planner_port = if args.port == 0 { planner_port } else { args.port };
        let mut planner = words(&[
            ("--keys", shown(&keys.join(keys::PLANNER))),
            ("--port", planner_port.to_string()),
            ("--dicom-port", dicom_port.to_string()),
            ("--state", shown(&folder.join("planner"))),
            ("--second", SECOND.to_owned()),
            ("--second-port", second_port.to_string()),
        ]);
        planner.insert(0, "planner".into());
        let (mut children, mut sites) = (Vec::new(), Vec::new());
        for (index, hospital) in (0_u64..).zip(hospitals) {
            let profile = network(args, hospital, folder)?;
            let ports = ports(&profile)?;
            let id = hospital.id;
            let seed = args.seed.wrapping_mul(1_000).wrapping_add(index + 1);
            let name = format!("network-{id}");
            let relay = relay(&profile, seed, &ports);
            children.push(Child::new(&name, relay, &token, log(&name), false));
            let mut site = site(args, hospital, seed, &ports);
            site.extend(words(&[
                ("--keys", shown(&keys.join(id))),
                ("--push", format!("127.0.0.1:{dicom_port}")),
                ("--state", shown(&folder.join("sites").join(id))),
            ]));
            if index == 0 {
                let doors = [("--igtl", args.igtl), ("--ndi", args.ndi)];
                let asked = doors.into_iter().filter_map(|(key, port)| Some((key, port?)));
                site.extend(asked.flat_map(|(key, port)| [key.to_owned(), port.to_string()]));
            }
            children.push(Child::new(id, site, &token, log(id), false));
            for (network, near, _) in &ports.paths {
                let path = format!("{id}+{network}@127.0.0.1:0=127.0.0.1:{near}");
                planner.extend(["--site".into(), path]);
            }
            let network = format!("http://127.0.0.1:{}", ports.control);
            sites.push(Site { hospital, seed, page: ports.page, network });
        }
        let planner = Child::new("planner", planner, &token, log("planner"), false);
        children.push(planner.with_secret("TELEHAND_SECOND_TOKEN", &second_token));
        let second = (second_port, second_token);
        Ok(Self { children, sites, planner_port, token, second })
    }

    /// Where everything is.
    pub fn say(&self, args: &OrthoDemoArgs) {
        println!(
            "SIMULATED patients, robots, trackers and networks. Not a medical device. Ctrl-C ends it."
        );
        for Site { hospital, page, network, .. } in &self.sites {
            let id = hospital.id;
            println!("{id:<12} http://127.0.0.1:{page}/?token={} (network {network})", self.token);
        }
        let planner = format!("http://127.0.0.1:{}/?token={}", self.planner_port, self.token);
        println!("{:<12} {planner}", "planner");
        let (port, token) = &self.second;
        println!("{SECOND:<12} http://127.0.0.1:{port}/?token={token} (takes over when handed to)");
        if !args.headless {
            println!("The teams sign, fix the reference and scan; the surgeon plans and commands.");
            open_browser(&planner);
        }
    }
}

/// The profile of the network to a hospital: what was asked for, or one made from its distance.
fn network(args: &OrthoDemoArgs, hospital: &Hospital, folder: &Path) -> Result<String> {
    if let Some(asked) = &args.link {
        return Ok(asked.clone());
    }
    let links = folder.join("networks");
    std::fs::create_dir_all(&links).with_context(|| format!("cannot make {}", links.display()))?;
    let path = links.join(format!("{}.toml", hospital.id));
    std::fs::write(&path, hospital.network())
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(shown(&path))
}

fn ports(profile: &str) -> Result<Ports> {
    let profile = crate::wan::load_profile(profile)?;
    let free = ports::free(2 * profile.paths.len() + 2)?;
    let mut free = free.into_iter();
    let mut next = || free.next().unwrap_or_default();
    let (page, control) = (next(), next());
    let paths = profile.paths.into_iter().map(|path| (path.name, next(), next())).collect();
    Ok(Ports { page, control, paths })
}

fn free<const N: usize>() -> Result<[u16; N]> {
    let free = ports::free(N)?;
    <[u16; N]>::try_from(free).map_err(|_| anyhow::anyhow!("there are no free ports"))
}

fn relay(profile: &str, seed: u64, ports: &Ports) -> Vec<String> {
    let mut relay = words(&[
        ("--profile", profile.to_owned()),
        ("--seed", seed.to_string()),
        // Nobody measures microseconds in a demo; the processors have other work.
        ("--spin-us", "0".to_owned()),
        ("--http", format!("127.0.0.1:{}", ports.control)),
    ]);
    relay.insert(0, "wan".into());
    for (name, near, far) in &ports.paths {
        relay.extend(["--path".into(), format!("{name}@127.0.0.1:{near}=127.0.0.1:{far}")]);
    }
    relay
}

fn site(args: &OrthoDemoArgs, hospital: &Hospital, seed: u64, ports: &Ports) -> Vec<String> {
    let mut site = words(&[
        ("--id", hospital.id.to_owned()),
        ("--name-en", hospital.name_en.to_owned()),
        ("--name-zh", hospital.name_zh.to_owned()),
        ("--colour", hospital.colour.to_owned()),
        ("--seed", seed.to_string()),
        ("--port", ports.page.to_string()),
        ("--speed", args.speed.to_string()),
        ("--surgeon", SURGEON.to_owned()),
    ]);
    site.insert(0, "site".into());
    for (name, _, far) in &ports.paths {
        site.extend(["--path".into(), format!("{name}@127.0.0.1:{far}")]);
    }
    if args.fine {
        site.push("--fine".into());
    }
    site
}

fn words(pairs: &[(&str, String)]) -> Vec<String> {
    pairs.iter().flat_map(|(key, value)| [(*key).to_owned(), value.clone()]).collect()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
