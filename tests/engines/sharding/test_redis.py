"""A real Redis Cluster of three nodes on loopback, if redis-server is here: the same slots, the same answers."""

import contextlib
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.sharding.hashing.crc16 import slot

SERVER = shutil.which("redis-server")
NODES = 3
PATIENCE_S = 30.0

pytestmark = pytest.mark.skipif(SERVER is None, reason="redis-server is not on this machine: nothing to compare with")


class Redis:
    """One node: a process, and a connection that speaks RESP."""

    def __init__(self, folder: Path, port: int) -> None:
        assert SERVER is not None
        self.port = port
        folder.mkdir()
        self.process = subprocess.Popen(
            [SERVER, "--port", str(port), "--bind", "127.0.0.1", "--cluster-enabled", "yes", "--dir", str(folder),
             "--cluster-config-file", "nodes.conf", "--appendonly", "no", "--save", ""],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), 5)
                break
            except OSError:
                assert time.monotonic() < deadline, "redis-server did not start"
                time.sleep(0.05)
        self.stream = self.socket.makefile("rb")
        self.id = self.ask("CLUSTER", "MYID")

    def ask(self, *words: str | bytes) -> str:
        """A command's answer as text; an error as its line, an array joined by blanks."""
        parts = [word if isinstance(word, bytes) else word.encode() for word in words]
        frame = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
        self.socket.sendall(frame)
        return self._read()

    def _read(self) -> str:
        line = self.stream.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:].decode()
        if kind == b"$":
            return "" if rest == "-1" else self.stream.read(int(rest) + 2)[:-2].decode("utf-8", "replace")
        if kind == b"*":
            return " ".join(self._read() for _ in range(int(rest)))
        return rest

    def close(self) -> None:
        """Stop the process."""
        self.stream.close()
        self.socket.close()
        self.process.kill()
        self.process.wait()


def free_ports() -> list[int]:
    """Ports that are free now, low enough for the cluster bus at +10000."""
    ports: list[int] = []
    chance = random.Random(time.monotonic_ns())
    while len(ports) < NODES:
        port = chance.randrange(20_000, 50_000)
        with contextlib.suppress(OSError), socket.socket() as one, socket.socket() as bus:
            one.bind(("127.0.0.1", port))
            bus.bind(("127.0.0.1", port + 10_000))
            ports.append(port)
    return ports


def owner(number: int) -> int:
    """Which of the nodes has a slot: thirds of the table."""
    return min(NODES - 1, number * NODES // 16_384)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Redis]]:
    folder = tmp_path_factory.mktemp("redis")
    nodes = [Redis(folder / str(port), port) for port in free_ports()]
    try:
        for number, node in enumerate(nodes):
            mine = [each for each in range(16_384) if owner(each) == number]
            assert node.ask("CLUSTER", "ADDSLOTS", *(str(each) for each in mine)) == "OK"
            node.ask("CLUSTER", "MEET", "127.0.0.1", str(nodes[0].port))
        deadline = time.monotonic() + PATIENCE_S
        while not all("cluster_state:ok" in node.ask("CLUSTER", "INFO") for node in nodes):
            assert time.monotonic() < deadline, "the cluster did not form"
            time.sleep(0.1)
        yield nodes
    finally:
        for node in nodes:
            node.close()


def test_every_key_has_the_slot_that_redis_says(cluster: list[Redis]) -> None:
    chance = random.Random(42)
    keys = [b"123456789", b"foo", b"{user1000}.x", b"foo{}{bar}", b"foo{{bar}}zap", b"foo{bar}{zap}", b"", b"\xff\x00{"]
    keys += [bytes(chance.choices(b"ab{}\x00\xff", k=chance.randrange(12))) for _ in range(2_000)]
    for key in keys:
        assert int(cluster[0].ask("CLUSTER", "KEYSLOT", key)) == slot(key), key


def test_a_stranger_is_moved_to_the_owner(cluster: list[Redis]) -> None:
    for number in range(50):
        key = f"key:{number}"
        place = owner(slot(key.encode()))
        for index, node in enumerate(cluster):
            answer = node.ask("SET", key, "1")
            wanted = "OK" if index == place else f"MOVED {slot(key.encode())} 127.0.0.1:{cluster[place].port}"
            assert answer == wanted


def test_the_answers_of_a_migration_come_in_the_order_that_we_model(cluster: list[Redis]) -> None:
    source, target, third = cluster[0], cluster[1], cluster[2]
    tag = next(f"t{n}" for n in range(10_000) if owner(slot(f"t{n}".encode())) == 0)
    number = str(slot(tag.encode()))
    here, gone = f"{{{tag}}}here", f"{{{tag}}}gone"
    assert source.ask("SET", here, "1") == "OK"
    assert target.ask("CLUSTER", "SETSLOT", number, "IMPORTING", source.id) == "OK"
    assert source.ask("CLUSTER", "SETSLOT", number, "MIGRATING", target.id) == "OK"
    moved, ask = f"MOVED {number} 127.0.0.1:{source.port}", f"ASK {number} 127.0.0.1:{target.port}"
    assert source.ask("GET", here) == "1", "the source has the key and serves it"
    assert source.ask("GET", gone) == ask, "it has not: ASK"
    assert source.ask("MGET", here, gone).startswith("TRYAGAIN"), "one of several is there"
    assert target.ask("GET", here) == moved, "the target without ASKING sends back"
    assert third.ask("GET", here) == moved, "a third node knows only the source"
    assert target.ask("ASKING") == "OK"
    assert target.ask("GET", gone) == "", "after ASKING it serves one key even if absent"
    assert target.ask("GET", gone) == moved, "ASKING is good for one command"
    assert target.ask("ASKING") == "OK"
    assert target.ask("MGET", here, gone).startswith("TRYAGAIN"), "several with one missing"
    assert source.ask("MGET", here, "another").startswith("CROSSSLOT"), "keys of two slots"
    assert source.ask("MIGRATE", "127.0.0.1", str(target.port), here, "0", "5000") == "OK"
    assert source.ask("GET", here) == ask
    for node in (target, source, third):
        assert node.ask("CLUSTER", "SETSLOT", number, "NODE", target.id) == "OK"
    assert target.ask("GET", here) == "1"
    assert source.ask("GET", here) == f"MOVED {number} 127.0.0.1:{target.port}"
