"""Single-line mutants of a module, made by script: what a slip of the hand would make of it.

``python -m tests.mutation MODULE NUMBERS TESTS...`` says of each mutant which test notices it; NUMBERS is ``all``, or
``3,14,15``. No file is touched: the tests are collected once, and a forked process per mutant gives the functions of
the module the code of the mutant and runs them until one fails, the quick ones first. Exit status 1: one survived.
"""

import ast
import copy
import functools
import importlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, Final, NamedTuple, TypeAlias

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent

COMPARE: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
Equal: TypeAlias = Mapping[tuple[str, str, str], str]
"""(function, line, change) -> why nothing behaves otherwise."""
SAID_ONLY: Final = ("note", "record")
"""Calls that only tell: without them nothing behaves otherwise."""


class Mutant(NamedTuple):
    """One change of one line."""

    number: int
    line: int
    function: str
    what: str

    def __str__(self) -> str:
        return f"{self.number} {self.function}:{self.line} {self.what}"


@functools.cache
def _source(module: str) -> str:
    """As it was when it was first asked for, whoever writes on it meanwhile."""
    return (ROOT / Path(*module.split("."))).with_suffix(".py").read_text(encoding="utf-8")


def _never(node: ast.stmt) -> ast.stmt:
    """Instead of a statement. A name that only it needed is still known, so that the function closes over the same."""
    return ast.If(ast.Constant(False), [node], [])


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What can be made of one node of the tree."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARE:
            changed = copy.copy(node)
            changed.ops = [COMPARE[type(op)]()]
            yield f"{type(op).__name__} becomes {COMPARE[type(op)].__name__}", changed
        case ast.BoolOp(op=op):
            changed_op = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield f"{type(op).__name__} becomes {type(changed_op).__name__}", ast.BoolOp(changed_op, node.values)
            for place, _ in enumerate(node.values):
                kept = [each for i, each in enumerate(node.values) if i != place]
                yield f"operand {place} is dropped", kept[0] if len(kept) == 1 else ast.BoolOp(op, kept)
        case ast.UnaryOp(op=ast.Not()):
            yield "not is dropped", node.operand
        case ast.BinOp(op=op) if type(op) in ARITHMETIC and not isinstance(node.left, ast.Constant | ast.JoinedStr):
            yield f"{type(op).__name__} becomes its opposite", ast.BinOp(node.left, ARITHMETIC[type(op)](), node.right)
        case ast.Constant(value=bool() as value):
            yield f"{value} becomes {not value}", ast.Constant(not value)
        case ast.Constant(value=int() as value) if value in (0, 1, 2):
            yield f"{value} becomes {value + 1}", ast.Constant(value + 1)
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name))) if name not in SAID_ONLY:
            yield f"the call of {name} is dropped", _never(node)
        case ast.Assign(targets=[ast.Attribute(attr=name)]) | ast.AugAssign(target=ast.Attribute(attr=name)):
            yield f"{name} is not set", _never(node)
        case ast.Return(value=None):
            yield "the return is dropped", ast.Pass()


class _Visitor(ast.NodeTransformer):
    """Numbers every change inside functions; makes the one that is wanted."""

    def __init__(self, wanted: int = -1) -> None:
        self.wanted = wanted
        self.found: list[Mutant] = []
        self._twins: dict[tuple[int, str], int] = {}
        """How often a line was changed in that way."""
        self._function: list[str] = []

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.FunctionDef):
            self._function.append(node.name)
            node.body = [self.visit(each) for each in node.body]  # type: ignore[misc]
            self._function.pop()
            return node
        if isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SAID_ONLY
        ):
            return node
        node = self.generic_visit(node)
        if self._function and hasattr(node, "lineno"):
            for what, changed in _changes(node):
                number = len(self.found)
                twins = self._twins[node.lineno, what] = self._twins.get((node.lineno, what), 0) + 1
                told = what if twins == 1 else f"{what} ({twins})"
                self.found.append(Mutant(number, node.lineno, self._function[-1], told))
                if number == self.wanted:
                    return ast.copy_location(changed, node)
        return node


def mutants(module: str) -> list[Mutant]:
    """All mutants of a module."""
    visitor = _Visitor()
    visitor.visit(ast.parse(_source(module)))
    return visitor.found


def source_line(module: str, mutant: Mutant) -> str:
    """The line that is changed, as it stands."""
    return _source(module).splitlines()[mutant.line - 1].strip()


# -- in place of the original --------------------------------------------------------------------------------------


def _codes(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _codes(each)


def _functions(owner: object, module: str) -> Iterator[FunctionType]:
    """The functions and methods that a module defines."""
    for each in vars(owner).values():
        if isinstance(each, type) and each.__module__ == module:
            yield from _functions(each, module)
        elif isinstance(each, property):
            yield from (f for f in (each.fget, each.fset) if isinstance(f, FunctionType))
        elif isinstance(each, functools.cached_property):
            yield each.func  # type: ignore[misc]
        else:
            found = getattr(each, "__wrapped__", getattr(each, "__func__", each))
            if isinstance(found, FunctionType) and found.__module__ == module:
                yield found


ORIGINAL: Final = -1
"""Of all mutants the one without a change."""


def put_in_place(module: str, number: int) -> None:
    """Give the functions of a loaded module the code of a mutant, or of the original."""
    tree = _Visitor(number).visit(ast.parse(_source(module)))
    assert isinstance(tree, ast.Module)
    whole = compile(ast.fix_missing_locations(tree), f"<mutant {number} of {module}>", "exec")
    codes = {each.co_qualname: each for each in _codes(whole)}
    for function in _functions(importlib.import_module(module), module):
        code = codes.get(function.__qualname__)
        if code is not None:  # else it was made by a decorator
            function.__code__ = code


# -- who notices ---------------------------------------------------------------------------------------------------

PATIENCE_S: Final = 2
"""A test that takes ten times as long as without a mutant, and this, is caught in a loop."""
MEMORY_MAX: Final = 1 << 30


class _Trials:
    """A plugin of pytest that runs what was collected once for each mutant, each time in a process of its own."""

    def __init__(self, module: str, numbers: Sequence[int]) -> None:
        self.module, self.numbers = module, numbers
        self.survivors = 0
        self.pipe = -1
        self.running = ""
        self.took: dict[str, float] = {}
        """Test -> seconds; without any mutant, once that is known."""

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted(f"{session.testsfailed} files of tests cannot be read")
        took = self.trial(session.items, ORIGINAL)
        if not took.startswith("{"):
            print(f"{took} fails without any mutant", file=sys.stderr)
            raise session.Failed
        self.took = json.loads(took)
        items = sorted(session.items, key=lambda item: self.took[item.nodeid])
        for number in self.numbers:
            caught = self.trial(items, number)
            print(number, caught or "-", sep="\t", flush=True)
            self.survivors += not caught
            items.sort(key=lambda item: item.nodeid != caught)  # what caught one may well catch the next
        return True

    def trial(self, items: Sequence[pytest.Item], number: int) -> str:
        """The test that notices this mutant; empty: none. Of the original: how long each test takes."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            self.pipe = writing
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
            signal.signal(signal.SIGVTALRM, lambda *_: self.end(f"{self.running} (which does not end)"))
            try:
                put_in_place(self.module, number)
                for place, item in enumerate(items):
                    self.running = item.nodeid
                    if number != ORIGINAL:
                        signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE_S + 10 * self.took[item.nodeid])
                    following = items[place + 1] if place + 1 < len(items) else None
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            except BaseException as error:
                self.end(f"{self.running} ({error!r})")
            self.end("" if number != ORIGINAL else json.dumps(self.took))
        os.close(writing)
        with os.fdopen(reading) as pipe:
            caught = pipe.read()
        _, status = os.waitpid(child, 0)
        return caught or ("" if status == 0 else f"a process that ended with {status}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.end(report.nodeid)
        self.took[report.nodeid] = self.took.get(report.nodeid, 0) + report.duration

    def end(self, caught: str) -> None:
        """Say it, and leave the child."""
        with os.fdopen(self.pipe, "w") as pipe:
            pipe.write(caught)
        os._exit(0)


def _key(module: str, mutant: Mutant) -> tuple[str, str, str]:
    return mutant.function, source_line(module, mutant), mutant.what


def chosen(module: str, equal: Equal, every: int = 1, functions: Sequence[str] = ()) -> list[Mutant]:
    """Every so many of a module's mutants, or of these functions', but for those that are equal to the original."""
    found = [each for each in mutants(module) if not functions or each.function in functions]
    return [each for each in found[::every] if _key(module, each) not in equal]


def survivors(module: str, tried: Sequence[Mutant], tests: Sequence[str]) -> list[str]:
    """The mutants that no test notices. Each is tried in a process that knows nothing of this one."""
    command = [sys.executable, "-m", "tests.mutation", module, ",".join(str(each.number) for each in tried), *tests]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    caught = dict(line.split("\t") for line in done.stdout.splitlines() if "\t" in line)
    assert len(caught) == len(tried), done.stdout + done.stderr
    return [f"{each} | {source_line(module, each)}" for each in tried if caught[str(each.number)] == "-"]


def excuses_of_nothing(modules: Sequence[str], equal: Equal) -> list[tuple[str, str, str]]:
    """What is said to be equal and is no mutant of these modules any more."""
    found = {_key(module, each) for module in modules for each in mutants(module)}
    return [each for each in equal if each not in found]


def main() -> int:
    """Try the mutants, and tell of the survivors at the end."""
    module, wanted, *tests = sys.argv[1:]
    found = mutants(module)
    numbers = range(len(found)) if wanted == "all" else [int(each) for each in wanted.split(",")]
    assert max(numbers) < len(found), f"{module} has {len(found)} mutants"
    trials = _Trials(module, numbers)
    quiet: Sequence[Any] = ["-p", "no:terminal", "-n", "0", "-p", "no:cacheprovider", *tests]
    status = int(pytest.main(list(quiet), plugins=[trials]))
    return status or int(trials.survivors > 0)


if __name__ == "__main__":
    sys.exit(main())
