"""Missed: fired when the call has ended and callee never picked up his phone."""

import stage

cti = stage.connect()
call = stage.ringing_call(cti)


def on_missed():
    # Handle missed
    print("missed")


call.onMissed = on_missed

stage.bob.hangs_up()
stage.expect("missed")
