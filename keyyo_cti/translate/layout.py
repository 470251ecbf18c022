"""Prints statements: indents, blank lines, and lines that are broken where they are too long."""

from __future__ import annotations

import re
from typing import Iterable, List, Optional, Union

from .pieces import Group, Part, Piece, Text
from .syntax import Node

#: The limit of PEP 8, which is flake8's default.
WIDTH = 79

_INDENT = "    "

#: Nothing is broken beyond this column: each level would double the time.
_LAST_COLUMN = 36

#: Where a line that has no bracket to break is broken, loosest first.
_OPERATORS = (" if ", " else ", " or ", " and ", " + ", " - ", " == ", " != ")


class Line:
    """A simple statement, or the head of a block.

    :ivar body: the statements of a block, or None.
    :ivar comment: stands behind it.
    :ivar is_definition: True for a function or a class.
    :ivar node: the statement of the source that it translates.
    :ivar place: the number of its first line, from 0, once it is rendered.
    """

    def __init__(
        self, piece: Union[str, Piece], body: Optional[List["Line"]] = None,
        is_definition: bool = False, is_comment: bool = False,
    ) -> None:
        self.piece = Piece([piece]) if isinstance(piece, str) else piece
        self.body = body
        self.comment = ""
        self.is_definition = is_definition
        self.is_comment = is_comment
        self.decorators: List[str] = []
        self.gap = False
        self.node: Optional[Node] = None
        self.place = 0

    @property
    def text(self) -> str:
        """The statement on one line."""
        return str(self.piece)


def comment_line(text: str) -> Line:
    """Return a comment that stands alone."""
    # A comment may hold what no line of Python may, such as a form feed.
    plain = "".join(each if each.isprintable() else " " for each in text)
    return Line(f"# {plain}".rstrip(), is_comment=True)


def render(lines: List[Line]) -> str:
    """Return a module."""
    out: List[str] = []
    _block(lines, 0, out)
    return "\n".join(map(_accepted, out)) + "\n" if out else ""


def statement_at(lines: List[Line], place: int) -> Optional[Node]:
    """Return the innermost statement of the source that a line of the rendered text translates."""
    before = [line for line in lines if line.place <= place]
    if not before:
        return None
    found = next((line.node for line in before[::-1] if line.node is not None), None)
    return statement_at(before[-1].body or [], place) or found


def _accepted(line: str) -> str:
    """Return a line that flake8 accepts although nothing can break it."""
    if " = lambda" in line and "# noqa" not in line and (
        re.match(r"\s*\w+(: \w+)? = lambda\b", line)
    ):
        # A `def` would be a second one of its name, which nothing accepts.
        line = f"{line}  # noqa: E731"
        return line.replace("E731", "E501, E731") if len(line) > WIDTH else line
    if len(line) <= WIDTH or "# noqa: E501" in line:
        return line
    if "  # noqa: F841" in line:
        return line.replace("  # noqa: F841", "  # noqa: E501, F841")
    return f"{line}  # noqa: E501"


def _block(lines: List[Line], depth: int, out: List[str]) -> None:
    blank = 2 if depth == 0 else 1
    after_definition = False
    leads = _leading_to_definitions(lines)
    for index, line in enumerate(lines):
        needs = 0
        if index and (after_definition or leads[index]):
            needs = blank
            if index and lines[index - 1].is_comment:
                needs = 0 if not after_definition else blank
        elif index and line.gap:
            needs = 1
        out.extend([""] * needs)
        line.place = len(out)
        _line(line, depth, out)
        if not line.is_comment:
            after_definition = line.is_definition
        elif after_definition:
            after_definition = False


def _leading_to_definitions(lines: List[Line]) -> List[bool]:
    """Return for each line True if it is a definition, or a comment above one."""
    found: List[bool] = []
    for line in reversed(lines):
        above = line.is_comment and bool(found) and found[-1]
        found.append(above or (line.is_definition and not line.is_comment))
    return found[::-1]


def _line(line: Line, depth: int, out: List[str]) -> None:
    indent = _INDENT * depth
    out.extend(f"{indent}@{name}" for name in line.decorators)
    if line.is_comment:
        out.extend(_comment(str(line.piece), indent))
        return
    whole = indent + line.text
    comment = f"  # {line.comment}" if line.comment else ""
    is_noqa = line.comment.startswith("noqa")
    colon = ":" if line.body is not None else ""
    fits = len(whole) + len(colon) <= WIDTH and "\n" not in whole
    if comment and not is_noqa and (len(whole) + len(colon) + len(comment) > WIDTH):
        out.extend(_comment(f"# {line.comment}", indent))
        comment = ""
    if fits:
        out.append(f"{whole}{colon}{comment}")
    else:
        broken = _broken(line.piece, indent, colon)
        broken[0 if is_noqa else -1] += comment
        out.extend(broken)
    if line.body is not None:
        body = line.body
        if all(each.is_comment for each in body):
            body = [*body, Line("pass")]
        _block(body, depth + 1, out)


def _comment(text: str, indent: str) -> List[str]:
    # Otherwise a comment of the source in the first lines sets the encoding of the Python file.
    text = re.sub(r"(coding)([:=])", r"\1 \2", text)
    words = text.split(" ")
    if len(indent) + len(text) <= WIDTH or "JS:" in text:
        if len(indent) + len(text) > WIDTH:
            return _hard_wrapped(text, indent)
        return [indent + text]
    lines = [indent + words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) > WIDTH and lines[-1] != f"{indent}#":
            lines.append(f"{indent}#")
        lines[-1] += f" {word}"
    return [each if len(each) <= WIDTH else f"{each}  # noqa: E501" for each in lines]


def _hard_wrapped(text: str, indent: str) -> List[str]:
    """Break a quotation of JavaScript anywhere: it is only a quotation."""
    room = max(20, WIDTH - len(indent))
    lines = [indent + text[:room]]
    rest = text[room:]
    while rest:
        step = room - len("# JS:   ")
        lines.append(f"{indent}# JS:   {rest[:step]}")
        rest = rest[step:]
    return [each.rstrip() for each in lines]


def _broken(piece: Piece, indent: str, end: str) -> List[str]:
    """Return a piece over several lines."""
    found = _break_groups(list(piece.parts), indent, end)
    if found is None:
        found = _break_operators(piece, indent, end)
    if found is None:
        text = f"{indent}{piece}{end}"
        found = [f"{text}  # noqa: E501"]
    return found


def _break_groups(parts: List[Part], indent: str, end: str) -> Optional[List[str]]:
    """Break at the last bracket whose break makes the line fit, or else at the longest."""
    candidates = [
        index for index in range(len(parts) - 1, -1, -1)
        if isinstance(parts[index], Group) and parts[index].items  # type: ignore[union-attr]
        and not _is_subscript(parts, index)
    ]
    for index in candidates:
        group = parts[index]
        assert isinstance(group, Group)
        if isinstance(group, Text) and len(parts) == 1 and index == 0:
            continue
        hugged = _hugged(group)
        if hugged is not None:
            parts = [*parts[:index], hugged, *parts[index + 1:]]
            group = hugged
        head = "".join(map(str, parts[:index])) + group.opening
        tail = group.closing + "".join(map(str, parts[index + 1:])) + end
        if len(indent) + len(head) > WIDTH:
            continue
        if len(indent) + len(tail) > WIDTH:
            rest = _break_groups([group.closing, *parts[index + 1:]], indent, end)
            if rest is None:
                continue
        else:
            rest = [indent + tail]
        return [indent + head, *_items(group, indent + _INDENT), *rest]
    return None


def _hugged(group: Group) -> Optional[Group]:
    """Return one group for a call whose only argument is a list or a dict."""
    if len(group.items) != 1 or not group.opening.endswith("(") or group.comma != ",":
        return None
    parts = group.items[0].parts
    if len(parts) != 1 or not isinstance(parts[0], Group) or isinstance(parts[0], Text):
        return None
    inner = parts[0]
    if inner.opening not in ("{", "[") or not inner.items or inner.comma != ",":
        return None
    return Group(group.opening + inner.opening, inner.items, inner.closing + group.closing)


def _is_subscript(parts: List[Part], index: int) -> bool:
    """True for the parentheses of an f-string's or a subscript's inside."""
    before = "".join(map(str, parts[:index]))
    return before.count("[") != before.count("]") or before.count("{") != before.count("}")


def _items(group: Group, indent: str) -> Iterable[str]:
    if isinstance(group, Text):
        return [indent + each for each in group.lines(WIDTH - len(indent))]
    comma = "," if group.comma == "," else ""
    trails = len(group.items) > 1 and not _has_star(group)
    if comma and trails:
        flat = ", ".join(map(str, group.items))
        if len(indent) + len(flat) <= WIDTH and group.opening.endswith("("):
            return [indent + flat]
    lines: List[str] = []
    for number, each in enumerate(group.items):
        last = number == len(group.items) - 1
        end = comma if not last or trails else ""
        if last and group.opening.endswith("(") and len(group.items) == 1:
            end = ""
        text = f"{indent}{each}{end}"
        if len(text) <= WIDTH:
            lines.append(text)
        else:
            lines.extend(_broken_item(each, indent, end))
    return lines


def _has_star(group: Group) -> bool:
    return any(str(each).startswith("*") for each in group.items)


def _broken_item(piece: Piece, indent: str, end: str) -> List[str]:
    if len(indent) > _LAST_COLUMN:
        return [f"{indent}{piece}{end}  # noqa: E501"]
    if len(piece.parts) == 1 and isinstance(piece.parts[0], Text):
        lines = [indent + each for each in piece.parts[0].lines(WIDTH - len(indent))]
        lines[-1] += end
        return lines
    at_operators = _operands(piece, indent, end)
    if at_operators is not None and all(len(each) <= WIDTH for each in at_operators):
        return at_operators
    found = _break_groups(list(piece.parts), indent, end)
    return found or at_operators or [f"{indent}{piece}{end}  # noqa: E501"]


def _operands(
    piece: Piece, indent: str, end: str, operators: "tuple[str, ...]" = _OPERATORS
) -> Optional[List[str]]:
    """Break an expression in brackets before its loosest operators."""
    if str(piece).startswith("lambda"):
        return None
    for number, operator in enumerate(operators):
        pieces = _split(piece, operator)
        if len(pieces) < 2:
            continue
        lines: List[str] = []
        for index, each in enumerate(pieces):
            last = end if index == len(pieces) - 1 else ""
            text = f"{indent}{each}{last}"
            if len(text) > WIDTH:
                deeper = _operands(each, indent, last, operators[number + 1:])
                deeper = deeper or _break_groups(list(each.parts), indent, last)
                lines.extend(deeper or [text])
            else:
                lines.append(text)
        return lines
    return None


def _split(piece: Piece, operator: str) -> List[Piece]:
    """Return the operands with their operators before them."""
    found: List[List[Part]] = [[]]
    for part in piece.parts:
        if not isinstance(part, str) or (_is_text(part) and part.strip() != operator.strip()):
            found[-1].append(part)
            continue
        first, *rest = part.split(operator)
        found[-1].append(first)
        for each in rest:
            found.append([f"{operator.strip()} {each}"])
    return [Piece(parts) for parts in found]


def _is_text(part: str) -> bool:
    return '"' in part or "'" in part


def _break_operators(piece: Piece, indent: str, end: str) -> Optional[List[str]]:
    """Put the right side of an assignment, a return or a condition into parentheses."""
    text = str(piece)
    for head in ("return ", "if ", "elif ", "while ", "raise "):
        if text.startswith(head):
            return _in_parentheses(head, _without(piece, head), indent, end)
    first = str(piece.parts[0])
    if " = " in first:
        head = first[:first.index(" = ") + 3]
        return _in_parentheses(head, _without(piece, head), indent, end)
    return None


def _without(piece: Piece, head: str) -> Piece:
    first, *rest = piece.parts
    if not str(first).startswith(head):
        return Piece([str(piece)[len(head):]])
    return Piece([str(first)[len(head):], *rest])


def _in_parentheses(head: str, piece: Piece, indent: str, end: str) -> Optional[List[str]]:
    inner = indent + _INDENT
    whole = f"{inner}{piece}"
    lines = [whole] if len(whole) <= WIDTH else _operands(piece, inner, "")
    if lines is None:
        return None
    lines = [each if len(each) <= WIDTH else f"{each}  # noqa: E501" for each in lines]
    return [f"{indent}{head}(", *lines, f"{indent}){end}"]


def comment_text(source: str) -> List[str]:
    """Return the lines of a comment without its marks."""
    if source.startswith("//"):
        return [source[2:].strip() if not source.startswith("//   ") else source[2:].rstrip()[1:]]
    if source.startswith("/*"):
        inner = source[2:-2] if source.endswith("*/") else source[2:]
        lines = [re.sub(r"^\s*\*+ ?", "", line).rstrip() for line in inner.splitlines()]
        lines = [line.strip() if index == 0 else line for index, line in enumerate(lines)]
        while lines and not lines[0].strip():
            lines.pop(0)
        while lines and not lines[-1].strip():
            lines.pop()
        return lines or [""]
    return [source.strip("<!->").strip()]
