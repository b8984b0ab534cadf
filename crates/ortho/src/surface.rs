//! Closed triangle meshes of what lies inside a level.

/// Triangles in the patient (frame Image, metres), wound so that their normals point outwards.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mesh {
    /// Corners, metres.
    pub vertices: Vec<[f32; 3]>,
    /// Three vertex numbers each, counter-clockwise seen from outside.
    pub triangles: Vec<[u32; 3]>,
}

impl Mesh {
    /// The corners of a triangle, metres; `None` where it names a vertex that is not there.
    pub fn corners(&self, triangle: [u32; 3]) -> Option<[[f64; 3]; 3]> {
        let mut corners = [[0.0; 3]; 3];
        for (corner, vertex) in corners.iter_mut().zip(triangle) {
            *corner = self.vertices.get(vertex as usize)?.map(f64::from);
        }
        Some(corners)
    }

    /// What the mesh encloses, cubic metres; negative when it is inside out.
    pub fn volume(&self) -> f64 {
        let sixfold = |[a, b, c]: [[f64; 3]; 3]| {
            a[0] * (b[1] * c[2] - b[2] * c[1])
                + a[1] * (b[2] * c[0] - b[0] * c[2])
                + a[2] * (b[0] * c[1] - b[1] * c[0])
        };
        self.triangles.iter().filter_map(|&t| self.corners(t)).map(sixfold).sum::<f64>() / 6.0
    }
}
