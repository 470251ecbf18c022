"""Reject: a call that rings goes to the voicemail."""

import stage

cti = stage.connect()
call = stage.ringing_call(cti)


def rejected(err, res):
    if err:
        print(err)
        return
    print(res)


call.reject(rejected)

stage.expect("1")
stage.see(call, "MISSED")
