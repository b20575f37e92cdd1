"""A FILE of keys: every form of the command line, what its report promises, and every bad input with its advice."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from engines.errors import UserError
from engines.sharding.hashing import crc16
from engines.sharding.hashing.murmur3 import token
from engines.sharding.keys import KEY_MAX
from tests.commandline import dp_tui
from tests.monkey import screen
from tests.ptyscreen import PtyApp, python
from tests.tui.test_cli import refused
from tui.cli import commands
from tui.options import DataOptions
from tui.registry import PANELS
from tui.session import Session
from tui.userdata.sharding import opening

STRATEGIES = ["modulo", "range", "ring", "slots", "jump", "rendezvous", "maglev", "bounded"]
FIGURES = {"moved", "ideal", "moved_between_survivors", "cv", "peak_to_mean", "hottest_key_share"}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> str:
    """2,000 different keys."""
    path = tmp_path_factory.mktemp("keys") / "keys.txt"
    path.write_text("".join(f"user:{i}\n" for i in range(2_000)))
    return str(path)


def written(tmp_path: Path, data: bytes) -> str:
    path = tmp_path / "keys.txt"
    path.write_bytes(data)
    return str(path)


def judged(file: str, *args: str) -> dict[str, Any]:
    done = CliRunner().invoke(commands, ["run", "sharding", file, *args, "--json"])
    assert done.exit_code == 0, done.output
    data: dict[str, Any] = json.loads(done.stdout)
    return data


def wrong(file: str, *args: str) -> str:
    """What is said of it."""
    with pytest.raises(UserError) as found:
        CliRunner().invoke(commands, ["run", "sharding", file, *args], catch_exceptions=False)
    return str(found.value)


# -- what is promised ----------------------------------------------------------------------------------------------


def test_a_join_is_judged_for_every_strategy(keys: str) -> None:
    data = judged(keys, "--nodes", "10", "--join", "1")
    assert (data["pattern"], data["seed"], data["virtual_time_us"], data["events"]) == ("sharding", None, 0, 2_000)
    assert list(data["strategies"]) == STRATEGIES
    assert all(set(each) == FIGURES for each in data["strategies"].values())
    assert all(each["ideal"] == pytest.approx(1 / 11) for each in data["strategies"].values())
    assert data["strategies"]["modulo"]["moved"] == pytest.approx(10 / 11, abs=0.03)
    assert data["strategies"]["modulo"]["moved_between_survivors"] == pytest.approx(9 / 11, abs=0.03)
    for lawful in ("ring", "jump", "rendezvous"):
        assert data["strategies"][lawful]["moved_between_survivors"] == 0
        assert 0.05 < data["strategies"][lawful]["moved"] < 0.14
    assert all(check["ok"] for check in data["checks"])
    assert data["snapshot"]["nodes"] == [f"n{i}" for i in range(1, 11)]
    assert data["snapshot"]["join"] == ["n11"]


def test_the_report_for_people_says_the_same(keys: str) -> None:
    done = dp_tui("run", "sharding", keys, "--nodes", "10", "--join", "1")
    assert done.returncode == 0
    assert "2,000 keys" in done.stdout
    assert "n11 joins: the even share to move is 9.09%" in done.stdout
    for name in STRATEGIES:
        assert f"\n{name} " in done.stdout
    assert "ok      strategy laws" in done.stdout


def test_standard_input_is_read_for_a_dash(keys: str) -> None:
    text = Path(keys).read_text()
    done = dp_tui("run", "sharding", "-", "--nodes", "10", "--join", "1", "--json", given=text)
    assert json.loads(done.stdout)["digest"] == judged(keys, "--nodes", "10", "--join", "1")["digest"]


def test_equal_runs_have_equal_digests_and_other_runs_others(keys: str, tmp_path: Path) -> None:
    digest = judged(keys, "--join", "1")["digest"]
    assert digest == judged(keys, "--join", "1")["digest"]
    others = [judged(keys)["digest"], judged(keys, "--join", "2")["digest"]]
    others.append(judged(written(tmp_path, b"another\n"), "--join", "1")["digest"])
    others.append(judged(keys, "--join", "1", "--vnodes", "16")["digest"])
    assert len({digest, *others}) == 5


def test_leaves_and_names(keys: str) -> None:
    data = judged(keys, "--nodes", "5", "--leave-name", "n2", "--join-name", "spare")
    assert data["snapshot"]["leave"] == ["n2"]
    assert data["snapshot"]["join"] == ["spare"]
    assert data["strategies"]["ring"]["moved_between_survivors"] == 0
    assert judged(keys, "--nodes", "5", "--leave", "2")["snapshot"]["leave"] == ["n4", "n5"]


def test_more_virtual_nodes_are_more_even(keys: str) -> None:
    few, many = (judged(keys, "--vnodes", count)["strategies"]["ring"]["cv"] for count in ("1", "1000"))
    assert few > 3 * many


def test_weights_make_a_hot_key(tmp_path: Path) -> None:
    file = written(tmp_path, b"hot\t600\n" + b"".join(b"cold:%d\t1\n" % i for i in range(400)))
    data = judged(file, "--nodes", "4")
    assert data["snapshot"]["total_weight"] == 1_000
    assert all(each["hottest_key_share"] == pytest.approx(0.6) for each in data["strategies"].values())
    peaks = {name: each["peak_to_mean"] for name, each in data["strategies"].items()}
    assert peaks.pop("bounded") == pytest.approx(2.4), "nobody else is where the hot key is"
    assert min(peaks.values()) > 2.399, "no placement splits one key"


def test_a_hot_key_is_judged_where_it_is_located(tmp_path: Path) -> None:
    data = judged(written(tmp_path, b"hot\t1000\nx\ny\n"), "--nodes", "5", "--rf", "1", "--locate")
    assert data["strategies"]["bounded"]["peak_to_mean"] == pytest.approx(5 * 1000 / 1002)
    owners = {row["key"]: row["node"] for row in data["placements"] if row["strategy"] == "bounded"}
    assert owners["hot"] not in (owners["x"], owners["y"])


def test_a_name_cannot_speak_to_the_terminal(tmp_path: Path) -> None:
    file = written(tmp_path, b"k\n")
    done = dp_tui("run", "sharding", file, "--nodes", "1", "--join-name", "n\x1b[31m2")
    assert done.stdout.startswith(f"1 key of {file}, 1 node, n\\x1b[31m2 joins: the even share to move is 50.00%")
    assert "\x1b" not in done.stdout


def test_the_ideal_is_no_crooked_number(keys: str) -> None:
    assert judged(keys, "--nodes", "9", "--join", "1")["strategies"]["ring"]["ideal"] == 0.1
    assert judged(keys, "--nodes", "10", "--leave", "1")["strategies"]["ring"]["ideal"] == 0.1


def test_locate_names_slot_token_owner_and_replicas(tmp_path: Path) -> None:
    file = written(tmp_path, "foo\n{user1000}.x\n\né\n".encode())
    data = judged(file, "--nodes", "5", "--locate")
    rows = data["placements"]
    assert [row["strategy"] for row in rows[:10]] == [*STRATEGIES, "cassandra", "ketama"]
    assert [row["key"] for row in rows[::10]] == ["foo", "{user1000}.x", "", "é"]
    for row in rows:
        assert set(row) == {"key", "strategy", "slot", "token", "node", "replicas"}
        assert row["replicas"][0] == row["node"]
        assert len(set(row["replicas"])) == 3
    by = {(row["key"], row["strategy"]): row for row in rows}
    assert by["foo", "slots"]["slot"] == crc16.slot(b"foo") == 12_182
    assert by["{user1000}.x", "slots"]["slot"] == 3_443
    assert by["", "cassandra"]["token"] == -(1 << 63)
    assert by["é", "cassandra"]["token"] == token("é".encode())
    single = judged(file, "--nodes", "5", "--locate", "--rf", "1")["placements"]
    assert all(row["replicas"] == [row["node"]] for row in single)


def test_locate_for_people_has_a_line_a_placement(tmp_path: Path) -> None:
    done = CliRunner().invoke(commands, ["run", "sharding", written(tmp_path, b"foo\n"), "--nodes", "3", "--locate"])
    assert "foo  slots " in done.stdout
    assert "slot 12182" in done.stdout
    assert "foo  cassandra " in done.stdout


# -- keys that are no words ----------------------------------------------------------------------------------------


def test_a_key_of_a_megabyte_is_a_key(tmp_path: Path) -> None:
    file = written(tmp_path, b"x" * KEY_MAX + b"\nsmall\n")
    assert judged(file, "--nodes", "2", "--join", "1")["events"] == 2


def test_binary_keys_and_invalid_utf_8_are_keys(tmp_path: Path) -> None:
    file = written(tmp_path, b"\x00\x01\x7f\n\xff\xfe\n\xc3\n\xed\xa0\x80\n" + bytes(range(128, 256)) + b"\n")
    data = judged(file, "--nodes", "3", "--locate")
    assert data["events"] == 5
    assert data["placements"][0]["key"] == r"\x00\x01\x7f"
    assert {row["key"] for row in data["placements"]} >= {r"\xff\xfe", r"\xc3"}
    assert len({row["key"] for row in data["placements"]}) == 5


def test_the_empty_key_is_a_key(tmp_path: Path) -> None:
    assert judged(written(tmp_path, b"\n"), "--nodes", "2")["events"] == 1


# -- bad input -----------------------------------------------------------------------------------------------------


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, b"")
    assert refused("run", "sharding", file).startswith(f"dp-tui: {file}: holds no keys: one key a line is needed")


def test_a_file_that_is_not_there_or_no_file_is_refused(tmp_path: Path) -> None:
    assert "nowhere.txt: cannot be read: No such file" in refused("run", "sharding", "nowhere.txt")
    assert "cannot be read: Is a directory" in refused("run", "sharding", str(tmp_path))


@pytest.mark.parametrize("weight", ["many", "-3", "nan", "inf", "1e16", "", "1 2", "0x10", "\u0663"])
def test_a_weight_that_is_no_number_is_refused_with_its_line(weight: str, tmp_path: Path) -> None:
    said = wrong(written(tmp_path, f"a\t3\nb\t{weight}\n".encode()))
    assert "keys.txt: line 2: weight" in said
    assert "a number from 0 to 1e15 is accepted" in said


def test_weights_that_are_all_nothing_are_refused(tmp_path: Path) -> None:
    assert "every weight is 0" in wrong(written(tmp_path, b"a\t0\nb\t0\n"))


def test_a_key_of_more_than_a_megabyte_is_refused_with_its_line(tmp_path: Path) -> None:
    said = wrong(written(tmp_path, b"ok\n" + b"x" * (KEY_MAX + 1) + b"\n"))
    assert f"line 2: a key of {KEY_MAX + 1} bytes: at most {KEY_MAX} are accepted" in said
    assert len(said) < 300


def test_bad_lines_are_skipped_and_counted_if_asked(tmp_path: Path) -> None:
    file = written(tmp_path, b"a\nb\tmany\nc\n" + b"x" * (KEY_MAX + 1) + b"\n")
    data = judged(file, "--nodes", "2", "--skip-bad")
    assert (data["events"], data["snapshot"]["skipped"]) == (2, 2)
    assert "holds no keys but 1 bad lines" in wrong(written(tmp_path, b"b\tmany\n"), "--skip-bad")


@pytest.mark.parametrize("locate", [(), ("--locate",)])
def test_more_replicas_than_nodes_are_refused(locate: tuple[str, ...], keys: str) -> None:
    said = wrong(keys, "--nodes", "2", "--rf", "3", *locate)
    assert said == "--rf 3: every replica needs a node of its own; with 2 nodes 1 to 2 are accepted"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--nodes", "3", "--leave", "3"), "the last one cannot go, its keys would have no owner; at most 2"),
        (("--nodes", "1", "--leave-name", "n1"), "the last one cannot go"),
        (("--nodes", "3", "--join-name", "n2"), "'n2' cannot join: it is already a member"),
        (("--nodes", "3", "--join-name", "x", "--join-name", "x"), "'x' cannot join: it is already a member"),
        (
            ("--nodes", "3", "--leave-name", "n7"),
            "no node is called 'n7', so it cannot leave; the members are n1 to n3",
        ),
        (("--nodes", "0"), "0 nodes: 1 to 1000 are accepted"),
        (("--nodes", "1001"), "1001 nodes: 1 to 1000 are accepted"),
        (("--nodes", "3", "--join", "-1"), "0 to 997 are accepted"),
        (("--vnodes", "0"), "0 virtual nodes: a whole number from 1 to 1000 is accepted"),
        (("--vnodes", "1001"), "1001 virtual nodes: a whole number from 1 to 1000 is accepted"),
        (("--rf", "0"), "--rf 0: every replica needs a node of its own"),
    ],
)
def test_changes_that_cannot_be_made_are_refused(args: tuple[str, ...], words: str, keys: str) -> None:
    assert words in wrong(keys, *args)


def test_options_of_data_need_data() -> None:
    assert "--join is for a FILE of your own data, and none is named" in refused("run", "sharding", "--join", "1")


# -- in the app ----------------------------------------------------------------------------------------------------


def shown(file: str, size: tuple[int, int] = (120, 36), **options: Any) -> Session:
    begin = opening(file, DataOptions(**options))
    session = Session(PANELS, "sharding", config=begin.config, sandbox=True)
    session.resize(*size)
    session.perform(begin.commands)
    return session


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
def test_the_simulated_cluster_holds_the_keys_and_the_change_begins(keys: str, size: tuple[int, int]) -> None:
    session = shown(keys, size, nodes=10, join=1)
    assert "the same 2,000 keys: n11 joins, 10 -> 11 nodes" in screen(session)
    snapshot = session.scene.timeline.snapshot()
    assert snapshot.balance.keys == snapshot.keys_stand_for == 2_000
    for _ in range(100):
        session.tick(100_000)
    assert session.scene.timeline.snapshot().node("n11").owned > 50
    assert all(check.ok for check in session.scene.timeline.check())


def test_the_app_has_the_figures_of_the_report_also_for_weights_and_repeated_keys(tmp_path: Path) -> None:
    lines = [f"user:{i * 7919 % 400}\t{i % 9 + (0.5 if i % 4 else 0)}\n" for i in range(500)]
    file = written(tmp_path, "".join(lines).encode())
    report = judged(file, "--nodes", "6", "--join", "1")["strategies"]
    session = shown(file, nodes=6, join=1)
    compared = session.scene.timeline.snapshot().comparison
    assert compared.weighted
    for row in compared.rows:
        found = report[row.strategy]
        figures = [found[name] for name in ("moved", "moved_between_survivors", "cv", "peak_to_mean")]
        in_app = [row.moved_ppm, row.between_survivors_ppm, row.cv_ppm, row.peak_ppm]
        assert in_app == [round(figure * 1_000_000) for figure in figures]
        assert compared.ideal_ppm == round(found["ideal"] * 1_000_000)


def test_a_leaver_by_name_and_a_joiner_by_name(keys: str) -> None:
    session = shown(keys, nodes=4, join_name=("spare",), leave_name=("n2",))
    for _ in range(300):
        session.tick(100_000)
    members = [node.id for node in session.scene.timeline.snapshot().nodes if node.role == "member"]
    assert members == ["n1", "n3", "n4", "spare"]


def test_many_keys_are_sampled_and_the_picture_knows_it(tmp_path: Path) -> None:
    session = shown(written(tmp_path, b"".join(b"k%d\n" % i for i in range(12_000))))
    snapshot = session.scene.timeline.snapshot()
    assert (snapshot.balance.keys, snapshot.keys_stand_for) == (5_000, 12_000)


@pytest.mark.parametrize("variant", STRATEGIES)
def test_monstrous_keys_are_drawn_in_every_variant(variant: str, tmp_path: Path) -> None:
    file = written(tmp_path, b"x" * KEY_MAX + b"\n\xff\xfe\t500\n\x00\x1b[31m\t70\n\n" + "\u4e2d\u6587\t60\n".encode())
    begin = opening(file, DataOptions(nodes=3, join=1))
    session = Session(PANELS, "sharding", variant=variant, config=begin.config, sandbox=True)
    for size in ((80, 24), (120, 36)):
        session.resize(*size)
        session.perform(begin.commands if size == (80, 24) else ())
        for _ in range(30):
            session.tick(100_000)
        text = screen(session)
        assert "\x1b" not in text
        session.press("down")
    assert all(check.ok for check in session.scene.timeline.check())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"nodes": 13}, "--nodes in the app: nodes 13: it must lie between 1 and 12"),
        ({"nodes": 12, "join": 1}, "the app shows at most 12; dp-tui run compares up to 1,000"),
        ({"nodes": 2, "rf": 3}, "--rf 3: every replica needs a node of its own"),
        ({"nodes": 5, "rf": 4}, "--rf in the app: rf 4: it must lie between 1 and 3"),
        ({"nodes": 2, "leave": 2}, "the last one cannot go"),
        ({"nodes": 2, "join_name": ("n1",)}, "'n1' cannot join: it is already a member"),
        ({"nodes": 2, "join_name": ("N 1",)}, "--join-name 'N 1': in the app a name has 1 to 8 characters"),
        ({"nodes": 2, "vnodes": 0}, "--vnodes in the app: vnodes 0: it must lie between 1 and 1000"),
    ],
)
def test_the_app_refuses_what_it_cannot_show(options: dict[str, Any], words: str, keys: str) -> None:
    with pytest.raises(UserError) as found:
        opening(keys, DataOptions(**options))
    assert words in str(found.value)


def test_the_app_opens_on_the_file_on_a_real_terminal(keys: str, tmp_path: Path) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    argv = python("-m", "tui", "sharding", keys, "--nodes", "10", "--join", "1")
    with PtyApp(argv, size=(120, 36), env=env) as app:
        app.wait_for("the same 2,000 keys: n11 joins, 10 -> 11 nodes")
        app.send("q")
        assert app.wait() == 0
    (saved,) = tmp_path.rglob("*.json")
    done = dp_tui("replay", str(saved), "--headless")
    assert done.returncode == 0, done.stderr
    assert "the same run" in done.stdout
