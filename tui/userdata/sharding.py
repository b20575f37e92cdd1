"""The user's keys: what every strategy makes of them, or a simulated cluster that holds them."""

import os
from typing import Any, Final

import click

from engines.errors import UserError
from engines.sharding.change import NODES_MAX as COMPARED_MAX
from engines.sharding.change import change
from engines.sharding.compare import Outcome
from engines.sharding.judge import Judgement, judge
from engines.sharding.keys import read_keys, show
from engines.sharding.world.commands import AddNode, RemoveNode
from engines.sharding.world.options import KEYS_MAX, NODES_MAX, SETTINGS
from engines.sharding.world.orders import NAME
from tui.kit.words import plural
from tui.options import DataOptions
from tui.progress import Progress
from tui.userdata.common import Opening, check_lines, echo_json, head_json, name_of, open_data

NODES: Final = 10
VNODES: Final = 150
RF: Final = 3


def read(file: str, options: DataOptions) -> Judgement:
    """The user's keys, compared."""
    plan = change(
        NODES if options.nodes is None else options.nodes,
        options.join or 0,
        options.leave or 0,
        options.join_name,
        options.leave_name,
    )
    replicas(options, len(plan.nodes))
    name = name_of(file)
    with open_data(file) as stream:
        keys, skipped = read_keys(stream, name, skip_bad=options.skip_bad)
    with Progress(name, "keys") as progress:
        return judge(keys, skipped, name, plan, VNODES if options.vnodes is None else options.vnodes, progress.at)


def replicas(options: DataOptions, nodes: int) -> int:
    """How many copies of a key are asked for. UserError for more than there are nodes, before anything is read."""
    if options.rf is None:
        return min(RF, nodes)
    if not 1 <= options.rf <= nodes:
        raise UserError(
            f"--rf {options.rf}: every replica needs a node of its own; with {plural(nodes, 'node')} "
            f"1 to {nodes} are accepted"
        )
    return options.rf


def report(file: str, options: DataOptions, as_json: bool) -> bool:
    """Print the comparison; with ``locate`` every placement as well, as a stream."""
    found = read(file, options)
    rf = replicas(options, len(found.plan.nodes))
    vnodes = VNODES if options.vnodes is None else options.vnodes
    placements = found.placements(rf, vnodes) if options.locate else None
    if not as_json:
        click.echo(_text(found))
        if placements is not None:
            for each in placements:
                where = "" if each.slot is None else f" slot {each.slot}"
                token = "" if each.token is None else f" token {each.token}"
                click.echo(f"{show(each.key)}  {each.strategy:10} {_named(each.replicas)}{where}{token}")
    else:
        head = head_json("sharding", None, 0, len(found.keys), found.digest, found.checks) | found.as_json()
        if placements is None:
            echo_json(head)
        else:
            echo_json(head, "placements", (each.to_json() for each in placements))
    return all(check.ok for check in found.checks)


def _text(found: Judgement) -> str:
    plan = found.plan
    joins = f", {_named(plan.join)} {'joins' if len(plan.join) == 1 else 'join'}" if plan.join else ""
    leaves = f", {_named(plan.leave)} {'leaves' if len(plan.leave) == 1 else 'leave'}" if plan.leave else ""
    skipped = f", {plural(found.skipped, 'bad line')} skipped" if found.skipped else ""
    share = f": the even share to move is {plan.ideal:.2%}" if joins or leaves else ""
    lines = [
        f"{plural(len(found.keys), 'key')} of {found.name}{skipped}, {plural(len(plan.nodes), 'node')}"
        f"{joins}{leaves}{share}",
        f"digest {found.digest}",
        "",
        f"{'strategy':12}{'moved':>9}{'ideal':>9}{'survivors':>11}{'cv':>8}{'peak/mean':>11}{'hottest key':>13}",
    ]
    lines += [_row(name, each) for name, each in found.outcomes.items()]
    lines += check_lines(found.checks)
    return "\n".join(lines)


def _named(nodes: tuple[str, ...]) -> str:
    """Names for a terminal: a name may hold whatever a shell lets through."""
    return " ".join(show(os.fsencode(name)) for name in nodes)


def _row(name: str, each: Outcome) -> str:
    return (
        f"{name:12}{each.moved:>9.2%}{each.ideal:>9.2%}{each.moved_between_survivors:>11.2%}{each.cv:>8.3f}"
        f"{each.peak_to_mean:>11.3f}{each.hottest_key_share:>13.2%}"
    )


def opening(file: str, options: DataOptions) -> Opening:
    """A simulated cluster that holds these keys: its settings, and what happens to it at once."""
    nodes = NODES if options.nodes is None else options.nodes
    plan = change(nodes, options.join or 0, options.leave or 0, options.join_name, options.leave_name)
    named = {setting.name: setting for setting in SETTINGS}
    settings: list[tuple[str, Any]] = [("nodes", nodes)]
    if options.rf is not None:
        settings.append(("rf", replicas(options, nodes)))
    if options.vnodes is not None:
        settings.append(("vnodes", options.vnodes))
    for name, value in settings:
        named[name].accept(value, f"--{name} in the app")
    if len(plan.nodes) + len(plan.join) > NODES_MAX:
        raise UserError(
            f"{plural(len(plan.nodes), 'node')} and {len(plan.join)} more: the app shows at most {NODES_MAX}; "
            f"dp-tui run compares up to {COMPARED_MAX:,}"
        )
    for name in plan.join:
        if not NAME.fullmatch(name):
            raise UserError(f"--join-name {name!r}: in the app a name has 1 to 8 characters of a-z, 0-9 and -, as n12")
    with open_data(file) as stream:
        keys, _ = read_keys(stream, name_of(file), skip_bad=options.skip_bad)
    sample = tuple((show(key), _weight(weight)) for key, weight in keys.sample(KEYS_MAX))
    settings += [("user_keys", sample), ("stand_for", len(keys))]
    orders = (*(AddNode(name) for name in plan.join), *(RemoveNode(name) for name in plan.leave))
    return Opening(None, tuple(settings), orders)


def _weight(weight: float) -> int | str:
    """A weight as a setting: a whole number, or text."""
    return int(weight) if float(weight).is_integer() else repr(float(weight))
