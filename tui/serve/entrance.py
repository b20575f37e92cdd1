"""The ways in: all that can be wrong with one is found before it is opened, and opening it needs a loop."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from engines.errors import UserError
from tui.serve.house import House

if TYPE_CHECKING:
    from tui.serve.web import Web


class Entrance(Protocol):
    """A way in. `line`: what a visitor types, or opens; `lines`: what the operator is told."""

    line: str
    lines: tuple[str, ...]

    async def open(self, house: House) -> None:
        """Let people in."""
        ...

    def refuse(self) -> None:
        """Let nobody in any more."""
        ...

    async def close(self) -> None:
        """End what is left."""
        ...


async def shut(house: House, entrances: Sequence[Entrance], why: str) -> None:
    """End it all; everybody is told why."""
    for entrance in entrances:
        entrance.refuse()
    await house.close(why)
    for entrance in entrances:
        await entrance.close()


class SshEntrance:
    """By SSH. UserError if keys cannot be read, the host key cannot be trusted, or the port is taken."""

    def __init__(self, host: str, port: int, keys: tuple[Path, ...], host_key: Path, patterns: frozenset[str]) -> None:
        from tui.serve import credentials

        self.keys: Callable[[], Any] | None = None
        if keys:
            credentials.authorized(keys)
            self.keys = lambda: credentials.authorized(keys)
        self.key = credentials.host_key(host_key)
        self.patterns = patterns
        self.socket = bound(host, port, "--port")
        self.line = f"ssh -p {self.socket.getsockname()[1]} demo@{named(host)}"
        who = ", ".join(map(str, keys)) if keys else "everybody who reaches this address, unasked"
        self.lines: tuple[str, ...] = (
            self.line,
            f"  host key     {self.key.get_fingerprint()} ({host_key})",
            f"  may come in  {who}",
        )
        self._acceptor: Any = None

    async def open(self, house: House) -> None:
        """Let people in."""
        from tui.serve.ssh import listen

        self._acceptor = await listen(house, self.socket, self.key, self.keys, self.patterns)

    def refuse(self) -> None:
        """Let nobody in any more."""
        if self._acceptor is not None:
            self._acceptor.close()

    async def close(self) -> None:
        """Connections without a visit end with the process."""
        self.socket.close()


class WebEntrance:
    """By a link. UserError if the port is taken or the address of the outside is none."""

    def __init__(self, host: str, port: int, public_url: str, token: str, title: str) -> None:
        parts = urlsplit(public_url)
        if public_url and (parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/")):
            raise UserError(f"--public-url {public_url}: a scheme and a host are accepted, as https://demo.example.org")
        self.origin = f"{parts.scheme}://{parts.netloc}" if public_url else ""
        self.token, self.title = token, title
        self.socket = bound(host, port, "--web-port")
        number = self.socket.getsockname()[1]
        shown = f"[{host}]" if ":" in named(host) else named(host)
        self.line = f"{self.origin or f'http://{shown}:{number}'}/{token}/"
        self.lines: tuple[str, ...] = (
            self.line,
            "  may come in  whoever has this link; it is good until the server stops",
        )
        self._web: Web | None = None

    async def open(self, house: House) -> None:
        """Let people in."""
        from tui.serve.web import Web

        self._web = Web(house, self.token, self.origin, self.title)
        await self._web.listen(self.socket)

    def refuse(self) -> None:
        """Let nobody in any more."""
        if self._web is not None:
            self._web.refuse()

    async def close(self) -> None:
        """End what is left."""
        if self._web is not None:
            await self._web.close()
        self.socket.close()


def bound(host: str, port: int, option: str = "--port") -> socket.socket:
    """A socket with this address. UserError if it cannot have it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        opened = socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"--host {host} {option} {port}: {reason}; a free port of this machine is accepted") from None
    opened.setblocking(False)
    return opened


def named(host: str) -> str:
    """How others call an address."""
    return {"0.0.0.0": "THIS-HOST", "::": "THIS-HOST"}.get(host, host)
