"""Merge: Bob has called Alice, she has called Carol, and now the two talk."""

import stage

cti = stage.connect()
call = stage.incoming_call(cti)
second_call = stage.outgoing_call(cti, stage.carol)


def merged(err, res):
    if err:
        print(err)
        return
    print(res)


call.merge("caller", second_call, "callee", merged)

stage.expect("1")
stage.see(call, "RELEASE")
stage.see(second_call, "RELEASE")
stage.bob.sees("talking")
stage.carol.sees("talking")
