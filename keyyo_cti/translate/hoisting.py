"""The order of statements in which each function stands before its use."""

from __future__ import annotations

from typing import Dict, List, Optional

from .syntax import Node

_DECLARATIONS = frozenset({"function_declaration", "generator_function_declaration"})


def in_order(nodes: List[Node]) -> List[Node]:
    """Return the statements, with function declarations moved up to before their first use.

    JavaScript makes all functions of a block before it runs the block's first statement.
    """
    declared = {
        index: node for index, node in enumerate(nodes)
        if node.kind in _DECLARATIONS and node.get("name") is not None
    }
    if not declared:
        return nodes
    needed = _first_uses(nodes, declared)
    moved = {index: place for index, place in needed.items() if place < index}
    if not moved:
        return nodes
    found: List[Node] = []
    for index, node in enumerate(nodes):
        for each in sorted(moved):
            if moved[each] == index:
                found.extend(_with_comments(nodes, each))
        if index not in moved and not _belongs_to_moved(nodes, index, moved):
            found.append(node)
    return found


def _first_uses(nodes: List[Node], declared: Dict[int, Node]) -> Dict[int, int]:
    """Return for each declaration the index of the first statement that may run it."""
    uses: Dict[int, List[int]] = {index: [] for index in declared}
    by_binding = {node["name"].binding: index for index, node in declared.items()}
    for binding, index in by_binding.items():
        for read in binding.reads:
            place = _index_of(nodes, read)
            if place is not None:
                uses[index].append(place)
    first = {index: len(nodes) for index in declared}
    for _ in range(len(declared) + 1):
        changed = False
        for index, places in uses.items():
            for place in places:
                at = first[place] if place in declared else place
                if at < first[index]:
                    first[index], changed = at, True
        if not changed:
            break
    return first


def _index_of(nodes: List[Node], node: Node) -> Optional[int]:
    low, high = 0, len(nodes) - 1
    while low <= high:
        middle = (low + high) // 2
        if nodes[middle].end <= node.start:
            low = middle + 1
        elif nodes[middle].start > node.start:
            high = middle - 1
        else:
            return middle
    return None


def _with_comments(nodes: List[Node], index: int) -> List[Node]:
    first = index
    while first > 0 and _leads(nodes, first - 1):
        first -= 1
    last = index
    if last + 1 < len(nodes) and nodes[last + 1].kind == "comment":
        if nodes[last + 1].line == nodes[last].end_line:
            last += 1
    return nodes[first:last + 1]


def _leads(nodes: List[Node], index: int) -> bool:
    """True for a comment right above what follows, and not behind what is before."""
    node = nodes[index]
    if node.kind != "comment" or nodes[index + 1].line - node.end_line > 1:
        return False
    return index == 0 or nodes[index - 1].end_line != node.line


def _belongs_to_moved(nodes: List[Node], index: int, moved: Dict[int, int]) -> bool:
    return nodes[index].kind == "comment" and any(
        nodes[index] in _with_comments(nodes, each) for each in moved
    )
