"""What there is to see at this moment, in numbers, and what to try: what ``e`` tells at a cue."""

from engines.sharding.world.snapshot import WINDOW_S, Snapshot
from engines.units import per_s, rounded
from tui.kit.explain import in_force
from tui.kit.words import names, plural
from tui.panel import Focus
from tui.panels.sharding.describe import cause
from tui.panels.sharding.queries import network_of, ratio, travels


def present(snapshot: Snapshot, focus: Focus) -> tuple[str, ...]:
    """How even it is, what moves, what is wrong, what to try. Paragraphs."""
    said = (_spread(snapshot), _requests(snapshot), _movement(snapshot), _troubles(snapshot),
            f"To try: {_experiment(snapshot)}")  # fmt: skip
    return tuple(each for each in said if each)


def _spread(snapshot: Snapshot) -> str:
    """Keys over nodes, against what theory expects."""
    balance, owners = snapshot.balance, [node for node in snapshot.members if node.owned]
    if not owners:
        return "Now: nobody owns a key."
    full, least = (find(owners, key=lambda node: (node.owned, node.id)) for find in (max, min))
    text = (f"Now: {balance.keys:,} keys on {plural(len(owners), 'node')}; {full.id} has {rounded(full.share_ppm)} of "
            f"the data, {least.id} {rounded(least.share_ppm)}, an even share is {rounded(1_000_000 // len(owners))}. "
            f"Standard deviation over mean, cv: {ratio(balance.cv_ppm)}")  # fmt: skip
    expected = f"; a ring with so many tokens has {ratio(balance.expected_cv_ppm)} in the mean of many"
    return f"{text}{expected if balance.expected_cv_ppm >= 0 else ''}."


def _requests(snapshot: Snapshot) -> str:
    """Even keys do not make even requests."""
    key = snapshot.key(snapshot.balance.hottest)
    if key is None or not snapshot.balance.ops_peak_ppm:
        return ""
    heat = sorted((each.ppm for each in snapshot.balance.hot), reverse=True)
    which = f"the hottest key, {key.key} on {key.owner}, has {rounded(key.ops_ppm)} of all"
    if heat[1:] and heat[0] == heat[1]:
        which = f"no key stands out, the hottest have {rounded(key.ops_ppm)} of all each"
    return (f"Requests, {per_s(snapshot.balance.ops_per_ks)} in the last {WINDOW_S - 1} to {WINDOW_S} s: the busiest "
            f"node has {ratio(snapshot.balance.ops_peak_ppm, 2)} times its share; {which}.")  # fmt: skip


def _movement(snapshot: Snapshot) -> str:
    """The change that is under way, or what the last one cost under every strategy."""
    plan, table = snapshot.plan, snapshot.comparison
    if plan is not None and not plan.units:
        return f"Under way: {cause(plan.cause)}; what has to move is being counted."
    if plan is not None:
        done = f"{plan.keys_done:,} of {plan.keys:,} {travels(snapshot)} and {plan.units_done} of {plan.units} units"
        told = "a client with an old map is told MOVED or ASK"
        return f"Under way: {cause(plan.cause)}, {done} have arrived; {told}."
    current = next((row for row in table.rows if row.current), None) if table else None
    if table is None or current is None:
        return ""
    worst = max(table.rows, key=lambda row: row.moved_ppm)
    return (f"The last change of nodes, carried out, moves {rounded(current.moved_ppm)} of the keys, an even share "
            f"is {rounded(table.ideal_ppm)}; {worst.title} would move {rounded(worst.moved_ppm)}.")  # fmt: skip


def _troubles(snapshot: Snapshot) -> str:
    """Who is out of reach, whose keys nobody serves, which rules are off."""
    down = [f"{node.id} is {node.status}" for node in snapshot.nodes if node.status != "up"]
    found = [*down, *filter(None, [network_of(snapshot).apart()])]
    if snapshot.coordinator.uncovered:
        found.append(f"keys of {names(snapshot.coordinator.uncovered)} have no live owner")
    return in_force(found, snapshot.rules)


def _experiment(snapshot: Snapshot) -> str:
    """One thing worth doing in just this situation."""
    failed = next((check.name for check in snapshot.checks if not check.ok), "")
    if failed:
        return f"e on the failed check ({failed}) shows who saw what; r plays the story anew."
    down = next((node.id for node in snapshot.nodes if node.status == "crashed"), "")
    if down:
        return f"select {down} and press k: it comes back with its keys, and with RF 2 has to catch up first."
    if snapshot.plan is not None:
        return "n walks through what moves; k on its source or target in the middle of it shows what is safe."
    key = snapshot.key(snapshot.balance.hottest)
    if key is not None and key.ops_ppm > 200_000 and snapshot.balance.ops_per_ks >= 10_000:
        return f"g goes to {key.key}, and again to its cures: no split helps a single key, copies under other names do."
    return "j adds a node: the strip then compares what every strategy would have moved for it."
