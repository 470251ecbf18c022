"""Connect: fired when callee has picked up his phone."""

import stage

cti = stage.connect()
call = stage.ringing_call(cti)


def on_connect():
    # Handle connect
    print("talking")


call.onConnect = on_connect

stage.alice.picks_up()
stage.expect("talking")
