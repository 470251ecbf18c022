"""In a program of asyncio: handlers run in its loop, and coroutines wait for answers.

On the simulator, where Bob calls, is answered, and hangs up::

    python samples/with_asyncio.py

On Keyyo it answers the next call of your line::

    KEYYO_CSI_TOKEN=... python samples/with_asyncio.py
"""

import asyncio
import sys
from typing import TYPE_CHECKING, Any, Dict

from keyyo_cti import CTI, Call, KeyyoError

if TYPE_CHECKING:
    from keyyo_cti.simulator import Phone, Simulator

#: Seconds that people may take to call, and to talk.
PATIENCE = 300


async def answer_one(token: str, options: Dict[str, Any]) -> None:
    """Answers one call, and waits for its end."""
    loop = asyncio.get_running_loop()
    rings: "asyncio.Future[Call]" = loop.create_future()
    ended = asyncio.Event()

    def on_new_call(call: Call) -> None:
        # A call that the line places itself has the same states, and cannot be answered here.
        if call.state == "SETUP" and call.callee == cti.number and not rings.done():
            call.onRelease = call.onMissed = ended.set
            rings.set_result(call)

    # It hands over each handler and each callback; the loop runs them between its coroutines.
    with CTI(options, dispatch=loop.call_soon_threadsafe) as cti:
        cti.onNewCall = on_new_call
        session = await asyncio.wrap_future(cti.create_session(token))
        print("connected as", session.number)
        call = await asyncio.wait_for(rings, PATIENCE)
        print(call.caller, "calls")
        await asyncio.wrap_future(call.answer())
        print("answered")
        await asyncio.wait_for(ended.wait(), PATIENCE)
        print("ended")


def bob_calls(sim: "Simulator", alice: "Phone", bob: "Phone") -> None:
    bob.call(alice)
    bob.wait_until("talking")
    bob.hang_up()


if __name__ == "__main__":
    from whose_line import whose_line

    try:
        with whose_line(bob_calls) as line:
            asyncio.run(answer_one(line.new_token(), line.options))
    except (KeyyoError, asyncio.TimeoutError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
