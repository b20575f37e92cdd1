"""The user's own cluster: a trace of a real etcd-io/raft node set, judged, or as a run to step through."""

from typing import Any, Final

import click

from engines.consensus.etcd_servers import TracedCluster
from engines.consensus.etcd_trace import TraceReader
from engines.consensus.recorded import VARIANT, Trace, source_of
from engines.errors import UserError
from engines.sim.digest import Digest
from engines.units import span
from tui.kit.words import plural
from tui.options import DataOptions
from tui.progress import Progress
from tui.userdata.common import (
    Hashed,
    Opening,
    check_lines,
    echo_json,
    head_json,
    name_of,
    open_data,
    size_of,
)

MINE: Final = ("--skip-bad",)


def _accept(options: DataOptions) -> None:
    others = [name for name in options.given if name not in MINE]
    if options.nodes is not None:
        others.insert(0, "--nodes")
    if others:
        raise UserError(f"{others[0]}: a trace takes {', '.join(MINE)}")


def read(file: str, options: DataOptions) -> tuple[Trace, TraceReader, str]:
    """The trace, how it was read, and its SHA-256."""
    _accept(options)
    name = name_of(file)
    with Progress(name, "bytes", size_of(file)) as progress, open_data(file) as stream:
        hashed = Hashed(stream, progress)
        reader = TraceReader(hashed.stream, name, skip_bad=options.skip_bad)
        trace = Trace(reader)
    return trace, reader, hashed.sha256


def report(file: str, options: DataOptions, as_json: bool) -> bool:
    """Print who led when, and whether Raft's guarantees hold."""
    trace, reader, _ = read(file, options)
    cluster, digest = TracedCluster(), Digest()
    leaders: list[tuple[int, str, int]] = []
    for number, (at_us, event) in enumerate(zip(trace.at, trace.events, strict=True), 1):
        cluster.take(event, number, at_us)
        if event.name == "BecomeLeader":
            leaders.append((at_us, event.node, event.term))
    digest.feed([(number, *event[1:]) for number, event in enumerate(trace.events)])
    checks = cluster.results()
    closed = digest.close(tuple((check.name, check.ok) for check in checks))
    span_us = trace.at[-1]
    if as_json:
        head = head_json("consensus", "recorded", span_us, len(trace), closed, checks)
        head["snapshot"] = _summary(cluster, trace, reader, name_of(file))
        head["servers"] = list(trace.names)
        echo_json(head)
    else:
        click.echo("\n".join(_lines(cluster, trace, reader, leaders, name_of(file), closed) + check_lines(checks)))
    return all(check.ok for check in checks)


def _summary(cluster: TracedCluster, trace: Trace, reader: TraceReader, name: str) -> dict[str, Any]:
    return {
        "file": name,
        "skipped": reader.skipped,
        "passed": reader.passed,
        "servers": [
            {"name": each.id, "role": each.role, "term": each.term, "commit": each.commit, "last_index": each.last,
             "voters": list(each.voters), "outgoing": list(each.outgoing)}
            for each in (cluster.servers[name] for name in trace.names if name in cluster.servers)
        ],
    }  # fmt: skip


def _lines(
    cluster: TracedCluster, trace: Trace, reader: TraceReader, leaders: list[tuple[int, str, int]], name: str,
    digest: str,
) -> list[str]:  # fmt: skip
    bad = f", {plural(reader.skipped, 'bad line')} skipped" if reader.skipped else ""
    other = f", {plural(reader.passed, 'line')} of something else passed over" if reader.passed else ""
    lines = [
        f"{plural(len(trace), 'event')} of {plural(len(trace.names), 'server')} ({', '.join(trace.names)}) in "
        f"{span(trace.at[-1])} of {name}{bad}{other}",
        f"digest {digest}",
        "",
        f"{'server':>8}  {'role':12}{'term':>6}{'commit':>9}{'last':>9}  voters",
    ]
    for server in (cluster.servers[each] for each in trace.names if each in cluster.servers):
        lines.append(
            f"{server.id:>8}  {server.role:12}{server.term:>6}{server.commit:>9,}{server.last:>9,}  "
            f"{server.configuration}"
        )
    lines += ["", f"{'at':>12}  leader"]
    lines += [f"{span(at_us):>12}  {node} in term {term}" for at_us, node, term in leaders[:20]]
    if len(leaders) > 20:
        lines.append(f"{'':12}  and {len(leaders) - 20:,} more")
    if not leaders:
        lines.append(f"{'':12}  none was elected in this trace")
    return lines


def opening(file: str, options: DataOptions) -> Opening:
    """The trace as a run, one event a step."""
    trace, reader, sha256 = read(file, options)
    path = "" if file == "-" else file
    return Opening(VARIANT.on(source_of(trace, name_of(file), sha256, path, reader.skipped)))


__all__ = ["opening", "read", "report"]
