"""Release: fired when the call has ended."""

import stage

cti = stage.connect()
call = stage.incoming_call(cti)


def on_release():
    # Handle release
    print("ended")


call.onRelease = on_release

stage.bob.hangs_up()
stage.expect("ended")
