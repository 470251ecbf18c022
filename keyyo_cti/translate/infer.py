"""What each expression of a program may be.

The inference looks at the whole program at once and ignores the order of its statements. It runs
over the tree until nothing changes: masks only grow, so that this ends.
"""

from __future__ import annotations

from typing import Callable, Dict, Iterable, Optional, Sequence, Set

from . import keyyo
from .builtins import GLOBALS
from .infer_properties import Properties
from .scopes import Analysis, Binding
from .shapes import Shapes
from .syntax import FUNCTIONS, Node
from .tree import ends, literal_key, parameters
from .types import ANY, BOOL, CALL, CTI, NUMBER, PAGE, STR, UNDEF, Thing
from .unset import is_read_unset

#: More passes than any program has needed. Beyond, nothing is known of any expression.
_MAX_PASSES = 40


class Inference(Properties):
    """Runs the inference; afterwards each expression's ``type`` is set.

    :ivar world: the things of the program.
    :ivar is_cell: True if other cells of a notebook may call what the module defines.
    :ivar throws_any: True if the program throws anything that is no Error, or rejects with it.
    """

    def __init__(self, program: Node, analysis: Analysis, shapes: Shapes) -> None:
        self.program = program
        self.analysis = analysis
        self.shapes = shapes
        super().__init__()
        self.converged = self.is_cell = False
        self.constructing: Set[int] = set()
        self.throws_any = any(
            node.kids and node.kids[0].kind != "new_expression"
            for node in program.of_kind("throw_statement")
        )

    def run(self) -> None:
        """Run to the fixpoint."""
        for binding in self.analysis.bindings:
            if binding.kind == "free":
                binding.type = self._free(binding)
            elif is_read_unset(binding):
                binding.type |= UNDEF
        for _ in range(_MAX_PASSES):
            self.changed = False
            self.statements(self.program.kids)
            if self.is_cell:
                self._escape_module()
            if not self.changed:
                self.converged = True
                return
        for node in self.program.all():
            node.type = ANY

    def _escape_module(self) -> None:
        """Record that the functions of the module, and methods, may be called with anything."""
        for binding in self.analysis.bindings:
            for thing in self.world.of(binding.type) if binding.is_module else ():
                if thing.kind == "function":
                    self.escape(thing.bit)
                owners = [thing, thing.instance] if thing.kind == "class" else []
                for owner in owners:
                    for each in owner.methods.values() if owner is not None else ():
                        self.escape(self.world.make("function", each).bit)

    def _free(self, binding: Binding) -> int:
        name = binding.name
        if name in keyyo.FREE_NAMES:
            return keyyo.FREE_NAMES[name]
        if name in GLOBALS:
            return GLOBALS[name]
        if name == "cti" or name.endswith("_cti"):
            return CTI
        if name == "call" or name.endswith("_call"):
            return CALL
        return ANY

    # Statements.

    def statements(self, nodes: Iterable[Node]) -> None:
        """Look at each statement."""
        for node in nodes:
            self.visit(node)

    def visit(self, node: Node) -> int:
        """Look at a statement or an expression, and return its mask."""
        if node.is_constant:
            return node.type
        rule = RULES.get(node.kind)
        if rule is None:
            self.statements(node.kids)
            return 0
        mask = rule(self, node)
        if mask & ~node.type:
            node.type |= mask
            self.changed = True
            node.is_constant = _is_constant(node)
        return node.type

    # Names.

    def grow(self, binding: Optional[Binding], mask: int) -> None:
        """Add to what a variable may be."""
        if binding is not None and mask & ~binding.type:
            binding.type |= mask
            self.changed = True

    def identifier(self, node: Node) -> int:
        binding = node.binding
        return binding.type if binding is not None else ANY

    def assign(self, target: Node, mask: int) -> None:
        """Assign to a target: a name, a member or a pattern."""
        kind = target.kind
        if kind in ("object_pattern", "array_pattern"):
            target.type |= mask
        if kind in ("identifier", "shorthand_property_identifier_pattern"):
            self.grow(target.binding, mask)
            target.type |= mask
        elif kind == "member_expression":
            self.set_field(self.visit(target["object"]), target["property"].text, mask)
            target.type |= mask
        elif kind == "subscript_expression":
            self.set_item(target, mask)
        elif kind in ("assignment_pattern", "object_assignment_pattern"):
            self.assign(target["left"], mask & ~UNDEF | self.visit(target["right"]))
        elif kind == "array_pattern":
            self._assign_array(target, mask)
        elif kind == "object_pattern":
            for kid in target.kids:
                self._assign_member(kid, mask)
        elif kind == "rest_pattern":
            rest = self.world.make("array", target)
            self.others(rest, mask)
            self.assign(target.kids[0], rest.bit)

    def _assign_array(self, target: Node, mask: int) -> None:
        elements = self.elements(mask)
        for kid in target.kids:
            if kid.kind == "rest_pattern":
                self.assign(kid, elements)
            else:
                self.assign(kid, elements | UNDEF)

    def _assign_member(self, kid: Node, mask: int) -> None:
        if kid.kind == "shorthand_property_identifier_pattern":
            self.assign(kid, self.field(mask, kid.text))
        elif kid.kind == "object_assignment_pattern":
            value = self.field(mask, kid["left"].text)
            self.assign(kid["left"], value & ~UNDEF | self.visit(kid["right"]))
        elif kid.kind == "pair_pattern":
            key = kid["key"]
            if key.kind == "computed_property_name":
                self.statements(key.kids)
                self.assign(kid["value"], ANY)
                return
            name = key.text.strip("\"'")
            self.assign(kid["value"], self.field(mask, name))
        elif kid.kind == "rest_pattern":
            rest = self.world.make("dict", kid)
            rest.is_open = True
            self.others(rest, ANY)
            self.assign(kid.kids[0], rest.bit)

    # Things.

    def set_field(self, mask: int, name: str, value: int) -> None:
        """Set a property of anything in the mask."""
        for thing in self.world.of(mask):
            if thing.kind in ("dict", "record", "instance", "class", "function"):
                self.set_one(thing, name, value)
            if thing.kind in ("record", "instance"):
                self.receiver(value, thing.bit)
        if mask & (CTI | CALL) and name in keyyo.HANDLERS:
            arguments = keyyo.EVENTS[keyyo.HANDLERS[name]]
            self.call(value, arguments, CALL if mask & CALL else CTI)
        elif mask & PAGE:
            self.call(value, (PAGE,), PAGE)
        elif mask & (ANY | CALL | CTI):
            self.escape(value)

    def receiver(self, value: int, this: int) -> None:
        """Record that a function is a property of an object."""
        for thing in self.world.of(value):
            if thing.kind == "function" and this & ~thing.this and not thing.is_method:
                thing.this |= this
                self.changed = True

    def set_item(self, target: Node, value: int) -> None:
        """Set an element, or a property with a computed name."""
        mask = self.visit(target["object"])
        self.visit(target["index"])
        name = literal_key(target["index"])
        for thing in self.world.of(mask):
            if name is not None and thing.kind not in ("array", "map", "set"):
                self.set_one(thing, name, value)
            else:
                self.others(thing, value)
                thing.is_open = True
        if mask & (ANY | PAGE):
            self.escape(value)
        target.type |= value

    def escape(self, mask: int) -> None:
        """Record that anything may be done with these things."""
        for thing in self.world.of(mask):
            if thing.kind == "function":
                if not thing.escaped:
                    thing.escaped = self.changed = True
                self.call(thing.bit, [ANY] * max(1, len(thing.parameters)), 0, counted=False)
            elif not thing.escaped:
                thing.escaped = self.changed = True
                if thing.kind in ("array", "dict", "map", "set", "resolve"):
                    self.others(thing, ANY)
                    thing.is_open = True

    def loosen(self, mask: int) -> None:
        """Record that functions get an unknown number of arguments."""
        for thing in self.world.of(mask):
            if thing.kind == "function" and not thing.escaped:
                thing.escaped = self.changed = True

    def escape_soft(self, mask: int) -> None:
        """Record that the things may be read anywhere, as in an exception."""
        for thing in self.world.of(mask):
            if thing.kind == "function":
                self.escape(thing.bit)

    def rejected(self, mask: int) -> None:
        """Record what a promise is rejected with."""
        is_plain = mask & (BOOL | NUMBER | STR) or self.world.kinds(mask) & {"array", "dict"}
        if is_plain and not self.throws_any:
            self.throws_any = self.changed = True

    # Functions.

    def function(self, node: Node) -> Thing:
        """Look at a function, and return it as a thing."""
        thing = self.world.make("function", node)
        if node.info is not thing:
            node.info = thing
            thing.parameters = [0] * len(parameters(node))
            thing.falls_off = "body" in node.fields and not ends(node["body"])
        self._bind_parameters(node, thing)
        body = node.get("body")
        if body is None:
            return thing
        if body.kind == "statement_block":
            self.statements(body.kids)
            if thing.falls_off:
                self.returned(thing, UNDEF)
        else:
            self.returned(thing, self.visit(body))
        if node.kind in ("function_declaration", "generator_function_declaration"):
            self.grow(node["name"].binding, thing.bit)
            node["name"].type |= thing.bit
        elif node.kind == "function_expression" and node.get("name") is not None:
            self.grow(node["name"].binding, thing.bit)
        return thing

    def _bind_parameters(self, node: Node, thing: Thing) -> None:
        least = min(thing.counts) if thing.counts else len(thing.parameters)
        for index, each in enumerate(parameters(node)):
            if each.kind == "rest_pattern":
                rest = self.world.make("array", each)
                for mask in thing.parameters[index:]:
                    self.others(rest, mask)
                self.assign(each.kids[0], rest.bit)
                continue
            mask = thing.parameters[index]
            if index >= least:
                mask |= UNDEF
            self.assign(each, mask)

    def call(
        self, mask: int, arguments: Sequence[int], this: int, counted: bool = True
    ) -> int:
        """Call anything in the mask, and return what it may return."""
        found = 0
        for thing in self.world.of(mask):
            if thing.kind == "reject" and arguments:
                self.rejected(arguments[0])
            if thing.kind == "resolve":
                self.others(thing, self.settled(arguments[0]) if arguments else UNDEF)
            if thing.kind != "function":
                continue
            if counted and len(arguments) not in thing.counts:
                thing.counts.add(len(arguments))
                self.changed = True
            self._pass(thing, arguments)
            if this & ~thing.this and not thing.is_method:
                thing.this |= this
                self.changed = True
            found |= self.result(thing)
        if mask & PAGE:
            found |= PAGE
        if mask & (ANY | PAGE):
            for argument in arguments:
                self.escape(argument)
        return found | (ANY if mask & ANY else 0)

    def result(self, thing: Thing) -> int:
        """Return what a call of a function returns."""
        node = thing.node
        if node is not None and "async" in node.tokens:
            promise = self.world.make("promise", node)
            self.others(promise, self.settled(thing.returns))
            return promise.bit
        if node is not None and ("*" in node.tokens or "generator" in node.kind):
            return ANY
        return thing.returns

    def _pass(self, thing: Thing, arguments: Sequence[int]) -> None:
        for index, mask in enumerate(arguments):
            if index >= len(thing.parameters):
                node = thing.node
                given = parameters(node) if node is not None else []
                if not (given and given[-1].kind == "rest_pattern"):
                    return
                thing.parameters.append(0)
            if mask & ~thing.parameters[index]:
                thing.parameters[index] |= mask
                self.changed = True


Rule = Callable[[Inference, Node], int]


def _function(self: Inference, node: Node) -> int:
    return self.function(node).bit


#: By the kind of a node; infer_rules fills in the others.
RULES: Dict[str, Rule] = dict.fromkeys(FUNCTIONS, _function)

#: Expressions of which one pass learns everything: later ones leave them out.
_LITERALS = frozenset({"number", "string", "true", "false", "null", "undefined", "regex"})

#: Expressions that are such if all in them are.
_OF_CONSTANTS = frozenset({"array", "object", "unary_expression", "binary_expression"})


def _is_constant(node: Node) -> bool:
    kind = node.kind
    return kind in _LITERALS or kind in _OF_CONSTANTS and all(map(_is_constant_part, node.kids))


def _is_constant_part(node: Node) -> bool:
    if node.kind == "pair" and node["key"].kind != "computed_property_name":
        return node["value"].is_constant
    return node.is_constant
