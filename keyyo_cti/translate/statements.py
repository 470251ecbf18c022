"""Statements."""

from __future__ import annotations

from typing import List, Optional

from .assignments import assign, augment, destructure, update
from .classes import write_class, write_literal, write_shape
from .effects import EFFECTS, expression_statement
from .exceptions import thrown, write_try
from .frames import Loop
from .functions import write_definition
from .jumps import inner_loops
from .literals import quote
from .narrowing import facts
from .notes import Unsupported
from .pieces import atom, join, method
from .scopes import Binding
from .special import special_assignment
from .syntax import FUNCTIONS, Node, check_whole
from .targets import target_of
from .translator import STATEMENTS, Translator
from .truth import condition, is_pure
from .types import ANY, BOOL, CALL, NONE, NUMBER, PRIMITIVE, STR, WHOLE
from .unset import defaults_itself, is_always_set


def _expression_statement(t: Translator, node: Node) -> None:
    expression_statement(t, node.kids[0])


def _assign(t: Translator, node: Node) -> None:
    if not special_assignment(t, node):
        assign(t, node)


# Declarations.

def _declaration(t: Translator, node: Node) -> None:
    for each in node.kids:
        declarator(t, each)


def declarator(t: Translator, node: Node) -> None:
    """Write the declaration of a variable."""
    check_whole(node)
    name, value = node["name"], node.get("value")
    if value is None and (name.kind != "identifier" or _is_constant(node)):
        raise Unsupported("a pattern without a value")
    if value is None:
        if not _is_hoisted_again(name.binding) and not is_always_set(name.binding):
            t.write(f"{t.written(name.binding)} = None")
        return
    if name.kind in ("object_pattern", "array_pattern"):
        destructure(t, name, value)
        return
    if not name.binding.is_this:
        _declare_with(t, node, name.binding, value)


def _declare_with(t: Translator, node: Node, binding: Binding, value: Node) -> None:
    if id(value) in t.shapes.constructors:
        write_shape(t, t.shapes.constructors[id(value)])
    elif id(value) in t.shapes.records:
        write_literal(t, t.shapes.records[id(value)])
    elif value.kind in FUNCTIONS and len(binding.writes) == 1 and not _is_conditional(t):
        write_definition(t, value, t.written(binding))
    elif value.kind == "class":
        write_class(t, value, t.written(binding))
    elif value.kind == "update_expression" and _is_postfix(value):
        target = t.expr(value["argument"])
        t.write(join(t.written(binding), " = ", target))
        update(t, value)
    else:
        _declare(t, node, binding, value)


def _is_constant(node: Node) -> bool:
    return node.parent is not None and node.parent.tokens[:1] == ["const"]


def _is_postfix(node: Node) -> bool:
    return node["operator"].start > node["argument"].start and is_pure(node["argument"])


def _is_conditional(t: Translator) -> bool:
    return t.function.is_lambda


def _declare(t: Translator, node: Node, binding: Binding, value: Node) -> None:
    name = t.written(binding)
    chain: List[Node] = []
    while value.kind == "assignment_expression":
        chain.append(value["left"])
        value = value["right"]
    if defaults_itself(binding):
        t.replaced[id(value["left"])] = method(atom("globals()"), "get", quote(name))
    piece = t.expr(value)
    targets = [name]
    if chain:
        for each in chain:
            found = target_of(t, each)
            if found is None:
                raise Unsupported("such an assignment is not supported")
            targets.append(str(found))
    annotation = _annotation(t, binding, value) if len(targets) == 1 else ""
    line = t.write(join(f"{' = '.join([targets[0] + annotation, *targets[1:]])} = ", piece))
    if not chain:
        t.unused(line, binding)


def _annotation(t: Translator, binding: Binding, value: Node) -> str:
    """Return the annotation that mypy needs for a variable of the module."""
    if t.function.node is not None or t.names.owner(binding) is not None:
        return ""
    if binding.info.get("annotated"):
        return ""
    if value.kind in ("array", "object") and value.kids and _is_uniform(t, binding.type):
        return ""
    kinds = t.world.kinds(binding.type)
    primitive = binding.type & (PRIMITIVE | ANY)
    needs = value.kind in ("array", "object") or len(binding.writes) > 1
    needs = needs or bool(kinds & {"map", "set"}) or defaults_itself(binding)
    needs = needs or bool(binding.type & CALL and binding.type & NONE)
    if not needs:
        return ""
    binding.info["annotated"] = True
    if kinds == {"array"} and not primitive:
        return ": list"
    if kinds and kinds <= {"dict", "map", "set"} and not primitive:
        return ": dict"
    if _is_one_type(binding.type) and len(kinds) == 0:
        return ""
    if not kinds and not primitive and not binding.type & CALL:
        return ""
    t.need("from typing import Any")
    return ": Any"


def _is_uniform(t: Translator, mask: int) -> bool:
    """True if mypy can tell what the elements are."""
    if mask & (PRIMITIVE | ANY):
        return False
    for thing in t.world.of(mask):
        values = thing.others
        for each in thing.fields.values():
            values |= each
        if thing.escaped or not values or (values & ~STR and values & ~WHOLE):
            return False
    return True


def _is_one_type(mask: int) -> bool:
    return any(not mask & ~each for each in (STR, BOOL, WHOLE)) and bool(mask & ~NUMBER | WHOLE)


def _is_hoisted_again(binding: Binding) -> bool:
    """True for ``var x;`` of a variable that has a value already."""
    return binding.kind in ("param", "function") or binding.kind == "var" and any(
        write.start < (binding.node.start if binding.node else 0) for write in binding.writes
    )


def _function_declaration(t: Translator, node: Node) -> None:
    if id(node) in t.shapes.constructors:
        write_shape(t, t.shapes.constructors[id(node)])
        return
    binding = node["name"].binding
    if binding.kind == "var":
        raise Unsupported("a function and a variable of one name", "Rename one of them")
    if any(each.start > node.start and _is_declared_beside(each, node) for each in binding.writes):
        t.note(
            node, f"the function {binding.name}", "it is declared again, and the last one counts",
            "Remove the first one",
        )
        return
    write_definition(t, node, t.written(binding))


def _is_declared_beside(name: Node, other: Node) -> bool:
    """True if a name is that of a function declaration in the same block."""
    declared = name.parent
    return declared is not None and declared.kind == other.kind and (
        declared is not other and declared.parent is other.parent
    )


# Branches.

def _if(t: Translator, node: Node) -> None:
    write_if(t, node, "if ")


def write_if(t: Translator, node: Node, word: str) -> None:
    """Write a branch, with ``elif`` for what follows."""
    test = condition(t, node["condition"])
    body = t.knowing(facts(node["condition"], True)[0], lambda: t.body(node["consequence"]))
    t.block(join(word, test), body)
    other = node.get("alternative")
    if other is None:
        return
    t.knowing(facts(node["condition"], False)[0], lambda: _alternative(t, other))


def _alternative(t: Translator, other: Node) -> None:
    inner = next((kid for kid in other.kids if kid.kind != "comment"), None)
    if inner is None:
        return
    if inner.kind == "if_statement" and not inner.broken:
        before, state = len(t.out), t.mark()
        try:
            write_if(t, inner, "elif ")
            if t.out[before:] and not str(t.out[before].piece).startswith("elif "):
                raise _Hoisted
            return
        except (_Hoisted, Unsupported):
            del t.out[before:]
            t.reset(state)
    t.block("else", t.body(inner))


class _Hoisted(Exception):
    """Something had to be written before an ``elif``."""


def _block(t: Translator, node: Node) -> None:
    t.statements(node.kids)


def _return(t: Translator, node: Node) -> None:
    loop = _callback_loop(t)
    if loop is not None:
        if node.kids:
            expression = node.kids[0]
            if not is_pure(expression):
                expression_statement(t, expression)
        t.write("continue")
        return
    if t.function.node is None:
        raise Unsupported("return outside of a function")
    t.write(join("return ", t.expr(node.kids[0])) if node.kids else "return")


def _callback_loop(t: Translator) -> Optional[Loop]:
    """Return the loop that a callback became, if ``return`` ends its round."""
    for loop in reversed(t.function.loops):
        if loop.is_callback:
            if loop is not inner_loops(t)[-1]:
                raise Unsupported("return out of a loop inside of forEach")
            return loop
    return None


def _throw(t: Translator, node: Node) -> None:
    t.write(join("raise ", thrown(t, node.kids[0])))


def _try(t: Translator, node: Node) -> None:
    write_try(t, node)


def _empty(t: Translator, node: Node) -> None:
    """Nothing."""


def _import(t: Translator, node: Node) -> None:
    source = node.get("source")
    if source is not None and "keyyo" in source.text.lower():
        return
    raise Unsupported("modules of JavaScript are not supported", "Import what replaces it")


def _export(t: Translator, node: Node) -> None:
    declared = node.get("declaration")
    if declared is None:
        t.note(node, node.text, "Python exports every name of a module", "Nothing")
        return
    t.statement(declared)


STATEMENTS.update({
    "expression_statement": _expression_statement,
    "variable_declaration": _declaration,
    "lexical_declaration": _declaration,
    "function_declaration": _function_declaration,
    "generator_function_declaration": _function_declaration,
    "if_statement": _if,
    "statement_block": _block,
    "return_statement": _return,
    "throw_statement": _throw,
    "try_statement": _try,
    "empty_statement": _empty,
    "debugger_statement": _empty,
    "hash_bang_line": _empty,
    "import_statement": _import,
    "export_statement": _export,
})

EFFECTS.update({
    "assignment_expression": _assign,
    "augmented_assignment_expression": augment,
    "update_expression": update,
})
