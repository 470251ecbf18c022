"""Pause: the other party waits in the slot of the session's number."""

import stage

cti = stage.connect()
call = stage.incoming_call(cti)


def paused(err, res):
    if err:
        print(err)
        return
    print(res)


call.pause(paused)

stage.expect("1")
print(call.callpark_slot)
stage.expect("33199000001")
stage.bob.sees("parked")
