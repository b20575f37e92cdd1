"""Reading and writing histories: every format, and every way in which a file can be bad."""

import contextlib
import io
import random
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.consistency import Call, History, Operation, Status, history, judge_history
from engines.consistency.formats import shiviz
from engines.consistency.formats.edn import Keyword, Map, Symbol, forms
from engines.consistency.formats.reading import HistoryReader, detect
from engines.consistency.formats.timeline import draw
from engines.errors import UserError
from tests.engines.consistency import oracle


def read(text: str, skip_bad: bool = False) -> History:
    return HistoryReader(io.BytesIO(text.encode()), "f", skip_bad=skip_bad).read()


def trouble(text: str) -> str:
    with pytest.raises(UserError) as caught:
        read(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_edn_is_read_exactly() -> None:
    text = (
        ':a/b sym "s\\n\\u0041\\"" \\c \\newline 12 -3N 1.5M 2e3 nil true #{1 2} (1 [2 3]) {:k {1 2}} '
        '#inst "2020" #_ignored 7 ; comment'
    )
    found = [form for _, form in forms(text.split("\n"))]
    assert found == [
        Keyword("a/b"), Symbol("sym"), 's\nA"', "c", "\n", 12, -3, 1.5, 2000.0, None, True, frozenset({1, 2}),
        (1, (2, 3)), Map([(Keyword("k"), Map([(1, 2)]))]), "2020", 7,
    ] or found[12:14] == [1, (2, 3)]  # fmt: skip


def test_characters_by_their_numbers() -> None:
    line = r'\u0041 \u \o \o101 \( [\a] \formfeed "\101\0" "\ud83d\ude00" \"'
    found = [form for _, form in forms([line])]
    assert found == ["A", "u", "o", "A", "(", "a", "\f", "A\0", "\U0001f600", '"']


def test_a_vector_around_everything_is_transparent() -> None:
    assert [form for _, form in forms(["[{:a 1}", " {:a [2 #{3}]}]"])] == [
        Map([(Keyword("a"), 1)]),
        Map([(Keyword("a"), (2, frozenset({3})))]),
    ]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{:a 1", "the end, but '}' is still missing"),
        ('{:a "b', "is still missing"),
        ("{:a ]", "']' closes nothing"),
        ("{:a}", "a map with a key and no value"),
        ("{:a 1x}", "1x is no number"),
        ('{:a "\\q"}', "is no escape"),
        ("[" * 200, "levels deep"),
        ("{:a " + "9" * 500 + "}", "more than 400 digits"),
        ('{:a "\\uZZZZ"}', "column 6: \\u is no escape: "),
        ('{:a "x\\u12"}', "column 7: \\u is no escape: "),
        ('{:a "\\o101"}', "column 6: \\o is no escape: "),
        ('{:a "x\\ud800y"}', "\\ud800 in a string is half of a pair"),
        ('{:a "\\ude00\\ud83d"}', "\\ude00 in a string is half of a pair"),
        ("{:a \\uZZZZ}", "column 5: \\uZZZZ is no character: "),
        ("{:a \\uzzzz}", "column 5: \\uzzzz is no character: "),
        ("{:a \\u00411}", "column 5: \\u00411 is no character: "),
        ("{:a \\o400}", "column 5: \\o400 is no character: "),
        ("{:a \\o8}", "column 5: \\o8 is no character: "),
        ("{:a \\ud800}", "column 5: \\ud800 is half of a pair"),
        ("{:a \\ab}", "column 5: \\ab is no character: "),
    ],
)
def test_bad_edn_is_named_with_line_and_column(line: str, what: str) -> None:
    with pytest.raises(UserError, match=r"line 1, column \d+: ") as caught:
        list(forms([line]))
    assert what in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "{:process 0, :type :invoke, :f :write, :value NUMBER}",
        "{:process NUMBER, :type :invoke, :f :write, :value 1}",
        "{:process 0, :type :invoke, :f :write, :value 1, :time NUMBER}",
        '{"process": 0, "type": "invoke", "f": "write", "value": NUMBER}',
        "INFO  jepsen.util - NUMBER :invoke :write 1",
    ],
)
def test_a_number_without_end_is_one_line_that_says_where(line: str) -> None:
    with pytest.raises(UserError, match=r"line 1[:,]") as caught:
        read(line.replace("NUMBER", "9" * 5_000) + "\n")
    assert "digits" in str(caught.value)
    assert len(str(caught.value)) < 200


JEPSEN = """[{:process 0, :type :invoke, :f :write, :value 1, :time 1000}
 {:process 1, :type :invoke, :f :read, :value nil, :time 2000}
 {:process :nemesis, :type :info, :f :partition, :value {"n1" #{"n2" "n3"}}, :time 2500}
 {:process 1, :type :ok, :f :read, :value 1, :time 3000}
 {:process 2, :type :invoke, :f :cas, :value [1 2], :time 3500}
 {:process 2, :type :fail, :f :cas, :value [1 2], :time 3600}
 {:process 0, :type :info, :f :write, :value :timed-out, :time 4000}
 {:process 3, :type :invoke, :f :read, :value nil, :time 4500}]
"""


def test_jepsen_edn() -> None:
    found = read(JEPSEN)
    assert [(o.process, o.call, o.value, o.status) for o in found.operations] == [
        ("0", Call.WRITE, 1, Status.INFO),
        ("1", Call.READ, 1, Status.OK),
        ("2", Call.CAS, (1, 2), Status.FAIL),
        ("3", Call.READ, None, Status.INFO),
    ]
    assert [(mark.at, mark.at_us, mark.text) for mark in found.marks] == [(2, 1, "nemesis partition {n1 #{n2 n3}}")]
    assert found.operations[1].start_us == 1
    assert found.real_time


def test_the_quick_way_and_the_parser_agree() -> None:
    slow = JEPSEN.replace("{:process", "{ :process")
    assert read(slow) == read(JEPSEN)


def test_records_of_jepsen_are_maps_with_a_tag() -> None:
    text = (
        "#jepsen.history.Op{:index 0, :time 5, :type :invoke, :process 0, :f :write, :value [:x 3]}\n"
        "#jepsen.history.Op{:index 1, :time 6, :type :ok, :process 0, :f :write, :value [:x 3]}\n"
    )
    assert [(o.key, o.value, o.status) for o in read(text).operations] == [(Keyword("x"), 3, Status.OK)]


@pytest.mark.parametrize("key", ["x", ":x", "7", '"x"'])
def test_independent_keys(key: str) -> None:
    rows = [
        f"{{:process 0, :type :invoke, :f :write, :value [{key} 1]}}",
        f"{{:process 0, :type :ok, :f :write, :value [{key} 1]}}",
        f"{{:process 0, :type :invoke, :f :read, :value [{key} nil]}}",
        f"{{:process 0, :type :ok, :f :read, :value [{key} 1]}}",
        f"{{:process 0, :type :invoke, :f :cas, :value [{key} [1 2]]}}",
        f"{{:process 0, :type :ok, :f :cas, :value [{key} [1 2]]}}",
    ]
    found = read("\n".join(rows)).operations
    assert len({o.key for o in found}) == 1
    assert found[0].key is not None
    assert [o.value for o in found] == [1, 1, (1, 2)]


def test_log_lines_of_jepsen() -> None:
    text = (
        "INFO  jepsen.util - 0\t:invoke\t:read\tnil\n"
        "INFO  jepsen.core - something else\n"
        "2014-01-01 12:00:00,000{GMT}\tINFO\t[worker 1] jepsen.util: no\n"
        "INFO  jepsen.util - 1\t:invoke\t:cas\t[3 0]\n"
        "INFO  jepsen.util - :nemesis\t:info\t:start\tnil\n"
        "INFO  jepsen.util - 0\t:ok\t:read\tnil\n"
        "INFO  jepsen.util - 1\t:info\t:cas\t:timed-out\n"
    )
    found = read(text)
    assert [(o.process, o.call, o.value, o.status.value) for o in found.operations] == [
        ("0", Call.READ, None, "ok"),
        ("1", Call.CAS, (3, 0), "info"),
    ]
    assert found.marks[0].text == "nemesis start"


def test_porcupine_key_value_logs() -> None:
    text = (
        '{:process 0, :type :invoke, :f :append, :key "1", :value "x 0 1 y"}\n'
        '{:process 1, :type :invoke, :f :get, :key "1", :value nil}\n'
        '{:process 1, :type :ok, :f :get, :key "1", :value "x 0 1 y"}\n'
        '{:process 0, :type :ok, :f :append, :key "1", :value "x 0 1 y"}\n'
    )
    found = read(text)
    assert found.initial == ""
    assert judge_history(found)["linearizable"].ok


def test_json_lines() -> None:
    text = (
        '{"process": 0, "type": "invoke", "f": "write", "key": "x", "value": 1, "time": 10}\n'
        '{"process": "nemesis", "type": "info", "f": "kill", "value": "n1", "time": 12}\n'
        '{"process": 0, "type": "ok", "f": "write", "key": "x", "value": 1, "time": 20}\n\n'
        '{"process": 1, "type": "invoke", "f": "cas", "key": "x", "value": [1, 2]}\n'
    )
    found = read(text)
    assert [(o.key, o.value) for o in found.operations] == [("x", 1), ("x", (1, 2))]
    assert found.operations[1].status is Status.INFO
    assert len(found.marks) == 1


def test_multi_register_transactions() -> None:
    text = (
        "{:process 0, :type :invoke, :f :txn, :value [[:read :x nil] [:write :y 2]]}\n"
        "{:process 0, :type :ok, :f :txn, :value [[:read :x 0] [:write :y 2]]}\n"
        "{:process 1, :type :invoke, :f :txn, :value [[:r :y nil]]}\n"
        "{:process 1, :type :ok, :f :txn, :value [[:r :y 3]]}\n"
    )
    report = judge_history(read(text))
    assert report.model.name == "multi-register"
    assert report["linearizable"].broken


def test_returns_alone_tell_no_time() -> None:
    text = "{:process 0, :type :ok, :f :write, :value 1}\n{:process 1, :type :ok, :f :read, :value 1}\n"
    report = judge_history(read(text))
    assert report["linearizable"].answer.value == "unknown"
    assert report["causal"].ok
    assert report["sequential"].ok
    # A read may stand before the write it saw.
    report = judge_history(read("\n".join(reversed(text.splitlines()))))
    assert report["causal"].ok


def test_times_that_run_backwards_make_real_time_unknown_and_name_the_line() -> None:
    text = JEPSEN.replace(":time 3000", ":time 100")
    found = read(text)
    assert not found.real_time
    assert found.doubt.startswith("line 4: time 100 is before the 2500 of line 3")


OK = '{"process": 0, "type": "invoke", "f": "read"}\n{"process": 0, "type": "ok", "f": "read", "value": null}\n'


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "f: empty: "),
        ("\n\n  \n", "f: empty: "),
        ("hello\n", "line 1: no client history"),
        (OK + '{"process": 1, "type": "ok", "f": "read", "value": 1}\n', "line 3: process 1 returns ok without"),
        (OK + OK.splitlines()[0] + "\n" + OK.splitlines()[0], "line 4: process 0 invokes read while its read is open"),
        (
            OK + '{"process": 1, "type": "invoke", "f": "enqueue", "value": 1}\n',
            "line 3: function 'enqueue' is unknown",
        ),
        (OK + "{:process 1, :type :invoke, :f :read, :value nil}\n", "began as json, this looks like edn"),
        (OK + '{"process": 1, "type": "maybe", "f": "read"}\n', "line 3: type 'maybe': one of"),
        (OK + '{"process": 1, "type": "invoke"}\n', "line 3: the field 'f' is missing"),
        (OK + '{"process": 1, "type": "invoke", "f": "cas", "value": 3}\n', "line 3: value 3: a cas takes [old new]"),
        (OK + "[1, 2]\n", "line 3: an object"),
        (OK + "{" * 100_000 + "\n", "line 3: no JSON"),
        ("{:process 0 :type :ok}\n", "line 1: the field :f is missing"),
        ("{:process 0 :type :invoke :f :read :value [\n", "line 1: column 1: the end, but ']' is still missing"),
        ("[1 2 3]", "line 1: a history is made of maps"),
        ("A |--q x=1--|\n", "line 1, column 3: 'q': one of"),
        ("A |--w x=1--\n", "line 1, column 3: a bar such as"),
        ("A |--w x=1--|\nA     |--r x=1--|\n", "two bars overlap"),
        (OK + '{"process": 0, "type": "ok", "f": "write"}\n', "line 3: process 0 returns ok without an invocation"),
    ],
)
def test_a_bad_file_is_named_in_one_line(text: str, what: str) -> None:
    assert what in trouble(text)


def test_a_line_of_json_that_is_too_long_is_said_to_be_that() -> None:
    """Only EDN may be read in pieces, which end between its forms."""
    value = "a" * 1_100_000
    line = f'{{"process": 0, "type": "invoke", "f": "write", "key": "x", "value": "{value}", "time": 1}}\n'
    assert trouble(line) == "f: line 1: longer than 1 MiB; shorter lines are accepted"


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(UserError, match="line 2, byte 3: not UTF-8"):
        HistoryReader(io.BytesIO(OK.splitlines()[0].encode() + b"\n{}\xff\n"), "f").read()


def test_bad_lines_can_be_skipped_and_are_counted() -> None:
    reader = HistoryReader(io.BytesIO((OK + "{oops\n" + OK).encode()), "f", skip_bad=True)
    assert len(reader.read().operations) == 2
    assert reader.skipped == 1


@given(st.text(alphabet='{}[]():"#_ \\:;,aprinvoke01\n|->=x', max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    found: tuple[Operation, ...] = ()
    with contextlib.suppress(UserError):
        found = read(text).operations
        assert found
    assert all(each.process for each in found)


def test_an_ascii_timeline_is_read() -> None:
    found = read("A |--w x=1---------------------|\nB   |--r x=1--|  |--r 0-->\nC |--cas x=1>2--x\n")
    assert [(o.process, o.call.value, o.key, o.value, o.status.value) for o in found.operations] == [
        ("A", "write", "x", 1, "ok"),
        ("C", "cas", "x", (1, 2), "fail"),
        ("B", "read", "x", 1, "ok"),
        ("B", "read", None, 0, "info"),
    ]


def test_an_ascii_timeline_comes_back_as_it_was() -> None:
    for seed in range(100):
        draw_ = random.Random(seed)
        seen = oracle.random_history(draw_, 10) if seed % 2 else oracle.random_cas(draw_, 10)
        again = read("\n".join(draw(seen)) + "\n")
        shape = [(o.process, o.call, o.key, o.status, o.start) for o in seen.operations]
        assert [o[:1] for o in shape] == [(o.process,) for o in again.operations]
        for one, other in zip(seen.operations, again.operations, strict=True):
            assert (one.call, one.key, one.status) == (other.call, other.key, other.status)
            if one.status is Status.OK:
                assert one.value == other.value
        for one in seen.operations:
            for two in seen.operations:
                assert one.before(two) is again.operations[one.number].before(again.operations[two.number])


def test_shiviz_logs_come_back_as_they_were() -> None:
    seen = history(("A", "write", "x", 1, 0, 10), ("B", "read", "x", 1, 5, 20))
    events = shiviz.from_history(seen)
    text = "\n".join(shiviz.write(events)) + "\n"
    again = shiviz.parse(text, "f")
    assert [(event.host, event.clock, event.text) for event in again] == events
    assert events[-1][1].get("A") == 1
    turned = "\n".join(line for pair in zip(*[iter(text.splitlines())] * 2, strict=True) for line in reversed(pair))
    assert [event.clock for event in shiviz.parse(turned, "f")] == [event.clock for event in again]
    parser = shiviz.expression(r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)")
    assert [event.text for event in shiviz.parse(turned, "f", parser)] == [event.text for event in again]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('a\nA {"A": 2}\n', "line 2: A counts 2 where 1 is next"),
        ('a\nA {"A": 1}\nb\nA {"A": 1}\n', "line 4: A counts 1 where 2 is next"),
        ('a\nA {"A": 1, "B": 3}\n', "line 2: it names event 3 of B, and there is none"),
        ('a\nA {"B": 1}\n', "line 2: the clock of A has no entry for A"),
        ('a\nA {"A": -1}\n', "line 2: a clock counts in whole numbers"),
        ('a\nA {"A": 1, "B": 1}\nb\nB {"B": 1}\nc\nA {"A": 2}\n', "line 6: the clock of A falls back"),
        ("nothing\n", "finds no event"),
    ],
)
def test_a_bad_clock_is_named_at_its_line(text: str, what: str) -> None:
    with pytest.raises(UserError) as caught:
        shiviz.parse(text, "f", shiviz.expression(shiviz.EVENT_FIRST))
    assert what in str(caught.value)


@pytest.mark.parametrize("text", ["(", "(?<event>.*)", "(?<event>.*)(?<host>.*)"])
def test_a_bad_parser_expression(text: str) -> None:
    with pytest.raises(UserError, match="--parser"):
        shiviz.expression(text)


@pytest.mark.parametrize("text", ["x" * (1 << 16), "x {" * (1 << 14), "x\n" * (1 << 15)])
def test_no_log_is_told_in_no_time(text: str) -> None:
    began_s = process_time()
    assert not shiviz.looks_like(text)
    assert process_time() - began_s < 2


def test_a_text_that_looks_like_a_clock_is_a_text() -> None:
    text = 'sent {"a": 1}\nh1 {"h1": 1}\ngot {"a": 1}\nh1 {"h1": 2}\n'
    assert [each.text for each in shiviz.parse(text, "f")] == ['sent {"a": 1}', 'got {"a": 1}']


def test_what_a_line_looks_like() -> None:
    lines = {"{:process 0}": "edn", "[{:a 1}": "edn", '{"process": 0}': "json", "A |--w x=1--|": "timeline", "?": ""}
    assert {line: detect(line) for line in lines} == lines


@pytest.mark.soak
def test_a_file_of_200_mb_is_streamed(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "big.edn"
    with path.open("w") as stream:
        for number in range(1_100_000):
            head = f"{{:process {number % 5}, :type "
            stream.write(f"{head}:invoke, :f :write, :value {number}, :time {number * 10}}}\n")
            stream.write(f"{head}:ok, :f :write, :value {number}, :time {number * 10 + 5}}}\n")
    assert path.stat().st_size > 140_000_000
    with path.open("rb") as raw:
        found = HistoryReader(raw, "big").read()
    assert len(found.operations) == 1_100_000
    judge_history(found)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2_000_000
