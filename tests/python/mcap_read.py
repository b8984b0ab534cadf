"""Reads recordings with the mcap project's own reader: every message is JSON and fits its schema's keys.

usage: mcap_read.py FILE...
"""

import argparse
import collections
import json
import struct
import sys

from mcap.exceptions import McapError
from mcap.reader import NonSeekingReader, make_reader


def fault(schema, channel, message):
    """What is wrong with one message, or None."""
    if channel.message_encoding != "json":
        return f"is encoded as {channel.message_encoding!r}"
    if schema is None or schema.encoding != "jsonschema":
        return "has no JSON schema"
    try:
        body = json.loads(message.data)
        wanted = json.loads(schema.data)
    except ValueError as error:
        return f"is no JSON: {error}"
    if not isinstance(body, dict):
        return "is no JSON object"
    missing = set(wanted.get("required", ())) - set(body)
    unknown = set(body) - set(wanted.get("properties", ()))
    if missing or unknown:
        return f"lacks {sorted(missing)} and has beyond its schema {sorted(unknown)}"
    return None


def read(path):
    """Counts by topic; raises ValueError for a message that is not what its topic says."""
    counts = collections.Counter()
    schemas = {}
    with open(path, "rb") as file:
        # With checksums. A recording whose process was killed has no index: read it as a stream.
        summary = None
        try:
            summary = make_reader(file, validate_crcs=True).get_summary()
        except McapError:
            print(f"{path}: no index; its process was killed")
        file.seek(0)
        messages = NonSeekingReader(file, validate_crcs=True).iter_messages(log_time_order=False)
        try:
            for schema, channel, message in messages:
                wrong = fault(schema, channel, message)
                if wrong:
                    number = counts[channel.topic]
                    raise ValueError(f"message {number} on {channel.topic} {wrong}")
                if schemas.setdefault(channel.topic, schema.name) != schema.name:
                    raise ValueError(f"{channel.topic} has two schemas")
                counts[channel.topic] += 1
        except (McapError, struct.error, OverflowError):
            # The reader ends so where a file is cut short.
            if summary is not None:
                raise
    if not counts:
        raise ValueError("holds no messages")
    if summary is not None and summary.statistics.message_count != sum(counts.values()):
        said = summary.statistics.message_count
        raise ValueError(f"its index says {said} messages, {sum(counts.values())} were read")
    return counts, schemas


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("files", nargs="+", metavar="FILE")
    failed = False
    for path in options.parse_args().files:
        try:
            counts, schemas = read(path)
        except (OSError, ValueError, McapError) as error:
            print(f"{path}: FAILED: {error}")
            failed = True
            continue
        print(f"{path}: {sum(counts.values())} messages")
        for topic, count in sorted(counts.items()):
            print(f"{count:>10}  {topic}  {schemas[topic]}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
