//! The processes of the demo: started, looked after, started again when they die, ended.

use anyhow::{Context, Result, bail};
use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use telehand_record::summary::Process;

/// How long a process may take to end by itself.
const END_WAIT: Duration = Duration::from_secs(10);
/// A process that dies this often has a fault that starting again does not mend.
const STARTS_MAX: u32 = 20;

/// How to start one process.
#[derive(Debug, Clone)]
pub struct Child {
    name: String,
    words: Vec<String>,
    token: String,
    /// What else is kept from the command line, where everybody on this machine could read it.
    secrets: Vec<(&'static str, String)>,
    log: PathBuf,
    /// The demo ends when this one ends well.
    ends: bool,
}

impl Child {
    /// `telehand WORDS`, writing to `log`.
    pub fn new(name: &str, words: Vec<String>, token: &str, log: PathBuf, ends: bool) -> Self {
        Self { name: name.into(), words, token: token.into(), secrets: Vec::new(), log, ends }
    }

    /// Another variable of its environment.
    #[must_use]
    pub fn with_secret(mut self, key: &'static str, value: &str) -> Self {
        self.secrets.push((key, value.to_owned()));
        self
    }

    fn start(&self) -> Result<std::process::Child> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let program = std::env::current_exe().context("the program does not know its own file")?;
        Command::new(program)
            .args(&self.words)
            .env("TELEHAND_TOKEN", &self.token)
            .envs(self.secrets.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", self.name))
    }
}

/// All of them.
pub struct Family {
    members: Vec<Member>,
}

struct Member {
    child: Child,
    process: std::process::Child,
    starts: u32,
    /// Of processes that died before, and of the one that runs.
    cpu_before_s: f64,
    cpu_s: f64,
    rss_mib: f64,
}

impl Family {
    /// Starts all.
    pub fn start(children: &[Child]) -> Result<Self> {
        let members = children
            .iter()
            .map(|child| {
                Ok(Member {
                    child: child.clone(),
                    process: child.start()?,
                    starts: 1,
                    cpu_before_s: 0.0,
                    cpu_s: 0.0,
                    rss_mib: 0.0,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self { members })
    }

    /// Looks at each. True when the one that matters has ended well.
    pub fn look(&mut self) -> Result<bool> {
        for member in &mut self.members {
            member.measure();
            let Some(status) = member.process.try_wait()? else { continue };
            if member.child.ends && status.success() {
                return Ok(true);
            }
            let log = member.child.log.display();
            if member.starts >= STARTS_MAX || status.code().is_some() {
                let last = last_line(&member.child.log);
                bail!("{} ended ({status}): {last}\nits log: {log}", member.child.name);
            }
            println!("{} died ({status}) and is started again", member.child.name);
            member.cpu_before_s += member.cpu_s;
            member.cpu_s = 0.0;
            member.process = member.child.start()?;
            member.starts += 1;
        }
        Ok(false)
    }

    /// Ends all, the console first, and says what they took.
    pub fn end(mut self) -> Vec<Process> {
        for member in self.members.iter_mut().rev() {
            member.measure();
            member.end();
        }
        self.members
            .iter()
            .map(|member| Process {
                name: member.child.name.clone(),
                cpu_s: member.cpu_before_s + member.cpu_s,
                rss_mib: member.rss_mib,
            })
            .collect()
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        for member in &mut self.members {
            // Already gone in the ordinary case.
            let _ = member.process.kill();
            let _ = member.process.wait();
        }
    }
}

impl Member {
    fn measure(&mut self) {
        if let Some((cpu_s, rss_mib)) = usage(self.process.id()) {
            self.cpu_s = cpu_s;
            self.rss_mib = self.rss_mib.max(rss_mib);
        }
    }

    fn end(&mut self) {
        let id = i32::try_from(self.process.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            // One that has ended already cannot be told to.
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        let began = Instant::now();
        while began.elapsed() < END_WAIT {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            self.measure();
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Processor seconds and largest resident memory in MiB, from /proc.
fn usage(id: u32) -> Option<(f64, f64)> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in brackets may hold anything; the fields follow the last bracket.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    let cpu_s = (ticks(11)? + ticks(12)?) / rustix::param::clock_ticks_per_second() as f64;
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some((cpu_s, kib / 1024.0))
}

fn last_line(log: &std::path::Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned()
}

/// Opens the page where there is a desktop.
pub fn open_browser(url: &str) {
    let desktop = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|key| std::env::var_os(key).is_some());
    if !desktop {
        return;
    }
    for program in ["xdg-open", "chromium"] {
        let opened =
            Command::new(program).arg(url).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        if opened.is_ok() {
            return;
        }
    }
}
