//! Synthetic endoscope-like pictures, seeded.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use telehand_video::I420;

/// Splitmix64: small, seeded, good enough for tests (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    pub fn chance(&mut self, p: f64) -> bool {
        (self.roll() >> 11) as f64 * 2.0_f64.powi(-53) < p
    }
}

/// A textured, slowly panning ground with a moving bright tool and sensor noise (sigma about 2 of
/// 255, the sum of three uniform values).
pub struct Scene {
    pub width: usize,
    pub height: usize,
    texture: Vec<u8>,
    dice: Dice,
}

const TEXTURE: usize = 256;

impl Scene {
    pub fn new(width: usize, height: usize, seed: u64) -> Self {
        let mut dice = Dice(seed);
        let mut texture = vec![0_f64; TEXTURE * TEXTURE];
        for (cells, weight) in [(8_usize, 46.0), (16, 26.0), (32, 14.0), (64, 8.0), (128, 4.0)] {
            let grid: Vec<f64> =
                (0..cells * cells).map(|_| dice.below(1000) as f64 / 1000.0).collect();
            let step = TEXTURE / cells;
            for (at, value) in texture.iter_mut().enumerate() {
                let (x, y) = (at % TEXTURE, at / TEXTURE);
                let (fx, fy) = ((x % step) as f64 / step as f64, (y % step) as f64 / step as f64);
                let node = |i: usize, j: usize| grid[(j % cells) * cells + i % cells];
                let (i, j) = (x / step, y / step);
                let top = node(i, j) * (1.0 - fx) + node(i + 1, j) * fx;
                let low = node(i, j + 1) * (1.0 - fx) + node(i + 1, j + 1) * fx;
                *value += weight * (top * (1.0 - fy) + low * fy);
            }
        }
        let texture = texture.iter().map(|value| (60.0 + value).min(230.0) as u8).collect();
        Self { width, height, texture, dice }
    }

    pub fn picture(&mut self, frame: u32) -> I420 {
        let mut picture = I420::new(self.width, self.height);
        let t = f64::from(frame) / 30.0;
        let (pan_x, pan_y) = ((20.0 * (0.5 * t).sin() + 40.0) as usize, (12.0 * t) as usize);
        let (tip_x, tip_y) = (
            self.width as f64 * (0.5 + 0.25 * (1.3 * t).sin()),
            self.height as f64 * (0.5 + 0.2 * (0.9 * t).cos()),
        );
        let radius = self.height as f64 * 0.09;
        for y in 0..self.height {
            let row = (y + pan_y) % TEXTURE * TEXTURE;
            let mut noise = self.dice.roll();
            for x in 0..self.width {
                if x % 8 == 0 {
                    noise = self.dice.roll();
                }
                let ground = i32::from(self.texture[row + (x + pan_x) % TEXTURE]);
                let (dx, dy) = (x as f64 - tip_x, y as f64 - tip_y);
                let on_tool = dx * dx + dy * dy < radius * radius;
                let luma = if on_tool { 190 - (dx.abs() * 0.7) as i32 } else { ground };
                let byte = (noise >> (x % 8 * 8) & 0xFF) as i32;
                let grain = (byte & 3) + (byte >> 2 & 3) + (byte >> 4 & 3) - 4;
                picture.y[y * self.width + x] = (luma + grain).clamp(16, 235) as u8;
            }
        }
        for y in 0..self.height / 2 {
            for x in 0..self.width / 2 {
                let at = y * self.width / 2 + x;
                let ground =
                    self.texture[(2 * y + pan_y) % TEXTURE * TEXTURE + (2 * x + pan_x) % TEXTURE];
                picture.u[at] = 108 + ground / 16;
                picture.v[at] = 150 + ground / 16;
            }
        }
        picture
    }
}

/// Pictures of one size, rendered once and shared by all tests of a process.
pub struct Film(Vec<I420>);

/// Pictures in a film; it is played forwards and backwards.
const LENGTH: u32 = 90;

impl Film {
    pub fn of(width: usize, height: usize) -> Arc<Self> {
        type Films = BTreeMap<(usize, usize), Arc<Film>>;
        static FILMS: LazyLock<Mutex<Films>> = LazyLock::new(Mutex::default);
        let mut films = FILMS.lock().unwrap_or_else(PoisonError::into_inner);
        let film = films.entry((width, height)).or_insert_with(|| {
            let mut scene = Scene::new(width, height, 3);
            Arc::new(Self((0..LENGTH).map(|frame| scene.picture(frame)).collect()))
        });
        Arc::clone(film)
    }

    pub fn picture(&self, frame: u32) -> &I420 {
        let at = frame % (2 * LENGTH);
        &self.0[at.min(2 * LENGTH - 1 - at) as usize]
    }
}
