"""Settings of a saved run."""

import pytest

from engines.errors import UserError
from engines.sim.pattern import Setting
from engines.sim.recording import read_config

PAIRS = (Setting("pairs", (), help="tuples of tuples"), Setting("nodes", 3, 1, 9))


def test_a_setting_of_tuples_comes_back_as_tuples() -> None:
    config = read_config({"pairs": [["a", 1], ["b", 2]], "nodes": 4}, PAIRS, "file")
    assert config == (("pairs", (("a", 1), ("b", 2))), ("nodes", 4))
    assert hash(config)


@pytest.mark.parametrize("value", ["a", 1, None, {"a": 1}])
def test_a_setting_of_tuples_takes_nothing_else(value: object) -> None:
    with pytest.raises(UserError, match="setting 'pairs' takes a value of type tuple"):
        read_config({"pairs": value}, PAIRS, "file")


def test_a_list_is_no_number() -> None:
    with pytest.raises(UserError, match="setting 'nodes' takes a value of type int"):
        read_config({"nodes": [3]}, PAIRS, "file")
