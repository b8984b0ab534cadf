//! Who draws the endoscope's pictures: the processor, or a GPU where this program was built for it.

use super::camera::CameraSettings;
use anyhow::Result;
use telehand_sim::endoscope::SoftRenderer;
use telehand_sim::scene::Scene;
use telehand_video::I420;

/// What draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Renderer {
    /// The processor: the same bits on every machine.
    Software,
    /// The fastest Vulkan device; needs a build with `--features gpu`.
    Gpu,
}

impl Renderer {
    /// The word on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Software => "software",
            Self::Gpu => "gpu",
        }
    }
}

/// A renderer that is ready.
#[derive(Debug)]
pub enum Painter {
    Software(Box<SoftRenderer>),
    #[cfg(feature = "gpu")]
    Gpu(Box<telehand_sim::endoscope::GpuRenderer>),
}

impl Painter {
    /// Opens what was asked for; a GPU that is not there is an error, no silent replacement.
    pub fn open(renderer: Renderer, settings: &CameraSettings) -> Result<Self> {
        let &CameraSettings { width, height, stereo, .. } = settings;
        match renderer {
            Renderer::Software => {
                Ok(Self::Software(Box::new(SoftRenderer::new(width, height, stereo))))
            }
            #[cfg(feature = "gpu")]
            Renderer::Gpu => {
                let gpu = telehand_sim::endoscope::GpuRenderer::new(width, height, stereo)?;
                eprintln!("telehand bedside: pictures are drawn by {}", gpu.device());
                Ok(Self::Gpu(Box::new(gpu)))
            }
            #[cfg(not(feature = "gpu"))]
            Renderer::Gpu => anyhow::bail!(
                "this program was built without the GPU renderer; build it with `--features gpu`, \
                 or leave --renderer at software"
            ),
        }
    }

    /// Draws the scene into a picture of the whole size.
    pub fn render(&mut self, scene: &Scene, out: &mut I420) -> Result<()> {
        match self {
            Self::Software(renderer) => Ok(renderer.render(scene, out)?),
            #[cfg(feature = "gpu")]
            Self::Gpu(renderer) => Ok(renderer.render(scene, out)?),
        }
    }
}
