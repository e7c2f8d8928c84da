"""A file of code as statements: which names they bind, what they do at import, and which modules they import."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tune_jobs.base.module_files import MOST_SOURCE_BYTES
from tune_jobs.base.named_files import read_file

EVERYTHING = "*"
Statements = list[ast.stmt]
_CHANGES_ITS_FUNCTION_ONLY = frozenset(
    [
        "cache",
        "cached_property",
        "contextmanager",
        "dataclass",
        "function",
        "jit",
        "lru_cache",
        "njit",
        "runtime_checkable",
        "total_ordering",
        "wraps",
    ]
)


@dataclass(frozen=True)
class ParsedFile:
    """A parsed file.

    Attributes:
        module: The name of its module.
        package: The package that relative imports start from.
        bound: The statements that bind each name.
        at_import: The statements that do something when the module is imported, beside binding names.
        registered: The functions and classes that a decorator may have put into a register: no name leads to them.
        imports: The modules that are imported with the module, which may do something then.
    """

    module: str
    package: str
    bound: dict[str, Statements] = field(default_factory=dict)
    at_import: Statements = field(default_factory=list)
    registered: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)


def parsed(module: str, path: Path) -> ParsedFile | None:
    """Return the statements of a file; None if it cannot be read.

    Args:
        module: The name of its module.
        path: The file.
    """
    try:
        tree = ast.parse(read_file(path, MOST_SOURCE_BYTES))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    file = ParsedFile(module, package)
    for statement in tree.body:
        if is_docstring(statement) or _is_main_guard(statement):
            continue
        names = set(_bound_names(statement))
        for name in names:
            file.bound.setdefault(name, []).append(statement)
        if _acts(statement) or (not names and not isinstance(statement, ast.Pass)):
            file.at_import.append(statement)
        file.imports.extend(_imported(statement, package))
    file.registered.extend(_registered(tree.body, file.bound))
    if stars := file.bound.pop(EVERYTHING, None):
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
    is_call = isinstance(node, ast.Expr) and not is_docstring(node)
    return is_call or any(_acts(child) for child in ast.iter_child_nodes(node))


def _imported(statement: ast.stmt, package: str) -> Iterator[str]:
    """Yield the modules that a statement of a module imports, with names that may be modules of a package."""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            origin = absolute(module or "", level, package)
            yield origin
            yield from (f"{origin}.{alias.name}" for alias in names if alias.name != EVERYTHING)
        case _:
            for child in ast.iter_child_nodes(statement):
                if isinstance(child, ast.stmt | ast.excepthandler):
                    yield from _imported(child, package)  # type: ignore[arg-type]


def _registered(statements: Sequence[ast.stmt], bound: Collection[str]) -> Iterator[str]:
    """Yield the functions and classes with a decorator that may register them: one of the user's, or of a package."""
    for statement in statements:
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for decorator in statement.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            root = called
            while isinstance(root, ast.Attribute):
                root = root.value
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if isinstance(root, ast.Name) and root.id in bound and name not in _CHANGES_ITS_FUNCTION_ONLY:
                yield statement.name
                break


def is_docstring(statement: ast.stmt) -> bool:
    """Return whether a statement is a text alone."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _is_main_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(statement.test)
    )


def absolute(source: str, level: int, package: str) -> str:
    """Return the full name of the module that an import names.

    Args:
        source: The name in the import.
        level: The number of dots before it.
        package: The package of the importing module.
    """
    if not level:
        return source
    base = package.split(".")[: len(package.split(".")) - level + 1]
    return ".".join([*base, source] if source else base)
