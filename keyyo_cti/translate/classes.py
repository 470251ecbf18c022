"""Classes: those of JavaScript, constructor functions, and objects with methods."""

from __future__ import annotations

import re
from typing import Callable, Dict, List, Optional, Set

from .arguments import iterable
from .builtins import ERRORS
from .error_classes import error_class
from .frames import Function
from .functions import outside_lines, write_definition
from .layout import Line, comment_line, comment_text
from .notes import Unsupported
from .pieces import Piece, atom, call, join
from .shapes import Shape, functions_of
from .static_fields import later_fields, static_field, write_later
from .syntax import FUNCTIONS, Node
from .translator import EXPRESSIONS, STATEMENTS, Translator
from .tree import property_name
from .types import Thing


def _class_declaration(t: Translator, node: Node) -> None:
    write_class(t, node, t.written(node["name"].binding))


def write_class(t: Translator, node: Node, name: str) -> None:
    """Write a class of JavaScript."""
    heritage = next((kid for kid in node.kids if kid.kind == "class_heritage"), None)
    head = f"class {name}"
    if heritage is not None:
        base = heritage.kids[0]
        is_error = base.kind == "identifier" and base.is_free and base.text in ERRORS
        head += f"({error_class(t, base.text)})" if is_error else f"({t.expr(base)})"
    thing = t.world.make("class", node)
    own = node.get("name")
    if own is not None and own.binding is not None:
        own.binding.python = name
    t.block(head, t.collect(lambda: _members(t, node, thing)), is_definition=True)
    write_later(t, node, name)


def _members(t: Translator, node: Node, thing: Thing) -> None:
    members = node["body"].kids
    fields = [
        each for each in members
        if each.kind == "field_definition" and "static" not in each.tokens
        and not _is_method_field(each)
    ]
    constructor = next((
        each for each in members
        if each.kind == "method_definition" and each["name"].text == "constructor"
    ), None)
    assert thing.instance is not None
    missing = _uninitialised(t, thing.instance, thing)
    later = {id(each) for each in later_fields(node)}
    for each in members:
        if each.kind == "field_definition" and "static" in each.tokens:
            static_field(t, each, id(each) in later)
    if constructor is not None or fields or missing:
        _write_init(t, node, constructor, fields, missing)
    previous: Optional[Node] = None
    for each in members:
        if each.kind == "comment":
            _comment(t, each, previous)
        elif each.kind == "method_definition" and each is not constructor:
            _whole_or_refused(t, each)
        elif _is_method_field(each):
            write_definition(t, each["value"], t.names.attribute(each["property"].text), "self")
        elif each.kind not in ("field_definition", "method_definition", ";"):
            raise Unsupported(f"{each.kind.replace('_', ' ')} is not supported")
        previous = each


def _whole_or_refused(t: Translator, node: Node) -> None:
    """Write a method, or one in its place that raises: the rest of the class stays."""
    written, state = len(t.out), t.mark()
    try:
        _method(t, node)
    except Unsupported as found:
        error, name = found, node["name"]
        is_accessor = bool({"get", "set"} & set(node.tokens))
        if name.kind == "computed_property_name" or node.broken or is_accessor:
            raise
        del t.out[written:]
        t.reset(state)
        body = t.collect(lambda: t.unsupported(node, error))
        t.block(
            f"def {_method_name(t, name.text)}(self, *arguments)", body, is_definition=True
        )


def _is_method_field(node: Node) -> bool:
    """True for a field such as ``ring = () => { ... }``, which is a method that is bound."""
    return node.kind == "field_definition" and "static" not in node.tokens and (
        node.get("value") is not None and node["value"].kind in FUNCTIONS
    )


def _comment(t: Translator, node: Node, previous: Optional[Node]) -> None:
    for text in comment_text(node.text):
        t.out.append(comment_line(text))


def _method(t: Translator, node: Node) -> None:
    if node["name"].text == "[Symbol.iterator]":
        _iterator(t, node)
        return
    if node["name"].kind == "computed_property_name":
        raise Unsupported("a method whose name is computed")
    name = _method_name(t, node["name"].text)
    if "static" in node.tokens:
        if "set" in node.tokens:
            raise Unsupported("a setter of a class", "Write a method")
        line = write_definition(t, node, name, "cls")
        if "get" in node.tokens:
            t.helpers.add("js_static")
        line.decorators.insert(0, "js_static" if "get" in node.tokens else "classmethod")
        return
    _member(t, node, name)


def _iterator(t: Translator, node: Node) -> None:
    """Write ``*[Symbol.iterator]() { ... }`` that yields, or that returns another's iterator."""
    statements = node["body"].kids
    last = statements[-1].text if statements else ""
    found = re.fullmatch(r"(?:yield\s*\*\s*|return\s+)(.+?)(\[Symbol\.iterator\]\(\))?;?", last)
    if len(statements) != 1 or found is None or (last[0] == "r") != bool(found[2]):
        raise Unsupported("such an iterator is not supported")
    value = statements[0].kids[0]
    value = value["function"]["object"] if last[0] == "r" else value.kids[0]
    if any(each.kind in FUNCTIONS for each in value.walk()):
        raise Unsupported("such an iterator is not supported")
    for inner in value.walk():
        if inner.kind == "this":
            t.replaced[id(inner)] = atom("self")
    line = Line(join("return ", call("iter", iterable(t, value))))
    t.block("def __iter__(self)", [line], is_definition=True)


def _member(t: Translator, node: Node, name: str) -> None:
    """Write a method, a getter or a setter."""
    line = write_definition(t, node, name, "self")
    if "get" in node.tokens:
        line.decorators.append("property")
    elif "set" in node.tokens:
        line.decorators.append(f"{name}.setter")
        if not _has_getter(node):
            raise Unsupported("a setter without a getter", "Write a method")


def _method_name(t: Translator, name: str) -> str:
    if name == "valueOf":
        raise Unsupported("valueOf, which JavaScript calls by itself", "Call a method instead")
    return "__str__" if name == "toString" else t.names.attribute(name)


def _has_getter(setter: Node) -> bool:
    """True if a getter of the same name stands before a setter, as Python needs it."""
    assert setter.parent is not None
    return any(
        each.kind == "method_definition" and "get" in each.tokens and each.start < setter.start
        and each["name"].text == setter["name"].text
        for each in setter.parent.kids
    )


def _uninitialised(t: Translator, instance: Thing, thing: Thing) -> List[str]:
    """Return the attributes that are set somewhere, and read maybe before."""
    inherited: Set[str] = set()
    walked = instance.base
    while walked is not None:
        inherited |= set(walked.fields)
        walked = walked.base
    return [
        name for name in instance.fields
        if name not in instance.certain and name not in inherited
    ]


def _write_init(
    t: Translator, node: Node, constructor: Optional[Node], fields: List[Node],
    missing: List[str],
) -> None:
    has_base = any(kid.kind == "class_heritage" for kid in node.kids)

    def first() -> None:
        for name in missing:
            t.write(f"self.{t.names.attribute(name)} = None")
        for each in fields:
            value = each.get("value")
            name = t.names.attribute(each["property"].text)
            t.write(join(f"self.{name} = ", t.expr(value) if value is not None else atom("None")))

    if constructor is not None:
        _check_returns(constructor)
        line = write_definition(t, constructor, "__init__", "self")
        if missing or fields:
            assert line.body is not None
            _in_method(t, line.body, constructor, first, has_base)
        return
    body: List[Line] = []
    head = "def __init__(self)"
    if has_base:
        head = "def __init__(self, *arguments)"
        body.append(Line("super().__init__(*arguments)"))
    body += _as_method(t, node, first)
    t.block(head, body, is_definition=True)


def _as_method(t: Translator, node: Node, write: Callable[[], None]) -> List[Line]:
    function = Function(node, t.function)
    function.self_name, function.this = "self", atom("self")
    function.this_owner = None
    before, t.function = t.function, function
    try:
        lines = t.collect(_with_this(t, function, node, write))
        return outside_lines(function) + lines
    finally:
        t.function = before


def _with_this(
    t: Translator, function: Function, node: Node, write: Callable[[], None]
) -> Callable[[], None]:
    def run() -> None:
        for each in node["body"].kids:
            if each.kind == "field_definition":
                for inner in each.walk():
                    if inner.kind == "this":
                        t.replaced[id(inner)] = atom("self")
        write()
    return run


def _in_method(
    t: Translator, body: List[Line], constructor: Node, first: Callable[[], None], has_base: bool
) -> None:
    class_node = constructor.inside(("class", "class_declaration"))
    lines = _as_method(t, class_node, first) if class_node is not None else t.collect(
        first
    )
    place = 0
    for index, line in enumerate(body):
        if line.text.startswith(("global ", "nonlocal ")):
            place = index + 1
        if has_base and line.text.startswith("super().__init__("):
            place = index + 1
    declared = [line for line in lines if line.text.startswith(("global ", "nonlocal "))]
    body[place:place] = lines[len(declared):]
    # One declaration of each: a second one would come after the first use.
    present = {line.text for line in body[:place]}
    body[0:0] = [line for line in declared if line.text not in present]


# Constructor functions.

def write_shape(t: Translator, shape: Shape) -> None:
    """Write a constructor function with its prototype as a class."""
    function = shape.function
    assert function is not None
    name = t.written(shape.binding)
    _check_returns(function)
    thing = t.world.make("class", function)

    def members() -> None:
        line = write_definition(t, function, "__init__", "self")
        assert line.body is not None
        if thing.instance is not None:
            missing = _uninitialised(t, thing.instance, thing)
            place = sum(each.text.startswith(("global ", "nonlocal ")) for each in line.body)
            line.body[place:place] = [
                Line(f"self.{t.names.attribute(each)} = None") for each in missing
            ]
        for statement in shape.statements:
            _prototype_comments(t, statement)
            for method_name, method in _of_statement(shape, statement).items():
                write_definition(t, method, _method_name(t, method_name), "self")

    t.block(f"class {name}", t.collect(members), is_definition=True)


def _check_returns(function: Node) -> None:
    if any(each.kind == "return_statement" and each.kids for each in _own(function)):
        raise Unsupported("a constructor that returns something")


def _own(function: Node) -> List[Node]:
    """Return the nodes of a function that are in no function within."""
    found, stack = [], list(function.kids)
    while stack:
        node = stack.pop()
        found.append(node)
        if node.kind not in FUNCTIONS:
            stack.extend(node.kids)
    return found


def _of_statement(shape: Shape, statement: Node) -> Dict[str, Node]:
    return {
        name: method for name, method in shape.methods.items()
        if statement.start <= method.start < statement.end
    }


def _prototype_comments(t: Translator, statement: Node) -> None:
    """Write the comments right above a statement that sets a method."""
    parent = statement.parent
    assert parent is not None
    index = next(place for place, kid in enumerate(parent.kids) if kid is statement)
    first = index
    while first > 0 and parent.kids[first - 1].kind == "comment" and (
        parent.kids[first].line - parent.kids[first - 1].end_line == 1
    ):
        first -= 1
    for each in parent.kids[first:index]:
        _comment(t, each, None)


# Objects with methods.

def write_literal(t: Translator, shape: Shape) -> None:
    """Write an object with methods as a class, and make its only instance."""
    literal = shape.literal
    assert literal is not None
    name = t.written(shape.binding)
    thing = t.world.make("record", literal)
    title = "".join(word[:1].upper() + word[1:] for word in name.split("_")) or "Object"
    class_name = t.names.fresh(title if title != name else f"{title}Class")
    functions = dict(functions_of(literal))

    def members() -> None:
        def first() -> None:
            for kid in literal.kids:
                _data(t, kid, functions)
            for each in sorted(set(thing.fields) - thing.certain):
                t.write(f"self.{t.names.attribute(each)} = None")
        body = t.collect(first)
        if body:
            t.block("def __init__(self)", body, is_definition=True)
        for kid in literal.kids:
            _literal_method(t, kid, functions)

    t.block(f"class {class_name}", t.collect(members), is_definition=True)
    t.write(join(f"{name} = ", call(class_name)))


def _data(t: Translator, kid: Node, functions: Dict[str, Node]) -> None:
    name = property_name(kid)
    assert name is not None
    if name in functions:
        return
    value = t.expr(kid["value"]) if kid.kind == "pair" else EXPRESSIONS["identifier"](t, kid)
    t.write(join(f"self.{t.names.attribute(name)} = ", value))


def _literal_method(t: Translator, kid: Node, functions: Dict[str, Node]) -> None:
    for comment in kid.comments:
        _comment(t, comment, None)
    name = property_name(kid)
    if name in functions and name is not None:
        # A getter and its setter have one name.
        function = kid if kid.kind == "method_definition" else functions[name]
        _member(t, function, _method_name(t, name))


def _class_expression(t: Translator, node: Node) -> Piece:
    name = t.names.fresh("Inner")
    write_class(t, node, name)
    return atom(name)


EXPRESSIONS["class"] = _class_expression
STATEMENTS["class_declaration"] = _class_declaration
