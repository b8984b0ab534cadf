//! One patient as the planner knows him: series, vertebrae, plan and signatures, kept on disk.
//!
//! Every change is in the journal before it counts: who kills this process at any moment and
//! starts it again finds every acknowledged version.

pub use super::entry::{Change, Clicks, Entry, NotDone};

use super::journal::Journal;
use anyhow::Result;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use telehand_ortho::distance::Field;
use telehand_ortho::plan::{
    Anatomy, By, Chart, Edit, Plan, PlanRefusal, Signature, Verify, Vertebra,
};
use telehand_ortho::suggest::bone_of_volume;
use telehand_ortho::{Level, Volume};

/// One patient.
pub struct Workup {
    journal: Journal<Entry>,
    chart: Option<Chart>,
    anatomy: Anatomy,
    volume: Option<Arc<Volume>>,
    bones: BTreeMap<Level, Arc<Field>>,
}

/// Replay trusts the file: it was verified when it was written.
struct Trusting;

impl Verify for Trusting {
    fn verify(&self, _: telehand_ortho::plan::Role, _: &str, _: &[u8], _: &[u8]) -> bool {
        true
    }
}

impl Workup {
    /// Opens or begins the journal at `path` and repeats what it holds.
    ///
    /// # Errors
    /// When it cannot be read, or does not lead to the hashes that it names.
    pub fn open(path: &Path) -> Result<Self> {
        let (journal, entries) = Journal::open(path)?;
        let mut workup = Self {
            journal,
            chart: None,
            anatomy: Anatomy::default(),
            volume: None,
            bones: BTreeMap::new(),
        };
        for (index, entry) in entries.iter().enumerate() {
            let (chart, anatomy) = workup.after(entry, &Trusting).map_err(|why| {
                anyhow::anyhow!("entry {} of {}: {why}", index + 1, path.display())
            })?;
            let wanted = match entry {
                Entry::Plan { hash, .. } => Some(*hash),
                _ => None,
            };
            let found = chart.as_ref().map(|chart| chart.plan().hash());
            anyhow::ensure!(
                wanted.is_none() || wanted == found,
                "entry {} of {} leads to another plan than it names; nothing was changed",
                index + 1,
                path.display()
            );
            (workup.chart, workup.anatomy) = (chart, anatomy);
        }
        Ok(workup)
    }

    /// The plan's keeper, once there is a series.
    pub const fn chart(&self) -> Option<&Chart> {
        self.chart.as_ref()
    }

    /// The newest plan.
    pub fn plan(&self) -> Option<&Plan> {
        self.chart.as_ref().map(Chart::plan)
    }

    /// The vertebrae that somebody has pointed at.
    pub const fn anatomy(&self) -> &Anatomy {
        &self.anatomy
    }

    /// The volume of the planning series, when it was read.
    pub const fn volume(&self) -> Option<&Arc<Volume>> {
        self.volume.as_ref()
    }

    /// The bone of a vertebra, once it was looked for.
    pub fn bone(&self, level: Level) -> Option<&Arc<Field>> {
        self.bones.get(&level)
    }

    /// Every bone that is known.
    pub const fn bones(&self) -> &BTreeMap<Level, Arc<Field>> {
        &self.bones
    }

    /// A series arrived: it is planned on from now.
    pub fn take_series(&mut self, volume: Arc<Volume>, by: By) -> Result<(), NotDone> {
        let uid = volume.series.clone();
        let known = self.plan().map(|plan| plan.series().clone());
        if known.as_ref() != Some(&uid) {
            self.enter(&Entry::Series { uid, by }, &Trusting)?;
            self.bones.clear();
        }
        self.volume = Some(volume);
        Ok(())
    }

    /// Somebody pointed at a vertebra; `bone` is what was found around it.
    pub fn point_at(&mut self, level: Level, clicks: Clicks, bone: Field) -> Result<(), NotDone> {
        self.enter(&Entry::Landmarks { level, clicks }, &Trusting)?;
        self.bones.insert(level, Arc::new(bone));
        Ok(())
    }

    /// Looks for the bones that the journal names and memory lacks: after a restart.
    pub fn find_bones(&mut self) {
        let Some(volume) = self.volume.clone() else { return };
        for vertebra in self.anatomy.iter() {
            if !self.bones.contains_key(&vertebra.level)
                && let Ok(bone) = bone_of_volume(&volume, vertebra)
            {
                self.bones.insert(vertebra.level, Arc::new(bone));
            }
        }
    }

    /// Changes the plan.
    pub fn change(&mut self, what: Change, by: By) -> Result<&Plan, NotDone> {
        let mut after = self.chart.clone().ok_or(NotDone::NoSeries)?;
        apply(&mut after, &what, &by, &self.anatomy)?;
        let hash = after.plan().hash();
        self.journal.append(&Entry::Plan { what, by, hash }).map_err(NotDone::Disk)?;
        Ok(self.chart.insert(after).plan())
    }

    /// The plan that a change would lead to. Nothing is changed.
    pub fn tried(&self, what: &Change, by: &By) -> Result<Plan, NotDone> {
        let mut after = self.chart.clone().ok_or(NotDone::NoSeries)?;
        apply(&mut after, what, by, &self.anatomy)?;
        Ok(after.plan().clone())
    }

    /// Takes a signature that `keys` know.
    pub fn sign(&mut self, signature: Signature, keys: &impl Verify) -> Result<(), NotDone> {
        self.enter(&Entry::Signed { signature }, keys)
    }

    /// On disk first, then in memory.
    fn enter(&mut self, entry: &Entry, keys: &impl Verify) -> Result<(), NotDone> {
        let (chart, anatomy) = self.after(entry, keys)?;
        self.journal.append(entry).map_err(NotDone::Disk)?;
        (self.chart, self.anatomy) = (chart, anatomy);
        Ok(())
    }

    /// What `entry` would lead to.
    fn after(
        &self,
        entry: &Entry,
        keys: &impl Verify,
    ) -> Result<(Option<Chart>, Anatomy), NotDone> {
        let (mut chart, mut anatomy) = (self.chart.clone(), self.anatomy.clone());
        match entry {
            Entry::Series { uid, by } => {
                match &mut chart {
                    Some(chart) => {
                        chart.rescan(uid.clone(), by);
                    }
                    None => chart = Some(Chart::new(uid.clone(), by.clone())),
                }
                anatomy = Anatomy::default();
            }
            Entry::Landmarks { level, clicks } => {
                let vertebra = vertebra(*level, clicks)?;
                anatomy.insert(vertebra).map_err(|why| NotDone::Clicks(why.to_string()))?;
            }
            Entry::Plan { what, by, .. } => {
                let chart = chart.as_mut().ok_or(NotDone::NoSeries)?;
                apply(chart, what, by, &anatomy)?;
            }
            Entry::Signed { signature } => {
                chart.as_mut().ok_or(NotDone::NoSeries)?.sign(signature.clone(), keys)?;
            }
        }
        Ok((chart, anatomy))
    }
}

fn apply(chart: &mut Chart, what: &Change, by: &By, anatomy: &Anatomy) -> Result<(), PlanRefusal> {
    match what {
        Change::Set { base, screw } => {
            let id = screw.id;
            let screw = screw.screw().ok_or(PlanRefusal::Impossible { id })?;
            chart.edit(*base, Edit::Set(screw), by, anatomy)?;
        }
        Change::Remove { base, id } => {
            chart.edit(*base, Edit::Remove(*id), by, anatomy)?;
        }
        Change::Undo { base } => {
            chart.undo(*base, by)?;
        }
        Change::Register { id } => {
            chart.register(*id, by);
        }
        Change::Unregister => {
            chart.unregister(by);
        }
    }
    Ok(())
}

fn vertebra(level: Level, clicks: &Clicks) -> Result<Vertebra, NotDone> {
    Vertebra::from_landmarks(level, &clicks.landmarks())
        .map_err(|why| NotDone::Clicks(why.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use telehand_ortho::plan::{Role, ScrewForm, statement};
    use telehand_ortho::{Grid, RegistrationId, SeriesUid};
    use telehand_vocab::Vec3;

    fn by() -> By {
        By { name: "surgeon".into(), at_ms: 7 }
    }

    fn place(name: &str) -> std::path::PathBuf {
        let folder =
            std::env::temp_dir().join(format!("telehand-workup-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder.join("plan.jsonl")
    }

    fn volume(uid: &str) -> Arc<Volume> {
        let axes = [Vec3::new(1.0, 0.0, 0.0), Vec3::new(0.0, 1.0, 0.0), Vec3::new(0.0, 0.0, 1.0)];
        let grid = Grid { size: [4, 4, 4], origin: Vec3::ZERO, axes, spacing: [1e-3; 3] };
        Arc::new(Volume { series: SeriesUid::new(uid).unwrap(), grid, hu: vec![0; 64] })
    }

    fn screw(id: &str, x_mm: f64) -> ScrewForm {
        ScrewForm {
            id: id.parse().unwrap(),
            entry_mm: [x_mm, 30.0, 0.0],
            tip_mm: [x_mm / 2.0, -12.0, 0.0],
            diameter_mm: 6.5,
        }
    }

    #[test]
    fn what_was_acknowledged_is_there_after_a_kill_at_any_byte() {
        let path = place("kill");
        let mut hashes = Vec::new();
        let mut ends = Vec::new();
        let length = || std::fs::metadata(&path).unwrap().len() as usize;
        {
            let mut workup = Workup::open(&path).unwrap();
            workup.take_series(volume("1.2"), by()).unwrap();
            for (base, (id, x)) in [("L3L", 20.0), ("L3R", -20.0), ("L3L", 21.0)].iter().enumerate()
            {
                let set = Change::Set { base: base as u64, screw: screw(id, *x) };
                hashes.push(workup.change(set, by()).unwrap().hash());
                ends.push(length());
            }
            let registered = Change::Register { id: RegistrationId::of(b"r") };
            hashes.push(workup.change(registered, by()).unwrap().hash());
            ends.push(length());
        }
        let whole = std::fs::read(&path).unwrap();
        for cut in ends[0]..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let workup = Workup::open(&path).unwrap();
            let kept = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(workup.plan().unwrap().hash(), hashes[kept - 1], "cut at {cut}");
            assert_eq!(workup.chart().unwrap().history().len(), kept + 1);
        }
    }

    #[test]
    fn signatures_survive_and_fall_with_the_next_edit() {
        let path = place("signed");
        let hash = {
            let mut workup = Workup::open(&path).unwrap();
            workup.take_series(volume("1.2"), by()).unwrap();
            workup.change(Change::Set { base: 0, screw: screw("L3L", 20.0) }, by()).unwrap();
            let id = RegistrationId::of(b"r");
            let hash = workup.change(Change::Register { id }, by()).unwrap().hash();
            for (role, name) in [(Role::Remote, "surgeon"), (Role::Local, "site")] {
                let bytes = statement(role, name, &hash);
                let signature = Signature { role, name: name.into(), at_ms: 1, hash, bytes };
                workup.sign(signature, &Trusting).unwrap();
            }
            hash
        };
        let mut workup = Workup::open(&path).unwrap();
        assert_eq!(workup.chart().unwrap().approved().unwrap().hash, hash);
        workup.change(Change::Set { base: 2, screw: screw("L3R", -20.0) }, by()).unwrap();
        assert!(Workup::open(&path).unwrap().chart().unwrap().approved().is_err());
    }

    #[test]
    fn a_bent_journal_is_not_believed() {
        let path = place("bent");
        {
            let mut workup = Workup::open(&path).unwrap();
            workup.take_series(volume("1.2"), by()).unwrap();
            workup.change(Change::Set { base: 0, screw: screw("L3L", 20.0) }, by()).unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("\"entry_mm\":[20.0", "\"entry_mm\":[20.1")).unwrap();
        let Err(error) = Workup::open(&path) else { panic!("it was believed") };
        assert!(error.to_string().contains("another plan"), "{error}");
    }

    #[test]
    fn without_a_series_there_is_no_plan() {
        let mut workup = Workup::open(&place("none")).unwrap();
        let set = Change::Set { base: 0, screw: screw("L3L", 20.0) };
        assert!(matches!(workup.change(set, by()), Err(NotDone::NoSeries)));
    }
}
