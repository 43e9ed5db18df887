"""A session as a tool would have it with supervisord: the calls in order, what each must answer, and two ways to hold
it: with Python's own client, and with a client in another language that a small program drives over JSON lines.

The program gets the URL and, if there are any, a user and a password as arguments, a call a line on stdin
({"method": "supervisor.getState", "args": []}), and prints a line for each: {"value": ...}, {"fault": [code, text]} or
{"error": "what the client said"}.
"""

import collections
import http.client
import json
import os
import re
import subprocess
import time
import urllib.parse
import xmlrpc.client

from harness import PATIENCE, UnixTransport, actor, program, section

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
NODE_MODULES = os.path.join(ROOT, "test-output", "clients", "node_modules")

USER, PASSWORD = "jörg", "ge:heim &<ß>"
UNICODE = "Grüße, 世界 🙂\n"
MARKUP = "<a href=\"x\"> & ]]> 'q' &amp; \ttab\n"
BIG = "".join("%08d %s\n" % (number, "x" * 54) for number in range(1, 20001))


def configuration(changed=False):
    """The programs of the session; `changed` is what reloadConfig finds later."""
    talk = ["print=one", "print=two", "error=trouble", "say_on=HUP", "print=ready", "hang"]
    return (program("cat", "/bin/cat") + program("talk", actor(*talk), priority=5) +
            program("big", actor("lines=20000,64", "hang"), autostart="false") +
            program("idle", actor("hang"), autostart="false", startsecs=1 if changed else 0) +
            program("count", actor("hang"), numprocs=2, process_name="%(program_name)s_%(process_num)d",
                    autostart="false") +
            program("fails", actor("exit=0"), autostart="false", startsecs=9, startretries=0) +
            (program("prüfung", "/bin/cat", autostart="false") if changed else
             program("missing", "/nonexistent/program", autostart="false")) +
            program("a", actor("hang")) + program("b", actor("hang")) + section("group:g", programs="a,b"))


# --- what a step expects ---------------------------------------------------------------------------------------------

Fault = collections.namedtuple("Fault", "code text")
Step = collections.namedtuple("Step", "method args expected until")


def step(method, *args, expected=None, until=False):
    """A call and what it must answer: a value, a Fault, a function that judges it, or None for "as the other daemon".
    With `until` it is repeated until it does."""
    if "." not in method:
        method = "supervisor." + method
    return Step(method, list(args), expected, until)


def loosely(value):
    """A value without what some languages do not keep: truth is a number, and so is a text of digits."""
    if isinstance(value, dict):
        return {key: loosely(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [loosely(one) for one in value]
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,18}", value):
        return int(value)
    return "" if value is None else value


def is_met(answer, expected):
    if expected is None:
        return "value" in answer
    if isinstance(expected, Fault):
        return "fault" in answer and loosely(answer["fault"]) == [expected.code, expected.text]
    if "value" not in answer:
        return False
    return expected(answer["value"]) if callable(expected) else loosely(answer["value"]) == loosely(expected)


def ok(group, *names):
    return [{"group": group, "name": name, "status": 80, "description": "OK"} for name in names]


def of(group, *names):
    """A judge of such a list in any order."""
    return lambda value: sorted(loosely(value), key=lambda one: one["name"]) == ok(group, *names)


def has(**fields):
    """A judge of one struct."""
    return lambda value: all(loosely(value.get(key)) == field for key, field in fields.items())


def settled(value):
    return not any(one["statename"] in ("STARTING", "STOPPING", "BACKOFF") for one in value)


# --- the session -----------------------------------------------------------------------------------------------------

STATUS = [
    step("getAPIVersion", expected="3.0"),
    step("getVersion", expected="3.0"),
    step("getSupervisorVersion", expected=lambda value: value[0] in "45"),
    step("getIdentification", expected="supervisor"),
    step("getState", expected={"statecode": 1, "statename": "RUNNING"}),
    step("getPID", expected=lambda value: int(value) > 1),
    step("system.listMethods", expected=lambda value: "supervisor.startProcess" in value),
    step("system.methodHelp", "supervisor.startProcess", expected=lambda value: "@param" in value),
    step("system.methodSignature", "supervisor.startProcess", expected=["boolean", "string", "boolean"]),
    step("system.methodSignature", "no.such", expected=Fault(4, "SIGNATURE_UNSUPPORTED")),
    step("getProcessInfo", "cat", expected=has(group="cat", name="cat", state=20, statename="RUNNING", exitstatus=0)),
    step("getProcessInfo", "idle", expected=has(group="idle", name="idle", statename="STOPPED", pid=0)),
    step("getProcessInfo", "g:b", expected=has(group="g", name="b")),
    step("getProcessInfo", "nosuch", expected=Fault(10, "BAD_NAME: nosuch")),
    step("getProcessInfo", "<ü&>", expected=Fault(10, "BAD_NAME: <ü&>")),
    step("getProcessInfo", expected=Fault(2, "INCORRECT_PARAMETERS")),
    step("getAllProcessInfo", expected=lambda value: len(value) == 10 and settled(value)),
    step("getAllConfigInfo", expected=lambda value: len(value) == 10),
    step("nosuch", expected=Fault(1, "UNKNOWN_METHOD")),
]
CONTROL = [
    step("stopProcess", "cat", expected=True),
    step("stopProcess", "cat", expected=Fault(70, "NOT_RUNNING: cat")),
    step("startProcess", "cat", expected=True),
    step("startProcess", "cat", True, expected=Fault(60, "ALREADY_STARTED: cat")),
    step("startProcess", "missing", expected=Fault(20, "NO_FILE: can't find command '/nonexistent/program'")),
    step("startProcess", "fails", expected=Fault(50, "SPAWN_ERROR: fails")),
    step("getProcessInfo", "fails",
         expected=has(statename="FATAL", spawnerr="Exited too quickly (process log may have details)")),
    step("startProcess", "nosuch", False, expected=Fault(10, "BAD_NAME: nosuch")),
    step("startProcess", "idle", False, expected=True),
    step("stopProcess", "idle", True, expected=True),
    step("startProcessGroup", "count", expected=of("count", "count_0", "count_1")),
    step("stopProcessGroup", "count", True, expected=of("count", "count_0", "count_1")),
    step("startProcess", "count:*", expected=of("count", "count_0", "count_1")),
    step("stopProcessGroup", "nosuch", expected=Fault(10, "BAD_NAME: nosuch")),
    step("signalProcess", "talk", "HUP", expected=True),
    step("signalProcess", "talk", "NOPE", expected=Fault(11, "BAD_SIGNAL: NOPE")),
    step("signalProcess", "idle", "HUP", expected=Fault(70, "NOT_RUNNING: idle")),
    step("signalProcessGroup", "g", "CONT", expected=of("g", "a", "b")),
    step("signalAllProcesses", "CONT", expected=lambda value: len(value) == 6),
]
LOGS = [
    step("readProcessStdoutLog", "talk", 0, 0, expected="one\ntwo\nready\ngot HUP\n", until=True),
    step("readProcessLog", "talk", 4, 4, expected="two\n"),
    step("readProcessStdoutLog", "talk", -8, 0, expected="got HUP\n"),
    step("readProcessStderrLog", "talk", 0, 0, expected="trouble\n"),
    step("tailProcessStdoutLog", "talk", 0, 8, expected=["got HUP\n", 22, True]),
    step("tailProcessLog", "talk", 0, 1000, expected=["one\ntwo\nready\ngot HUP\n", 22, False]),
    step("tailProcessStderrLog", "talk", 0, 1000, expected=["trouble\n", 8, False]),
    step("readProcessStdoutLog", "talk", -4, 4, expected=Fault(3, "BAD_ARGUMENTS")),
    step("readProcessStdoutLog", "nosuch", 0, 0, expected=Fault(10, "BAD_NAME: nosuch")),
    step("sendProcessStdin", "cat", UNICODE, expected=True),
    step("readProcessStdoutLog", "cat", 0, 0, expected=UNICODE, until=True),
    step("clearProcessLogs", "cat", expected=True),
    step("readProcessStdoutLog", "cat", 0, 0, expected=""),
    step("sendProcessStdin", "cat", MARKUP, expected=True),
    step("readProcessStdoutLog", "cat", 0, 0, expected=MARKUP, until=True),
    step("clearProcessLog", "cat", expected=True),
    step("sendProcessStdin", "idle", "x", expected=Fault(70, "NOT_RUNNING: idle")),
    step("startProcess", "big", expected=True),
    step("tailProcessStdoutLog", "big", 0, 64, expected=[BIG[-64:], len(BIG), True], until=True),
    step("readProcessStdoutLog", "big", 0, 0, expected=BIG),
    step("tailProcessStdoutLog", "big", 0, 100000, expected=[BIG[-100000:], len(BIG), True]),
    step("clearAllProcessLogs", expected=lambda value: len(value) == 10),
    step("readLog", 0, 2, expected="20"),
    step("readMainLog", -1, 0, expected="\n"),
    step("readLog", -1, 1, expected=Fault(3, "BAD_ARGUMENTS")),
    step("clearLog", expected=True),
    step("sendRemoteCommEvent", "type ü", BIG[:200000], expected=True),
]


def call(method, *args):
    return {"methodName": method, "params": list(args)}


MULTICALL = [
    step("system.multicall", [call("supervisor.getState"), call("supervisor.startProcess", "nosuch", True),
                              call("supervisor.stopProcess", "cat"), call("supervisor.startProcess", "cat"),
                              call("system.multicall", []), call("supervisor.getProcessInfo", "idle")],
         expected=lambda value: loosely(value)[1] == {"faultCode": 10, "faultString": "BAD_NAME: nosuch"} and
         loosely(value)[2:4] == [1, 1] and len(value) == 6),
    step("system.multicall", [], expected=[]),
    step("stopAllProcesses", expected=lambda value: len(value) == 7),
    step("getAllProcessInfo", expected=settled),
    step("startAllProcesses", False, expected=lambda value: len(value) >= 8),
    step("getAllProcessInfo", expected=settled, until=True),
]
CHANGE = [
    step("reloadConfig", expected=[[["prüfung"], ["idle"], ["missing"]]]),
    step("addProcessGroup", "prüfung", expected=True),
    step("addProcessGroup", "prüfung", expected=Fault(90, "ALREADY_ADDED: prüfung")),
    step("removeProcessGroup", "g", expected=Fault(91, "STILL_RUNNING: g")),
    step("stopProcess", "idle", expected=True),
    step("removeProcessGroup", "idle", expected=True),
    step("addProcessGroup", "idle", expected=True),
    step("removeProcessGroup", "missing", expected=True),
    step("removeProcessGroup", "nosuch", expected=Fault(10, "BAD_NAME: nosuch")),
    step("reloadConfig", expected=[[[], [], []]]),
    step("startProcess", "prüfung", expected=True),
    step("getProcessInfo", "prüfung", expected=has(group="prüfung", name="prüfung", statename="RUNNING")),
    step("sendProcessStdin", "prüfung", UNICODE, expected=True),
    step("tailProcessStdoutLog", "prüfung", 0, 1000, expected=[UNICODE, len(UNICODE.encode()), False], until=True),
    step("getAllProcessInfo", expected=lambda value: "prüfung" in [one["name"] for one in value]),
]
# With the original a text beyond ASCII cuts the answers of calls that wait.
UNICODE_IN_ANSWERS_THAT_WAIT = [
    step("stopProcessGroup", "prüfung", expected=ok("prüfung", "prüfung")),
    step("startProcessGroup", "prüfung", expected=ok("prüfung", "prüfung")),
    step("clearAllProcessLogs", expected=lambda value: ok("prüfung", "prüfung")[0] in loosely(value)),
    step("system.multicall", [call("supervisor.stopProcess", "prüfung"), call("supervisor.stopProcess", "prüfung"),
                              call("supervisor.startProcess", "prüfung")],
         expected=[True, {"faultCode": 70, "faultString": "NOT_RUNNING: prüfung"}, True]),
]
END = [  # by hand, all at once: at its end the original stops one group a second
    step("stopProcess", "prüfung", expected=True),
    step("stopAllProcesses", expected=lambda value: len(value) > 5),
    step("restart", expected=True),
    step("getState", expected={"statecode": 1, "statename": "RUNNING"}, until=True),
    step("getAllProcessInfo", expected=lambda value: len([one for one in value if one["statename"] == "RUNNING"]) == 4,
         until=True),
    step("stopAllProcesses", expected=lambda value: len(value) == 4),
    step("shutdown", expected=True),
]


# --- those who hold it -----------------------------------------------------------------------------------------------

class PythonClient:
    """xmlrpc.client as it comes with Python."""

    methods = None

    def __init__(self, url, user=None, password=None):
        place = url.partition("://")[2]
        transport = None
        if url.startswith("unix://"):
            transport, place = UnixTransport(place, 60), "localhost"
        if user is not None:
            place = "%s:%s@%s" % (urllib.parse.quote(user, ""), urllib.parse.quote(password, ""), place)
        self.proxy = xmlrpc.client.ServerProxy("http://%s/RPC2" % place, transport=transport)

    def call(self, method, args):
        try:
            return {"value": getattr(self.proxy, method)(*args)}
        except xmlrpc.client.Fault as fault:
            return {"fault": [fault.faultCode, fault.faultString]}
        except (OSError, xmlrpc.client.ProtocolError, http.client.HTTPException) as error:
            return {"error": str(error)}

    def close(self):
        self.proxy("close")()


class ForeignClient:
    """A client in another language."""

    def __init__(self, command, url, user=None, password=None):
        self.url = url
        arguments = [url] + ([user, password] if user is not None else [])
        self.process = subprocess.Popen(command + arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env=dict(os.environ, NODE_PATH=NODE_MODULES, NODE_NO_WARNINGS="1"))
        self.methods = self._read()["methods"]  # None: it calls by name, whatever the name

    def call(self, method, args):
        self.process.stdin.write(json.dumps({"method": method, "args": args}).encode() + b"\n")
        self.process.stdin.flush()
        return self._read()

    def _read(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("the client ended with status %d" % self.process.wait())
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        status = self.process.wait(10)
        self.process.stdout.close()
        if status != 0:
            raise AssertionError("the client ended with status %d" % status)


def is_offered(client, method):
    return client.methods is None or method in client.methods


def perform(client, steps):
    """[(step, answer)] of the steps that the client has a method for; an AssertionError at the first that fails."""
    transcript = []
    for one in steps:
        if not is_offered(client, one.method):
            continue
        limit = time.monotonic() + 20 * PATIENCE
        answer = client.call(one.method, one.args)
        while one.until and not is_met(answer, one.expected) and time.monotonic() < limit:
            time.sleep(0.02)
            answer = client.call(one.method, one.args)
        if not is_met(answer, one.expected):
            raise AssertionError("%s%r: expected %.2000r, got %.2000r" % (one.method, tuple(one.args), one.expected,
                                                                        answer))
        transcript.append((one, answer))
    return transcript


# --- comparing two daemons -------------------------------------------------------------------------------------------

ADDED = ["supervisor.shutdownWithStatus", "supervisor.upgrade"]  # methods that ours alone has
OWN_TO_A_DAEMON = {"supervisor.getPID", "supervisor.getSupervisorVersion", "supervisor.clearAllProcessLogs",
                   "supervisor.startAllProcesses",  # the original may or may not have seen the end of one that fails
                   "system.methodHelp"}


def without_moments(value, directory):
    """What must be the same with both daemons."""
    if isinstance(value, dict):
        kept = {key: without_moments(one, directory) for key, one in value.items()}
        for key in ("pid", "start", "stop", "now"):
            if loosely(kept.get(key, 0)):
                kept[key] = type(kept[key]).__name__
        return kept
    if isinstance(value, bool):
        return repr(value)  # else it would be the same as a number
    if isinstance(value, list):
        return [without_moments(one, directory) for one in value if one not in ADDED]
    if isinstance(value, str):
        value = re.sub(r"pid \d+, uptime [\d:]+", "pid N, uptime T", value.replace(directory, "DIR"))
        value = re.sub(r"\w{3} \d\d \d\d:\d\d [AP]M", "MOMENT", value)
        return re.sub(r"(---supervisor-)\w{8}(\.log)", r"\1X\2", value)
    return value


def in_order(answer):
    """Answers about several processes come in the order in which things were done."""
    several = answer.get("value")
    if isinstance(several, list) and several and isinstance(several[0], dict) and "status" in several[0]:
        return {"value": sorted(several, key=lambda one: (one["group"], one["name"]))}
    return answer


def comparable(transcript, directory):
    return [(one.method, one.args, in_order(without_moments(answer, directory)))
            for one, answer in transcript if one.method not in OWN_TO_A_DAEMON]
