//! The planner's page.

use super::actions::{Hands, analysed};
use super::expert::{Expert, TEAM};
use super::office::{Office, Room};
use super::state::{
    Approvals, Confirmed, HistoryLine, PlanState, PlannerState, SIMULATED, SiteState, Surgeon,
};
use super::{calendar, objects, queue, report, slices, view};
use crate::http::{Backend, Denied, Document, Feed, Query, VideoMessage};
use crate::{clock, lock};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use telehand_ortho::ScrewId;
use telehand_ortho::plan::{Role, Signature};
use tokio::sync::broadcast;

/// Lines of a plan's history on the page.
const HISTORY: usize = 30;

/// What the page talks to.
pub struct Page {
    office: Arc<Office>,
    /// Whose: a place among the experts.
    expert: usize,
}

/// One site's camera.
struct Camera {
    room: Arc<Room>,
}

impl Page {
    /// The page of one of the experts of this process, by their place.
    pub const fn new(office: Arc<Office>, expert: usize) -> Self {
        Self { office, expert }
    }

    fn expert(&self) -> Option<&Expert> {
        self.office.experts().get(self.expert)
    }

    fn at_work(&self) -> Option<Hands<'_>> {
        self.expert().map(|expert| Hands::new(&self.office, expert))
    }
}

impl Backend for Page {
    fn page(&self) -> &'static str {
        "planner.html"
    }

    fn state(&self, controls: bool) -> Value {
        let office = &self.office;
        let Some(expert) = self.expert() else { return Value::Null };
        let desk = lock(&expert.desk).view(clock::now());
        let mut sites: Vec<SiteState> = office.sites().iter().map(|room| site(room)).collect();
        for site in &mut sites {
            people(office, expert, site);
        }
        let name = |number| office.numbered(number).map(|room| room.id.clone());
        let focus = desk.focus.and_then(name);
        let confirmed = desk.confirmed.map(|confirmed| Confirmed {
            site: name(confirmed.site).unwrap_or_default(),
            patient: focus
                .as_ref()
                .and_then(|id| sites.iter().find(|site| site.id == *id))
                .map(|site| site.patient.id.clone())
                .unwrap_or_default(),
            level: confirmed.screw.level.to_string(),
            side: view::side(confirmed.screw.side).into(),
        });
        let state = PlannerState {
            r#type: "state".into(),
            label: SIMULATED.into(),
            controls,
            surgeon: Surgeon { name: expert.name.clone(), draws: expert.is_surgeon() },
            others: others(office, expert),
            queue: queue::queue(&sites, focus.as_deref()),
            focus,
            blank_ms: desk.blank.as_millis_f64(),
            confirmed,
            sites,
        };
        serde_json::to_value(state).unwrap_or(Value::Null)
    }

    fn action(&self, body: &Value) -> Result<Value, Denied> {
        self.at_work().ok_or_else(|| Denied::Bad("nobody sits here".into()))?.press(body)
    }

    fn hands(&self, body: &Value) {
        if let Some(hands) = self.at_work() {
            hands.hold(body);
        }
    }

    fn hands_gone(&self) {
        if let Some(hands) = self.at_work() {
            hands.let_go();
        }
    }

    fn feed(&self, name: &str) -> Option<Arc<dyn Feed>> {
        let room = self.office.site(name)?.clone();
        Some(Arc::new(Camera { room }))
    }

    fn document(&self, name: &str, query: &Query) -> Result<Document, Denied> {
        let site = query.get("site").map(String::as_str).unwrap_or_default();
        let room = self
            .office
            .site(site)
            .ok_or_else(|| Denied::Bad(format!("there is no site {site:?}; say site=ID")))?;
        match name {
            "slice" => slice(room, query),
            "report" => {
                let html = report::of(room).ok_or_else(|| {
                    Denied::Bad("there is no report yet; it is written with the grades".into())
                })?;
                let kind = "text/html; charset=utf-8";
                Ok(Document { kind, header: None, bytes: html.into_bytes() })
            }
            "objects" => {
                let bytes = objects::list(room).to_string().into_bytes();
                Ok(Document { kind: "application/json", header: None, bytes })
            }
            "object" => object(room, query),
            other => Err(Denied::Bad(format!(
                "there is no {other:?}; there are slice, report, objects and object"
            ))),
        }
    }
}

impl Feed for Camera {
    fn join_video(&self) {
        self.room.join.store(true, Ordering::Release);
    }

    fn video(&self) -> broadcast::Receiver<VideoMessage> {
        self.room.video.subscribe()
    }

    fn video_config(&self) -> Option<Value> {
        lock(&self.room.video_config).clone()
    }
}

fn slice(room: &Room, query: &Query) -> Result<Document, Denied> {
    let workup = lock(&room.workup);
    let control = query.get("scan").is_some_and(|scan| scan == "control");
    let volume = if control { lock(&room.last).clone() } else { workup.volume().cloned() };
    let volume = volume.ok_or_else(|| Denied::Bad("there is no series yet".into()))?;
    let screw: Option<ScrewId> = query.get("screw").and_then(|id| id.parse().ok());
    let screw = screw.and_then(|id| workup.plan()?.screws().get(&id).copied());
    drop(workup);
    slices::document(&volume, screw.as_ref(), query)
}

/// One DICOM object, as a file to keep.
fn object(room: &Room, query: &Query) -> Result<Document, Denied> {
    let name = query.get("name").map(String::as_str).unwrap_or_default();
    let bytes = objects::read(room, name).ok_or_else(|| {
        Denied::Bad(format!("{} has no object {name:?}; /api/objects lists them", room.id))
    })?;
    let keep = format!("attachment; filename=\"{}-{name}\"", room.id);
    let header = Some(("content-disposition", keep));
    Ok(Document { kind: "application/dicom", header, bytes })
}

/// Whom the robot can be handed to here.
fn others(office: &Office, expert: &Expert) -> Vec<String> {
    let others = office.experts().iter().filter(|one| one.person != expert.person);
    others.map(|one| one.name.clone()).collect()
}

/// Names for numbers, and what of it concerns `expert`.
fn people(office: &Office, expert: &Expert, site: &mut SiteState) {
    let named = |number: Option<u32>| {
        let one = office.experts().iter().find(|one| Some(one.person.0) == number);
        match number {
            Some(number) if number == TEAM.0 => "local".to_owned(),
            _ => one.map(|one| one.name.clone()).unwrap_or_default(),
        }
    };
    let lease = &mut site.lease;
    (lease.by, lease.offered_to) = (named(lease.person), named(lease.offered));
    lease.mine = lease.holder == "remote" && lease.person == Some(expert.person.0);
    lease.for_me = lease.offered == Some(expert.person.0);
}

/// A site as the page sees it: what it says, and what the planner knows.
fn site(room: &Room) -> SiteState {
    let now = clock::now();
    let snapshot = room.link_snapshot();
    let heard = lock(&room.heard);
    let age = (heard.at > telehand_vocab::Mono::ZERO).then(|| now.since(heard.at));
    let mut site = heard.state.clone().unwrap_or_else(|| SiteState {
        id: room.id.clone(),
        name: super::state::Name { en: room.id.clone(), zh: room.id.clone() },
        colour: "#808080".into(),
        ..SiteState::default()
    });
    if let Some(pulse) = &heard.pulse {
        site.robot.state.clone_from(&pulse.drive);
        site.robot.guide_error_mm = pulse.guide_mm;
        site.robot.guide_error_deg = pulse.guide_deg;
        let [remote, local] = pulse.holds;
        (site.robot.hold_remote, site.robot.hold_local) = (remote, local);
        (site.lease.epoch, site.lease.holder) = (pulse.epoch, pulse.holder.clone());
        site.lease.person = pulse.person;
    }
    drop(heard);
    site.link = view::link(snapshot.as_ref(), age);
    let workup = lock(&room.workup);
    site.series = workup.volume().map(|volume| room.series(volume));
    if let Some(chart) = workup.chart() {
        let analysis = analysed(room);
        let placed = lock(&room.placed);
        let plan = chart.plan();
        let screws = plan.screws().keys().filter_map(|id| {
            let mut screw = analysis.screws.get(id)?.clone();
            if let Some(state) = placed.get(id) {
                screw.state.clone_from(state);
            }
            Some(screw)
        });
        let history = chart.history();
        site.plan = Some(PlanState {
            version: plan.version(),
            hash: plan.hash().to_string(),
            writer: chart.writer().into(),
            screws: screws.collect(),
            approvals: Approvals {
                remote: chart.signature(Role::Remote).map(signed),
                local: chart.signature(Role::Local).map(signed),
            },
            history: history
                .iter()
                .skip(history.len().saturating_sub(HISTORY))
                .map(|version| HistoryLine {
                    version: version.plan.version(),
                    by: version.by.name.clone(),
                    what: version.what.to_string(),
                })
                .collect(),
        });
    }
    let lines = lock(&room.lines);
    if !lines.is_empty() {
        site.verify = lines.values().cloned().collect();
    }
    site
}

fn signed(signature: &Signature) -> super::state::Signed {
    super::state::Signed { by: signature.name.clone(), at: calendar::rfc3339(signature.at_ms) }
}
