//! Curves over time, as SVG that prints.

use super::text::escape;
use std::fmt::Write as _;

/// Points of one curve at most.
pub const POINTS_MAX: usize = 2_000;
/// Letters of a name in the legend; there is room for no more.
const NAME_MAX: usize = 28;
/// Colours that colour-blind people tell apart (Okabe and Ito, Color Universal Design, 2008).
pub const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9"];
/// Width of every plot in its own units.
pub const WIDTH: f64 = 960.0;
/// Where the axis of time begins.
pub const LEFT: f64 = 64.0;
/// Where it ends.
pub const RIGHT: f64 = 948.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 262.0;

/// One curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// What people call it; any text.
    pub name: String,
    /// A colour of CSS.
    pub colour: &'static str,
    /// x in seconds, rising, and y.
    pub points: Vec<(f64, f64)>,
    /// Silence longer than this breaks the curve, seconds.
    pub gap_s: f64,
}

/// A plot of some curves over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot<'a> {
    /// What it shows, for those who do not see it.
    pub title: &'a str,
    /// The unit of y, with its quantity.
    pub y_label: &'a str,
    /// The axis of time ends here, seconds.
    pub length_s: f64,
    /// The curves, drawn in this order.
    pub curves: Vec<Curve>,
}

impl Plot<'_> {
    /// The plot, with a legend.
    pub fn svg(&self) -> String {
        let curves: Vec<Curve> = self.curves.iter().filter_map(Curve::thin).collect();
        if curves.is_empty() {
            return "<p class=\"none\">Nothing was measured.</p>\n".to_owned();
        }
        let all = || curves.iter().flat_map(|curve| &curve.points);
        let x = Axis::new(
            all().map(|p| p.0).fold(0.0, f64::min),
            all().map(|p| p.0).fold(self.length_s, f64::max),
            (LEFT, RIGHT),
        );
        let top = all().map(|p| p.1).fold(0.0, f64::max);
        let low = all().map(|p| p.1).fold(0.0, f64::min);
        let y = Axis::new(low, if top > low { top } else { low + 1.0 }, (BOTTOM, TOP));

        let rows = curves.len().div_ceil(4);
        let height = BOTTOM + 48.0 + 20.0 * rows as f64;
        let mut out = open(height, self.title);
        out += &time_axis(&x, TOP, BOTTOM);
        for (value, label) in y.ticks(5) {
            let at = y.place(value);
            let _ = write!(
                out,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                LEFT - 6.0,
                at + 4.0
            );
        }
        let middle = f64::midpoint(TOP, BOTTOM);
        let _ = write!(
            out,
            "<text transform=\"translate(14 {middle:.1}) rotate(-90)\" text-anchor=\"middle\">{}\
             </text>",
            escape(self.y_label)
        );
        for curve in &curves {
            let gap = curve.gap_s.max(4.0 * x.span() / (POINTS_MAX as f64 / 2.0));
            let _ = write!(
                out,
                "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.3\" \
                 stroke-linecap=\"round\" stroke-linejoin=\"round\"/>",
                curve.path(&x, &y, gap),
                curve.colour
            );
        }
        out + &legend(&curves, BOTTOM + 52.0) + "</svg>\n"
    }
}

impl Curve {
    /// At most [`POINTS_MAX`] points: of every stretch the smallest and the largest value.
    fn thin(&self) -> Option<Self> {
        let finite = |p: &&(f64, f64)| p.0.is_finite() && p.1.is_finite();
        let points: Vec<(f64, f64)> = self.points.iter().filter(finite).copied().collect();
        let first = points.first()?.0;
        let span = points.last()?.0 - first;
        if points.len() <= POINTS_MAX || span <= 0.0 {
            let points = points.into_iter().take(POINTS_MAX).collect();
            return Some(Self { points, ..self.clone() });
        }
        let stretches = POINTS_MAX / 2;
        let stretch =
            |x: f64| (((x - first) / span * stretches as f64) as usize).min(stretches - 1);
        let mut thin = Vec::with_capacity(POINTS_MAX);
        for run in points.chunk_by(|a, b| stretch(a.0) == stretch(b.0)) {
            let least = run.iter().min_by(|a, b| a.1.total_cmp(&b.1)).copied();
            let most = run.iter().max_by(|a, b| a.1.total_cmp(&b.1)).copied();
            if let (Some(least), Some(most)) = (least, most) {
                let (before, after) = if least.0 <= most.0 { (least, most) } else { (most, least) };
                thin.push(before);
                if before != after {
                    thin.push(after);
                }
            }
        }
        // Times that do not rise could make more stretches than there are.
        thin.truncate(POINTS_MAX);
        Some(Self { points: thin, ..self.clone() })
    }

    fn path(&self, x: &Axis, y: &Axis, gap: f64) -> String {
        let mut out = String::new();
        let mut last = f64::NEG_INFINITY;
        for (at, value) in &self.points {
            let pen = if at - last > gap { 'M' } else { 'L' };
            let (px, py) = (x.place(*at), y.place(*value));
            let _ = write!(out, "{pen}{px:.1} {py:.1}");
            if pen == 'M' {
                // A lone point is a dot.
                let _ = write!(out, "L{px:.1} {py:.1}");
            }
            last = *at;
        }
        out
    }
}

/// A range of numbers on a stretch of the plot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    /// `low` is drawn at the first of `places`, `high` at the second.
    pub fn new(low: f64, high: f64, places: (f64, f64)) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self { low, high, from: places.0, to: places.1 }
    }

    /// Where a value is drawn.
    pub fn place(&self, value: f64) -> f64 {
        self.from + (value - self.low) / self.span() * (self.to - self.from)
    }

    /// From the smallest to the largest value.
    pub fn span(&self) -> f64 {
        self.high - self.low
    }

    /// Round values inside, about `count`, with their labels.
    pub fn ticks(&self, count: u32) -> Vec<(f64, String)> {
        let rough = self.span() / f64::from(count.max(1));
        let power = 10_f64.powi(rough.log10().floor() as i32);
        let step = power
            * match rough / power {
                r if r < 1.5 => 1.0,
                r if r < 3.5 => 2.0,
                r if r < 7.5 => 5.0,
                _ => 10.0,
            };
        let digits = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
        let first = (self.low / step).ceil();
        (0..=count * 3)
            .map(|n| (first + f64::from(n)) * step)
            .take_while(|value| *value <= self.high + step * 1e-6)
            .map(|value| (value, format!("{value:.digits$}").replace("-0", "−0")))
            .map(|(value, label)| (value, if value == 0.0 { "0".to_owned() } else { label }))
            .collect()
    }
}

/// The beginning of a picture of this height.
pub fn open(height: f64, title: &str) -> String {
    format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">", escape(title))
}

/// Seconds along the bottom, with lines up.
pub fn time_axis(x: &Axis, top: f64, bottom: f64) -> String {
    let mut out = String::new();
    for (value, label) in x.ticks(10) {
        let at = x.place(value);
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{top}\" y2=\"{bottom}\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            bottom + 17.0
        );
    }
    let _ = write!(
        out,
        "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{bottom}\" y2=\"{bottom}\"/>\
         <text x=\"{RIGHT}\" y=\"{:.1}\" text-anchor=\"end\">time in s</text>",
        bottom + 33.0
    );
    out
}

/// Names and colours, four in a row.
pub fn legend(curves: &[Curve], top: f64) -> String {
    let mut out = String::new();
    for (index, curve) in curves.iter().enumerate() {
        let (x, y) = (LEFT + 221.0 * (index % 4) as f64, top + 20.0 * (index / 4) as f64);
        let _ = write!(
            out,
            "<rect x=\"{x}\" y=\"{:.1}\" width=\"18\" height=\"4\" fill=\"{}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            y - 6.0,
            curve.colour,
            x + 24.0,
            y,
            escape(&curve.name.chars().take(NAME_MAX).collect::<String>())
        );
    }
    out
}
