"""The code that a class uses, found by reading files: functions, constants and modules of the user's own.

Nothing is imported for it. A file's statements are followed from name to name, and from import to import. Installed
packages and Python's own modules are not followed: the record of a run has their versions.
"""

from __future__ import annotations

import ast
import hashlib
import sys
import sysconfig
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tune_jobs.base.module_files import MOST_SOURCE_BYTES, find_module_file, parent_packages
from tune_jobs.base.named_files import read_file

_OURS = ("tune_jobs", "trainables", "search_spaces")
_OUR_EXAMPLES = ("tune_jobs.examples.", "trainables.examples.")
_MOST_FILES = 1000
AT_IMPORT = "import"
_EVERYTHING = "*"
_Statements = list[ast.stmt]


def used_code(classes: Sequence[tuple[str, str]], skipped: Collection[str] = ()) -> dict[str, str]:
    """Return a digest of everything of the user's own that a class uses, by its name such as ``helper.scale``.

    Comments, docstrings and the layout of the text do not count.

    Args:
        classes: The class and its bases, each by the name of its module, which is loaded, and its name there.
        skipped: Names in the class's module that do not count, such as that of the experiment.

    Returns:
        The digests. The names of the class's own module have no module before them. The classes are not among them.
    """
    return _Search(classes, skipped).uses(classes[0][1])


@dataclass(frozen=True)
class _File:
    """A parsed file.

    Attributes:
        module: The name of its module.
        package: The package that relative imports start from.
        bound: The statements that bind each name.
        at_import: The statements that do something when the module is imported, beside binding names.
    """

    module: str
    package: str
    bound: dict[str, _Statements] = field(default_factory=dict)
    at_import: _Statements = field(default_factory=list)


class _Search:
    """One walk over names and imports, from the module of the first class on.

    Args:
        classes: The classes whose own text is not wanted.
        skipped: Names in that module that are not followed.
    """

    def __init__(self, classes: Sequence[tuple[str, str]], skipped: Collection[str]) -> None:
        self._start = classes[0][0]
        self._top = self._start.partition(".")[0]
        self._classes = set(classes)
        self._files: dict[str, _File | None] = {}
        self._seen: set[tuple[str, str]] = {(self._start, name) for name in skipped}
        self._waiting: list[tuple[str, str]] = []
        self._found: dict[str, list[str]] = {}

    def uses(self, name: str) -> dict[str, str]:
        """Return the digest of each used name."""
        self._want(self._start, name)
        while self._waiting:
            self._visit(*self._waiting.pop())
        return {used: _digest(texts) for used, texts in sorted(self._found.items())}

    def _want(self, module: str, name: str) -> None:
        if (module, name) not in self._seen:
            self._seen.add((module, name))
            self._waiting.append((module, name))

    def _visit(self, module: str, name: str) -> None:
        file = self._file(module)
        if file is None:
            if name not in (AT_IMPORT, _EVERYTHING):  # a folder without __init__.py has modules, too
                self._want(f"{module}.{name}", _EVERYTHING)
            return
        if name == AT_IMPORT:
            self._take(file, AT_IMPORT, file.at_import)
            return
        self._want(module, AT_IMPORT)
        for parent in parent_packages(module):
            self._want(parent, AT_IMPORT)
        is_whole = name == _EVERYTHING or (module == self._start and name not in file.bound)
        for each in list(file.bound) if is_whole else [name]:
            if is_whole:
                self._want(module, each)
            elif each in file.bound:
                self._take(file, each, file.bound[each])
            else:
                self._want(f"{module}.{each}", _EVERYTHING)  # a module of the package, or a name that is made otherwise

    def _take(self, file: _File, name: str, statements: _Statements) -> None:
        texts = []
        for statement in statements:
            for module, used in _references(statement, file, name):
                self._want(module, used)
            is_class = isinstance(statement, ast.ClassDef) and (file.module, statement.name) in self._classes
            if not is_class and (text := self._text(statement, file, name)):
                texts.append(text)
        if texts:
            self._found[name if file.module == self._start else f"{file.module}.{name}"] = texts

    def _text(self, statement: ast.stmt, file: _File, name: str) -> str:
        """Return the text of a statement that counts. An import of the user's own code is followed instead."""
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            return _without_docstrings(statement)
        origins = [module for module, _ in _references(statement, file, name)]
        if any(self._file(module) or module.partition(".")[0] in sys.stdlib_module_names for module in origins):
            return ""
        used = _used(statement, name)
        if isinstance(statement, ast.Import):
            return ast.unparse(ast.Import(names=used))
        return ast.unparse(ast.ImportFrom(module=statement.module, names=used, level=statement.level))

    def _file(self, module: str) -> _File | None:
        if module not in self._files:
            path = _source(module) if len(self._files) < _MOST_FILES else None
            is_own = path is not None and (module == self._start or self._is_own(module, path))
            self._files[module] = _parsed(module, path) if path is not None and is_own else None
        return self._files[module]

    def _is_own(self, module: str, path: Path) -> bool:
        top = module.partition(".")[0]
        if top in _OURS:
            return module.startswith(_OUR_EXAMPLES)
        is_installed = any(path.is_relative_to(folder) for folder in _installed())
        return top not in sys.stdlib_module_names and (top == self._top or not is_installed)


def _references(statement: ast.stmt, file: _File, name: str) -> Iterator[tuple[str, str]]:
    """Yield the module and the name of everything that a statement may use."""
    is_import = isinstance(statement, ast.Import | ast.ImportFrom)
    for node in ast.walk(statement):
        match node:
            case ast.Name(id=used, ctx=ast.Load()) if used in file.bound:
                yield file.module, used
            case ast.Import():
                for alias in _used(node, name if is_import else None):
                    yield alias.name, _EVERYTHING
            case ast.ImportFrom():
                origin = _absolute(node.module or "", node.level, file.package)
                for alias in _used(node, name if is_import else None):
                    yield origin, alias.name
            case ast.Call(func=called, args=[ast.Constant(value=str(module)), *_]) if _imports(called):
                yield module, _EVERYTHING


def _used(statement: ast.Import | ast.ImportFrom, name: str | None) -> list[ast.alias]:
    """Return what of an import binds a name; all of it for None."""
    if name in (None, AT_IMPORT):
        return statement.names
    return [alias for alias in statement.names if name == (alias.asname or alias.name.partition(".")[0])]


def _imports(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("__import__", "import_module")


def _absolute(source: str, level: int, package: str) -> str:
    if not level:
        return source
    base = package.split(".")[: len(package.split(".")) - level + 1]
    return ".".join([*base, source] if source else base)


def _parsed(module: str, path: Path) -> _File | None:
    try:
        tree = ast.parse(read_file(path, MOST_SOURCE_BYTES))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    file = _File(module, package)
    for statement in tree.body:
        if _is_docstring(statement) or _is_main_guard(statement):
            continue
        names = set(_bound_names(statement))
        for name in names:
            file.bound.setdefault(name, []).append(statement)
        if _acts(statement) or (not names and not isinstance(statement, ast.Pass)):
            file.at_import.append(statement)
    if stars := file.bound.pop(_EVERYTHING, None):
        file.at_import.extend(stars)
    return file


def _bound_names(node: ast.AST) -> Iterator[str]:
    """Yield the names that a statement of a module binds or changes: not those inside a function or a class."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
        case ast.Import():
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        case ast.ImportFrom():
            yield from (alias.asname or alias.name for alias in node.names)
        case ast.Attribute(ctx=ast.Store(), value=owner) | ast.Subscript(ctx=ast.Store(), value=owner):
            yield from (inner.id for inner in ast.walk(owner) if isinstance(inner, ast.Name))
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            pass
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _bound_names(child)


def _acts(node: ast.AST) -> bool:
    """Return whether a statement calls something for its effect: in a loop, say, and not inside a function or class."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        return False
    is_call = isinstance(node, ast.Expr) and not _is_docstring(node)
    return is_call or any(_acts(child) for child in ast.iter_child_nodes(node))


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _is_main_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(statement.test)
    )


def _without_docstrings(statement: ast.stmt) -> str:
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            node.body = [inner for inner in node.body if not _is_docstring(inner)] or [ast.Pass()]
    return ast.unparse(statement)


def _digest(texts: list[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode("utf-8", errors="replace")).hexdigest()[:16]


def _source(module: str) -> Path | None:
    """Return the file of a module, which need not have been imported."""
    loaded = getattr(sys.modules.get(module), "__dict__", {}).get("__file__")
    origin = loaded if isinstance(loaded, str) else find_module_file(module)
    return Path(origin) if origin is not None and origin.endswith(".py") else None


@cache
def _installed() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    return tuple(Path(paths[kind]) for kind in ("stdlib", "platstdlib", "purelib", "platlib"))
