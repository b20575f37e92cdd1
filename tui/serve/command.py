"""`dp-tui serve`: its options, what it says when it starts, how it stops.

Everything that can be wrong is found before anybody may come in: the pattern and story of the visitors, the keys, the
host key, the address. What is said on standard output is for the operator to pass on; the log goes to standard error.
"""

from __future__ import annotations

import asyncio
import ipaddress
import signal
from collections.abc import Sequence
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
    from tui.company import Company
    from tui.panel import Panel
    from tui.serve.entrance import Entrance
    from tui.serve.log import Log
    from tui.session import Session

SSH_PORT: Final = 2222
WEB_PORT: Final = 8000
STOPPED: Final = "the server was stopped by its operator"
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PORTS: Final = Whole(0, 65_535)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the operator asked for. `arguments`: the command line of each visitor's app."""

    arguments: tuple[str, ...]
    patterns: frozenset[str]
    ssh: bool
    web: bool
    host: str
    port: int
    web_port: int
    public_url: str
    keys: tuple[Path, ...]
    anonymous: bool
    host_key: Path
    log: Path | None
    limits: Limits


def present(wanted: Wanted, session: Session, panels: tuple[Panel, ...]) -> Company:
    """The company of a presenter's app: everybody else watches what it shows."""
    from tui.serve.house import House
    from tui.serve.presenter import Presenter

    ways = entrances(wanted)
    log = logged(wanted) if wanted.log is not None else _unlogged
    _say(ways, wanted)
    return Presenter(House(wanted.limits, log), session, panels, ways)


def entrances(wanted: Wanted) -> list[Entrance]:
    """The ways in that were asked for. UserError if one cannot be."""
    from tui.serve.entrance import SshEntrance, WebEntrance
    from tui.serve.tokens import token

    ways: list[Entrance] = []
    if wanted.ssh:
        ways.append(SshEntrance(wanted.host, wanted.port, wanted.keys, wanted.host_key, wanted.patterns))
    if wanted.web:
        ways.append(WebEntrance(wanted.host, wanted.web_port, wanted.public_url, token(), "dp-tui"))
    return ways


def options() -> list[click.Parameter]:
    """The options of the server."""
    base = Limits()
    return [
        click.Option(["--web"], is_flag=True, help="In a browser: print a link (in place of SSH, but with --ssh)."),
        click.Option(["--ssh"], is_flag=True, help="By SSH; the default without --web."),
        click.Option(["--host"], default="127.0.0.1", show_default=True, help="The address to listen on."),
        click.Option(["--port"], type=PORTS, default=SSH_PORT, show_default=True, help="The port of SSH; 0: any."),
        click.Option(["--web-port"], type=PORTS, default=WEB_PORT, show_default=True, help="That of --web; 0: any."),
        click.Option(["--public-url"], metavar="URL", help="How browsers reach it, if through a proxy."),
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
    ssh = given["ssh"] or not given["web"]
    if given["public_url"] and not given["web"]:
        raise UserError("--public-url is for --web, which is not given")
    if ssh:
        need("asyncssh", "ssh")
    if given["web"]:
        need("textual_serve", "web")
    keys = tuple(Path(each) for each in given["keys"])
    if keys and given["anonymous"]:
        raise UserError("--anonymous lets everybody in, --keys only some; leave one of the two out")
    usual = Path("~/.ssh/authorized_keys").expanduser()
    if ssh and not keys and not given["anonymous"]:
        if not usual.exists():
            raise UserError(
                f"nobody could log in: {usual} does not exist; --keys FILE names another authorized_keys file, "
                "--anonymous lets everybody in"
            )
        keys = (usual,)
    for flag in ("idle", "time", "cpu"):
        if given[flag] < US_PER_S:
            raise UserError(f"--{flag}: a visit of less than a second is none; 1s or more is accepted, as 15m")
    folder = platformdirs.user_state_path("dp-tui") / "serve"
    limits = Limits(
        sessions=given["sessions"],
        per_address=given["per_address"],
        idle_s=given["idle"] / US_PER_S,
        total_s=given["time"] / US_PER_S,
        cpu_s=given["cpu"] // US_PER_S,
        memory_mb=given["memory"],
    )
    log = Path(given["log"]) if given["log"] else None
    host_key = Path(given["host_key"]) if given["host_key"] else folder / "host_key"
    return Wanted(
        arguments=arguments, patterns=patterns, ssh=ssh, web=given["web"], host=given["host"], port=given["port"],
        web_port=given["web_port"], public_url=given["public_url"] or "", keys=keys, anonymous=given["anonymous"],
        host_key=host_key, log=log, limits=limits,
    )  # fmt: skip


def serve(wanted: Wanted) -> int:
    """Serve until a signal comes. Returns the exit status."""
    asyncio.run(_serve(wanted))
    return 0


def need(module: str, extra: str) -> None:
    """UserError if what an extra brings is not installed."""
    if find_spec(module) is None:
        raise UserError(f"{module} is not installed, and this needs it: pipx install 'dp-tui[{extra}]'")


async def _serve(wanted: Wanted) -> None:
    from tui.serve.entrance import shut
    from tui.serve.house import House

    ways = entrances(wanted)
    log = logged(wanted)
    house = House(wanted.limits, log, wanted.arguments)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as after nohup
            loop.add_signal_handler(number, stop.set)
    for way in ways:
        await way.open(house)
    _say(ways, wanted)
    await stop.wait()
    await shut(house, ways, STOPPED)
    log(f"stopped after {house.book.opened} visits")


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


def _unlogged(text: str) -> None:
    """A presenter's screen is no place for a log."""


def _say(ways: Sequence[Entrance], wanted: Wanted) -> None:
    for way in ways:
        click.echo("\n".join(way.lines))
    limits = wanted.limits
    click.echo(f"  at a time    {limits.sessions}, and {limits.per_address} from one address")
