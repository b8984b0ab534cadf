//! The camera of the theatre: arm, sleeve, patient on the table, plate, tracked bodies, and the
//! light of the tracker (green while it sees the reference, red otherwise).
//!
//! What never moves is drawn once; a picture then takes the few solids that do. The same room
//! gives the same bytes.

mod paint;

pub use paint::Picture;

use super::phantom::TORSO;
use super::theatre::Room;
use super::tracker::Body;
use paint::{Canvas, Colour, Eye, Solid, V3};
use telehand_vocab::{Pose, Vec3};

const FLOOR: Colour = [0.60, 0.64, 0.66];
const TABLE: Colour = [0.30, 0.34, 0.38];
const DRAPE: Colour = [0.16, 0.45, 0.47];
const SKIN: Colour = [0.85, 0.66, 0.55];
const COLUMN: Colour = [0.78, 0.79, 0.80];
const LINK: Colour = [0.82, 0.84, 0.87];
const JOINT: Colour = [0.35, 0.55, 0.78];
const STEEL: Colour = [0.62, 0.65, 0.68];
const PLATE: Colour = [0.93, 0.91, 0.80];
const BALL: Colour = [0.94, 0.94, 0.94];
const DARK: Colour = [0.13, 0.14, 0.16];
const GREEN: Colour = [0.10, 0.95, 0.25];
const RED: Colour = [0.98, 0.12, 0.10];

/// A camera on the wall.
#[derive(Debug, Clone)]
pub struct RoomCamera {
    empty: Canvas,
    eye: Eye,
}

impl RoomCamera {
    /// A camera with pictures of `width` x `height` pixels, looking at the room as it is now:
    /// what stands still is drawn here.
    pub fn new(width: usize, height: usize, room: &Room) -> Self {
        let eye = Eye::new([1.90, -1.10, 1.75], [-0.35, 0.10, 1.28], 0.80, [width, height]);
        let mut empty = Canvas::new(&eye);
        for (solid, colour) in still(room) {
            empty.draw(&eye, &solid, colour);
        }
        Self { empty, eye }
    }

    /// The room now.
    pub fn picture(&self, room: &Room) -> Picture {
        let mut canvas = self.empty.clone();
        for (solid, colour) in moving(room) {
            canvas.draw(&self.eye, &solid, colour);
        }
        canvas.picture(&self.eye)
    }
}

fn v3(v: Vec3) -> V3 {
    v.to_array().map(|x| x as f32)
}

fn slab(centre: V3, half: V3) -> Solid {
    Solid::Block { axes: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], centre, half }
}

/// Floor, table, patient, column, camera of the tracker.
fn still(room: &Room) -> Vec<(Solid, Colour)> {
    let patient = v3(room.patient.translation);
    let [half_wide, half_thick] = TORSO.map(|t| t as f32);
    let back = patient[2] + room.skin_back as f32;
    let [base, ..] = room.arm.map(v3);
    let tracker = v3(room.tracker.translation);
    let torso = [0.05, 0.0, back - half_thick];
    let head = Solid::Ball { centre: [0.62, 0.0, back - 0.11], radii: [0.12, 0.085, 0.09] };
    let mut all = vec![
        (slab([0.0, 0.0, -0.01], [4.0, 4.0, 0.01]), FLOOR),
        (slab([0.0, 0.0, 0.77], [0.95, 0.27, 0.03]), TABLE),
        (slab([0.0, 0.0, 0.37], [0.16, 0.12, 0.37]), COLUMN),
        (Solid::Ball { centre: torso, radii: [0.48, half_wide, half_thick] }, SKIN),
        (head, SKIN),
        // drapes leave the back open
        (slab([-0.52, 0.0, back - 0.12], [0.36, 0.24, 0.10]), DRAPE),
        (slab([0.42, 0.0, back - 0.12], [0.12, 0.24, 0.10]), DRAPE),
        (slab([base[0], base[1], 0.5 * base[2]], [0.14, 0.14, 0.5 * base[2]]), COLUMN),
    ];
    let foot = [tracker[0], tracker[1], 0.0];
    all.push((Solid::Rod { a: foot, b: tracker, radius: 0.02 }, DARK));
    let across = v3(room.tracker.rotation.rotate(Vec3::new(0.25, 0.0, 0.0)));
    let end = |sign: f32| {
        let [x, y, z] = tracker;
        [x + sign * across[0], y + sign * across[1], z + sign * across[2]]
    };
    all.push((Solid::Rod { a: end(-1.0), b: end(1.0), radius: 0.05 }, COLUMN));
    all
}

/// Arm, sleeve, wire, plate, tracked bodies, screws, light.
fn moving(room: &Room) -> Vec<(Solid, Colour)> {
    let mut all = Vec::with_capacity(48);
    let points = room.arm.map(v3);
    for (pair, radius) in points.windows(2).zip([0.075, 0.062, 0.052, 0.045]) {
        let [a, b] = pair else { continue };
        all.push((Solid::Rod { a: *a, b: *b, radius }, LINK));
        all.push((Solid::Ball { centre: *b, radii: [radius * 1.18; 3] }, JOINT));
    }
    sleeve(room, &mut all);
    if let Some(plate) = &room.plate {
        all.push((block(plate, [0.049, 0.029, 0.0065]), PLATE));
        markers(plate, Body::Plate, &mut all);
    }
    all.push((block(&room.reference, [0.006, 0.006, 0.045]), DARK));
    markers(&room.reference, Body::Reference, &mut all);
    markers(&room.surveillance, Body::Surveillance, &mut all);
    for [out, entry] in &room.screws {
        all.push((Solid::Rod { a: v3(*out), b: v3(*entry), radius: 0.003 }, STEEL));
    }
    let lamp = v3(room.tracker.point(Vec3::new(0.0, 0.0, 0.055)));
    all.push((Solid::Ball { centre: lamp, radii: [0.035; 3] }, if room.lit { GREEN } else { RED }));
    all
}

/// The sleeve from its rear end to its mouth, its holder to the flange, and the wire.
fn sleeve(room: &Room, all: &mut Vec<(Solid, Colour)>) {
    let at = |z: f64| v3(room.guide.point(Vec3::new(0.0, 0.0, z)));
    all.push((Solid::Rod { a: at(-0.13), b: at(0.0), radius: 0.009 }, STEEL));
    let [.., flange] = room.arm.map(v3);
    all.push((Solid::Rod { a: flange, b: at(-0.06), radius: 0.018 }, DARK));
    markers(&room.guide, Body::Guide, all);
    if let Some(tip) = room.wire {
        all.push((Solid::Rod { a: at(-0.20), b: v3(tip), radius: 0.002 }, DARK));
        all.push((Solid::Rod { a: at(-0.32), b: at(-0.20), radius: 0.024 }, JOINT));
    }
}

fn markers<A, B>(pose: &Pose<A, B>, body: Body, all: &mut Vec<(Solid, Colour)>) {
    for marker in body.markers() {
        all.push((Solid::Ball { centre: v3(pose.point(marker)), radii: [0.008; 3] }, BALL));
    }
}

fn block<A, B>(pose: &Pose<A, B>, half: V3) -> Solid {
    let axis = |x, y, z| v3(pose.rotation.rotate(Vec3::new(x, y, z)));
    let axes = [axis(1.0, 0.0, 0.0), axis(0.0, 1.0, 0.0), axis(0.0, 0.0, 1.0)];
    Solid::Block { axes, centre: v3(pose.translation), half }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spine::robot::Command;
    use crate::spine::theatre::{Setup, Theatre};
    use telehand_vocab::Span;

    #[test]
    fn the_picture_shows_a_moving_arm_and_the_light_of_the_tracker() {
        let mut theatre = Theatre::new(&Setup::demo(4));
        theatre.step(Span::from_millis(100));
        let camera = RoomCamera::new(320, 240, &theatre.room());
        let before = camera.picture(&theatre.room());
        assert_eq!((before.width, before.height, before.rgb.len()), (320, 240, 320 * 240 * 3));
        assert_eq!(before, camera.picture(&theatre.room()), "one room, one picture");
        let green = |p: &Picture| {
            p.rgb.chunks_exact(3).filter(|c| c[1] > 150 && c[0] < 90 && c[2] < 110).count()
        };
        let red = |p: &Picture| {
            p.rgb.chunks_exact(3).filter(|c| c[0] > 150 && c[1] < 70 && c[2] < 70).count()
        };
        assert!(green(&before) > 4 && red(&before) == 0, "{} {}", green(&before), red(&before));
        theatre.occlude(Body::Reference, Span::from_millis(2_000));
        let joints = theatre.joints().map(|q| q + 0.3);
        theatre.command(&Command::Joints(joints)).unwrap();
        theatre.step(Span::from_millis(1_500));
        let after = camera.picture(&theatre.room());
        assert!(red(&after) > 4 && green(&after) == 0);
        let changed = before.rgb.iter().zip(&after.rgb).filter(|(a, b)| a != b).count();
        assert!(changed > 3_000, "{changed} bytes of the picture changed");
    }

    #[test]
    fn the_back_the_plate_and_the_sleeve_are_in_the_picture() {
        let mut theatre = Theatre::new(&Setup::demo(4));
        theatre.step(Span::from_millis(50));
        let room = theatre.room();
        let camera = RoomCamera::new(320, 240, &room);
        let with = camera.picture(&room);
        let without = |change: &dyn Fn(&mut Room)| {
            let mut other = room.clone();
            change(&mut other);
            let picture = camera.picture(&other);
            with.rgb
                .chunks_exact(3)
                .zip(picture.rgb.chunks_exact(3))
                .filter(|(a, b)| a != b)
                .count()
        };
        let plate = without(&|room| room.plate = None);
        assert!(plate > 40, "{plate} pixels of the plate");
        let sleeve = without(&|room| {
            room.guide = Pose::new(room.guide.rotation, Vec3::new(0.0, 0.0, -9.0));
        });
        assert!(sleeve > 60, "{sleeve} pixels of the sleeve");
        let reference = without(&|room| {
            room.reference = Pose::new(room.reference.rotation, Vec3::new(0.0, 0.0, -9.0));
        });
        assert!(reference > 10, "{reference} pixels of the reference");
    }
}
