"""How the house stands: sizes, long lines, annotations, docstrings, comments, tests at their place.

    python benchmarks/house.py                  the working tree
    python benchmarks/house.py --beside 75afb2f an earlier commit beside it

Numbers follow from the syntax trees of the five packages; tests are counted by their paths.
"""

from __future__ import annotations

import argparse
import ast
import io
import statistics
import subprocess
import tarfile
import tempfile
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("models", "beam_jobs", "components", "tfx_pipeline", "serving")
LONGEST = 100
Function = ast.FunctionDef | ast.AsyncFunctionDef


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--beside", metavar="COMMIT", help="an earlier state to compare with")
    options = parser.parse_args()
    columns = {"now": measured(ROOT)}
    if options.beside:
        with tempfile.TemporaryDirectory() as folder:
            unpack(options.beside, Path(folder))
            columns = {options.beside: measured(Path(folder)), **columns}
    print("| | " + " | ".join(columns) + " |")
    print("|---|" + "---|" * len(columns))
    for name in columns["now"]:
        print(f"| {name} | " + " | ".join(column[name] for column in columns.values()) + " |")
    return 0


def unpack(commit: str, folder: Path) -> None:
    """the files of a commit."""
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")


def measured(root: Path) -> dict[str, str]:
    """row -> figure of the tree at `root`."""
    sources = [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]
    texts = {path: path.read_text(encoding="utf-8") for path in sources}
    trees = {path: ast.parse(text) for path, text in texts.items()}
    functions = [node for tree in trees.values() for node in functions_of(tree)]
    every = [*texts.values(), *(path.read_text() for path in (root / "tests").rglob("*.py"))]
    lines = [line for text in every for line in text.splitlines()]
    own = [line for text in texts.values() for line in text.splitlines()]
    public = [node for node in functions if not node.name.startswith("_")]
    return {
        "files": str(len(sources)),
        "lines a file (median, p90, max)": spread([text.count("\n") for text in texts.values()]),
        "lines a function (median, p90, max)": spread([length(node) for node in functions]),
        f"lines over {LONGEST} characters": share([len(line) > LONGEST for line in lines]),
        "functions fully annotated": share([annotated(node) for node in functions]),
        "public functions with a docstring": share(
            [ast.get_docstring(node) is not None for node in public]
        ),
        "whole-line comments": f"{100 * sum(map(comments, texts.values())) / len(own):.1f} %",
        "raises that print a value": share(
            [prints_value(node) for tree in trees.values() for node in raises_of(tree)]
        ),
        "files with their test at the mirrored path": share(
            [mirrored(root, path) for path, tree in trees.items() if has_code(tree)]
        ),
    }


def functions_of(tree: ast.AST) -> list[Function]:
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


def raises_of(tree: ast.AST) -> Iterator[ast.Call]:
    """calls that are raised."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            yield node.exc


def prints_value(call: ast.Call) -> bool:
    """does the message hold anything that is not a constant?"""
    return any(not isinstance(argument, ast.Constant) for argument in call.args)


def length(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def annotated(node: Function) -> bool:
    """has every parameter but self and cls, and the return, an annotation?"""
    words = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    words += [word for word in (node.args.vararg, node.args.kwarg) if word is not None]
    parameters = [word for word in words if word.arg not in ("self", "cls")]
    return node.returns is not None and all(word.annotation is not None for word in parameters)


def comments(text: str) -> int:
    """lines that are a comment and nothing else."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return sum(
        token.type == tokenize.COMMENT and token.line.lstrip().startswith("#") for token in tokens
    )


def has_code(tree: ast.Module) -> bool:
    """does the file define anything? A package's docstring needs no test."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
    return any(isinstance(node, kinds) for node in tree.body)


def mirrored(root: Path, path: Path) -> bool:
    """is there tests/<same path>/test_<same name>?"""
    inside = path.relative_to(root)
    name = inside.parent.name if path.name == "__init__.py" else inside.stem.strip("_")
    return (root / "tests" / inside.parent / f"test_{name}.py").exists()


def spread(numbers: list[int]) -> str:
    ordered = sorted(numbers)
    return f"{statistics.median(ordered):.0f}, {ordered[int(0.9 * len(ordered))]}, {ordered[-1]}"


def share(answers: list[bool]) -> str:
    return f"{100 * sum(answers) / max(len(answers), 1):.1f} %"


if __name__ == "__main__":
    raise SystemExit(main())
