//! What is found about a plan: margins, warnings, predicted errors.

use super::state::ScrewState;
use super::view;
use super::workup::Workup;
use crate::site::wire::Findings;
use std::collections::BTreeMap;
use telehand_ortho::grade::Grade;
use telehand_ortho::plan::{
    Implants, Margin, Plan, ScrewForm, Surroundings, Warning, check, margin, required_margin,
};
use telehand_ortho::register::Tre;
use telehand_ortho::{PlanHash, Screw, ScrewId};

/// What is found about one version of a plan.
#[derive(Debug, Clone, Default)]
pub struct Analysis {
    /// Which version.
    pub hash: Option<PlanHash>,
    /// Its screws as the page shows them, from head to foot.
    pub screws: BTreeMap<ScrewId, ScrewState>,
    findings: Findings,
}

impl Analysis {
    /// Looks at the newest plan of `workup`. `tre` predicts errors, once there is a registration.
    pub fn of(workup: &Workup, tre: Option<&Tre>) -> Self {
        let Some(plan) = workup.plan() else { return Self::default() };
        let warnings = check(plan, &Implants::STANDARD, &surroundings(workup));
        let margins: BTreeMap<ScrewId, Result<Margin, String>> =
            plan.screws().values().map(|screw| (screw.id, margin_of(workup, screw))).collect();
        let screws = plan
            .screws()
            .values()
            .map(|screw| {
                let warnings = warnings.get(&screw.id).map_or(&[][..], Vec::as_slice);
                (screw.id, shown(screw, margins.get(&screw.id), warnings, tre))
            })
            .collect();
        let findings = findings(plan, workup, &margins, &warnings);
        Self { hash: Some(plan.hash()), screws, findings }
    }

    /// One screw of `plan`, which need not be the newest one.
    pub fn of_screw(workup: &Workup, plan: &Plan, id: ScrewId, tre: Option<&Tre>) -> ScrewState {
        let Some(screw) = plan.screws().get(&id) else { return ScrewState::default() };
        let around = surroundings(workup);
        let warnings = check(plan, &Implants::STANDARD, &around);
        let warnings = warnings.get(&id).map_or(&[][..], Vec::as_slice);
        shown(screw, Some(&margin_of(workup, screw)), warnings, tre)
    }

    /// What the site's gates need.
    pub const fn findings(&self) -> Findings {
        self.findings
    }
}

fn surroundings(workup: &Workup) -> Surroundings<'_> {
    Surroundings {
        anatomy: Some(workup.anatomy()),
        bones: workup.bones().iter().map(|(level, field)| (*level, field.as_ref() as _)).collect(),
        reach: None,
    }
}

fn margin_of(workup: &Workup, screw: &Screw) -> Result<Margin, String> {
    let level = screw.id.level;
    let (Some(vertebra), Some(bone)) = (workup.anatomy().get(level), workup.bone(level)) else {
        return Err(format!("{level} was not pointed at: no margin is known"));
    };
    margin(screw, vertebra, bone.as_ref()).map_err(|why| why.to_string())
}

fn shown(
    screw: &Screw,
    margin: Option<&Result<Margin, String>>,
    warnings: &[Warning],
    tre: Option<&Tre>,
) -> ScrewState {
    let form = ScrewForm::from(screw);
    let known = margin.and_then(|margin| margin.as_ref().ok());
    let mut words: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    if let Some(Err(why)) = margin {
        words.push(why.clone());
    }
    if let Some(known) = known.filter(|known| known.metres < required_margin(screw.id.level)) {
        words.push(format!(
            "{:.1} mm of bone are left, {:.1} mm are asked for",
            known.metres * 1e3,
            required_margin(screw.id.level) * 1e3
        ));
    }
    let middle = (screw.entry + screw.tip) * 0.5;
    ScrewState {
        id: screw.id.to_string(),
        level: screw.id.level.to_string(),
        side: view::side(screw.id.side).into(),
        entry_mm: form.entry_mm,
        tip_mm: form.tip_mm,
        diameter_mm: form.diameter_mm,
        length_mm: screw.length() * 1e3,
        margin_mm: known.map(|known| known.metres * 1e3),
        uncertainty_mm: known.map(|known| known.uncertainty * 1e3),
        grade: known
            .map(|known| format!("{:?}", Grade::of((-known.metres).max(0.0), known.uncertainty))),
        tre_mm: tre.map(|tre| tre.at(middle) * 1e3),
        state: "planned".into(),
        warnings: words,
    }
}

fn findings(
    plan: &Plan,
    workup: &Workup,
    margins: &BTreeMap<ScrewId, Result<Margin, String>>,
    warnings: &BTreeMap<ScrewId, Vec<Warning>>,
) -> Findings {
    let spare = |(id, margin): (&ScrewId, &Result<Margin, String>)| {
        margin
            .as_ref()
            .map_or(f64::NEG_INFINITY, |margin| (margin.metres - required_margin(id.level)) * 1e3)
    };
    let least = margins.iter().map(spare).reduce(f64::min);
    let all = || warnings.values().flatten();
    let collision = |warning: &&Warning| {
        matches!(
            warning,
            Warning::ScrewScrew { .. }
                | Warning::HeadScrew { .. }
                | Warning::HeadHead { .. }
                | Warning::HeadRod { .. }
        )
    };
    // A tip that is nearer than 1 mm to the far cortex, or through it, is too long.
    let long = margins
        .values()
        .filter_map(|margin| margin.as_ref().ok()?.tip_to_cortex)
        .filter(|left| *left < 0.001);
    let unlabelled =
        plan.screws().keys().filter(|id| workup.anatomy().get(id.level).is_none()).count();
    let mislabelled = all().filter(|w| matches!(w, Warning::Mislabelled(_))).count();
    Findings {
        spare_margin_mm: least.filter(|least| least.is_finite()),
        wrong_lengths: long.count() as u32,
        collisions: all().filter(collision).count() as u32,
        unlabelled: (unlabelled + mislabelled) as u32,
    }
}
