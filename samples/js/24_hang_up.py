"""Hang up: Alice's application ends a call."""

import stage

cti = stage.connect()
call = stage.incoming_call(cti)


def hung_up(err, res):
    if err:
        print(err)
        return
    print(res)


call.hang_up(hung_up)

stage.expect("1")
stage.see(call, "RELEASE")
