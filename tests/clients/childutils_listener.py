"""An event listener that stands on supervisor.childutils: childutils_listener.py JOURNAL [fail] [revive]

It writes a line of JSON to JOURNAL for every event. `fail`: the first event is not processed at the first try.
`revive`: a process that has exited is started again from within the event, through the XML-RPC interface.
"""

import json
import os
import sys

from supervisor import childutils


def main(journal, *habits):
    rpc = childutils.getRPCInterface(os.environ)
    fail = "fail" in habits
    while True:
        headers, payload = childutils.listener.wait()
        if headers["eventname"].startswith("PROCESS_COMMUNICATION"):
            fields, data = childutils.eventdata(payload)
        else:
            fields, data = childutils.get_headers(payload), None
        if "revive" in habits and headers["eventname"] == "PROCESS_STATE_EXITED":
            rpc.supervisor.startProcess(fields["groupname"] + ":" + fields["processname"])
        with open(journal, "a", encoding="utf-8") as file:
            json.dump({"headers": headers, "fields": fields, "data": data,
                       "state": rpc.supervisor.getState()["statename"], "package": childutils.__file__}, file)
            file.write("\n")
        if fail:
            childutils.listener.fail()
        else:
            childutils.listener.ok()
        fail = False


main(*sys.argv[1:])
