"""Get ringing duration: Bob waited for three seconds."""

import stage

cti = stage.connect()
call = stage.ringing_call(cti)
stage.time_passes(3)
stage.alice.picks_up()
stage.see(call, "CONNECT")

ringing_duration = call.get_ringing_duration()

print(ringing_duration)
stage.expect("3")
