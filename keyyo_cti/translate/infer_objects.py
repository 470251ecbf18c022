"""The inference of object literals and classes."""

from __future__ import annotations

from typing import List, Optional

from .infer import RULES, Inference
from .syntax import CLASSES, FUNCTIONS, Node
from .tree import literal_key, property_name
from .types import ANY, NONE, UNDEF, Thing, atoms


def object_literal(self: Inference, node: Node) -> int:
    """Look at an object literal."""
    kind = "record" if id(node) in self.shapes.records else "dict"
    thing = self.world.make(kind, node)
    for place, kid in enumerate(node.kids):
        if kid.kind == "spread_element":
            before = [property_name(each) for each in node.kids[:place]]
            _spread(self, thing, self.visit(kid.kids[0]), before)
        elif kid.kind == "shorthand_property_identifier":
            _certain(self, thing, kid.text, self.visit(kid))
        elif kid.kind == "method_definition":
            value = self.visit(kid)
            self.receiver(value, thing.bit)
            _certain(self, thing, kid["name"].text, ANY if _is_accessor(kid) else value)
        elif kid.kind == "pair":
            value = self.visit(kid["value"])
            key = kid["key"]
            name = key.text if key.kind == "property_identifier" else literal_key(key)
            if name is None:
                self.visit(key)
                self.others(thing, value)
                thing.is_open = True
            else:
                _certain(self, thing, name, value)
            if kid["value"].kind != "arrow_function":
                self.receiver(value, thing.bit)
    return thing.bit


def _certain(self: Inference, thing: Thing, name: str, value: int) -> None:
    thing.certain.add(name)
    self.set_one(thing, name, value)


def _spread(
    self: Inference, thing: Thing, mask: int, before: List[Optional[str]]
) -> None:
    things = self.world.of(mask)
    is_sure = len(things) == 1 and not atoms(mask)
    for other in things:
        for name, value in list(other.fields.items()):
            if is_sure and name in other.certain and not other.deletes:
                if name not in thing.lacking:
                    thing.certain.add(name)
            elif name not in before and name not in thing.lacking:
                thing.lacking.add(name)
                thing.certain.discard(name)
                self.changed = True
            self.set_one(thing, name, value)
        if other.is_open:
            thing.is_open = True
            self.others(thing, other.others)
    if mask & ~NONE and atoms(mask) & ~NONE:
        thing.is_open = True
        self.others(thing, ANY)
        for name in thing.fields if mask & ANY else ():
            if name in before:
                self.set_one(thing, name, ANY)


def _is_accessor(node: Node) -> bool:
    return "get" in node.tokens or "set" in node.tokens


def class_thing(self: Inference, node: Node) -> Thing:
    """Look at a class, and return it as a thing."""
    thing = self.world.make("class", node)
    if thing.instance is None:
        thing.instance = self.world.make("instance", node)
    instance = thing.instance
    heritage = next((kid for kid in node.kids if kid.kind == "class_heritage"), None)
    if heritage is not None:
        for base in self.world.of(self.visit(heritage.kids[0])):
            if base.kind == "class":
                instance.base = base.instance
                thing.base = base
        if instance.base is None:
            instance.escaped = True
    for member in node["body"].kids:
        _member(self, thing, instance, member)
    return thing


def _member(self: Inference, thing: Thing, instance: Thing, member: Node) -> None:
    owner = thing if "static" in member.tokens else instance
    if member.kind == "field_definition":
        name = member["property"].text
        value = member.get("value")
        _certain(self, owner, name, self.visit(value) if value is not None else UNDEF)
        if value is not None and value.kind in FUNCTIONS:
            self.receiver(value.type, owner.bit)
    elif member.kind == "method_definition":
        function = self.function(member)
        function.is_method = True
        if owner.bit & ~function.this:
            function.this |= owner.bit
            self.changed = True
        name = member["name"].text
        if name == "constructor":
            assigned_at_once(self, member, instance)
            thing.methods["constructor"] = member
            return
        owner.methods[name] = member
        if "get" in member.tokens:
            _certain(self, owner, name, function.returns)
        elif "set" in member.tokens:
            self.call(function.bit, [owner.fields.get(name, 0)], owner.bit)
        else:
            _certain(self, owner, name, function.bit)


def constructor_thing(self: Inference, function: Node) -> Thing:
    """Look at a constructor function, and return its class."""
    thing = self.world.make("class", function)
    if thing.instance is None:
        thing.instance = self.world.make("instance", function)
        thing.methods["constructor"] = function
    if id(function) in self.constructing:
        return thing  # It makes another one of its kind.
    self.constructing.add(id(function))
    try:
        return _construct(self, function, thing)
    finally:
        self.constructing.discard(id(function))


def _construct(self: Inference, function: Node, thing: Thing) -> Thing:
    shape = self.shapes.constructors[id(function)]
    instance = thing.instance
    assert instance is not None
    ctor = self.function(function)
    ctor.this |= instance.bit
    assigned_at_once(self, function, instance)
    for name, method in shape.methods.items():
        each = self.function(method)
        each.is_method = True
        if instance.bit & ~each.this:
            each.this |= instance.bit
            self.changed = True
        instance.methods[name] = method
        _certain(self, instance, name, each.bit)
    return thing


def assigned_at_once(self: Inference, function: Node, instance: Thing) -> None:
    """Record what the constructor assigns in its own statements as certain."""
    aliases = this_aliases(function)
    for statement in function["body"].kids:
        if statement.kind != "expression_statement" or not statement.kids:
            continue
        node: Optional[Node] = statement.kids[0]
        while node is not None and node.kind == "assignment_expression":
            left = node["left"]
            if left.kind == "member_expression" and _is_this(left["object"], aliases):
                instance.certain.add(left["property"].text)
            node = node["right"]


def this_aliases(function: Node) -> List[str]:
    """Return the names of the variables that hold ``this``, as in ``var self = this``."""
    found = []
    for statement in function["body"].kids:
        if statement.kind in ("variable_declaration", "lexical_declaration"):
            for each in statement.kids:
                value = each.get("value")
                if value is not None and value.kind == "this":
                    found.append(each["name"].text)
    return found


def _is_this(node: Node, aliases: List[str]) -> bool:
    return node.kind == "this" or (node.kind == "identifier" and node.text in aliases)


def _class(self: Inference, node: Node) -> int:
    thing = class_thing(self, node)
    name = node.get("name")
    if name is not None:
        self.grow(name.binding, thing.bit)
    return thing.bit


RULES.update(dict.fromkeys(CLASSES, _class))
