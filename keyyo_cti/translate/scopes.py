"""Which variable each name of a program means: JavaScript's scopes, hoisting and closures."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from .awaiting import repair_await
from .syntax import CLASSES, FUNCTIONS, LOOPS, Node

_PATTERNS = frozenset({
    "object_pattern", "array_pattern", "assignment_pattern", "object_assignment_pattern",
    "pair_pattern", "rest_pattern",
})


class Binding:
    """A variable, function, class or parameter of the program, or a name that it does not define.

    :ivar kind: ``var``, ``let``, ``const``, ``param``, ``function``, ``class``, ``catch``,
        ``import``, ``implicit`` (set without a declaration) or ``free`` (defined nowhere).
    :ivar owner: the function whose variable it is; None for the module.
    :ivar loop: the loop in whose body it is made again in each round, or None.
    :ivar writes: the identifiers that set it, its declaration with a value included.
    :ivar reads: the other identifiers.
    :ivar is_read_unset: what ``unset.is_read_unset`` has found, or None.
    """

    def __init__(self, name: str, kind: str, scope: "Scope", node: Optional[Node]) -> None:
        self.name = name
        self.kind = kind
        self.scope = scope
        self.node = node
        self.owner = scope.function
        self.writes: List[Node] = []
        self.reads: List[Node] = []
        self.type = 0
        self.python = ""
        self.is_this = False
        self.is_bound = False
        self.is_read_unset: Optional[bool] = None
        self.info: Dict[str, Any] = {}

    @property
    def is_module(self) -> bool:
        """True if it is a variable of the module, or undefined."""
        return self.owner is None

    @property
    def loop(self) -> Optional[Node]:
        """The innermost loop of the function whose rounds each have a variable of their own."""
        if self.kind in ("let", "const", "class", "catch") or self.scope.node.kind in LOOPS:
            node: Optional[Node] = self.scope.node
            while node is not None and node.kind not in FUNCTIONS:
                if node.kind in LOOPS:
                    return node
                node = node.parent
        return None

    def captures(self) -> Iterator[Node]:
        """Yield the identifiers in functions within the owner."""
        for node in self.reads + self.writes:
            if node.scope.function is not self.owner:
                yield node


class Scope:
    """A function, block or module with the variables that are declared in it."""

    def __init__(self, node: Node, parent: Optional["Scope"], function: Optional[Node]) -> None:
        self.node = node
        self.parent = parent
        self.function = function
        self.bindings: Dict[str, Binding] = {}

    def declare(self, name: str, kind: str, node: Optional[Node]) -> Binding:
        """Return the binding, a new one if there was none."""
        if name not in self.bindings:
            self.bindings[name] = Binding(name, kind, self, node)
        return self.bindings[name]

    def find(self, name: str) -> Optional[Binding]:
        """Return the binding that the name means here, or None."""
        scope: Optional[Scope] = self
        while scope is not None:
            if name in scope.bindings:
                return scope.bindings[name]
            scope = scope.parent
        return None

    @property
    def hoisting(self) -> "Scope":
        """The scope of a ``var`` that is declared here."""
        scope = self
        while scope.parent is not None and scope.node.kind not in FUNCTIONS:
            scope = scope.parent
        return scope


class Analysis:
    """The scopes of a program.

    :ivar module: the outermost scope, which also holds the free names.
    :ivar bindings: all of them.
    """

    def __init__(self, program: Node) -> None:
        self.module = Scope(program, None, None)
        self._names: List[Tuple[Node, Scope, str]] = []
        self._visit_all(program.kids, self.module)
        for node, scope, role in self._names:
            self._resolve(node, scope, role)
        self.bindings: List[Binding] = []
        seen = {self.module: None}
        for node, scope, _ in self._names:
            walked: Optional[Scope] = scope
            while walked is not None and walked not in seen:
                seen[walked] = None
                walked = walked.parent
        for each in seen:
            self.bindings.extend(each.bindings.values())

    def _resolve(self, node: Node, scope: Scope, role: str) -> None:
        name = node.text
        binding = scope.find(name)
        if binding is None:
            binding = self.module.declare(name, "free", None)
        if name in _RESERVED or (name == "await" and binding.kind == "free"):
            node.broken = name != "await" or not repair_await(node)
        if binding.kind == "free" and role == "write":
            binding.kind, binding.node = "implicit", node
        node.binding = binding
        node.scope = scope
        if role != "declare":
            (binding.writes if role == "write" else binding.reads).append(node)
        if role == "both":
            binding.writes.append(node)
            if binding.kind == "free":
                binding.kind, binding.node = "implicit", node

    def _visit_all(self, nodes: Sequence[Node], scope: Scope) -> None:
        for node in nodes:
            node.scope = scope
            visit = _VISITS.get(node.kind)
            if visit is not None:
                visit(self, node, scope)
            elif node.kids:
                self._visit_all(node.kids, scope)

    def _visit(self, node: Node, scope: Scope) -> None:
        self._visit_all((node,), scope)

    def _name(self, node: Node, scope: Scope) -> None:
        self._names.append((node, scope, "read"))

    def _block(self, node: Node, scope: Scope) -> None:
        inner = Scope(node, scope, scope.function)
        node.scope = inner
        self._visit_all(node.kids, inner)

    def _function(self, node: Node, scope: Scope) -> None:
        name = node.get("name")
        inner = Scope(node, scope, node)
        if name is not None and node.kind in (
            "function_declaration", "generator_function_declaration"
        ):
            if scope is scope.hoisting:
                _check_repeated(scope, name, "function")
            scope.hoisting.declare(name.text, "function", node)
            self._names.append((name, scope, "write"))
        elif name is not None and node.kind in ("function_expression", "generator_function"):
            inner.declare(name.text, "function", node)
            self._names.append((name, inner, "write"))
        elif name is not None and name.kind == "computed_property_name":
            self._visit(name, scope)
        node.scope = inner
        single = node.get("parameter")
        parameters = node.get("parameters")
        if single is not None:
            self._pattern(single, inner, "param")
        elif parameters is not None:
            parameters.scope = inner
            for each in parameters.kids:
                self._pattern(each, inner, "param")
        body = node.get("body")
        if body is not None and body.kind == "statement_block":
            body.scope = inner
            self._visit_all(body.kids, inner)
        elif body is not None:
            self._visit(body, inner)

    def _class(self, node: Node, scope: Scope) -> None:
        name = node.get("name")
        if name is not None:
            is_statement = node.kind == "class_declaration"
            where = scope if is_statement else Scope(node, scope, scope.function)
            _check_repeated(where, name, "class")
            where.declare(name.text, "class", node)
            self._names.append((name, where, "write"))
            scope = where
        for kid in node.kids:
            if kid is not name:
                self._visit(kid, scope)

    def _declaration(self, node: Node, scope: Scope) -> None:
        kind = "var" if node.kind == "variable_declaration" else node.tokens[0]
        for each in node.kids:
            if each.kind != "variable_declarator":
                continue
            each.scope = scope
            value = each.get("value")
            if value is not None:
                self._visit(value, scope)
            self._pattern(each["name"], scope, kind, value is not None)

    def _for(self, node: Node, scope: Scope) -> None:
        inner = Scope(node, scope, scope.function)
        node.scope = inner
        self._visit_all(node.kids, inner)

    def _for_in(self, node: Node, scope: Scope) -> None:
        inner = Scope(node, scope, scope.function)
        node.scope = inner
        kind = next((each for each in node.tokens if each in ("var", "let", "const")), None)
        self._visit(node["right"], scope)
        self._pattern(node["left"], inner, kind)
        self._visit(node["body"], inner)

    def _catch(self, node: Node, scope: Scope) -> None:
        inner = Scope(node, scope, scope.function)
        node.scope = inner
        parameter = node.get("parameter")
        if parameter is not None:
            self._pattern(parameter, inner, "catch")
        body = node["body"]
        body.scope = inner
        self._visit_all(body.kids, inner)

    def _assignment(self, node: Node, scope: Scope) -> None:
        self._pattern(node["left"], scope, None)
        self._visit(node["right"], scope)

    def _augmented(self, node: Node, scope: Scope) -> None:
        left = node["left"] if "left" in node.fields else node["argument"]
        if left.kind == "identifier":
            self._names.append((left, scope, "both"))
        else:
            self._visit(left, scope)
        if "right" in node.fields:
            self._visit(node["right"], scope)

    def _assigned(self, node: Node, scope: Scope) -> None:
        self._pattern(node, scope, None)

    def _pattern(
        self, node: Node, scope: Scope, kind: Optional[str], writes: bool = True
    ) -> None:
        """Visit a target: of a declaration of this kind, or of an assignment for None."""
        node.scope = scope
        if node.kind in ("identifier", "shorthand_property_identifier_pattern"):
            if kind is not None:
                where = scope.hoisting if kind == "var" else scope
                _check_repeated(where, node, kind)
                found = where.declare(node.text, kind, node)
                if found.node is None:
                    found.node = node
            if writes or kind in ("let", "const"):
                self._names.append((node, scope, "write"))
            else:
                self._names.append((node, scope, "declare"))
        elif node.kind in ("assignment_pattern", "object_assignment_pattern"):
            self._pattern(node["left"], scope, kind)
            self._visit(node["right"], scope)
        elif node.kind == "pair_pattern":
            if node["key"].kind == "computed_property_name":
                self._visit(node["key"], scope)
            self._pattern(node["value"], scope, kind)
        elif node.kind in _PATTERNS:
            for kid in node.kids:
                self._pattern(kid, scope, kind)
        else:
            self._visit(node, scope)

    def _import(self, node: Node, scope: Scope) -> None:
        source = node.get("source")
        is_keyyos = source is not None and "keyyo" in source.text.lower()
        for each in node.walk():
            if each.kind == "identifier" and not (is_keyyos and each.text == "Keyyo"):
                scope.declare(each.text, "import", each)
                self._names.append((each, scope, "write"))

    def _label(self, node: Node, scope: Scope) -> None:
        self._visit(node["body"], scope)


def _check_repeated(scope: Scope, node: Node, kind: str) -> None:
    """Mark a second ``let`` or ``const`` of a name in one scope, which is no JavaScript."""
    before = scope.bindings.get(node.text)
    # A function expression may have a variable of its own name.
    is_again = before is not None and before.kind not in ("free", "implicit") and (
        before.node is not scope.node and (kind in _ONCE or before.kind in _ONCE)
    )
    if is_again or node.text in _RESERVED or (node.text == "let" and kind in _ONCE):
        statement = node.inside(_DECLARATIONS)
        if statement is not None:
            statement.torn = True


#: What a scope declares only once.
_ONCE = ("let", "const", "class")

_DECLARATIONS = (
    "lexical_declaration", "variable_declaration", "function_declaration", "class_declaration",
    "generator_function_declaration",
)

#: Words that the grammar takes for names, and JavaScript does not.
_RESERVED = frozenset({
    "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "do",
    "else", "enum", "export", "extends", "false", "finally", "for", "function", "if", "import",
    "in", "instanceof", "new", "null", "return", "super", "switch", "this", "throw", "true", "try",
    "typeof", "var", "void", "while", "with",
})


_VISITS: Dict[str, Any] = {
    "statement_block": Analysis._block,
    "switch_body": Analysis._block,
    "variable_declaration": Analysis._declaration,
    "lexical_declaration": Analysis._declaration,
    "for_statement": Analysis._for,
    "for_in_statement": Analysis._for_in,
    "catch_clause": Analysis._catch,
    "assignment_expression": Analysis._assignment,
    "augmented_assignment_expression": Analysis._augmented,
    "update_expression": Analysis._augmented,
    "import_statement": Analysis._import,
    "labeled_statement": Analysis._label,
    "identifier": Analysis._name,
    "shorthand_property_identifier": Analysis._name,
    "shorthand_property_identifier_pattern": Analysis._assigned,
    **dict.fromkeys(FUNCTIONS, Analysis._function),
    **dict.fromkeys(CLASSES, Analysis._class),
    **dict.fromkeys(_PATTERNS, Analysis._assigned),
}
