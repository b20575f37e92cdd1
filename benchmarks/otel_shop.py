"""A shop of five real processes on loopback, instrumented with the OpenTelemetry SDK, with faults that are real.

    python -m benchmarks.otel_shop NAME SERVICE=PORT ... OUT

is one service: it serves HTTP on its port, calls others, and its spans go into OUT/NAME.pb as the SDK's own encoder
writes them (OTLP protobuf; files of several services may be joined). ``POST /fault/KIND`` switches a fault on, ``POST
/fault/none`` off. A service ends when its standard input does, and after a minute in any case: nothing is left behind.

gateway GET /home asks auth, which takes a connection of its pool to users, and then catalog, which asks stock.
"""

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode

HOST: Final = "127.0.0.1"
CALLS: Final = {"gateway": ("auth", "catalog"), "auth": ("users",), "catalog": ("stock",), "users": (), "stock": ()}
ROUTES: Final = {"gateway": "/home", "auth": "/verify", "catalog": "/items", "users": "/select", "stock": "/levels"}
WORK_S: Final = {"gateway": 0.001, "auth": 0.001, "catalog": 0.002, "users": 0.008, "stock": 0.002}
POOL: Final = 8
SLOW_S: Final = 0.06
FAIL: Final = 0.4
TIMEOUT_S: Final = 5.0
LIFE_S: Final = 60


class FileExporter(SpanExporter):
    """Appends every span to a file, at once: what a killed process has answered is there."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("ab", buffering=0)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """One message for these spans."""
        self.file.write(encode_spans(spans).SerializeToString())
        return SpanExportResult.SUCCESS


class Service:
    """One service: its work, its pool, its faults."""

    def __init__(self, name: str, ports: dict[str, int], out: Path) -> None:
        self.name, self.ports = name, ports
        provider = TracerProvider(resource=Resource.create({"service.name": name}))
        provider.add_span_processor(SimpleSpanProcessor(FileExporter(out / f"{name}.pb")))
        self.tracer = provider.get_tracer("shop")
        self.fault = "none"
        self.pool = threading.BoundedSemaphore(POOL)

    def switch(self, fault: str) -> None:
        """A fault on, or none."""
        self.fault = fault
        self.pool = threading.BoundedSemaphore(1 if fault == "pool" else POOL)

    def serve(self, headers: Any) -> int:
        """Answer one request; returns the HTTP status."""
        context = propagate.extract({key.lower(): value for key, value in headers.items()})
        route = ROUTES[self.name]
        with self.tracer.start_as_current_span(f"GET {route}", context, SpanKind.SERVER) as span:
            span.set_attributes({"http.request.method": "GET", "http.route": route})
            status = 200
            try:
                self._work()
            except Exception as error:
                span.record_exception(error)
                status = 502 if isinstance(error, OSError) else 500
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(Status(StatusCode.ERROR))
            span.set_attribute("http.response.status_code", status)
        return status

    def _work(self) -> None:
        time.sleep(WORK_S[self.name] * random.uniform(0.7, 1.3) + (SLOW_S if self.fault == "slow" else 0))
        if self.fault == "errors" and random.random() < FAIL:
            raise RuntimeError("out of stock")
        for name in CALLS[self.name]:
            if self.name == "auth":
                pool = self.pool
                with self.tracer.start_as_current_span("acquire connection"):
                    pool.acquire()
                try:
                    self._call(name)
                finally:
                    pool.release()
            else:
                self._call(name)

    def _call(self, name: str) -> None:
        with self.tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
            span.set_attributes({"server.address": HOST, "server.port": self.ports[name], "peer.service": name})
            headers: dict[str, str] = {}
            if self.fault != "header":
                propagate.inject(headers)
            request = Request(f"http://{HOST}:{self.ports[name]}{ROUTES[name]}", headers=headers)
            try:
                urlopen(request, timeout=TIMEOUT_S).read()
            except HTTPError as error:
                span.set_attributes({"http.response.status_code": error.code, "error.type": str(error.code)})
                span.set_status(Status(StatusCode.ERROR))
                raise
            except OSError as error:
                reason = getattr(error, "reason", error)
                span.set_attribute("error.type", type(reason).__name__)
                span.set_status(Status(StatusCode.ERROR))
                raise


def handler_of(service: Service) -> type[BaseHTTPRequestHandler]:
    """The HTTP side of a service."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._end(service.serve(self.headers))

        def do_POST(self) -> None:
            service.switch(self.path.rpartition("/")[2])
            self._end(200)

        def _end(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


def main(name: str, ports: Sequence[str], out: str) -> None:
    """Serve until standard input ends."""
    known = {each.partition("=")[0]: int(each.partition("=")[2]) for each in ports}
    signal.alarm(LIFE_S)
    server = ThreadingHTTPServer((HOST, known[name]), handler_of(Service(name, known, Path(out))))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    trace.set_tracer_provider(TracerProvider())
    main(sys.argv[1], sys.argv[2:-1], sys.argv[-1])
