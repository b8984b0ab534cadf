//! Drawing a plan and signing it: the surgeon's alone.

use super::actions::{Hands, Outcome, done, not_done, refused};
use super::analysis::Analysis;
use super::calendar;
use super::office::Room;
use super::workup::{Change, Clicks, NotDone};
use crate::http::Denied;
use crate::lock;
use serde_json::json;
use std::sync::Arc;
use telehand_ortho::Level;
use telehand_ortho::ScrewId;
use telehand_ortho::case::{Refusal, Why};
use telehand_ortho::plan::{
    By, Landmarks, Plan, PlanRefusal, Role, ScrewForm, Signature, statement,
};
use telehand_ortho::suggest::{from_landmarks, propose};

impl Hands<'_> {
    /// The site looked at, if the plan there is this expert's to draw.
    fn drawn_at(&self, site: &str) -> Result<&Arc<Room>, Denied> {
        if !self.expert.is_surgeon() {
            return Err(refused(Refusal::plain(Why::NotYours)));
        }
        self.looked_at(site)
    }

    /// What a screw would be in the plan. Nothing is changed and nothing is written down.
    pub(super) fn tried(&self, site: &str, version: u64, screw: ScrewForm) -> Outcome {
        let room = self.drawn_at(site)?;
        let registered = lock(&room.registered).clone();
        let workup = lock(&room.workup);
        let id = screw.id;
        let plan = workup.tried(&Change::Set { base: version, screw }, &self.by());
        let plan = plan.map_err(not_done)?;
        let tre = registered.as_ref().and_then(|made| made.tre.as_ref());
        Ok(json!({"ok": true, "screw": Analysis::of_screw(&workup, &plan, id, tre)}))
    }

    fn by(&self) -> By {
        By { name: self.expert.name.clone(), at_ms: calendar::now_ms() }
    }

    pub(super) fn edit(&self, site: &str, change: Change) -> Outcome {
        let room = self.drawn_at(site)?;
        let version = lock(&room.workup).change(change, self.by()).map_err(not_done)?.version();
        room.analyse();
        room.send_plan();
        Ok(json!({"ok": true, "version": version}))
    }

    /// Screws for a vertebra, from three clicks or from the vertebra as it is known.
    pub(super) fn suggest(
        &self,
        site: &str,
        version: u64,
        level: Level,
        clicks: Option<Clicks>,
    ) -> Outcome {
        let room = self.drawn_at(site)?;
        let mut workup = lock(&room.workup);
        let newest = workup.plan().map(Plan::version);
        if newest != Some(version) {
            let (base, version) = (version, newest.unwrap_or_default());
            let stale = PlanRefusal::Stale { base, version };
            return Err(not_done(stale.into()));
        }
        if let Some(clicks) = clicks {
            let volume = workup.volume().cloned().ok_or_else(|| not_done(NotDone::NoSeries))?;
            let found = from_landmarks(&volume, level, &clicks.landmarks())
                .map_err(|why| not_done(NotDone::Clicks(why.to_string())))?;
            let vertebra = found.vertebra;
            let better = Clicks::of(&Landmarks {
                anterior: vertebra.anterior,
                left_isthmus: vertebra.left_pedicle.isthmus,
                right_isthmus: vertebra.right_pedicle.isthmus,
            });
            workup.point_at(level, better, found.bone).map_err(not_done)?;
        }
        let (Some(vertebra), Some(bone)) =
            (workup.anatomy().get(level).copied(), workup.bone(level).cloned())
        else {
            return Err(not_done(NotDone::Clicks(format!(
                "nobody has pointed at {level}; click its anterior wall and both pedicles"
            ))));
        };
        let mut notes = Vec::new();
        for side in [telehand_ortho::Side::Left, telehand_ortho::Side::Right] {
            let library = &telehand_ortho::plan::Library::STANDARD;
            match propose(&vertebra, side, bone.as_ref(), library) {
                Ok(proposal) => {
                    let base = workup.plan().map_or(0, Plan::version);
                    let screw = ScrewForm::from(&proposal.screw);
                    workup.change(Change::Set { base, screw }, self.by()).map_err(not_done)?;
                    notes.push(format!("{}: {:?}", proposal.screw.id, proposal.note));
                }
                Err(why) => notes.push(format!("{}: {why}", ScrewId { level, side })),
            }
        }
        drop(workup);
        room.analyse();
        room.send_plan();
        Ok(json!({"ok": true, "notes": notes}))
    }

    /// The surgeon's signature under the plan as it is: on disk here, then on its way.
    pub(super) fn approve(&self, site: &str, said: &str) -> Outcome {
        self.drawn_at(site)?;
        let room = self.confirmed(site)?;
        let mut workup = lock(&room.workup);
        let plan = workup.plan().ok_or_else(|| not_done(NotDone::NoSeries))?;
        let hash = plan.hash();
        if said != hash.to_string() {
            let signed = telehand_ortho::PlanHash::from_hex(said).unwrap_or(hash);
            let other = PlanRefusal::OtherHash { signed, plan: hash };
            return Err(not_done(other.into()));
        }
        let bytes = self.office.signer.sign(&statement(Role::Remote, &self.expert.name, &hash));
        let name = self.expert.name.clone();
        let at_ms = calendar::now_ms();
        let signature = Signature { role: Role::Remote, name, at_ms, hash, bytes };
        workup.sign(signature, self.office.keys()).map_err(not_done)?;
        drop(workup);
        room.send_plan();
        done()
    }
}
