//! Two graders, one verdict.

use super::breach::{Breach, Grade, NoGrade};
use super::field_wall::breach_by_field;
use super::mesh_wall::breach_by_mesh;
use crate::plan::{Distance, Vertebra};
use crate::screw::Screw;
use crate::surface::Mesh;

/// Two graders agree when their breaches differ by no more than this, metres.
pub const AGREE_M: f64 = 0.3e-3;

/// What both graders say about one screw. A flagged one is looked at by a person (O-017).
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// By the distance field.
    pub first: Result<Breach, NoGrade>,
    /// By the mesh.
    pub second: Result<Breach, NoGrade>,
    /// Whether they differ by more than 0.3 mm, or either gives no grade.
    pub flagged: bool,
}

impl Verdict {
    /// From what two graders said.
    pub fn of(first: Result<Breach, NoGrade>, second: Result<Breach, NoGrade>) -> Self {
        let agree = match (&first, &second) {
            // Written so that a number that is none does not agree.
            (Ok(a), Ok(b)) => (a.metres - b.metres).abs() <= AGREE_M,
            _ => false,
        };
        Self { first, second, flagged: !agree }
    }

    /// The worse of both grades; `None` when neither gives one.
    pub fn grade(&self) -> Option<Grade> {
        let grades = [&self.first, &self.second].map(|b| b.as_ref().ok().map(Breach::grade));
        grades.into_iter().flatten().max()
    }
}

/// Grades a screw twice: by the distance field and by the mesh.
pub fn judge(
    screw: &Screw,
    vertebra: &Vertebra,
    bone: &(impl Distance + ?Sized),
    mesh: &Mesh,
) -> Verdict {
    Verdict::of(
        breach_by_field(screw, vertebra, bone),
        breach_by_mesh(screw, vertebra, mesh, bone.uncertainty()),
    )
}
