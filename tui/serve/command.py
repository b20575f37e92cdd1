"""`dp-tui serve`: its options, what it says when it starts, how it stops.

Everything that can be wrong is found before anybody may come in: the pattern and story of the visitors, the keys, the
host key, the address. What is said on standard output is for the operator to pass on; the log goes to standard error.
"""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import platformdirs

from engines.errors import UserError
from engines.units import US_PER_S
from tui.options import Duration, Whole
from tui.serve.limits import Limits

if TYPE_CHECKING:
    import asyncssh

    from tui.company import Company
    from tui.panel import Panel
    from tui.serve.log import Log
    from tui.session import Session

SSH_PORT: Final = 2222
STOPPED: Final = "the server was stopped by its operator"
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PORTS: Final = Whole(0, 65_535)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the operator asked for. `arguments`: the command line of each visitor's app."""

    arguments: tuple[str, ...]
    patterns: frozenset[str]
    host: str
    port: int
    keys: tuple[Path, ...]
    anonymous: bool
    host_key: Path
    log: Path | None
    limits: Limits


def present(wanted: Wanted, session: Session, panels: tuple[Panel, ...]) -> Company:
    """The company of a presenter's app: everybody else watches what it shows."""
    need("asyncssh", "ssh")
    from tui.serve.house import House
    from tui.serve.presenter import Presenter

    door = open_door(wanted)
    _say(door.lines)
    house = House(wanted.limits, logged(wanted) if wanted.log is not None else lambda text: None)
    return Presenter(house, session, panels, door.socket, door.key, door.keys, door.line)


def options() -> list[click.Parameter]:
    """The options of the server."""
    base = Limits()
    return [
        click.Option(["--host"], default="127.0.0.1", show_default=True, help="The address to listen on."),
        click.Option(["--port"], type=PORTS, default=SSH_PORT, show_default=True, help="The port of SSH; 0: any."),
        click.Option(
            ["--keys"],
            multiple=True,
            metavar="FILE",
            help="Who may log in: an authorized_keys file (default: ~/.ssh/authorized_keys).",
        ),
        click.Option(["--anonymous"], is_flag=True, help="Everybody who reaches the address may come in."),
        click.Option(["--host-key"], metavar="FILE", help="The server's key; made if there is none."),
        click.Option(["--log"], metavar="FILE", help="A file for the log (else standard error; of a stage none)."),
        click.Option(["--sessions"], type=Whole(1, 1_000), default=base.sessions, show_default=True,
                     help="Visitors at a time."),
        click.Option(["--per-address"], type=Whole(1, 1_000), default=base.per_address, show_default=True,
                     help="Visitors at a time from one address."),
        click.Option(["--idle"], type=Duration(), default="15m", show_default=True,
                     help="A visit without a key ends after this time."),
        click.Option(["--time"], type=Duration(), default="120m", show_default=True, help="Every visit ends after it."),
        click.Option(["--cpu"], type=Duration(), default="20m", show_default=True,
                     help="Processor time of one visitor's app."),
        click.Option(["--memory"], type=Whole(256, 65_536), default=base.memory_mb, show_default=True, metavar="MB",
                     help="Address space of one visitor's app."),
    ]  # fmt: skip


def wanted(arguments: tuple[str, ...], patterns: frozenset[str], given: dict[str, Any]) -> Wanted:
    """The options, checked. UserError names the one that cannot be."""
    try:
        ipaddress.ip_address(given["host"])
    except ValueError:
        if given["host"] != "localhost":
            raise UserError(f"--host {given['host']}: no address; one of this machine as 127.0.0.1 or ::1") from None
    keys = tuple(Path(each) for each in given["keys"])
    if keys and given["anonymous"]:
        raise UserError("--anonymous lets everybody in, --keys only some; leave one of the two out")
    usual = Path("~/.ssh/authorized_keys").expanduser()
    if not keys and not given["anonymous"]:
        if not usual.exists():
            raise UserError(
                f"nobody could log in: {usual} does not exist; --keys FILE names another authorized_keys file, "
                "--anonymous lets everybody in"
            )
        keys = (usual,)
    folder = platformdirs.user_state_path("dp-tui") / "serve"
    limits = Limits(
        sessions=given["sessions"],
        per_address=given["per_address"],
        idle_s=given["idle"] / US_PER_S,
        total_s=given["time"] / US_PER_S,
        cpu_s=max(1, given["cpu"] // US_PER_S),
        memory_mb=given["memory"],
    )
    log = Path(given["log"]) if given["log"] else None
    host_key = Path(given["host_key"]) if given["host_key"] else folder / "host_key"
    return Wanted(
        arguments, patterns, given["host"], given["port"], keys, given["anonymous"], host_key, log, limits
    )  # fmt: skip


def serve(wanted: Wanted) -> int:
    """Serve until a signal comes. Returns the exit status."""
    need("asyncssh", "ssh")
    asyncio.run(_serve(wanted))
    return 0


def need(module: str, extra: str) -> None:
    """UserError if what an extra brings is not installed."""
    if find_spec(module) is None:
        raise UserError(f"{module} is not installed, and this needs it: pipx install 'dp-tui[{extra}]'")


async def _serve(wanted: Wanted) -> None:
    from tui.serve.house import House
    from tui.serve.ssh import listen

    log = logged(wanted)
    house = House(wanted.limits, log, wanted.arguments)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop.set)
    door = open_door(wanted)
    acceptor = await listen(house, door.socket, door.key, door.keys, wanted.patterns)
    _say(door.lines)
    await stop.wait()
    acceptor.close()
    await house.close(STOPPED)
    log(f"stopped after {house.book.opened} visits")


@dataclass(frozen=True, slots=True)
class SshDoor:
    """All that can be wrong with a door has been found by the time there is one."""

    socket: socket.socket
    key: asyncssh.SSHKey
    keys: Callable[[], asyncssh.SSHAuthorizedKeys] | None
    line: str
    """What a visitor types."""
    lines: tuple[str, ...]
    """What the operator is told."""


def open_door(wanted: Wanted) -> SshDoor:
    """Keys that can be read, a host key that can be trusted, a port that is free."""
    from tui.serve.credentials import authorized, host_key

    if wanted.keys:
        authorized(wanted.keys)
    key = host_key(wanted.host_key)
    opened = bound(wanted.host, wanted.port)
    line = f"ssh -p {opened.getsockname()[1]} demo@{_named(wanted.host)}"
    who = ", ".join(map(str, wanted.keys)) if wanted.keys else "everybody who reaches this address, unasked"
    lines = (
        line,
        f"  host key     {key.get_fingerprint()} ({wanted.host_key})",
        f"  may come in  {who}",
        f"  at a time    {wanted.limits.sessions}, and {wanted.limits.per_address} from one address; ctrl+c stops",
    )
    return SshDoor(opened, key, (lambda: authorized(wanted.keys)) if wanted.keys else None, line, lines)


def bound(host: str, port: int) -> socket.socket:
    """A socket with this address. UserError if it cannot have it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        opened = socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise UserError(f"--host {host} --port {port}: {error.strerror or error}; a free port is accepted") from None
    opened.setblocking(False)
    return opened


def logged(wanted: Wanted) -> Log:
    """Where the log goes: a file, or standard error. UserError if the file cannot be written."""
    from tui.serve.log import to_file, to_stderr

    if wanted.log is None:
        return to_stderr
    try:
        return to_file(wanted.log)
    except OSError as error:
        raise UserError(
            f"--log {wanted.log}: {error.strerror or error}; a file that can be written is accepted"
        ) from None


def _named(host: str) -> str:
    return {"0.0.0.0": "THIS-HOST", "::": "THIS-HOST"}.get(host, host)


def _say(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(line)
