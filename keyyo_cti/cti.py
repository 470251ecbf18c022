"""CTI: sessions, the line's commands, events. What a program sees; ``Client`` does the work."""

from concurrent.futures import Future
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    List,
    Literal,
    Mapping,
    Optional,
    Union,
    overload,
)

from ._client import at_exit, wire
from ._client.callback import Callback, split_callback
from ._client.emitter import AnyHandler, Emitter, EventAttribute
from ._client.literals import CTIEvent
from ._net.javascript import as_key
from .call import Call, Calls
from .errors import KeyyoError
from .results import AutoAnswer, ConvertedNumber, Restored, SessionInfo, Subscriptions

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import CTIOptions

    class _Untyped:
        """Only Any passes for it. A dict of it is one whose values have no types, as JSON gives
        it. Any other dict has to be CTIOptions, so that a wrong option in it is found."""

else:
    # For typing.get_type_hints: typing has no Unpack before Python 3.11, and options brings all
    # that speaks to the network.
    _Untyped = Any
    CTIOptions = Mapping[str, Any]
    Unpack = {CTIOptions: Any}


class CTI(Emitter):
    """A line of Keyyo: its session, its calls, its commands, its events.

    Every method that asks the server takes ``callback(error, result)`` last, which may be left
    out, and returns a ``concurrent.futures.Future``. ``error`` is a KeyyoError or None, and
    ``result`` what the server sent or None; ``Future.result()`` gives or raises the same. A
    result of null is a NoResult, which is false and equal to None, but not None itself. A wrong
    value is answered there too, with KeyyoError 400 ``invalid_params``, and nothing is sent.
    Without a connection the answer is ConnectionClosed. Methods may be called from any thread,
    also inside handlers and callbacks.

    With the option ``token_provider``, a session whose connection is lost is brought back: after
    ``disconnected`` comes ``restored``, ``lost``, or ``close()``. Without it nothing is restored
    by itself, as in JavaScript.

    :param options: as a dict, JavaScript's object literal; see ``keyyo_cti.options.Options``.
    :param keywords: the same by keyword.
    :raises TypeError: an option is unknown or of a wrong kind.
    :raises ValueError: an option has an impossible value.

    Source: section CTI of Keyyo's page.
    """

    EVENTS = ("newCall", "disconnected", "restored", "lost", "error")

    onNewCall: EventAttribute[Callable[[Call], object]] = EventAttribute(
        "handler(call)", "A call is notified, be it new or changed."
    )
    onDisconnected: EventAttribute[Callable[[], object]] = EventAttribute(
        "handler()", "The connection is gone, or could not be had, and nobody asked for its end."
    )
    onRestored: EventAttribute[Callable[[Restored], object]] = EventAttribute(
        "handler(info)",
        "The session that was lost is back; info has gap and recreated, see Restored.",
    )
    onLost: EventAttribute[Callable[[KeyyoError], object]] = EventAttribute(
        "handler(error)",
        "The session that was lost will not come back by itself; error is a KeyyoError.",
    )
    # SystemExit and its like come here as well, but a handler annotated with Exception must do.
    onError: EventAttribute[Callable[[Exception], object]] = EventAttribute(
        "handler(exception)", "A handler raised, or the server cannot be understood."
    )

    if TYPE_CHECKING:
        # Several names at once take a handler that suits each of them.

        @overload
        def on(self, names: Literal["newCall"], handler: Callable[[Call], object]) -> None: ...

        @overload
        def on(self, names: Literal["disconnected"], handler: Callable[[], object]) -> None: ...

        @overload
        def on(
            self, names: Literal["restored"], handler: Callable[[Restored], object]
        ) -> None: ...

        @overload
        def on(self, names: Literal["lost"], handler: Callable[[KeyyoError], object]) -> None: ...

        @overload
        def on(
            self,
            names: Literal["error", "lost,error", "lost, error", "error,lost", "error, lost"],
            handler: Callable[[Exception], object],
        ) -> None: ...

        @overload
        def on(self, names: str, handler: AnyHandler) -> None: ...

        def on(self, names: str, handler: Any) -> None:
            """Add a handler for one event, or for several with commas between their names."""

        def off(
            self, names: Union[CTIEvent, str], handler: Optional[Callable[..., object]] = None
        ) -> None:
            """Remove a handler that ``on`` added, once, or without a handler all of them."""

        addEventListener = on
        removeEventListener = off

    def __init__(
        self,
        options: "Union[CTIOptions, Mapping[str, _Untyped], None]" = None,
        **keywords: "Unpack[CTIOptions]",
    ) -> None:
        # Only here, because all that speaks to the network comes with it, and a program may import
        # this package long before it needs that, or not need it at all.
        from . import options as options_
        from ._client.client import Client

        super().__init__()
        self._client = Client(self, options_.read(options, keywords))
        at_exit.watch(self._client)

    def _check_process(self) -> None:
        self._client.check_process()

    # Session.

    @overload
    def create_session(
        self, csi_token: str, callback: Optional[Callback[SessionInfo]] = None, /
    ) -> "Future[SessionInfo]": ...

    @overload
    def create_session(
        self,
        csi_token: str,
        auto_answer: Optional[bool] = None,
        callback: Optional[Callback[SessionInfo]] = None,
    ) -> "Future[SessionInfo]": ...

    def create_session(
        self, csi_token: Any, auto_answer: Any = None, callback: Any = None
    ) -> "Future[SessionInfo]":
        """Connects, and creates a session. Source: section Create session.

        :param csi_token: the CSI token of the line, valid for one hour.
        :param auto_answer: whether the line's telephone answers by itself when a call is made
            for it; the server's default is True.
        :returns: ``number`` (the line's), ``now`` (server time, Unix seconds), ``session_id``.
        """
        auto_answer, callback = split_callback(auto_answer, callback)
        return self._client.create(csi_token, auto_answer, callback)

    @overload
    def restore_session(
        self, csi_token: str, callback: Optional[Callback[SessionInfo]] = None, /
    ) -> "Future[SessionInfo]": ...

    @overload
    def restore_session(
        self,
        csi_token: str,
        session_id: Optional[str] = None,
        callback: Optional[Callback[SessionInfo]] = None,
    ) -> "Future[SessionInfo]": ...

    def restore_session(
        self, csi_token: Any, session_id: Any = None, callback: Any = None
    ) -> "Future[SessionInfo]":
        """Connects, and goes on with the session of before. Source: section Restore session.

        With ``cookie_auto`` a new session is created if there is no cookie yet, or if the server
        does not know the session any more.

        :param csi_token: the CSI token of the line, valid for one hour.
        :param session_id: the session; by default, with ``cookie_auto``, the cookie's.
        :returns: ``number``, ``now``; of a new session also ``session_id``.
        """
        session_id, callback = split_callback(session_id, callback)
        if session_id is None:
            session_id = self._client.load_session_id()
        return self._client.restore(csi_token, session_id, callback)

    def destroy_session(self, callback: Optional[Callback[int]] = None) -> "Future[int]":
        """Destroys the session, and closes the connection. Source: section Destroy session.

        :returns: what the server sent, 1.
        """
        return self._client.destroy(callback)

    def session_exists(self) -> bool:
        """True if the cookie holds a session id, which ``restore_session(csi_token)`` would use;
        always False without ``cookie_auto``. Source: JavaScript SDK 1.1."""
        return self._client.session_exists()

    def close(self) -> None:
        """Closes the connection, and leaves the session to the server's five minutes.

        Returns within two seconds, from any thread and in any state. Commands that wait are
        answered with ConnectionClosed; events that are here already are handled first, as far
        as those two seconds go, and no handler starts after that. There is no ``disconnected``,
        for it was asked for, and nothing is restored. The CTI can open another session later.

        In a signal handler, or ``__del__``, that interrupted the SDK itself, it begins to close
        and returns at once. In a forked child it does nothing.
        """
        self._client.close()

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Wait as a page stays open: until the session is closed, destroyed or lost.

        After a drop without ``token_provider`` it returns at once if no handler was called for
        ``disconnected``. Otherwise it goes on until ``close()`` or its timeout, because the
        program may open another session, for example on a timer.

        With ``dispatch="manual"`` the handlers run in here. Ctrl-C closes and raises
        KeyboardInterrupt.

        :param timeout: seconds, None for no end.
        :returns: False when the time was up first.
        :raises RuntimeError: called in a handler, which would wait for itself.
        """
        return self._client.wait(timeout)

    def poll(self, timeout: float = 0) -> int:
        """Runs the handlers and callbacks that are due, in this thread; for
        ``dispatch="manual"``.

        :param timeout: seconds to wait for the first.
        :returns: how many events and answers were handled.
        """
        return self._client.poll(timeout)

    def __enter__(self) -> "CTI":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    @property
    def connected(self) -> bool:
        """Whether a session is open. Source: section Attributes."""
        return self._client.connected

    @property
    def transport(self) -> Optional[str]:
        """The way to the server that is in use: ``websocket``, ``xhr-streaming`` or
        ``xhr-polling``; None without a connection."""
        return self._client.transport

    @property
    def number(self) -> Optional[str]:
        """The line's number, once a session told it."""
        return self._client.session.number

    @property
    def session_id(self) -> Optional[str]:
        """The session's id, a secret, once there is one."""
        return self._client.session.session_id

    # Line.

    def dial(self, number: str, callback: Optional[Callback[int]] = None) -> "Future[int]":
        """Calls a number from the line's telephone. Source: section Dial number.

        :param number: in international format, such as ``"33172587948"``.
        """
        return self._client.ask(wire.dial, (number,), callback)

    def send_message(
        self, number: str, message: str, callback: Optional[Callback[int]] = None
    ) -> "Future[int]":
        """Sends a SIP message. Source: section Send message.

        :param number: the recipient's, in international format.
        :param message: the text.
        """
        return self._client.ask(wire.send_message, (number, message), callback)

    def subscribe(self, number: str, callback: Optional[Callback[int]] = None) -> "Future[int]":
        """Asks to be notified of another line's calls too. Source: section Subscribe.

        :param number: a line of the same organisation in international format, or
            ``"callpark"`` for the parked calls.
        """
        return self._client.ask(wire.subscribe, (number,), callback)

    def unsubscribe(self, number: str, callback: Optional[Callback[int]] = None) -> "Future[int]":
        """Undoes ``subscribe``. Source: section Unsubscribe.

        :param number: as for ``subscribe``.
        """
        return self._client.ask(wire.unsubscribe, (number,), callback)

    def get_subscriptions(
        self, callback: Optional[Callback[Subscriptions]] = None
    ) -> "Future[Subscriptions]":
        """The subscriptions of the session. Source: section Get subscriptions.

        :returns: ``numbers``, a list.
        """
        return self._client.ask(wire.get_subscriptions, (), callback)

    def set_auto_answer(
        self, auto_answer: bool, callback: Optional[Callback[int]] = None
    ) -> "Future[int]":
        """Sets whether the line's telephone answers by itself when a call is made or transferred
        for it. Source: section Set auto-answer's state.

        :param auto_answer: True or False, for the whole session.
        """
        return self._client.ask(wire.set_auto_answer, (auto_answer,), callback)

    def get_auto_answer(
        self, callback: Optional[Callback[AutoAnswer]] = None
    ) -> "Future[AutoAnswer]":
        """What ``set_auto_answer`` set. Source: section Get auto-answer's state.

        :returns: ``auto_answer``, True or False.
        """
        return self._client.ask(wire.get_auto_answer, (), callback)

    def int_to_local(
        self, number: str, callback: Optional[Callback[ConvertedNumber]] = None
    ) -> "Future[ConvertedNumber]":
        """A number as it is dialled in its country. Source: JavaScript SDK 1.1.

        :param number: in international format.
        """
        return self._client.ask(wire.int_to_local, (number,), callback)

    def local_to_int(
        self, number: str, callback: Optional[Callback[ConvertedNumber]] = None
    ) -> "Future[ConvertedNumber]":
        """A number in international format. Source: JavaScript SDK 1.1.

        :param number: as it is dialled in its country.
        """
        return self._client.ask(wire.local_to_int, (number,), callback)

    def ping(self, callback: Optional[Callback[int]] = None) -> "Future[int]":
        """Asks the server for a sign of life. Source: JavaScript SDK 1.1."""
        return self._client.ask(wire.ping, (), callback)

    # Calls.

    def get_calls(self) -> List[Call]:
        """The calls that are known, active and ended, the last notified last. Source: section
        Get calls."""
        return Calls(self._client.calls().all())

    def get_call(self, callref: str) -> Optional[Call]:
        """One call, or None when it is not known. Source: section Get call.

        :param callref: the call's identifier.
        """
        calls, key = self._client.calls(), as_key(callref)
        return None if key is None else calls.get(key)

    def __repr__(self) -> str:
        state = "connected" if self.connected else "not connected"
        return f"<CTI {self.number or 'without a line yet'}, {state}>"


class Keyyo:
    """JavaScript's namespace: ``Keyyo.CTI(options)``."""

    CTI = CTI
