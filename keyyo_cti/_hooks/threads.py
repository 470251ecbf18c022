"""The threads that run commands and send posts."""

import threading
from typing import Callable, List

from .failure_log import FailureLog


def start(
    threads: List[threading.Thread],
    name: str,
    work: Callable[[], object],
    failures: FailureLog,
    message: str,
) -> None:
    """Start a daemon and add it to the threads.

    :param name: the beginning of its name.
    :param message: the failure to report, without its reason, if no thread can be started.
    """
    thread = threading.Thread(target=work, name=f"{name}-{len(threads) + 1}", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        failures.tell("thread", f"{message}: {error}")
    else:
        threads.append(thread)
