"""Assignments, as statements and inside expressions."""

from __future__ import annotations

from typing import List, Optional

from .arguments import iterable, rest_of
from .holding import check_repeatable, hold
from .infer_values import number_of
from .literals import quote
from .members import key_of, read_of
from .notes import Unsupported
from .operators import arithmetic_of
from .pieces import COMPARISON, SUM, WALRUS, Piece, atom, binary, item, join, method, wrap
from .syntax import Node
from .targets import setter, target_of
from .texts import sum_of
from .translator import EXPRESSIONS, Translator
from .tree import SETTERS, acts, literal_key, places
from .truth import inverse, is_pure, numeric, truth_of
from .types import ANY, BOOL, CALL, NULL, NUMBER, PAGE, STR, UNDEF

_PATTERNS = ("object_pattern", "array_pattern")


def assign(t: Translator, node: Node) -> None:
    """Write an assignment as a statement; ``a = b = c`` is one."""
    targets: List[Node] = []
    value = node
    while value.kind == "assignment_expression":
        targets.append(value["left"])
        value = value["right"]
    if any(each.kind in _PATTERNS for each in targets):
        if len(targets) > 1:
            raise Unsupported("such an assignment is not supported")
        destructure(t, targets[0], value)
        return
    _keep_order(t, targets, value)
    piece = t.expr(value)
    left = [target_of(t, each) for each in targets]
    if None in left:
        if len(targets) > 1:
            raise Unsupported("such an assignment is not supported")
        t.write(setter(t, targets[0], piece))
        return
    parts: List[object] = []
    for each in left:
        parts += [each, " = "]
    _note_kept_call(t, node, targets[0], value)
    line = t.write(join(*parts, piece))  # type: ignore[arg-type]
    if targets[0].kind == "identifier":
        t.unused(line, targets[0].binding)


def _keep_order(t: Translator, targets: List[Node], value: Node) -> None:
    """Evaluate a place before its value, as JavaScript does, where that makes a difference."""
    for target in targets:
        for part in (target.get("object"), target.get("index")):
            if part is None or not acts(part) or t.mask(part) & PAGE:
                continue
            if acts(value) or _sets_what_is_read(part, value):
                name = t.temporary()
                t.write(join(f"{name} = ", t.expr(part)))
                t.replaced[id(part)] = atom(name)


def _sets_what_is_read(part: Node, value: Node) -> bool:
    """True if a part changes a variable that the value reads."""
    changed = {
        (each.get("left") or each["argument"]).binding for each in part.walk()
        if each.kind in SETTERS
    }
    return any(each.binding in changed for each in value.walk() if each.binding is not None)


def _note_kept_call(t: Translator, node: Node, target: Node, value: Node) -> None:
    if value.type and not value.type & ~CALL and id(value) not in t.replaced:
        is_outer = target.kind != "identifier" or target.binding.owner is not node.scope.function
        if is_outer:
            t.kept_note(node)


def _assignment(t: Translator, node: Node) -> Piece:
    """Return an assignment inside an expression."""
    target = node["left"]
    if target.kind in _PATTERNS:
        raise Unsupported("destructuring inside an expression")
    value = t.expr(node["right"])
    if t.no_walrus:
        raise Unsupported("an assignment in the middle of an expression")
    if target.kind == "identifier":
        name = t.written(target.binding)
        return join(f"{name} := ", wrap(value, 1), precedence=WALRUS)
    return setter_call(t, target, value)


def setter_call(t: Translator, target: Node, value: Piece) -> Piece:
    """Return a call that sets a member and returns the value."""
    if target_of(t, target) is not None and target.kind == "member_expression":
        mask = t.mask(target["object"])
        name = target["property"].text
        if t.world.only(mask, "instance", "record"):
            name = t.names.attribute(name)
        return t.helper("js_set", t.expr(target["object"]), quote(name), value)
    return setter(t, target, value)


# Operators with "=".

def augment(t: Translator, node: Node) -> None:
    """Write ``a += b`` as a statement."""
    target, right = node["left"], node["right"]
    operator = node["operator"].kind[:-1]
    hold(t, target)
    if operator in ("&&", "||", "??"):
        _logical(t, node, operator)
        return
    plain = _plain_operator(t, operator, target, right)
    left = target_of(t, target)
    if plain is not None and left is not None and _is_readable(t, target):
        t.write(join(left, f" {plain}= ", t.expr(right)))
        return
    value = _augmented_value(t, node)
    _set(t, target, left, value)


def _is_readable(t: Translator, target: Node) -> bool:
    """True if the target can be read as it is set."""
    if target.kind == "identifier":
        return True
    return str(target_of(t, target)) == str(t.expr(target))


def _set(t: Translator, target: Node, left: Optional[Piece], value: Piece) -> None:
    if left is None:
        t.write(setter(t, target, value))
    else:
        t.write(join(left, " = ", value))


def _plain_operator(t: Translator, operator: str, target: Node, right: Node) -> Optional[str]:
    a, b = t.mask(target), t.mask(right)
    numbers = NUMBER | BOOL
    if operator == "+":
        alike = (not a & ~numbers and not b & ~numbers) or (a == STR and b == STR)
        return "+" if alike else None
    if operator in ("-", "*") and not a & ~numbers and not b & ~numbers:
        return operator
    if operator == "/" and right.kind == "number" and right.text.strip("0.") and not a & ~numbers:
        return "/"
    return None


def _augmented_value(t: Translator, node: Node) -> Piece:
    target, right = node["left"], node["right"]
    operator = node["operator"].kind[:-1]
    check_repeatable(t, target)
    if operator == "+":
        return sum_of(t, t.expr(target), t.mask(target), t.expr(right), t.mask(right), node)
    a, b = numeric(t, target), numeric(t, right)
    masks = number_of(t.mask(target)), number_of(t.mask(right))
    return arithmetic_of(t, operator, (a, masks[0], target), (b, masks[1], right), node)


def _logical(t: Translator, node: Node, operator: str) -> None:
    target = node["left"]
    check_repeatable(t, target)
    piece = t.expr(target)
    if operator == "??":
        test = binary(piece, "is", atom("None"), COMPARISON)
    else:
        test = truth_of(t, piece, t.mask(target))
        test = inverse(test) if operator == "||" else test
    body = t.collect(lambda: _set(t, target, target_of(t, target), t.expr(node["right"])))
    t.block(join("if ", test), body)


def _augmented(t: Translator, node: Node) -> Piece:
    """Return ``a += b`` inside an expression."""
    operator = node["operator"].kind[:-1]
    target = node["left"]
    if operator in ("&&", "||", "??"):
        if not _is_first(node):
            raise Unsupported("such an assignment inside an expression")
        hold(t, target)
        _logical(t, node, operator)
        left = target_of(t, target) if operator != "&&" else None
        return t.expr(target) if left is None else left
    value = _augmented_value(t, node)
    if target.kind == "identifier":
        return join(f"{t.written(target.binding)} := ", wrap(value, 1), precedence=WALRUS)
    return setter_call(t, target, value)


def _is_first(node: Node) -> bool:
    """True for the first that a statement evaluates, as in ``(lists[name] ||= []).push(x)``."""
    inner, outer = node, node.parent
    while outer is not None and outer.kind in ("member_expression", "call_expression"):
        inner, outer = outer, outer.parent
    return outer is not None and (
        outer.kind in ("expression_statement", "return_statement")
        or outer.kind == "arrow_function" and inner is outer["body"]
    )


def update(t: Translator, node: Node) -> None:
    """Write ``i++`` as a statement."""
    target = node["argument"]
    word = "+" if node["operator"].kind == "++" else "-"
    hold(t, target)
    left = target_of(t, target)
    if left is not None and not t.mask(target) & ~(NUMBER | BOOL) and _is_readable(t, target):
        t.write(join(left, f" {word}= 1"))
        return
    check_repeatable(t, target)
    value = binary(numeric(t, target), word, atom("1"), SUM)
    _set(t, target, left, value)


def _update(t: Translator, node: Node) -> Piece:
    """Return ``i++`` inside an expression."""
    target = node["argument"]
    operator = node["operator"]
    if t.no_walrus:
        raise Unsupported("an assignment in the middle of an expression")
    word, back = ("+", "-") if operator.kind == "++" else ("-", "+")
    check_repeatable(t, target)
    after = binary(numeric(t, target), word, atom("1"), SUM)
    if target.kind == "identifier":
        name = t.written(target.binding)
        found = join(f"{name} := ", after, precedence=WALRUS)
    else:
        found = setter_call(t, target, after)
    if operator.start < target.start:
        return found
    return binary(found, back, atom("1"), SUM)


# Destructuring.

def destructure(t: Translator, pattern: Node, value: Node) -> None:
    """Write a pattern's assignments."""
    if pattern.kind == "array_pattern" and value.kind == "array" and _is_swap(pattern, value):
        left = [target_of(t, each) for each in pattern.kids]
        held = [None if each is not None else atom(t.temporary()) for each in left]
        pieces = [wrap(t.expr(each), 1) for each in value.kids]
        first = [each or other for each, other in zip(left, held)]
        t.write(join(*_commas(first), " = ", *_commas(pieces)))  # type: ignore[arg-type]
        for place, other in zip(pattern.kids, held):
            if other is not None:
                t.write(setter(t, place, other))
        return
    is_other = pattern.kind == "array_pattern" and t.world.kinds(t.mask(value)) & {
        "set", "map", "instance",
    }
    piece = iterable(t, value) if is_other else t.expr(value)
    if is_other or not is_pure(value):
        name = t.temporary()
        t.write(join(f"{name} = ", piece))
        piece = atom(name)
    unpack(t, pattern, piece, t.mask(value), value)


def _is_swap(pattern: Node, value: Node) -> bool:
    plain = all(
        each.kind in ("identifier", "member_expression", "subscript_expression")
        for each in pattern.kids
    )
    return plain and len(pattern.kids) == len(value.kids) > 0 and not any(
        each.kind == "spread_element" for each in value.kids
    ) and pattern.tokens.count(",") == len(pattern.kids) - 1


def _commas(pieces: List[Optional[Piece]]) -> List[object]:
    found: List[object] = []
    for each in pieces:
        found += [each, ", "]
    return found[:-1]


def unpack(t: Translator, pattern: Node, piece: Piece, mask: int, source: Node) -> None:
    """Write the assignments of a pattern from a piece that may be used several times."""
    if pattern.kind == "array_pattern":
        _unpack_array(t, pattern, piece, mask, source)
        return
    taken: List[str] = []
    for kid in pattern.kids:
        _unpack_member(t, kid, piece, mask, source, taken)


def _unpack_array(t: Translator, pattern: Node, piece: Piece, mask: int, source: Node) -> None:
    for index, kid in zip(places(pattern), pattern.kids):
        if kid.kind == "rest_pattern":
            _store(t, kid.kids[0], item(piece, f"{index}:"), mask, None)
            return
        value = t.helper("js_item", piece, str(index))
        elements = t.inference.elements(mask) | UNDEF
        default = kid["right"] if kid.kind == "assignment_pattern" else None
        _store(t, kid["left"] if default is not None else kid, value, elements, default)


def _unpack_member(
    t: Translator, kid: Node, piece: Piece, mask: int, source: Node, taken: List[str]
) -> None:
    default: Optional[Node] = None
    if kid.kind == "rest_pattern":
        if not t.world.only(mask, "dict"):
            raise Unsupported("the rest of something that may be no plain object")
        _store(t, kid.kids[0], rest_of(t, piece, taken), mask, None)
        return
    target = kid
    if kid.kind == "object_assignment_pattern":
        target, default = kid["left"], kid["right"]
    name: Optional[str] = target.text
    if kid.kind == "pair_pattern":
        key, target = kid["key"], kid["value"]
        name = key.text if key.kind == "property_identifier" else literal_key(key)
        if target.kind == "assignment_pattern":
            target, default = target["left"], target["right"]
    if name is None:
        _unpack_computed(t, kid["key"], target, piece, mask, default, taken)
        return
    taken.append(quote(name))
    value_mask = t.inference.field(mask & ~3, name)
    _store(t, target, read_of(t, source, piece, mask, name), value_mask, default)


def _unpack_computed(
    t: Translator, key: Node, target: Node, piece: Piece, mask: int, default: Optional[Node],
    taken: List[str],
) -> None:
    if key.kind != "computed_property_name" or not t.world.only(mask, "dict"):
        raise Unsupported("a pattern with a computed name")
    name = key_of(t, key.kids[0])
    if not is_pure(key.kids[0]):
        held = t.temporary("key")
        t.write(join(f"{held} = ", name))
        name = atom(held)
    taken.append(str(name))
    _store(t, target, method(piece, "get", name), ANY, default)


def _store(
    t: Translator, target: Node, value: Piece, mask: int, default: Optional[Node]
) -> None:
    if target.kind in _PATTERNS:
        name = t.temporary()
        t.write(join(f"{name} = ", value))
        if default is not None:
            write_default(t, name, default, mask)
        unpack(t, target, atom(name), mask, target)
        return
    if target.kind == "shorthand_property_identifier_pattern":
        left: Optional[Piece] = atom(t.written(target.binding))
    else:
        left = target_of(t, target)
    if left is None and default is None:
        t.write(setter(t, target, value))
        return
    if left is None:
        raise Unsupported("such a pattern is not supported")
    line = t.write(join(left, " = ", value))
    if default is not None:
        write_default(t, str(left), default, mask)
    else:
        t.unused(line, target.binding)


def write_default(t: Translator, name: str, default: Node, mask: int) -> None:
    """Write the default of a variable that may be undefined.

    :param mask: what the variable may be.
    """
    if mask & (NULL | ANY):
        t.note(
            default, "a default", "Python's is taken for null, too, and JavaScript's is not",
            "Nothing, unless null has a meaning there",
        )
    body = t.collect(lambda: _write_default(t, name, default))
    t.block(f"if {name} is None", body)


def _write_default(t: Translator, name: str, default: Node) -> None:
    t.write(join(f"{name} = ", t.expr(default)))


EXPRESSIONS.update({
    "assignment_expression": _assignment,
    "augmented_assignment_expression": _augmented,
    "update_expression": _update,
})
