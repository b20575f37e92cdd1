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
from engines.sharding.world.ownership import ShardMap
from tests.engines.sharding.world.lab import OTHER, SLOT, A, B, Bench, C

SERVER = shutil.which("redis-server")
NODES = 3
PATIENCE_S = 120.0

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


# -- the same questions to Redis and to our nodes, in every state of a migration ----------------------------------

NAMES = ("n1", "n2", "n3")
STATES = ("stable", "migrating", "one key has left", "assigned")
QUESTIONS = [
    (node, keys, asking)
    for node in NAMES
    for keys in ((A,), (B,), (A, C), (A, B), (B, "{user1000}.none"), (A, OTHER))
    for asking in (False, True)
]
"""A and C are stored, B never is; OTHER is a key of another slot."""


def redis_answer(cluster: list[Redis], node: str, keys: tuple[str, ...], asking: bool) -> str:
    """As our nodes would say it."""
    redis = cluster[NAMES.index(node)]
    if asking:
        assert redis.ask("ASKING") == "OK"
    said = redis.ask("MGET" if len(keys) > 1 else "GET", *keys)
    for name, each in zip(NAMES, cluster, strict=True):
        said = said.replace(f"127.0.0.1:{each.port}", name)
    code = said.partition(" ")[0]
    if code in ("MOVED", "ASK"):
        return said
    return code if code in ("TRYAGAIN", "CROSSSLOT", "CLUSTERDOWN") else "served" if said.strip() else "nil"


def redis_goes_to(state: str, cluster: list[Redis]) -> None:
    source, target = cluster[0], cluster[2]
    match state:
        case "stable":
            assert [source.ask("SET", key, "1") for key in (A, C)] == ["OK", "OK"]
        case "migrating":
            assert target.ask("CLUSTER", "SETSLOT", str(SLOT), "IMPORTING", source.id) == "OK"
            assert source.ask("CLUSTER", "SETSLOT", str(SLOT), "MIGRATING", target.id) == "OK"
        case "one key has left":
            assert source.ask("MIGRATE", "127.0.0.1", str(target.port), A, "0", "5000") == "OK"
        case "assigned":
            assert source.ask("MIGRATE", "127.0.0.1", str(target.port), C, "0", "5000") == "OK"
            for node in (target, source, cluster[1]):
                assert node.ask("CLUSTER", "SETSLOT", str(SLOT), "NODE", target.id) == "OK"


def we_go_to(state: str, bench: Bench) -> None:
    match state:
        case "stable":
            bench.put_on("n1", A, C)
        case "migrating":
            bench.migrating()
        case "one key has left":
            bench.give("n3", A)
            bench.leave(A)
        case "assigned":
            bench.give("n3", C)
            bench.leave(C)
            now = bench.engine.cluster.node("n1").map
            assert now.plan is not None
            for node in ("n3", "n1", "n2"):
                bench.teach(node, ShardMap(3, 1, now.plan.target))


def our_answer(bench: Bench, node: str, keys: tuple[str, ...], asking: bool) -> str:
    said = bench.ask(node, *keys, asking=asking)
    return "served" if said.startswith("served") else said


def test_our_nodes_answer_what_redis_answers_in_every_state_of_a_migration(cluster: list[Redis]) -> None:
    assert slot(A.encode()) == SLOT
    assert owner(SLOT) == 0
    bench = Bench()
    for state in STATES:
        redis_goes_to(state, cluster)
        we_go_to(state, bench)
        for question in QUESTIONS:
            assert our_answer(bench, *question) == redis_answer(cluster, *question), (state, question)
