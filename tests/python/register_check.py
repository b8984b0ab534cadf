"""Compares telehand's paired-point registration with SciPy's, an independent implementation.

`cargo run -p telehand-ortho --example kabsch` prints point sets and our answer; SciPy's
`Rotation.align_vectors` answers the same sets.

    cargo run -q -p telehand-ortho --example kabsch -- 1000 | python register_check.py
"""

import json
import sys

import numpy as np
from scipy.spatial.transform import Rotation

LIMIT = 1e-9
"""Largest difference allowed: metres, and elements of the rotation matrix."""


def difference(line):
    """How far our answer is from SciPy's, and what is left at the points in SciPy's."""
    ours = json.loads(line)
    start, goal = np.array(ours["from_m"]), np.array(ours["to_m"])
    from_centre, to_centre = start.mean(axis=0), goal.mean(axis=0)
    rotation, _ = Rotation.align_vectors(goal - to_centre, start - from_centre)
    rows = rotation.as_matrix()
    translation = to_centre - rows @ from_centre
    left = goal - (start @ rows.T + translation)
    fre = np.sqrt((left**2).sum(axis=1).mean())
    return max(
        np.abs(rows - np.array(ours["rotation"])).max(),
        np.abs(translation - np.array(ours["translation_m"])).max(),
        abs(fre - ours["fre_m"]),
    )


def main():
    worst = [difference(line) for line in sys.stdin if line.strip()]
    if len(worst) < 100:
        sys.exit(f"{len(worst)} point sets, at least 100 expected")
    print(f"{len(worst)} point sets, largest difference {max(worst):.1e}")
    if max(worst) > LIMIT:
        sys.exit(f"a registration differs from SciPy's by more than {LIMIT}")


if __name__ == "__main__":
    main()
