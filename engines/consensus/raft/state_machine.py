"""What the cluster agrees on: a key-value store of integers, with client sessions.

A client numbers its commands and repeats a command whose answer it missed under the same number. The store
remembers the newest number and result of every client, so a command that stands in the log twice takes effect
once (paper section 8, dissertation 6.3). One command is outstanding per client.
"""

from engines.consensus.operations import execute, written
from engines.consensus.raft.messages import Command, Content, Row, SessionRow, ValueRow


class KeyValueStore:
    """Deterministic: equal commands in equal order give equal stores and results."""

    __slots__ = ("deduplicated", "sessions", "values")

    def __init__(self) -> None:
        self.values: dict[str, int] = {}
        self.sessions: dict[str, tuple[int, int | None]] = {}
        self.deduplicated = 0

    def rows(self) -> tuple[Row, ...]:
        """All of it, as rows: equal stores give equal rows."""
        return (
            *(ValueRow(key, self.values[key]) for key in sorted(self.values)),
            *(SessionRow(client, *self.sessions[client]) for client in sorted(self.sessions)),
        )

    def load(self, rows: tuple[Row, ...]) -> None:
        """Become what these rows say."""
        self.values = {row.key: row.value for row in rows if isinstance(row, ValueRow)}
        self.sessions = {row.client: (row.serial, row.result) for row in rows if isinstance(row, SessionRow)}

    def apply(self, command: Command, once: bool = True) -> int | None:
        """Execute a command, unless its session shows that it was executed; return its result."""
        session = self.sessions.get(command.client)
        if once and session is not None and command.serial <= session[0]:
            self.deduplicated += 1
            return session[1]
        result = execute(self.values, command.op, command.key, command.value)
        self.sessions[command.client] = (command.serial, result)
        return result


def describe(content: Content) -> str:
    """What an entry is about, as people write it: ``y=3``, ``y+=1``, ``del y``; a configuration; ``no-op``."""
    match content:
        case None:
            return "no-op"
        case Command():
            return written(content.op, content.key, content.value)
        case _:
            return str(content)
