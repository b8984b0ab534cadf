// The lamp, the tissue, the steel and the tone curve of shade.rs, for one eye. Millimetres, camera frame.

struct Surface {
    // colour, contrast
    first: vec4f,
    // colour, bump
    second: vec4f,
    // sheen, gloss, bleed
    shine: vec4f,
}

struct Eye {
    size: vec2f,
    focal: f32,
    // Millimetres right of the camera's middle.
    shift: f32,
    grain_u: vec4f,
    grain_v: vec4f,
    surfaces: array<Surface, 16>,
}

@group(0) @binding(0) var<uniform> eye: Eye;
@group(0) @binding(1) var tile: texture_2d<u32>;

// Nearest thing that is drawn.
const NEAR = 6.0;
const LAMP_UP = 5.0;
const LAMP = vec3f(1.06, 1.0, 0.90);
const SIDE = 512;

struct Corner {
    @builtin(position) clip: vec4f,
    @location(0) at: vec3f,
    @location(1) normal: vec3f,
    @location(2) uv: vec2f,
    @location(3) open: f32,
    @location(4) @interpolate(flat) material: u32,
}

@vertex
fn corner(
    @location(0) at: vec3f,
    @location(1) normal: vec3f,
    @location(2) uv: vec2f,
    @location(3) open: f32,
    @location(4) material: u32,
) -> Corner {
    let p = vec3f(at.x - eye.shift, at.y, at.z);
    // Depth is NEAR / z: 1 at the nearest, 0 far away.
    let k = 2.0 * eye.focal / eye.size;
    return Corner(vec4f(k.x * p.x, -k.y * p.y, NEAR, p.z), p, normal, uv, open, material);
}

// Brightness, share of the second colour, and bumps from the tile.
fn texel(uv: vec2f) -> vec4f {
    let place = vec2i((uv + 64.0) * f32(SIDE)) & vec2i(SIDE - 1);
    let packed = textureLoad(tile, place, 0).r;
    let parts = vec4f((vec4u(packed) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u));
    return vec4f(parts.x / 128.0, parts.y / 255.0, (parts.zw - 128.0) / 64.0);
}

// From light to 0..1: a soft shoulder, then the square root as gamma 2.
fn tone(light: vec3f) -> vec3f {
    let c = light * 1.15;
    return sqrt(min(c * (c * 2.3 + 0.06) / (c * (c * 2.1 + 0.72) + 0.16), vec3f(1.0)));
}

@fragment
fn lit(in: Corner) -> @location(0) vec4f {
    let surface = eye.surfaces[in.material];
    let grain = texel(in.uv);
    let bump = grain.zw * surface.second.w;
    let n = in.normal + eye.grain_u.xyz * bump.x + eye.grain_v.xyz * bump.y;
    let p = in.at;
    let lamp = vec3f(-eye.shift, -LAMP_UP, 0.0) - p;
    let half = 0.5 * vec3f(-eye.shift, -LAMP_UP, 0.0) - p;
    let nn = dot(n, n);
    let dd = dot(lamp, lamp);
    let facing = max(dot(n, lamp), 0.0) / sqrt(nn * dd);
    let glint = min(max(dot(n, half), 0.0) / sqrt(nn * dot(half, half)), 1.0);
    // the lamp's cone fades towards the rim of the picture
    let ray = p.xy / p.z;
    let rim = dot(ray, ray) * 0.62;
    let fall = 24000.0 / ((4500.0 + dd) * (1.0 + rim * rim + rim * 0.55));
    let diffuse = (0.035 + facing * fall) * in.open;
    let shine = (surface.shine.x * pow(glint, 8.0) + surface.shine.y * pow(glint, 64.0)) * fall * in.open;
    let bright = 1.0 + surface.first.w * (grain.x - 1.0);
    // where light grazes moist tissue, only red comes back out
    let graze = 1.0 - surface.shine.z * (1.0 - facing) * 0.62;
    let albedo = mix(surface.first.rgb, surface.second.rgb, grain.y);
    let colour = (albedo * bright * vec3f(1.0, graze, graze) * diffuse + shine) * LAMP;
    return vec4f(tone(colour), 1.0);
}
