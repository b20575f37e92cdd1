"""The recorder contract tests of the ``eventsourcing`` package (9.5.6), on our SQLite store.

The threaded one, ``test_concurrent_no_conflicts`` (10 writers, 100 batches of 100 events, two readers), takes
1.1 s on two cores that others keep busy (load 11).
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from eventsourcing.tests import persistence as contract

from engines.event_sourcing import SqliteStore
from tests.engines.event_sourcing.recorder import OurAggregateRecorder, OurApplicationRecorder, OurProcessRecorder

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


class _OnAFile:
    """A fresh store in a fresh folder for each test."""

    INITIAL_VERSION = 0

    def setUp(self) -> None:
        self.folder = TemporaryDirectory()
        self.store = SqliteStore(str(Path(self.folder.name) / "store.db"))

    def tearDown(self) -> None:
        report = self.store.integrity()
        self.store.close()
        self.folder.cleanup()
        assert report.ok, report


class TestAggregateRecorder(_OnAFile, contract.AggregateRecorderTestCase):
    def create_recorder(self) -> Any:
        return OurAggregateRecorder(self.store)


class TestApplicationRecorder(_OnAFile, contract.ApplicationRecorderTestCase[Any]):
    def create_recorder(self) -> Any:
        return OurApplicationRecorder(self.store)

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestTrackingRecorder(_OnAFile, contract.TrackingRecorderTestCase):
    def create_recorder(self) -> Any:
        return OurProcessRecorder(self.store)


class TestProcessRecorder(_OnAFile, contract.ProcessRecorderTestCase):
    def create_recorder(self) -> Any:
        return OurProcessRecorder(self.store)


class TestNonInterleaving(_OnAFile, contract.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> Any:
        return OurApplicationRecorder(self.store)
