"""Setup: fired when callee's phone is ringing."""

import stage

cti = stage.connect()


def on_new_call(call):
    def on_setup():
        # Handle setup
        print("ringing")

    call.onSetup = on_setup


cti.onNewCall = on_new_call

stage.bob.calls(stage.alice)
stage.expect("ringing")
