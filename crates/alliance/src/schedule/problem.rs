//! What is asked for and what there is.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// Most slots a whole case with its turnover may take: 24 hours.
pub const LONGEST: u32 = 96;

/// Most slots a local day may have: 25 hours, the day the clocks go back.
pub const LONGEST_DAY: u32 = 100;

macro_rules! index {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// The place in its list.
            #[must_use]
            pub const fn at(self) -> usize {
                self.0 as usize
            }
        }

        impl From<usize> for $name {
            fn from(at: usize) -> Self {
                Self(u32::try_from(at).unwrap_or(u32::MAX))
            }
        }
    )*};
}

index! {
    /// A place in [`Problem::zones`].
    ZoneIx;
    /// A place in [`Problem::sites`].
    SiteIx;
    /// A place in [`Problem::rooms`].
    RoomIx;
    /// A place in [`Problem::standbys`].
    StandbyIx;
    /// A place in [`Problem::surgeons`].
    SurgeonIx;
    /// A place in [`Problem::pools`].
    PoolIx;
    /// A place in [`Problem::pairs`].
    PairIx;
    /// A place in [`Problem::cases`].
    CaseIx;
}

/// Slots `from..until`, counted from [`Problem::origin`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// First slot.
    pub from: u32,
    /// First slot after.
    pub until: u32,
}

impl Span {
    /// `from..until`; empty where `until` is not after `from`.
    #[must_use]
    pub const fn new(from: u32, until: u32) -> Self {
        Self { from, until }
    }

    /// How many slots.
    #[must_use]
    pub const fn slots(self) -> u32 {
        self.until.saturating_sub(self.from)
    }

    /// True if the two share a slot.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.from < other.until && other.from < self.until
    }

    /// True if `other` lies wholly inside.
    #[must_use]
    pub const fn holds(self, other: Self) -> bool {
        self.from <= other.from && other.until <= self.until
    }
}

/// A time zone of the horizon: where its local days begin, daylight saving included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// The zone's name, for people.
    pub name: String,
    /// The slots at which local days 0, 1, 2, .. begin, and at which the last one ends.
    pub midnights: Vec<u32>,
    /// Slots of local night (for example 22:00 to 06:00), for the night limit of surgeons.
    pub nights: Vec<Span>,
}

/// A hospital that asks for operations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The hospital's id.
    pub id: String,
    /// The days of due dates and plans are days in this zone.
    pub zone: ZoneIx,
    /// 0 to 9: how far the region has been left behind (wait, cases per head).
    pub equity: u8,
}

/// An operating room with its robot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// The room's id.
    pub id: String,
    /// The robot in it; a lost robot closes the room for remote cases.
    pub robot: String,
    /// Whose room it is.
    pub site: SiteIx,
    /// Opening hours; a case lies wholly inside one.
    pub open: Vec<Span>,
    /// Part of the opening hours kept for emergencies.
    pub reserve: Vec<Span>,
    /// Slots between two cases.
    pub turnover: u32,
}

/// A surgeon of the patient's hospital who takes over when the link or the robot fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standby {
    /// The person's id.
    pub id: String,
    /// Hours at work; the person is bound to one case from its first slot to its last.
    pub open: Vec<Span>,
}

/// A surgeon who operates from afar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surgeon {
    /// The person's id.
    pub id: String,
    /// The centre, whose consoles the surgeon uses.
    pub pool: PoolIx,
    /// The surgeon's own zone: its days and nights count for fatigue.
    pub zone: ZoneIx,
    /// Working hours; a remote phase lies wholly inside one.
    pub open: Vec<Span>,
    /// Part of the working hours kept for emergencies.
    pub reserve: Vec<Span>,
    /// Most cases the surgeon answers for at one time, each from its first slot to its last.
    /// `None`: no limit.
    pub concurrent: Option<u16>,
    /// Most remote slots on one local day. `None`: no limit.
    pub day_limit: Option<u32>,
    /// Most remote slots in the nights of the horizon. `None`: no limit.
    pub night_limit: Option<u32>,
}

/// The consoles of a centre.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// The centre's id.
    pub id: String,
    /// The consoles' ids. Compatibility with a robot is part of a [`Choice`].
    pub consoles: Vec<String>,
    /// When a console cannot be used: its place in `consoles`, and the slots.
    pub down: Vec<(u32, Span)>,
    /// Consoles that only emergencies may use.
    pub reserve: u16,
}

/// Two diverse, qualified network paths between a site and a centre.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathPair {
    /// The pair's id.
    pub id: String,
    /// The two paths' ids.
    pub paths: [String; 2],
    /// Sessions the pair carries at one time.
    pub sessions: u16,
    /// Slots in which the pair is qualified.
    pub open: Vec<Span>,
}

/// One way to do a case remotely. Whoever makes the problem has checked privilege, licence,
/// drills, network class and compatibility: a pair that fails one is no choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Who operates.
    pub surgeon: SurgeonIx,
    /// Over which paths; `None` where paths are not modelled.
    pub pair: Option<PairIx>,
    /// 0 to 9: room left below the limit of the round trip.
    pub rtt_margin: u8,
    /// 0 to 9: travel of the patient avoided.
    pub travel: u8,
}

/// A case's parts, in slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    /// Local, before the surgeon is needed.
    pub pre: u32,
    /// Remote: surgeon, console and paths.
    pub remote: u32,
    /// Local, after.
    pub post: u32,
    /// Slots before the planned remote phase in which the surgeon is kept free: the patient may
    /// be ready early. At most `pre`.
    pub early: u32,
    /// Slots after the planned remote phase in which the surgeon is kept free: it may end late.
    pub late: u32,
    /// Slots after the planned end in which the room is kept free.
    pub room_late: u32,
}

impl Phases {
    /// Phases without buffers.
    #[must_use]
    pub const fn plain(pre: u32, remote: u32, post: u32) -> Self {
        Self { pre, remote, post, early: 0, late: 0, room_late: 0 }
    }

    /// First slot to last, without buffers.
    #[must_use]
    pub const fn total(self) -> u32 {
        self.pre + self.remote + self.post
    }
}

/// A case to be planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The case's pseudonym.
    pub id: String,
    /// The patient's hospital.
    pub site: SiteIx,
    /// Its parts.
    pub phases: Phases,
    /// Rooms whose robot the procedure can use.
    pub rooms: Vec<RoomIx>,
    /// Stand-by surgeons privileged for it; empty only where stand-by is not modelled.
    pub standbys: Vec<StandbyIx>,
    /// The ways to do it.
    pub choices: Vec<Choice>,
    /// Clinical weight; more is more urgent.
    pub weight: u32,
    /// Day of the horizon, in the site's zone, after which it is late.
    pub due_day: u32,
    /// First slot it may begin.
    pub earliest: u32,
    /// May use reserves.
    pub emergency: bool,
    /// The surgeon who knows the patient.
    pub known_to: Option<SurgeonIx>,
    /// Where the published plan has it.
    pub published: Option<super::Placement>,
}

/// What a placement is worth. A case on day `d` scores
/// `unit * (urgency * weight - early * d - late * weight * max(0, d - due_day))` and is placed only
/// where that is positive; to it come the smaller terms, each times a figure of 0 to 9 (or 0 and 1).
/// [`Problem::check`] refuses smaller terms that could outweigh one day: urgency and due date come
/// first, then equity, round trip, travel, continuity, stability, in the sizes of the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weights {
    /// Value of one point of urgency.
    pub unit: i64,
    /// Points per clinical weight.
    pub urgency: i64,
    /// Points lost each day.
    pub early: i64,
    /// Points lost per clinical weight and day late.
    pub late: i64,
    /// Times [`Site::equity`].
    pub equity: i64,
    /// Times [`Choice::rtt_margin`].
    pub rtt_margin: i64,
    /// Times [`Choice::travel`].
    pub travel: i64,
    /// Once where [`Case::known_to`] operates.
    pub continuity: i64,
    /// Once where start, room and surgeon are as published.
    pub stability: i64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            unit: 10_000,
            urgency: 10,
            early: 10,
            late: 2,
            equity: 4_000,
            rtt_margin: 400,
            travel: 40,
            continuity: 20,
            stability: 10,
        }
    }
}

impl Weights {
    /// Urgency and due date alone.
    pub const URGENCY_ONLY: Self = Self {
        unit: 1,
        urgency: 10,
        early: 10,
        late: 2,
        equity: 0,
        rtt_margin: 0,
        travel: 0,
        continuity: 0,
        stability: 0,
    };

    pub(super) const fn smaller_terms(self) -> i64 {
        9 * (self.equity + self.rtt_margin + self.travel) + self.continuity + self.stability
    }
}

/// Everything a plan is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Slot 0 of this problem, in slots of 15 minutes since 1970-01-01T00:00Z.
    pub origin: u32,
    /// Slots in the horizon.
    pub slots: u32,
    /// Published cases that begin before this slot stay where they are (48 hours from now).
    pub frozen_until: u32,
    /// Nothing new begins before this slot (now).
    pub open_from: u32,
    /// Time zones.
    pub zones: Vec<Zone>,
    /// Hospitals.
    pub sites: Vec<Site>,
    /// Rooms with robots.
    pub rooms: Vec<Room>,
    /// Stand-by surgeons.
    pub standbys: Vec<Standby>,
    /// Centres' consoles.
    pub pools: Vec<Pool>,
    /// Remote surgeons.
    pub surgeons: Vec<Surgeon>,
    /// Path pairs.
    pub pairs: Vec<PathPair>,
    /// Cases.
    pub cases: Vec<Case>,
    /// What counts how much.
    pub weights: Weights,
}

impl Problem {
    /// What `case` is worth on `day` of its site's zone, without the smaller terms.
    #[must_use]
    pub fn day_value(&self, case: &Case, day: u32) -> i64 {
        let weight = i64::from(case.weight);
        let late = i64::from(day.saturating_sub(case.due_day));
        let w = self.weights;
        w.unit * (w.urgency * weight - w.early * i64::from(day) - w.late * weight * late)
    }

    /// What doing `case` by `choice` adds to the day's value, stability aside.
    #[must_use]
    pub fn choice_value(&self, case: &Case, choice: &Choice) -> i64 {
        let w = self.weights;
        let equity = self.sites.get(case.site.at()).map_or(0, |site| i64::from(site.equity));
        let known = i64::from(case.known_to == Some(choice.surgeon));
        w.equity * equity
            + w.rtt_margin * i64::from(choice.rtt_margin)
            + w.travel * i64::from(choice.travel)
            + w.continuity * known
    }

    /// What `placement` is worth; `None` where it begins on no day of its site or names no choice.
    #[must_use]
    pub fn value(&self, placement: &super::Placement) -> Option<i64> {
        let case = self.cases.get(placement.case.at())?;
        let choice = case.choices.get(usize::try_from(placement.choice).ok()?)?;
        let day = self.day_of(case, placement.start)?;
        let stable = case.published.as_ref().is_some_and(|published| {
            let same = published.start == placement.start && published.room == placement.room;
            same && case.choices.get(published.choice as usize).map(|c| c.surgeon)
                == Some(choice.surgeon)
        });
        let stability = if stable { self.weights.stability } else { 0 };
        Some(self.day_value(case, day) + self.choice_value(case, choice) + stability)
    }

    /// The day of the site's zone on which slot `start` lies.
    #[must_use]
    pub fn day_of(&self, case: &Case, start: u32) -> Option<u32> {
        let site = self.sites.get(case.site.at())?;
        let midnights = &self.zones.get(site.zone.at())?.midnights;
        let begun = midnights.partition_point(|midnight| *midnight <= start);
        (begun > 0 && begun < midnights.len()).then(|| begun as u32 - 1)
    }

    /// True if the published plan holds `case` where it is.
    #[must_use]
    pub fn frozen(&self, case: &Case) -> bool {
        case.published.as_ref().is_some_and(|placed| placed.start < self.frozen_until)
    }
}
