"""For a program that runs a sample with a window: in which threads its code runs."""

import os
import threading
from types import FrameType, ModuleType
from typing import Any, List


class Strays:
    """Runs a sample, and notices where.

    :param sample: a module with ``Window`` and ``run``.
    :ivar names: of the threads, other than the main one, in which code of it has run.
    """

    def __init__(self, sample: ModuleType) -> None:
        self._sample = sample
        self.names: List[str] = []

    def run(self, window: type) -> None:
        """Runs it, with a window of another kind, on the line of the environment."""
        threading.setprofile(self._notice)
        vars(self._sample)["Window"] = window
        self._sample.run(
            os.environ["KEYYO_CSI_TOKEN"],
            {"endpoint": os.environ["KEYYO_ENDPOINT"], "cookie_auto": False},
        )

    def _notice(self, frame: FrameType, event: str, argument: Any) -> None:
        """Called with each function that another thread than the main one calls."""
        if frame.f_code.co_filename == self._sample.__file__:
            self.names.append(threading.current_thread().name)
