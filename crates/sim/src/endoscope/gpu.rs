//! The same picture from a GPU, through Vulkan.
//!
//! Stage, light and lens are those of [`super::SoftRenderer`]; triangles are found and lit by
//! `gpu.wgsl`, edges are softened by four samples a pixel. The pictures of both agree to the eye
//! (a structural similarity of at least 0.95, `s_015`), not to the bit: only the software renderer
//! draws the same bits on every machine.

use super::material::{MATERIALS, Material, palette};
use super::raster::Geometry;
use super::stage::Stage;
use super::texture::{SIDE, Texture};
use super::{Optics, WrongSize};
use crate::scene::Scene;
use telehand_video::i420::I420;
use telehand_vocab::space::Vec3;

mod machine;

use machine::Machine;

/// Why there is no GPU renderer on this machine.
#[derive(Debug, thiserror::Error)]
pub enum NoGpu {
    /// No Vulkan device answers.
    #[error(
        "endoscope: no Vulkan device ({0}); nothing was drawn; install a driver (Debian: \
         mesa-vulkan-drivers) or draw with the software renderer"
    )]
    NoDevice(String),
    /// The device does not do what is needed.
    #[error(
        "endoscope: the device {device} refuses ({reason}); nothing was drawn; draw with the \
         software renderer"
    )]
    Refused {
        /// Its name.
        device: String,
        /// What it says.
        reason: String,
    },
    /// The device was lost while drawing.
    #[error("endoscope: the device was lost ({0}); this picture was not drawn")]
    Lost(String),
    /// A picture of another size.
    #[error(transparent)]
    WrongSize(#[from] WrongSize),
}

/// Floats of one corner: place 3, normal 3, texture 2, openness 1, material 1 (as bits).
const CORNER_FLOATS: usize = 10;
/// Floats of what one eye is told: size 2, focal, shift, grain 2 x 4, surfaces 16 x 12.
const EYE_FLOATS: usize = 4 + 8 + MATERIALS * 12;

/// Draws scenes on a GPU; keeps its meshes and buffers between pictures.
#[derive(Debug)]
pub struct GpuRenderer {
    optics: Optics,
    eyes: usize,
    palette: [Material; MATERIALS],
    stage: Option<Stage>,
    geometry: Geometry,
    corners: Vec<f32>,
    triangles: Vec<u32>,
    machine: Machine,
    rgba: Vec<u8>,
}

impl GpuRenderer {
    /// For pictures of `width` x `height` pixels per eye (rounded up to even), one eye or two.
    pub fn new(width: usize, height: usize, stereo: bool) -> Result<Self, NoGpu> {
        let (width, height) = (width.max(2).next_multiple_of(2), height.max(2).next_multiple_of(2));
        let eyes = if stereo { 2 } else { 1 };
        let texture = Texture::new(super::TEXTURE_SEED);
        Ok(Self {
            optics: Optics::new(width, height, stereo),
            eyes,
            palette: palette(),
            stage: None,
            geometry: Geometry::default(),
            corners: Vec::new(),
            triangles: Vec::new(),
            machine: Machine::open([width, height], eyes, texture.texels(), SIDE)?,
            rgba: vec![0; width * height * eyes * 4],
        })
    }

    /// The device that draws, and its kind.
    #[must_use]
    pub fn device(&self) -> &str {
        self.machine.name()
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

    /// Draws the scene into a picture of [`GpuRenderer::size`].
    pub fn render(&mut self, scene: &Scene, out: &mut I420) -> Result<(), NoGpu> {
        let [wanted_width, wanted_height] = self.size();
        let (width, height) = (out.width, out.height);
        let wrong = WrongSize { width, height, wanted_width, wanted_height };
        if [width, height] != self.size() {
            return Err(wrong.into());
        }
        self.render_rgba(scene)?;
        if out.set_rgba(&self.rgba) { Ok(()) } else { Err(wrong.into()) }
    }

    /// Draws the scene as RGBA rows, 4 bytes a pixel, both eyes side by side.
    pub fn render_rgba(&mut self, scene: &Scene) -> Result<&[u8], NoGpu> {
        if !self.stage.as_ref().is_some_and(|stage| stage.fits(&scene.board)) {
            self.stage = Some(Stage::new(&scene.board));
        }
        if let Some(stage) = &mut self.stage {
            stage.set(scene);
            self.geometry.gather(stage);
        }
        self.pack();
        let views: Vec<Vec<f32>> = (0..self.eyes).map(|eye| self.told(eye, scene)).collect();
        self.machine.draw(&self.corners, &self.triangles, &views, &mut self.rgba)?;
        Ok(&self.rgba)
    }

    /// The geometry as the device takes it.
    fn pack(&mut self) {
        self.corners.clear();
        self.triangles.clear();
        for (at, carried, material) in self.geometry.corners() {
            let [nx, ny, nz, u, v, open, ..] = carried;
            let material = f32::from_bits(u32::from(material));
            self.corners.extend([at[0], at[1], at[2], nx, ny, nz, u, v, open, material]);
        }
        self.triangles.extend(self.geometry.triangles().flatten());
    }

    /// What the shader is told for one eye, in the order of its struct `Eye`.
    fn told(&self, eye: usize, scene: &Scene) -> Vec<f32> {
        let camera = scene.endoscope.world_from_camera.rotation.inverse();
        let axis = |x: f64, y: f64| {
            let [a, b, c] = camera.rotate(Vec3::new(x, y, 0.0)).to_array().map(|v| v as f32);
            [a, b, c, 0.0]
        };
        let Optics { width, height, focal, .. } = self.optics;
        let shift = self.optics.eye_x(eye) * 1e3;
        let mut told = Vec::with_capacity(EYE_FLOATS);
        told.extend([width as f32, height as f32, focal as f32, shift as f32]);
        told.extend(axis(1.0, 0.0));
        told.extend(axis(0.0, 1.0));
        for m in &self.palette {
            told.extend(m.first);
            told.push(m.contrast);
            told.extend(m.second);
            told.push(m.bump);
            told.extend([m.sheen, m.gloss, m.bleed, 0.0]);
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endoscope::SoftRenderer;

    /// Mean structural similarity of the brightness over windows of 8 x 8 pixels (Wang et al.,
    /// 2004), 1 for equal pictures.
    fn similarity(a: &[u8], b: &[u8], width: usize) -> f64 {
        let luma = |rgba: &[u8]| -> Vec<f64> {
            let weigh = |p: &[u8]| {
                0.299 * f64::from(p[0]) + 0.587 * f64::from(p[1]) + 0.114 * f64::from(p[2])
            };
            rgba.chunks_exact(4).map(weigh).collect()
        };
        let (a, b) = (luma(a), luma(b));
        let height = a.len() / width;
        let (mut sum, mut windows) = (0.0, 0.0);
        for top in (0..height - 7).step_by(4) {
            for left in (0..width - 7).step_by(4) {
                let places = (0..64).map(|k| (top + k / 8) * width + left + k % 8);
                let pairs: Vec<(f64, f64)> = places.map(|k| (a[k], b[k])).collect();
                let mean = |f: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>() / 64.0;
                let (ma, mb) = (mean(&|p| p.0), mean(&|p| p.1));
                let (va, vb) = (mean(&|p| (p.0 - ma).powi(2)), mean(&|p| (p.1 - mb).powi(2)));
                let both = mean(&|p| (p.0 - ma) * (p.1 - mb));
                let (c1, c2) = (6.5025, 58.5225);
                sum += (2.0 * ma * mb + c1) * (2.0 * both + c2)
                    / ((ma * ma + mb * mb + c1) * (va + vb + c2));
                windows += 1.0;
            }
        }
        sum / windows
    }

    #[test]
    fn s_015_the_gpu_draws_what_the_software_draws() {
        let scene = Scene::example();
        for (width, height, stereo) in [(320, 240, true), (322, 180, false)] {
            let mut gpu = GpuRenderer::new(width, height, stereo).unwrap();
            let [wide, _] = gpu.size();
            let drawn = gpu.render_rgba(&scene).unwrap().to_vec();
            let mut soft = SoftRenderer::new(width, height, stereo);
            let same = similarity(&drawn, soft.render_rgba(&scene), wide);
            println!("{}: similarity {same:.4}", gpu.device());
            assert!(same >= 0.95, "{}: similarity {same}", gpu.device());
            // the measure sees a tool that stands 2 mm elsewhere
            let mut moved = scene;
            moved.instruments[0].world_from_tip.translation.x += 0.002;
            moved.instruments[0].wrist.x += 0.002;
            assert!(similarity(&drawn, soft.render_rgba(&moved), wide) < same - 0.002);
        }
    }

    #[test]
    fn s_014_another_size_is_refused() {
        let mut gpu = GpuRenderer::new(64, 48, false).unwrap();
        let error = gpu.render(&Scene::example(), &mut I420::new(64, 50)).unwrap_err();
        assert!(error.to_string().contains("64x50"), "{error}");
    }
}
