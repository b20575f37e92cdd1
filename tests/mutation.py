"""Single-line mutants of a module, made by script: what a slip of the hand would make of it.

``python -m tests.mutation MODULE NUMBER [PYTEST ARGUMENTS]`` runs tests with one mutant in place of the module, and
touches no file; exit status 0 means that no test noticed. ``mutants(MODULE)`` lists them all, in their order.
"""

import ast
import copy
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent

COMPARE: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
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


def _source(module: str) -> str:
    return (ROOT / Path(*module.split("."))).with_suffix(".py").read_text(encoding="utf-8")


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
            yield f"the call of {name} is dropped", ast.Pass()
        case ast.Assign(targets=[ast.Attribute(attr=name)]) | ast.AugAssign(target=ast.Attribute(attr=name)):
            yield f"{name} is not set", ast.Pass()
        case ast.Return(value=None):
            yield "the return is dropped", ast.Pass()


class _Visitor(ast.NodeTransformer):
    """Numbers every change inside functions; makes the one that is wanted."""

    def __init__(self, wanted: int = -1) -> None:
        self.wanted = wanted
        self.found: list[Mutant] = []
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
                self.found.append(Mutant(number, node.lineno, self._function[-1], what))
                if number == self.wanted:
                    return ast.copy_location(changed, node)
        return node


def mutants(module: str) -> list[Mutant]:
    """All mutants of a module."""
    visitor = _Visitor()
    visitor.visit(ast.parse(_source(module)))
    return visitor.found


class _Loader(importlib.abc.Loader):
    """Loads the mutant instead of the module."""

    def __init__(self, module: str, number: int) -> None:
        self.module, self.number = module, number

    def exec_module(self, module: ModuleType) -> None:
        tree = _Visitor(self.number).visit(ast.parse(_source(self.module)))
        assert isinstance(tree, ast.Module)
        exec(compile(ast.fix_missing_locations(tree), f"<mutant {self.number}>", "exec"), module.__dict__)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, module: str, number: int) -> None:
        self.module, self.loader = module, _Loader(module, number)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self.loader) if name == self.module else None


def main() -> int:
    """Run pytest with a mutant in place."""
    import pytest

    module, number, *arguments = sys.argv[1:]
    sys.meta_path.insert(0, _Finder(module, int(number)))
    return int(pytest.main(["-q", "-x", "-n", "0", "-p", "no:cacheprovider", *arguments]))


if __name__ == "__main__":
    sys.exit(main())
