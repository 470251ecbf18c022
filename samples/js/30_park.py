"""Park: Alice has called Bob, the callee, and he waits in a slot."""

import stage

cti = stage.connect()
call = stage.outgoing_call(cti)


def parked(err, res):
    if err:
        print(err)
        return
    print(res)


call.park("callee", parked)

stage.expect("1")
print(call.callpark_slot)
stage.expect("1")
stage.bob.sees("parked")
