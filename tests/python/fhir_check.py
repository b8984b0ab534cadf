"""Validates the FHIR export with fhir.resources (R4B models: the same as R4 for what is exported).

usage: fhir_export | fhir_check.py
Reads one resource a line. Fails on any that is not valid, and when a kind that must be there is missing.
Proves that it can fail: resources with planted faults must be refused.
"""

import json
import sys
from collections import Counter
from importlib import import_module

MUST = {
    "Organization", "Location", "Practitioner", "PractitionerRole", "Device", "Endpoint", "ServiceRequest",
    "Task", "Schedule", "Slot", "Appointment", "Consent", "Procedure", "Observation", "DocumentReference",
    "AdverseEvent", "AuditEvent", "Provenance", "CapabilityStatement", "Bundle", "OperationOutcome",
}


def model(kind):
    return getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)


def faults(resource):
    try:
        model(resource["resourceType"]).model_validate(resource)
    except Exception as why:  # whatever the library raises is a fault of the resource
        return str(why)
    return None


def planted(good):
    """The same resource with a fault of each kind that the library can find."""
    yield {**good, "inventedProperty": 1}
    yield {**good, "start": "tomorrow"}
    yield {key: value for key, value in good.items() if key != "participant"}


def main():
    counts, wrong, appointment = Counter(), 0, None
    for line in sys.stdin:
        resource = json.loads(line)
        counts[resource["resourceType"]] += 1
        if resource["resourceType"] == "Appointment" and resource["status"] == "booked":
            appointment = resource
        if why := faults(resource):
            wrong += 1
            if wrong <= 5:
                print(f"{resource['resourceType']}/{resource['id']}: {why}\n{line}", file=sys.stderr)
    missing = MUST - counts.keys()
    if missing:
        sys.exit(f"not exported: {sorted(missing)}")
    if appointment is None:
        sys.exit("no booked appointment was exported")
    missed = [fault for fault in planted(appointment) if not faults(fault)]
    if missed:
        sys.exit(f"{len(missed)} planted faults were not found")
    if wrong:
        sys.exit(f"{wrong} of {sum(counts.values())} resources are not valid")
    print(f"FHIR: {sum(counts.values())} resources of {len(counts)} kinds are valid (fhir.resources, R4B)")


main()
