"""Tells what a file holds from its content: a name says little, and a pipe has none.

The first bytes tell JSON from protobuf. That needs care: the newline that may stand ahead of a JSON document is also
the first byte of every OTLP protobuf file (field 1, length-delimited), so what follows decides: a JSON object goes on
with a quote, a bracket or its end. Among JSON documents the keys tell.
"""

import re
from enum import StrEnum
from typing import Final

HEAD_BYTES: Final = 4096
"""How much of the file ``tell`` wants to see."""


class Format(StrEnum):
    """What is read and written."""

    OTLP_JSON = "otlp-json"
    OTLP_LINES = "otlp-lines"
    OTLP_PROTOBUF = "otlp-protobuf"
    JAEGER = "jaeger"
    ZIPKIN = "zipkin"

    @property
    def label(self) -> str:
        """For people."""
        return _TITLES[self]


_TITLES: Final = {
    Format.OTLP_JSON: "OTLP JSON",
    Format.OTLP_LINES: "OTLP JSON by lines",
    Format.OTLP_PROTOBUF: "OTLP protobuf",
    Format.JAEGER: "Jaeger JSON",
    Format.ZIPKIN: "Zipkin v2 JSON",
}
ACCEPTED: Final = "OTLP JSON (an object or lines), OTLP protobuf, Jaeger JSON and Zipkin v2 JSON are accepted"

_JSON: Final = re.compile(rb"[ \t\r\n]*(\{[ \t\r\n]*([\"}]|$)|\[[ \t\r\n]*([\"{\[\]\-0-9tfn]|$))")
_FIRST_FIELD: Final = 0x0A
"""Field 1 of TracesData, length-delimited: a ResourceSpans."""
_INNER_FIELDS: Final = (0x0A, 0x12, 0x1A)
"""Of a ResourceSpans: resource, scope_spans, schema_url."""


def is_json(head: bytes) -> bool:
    """Does it begin like an object or a list?"""
    return _JSON.match(head) is not None


def is_protobuf(head: bytes) -> bool:
    """Does it begin like a ResourceSpans, perhaps with the collector's length of four bytes in front?"""
    if head[:1] == b"\0" and head[4:5] == bytes([_FIRST_FIELD]):
        head = head[4:]
    if head[:1] != bytes([_FIRST_FIELD]):
        return False
    at = 1
    while at < len(head) and head[at] & 0x80:
        at += 1
    return at < 6 and at < len(head) and (head[at] == 0 or head[at + 1 : at + 2] in map(_byte, _INNER_FIELDS))


def _byte(number: int) -> bytes:
    return bytes([number])


def compressed(head: bytes) -> str:
    """By what the file is compressed; empty if it is not."""
    for magic, name in (
        (b"\x1f\x8b", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"PK\x03\x04", "zip"),
        (b"BZh", "bzip2"),
    ):
        if head.startswith(magic):
            return name
    return ""


DECISIVE: Final = {
    "resourceSpans": Format.OTLP_JSON,
    "batches": Format.OTLP_JSON,
    "data": Format.JAEGER,
    "spans": Format.JAEGER,
    "processes": Format.JAEGER,
    "traceID": Format.JAEGER,
    "traceId": Format.ZIPKIN,
    "localEndpoint": Format.ZIPKIN,
    "parentId": Format.ZIPKIN,
    "id": Format.ZIPKIN,
}
"""Keys of a document that only one format has."""
WRAPPERS: Final = ("result", "trace")
"""Keys under which Jaeger's newer API and Tempo's second one put an OTLP document."""
OTHER_SIGNALS: Final = ("resourceLogs", "resourceMetrics", "resourceProfiles")
"""What a collector writes into the same file: no traces, passed over."""


def hint(keys: list[str]) -> str:
    """What to say of a document without a decisive key."""
    if "resource_spans" in keys:
        return "resource_spans: OTLP JSON writes resourceSpans"
    if "hits" in keys or "_source" in keys:
        return (
            "documents of Elasticsearch, where Jaeger keeps its spans: ask Jaeger for the trace instead, "
            f"at /api/traces/ID. {ACCEPTED}"
        )
    if "transaction" in keys or "@timestamp" in keys:
        return f"documents of an Elastic APM server, which are no trace format: {ACCEPTED}"
    found = ", ".join(ascii(key[:20])[1:-1] for key in keys[:5]) or "no keys"
    return f"no trace data in an object with {found}: {ACCEPTED}"
