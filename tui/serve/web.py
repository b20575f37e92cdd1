"""The same app in a browser tab: one page, one WebSocket, the same visits behind the same limits.

The terminal in the page is that of textual-serve (its scripts and fonts are sent as they are). Its server is not used:
it starts a shell for every visitor and relays a protocol of its own, while here a visitor gets what one over SSH gets,
a confined process on a pty, and the answers of her terminal come back as they do there.

Whoever has the link may come in, and nobody else: a token of 24 random bytes is part of its path, compared in constant
time, and without it there is no page, no socket and no hint that there are any. A WebSocket must also come from a page
of this server (its `Origin` is checked), so that no other page in somebody's browser can open one. The page may load
nothing from elsewhere, may not be framed, and is not kept in caches. What comes through a socket is a list of two, a
word and a value; whatever else comes ends it. There is no TLS here: on an open network put a proxy in front, or go
through `ssh -L`.
"""

from __future__ import annotations

import asyncio
import html
import json
import logging
import socket
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import textual_serve
from aiohttp import WSCloseCode, WSMsgType, web

from tui.serve.guest import Guest, safe_size
from tui.serve.house import House, Visit
from tui.serve.tokens import same

STATIC: Final = Path(textual_serve.__file__).parent / "static"
TERM: Final = "xterm-256color"
MESSAGE_MAX: Final = 65_536
BUFFER: Final = 65_536
"""Bytes that wait to be sent, from which on the visitor counts as not reading."""
CHUNK: Final = 32_768
HEARTBEAT_S: Final = 20.0
PARTING_S: Final = 2.0
CONNECTIONS: Final = 4
"""Connections for each visit that may be: a page, its files, a socket."""
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/css/xterm.css">
<style>
@font-face {{ font-family: "Roboto Mono"; src: url("/static/fonts/RobotoMono-VariableFont_wght.ttf"); }}
html, body {{ margin: 0; height: 100%; overflow: hidden; background: #000; color: #ccc;
  font-family: "Roboto Mono", monospace; }}
#terminal {{ position: absolute; inset: 0; }}
.closed-dialog {{ display: none; position: absolute; bottom: 0; left: 0; right: 0; padding: 8px; background: #223;
  z-index: 9; text-align: center; }}
body.-closed .closed-dialog {{ display: block; }}
a {{ color: #8cf; }}
</style>
<script src="/static/js/textual.js"></script>
<script src="keys.js"></script>
</head>
<body>
<div id="terminal" class="textual-terminal" data-session-websocket-url="{socket}" data-font-size="{size}"></div>
<div class="closed-dialog">This visit is over. <a href="">Come in again</a></div>
<button id="start" hidden></button>
</body>
</html>
"""
KEYS: Final = """"use strict";
function listen() {
  const line = document.querySelector(".xterm-helper-textarea");
  if (line) line.focus();
}
function begin() {  // nothing can be sent before the socket is open
  if (!document.body.classList.contains("-loaded")) return setTimeout(begin, 20);
  listen();
  window.addEventListener("focus", listen);
  document.fonts.load('16px "Roboto Mono"').then(() => window.onresize && window.onresize());
}
window.addEventListener("load", begin);
"""
"""Keys go to the terminal without a click, and it fits the window in its own font."""
FONT: Final = (8, 16, 40)


class Socket:
    """A WebSocket as a door: what is sent waits in line for the browser to take it."""

    def __init__(self, ws: web.WebSocketResponse, transport: asyncio.BaseTransport | None) -> None:
        self.ws, self.transport = ws, transport
        self.visit: Visit | None = None
        self.wanted = asyncio.Event()
        self.wanted.set()
        self._line: deque[bytes] = deque()
        self._waiting = 0
        self._stalled = False
        self._more = asyncio.Event()
        self._over = False

    def send(self, data: bytes) -> None:
        """Put it in line."""
        self._line.append(data)
        self._waiting += len(data)
        self._more.set()
        if self._waiting > BUFFER and not self._stalled:
            self._stalled = True
            if self.visit is not None:
                self.visit.writable(False)

    def want(self, on: bool) -> None:
        """Whether input is wanted now."""
        if on:
            self.wanted.set()
        else:
            self.wanted.clear()

    def shut(self, status: int) -> None:
        """Send the rest, then close."""
        self._over = True
        self._more.set()
        asyncio.get_running_loop().call_later(PARTING_S, self.cut)

    def cut(self) -> None:
        """Wait no longer for a browser that does not take its leave."""
        if isinstance(self.transport, asyncio.Transport) and not self.ws.closed:
            self.transport.abort()

    async def carry(self) -> None:
        """Send what is in line, until it is over."""
        while True:
            await self._more.wait()
            self._more.clear()
            while self._line:
                data = b"".join(self._line)
                self._line.clear()
                for at in range(0, len(data), CHUNK):
                    await self.ws.send_bytes(data[at : at + CHUNK])
                self._waiting -= len(data)
            if self._stalled and self._waiting <= BUFFER // 2:
                self._stalled = False
                if self.visit is not None:
                    self.visit.writable(True)
            if self._over:
                await self.ws.close()
                return


class Web:
    """The pages and sockets of one house. `origin`: how the world calls it, if not by the address it listens on."""

    def __init__(self, house: House, token: str, origin: str = "", title: str = "dp-tui") -> None:
        self.house, self.token, self.origin, self.title = house, token, origin, title
        self._met: dict[asyncio.Transport, Any] = {}
        """Connections, and who handles each."""
        self._greeted: set[Any] = set()
        """Handlers of those that have asked for something."""
        self._runner: web.AppRunner | None = None
        self._accepting: asyncio.Task[None] | None = None

    # -- coming and going

    async def listen(self, door: socket.socket) -> None:
        """Begin, on a socket that is bound."""
        app = web.Application(client_max_size=1_024, middlewares=[self._guard])
        app.router.add_get("/{token}/", self._page)
        app.router.add_get("/{token}/keys.js", self._keys)
        app.router.add_get("/{token}/ws", self._socket)
        app.router.add_static("/static", STATIC, show_index=False, append_version=False)
        logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # it would print tracebacks over a stage
        self._runner = web.AppRunner(app, access_log=None, keepalive_timeout=15.0)
        await self._runner.setup()
        self._accepting = asyncio.get_running_loop().create_task(self._accept(door))

    def refuse(self) -> None:
        """Accept no more connections."""
        if self._accepting is not None:
            self._accepting.cancel()

    async def close(self) -> None:
        """Close those that are left."""
        self.refuse()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _accept(self, door: socket.socket) -> None:
        """Connections: few, and not for long unless they ask for something."""
        loop = asyncio.get_running_loop()
        assert self._runner is not None
        assert self._runner.server is not None
        while True:
            try:
                connection, _ = await loop.sock_accept(door)
            except OSError:  # no more descriptors for the moment
                await asyncio.sleep(0.1)
                continue
            self._met = {each: handler for each, handler in self._met.items() if not each.is_closing()}
            self._greeted.intersection_update(self._met.values())
            if len(self._met) >= CONNECTIONS * self.house.limits.sessions:
                connection.close()
                continue
            with suppress(OSError):
                transport, handler = await loop.connect_accepted_socket(self._runner.server, sock=connection)
                self._met[transport] = handler
                loop.call_later(self.house.limits.login_s, self._look_again, transport)

    def _look_again(self, transport: asyncio.Transport) -> None:
        if self._met.get(transport) not in self._greeted:
            transport.abort()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Every answer has the same headers, and no error tells anything."""
        self._greeted.add(request.protocol)
        try:
            response: web.StreamResponse = await handler(request)
        except web.HTTPException as error:
            response = web.Response(status=error.status, text=error.reason)
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    # -- what can be asked for

    def _admit(self, request: web.Request) -> None:
        """There is nothing here for who does not have the link."""
        if not same(request.match_info["token"], self.token):
            self.house.log(f"no page for {request.remote}: wrong token")
            raise web.HTTPNotFound

    async def _page(self, request: web.Request) -> web.StreamResponse:
        """The page."""
        self._admit(request)
        least, usual, most = FONT
        asked = request.query.get("fontsize", "")
        size = min(max(int(asked), least), most) if asked.isascii() and asked.isdecimal() and len(asked) < 4 else usual
        origin = self.origin or f"http://{request.host}"
        address = f"{'wss' if origin.startswith('https') else 'ws'}://{urlsplit(origin).netloc}/{self.token}/ws"
        text = PAGE.format(title=html.escape(self.title), socket=html.escape(address, quote=True), size=size)
        return web.Response(text=text, content_type="text/html")

    async def _keys(self, request: web.Request) -> web.StreamResponse:
        """Its own few lines."""
        self._admit(request)
        return web.Response(text=KEYS, content_type="text/javascript")

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        """A visit."""
        self._admit(request)
        origin = request.headers.get("Origin", "")
        if origin not in (self.origin, f"http://{request.host}") or not origin:
            self.house.log(f"no socket for {request.remote}: it comes from another page")
            raise web.HTTPForbidden
        ws = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MESSAGE_MAX, autoclose=True)
        await ws.prepare(request)
        size = safe_size(_number(request.query.get("width")), _number(request.query.get("height")))
        door = Socket(ws, request.transport)
        visit = self.house.enter(Guest(request.remote or "nowhere", "a browser", TERM, size), door)
        if isinstance(visit, str):
            await ws.send_bytes(f"dp-tui: {visit}\r\n".encode())
            await ws.close()
            return ws
        door.visit = visit
        carrier = asyncio.get_running_loop().create_task(door.carry())
        try:
            await visit.start()
            why = await self._listen(ws, door, visit)
            await visit.end(why, 0) if not visit.ending else await visit.over()
        finally:
            visit.lost()
            await visit.over()
            with suppress(Exception):
                async with asyncio.timeout(1.0):
                    await carrier
            carrier.cancel()
        return ws

    async def _listen(self, ws: web.WebSocketResponse, door: Socket, visit: Visit) -> str:
        """What comes in, until it ends; why it did."""
        async for message in ws:
            await door.wanted.wait()
            if message.type is not WSMsgType.TEXT or not await self._take(ws, visit, message.data):
                await ws.close(code=WSCloseCode.POLICY_VIOLATION)
                return "the browser sent what no terminal sends"
        return "the browser closed the page"

    async def _take(self, ws: web.WebSocketResponse, visit: Visit, text: str) -> bool:
        """One message; whether it was one."""
        try:
            envelope = json.loads(text)
        except (ValueError, RecursionError):
            return False
        match envelope:
            case ["stdin", str(typed)]:
                visit.typed(typed.encode("utf-8", "ignore"))
            case ["resize", {"width": int(width), "height": int(height)}]:
                visit.resized(max(0, width), max(0, height))
            case ["ping", str(word)]:
                await ws.send_json(["pong", word[:64]])
            case ["focus"] | ["blur"]:
                pass
            case _:
                return False
        return True


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 7 else 0
