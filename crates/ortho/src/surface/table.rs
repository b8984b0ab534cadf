//! Which triangles a cube has, for each of the 256 ways in which its corners lie inside.
//!
//! Corner n of a cube lies at (n & 1, n >> 1 & 1, n >> 2 & 1). Every edge of the six tetrahedra
//! runs from a corner to one with more bits.

/// The six ways from corner 0 to corner 7, one axis after the other: a tetrahedron each, and
/// whether its corners are in right-handed order.
const TETRAHEDRA: [([u8; 4], bool); 6] = [
    ([0, 1, 3, 7], true),
    ([0, 2, 6, 7], true),
    ([0, 4, 5, 7], true),
    ([0, 1, 5, 7], false),
    ([0, 2, 3, 7], false),
    ([0, 4, 6, 7], false),
];

/// The even orders of four: with one corner in front, the other three turn the right way.
const EVEN: [[usize; 4]; 4] = [[0, 1, 2, 3], [1, 0, 3, 2], [2, 0, 1, 3], [3, 0, 2, 1]];
/// Even orders with every pair in front.
const EVEN_PAIRS: [[usize; 4]; 6] =
    [[0, 1, 2, 3], [0, 2, 3, 1], [0, 3, 1, 2], [1, 2, 0, 3], [1, 3, 2, 0], [2, 3, 0, 1]];

/// An edge of a cube: its lower corner, and the bits that its upper one has more.
pub(super) type Edge = (u8, u8);

/// The triangles of each of the 256 cubes, by their edges, outward.
pub(super) fn triangles() -> Vec<Vec<[Edge; 3]>> {
    (0..=255_u8)
        .map(|corners| {
            let mut found = Vec::new();
            for (tetrahedron, right_handed) in TETRAHEDRA {
                cut(tetrahedron, right_handed, corners, &mut found);
            }
            found
        })
        .collect()
}

fn cut(tetrahedron: [u8; 4], right_handed: bool, inside: u8, found: &mut Vec<[Edge; 3]>) {
    let is_in = tetrahedron.map(|corner| inside >> corner & 1 == 1);
    let count = is_in.iter().filter(|&&i| i).count();
    let at = |n: usize| tetrahedron.get(n).copied().unwrap_or(0);
    let edge = |a: usize, b: usize| {
        let (a, b) = (at(a), at(b));
        (a.min(b), a.max(b) ^ a.min(b))
    };
    let side = |n: usize| is_in.get(n).copied().unwrap_or(false);
    let mut add = |[a, b, c]: [Edge; 3], outward: bool| {
        found.push(if outward { [a, b, c] } else { [a, c, b] });
    };
    match count {
        1 | 3 => {
            let lone = count == 1;
            for [a, b, c, d] in EVEN.into_iter().filter(|&[a, ..]| side(a) == lone) {
                add([edge(a, b), edge(a, c), edge(a, d)], right_handed == lone);
            }
        }
        2 => {
            for [a, b, c, d] in EVEN_PAIRS.into_iter().filter(|&[a, b, ..]| side(a) && side(b)) {
                let (ac, ad, bc, bd) = (edge(a, c), edge(a, d), edge(b, c), edge(b, d));
                add([ac, ad, bd], right_handed);
                add([ac, bd, bc], right_handed);
            }
        }
        _ => {}
    }
}
