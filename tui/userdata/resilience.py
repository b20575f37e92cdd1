"""The user's calls: what a breaker would have made of them, or all presets side by side, or a run to step through."""

import json
from collections.abc import Iterator
from typing import Any, Final

import click

from engines import units
from engines.errors import UserError
from engines.resilience.calllog import CallReader, Judgement, Replay, judge, ms_json
from engines.resilience.laws import ms_word
from engines.resilience.policy import PPM, percent
from engines.resilience.presets import PRESETS, preset
from engines.resilience.recorded import VARIANT, CallLog
from engines.sim.source import Source
from tui.kit.words import plural
from tui.options import DataOptions
from tui.userdata.common import Hashed, Opening, check_lines, head_json, name_of, open_data

DEFAULT: Final = "article"
MINE: Final = ("--preset", "--compare", "--sort", "--skip-bad")
CHUNK: Final = 1 << 16
TRANSITIONS_SHOWN: Final = 40


def _accept(options: DataOptions) -> None:
    """Options of other data, and two that exclude each other, are mistakes."""
    for name in options.given:
        if name not in MINE:
            raise UserError(f"{name}: a call log takes {', '.join(MINE)}")
    if options.nodes is not None:
        raise UserError(f"--nodes: a call log takes {', '.join(MINE)}")
    if options.preset is not None and options.compare:
        raise UserError("--preset and --compare: one of the two is accepted; --compare shows all presets")


def read(file: str, options: DataOptions) -> Judgement:
    """The log, played through the presets that were asked for."""
    _accept(options)
    chosen = tuple(PRESETS.values()) if options.compare else (preset(options.preset or DEFAULT),)
    with open_data(file) as stream:
        return judge(CallReader(stream, name_of(file), skip_bad=options.skip_bad, sort=options.sort), chosen)


def report(file: str, options: DataOptions, as_json: bool) -> bool:
    """Print what the breaker did: its transitions and, as JSON, whom it admitted."""
    found = read(file, options)
    if as_json:
        for text in _json(found):
            click.echo(text, nl=False)
    else:
        click.echo("\n".join(_text(found) if len(found.replays) == 1 else _comparison(found)))
    return all(check.ok for check in found.checks)


def _json(found: Judgement) -> Iterator[str]:
    """One object, in pieces: who was admitted may be millions of values."""
    alone = found.replays[0] if len(found.replays) == 1 else None
    variant = alone.preset.name if alone else None
    head = head_json("resilience", variant, found.end_us - found.first_us, found.calls, found.digest, found.checks)
    head["snapshot"] = {
        "file": found.name,
        "skipped": found.skipped,
        "first_ms": ms_json(found.first_us),
        "end_ms": ms_json(found.end_us),
        **(alone.summary_json() if alone else {"calls": found.calls}),
    }
    yield json.dumps(head)[:-1]
    if alone:
        yield f', "preset": {json.dumps(variant)}, '
        yield from _replay_json(alone)
        yield "}\n"
        return
    yield ', "presets": {'
    for number, replay in enumerate(found.replays):
        name, summary = json.dumps(replay.preset.name), json.dumps(replay.summary_json())
        yield f'{", " if number else ""}{name}: {{"summary": {summary}, '
        yield from _replay_json(replay)
        yield "}"
    yield "}}\n"


def _replay_json(replay: Replay) -> Iterator[str]:
    yield f'"transitions": {json.dumps(replay.transitions_json())}, "admitted": ['
    words = ("false", "true")
    for start in range(0, len(replay.admitted), CHUNK):
        part = replay.admitted[start : start + CHUNK]
        yield ("," if start else "") + ",".join([words[each] for each in part])
    yield "]"


def _head(found: Judgement) -> list[str]:
    skipped = f", {found.skipped:,} bad lines skipped" if found.skipped else ""
    failed = found.replays[0].tally.failed
    span = units.span(found.end_us - found.first_us)
    share = f"{failed:,} ({percent(failed * PPM // found.calls)}) failed"
    return [f"{plural(found.calls, 'call')} of {found.name} in {span}{skipped}: {share}", f"digest {found.digest}", ""]


def _text(found: Judgement) -> list[str]:
    replay = found.replays[0]
    tally = replay.tally
    lines = _head(found)
    lines += [
        f"{replay.preset.title}: {replay.preset.summary}",
        f"admitted {tally.admitted:,}, rejected {tally.rejected:,}: {tally.spared:,} failures spared, "
        f"{tally.lost:,} successes lost; {tally.late:,} results came late",
        "time " + ", ".join(f"{name} {units.exact(us)}" for name, us in tally.in_state_us.items()),
        "",
        f"{'at ms':>16}  transition",
    ]
    for each in replay.transitions[:TRANSITIONS_SHOWN]:
        lines.append(f"{ms_word(each.at_us):>16}  {each.src.value} > {each.dst.value}: {each.why}")
    more = len(replay.transitions) - TRANSITIONS_SHOWN
    if more > 0:
        lines.append(f"{'':16}  and {more:,} more; --json has them all")
    if not replay.transitions:
        lines.append(f"{'':16}  none")
    why = replay.breaker.why(replay.end_us)
    lines += ["", f"at the end {why.state.value}: {why.closes}"]
    return lines + check_lines(found.checks)


def _comparison(found: Judgement) -> list[str]:
    lines = _head(found)
    lines.append(
        f"{'preset':18}{'trips':>7}{'first at ms':>15}{'admitted':>12}{'rejected':>12}{'spared':>10}{'lost':>10}"
        f"{'open':>14}  end"
    )
    for replay in found.replays:
        tally = replay.tally
        first = ms_word(replay.transitions[0].at_us) if replay.transitions else "-"
        opened = units.span(tally.in_state_us.get("open", 0)) if tally.trips else "-"
        lines.append(
            f"{replay.preset.name:18}{tally.trips:>7,}{first:>15}{tally.admitted:>12,}{tally.rejected:>12,}"
            f"{tally.spared:>10,}{tally.lost:>10,}{opened:>14}  {replay.breaker.state.value}"
        )
    lines += ["", "spared: rejected calls that failed in the log; lost: rejected calls that succeeded in it"]
    return lines + check_lines(found.checks)


def opening(file: str, options: DataOptions) -> Opening:
    """The log as a run, through one preset."""
    _accept(options)
    if options.compare:
        raise UserError("--compare prints a report: dp-tui run resilience FILE --compare; the app takes --preset")
    chosen = preset(options.preset or DEFAULT)
    name = name_of(file)
    with open_data(file) as stream:
        hashed = Hashed(stream)
        reader = CallReader(hashed.stream, name, skip_bad=options.skip_bad, sort=options.sort)
        records = CallLog(reader)
    source = Source(name, hashed.sha256, records, "" if file == "-" else file, reader.skipped)
    config: tuple[tuple[str, Any], ...] = (("preset", chosen.name),)
    return Opening(VARIANT.on(source), config)
