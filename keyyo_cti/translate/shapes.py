"""Which functions and object literals of a program are classes in Python."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

from .scopes import Analysis, Binding
from .syntax import FUNCTIONS, Node


class Shape:
    """A class that JavaScript writes as a function, or as an object with methods.

    :ivar binding: the variable that holds it.
    :ivar function: the constructor function, or None for an object literal.
    :ivar literal: the object literal, or None.
    :ivar methods: name -> function, from the prototype.
    :ivar statements: the statements that set them, which the class replaces.
    """

    def __init__(
        self, binding: Binding, function: Optional[Node], literal: Optional[Node]
    ) -> None:
        self.binding = binding
        self.function = function
        self.literal = literal
        self.methods: Dict[str, Node] = {}
        self.statics: Dict[str, Node] = {}
        self.statements: List[Node] = []


class Shapes:
    """Finds the classes of a program.

    :ivar constructors: id of the function -> shape.
    :ivar records: id of the object literal -> shape.
    :ivar replaced: ids of the statements that the classes replace.
    :ivar takes_this: ids of the functions whose ``this`` each call gives, by ``f.call(object)``.
    """

    def __init__(self, program: Node, analysis: Analysis) -> None:
        self.constructors: Dict[int, Shape] = {}
        self.records: Dict[int, Shape] = {}
        self.replaced: Dict[int, Shape] = {}
        self._by_binding: Dict[Binding, Shape] = {}
        for node in program.of_kind("new_expression"):
            self._constructor(node["constructor"])
        if program.mentions(b"prototype"):
            for node in program.of_kind("member_expression"):
                if node["property"].text == "prototype":
                    self._constructor(node["object"])
        for node in program.of_kind("variable_declarator"):
            self._record(node)
        for node in program.of_kind("expression_statement"):
            self._prototype(node, node.kids[0])
        self.takes_this = {
            id(function) for function in map(_called_with_this, analysis.bindings)
            if function is not None and id(function) not in self.constructors
        }

    def _constructor(self, name: Node) -> None:
        binding = name.binding
        if binding is None or len(binding.writes) != 1 or binding in self._by_binding:
            return
        function = _defined(binding)
        if function is None:
            return
        if function.kind in ("function_declaration", "function_expression"):
            shape = Shape(binding, function, None)
            self.constructors[id(function)] = shape
            self._by_binding[binding] = shape

    def _record(self, node: Node) -> None:
        value = node.get("value")
        binding = node["name"].binding
        if value is None or value.kind != "object" or binding is None:
            return
        if len(binding.writes) != 1:
            return
        functions = [function for _, function in functions_of(value)]
        plain = all(each.kind in ("pair", "method_definition", "shorthand_property_identifier")
                    and (each.kind != "pair" or each["key"].kind != "computed_property_name")
                    for each in value.kids)
        if plain and any(
            uses_this(function) or {"get", "set"} & set(function.tokens) for function in functions
        ):
            self.records[id(value)] = Shape(binding, None, value)

    def _prototype(self, statement: Node, node: Node) -> None:
        if node.kind != "assignment_expression":
            return
        left, right = node["left"], node["right"]
        if left.kind != "member_expression":
            return
        owner, name = left["object"], left["property"].text
        if owner.kind == "member_expression" and owner["property"].text == "prototype":
            shape = self._by_binding.get(owner["object"].binding)
            if shape is not None and right.kind in FUNCTIONS and right.kind != "arrow_function":
                self._replace(statement, shape, {name: right})
        elif name == "prototype" and right.kind == "object":
            shape = self._by_binding.get(owner.binding)
            functions = functions_of(right)
            if shape is not None and len(functions) == len(right.kids):
                self._replace(statement, shape, dict(functions))

    def _replace(self, statement: Node, shape: Shape, methods: Dict[str, Node]) -> None:
        home = shape.function.inside(("program", "statement_block")) if shape.function else None
        if statement.parent is not home:
            return
        shape.methods.update(methods)
        shape.statements.append(statement)
        self.replaced[id(statement)] = shape


def _defined(binding: Binding) -> Optional[Node]:
    """Return the function that a variable holds for ever, or None."""
    node = binding.writes[0].parent
    assert node is not None
    if node.kind == "function_declaration":
        return node
    if node.kind == "variable_declarator" and node.get("value") is not None:
        return node["value"]
    return None


def _called_with_this(binding: Binding) -> Optional[Node]:
    """Return the function of a variable that is only used by ``call``, ``apply`` and ``bind``."""
    if len(binding.writes) != 1 or not binding.reads:
        return None
    function = _defined(binding)
    if function is None or function.kind not in ("function_declaration", "function_expression"):
        return None
    return function if all(map(_is_applied, binding.reads)) and uses_this(function) else None


def _is_applied(name: Node) -> bool:
    member = name.parent
    call = member.parent if member is not None else None
    return member is not None and call is not None and member.kind == "member_expression" and (
        member["object"] is name and member["property"].text in ("call", "apply", "bind")
        and call.kind == "call_expression" and call["function"] is member
    )


def functions_of(literal: Node) -> List[Tuple[str, Node]]:
    """Return the functions among the properties of an object literal."""
    found = []
    for each in literal.kids:
        if each.kind == "method_definition" and each["name"].kind == "property_identifier":
            found.append((each["name"].text, each))
        elif each.kind == "pair" and each["value"].kind in FUNCTIONS:
            found.append((each["key"].text.strip("\"'"), each["value"]))
    return found


def uses_this(function: Node) -> bool:
    """True if ``this`` stands in a function itself, or in arrow functions of it."""
    return _has_own(function, "this")


def uses_arguments(function: Node) -> bool:
    """True if ``arguments`` stands in a function itself, or in arrow functions of it."""
    return _has_own(function, "arguments")


def _has_own(function: Node, word: str) -> bool:
    if function.kind == "arrow_function" or not function.mentions(word.encode()):
        return False
    stack = list(function.kids)
    while stack:
        node = stack.pop()
        if node.kind in ("this", "identifier") and node.text == word:
            return True
        if node.kind not in FUNCTIONS or node.kind == "arrow_function":
            stack.extend(node.kids)
    return False
