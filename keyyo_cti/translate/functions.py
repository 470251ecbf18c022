"""Functions: as lambdas, or as definitions before the statement that uses them."""

from __future__ import annotations

from typing import List, Optional

from . import keyyo
from .assignments import unpack, write_default
from .effects import expression_statement
from .frames import Function
from .layout import Line
from .naming import function_name
from .notes import Unsupported
from .pieces import LAMBDA, Group, Piece, atom, join
from .scopes import Binding
from .shapes import uses_this
from .signatures import Signature, caller_name, signature_of
from .syntax import FUNCTIONS, Node, check_whole
from .translator import EXPRESSIONS, NeedsStatements, Translator
from .tree import parameters, single_expression
from .types import ANY, CALL, CTI, PAGE, UNDEF, Thing
from .unset import defaults_itself, is_always_set, is_read_unset

#: A lambda with a longer body reads worse than a definition.
_MAX_LAMBDA = 60

#: Callers that ignore what their callback returns.
_IGNORING = frozenset({
    "forEach", "setTimeout", "setInterval", "addEventListener", "on", "requestAnimationFrame",
    "click", "submit", "change", "ready", "each", "queueMicrotask", *keyyo.METHODS,
})


def _is_handler(node: Node) -> bool:
    """True if the function is set as a handler, so that its result is not used."""
    parent = node.parent
    return parent is not None and parent.kind == "assignment_expression" and (
        parent["left"].kind == "member_expression"
        and parent["left"]["property"].text.startswith("on")
    )


def _function(t: Translator, node: Node) -> Piece:
    """Return a function as an expression."""
    if "*" in node.tokens or node.kind.startswith("generator"):
        raise Unsupported("generators are not supported")
    if node.get("name") is None and "async" not in node.tokens:
        found = _lambda(t, node)
        if found is not None:
            return found
    name = node.get("name")
    python = name.binding.python if name is not None and name.binding is not None else (
        t.names.local(function_name(node), t.function.node)
    )
    write_definition(t, node, python)
    return atom(python)


def _lambda(t: Translator, node: Node) -> Optional[Piece]:
    single = single_expression(node)
    if single is None or node.broken or id(node) in t.opening:
        return None
    expression, returns = single
    if any(
        each.kind in FUNCTIONS and single_expression(each) is None for each in expression.all()
    ):
        return None
    if not returns and caller_name(node) not in _IGNORING and not _is_handler(node) and not (
        expression.kind == "call_expression" and expression.text.startswith("console.")
    ):
        return None
    if expression.kind in ("assignment_expression", "augmented_assignment_expression"):
        return None
    thing = t.world.make("function", node)
    state = t.mark()
    function = Function(node, t.function)
    function.is_lambda = True
    try:
        signature = signature_of(t, node, thing)
        if signature.prelude or signature.given or signature.rest == "arguments":
            raise NeedsStatements
        _set_this(t, node, thing, function)
        t.function, t.may_write = function, False
        body = t.expr(expression)
        head = f"lambda {signature}: " if signature.items() else "lambda: "
        if len(head) + len(str(body)) > _MAX_LAMBDA + 20 or " if " in str(body) and not returns:
            raise NeedsStatements
        found = join(head, body, precedence=LAMBDA)
    except (NeedsStatements, Unsupported):
        t.reset(state)
        return None
    t.function, t.may_write = state[0], state[1]  # type: ignore[assignment]
    return found


# Definitions.

def write_definition(
    t: Translator, node: Node, name: str, first: Optional[str] = None
) -> Line:
    """Write a function.

    :param first: the name of the first parameter of a method.
    """
    if "*" in node.tokens or node.kind.startswith("generator"):
        raise Unsupported("generators are not supported")
    check_whole(node, node.get("name"), node.get("parameters"))
    if not t.may_write:
        raise NeedsStatements
    _name_itself(node, name, first is not None)
    thing = t.world.make("function", node)
    function = Function(node, t.function)
    signature = signature_of(t, node, thing)
    if first is not None:
        signature.names.insert(0, first)
        function.self_name, function.this = first, atom(first)
        function.this_owner = node
    else:
        _set_this(t, node, thing, function)
        if id(node) in t.shapes.takes_this:
            signature.names.insert(0, "this")
        if function.this_owner is node and "event" not in signature.names and (
            str(function.this) == "event.currentTarget"
        ):
            signature.names.insert(0, "event")
    before, t.function = t.function, function
    try:
        body = t.collect(lambda: _body(t, node, thing, signature))
    finally:
        t.function = before
    body = outside_lines(function) + initial(t, node) + body
    is_async = "async" in node.tokens
    head = Piece([
        "async def " if is_async else "def ", name, Group("(", signature.items(), ")"),
    ])
    line = t.block(head, body, is_definition=True)
    if is_async:
        line.decorators.append(t.runtime("promised"))
    return line


def _name_itself(node: Node, name: str, is_method: bool) -> None:
    """Have a function expression that calls itself do so by the name that it gets."""
    own = node.get("name")
    if node.kind != "function_expression" or own is None or own.binding is None:
        return
    if own.binding.reads and own.binding.python != name:
        if is_method:
            raise Unsupported("a method that uses the name of its function")
        own.binding.python = name


def _body(t: Translator, node: Node, thing: Thing, signature: Signature) -> None:
    if id(node) in t.opening and signature.names:
        t.need("from keyyo_cti import ConnectionFailed")
        name = signature.names[0].partition("=")[0]
        leave = t.collect(lambda: _comment_and_return(t))
        t.block(f"if isinstance({name}, ConnectionFailed)", leave)
    if signature.rest == "arguments":
        t.write("arguments = list(arguments)")
    if signature.given:
        count, names = len(signature.given), ", ".join(signature.given)
        t.write(f"{names}{',' * (count == 1)} = (arguments + [None] * {count})[:{count}]")
    for each, name in signature.prelude:
        _prelude(t, each, name)
    body = node["body"]
    if body.kind == "statement_block":
        t.statements(body.kids)
    elif body.kind in ("assignment_expression", "augmented_assignment_expression",
                       "update_expression") and not thing.returns_used and _ignores(node):
        expression_statement(t, body)
    else:
        t.write(join("return ", t.expr(body)))


def _comment_and_return(t: Translator) -> None:
    t.write("return", "JavaScript only emits disconnected")


def _ignores(node: Node) -> bool:
    return caller_name(node) in _IGNORING or _is_handler(node)


def _prelude(t: Translator, node: Node, name: str) -> None:
    if node.kind == "rest_pattern":
        t.write(f"{name} = list({name})")
        return
    if node.kind == "assignment_pattern":
        default, node = node["right"], node["left"]
        given = node.binding.type if node.kind == "identifier" else node.type
        write_default(t, name, default, given)
    if node.kind in ("object_pattern", "array_pattern"):
        unpack(t, node, atom(name), t.mask(node) if node.type else ANY, node)


def outside_lines(function: Function) -> List[Line]:
    """Return the declarations of the variables around a function that it sets."""
    found = []
    for kind in ("global", "nonlocal"):
        names = sorted(name for name, each in function.outside.items() if each == kind)
        if names:
            found.append(Line(f"{kind} {', '.join(names)}"))
    return found


def _set_this(t: Translator, node: Node, thing: Thing, function: Function) -> None:
    """Decide what ``this`` is in a function that is no method."""
    if node.kind == "arrow_function" or id(node) in t.bound:
        if id(node) in t.bound and function.this is not None:
            function.this_owner = node
        return
    function.this, function.this_owner = None, None
    if id(node) in t.shapes.takes_this:
        function.this, function.this_owner = atom("this"), node
        return
    if not uses_this(node):
        return
    owner = _handled_object(t, node)
    if owner is not None:
        function.this, function.this_owner = owner, node
    elif thing.this and not thing.this & ~PAGE:
        given = parameters(node)
        if caller_name(node) == "each":
            if len(given) < 2:
                raise Unsupported("`this` of each", "Take the element as the second parameter")
            function.this, function.this_owner = atom(given[1].binding.python), node
            return
        name = given[0].binding.python if given and given[0].kind == "identifier" else "event"
        function.this, function.this_owner = atom(f"{name}.currentTarget"), node


def _handled_object(t: Translator, node: Node) -> Optional[Piece]:
    """Return the object on which a function is set as a handler."""
    parent = node.parent
    if parent is None or parent.kind != "assignment_expression":
        return None
    left = parent["left"]
    if left.kind != "member_expression" or left["object"].kind != "identifier":
        return None
    mask = t.mask(left["object"])
    return t.expr(left["object"]) if not mask & ~(CALL | CTI | PAGE | UNDEF) else None


# Closures in loops.


# Variables that need a value first.

def initial(t: Translator, function: Optional[Node]) -> List[Line]:
    """Return assignments of None for variables that may be read before they are set."""
    found = []
    for binding in t.variables_of(function):
        if binding.kind in ("var", "implicit") and _needs_value(t, binding, function):
            found.append(binding.python)
    return [Line(f"{name} = None") for name in sorted(set(found))]


def _needs_value(t: Translator, binding: Binding, function: Optional[Node]) -> bool:
    if binding.is_this or defaults_itself(binding) or is_always_set(binding):
        return False
    if not (binding.reads or binding.writes):
        return False
    if binding.kind == "implicit":
        return all(t.names.home(write.scope.function) is not function for write in binding.writes)
    if binding.owner is not function and binding.owner is not None and (
        id(binding.owner) in t.inlined
    ):
        return False
    declared = binding.node
    if declared is None:
        return False
    block = declared.inside(_BLOCKS)
    home = function["body"] if function is not None else t.program
    if block is not None and block is not home:
        return any(
            not block.start <= each.start < block.end for each in binding.reads + binding.writes
        )
    if any(each.start < declared.start for each in binding.reads):
        return is_read_unset(binding)
    return declared.parent is not None and declared.parent.get("value") is not None and (
        is_read_unset(binding)
    )


_BLOCKS = frozenset({
    "statement_block", "switch_case", "switch_default", "for_statement", "for_in_statement",
    "program", "if_statement", "while_statement", "do_statement", "else_clause",
})


EXPRESSIONS.update({
    "function_expression": _function,
    "arrow_function": _function,
    "method_definition": _function,
    "generator_function": _function,
})
