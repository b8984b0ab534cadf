//! The identities of a demo: one surgeon, several hospitals, one authority that signs them all and
//! is then forgotten. Each side gets a directory of its own, as in real life.

use crate::clock;
use crate::planner::signature::{Signer, trust};
use anyhow::{Context as _, Result};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use telehand_link::identity::{DemoAuthority, PeerIdentity, Role};
use telehand_vocab::Span;

/// How long demo keys are valid: one year.
const LIFE: Span = Span::from_millis(365 * 24 * 3600 * 1000);

/// The planner's directory beside the sites'.
pub const PLANNER: &str = "planner";

/// Makes `dir/planner` and `dir/SITE` for each site: link identities, signing keys, and the public
/// keys each side trusts.
///
/// # Errors
/// When a name is not allowed, or a file cannot be written.
pub fn make(dir: &Path, surgeon: &str, sites: &[&str]) -> Result<()> {
    let authority = DemoAuthority::new(clock::wall(), LIFE)?;
    let planner = dir.join(PLANNER);
    issue(&authority, &planner, Role::Console, surgeon)?;
    let signer = Signer::make(&planner)?;
    for site in sites {
        let folder = dir.join(site);
        issue(&authority, &folder, Role::Bedside, site)?;
        trust(&folder, surgeon, &signer.public())?;
        trust(&planner, site, &Signer::make(&folder)?.public())?;
    }
    Ok(())
}

fn issue(authority: &DemoAuthority, dir: &Path, role: Role, name: &str) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("cannot make {}", dir.display()))?;
    let issued = authority.issue(&PeerIdentity::new(role, name)?)?;
    write(&dir.join(format!("{role}.pem")), &issued.certificate_pem)?;
    write(&dir.join(format!("{role}.key")), &issued.key_pem)?;
    write(&dir.join("authority.pem"), authority.pem())
}

fn write(path: &Path, body: &str) -> Result<()> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = made.with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(body.as_bytes())?;
    Ok(())
}
