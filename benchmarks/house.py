"""How the house stands: sizes, long lines, annotations, docstrings, names, circles of imports.

    python benchmarks/house.py                  the working tree
    python benchmarks/house.py --beside 75afb2f an earlier commit, or another folder, beside it
    python benchmarks/house.py --names          which names are participles, by room

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
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("models", "beam_jobs", "components", "tfx_pipeline", "serving")
LONGEST = 100
MOST_PARAMETERS = 10
# Participles, and words like them, that stood for the thing they say something about.
PARTICIPLES = frozenset(
    (
        "apart",
        "asked",
        "chosen",
        "done",
        "drawn",
        "found",
        "given",
        "gone",
        "held",
        "kept",
        "known",
        "left",
        "listed",
        "lost",
        "made",
        "named",
        "read",
        "refused",
        "said",
        "seen",
        "served",
        "shown",
        "taken",
        "told",
        "twins",
        "unlike",
        "wanted",
    )
)
# Names of array types: functions that are annotated with them owe a shape to their docstring.
ARRAYS = frozenset(("Array", "Floats", "Integers", "Bools", "Bytes", "Tensor", "Rows", "ndarray"))
BOOLEANS = frozenset(
    ("all", "any", "bool", "callable", "exists", "hasattr", "is_dir", "is_file", "isinstance")
)
SCOPES = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--beside", metavar="COMMIT", help="an earlier commit, or a folder, to compare with"
    )
    parser.add_argument(
        "--names", action="store_true", help="list the names that are participles, by room"
    )
    options = parser.parse_args()
    if options.names:
        print_names(ROOT)
        return 0
    columns = {"now": measured(ROOT)}
    if options.beside and Path(options.beside).is_dir():
        columns = {options.beside: measured(Path(options.beside)), **columns}
    elif options.beside:
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
    sources = sources_of(root)
    texts = {path: path.read_text(encoding="utf-8") for path in sources}
    trees = {path: ast.parse(text) for path, text in texts.items()}
    functions = [node for tree in trees.values() for node in functions_of(tree)]
    tests = [path.read_text(encoding="utf-8") for path in (root / "tests").rglob("*.py")]
    every = [*texts.values(), *tests]
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
        "names that are participles": str(sum(len(participles(tree)) for tree in trees.values())),
        "such names in tests": str(sum(len(participles(ast.parse(text))) for text in tests)),
        "modules in circles of imports": str(len(circular(root))),
        "public functions of arrays without a shape in their docstring": share(
            [not gives_shape(node) for node in public if takes_arrays(node)]
        ),
        f"functions of more than {MOST_PARAMETERS} parameters": str(
            sum(len(parameters(node)) > MOST_PARAMETERS for node in functions)
        ),
        "most parameters": str(max(len(parameters(node)) for node in functions)),
    }


def sources_of(root: Path) -> list[Path]:
    """Python files of the five packages below `root`; others' packages that lie there are none."""
    every = (path for package in PACKAGES for path in sorted((root / package).rglob("*.py")))
    return [path for path in every if "node_modules" not in path.parts]


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
    words = parameters(node)
    words += [word for word in (node.args.vararg, node.args.kwarg) if word is not None]
    return node.returns is not None and all(word.annotation is not None for word in words)


def parameters(node: Function) -> list[ast.arg]:
    """parameters with a name, but for self and cls."""
    words = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return [word for word in words if word.arg not in ("self", "cls")]


def takes_arrays(node: Function) -> bool:
    """is any parameter, or the return, annotated with an array?"""
    annotations = [word.annotation for word in parameters(node)] + [node.returns]
    return any(
        getattr(part, "id", getattr(part, "attr", None)) in ARRAYS
        for annotation in annotations
        if annotation is not None
        for part in ast.walk(annotation)
    )


def gives_shape(node: Function) -> bool:
    """does the docstring hold a bracket, as in `[views, 3]`?"""
    return "[" in (ast.get_docstring(node) or "")


def participles(tree: ast.Module) -> list[str]:
    """names of parameters, variables and fields that are participles, once a scope. Truth values
    may be called so (`if damaged`), and `left` beside `right` is a side.
    """
    names: list[str] = []
    for scope in (node for node in ast.walk(tree) if isinstance(node, SCOPES)):
        values = bindings(scope)
        names += [
            name
            for name in sorted(values.keys() & PARTICIPLES)
            if not all(map(is_truth, values[name])) and not (name == "left" and is_side(values))
        ]
    return names


def bindings(scope: ast.AST) -> dict[str, list[ast.AST | None]]:
    """name -> annotations and values that the scope gives it; [None] where it is only a part of
    something, as of a tuple or a loop.
    """
    values: dict[str, list[ast.AST | None]] = {}
    if isinstance(scope, Function | ast.Lambda):
        arguments = scope.args
        words = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        words += [word for word in (arguments.vararg, arguments.kwarg) if word is not None]
        for word in words:
            values.setdefault(word.arg, []).append(word.annotation)
    for node in inside(scope):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            values.setdefault(node.id, []).append(None)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name):
                values.setdefault(target.id, []).append(node.value)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and isinstance(node.target, ast.Name):
            value = node.annotation if isinstance(node, ast.AnnAssign) else node.value
            values.setdefault(node.target.id, []).append(value)
    # what an assignment with a value binds was met as a bare name too
    return {
        name: [one for one in each if one is not None] or [None] for name, each in values.items()
    }


def inside(scope: ast.AST) -> Iterator[ast.AST]:
    """nodes of a scope, without those of scopes in it."""
    for node in ast.iter_child_nodes(scope):
        if not isinstance(node, SCOPES):
            yield node
            yield from inside(node)


def is_truth(value: ast.AST | None) -> bool:
    """is it an annotation or an expression that is true or false?"""
    if isinstance(value, ast.Name):
        return value.id in ("bool", "Bools")
    if isinstance(value, ast.Call):
        name = getattr(value.func, "id", getattr(value.func, "attr", None))
        return name in BOOLEANS
    if isinstance(value, ast.BoolOp):
        return all(map(is_truth, value.values))
    if isinstance(value, ast.UnaryOp):
        return isinstance(value.op, ast.Not)
    if isinstance(value, ast.Constant):
        return isinstance(value.value, bool)
    return isinstance(value, ast.Compare)


def is_side(values: dict[str, list[ast.AST | None]]) -> bool:
    """does `left` stand beside another side?"""
    return bool(values.keys() & {"right", "above", "top", "width"})


def print_names(root: Path) -> None:
    """a line for every participle: where it is a name, and how often."""
    counts: dict[str, Counter[str]] = {}
    for path in [*sources_of(root), *sorted((root / "tests").rglob("*.py"))]:
        parts = path.relative_to(root).parts
        room = "/".join(parts[:2]) if parts[0] == "models" else parts[0]
        for name in participles(ast.parse(path.read_text(encoding="utf-8"))):
            counts.setdefault(name, Counter())[room] += 1
    for name, rooms in sorted(counts.items(), key=lambda item: -item[1].total()):
        words = ", ".join(f"{room} {count}" for room, count in rooms.most_common())
        print(f"{name:8} {rooms.total():4}  {words}")


def circular(root: Path) -> set[str]:
    """dotted names of modules that reach themselves through imports, those in functions too."""
    files = {module_of(root, path): path for path in sources_of(root)}
    imports = {module: imports_of(path, files.keys()) - {module} for module, path in files.items()}
    return {module for module in imports if module in reach(module, imports)}


def reach(module: str, imports: dict[str, set[str]]) -> set[str]:
    """modules that are imported from `module` on, at any depth."""
    reached: set[str] = set()
    waiting = list(imports[module])
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += imports[name]
    return reached


def module_of(root: Path, path: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path, modules: Collection[str]) -> set[str]:
    """those of `modules` that a file imports when it runs, by name or by something in them."""
    names: set[str] = set()
    for node in running(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {
                full if (full := f"{node.module}.{alias.name}") in modules else f"{node.module}"
                for alias in node.names
            }
    return names & set(modules)


def running(node: ast.AST) -> Iterator[ast.AST]:
    """nodes below `node`, without what only a type checker reads."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            yield child
            yield from running(child)


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
