"""What there is to see at this moment, in numbers, and what to try: what ``e`` tells at a cue."""

from engines import units
from engines.consensus.pbft.snapshot import ClientView, Snapshot
from tui.kit.words import by, names, plural
from tui.panel import Focus
from tui.panels.pbft.chart import progress
from tui.panels.pbft.queries import equal, network_of, number_of, role
from tui.panels.pbft.words import asked


def present(snapshot: Snapshot, focus: Focus) -> tuple[str, ...]:
    """Who leads, what is decided and what it takes, what to try. Paragraphs."""
    return (f"Now: {_views(snapshot)}", _number(snapshot, focus), f"To try: {_experiment(snapshot)}")


def _views(snapshot: Snapshot) -> str:
    leader = snapshot.replica(snapshot.primary)
    replicas = plural(len(snapshot.replicas), "replica")
    if leader is not None and leader.changing:
        said = [f"view {snapshot.view} of {replicas} is not open yet; {leader.id} will lead it"]
    else:
        said = [f"{snapshot.primary} leads view {snapshot.view} of {replicas}"]
    changing = [each for each in snapshot.replicas if role(each) == "candidate"]
    if changing:
        wanted = max(each.view for each in changing)
        verb = "asks" if len(changing) == 1 else "ask"
        said.append(f"{names(each.id for each in changing)} {verb} for view {wanted}, {snapshot.quorum} open it")
    fault = [f"traitor {each}" for each in snapshot.traitors]
    fault += [f"{each.status} {each.id}" for each in snapshot.replicas
              if each.status != "up" and each.id not in snapshot.traitors]  # fmt: skip
    if fault:
        said.append(f"at fault: {', '.join(fault)}; f = {snapshot.f} {'is' if snapshot.f == 1 else 'are'} survived")
    apart = network_of(snapshot).apart()
    if apart:
        said.append(apart)
    return "; ".join(said) + "."


def _number(snapshot: Snapshot, focus: Focus) -> str:
    n = number_of(snapshot, focus)
    waiting = [each for each in snapshot.clients if each.current]
    asks = " ".join(_waits(snapshot, each) for each in waiting)
    if not n:
        return f"No number is in progress. {asks}".strip()
    done = ", ".join(f"{each.id} {progress(each, n, snapshot)}" for each in snapshot.replicas)
    needed = f"PREPAREs of 2f = {snapshot.quorum - 1} and COMMITs of {snapshot.quorum}"
    return f"Number {n}, {needed}: {done}. {asks}".strip()


def _waits(snapshot: Snapshot, client: ClientView) -> str:
    since = by(client.id, f"waits {units.span(snapshot.at_us - client.open_us)}")
    return f"{client.id} {since} for {asked(client.current)} with {equal(client)} of {client.needed} equal replies."


def _experiment(snapshot: Snapshot) -> str:
    if snapshot.beyond:
        return "heal with h, and take an act back with b: what two correct replicas executed stays executed."
    if not snapshot.traitors:
        return f"b makes a traitor of {snapshot.primary}, who leads: let it tell two stories, or say nothing at all."
    return "b on a second replica: with more than f traitors the checks show which guarantee goes first."
