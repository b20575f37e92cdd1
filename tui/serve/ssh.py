"""The SSH server: an app for whoever asks for a terminal, and nothing else.

What SSH can do besides is refused here, once and by name: commands (`exec`) get a line that says so, subsystems (sftp,
scp) and every kind of forwarding are declined by the protocol's own word. Logins are by key; passwords and
keyboard-interactive are not offered, so nobody sends one. With `anonymous` everybody is let in, whoever they say they
are. A name of a user that is the name of a pattern opens that pattern (`ssh tracing@host`), any other what the operator
chose.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import asyncssh

from engines.errors import UserError
from tui.serve.guest import Guest, Sieve, safe_environ, safe_size, safe_term
from tui.serve.house import House, Visit

ALIVE_S: Final = 30
"""A client that says nothing is asked whether it is there; three silences end it."""
CHANNELS: Final = 4
"""Terminals on one connection (OpenSSH shares connections with ControlMaster)."""
BUFFER: Final = 65_536
NO_COMMANDS: Final = "this server shows dp-tui and runs no commands: ssh without one"
NO_TERMINAL: Final = "a terminal is needed: ssh -t"

Keys = Callable[[], asyncssh.SSHAuthorizedKeys]


class Login(asyncssh.SSHServer):
    """One connection. `keys` is asked anew at each login; None: everybody may enter."""

    def __init__(self, house: House, keys: Keys | None, patterns: frozenset[str]) -> None:
        self.house, self.keys, self.patterns = house, keys, patterns
        self.address = ""
        self.user = ""
        self.who = "somebody"
        self.channels = 0
        self._knocked = False
        self._inside = False
        self._failed = 0
        self._bored: asyncio.TimerHandle | None = None
        self._over = False
        self._conn: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Before any cryptography."""
        self._conn = conn
        peer = conn.get_extra_info("peername")
        self.address = str(peer[0]) if peer else "nowhere"
        why = self.house.closing or self.house.book.knock(self.address, self.house.now())
        if why:
            self.house.log(f"turned away {self.address}: {why}")
            conn.abort()
            return
        self._knocked = True

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over, however."""
        self._over = True
        self._busy()
        if self._knocked:
            self._knocked = False
            self.house.book.go()
        if not self._inside and exc is not None:
            self.house.log(f"no login from {self.address}: {type(exc).__name__}")

    def begin_auth(self, username: str) -> bool:
        """Whether this one must prove who she is."""
        self.user = username
        if self.keys is None:
            return False
        assert self._conn is not None
        try:
            self._conn.set_authorized_keys(self.keys())
        except UserError as error:
            self.house.log(f"no login from {self.address}: {error}")
            self._conn.abort()
        return True

    def auth_completed(self) -> None:
        """She is in."""
        self._inside = True
        if self._knocked:
            self._knocked = False
            self.house.book.go()
        assert self._conn is not None
        self.who = "somebody" if self.keys is None else "a key"
        self.idle()

    def idle(self) -> None:
        """No terminal is open: as with ``ssh -N``, or a shared connection after its last one. It may not stay so."""
        self._bored = asyncio.get_running_loop().call_later(self.house.limits.login_s, self._give_up)

    def _give_up(self) -> None:
        assert self._conn is not None
        self.house.log(f"let go of {self.who} from {self.address}: no terminal was asked for")
        why = f"a connection without a terminal is kept for {self.house.limits.login_s:g} s: ssh -t, and no -N"
        self._conn.disconnect(asyncssh.DISC_BY_APPLICATION, why, "en")

    def _busy(self) -> None:
        if self._bored is not None:
            self._bored.cancel()
            self._bored = None

    def public_key_auth_supported(self) -> bool:
        """By key, and by nothing else."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """A key that is in no file."""
        self._failed += 1
        self.house.book.failed(self.address, self.house.now())
        if self._failed >= self.house.limits.tries and self._conn is not None:
            self._conn.disconnect(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "too many keys", "en")
        return False

    def session_requested(self) -> Terminal | bool:
        """A channel for a terminal."""
        if self.channels >= CHANNELS:
            return False
        self.channels += 1
        self._busy()
        return Terminal(self)

    def closed(self) -> None:
        """One of its terminals is gone."""
        self.channels -= 1
        if not self.channels and not self._over:
            self.idle()

    @property
    def forced(self) -> bool:
        """Whether the key's line in its file has a command of its own."""
        return self._conn is not None and self._conn.get_key_option("command") is not None

    def arguments(self) -> tuple[str, ...]:
        """The pattern that the name of the user asks for, if it is one; nothing of the name itself is used."""
        return (self.user,) if self.user in self.patterns and self.house.show is None else ()


class Terminal(asyncssh.SSHServerSession[bytes]):
    """One terminal of a visitor: a door."""

    def __init__(self, login: Login) -> None:
        self.login = login
        self.visit: Visit | None = None
        self._chan: asyncssh.SSHServerChannel[bytes]
        self._term: str | None = None
        self._size = (0, 0)
        self._command = False
        self._early = bytearray()
        self._beginning: asyncio.Task[None] | None = None

    # -- what the client asks for

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """A channel is open."""
        self._chan = chan
        chan._env = Sieve()  # it has no bound of its own
        chan.set_write_buffer_limits(high=BUFFER)

    def pty_requested(self, term_type: str, term_size: tuple[int, int, int, int], term_modes: object) -> bool:
        """A terminal of this name and size."""
        self._term, self._size = safe_term(term_type), safe_size(*term_size[:2])
        return True

    def shell_requested(self) -> bool:
        """What is meant is the app."""
        return True

    def exec_requested(self, command: str) -> bool:
        """Accepted, to be told that there are none: nothing is run, and nobody looks at the command. If the line of the
        key in `authorized_keys` names one, as for an account under sshd, what is meant is the app."""
        self._command = not self.login.forced
        return True

    def subsystem_requested(self, subsystem: str) -> bool:
        """No sftp, and no other."""
        return False

    def session_started(self) -> None:
        """Everything is said that a client says before it begins."""
        if self._command or self._term is None:
            why = NO_COMMANDS if self._command else NO_TERMINAL
            self.login.house.log(f"refused {self.login.who} from {self.login.address}: {why}")
            self._refuse(why)
            return
        guest = Guest(
            self.login.address, f"{self.login.who} by ssh", self._term, self._size,
            safe_environ(self._chan.get_environment()),
        )  # fmt: skip
        visit = self.login.house.enter(guest, self, self.login.arguments())
        if isinstance(visit, str):
            self._refuse(visit)
            return
        self.visit = visit
        self._beginning = asyncio.get_running_loop().create_task(self._begin(visit))

    async def _begin(self, visit: Visit) -> None:
        await visit.start()
        if self._early:
            visit.typed(bytes(self._early))
            self._early.clear()

    def _refuse(self, why: str) -> None:
        with suppress(OSError):
            self._chan.write_stderr(f"dp-tui: {why}\r\n".encode())
            self._chan.exit(2)

    # -- what comes in

    def data_received(self, data: bytes, datatype: object) -> None:
        """Input; what comes before the app is there waits for it."""
        if self.visit is not None and self.visit.show is not None:
            self.visit.typed(data)
        elif len(self._early) < BUFFER:
            self._early += data

    def eof_received(self) -> bool:
        """The client sends no more input: its terminal is gone."""
        if self.visit is not None:
            self.visit.lost("the client closed its input")
        return False

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        """Another size."""
        if self.visit is not None:
            self.visit.resized(width, height)

    def pause_writing(self) -> None:
        """The client takes nothing."""
        if self.visit is not None:
            self.visit.writable(False)

    def resume_writing(self) -> None:
        """It reads again."""
        if self.visit is not None:
            self.visit.writable(True)

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is gone."""
        self.login.closed()
        if self.visit is not None:
            self.visit.lost()

    # -- a door

    def send(self, data: bytes) -> None:
        """Write to the terminal; one that is closing takes no more, and says so when it is closed."""
        with suppress(OSError):
            self._chan.write(data)

    def want(self, on: bool) -> None:
        """Whether input is wanted now."""
        if on:
            self._chan.resume_reading()
        else:
            self._chan.pause_reading()

    def shut(self, status: int) -> None:
        """Close, once everything is sent."""
        with suppress(OSError):
            self._chan.exit(status)


async def listen(
    house: House, door: socket.socket, key: asyncssh.SSHKey, keys: Keys | None, patterns: frozenset[str]
) -> asyncssh.SSHAcceptor:
    """Begin to listen on a socket that is bound."""
    logging.getLogger("asyncssh").setLevel(logging.CRITICAL)  # it would tell names of users
    return await asyncssh.create_server(
        lambda: Login(house, keys, patterns),
        sock=door,
        server_host_keys=[key],
        backlog=256,
        encoding=None,
        line_editor=False,
        allow_pty=True,
        allow_scp=False,
        sftp_factory=None,
        agent_forwarding=False,
        x11_forwarding=False,
        public_key_auth=True,
        password_auth=False,
        kbdint_auth=False,
        host_based_auth=False,
        gss_host=None,
        login_timeout=house.limits.login_s,
        keepalive_interval=ALIVE_S,
        keepalive_count_max=3,
        server_version="dp-tui",
    )
