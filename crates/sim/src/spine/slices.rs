//! A scan as the single slices a product receives, sound or with a defect it has to refuse.

use super::scanner::Scan;
use telehand_ortho::series::Slice;
use telehand_vocab::Vec3;

/// What may be wrong with a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Defect {
    /// Nothing; the slices come in reverse order, with numbers that do not follow their places.
    None,
    /// The gantry was tilted by so many radians about the row.
    GantryTilt(f64),
    /// This slice was lost.
    Missing(usize),
    /// This slice lies 0.4 of a spacing too high.
    Uneven(usize),
    /// This slice is there twice.
    Twice(usize),
}

/// The slices of a scan.
pub fn slices(scan: &Scan, defect: Defect) -> Vec<Slice> {
    let grid = &scan.volume.grid;
    let [columns, rows, count] = grid.size;
    let [row, mut column, normal] = grid.axes;
    let [across, down, step] = grid.spacing;
    let mut tilt = None;
    if let Defect::GantryTilt(angle) = defect {
        // the table still moves along the patient: the slices lean against their way
        column = column * libm::cos(angle) + normal * libm::sin(angle);
        tilt = Some(angle);
    }
    let mut all: Vec<Slice> = Vec::with_capacity(count + 1);
    for (k, hu) in scan.volume.hu.chunks_exact(rows * columns).enumerate() {
        if defect == Defect::Missing(k) {
            continue;
        }
        let up = if defect == Defect::Uneven(k) { 0.4 * step } else { 0.0 };
        let position: Vec3 = grid.point([0.0, 0.0, k as f64]) + normal * up;
        let slice = Slice {
            series: scan.volume.series.clone(),
            instance: format!("{}.{}", scan.study, k + 1),
            frame_of_reference: scan.frame_of_reference.clone(),
            position,
            row,
            column,
            pixel_spacing: [down, across],
            rows,
            columns,
            hu: hu.to_vec(),
            gantry_tilt_rad: tilt,
            patient_position: "FFP".to_owned(),
            thickness: Some(step),
            // numbered from the other end, as some scanners do
            number: Some((count - k) as i64),
        };
        if defect == Defect::Twice(k) {
            all.push(slice.clone());
        }
        all.push(slice);
    }
    all.reverse();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spine::scanner::Protocol;
    use crate::spine::theatre::{Setup, Theatre};
    use telehand_ortho::series::assemble;

    #[test]
    fn sound_slices_become_the_volume_again_and_defects_are_refused() {
        let setup = Setup { protocol: Protocol::COARSE, ..Setup::demo(2) };
        let scan = Theatre::new(&setup).scan();
        let back = assemble(slices(&scan, Defect::None)).unwrap().volume;
        assert_eq!(back.hu, scan.volume.hu);
        let middle = [10.0, 20.0, 30.0];
        let off = back.grid.point(middle) - scan.volume.grid.point(middle);
        assert!(off.norm() < 1e-9, "{off:?}");
        for defect in
            [Defect::GantryTilt(0.1), Defect::Missing(20), Defect::Uneven(20), Defect::Twice(20)]
        {
            assert!(assemble(slices(&scan, defect)).is_err(), "{defect:?}");
        }
    }
}
