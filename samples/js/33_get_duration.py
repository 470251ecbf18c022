"""Get duration: they talked for a minute."""

import stage

cti = stage.connect()
call = stage.incoming_call(cti)
stage.time_passes(60)
stage.bob.hangs_up()
stage.see(call, "RELEASE")

duration = call.get_duration()

print(duration)
stage.expect("60")
