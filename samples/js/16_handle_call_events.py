"""Handle call events: a call that is answered, and one that is not."""

import stage

cti = stage.connect()


def on_new_call(call):
    call.onSetup = lambda: print("setup")
    call.onConnect = lambda: print("connect")
    call.onRelease = lambda: print("release")
    call.onMissed = lambda: print("missed")


cti.onNewCall = on_new_call

stage.bob.calls(stage.alice)
stage.expect("setup")
stage.alice.picks_up()
stage.expect("connect")
stage.bob.hangs_up()
stage.expect("release")

stage.bob.calls(stage.alice)
stage.expect("setup")
stage.bob.hangs_up()
stage.expect("missed")
