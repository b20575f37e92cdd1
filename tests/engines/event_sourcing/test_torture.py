"""A real writer process is killed with SIGKILL, at random moments and at named points: nothing acknowledged is lost.

SIGKILL proves the death of a process only: what the kernel has accepted survives it. The loss of power is tried on the
simulated disk (``world``).
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engines.event_sourcing import ANY, Conflict, CorruptStore, EventStoreError, NewEvent, SqliteStore
from engines.event_sourcing.events import RecordedEvent

POINTS = ("locked", "written", "sync", "committed", "random")
"""Before, during and after the sync."""


def killed(path: str, point: str, draw: random.Random) -> list[tuple[int, str]]:
    """Run a writer until it is dead; what it was told is written."""
    after = draw.randrange(1, 40)
    command = [
        sys.executable,
        "-m",
        "tests.engines.event_sourcing.torture",
        path,
        point if point != "random" else "never",
    ]
    with subprocess.Popen([*command, str(after)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        acknowledged = []
        assert child.stdout.readline() == "ready\n"
        if point == "random":
            time.sleep(draw.random() * 0.03)
            child.send_signal(signal.SIGKILL)
        for line in child.stdout:
            if line == "sync\n":
                time.sleep(draw.random() * 0.0005)
                child.send_signal(signal.SIGKILL)
                continue
            if line.endswith("\n"):
                position, id = line.split()
                acknowledged.append((int(position), id))
    assert child.returncode == -signal.SIGKILL
    return acknowledged


def torture(folder: Path, times: int) -> tuple[int, int]:
    """Kill so many writers of one file; how many events were acknowledged, and how many are there."""
    path = str(folder / "torture.db")
    draw = random.Random(20)
    told = 0
    SqliteStore(path).close()
    for turn in range(times):
        acknowledged = killed(path, POINTS[turn % len(POINTS)], draw)
        with SqliteStore(path) as store:  # opening verifies the whole chain
            events = store.read_all()
            assert [event.position for event in events] == list(range(1, len(events) + 1))
            heads: dict[str, int] = {}
            for event in events:
                assert event.revision == heads.get(event.stream, -1) + 1
                heads[event.stream] = event.revision
            for position, id in acknowledged:
                assert events[position - 1].id == id, f"turn {turn}: an acknowledged event is not where it was"
            told += len(acknowledged)
    return told, len(events)


def test_a_writer_is_killed_10_times(tmp_path: Path) -> None:
    told, there = torture(tmp_path, 10)
    assert there > told > 50


@pytest.mark.soak
def test_a_writer_is_killed_200_times(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told, there = torture(tmp_path, 200)
    with capsys.disabled():
        print(f"\n200 writers killed: {told} batches acknowledged, all of them among the {there} events of the file")
    assert there > told > 1_000


def stored(path: Path) -> tuple[tuple[RecordedEvent, ...], dict[str, tuple[RecordedEvent, ...]]]:
    with SqliteStore(str(path)) as store:
        for number in range(120):
            store.save_events(
                f"account-{number % 9}", [NewEvent(f"e{number}", "Counted", {"n": number, "pad": "y" * 40})]
            )
        store.save_batches([], {"mail": 60})
    with SqliteStore(str(path)) as store:
        return store.read_all(), {name: store.get_events(name) for name, _ in store.streams()}


def flip(path: Path, times: int, seed: int) -> tuple[int, int]:
    """Change one byte, so many times; how many were reported, and how many were proved harmless."""
    events, streams = stored(path)
    pristine = path.read_bytes()
    draw = random.Random(seed)
    copy = path.with_name("flipped.db")
    reported = harmless = 0
    for _ in range(times):
        at, bit = draw.randrange(len(pristine)), 1 << draw.randrange(8)
        spoiled = bytearray(pristine)
        spoiled[at] ^= bit
        copy.write_bytes(spoiled)
        for end in ("-wal", "-shm"):
            Path(f"{copy}{end}").unlink(missing_ok=True)
        try:
            with SqliteStore(str(copy), read_only=draw.random() < 0.5) as store:
                # What opens serves exactly what was written: live data is what any reader can be given.
                assert store.read_all() == events, f"byte {at} ^ {bit}: a wrong state was served"
                assert {name: store.get_events(name) for name, _ in store.streams()} == streams, f"byte {at} ^ {bit}"
                assert store.checkpoint("mail") == 60
                if not store.read_only:
                    for name, found in streams.items():
                        with pytest.raises(Conflict):
                            store.save_events(name, [NewEvent("q", "T", {})], found[-1].revision + 1)
                        again = store.save_events(name, [NewEvent(found[2].id, "T", {})])
                        assert (again.repeated, again.positions) == (True, (found[2].position,)), f"byte {at} ^ {bit}"
            harmless += 1
        except EventStoreError as error:
            if str(copy) not in str(error):
                raise
            reported += 1
    return reported, harmless


def test_50_flipped_bits_are_reported_or_harmless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.event_sourcing.sqlite_store.IDS_EVERY", 50)  # so that there is a table of ids to spoil
    reported, harmless = flip(tmp_path / "s.db", 50, 1)
    assert reported + harmless == 50
    assert reported > 15


@pytest.mark.soak
def test_1000_flipped_bits_are_reported_or_harmless(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engines.event_sourcing.sqlite_store.IDS_EVERY", 50)
    reported, harmless = flip(tmp_path / "s.db", 1_000, 2)
    with capsys.disabled():
        print(f"\n1,000 flipped bits: {reported} reported, {harmless} harmless, none served wrongly")
    assert reported + harmless == 1_000


def test_flipped_bits_in_the_log_are_reported_or_harmless_or_the_torn_tail(tmp_path: Path) -> None:
    """What stands in the log only, after a crash: a commit that was acknowledged is never dropped silently, but the
    last one cannot be told from a torn tail."""
    path = tmp_path / "s.db"
    store = SqliteStore(str(path))
    for number in range(12):
        store.save_events("s", [NewEvent(f"e{number}", "Counted", {"n": number})])
    events = store.read_all()
    files = {end: Path(f"{path}{end}").read_bytes() for end in ("", "-wal")}
    store.close()
    draw = random.Random(3)
    copy = tmp_path / "flipped.db"
    counts = {"reported": 0, "whole": 0, "torn": 0}
    for _ in range(150):
        log = bytearray(files["-wal"])
        log[draw.randrange(len(log))] ^= 1 << draw.randrange(8)
        Path(f"{copy}-shm").unlink(missing_ok=True)
        copy.write_bytes(files[""])
        Path(f"{copy}-wal").write_bytes(log)
        try:
            with SqliteStore(str(copy), read_only=True) as reader:
                found = reader.read_all()
        except CorruptStore:
            counts["reported"] += 1
            continue
        assert found in (events, events[:-1])
        counts["whole" if found == events else "torn"] += 1
    assert counts["reported"] > 100, counts


@pytest.mark.soak
def test_two_writers_and_a_reader_for_two_minutes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The WAL-reset race is of this kind: checkpoints, resets and commits of two connections, under a reader's eyes."""
    path = str(tmp_path / "s.db")
    SqliteStore(path).close()
    code = (
        "import sys, time; from engines.event_sourcing import *\n"
        "store, name = SqliteStore(sys.argv[1], verify='none'), sys.argv[2]\n"
        "end = time.monotonic() + float(sys.argv[3])\n"
        "count = 0\n"
        "while time.monotonic() < end:\n"
        "    count += 1\n"
        "    event = NewEvent(f'{name}{count}', 'T', {'pad': 'x' * (count % 3000)})\n"
        "    store.save_events(f'{name}-{count % 5}', [event])\n"
        "print(count)"
    )
    seconds = float(os.environ.get("TWO_WRITERS_S", "120"))
    writers = [
        subprocess.Popen([sys.executable, "-c", code, path, name, str(seconds)], stdout=subprocess.PIPE, text=True)
        for name in ("one", "two")
    ]
    looks = 0
    while any(writer.poll() is None for writer in writers):
        with SqliteStore(path, read_only=True) as reader:  # verifies everything
            looks += 1
            head = reader.head()
            found = reader.read_all(max(0, head - 50), min(head, 50))
            assert [event.position for event in found] == list(range(max(0, head - 50) + 1, head + 1))
    counts = [int(writer.communicate()[0]) for writer in writers]
    with SqliteStore(path) as store:
        assert store.head() == sum(counts)
    with capsys.disabled():
        print(f"\ntwo writers, {counts} events, a reader verified the file {looks} times")


def test_two_writers_and_a_reader_for_a_moment(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with SqliteStore(str(path)) as one, SqliteStore(str(path)) as two:
        for number in range(60):
            (one if number % 2 else two).save_events("s", [NewEvent(f"e{number}", "T", {})], ANY)
            if number % 20 == 0:
                with SqliteStore(str(path), read_only=True) as reader:
                    assert reader.head() == number + 1
    shutil.copy(path, tmp_path / "copy.db")
    with SqliteStore(str(tmp_path / "copy.db")) as copy:
        assert copy.head() == 60
