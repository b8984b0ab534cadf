//! Moving a screw by hand: one rule, so that the page's preview and the server's plan agree.

use super::library::Library;
use crate::screw::Screw;
use serde::{Deserialize, Serialize};
use telehand_vocab::Vec3;

/// What of a screw is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Handle {
    /// The entry: the tip stays where it is.
    Head,
    /// The tip: the entry stays where it is.
    Tip,
    /// The whole screw, parallel.
    Axis,
}

/// The screw after its `handle` was moved by `shift` (metres, a vector in the plane of the view:
/// `right * dx + down * dy`). The other end stays exactly; the length snaps to the library, so the
/// held end comes to lie on the line to the pointer at the nearest size. `None` when the ends
/// would meet.
///
/// Compute every step of a drag from the screw as it was when the drag began.
pub fn drag(screw: &Screw, handle: Handle, shift: Vec3, library: &Library) -> Option<Screw> {
    let Screw { entry, tip, .. } = *screw;
    let (from, to) = match handle {
        Handle::Axis => return Some(Screw { entry: entry + shift, tip: tip + shift, ..*screw }),
        Handle::Head => (tip, entry + shift),
        Handle::Tip => (entry, tip + shift),
    };
    let length = library.length((to - from).norm());
    let end = from + (to - from).unit()? * length;
    Some(match handle {
        Handle::Head => Screw { entry: end, ..*screw },
        _ => Screw { tip: end, ..*screw },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screw() -> Screw {
        Screw {
            id: "L3L".parse().unwrap(),
            entry: Vec3::new(0.02, 0.03, 0.0),
            tip: Vec3::new(0.02, -0.015, 0.0),
            diameter: 0.0065,
        }
    }

    #[test]
    fn the_end_that_is_not_held_stays_and_the_length_is_one_of_the_library() {
        let shift = Vec3::new(0.004, -0.002, 0.003);
        let library = Library::STANDARD;
        let by_head = drag(&screw(), Handle::Head, shift, &library).unwrap();
        assert_eq!(by_head.tip, screw().tip);
        let by_tip = drag(&screw(), Handle::Tip, shift, &library).unwrap();
        assert_eq!(by_tip.entry, screw().entry);
        for dragged in [by_head, by_tip] {
            assert!(library.lengths().any(|l| (l - dragged.length()).abs() < 1e-12));
        }
        // on the line to the pointer
        let pointer = screw().tip + shift - by_tip.entry;
        assert!(pointer.cross(by_tip.tip - by_tip.entry).norm() < 1e-12);
    }

    #[test]
    fn by_its_axis_a_screw_stays_parallel() {
        let shift = Vec3::new(0.004, -0.002, 0.003);
        let dragged = drag(&screw(), Handle::Axis, shift, &Library::STANDARD).unwrap();
        assert!((dragged.length() - screw().length()).abs() < 1e-15);
        assert!((dragged.direction().unwrap() - screw().direction().unwrap()).norm() < 1e-12);
        assert!((dragged.entry - screw().entry - shift).norm() < 1e-15);
    }

    #[test]
    fn ends_cannot_meet() {
        let onto_the_tip = screw().tip - screw().entry;
        assert_eq!(drag(&screw(), Handle::Head, onto_the_tip, &Library::STANDARD), None);
    }
}
