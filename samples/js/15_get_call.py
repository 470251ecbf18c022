"""Get call: the call with a reference, here the one that rings."""

import stage

cti = stage.connect()
callref = stage.ringing_call(cti).callref

call = cti.get_call(callref)

print(call)
stage.expect("<Call call-1 33199020000 -> 33199000001 SETUP>")
