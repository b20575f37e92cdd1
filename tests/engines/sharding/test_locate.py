"""Placements of five nodes, three replicas: if one changes, every stored run and every user's notes are wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engines.errors import UserError
from engines.sharding.batch import KeySet
from engines.sharding.locate import LOCATABLE, locate

ROOT = Path(__file__).parents[3]
NODES = ("n1", "n2", "n3", "n4", "n5")

GOLDEN = r"""
modulo b'hello' 1 None n2 n3 n4
range b'hello' 4 None n5 n1 n2
ring b'hello' None 9022087748821825191 n5 n1 n4
slots b'hello' 866 None n1 n2 n3
jump b'hello' 2 None n3 n4 n5
rendezvous b'hello' None None n5 n2 n1
maglev b'hello' 30087 None n2 n3 n4
bounded b'hello' None 9022087748821825191 n5 n1 n4
cassandra b'hello' None -3758069500696749310 n3 n4 n5
ketama b'hello' None 708854109 n2 n3 n5
modulo b'{user1000}.x' 3 None n4 n5 n1
range b'{user1000}.x' 4 None n5 n1 n2
ring b'{user1000}.x' None 2428787445109080478 n4 n5 n2
slots b'{user1000}.x' 3443 None n2 n3 n4
jump b'{user1000}.x' 1 None n2 n3 n4
rendezvous b'{user1000}.x' None None n3 n1 n2
maglev b'{user1000}.x' 17554 None n3 n1 n2
bounded b'{user1000}.x' None 2428787445109080478 n4 n5 n2
cassandra b'{user1000}.x' None 1706324227503793848 n4 n5 n1
ketama b'{user1000}.x' None 4258269211 n1 n2 n3
modulo b'' 1 None n2 n3 n4
range b'' 0 None n1 n2 n3
ring b'' None -5426141060434712860 n5 n2 n4
slots b'' 0 None n1 n2 n3
jump b'' 2 None n3 n4 n5
rendezvous b'' None None n1 n2 n4
maglev b'' 5126 None n3 n2 n4
bounded b'' None -5426141060434712860 n5 n2 n4
cassandra b'' None -9223372036854775808 n1 n2 n3
ketama b'' None 3649838548 n1 n5 n2
modulo b'\xc3\xa9' 3 None n4 n5 n1
range b'\xc3\xa9' 4 None n5 n1 n2
ring b'\xc3\xa9' None 3394012004367669963 n1 n4 n3
slots b'\xc3\xa9' 10180 None n4 n5 n1
jump b'\xc3\xa9' 2 None n3 n4 n5
rendezvous b'\xc3\xa9' None None n3 n1 n4
maglev b'\xc3\xa9' 21474 None n2 n5 n1
bounded b'\xc3\xa9' None 3394012004367669963 n1 n4 n3
cassandra b'\xc3\xa9' None 5461403030378599040 n5 n1 n2
ketama b'\xc3\xa9' None 2546851174 n2 n1 n3
"""


def lines() -> list[str]:
    return [
        f"{p.strategy} {p.key!r} {p.slot} {p.token} {' '.join(p.replicas)}"
        for p in locate([b"hello", b"{user1000}.x", b"", b"\xc3\xa9"], NODES, rf=3)
    ]


def test_golden_placements() -> None:
    assert "\n".join(lines()) == GOLDEN.strip()


def test_placements_do_not_depend_on_the_hash_seed() -> None:
    program = "from tests.engines.sharding.test_locate import lines; print('\\n'.join(lines()))"
    for seed in ("0", "1234"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, check=True, text=True
        )
        assert done.stdout.strip() == GOLDEN.strip()


def test_the_record_has_the_public_names() -> None:
    (placement,) = locate([b"\xff\t"], NODES, ("cassandra",), rf=2)
    assert placement.to_json() == {
        "key": "\\xff\\x09",
        "strategy": "cassandra",
        "slot": None,
        "token": placement.token,
        "node": placement.node,
        "replicas": list(placement.replicas),
    }


def test_every_strategy_locates_every_key_in_order() -> None:
    found = [(p.key, p.strategy) for p in locate(KeySet([b"a", b"b"]), NODES)]
    assert found == [(key, name) for key in (b"a", b"b") for name in LOCATABLE]


def test_range_chooses_its_chunks_by_the_keys() -> None:
    keys = KeySet(b"user:%04d" % i for i in range(1000))
    owners = [p.node for p in locate(keys, NODES, ("range",))]
    assert owners == sorted(owners)
    assert {owners.count(node) for node in NODES} <= set(range(190, 211))


def test_impossible_requests_are_refused_at_once() -> None:
    for name in LOCATABLE:
        with pytest.raises(UserError, match=f"^{name}: 6 replicas on 5 nodes"):
            locate([], NODES, (name,), rf=6)
    with pytest.raises(UserError, match=r"no strategy is called 'x'; one of modulo, .* ketama is accepted"):
        locate([], NODES, ("x",))
