"""What the panel of PBFT says is what the chart beside it shows."""

from engines.consensus.pbft.commands import Ask, SetAct
from engines.consensus.pbft.events import Waits
from engines.consensus.pbft.rules import Act
from engines.sim import faults
from engines.sim.rules import SetRule
from tests.tui.subjects.pbft import run, story
from tests.tui.subjects.subject import Run
from tui.glyphs import ASCII
from tui.layout import arrange
from tui.panel import Focus
from tui.panels.pbft import PANEL
from tui.panels.pbft.present import present
from tui.panels.pbft.words import narrate


def text(timeline: Run, width: int = 80) -> str:
    snapshot = timeline.snapshot()
    layout = arrange(width, 24, inspector=False, strip_least=PANEL.strip_least)
    frame = PANEL.view(snapshot, PANEL.fit(snapshot, Focus()), layout.sizes(), ASCII)
    return f"{frame.picture.text()}\n{frame.strip.text()}"


def test_only_replies_that_agree_count_for_a_client() -> None:
    """Three replies of three and still waiting would be a contradiction: one of them is a lie."""
    timeline = story("pbft-read-only", 2_000)
    (client,) = [each for each in timeline.snapshot().clients if each.current]
    assert len(client.replies) == client.needed == 3
    said = " ".join(present(timeline.snapshot(), Focus()))
    assert "with 2 of 3 equal replies" in said
    assert "2/3 equal replies" in text(timeline)


def test_a_request_without_a_number_is_not_called_no_request() -> None:
    timeline = run(700, (10, faults.Crash("r0")))
    snapshot = timeline.snapshot()
    assert any(each.current for each in snapshot.clients)
    assert not any(slot.digest for each in snapshot.replicas for slot in each.slots)
    said = text(timeline)
    assert "no replica has given the request a number yet" in said
    assert "0/2 equal replies" in said
    assert "nobody waits for anything: a asks" in text(run(20))


def test_a_view_that_nobody_opened_has_no_leader_and_who_is_down_is_at_fault() -> None:
    said = present(story("pbft-forged-proof", 1_500).snapshot(), Focus())[0]
    assert said.startswith("Now: view 1 of 4 replicas is not open yet; r1 will lead it; r1 r2 r3 ask for view 1")
    assert said.endswith("at fault: traitor r3, crashed r0; f = 1 is survived.")


def test_who_is_cut_off_is_named() -> None:
    said = present(story("pbft-laggard", 350).snapshot(), Focus())[0]
    assert said.endswith("the network is split: r0 r1 r2 | r3.")


def test_a_row_that_cut_its_log_says_that_it_executed() -> None:
    """Beside one that stopped at an older number the counters of the others stand at nothing: not because they lag."""
    for until_ms in range(810, 2_600, 10):
        timeline = run(until_ms, (800, faults.Crash("r3")))
        snapshot = timeline.snapshot()
        newest = max((slot.n for each in snapshot.replicas for slot in each.slots if slot.digest), default=0)
        if newest and any(each.low >= newest for each in snapshot.replicas):
            break
    behind = [each.id for each in snapshot.replicas if each.low < newest]
    rows = [line for line in text(timeline).splitlines() if "executed, log cut" in line]
    assert len(rows) == len(snapshot.replicas) - len(behind) > 0


def test_a_silent_primary_is_not_said_to_tell_anybody() -> None:
    """It gives numbers and says nothing: the line of the number must not promise what the act takes away."""
    timeline = run(800, (200, SetAct("r0", Act.SILENT.value, True)))
    lines = [PANEL.narrate(event) for event in timeline.engine.told(200) if event.at_us > 200_000]
    given = [line.text for line in lines if line.who == "r0" and "the number" in line.text and "gives" in line.text]
    assert given
    assert not any("tells" in text for text in given)


def test_one_reply_is_not_called_several_that_agree() -> None:
    timeline = run(900, (10, SetRule("wait_for_weak", False)))
    believed = [PANEL.narrate(event).text for event in timeline.engine.told(300)]
    assert any(text.endswith(" alone says so") for text in believed)
    assert not any("say the same" in text for text in believed)


def test_what_a_traitor_does_is_not_cut_in_a_word() -> None:
    timeline = story("pbft-exhaustion", 2_600)
    assert "traitor" not in text(timeline)
    assert "skip numbers" in text(timeline)
    assert "traitor: skip numbers" in text(timeline, 200)


def test_traitors_are_marked_alike_on_one_screen_and_who_does_more_is_said_to() -> None:
    both = text(story("pbft-f-plus-1", 1_400))
    assert "!equivocate +1" in both
    assert "!two faced" in both
    assert "!silent to some +1" in text(story("pbft-read-only", 2_000)), "it lies to the client, too"


def test_more_traitors_than_f_are_told_in_the_title_also_where_it_is_narrow() -> None:
    timeline = story("pbft-f-plus-1", 1_400)
    for width, said in ((80, "beyond f: 2 at fault, f = 1"), (200, "beyond the fault model: 2 at fault, f = 1")):
        note = PANEL.view(timeline.snapshot(), Focus(), arrange(width, 24).sizes(), ASCII).picture_note
        assert note == f"number 2: x=2 and x=1  {said}"


def test_replicas_for_which_there_is_no_row_are_counted() -> None:
    assert "+1 more" in text(story("pbft-new-view-to-some", 1_350))


def test_the_facts_count_who_is_down_as_at_fault_and_say_that_the_primary_is() -> None:
    timeline = run(300, (10, faults.Crash("r0")), (20, faults.Freeze("r1")))
    frame = PANEL.view(timeline.snapshot(), Focus(node="r2"), arrange(200, 50).sizes(), ASCII)
    facts = " ".join(frame.inspector.text().split())
    assert "backup; view 0 is led by r0, crashed" in facts
    assert "f = 1; r0 r1 at fault: more than f, progress is not promised" in facts
    assert "none here; some at r0 r1" in facts


def test_what_you_ask_before_an_answer_is_said_to_wait() -> None:
    timeline = run(30, (10, Ask("set", "x", 1)), (20, Ask("set", "y", 2)), (25, Ask("get", "x", 0)))
    assert "x=1 0/2 equal replies, 20 ms, then 2 more" in text(timeline)
    told = [narrate(each).text for each in timeline.engine.told(99) if isinstance(each.what, Waits)]
    assert told == [
        "y=2 waits until what was asked before is answered: 1",
        "x? waits until what was asked before is answered: 2",
    ]
