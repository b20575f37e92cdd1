"""Everything about the selected machine, or about the selected projection: its gap, its generations, what it costs."""

from engines.cqrs.world.snapshot import MachineView, ProjectionView, SagaView, Snapshot
from engines.units import span
from tui.canvas import Canvas
from tui.kit import sheet
from tui.kit.link_faults import Network
from tui.kit.sheet import Fact, Facts, Section, fact
from tui.kit.words import plural
from tui.panel import Focus
from tui.panels.cqrs.queries import brief, machine, share, work_us
from tui.panels.cqrs.roads import verdict_line
from tui.panels.cqrs.select import machines, projection_of

FRESH_US = (2_000, 2_000)


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus) -> str:
    """Draw what is selected; returns the title."""
    view = machine(snapshot, focus.node) if focus.node else None
    if view is not None:
        sheet.draw(canvas, _machine(snapshot, view))
        return view.name
    here = projection_of(snapshot, focus)
    if here is None:
        canvas.put(1, 0, "nothing is projected here", "dim")
        return "no projection"
    sections = [Section(0, _gap(here)), Section(1, _tables(here)), Section(4, _rows(here))]
    if not snapshot.recorded:
        sections += [Section(2, _costs(snapshot)), Section(3, _run(snapshot))]
    sheet.draw(canvas, [*sections, sheet.of_checks(snapshot.checks, 5)])
    return here.name


# -- a projection ------------------------------------------------------------------------------------------------------


def _gap(view: ProjectionView) -> Facts:
    late = "good" if not view.behind else "warn"
    age = span(view.age_us) if view.behind else "0 ms"
    yield fact("behind", f"{plural(view.behind, 'event')}, the oldest {age} old", late)
    yield fact("position", f"{view.position:,}")
    if view.home:
        yield fact("home", f"{view.home}{'' if view.status == 'up' else f', {view.status}'}")
    copies = [f"{name} {position}" for name, position, _ in view.replicas]
    if copies:
        yield fact("copies", "  ".join(copies))


def _tables(view: ProjectionView) -> Facts:
    words = {"live": "readers see it", "next": "is built beside", "old": "kept for the way back"}
    for table in view.tables:
        said = f"generation {table.generation} of release '{table.release}': {words[table.role]}"
        yield fact(table.role, said, "bright" if table.role == "live" else "text")
        if table.stopped_at:
            yield fact("", f"stopped at event {table.stopped_at}: it cannot be written", "bad")
        elif table.percent < 100:
            yield fact("", f"has read {table.percent} % of history", "warn")
    for event in view.tables[0].parked[:5] if view.tables else ():
        yield fact("parked", f"{event.position}: {event.stream} @ {event.revision}, {event.type}", "bad")


def _rows(view: ProjectionView) -> tuple[Fact, ...]:
    rows = view.tables[0].rows if view.tables else ()
    return tuple(sheet.listed("newest", (f"{row[0]} {brief(row)}" for row in rows[-4:])))


def _costs(snapshot: Snapshot) -> tuple[Fact, ...]:
    load, verdict = snapshot.costs.load, snapshot.costs.verdict
    text, ink = verdict_line(snapshot)
    return (
        fact("verdict", text, ink),
        *([fact("because", verdict.why.value)] if verdict.crud_us else []),
        fact("roads", _sum((load.writes, load.command_us, verdict.write_us),
                           (load.writes * load.projections, load.apply_us, verdict.project_us),
                           (load.reads, load.row_us, verdict.read_us))),
        fact("table", _sum((load.reads, load.join_us, load.reads * load.join_us),
                           (load.writes, load.write_us, load.writes * load.write_us))),
        fact("staleness", f"{span(load.staleness_us) if load.staleness_us else '0 ms'}, accepted "
             f"{span(load.accepted_us) if load.accepted_us else '0 ms'}"),
    )  # fmt: skip


def _sum(*parts: tuple[int, int, int]) -> str:
    return "; ".join(f"{count}/s x {work_us(us)} = {work_us(total)}" for count, us, total in parts)


def _run(snapshot: Snapshot) -> tuple[Fact, ...]:
    options = dict(snapshot.options)
    return (
        *sheet.of_rules(snapshot.rules),
        fact("answers", f"freshness: {options['freshness']}", "dim"),
        fact("projector", f"checkpoint: {options['policy']}", "dim"),
        fact("load", f"{options['writes']} orders/s, {options['reads']} queries/s", "dim"),
    )


# -- a machine ---------------------------------------------------------------------------------------------------------


def _machine(snapshot: Snapshot, view: MachineView) -> list[Section]:
    host = next(each for each in snapshot.hosts if each.id == view.name)
    faults = sheet.of_host(host, Network(machines(snapshot), snapshot.links, FRESH_US), snapshot.hosts)
    return [
        Section(0, (*_work(view), *_own(snapshot, view))), Section(1, (faults,)),
        Section(2, _run(snapshot)), Section(3, _costs(snapshot)), sheet.of_checks(snapshot.checks, 4),
    ]  # fmt: skip


def _work(view: MachineView) -> Facts:
    yield fact("stage", view.stage, "bright")
    if view.stage not in ("users", "bus", "saga"):
        yield fact("busy", f"{share(view.work.busy_ppm)}, {view.work.jobs} jobs in 2 s; {view.waiting} wait")
    if view.turned_away:
        yield fact("turned away", f"{view.turned_away:,}, its line was full", "bad")


def _own(snapshot: Snapshot, view: MachineView) -> tuple[Fact, ...]:
    match view.stage:
        case "users":
            user = next(each for each in snapshot.users if each.name == view.name)
            facts = [fact("waits for", ", ".join(user.waiting) or "nothing"),
                     fact("missed", plural(user.missed, "own write"), "warn" if user.missed else "text")]  # fmt: skip
            told = (f"{order} v{version}, position {position}" for order, _, version, position in user.orders[-5:])
            return (*facts, *sheet.listed("orders", told))
        case "store":
            store = snapshot.store
            return (
                fact("holds", f"{store.head:,} events of {store.capacity:,}", "bright"),
                fact("outbox", f"{plural(store.outbox, 'message')} not confirmed", "warn" if store.outbox else "text"),
                fact("conflicts", f"{store.conflicts}"),
            )
        case "bus":
            bus = snapshot.bus
            return (
                fact("holds", f"{bus.events:,} events; {bus.twice} came twice, {bus.again} were sent again", "bright"),
                fact("taken", "  ".join(f"{name} {position}" for name, position in bus.taken)),
            )
        case "saga":
            return tuple(fact(each.order, _saga(each)) for each in snapshot.sagas[-6:])
        case "projectors":
            homes = [each for each in snapshot.projections if each.home == view.name]
            built = (f"{each.name}: {each.behind} behind, {each.parked} parked" for each in homes)
            return tuple(sheet.listed("builds", built))
        case "replicas":
            return tuple(
                fact("copy", f"{each.name} at {position}, generation {generation}")
                for each in snapshot.projections for name, position, generation in each.replicas if name == view.name
            )  # fmt: skip
        case "crud":
            return tuple(sheet.listed("order", (f"{row.order} {brief(row)}" for row in snapshot.crud[-5:])))
    return ()


def _saga(saga: SagaView) -> str:
    asked = f", asked {saga.asked} times" if saga.asked > 1 else ""
    return f"{saga.phase.value}: {saga.step}{asked}{f' ({saga.why})' if saga.why else ''}"
