"""The parameters of a function: those of JavaScript, and those that Python needs."""

from __future__ import annotations

from typing import Iterator, List, Optional, Set, Tuple

from . import keyyo
from .notes import Unsupported
from .pieces import Piece, atom
from .scopes import Binding
from .shapes import uses_arguments
from .syntax import FUNCTIONS, Node
from .translator import Translator
from .tree import parameters
from .types import ANY, ERR, NONE, Thing

#: Callers that call their callback before they return.
IMMEDIATE = frozenset({
    "forEach", "map", "filter", "find", "findIndex", "some", "every", "reduce", "reduceRight",
    "sort", "flatMap", "replace", "replaceAll", "from", "each", "findLast",
})


_EVENT_METHODS = frozenset({
    "click", "submit", "change", "keyup", "keydown", "keypress", "input", "focus", "blur",
})


_LITERALS = frozenset({"number", "string", "true", "false", "null"})


class Signature:
    """The parameters of a Python function.

    :ivar prelude: patterns and defaults that the body has to unpack first.
    :ivar given: the parameters that a function with ``arguments`` takes from these.
    """

    def __init__(self) -> None:
        self.names: List[str] = []
        self.rest = ""
        self.captured: List[str] = []
        self.prelude: List[Tuple[Node, str]] = []
        self.given: List[str] = []

    def __str__(self) -> str:
        return ", ".join(map(str, self.items()))

    def items(self) -> List[Piece]:
        """Return the parameters as pieces."""
        found = [atom(name) for name in self.names]
        if self.rest:
            found.append(atom(f"*{self.rest}"))
        elif self.captured:
            found.append(atom("*"))
        found += [atom(f"{name}={name}") for name in self.captured]
        return found


def caller_name(node: Node) -> str:
    """Return the name of the function or method that a function is passed to, or an empty one."""
    parent = node.parent
    if parent is None or parent.kind != "arguments" or parent.parent is None:
        return ""
    call = parent.parent
    if call.kind != "call_expression":
        return ""
    function = call["function"]
    if function.kind == "member_expression":
        return function["property"].text
    return function.text if function.kind == "identifier" else ""


def signature_of(t: Translator, node: Node, thing: Thing) -> Signature:
    signature = Signature()
    given = parameters(node)
    least = 0 if thing.escaped else min(thing.counts, default=len(given))
    for index, each in enumerate(given):
        _parameter(t, signature, each, index >= least)
    most = max(thing.counts, default=0)
    has_rest = bool(given) and given[-1].kind == "rest_pattern"
    if not has_rest and (most > len(given) or thing.escaped):
        _surplus(t, node, signature, most - len(given), thing)
    if uses_arguments(node):
        signature.given = _beside_arguments(node, given)
        signature.names, signature.prelude, signature.rest = [], [], "arguments"
    signature.captured = captured(t, node)
    return signature


def _beside_arguments(node: Node, given: List[Node]) -> List[str]:
    """Return the names of the parameters of a function that also uses ``arguments``.

    :raises Unsupported: it changes one, which changes the other in JavaScript.
    """
    if any(each.kind != "identifier" or each.binding.writes[1:] for each in given) or (
        given and any(
            each.kind in ("assignment_expression", "augmented_assignment_expression")
            and each["left"].text.startswith("arguments[") for each in node.walk()
        )
    ):
        raise Unsupported("`arguments` beside parameters that change")
    return [each.binding.python for each in given]


def _parameter(t: Translator, signature: Signature, node: Node, is_optional: bool) -> None:
    if node.kind == "rest_pattern":
        target = node.kids[0]
        if target.kind != "identifier":
            raise Unsupported("such a parameter is not supported")
        signature.rest = target.binding.python
        signature.prelude.append((node, signature.rest))
        return
    target, default = node, None
    if node.kind == "assignment_pattern":
        target, default = node["left"], node["right"]
    if target.kind == "identifier":
        name = target.binding.python
    else:
        name = t.names.fresh("options" if target.kind == "object_pattern" else "values")
        signature.prelude.append((node, name))
    if default is None:
        signature.names.append(f"{name}=None" if is_optional else name)
    elif default.kind in _LITERALS and target.kind == "identifier" and _never_missing(t, node):
        signature.names.append(f"{name}={t.expr(default)}")
    else:
        signature.names.append(f"{name}=None")
        if target.kind == "identifier":
            signature.prelude.append((node, name))
    _order_defaults(signature)


def _order_defaults(signature: Signature) -> None:
    """Give a parameter behind one with a default a default, too."""
    seen = False
    for index, name in enumerate(signature.names):
        if "=" in name:
            seen = True
        elif seen:
            signature.names[index] = f"{name}=None"


def _never_missing(t: Translator, node: Node) -> bool:
    """True if no call passes undefined, or what may be undefined, for a parameter."""
    function = node.inside(FUNCTIONS)
    assert function is not None
    thing = t.world.make("function", function)
    index = parameters(function).index(node)
    mask = thing.parameters[index] if index < len(thing.parameters) else 0
    return not mask & (NONE | ANY) and not thing.escaped


def _surplus(
    t: Translator, node: Node, signature: Signature, count: int, thing: Thing
) -> None:
    """Add the parameters that Python needs and JavaScript leaves out."""
    names = _known_arguments(node)
    if names is None and thing.counts == {2} and thing.parameters and (
        thing.parameters[0] & ERR and not thing.parameters[0] & ~(ERR | NONE)
    ):
        names = ["err", "res"]
    taken = {name.partition("=")[0] for name in signature.names}
    taken |= {binding.python for binding in _variables(node)}
    if names is not None and not thing.escaped and max(thing.counts) == len(names):
        for name in names[len(signature.names):]:
            while name in taken:
                name = f"_{name}"
            has_default = any("=" in each for each in signature.names)
            signature.names.append(f"{name}=None" if has_default else name)
        if min(thing.counts) < len(names):
            for index in range(min(thing.counts), len(signature.names)):
                name = signature.names[index]
                if "=" not in name:
                    signature.names[index] = f"{name}=None"
        return
    signature.rest = "_" if "_" not in taken else "_rest"


def _known_arguments(node: Node) -> Optional[List[str]]:
    name = caller_name(node)
    if name in keyyo.METHODS or _is_computed(node):
        return ["err", "res"]
    parent = node.parent
    above = parent.parent if parent is not None else None
    if above is not None and above.kind == "new_expression":
        return ["resolve", "reject"]
    if parent is not None and parent.kind == "assignment_expression":
        left = parent["left"]
        if left.kind == "member_expression":
            event = keyyo.HANDLERS.get(left["property"].text)
            if event is not None:
                return ["call"] * len(keyyo.EVENTS[event])
            return ["event"]
    if name in _EVENT_METHODS:
        return ["event"]
    if name in ("on", "addEventListener"):
        first = parent.kids[0] if parent is not None else None
        if first is not None and first.kind == "string":
            event = first.text.strip("\"'")
            if event in keyyo.EVENTS:
                return ["call"] * len(keyyo.EVENTS[event])
        return ["event"]
    return None


def _is_computed(node: Node) -> bool:
    """True for a callback of ``call[action](...)``."""
    parent = node.parent
    above = parent.parent if parent is not None and parent.kind == "arguments" else None
    return above is not None and above.kind == "call_expression" and (
        above["function"].kind == "subscript_expression"
    )


def _variables(node: Node) -> Iterator[Binding]:
    for each in node.walk():
        if each.binding is not None:
            yield each.binding


def captured(t: Translator, node: Node) -> List[str]:
    """Return the variables of a loop's round that a function must keep."""
    if not t.function.loops or caller_name(node) in IMMEDIATE:
        return []
    found: List[str] = []
    seen: Set[Binding] = set()
    for each in node.walk():
        binding = each.binding
        if binding is None or binding in seen:
            continue
        seen.add(binding)
        if not _is_of_round(t, binding, node):
            continue
        if any(write.start > node.start and not _in_head(write) for write in binding.writes):
            raise Unsupported(
                "a variable of a loop's round that changes after a function uses it",
                "Make a function of the loop's body",
            )
        found.append(binding.python)
    return sorted(found)


def _in_head(node: Node) -> bool:
    """True if a node stands in the update of a ``for``."""
    walked: Optional[Node] = node
    while walked is not None and walked.parent is not None:
        if walked.parent.kind == "for_statement":
            return walked.parent.get("increment") is walked
        walked = walked.parent
    return False


def _is_of_round(t: Translator, binding: Binding, node: Node) -> bool:
    if binding.kind in ("free", "implicit", "import") or binding.is_this:
        return False
    if binding.node is not None and node.start <= binding.node.start < node.end:
        return False
    if t.names.owner(binding) is not t.function.node:
        return False
    loops = {id(loop.node) for loop in t.function.loops if not loop.is_switch}
    if binding.owner is not None and id(binding.owner) in loops:
        return True
    return binding.loop is not None and id(binding.loop) in loops and (
        binding.owner is t.function.node or id(binding.owner) in t.inlined
    )
