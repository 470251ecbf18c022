"""The state of one translation, and what all its parts use."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Set, Tuple, TypeVar

from .frames import Function
from .hoisting import in_order
from .infer import Inference
from .layout import Line, comment_line, comment_text
from .literals import quote
from .naming import Names
from .narrowing import after, facts, result_of
from .notes import Notes, Unsupported, as_unsupported, short
from .pieces import LAMBDA, Group, Piece, call, wrap
from .scopes import Analysis, Binding
from .shapes import Shapes
from .syntax import Node, broken, check_own
from .types import ANY, NONE, NULL, Thing, World
from .unset import left_undefined

Result = TypeVar("Result")

Expression = Callable[["Translator", Node], Piece]
Statement = Callable[["Translator", Node], None]

#: Rules of modules that build on this one.
LATE: Dict[str, Expression] = {}

#: By the kind of a node; the modules of the rules fill them in.
EXPRESSIONS: Dict[str, Expression] = {}
STATEMENTS: Dict[str, Statement] = {}


class NeedsStatements(Exception):
    """An expression cannot be written without a statement before it."""


class Translator:
    """Translates one program.

    :ivar out: the statements that are being written.
    :ivar replaced: pieces for nodes whose value is already known.
    :ivar with_elements: by a mask: what the value and its elements may be.
    :ivar exits: by the id of a loop, the flags of the jumps out of it, to labels around it.
    :ivar refused: where the statements begin whose translation would not compile.
    """

    def __init__(
        self, program: Node, analysis: Analysis, shapes: Shapes, inference: Inference,
        names: Names, inlined: Set[int],
    ) -> None:
        self.program = program
        self.analysis = analysis
        self.shapes = shapes
        self.inference = inference
        self.world: World = inference.world
        self.names = names
        self.inlined = inlined
        self.notes = Notes()
        self.helpers: Set[str] = set()
        self.imports: Set[str] = set()
        self.out: List[Line] = []
        self.function = Function(None, None)
        self.replaced: Dict[int, Piece] = {}
        self.stripped: Set[int] = set()
        self.may_write = True
        self.ctis: List[str] = []
        self.uses_page = False
        self.at_end: List[Piece] = []
        self.at_close: List[Piece] = []
        self.statement_node = program
        self.dict_keys = _dict_keys(self.world)
        self.with_elements: Dict[int, int] = {}
        self.results = _results(analysis)
        self.certain: Set[Optional[Binding]] = {None}
        self.no_walrus = False
        self._owners: Optional[Dict[str, List[Thing]]] = None
        self._variables: Dict[int, List[Binding]] = {}
        self.opening: Set[int] = set()
        self.first_cti: Optional[Binding] = None
        self.bound: Set[int] = set()
        self.makes_cti = False
        self.will_use_page = False
        self.uses_promises = False
        self.refused: Set[int] = set()
        self.exits: Dict[int, Dict[str, Node]] = {}

    # Expressions.

    def expr(self, node: Node) -> Piece:
        """Return the translation of an expression."""
        if id(node) in self.replaced:
            return self.replaced[id(node)]
        if node.broken:
            raise broken()
        rule = EXPRESSIONS.get(node.kind)
        if rule is None:
            raise Unsupported(f"{node.kind.replace('_', ' ')} is not supported")
        return rule(self, node)

    def condition(self, node: Node) -> Piece:
        """Return an expression that is true where JavaScript's is."""
        return LATE["condition"](self, node)

    def text(self, node: Node) -> Piece:
        """Return an expression as text, as ``+`` with a string makes it."""
        return LATE["text"](self, node)

    def mask(self, node: Node) -> int:
        """Return what an expression may be; anything, if nothing is known."""
        mask = node.type or ANY
        if node.kind == "identifier" and node.binding in self.results:
            # Of `err` and `res`, one is null.
            return mask if node.binding in self.certain else mask | NULL
        if mask & NONE or self.results:
            return self._narrowed(node, mask)
        return mask

    def _narrowed(self, node: Node, mask: int) -> int:
        if node.kind == "identifier" and node.binding in self.certain:
            return mask & ~NONE
        if node.kind == "binary_expression" and node["operator"].kind in ("||", "??"):
            known = facts(node["left"], False)[0]
            right = self.knowing(known, lambda: self.mask(node["right"]))
            return self.mask(node["left"]) & ~NONE | right
        if node.kind == "ternary_expression":
            return self.mask(node["consequence"]) | self.mask(node["alternative"])
        return mask

    def knowing(self, bindings: "List[Binding]", do: Callable[[], Result]) -> Result:
        """Do something while these variables are known not to be None."""
        if not bindings:
            return do()
        before, self.certain = self.certain, self.certain | set(bindings)
        try:
            return do()
        finally:
            self.certain = before

    def helper(self, name: str, *arguments: "Piece | str") -> Piece:
        """Return a call of a helper, which the translation will hold."""
        self.helpers.add(name)
        return call(name, *arguments)

    def need(self, statement: str) -> None:
        """Have the translation import something."""
        self.imports.add(statement)

    def runtime(self, name: str) -> str:
        """Return the name of something that runs timers and promises."""
        self.uses_page = True
        self.need(f"from keyyo_cti.translate.page import {name}")
        return name

    def runtime_free(self, name: str) -> str:
        """Return the name of a part of the runtime that needs no running page."""
        self.need(f"from keyyo_cti.translate.page import {name}")
        return name

    def stub(self, name: str) -> str:
        """Return the name of something that stands in for the browser."""
        self.need(f"from keyyo_cti.translate.browser import {name}")
        return name

    def note(self, node: Node, what: str, why: str, action: str) -> None:
        """Add a note about a difference."""
        self.notes.add(node.line, what, why, action)

    def page_note(self, node: Node, name: str) -> None:
        """Note that a program has no page."""
        self.note(
            node, name, "a program has no page: a stub prints what would be shown",
            "Replace it by your own output and input",
        )

    def kept_note(self, node: Node) -> None:
        """Note that a kept Call changes."""
        self.note(
            node, "a Call that is kept", "in Python it is live, and its attributes change",
            "Copy what is compared later, such as call.state",
        )

    def owners_of(self, name: str, *kinds: str) -> List[Thing]:
        """Return the objects of these kinds that have a property of a name."""
        if self._owners is None:
            self._owners = {}
            for thing in self.world.things:
                for each in thing.fields:
                    self._owners.setdefault(each, []).append(thing)
        return [thing for thing in self._owners.get(name, []) if thing.kind in kinds]

    def mark(self) -> "Tuple[object, ...]":
        """Return a state to go back to when an attempt fails."""
        return (
            self.function, self.may_write, self.notes.mark(), set(self.helpers),
            set(self.imports), self.names.mark(),
        )

    def reset(self, state: "Tuple[Any, ...]") -> None:
        """Go back to a state: the attempt has left nothing behind."""
        self.function, self.may_write = state[0], state[1]
        self.notes.reset(state[2])
        self.helpers, self.imports = set(state[3]), set(state[4])
        self.names.reset(state[5])

    def temporary(self, base: str = "value") -> str:
        """Return a name for a value that is needed twice."""
        return self.names.fresh(base)

    # Names.

    def name_of(self, binding: Binding) -> str:
        """Return the name of a variable that is read."""
        return binding.python

    def variables_of(self, function: Optional[Node]) -> List[Binding]:
        """Return the variables of a Python function, or of the module."""
        if not self._variables:
            for binding in self.analysis.bindings:
                owner = self.names.owner(binding)
                key = id(owner) if owner is not None else 0
                self._variables.setdefault(key, []).append(binding)
        return self._variables.get(id(function) if function is not None else 0, [])

    def written(self, binding: Binding) -> str:
        """Return the name of a variable that is set here."""
        owner = self.names.owner(binding)
        function = self.function
        if function.is_lambda:
            raise NeedsStatements
        if owner is not function.node:
            kind = "global" if owner is None else "nonlocal"
            function.outside[binding.python] = kind
        return binding.python

    # Statements.

    def write(self, piece: "Piece | str", comment: str = "") -> Line:
        """Write a statement."""
        if not self.may_write:
            raise NeedsStatements
        if isinstance(piece, Piece):
            piece = wrap(piece, LAMBDA)
        line = Line(piece)
        line.comment = comment
        self.out.append(line)
        return line

    def unused(self, line: Line, binding: Optional[Binding]) -> None:
        """Have flake8 accept a variable of a function that nothing reads."""
        if binding is None or binding.reads or self.names.owner(binding) is None:
            return
        if self.names.owner(binding) is self.function.node and not line.comment:
            line.comment = "noqa: F841"

    def block(self, head: "Piece | str", body: List[Line], is_definition: bool = False) -> Line:
        """Write a compound statement."""
        if not self.may_write:
            raise NeedsStatements
        line = Line(head, body, is_definition)
        self.out.append(line)
        return line

    def body(self, node: Node) -> List[Line]:
        """Return the statements of a block, or of a single statement."""
        return self.collect(
            lambda: self.statements(node.kids) if node.kind == "statement_block"
            else self.statements([node])
        )

    def collect(self, write: Callable[[], None]) -> List[Line]:
        """Return what a function writes."""
        before, self.out = self.out, []
        may_write, self.may_write = self.may_write, True
        try:
            write()
            return self.out
        finally:
            self.out, self.may_write = before, may_write

    def statements(self, nodes: List[Node]) -> None:
        """Write a list of statements with their comments."""
        before = self.certain
        previous: Optional[Node] = None
        ordered = in_order(nodes)
        elsewhere = self._comments_of_replaced(ordered) if self.shapes.replaced else ()
        for node in ordered:
            if id(node) in elsewhere:
                continue
            if node.kind == "comment":
                self._comment(node, previous)
            elif id(node) not in self.shapes.replaced:
                start = len(self.out)
                self.statement(node)
                known = after(node)
                if known:
                    self.certain = self.certain | set(known)
                if previous is not None and start < len(self.out):
                    if node.line - previous.end_line > 1:
                        self.out[start].gap = True
                    elif previous.kind == "comment" and node.line < previous.line:
                        self.out[start].gap = True
            else:
                continue
            previous = node
        self.certain = before

    def _comments_of_replaced(self, nodes: List[Node]) -> Set[int]:
        """Return the comments above statements that a class replaces: they stand in the class."""
        found: Set[int] = set()
        below: Optional[Node] = None
        for node in reversed(nodes):
            if node.kind != "comment":
                below = node if id(node) in self.shapes.replaced else None
            elif below is not None and below.line - node.end_line == 1:
                found.add(id(node))
                below = node
            else:
                below = None
        return found

    def statement(self, node: Node) -> None:
        """Write a statement, or a remark that it cannot be said."""
        before, self.statement_node = self.statement_node, node
        written, state = len(self.out), self.mark()
        try:
            for comment in node.comments:
                self._comment(comment, None)
            if node.start in self.refused:
                raise Unsupported("Python has no such statement here")
            self._rule(node)(self, node)
            for line in self.out[written:]:
                line.node = line.node or node
        except (Unsupported, IndexError, RecursionError) as error:
            del self.out[written:]
            self.reset(state)
            self.unsupported(node, as_unsupported(error))
        finally:
            self.statement_node = before

    def _rule(self, node: Node) -> Statement:
        if node.broken and node.kind not in _HOLDERS:
            raise broken()
        check_own(node, STATEMENTS)
        rule = STATEMENTS.get(node.kind)
        if rule is None:
            raise Unsupported(f"{node.kind.replace('_', ' ')} is not supported")
        return rule

    def unsupported(self, node: Node, error: Unsupported) -> None:
        """Write the source as a comment, and an exception in its place."""
        lines = node.text.splitlines() or [""]
        for line in lines:
            self.out.append(comment_line(f"JS: {line.strip()}"))
        # Otherwise flake8 takes what follows for an undefined name.
        self.out += [Line(f"{each.python} = None") for each in left_undefined(node)]
        reason = f"line {node.line}: {error}"
        self.out.append(Line(Piece([
            Group("raise NotImplementedError(", [Piece([quote(reason)])], ")")
        ])))
        self.notes.fail(node.line, short(node.text), str(error), error.action)

    def _comment(self, node: Node, previous: Optional[Node]) -> None:
        lines = comment_text(node.text)
        is_behind = previous is not None and previous.end_line == node.line
        if is_behind and self.out and len(lines) == 1:
            last = self.out[-1]
            while last.body and not last.comment:
                deeper = [each for each in last.body if not each.is_comment]
                if not deeper:
                    break
                last = deeper[-1]
            if not last.comment and not last.is_comment:
                last.comment = "".join(each if each.isprintable() else " " for each in lines[0])
                return
        for index, text in enumerate(lines):
            line = comment_line(text)
            line.gap = index == 0 and previous is not None and (
                node.line - previous.end_line > 1
            )
            self.out.append(line)


_HOLDERS = frozenset({
    "if_statement", "for_statement", "for_in_statement", "while_statement",
    "statement_block", "expression_statement", "function_declaration", "variable_declaration",
    "lexical_declaration", "class_declaration", "return_statement",
})


def _results(analysis: Analysis) -> Set[Optional[Binding]]:
    found = {result_of(binding) for binding in analysis.bindings}
    found.discard(None)
    return found


def _dict_keys(world: World) -> Set[str]:
    return {name for thing in world.things if thing.kind == "dict" for name in thing.fields}
