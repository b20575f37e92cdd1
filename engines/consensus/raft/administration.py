"""What a person asks of the cluster itself: who is part of it, and who leads.

A new name becomes a machine with an empty log. The request goes to the leader as a message, from the person, and so
does the answer: what cannot be done is refused before anything has changed (``UserError``) where that is plain from the
configuration, and by the leader where only it knows.
"""

import re
from typing import Any, Final, Protocol

from engines.consensus.raft import messages as m
from engines.consensus.raft.client import Client
from engines.consensus.raft.commands import AddServer, ChangeJoint, LeaveJoint, RemoveServer, Transfer
from engines.consensus.raft.options import SERVERS_MAX
from engines.consensus.raft.quorum import (
    Change,
    Configuration,
    add,
    enter_joint,
    learn,
    leave_joint,
    remove,
    simple,
)
from engines.errors import UserError
from engines.sim.host import UP, Host

CHANGES: Final = (AddServer, RemoveServer, ChangeJoint, LeaveJoint, Transfer)


class Cluster(Protocol):
    """What is needed of the world."""

    hosts: dict[str, Host]
    servers: tuple[str, ...]
    clients: tuple[str, ...]

    def configuration(self) -> Configuration:
        """Who counts, as the working leader has it."""

    def leader(self) -> str:
        """The working leader, or nothing."""

    def add_server(self, id: str) -> None:
        """A machine with an empty log."""


def free_name(cluster: Cluster) -> str:
    """The next name: n6 after n5."""
    return f"n{max((int(each[1:]) for each in cluster.servers if each[1:].isdecimal()), default=0) + 1}"


def changes(command: Any) -> tuple[Change, ...]:
    """The changes of a command, one a server."""
    match command:
        case AddServer(server=server, learner=learner):
            return (learn(server) if learner else add(server),)
        case RemoveServer(server=server):
            return (remove(server),)
        case ChangeJoint(add=new, remove=gone, learn=learners):
            return (*map(add, new), *map(remove, gone), *map(learn, learners))
    return ()


def validate(cluster: Cluster, command: Any, you: str) -> None:
    """Refuse what the configuration does not allow, and names that are none."""
    if cluster.hosts[you].status != UP:
        raise UserError(f"{you} is {cluster.hosts[you].status}: nobody is there to ask")
    if command.node and command.node not in cluster.servers:
        raise UserError(f"{command.node} is no server: one of {', '.join(cluster.servers)} can be asked")
    configuration = cluster.configuration()
    if isinstance(command, Transfer):
        _validate_transfer(cluster, configuration, command.server)
        return
    asked = changes(command)
    new = _new(cluster, asked)
    for name in new:
        if not re.fullmatch(r"n[1-9][0-9]?", name):
            raise UserError(f"{name!r} is no name of a server: n1 to n99 are")
    if len(cluster.servers) + len(new) > SERVERS_MAX:
        raise UserError(f"{len(cluster.servers)} machines are there, {SERVERS_MAX} is the most")
    for change in asked:
        if str(change) == f"-{change.server}" and change.server not in cluster.servers:
            raise UserError(f"{change.server} is no server: the cluster has {', '.join(cluster.servers)}")
    if isinstance(command, LeaveJoint):
        leave_joint(configuration)
    elif isinstance(command, ChangeJoint):
        if not asked:
            raise UserError("a joint change needs servers: to add, to remove, or to make learners")
        enter_joint(configuration, *asked)
    else:
        simple(configuration, *asked)


def _validate_transfer(cluster: Cluster, configuration: Configuration, to: str) -> None:
    if configuration.is_learner(to) or to in configuration.learners_next:
        raise UserError(f"{to} is a learner: only a voter can lead")
    if to not in configuration.voters:
        voters = ", ".join(map(str, configuration.voters))
        raise UserError(f"{to} is no voter of {configuration}: one of {voters} can take over")
    if to == cluster.leader():
        raise UserError(f"{to} leads already")


def _new(cluster: Cluster, asked: tuple[Change, ...]) -> list[str]:
    """Servers that are not there yet."""
    return [
        name for each in asked if (name := str(each.server)) not in cluster.servers and not str(each).startswith("-")
    ]


def execute(cluster: Cluster, command: Any, you: str) -> None:
    """Start machines that are new, and ask."""
    host = cluster.hosts[you]
    client = host.node
    assert isinstance(client, Client)
    target = command.node or client.target
    message: m.ChangeRequest | m.TransferRequest
    if isinstance(command, Transfer):
        message = m.TransferRequest(command.server)
    else:
        asked = changes(command)
        for name in _new(cluster, asked):
            cluster.add_server(name)
        joint = isinstance(command, ChangeJoint)
        message = m.ChangeRequest(asked, joint, isinstance(command, ChangeJoint) and command.auto_leave)
    client.administer(host, target, message)


__all__ = ["CHANGES", "changes", "execute", "free_name", "validate"]
