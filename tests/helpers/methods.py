"""The methods of CTI and Call that send a command, with right and wrong arguments.

Tests that hold for every command take it from here. A new command gets one line, and
``tests/unit/test_exported_members.py`` fails without it.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Tuple

NUMBER = "33199020000"
CALLREF = "c1"
#: Stands for a second Call where a method takes one.
SECOND_CALLREF = "c2"

NOT_A_STRING: Tuple[Any, ...] = (None, 0, 33172587948, b"33", ["33"], True)
NOT_TEXT: Tuple[Any, ...] = ("", *NOT_A_STRING)
NOT_A_SIDE: Tuple[Any, ...] = (
    None, "", "Caller", "caller ", "both", 0, ["caller"], {"caller"}, b"caller",
)
NOT_A_FLAG: Tuple[Any, ...] = (0, 1, "true", "", [], 0.0)
NOT_WHOLE: Tuple[Any, ...] = ("3", 1.0, True, float("nan"), [], b"3")


class Use(NamedTuple):
    """One way to call a method.

    :ivar arguments: by the names of the public method, in its order.
    :ivar fields: what the command holds beside its action, its id and the call's reference.
    """

    arguments: Dict[str, Any]
    fields: Dict[str, Any]

    @property
    def positions(self) -> Tuple[Any, ...]:
        """The same arguments by position."""
        return tuple(self.arguments.values())


class Method(NamedTuple):
    """One method that sends a command.

    :ivar owner: "CTI" or "Call".
    :ivar action: what the server knows the command by.
    :ivar uses: with each optional argument and without.
    :ivar wrong: an argument -> values that the method refuses.
    """

    owner: str
    name: str
    action: str
    uses: Tuple[Use, ...]
    wrong: Dict[str, Tuple[Any, ...]]

    def before(self, argument: str) -> Dict[str, Any]:
        """Return right values for the arguments before this one."""
        right = self.uses[-1].arguments
        return {name: right[name] for name in list(right)[:list(right).index(argument)]}

    def after(self, argument: str) -> Dict[str, Any]:
        """Return right values for the required arguments after this one."""
        right = self.uses[0].arguments
        names = [*right, argument]
        return {name: right[name] for name in list(right)[names.index(argument) + 1:]}


def _line(name: str, action: str, *uses: Use, **wrong: Tuple[Any, ...]) -> Method:
    return Method("CTI", name, action, uses, wrong)


def _call(name: str, action: str, *uses: Use, **wrong: Tuple[Any, ...]) -> Method:
    return Method("Call", name, action, uses, wrong)


def _same(**arguments: Any) -> Use:
    """A use whose fields have the names of the arguments."""
    return Use(arguments, arguments)


def _session(arguments: Dict[str, Any], **fields: Any) -> Use:
    return Use(arguments, {"token": arguments["csi_token"], "protocol_version": 1, **fields})


METHODS: List[Method] = [
    _line("create_session", "create_session",
          _session({"csi_token": "t"}),
          _session({"csi_token": ""}),
          _session({"csi_token": "t", "auto_answer": True}, auto_answer=True),
          _session({"csi_token": "t", "auto_answer": False}, auto_answer=False),
          csi_token=NOT_A_STRING, auto_answer=NOT_A_FLAG),
    _line("restore_session", "restore_session",
          _session({"csi_token": "t"}),
          _session({"csi_token": "", "session_id": ""}, session_id=""),
          _session({"csi_token": "t", "session_id": "s"}, session_id="s"),
          csi_token=NOT_A_STRING, session_id=NOT_A_STRING[1:]),
    _line("subscribe", "subscribe", _same(number=NUMBER), _same(number="callpark"),
          number=NOT_TEXT),
    _line("unsubscribe", "unsubscribe", _same(number=NUMBER), _same(number="callpark"),
          number=NOT_TEXT),
    _line("get_subscriptions", "get_subscriptions", _same()),
    _line("set_auto_answer", "set_auto_answer", _same(auto_answer=True), _same(auto_answer=False),
          auto_answer=(None, *NOT_A_FLAG)),
    _line("get_auto_answer", "get_auto_answer", _same()),
    _line("dial", "call", _same(number="33172587948"), _same(number="7"), _same(number=" +33 1 "),
          number=NOT_TEXT),
    _line("send_message", "send_message",
          _same(number=NUMBER, message="été"), _same(number=NUMBER, message="é\ud800☎"),
          number=NOT_TEXT, message=NOT_TEXT),
    _line("int_to_local", "get_int_to_local_numbers", _same(number=NUMBER), number=NOT_TEXT),
    _line("local_to_int", "get_local_to_int_number", _same(number="0199020000"), number=NOT_TEXT),
    _line("ping", "ping", _same()),
    _line("destroy_session", "destroy_session", _same()),
    _call("answer", "answer_call", _same()),
    _call("hang_up", "terminate_call", _same()),
    _call("reject", "reject_call", _same()),
    _call("transfer", "transfer_call", _same(side="caller", to=NUMBER),
          side=NOT_A_SIDE, to=NOT_TEXT),
    _call("supervised_transfer", "supervised_transfer_call",
          _same(side="callee", to=NUMBER),
          _same(side="callee", to=NUMBER, invite_timer=0),
          _same(side="callee", to=NUMBER, invite_timer=30),
          side=NOT_A_SIDE, to=NOT_TEXT, invite_timer=(-1, *NOT_WHOLE)),
    _call("merge", "merge_call",
          Use({"side": "caller", "second_call": SECOND_CALLREF, "second_call_side": "callee"},
              {"side": "caller", "call_ref2": SECOND_CALLREF, "side2": "callee"}),
          side=NOT_A_SIDE, second_call_side=NOT_A_SIDE),
    _call("pause", "pause_call", _same()),
    _call("park", "park_call", _same(side="callee"), _same(side="caller", slot=0),
          _same(side="caller", slot=-1), _same(side="callee", slot=4),
          side=NOT_A_SIDE, slot=(-2, *NOT_WHOLE)),
    _call("unpark", "unpark_call", _same()),
]

#: Each method with each of its uses, for ``pytest.mark.parametrize``.
USES: List[Tuple[Method, Use]] = [(method, use) for method in METHODS for use in method.uses]

#: Each method with each argument that has wrong values.
WRONG: List[Tuple[Method, str]] = [(method, name) for method in METHODS for name in method.wrong]


def name_use(value: Any) -> str:
    """Return the id of a parameter in a test that uses ``USES`` or ``WRONG``."""
    if isinstance(value, Method):
        return value.name
    return ",".join(map(str, value.arguments)) if isinstance(value, Use) else str(value)
