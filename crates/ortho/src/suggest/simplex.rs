//! The greatest value of a function of four numbers, without derivatives.

/// A point of the search.
pub(super) type Point = [f64; 4];

/// Nelder and Mead, "A simplex method for function minimization", The Computer Journal 7 (1965),
/// with their coefficients 1, 2, 1/2, 1/2. Begins at `start` with edges of `size`; ends after
/// `rounds` or when the simplex is smaller than a ten-thousandth of `size`. Gives the best point
/// and its value; never worse than the start.
pub(super) fn climb(
    start: Point,
    size: Point,
    rounds: u32,
    value: impl Fn(Point) -> f64,
) -> (Point, f64) {
    let mut simplex = [start; 5];
    for (n, (corner, step)) in simplex.iter_mut().skip(1).zip(size).enumerate() {
        for (axis, x) in corner.iter_mut().enumerate() {
            *x += if axis == n { step } else { 0.0 };
        }
    }
    let mut ranked = simplex.map(|p| (p, value(p)));
    for _ in 0..rounds {
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        let [best, second, third, fourth, worst] = ranked;
        if small(&ranked, size) {
            break;
        }
        let centre = mean([best.0, second.0, third.0, fourth.0]);
        let at = |k: f64| {
            let p = mix(centre, worst.0, k);
            (p, value(p))
        };
        let reflected = at(-1.0);
        let replacement = if reflected.1 > best.1 {
            let further = at(-2.0);
            Some(if further.1 > reflected.1 { further } else { reflected })
        } else if reflected.1 > fourth.1 {
            Some(reflected)
        } else {
            let nearer = if reflected.1 > worst.1 { at(-0.5) } else { at(0.5) };
            (nearer.1 > worst.1.max(reflected.1)).then_some(nearer)
        };
        ranked = match replacement {
            Some(new) => [best, second, third, fourth, new],
            None => [best, second, third, fourth, worst].map(|(p, v)| {
                let p = mix(best.0, p, 0.5);
                (p, if p == best.0 { v } else { value(p) })
            }),
        };
    }
    ranked.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((start, f64::NEG_INFINITY))
}

/// `a + (b - a) k`.
fn mix(a: Point, b: Point, k: f64) -> Point {
    let mut out = a;
    for (o, b) in out.iter_mut().zip(b) {
        *o += (b - *o) * k;
    }
    out
}

fn mean(points: [Point; 4]) -> Point {
    let mut out = [0.0; 4];
    for point in points {
        for (o, p) in out.iter_mut().zip(point) {
            *o += p / 4.0;
        }
    }
    out
}

fn small(ranked: &[(Point, f64); 5], size: Point) -> bool {
    let [(best, _), rest @ ..] = ranked;
    rest.iter().all(|(p, _)| {
        p.iter().zip(best).zip(size).all(|((a, b), s)| (a - b).abs() <= 1e-4 * s.abs())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_the_top_of_a_hill_and_of_a_ridge() {
        let top = [0.3, -1.2, 2.0, 0.7];
        let hill = |p: Point| -p.iter().zip(top).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        let (at, _) = climb([0.0; 4], [1.0; 4], 400, hill);
        assert!(at.iter().zip(top).all(|(a, b)| (a - b).abs() < 1e-3), "{at:?}");
        // a roof: the kink of the widest way through a pedicle
        let roof =
            |p: Point| p.iter().zip(top).map(|(a, b)| -(a - b).abs()).fold(f64::INFINITY, f64::min);
        let (_, value) = climb([0.0; 4], [1.0; 4], 600, roof);
        assert!(value > -0.05, "{value}");
    }

    #[test]
    fn it_is_never_worse_than_its_start() {
        let flat = |p: Point| if p == [1.0; 4] { 1.0 } else { f64::NEG_INFINITY };
        assert_eq!(climb([1.0; 4], [1.0; 4], 50, flat).1, 1.0);
    }
}
