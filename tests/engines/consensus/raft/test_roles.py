"""The roles of a server change along the edges of one table, through four doors and no other way."""

import ast
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from engines.consensus.raft.events import StepDownReason
from engines.consensus.raft.node import RaftNode
from engines.consensus.raft.ports import MemoryDisk, Outbox
from engines.consensus.raft.roles import EDGES, Role

DOORS: dict[Role, Callable[[RaftNode, Outbox], None]] = {
    Role.FOLLOWER: lambda node, out: node.become_follower(out, node.current_term, StepDownReason.LEADER_EXISTS, "n2"),
    Role.PRECANDIDATE: lambda node, out: node.become_precandidate(out),
    Role.CANDIDATE: lambda node, out: node.become_candidate(out),
    Role.LEADER: lambda node, out: node.become_leader(out),
}
WAY: dict[Role, tuple[Role, ...]] = {
    Role.FOLLOWER: (),
    Role.PRECANDIDATE: (Role.PRECANDIDATE,),
    Role.CANDIDATE: (Role.CANDIDATE,),
    Role.LEADER: (Role.CANDIDATE, Role.LEADER),
}
"""How a new server comes to a role."""


@pytest.mark.parametrize(("src", "dst"), list(product(Role, Role)), ids=lambda role: role.value)
def test_a_door_lets_pass_what_the_table_declares_and_nothing_else(src: Role, dst: Role) -> None:
    node, out = RaftNode("n1", ("n2", "n3"), MemoryDisk()), Outbox()
    node.on_start(out)
    for role in WAY[src]:
        DOORS[role](node, out)
    assert node.role is src
    if dst in EDGES[src]:
        DOORS[dst](node, out)
        assert node.role is dst
    else:
        term = node.current_term
        with pytest.raises(AssertionError, match=f"n1 in term {term}: {src.value} > {dst.value}"):
            DOORS[dst](node, out)
        assert (node.role, node.current_term) == (src, term)


def test_a_term_never_goes_back_through_a_door() -> None:
    node, out = RaftNode("n1", ("n2", "n3"), MemoryDisk()), Outbox()
    node.become_follower(out, 5, StepDownReason.HIGHER_TERM, "n2")
    with pytest.raises(AssertionError, match="n1 in term 5 cannot go back to 4"):
        node.become_follower(out, 4, StepDownReason.HIGHER_TERM, "n2")


def test_nothing_of_a_role_outlives_it() -> None:
    node, out = RaftNode("n1", ("n2", "n3"), MemoryDisk()), Outbox()
    node.become_candidate(out)
    node.become_leader(out)
    node.become_follower(out, 7, StepDownReason.HIGHER_TERM, "n3")
    assert (node.leader, node.votes, node.deposed_by, node.voted_for) == (None, {}, "n3", None)
    assert sorted(out.timers) == ["election"]


def test_only_reset_writes_a_role_and_only_the_four_doors_call_it() -> None:
    writers, callers = set(), set()
    rooms = sorted(each for each in Path("engines/consensus/raft").glob("*.py") if each.stem != "checks")
    functions = [each for room in rooms for each in ast.walk(ast.parse(room.read_text(encoding="utf-8")))]
    for function in functions:
        if not isinstance(function, ast.FunctionDef):
            continue
        for part in ast.walk(function):
            targets = part.targets if isinstance(part, ast.Assign) else [part.target] if isinstance(
                part, ast.AugAssign | ast.AnnAssign) else []  # fmt: skip
            if any(isinstance(each, ast.Attribute) and each.attr == "role" for each in targets):
                writers.add(function.name)
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr == "reset":
                callers.add(function.name)
    assert writers == {"__init__", "reset"}
    assert callers == {f"become_{role.value}" for role in Role}
