"""Checks the audit log of telehand with pymerkle, hashlib, hmac and cryptography: roots, proofs, signed checkpoints,
witnesses' cosignatures, commitments. Shares no code with telehand.

    log_vectors | python log_check.py
"""

import base64
import hashlib
import hmac
import json
import sys
from collections import Counter

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pymerkle import InclusionProof, InmemoryTree, InvalidProof


def expect(holds, what, line):
    if not holds:
        raise SystemExit(f"log_check: {what}: {json.dumps(line)[:400]}")


def refuses(check, what, line):
    try:
        check()
    except (InvalidProof, InvalidSignature):
        return
    raise SystemExit(f"log_check: {what} was accepted: {json.dumps(line)[:400]}")


def consistent(tree, old, new, proof):
    """RFC 9162, section 2.1.4.2, with pymerkle's roots and hashing."""
    if old == new:
        return not proof
    if old & (old - 1) == 0:
        proof = [tree.get_root(old)] + proof
    if not proof:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    older = newer = proof[0]
    for sibling in proof[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            older, newer = tree.hash_pair(sibling, older), tree.hash_pair(sibling, newer)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            newer = tree.hash_pair(newer, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and older == tree.get_root(old) and newer == tree.get_root(new)


def key_of(text, kind):
    """Key id and public key of a C2SP verifier key `name+hash+base64`."""
    name, key_id, key = text.split("+", 2)
    key = base64.b64decode(key, validate=True)
    digest = hashlib.sha256(name.encode() + b"\n" + key).hexdigest()
    if key[0] != kind or digest[:8] != key_id:
        raise SystemExit(f"log_check: {text} is no verifier key of type {kind}")
    return name, bytes.fromhex(key_id), Ed25519PublicKey.from_public_bytes(key[1:])


def check_checkpoint(line):
    text, _, signatures = line["note"].rpartition("\n\n")
    text += "\n"
    origin, size, root = text.splitlines()
    expect(int(size) == line["size"] and base64.b64decode(root).hex() == line["root"], "checkpoint", line)
    blobs = dict(s.removeprefix("\u2014 ").split(" ") for s in signatures.splitlines())
    name, key_id, key = key_of(line["log_key"], 1)
    blob = base64.b64decode(blobs[name], validate=True)
    expect(name == origin and blob[:4] == key_id, "key id", line)
    key.verify(blob[4:], text.encode())
    refuses(lambda: key.verify(blob[4:], text.encode() + b"\n"), "another text", line)
    name, key_id, key = key_of(line["witness_key"], 4)
    blob = base64.b64decode(blobs[name], validate=True)
    time = int.from_bytes(blob[4:12], "big")
    expect(blob[:4] == key_id and time == 1_800_000_000, "cosignature's head", line)
    key.verify(blob[12:], f"cosignature/v1\ntime {time}\n{text}".encode())


def check_inclusion(tree, line):
    index, size = line["index"] + 1, line["size"]
    proof = [bytes.fromhex(h) for h in line["proof"]]
    theirs = tree.prove_inclusion(index, size)
    leaf, root = tree.get_leaf(index), tree.get_root(size)
    expect(theirs.path == [leaf] + proof, "inclusion path", line)
    InclusionProof("sha256", True, size, index, theirs.rule, [leaf] + proof).verify(leaf, root, index, size)
    if proof:
        changed = [leaf] + proof[:-1] + [proof[-1][::-1]]
        wrong = InclusionProof("sha256", True, size, index, theirs.rule, changed)
        refuses(lambda: wrong.verify(leaf, root, index, size), "a changed proof", line)


def main():
    tree, counts = InmemoryTree(algorithm="sha256"), Counter()
    for line in map(json.loads, sys.stdin):
        counts[line["kind"]] += 1
        match line["kind"]:
            case "leaf":
                tree.append_entry(bytes.fromhex(line["leaf"]))
                expect(tree.get_size() == line["size"], "size", line)
                expect(tree.get_root().hex() == line["root"], "root", line)
            case "checkpoint":
                check_checkpoint(line)
            case "inclusion":
                check_inclusion(tree, line)
            case "consistency":
                proof = [bytes.fromhex(h) for h in line["proof"]]
                expect(consistent(tree, line["old"], line["size"], proof), "consistency", line)
                expect(not consistent(tree, line["old"], line["size"], proof + [bytes(32)]), "a longer proof", line)
            case "commitment":
                salt, value = bytes.fromhex(line["salt"]), bytes.fromhex(line["value"])
                code = hmac.new(salt, value, "sha256").hexdigest()
                expect(hmac.compare_digest(code, line["commitment"]), "commitment", line)
    for kind in ("leaf", "checkpoint", "inclusion", "consistency", "commitment"):
        expect(counts[kind] > 0, f"no line of kind {kind}", {})
    del counts["grant"]
    print("log_check: pymerkle agrees:", ", ".join(f"{n} of {kind}" for kind, n in counts.items()))


main()
