//! A `PostgreSQL` server of Debian's package, for this test process alone: no network, a Unix socket
//! in a directory of its own, and an end when the test process ends.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The address of a new, empty database.
pub fn database() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let dir = server();
    let name = format!("hub_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    run(Command::new(programs().join("createdb"))
        .arg("-h")
        .arg(dir)
        .args(["-U", "telehand", &name]));
    format!("postgres://telehand@{}/{name}", dir.display().to_string().replace('/', "%2F"))
}

fn server() -> &'static Path {
    static SERVER: OnceLock<PathBuf> = OnceLock::new();
    SERVER.get_or_init(|| {
        let dir = std::env::temp_dir().join(format!("telehand-postgres-{}", std::process::id()));
        sweep();
        std::fs::create_dir_all(&dir).unwrap();
        if root() {
            run(Command::new("chown").arg("postgres:").arg(&dir));
        }
        let data = dir.join("data");
        run(unprivileged("initdb")
            .args([
                "--no-sync",
                "-A",
                "trust",
                "-U",
                "telehand",
                "-E",
                "UTF8",
                "--locale",
                "C.UTF-8",
                "-D",
            ])
            .arg(&data));
        let mut server = unprivileged("postgres");
        server.arg("-D").arg(&data).arg("-k").arg(&dir);
        server.args(["-c", "listen_addresses=", "-c", "max_connections=64"]);
        // The signal comes when the thread that started the server ends: this one never does
        // before the process.
        std::thread::spawn(move || {
            let end = server.stdout(Stdio::null()).stderr(Stdio::null()).status();
            panic!("the database server ended before the tests: {end:?}");
        });
        let ready = || {
            let mut ask = Command::new(programs().join("pg_isready"));
            let ask = ask.arg("-q").arg("-h").arg(&dir).args(["-U", "telehand"]);
            ask.status().unwrap().success().then_some(())
        };
        crate::lead::patiently(ready);
        dir
    })
}

/// Where Debian puts the server's programs.
fn programs() -> &'static Path {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> = versions
            .map(|version| version.path().join("bin"))
            .filter(|bin| bin.join("postgres").exists())
            .collect();
        found.sort();
        found.pop().expect("PostgreSQL's server is not installed: run scripts/setup.sh test")
    })
}

/// One of the server's programs, not as root (it refuses that), ending with this process.
fn unprivileged(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "INT"]);
    if root() {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
    }
    command.arg(programs().join(program));
    command.current_dir("/");
    command
}

fn root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Removes what killed test processes left behind.
fn sweep() {
    for left in std::fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
        let name = left.file_name().to_string_lossy().into_owned();
        let Some(pid) = name.strip_prefix("telehand-postgres-") else { continue };
        if !Path::new("/proc").join(pid).exists() {
            let _ = std::fs::remove_dir_all(left.path());
        }
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
