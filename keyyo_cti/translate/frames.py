"""The function and the loop that are being written."""

from __future__ import annotations

from typing import Callable, Dict, List, Optional

from .pieces import Piece
from .syntax import Node


class Function:
    """The Python function that is being written; the module has one, too.

    :ivar node: the JavaScript function, or None for the module.
    :ivar outside: variables of functions around it that it sets.
    """

    def __init__(self, node: Optional[Node], parent: Optional["Function"]) -> None:
        self.node = node
        self.parent = parent
        self.outside: Dict[str, str] = {}
        self.is_lambda = False
        self.self_name: str = parent.self_name if parent is not None else ""
        self.this: Optional[Piece] = parent.this if parent is not None else None
        self.loops: List["Loop"] = []
        self.temporary = 0
        self.this_owner: Optional[Node] = parent.this_owner if parent is not None else None

    @property
    def is_of_module(self) -> bool:
        """True outside of every definition; a lambda is a part of what is around it."""
        if self.is_lambda and self.parent is not None:
            return self.parent.is_of_module
        return self.node is None


class Loop:
    """A loop that is being written.

    :ivar update: writes what ``continue`` has to do first.
    :ivar is_round: True for a switch, or a block with a label, that is a Python loop of one round,
        which ``break`` leaves.
    """

    def __init__(
        self, node: Node, update: Optional[Callable[[], None]] = None, is_switch: bool = False,
        is_callback: bool = False, is_round: bool = False,
    ) -> None:
        self.node = node
        self.update = update
        self.is_switch = is_switch
        self.is_callback = is_callback
        self.is_round = is_round
