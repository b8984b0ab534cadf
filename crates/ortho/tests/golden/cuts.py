"""Draws the pictures that crates/ortho/src/reslice/tests.rs expects, without any of its code.

Plain Python in double precision: run it in this folder to write the .pgm files again.
"""
import math

SIZE = (24, 20, 16)
SPACING = (0.8, 0.7, 1.1)
AXES = ((0.8, 0.6, 0.0), (-0.6, 0.8, 0.0), (0.0, 0.0, 1.0))
ORIGIN = (3.0, -20.0, 100.0)
PADDING = -2000


def hu(i, j, k):
    if i < 3 and j < 3:
        return PADDING
    q = 9 * (i - 12) ** 2 + 16 * (j - 9) ** 2 + 25 * (k - 7) ** 2
    if q < 400:
        return 220
    if q < 900:
        return 900
    return 40 + 10 * ((7 * i + 13 * j + 29 * k) % 11)


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def cross(a, b):
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def plus(a, b, k=1.0):
    return tuple(x + y * k for x, y in zip(a, b))


def unit(a):
    return tuple(x / math.sqrt(dot(a, a)) for x in a)


def point(v):
    p = ORIGIN
    for axis, spacing, n in zip(AXES, SPACING, v):
        p = plus(p, axis, spacing * n)
    return p


def value(p):
    v = [dot(plus(p, ORIGIN, -1.0), axis) / s for axis, s in zip(AXES, SPACING)]
    if any(c < -1e-4 or c > n - 1 + 1e-4 for c, n in zip(v, SIZE)):
        return None
    low = [min(max(math.floor(c), 0), n - 2) for c, n in zip(v, SIZE)]
    total = 0.0
    for corner in range(8):
        weight, at = 1.0, []
        for axis in range(3):
            up = corner >> axis & 1
            part = min(max(v[axis] - low[axis], 0.0), 1.0)
            weight *= part if up else 1.0 - part
            at.append(low[axis] + up)
        if weight > 2e-4:
            voxel = hu(*at)
            if voxel == PADDING:
                return None
            total += weight * voxel
    return total


def draw(name, centre, right, down, width, height, pixel, slab=None):
    origin = plus(plus(centre, right, -(width - 1) / 2 * pixel), down, -(height - 1) / 2 * pixel)
    away = cross(right, down)
    depths = [0.0]
    if slab:
        layers = max(math.ceil(slab[1] / min(SPACING)), 1) + 1
        depths = [slab[1] * (n / (layers - 1) - 0.5) for n in range(layers)]
    grey = bytearray()
    for y in range(height):
        for x in range(width):
            at = plus(plus(origin, right, x * pixel), down, y * pixel)
            seen = [value(plus(at, away, d)) for d in depths]
            seen = [v for v in seen if v is not None]
            if not seen:
                shown = PADDING
            else:
                shown = max(seen) if slab and slab[0] == "max" else sum(seen) / len(seen)
            level = (shown - (400 - 0.5)) / (1800 - 1) * 255 + 127.5
            grey.append(int(min(max(level, 0), 255)))
    with open(name + ".pgm", "wb") as file:
        file.write(b"P5\n%d %d\n255\n" % (width, height) + bytes(grey))


def main():
    x, y, feet = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0)
    middle = point([(n - 1) / 2 for n in SIZE])
    draw("axial", middle, x, y, 48, 40, 0.5)
    draw("coronal", middle, x, feet, 48, 40, 0.5)
    draw("sagittal", middle, y, feet, 48, 40, 0.5)
    oblique = (0.36, 0.48, -0.8), (-0.8, 0.6, 0.0)
    draw("oblique", plus(middle, (0.3, -0.4, 0.2)), *oblique, 64, 64, 0.37)
    draw("highest", middle, *oblique, 48, 48, 0.5, ("max", 3.0))
    draw("mean", middle, *oblique, 48, 48, 0.5, ("mean", 2.0))
    # a screw from behind on the right, to the front, the middle and upwards
    entry, tip = plus(middle, (-4.0, 6.0, -1.5)), plus(middle, (1.0, -5.0, 0.5))
    ahead = unit(plus(tip, entry, -1.0))
    up = unit(plus((0.0, 0.0, 1.0), ahead, -ahead[2]))
    side = cross(up, ahead)
    minus = [tuple(-c for c in v) for v in (ahead, up, side)]
    half = plus(entry, plus(tip, entry, -1.0), 0.5)
    draw("along_a", half, side, minus[0], 40, 48, 0.5)
    draw("along_b", half, minus[0], minus[1], 48, 40, 0.5)
    draw("across", plus(entry, ahead, 4.0), minus[2], minus[1], 40, 40, 0.4)


main()
