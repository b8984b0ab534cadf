//! The few 3x3 tools that registration, calibration and grading share: a singular value
//! decomposition, a symmetric eigen-decomposition and a solver.

use telehand_vocab::Vec3;

/// A 3x3 matrix by rows.
pub(crate) type Rows = [[f64; 3]; 3];

/// Nothing.
pub(crate) const ZERO: Rows = [[0.0; 3]; 3];

/// Ones on the diagonal.
pub(crate) const IDENTITY: Rows = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// Sweeps after which a Jacobi iteration of a 3x3 matrix has converged many times over.
const SWEEPS: usize = 40;

/// `a = u * diag(s) * vᵀ` with s descending, the columns of u and v orthonormal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Svd {
    /// Left singular vectors, as columns.
    pub u: [Vec3; 3],
    /// Singular values, descending, never negative.
    pub s: [f64; 3],
    /// Right singular vectors, as columns.
    pub v: [Vec3; 3],
}

/// Decomposes `a` by one-sided Jacobi rotations (Hestenes 1958), which keep small singular values
/// accurate. A column that vanishes is completed to a right-handed basis.
pub(crate) fn svd(a: Rows) -> Svd {
    let mut w = columns(a);
    let mut v = columns(IDENTITY);
    for _ in 0..SWEEPS {
        let mut worst: f64 = 0.0;
        for pair in [(0, 1), (0, 2), (1, 2)] {
            worst = worst.max(orthogonalise(&mut w, &mut v, pair));
        }
        if worst < 1e-15 {
            break;
        }
    }
    let mut order: [(f64, Vec3, Vec3); 3] = core::array::from_fn(|i| {
        let column = w.get(i).copied().unwrap_or_default();
        (column.norm(), column, v.get(i).copied().unwrap_or_default())
    });
    order.sort_by(|x, y| y.0.total_cmp(&x.0));
    let [(s1, w1, v1), (s2, w2, v2), (s3, w3, v3)] = order;
    let u1 = w1.unit().unwrap_or(Vec3::new(1.0, 0.0, 0.0));
    let u2 = unit_or(w2, s1, || any_normal(u1));
    let u3 = unit_or(w3, s1, || u1.cross(u2));
    Svd { u: [u1, u2, u3], s: [s1, s2, s3], v: [v1, v2, v3] }
}

/// The direction of a column that is more than rounding noise of the largest one.
fn unit_or(column: Vec3, largest: f64, otherwise: impl Fn() -> Vec3) -> Vec3 {
    if column.norm() > 1e-14 * largest {
        column.unit().unwrap_or_else(otherwise)
    } else {
        otherwise()
    }
}

/// Turns two columns of `w` (and of `v`) until those of `w` are orthogonal; tells how far from it
/// they were.
#[expect(clippy::indexing_slicing, reason = "the pair is one of (0,1), (0,2), (1,2)")]
fn orthogonalise(w: &mut [Vec3; 3], v: &mut [Vec3; 3], (p, q): (usize, usize)) -> f64 {
    let (alpha, beta, gamma) = (w[p].dot(w[p]), w[q].dot(w[q]), w[p].dot(w[q]));
    let scale = libm::sqrt(alpha * beta);
    if gamma == 0.0 || scale == 0.0 {
        return 0.0;
    }
    let zeta = (beta - alpha) / (2.0 * gamma);
    let t = zeta.signum() / (zeta.abs() + libm::sqrt(1.0 + zeta * zeta));
    let c = 1.0 / libm::sqrt(1.0 + t * t);
    let s = c * t;
    for m in [w, v] {
        let (a, b) = (m[p], m[q]);
        m[p] = a * c - b * s;
        m[q] = a * s + b * c;
    }
    gamma.abs() / scale
}

/// Some unit vector across `axis`.
pub(crate) fn any_normal(axis: Vec3) -> Vec3 {
    let [x, y, z] = axis.to_array().map(f64::abs);
    let helper = if x <= y && x <= z {
        Vec3::new(1.0, 0.0, 0.0)
    } else if y <= z {
        Vec3::new(0.0, 1.0, 0.0)
    } else {
        Vec3::new(0.0, 0.0, 1.0)
    };
    axis.cross(helper).unit().unwrap_or(helper)
}

/// The eigenvalues (descending) and unit eigenvectors of a symmetric matrix with eigenvalues of at
/// least zero: covariances and sums of squares.
pub(crate) fn principal(a: Rows) -> ([f64; 3], [Vec3; 3]) {
    let Svd { s, v, .. } = svd(a);
    (s, v)
}

/// The solution of `a x = b` for a symmetric positive `a`; `None` when its smallest eigenvalue is
/// below `least` times the largest, so that one direction of x is not determined.
pub(crate) fn solve(a: Rows, b: Vec3, least: f64) -> Option<Vec3> {
    let (values, vectors) = principal(a);
    let [largest, _, smallest] = values;
    if !(largest > 0.0 && smallest > least * largest) {
        return None;
    }
    let parts = values.into_iter().zip(vectors).map(|(s, v)| v * (v.dot(b) / s));
    Some(parts.fold(Vec3::ZERO, |sum, part| sum + part))
}

/// The columns of a matrix.
pub(crate) fn columns([[a, b, c], [d, e, f], [g, h, i]]: Rows) -> [Vec3; 3] {
    [Vec3::new(a, d, g), Vec3::new(b, e, h), Vec3::new(c, f, i)]
}

/// `a + k * p qᵀ`.
pub(crate) fn add_outer(a: &mut Rows, p: Vec3, q: Vec3, k: f64) {
    for (row, x) in a.iter_mut().zip(p.to_array()) {
        for (cell, y) in row.iter_mut().zip(q.to_array()) {
            *cell += k * x * y;
        }
    }
}

/// `a x`.
pub(crate) fn apply(a: &Rows, x: Vec3) -> Vec3 {
    Vec3::from_array(a.map(|row| Vec3::from_array(row).dot(x)))
}

/// `aᵀ`.
pub(crate) fn transpose([[a, b, c], [d, e, f], [g, h, i]]: Rows) -> Rows {
    [[a, d, g], [b, e, h], [c, f, i]]
}

/// `a - b`.
pub(crate) fn minus(a: &Rows, b: &Rows) -> Rows {
    let mut out = *a;
    for (row, other) in out.iter_mut().zip(b) {
        for (cell, x) in row.iter_mut().zip(other) {
            *cell -= x;
        }
    }
    out
}

/// The mean of some points; the origin for none.
pub(crate) fn centroid(points: &[Vec3]) -> Vec3 {
    let sum = points.iter().fold(Vec3::ZERO, |sum, p| sum + *p);
    if points.is_empty() { sum } else { sum * (1.0 / points.len() as f64) }
}

/// The covariance (divided by N) of some points about their mean.
pub(crate) fn covariance(points: &[Vec3]) -> Rows {
    let mean = centroid(points);
    let mut sum = ZERO;
    for p in points {
        add_outer(&mut sum, *p - mean, *p - mean, 1.0 / points.len() as f64);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::test_random::Random;

    fn back(svd: &Svd) -> Rows {
        let mut a = ZERO;
        for ((u, s), v) in svd.u.iter().zip(svd.s).zip(svd.v) {
            add_outer(&mut a, *u, v, s);
        }
        a
    }

    fn assert_orthonormal(basis: &[Vec3; 3]) {
        for (i, a) in basis.iter().enumerate() {
            for (j, b) in basis.iter().enumerate() {
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((a.dot(*b) - expected).abs() < 1e-12, "{basis:?}");
            }
        }
    }

    #[test]
    fn a_matrix_survives_its_decomposition_of_any_rank() {
        let mut random = Random::new(1);
        for round in 0..3_000 {
            let mut a: Rows =
                core::array::from_fn(|_| core::array::from_fn(|_| random.uniform(-1.0, 1.0)));
            match round % 4 {
                1 => a[2] = a[0],
                2 => a = a.map(|row| row.map(|_| row[0])),
                3 => a = a.map(|row| [row[0], row[1] * 1e-9, 0.0]),
                _ => {}
            }
            let svd = svd(a);
            assert!(svd.s[0] >= svd.s[1] && svd.s[1] >= svd.s[2] && svd.s[2] >= 0.0);
            assert_orthonormal(&svd.u);
            assert_orthonormal(&svd.v);
            for (row, expected) in back(&svd).iter().flatten().zip(a.iter().flatten()) {
                assert!((row - expected).abs() < 1e-13, "{a:?}");
            }
        }
    }

    #[test]
    fn an_undetermined_direction_has_no_solution() {
        let mut a = ZERO;
        add_outer(&mut a, Vec3::new(1.0, 2.0, 3.0), Vec3::new(1.0, 2.0, 3.0), 1.0);
        assert_eq!(solve(a, Vec3::new(1.0, 0.0, 0.0), 1e-9), None);
        add_outer(&mut a, Vec3::new(0.0, 1.0, 0.0), Vec3::new(0.0, 1.0, 0.0), 1.0);
        add_outer(&mut a, Vec3::new(0.0, 0.0, 1.0), Vec3::new(0.0, 0.0, 1.0), 1.0);
        let x = solve(a, Vec3::new(1.0, 2.0, 3.0), 1e-9).unwrap();
        assert!((apply(&a, x) - Vec3::new(1.0, 2.0, 3.0)).norm() < 1e-12);
    }
}
