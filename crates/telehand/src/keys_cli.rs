//! `telehand keys`: a demo authority and the identities of both sides, as files.
//!
//! The keys make the link private and both sides certain of each other, on the assumption that
//! whoever can read the directory may be either side. That is right for a demonstration and wrong
//! for a hospital, where each side makes its own key and an authority signs it.

use anyhow::{Context as _, bail};
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use telehand_link::identity::{Credentials, DemoAuthority, PeerIdentity, Role};
use telehand_vocab::Span;

use crate::clock;

/// How long demo keys are valid: one year.
const LIFE: Span = Span::from_millis(365 * 24 * 3600 * 1000);
/// A PEM file of ours has about 1 kB; a bigger one is something else.
const FILE_MAX: u64 = 64 * 1024;
/// The files of a key directory, in the order they are written.
const FILES: [&str; 5] =
    ["authority.pem", "console.pem", "console.key", "bedside.pem", "bedside.key"];

/// Make a demo authority and one identity for each side.
#[derive(Debug, Clone, clap::Args)]
pub struct KeysArgs {
    /// Where to put them [default: `$TELEHAND_KEYS`, else telehand/keys in `$XDG_DATA_HOME` or
    /// ~/.local/share]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Name of the surgeon's side
    #[arg(long, value_name = "NAME", default_value = "console")]
    pub console: String,
    /// Name of the patient's side
    #[arg(long, value_name = "NAME", default_value = "bedside")]
    pub bedside: String,
    /// Replace what is there; running sessions end when they next dial
    #[arg(long)]
    pub force: bool,
}

/// Runs `telehand keys`.
///
/// # Errors
/// When keys are there already and `--force` is not given, a name is not allowed, or a file cannot
/// be written.
pub fn run(args: &KeysArgs) -> anyhow::Result<()> {
    let dir = directory(args.dir.as_deref())?;
    let _alone = lock(&dir)?;
    if dir.join("authority.pem").exists() && !args.force {
        bail!(
            "{} already holds keys. Nothing was changed. Use --force to replace them (both sides \
             then need the new ones), or --dir for another place",
            dir.display()
        );
    }
    make(&dir, &args.console, &args.bedside)?;
    println!("Demo keys in {}, valid for one year:", dir.display());
    println!("  authority.pem              both sides trust what it signed");
    println!("  console.pem, console.key   the surgeon's side, \"{}\"", args.console);
    println!("  bedside.pem, bedside.key   the patient's side, \"{}\"", args.bedside);
    println!(
        "On two machines: copy authority.pem and console.* to the one, authority.pem and bedside.* \
         to the other.\n\
         For demonstrations and tests, not for care: both private keys were made on one machine, \
         the authority's key was\nthrown away (no further identity can be signed), and nothing can \
         be revoked."
    );
    Ok(())
}

/// The key directory: the given one, or the default of this user.
///
/// # Errors
/// When neither `$TELEHAND_KEYS`, `$XDG_DATA_HOME` nor `$HOME` is set.
pub fn directory(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    given
        .map(Path::to_owned)
        .or_else(|| variable("TELEHAND_KEYS"))
        .or_else(|| Some(variable("XDG_DATA_HOME")?.join("telehand/keys")))
        .or_else(|| Some(variable("HOME")?.join(".local/share/telehand/keys")))
        .context(
            "no place for keys: none of --keys, $TELEHAND_KEYS, $XDG_DATA_HOME and $HOME is set",
        )
}

/// The credentials of one side, from the given directory or the default one.
///
/// In the default directory a demo authority is made when there is none; two programs that start
/// at once make one between them. A directory given by hand is never written to.
///
/// # Errors
/// When the files are missing, unreadable or not what they should be.
pub fn load(given: Option<&Path>, role: Role) -> anyhow::Result<Credentials> {
    let dir = directory(given)?;
    if given.is_none() {
        ensure(&dir)?;
    }
    let body = |name: &str| {
        let path = dir.join(name);
        read(&path).with_context(|| {
            format!("cannot read {}: make keys with `telehand keys --dir DIR`", path.display())
        })
    };
    let (certificate, key) = (body(&format!("{role}.pem"))?, body(&format!("{role}.key"))?);
    let credentials = Credentials::from_pem(&body("authority.pem")?, &certificate, &key)
        .with_context(|| format!("the keys in {}", dir.display()))?;
    if credentials.own().role != role {
        bail!(
            "{}/{role}.pem is the identity of {}, not of a {role}",
            dir.display(),
            credentials.own()
        );
    }
    Ok(credentials)
}

/// Makes a demo authority and its identities in `dir` when there are none.
///
/// # Errors
/// When the directory cannot be written.
pub fn ensure(dir: &Path) -> anyhow::Result<()> {
    if dir.join("authority.pem").exists() {
        return Ok(());
    }
    let _alone = lock(dir)?;
    if dir.join("authority.pem").exists() { Ok(()) } else { make(dir, "console", "bedside") }
}

/// Writes a new authority and two identities; `authority.pem` last, so that whoever sees it sees
/// all.
fn make(dir: &Path, console: &str, bedside: &str) -> anyhow::Result<()> {
    let authority = DemoAuthority::new(clock::wall(), LIFE)?;
    let console = authority.issue(&PeerIdentity::new(Role::Console, console)?)?;
    let bedside = authority.issue(&PeerIdentity::new(Role::Bedside, bedside)?)?;
    let bodies = [
        authority.pem(),
        &console.certificate_pem,
        &console.key_pem,
        &bedside.certificate_pem,
        &bedside.key_pem,
    ];
    for (name, body) in FILES.into_iter().zip(bodies).rev() {
        write(&dir.join(name), body)
            .with_context(|| format!("cannot write {name} in {}", dir.display()))?;
    }
    Ok(())
}

/// Replaces a file in one step; only its owner may read it.
fn write(path: &Path, body: &str) -> std::io::Result<()> {
    let fresh = path.with_extension("new");
    let _ = fs::remove_file(&fresh);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    file.write_all(body.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

fn read(path: &Path) -> anyhow::Result<String> {
    let size = fs::metadata(path)?.len();
    if size > FILE_MAX {
        bail!("the file has {size} bytes, a key file has at most {FILE_MAX}");
    }
    Ok(fs::read_to_string(path)?)
}

/// Creates the directory (0700) and waits until no other program is making keys in it.
fn lock(dir: &Path) -> anyhow::Result<File> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("cannot create {}", dir.display()))?;
    let path = dir.join(".lock");
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
    let file = file.with_context(|| format!("cannot write in {}", dir.display()))?;
    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}
