"""The tree: every defect of real traces has its row, its note and no crash."""

from hypothesis import given, settings

from engines.tracing.spans import Kind, Span, Status
from engines.tracing.tree import NOTES_PER_KIND, Flaw, Note, Tree, build
from tests.engines.tracing.shapes import TRACE, chain, defective_traces, ident, span


def rows(tree: Tree) -> list[tuple[int, str]]:
    """What one sees: (depth, name) from top to bottom."""
    return [(tree.depth[i], tree.spans[i].name) for i in tree.order]


def kinds(tree: Tree) -> list[str]:
    return [note.kind for note in tree.notes]


def test_children_hang_below_their_parents_by_start_whatever_the_order_of_arrival() -> None:
    tree = build([span("c", "a", 5, 9), span("d", "b", 2, 3), span("a", "", 0, 10), span("b", "a", 1, 4)])
    assert rows(tree) == [(0, "a"), (1, "b"), (2, "d"), (1, "c")]
    assert tree.notes == ()
    assert tree.duration_us == 10
    assert tree.trace_id == TRACE


def test_no_spans_make_an_empty_tree() -> None:
    tree = build([])
    assert (tree.root, tree.order, tree.notes, tree.duration_us, tree.trace_id) == (-1, [], (), 0, "")


def test_a_missing_parent_has_a_row_ordered_by_its_earliest_child() -> None:
    tree = build([span("a", "", 0, 10), span("y", "gone", 4, 6), span("x", "gone", 3, 5), span("z", "lost", 1, 2)])
    assert rows(tree) == [
        (0, "a"),
        (0, "missing span"),
        (1, "z"),
        (0, "missing span"),
        (1, "x"),
        (1, "y"),
    ]
    row = tree.order[3]
    assert tree.is_missing(row)
    assert (tree.spans[row].span_id, tree.start_us[row], tree.end_us[row]) == (ident("gone"), 3, 6)
    assert tree.missing_parents == 2
    assert kinds(tree) == [Flaw.MISSING_PARENT] * 2
    assert tree.spans[tree.root].name == "a"
    assert tree.notes[1] == Note(Flaw.MISSING_PARENT, ident("gone"), "svc/x", ident("gone"), 2)


def test_without_a_root_the_missing_one_stands_for_it_and_it_is_said() -> None:
    tree = build([span("x", "gone", 3, 5), span("y", "gone", 4, 9)])
    assert tree.is_missing(tree.root)
    assert tree.duration_us == 6
    assert kinds(tree) == [Flaw.MISSING_PARENT, Flaw.NO_ROOT]


def test_of_several_roots_the_earliest_is_analysed() -> None:
    tree = build([span("late", "", 5, 90), span("early", "", 1, 3), span("k", "late", 6, 7)])
    assert rows(tree) == [(0, "early"), (0, "late"), (1, "k")]
    assert tree.spans[tree.root].name == "early"
    assert kinds(tree) == [Flaw.SEVERAL_ROOTS]


def test_a_parent_id_of_zeros_is_no_parent() -> None:
    tree = build([span("a", "", 0, 1)._replace(parent_id="0" * 16), span("b", "a", 0, 1)])
    assert rows(tree) == [(0, "a"), (1, "b")]
    assert tree.notes == ()


def test_a_span_without_an_id_is_shown_and_has_no_children() -> None:
    tree = build([span("a", "", 0, 9), span("b", "a", 1, 2)._replace(span_id="0" * 16), span("c", "", 3, 4)])
    assert rows(tree) == [(0, "a"), (1, "b"), (0, "c")]
    assert kinds(tree) == [Flaw.ZERO_ID, Flaw.SEVERAL_ROOTS]


def test_a_span_that_arrived_twice_is_kept_once() -> None:
    tree = build([span("a", "", 0, 9), span("b", "a", 1, 2), span("b", "a", 1, 2)])
    assert rows(tree) == [(0, "a"), (1, "b")]
    assert tree.counts == {Flaw.SAME_SPAN_TWICE: 1}


def test_of_two_spans_with_one_id_the_earlier_keeps_the_children() -> None:
    twin = span("twin", "a", 4, 6)._replace(span_id=ident("b"))
    tree = build([span("a", "", 0, 9), twin, span("b", "a", 1, 2), span("c", "b", 1, 2)])
    assert rows(tree) == [(0, "a"), (1, "b"), (2, "c"), (1, "twin")]
    assert kinds(tree) == [Flaw.DUPLICATE_ID]


def test_the_two_halves_of_a_shared_span_are_parent_and_child() -> None:
    client = span("call", "a", 1, 8, kind=Kind.CLIENT, service="web")
    server = span("call", "a", 2, 7, kind=Kind.SERVER, service="db")
    below = span("disk", "call", 3, 4, service="db")
    beside = span("dns", "call", 1, 2, service="web")
    tree = build([below, server, beside, client, span("a", "", 0, 9, service="web")])
    assert [(tree.depth[i], tree.spans[i].label) for i in tree.order] == [
        (0, "web/a"),
        (1, "web/call"),
        (2, "web/dns"),
        (2, "db/call"),
        (3, "db/disk"),
    ]
    assert tree.notes == ()


def test_a_cycle_is_cut_above_its_earliest_span() -> None:
    tree = build([span("a", "c", 2, 9), span("b", "a", 1, 8), span("c", "b", 3, 7), span("d", "c", 4, 5)])
    assert rows(tree) == [(0, "b"), (1, "c"), (2, "a"), (2, "d")]
    assert kinds(tree) == [Flaw.CYCLE, Flaw.NO_ROOT]
    assert (tree.notes[0].who, tree.notes[0].other, tree.notes[0].number) == ("svc/b", "svc/a", 3)


def test_a_span_that_is_its_own_parent_becomes_a_root() -> None:
    tree = build([span("a", "a", 0, 9), span("b", "a", 1, 2)])
    assert rows(tree) == [(0, "a"), (1, "b")]
    assert (tree.notes[0].who, tree.notes[0].number) == ("svc/a", 1)


def test_an_end_before_the_start_is_a_moment_at_the_start() -> None:
    tree = build([span("a", "", 5, 2), span("never ended", "a", 6, 0)])
    assert (tree.start_us, tree.end_us) == ([5, 6], [5, 6])
    assert (tree.notes[0].kind, tree.notes[0].number) == (Flaw.NEGATIVE, 3)
    assert tree.notes[1].kind == Flaw.NO_END


def test_start_zero_and_an_end_decades_later_is_a_moment_at_the_end() -> None:
    now = 1_700_000_000_000_000
    tree = build([span("a", "", now, now + 9), span("b", "a", 0, now + 5), span("c", "a", now + 1, now + 2)])
    assert rows(tree) == [(0, "a"), (1, "c"), (1, "b")]
    assert tree.start_us[tree.order[2]] == now + 5
    assert kinds(tree) == [Flaw.NO_START]


def test_a_simulation_may_begin_at_zero() -> None:
    tree = build([span("a", "", 0, 60_000_000)])
    assert (tree.duration_us, tree.notes) == (60_000_000, ())


def test_a_chain_of_8000_spans_is_no_trouble() -> None:
    tree = build(reversed(chain(8_000)))
    assert tree.depth[tree.order[-1]] == 7_999
    assert tree.notes == ()


def test_100000_spans_are_no_trouble() -> None:
    many = [Span(TRACE, f"{i + 1:016x}", f"{i // 3:016x}", "op", "svc", start_ns=i) for i in range(100_000)]
    tree = build(many)
    assert len(tree.order) == 100_000
    assert tree.roots == [0, 1, 2]


def test_every_defect_is_counted_and_the_first_of_a_kind_are_told() -> None:
    tree = build([span(f"x{i}", f"gone{i}", i, i + 1) for i in range(100)])
    assert tree.counts[Flaw.MISSING_PARENT] == tree.missing_parents == 100
    assert kinds(tree).count(Flaw.MISSING_PARENT) == NOTES_PER_KIND


def test_it_knows_its_services_and_errors() -> None:
    tree = build([span("a", "", 0, 9, service="web"), span("b", "gone", 1, 2, service="db", status=Status.ERROR)])
    assert tree.services() == ("web", "db")
    assert tree.errors() == 1


@settings(max_examples=200, deadline=None)
@given(defective_traces())
def test_every_span_has_exactly_one_row_below_its_parent(trace: list[Span]) -> None:
    tree = build(trace)
    assert sorted(tree.order) == list(range(len(tree.spans)))
    assert tree.real == len(set(trace))
    place = {i: row for row, i in enumerate(tree.order)}
    for i, above in enumerate(tree.parent):
        assert tree.start_us[i] <= tree.end_us[i]
        if above < 0:
            assert i in tree.roots
            assert tree.depth[i] == 0
        else:
            assert i in tree.children[above]
            assert place[above] < place[i]
            assert tree.depth[i] == tree.depth[above] + 1
    for kids in tree.children:
        assert list(kids) == sorted(kids, key=lambda kid: tree.start_us[kid])
    assert (tree.root >= 0) == bool(trace)


@settings(max_examples=100, deadline=None)
@given(defective_traces())
def test_the_order_of_arrival_changes_no_time(trace: list[Span]) -> None:
    one, other = build(trace), build(sorted(trace))
    assert one.counts == other.counts
    assert one.duration_us == other.duration_us
