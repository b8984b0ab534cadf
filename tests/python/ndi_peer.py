#!/usr/bin/env python3
"""NDI's own client library (ndicapi) against the tracker that `telehand` emulates, and our client beside it.

usage: ndi_peer.py TELEHAND
"""
import json
import math
import subprocess
import sys
import threading
import time

import ndicapy

DEADLINE_S = 60
TOOLS = 4


def command(device, text):
    """The reply; an error is raised by the library."""
    reply = ndicapy.ndiCommand(device, text)
    assert ndicapy.ndiGetError(device) == ndicapy.NDI_OKAY, text
    return reply


def set_up(port):
    device = ndicapy.ndiOpenNetwork("127.0.0.1", port)
    assert device, "ndicapi cannot connect"
    command(device, "INIT:")
    version = command(device, "VER:4")
    assert "SIMULATED" in version, version
    command(device, "PHSR:02")
    handles = [ndicapy.ndiGetPHSRHandle(device, k) for k in range(ndicapy.ndiGetPHSRNumberOfHandles(device))]
    assert len(handles) == TOOLS, handles
    for handle in handles:
        command(device, f"PINIT:{handle:02X}")
        command(device, f"PENA:{handle:02X}D")
    command(device, "PHSR:04")
    assert ndicapy.ndiGetPHSRNumberOfHandles(device) == TOOLS
    # a passive tool of which there is none: a handle, but nothing is seen
    command(device, "PHRQ:*********1****")
    extra = ndicapy.ndiGetPHRQHandle(device)
    assert extra not in handles, extra
    command(device, f"PHF:{extra:02X}")
    command(device, "TSTART:")
    return device, handles


def told_by(device, handles, how):
    """Poses by frame and handle: quaternion, millimetres, error in millimetres."""
    transform, frame = {
        "TX": (ndicapy.ndiGetTXTransform, ndicapy.ndiGetTXFrame),
        "BX": (ndicapy.ndiGetBXTransform, ndicapy.ndiGetBXFrame),
    }[how]
    seen = {}
    end = time.monotonic() + DEADLINE_S
    while len(seen) < 200:
        assert time.monotonic() < end, f"{how}: {len(seen)} poses within {DEADLINE_S} s"
        try:
            command(device, f"{how}:0001")
        except UnicodeDecodeError:
            # the library has read the binary reply; only its Python side takes every reply for text
            assert how == "BX"
        for handle in handles:
            pose = transform(device, bytes([handle]))
            if not isinstance(pose, str):
                seen[frame(device, bytes([handle])), handle] = pose
    return seen


def ours(address, program, count):
    run = subprocess.run([program, "bridge", "ndi", "--connect", address, "--json", "--count", str(count)],
                         capture_output=True, text=True, timeout=DEADLINE_S, check=True)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(lines) == count
    return {(line["frame"], line["handle"]): line for line in lines if line["seen"]}


def wait_for(seen):
    end = time.monotonic() + DEADLINE_S
    while not seen():
        assert time.monotonic() < end, f"our client shows nothing more within {DEADLINE_S} s"
        time.sleep(0.005)


def rows(quaternion):
    w, x, y, z = quaternion
    return [[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]]


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    program = sys.argv[1]
    server = subprocess.Popen([program, "bridge", "ndi", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE,
                              text=True)
    try:
        listening = json.loads(server.stdout.readline())
        address = listening["address"]
        assert listening["label"] == "SIMULATED", listening
        device, handles = set_up(int(address.rsplit(":", 1)[1]))
        # our client reads beside ndicapi, so that both see the same frames
        beside = subprocess.Popen([program, "bridge", "ndi", "--connect", address, "--json"],
                                  stdout=subprocess.PIPE, text=True)
        lines = []
        # in a thread of its own: a full pipe would hold our client up
        reader = threading.Thread(target=lambda: lines.extend(map(json.loads, beside.stdout)), daemon=True)
        reader.start()
        wait_for(lambda: lines)
        theirs = told_by(device, handles, "TX")
        binary = told_by(device, handles, "BX")
        last = max(frame for frame, _ in binary)
        wait_for(lambda: lines[-1]["frame"] > last)
        beside.terminate()
        beside.wait(DEADLINE_S)
        reader.join(DEADLINE_S)
        mine = {(line["frame"], line["handle"]): line for line in lines if line["seen"]}
        for how, poses in (("TX", theirs), ("BX", binary)):
            both = poses.keys() & mine.keys()
            assert len(both) > 50, (how, len(both), len(poses), len(mine))
            for key in both:
                pose, line = poses[key], mine[key]
                assert math.dist(pose[4:7], line["translation_mm"]) < 0.02, (how, key, pose, line)
                for theirs_row, my_row in zip(rows(pose[:4]), line["rotation"], strict=True):
                    assert math.dist(theirs_row, my_row) < 5e-4, (how, key, pose, line)
            print(f"ndicapi {how}: {len(both)} poses of {len(handles)} tools are those that our client reads")
        assert ours(address, program, 40), "our client sees nothing"
        command(device, "TSTOP:")
        try:
            command(device, "TX:0001")
            raise SystemExit("it goes on after TSTOP")
        except OSError as refused:
            assert "0x0c" in str(refused), refused
        ndicapy.ndiCloseNetwork(device)
    finally:
        server.terminate()
        assert server.wait(DEADLINE_S) == 0, "the server did not end well"
    print("ndi_peer: all agree")


if __name__ == "__main__":
    main()
