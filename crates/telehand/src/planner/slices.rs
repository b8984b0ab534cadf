//! Cuts through a series as grey PNG pictures for the page.

use crate::http::{Denied, Document, Query};
use anyhow::{Context as _, Result};
use serde_json::json;
use std::str::FromStr;
use telehand_ortho::reslice::{Plane, Through, View, Window, reslice, window};
use telehand_ortho::{Screw, Volume};
use telehand_vocab::Vec3;

/// Largest picture, pixels a side.
const SIDE_MAX: usize = 2048;
/// The header that says where the picture lies.
const PLANE_HEADER: &str = "x-telehand-plane";

/// Makes the picture that `query` asks for. `screw` is the one that it names, if the plan has it.
///
/// Keys: `plane` (axial, coronal, sagittal, `along_a`, `along_b`, across), `x_mm y_mm z_mm` (a
/// point of the cut), `width height` (pixels), `pixel_mm`, `centre_hu width_hu`, and for `across`
/// `depth_mm` from the entry.
pub fn document(volume: &Volume, screw: Option<&Screw>, query: &Query) -> Result<Document, Denied> {
    let plane = plane(volume, screw, query)?;
    let centre = number(query, "centre_hu", f64::from(Window::BONE.centre))?;
    let width = number(query, "width_hu", f64::from(Window::BONE.width))?;
    let levels = Window { centre: centre as f32, width: width as f32 };
    let grey = window(&reslice(volume, &plane), levels);
    let bytes = png(plane.width, plane.height, &grey)
        .map_err(|error| Denied::Bad(format!("the picture was not made: {error:#}")))?;
    let place = json!({
        "origin_mm": plane.origin.to_array().map(|v| v * 1e3),
        "right": plane.right.to_array(),
        "down": plane.down.to_array(),
        "pixel_mm": plane.pixel * 1e3,
    });
    Ok(Document { kind: "image/png", header: Some((PLANE_HEADER, place.to_string())), bytes })
}

fn plane(volume: &Volume, screw: Option<&Screw>, query: &Query) -> Result<Plane, Denied> {
    let middle = volume.grid.centre() * 1e3;
    let x = number(query, "x_mm", middle.x)?;
    let y = number(query, "y_mm", middle.y)?;
    let z = number(query, "z_mm", middle.z)?;
    let centre = Vec3::new(x, y, z) * 1e-3;
    let side = |key| -> Result<usize, Denied> {
        let pixels = number(query, key, 512.0)?;
        if (1.0..=SIDE_MAX as f64).contains(&pixels) {
            return Ok(pixels as usize);
        }
        Err(Denied::Bad(format!("{key} is {pixels}; a picture has 1 to {SIDE_MAX} pixels a side")))
    };
    let pixel = number(query, "pixel_mm", 0.5)?;
    if !(0.01..=10.0).contains(&pixel) {
        return Err(Denied::Bad(format!("pixel_mm is {pixel}; it may be 0.01 to 10")));
    }
    let view = View { width: side("width")?, height: side("height")?, pixel: pixel * 1e-3 };
    let depth = number(query, "depth_mm", 0.0)? * 1e-3;
    let along = |cut: fn(&Screw, View) -> Option<Plane>| {
        screw.and_then(|screw| cut(screw, view)).ok_or_else(|| {
            Denied::Bad("this cut follows a screw; name one of the plan with screw=L3L".into())
        })
    };
    match query.get("plane").map_or("axial", String::as_str) {
        "axial" => Ok(Plane::through(Through::Axial, centre, view)),
        "coronal" => Ok(Plane::through(Through::Coronal, centre, view)),
        "sagittal" => Ok(Plane::through(Through::Sagittal, centre, view)),
        "along_a" => along(Plane::along_screw_a),
        "along_b" => along(Plane::along_screw_b),
        "across" => {
            let cut = screw.and_then(|screw| Plane::across_screw(screw, depth, view));
            cut.map_or_else(|| along(|_, _| None), Ok)
        }
        other => Err(Denied::Bad(format!(
            "there is no plane {other:?}; there are axial, coronal, sagittal, along_a, along_b \
             and across"
        ))),
    }
}

/// A finite number of the query, or what stands for it.
fn number(query: &Query, key: &str, otherwise: f64) -> Result<f64, Denied> {
    let Some(text) = query.get(key) else { return Ok(otherwise) };
    f64::from_str(text)
        .ok()
        .filter(|value| value.is_finite())
        .ok_or_else(|| Denied::Bad(format!("{key} is {text:?}, which is no number")))
}

/// A grey picture, compressed for speed rather than size.
pub fn png(width: usize, height: usize, grey: &[u8]) -> Result<Vec<u8>> {
    write_png(width, height, png::ColorType::Grayscale, grey)
}

/// A picture of three bytes (red, green, blue) a pixel.
pub fn png_rgb(width: usize, height: usize, rgb: &[u8]) -> Result<Vec<u8>> {
    write_png(width, height, png::ColorType::Rgb, rgb)
}

fn write_png(width: usize, height: usize, colour: png::ColorType, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len() / 2 + 64);
    let (width, height) = (u32::try_from(width)?, u32::try_from(height)?);
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(colour);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().context("no picture of this size")?;
    writer.write_image_data(bytes)?;
    writer.finish()?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use telehand_ortho::{Grid, SeriesUid};

    fn volume() -> Volume {
        let axes = [Vec3::new(1.0, 0.0, 0.0), Vec3::new(0.0, 1.0, 0.0), Vec3::new(0.0, 0.0, 1.0)];
        let grid = Grid { size: [8, 8, 8], origin: Vec3::ZERO, axes, spacing: [1e-3; 3] };
        let hu = (0..512).map(|i| if i % 8 < 4 { -1000 } else { 1000 }).collect();
        Volume { series: SeriesUid::new("1.2.3").unwrap(), grid, hu }
    }

    fn query(text: &[(&str, &str)]) -> Query {
        text.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn a_slice_is_a_png_that_says_where_it_lies() {
        let size = [("width", "8"), ("height", "8"), ("pixel_mm", "1"), ("width_hu", "1000")];
        let asked = query(&size);
        let made = document(&volume(), None, &asked).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(made.bytes)).read_info().unwrap();
        let mut grey = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut grey).unwrap();
        assert_eq!((info.width, info.height), (8, 8));
        assert_eq!((grey[0], grey[7]), (0, 255));
        let (name, place) = made.header.unwrap();
        let place: serde_json::Value = serde_json::from_str(&place).unwrap();
        assert_eq!(name, PLANE_HEADER);
        assert_eq!(place["origin_mm"][0], 0.0);
    }

    #[test]
    fn a_senseless_question_is_answered_in_words() {
        for (asked, word) in [
            (query(&[("width", "0")]), "1 to 2048"),
            (query(&[("width", "1e9")]), "1 to 2048"),
            (query(&[("x_mm", "NaN")]), "no number"),
            (query(&[("pixel_mm", "0")]), "0.01 to 10"),
            (query(&[("plane", "oblique")]), "axial"),
            (query(&[("plane", "across")]), "screw"),
        ] {
            match document(&volume(), None, &asked) {
                Err(Denied::Bad(why)) => assert!(why.contains(word), "{why}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
