"""Unpark: Bob waits in a slot, and Alice takes him back."""

import stage

cti = stage.connect()
call = stage.incoming_call(cti)
call.pause().result(stage.PATIENCE)


def unparked(err, res):
    if err:
        print(err)
        return
    print(res)


call.unpark(unparked)

stage.expect("1")
print(call.callpark_slot)
stage.expect("None")
stage.bob.sees("talking")
