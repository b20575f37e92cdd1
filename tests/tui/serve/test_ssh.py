"""The SSH server, with real clients: what a visitor gets, what she cannot get, and how it ends."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from functools import partial
from pathlib import Path

import asyncssh
import pytest

from tests.tui.serve.guests import APP, KEY, LONG, Client, Server, alive, environ_of, gone, only, serving
from tests.tui.test_driver import colour_codes
from tui.registry import PANELS
from tui.serve.guest import ALLOWED, HEIGHT_MAX, WIDTH_MAX
from tui.serve.house import Visit
from tui.serve.limits import Limits

OURS = {"PATH", "HOME", "PYTHONPATH", "PYTHONUTF8", "PYTHONDONTWRITEBYTECODE", "MALLOC_ARENA_MAX", "TERM"}


async def child_of(server: Server, client: Client) -> int:
    """The process of the only visit."""
    await client.shows("scenarios")
    (pid,) = server.children()
    return pid


# -- what a visitor gets -----------------------------------------------------------------------------------------------


async def test_every_visitor_gets_the_app_in_her_size_and_colours_at_once_and_leaves_it_with_q(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")  # of the operator's terminal
    monkeypatch.setenv("NO_COLOR", "1")
    async with serving() as server, asyncio.timeout(2 * LONG):
        async with (
            server.visit((100, 30)) as many,
            server.visit((80, 24), "linux", {"LANG": "C"}) as few,
            server.visit((120, 36), "xterm-ghostty", {"NO_COLOR": "1"}) as none,
        ):
            await asyncio.gather(*(client.shows("scenarios") for client in (many, few, none)))
            assert len(many.screen.display[0]) == 100
            assert many.screen.display[-1].strip()
            assert any(code.startswith("38;5") for code in colour_codes(many.raw))
            assert colour_codes(few.raw)
            assert not any(code.startswith(("38", "48")) for code in colour_codes(few.raw))
            assert not [byte for byte in few.raw if byte > 0x7E]
            assert colour_codes(none.raw) == set()
            for client in (many, few, none):
                client.send("q")
            assert [await client.ends() for client in (many, few, none)] == [0, 0, 0]
        assert re.search(r"#1 a key by ssh from 127\.0\.0\.1: \S+ \d+x\d+", "\n".join(server.log))
        assert sum("left" in line for line in server.log) == 3


async def test_a_user_named_like_a_pattern_gets_that_pattern() -> None:
    async with serving() as server, server.visit((120, 36), username="tracing") as client:
        await client.shows(lambda text: PANELS[-1].pattern.variants[0].title in text.splitlines()[1])
    assert PANELS[-1].pattern.name == "tracing"


async def test_without_keys_everybody_is_let_in_and_what_is_pressed_at_once_is_not_lost() -> None:
    async with serving(keys=None) as server, server.visit(client_keys=None, username="x") as client:
        client.send(" ")
        await client.shows("PAUSE")


async def test_ctrl_c_at_once_leaves_and_is_no_signal() -> None:
    async with serving() as server, server.visit() as client:
        client.send("kk\x03")
        assert await client.ends() == 0
        assert b"kk" not in client.raw
        assert b"Traceback" not in client.raw


async def test_the_sandbox_writes_no_file_and_is_not_suspended() -> None:
    async with serving() as server, server.visit((120, 36)) as client:
        pid = await child_of(server, client)
        client.send(" ")
        await client.shows("PAUSE")
        client.send("P")
        await client.shows("sandbox writes no files")
        client.send("\x1a")
        client.send(" ")
        await client.shows("RUN")
        about = Path(f"/proc/{pid}")
        limits = about.joinpath("limits").read_text()
        assert re.search(r"Max file size +0 +0", limits)
        assert re.search(r"Max cpu time +1200", limits)
        assert re.search(r"Max address space +1073741824", limits)
        assert about.joinpath("cmdline").read_text().split("\0")[-6:-1] == ["1200", "1024", *APP]
        assert os.getsid(pid) == pid


# -- what she cannot get -----------------------------------------------------------------------------------------------


async def test_commands_files_and_forwarding_are_refused() -> None:
    async with serving() as server, await server.login() as conn:
        done = await conn.run("touch /tmp/never; id", term_type="xterm")
        assert done.exit_status == 2
        assert "runs no commands" in str(done.stderr)
        assert done.stdout == ""
        done = await conn.run(term_type=None)
        assert done.exit_status == 2
        assert "a terminal is needed: ssh -t" in str(done.stderr)
        with pytest.raises(asyncssh.ChannelOpenError):
            await conn.start_sftp_client()
        with pytest.raises(asyncssh.ChannelOpenError):
            await conn.create_process(subsystem="netconf")
        with pytest.raises(asyncssh.ChannelOpenError):
            await conn.open_connection("127.0.0.1", server.port)
        with pytest.raises(asyncssh.ChannelOpenError):
            await conn.open_unix_connection("/run/x")
        with pytest.raises(asyncssh.ChannelListenError):
            await conn.forward_remote_port("", 0, "127.0.0.1", 9)
        with pytest.raises(asyncssh.ChannelOpenError):
            await conn.open_tun()
        assert not server.house.visits


async def test_a_key_whose_line_is_for_an_account_under_sshd_gets_the_app() -> None:
    line = f'command="dp-tui raft --sandbox; id",restrict,pty {KEY.export_public_key().decode()}'
    async with serving(keys=lambda: asyncssh.import_authorized_keys(line)) as server, server.visit() as client:
        await client.shows("scenarios")
        argv = Path(f"/proc/{server.children()[0]}/cmdline").read_text()
        assert "id" not in argv.split("\0")
        assert argv.split("\0")[-4:-1] == list(APP)


async def test_of_her_environment_only_words_about_language_and_colours_arrive() -> None:
    hostile = {
        **{f"V{n}": "x" * 1_000 for n in range(300)},
        "LD_PRELOAD": "/tmp/evil.so", "PYTHONPATH": "/tmp", "PYTHONINSPECT": "1", "PATH": "/tmp", "HOME": "/tmp",
        "TEXTUAL_DRIVER": "os:system", "DP_TUI_STRICT": "1", "BASH_ENV": "/tmp/x", "COLORTERM": "truecolor",
        "LANG": "$(id)", "LC_ALL": "en_US.UTF-8", "NO_COLOR": "\x1b]0;evil\x07", "COLORFGBG": "0;15" * 100,
    }  # fmt: skip
    async with serving() as server, server.visit(environ=hostile, term="evil\x1b[2J") as client:
        environ = environ_of(await child_of(server, client))
        assert set(environ) <= OURS | set(ALLOWED)
        assert environ["TERM"] == "xterm"
        assert environ["COLORTERM"] == "truecolor"
        assert environ["LC_ALL"] == "en_US.UTF-8"
        assert not set(environ) & {"LANG", "NO_COLOR", "COLORFGBG"}
        assert environ["PATH"] == os.defpath


async def test_a_stranger_does_not_get_in_and_six_keys_are_all_that_are_looked_at() -> None:
    strangers = [asyncssh.generate_private_key("ssh-ed25519") for _ in range(9)]
    async with serving(Limits(failures=8)) as server:
        with pytest.raises(asyncssh.Error):
            await server.login(client_keys=strangers)
        assert len(server.house.book._failures["127.0.0.1"]) == 6
        with pytest.raises(asyncssh.Error):
            await server.login(client_keys=[], password="hunter2", username="hunter2")
        with pytest.raises(asyncssh.Error):
            await server.login(client_keys=strangers[:2])
        with pytest.raises((asyncssh.Error, OSError)):  # eight failures: not even a right key now
            await server.login()
        text = "\n".join(server.log)
        assert "too many failed logins from this address" in text
        assert "hunter2" not in text
        assert not server.house.visits


async def test_a_key_that_is_taken_out_is_out_at_once() -> None:
    allowed = [KEY]
    async with serving(keys=lambda: only(*allowed)) as server:
        (await server.login()).abort()
        allowed[:] = [asyncssh.generate_private_key("ssh-ed25519")]
        with pytest.raises(asyncssh.PermissionDenied):
            await server.login()


async def test_nothing_that_is_typed_and_no_name_is_in_the_log() -> None:
    async with serving() as server, server.visit(username="s3cret-word") as client:
        await client.shows("scenarios")
        client.send("/another-s3cret\r")
        await client.shows("another-s3cret")
        client.send("\x03")
        await client.ends()
        assert "s3cret" not in "\n".join(server.log)
        assert len(server.log) == 2


# -- odd clients -------------------------------------------------------------------------------------------------------


async def test_silly_sizes_are_made_sizes() -> None:
    async with (
        serving() as server,
        asyncio.timeout(2 * LONG),
        server.visit((0, 0)) as none,
        server.visit((1, 1)) as tiny,
        server.visit((10_000, 10_000)) as huge,
    ):
        clients = (none, tiny, huge)
        while not all(client.raw for client in clients):
            await asyncio.sleep(0.02)
        sizes = [visit.size for visit in server.house.visits.values()]
        assert sizes == [(80, 24), (1, 1), (WIDTH_MAX, HEIGHT_MAX)]
        for client in clients:
            client.send("q")
        assert [await client.ends() for client in clients] == [0, 0, 0]


async def test_of_a_storm_of_sizes_the_last_one_is_drawn() -> None:
    async with serving() as server, server.visit() as client:
        await client.shows("scenarios")
        for n in range(400):
            client.chan.change_terminal_size(60 + n % 90, 16 + n % 40)
        client.chan.change_terminal_size(101, 31)
        client.screen.resize(31, 101)
        client.screen.reset()
        await client.shows(lambda text: "scenarios" in text.splitlines()[-1])
        client.send("\x0c")
        await client.shows("journal")
        client.send("q")
        assert await client.ends() == 0


async def test_floods_and_forged_answers_hold_up_nobody_else() -> None:
    async with serving() as server, server.visit() as bad, server.visit() as good:
        await asyncio.gather(bad.shows("scenarios"), good.shows("scenarios"))
        noise = bytes(byte for byte in os.urandom(1_000_000) if byte not in b"q\x03\x11")
        bad.send(b"\x1b[2;3R\x1b[24;80R\x1b]52;c;a2s=\x07\x1b]11;rgb:ff/ff\x1bP>|x\x1b\\\x1b[200~never closed")
        bad.send(noise)
        good.send(" ")
        assert await good.shows("PAUSE") < LONG / 2
        (child, _) = (visit.show for visit in server.house.visits.values())
        assert len(child._waiting) < 200_000  # type: ignore[union-attr]
        good.send("q")
        assert await good.ends() == 0


class Talker:
    """A show that has a lot to say."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.held = visit, False
        self.task = asyncio.get_running_loop().create_task(self.talk())

    async def talk(self) -> None:
        while True:
            if not self.held:
                self.visit.send(b"x" * 4_096)
            await asyncio.sleep(0.001)

    def write(self, data: bytes) -> None: ...

    def resize(self, width: int, height: int) -> None: ...

    def hold(self, on: bool) -> None:
        self.held = on

    async def stop(self) -> None:
        self.task.cancel()


async def test_a_client_that_stops_reading_is_sent_no_more_and_is_let_go() -> None:
    async with serving(Limits(stalled_s=1.0)) as server:
        server.house.show = Talker
        async with server.visit(window=8_192) as client:
            await client.shows("xxx")
            client.chan.pause_reading()
            async with asyncio.timeout(LONG):
                while server.house.visits:
                    await asyncio.sleep(0.05)
            assert "the client took nothing for 1 s" in server.log[-1]
            assert int(re.findall(r"(\d+) bytes", server.log[-1])[0]) - len(client.raw) < 300_000


@pytest.mark.soak
async def test_an_app_whose_client_stops_reading_stands_still() -> None:
    async with serving(Limits(stalled_s=1.0)) as server, server.visit((200, 50), window=8_192) as client:
        pid = await child_of(server, client)
        client.chan.pause_reading()
        for _ in range(60):  # it types on, and every key is a picture that is not taken
            client.send("?\x1b")
            await asyncio.sleep(0.02)
        await gone([pid], 3 * LONG)
        async with asyncio.timeout(LONG):
            while server.house.visits:
                await asyncio.sleep(0.02)
        assert "the client took nothing for 1 s" in server.log[-1]


async def test_of_a_cut_connection_no_process_is_left() -> None:
    async with serving() as server, server.visit() as client:
        pid = await child_of(server, client)
        client.chan.get_connection().abort()
        await gone([pid])
        async with asyncio.timeout(LONG):
            while server.house.visits:
                await asyncio.sleep(0.02)
        assert "the connection was lost" in server.log[-1]


async def test_what_the_app_says_to_a_channel_that_is_closing_is_nobodys_trouble(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving() as server, server.visit() as client:
        await child_of(server, client)
        (visit,) = server.house.visits.values()
        client.chan.close()
        for _ in range(50):
            visit.send(b"more")
            await asyncio.sleep(0)
        async with asyncio.timeout(LONG):
            while server.house.visits:
                await asyncio.sleep(0.02)
        visit.door.send(b"late")
        visit.door.shut(0)
    assert not [record for record in caplog.records if record.exc_info]


async def test_an_app_that_is_killed_leaves_a_terminal_that_is_itself_and_a_line() -> None:
    async with serving() as server, server.visit() as client:
        pid = await child_of(server, client)
        os.kill(pid, signal.SIGKILL)
        assert await client.ends() == 1
        assert b"\x1b[?1049l" in client.raw
        assert b"dp-tui: the app was ended by signal 9" in client.raw
        assert not alive(pid)


# -- limits ------------------------------------------------------------------------------------------------------------


async def test_who_finds_all_places_taken_is_told_so() -> None:
    async with serving(Limits(sessions=2, per_address=2)) as server:
        server.house.show = Talker
        async with server.visit() as one, server.visit() as two:
            await asyncio.gather(one.shows("xxx"), two.shows("xxx"))
            async with server.visit() as third:
                assert await third.ends() == 2
                assert b"all 2 places are taken" in third.errors
            server.house.visits[1].finish("enough", 0)
            await one.ends()
            async with server.visit() as fourth:
                await fourth.shows("xxx")


async def test_one_connection_has_no_more_than_four_terminals() -> None:
    async with serving(Limits(sessions=0)) as server, await server.login() as conn:
        opened = await asyncio.gather(
            *(conn.create_session(partial(Client, (80, 24)), term_type="xterm", encoding=None) for _ in range(6)),
            return_exceptions=True,
        )
        assert sum(isinstance(each, asyncssh.ChannelOpenError) for each in opened) == 2


@pytest.mark.parametrize(
    ("limits", "why"),
    [(Limits(idle_s=0.5), "no key for 0.5 s"), (Limits(total_s=0.5), "a visit lasts 0.5 s at most")],
)
async def test_a_visit_ends_in_time_and_says_why(limits: Limits, why: str) -> None:
    async with serving(limits) as server, server.visit() as client:
        assert await client.ends() == 0
        assert f"dp-tui: {why}".encode() in client.raw
        assert why in server.log[-1]


async def silent(port: int, count: int) -> list[asyncio.StreamWriter]:
    """Connections that say nothing."""
    pairs = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(count)))
    return [writer for _, writer in pairs]


async def test_connections_that_never_log_in_are_few_and_short_and_keep_nobody_out() -> None:
    async with serving(Limits(waiting=10, login_s=2.0)) as server:
        writers = await silent(server.port, 40)
        async with asyncio.timeout(LONG):
            while sum("too many connections have not logged in" in line for line in server.log) < 30:
                await asyncio.sleep(0.02)
        assert server.house.book.waiting == 10
        async with asyncio.timeout(LONG):
            while server.house.book.waiting:
                await asyncio.sleep(0.05)
        (await server.login()).abort()
        for writer in writers:
            writer.close()


async def test_a_connection_without_a_terminal_is_let_go() -> None:
    """As with ``ssh -N``, and as a shared connection is after its last terminal; one with a terminal stays."""
    async with serving(Limits(login_s=1.0)) as server, server.visit() as client:
        conn = await server.login()
        async with asyncio.timeout(LONG):
            await conn.wait_closed()
        assert "no terminal was asked for" in server.log[-1]
        await asyncio.sleep(0.5)
        assert not client.over.is_set()


async def test_a_clean_stop_lets_everybody_see_why() -> None:
    async with serving() as server, server.visit() as one, server.visit() as two:
        await asyncio.gather(one.shows("scenarios"), two.shows("scenarios"))
        pids = server.children()
        await server.house.close("the server was stopped by its operator")
        for client in (one, two):
            assert await client.ends() == 0
            assert b"dp-tui: the server was stopped by its operator" in client.raw
        assert not any(map(alive, pids))
        with pytest.raises((asyncssh.Error, OSError)):
            await server.login()
