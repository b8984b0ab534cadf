//! Days of operations: the script, site by site.

use crate::random::Random;

/// How the wires are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The surgeon stays for all wires of a case: 7.9 min a screw.
    Full,
    /// The surgeon confirms the pose (1.0) and judges the wire (1.2); between them the local team
    /// drills (4.9) while the surgeon may be elsewhere.
    Gated,
    /// As gated, but the surgeon stays from the confirmed pose to the judged wire, as the rule
    /// O-008 of the product has it: nobody drills unattended.
    Pinned,
}

/// Which operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// Pedicle screws, 4 to 8.
    Spine,
    /// Pelvic screws, 2 or 3, planned in 5.3 and inserted in 3.5 min each, under the surgeon's eyes.
    Trauma,
}

/// What to simulate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Days {
    /// Sites that operate at the same time.
    pub sites: usize,
    /// How many days.
    pub days: u32,
    /// How the wires are done.
    pub mode: Mode,
    /// Which operations.
    pub script: Script,
    /// Each site begins this much after the one before, minutes.
    pub stagger_min: f64,
    /// Every invention comes from it.
    pub seed: u64,
}

/// What came of it. Times in minutes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Patients operated a day, over all sites.
    pub cases_per_day: f64,
    /// The surgeon's busy time (switches included) over the time to the end of the last case.
    pub utilisation: f64,
    /// Waiting under anaesthesia for the surgeon to turn to the site, a case: mean.
    pub wait_min: f64,
    /// The same, 95th percentile.
    pub wait_p95_min: f64,
    /// The longest.
    pub wait_max_min: f64,
    /// Waiting under anaesthesia while the surgeon looks at the site and confirms it, a case: mean.
    pub switch_min: f64,
    /// Time under anaesthesia a day for want of the surgeon (both of these), over all patients.
    pub harm_per_day_min: f64,
    /// From a wire in the bone to the surgeon's judgement, 95th percentile.
    pub critical_p95_min: f64,
    /// Wires a day that were drilled while the surgeon worked at another site.
    pub unattended_per_day: f64,
    /// From the begin of preparation to the end of closure, mean.
    pub case_min: f64,
    /// How many cases that is from.
    pub cases: usize,
}

const INTAKE: f64 = 330.0;
const SWITCH: f64 = 0.5;
const SPREAD: f64 = 0.3;

/// Simulates days of operations.
pub fn spine_days(days: &Days) -> Outcome {
    let mut random = Random::stream(days.seed, "days");
    let mut sums = Sums::default();
    for _ in 0..days.days {
        Day::new(days, &mut random).run(&mut sums);
    }
    sums.outcome(days.days)
}

#[derive(Default)]
struct Sums {
    waits: Vec<f64>,
    critical: Vec<f64>,
    switched: f64,
    lengths: f64,
    busy: f64,
    open: f64,
    unattended: u64,
}

impl Sums {
    fn outcome(mut self, days: u32) -> Outcome {
        self.waits.sort_by(f64::total_cmp);
        self.critical.sort_by(f64::total_cmp);
        let (cases, days) = (self.waits.len().max(1) as f64, f64::from(days.max(1)));
        let waited: f64 = self.waits.iter().sum();
        Outcome {
            cases_per_day: self.waits.len() as f64 / days,
            utilisation: self.busy / self.open.max(f64::MIN_POSITIVE),
            wait_min: waited / cases,
            wait_p95_min: quantile(&self.waits, 0.95),
            wait_max_min: quantile(&self.waits, 1.0),
            switch_min: self.switched / cases,
            harm_per_day_min: (waited + self.switched) / days,
            critical_p95_min: quantile(&self.critical, 0.95),
            unattended_per_day: self.unattended as f64 / days,
            case_min: self.lengths / cases,
            cases: self.waits.len(),
        }
    }
}

fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = (part * (sorted.len().max(1) - 1) as f64).round() as usize;
    sorted.get(place).copied().unwrap_or(0.0)
}

/// One step of a case.
#[derive(Clone, Copy)]
enum Step {
    /// The site works alone.
    Alone(f64),
    /// The local team drills; a wire goes in.
    Drill(f64),
    /// The surgeon is needed.
    Surgeon(f64),
    /// The surgeon is needed, and a wire is in.
    Critical(f64),
}

struct Site {
    steps: Vec<Step>,
    next: usize,
    /// When the present step began, or when the surgeon was asked for.
    since: f64,
    /// When the site can do something by itself; `None` while it waits for the surgeon.
    wakes: Option<f64>,
    began: f64,
    waited: f64,
    /// The drilling going on: from, to.
    drilling: Option<(f64, f64)>,
}

struct Day<'a> {
    days: &'a Days,
    random: &'a mut Random,
    sites: Vec<Site>,
    free_at: f64,
    last_site: Option<usize>,
    busy: f64,
    end: f64,
}

impl<'a> Day<'a> {
    fn new(days: &'a Days, random: &'a mut Random) -> Self {
        let mut sites = Vec::new();
        for index in 0..days.sites {
            let begin = days.stagger_min * index as f64;
            sites.push(Site::at(begin, case(days, random)));
        }
        Self { days, random, sites, free_at: 0.0, last_site: None, busy: 0.0, end: 0.0 }
    }

    fn run(mut self, sums: &mut Sums) {
        loop {
            let wake = self
                .sites
                .iter()
                .enumerate()
                .filter_map(|(index, site)| site.wakes.map(|at| (index, at)))
                .min_by(|a, b| a.1.total_cmp(&b.1));
            // who asks before the surgeon is free stands in the queue first
            match (wake, self.chosen()) {
                (Some((index, at)), Some(_)) if at <= self.free_at => self.wake(index, at, sums),
                (_, Some(index)) => self.serve(index, sums),
                (Some((index, at)), None) => self.wake(index, at, sums),
                (None, None) => break,
            }
        }
        sums.busy += self.busy;
        sums.open += self.end;
    }

    /// The site to serve next: one with a wire in first, then the longest waiting.
    fn chosen(&self) -> Option<usize> {
        let waiting = self.sites.iter().enumerate().filter_map(|(index, site)| {
            let critical = matches!(site.step()?, Step::Critical(_));
            let asks = matches!(site.step()?, Step::Critical(_) | Step::Surgeon(_));
            (asks && site.wakes.is_none()).then_some((index, !critical, site.since))
        });
        waiting.min_by(|a, b| a.1.cmp(&b.1).then(a.2.total_cmp(&b.2))).map(|(index, _, _)| index)
    }

    /// A site has done what it does alone.
    fn wake(&mut self, index: usize, at: f64, sums: &mut Sums) {
        let (next, began, waited) = match self.sites.get_mut(index) {
            Some(site) => {
                site.go_on(at);
                (site.step(), site.began, site.waited)
            }
            None => return,
        };
        if next.is_some() {
            return;
        }
        sums.waits.push(waited);
        sums.lengths += at - began;
        self.end = self.end.max(at);
        let again = at < INTAKE;
        let steps = if again { case(self.days, self.random) } else { Vec::new() };
        if let Some(site) = self.sites.get_mut(index) {
            *site = Site::at(at, steps);
        }
    }

    fn serve(&mut self, index: usize, sums: &mut Sums) {
        let Some(site) = self.sites.get_mut(index) else { return };
        let Some(Step::Surgeon(takes) | Step::Critical(takes)) = site.step() else { return };
        let switch = if self.last_site == Some(index) { 0.0 } else { SWITCH };
        let turns = self.free_at.max(site.since);
        let begins = turns + switch;
        let waited = turns - site.since;
        sums.switched += switch;
        if matches!(site.step(), Some(Step::Critical(_))) {
            sums.critical.push(waited + switch);
        }
        site.waited += waited;
        let ends = begins + takes;
        site.next += 1;
        site.begin(ends);
        self.busy += takes + switch;
        self.free_at = ends;
        self.last_site = Some(index);
        let elsewhere = self.sites.iter_mut().enumerate().filter(|(other, _)| *other != index);
        for (_, other) in elsewhere {
            if other.drilling.is_some_and(|(from, to)| from < ends && begins < to) {
                other.drilling = None;
                sums.unattended += 1;
            }
        }
    }
}

impl Site {
    fn at(begin: f64, steps: Vec<Step>) -> Self {
        let mut new = Self {
            steps,
            next: 0,
            since: begin,
            wakes: None,
            began: begin,
            waited: 0.0,
            drilling: None,
        };
        new.begin(begin);
        new
    }

    fn step(&self) -> Option<Step> {
        self.steps.get(self.next).copied()
    }

    /// The next step begins.
    fn begin(&mut self, at: f64) {
        self.since = at;
        self.drilling = None;
        self.wakes = match self.step() {
            Some(Step::Alone(takes)) => Some(at + takes),
            Some(Step::Drill(takes)) => {
                self.drilling = Some((at, at + takes));
                Some(at + takes)
            }
            // it asks as soon as the time has come to it
            Some(Step::Surgeon(_) | Step::Critical(_)) => Some(at),
            None => None,
        };
    }

    fn go_on(&mut self, at: f64) {
        if let Some(Step::Surgeon(_) | Step::Critical(_)) = self.step() {
            // from here it waits
            self.wakes = None;
        } else {
            self.next += 1;
            self.begin(at);
        }
    }
}

/// The steps of one case.
fn case(days: &Days, random: &mut Random) -> Vec<Step> {
    let mut some = |mean: f64, spread: f64| log_normal(random, mean, spread);
    let mut steps = vec![Step::Alone(some(35.0, 10.0 / 35.0)), Step::Alone(some(12.0, SPREAD))];
    let (screws, plan, full) = match days.script {
        Script::Spine => (4 + (some(1.0, 1.0).to_bits() >> 8) % 5, 1.5, 7.9),
        Script::Trauma => (2 + (some(1.0, 1.0).to_bits() >> 8) % 2, 5.3, 3.5),
    };
    steps.push(Step::Surgeon((0..screws).map(|_| some(plan, SPREAD)).sum()));
    match (days.mode, days.script) {
        (Mode::Full, _) | (_, Script::Trauma) => {
            steps.push(Step::Surgeon((0..screws).map(|_| some(full, SPREAD)).sum()));
        }
        (Mode::Gated, Script::Spine) => {
            steps.push(Step::Surgeon(some(1.0, SPREAD)));
            for left in (0..screws).rev() {
                steps.push(Step::Drill(some(4.9, SPREAD)));
                // whoever judges a wire confirms the next pose before turning away
                let next = if left > 0 { some(1.0, SPREAD) } else { 0.0 };
                steps.push(Step::Critical(some(1.2, SPREAD) + next));
            }
        }
        (Mode::Pinned, Script::Spine) => (0..screws).for_each(|_| {
            let stays = some(1.0, SPREAD) + some(4.9, SPREAD) + some(1.2, SPREAD);
            steps.push(Step::Surgeon(stays));
        }),
    }
    steps.push(Step::Surgeon(some(3.0, SPREAD)));
    steps.push(Step::Alone(some(65.0, SPREAD)));
    steps
}

/// Log-normal with this mean and relative standard deviation.
fn log_normal(random: &mut Random, mean: f64, spread: f64) -> f64 {
    let variance = libm::log(1.0 + spread * spread);
    mean * libm::exp(libm::sqrt(variance) * random.normal() - 0.5 * variance)
}
