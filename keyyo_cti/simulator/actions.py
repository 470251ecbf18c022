"""The actions of the wire: what each asks for, what it does, how it is refused."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional

from .callpark import CallPark
from .calls import Call
from .clients import Client
from .clock import Clock
from .commands import (
    Check,
    Command,
    Fields,
    check_fields,
    is_flag,
    is_integer,
    is_invite_timer,
    is_side,
    is_string,
    is_subscription,
    is_text,
    is_version,
)
from .constants import ANY_SLOT, CALLPARK
from .errors import (
    CANNOT_TREAT,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    UNKNOWN_SESSION,
    NotPossible,
    Refusal,
    Refused,
    WrongValue,
)
from .exchange import Exchange, Station
from .numbers import is_number, to_international, to_local
from .sessions import Session, Sessions, Tokens
from .transfers import Transfers

log = logging.getLogger("keyyo_cti.simulator")

SUCCESS = 1


def refuse(client: Client, command: Command, refusal: Refusal) -> None:
    """Answer a command with an error."""
    client.send({"id": command.id, "error": refusal._asdict()})


class Answer(NamedTuple):
    """A result, and something to do once it is on its way."""

    result: Any
    then: Callable[[], None]


class Actions:
    """Performs the commands of clients.

    :param exchange: where the calls are.
    :param callpark: where parked calls are.
    :param sessions: every session.
    :param tokens: every CSI token.
    :param clock: the server's time, which a session is told when it opens.
    :param replay_on_restore: whether a restored session is told the calls that go on.
    """

    def __init__(
        self,
        exchange: Exchange,
        callpark: CallPark,
        sessions: Sessions,
        tokens: Tokens,
        clock: Clock,
        *,
        replay_on_restore: bool = True,
    ) -> None:
        self._exchange = exchange
        self._callpark = callpark
        self._transfers = Transfers(exchange)
        self._sessions = sessions
        self._tokens = tokens
        self._clock = clock
        self._replay_on_restore = replay_on_restore

    def perform(self, client: Client, command: Command) -> None:
        """Do what `command` says and answer it, whatever it is."""
        then: Optional[Callable[[], None]] = None
        try:
            result = self._result(client, command)
            if isinstance(result, Answer):
                result, then = result
        except Refused as error:
            refuse(client, command, error.refusal)
        except NotPossible as error:
            log.debug("cannot treat an action of %s: %s", client.number, error)
            refuse(client, command, CANNOT_TREAT)
        except WrongValue as error:
            log.debug("invalid parameters from %s: %s", client.number, error)
            refuse(client, command, INVALID_PARAMS)
        except Exception:
            log.exception("an action failed")
            refuse(client, command, INTERNAL_ERROR)
        else:
            client.send({"id": command.id, "result": result})
            if then:
                then()

    def leave(self, client: Client) -> None:
        """A client goes: its session has one connection less."""
        session, client.session = client.session, None
        if session:
            self._sessions.close(session)

    def _result(self, client: Client, command: Command) -> Any:
        action = ACTIONS.get(command.action)
        if action is None:
            raise Refused(CANNOT_TREAT)
        if action.in_session and client.session is None:
            raise Refused(UNKNOWN_SESSION)
        check_fields(command.fields, action.required, action.optional)
        if action.on_line:
            self._require_line(client)
        return action.perform(self, client, command.fields)

    def _require_line(self, client: Client) -> None:
        line = self._line(client)
        allowed = _session(client).commands_allowed and line.plugin_enabled
        if not allowed or not line.phone_registered:
            raise Refused(CANNOT_TREAT)

    def _line(self, client: Client) -> Station:
        return self._exchange.station(_session(client).number)

    # Sessions

    def create_session(self, client: Client, fields: Fields) -> Any:
        number = self._tokens.check(fields["token"])
        enabled = self._exchange.station(number).plugin_enabled
        session = self._sessions.create(number, fields.get("auto_answer", True), enabled)
        self._join(client, session)
        return {**self._greeting(session), "session_id": session.id}

    def restore_session(self, client: Client, fields: Fields) -> Any:
        number = self._tokens.check(fields["token"])
        session = self._sessions.restore(fields["session_id"], number)
        self._join(client, session)
        return Answer(self._greeting(session), lambda: self._replay(client, session))

    def _join(self, client: Client, session: Session) -> None:
        # Joined first: a client that restores its own session must not set off the timer.
        self.leave(client)
        client.session = session

    def _greeting(self, session: Session) -> Fields:
        return {"number": session.number, "now": int(self._clock())}

    def _replay(self, client: Client, session: Session) -> None:
        if self._replay_on_restore:
            for call in self._exchange.live():
                if session.hears(call.record.audience):
                    client.notify(call.record)

    def destroy_session(self, client: Client, fields: Fields) -> Any:
        session = _session(client)
        return Answer(SUCCESS, lambda: self._sessions.destroy(session))

    def subscribe(self, client: Client, fields: Fields) -> Any:
        number = fields["number"]
        if number != CALLPARK:
            line = self._exchange.line(number)
            if line is None or line.organisation != self._line(client).organisation:
                raise Refused(INVALID_PARAMS)
            number = line.number
        _session(client).subscribe(number)
        if number == CALLPARK:
            return Answer(SUCCESS, lambda: self._tell_parked(client))
        return SUCCESS

    def _tell_parked(self, client: Client) -> None:
        for call in self._callpark.parked():
            client.notify(call.record)

    def unsubscribe(self, client: Client, fields: Fields) -> Any:
        line = self._exchange.line(fields["number"])
        _session(client).unsubscribe(line.number if line else fields["number"])
        return SUCCESS

    def get_subscriptions(self, client: Client, fields: Fields) -> Any:
        return {"numbers": _session(client).subscriptions}

    def set_auto_answer(self, client: Client, fields: Fields) -> Any:
        _session(client).auto_answer = fields["auto_answer"]
        return SUCCESS

    def get_auto_answer(self, client: Client, fields: Fields) -> Any:
        return {"auto_answer": _session(client).auto_answer}

    def ping(self, client: Client, fields: Fields) -> Any:
        return SUCCESS

    # The line

    def dial(self, client: Client, fields: Fields) -> Any:
        self._exchange.dial(
            self._line(client), fields["number"], auto_answer=_session(client).auto_answer)
        return SUCCESS

    def send_message(self, client: Client, fields: Fields) -> Any:
        self._exchange.deliver(_session(client).number, fields["number"], fields["message"])
        return SUCCESS

    def int_to_local(self, client: Client, fields: Fields) -> Any:
        return {"number": to_local(fields["number"])}

    def local_to_int(self, client: Client, fields: Fields) -> Any:
        line = self._exchange.line(fields["number"])
        return {"number": line.number if line else to_international(fields["number"])}

    # Calls

    def answer(self, client: Client, fields: Fields) -> Any:
        self._exchange.connect(self._incoming(client, fields))
        return SUCCESS

    def reject(self, client: Client, fields: Fields) -> Any:
        self._exchange.end(self._incoming(client, fields))
        return SUCCESS

    def terminate(self, client: Client, fields: Fields) -> Any:
        self._exchange.end(self._call(client, fields["call_ref"]))
        return SUCCESS

    def transfer(self, client: Client, fields: Fields) -> Any:
        call = self._call(client, fields["call_ref"])
        self._transfers.transfer(call, fields["side"], fields["to"])
        return SUCCESS

    def supervised_transfer(self, client: Client, fields: Fields) -> Any:
        call = self._call(client, fields["call_ref"])
        self._transfers.supervised_transfer(
            call, fields["side"], fields["to"], fields.get("invite_timer", 0))
        return SUCCESS

    def merge(self, client: Client, fields: Fields) -> Any:
        first = self._call(client, fields["call_ref"])
        second = self._call(client, fields["call_ref2"])
        self._transfers.merge(first, fields["side"], second, fields["side2"])
        return SUCCESS

    def pause(self, client: Client, fields: Fields) -> Any:
        self._callpark.pause(self._call(client, fields["call_ref"]), self._line(client))
        return SUCCESS

    def park(self, client: Client, fields: Fields) -> Any:
        call = self._call(client, fields["call_ref"])
        self._callpark.park(call, fields["side"], fields.get("slot", ANY_SLOT))
        return SUCCESS

    def unpark(self, client: Client, fields: Fields) -> Any:
        self._callpark.unpark(self._call(client, fields["call_ref"]), self._line(client))
        return SUCCESS

    def _call(self, client: Client, callref: str) -> Call:
        """The call, if it is one that the client's session may know of."""
        call = self._exchange.find(callref)
        session = _session(client)
        if not call.involves(session.number) and not session.hears(call.record.audience):
            raise NotPossible("a call of others")
        return call

    def _incoming(self, client: Client, fields: Fields) -> Call:
        call = self._call(client, fields["call_ref"])
        if not call.ringing or call.record.callee != _session(client).number:
            raise NotPossible("the call does not ring at this line")
        return call


def _session(client: Client) -> Session:
    assert client.session is not None  # perform() has refused the command otherwise
    return client.session


Perform = Callable[[Actions, Client, Fields], Any]


@dataclass(frozen=True)
class Action:
    """What one action asks for.

    :param perform: does it, and gives the result.
    :param required: the fields that must be there, with the check of each.
    :param optional: the fields that may be there.
    :param in_session: refused on a connection without a session.
    :param on_line: refused when the line cannot be commanded or has no telephone.
    """

    perform: Perform
    required: Mapping[str, Check] = field(default_factory=dict)
    optional: Mapping[str, Check] = field(default_factory=dict)
    in_session: bool = True
    on_line: bool = False


def _opening(perform: Perform, **more: Check) -> Action:
    optional = {"auto_answer": is_flag, "protocol_version": is_version}
    return Action(perform, {"token": is_string, **more}, optional, in_session=False)


def _on_number(perform: Perform, check: Check = is_number) -> Action:
    return Action(perform, {"number": check})


def _on_call(perform: Perform, *, optional: Mapping[str, Check] = {}, **more: Check) -> Action:
    return Action(perform, {"call_ref": is_string, **more}, optional, on_line=True)


ACTIONS: Dict[str, Action] = {
    "create_session": _opening(Actions.create_session),
    "restore_session": _opening(Actions.restore_session, session_id=is_string),
    "destroy_session": Action(Actions.destroy_session),
    "subscribe": _on_number(Actions.subscribe, is_subscription),
    "unsubscribe": _on_number(Actions.unsubscribe, is_subscription),
    "get_subscriptions": Action(Actions.get_subscriptions),
    "set_auto_answer": Action(Actions.set_auto_answer, {"auto_answer": is_flag}),
    "get_auto_answer": Action(Actions.get_auto_answer),
    "ping": Action(Actions.ping),
    "get_int_to_local_numbers": _on_number(Actions.int_to_local),
    "get_local_to_int_number": _on_number(Actions.local_to_int),
    "call": Action(Actions.dial, {"number": is_number}, on_line=True),
    "send_message": Action(
        Actions.send_message, {"number": is_number, "message": is_text}, on_line=True),
    "answer_call": _on_call(Actions.answer),
    "reject_call": _on_call(Actions.reject),
    "terminate_call": _on_call(Actions.terminate),
    "transfer_call": _on_call(Actions.transfer, side=is_side, to=is_number),
    "supervised_transfer_call": _on_call(
        Actions.supervised_transfer, side=is_side, to=is_number,
        optional={"invite_timer": is_invite_timer}),
    "merge_call": _on_call(Actions.merge, side=is_side, call_ref2=is_string, side2=is_side),
    "pause_call": _on_call(Actions.pause),
    "park_call": _on_call(Actions.park, side=is_side, optional={"slot": is_integer}),
    "unpark_call": _on_call(Actions.unpark),
}
