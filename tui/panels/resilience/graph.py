"""The call graph: what is written of services and calls; where they stand and how wires run is the kit's.

The letter in the middle of a wire is the breaker: C closed, O open, H half-open. Behind an open one the wire is
interrupted. Beneath a service stand its workers and its line, beneath an edge its calls and errors.
"""

import re
from collections.abc import Iterator
from typing import Final

from engines import units
from engines.resilience.world.messages import Answer, Outcome
from engines.resilience.world.snapshot import EdgeView, ServiceView, Snapshot
from engines.resilience.world.topology import LINK
from tui.canvas import Canvas, Ink
from tui.glyphs import Glyphs
from tui.kit.parts import Piece, fitting, gathered
from tui.kit.service_graph import Lines, Node, Wire, draw_columns, into
from tui.kit.tables import listed
from tui.kit.words import chip
from tui.panels.resilience import queries
from tui.plot import bar

WIDE: Final = 66
"""Columns from which databases have their whole names."""
LEAST: Final = {True: (0, 6, 12, 12), False: (0, 5, 4, 4)}
"""Columns of clients, edge, services and databases at least, there and below."""
METERS: Final = 11
"""Columns of a service from which workers and line have a bar each."""
BREAKERS: Final = (("C", "closed"), ("O", "open"), ("H", "half-open"))
SIGNS: Final = (("X", "crashed"), ("Z", "frozen"), ("S", "slow"), ("E", "errors"), ("-", "ejected"))


def draw(canvas: Canvas, snapshot: Snapshot, selected: str, glyphs: Glyphs) -> None:
    """Everything; without room for a graph a row an edge. ``selected``: an edge or a service."""
    wide = canvas.width >= WIDE
    columns = [[_node(snapshot, service, wide, glyphs) for service in column] for column in queries.columns(snapshot)]
    wires = [_wire(snapshot, edge) for edge in snapshot.edges]
    if draw_columns(canvas, columns, wires, selected, snapshot.now_us, LEAST[wide], glyphs):
        return
    at = next((place for place, edge in enumerate(snapshot.edges) if edge.id == selected), -1)
    for y, edge, mine in listed(canvas, snapshot.edges, at, glyphs):
        letter, _, ink, _ = queries.look(edge)
        canvas.put(1, y, letter, chip(ink) if edge.breaker else "dim")
        x = canvas.put(3, y, queries.name(edge.id), "bright" if mine else "text")
        canvas.put(max(x + 1, 16), y, f"{edge.attempts_per_s}/s", "dim")


# -- services ---------------------------------------------------------------------------------------------------------


def _node(snapshot: Snapshot, service: ServiceView, wide: bool, glyphs: Glyphs) -> Node:
    """A service: its name and a letter for what ails it, and what it does beneath that."""
    callers = into(snapshot.edges, service.id)
    brief = not wide and service.layer == "database" and callers
    name = queries.short(callers[0].src, service.id) if brief else service.id
    sign = queries.status(service)
    label = f" {name} {sign}{' ' * wide}" if sign else f" {name} "

    def below(columns: int, rows: int) -> Lines:
        if service.layer == "client":
            return () if snapshot.recorded else _clients(snapshot, columns)[:rows]
        if snapshot.recorded:
            return [[(f" {service.busy} run", "text" if service.busy else "dim")]][:rows]
        return _meters(snapshot, service, columns, len(label), rows, glyphs)

    return Node(service.id, label, queries.service_ink(service), below)


def _clients(snapshot: Snapshot, columns: int) -> list[list[Piece]]:
    rate = f"{snapshot.rate_per_s}/s"
    mean = f"avg {rate}" if snapshot.load is not None and snapshot.load.poisson else ""
    return [[(mean if 0 < len(mean) <= columns else f" {rate}", "text")], [(f" >{snapshot.mix}", "dim")]]


def _meters(
    snapshot: Snapshot, service: ServiceView, columns: int, label: int, rows: int, glyphs: Glyphs
) -> list[list[Piece]]:
    """Workers and line, and the hosts where they are several, in as many rows as there are."""
    if not rows:
        return []
    of, line = f"{service.busy}/{service.workers}", f"q{service.queue}"
    hosts = _hosts(snapshot, service, columns, rows == 1, line) if len(service.hosts) > 1 else None
    rows -= hosts is not None
    found: list[list[Piece]] = []
    if rows and service.workers:
        busy: Ink = "warn" if service.busy >= service.workers else "good"
        ink = queries.line_ink(service, "warn" if service.queue else "dim")
        share = service.busy / service.workers
        if rows == 1:
            cells = max(2, min(6, columns - 3 - len(line)))
            found = [[(" ", "text"), (bar(share, cells, glyphs), busy)]]
            found[0] += [(f" {line}", ink)] if 1 + cells + len(line) < columns else []
        elif columns < METERS:
            said: list[Piece] = [(of if len(of) <= label else f"{service.busy}", "text"), (line, ink)]
            found = [[(" ", "text"), (bar(share, columns - 2, glyphs), busy)]]
            found += [[(" " * (len(text) < label) + text, each)] for text, each in said[rows < 3 :]]
        else:
            cells = max(2, min(5, columns - 9))
            full = service.queue / service.queue_max if service.queue_max else 0.0
            for sign, now, meter, each, text in (("w", service.busy, share, busy, of),
                                                 ("q", service.queue, full, ink, f"{service.queue}")):  # fmt: skip
                found.append([(f" {sign} ", "dim"), (bar(meter, cells, glyphs), each),
                              (f" {text}", "text" if now else "dim")])  # fmt: skip
    if hosts is not None:
        found += [[] for _ in range(min(2, rows) - len(found))]
        found.insert(min(2, rows), hosts)
    return found


def _hosts(snapshot: Snapshot, service: ServiceView, columns: int, alone: bool, line: str) -> list[Piece]:
    """The machines of a service, a character each; ``alone``: the line has no other row."""
    pieces: list[Piece] = [(" ", "text")]
    for host in service.hosts[: columns - 1]:
        sign, ink = queries.host_sign(snapshot, service, host)
        pieces.append((sign, chip(ink) if ink != "good" else ink))
    gap = len(pieces) + 1 + len(line) < columns
    if alone and (gap or (service.queue and len(pieces) + len(line) < columns)):
        pieces.append((" " * gap + line, "warn" if service.queue else "dim"))
    return pieces


# -- edges ------------------------------------------------------------------------------------------------------------


def _wire(snapshot: Snapshot, edge: EdgeView) -> Wire:
    """An edge, its breaker in the middle, and behind that only what it lets through."""
    blocked = edge.blocked
    sent = max(0, edge.attempts_per_s)
    signs = "".join(dict.fromkeys(sign for sign, _ in troubles(edge)))
    return Wire(
        edge.id, edge.src, edge.dst,
        below=lambda columns, rows: _numbers(edge, columns, rows),
        ink=queries.look(edge).ink,
        letter=queries.look(edge).letter if edge.breaker is not None else "",
        asked=max(edge.calls_per_s, sent),
        sent=0 if blocked else sent,
        failing=edge.errors_ppm >= queries.BAD_PPM,
        cut=edge.cut,
        shut=blocked or edge.cut,
        flights=tuple(_flights(snapshot, edge)),
        signs=(signs, "cut" if edge.cut else "slow"),
    )  # fmt: skip


def _flights(snapshot: Snapshot, edge: EdgeView) -> Iterator[tuple[object, bool, Ink]]:
    """Messages that are on the way at this very moment: a request, an answer, an error."""
    for flight in snapshot.flights:
        if flight.src == edge.src and flight.dst in edge.hosts:
            yield flight, True, queries.look(edge).ink
        elif flight.dst == edge.src and flight.src in edge.hosts:
            failed = isinstance(flight.message, Answer) and flight.message.why is not Outcome.OK
            yield flight, False, "error" if failed else "dim"


def troubles(edge: EdgeView) -> tuple[tuple[str, str], ...]:
    """What is wrong with an edge, a letter and a few words each."""
    found = (
        ("x", "cut", edge.cut),
        ("l", f"loss {edge.loss_ppm // 10_000} %", edge.loss_ppm > 0),
        ("d", f"{edge.delay_percent} % +{edge.delay_us // 1000}", edge.delay_percent > 0),
        ("d", f"link {edge.latency_us // 1000}ms", edge.latency_us > LINK.latency_us),
        ("a", f"{edge.abort_percent} % {edge.abort_status}", edge.abort_percent > 0),
        ("u", "shuffled", edge.shuffled_ppm > 0),
    )  # fmt: skip
    return tuple((sign, said) for sign, said, there in found if there)


def _numbers(edge: EdgeView, room: int, rows: int) -> list[list[Piece]]:
    """Attempts a second and errors; with more rows the latency, and what is wrong in words."""
    blocked, errors = edge.blocked, queries.error_ink(edge.errors_ppm)
    said, ink = (f"rej {edge.rejected_per_s}/s", "open") if blocked else (f"{edge.attempts_per_s}/s", "dim")
    rate = f"E{queries.whole(edge.errors_ppm).replace(' ', '')}" if edge.errors_ppm and not blocked else ""
    if rate and len(said) + 1 + len(rate) > room:  # errors, unless there are more attempts than calls
        again = edge.attempts_per_s > edge.calls_per_s
        rate = fitting((rate, rate.removesuffix("%")), room)
        worse = edge.errors_ppm >= queries.GOOD_PPM and rate and not again
        said, rate, ink = ("", rate, ink) if worse else (said, "", errors)
    said = fitting((said, said.removesuffix("/s")), room)
    lines: list[list[Piece]] = [[(said, ink), (" " if said and rate else "", ink), (rate, errors)]]
    if rows > 2 and edge.p99_us > 0:
        lines.append([(latency(edge, room), "dim")])
    if rows > 1:
        lines += [[(words, "slow")] for _, words in troubles(edge)[: rows - 1]]
    return lines[:rows]


def latency(edge: EdgeView, room: int) -> str:
    """The median and the slowest hundredth; the latter alone where there is no room for both; never half a number."""
    slow_us = edge.slowest_us
    if slow_us < 1_000_000:
        both = f"{edge.median_us // 1000}/{slow_us // 1000} ms"
    else:
        both = f"{edge.median_us / 1_000_000:.1f}/{slow_us / 1_000_000:.1f} s"
    slow = units.seconds(slow_us)
    return fitting((both, f"p99 {slow}", slow), room)


# -- what the signs mean ----------------------------------------------------------------------------------------------


def signs(canvas: Canvas, snapshot: Snapshot) -> list[str]:
    """What ails edges and services, each sign with its meaning."""
    found = [f"{sign} {said}" for edge in snapshot.edges for sign, said in troubles(edge)]
    return list(dict.fromkeys([*found, *_letters(canvas, snapshot)]))


def _letters(canvas: Canvas, snapshot: Snapshot) -> list[str]:
    """The letters on services, their hosts and the errors of edges that are there now, each with its meaning."""
    there = {queries.status(service) for service in snapshot.services}
    there |= {queries.host_sign(snapshot, service, host)[0] for service in snapshot.services for host in service.hosts}
    there |= {"E"} if re.search(r"\bE<?\d", canvas.text()) else set()
    return [f"{sign} {word}" for sign, word in SIGNS if sign in there]


def draw_legend(canvas: Canvas, y: int, snapshot: Snapshot) -> None:
    """The letters that stand in the graph now, each with its meaning, in one row that is free."""
    if snapshot.recorded or any(canvas.char_at(x, y) != " " for x in range(canvas.width)):
        return
    letters = {queries.look(edge).letter for edge in snapshot.edges if edge.breaker is not None}
    several = any(len(service.hosts) > 1 for service in snapshot.services)
    found = [f"{letter} {word}" for letter, word in BREAKERS if letter in letters]
    found += _letters(canvas, snapshot)
    found += ["w workers busy"] * (canvas.width >= WIDE) + ["q calls wait"] + ["1 2 .. its instances"] * several
    canvas.put(1, y, gathered((*found, "> call", "< answer"), canvas.width).rstrip(), "dim")
