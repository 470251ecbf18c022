"""The option ``may_dial``: the program decides which numbers may be called."""

import inspect
import threading
from typing import Any, Callable, Optional

from ..errors import KeyyoError
from .wire import Command

#: The actions that call a number -> the field with that number.
_NUMBER_FIELDS = {"call": "number", "transfer_call": "to", "supervised_transfer_call": "to"}

#: Type of the option ``may_dial``.
MayDial = Callable[[str], object]


class DialGuard:
    """Calls ``may_dial`` before a number is called.

    :param may_dial: the program's function, or None to allow every number.
    :param report: logs an exception of the function that it names, and tells the program.
    """

    def __init__(
        self, may_dial: Optional[MayDial], report: Callable[[str, BaseException], object]
    ) -> None:
        self._may_dial = may_dial
        self._report = report

    def refusal(self, command: Command) -> Optional[KeyyoError]:
        """Return the error for a command that must not be sent, or None.

        It calls ``may_dial`` on this thread.
        """
        if self._may_dial is None:
            return None
        field = _NUMBER_FIELDS.get(command.action)
        if field is None:
            return None
        number = command.fields[field]
        try:
            if _is_allowed(self._may_dial(number)):
                return None
            problem = "may_dial does not allow it"
        except Exception as error:
            self._report("may_dial", error)
            problem = f"may_dial raised {type(error).__name__}"
        except BaseException as error:
            # Ctrl-C and sys.exit() end the program from its main thread. On other threads they
            # are errors of the function, as in a handler.
            if threading.current_thread() is threading.main_thread():
                raise
            self._report("may_dial", error)
            problem = f"may_dial raised {type(error).__name__}"
        return KeyyoError(
            403,
            f"{number!r} is not called: {problem}",
            "not_allowed",
            "nothing was sent; the option may_dial of this CTI decides which numbers are called",
        )


def _is_allowed(answer: Any) -> bool:
    """Return True if the function's answer allows the number.

    :raises TypeError: it is a coroutine, which would always be true.
    """
    if inspect.isawaitable(answer):
        close = getattr(answer, "close", None)
        if close is not None:
            close()
        raise TypeError("may_dial: expected True or False, got an awaitable")
    return bool(answer)
