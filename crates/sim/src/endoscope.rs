//! The invented endoscope: draws a [`Scene`] on the CPU, the same bits on every machine.
//!
//! A stereo pair side by side, left eye first. The lens, known to anybody who looks through it, is
//! [`Optics`]. Method: a visibility buffer in bands of 16 rows, lit eight pixels at a time, edges
//! softened (see [`SoftRenderer`]).
//!
//! ```
//! use telehand_sim::endoscope::SoftRenderer;
//! use telehand_sim::scene::Scene;
//! let mut endoscope = SoftRenderer::new(64, 48, true);
//! let rgba = endoscope.render_rgba(&Scene::example());
//! assert_eq!(rgba.len(), 2 * 64 * 48 * 4);
//! ```

#[cfg(feature = "gpu")]
mod gpu;
mod material;
mod mesh;
mod picture;
mod raster;
mod shade;
mod stage;
mod texture;

#[cfg(feature = "gpu")]
pub use gpu::{GpuRenderer, NoGpu};
pub use material::{CAP_COLOUR, OBJECT_COLOURS};

use telehand_video::i420::I420;
use telehand_vocab::space::Vec3;

use crate::scene::Scene;

use material::{MATERIALS, Material};
use picture::Raw;
use raster::{BAND, Band, Geometry, View};
use shade::Light;
use stage::Stage;
use texture::Texture;

/// The one texture tile there is.
const TEXTURE_SEED: u32 = 0x7E1E;
/// Distance between the two eyes, metres.
pub const BASELINE_M: f64 = 0.0045;
/// Angle of view from the top to the bottom of the picture, radians (62 degrees).
pub const VIEW_RAD: f64 = 62.0 * core::f64::consts::PI / 180.0;
/// Height of the coloured cap of a target peg, metres from its top.
pub const CAP_M: f64 = stage::CAP_MM as f64 * 1e-3;

/// The lens of one eye: a pinhole without distortion, the same for both eyes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Optics {
    /// Picture width per eye, pixels.
    pub width: usize,
    /// Picture height, pixels.
    pub height: usize,
    /// Focal length, pixels.
    pub focal: f64,
    /// Distance of the eyes, metres; 0 when there is only one.
    pub baseline_m: f64,
}

impl Optics {
    /// The lens for a picture size.
    #[must_use]
    pub fn new(width: usize, height: usize, stereo: bool) -> Self {
        let focal = height as f64 * 0.5 / libm::tan(VIEW_RAD * 0.5);
        Self { width, height, focal, baseline_m: if stereo { BASELINE_M } else { 0.0 } }
    }

    /// Where eye 0 (left) or 1 (right) sits along camera x, metres.
    #[must_use]
    pub fn eye_x(&self, eye: usize) -> f64 {
        (eye as f64 - 0.5) * self.baseline_m
    }

    /// The pixel of a point in the camera frame (metres), counted from the picture's top left
    /// corner; pixel centres lie at .5. `None` for a point less than a millimetre before the lens.
    #[must_use]
    pub fn pixel(&self, eye: usize, p: Vec3) -> Option<[f64; 2]> {
        (p.z > 1e-3).then(|| {
            let k = self.focal / p.z;
            let (cx, cy) = (self.width as f64 * 0.5, self.height as f64 * 0.5);
            [cx + k * (p.x - self.eye_x(eye)), cy + k * p.y]
        })
    }

    /// The direction through a pixel in the camera frame, with z = 1.
    #[must_use]
    pub fn ray(&self, [x, y]: [f64; 2]) -> Vec3 {
        let (cx, cy) = (self.width as f64 * 0.5, self.height as f64 * 0.5);
        Vec3::new((x - cx) / self.focal, (y - cy) / self.focal, 1.0)
    }
}

/// A picture of another size than the renderer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "endoscope: the picture is {width}x{height}, the renderer draws {wanted_width}x{wanted_height}; \
     nothing was drawn; make the picture with `SoftRenderer::picture`"
)]
pub struct WrongSize {
    /// The picture's width in pixels.
    pub width: usize,
    /// The picture's height in pixels.
    pub height: usize,
    /// The renderer's whole width in pixels, both eyes.
    pub wanted_width: usize,
    /// The renderer's height in pixels.
    pub wanted_height: usize,
}

/// Draws scenes: keeps its meshes and buffers between pictures and allocates nothing per picture
/// once warm.
#[derive(Debug, Clone)]
pub struct SoftRenderer {
    optics: Optics,
    eyes: usize,
    threads: usize,
    texture: Texture,
    palette: [Material; MATERIALS],
    stage: Option<Stage>,
    geometry: Geometry,
    view: View,
    bands: Vec<Band>,
    colours: Vec<u32>,
    keys: Vec<u8>,
    rgba: Vec<u8>,
}

impl SoftRenderer {
    /// For pictures of `width` x `height` pixels per eye (rounded up to even), one eye or two.
    #[must_use]
    pub fn new(width: usize, height: usize, stereo: bool) -> Self {
        let (width, height) = (width.max(2).next_multiple_of(2), height.max(2).next_multiple_of(2));
        let eyes = if stereo { 2 } else { 1 };
        Self {
            optics: Optics::new(width, height, stereo),
            eyes,
            threads: 1,
            texture: Texture::new(TEXTURE_SEED),
            palette: material::palette(),
            stage: None,
            geometry: Geometry::default(),
            view: View::default(),
            bands: vec![Band::default()],
            colours: vec![0; width * height],
            keys: vec![0; width * height],
            rgba: vec![0; width * height * eyes * 4],
        }
    }

    /// Draws with this many threads (at least one). The picture does not depend on it.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self.bands.resize_with(self.threads, Band::default);
        self
    }

    /// The lens it draws with.
    #[must_use]
    pub fn optics(&self) -> &Optics {
        &self.optics
    }

    /// Width and height of the whole picture, both eyes side by side.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        [self.optics.width * self.eyes, self.optics.height]
    }

    /// A black picture of the right size for [`SoftRenderer::render`].
    #[must_use]
    pub fn picture(&self) -> I420 {
        let [width, height] = self.size();
        I420::new(width, height)
    }

    /// Draws the scene into a picture made by [`SoftRenderer::picture`].
    pub fn render(&mut self, scene: &Scene, out: &mut I420) -> Result<(), WrongSize> {
        let [wanted_width, wanted_height] = self.size();
        let (width, height) = (out.width, out.height);
        let wrong = WrongSize { width, height, wanted_width, wanted_height };
        if [width, height] != self.size() {
            return Err(wrong);
        }
        self.draw(scene);
        if out.set_rgba(&self.rgba) { Ok(()) } else { Err(wrong) }
    }

    /// Draws the scene as RGBA rows, 4 bytes a pixel, both eyes side by side.
    pub fn render_rgba(&mut self, scene: &Scene) -> &[u8] {
        self.draw(scene);
        &self.rgba
    }

    fn draw(&mut self, scene: &Scene) {
        let fits = self.stage.as_ref().is_some_and(|s| s.fits(&scene.board));
        if !fits {
            self.stage = Some(Stage::new(&scene.board));
        }
        let Some(stage) = &mut self.stage else { return };
        stage.set(scene);
        self.geometry.gather(stage);
        let camera = scene.endoscope.world_from_camera.rotation.inverse();
        let axis =
            |x: f64, y: f64| camera.rotate(Vec3::new(x, y, 0.0)).to_array().map(|c| c as f32);
        let grain = [axis(1.0, 0.0), axis(0.0, 1.0)];
        for eye in 0..self.eyes {
            self.draw_eye(eye, grain);
        }
    }

    fn draw_eye(&mut self, eye: usize, grain: [[f32; 3]; 2]) {
        let Optics { width, height, focal, .. } = self.optics;
        let shift = (self.optics.eye_x(eye) * 1e3) as f32;
        let size = [width, height];
        self.view.project(&self.geometry, size, focal as f32, shift);
        let light = Light {
            texels: self.texture.texels(),
            palette: &self.palette,
            grain,
            size,
            focal: focal as f32,
            shift,
        };
        let view = &self.view;
        let rows = width * BAND;
        let jobs = self.colours.chunks_mut(rows).zip(self.keys.chunks_mut(rows)).enumerate();
        let fill = |jobs: &mut dyn Iterator<Item = Job<'_>>, band: &mut Band| {
            for (number, (colours, keys)) in jobs {
                view.fill(number, band);
                light.band(view, number, band, colours, keys);
            }
        };
        if let [band] = self.bands.as_mut_slice() {
            fill(&mut jobs.take(view.bands()), band);
        } else {
            let mut shares: Vec<Vec<Job<'_>>> = self.bands.iter().map(|_| Vec::new()).collect();
            let threads = shares.len();
            for job in jobs {
                if let Some(share) = shares.get_mut(job.0 % threads) {
                    share.push(job);
                }
            }
            std::thread::scope(|scope| {
                for (share, band) in shares.into_iter().zip(&mut self.bands) {
                    let fill = &fill;
                    scope.spawn(move || fill(&mut share.into_iter(), band));
                }
            });
        }
        let raw = Raw { colours: &self.colours, keys: &self.keys, width, height };
        let whole = width * self.eyes * 4;
        for (y, row) in self.rgba.chunks_exact_mut(whole).enumerate() {
            let part = eye * width * 4..(eye + 1) * width * 4;
            raw.soften_row(y, row.get_mut(part).unwrap_or_default());
        }
    }
}

/// One band's number, its pixels and their bodies.
type Job<'a> = (usize, (&'a mut [u32], &'a mut [u8]));

#[cfg(test)]
mod tests {
    use super::*;

    /// FNV-1a, 64 bits.
    fn fingerprint(bytes: &[u8]) -> u64 {
        bytes
            .iter()
            .fold(0xCBF2_9CE4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01B3))
    }

    /// When the picture is changed on purpose, look at it (`examples/still.rs`) and put the new
    /// number here.
    #[test]
    fn s_012_the_picture_is_the_same_to_the_bit() {
        let mut endoscope = SoftRenderer::new(160, 120, true);
        let hash = fingerprint(endoscope.render_rgba(&Scene::example()));
        assert_eq!(hash, GOLDEN, "{hash:#018X}");
    }
    const GOLDEN: u64 = 0xA5AC_64AC_84A9_720C;

    #[test]
    fn s_012_threads_and_history_do_not_change_the_picture() {
        let scene = Scene::example();
        let first = SoftRenderer::new(100, 74, true).render_rgba(&scene).to_vec();
        let mut other = SoftRenderer::new(100, 74, true).with_threads(3);
        let mut moved = scene;
        moved.instruments[0].world_from_tip.translation.x += 0.01;
        assert_ne!(other.render_rgba(&moved), first);
        assert_eq!(other.render_rgba(&scene), first);
    }

    #[test]
    fn s_013_the_lens_and_the_picture_agree() {
        // a cap's middle, projected by the lens, is cyan in both eyes
        let scene = Scene::example();
        let mut endoscope = SoftRenderer::new(640, 480, true);
        let optics = *endoscope.optics();
        let rgba = endoscope.render_rgba(&scene).to_vec();
        let camera = scene.endoscope.world_from_camera.inverse();
        let mut seen = 0;
        for peg in scene.board.pegs.iter().filter(|peg| peg.target) {
            let middle = Vec3::new(peg.x_m, peg.y_m, scene.board.peg_height_m - 0.5 * CAP_M);
            for eye in 0..2 {
                let [x, y] = optics.pixel(eye, camera.point(middle)).unwrap();
                let at = (y as usize * 1280 + eye * 640 + x as usize) * 4;
                let [r, g, b] = [rgba[at], rgba[at + 1], rgba[at + 2]].map(i32::from);
                seen += i32::from(b > r + 60 && g > r + 60);
            }
        }
        assert!(seen >= 8, "{seen} of 12 caps");
    }

    #[test]
    fn s_014_another_size_is_refused() {
        let mut endoscope = SoftRenderer::new(64, 48, false);
        let mut other = I420::new(64, 50);
        let error = endoscope.render(&Scene::example(), &mut other).unwrap_err();
        assert!(error.to_string().contains("64x50"), "{error}");
        let mut right = endoscope.picture();
        endoscope.render(&Scene::example(), &mut right).unwrap();
        assert!(right.y.iter().any(|y| *y > 60));
    }
}
