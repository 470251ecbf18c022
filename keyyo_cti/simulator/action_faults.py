"""Faults of commands: they are ignored, refused or performed late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, List, Optional

from .actions import refuse
from .arguments import require_seconds, require_times
from .clients import Client
from .commands import Command
from .errors import Refusal
from .phones import NumberLike, parse_number
from .serving import ServerThread

ANY = "*"
NEVER_ANY = ("create_session", "restore_session", "destroy_session", "ping")

Effect = Callable[[Client, Command], None]
PerformLater = Callable[[Client, Command, float], None]


@dataclass(eq=False)
class Rule:
    """A replacement for performing an action."""

    action: str
    number: Optional[str]
    times: Optional[int]
    effect: Effect

    def fits(self, action: Any, number: Optional[str]) -> bool:
        """Return True if the rule is for this action of a session of this line."""
        fits = self.action == action or (self.action == ANY and action not in NEVER_ANY)
        return fits and self.number in (None, number)


class ActionFaults:
    """The part of `Faults` that replaces the performing of actions."""

    _thread: ServerThread
    _rules: List[Rule]
    _perform_later: PerformLater

    def ignore(
        self, action: str, line: Optional[NumberLike] = None, *, times: Optional[int] = None
    ) -> None:
        """Neither perform an action nor reply to it.

        :param action: its name in the protocol, for example "call". "*" is any action but those
            of sessions and "ping".
        :param times: number of commands; None for all until `clear`.
        """
        self._add_rule(action, line, times, lambda client, command: None)

    def fail(
        self,
        action: str,
        status_code: int = 500,
        message: str = "Internal error",
        line: Optional[NumberLike] = None,
        *,
        times: Optional[int] = 1,
    ) -> None:
        """Reply to an action with an error instead of performing it.

        :param action: as for `ignore`.
        :param times: number of commands; None for all until `clear`.
        """
        refusal = Refusal(status_code, message)
        self._add_rule(
            action, line, times, lambda client, command: refuse(client, command, refusal))

    def delay(
        self,
        action: str,
        seconds: float,
        line: Optional[NumberLike] = None,
        *,
        times: Optional[int] = 1,
    ) -> None:
        """Perform an action later, and then reply to it; other actions may overtake it.

        Until then the action has no effect. If the client has left by then, the simulator does
        not perform the action.

        :param action: as for `ignore`.
        :param seconds: on the simulator's clock; a `ManualClock` needs `Simulator.elapse`.
        :param times: number of commands; None for all until `clear`.
        """
        require_seconds(seconds, "seconds")
        self._add_rule(
            action, line, times,
            lambda client, command: self._perform_later(client, command, seconds))

    # Called by the server on the loop's thread

    def intercept(self, client: Client, command: Command) -> bool:
        """Apply the first rule that matches a command; return True if there is one."""
        name = command.fields.get("action")
        for rule in self._rules:
            if rule.fits(name, client.number):
                if rule.times is not None:
                    rule.times -= 1
                    if rule.times == 0:
                        self._rules.remove(rule)
                rule.effect(client, command)
                return True
        return False

    def _add_rule(
        self, action: str, line: Optional[NumberLike], times: Optional[int], effect: Effect
    ) -> None:
        number = None if line is None else parse_number(line, "line")
        rule = Rule(action, number, require_times(times), effect)
        self._thread.call(self._rules.append, rule)
