"""Attributes of a call: None until there is something to know."""

import stage

cti = stage.connect()
call = stage.ringing_call(cti)

print(call.callref)
print(call.caller)
print(call.callee)
print(call.state)
print(call.setup_date)
print(call.connect_date)
print(call.release_date)
print(call.callpark_slot)

stage.expect("call-1", "33199020000", "33199000001", "SETUP", "17...", "None", "None", "None")
