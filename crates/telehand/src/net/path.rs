//! One network of the link: which local address, and for who dials, which remote one.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// Most paths of one session.
pub const PATHS_MAX: usize = 8;

/// One path, as written on the command line: `NAME@LOCAL=REMOTE` to dial, `NAME@LOCAL` to listen;
/// the name may be left out.
///
/// LOCAL and REMOTE are `IP:PORT` or `[IPv6]:PORT`. A local address to dial from may lack the port
/// (the system then picks one).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathSpec {
    /// What people call this network, like "fibre".
    pub name: Option<String>,
    /// Where to send from and receive at; it also picks the network interface.
    pub local: SocketAddr,
    /// Whom to dial; `None` to listen.
    pub remote: Option<SocketAddr>,
}

impl PathSpec {
    /// The name, or "path1", "path2" by its place (from 0).
    #[must_use]
    pub fn label(&self, index: usize) -> String {
        self.name.clone().unwrap_or_else(|| format!("path{}", index + 1))
    }
}

impl FromStr for PathSpec {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let (name, rest) = match text.split_once('@') {
            Some((name, rest)) => (Some(checked_name(text, name)?), rest),
            None => (None, text),
        };
        let Some((local, remote)) = rest.split_once('=') else {
            let local = address(text, "LOCAL", rest)?;
            if local.port() == 0 {
                return Err(PathError::NoPort { text: text.to_owned(), part: "LOCAL" });
            }
            return Ok(Self { name, local, remote: None });
        };
        let local = address(text, "LOCAL", local)?;
        let remote = address(text, "REMOTE", remote)?;
        if remote.port() == 0 {
            return Err(PathError::NoPort { text: text.to_owned(), part: "REMOTE" });
        }
        if local.is_ipv4() != remote.is_ipv4() {
            return Err(PathError::Families { text: text.to_owned() });
        }
        Ok(Self { name, local, remote: Some(remote) })
    }
}

impl fmt::Display for PathSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name}@")?;
        }
        write!(f, "{}", self.local)?;
        self.remote.map_or(Ok(()), |remote| write!(f, "={remote}"))
    }
}

fn checked_name(text: &str, name: &str) -> Result<String, PathError> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
    if name.is_empty() || name.chars().count() > 32 || !name.chars().all(allowed) {
        return Err(PathError::Name { text: text.to_owned() });
    }
    Ok(name.to_owned())
}

/// An address; without a port it has port 0.
fn address(text: &str, part: &'static str, address: &str) -> Result<SocketAddr, PathError> {
    let alone = address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(address);
    address
        .parse()
        .or_else(|_| alone.parse().map(|ip: IpAddr| SocketAddr::new(ip, 0)))
        .map_err(|_| PathError::Address { text: text.to_owned(), part })
}

/// Why a `--path` is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages document the fields")]
pub enum PathError {
    /// Not an address.
    #[error(
        "{part} of the path {text:?} is not IP:PORT or [IPv6]:PORT. A path is LOCAL=REMOTE to dial \
         (10.0.1.2:0=203.0.113.7:5000) or LOCAL to listen (0.0.0.0:5000), with NAME@ before it if \
         you like; host names are not looked up"
    )]
    Address { text: String, part: &'static str },
    /// A port is needed.
    #[error("{part} of the path {text:?} needs a port from 1 to 65535, like 0.0.0.0:5000")]
    NoPort { text: String, part: &'static str },
    /// IPv4 and IPv6 mixed.
    #[error("the path {text:?} mixes IPv4 and IPv6: use the same for LOCAL and REMOTE")]
    Families { text: String },
    /// The name has other characters than allowed.
    #[error(
        "the name of the path {text:?} is not 1 to 32 letters, digits or - _ . +: write it like \
         fibre@10.0.1.2:0=203.0.113.7:5000"
    )]
    Name { text: String },
    /// Dialling needs a REMOTE, listening has none.
    #[error("the path {text:?} {}", if *dials { "has no REMOTE: this side dials, write LOCAL=REMOTE" }
        else { "has a REMOTE: this side listens, write only LOCAL" })]
    Direction { text: String, dials: bool },
    /// Too few or too many paths.
    #[error("{found} paths given, 1 to {PATHS_MAX} are possible: repeat --path once per network")]
    Count { found: usize },
}

/// Checks that the paths fit a side that dials or listens.
///
/// # Errors
/// [`PathError::Count`] and [`PathError::Direction`].
pub fn check(paths: &[PathSpec], dials: bool) -> Result<(), PathError> {
    if paths.is_empty() || paths.len() > PATHS_MAX {
        return Err(PathError::Count { found: paths.len() });
    }
    match paths.iter().find(|path| path.remote.is_some() != dials) {
        Some(path) => Err(PathError::Direction { text: path.to_string(), dials }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l_101_paths_are_read_and_written_back() {
        for text in [
            "127.0.0.1:4000",
            "0.0.0.0:1",
            "[::]:4000",
            "10.0.1.2:0=203.0.113.7:5000",
            "fibre@10.0.1.2:0=203.0.113.7:5000",
            "光纤-1@[2001:db8::1]:0=[2001:db8::2]:65535",
        ] {
            assert_eq!(text.parse::<PathSpec>().unwrap().to_string(), text);
        }
        let short: PathSpec = "5g@10.0.1.2=203.0.113.7:5000".parse().unwrap();
        assert_eq!(short.local.port(), 0);
        assert_eq!((short.label(0), short.name.as_deref()), ("5g".into(), Some("5g")));
        let v6: PathSpec = "2001:db8::1=[2001:db8::2]:5000".parse().unwrap();
        assert_eq!((v6.local.port(), v6.label(1)), (0, "path2".into()));
    }

    #[test]
    fn l_101_a_wrong_path_is_told_what_is_wrong() {
        for (text, part) in [
            ("", "LOCAL"),
            ("localhost:4000", "host names"),
            ("127.0.0.1", "needs a port"),
            ("127.0.0.1:0", "needs a port"),
            ("127.0.0.1:70000", "LOCAL"),
            ("127.0.0.1:1=", "REMOTE"),
            ("127.0.0.1:1=10.0.0.1", "needs a port"),
            ("127.0.0.1:1=[::1]:2", "mixes"),
            ("a b@127.0.0.1:1", "name"),
            ("@127.0.0.1:1", "name"),
        ] {
            let error = text.parse::<PathSpec>().unwrap_err().to_string();
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }

    #[test]
    fn l_101_who_dials_needs_a_remote_and_who_listens_has_none() {
        let dial: PathSpec = "127.0.0.1:0=127.0.0.1:1".parse().unwrap();
        let listen: PathSpec = "127.0.0.1:1".parse().unwrap();
        assert!(check(std::slice::from_ref(&dial), true).is_ok());
        assert!(check(std::slice::from_ref(&listen), false).is_ok());
        assert!(
            check(&[dial.clone(), listen.clone()], true).unwrap_err().to_string().contains("dials")
        );
        assert!(
            check(std::slice::from_ref(&dial), false).unwrap_err().to_string().contains("listens")
        );
        assert_eq!(check(&[], true).unwrap_err(), PathError::Count { found: 0 });
        assert_eq!(check(&vec![dial; 9], true).unwrap_err(), PathError::Count { found: 9 });
    }
}
