//! A small invented alliance, founded through commands like any other: an operator, a centre with
//! surgeons and a site of its own, two hospitals that only treat, and a stranger.

use super::lifecycle::hub::SimHub;
use crate::random::Random;
use telehand_alliance::command::{Actor, Command, Context, Strength, Who};
use telehand_alliance::entity::case::{Phases, Procedure, Tier};
use telehand_alliance::entity::consent::ConsentForm;
use telehand_alliance::entity::device::{
    Compatibility, Console, DeviceState, Firmware, FirmwareRange, Robot,
};
use telehand_alliance::entity::drill::{Drill, Scenario};
use telehand_alliance::entity::member::{
    Agreement, Geo, Membership, Org, OrgKind, Responsibilities, Room, Site,
};
use telehand_alliance::entity::network::{
    FailoverDrill, Medium, NetworkClass, Path, PathCheck, Survey,
};
use telehand_alliance::entity::people::{Licence, Person, Role};
use telehand_alliance::entity::privilege::{Evidence, EvidenceKind, PrivilegeRole};
use telehand_alliance::ids::{
    ConsoleId, Hash32, ModelCode, OrgId, PathId, PersonId, ProcedureCode, RegionCode, RobotId,
    RoomId, SiteId,
};
use telehand_alliance::refusal::Refusal;
use telehand_alliance::time::{Day, Utc};

/// Surgeons of the centre.
pub const SURGEONS: usize = 4;
/// Sites with robots: two hospitals and the centre's own.
pub const SITES: usize = 3;

/// The day on which every small alliance is founded.
pub const FOUNDED: Day = Day(20_800);

/// A site that treats.
#[derive(Debug, Clone)]
pub struct Theatre {
    /// Its organisation.
    pub org: OrgId,
    /// The site.
    pub site: SiteId,
    /// Robots with the rooms they stand in.
    pub robots: Vec<(RobotId, RoomId)>,
    /// Stand-by surgeons.
    pub standbys: Vec<PersonId>,
    /// A nurse.
    pub nurse: PersonId,
    /// A scheduler.
    pub scheduler: PersonId,
    /// A network engineer.
    pub engineer: PersonId,
    /// Paths to the centre: fibre, then mobile.
    pub paths: Vec<PathId>,
}

/// Everybody who plays.
#[derive(Debug, Clone)]
pub struct Cast {
    /// The operator of the hub.
    pub operator: OrgId,
    /// The centre.
    pub centre: OrgId,
    /// Its site with consoles.
    pub centre_site: SiteId,
    /// Its surgeons.
    pub surgeons: Vec<PersonId>,
    /// Its consoles with their keys.
    pub consoles: Vec<(ConsoleId, Hash32)>,
    /// Its committee.
    pub committee: PersonId,
    /// Sites that treat.
    pub theatres: Vec<Theatre>,
    /// An organisation that has nothing to do with any case, and its scheduler.
    pub stranger: (OrgId, PersonId),
    /// What is done.
    pub procedure: ProcedureCode,
}

/// An id from invented text.
///
/// # Panics
/// If the text is no id: a mistake in the invention.
pub fn id<T: core::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no id"))
}

/// A context of a person with a passkey.
pub fn person(now: Utc, org: &OrgId, who: &PersonId, reason: Option<&str>) -> Context {
    Context {
        now,
        actor: Actor {
            who: Who::Person(who.clone()),
            org: org.clone(),
            strength: Strength::Passkey,
        },
        reason: reason.map(String::from),
        expected: None,
    }
}

/// A context of a site's node.
pub fn node(now: Utc, org: &OrgId, site: &SiteId) -> Context {
    let who = Who::Site(site.clone());
    let actor = Actor { who, org: org.clone(), strength: Strength::Machine };
    Context { now, actor, reason: None, expected: None }
}

/// A context of the hub itself.
pub fn machine(now: Utc, operator: &OrgId) -> Context {
    let actor = Actor { who: Who::Hub, org: operator.clone(), strength: Strength::Machine };
    Context { now, actor, reason: None, expected: None }
}

/// Founds the alliance with drills that count for some weeks yet.
pub fn found(hub: &mut SimHub, random: &mut Random) -> Result<Cast, Refusal> {
    found_with(hub, random, 45)
}

/// Founds the alliance. `random` chooses how old drills (less than `oldest` days) and surveys are.
pub fn found_with(hub: &mut SimHub, random: &mut Random, oldest: u64) -> Result<Cast, Refusal> {
    let mut founder = Founder { hub, now: FOUNDED.start(), random, oldest };
    let operator: OrgId = id("op");
    let admin: PersonId = id("op-admin");
    let org = Box::new(org(&operator, OrgKind::Operator, Membership::Member));
    let administrator = Box::new(staff(
        &admin,
        &operator,
        &[Role::Administrator, Role::Committee, Role::ClinicalEngineer],
    ));
    founder.hub.need(&machine(founder.now, &operator), Command::Found { org, administrator })?;
    founder.catalogue(&operator, &admin)?;
    let centre: OrgId = id("h0");
    for name in ["h0", "h1", "h2", "h3"] {
        founder.member(&operator, &admin, name)?;
    }
    founder.agreements(&centre)?;
    let mut cast = Cast {
        operator,
        centre_site: id("h0-centre"),
        surgeons: Vec::new(),
        consoles: Vec::new(),
        committee: id("h0-committee"),
        theatres: Vec::new(),
        stranger: (id("h3"), id("h3-scheduler")),
        procedure: id("0SG.pedicle"),
        centre,
    };
    for name in ["h0", "h1", "h2"] {
        let theatre = founder.theatre(name)?;
        cast.theatres.push(theatre);
    }
    founder.console_room(&mut cast)?;
    founder.surgeons(&mut cast)?;
    for place in 0..cast.theatres.len() {
        founder.standbys(&cast, place)?;
        founder.paths(&mut cast, place)?;
    }
    Ok(cast)
}

struct Founder<'a> {
    hub: &'a mut SimHub,
    now: Utc,
    random: &'a mut Random,
    oldest: u64,
}

fn org(name: &OrgId, kind: OrgKind, state: Membership) -> Org {
    Org {
        id: name.clone(),
        name: format!("Hospital {name}"),
        name_local: String::new(),
        kind,
        state,
        until: FOUNDED.plus(1_000),
        contact_24h: "desk".into(),
        insurer: String::new(),
        version: 0,
    }
}

fn staff(name: &PersonId, org: &OrgId, roles: &[Role]) -> Person {
    Person {
        id: name.clone(),
        org: org.clone(),
        name: format!("Staff {name}"),
        roles: roles.iter().copied().collect(),
        languages: vec!["zh".into(), "en".into()],
        licences: vec![Licence {
            jurisdiction: id("CN"),
            site: None,
            until: FOUNDED.plus(900),
            register: "national register".into(),
            verified: FOUNDED,
        }],
        suspended: None,
        active: true,
        max_slots_per_day: 40,
        version: 0,
    }
}

fn robot_model() -> ModelCode {
    id("RX-1")
}

fn everything() -> FirmwareRange {
    FirmwareRange { from: Firmware(1, 0, 0), to: Firmware(1, 9, 0) }
}

impl Founder<'_> {
    fn by(&self, org: &OrgId, who: &str, reason: Option<&str>) -> Context {
        person(self.now, org, &id(who), reason)
    }

    fn catalogue(&mut self, operator: &OrgId, admin: &PersonId) -> Result<(), Refusal> {
        let by = person(self.now, operator, admin, Some("founding"));
        let procedure = Procedure {
            code: id("0SG.pedicle"),
            name: "Pedicle screws".into(),
            class: NetworkClass::PlanThenExecute,
            phases: Phases { pre: 4, remote: 3, post: 3 },
            tier: Tier::PreciseExecution,
        };
        self.hub.need(&by, Command::SetProcedure(Box::new(procedure)))?;
        let form = ConsentForm {
            version: 1,
            languages: vec!["zh".into(), "ug".into()],
            document: Hash32([1; 32]),
            from: FOUNDED.plus(-60),
            until: FOUNDED.plus(2_000),
            valid_days: 30,
        };
        self.hub.need(&by, Command::PublishForm(Box::new(form)))?;
        let declared = Compatibility {
            id: id("rx-1-with-cx-1"),
            console_model: id("CX-1"),
            console_firmware: everything(),
            robot_model: robot_model(),
            robot_firmware: everything(),
            document: Hash32([2; 32]),
            by: admin.clone(),
            valid: true,
        };
        self.hub.need(&by, Command::DeclareCompatible(Box::new(declared)))
    }

    /// Invites a hospital, which joins and hires.
    fn member(&mut self, operator: &OrgId, admin: &PersonId, name: &str) -> Result<(), Refusal> {
        let own: OrgId = id(name);
        let boss = format!("{name}-admin");
        let org = Box::new(org(&own, OrgKind::Hospital, Membership::Invited));
        let administrator = Box::new(staff(&id(&boss), &own, &[Role::Administrator]));
        let by = person(self.now, operator, admin, None);
        self.hub.need(&by, Command::InviteOrg { org, administrator })?;
        let by = self.by(&own, &boss, None);
        self.hub.need(&by, Command::JoinOrg { org: own.clone() })?;
        for (who, roles) in [
            ("committee", &[Role::Committee, Role::Quality][..]),
            ("scheduler", &[Role::Scheduler]),
            ("nurse", &[Role::Nurse]),
            ("engineer", &[Role::NetworkEngineer, Role::ClinicalEngineer]),
        ] {
            let person = Box::new(staff(&id(&format!("{name}-{who}")), &own, roles));
            self.hub.need(&by, Command::AddPerson(person))?;
        }
        Ok(())
    }

    fn agreements(&mut self, centre: &OrgId) -> Result<(), Refusal> {
        for other in ["h1", "h2"] {
            let own: OrgId = id(other);
            let agreement = Agreement {
                id: id(&format!("a-{other}")),
                parties: [centre.clone(), own.clone()].into(),
                scope: Vec::new(),
                from: FOUNDED,
                until: FOUNDED.plus(800),
                responsibilities: Responsibilities {
                    leads: centre.clone(),
                    takes_over: own.clone(),
                    pays: own.clone(),
                    network: own.clone(),
                    robot: own.clone(),
                    reports: own.clone(),
                    contact_24h: "desk".into(),
                },
                document: Hash32([3; 32]),
                signed: std::collections::BTreeMap::new(),
                ended: None,
                version: 0,
            };
            let agreement_id = agreement.id.clone();
            let by = self.by(&own, &format!("{other}-admin"), None);
            self.hub.need(&by, Command::DraftAgreement(Box::new(agreement)))?;
            for by in [by, self.by(centre, "h0-admin", None)] {
                let agreement = agreement_id.clone();
                let document = Hash32([3; 32]);
                self.hub.need(&by, Command::SignAgreement { agreement, document })?;
            }
        }
        Ok(())
    }

    fn site(&mut self, name: &str, org: &OrgId, site: &SiteId) -> Result<(), Refusal> {
        let region: RegionCode = id("CN-65");
        let site = Site {
            id: site.clone(),
            org: org.clone(),
            name: format!("Site {site}"),
            name_local: String::new(),
            zone: "Asia/Urumqi".into(),
            geo: Geo { latitude_udeg: 39_470_000, longitude_udeg: 75_990_000 },
            region,
            jurisdiction: id("CN"),
            quintile: 1,
            population_k: 4_600,
            key: Hash32([4; 32]),
            open: true,
            version: 0,
        };
        let by = self.by(org, &format!("{name}-admin"), None);
        self.hub.need(&by, Command::AddSite(Box::new(site)))
    }

    fn theatre(&mut self, name: &str) -> Result<Theatre, Refusal> {
        let org: OrgId = id(name);
        let site: SiteId = id(&format!("{name}-site"));
        self.site(name, &org, &site)?;
        let by = self.by(&org, &format!("{name}-admin"), None);
        let mut robots = Vec::new();
        for number in 0..2 {
            let room: RoomId = id(&format!("{name}-room-{number}"));
            let named = Room { id: room.clone(), site: site.clone(), name: format!("OR {number}") };
            self.hub.need(&by, Command::AddRoom(named))?;
            let robot: RobotId = id(&format!("{name}-robot-{number}"));
            let built = Robot {
                id: robot.clone(),
                site: site.clone(),
                room: Some(room.clone()),
                model: robot_model(),
                serial: format!("SN-{name}-{number}"),
                firmware: Firmware(1, 2, 0),
                state: DeviceState::Ready,
                maintenance: Vec::new(),
                checked_until: FOUNDED.plus(900),
                instruments: Vec::new(),
                key: Hash32([5; 32]),
                version: 0,
            };
            self.hub.need(&by, Command::AddRobot(Box::new(built)))?;
            robots.push((robot, room));
        }
        Ok(Theatre {
            standbys: (0..3).map(|n| id(&format!("{name}-standby-{n}"))).collect(),
            nurse: id(&format!("{name}-nurse")),
            scheduler: id(&format!("{name}-scheduler")),
            engineer: id(&format!("{name}-engineer")),
            paths: Vec::new(),
            org,
            site,
            robots,
        })
    }

    fn console_room(&mut self, cast: &mut Cast) -> Result<(), Refusal> {
        self.site("h0", &cast.centre, &cast.centre_site)?;
        let by = self.by(&cast.centre, "h0-admin", None);
        for number in 0..4_u8 {
            let console: ConsoleId = id(&format!("console-{number}"));
            let key = Hash32([16 + number; 32]);
            let built = Console {
                id: console.clone(),
                site: cast.centre_site.clone(),
                model: id("CX-1"),
                serial: format!("CN-{number}"),
                firmware: Firmware(1, 1, 0),
                key,
                state: DeviceState::Ready,
                maintenance: Vec::new(),
                version: 0,
            };
            self.hub.need(&by, Command::AddConsole(Box::new(built)))?;
            cast.consoles.push((console, key));
        }
        Ok(())
    }

    fn surgeons(&mut self, cast: &mut Cast) -> Result<(), Refusal> {
        for number in 0..SURGEONS {
            let surgeon: PersonId = id(&format!("surgeon-{number}"));
            let roles = [Role::Surgeon, Role::StandbySurgeon];
            let hired = staff(&surgeon, &cast.centre, &roles);
            let by = self.by(&cast.centre, "h0-admin", None);
            self.hub.need(&by, Command::AddPerson(Box::new(hired)))?;
            self.privileged(&cast.centre, "h0", &surgeon, PrivilegeRole::RemoteLead)?;
            drills(self.hub, self.random, cast, (&surgeon, self.oldest), self.now)?;
            cast.surgeons.push(surgeon);
        }
        Ok(())
    }

    fn standbys(&mut self, cast: &Cast, place: usize) -> Result<(), Refusal> {
        let Some(theatre) = cast.theatres.get(place) else { return Ok(()) };
        let name = theatre.org.to_string();
        for standby in &theatre.standbys {
            let hired = staff(standby, &theatre.org, &[Role::StandbySurgeon]);
            let by = self.by(&theatre.org, &format!("{name}-admin"), None);
            self.hub.need(&by, Command::AddPerson(Box::new(hired)))?;
            self.privileged(&theatre.org, &name, standby, PrivilegeRole::LocalStandby)?;
            drills(self.hub, self.random, cast, (standby, self.oldest), self.now)?;
        }
        Ok(())
    }

    fn privileged(
        &mut self,
        org: &OrgId,
        name: &str,
        surgeon: &PersonId,
        role: PrivilegeRole,
    ) -> Result<(), Refusal> {
        let committee = format!("{name}-committee");
        let piece = |kind, count, from: i32| Evidence {
            kind,
            count,
            from: FOUNDED.plus(from),
            until: FOUNDED,
            by: id(&committee),
            document: Hash32([6; 32]),
        };
        let evidence = vec![
            piece(EvidenceKind::LocalCases, 30, -300),
            piece(EvidenceKind::SimulatorDrills, 12, -80),
            piece(EvidenceKind::LiveDrill, 1, -20),
            piece(EvidenceKind::ProctoredCases, 3, -90),
            piece(EvidenceKind::BlindedVideoReview, 1, -90),
        ];
        let privilege = id(&format!("priv-{surgeon}"));
        let by = self.by(org, &committee, Some("evidence is complete"));
        let request = telehand_alliance::command::PrivilegeRequest {
            privilege,
            surgeon: surgeon.clone(),
            procedure: id("0SG.pedicle"),
            robot_model: robot_model(),
            role,
            evidence,
        };
        let privilege = request.privilege.clone();
        self.hub.need(&by, Command::ApplyPrivilege(Box::new(request)))?;
        let until = FOUNDED.plus(700);
        self.hub.need(&by, Command::DecidePrivilege { privilege, granted: true, until })
    }

    fn paths(&mut self, cast: &mut Cast, place: usize) -> Result<(), Refusal> {
        let Some(theatre) = cast.theatres.get_mut(place) else { return Ok(()) };
        let by = person(self.now, &theatre.org, &theatre.engineer, None);
        for (medium, group) in [(Medium::Fibre, "duct"), (Medium::FiveG, "mast")] {
            let path: PathId = id(&format!("{}-{group}", theatre.org));
            let built = Path {
                id: path.clone(),
                a: cast.centre_site.clone(),
                b: theatre.site.clone(),
                medium,
                provider: "carrier".into(),
                diversity_group: group.into(),
                lanes: 2,
                open: true,
                check: None,
                version: 0,
            };
            self.hub.need(&by, Command::AddPath(Box::new(built)))?;
            let age = self.random.below(25) as i32;
            self.hub.need(&by, surveyed(&path, self.now, age))?;
            theatre.paths.push(path);
        }
        Ok(())
    }
}

/// Drills of somebody, done less than so many days ago.
pub fn drills(
    hub: &mut SimHub,
    random: &mut Random,
    cast: &Cast,
    (who, oldest): (&PersonId, u64),
    now: Utc,
) -> Result<(), Refusal> {
    let by = person(now, &cast.centre, &cast.committee, None);
    let age = random.below(oldest) as i64;
    for number in 0..11_i64 {
        let live = number == 10;
        let drill = Drill {
            id: hub.next_id("drill"),
            scenario: if live { Scenario::BleedingTakeOver } else { Scenario::Simulator },
            site: cast.centre_site.clone(),
            path: None,
            people: [who.clone()].into(),
            live,
            score: 90,
            passed: true,
            at: now.plus_hours(-24 * age - number),
            reaction_ms: Some(600),
        };
        hub.need(&by, Command::RecordDrill(Box::new(drill)))?;
    }
    Ok(())
}

/// A good survey that ended `age` days ago.
pub fn surveyed(path: &PathId, now: Utc, age: i32) -> Command {
    let until = now.plus_hours(-24 * i64::from(age) - 1);
    let survey = Survey {
        from: until.plus_hours(-72),
        until,
        rtt_p50_us: 38_000,
        rtt_p99_us: 52_000,
        rtt_p999_us: 74_000,
        jitter_p99_us: 4_000,
        loss_ppm: 30,
        loss_burst: 4,
        longest_gap_us: 60_000,
        gaps: 0,
        downlink_kbps: 80_000,
        uplink_kbps: 20_000,
        failover: Some(FailoverDrill { day: until.day(), passed: true, switch_us: 40_000 }),
    };
    Command::SubmitSurvey {
        qualification: id(&format!("q-{path}")),
        path: path.clone(),
        class: NetworkClass::PlanThenExecute,
        survey: Box::new(survey),
    }
}

/// A good check now.
pub fn checked(path: &PathId, now: Utc) -> Command {
    let check = PathCheck {
        at: now,
        rtt_p999_us: 76_000,
        jitter_p99_us: 4_200,
        clock_offset_us: 900,
        certificate_until: now.plus_hours(24 * 60),
    };
    Command::CheckPath { path: path.clone(), check }
}
