"""The app over HTTP and WebSocket, with a real client: who gets in, what is refused, how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pyte
import pytest

from tests.tui.serve.guests import APP, LONG, Screen, alive, environ_of, gone
from tui.registry import PANELS
from tui.serve.entrance import bound
from tui.serve.house import House
from tui.serve.limits import Limits
from tui.serve.stage import Stage
from tui.serve.web import MESSAGE_MAX, Web
from tui.session import Session

TOKEN = "a-token-of-some-length"


class Site:
    """A server, and a browser's part of it."""

    def __init__(self, house: House, port: int, log: list[str], http: aiohttp.ClientSession) -> None:
        self.house, self.port, self.log, self.http = house, port, log, http
        self.url = f"http://127.0.0.1:{port}"

    async def get(self, path: str, **headers: str) -> tuple[int, str, Any]:
        async with self.http.get(self.url + path, headers=headers) as answer:
            return answer.status, await answer.text(), answer.headers

    def socket(self, token: str = TOKEN, origin: str | None = "", query: str = "?width=100&height=30") -> Any:
        headers = {} if origin is None else {"Origin": origin or self.url}
        return self.http.ws_connect(f"{self.url}/{token}/ws{query}", headers=headers)

    def children(self) -> list[int]:
        return [pid for visit in self.house.visits.values() if (pid := getattr(visit.show, "pid", 0))]


@asynccontextmanager
async def site(limits: Limits | None = None, *, arguments: Sequence[str] = APP) -> AsyncIterator[Site]:
    log: list[str] = []
    house = House(limits or Limits(), log.append, arguments)
    web = Web(house, TOKEN)
    door = bound("127.0.0.1", 0)
    await web.listen(door)
    async with aiohttp.ClientSession() as http:
        made = Site(house, door.getsockname()[1], log, http)
        try:
            yield made
        finally:
            before = made.children()
            web.refuse()
            await house.close("the test is over")
            await web.close()
            door.close()
            assert not [pid for pid in before if alive(pid)]
            assert house.book.present == 0


class Tab:
    """A browser's tab with a terminal in it."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.raw = bytearray()
        self.screen = Screen((100, 30), self._answer)
        self.stream = pyte.ByteStream(self.screen)
        self._replies: list[bytes] = []

    def _answer(self, data: bytes) -> None:
        self._replies.append(data)

    async def type(self, text: str) -> None:
        await self.ws.send_str(json.dumps(["stdin", text]))

    async def shows(self, wanted: str) -> None:
        async with asyncio.timeout(LONG):
            while wanted not in "\n".join(self.screen.display):
                message = await self.ws.receive()
                assert message.type is aiohttp.WSMsgType.BINARY, (message, "\n".join(self.screen.display))
                self.raw += message.data
                self.stream.feed(message.data.replace(b"\x1b[>", b"\x1b[").replace(b"\x1b[<", b"\x1b["))
                for reply in self._replies:
                    await self.type(reply.decode())
                self._replies.clear()

    async def rest(self) -> bytes:
        """What comes until it is over."""
        async with asyncio.timeout(LONG):
            async for message in self.ws:
                self.raw += message.data if message.type is aiohttp.WSMsgType.BINARY else b""
        return bytes(self.raw)


async def test_the_link_gives_a_page_that_loads_nothing_from_elsewhere_and_a_terminal() -> None:
    async with site() as web:
        status, page, headers = await web.get(f"/{TOKEN}/")
        assert status == 200
        assert f"ws://127.0.0.1:{web.port}/{TOKEN}/ws" in page
        assert not re.search(r'(src|href)="(https?:)?//', page)
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        files = re.findall(r'"(/static/[^"]+)"', page)
        assert len(files) == 3
        for path in files:
            assert (await web.http.get(web.url + path)).status == 200
        async with web.socket() as ws:
            tab = Tab(ws)
            await tab.shows("scenarios")
            (pid,) = web.children()
            assert environ_of(pid)["TERM"] == "xterm-256color"
            await tab.type(" ")
            await tab.shows("PAUSE")
            await ws.send_str(json.dumps(["resize", {"width": 120, "height": 36}]))
            await ws.send_str(json.dumps(["ping", "1"]))
            await ws.send_str(json.dumps(["focus"]))
            await tab.type("q")
            assert b"\x1b[?1049l" in await tab.rest()
            await gone([pid])
        assert "left" in web.log[-1]
        assert TOKEN not in "\n".join(web.log)


async def test_without_the_token_there_is_nothing() -> None:
    async with site() as web:
        for path in ("/", "/wrong/", f"/{TOKEN[:-1]}/", f"/{TOKEN}", "/static/", "/static/../web.py", "/wrong/ws"):
            status, text, headers = await web.get(path)
            assert status in (403, 404), path
            assert TOKEN not in text
            assert "default-src 'none'" in headers["Content-Security-Policy"]
        for token in ("wrong", "%C3%A9", TOKEN + "x"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await web.socket(token)
            assert refused.value.status == 404
        assert not web.house.visits
        assert web.house.book.opened == 0


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1"])
async def test_a_page_of_somebody_else_opens_no_socket(origin: str | None) -> None:
    async with site() as web:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await web.socket(origin=origin)
        assert refused.value.status == 403
        assert "it comes from another page" in web.log[-1]
        assert web.house.book.opened == 0


GARBAGE = (
    "not json", "[" * 50_000, "{}", "[]", '["stdin"]', '["stdin", 5]', '["resize", {"width": "x", "height": 1}]',
    '["resize", {"width": true}]', '["exec", "id"]', '["stdin", "x", "y"]', "null", '"stdin"',
)  # fmt: skip


class Quiet:
    """A show that shows nothing."""

    def __init__(self, visit: object) -> None: ...

    def write(self, data: bytes) -> None: ...

    def resize(self, width: int, height: int) -> None: ...

    def hold(self, on: bool) -> None: ...

    async def stop(self) -> None: ...


async def test_garbage_ends_the_socket_and_nothing_else() -> None:
    async with site() as web:
        web.house.show = Quiet
        for text in (*GARBAGE, b"\x00\xff", json.dumps(["stdin", "x" * MESSAGE_MAX])):
            async with web.socket() as ws:
                await (ws.send_bytes(text) if isinstance(text, bytes) else ws.send_str(text))
                async with asyncio.timeout(LONG):
                    while not ws.closed:
                        await ws.receive()
                assert ws.close_code in (1008, 1009), text[:20]
            async with asyncio.timeout(LONG):
                while web.house.visits:
                    await asyncio.sleep(0.01)
        async with web.socket(query="?width=-1&height=99999999999&x=" + "y" * 500) as ws:
            (visit,) = web.house.visits.values()
            assert visit.size == (80, 24)
            await ws.send_str(json.dumps(["resize", {"width": 10**9, "height": -5}]))
            await ws.send_str(json.dumps(["stdin", "\ud800"]))
            await asyncio.sleep(0.1)
            assert visit.size == (500, 24)


async def test_of_a_cut_socket_no_process_is_left_and_a_stop_says_why() -> None:
    async with site() as web, web.socket() as one, web.socket() as two:
        tabs = Tab(one), Tab(two)
        await asyncio.gather(*(tab.shows("scenarios") for tab in tabs))
        first, second = web.children()
        assert one._response.connection is not None
        assert one._response.connection.transport is not None
        one._response.connection.transport.abort()
        await gone([first])
        stopping = asyncio.get_running_loop().create_task(web.house.close("stopped by its operator"))
        assert b"dp-tui: stopped by its operator" in await tabs[1].rest()
        await stopping
        assert not alive(second)


async def test_who_finds_all_places_taken_is_told_so() -> None:
    async with site(Limits(sessions=1)) as web:
        web.house.show = Quiet
        async with web.socket(), web.socket() as second:
            assert b"all 1 places are taken" in await Tab(second).rest()


async def test_a_request_that_is_none_writes_nothing_over_the_screen(caplog: pytest.LogCaptureFixture) -> None:
    async with site() as web:
        for text in (b"GET / HTTP/1.1\r\nHost: " + b"a" * 20_000, b"\x00" * 1_000):
            reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
            writer.write(text)
            async with asyncio.timeout(LONG):
                assert b"400" in await reader.readline()
            writer.close()
    assert not caplog.records


async def test_connections_that_ask_for_nothing_are_few_and_short() -> None:
    async with site(Limits(sessions=2, login_s=0.5)) as web:
        pairs = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", web.port) for _ in range(40)))
        pairs[0][1].write(b"GET / HT")
        async with asyncio.timeout(LONG):
            while sum(reader.at_eof() or reader.exception() is not None for reader, _ in pairs) < 30:
                await asyncio.sleep(0.02)
        async with asyncio.timeout(LONG):
            for reader, _ in pairs:
                with suppress(ConnectionError):
                    await reader.read()
        assert (await web.get(f"/{TOKEN}/"))[0] == 200
        for _, writer in pairs:
            writer.close()


async def test_a_browser_that_reads_nothing_is_let_go() -> None:
    class Talker(Quiet):
        def __init__(self, visit: Any) -> None:
            self.held = False
            self.task = asyncio.get_running_loop().create_task(self.talk(visit))

        async def talk(self, visit: Any) -> None:
            while True:
                if not self.held:
                    visit.send(os.urandom(16_384))
                await asyncio.sleep(0)

        def hold(self, on: bool) -> None:
            self.held = on

        async def stop(self) -> None:
            self.task.cancel()

    async with site(Limits(stalled_s=1.0)) as web:
        web.house.show = Talker
        async with web.socket() as ws:
            connection = ws._response.connection
            assert connection is not None
            assert connection.protocol is not None
            connection.protocol.pause_reading()
            async with asyncio.timeout(LONG):
                while web.house.visits:
                    await asyncio.sleep(0.05)
            assert "the client took nothing for 1 s" in web.log[-1]
            assert connection.transport is not None
            connection.transport.abort()


async def test_a_stage_is_watched_in_a_browser_too() -> None:
    session = Session(PANELS, "raft", variant="raft")
    async with site() as web:
        stage = Stage(session, PANELS)
        web.house.show = stage.watch
        async with web.socket(query="?width=120&height=36") as ws:
            tab = Tab(ws)
            tab.screen.resize(36, 120)
            await tab.shows("you are watching")
            assert session.badge == "1 watch, least 120x36"
            await tab.type("kkk")
            await tab.type("q")
            assert b"\x1b[?1049l" in await tab.rest()
        assert session.badge == "nobody watches"
        stage.stop()
