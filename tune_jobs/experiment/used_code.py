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
from functools import cache
from pathlib import Path

from tune_jobs.base.module_files import find_module_file, parent_packages
from tune_jobs.experiment.parsed_code import EVERYTHING, ParsedFile, Statements, absolute, is_docstring, parsed

_OURS = ("tune_jobs", "trainables", "search_spaces")
_OUR_EXAMPLES = ("tune_jobs.examples.", "trainables.examples.")
_MOST_FILES = 1000
AT_IMPORT = "import"


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
        self._files: dict[str, ParsedFile | None] = {}
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
            if name not in (AT_IMPORT, EVERYTHING):  # a folder without __init__.py has modules, too
                self._want(f"{module}.{name}", EVERYTHING)
            return
        if name == AT_IMPORT:
            self._take(file, AT_IMPORT, file.at_import)
            self._follow_import(file)
            return
        self._want(module, AT_IMPORT)
        for parent in parent_packages(module):
            self._want(parent, AT_IMPORT)
        is_whole = name == EVERYTHING or (module == self._start and name not in file.bound)
        for each in list(file.bound) if is_whole else [name]:
            if is_whole:
                self._want(module, each)
            elif each in file.bound:
                self._take(file, each, file.bound[each])
            else:
                self._want(f"{module}.{each}", EVERYTHING)  # a module of the package, or a name that is made otherwise

    def _follow_import(self, file: ParsedFile) -> None:
        for registered in file.registered:
            self._want(file.module, registered)
        for imported in file.imports:
            for each in (*parent_packages(imported), imported):
                self._want(each, AT_IMPORT)

    def _take(self, file: ParsedFile, name: str, statements: Statements) -> None:
        texts = []
        for statement in statements:
            for module, used in _references(statement, file, name):
                self._want(module, used)
            is_class = isinstance(statement, ast.ClassDef) and (file.module, statement.name) in self._classes
            if not is_class and (text := self._text(statement, file, name)):
                texts.append(text)
        if texts:
            self._found[name if file.module == self._start else f"{file.module}.{name}"] = texts

    def _text(self, statement: ast.stmt, file: ParsedFile, name: str) -> str:
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

    def _file(self, module: str) -> ParsedFile | None:
        if module not in self._files:
            path = _source(module) if len(self._files) < _MOST_FILES else None
            is_own = path is not None and (module == self._start or self._is_own(module, path))
            self._files[module] = parsed(module, path) if path is not None and is_own else None
        return self._files[module]

    def _is_own(self, module: str, path: Path) -> bool:
        top = module.partition(".")[0]
        if top in _OURS:
            return module.startswith(_OUR_EXAMPLES)
        is_installed = any(path.is_relative_to(folder) for folder in _installed())
        return top not in sys.stdlib_module_names and (top == self._top or not is_installed)


def _references(statement: ast.stmt, file: ParsedFile, name: str) -> Iterator[tuple[str, str]]:
    """Yield the module and the name of everything that a statement may use."""
    is_import = isinstance(statement, ast.Import | ast.ImportFrom)
    for node in ast.walk(statement):
        match node:
            case ast.Name(id=used, ctx=ast.Load()) if used in file.bound:
                yield file.module, used
            case ast.Import():
                for alias in _used(node, name if is_import else None):
                    yield alias.name, EVERYTHING
            case ast.ImportFrom():
                origin = absolute(node.module or "", node.level, file.package)
                for alias in _used(node, name if is_import else None):
                    yield origin, alias.name
            case ast.Call(func=called, args=[ast.Constant(value=str(module)), *_]) if _imports(called):
                yield module, EVERYTHING


def _used(statement: ast.Import | ast.ImportFrom, name: str | None) -> list[ast.alias]:
    """Return what of an import binds a name; all of it for None."""
    if name in (None, AT_IMPORT):
        return statement.names
    return [alias for alias in statement.names if name == (alias.asname or alias.name.partition(".")[0])]


def _imports(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("__import__", "import_module")


def _without_docstrings(statement: ast.stmt) -> str:
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            node.body = [inner for inner in node.body if not is_docstring(inner)] or [ast.Pass()]
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
