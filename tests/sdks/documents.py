"""Every GraphQL document that a release of the SDK can send, as its files have it.

Older releases put many together: a fragment is added, a part filled in by `%`, `.format` or `.replace`, or chosen by
what the server knows. Here each is put together as for a server that knows all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_OPERATION = re.compile(r"\s*(?:#graphql\s+)?(?:query|mutation)\s+(\w+)\s*[({]")
_FRAGMENT = re.compile(r"\s*fragment\s+(\w+)\s+on\s")
_IN_CORE = re.compile(rb"\n(?:query|mutation) ([A-Z]\w+) [({].*?\n}\n(?:fragment .*?\n}\n)*", re.DOTALL)
_MAY_HAVE_ONE = re.compile(r"query|mutation|fragment|edge_name")
_NO_NAME = re.compile(r"\.\.\.(?=\s*[\n}])")
"""A fragment whose name only the running program knows."""
_FORMAT_FIELD = re.compile(r"\{(\w*)\}")
Values = Mapping[str, str]


@dataclass(frozen=True)
class Document:
    """A document.

    Attributes:
        name: Its operation's.
        place: Where it stands.
        text: It, with the fragments that it spreads.
    """

    name: str
    place: str
    text: str


def documents(sdk: Path) -> list[Document]:
    """Read all documents of the package in a folder: those in Python, and those in wandb-core if it has that."""
    trees: dict[str, ast.Module] = {}
    for file in sorted(sdk.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        if "vendor" not in file.parts and not file.name.endswith("_pb2.py") and _MAY_HAVE_ONE.search(text):
            trees[str(file.relative_to(sdk))] = ast.parse(text)
    returned = {name: text for tree in trees.values() for name, text in _returned(tree)}
    found: list[Document] = []
    fragments: dict[str, str] = {}
    for place, tree in trees.items():
        for line, document in texts(tree, returned):
            if name := _OPERATION.match(document):
                found.append(Document(name[1], f"{place}:{line}", document))
            elif name := _FRAGMENT.match(document):
                fragments[name[1]] = document
    core = sdk / "bin" / "wandb-core"
    parts = _IN_CORE.finditer(core.read_bytes()) if core.exists() else ()
    found += [Document(part[1].decode(), core.name, part[0].decode()) for part in parts]
    return [Document(one.name, one.place, _with_fragments(one.text, fragments)) for one in found]


def _with_fragments(text: str, fragments: Values) -> str:
    """Add what a document spreads and does not have, and what that spreads."""
    while True:
        has = set(re.findall(r"fragment\s+(\w+)\s+on", text))
        lacks = (set(re.findall(r"\.\.\.\s*(\w+)", text)) - has) & fragments.keys()
        if not lacks:
            return text
        text += "".join(fragments[name] for name in sorted(lacks))


def _returned(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Give each function that returns a text, with the first that it may be."""
    for node in ast.walk(tree):
        texts = [one.value for one in ast.walk(node) if isinstance(one, ast.Return)]
        if isinstance(node, ast.FunctionDef) and texts and isinstance(texts[0], ast.Constant | ast.IfExp):
            yield node.name, _Reader({}).text(texts[0])


def texts(tree: ast.Module, returned: Values | None = None) -> Iterator[tuple[int, str]]:
    """Give each text of a file that is a document or a fragment, with its line: as large as it is put together.

    Args:
        tree: The file.
        returned: What functions of other files give.
    """
    returned = {**(returned or {}), **dict(_returned(tree))}
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    replaced = _replacements(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant | ast.JoinedStr) or isinstance(parents.get(node), ast.JoinedStr):
            continue
        plain = _Reader({}).text(node)
        if not (_OPERATION.match(plain) or _FRAGMENT.match(plain)):
            continue
        whole: ast.AST = node
        while isinstance(parent := parents.get(whole), ast.BinOp | ast.Attribute | ast.Call) and _is_text(
            parent, whole
        ):
            whole = parent
        scope: ast.AST = whole
        while scope in parents and not isinstance(scope, ast.FunctionDef):
            scope = parents[scope]
        text = _Reader({**returned, **_assigned(tree), **_assigned(scope)}).text(whole)
        for old in sorted(replaced, key=len, reverse=True):
            text = text.replace(old, replaced[old])
        yield node.lineno, _NO_NAME.sub("__typename", text)


def _is_text(parent: ast.AST, part: ast.AST) -> bool:
    """Whether an expression is the text of one of its parts, with more in it."""
    if isinstance(parent, ast.Attribute):
        return parent.attr in {"format", "replace"}
    return isinstance(parent, ast.BinOp) or (isinstance(parent, ast.Call) and parent.func is part)


def _assigned(scope: ast.AST) -> dict[str, str]:
    """Read the texts that names are given in a function or file; of several the longest, and what is added to it."""
    found: dict[str, str] = {}
    reader = _Reader(found)
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name, text = node.targets[0].id, reader.text(node.value)
            found[name] = max(found.get(name, ""), text, key=len)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            between = ", " if isinstance(node.value, ast.List) else ""
            found[node.target.id] = found.get(node.target.id, "") + between + reader.text(node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append":
            name = getattr(node.func.value, "id", "")
            found[name] = ", ".join([*filter(None, [found.get(name)]), reader.text(node.args[0])])
    return found


def _replacements(tree: ast.Module) -> dict[str, str]:
    """Read what `.replace` puts for a placeholder; of several texts the longest."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or len(node.args) != 2:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        old = node.args[0]
        if (
            name == "replace"
            and isinstance(old, ast.Constant)
            and re.fullmatch(r"[A-Z_]+|_[A-Za-z_]+_", str(old.value))
        ):
            text = _Reader(_assigned(tree)).text(node.args[1])
            found[str(old.value)] = max(found.get(str(old.value), ""), text, key=len)
    return found


@dataclass
class _Reader:
    """Reads an expression as text; what cannot be known without running it is empty.

    Attributes:
        values: The texts that names have.
    """

    values: Values

    def text(self, node: ast.AST) -> str:
        """Read an expression."""
        found = ""
        match node:
            case ast.Constant(value=str(found)):
                pass
            case ast.JoinedStr(values=parts):
                found = "".join(map(self.text, parts))
            case ast.List(elts=parts):
                found = ", ".join(map(self.text, parts))
            case (
                ast.FormattedValue(value=inner)
                | ast.IfExp(body=inner)
                | ast.Call(func=ast.Name(id="gql" | "dedent"), args=[inner, *_])
            ):
                found = self.text(inner)
            case (
                ast.Call(func=ast.Attribute(value=inner, attr="replace"))
                | ast.Call(func=ast.Attribute(attr="join"), args=[inner])
            ):
                found = self.text(inner)
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Call(func=ast.Name(id=name)):
                found = self.values.get(name, "")
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                found = self.text(left) + self.text(right)
            case ast.BinOp(left=left, op=ast.Mod(), right=right):
                given = iter(right.elts if isinstance(right, ast.Tuple) else [right])
                found = re.sub("%s", lambda _: self.text(next(given)), self.text(left))
            case ast.Call(func=ast.Attribute(value=inner, attr="format"), args=given, keywords=named):
                values = {one.arg or "": self.text(one.value) for one in named}
                found = _formatted(self.text(inner), [self.text(one) for one in given], values)
        return found


def _formatted(text: str, given: list[str], named: Values) -> str:
    """Fill in the fields of a text, a field of which nothing is known with nothing."""
    numbered = iter(given)
    text = text.replace("{{", "\0").replace("}}", "\1")
    text = _FORMAT_FIELD.sub(lambda field: named.get(field[1], "") if field[1] else next(numbered, ""), text)
    return text.replace("\0", "{").replace("\1", "}")
