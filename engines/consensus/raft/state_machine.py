"""What the cluster agrees on: a key-value store of integers, with client sessions.

A client numbers its commands and repeats a command whose answer it missed under the same number. The store
remembers the newest number and result of every client, so a command that stands in the log twice takes effect
once (paper section 8, dissertation 6.3). One command is outstanding per client.
"""

from engines.consensus.raft.messages import Command
from engines.errors import UserError


class KeyValueStore:
    """Deterministic: equal commands in equal order give equal stores and results."""

    __slots__ = ("deduplicated", "sessions", "values")

    def __init__(self) -> None:
        self.values: dict[str, int] = {}
        self.sessions: dict[str, tuple[int, int | None]] = {}
        self.deduplicated = 0

    def apply(self, command: Command) -> int | None:
        """Execute a command, unless its session shows that it was executed; return its result."""
        session = self.sessions.get(command.client)
        if session is not None and command.serial <= session[0]:
            self.deduplicated += 1
            return session[1]
        result = self._execute(command)
        self.sessions[command.client] = (command.serial, result)
        return result

    def _execute(self, command: Command) -> int | None:
        key = command.key
        match command.op:
            case "set":
                self.values[key] = command.value
            case "add":
                self.values[key] = self.values.get(key, 0) + command.value
            case "del":
                return self.values.pop(key, None)
            case op:
                raise AssertionError(f"unknown operation {op!r}")
        return self.values[key]


def describe(command: Command | None) -> str:
    """A command as people write it: ``y=3``, ``y+=1``, ``del y``; ``no-op`` for none."""
    if command is None:
        return "no-op"
    match command.op:
        case "set":
            return f"{command.key}={command.value}"
        case "add":
            return f"{command.key}+={command.value}"
        case _:
            return f"del {command.key}"


def parse(text: str) -> tuple[str, str, int]:
    """``(op, key, value)`` of what a person typed. UserError says what would be accepted."""
    accepted = "write  y=3, y+=1, y-=1 or del y"
    text = text.strip()
    if text.startswith("del "):
        op, key, number = "del", text[4:].strip(), "0"
    elif "+=" in text:
        op = "add"
        key, number = (part.strip() for part in text.split("+=", 1))
    elif "-=" in text:
        op = "add"
        key, number = (part.strip() for part in text.split("-=", 1))
        number = f"-{number}"
    elif "=" in text:
        op = "set"
        key, number = (part.strip() for part in text.split("=", 1))
    else:
        raise UserError(f"{text!r} is no command of the key-value store: {accepted}")
    if not key.isascii() or not key.isidentifier() or len(key) > 8:
        raise UserError(f"{key!r} is no key: a letter, then letters, digits or _, 8 at most; {accepted}")
    try:
        value = int(number)
    except ValueError:
        raise UserError(f"{number!r} is no whole number: {accepted}") from None
    if abs(value) >= 1_000_000:
        raise UserError(f"{value} is too long to show: a number below 1,000,000 is accepted")
    return op, key, value
