"""The syntax tree of a JavaScript source, from tree-sitter's grammar."""

from __future__ import annotations

import re
import sys
from bisect import bisect_left
from collections import defaultdict
from typing import Any, Collection, Dict, Iterator, List, Optional, Tuple

import tree_sitter
import tree_sitter_javascript

from .notes import Unsupported

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_javascript.language()))

#: A function of any form.
FUNCTIONS = frozenset({
    "function_declaration", "function_expression", "arrow_function", "method_definition",
    "generator_function", "generator_function_declaration",
})

CLASSES = frozenset({"class", "class_declaration"})

LOOPS = frozenset({"for_statement", "for_in_statement", "while_statement", "do_statement"})

_CLOSERS = {"(": ")", "[": "]", "{": "}"}

#: Deeper than this, the recursive passes would exhaust Python's stack. What is deeper is one node
#: without children, that no rule knows.
MAX_DEPTH = 120
_TOO_DEEP = "so deep a nesting"


class Node:
    """A named node of the tree.

    :ivar kind: tree-sitter's name.
    :ivar kids: the named children without comments.
    :ivar fields: the children by field name; the last one, if there are several.
    :ivar tokens: the anonymous children: operators and keywords.
    :ivar comments: comments among the children of something that is no list of statements.
    :ivar breaks: where the lines of the source end.
    :ivar broken: True if something in it is no JavaScript.
    :ivar torn: True if it is itself no JavaScript.
    :ivar type: the mask of what the expression may be; see types.
    :ivar is_constant: True if the inference has seen it, and will never learn more of it.
    """

    __slots__ = (
        "kind", "kids", "fields", "tokens", "comments", "start", "end", "breaks", "source",
        "parent", "binding", "scope", "type", "info", "broken", "torn", "is_constant", "_text",
        "_all", "_by_kind",
    )

    def __init__(
        self, kind: str, start: int, end: int, breaks: List[int], data: bytes,
        parent: Optional[Node],
    ) -> None:
        self.kind = kind
        self.kids = self.comments = _NO_NODES
        self.fields = _NO_FIELDS
        self.tokens = _NO_TOKENS
        self.start = start
        self.end = end
        self.breaks = breaks
        self.source = data
        self.parent = parent
        self.binding: Any = None
        self.scope: Any = None
        self.type = 0
        self.info: Any = None
        self.broken = self.torn = self.is_constant = False
        self._text: Optional[str] = None
        self._all: Optional[List[Node]] = None
        self._by_kind: Optional[Dict[str, List[Node]]] = None

    def __getitem__(self, name: str) -> Node:
        return self.fields[name]

    def get(self, name: str) -> Optional[Node]:
        """Return the child of a field, or None."""
        return self.fields.get(name)

    @property
    def line(self) -> int:
        """The line on which it begins, 1 for the first one of the source."""
        return bisect_left(self.breaks, self.start) + 1

    @property
    def end_line(self) -> int:
        """The line on which it ends."""
        return bisect_left(self.breaks, self.end) + 1

    @property
    def text(self) -> str:
        """The node's source."""
        if self._text is None:
            self._text = self.source[self.start:self.end].decode("utf-8", "replace")
        return self._text

    @property
    def operator(self) -> str:
        """The operator of an expression."""
        return self.fields["operator"].kind if "operator" in self.fields else self.tokens[0]

    @property
    def is_free(self) -> bool:
        """True for a name that the source does not define."""
        return self.binding is not None and bool(self.binding.kind == "free")

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it, outermost first."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            if node.kids:
                stack.extend(node.kids[::-1])

    def of_kind(self, *kinds: str) -> Iterator[Node]:
        """Yield what all returns of these kinds; of each kind, in the order of the source."""
        if self._by_kind is None:
            self._by_kind = defaultdict(list)
            for node in self.all():
                self._by_kind[node.kind].append(node)
        for kind in kinds:
            yield from self._by_kind.get(kind, ())

    def all(self) -> List[Node]:
        """Return what walk yields; the list is kept."""
        if self._all is None:
            found, stack = [], [self]
            while stack:
                node = stack.pop()
                found.append(node)
                if node.kids:
                    stack.extend(node.kids[::-1])
            self._all = found
        return self._all

    def replace(self, kid: Node, other: Node) -> None:
        """Put another node into the place of a child."""
        other.parent = self
        self.kids[self.kids.index(kid)] = other
        for name, field in self.fields.items():
            if field is kid:
                self.fields[name] = other

    def mentions(self, word: bytes) -> bool:
        """True if a word stands anywhere in its source, even in a text."""
        return self.source.find(word, self.start, self.end) >= 0

    def forget(self) -> None:
        """Let go of what refers to this node."""
        self.parent = self.binding = self.scope = self.info = self._all = self._by_kind = None

    def inside(self, kinds: Any) -> Optional[Node]:
        """Return the nearest node around this one that is of one of the kinds."""
        node = self.parent
        while node is not None and node.kind not in kinds:
            node = node.parent
        return node


#: Shared by all leaves, and never changed. Their own empty containers would keep Python's
#: collector of garbage busy for longer than the translation takes.
_NO_NODES: List[Node] = []
_NO_FIELDS: Dict[str, Node] = {}
_NO_TOKENS: List[str] = []


def _with(nodes: List[Node], node: Node) -> List[Node]:
    """Add a node to a list that may be the shared one."""
    if nodes is _NO_NODES:
        return [node]
    nodes.append(node)
    return nodes


def parse(source: str) -> Tuple[Node, bool]:
    """Return the program, and True if brackets had to be added at its end."""
    data = source.encode("utf-8", "replace")
    tree = _PARSER.parse(data)
    if tree.root_node.has_error:
        closing = _missing_closers(tree.root_node, data)
        if closing:
            longer = data + closing
            repaired = _PARSER.parse(longer)
            if not repaired.root_node.has_error:
                return _convert(repaired.root_node, longer), True
    return _convert(tree.root_node, data), False


def closing_of(source: str) -> str:
    """Return the brackets that a script lacks at its end."""
    tree = _PARSER.parse(source.encode("utf-8", "replace"))
    if not tree.root_node.has_error:
        return ""
    return _missing_closers(tree.root_node, b"").decode().strip()


def _missing_closers(root: Any, data: bytes) -> bytes:
    """Return the brackets that a source which was cut lacks at its end."""
    open_brackets: List[str] = []
    stack = [root]
    while stack:
        node = stack.pop()
        if node.child_count:
            stack.extend(reversed(node.children))
        elif node.is_missing:
            continue
        elif node.type in _CLOSERS:
            open_brackets.append(_CLOSERS[node.type])
        elif node.type == "${":
            open_brackets.append("}")
        elif open_brackets and node.type == open_brackets[-1]:
            open_brackets.pop()
    if not open_brackets:
        return b""
    closing = "\n" + "".join(reversed(open_brackets))
    return closing.encode()


def _convert(root: Any, data: bytes) -> Node:
    breaks = [found.start() for found in re.finditer(b"\n", data)]
    top = Node(root.type, root.start_byte, root.end_byte, breaks, data, None)
    cursor = root.walk()
    top.kids, top.fields, top.tokens = [], {}, []
    if cursor.goto_first_child():
        _unwrap(_read(cursor, top, root.has_error))
    return top


def _read(cursor: Any, parent: Node, may_be_broken: bool) -> List[Node]:
    """Read what is below a node, and return the parentheses.

    It is one loop: a call for each node would take longer than all of tree-sitter.
    """
    enter, follow, known = cursor.goto_first_child, cursor.goto_next_sibling, _KINDS.get
    breaks, data = parent.breaks, parent.source
    path = [parent]
    in_parentheses: List[Node] = []
    inside = True
    while inside:
        found = cursor.node
        kind, is_named = known(found.kind_id) or _kind_of(found)
        if may_be_broken and (kind == "ERROR" or found.is_missing):
            _mark_broken(path)
        if is_named:
            node = Node(kind, found.start_byte, found.end_byte, breaks, data, parent)
            if kind in _SPECIAL:
                _attach_special(node, parent, in_parentheses)
            else:
                parent.kids.append(node)
            if cursor.field_id is not None and node not in parent.comments:
                parent.fields[_field_of(cursor)] = node
            if len(path) == MAX_DEPTH:
                node.kind = _TOO_DEEP
            elif enter():
                node.kids, node.fields, node.tokens = [], {}, []
                parent = node
                path.append(node)
                continue
        else:
            parent.tokens.append(kind)
            if cursor.field_id is not None or kind == ",":
                _check_token(path, kind, found, cursor)
        inside = follow() or _leave(cursor, path)
        parent = path[-1]
    return in_parentheses


#: Kinds that are attached otherwise than by being a child.
_SPECIAL = frozenset({"comment", "ERROR", "parenthesized_expression"})


def _attach_special(node: Node, parent: Node, in_parentheses: List[Node]) -> None:
    if node.kind == "comment" and parent.kind not in LISTS:
        parent.comments = _with(parent.comments, node)
        return
    if node.kind == "ERROR":
        node.broken = node.torn = True
    elif node.kind == "parenthesized_expression":
        in_parentheses.append(node)
    parent.kids.append(node)


#: By tree-sitter's number of a kind: its name, and True if it is no token. All nodes share the
#: names, because a new one for each would have to be hashed at each look into a table.
_KINDS: Dict[int, Tuple[str, bool]] = {}

_FIELDS: Dict[int, str] = {}


def _kind_of(found: Any) -> Tuple[str, bool]:
    _KINDS[found.kind_id] = sys.intern(found.type), found.is_named
    return _KINDS[found.kind_id]


def _field_of(cursor: Any) -> str:
    number = cursor.field_id
    return _FIELDS.get(number) or _FIELDS.setdefault(number, sys.intern(cursor.field_name))


def _leave(cursor: Any, path: List[Node]) -> bool:
    """Go to what follows a node that is complete; False at the end."""
    while len(path) > 1 and cursor.goto_parent():
        path.pop()
        if cursor.goto_next_sibling():
            return True
    return False


def broken() -> Unsupported:
    """Return the exception for what is no JavaScript."""
    return Unsupported("this is not JavaScript", "Correct the syntax error")


def check_whole(*nodes: Optional[Node]) -> None:
    """Refuse nodes with a syntax error of their own.

    :raises Unsupported: one has such an error.
    """
    for node in nodes:
        if node is not None and node.torn:
            raise broken()


def check_own(statement: Node, statements: Collection[str]) -> None:
    """Refuse a statement with an error in it that is in no statement within.

    :param statements: the kinds of statements.
    :raises Unsupported: it has such an error.
    """
    stack = [statement]
    while stack:
        node = stack.pop()
        check_whole(node)
        if node.broken:
            stack.extend(
                kid for kid in node.kids if kid.kind not in statements and kid.kind not in LISTS
            )


def _mark_broken(path: List[Node]) -> None:
    for node in path[1:]:
        node.broken = True
    path[-1].torn = path[-1].kind not in LISTS


#: Nodes that hold statements or members, each of which has its own errors.
LISTS = frozenset({"program", "statement_block", "class_body", "switch_case", "switch_default"})


def _check_token(path: List[Node], kind: str, found: Any, cursor: Any) -> None:
    parent = path[-1]
    # The semicolon of a `for` has the field of the condition before it.
    if cursor.field_id is not None and _field_of(cursor) not in parent.fields:
        parent.fields[_field_of(cursor)] = Node(
            kind, found.start_byte, found.end_byte, parent.breaks, parent.source, None
        )
    # The grammar accepts f(1,, 2).
    if kind == "," and parent.kind == "arguments" and (
        parent.tokens.count(",") > len(parent.kids)
    ):
        _mark_broken(path)


def _unwrap(nodes: List[Node]) -> None:
    """Replace each expression in parentheses by the expression.

    :param nodes: the parentheses, outermost first.
    """
    for node in nodes:
        parent = node.parent
        if parent is None or len(node.kids) != 1:
            continue
        [inner] = node.kids
        inner.broken = inner.broken or node.broken
        parent.torn = parent.torn or node.torn
        parent.comments = parent.comments + node.comments
        parent.replace(node, inner)
