//! Which label of a mask is which vertebra.

use crate::screw::Level;

/// The vertebra of a label in the numbering of the `VerSe` data sets (A. Sekuboyina et al., "`VerSe`:
/// A vertebrae labelling and segmentation benchmark", Medical Image Analysis 73 (2021): 1 to 7 are
/// C1 to C7, 8 to 19 T1 to T12, 20 to 24 L1 to L5, 25 L6, 26 the sacrum, 28 T13). `None` for what
/// takes no screw here: the neck, the sacrum, supernumerary vertebrae.
pub fn level_of(label: u16) -> Option<Level> {
    let n = usize::from(label.checked_sub(8)?);
    Level::ALL.get(n).copied().filter(|level| *level != Level::S1)
}

/// The label of a vertebra in the same numbering; `None` for the sacrum.
pub fn label_of(level: Level) -> Option<u16> {
    (level != Level::S1).then(|| level as u16 + 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_those_of_verse() {
        let named = [(8, Level::T1), (19, Level::T12), (20, Level::L1), (24, Level::L5)];
        for (label, level) in named {
            assert_eq!(level_of(label), Some(level));
            assert_eq!(label_of(level), Some(label));
        }
        for label in [0, 1, 7, 25, 26, 27, 28, u16::MAX] {
            assert_eq!(level_of(label), None, "{label}");
        }
    }
}
