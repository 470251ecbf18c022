"""The examples of Keyyo's page, in its order. Some are cut at their end, as on the page."""

from __future__ import annotations

from typing import Dict

_CALLBACK = """function(err, res) {
    if (err) {
        console.log(err);
        return;
    }
    console.log(res);
});
"""

EXAMPLES: Dict[str, str] = {
    "basic usage": "var cti = new Keyyo.CTI();\n",
    "constructor": """var options = {
          cookie_name : "my_session_name",
          cookie_expires: 365
""",
    "create session": """cti.create_session("<Your CSI token>", function(err, res) {
    if (err) {
        console.log(err);
        return;
    }
    console.log("connected");
""",
    "restore session": f"cti.restore_session(csi_token, {_CALLBACK}",
    "restore session by id": """// Or if you handle the session yourself
cti.restore_session(csi_token, "your_session_id", function(err, res) {
        if (err) {
                // Invalid CSI token (expires or not exists)
                if (err.status_code == 400 && err.error_code == "invalid_csi_token") {
                        // Refresh your CSI token
                } else if (err.status_code == 400 &&
                           err.error_code == "missing_parameter") {
                        // Your session id is missing as parameter
                } else if (err.status_code == 401) {
                        // Your session is invalid
                        // Create a new session
                }
               return;
        }
        console.log(res);
});
""",
    "destroy session": f"cti.destroy_session({_CALLBACK}",
    "subscribe": f'cti.subscribe("33172587948", {_CALLBACK}',
    "unsubscribe": f'cti.unsubscribe("33172587948", {_CALLBACK}',
    "get subscriptions": f"cti.get_subscriptions({_CALLBACK}",
    "set auto-answer": f"cti.set_auto_answer(true, {_CALLBACK}",
    "get auto-answer": """cti.get_auto_answer(function(err, res) {
    if (err) {
        console.log(err);
        return;
    }
    console.log(res.auto_answer);
});
""",
    "dial": f'cti.dial("33172587948", {_CALLBACK}',
    "send message": f'cti.send_message("33172587948", "The message...", {_CALLBACK}',
    "get calls": """var calls = cti.get_calls();
calls.forEach(function(call){

    // Display active calls
    if (call.type != "RELEASE") {
        console.log(call);
    }
})
""",
    "get call": 'var call = cti.get_call("<Call Ref Id>");\n',
    "handle call events": """cti.onNewCall = function(call) {
    call.onSetup = function() { }
    call.onConnect = function() { }
    call.onRelease = function() { }
    call.onMissed = function() { }
}
""",
    "errors": """cti.create_session("Your CSI token", function(err, res) {
    // Handle error if err is set
    if (err) {
        console.log(err.status_code, err.message);
        return;
    }
});
""",
    **{name: f"call.on{name.title()} = function() {{\n    // Handle {name}\n}}\n"
       for name in ("setup", "connect", "release", "missed")},
    "answer": f"call.answer({_CALLBACK}",
    "hang up": f"call.hang_up({_CALLBACK}",
    "reject": f"call.reject({_CALLBACK}",
    "transfer": f'call.transfer("caller", "33172587949", {_CALLBACK}',
    "supervised transfer": f'call.supervised_transfer("caller", "33172587949", 30, {_CALLBACK}',
    "merge": f'call.merge("caller", second_call, "callee", {_CALLBACK}',
    "pause": f"call.pause({_CALLBACK}",
    "park": f'call.park("callee", {_CALLBACK}',
    "unpark": f"call.unpark({_CALLBACK}",
    "get ringing duration": "var duration = call.get_ringing_duration();\n",
    "get duration": "var duration = call.get_duration();\n",
}
