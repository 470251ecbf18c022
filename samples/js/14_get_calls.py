"""Get calls: one call has ended, one is active, and the active one is shown."""

import stage

cti = stage.connect()
stage.incoming_call(cti)
stage.bob.hangs_up()
stage.ringing_call(cti)

calls = cti.get_calls()
for call in calls:

    # Display active calls
    if call.type != "RELEASE":
        print(call)

stage.expect("<Call call-2 33199020000 -> 33199000001 SETUP>")
