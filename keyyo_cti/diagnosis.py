"""Diagnosis of a line: each thing that a command needs is checked in turn.

With a ``RingTest`` it goes on to each thing that a call needs, while the line is called.
"""

from contextlib import ExitStack
from typing import Optional

from ._diagnosis.examination import Examination, LineQueries
from ._diagnosis.findings import Diagnosis, Finding
from ._diagnosis.ring_examination import RingExamination
from ._diagnosis.ring_test import Ring, RingTest, read_ring
from ._net import urls
from .errors import invalid_params
from .options import ENDPOINT

__all__ = ["Diagnosis", "Finding", "LineQueries", "Ring", "RingTest", "diagnose"]


def diagnose(
    client: LineQueries,
    csi: Optional[str] = None,
    endpoint: str = ENDPOINT,
    ring: Ring = None,
) -> Diagnosis:
    """Check everything that a command on a line needs. Blocking.

    It changes nothing. It opens a session of its own and destroys it.

    Source: Manager API 1.0, and section Create session of Keyyo's page.

    :param client: a ``ManagerClient`` of the account.
    :param csi: the line's CSI; None for the only line of the account.
    :param endpoint: the SockJS URL of the CTI service.
    :param ring: a RingTest, to check also that a call of the line reaches the handlers; or
        seconds to wait for it; True for 60 seconds. The line has to be called meanwhile.
    :returns: the findings; faults are among them and are not raised.
    :raises KeyyoError: an argument is wrong, or the client is closed.
    """
    try:
        urls.check_secure(endpoint, client.allow_http)
    except ValueError as error:
        raise invalid_params("endpoint", str(error)) from None
    test = read_ring(ring)
    if test is None:
        return Examination(client, csi, endpoint).run()
    with ExitStack() as stack:
        closing = getattr(client, "closing", None)
        if closing is not None:
            stack.enter_context(closing.on_cancel(test.stop))
        return stack.enter_context(RingExamination(client, csi, endpoint, test)).run()
