#!/usr/bin/env python3
"""Checks DICOM files that telehand wrote with dciodvfy (Debian package dicom3tools) and pydicom.

usage: dicom_validate.py DIR ...

The tests of telehand-bridge leave one object of every kind there, the demo test those of its cases.

Every file below DIR must have 0 errors and be readable. Warnings are counted, not judged: our own
coding scheme is one.
"""
import subprocess
import sys
from pathlib import Path

import pydicom

# What we write: none of them may be missing here.
WRITTEN = {"CT Image Storage", "Spatial Registration Storage", "Spatial Fiducials Storage",
           "Comprehensive 3D SR Storage"}


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    paths = [p for folder in sys.argv[1:] for p in sorted(Path(folder).rglob("*")) if p.is_file()]
    if not paths:
        raise SystemExit(f"{sys.argv[1:]}: no files; run the tests of telehand-bridge first")
    wrong, kinds = 0, {}
    for path in paths:
        said = subprocess.run(["dciodvfy", path], capture_output=True, text=True, errors="replace")
        lines = (said.stdout + said.stderr).splitlines()
        errors = [line for line in lines if "Error" in line]
        warnings = sum("Warning" in line for line in lines)
        name = pydicom.dcmread(path).SOPClassUID.name
        files, warned = kinds.get(name, (0, 0))
        kinds[name] = (files + 1, warned + warnings)
        for line in errors:
            print(f"{path.name}: {line}")
        wrong += len(errors)
    for name, (files, warnings) in kinds.items():
        print(f"{name:32} {files} files, {warnings} warnings")
    missing = WRITTEN - kinds.keys()
    if missing:
        raise SystemExit(f"dicom_validate: nothing of the kinds {sorted(missing)} was there to check")
    if wrong:
        raise SystemExit(f"dicom_validate: {wrong} errors")
    print(f"dicom_validate: {len(paths)} files, 0 errors")


if __name__ == "__main__":
    main()
