"""What the inference does at each kind of node."""

from __future__ import annotations

from . import keyyo
from .builtins import MATH_CONSTANTS
from .infer import RULES, Inference
from .infer_calls import call_expression, may_short_circuit
from .infer_new import new_expression
from .infer_objects import object_literal
from .infer_values import combine, number_of
from .scopes import Binding
from .syntax import Node
from .tree import literal_key, this_owner
from .types import (
    ANY,
    BOOL,
    CALL,
    CTI,
    DATE,
    ERR,
    ERROR,
    FLOAT,
    INT,
    KEYYO,
    NAN,
    NAT,
    NONE,
    NULL,
    PAGE,
    REGEX,
    STR,
    UNDEF,
    WHOLE,
    atoms,
)
from .unset import is_always_set


def _number(self: Inference, node: Node) -> int:
    text = node.text.replace("_", "").lower()
    is_whole = text.isdigit() or text[:2] in ("0x", "0o", "0b")
    if is_whole and (not text.isdigit() or int(text) < 2 ** 53):
        return NAT
    try:
        return NAT if float(text).is_integer() and float(text) < 2 ** 53 else FLOAT
    except ValueError:
        return ANY


def _template(self: Inference, node: Node) -> int:
    self.statements(node.kids)
    return STR


def _array(self: Inference, node: Node) -> int:
    thing = self.world.make("array", node)
    for kid in node.kids:
        if kid.kind == "spread_element":
            self.others(thing, self.elements(self.visit(kid.kids[0])))
        else:
            self.others(thing, self.visit(kid))
    return thing.bit


def _this(self: Inference, node: Node) -> int:
    owner = this_owner(node)
    if owner is None:
        return PAGE
    if owner.kind == "field_definition":
        body = owner.parent
        class_node = body.parent if body is not None else None
        found = self.world.make("class", class_node)
        return found.instance.bit if found.instance else ANY
    thing = self.world.make("function", owner)
    return thing.this or (ANY if thing.escaped else 0)


def _member(self: Inference, node: Node) -> int:
    target = node["object"]
    mask = self.visit(target)
    name = node["property"].text
    if target.kind == "identifier" and target.is_free:
        if target.text == "Math" and name in MATH_CONSTANTS:
            return FLOAT
        if target.text == "process" and name in ("env", "argv"):
            made = self.world.make("dict" if name == "env" else "array", node)
            made.is_open = True
            self.others(made, STR)
            return made.bit
        if target.text == "Number":
            return FLOAT if name.endswith("_VALUE") else NAT if name.startswith("MAX") else NAN
        if target.text in ("window", "self", "globalThis") and name in (
            "localStorage", "sessionStorage", "console", "Keyyo", "setTimeout", "setInterval",
            "clearTimeout", "clearInterval",
        ):
            return self.analysis.module.bindings[name].type if (
                name in self.analysis.module.bindings
            ) else ANY
    if name == "connected" and mask & KEYYO:
        return BOOL
    if mask & (CTI | CALL) and not mask & ANY and name in keyyo.METHODS:
        return ANY
    found = self.field(mask, name)
    if may_short_circuit(node):
        found |= UNDEF
    return found


def _subscript(self: Inference, node: Node) -> int:
    mask = self.visit(node["object"])
    self.visit(node["index"])
    name = literal_key(node["index"])
    found = 0
    for thing in self.world.of(mask):
        if thing.kind in ("array", "map", "set"):
            found |= thing.others | UNDEF
        elif name is not None:
            found |= self.field(thing.bit, name)
        else:
            found |= thing.others | (0 if is_own_key(node) and not thing.deletes else UNDEF)
            for value in list(thing.fields.values()):
                found |= value
    rest = atoms(mask)
    if rest & STR:
        found |= STR | UNDEF
        rest &= ~STR
    if rest & ~NONE:
        found |= self.field(rest, name) if name is not None else ANY if rest & ~PAGE else PAGE
    return found


def is_own_key(node: Node) -> bool:
    """True for ``table[name]`` where ``name`` runs through the names of ``table``."""
    table, key = node["object"], node["index"]
    if key.kind != "identifier" or table.kind != "identifier" or len(key.binding.writes) != 1:
        return False
    loop = key.binding.writes[0].parent
    if loop is None or loop.kind != "for_in_statement" or "in" not in loop.tokens:
        return False
    of = loop["right"]
    return of.kind == "identifier" and of.binding is table.binding


def _assignment(self: Inference, node: Node) -> int:
    mask = self.visit(node["right"])
    if node["left"].kind == "member_expression":
        self.visit(node["left"])
    self.assign(node["left"], mask)
    return mask


def _augmented(self: Inference, node: Node) -> int:
    left, right = self.visit(node["left"]), self.visit(node["right"])
    operator = node["operator"].kind[:-1]
    mask = (left | right) if operator in ("&&", "||", "??") else combine(operator, left, right)
    self.assign(node["left"], mask)
    return mask


def _update(self: Inference, node: Node) -> int:
    target = node["argument"]
    operator = node["operator"].kind
    before = number_of(self.visit(target))
    after = combine("+" if operator == "++" else "-", before, NAT)
    self.assign(target, after)
    return after if node["operator"].start < target.start else before


def _binary(self: Inference, node: Node) -> int:
    operator = node["operator"].kind
    left, right = self.visit(node["left"]), self.visit(node["right"])
    if operator == "&&":
        # What is always true is never the result.
        return atoms(left) & ~(DATE | REGEX | ERR | CALL | CTI | ERROR) | right
    if operator == "||":
        return left & ~NONE | right
    if operator == "??":
        return left & ~NONE | right
    if operator in ("/", "%", "**"):
        return _exact(node, combine(operator, left, right))
    return combine(operator, left, right)


def _exact(node: Node, mask: int) -> int:
    """Return the mask without NaN, if the right side is a number other than 0."""
    right = node["right"]
    if right.kind == "number" and right.text.strip("0.") != "":
        both = number_of(node["left"].type)
        if not both & NAN:
            return mask & ~NAN
    return mask


def _unary(self: Inference, node: Node) -> int:
    operator = node["operator"].kind
    mask = self.visit(node["argument"])
    if operator == "!" or operator == "delete":
        _delete(self, node)
        return BOOL
    if operator == "typeof":
        return STR
    if operator == "void":
        return UNDEF
    if operator == "-":
        if node["argument"].text == "0":
            return FLOAT
        value = number_of(mask)
        return INT if value and not value & ~WHOLE else value | (FLOAT if value else 0)
    if operator == "~":
        return INT
    return number_of(mask)


def _delete(self: Inference, node: Node) -> None:
    target = node["argument"]
    if node["operator"].kind == "delete" and "object" in target.fields:
        for thing in self.world.of(target["object"].type):
            if not thing.deletes:
                thing.deletes = self.changed = True


def _ternary(self: Inference, node: Node) -> int:
    self.visit(node["condition"])
    return self.visit(node["consequence"]) | self.visit(node["alternative"])


def _sequence(self: Inference, node: Node) -> int:
    masks = [self.visit(kid) for kid in node.kids]
    return masks[-1]


def _await(self: Inference, node: Node) -> int:
    return self.settled(self.visit(node.kids[0]))


def _declarator(self: Inference, node: Node) -> int:
    value = node.get("value")
    if value is not None:
        self.assign(node["name"], self.visit(value))
    elif node.parent is not None and not node["name"].type & UNDEF and not (
        node["name"].binding is not None and _has_value(node["name"].binding)
    ):
        self.assign(node["name"], UNDEF)
    return 0


def _has_value(binding: Binding) -> bool:
    """True if ``var x;`` leaves a variable as it is."""
    return binding.kind in ("param", "function") or is_always_set(binding)


def _for_in(self: Inference, node: Node) -> int:
    mask = self.visit(node["right"])
    each = self.elements(mask) if "of" in node.tokens or node["operator"].kind == "of" else STR
    self.assign(node["left"], each)
    self.visit(node["body"])
    return 0


def _return(self: Inference, node: Node) -> int:
    mask = self.visit(node.kids[0]) if node.kids else UNDEF
    function = node.inside(_FUNCTION_KINDS)
    if function is not None:
        self.returned(self.world.make("function", function), mask)
    return 0


_FUNCTION_KINDS = frozenset({
    "function_declaration", "function_expression", "arrow_function", "method_definition",
    "generator_function", "generator_function_declaration",
})


def _throw(self: Inference, node: Node) -> int:
    for kid in node.kids:
        self.escape_soft(self.visit(kid))
    return 0


def _catch(self: Inference, node: Node) -> int:
    parameter = node.get("parameter")
    if parameter is not None:
        self.assign(parameter, ERROR | ERR | (ANY if self.throws_any else 0))
    self.visit(node["body"])
    return 0


RULES.update({
    "identifier": Inference.identifier,
    "shorthand_property_identifier": Inference.identifier,
    "number": _number,
    "string": lambda self, node: STR,
    "template_string": _template,
    "true": lambda self, node: BOOL,
    "false": lambda self, node: BOOL,
    "null": lambda self, node: NULL,
    "undefined": lambda self, node: UNDEF,
    "regex": lambda self, node: REGEX,
    "this": _this,
    "array": _array,
    "object": object_literal,
    "member_expression": _member,
    "subscript_expression": _subscript,
    "call_expression": call_expression,
    "new_expression": new_expression,
    "assignment_expression": _assignment,
    "augmented_assignment_expression": _augmented,
    "update_expression": _update,
    "binary_expression": _binary,
    "unary_expression": _unary,
    "ternary_expression": _ternary,
    "sequence_expression": _sequence,
    "await_expression": _await,
    "variable_declarator": _declarator,
    "for_in_statement": _for_in,
    "return_statement": _return,
    "throw_statement": _throw,
    "catch_clause": _catch,
})
