#!/usr/bin/env python3
"""Sends CT images between `telehand` and pynetdicom, in both directions.

usage: dicom_network.py TELEHAND
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pydicom
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGLSLossless
from pynetdicom import AE, evt
from pynetdicom.sop_class import MRImageStorage, Verification

sys.path.insert(0, str(Path(__file__).parent))
from dicom_compare import make  # noqa: E402


def receive_from_pynetdicom(program, scratch):
    received = scratch / "received"
    process = subprocess.Popen([program, "ortho", "receive", received, "--listen", "127.0.0.1:0", "--ae-title",
                                "PLANNER"], stdout=subprocess.PIPE, text=True)
    try:
        listening = json.loads(process.stdout.readline())
        host, port = listening["address"].rsplit(":", 1)
        ae = AE(ae_title="CTSCANNER")
        ae.add_requested_context(Verification)
        ae.add_requested_context(CTImageStorage, [ExplicitVRLittleEndian])
        ae.add_requested_context(CTImageStorage, [ImplicitVRLittleEndian])
        ae.add_requested_context(CTImageStorage, [JPEGLSLossless])
        ae.add_requested_context(MRImageStorage, [ExplicitVRLittleEndian])
        association = ae.associate(host, int(port), ae_title="PLANNER")
        assert association.is_established
        assert [c.abstract_syntax for c in association.rejected_contexts] == [MRImageStorage]
        assert association.send_c_echo().Status == 0
        sent = 0
        for name in ("plain", "implicit", "jpeg-ls"):
            for path in sorted((scratch / name).iterdir()):
                status = association.send_c_store(pydicom.dcmread(path))
                assert status.Status == 0, status
                sent += 1
        # an object whose data set lies about its instance
        wrong = pydicom.dcmread(next((scratch / "plain").iterdir()))
        wrong.SOPInstanceUID = "1.2.3"
        wrong.SeriesInstanceUID = ""
        assert association.send_c_store(wrong).Status == 0xA900
        association.release()
        lines = [json.loads(process.stdout.readline()) for _ in range(sent + 2)]
        assert lines[-1] == {"event": "ended", "from": "CTSCANNER", "stored_n": sent, "refused_n": 1,
                             "complete": True}, lines[-1]
        refused = ae.associate(host, int(port), ae_title="SOMEBODY")
        assert refused.is_rejected
        for name in ("plain", "implicit", "jpeg-ls"):
            for path in (scratch / name).iterdir():
                ours = pydicom.dcmread(path)
                theirs = pydicom.dcmread(received / ours.SeriesInstanceUID / f"{ours.SOPInstanceUID}.dcm")
                assert theirs == ours, path
                assert theirs.file_meta.TransferSyntaxUID == ours.file_meta.TransferSyntaxUID
                assert (theirs.pixel_array == ours.pixel_array).all()
        print(f"pynetdicom to telehand: {sent} objects equal, in 3 transfer syntaxes")
    finally:
        process.terminate()
        assert process.wait(60) == 0


def send_to_pynetdicom(program, scratch, syntaxes, *options):
    stored = []

    def store(event):
        dataset = event.dataset
        dataset.file_meta = event.file_meta
        stored.append(dataset)
        return 0

    ae = AE(ae_title="ARCHIVE")
    ae.require_called_aet = True
    ae.add_supported_context(Verification)
    ae.add_supported_context(CTImageStorage, syntaxes)
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
    try:
        to = f"127.0.0.1:{server.socket.getsockname()[1]}"
        subprocess.run([program, "ortho", "send", "--echo", "--to", to, "--called", "ARCHIVE"], check=True)
        wrong = subprocess.run([program, "ortho", "send", "--echo", "--to", to, "--called", "OTHER"],
                               capture_output=True, text=True)
        assert wrong.returncode and "OTHER" in wrong.stderr
        subprocess.run([program, "ortho", "send", scratch / "plain", "--to", to, "--called", "ARCHIVE", *options],
                       check=True)
        ours = {d.SOPInstanceUID: d for d in map(pydicom.dcmread, (scratch / "plain").iterdir())}
        assert len(stored) == len(ours)
        for theirs in stored:
            assert (theirs.pixel_array == ours[theirs.SOPInstanceUID].pixel_array).all()
            assert theirs.file_meta.TransferSyntaxUID in syntaxes
            assert list(theirs.ImagePositionPatient) == list(ours[theirs.SOPInstanceUID].ImagePositionPatient)
    finally:
        server.shutdown()
    print(f"telehand to pynetdicom: {len(stored)} objects equal, {[s.name for s in syntaxes]}")


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        make(scratch / "plain", seed=1)
        make(scratch / "implicit", seed=2, syntax=ImplicitVRLittleEndian)
        make(scratch / "jpeg-ls", seed=3, syntax=JPEGLSLossless)
        receive_from_pynetdicom(sys.argv[1], scratch)
        send_to_pynetdicom(sys.argv[1], scratch, [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
        send_to_pynetdicom(sys.argv[1], scratch, [ImplicitVRLittleEndian])
        send_to_pynetdicom(sys.argv[1], scratch, [JPEGLSLossless], "--compress")
    print("dicom_network: both directions equal")


if __name__ == "__main__":
    main()
