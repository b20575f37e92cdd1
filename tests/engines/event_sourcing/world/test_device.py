"""The simulated disk: power fails between any two steps, and nothing that was synced is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engines.event_sourcing import ANY, MemoryStore, NewEvent, verify
from engines.event_sourcing.world.device import PAGE_BYTES, Device, frame, recover
from engines.sim.random import Stream


def steps(device: Device, store: MemoryStore, offset: int, stream: Stream, acknowledged: list[int]) -> Iterator[int]:
    """A store that appends batches and syncs; each ``yield`` is a point at which power may fail: the new offset."""
    while True:
        size = 1 + stream.below(4)
        head = store.head()
        pad = "x" * stream.below(400)
        new = [NewEvent(f"e{head + n}", "Counted", {"n": head + n, "pad": pad}) for n in range(size)]
        saved = store.save_events(f"s-{stream.below(3)}", new, ANY)
        for position in saved.positions:
            data = frame(store.events[position - 1], position == saved.positions[-1])
            for page, content in device.splice(offset, data):
                yield offset
                device.write(page, content)
            offset += len(data)
        if stream.chance(700_000):
            yield offset
            device.sync()
            acknowledged.append(store.head())
        yield offset


def survive(seed: int) -> tuple[int, int, int]:
    """Four power failures of one store; how many pages were lost, kept and torn."""
    stream = Stream(seed, "power")
    device, store, offset = Device(), MemoryStore(), 0
    acknowledged: list[int] = [0]
    fates = [0, 0, 0]
    for _ in range(4):
        running = steps(device, store, offset, stream, acknowledged)
        for _ in range(stream.below(40)):
            next(running)
        for index, count in enumerate(device.power_loss(stream)):
            fates[index] += count
        before = {event.position: event for event in store.events}
        found = recover(device)
        device.sync()
        assert len(found.events) >= acknowledged[-1], f"seed {seed}: an acknowledged event is gone"
        assert all(before[event.position] == event for event in found.events), f"seed {seed}: a changed event"
        assert verify(found.events).ok
        batches = {event.id: event for event in found.events}
        assert len(batches) == len(found.events)
        store, offset = MemoryStore.of(found.events), found.offset
        acknowledged.append(store.head())
    return fates[0], fates[1], fates[2]


def test_500_seeds_of_power_loss_lose_nothing_that_was_acknowledged() -> None:
    totals = [sum(each) for each in zip(*(survive(seed) for seed in range(500)), strict=True)]
    assert min(totals) > 300, f"pages lost, kept, torn: {totals}: each must have happened often"


@pytest.mark.soak
def test_10000_seeds_of_power_loss_lose_nothing_that_was_acknowledged(capsys: pytest.CaptureFixture[str]) -> None:
    totals = [sum(each) for each in zip(*(survive(seed) for seed in range(10_000)), strict=True)]
    with capsys.disabled():
        print(f"\n10,000 seeds, 40,000 power failures: pages lost, kept, torn: {totals}")
    assert min(totals) > 6_000


def written(*batches: int) -> tuple[Device, MemoryStore]:
    device, store, offset = Device(), MemoryStore(), 0
    for number, size in enumerate(batches):
        new = [NewEvent(f"{number}-{n}", "Counted", {"pad": "x" * 300}) for n in range(size)]
        for position in store.save_events("s", new).positions:
            event = store.events[position - 1]
            data = frame(event, event.id == f"{number}-{size - 1}")
            for page, content in device.splice(offset, data):
                device.write(page, content)
            offset += len(data)
    return device, store


def test_a_batch_whose_end_is_missing_is_dropped_as_a_whole() -> None:
    device, store = written(2, 3)
    device.sync()
    last = max(device.durable)
    del device.durable[last]
    found = recover(device)
    assert (len(found.events), found.dropped, found.broken) == (2, 2, True)
    assert len(recover(device, whole_batches=False).events) == 4
    assert found.events == tuple(store.events[:2])


def test_a_torn_page_ends_the_log() -> None:
    device, _ = written(1, 1, 1)
    page = 2
    device.sync()
    device.durable[page] = device.durable[page][: PAGE_BYTES // 2] + bytes(PAGE_BYTES // 2)
    found = recover(device)
    assert found.broken
    assert len(found.events) < 3


def test_old_frames_behind_a_shorter_log_are_not_taken_for_new_ones() -> None:
    device, store = written(1, 1, 1)
    device.sync()
    event = store.events[0]._replace(body='{"pad":"y"}')
    for page, content in device.splice(0, frame(event, True)):
        device.write(page, content)
    assert recover(device).events == ()


def test_what_waits_is_read_by_the_process_and_lost_with_the_power() -> None:
    device, _ = written(1)
    assert len(recover(device).events) == 1
    device.waiting.clear()
    assert recover(device).events == ()


def test_a_frame_whose_body_is_no_text_ends_the_log() -> None:
    device, store = written(1)
    event = store.events[0]
    for page, content in device.splice(0, frame(event._replace(body=None), True)):  # type: ignore[arg-type]
        device.write(page, content)
    assert recover(device) == ((), 0, 0, True)
