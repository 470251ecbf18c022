"""Whether the SDK stayed calm: no thread died, and no fault of its own was caught at the last."""

import logging
import threading
from typing import Any, List, Optional


class Calm(logging.Handler):
    """Listens to threads that die and to loggers, while it is entered.

    :param name: of the logger; "" listens to all.
    :param excused: messages that contain this are no fault.
    """

    def __init__(self, name: str = "keyyo_cti", excused: Optional[str] = None) -> None:
        super().__init__()
        self._logger = logging.getLogger(name)
        self._excused = excused
        self.faults: List[str] = []

    def __enter__(self) -> "Calm":
        self._hook, threading.excepthook = threading.excepthook, self._died
        self._level = self._logger.level
        if self._logger.name.startswith("keyyo_cti"):
            # What is logged at any level must be fit to be written.
            self._logger.setLevel(logging.DEBUG)
        self._logger.addHandler(self)
        return self

    def __exit__(self, *_: Any) -> None:
        self._logger.removeHandler(self)
        self._logger.setLevel(self._level)
        threading.excepthook = self._hook

    def emit(self, record: logging.LogRecord) -> None:
        fault = self._fault(record)
        if fault is not None:
            self.faults.append(fault)

    def check(self) -> None:
        """Raises when there was a fault since the last time."""
        faults, self.faults = self.faults, []
        assert not faults, "\n".join(faults)

    def _fault(self, record: logging.LogRecord) -> Optional[str]:
        if not self._ours(record):
            return None
        try:
            text = self.format(record)
            text.encode()
        except Exception as error:
            return f"a record that cannot be written: {record.msg!r}: {error!r}"
        if self._excused is not None and self._excused in text:
            return None
        # "could not be": the last net, behind which nothing is expected.
        if record.levelno >= logging.ERROR or record.exc_info or "could not be" in record.msg:
            return f"{record.name} {record.levelname}: {text}"
        return None

    def _ours(self, record: logging.LogRecord) -> bool:
        """Only what is wrong of others: they may log at DEBUG what they like."""
        return record.name.startswith("keyyo_cti") or record.levelno >= logging.WARNING

    def _died(self, arguments: threading.ExceptHookArgs) -> None:
        name = arguments.thread.name if arguments.thread is not None else "?"
        self.faults.append(f"thread {name} died of {arguments.exc_value!r}")
        self._hook(arguments)
