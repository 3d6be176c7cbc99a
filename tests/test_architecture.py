"""The architecture as tables, and a walk over the sources that compares: who may import whom, who may make threads,
what has a test.

Imports point one way: errors, types <- runtime <- transport <- rpc <- messages <- roles <- openocpp. Beside rpc stand
config, store and x509.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "openocpp"

PUBLIC = "the public names"  # `from openocpp import ...`

BASE = {"version", "errors", "types", "runtime"}
BELOW_ROLES = BASE | {"transport", "rpc", "messages", "config", "store", "x509"}

# Part of the package -> the parts that it may import, beside itself.
ALLOWED: dict[str, set[str]] = {
    "version": set(),
    "errors": set(),
    "types": {"errors"},
    "runtime": {"errors", "types"},
    "transport": BASE,
    "config": BASE,
    "store": BASE,
    "x509": BASE,
    "rpc": BASE | {"transport"},
    "messages": BASE | {"transport", "rpc"},
    "serving": BELOW_ROLES,  # what the two roles that accept charge points have in common
    "chargepoint": BELOW_ROLES,
    "centralsystem": BELOW_ROLES | {"serving"},
    "localcontroller": BELOW_ROLES | {"serving", "chargepoint.interface", "centralsystem.interface"},
    "__init__": BELOW_ROLES | {"chargepoint", "centralsystem", "localcontroller"},
    # On top, as any user of the package (errors and types are public as they are).
    "transfer": {PUBLIC, "errors", "types"},
    "plot": {PUBLIC, "errors", "types"},
    "station": {PUBLIC, "x509", "transfer", "plot"},
    "cli": {PUBLIC, "x509", "station", "transfer", "plot"},
    "__main__": {PUBLIC, "cli"},
    # For tests only: sees everything.
    "testing": BELOW_ROLES | {"chargepoint", "centralsystem", "localcontroller", PUBLIC},
}

# Threads, and what makes them wait for each other, are made by the runtime; `testing` is a runtime too.
THREADING_MODULES = {"threading", "_thread", "queue", "concurrent", "multiprocessing", "select", "asyncio", "sched"}
MAY_USE_THREADS = {"runtime", "testing"}

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 50


@dataclass(frozen=True)
class Import:
    """One imported module or public name, where it stands, and whether only the type checker sees it."""

    target: str
    line: int
    typing_only: bool


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def dotted(path: Path) -> str:
    """`rpc/session.py` -> `rpc.session`; a package is named by its folder, the root is `__init__`."""
    parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return ".".join(parts)


MODULES = {dotted(path): path for path in sources()}


def part_of(module: str) -> str:
    return module.split(".")[0]


def typing_blocks(tree: ast.Module) -> set[ast.stmt]:
    """All statements below `if TYPE_CHECKING:`."""
    found: set[ast.stmt] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            found.update(inner for branch in node.body for inner in ast.walk(branch) if isinstance(inner, ast.stmt))
    return found


def own_imports(module: str, tree: ast.Module) -> list[Import]:
    """What a module imports of this package, wherever in the module it does: late imports count."""
    hidden = typing_blocks(tree)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            # `import openocpp` names nothing yet: what is taken from it is the attribute below.
            targets = [alias.name for alias in node.names if alias.name.startswith("openocpp.")]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "openocpp":
            if not node.attr.startswith("__"):
                found.append(Import(PUBLIC, node.lineno, False))
            continue
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: relative import"
            if (node.module or "").split(".")[0] != "openocpp":
                continue
            targets = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        found += [Import(resolve(target), node.lineno, node in hidden) for target in targets]
    return found


def resolve(target: str) -> str:
    """`openocpp.rpc.session.Session` -> `rpc.session`; a name of the root itself is public."""
    parts = target.split(".")[1:]
    while parts and ".".join(parts) not in MODULES:
        parts.pop()
    return ".".join(parts) or PUBLIC


TREES = {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in MODULES.items()}
IMPORTS = {module: own_imports(module, tree) for module, tree in TREES.items()}


def test_every_part_has_its_place_in_the_table() -> None:
    assert {part_of(module) for module in MODULES} <= set(ALLOWED)


def test_the_walk_sees_imports() -> None:
    tree = ast.parse(
        "from openocpp.errors import OcppError\n"
        "if TYPE_CHECKING:\n    import openocpp.runtime.clock\n"
        "def f():\n    from openocpp import errors, nothing_of_that_name\n"
        "import openocpp\nprint(openocpp.__file__)\n"
    )
    assert own_imports("x", tree) == [
        Import("errors", 1, False),
        Import("runtime.clock" if "runtime.clock" in MODULES else PUBLIC, 3, True),
        Import("errors", 5, False),
        Import(PUBLIC, 5, False),
    ]


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_one_way(module: str) -> None:
    allowed = ALLOWED[part_of(module)]
    wrong = [
        f"{MODULES[module].relative_to(ROOT)}:{found.line} imports {found.target}"
        for found in IMPORTS[module]
        if part_of(found.target) != part_of(module) and not {part_of(found.target), found.target} & allowed
    ]
    assert wrong == []


def test_no_import_cycles() -> None:
    graph = {
        module: {found.target for found in imports if not found.typing_only and found.target in MODULES} - {module}
        for module, imports in IMPORTS.items()
    }
    reached: dict[str, set[str]] = defaultdict(set)
    for start in graph:
        front = set(graph[start])
        while front:
            reached[start] |= front
            front = set().union(*(graph[module] for module in front)) - reached[start]
    assert sorted(module for module in graph if module in reached[module]) == []


@pytest.mark.parametrize("module", sorted(module for module in MODULES if part_of(module) not in MAY_USE_THREADS))
def test_only_the_runtime_makes_threads_and_what_they_wait_for(module: str) -> None:
    hidden = typing_blocks(TREES[module])
    wrong = []
    for node in ast.walk(TREES[module]):
        names: list[str] = []
        if isinstance(node, ast.Import) and node not in hidden:
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node not in hidden:
            names = [node.module or ""]
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called == "time.sleep" or (called.startswith("selectors.") and called.endswith("Selector")):
                wrong.append(f"{node.lineno}: {called}")
        wrong += [f"import {name}" for name in names if name.split(".")[0] in THREADING_MODULES]
    assert wrong == []


def twin(path: Path) -> Path:
    inside = path.relative_to(PACKAGE)
    return ROOT / "tests" / inside.parent / f"test_{inside.name}"


def test_every_module_has_its_test_file() -> None:
    missing = []
    for path in sources():
        inside = path.relative_to(PACKAGE).as_posix()
        if path.name in ("__init__.py", "__main__.py") or twin(path).exists():
            continue
        missing.append(f"{inside} -> {twin(path).relative_to(ROOT)}")
    assert missing == []


def test_no_file_and_no_function_is_too_long_to_read() -> None:
    long = []
    for module, path in MODULES.items():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MAX_FILE_LINES:
            long.append(f"{path.relative_to(ROOT)}: {lines} lines")
        for node in ast.walk(TREES[module]):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                start = node.body[1].lineno if ast.get_docstring(node) and len(node.body) > 1 else node.lineno
                length = (node.end_lineno or start) - start + 1
                if length > MAX_FUNCTION_LINES:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {length} lines")
    assert long == []


def modules_after(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after a statement."""
    script = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(run.stdout.split())


HEAVY = {"OpenSSL", "cryptography", "ssl", "websocket", "wsproto", "h11", "sqlite3", "fastjsonschema", "asyncio"}


def test_the_check_of_heavy_modules_sees_them() -> None:
    assert HEAVY & modules_after("import sqlite3") == {"sqlite3"}


@pytest.mark.parametrize("statement", ["import openocpp", "import openocpp.config", "import openocpp.errors"])
def test_an_import_is_quick_and_small(statement: str) -> None:
    assert HEAVY & modules_after(statement) == set()


def test_a_charge_point_does_not_begin_with_what_it_may_never_need() -> None:
    assert {*HEAVY, "decimal"} & modules_after("from openocpp import IChargePoint") == set()
