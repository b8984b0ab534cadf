#!/usr/bin/env python3
"""Compares `telehand ortho import` with pydicom (voxels) and SimpleITK (where they lie).

usage: dicom_compare.py TELEHAND [DIR ...]

Makes small CT series of every kind in a temporary folder; DIRs are further series (real ones).
Ends with a count; any difference is an error.
"""
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian,
    ImplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless, generate_uid,
)

PADDING = -2000
LOWEST = -1500


def rotation(degrees, axis):
    axis = np.asarray(axis, float) / np.linalg.norm(axis)
    k = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    a = np.radians(degrees)
    return np.eye(3) + np.sin(a) * k + (1 - np.cos(a)) * k @ k


def ds16(value):
    """A decimal string of at most 16 characters."""
    for digits in range(14, -1, -1):
        text = f"{value:.{digits}f}"
        if len(text) <= 16:
            return text
    raise ValueError(value)


def make(folder, *, row=(1, 0, 0), column=(0, 1, 0), syntax=ExplicitVRLittleEndian, position="HFS",
         intercept=-1024, slope=1, signed=False, bits=16, stored=12, padding=None, rows=40, columns=36,
         slices=9, spacing=(0.7, 0.45), step=1.1, seed=1):
    """One CT series; file names and instance numbers in an order of their own."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    normal = np.cross(row, column)
    origin = np.array([-31.25, 12.5, -701.125])
    series, frame, study = generate_uid(), generate_uid(), generate_uid()
    numbers = random.permutation(slices)
    for k in range(slices):
        low, high = (-(1 << (stored - 1)), 1 << (stored - 1)) if signed else (0, 1 << stored)
        base = np.add.outer(np.arange(rows) * 31, np.arange(columns) * 17) + k * 101
        pixels = (base + random.integers(0, 60, base.shape)) % (high - low) + low
        if padding is not None:
            pixels[:3, :5] = padding
        d = Dataset()
        d.file_meta = FileMetaDataset()
        d.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        d.file_meta.MediaStorageSOPClassUID = d.SOPClassUID = CTImageStorage
        d.file_meta.MediaStorageSOPInstanceUID = d.SOPInstanceUID = generate_uid()
        d.PatientName, d.PatientID, d.Modality, d.PatientPosition = "Test^Series", "T", "CT", position
        d.StudyInstanceUID, d.SeriesInstanceUID, d.FrameOfReferenceUID = study, series, frame
        d.InstanceNumber = int(numbers[k]) + 1
        d.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        # thicker than the distance: the positions count
        d.SliceThickness = 3
        d.ImagePositionPatient = [ds16(v) for v in origin + normal * step * k]
        d.ImageOrientationPatient = [ds16(v) for v in (*row, *column)]
        d.PixelSpacing = [ds16(v) for v in spacing]
        d.Rows, d.Columns, d.SamplesPerPixel = rows, columns, 1
        d.PhotometricInterpretation = "MONOCHROME2"
        d.BitsAllocated, d.BitsStored, d.HighBit = bits, stored, stored - 1
        d.PixelRepresentation = int(signed)
        d.RescaleIntercept, d.RescaleSlope, d.RescaleType = intercept, slope, "HU"
        if padding is not None:
            d.add_new(0x00280120, "SS" if signed else "US", padding)
        kind = np.dtype(np.int16 if signed else np.uint16) if bits == 16 else np.dtype(np.uint8)
        if syntax == ExplicitVRBigEndian:
            d.file_meta.TransferSyntaxUID = syntax
            d.PixelData = pixels.astype(kind.newbyteorder(">")).tobytes()
        else:
            d.PixelData = pixels.astype(kind).tobytes()
        d["PixelData"].VR = "OW"
        if syntax.is_compressed and syntax != DeflatedExplicitVRLittleEndian:
            d.compress(syntax, generate_instance_uid=False)
        else:
            d.file_meta.TransferSyntaxUID = syntax
        little, implicit = syntax != ExplicitVRBigEndian, syntax == ImplicitVRLittleEndian
        path = folder / f"f{int(numbers[k] * 7 % slices)}x{k}"
        pydicom.dcmwrite(path, d, enforce_file_format=True, little_endian=little, implicit_vr=implicit)


def expected(d):
    """CT numbers of a slice by pydicom, with the rule for padding said once more."""
    stored = d.pixel_array.astype(np.int64)
    hu = np.rint(stored * float(d.RescaleSlope) + float(d.RescaleIntercept))
    outside = hu < LOWEST
    if "PixelPaddingValue" in d:
        a = int(d.PixelPaddingValue)
        b = int(d.get("PixelPaddingRangeLimit", a))
        mask = (1 << d.BitsStored) - 1
        fix = lambda v: (v & mask) - (mask + 1 if d.PixelRepresentation and (v & mask) >> (d.BitsStored - 1) else 0)
        a, b = sorted((fix(a), fix(b)))
        outside |= (stored >= a) & (stored <= b)
    return np.where(outside, PADDING, np.clip(hu, -32768, 32767)).astype(np.int16)


def run(program, *arguments):
    done = subprocess.run([program, "ortho", "import", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{arguments}: {done.stderr[:2000]}")
    return json.loads(done.stdout)


def check(program, folder, scratch, truth=None):
    """Imports `folder`; pydicom reads `truth`, the same slices before a foreign program packed them."""
    paths = [p for p in sorted((truth or folder).rglob("*")) if p.is_file()]
    datasets = [pydicom.dcmread(p) for p in paths]
    files = {str(d.SOPInstanceUID): p for p, d in zip(paths, datasets)}
    first = datasets[0]
    row, column = np.array(first.ImageOrientationPatient[:3], float), np.array(first.ImageOrientationPatient[3:], float)
    normal = np.cross(row, column)
    datasets.sort(key=lambda d: float(np.dot(normal, np.array(d.ImagePositionPatient, float))))
    ni, nj, nk = int(first.Columns), int(first.Rows), len(datasets)
    asked = [(0, 0, 0), (ni - 1, 0, 0), (0, nj - 1, 0), (0, 0, nk - 1), (ni - 1, nj - 1, nk - 1), (ni // 3, nj // 2, nk // 2)]
    arguments = [a for v in asked for a in ("--voxel", ",".join(map(str, v)))]
    raw = scratch / "voxels.raw"
    said = run(program, folder, "--json", "--voxels", raw, *arguments)

    # voxels
    ours = np.fromfile(raw, "<i2").reshape(nk, nj, ni)
    theirs = np.stack([expected(d) for d in datasets])
    different = int((ours != theirs).sum())
    assert said["size"] == [ni, nj, nk], said["size"]
    assert different == 0, f"{folder}: {different} voxels differ"
    values = said["values"]
    assert values["count"] == theirs.size and values["sum_hu"] == int(theirs.astype(np.int64).sum())
    assert (values["least_hu"], values["most_hu"]) == (int(theirs.min()), int(theirs.max()))

    # places, by a program that knows DICOM without us: SimpleITK, given the files in this order
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(files[str(d.SOPInstanceUID)]) for d in datasets])
    try:
        image = reader.Execute()
    except RuntimeError as why:
        # It has no decoder for this transfer syntax: the plain attributes then.
        assert "ransfer" in str(why) or "read" in str(why).lower(), why
        image = None
    worst = 0.0
    for voxel in said["voxels"]:
        i, j, k = voxel["voxel"]
        if image is not None:
            there = image.TransformIndexToPhysicalPoint((i, j, k))
        else:
            d = datasets[k]
            there = np.array(d.ImagePositionPatient, float) + row * i * float(d.PixelSpacing[1]) + column * j * float(d.PixelSpacing[0])
        worst = max(worst, float(np.linalg.norm(np.array(there) - voxel["lps_mm"])))
        assert voxel["value_hu"] == int(theirs[k, j, i])
    assert worst <= 1e-3, f"{folder}: a voxel lies {worst} mm elsewhere"
    return worst, "SimpleITK" if image is not None else "attributes", said


def check_nifti(program, scratch):
    """NIfTI files by SimpleITK, which turns our LPS into the file's RAS by itself."""
    random = np.random.default_rng(5)
    turned = rotation(-70, (3, -1, 2))
    kinds = {
        "plain.nii": (np.int16, np.eye(3)),
        "oblique.nii.gz": (np.float32, turned),
        "flipped.nii.gz": (np.int32, np.diag([-1.0, -1.0, 1.0])),
        "axes.nii": (np.float64, np.array([[0.0, 0, -1], [1, 0, 0], [0, -1, 0]])),
        "left-handed.nii.gz": (np.int16, np.diag([1.0, 1.0, -1.0])),
    }
    for name, (kind, directions) in kinds.items():
        values = random.integers(-1024, 3000, (6, 7, 8)).astype(kind)
        image = sitk.GetImageFromArray(values)
        image.SetSpacing((0.5, 0.75, 1.25))
        image.SetOrigin((-31.5, 22.25, -701.0))
        image.SetDirection(directions.flatten().tolist())
        path, raw = scratch / name, scratch / "voxels.raw"
        sitk.WriteImage(image, str(path))
        there = sitk.ReadImage(str(path))
        said = run(program, path, "--json", "--voxels", raw, "--voxel", "0,0,0", "--voxel", "7,6,5", "--voxel", "7,0,2")
        ours = np.fromfile(raw, "<i2").reshape(values.shape)
        assert (ours == values.astype(np.int16)).all(), name
        worst = max(np.linalg.norm(np.array(there.TransformIndexToPhysicalPoint(v["voxel"])) - v["lps_mm"])
                    for v in said["voxels"])
        assert worst <= 1e-3, f"{name}: a voxel lies {worst} mm elsewhere"
        print(f"{name:20} voxels equal, places within {worst:.1e} mm (SimpleITK)")
    return len(kinds)


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    program, further = sys.argv[1], [Path(p) for p in sys.argv[2:]]
    oblique = rotation(25, (1, 2, 3))
    kinds = {
        "plain": {},
        "implicit": dict(syntax=ImplicitVRLittleEndian, intercept=-1000),
        "big-endian": dict(syntax=ExplicitVRBigEndian),
        "deflated": dict(syntax=DeflatedExplicitVRLittleEndian),
        "rle": dict(syntax=RLELossless),
        "rle-signed": dict(syntax=RLELossless, signed=True, stored=16, intercept=0),
        "jpeg-ls": dict(syntax=JPEGLSLossless),
        "jpeg-ls-16": dict(syntax=JPEGLSLossless, stored=16),
        "jpeg-2000": dict(syntax=JPEG2000Lossless),
        "jpeg-2000-signed": dict(syntax=JPEG2000Lossless, signed=True, stored=16, intercept=0),
        "signed": dict(signed=True, stored=16, intercept=0),
        "signed-12": dict(signed=True, stored=12, intercept=0),
        "eight-bit": dict(bits=8, stored=8, intercept=-100, slope=4),
        "half-slope": dict(slope=0.5, intercept=-1000.25),
        "padding": dict(signed=True, stored=16, intercept=-1024, padding=-2000),
        "padding-unsigned": dict(padding=0),
        "oblique": dict(row=oblique[:, 0], column=oblique[:, 1]),
        "feet-first-supine": dict(row=(-1, 0, 0), column=(0, 1, 0), position="FFS"),
        "head-first-prone": dict(row=(-1, 0, 0), column=(0, -1, 0), position="HFP"),
        "feet-first-prone": dict(row=(1, 0, 0), column=(0, -1, 0), position="FFP"),
        "wrong-position": dict(position="HFP"),
        "coronal": dict(row=(1, 0, 0), column=(0, 0, -1)),
        "sagittal": dict(row=(0, 1, 0), column=(0, 0, -1)),
        "coarse": dict(step=2.5),
    }
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        for seed, (name, options) in enumerate(kinds.items()):
            make(scratch / name / "deep" / "er", seed=seed + 1, **options)
            worst, by, said = check(program, scratch / name, scratch)
            assert said["registration"]["allowed"] == (options.get("step", 1.1) <= 1.25), name
            print(f"{name:20} voxels equal, places within {worst:.1e} mm ({by})")
        packed = check_nifti(program, scratch)
        # JPEG lossless has no encoder in pydicom: DCMTK's own program, where it is installed.
        if shutil.which("dcmcjpeg"):
            for name, option in (("jpeg-lossless-sv1", "+e1"), ("jpeg-lossless", "+el")):
                target = scratch / name
                target.mkdir()
                for path in (scratch / "plain").rglob("f*"):
                    subprocess.run(["dcmcjpeg", option, "+un", path, target / path.name], check=True)
                worst, by, _ = check(program, target, scratch, truth=scratch / "plain")
                packed += 1
                print(f"{name:20} voxels equal, places within {worst:.1e} mm ({by})")
        else:
            print("jpeg-lossless        left out: dcmcjpeg (Debian package dcmtk) is not installed")
        for folder in further:
            worst, by, said = check(program, folder, scratch)
            print(f"{folder.name:20} {said['size']} voxels equal, places within {worst:.1e} mm ({by}), "
                  f"first reslice after {said['first_reslice_ms']} ms")
    print(f"dicom_compare: {len(kinds) + packed + len(further)} series equal")


if __name__ == "__main__":
    main()
