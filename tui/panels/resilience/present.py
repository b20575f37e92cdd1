"""What there is to see at this moment, in numbers, and what to try: what ``e`` tells at a cue."""

from engines import units
from engines.resilience.world.snapshot import EdgeView, Snapshot
from tui.kit.explain import cure, rules_off
from tui.kit.words import plural
from tui.panel import Focus
from tui.panels.resilience import queries
from tui.panels.resilience.keys import CURES
from tui.panels.resilience.select import edge_of
from tui.panels.resilience.words import edge_faults, host_faults, load


def present(snapshot: Snapshot, focus: Focus) -> tuple[str, ...]:
    """What the calls come to, what the breaker at hand says, what is in the way, what to try. Paragraphs."""
    edge = edge_of(snapshot, focus)
    said = (_calls(snapshot), _breaker(snapshot, edge), _service(snapshot, edge), _wrong(snapshot))
    return (*(text for text in said if text), f"To try: {_experiment(snapshot, edge)}")


def _calls(snapshot: Snapshot) -> str:
    """Asked for, answered, and what the retries make of it."""
    newest = snapshot.series[-3:]
    if not newest:
        return f"Now: {load(snapshot)}; nothing has been measured yet."
    good = round(sum(each.goodput for each in newest) / len(newest))
    offered = round(sum(each.offered for each in newest) / len(newest))
    text = f"Now: {load(snapshot)}; over the last 1.5 s {offered}/s came and {good}/s were answered"
    if snapshot.amplified_ppm > 1_050_000:
        most = queries.name(snapshot.peak_edge)
        text += f", and each call became {queries.times(snapshot.amplified_ppm).removeprefix('x')} attempts at {most}"
    return f"{text}."


def _breaker(snapshot: Snapshot, edge: EdgeView | None) -> str:
    """Where the breaker of the selected edge stands, and what would move it."""
    if edge is None:
        return ""
    name = queries.name(edge.id)
    if edge.outliers:
        out = [each.host for each in edge.outliers if each.ejected]
        state = f"{', '.join(out)} out" if out else "nobody is out"
        return f"{name} has no breaker but outlier detection: of {plural(len(edge.outliers), 'host')} {state}."
    if edge.breaker is None:
        said, _ = queries.errors(snapshot, edge)
        now = f"{said} do now" if said.endswith("%") else said
        return f"{name} has no breaker: every call is tried, however many fail ({now})."
    return f"The breaker of {name} is {queries.standing(snapshot, edge.breaker)}: {edge.breaker.why.closes}."


def _service(snapshot: Snapshot, edge: EdgeView | None) -> str:
    """The line before the service behind it: the sum that decides whether answers come in time."""
    service = snapshot.service(edge.dst) if edge is not None else None
    if edge is None or service is None or not service.workers or snapshot.recorded:
        return ""
    sent = snapshot.sent_per_s(service)
    most = queries.rate(snapshot.capacity(service))
    text = f"{service.id} can do {most} with {plural(snapshot.working(service), 'worker')}, and is sent {sent}/s"
    if all(host.status != "up" for host in service.hosts):
        text = f"{service.id} is {service.hosts[0].status} and does nothing; it is sent {sent}/s"
    if service.shed_us:
        text += f"; it refuses whoever has waited {units.exact(service.shed_us)} when its turn comes"
    if service.queue:
        wait = units.seconds(snapshot.drain_us(service))
        patience = f"; its callers wait at most {units.seconds(edge.timeout_us)}" if edge.timeout_us else ""
        text += f": {service.queue} wait, which is {wait} of work{patience}"
    if service.wasted_per_s:
        of = "all" if service.wasted_per_s >= service.done_per_s else f"{service.wasted_per_s} of them"
        text += f"; it does {plural(service.done_per_s, 'job')} a second, {of} for nobody"
    return f"{text}."


def _wrong(snapshot: Snapshot) -> str:
    """Every fault in force."""
    found = [f"{queries.name(edge.id)}: {', '.join(edge_faults(edge))}" for edge in snapshot.edges if edge.ailing]
    found += [f"{host.id}: {', '.join(host_faults(host))}" for host in snapshot.hosts if host.ailing]
    off = rules_off(snapshot.rules)
    found += [f"rules switched off: {', '.join(off)}"] if off else []
    return f"In the way: {'; '.join(found)}." if found else ""


def _experiment(snapshot: Snapshot, edge: EdgeView | None) -> str:
    """One thing worth doing in just this situation."""
    failed = [check.name for check in snapshot.checks if not check.ok]
    if failed:
        return f"e on the failed check ({failed[0]}) shows who saw what{cure(snapshot.rules)}."
    if snapshot.recorded:
        return "p judges the same calls by another library's breaker; . and , go call by call."
    if queries.storm(snapshot):
        breaker, budget, shed = CURES["breaker"], CURES["budget"], CURES["shedding"]
        cures = f"{breaker} a breaker, {budget} a retry budget, {shed} shedding"
        return f"the three cures, one key each: {cures}; backspace takes one back, to try another."
    if edge is None:
        return "s plays a story."
    if edge.breaker is not None and edge.breaker.state == "open":
        return "a makes a call of your own: it is turned away at once. p shows what another library's breaker would do."
    service = snapshot.service(edge.dst)
    if edge.ailing or (service is not None and any(host.ailing for host in service.hosts)):
        return f"h heals everything: watch how long {queries.name(edge.id)} needs to notice."
    if edge.breaker is None:
        return f"p puts a breaker before {edge.dst}, K makes {edge.dst} slow, w raises the load."
    return f"K makes {edge.dst} slow, f lets a part of its calls fail: see what opens the breaker, and when."
