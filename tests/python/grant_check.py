"""Reads a session grant of telehand with pycose and with cwt: COSE_Sign of two Ed25519 signers over CWT claims.
Shares no code with telehand.

    log_vectors | python grant_check.py
"""

import hashlib
import json
import sys

import cbor2
from cwt import COSE, COSEKey
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import CoseMessage, SignMessage

ROLES = {"control": 1, "standby": 2, "mentor": 3, "observe": 4}


def expect(holds, what):
    if not holds:
        raise SystemExit(f"grant_check: {what}")


def thumbprint(key):
    """RFC 9679, section 4."""
    return hashlib.sha256(cbor2.dumps({1: 1, -1: 6, -2: key}, canonical=True)).digest()


def with_pycose(token, keys):
    message = CoseMessage.decode(token)
    expect(isinstance(message, SignMessage) and len(message.signers) == 2, "not COSE_Sign with two signers")
    for signer, key in zip(message.signers, keys):
        signer.key = OKPKey(crv=Ed25519, x=key)
        expect(signer.verify_signature(), "pycose does not verify a signature")
        signer.key = OKPKey(crv=Ed25519, x=keys[0] if key != keys[0] else keys[1])
        expect(not signer.verify_signature(), "pycose verifies with the other's key")
    return message.payload


def with_cwt(token, keys):
    for key in keys:
        cose_key = COSEKey.new({1: 1, 2: thumbprint(key), 3: -8, -1: 6, -2: key})
        payload = COSE.new().decode(token, keys=[cose_key])
    return payload


def check_claims(claims, told, console):
    expect(claims[1] == told["hub"] and claims[2] == told["session"], "iss, sub")
    expect(claims[3] == told["robot_serial"] and claims[7] == told["id"].encode(), "aud, cti")
    expect(claims[4] - claims[5] == 30 * 3600 and claims[5] - claims[6] == 3600, "exp, nbf, iat")
    expect(claims[8] == {5: thumbprint(console)}, "cnf")
    expect(claims[8][5].hex() == told["console_key"], "thumbprint")
    expect(claims[-70001] == {who: ROLES[role] for who, role in told["people"].items()}, "roles")
    expect(claims[-70002] == told["procedure"] and claims[-70003] == told["robot_model"], "procedure, model")
    expect(claims[-70004] == [told["robot_firmware"]["from"], told["robot_firmware"]["to"]], "firmware")
    expect(claims[-70005] == told["site"] and claims[-70006] == told["rtt_max_us"], "site, rtt_max")
    expect(claims[-70007].hex() == told["consent_hash"] and claims[-70008].hex() == told["plan_hash"], "hashes")
    expect(claims[-70009] == told["epoch_base"] and claims[-70011] == told["case"], "epoch, case")
    expect(claims[-70010] == [told["log"]["size"], bytes.fromhex(told["log"]["root"])], "log head")
    expect(len(claims) == 19, "number of claims")


def main():
    lines = [line for line in map(json.loads, sys.stdin) if line["kind"] == "grant"]
    expect(lines, "no grant on the standard input")
    for line in lines:
        token = bytes.fromhex(line["grant"])
        keys = [bytes.fromhex(line["hub_key"]), bytes.fromhex(line["site_key"])]
        payload = with_pycose(token, keys)
        expect(with_cwt(token, keys) == payload, "cwt reads another payload")
        claims = cbor2.loads(payload)
        expect(cbor2.dumps(claims, canonical=True) == payload or sorted_bytewise(claims) == payload, "not deterministic")
        check_claims(claims, line["claims"], bytes.fromhex(line["console_key"]))
    print(f"grant_check: pycose and cwt agree on {len(lines)} grant, 19 claims, 2 signatures")


def sorted_bytewise(value):
    """Deterministic CBOR of RFC 8949, section 4.2.1: cbor2's canonical form sorts keys by length first."""
    if isinstance(value, dict):
        items = sorted((cbor2.dumps(k), sorted_bytewise(v)) for k, v in value.items())
        return head(5, len(items)) + b"".join(k + v for k, v in items)
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(sorted_bytewise, value))
    return cbor2.dumps(value)


def head(major, n):
    return bytes([major << 5 | n]) if n < 24 else bytes([major << 5 | 24, n])


main()
