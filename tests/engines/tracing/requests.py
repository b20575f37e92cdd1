"""Many requests through web > auth > db, in which one thing makes the slow ones slow."""

from collections.abc import Callable, Iterable
from typing import Final

from engines.tracing.cohorts import Book
from engines.tracing.critical import critical_path
from engines.tracing.spans import NS_PER_US, Attributes, Kind, Span
from engines.tracing.tree import build

MS: Final = 1_000


class Request:
    """Writes down the spans of one request as it goes along; times in microseconds."""

    def __init__(self, number: int, now_us: int = 0) -> None:
        self.trace_id = f"{number + 1:032x}"
        self.now_us = now_us
        self.spans: list[Span] = []

    def spend(
        self,
        service: str,
        name: str,
        kind: Kind,
        inside: Callable[[str], None] | int,
        parent: str = "",
        attributes: Attributes = (),
    ) -> None:
        """A span around what ``inside`` does with its id, or of that many microseconds."""
        place = len(self.spans)
        span_id = f"{place + 1:016x}"
        start = self.now_us
        made = Span(self.trace_id, span_id, parent, name, service, kind, attributes=attributes)
        self.spans.append(made)
        if isinstance(inside, int):
            self.now_us += inside
        else:
            inside(span_id)
        self.spans[place] = made._replace(start_ns=start * NS_PER_US, end_ns=self.now_us * NS_PER_US)


def login(
    number: int,
    pool_us: int = 0,
    db_us: int = 4 * MS,
    web_queue_us: int = 0,
    auth_us: int = 2 * MS,
    wait_name: str = "acquire connection",
    sights: Attributes = (),
    host: str = "h1",
) -> list[Span]:
    """web GET /login > auth GET /token > its pool, then its database."""
    request = Request(number, number * 10_000 * MS)

    def web(own: str) -> None:
        if web_queue_us:
            request.spend(
                "web", "queue wait", Kind.INTERNAL, web_queue_us, own, (("workers.busy", 8), ("workers.max", 8))
            )
        request.now_us += 1 * MS
        request.spend("web", "GET", Kind.CLIENT, call, own, (("server.address", "auth"),))
        request.now_us += 1 * MS

    def call(own: str) -> None:
        request.spend("auth", "GET /token", Kind.SERVER, auth, own, (("host.name", host),))

    def auth(own: str) -> None:
        request.now_us += auth_us
        if pool_us:
            request.spend("auth", wait_name, Kind.INTERNAL, pool_us, own, sights)
        request.spend("auth", "SELECT", Kind.CLIENT, query, own)

    def query(own: str) -> None:
        request.spend("auth-db", "SELECT tokens", Kind.SERVER, db_us, own)

    request.spend("web", "GET /login", Kind.SERVER, web)
    return request.spans


def book_of(traces: Iterable[list[Span]]) -> Book:
    """A book in which these traces stand."""
    book = Book()
    for spans in traces:
        tree = build(spans)
        book.add(tree, critical_path(tree))
    return book
