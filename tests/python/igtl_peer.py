#!/usr/bin/env python3
"""OpenIGTLink between `telehand` and programs of others: pyigtl, and the C++ library where it is.

usage: igtl_peer.py TELEHAND
"""
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pydicom
import pyigtl

DEADLINE_S = 60
# a scripted operation up to its scan and its plan, on a busy machine
OPERATION_S = 240
BODIES = ["Reference", "Guide", "Plate", "Watch"]
CPP = Path(__file__).with_name("igtl_peer.cpp")
HEADERS = "/usr/include/openigtlink"


class Server:
    """Our server on a free port."""

    def __init__(self, program, *options):
        command = [program, "bridge", "igtl", "--listen", "127.0.0.1:0", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        listening = json.loads(self.process.stdout.readline())
        assert listening["event"] == "listening" and listening["label"] == "SIMULATED", listening
        self.address = listening["address"]
        self.port = int(self.address.rsplit(":", 1)[1])
        return self

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(DEADLINE_S) == 0, "the server did not end well"


def wait(what, look, patience_s=DEADLINE_S):
    """Looks until it sees something."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        seen = look()
        if seen is not None:
            return seen
        time.sleep(0.002)
    raise SystemExit(f"{what}: not seen within {patience_s} s")


def ours(program, address, count, *options):
    command = [program, "bridge", "igtl", "--connect", address, "--json", "--count", str(count), *options]
    run = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def matrix(line):
    out = np.eye(4)
    out[:3, :3] = line["rotation"]
    out[:3, 3] = line["translation_mm"]
    return out


def transforms_and_tdata_agree(program, server):
    """By our own client: the frames of the poses, by their names, and TDATA with the same numbers."""
    lines = ours(program, server.address, 200, "--tdata-ms", "0")
    assert lines[0]["type"] == "STATUS" and "SIMULATED" in lines[0]["text"], lines[0]
    assert lines[1]["type"] == "STRING" and "SIMULATED" in lines[1]["text"], lines[1]
    told = {(line["device"], line["time_ns"]): matrix(line) for line in lines if line["type"] == "TRANSFORM"}
    compared = 0
    for line in (line for line in lines if line["type"] == "TDATA"):
        for item in line["items"]:
            pose = told.get((item["name"], line["time_ns"]))
            if pose is not None:
                assert np.array_equal(pose, matrix(item)), item
                compared += 1
    assert compared > 40, compared
    relative = 0
    for (device, at), pose in told.items():
        parts = [told.get((name, at)) for name in ("ReferenceToTracker", "GuideToTracker")]
        if device == "GuideToReference" and all(part is not None for part in parts):
            assert np.allclose(np.linalg.inv(parts[0]) @ parts[1], pose, atol=2e-3)
            relative += 1
    assert relative > 10, relative
    stamps = sorted({at for _, at in told})
    rate = (len(stamps) - 1) / ((stamps[-1] - stamps[0]) * 1e-9)
    assert rate < 61, rate
    print(f"our client: TRANSFORM and TDATA agree in {compared} poses, {rate:.1f} frames a second")


def pyigtl_hears_the_same(program, server):
    """pyigtl reads poses, the text and the volume; each pose lies among those that our client reads."""
    client = pyigtl.OpenIGTLinkClient("127.0.0.1", server.port)
    try:
        text = wait("STRING", lambda: client.wait_for_message("Label", timeout=0))
        assert "SIMULATED" in text.string, text
        for name in BODIES:
            device = f"{name}ToTracker"
            message = wait(device, lambda device=device: client.wait_for_message(device, timeout=0))
            assert message.message_type == "TRANSFORM" and abs(message.timestamp - time.time()) < DEADLINE_S
            rotation = message.matrix[:3, :3]
            assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-5), message
            assert np.linalg.det(rotation) > 0.99, message
            assert 500 < np.linalg.norm(message.matrix[:3, 3]) < 4000, "millimetres before the camera"
        heard = {}

        def both():
            for message in client.get_latest_messages():
                if message.message_type == "TRANSFORM":
                    heard[message.device_name, round(message.timestamp * 1e6)] = message.matrix
            return heard if len(heard) > 120 else None

        with subprocess.Popen([program, "bridge", "igtl", "--connect", server.address, "--json"],
                              stdout=subprocess.PIPE, text=True) as other:
            wait("poses", both)
            told = {}
            while len(told) < 400:
                line = json.loads(other.stdout.readline())
                if line["type"] == "TRANSFORM":
                    told[line["device"], round(line["time_ns"] * 1e-3)] = matrix(line)
            other.terminate()
        # a stamp that is cut to microseconds in Python may be one off
        compared = 0
        for (device, at), pose in heard.items():
            mine = next((told[device, at + d] for d in (0, 1, -1) if (device, at + d) in told), None)
            if mine is not None:
                assert np.allclose(mine, pose, atol=1e-3), device
                compared += 1
        assert compared > 20, compared
        print(f"pyigtl: {compared} poses are those that our client reads")
    finally:
        client.stop()


def the_scan_lies_where_it_lies(program):
    """The volume by pyigtl and by our client; the guide's place in it in RAS."""
    with Server(program, "--scan", "--seed", "3") as server:
        lines = ours(program, server.address, 40)
        image = next(line for line in lines if line["type"] == "IMAGE")
        client = pyigtl.OpenIGTLinkClient("127.0.0.1", server.port)
        try:
            scan = wait("IMAGE", lambda: client.wait_for_message("Scan", timeout=0))
            guide = wait("GuideToRas", lambda: client.wait_for_message("GuideToRas", timeout=0))
        finally:
            client.stop()
    assert list(reversed(scan.image.shape)) == image["size"], scan.image.shape
    assert [int(scan.image.min()), int(scan.image.max())] == [image["least"], image["most"]]
    assert int(scan.image.astype(np.int64).sum()) == image["sum"]
    lps = np.eye(4)
    lps[:3, :3] = np.array(image["axes"]).T * image["spacing_mm"]
    lps[:3, 3] = image["origin_mm"]
    assert scan.world_coordinate_system == "ras"
    ras = np.diag([-1, -1, 1, 1]) @ lps
    assert np.allclose(scan.ijk_to_world_matrix, ras, atol=1e-2), (scan.ijk_to_world_matrix, ras)
    # the parked guide is within reach of the patient
    middle = ras @ [*(np.array(image["size"]) / 2), 1]
    reach = np.linalg.norm(guide.matrix[:3, 3] - middle[:3])
    assert reach < 1000, reach
    print(f"pyigtl: IMAGE {image['size']} lies where our client sees it; the guide is {reach:.0f} mm away")


def we_read_pyigtl(program):
    """A pyigtl server, with a header of version 1 and of version 3's kind."""
    turn = np.array([[0, -1, 0, 12.5], [1, 0, 0, -3.25], [0, 0, 1, 110.75], [0, 0, 0, 1]])
    voxels = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    place = np.diag([0.5, 0.6, 1.25, 1])
    for version in (1, 2):
        server = pyigtl.OpenIGTLinkServer(port=0, local_server=True)
        port = server.socket.getsockname()[1]
        try:
            client = subprocess.Popen([program, "bridge", "igtl", "--connect", f"127.0.0.1:{port}", "--json",
                                       "--count", "3"], stdout=subprocess.PIPE, text=True)
            wait("connection", lambda server=server: server.is_connected() or None)
            for message in (pyigtl.TransformMessage(turn, device_name="Probe"),
                            pyigtl.StringMessage("L3 left", device_name="Note"),
                            pyigtl.ImageMessage(voxels, place, "lps", device_name="Volume")):
                message.header_version = version
                if version == 2:
                    message.metadata = {"TransformStatus": "OK"}
                server.send_message(message, wait=False)
            out, _ = client.communicate(timeout=DEADLINE_S)
            assert client.returncode == 0
        finally:
            server.stop()
        probe, note, image = map(json.loads, out.splitlines())
        assert probe["device"] == "Probe" and np.allclose(matrix(probe), turn, atol=1e-4), probe
        assert note["text"] == "L3 left", note
        assert image["size"] == [4, 3, 2] and image["sum"] == int(voxels.sum()), image
        assert np.allclose(image["spacing_mm"], [0.5, 0.6, 1.25], atol=1e-5) and image["frame"] == "LPS"
        assert np.allclose(image["origin_mm"], 0, atol=1e-4), image
    print("our client reads TRANSFORM, STRING and IMAGE of pyigtl, headers 1 and 2")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def dicom_volume(folder):
    """The sum of a series in Hounsfield units, its size, and where voxel indices lie in LPS, by pydicom."""
    slices = [pydicom.dcmread(path) for path in folder.glob("*.dcm")]
    normal = np.cross(*np.reshape(slices[0].ImageOrientationPatient, (2, 3)).astype(float))
    slices.sort(key=lambda one: float(np.dot(normal, [float(v) for v in one.ImagePositionPatient])))
    first, second = slices[:2]
    row, column = np.reshape(first.ImageOrientationPatient, (2, 3)).astype(float)
    origin = np.array(first.ImagePositionPatient, float)
    lps = np.eye(4)
    lps[:3, 0] = row * float(first.PixelSpacing[1])
    lps[:3, 1] = column * float(first.PixelSpacing[0])
    lps[:3, 2] = np.array(second.ImagePositionPatient, float) - origin
    lps[:3, 3] = origin
    values = [one.pixel_array.astype(np.int64) * int(one.RescaleSlope) + int(one.RescaleIntercept) for one in slices]
    return sum(int(v.sum()) for v in values), (len(slices), *values[0].shape), lps


def a_running_site_shows_its_case(program, scratch):
    """pyigtl looks on while a scripted team operates: the case, the scan as it lies in DICOM, the guide in it."""
    igtl, ndi = free_ports(2)
    out = scratch / "case"
    command = [program, "demo", "ortho", "--headless", "--sites", "1", "--screws", "2", "--speed", "12", "--seed", "5",
               "--patience", str(OPERATION_S), "--igtl", str(igtl), "--ndi", str(ndi), "--out", str(out)]
    with (scratch / "demo.log").open("w") as log:
        demo = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait("the site listens", lambda: not socket.socket().connect_ex(("127.0.0.1", igtl)) or None, OPERATION_S)
        client = pyigtl.OpenIGTLinkClient("127.0.0.1", igtl)
        try:
            states = []

            messages = {}

            def look(device):
                def once():
                    for message in client.get_latest_messages():
                        if message.device_name == "Case":
                            states.append(message.string)
                        messages[message.device_name] = message
                    return messages.get(device)
                return once

            scan = wait("IMAGE", look("Scan"), OPERATION_S)
            guide = wait("GuideToRas", look("GuideToRas"), OPERATION_S)
            # The case goes on while we look: a short state may pass between two looks.
            planned = ("PLANNED", "APPROVED", "GRABBED", "MOVING", "HELD", "WIRE")
            seen = lambda: any(word in one for one in states for word in planned) or None
            wait("a plan", lambda: look("Case")() and seen(), OPERATION_S)
        finally:
            client.stop()
        told = subprocess.run([program, "bridge", "ndi", "--connect", f"127.0.0.1:{ndi}", "--json", "--count", "3"],
                              capture_output=True, text=True, timeout=DEADLINE_S, check=True)
        assert len(told.stdout.splitlines()) == 3, told.stdout
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(DEADLINE_S)
    assert all("SIMULATED" in one for one in states), states
    total, size, lps = dicom_volume(next((out / "sites").glob("*/scan-1")))
    assert scan.image.shape == size, (scan.image.shape, size)
    assert int(scan.image.astype(np.int64).sum()) == total
    ras = np.diag([-1, -1, 1, 1]) @ lps
    assert np.allclose(scan.ijk_to_world_matrix, ras, atol=1e-2), (scan.ijk_to_world_matrix, ras)
    middle = ras @ [*(np.array(size[::-1]) / 2), 1]
    reach = np.linalg.norm(guide.matrix[:3, 3] - middle[:3])
    assert reach < 1000, reach
    names = [one.split(":")[0] for one in dict.fromkeys(states)]
    print(f"pyigtl at a running site: {' '.join(dict.fromkeys(names))}; IMAGE is the DICOM scan; NDI answers")


def nobody_else_is_let_in(program):
    run = subprocess.run([program, "bridge", "igtl", "--listen", "0.0.0.0:0"], capture_output=True, text=True,
                         timeout=DEADLINE_S)
    assert run.returncode == 1 and "--lan" in run.stderr, run


def the_cpp_library_agrees(server, scratch):
    """TDATA and STATUS, which pyigtl does not know, by the reference library."""
    peer = scratch / "igtl_peer"
    compiler = shutil.which("g++")
    build = compiler and subprocess.run([compiler, "-O1", "-I", HEADERS, CPP, "-o", peer, "-lOpenIGTLink",
                                         "-lpthread"], capture_output=True, text=True)
    if not build or build.returncode:
        missing = "g++" if not build else "libopenigtlink-dev"
        if build and "igtlClientSocket.h" not in build.stderr:
            raise SystemExit(f"the C++ peer does not compile:\n{build.stderr}")
        print(f"SKIPPED: TDATA and STATUS against the C++ library: there is no {missing} (apt-get install {missing})")
        return
    run = subprocess.run([peer, str(server.port)], capture_output=True, text=True, timeout=DEADLINE_S)
    assert run.returncode == 0, run.stderr
    told = {}
    for line in run.stdout.splitlines():
        kind, at, *rest = line.split()
        if kind == "STATUS":
            assert at == "1" and "SIMULATED" in rest, line
            told["STATUS"] = True
        else:
            name, *numbers = rest
            told.setdefault(kind, {})[at, name] = [float(number) for number in numbers]
    assert told.get("STATUS"), run.stdout
    both = told["TDATA"].keys() & told["TRANSFORM"].keys()
    assert len(both) > 20, run.stdout
    for key in both:
        assert told["TDATA"][key] == told["TRANSFORM"][key], key
    print(f"C++ library: STATUS, and TDATA equal to TRANSFORM in {len(both)} poses")


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    program = sys.argv[1]
    with Server(program) as server:
        transforms_and_tdata_agree(program, server)
        pyigtl_hears_the_same(program, server)
        with tempfile.TemporaryDirectory() as scratch:
            the_cpp_library_agrees(server, Path(scratch))
    the_scan_lies_where_it_lies(program)
    we_read_pyigtl(program)
    nobody_else_is_let_in(program)
    with tempfile.TemporaryDirectory() as scratch:
        a_running_site_shows_its_case(program, Path(scratch))
    print("igtl_peer: all agree")


if __name__ == "__main__":
    main()
