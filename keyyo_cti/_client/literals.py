"""Arguments and fields with few values, as types that let checkers find a wrong one."""

from typing import Callable, Literal, Union

#: A party of a call.
Side = Literal["caller", "callee"]

#: The direction of a call, from the point of view of its line.
Direction = Literal["in", "out", "internal"]

#: The transports. Only for the option: once compared, ``cti.transport`` would keep that value for
#: a type checker, and so would ``call.state``.
Transport = Literal["websocket", "xhr-streaming", "xhr-polling"]

#: Where handlers and callbacks run: None for an event thread of the SDK, "manual" for ``poll()``,
#: or a function that receives each piece of work.
Dispatch = Union[None, Literal["manual"], Callable[[Callable[[], None]], object]]

#: The events of a Call and of a CTI.
CallEvent = Literal["setup", "connect", "release", "missed"]
CTIEvent = Literal[
    "newCall", "disconnected", "restored", "lost", "error", "conversationEnded", "caughtUp"
]
