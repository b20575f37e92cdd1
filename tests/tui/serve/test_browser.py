"""The link in a real browser, without a window: Chromium opens it, keys go through the page, pictures are looked at."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import re
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pyte
import pytest

from tests.ptyscreen import PATIENCE_S, ROOT

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LONG = PATIENCE_S
KEYS = {"Escape": ("Escape", 27), "Enter": ("Enter", 13)}

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]


class Page:
    """A page, over Chromium's DevTools protocol. What its WebSocket receives is shown on a screen too, to be read."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.session = ""
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.screen = pyte.Screen(80, 24)
        self.stream = pyte.ByteStream(self.screen)
        self.sockets = 0
        self._number = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}

    async def read(self) -> None:
        async for message in self.ws:
            data = json.loads(message.data)
            if "id" in data:
                self._answers.pop(data["id"]).set_result(data)
                continue
            params = data.get("params", {})
            match data["method"]:
                case "Network.webSocketFrameReceived" if params["response"]["opcode"] == 2:
                    raw = base64.b64decode(params["response"]["payloadData"])
                    self.stream.feed(raw.replace(b"\x1b[>", b"\x1b[").replace(b"\x1b[<", b"\x1b["))
                case "Network.webSocketFrameSent":
                    found = re.match(r'\["resize",\{"width":(\d+),"height":(\d+)', params["response"]["payloadData"])
                    if found:
                        self.screen.resize(int(found[2]), int(found[1]))
                case "Network.webSocketCreated":
                    self.sockets += 1
                case "Network.requestWillBeSent":
                    self.requests.append(params["request"]["url"])
                case "Runtime.exceptionThrown":
                    self.errors.append(params["exceptionDetails"]["exception"]["description"])
                case "Log.entryAdded" if params["entry"]["level"] == "error":
                    self.errors.append(params["entry"]["text"])

    async def ask(self, method: str, **params: Any) -> Any:
        number = next(self._number)
        future = self._answers[number] = asyncio.get_running_loop().create_future()
        session = {"sessionId": self.session} if self.session else {}
        await self.ws.send_str(json.dumps({"id": number, "method": method, "params": params, **session}))
        async with asyncio.timeout(LONG):
            answer = await future
        assert "error" not in answer, answer
        return answer["result"]

    async def press(self, *keys: str) -> None:
        for key in keys:
            name, code = KEYS.get(key, (key, ord(key.upper())))
            text = {} if key in KEYS else {"text": key}
            await self.ask("Input.dispatchKeyEvent", type="keyDown", key=name, windowsVirtualKeyCode=code, **text)
            await self.ask("Input.dispatchKeyEvent", type="keyUp", key=name, windowsVirtualKeyCode=code)

    async def evaluate(self, code: str) -> Any:
        return (await self.ask("Runtime.evaluate", expression=code, returnByValue=True))["result"].get("value")

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    async def shows(self, wanted: Callable[[str], object]) -> str:
        try:
            async with asyncio.timeout(LONG):
                while not wanted(self.text()):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"the screen is\n{self.text()}\n{self.errors}") from None
        return self.text()


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Page]:
    assert CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
        "--disable-background-networking", "--remote-debugging-port=0", f"--user-data-dir={folder}",
        "--window-size=1200,760", "about:blank", stderr=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        async with asyncio.timeout(LONG):
            while not (
                found := re.search(r"DevTools listening on (ws://\S+)", (await process.stderr.readline()).decode())
            ):
                assert process.returncode is None
        async with aiohttp.ClientSession() as http, http.ws_connect(found[1], max_msg_size=1 << 26) as ws:
            page = Page(ws)
            reading = asyncio.get_running_loop().create_task(page.read())
            target = (await page.ask("Target.createTarget", url="about:blank"))["targetId"]
            page.session = (await page.ask("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
            for domain in ("Page", "Network", "Runtime", "Log"):
                await page.ask(f"{domain}.enable")
            await page.ask("Emulation.setFocusEmulationEnabled", enabled=True)
            yield page
            reading.cancel()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


@asynccontextmanager
async def served(*options: str) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """`dp-tui serve --web` and its link."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tui", "serve", "raft", "--web", "--web-port", "0", *options,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        async with asyncio.timeout(LONG):
            link = (await server.stdout.readline()).decode().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", link)
        yield link, server
    finally:
        with suppress(ProcessLookupError):
            server.terminate()
        _, log = await server.communicate()
        assert b"Traceback" not in log


def leader(text: str) -> str:
    found = re.search(r"nodes +leader (n\d) t", text)
    return found[1] if found else ""


async def test_the_demo_of_a_talk_works_in_a_browser(tmp_path: Path) -> None:
    async with served("--speed", "1/4") as (link, _), chromium(tmp_path) as page:
        await page.ask("Page.navigate", url=link)
        first = leader(await page.shows(leader))
        assert (await page.evaluate("document.body.className")).split() == ["-loaded", "-first-byte"]
        assert await page.evaluate("document.activeElement.className") == "xterm-helper-textarea", (
            "it can be typed into"
        )
        await page.press("g")
        await page.press("k")
        text = await page.shows(lambda text: leader(text) not in ("", first))
        assert f"{first} X" in text
        picture = base64.b64decode((await page.ask("Page.captureScreenshot"))["data"])
        (tmp_path / "page.png").write_bytes(picture)
        assert len(picture) > 40_000, "a page that stayed black is smaller"
        assert {url.split("/")[2] for url in page.requests} == {link.split("/")[2]}, "nothing from elsewhere"
        assert page.sockets == 1
        assert page.errors == []
        await page.ask("Emulation.setDeviceMetricsOverride", width=900, height=500, deviceScaleFactor=1, mobile=False)
        width = page.screen.columns
        await page.shows(lambda text: page.screen.columns < width and "Raft" in text)
        await page.press("q")
        async with asyncio.timeout(LONG):
            while "-closed" not in await page.evaluate("document.body.className"):
                await asyncio.sleep(0.05)
        assert await page.evaluate("getComputedStyle(document.querySelector('.closed-dialog')).display") == "block"


async def test_another_page_cannot_open_a_socket(tmp_path: Path) -> None:
    async with served() as (link, _), chromium(tmp_path) as page:
        await page.ask("Page.navigate", url="data:text/html,<title>evil</title>")
        address = link.replace("http:", "ws:") + "ws?width=80&height=24"
        await page.evaluate(
            f"window.came = ''; s = new WebSocket('{address}'); s.onopen = () => came = 'open'; "
            "s.onclose = e => came = 'closed ' + e.code"
        )
        async with asyncio.timeout(LONG):
            while not (came := await page.evaluate("window.came")):
                await asyncio.sleep(0.05)
        assert came == "closed 1006"
