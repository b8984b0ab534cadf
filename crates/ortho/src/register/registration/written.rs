//! A registration written down, so that it survives the program that made it: bit for bit, as its id
//! is the digest of its bits.

use super::{ReferenceId, Registration, Void};
use crate::ids::{RegistrationId, SeriesUid};
use crate::register::Pair;
use serde::{Deserialize, Serialize};
use telehand_vocab::Vec3;
use telehand_vocab::space::{Pose, Quat};

/// What is written down. Numbers stand as their bits: no reader rounds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    id: RegistrationId,
    series: SeriesUid,
    reference: ReferenceId,
    image_from_plate: [u64; 7],
    reference_from_plate: [u64; 7],
    /// Number on the plate, its place there, its place in the image.
    fiducials: Vec<(usize, [u64; 6])>,
    plate_balls: usize,
    fre: u64,
    fle: u64,
}

/// Why nothing was taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "what was written down is not registration {id}; nothing was taken up, no registration is in \
     force: scan and register again"
)]
pub struct NotAsWritten {
    /// Which it claims to be.
    pub id: RegistrationId,
}

impl Registration {
    /// To be written down; `None` of a void one, which nobody may take up again.
    pub fn written(&self) -> Option<Written> {
        let bits = |p: Vec3| p.to_array().map(f64::to_bits);
        let fiducial = |pair: &Pair| {
            let ([a, b, c], [d, e, f]) = (bits(pair.plate), bits(pair.image));
            (pair.ball, [a, b, c, d, e, f])
        };
        self.void.is_none().then(|| Written {
            id: self.id,
            series: self.series.clone(),
            reference: self.reference.clone(),
            image_from_plate: pose_bits(&self.image_from_plate),
            reference_from_plate: pose_bits(&self.reference_from_plate),
            fiducials: self.fiducials.iter().map(fiducial).collect(),
            plate_balls: self.plate_balls,
            fre: self.fre.to_bits(),
            fle: self.fle.to_bits(),
        })
    }

    /// The registration that was written down, with the id it had.
    ///
    /// # Errors
    /// When it is not what its id says: a number was changed.
    pub fn taken_up(written: &Written) -> Result<Self, NotAsWritten> {
        let no = NotAsWritten { id: written.id };
        let point = |[x, y, z]: [u64; 3]| {
            Vec3::new(f64::from_bits(x), f64::from_bits(y), f64::from_bits(z))
        };
        let pair = |(ball, [a, b, c, d, e, f]): &(usize, [u64; 6])| Pair {
            ball: *ball,
            plate: point([*a, *b, *c]),
            image: point([*d, *e, *f]),
        };
        let (fre, fle) = (f64::from_bits(written.fre), f64::from_bits(written.fle));
        let made = Self {
            id: written.id,
            series: written.series.clone(),
            reference: written.reference.clone(),
            image_from_plate: pose_of(written.image_from_plate).ok_or(no)?,
            reference_from_plate: pose_of(written.reference_from_plate).ok_or(no)?,
            fiducials: written.fiducials.iter().map(pair).collect(),
            plate_balls: written.plate_balls,
            fre,
            fle,
            void: None::<Void>,
        };
        let sound = RegistrationId::of(&made.canonical()) == made.id && fre >= 0.0 && fle > 0.0;
        if sound { Ok(made) } else { Err(no) }
    }
}

fn pose_bits<A, B>(pose: &Pose<A, B>) -> [u64; 7] {
    let ([w, x, y, z], [a, b, c]) = (pose.rotation.to_array(), pose.translation.to_array());
    [w, x, y, z, a, b, c].map(f64::to_bits)
}

fn pose_of<A, B>(bits: [u64; 7]) -> Option<Pose<A, B>> {
    let [w, x, y, z, a, b, c] = bits.map(f64::from_bits);
    let at = Vec3::new(a, b, c);
    Some(Pose::new(Quat::from_unit([w, x, y, z])?, at)).filter(|_| at.is_finite())
}
