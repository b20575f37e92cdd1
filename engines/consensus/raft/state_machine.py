"""What the cluster agrees on: a key-value store of integers, with client sessions.

A client numbers its commands and repeats a command whose answer it missed under the same number. The store
remembers the newest number and result of every client, so a command that stands in the log twice takes effect
once (paper section 8, dissertation 6.3). One command is outstanding per client.

A session either bears the name of its client, and lasts; or it was opened by an entry, whose index is its name, and
expires when so many entries have gone by since it was last used. The log decides that, alike on every server. What
belongs to a session that is no more is never executed: it may have been executed while there was one.
"""

from typing import Final

from engines.consensus.operations import execute, written
from engines.consensus.raft.messages import Command, Content, Registration, Row, SessionRow, ValueRow

SESSION_ENTRIES: Final = 1_000


class KeyValueStore:
    """Deterministic: equal commands in equal order give equal stores and results."""

    __slots__ = ("deduplicated", "expire_after", "expired", "sessions", "used", "values")

    def __init__(self, expire_after: int = SESSION_ENTRIES) -> None:
        self.values: dict[str, int] = {}
        self.sessions: dict[str, tuple[int, int | None]] = {}
        self.used: dict[str, int] = {}
        """Of the sessions that were opened by an entry: the entry that used them last."""
        self.expire_after = expire_after
        self.deduplicated = 0
        """Commands that were not executed, since they had been."""
        self.expired = 0
        """Commands that were not executed, since their session was no more."""

    def rows(self) -> tuple[Row, ...]:
        """All of it, as rows: equal stores give equal rows."""
        return (
            *(ValueRow(key, self.values[key]) for key in sorted(self.values)),
            *(SessionRow(name, *self.sessions[name], self.used.get(name, 0)) for name in sorted(self.sessions)),
        )

    def load(self, rows: tuple[Row, ...]) -> None:
        """Become what these rows say."""
        self.values = {row.key: row.value for row in rows if isinstance(row, ValueRow)}
        self.sessions = {row.client: (row.serial, row.result) for row in rows if isinstance(row, SessionRow)}
        self.used = {row.client: row.used for row in rows if isinstance(row, SessionRow) and row.used}

    def apply(self, command: Command, index: int = 0, once: bool = True) -> int | None:
        """Execute a command, the entry ``index``, unless its session shows that it was executed; return its result.

        None if its session is no more: see ``expired``.
        """
        name, serial, op, key, value, opened = command
        if opened:
            name = session_of(name, opened)
            if not self.lives(name, index):
                self.expired += 1
                return None
            self.used[name] = index
        session = self.sessions.get(name)
        if once and session is not None and serial <= session[0]:
            self.deduplicated += 1
            return session[1]
        result = execute(self.values, op, key, value)
        self.sessions[name] = (serial, result)
        return result

    def register(self, client: str, index: int) -> None:
        """Open a session by the entry ``index``; those that have not been used for long are closed."""
        for name in [name for name in self.used if not self.lives(name, index)]:
            self.close(name)
        name = session_of(client, index)
        self.sessions[name] = (0, None)
        self.used[name] = index

    def lives(self, name: str, index: int) -> bool:
        """Whether a session that an entry opened is still there when the entry ``index`` is applied."""
        return name in self.used and index - self.used[name] <= self.expire_after

    def close(self, name: str) -> None:
        """Forget a session."""
        del self.sessions[name], self.used[name]


def session_of(client: str, session: int) -> str:
    """What a session is called in the store: ``c1#12``."""
    return f"{client}#{session}" if session else client


def describe(content: Content) -> str:
    """What an entry is about, as people write it: ``y=3``, ``y+=1``, ``del y``; a configuration; ``no-op``."""
    match content:
        case None:
            return "no-op"
        case Command():
            return written(content.op, content.key, content.value)
        case Registration():
            return f"session of {content.client}"
        case _:
            return str(content)
