//! `NAME@LISTEN=TARGET`: where one path begins and ends.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;

use telehand_sim::network::{PATHS_MAX, PathProfile, Profile};

/// One `--path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The path's name here, in the control page and in the log.
    pub name: String,
    /// Where clients send. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where datagrams go on to.
    pub target: SocketAddr,
}

impl FromStr for Route {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "write NAME@LISTEN=TARGET, for example fibre@127.0.0.1:7001=10.0.0.2:7101";
        let (name, addresses) = text.split_once('@').ok_or(form)?;
        let (listen, target) = addresses.split_once('=').ok_or(form)?;
        let named = (1..=32).contains(&name.len())
            && name.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if !named || name == "all" {
            return Err(format!(
                "the name `{name}` must be 1 to 32 of a-z 0-9 - and not `all`; {form}"
            ));
        }
        Ok(Self { name: name.into(), listen: resolve(listen)?, target: resolve(target)? })
    }
}

fn resolve(text: &str) -> Result<SocketAddr, String> {
    let found = text.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    found.ok_or_else(|| {
        format!("`{text}` is no address; write HOST:PORT, for example 127.0.0.1:7001")
    })
}

/// The profile with exactly one path for each route, under the route's name: the profile's path of that
/// name, else the one in the same place, else its last.
pub fn matched(profile: &Profile, routes: &[Route]) -> anyhow::Result<(Profile, Vec<String>)> {
    anyhow::ensure!(
        (1..=PATHS_MAX).contains(&routes.len()),
        "{} paths given; 1 to {PATHS_MAX} can be relayed at once",
        routes.len()
    );
    let mut paths: Vec<PathProfile> = Vec::new();
    let mut taken_from = Vec::new();
    for (index, route) in routes.iter().enumerate() {
        anyhow::ensure!(
            paths.iter().all(|path| path.name != route.name),
            "two paths are named `{}`; give each its own name",
            route.name
        );
        let found = profile
            .path(&route.name)
            .or_else(|| profile.paths.get(index))
            .or_else(|| profile.paths.last());
        let Some(found) = found else { anyhow::bail!("profile `{}` has no path", profile.name) };
        taken_from.push(found.name.clone());
        paths.push(PathProfile { name: route.name.clone(), ..found.clone() });
    }
    Ok((Profile { paths, ..profile.clone() }, taken_from))
}
