//! What surfaces are made of, and the colours of the field.

/// The colours of the objects by [`crate::scene::Object::colour`], linear light.
///
/// Saturated, each at least 35 degrees of hue from the next and from the peg caps, so that a
/// computer finds them in a compressed picture as surely as a surgeon does.
pub const OBJECT_COLOURS: [[f32; 3]; 6] = [
    [0.85, 0.20, 0.010],
    [0.015, 0.19, 0.92],
    [0.82, 0.62, 0.010],
    [0.78, 0.02, 0.36],
    [0.010, 0.42, 0.16],
    [0.28, 0.06, 0.78],
];

/// The colour of the caps of the target pegs, linear light.
pub const CAP_COLOUR: [f32; 3] = [0.02, 0.62, 0.72];

/// How a surface takes light. Sixteen numbers, so that eight pixels gather it quickly.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Material {
    /// First colour, linear light.
    pub first: [f32; 3],
    /// Second colour, mixed in by the texture.
    pub second: [f32; 3],
    /// How much the brightness of the texture shows, 0..1.
    pub contrast: f32,
    /// How much the bumps of the texture show.
    pub bump: f32,
    /// Strength of the broad sheen.
    pub sheen: f32,
    /// Strength of the small highlight.
    pub gloss: f32,
    /// How red the surface turns where light grazes it: tissue scatters red furthest.
    pub bleed: f32,
}

/// The number of materials.
pub const MATERIALS: usize = 16;

/// Names for places in [`palette`].
pub mod id {
    pub const TISSUE: u8 = 0;
    pub const BOARD: u8 = 1;
    pub const INLAY: u8 = 2;
    pub const PEG: u8 = 3;
    pub const CAP: u8 = 4;
    pub const SHAFT: u8 = 5;
    pub const STEEL: u8 = 6;
    pub const JAW: u8 = 7;
    /// The first of the object colours.
    pub const OBJECT: u8 = 8;
}

/// Every material by its number.
pub fn palette() -> [Material; MATERIALS] {
    let mut all = [Material::default(); MATERIALS];
    let plain = |first: [f32; 3], contrast: f32, bump: f32, sheen: f32, gloss: f32| Material {
        first,
        second: first,
        contrast,
        bump,
        sheen,
        gloss,
        bleed: 0.0,
    };
    let fixed = [
        Material {
            first: [0.52, 0.115, 0.085],
            second: [0.66, 0.33, 0.15],
            contrast: 1.0,
            bump: 0.62,
            sheen: 0.09,
            gloss: 0.7,
            bleed: 0.75,
        },
        plain([0.060, 0.066, 0.076], 0.35, 0.10, 0.035, 0.03),
        plain([0.20, 0.205, 0.21], 0.2, 0.0, 0.02, 0.0),
        plain([0.46, 0.45, 0.43], 0.12, 0.05, 0.08, 0.25),
        plain(CAP_COLOUR, 0.08, 0.04, 0.05, 0.18),
        plain([0.022, 0.023, 0.026], 0.3, 0.12, 0.07, 0.10),
        plain([0.17, 0.175, 0.19], 0.3, 0.10, 0.26, 0.60),
        plain([0.20, 0.205, 0.215], 0.35, 0.16, 0.28, 0.55),
    ];
    let objects = OBJECT_COLOURS.map(|colour| plain(colour, 0.10, 0.06, 0.05, 0.22));
    for (slot, material) in all.iter_mut().zip(fixed.into_iter().chain(objects)) {
        *slot = material;
    }
    all
}
