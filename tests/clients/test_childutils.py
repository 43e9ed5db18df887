"""Listeners that stand on supervisor.childutils: on the original's and on ours, below our supervisord and below the
original."""

import json
import os

from harness import SUPERVISORD, TestCase, actor, free_port, lines_of, program, section, wait_for, write

PYTHON = "/usr/bin/python3"  # which has Debian's package
OUR_PACKAGE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "python"))
LISTENER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "childutils_listener.py")

# With Python 3, the original's pcomm writes bytes and text into the same stream, which no stream of Python's takes.
TALK = r"""
import sys
from supervisor import childutils

class Stream:
    def __init__(self, stream):
        self.buffer = stream.buffer
    def write(self, data):
        self.buffer.write(data.encode() if isinstance(data, str) else data)
    def flush(self):
        self.buffer.flush()

print("before", flush=True)
childutils.pcomm.send("news: 1\nmore", Stream(sys.stdout))
childutils.pcomm.send("trouble", Stream(sys.stderr))
print("after", flush=True)
"""

TALK_ON_STANDARD_STREAMS = r"""
from supervisor import childutils

print("before")
childutils.pcomm.stdout("news: 1\nmore")
childutils.pcomm.stderr("trouble")
print("after")
"""


class Listeners:
    """The tests, for one of the two daemons and one of the two packages."""

    binary = None
    package = ""  # where it is; Python finds Debian's by itself

    def python(self):
        return ("/usr/bin/env", "PYTHONPATH=" + self.package, PYTHON)

    def start(self, events, *habits, config="", of_listener=None, environment="", **options):
        self.journal = self.path("journal")
        pool = section("eventlistener:watch", command=" ".join(self.python() + (LISTENER, self.journal) + habits),
                       events=events, startsecs=0, environment=environment, **(of_listener or {}))
        return self.daemon(pool + config, binary=self.binary, **options)

    def entries(self):
        return [json.loads(line) for line in lines_of(self.journal)]

    def wait_for_entries(self, wanted):
        return wait_for(lambda: [one for one in self.entries() if wanted(one)], 20, "entries of the journal")

    def test_states(self):
        daemon = self.start("PROCESS_STATE", config=program("a", actor("hang"), autostart="false"))
        daemon.wait_state("watch", "RUNNING")
        self.wait_for_entries(lambda one: one["fields"]["processname"] == "watch")
        daemon.supervisor.startProcess("a")
        daemon.supervisor.stopProcess("a")
        self.wait_for_entries(lambda one: one["headers"]["eventname"] == "PROCESS_STATE_STOPPED")
        entries = [one for one in self.entries() if one["fields"]["processname"] == "a"]
        self.assertEqual(["PROCESS_STATE_" + name for name in ("STARTING", "RUNNING", "STOPPING", "STOPPED")],
                         [one["headers"]["eventname"] for one in entries])
        self.assertEqual(["STOPPED", "STARTING", "RUNNING", "STOPPING"],
                         [one["fields"]["from_state"] for one in entries])
        self.assertEqual({"RUNNING"}, {one["state"] for one in entries})
        self.assertEqual(self.package == OUR_PACKAGE, entries[0]["package"].startswith(OUR_PACKAGE))
        self.assertEqual({("3.0", "supervisor", "watch")}, {tuple(one["headers"][key] for key in
                                                                  ("ver", "server", "pool")) for one in entries})
        serials = [int(one["headers"]["poolserial"]) for one in self.entries()]
        self.assertEqual(list(range(serials[0], serials[0] + len(serials))), serials)

    def test_an_event_that_failed_comes_again(self):
        self.start("PROCESS_STATE_RUNNING", "fail", config=program("a", actor("hang")))
        wait_for(lambda: len(self.entries()) >= 3, 20)
        first, again, other = self.entries()[:3]
        self.assertEqual(first["headers"], again["headers"])
        self.assertNotEqual(first["headers"]["serial"], other["headers"]["serial"])

    def test_calls_back_over_tcp_with_a_password(self):
        port = free_port()
        account = 'SUPERVISOR_SERVER_URL="http://127.0.0.1:%d",SUPERVISOR_USERNAME="joe",SUPERVISOR_PASSWORD="se:cret"'
        daemon = self.start("PROCESS_STATE_EXITED", "revive", environment=account % port,
                            inet={"port": "127.0.0.1:%d" % port, "username": "joe", "password": "se:cret"},
                            config=program("a", actor("fail_first=%s,1" % self.path("count"), "hang")))
        wait_for(lambda: len(self.entries()) == 1, 20)
        self.assertEqual(("a", "RUNNING"), (self.entries()[0]["fields"]["processname"], self.entries()[0]["state"]))
        daemon.wait_state("a", "RUNNING")

    def test_a_process_is_started_again_from_within_an_event(self):
        daemon = self.start("PROCESS_STATE_EXITED", "revive",
                            config=program("a", actor("fail_first=%s,2" % self.path("count"), "hang")))
        wait_for(lambda: len(self.entries()) == 2, 20)
        daemon.wait_state("a", "RUNNING")

    def test_communication(self, source=TALK):
        talk = write(self.path("talk.py"), source)
        daemon = self.start("PROCESS_COMMUNICATION",
                            config=program("a", *self.python(), talk, stdout_capture_maxbytes="1MB",
                                           stderr_capture_maxbytes="1MB", autostart="false"))
        daemon.supervisor.startProcess("a")
        wait_for(lambda: len(self.entries()) == 2, 20)
        told = sorted((one["headers"]["eventname"], one["fields"]["processname"], one["fields"]["groupname"],
                       one["data"]) for one in self.entries())
        self.assertEqual([("PROCESS_COMMUNICATION_STDERR", "a", "a", "trouble"),
                          ("PROCESS_COMMUNICATION_STDOUT", "a", "a", "news: 1\nmore")], told)
        wait_for(lambda: daemon.stdout("a").startswith("before\n"))
        self.assertNotIn("news", daemon.stdout("a"))

    def test_ticks(self):
        self.start("TICK_5")
        entry = self.wait_for_entries(lambda one: True)[0]
        self.assertEqual("TICK_5", entry["headers"]["eventname"])
        self.assertEqual(0, int(entry["fields"]["when"]) % 5)

    def start_with_umlauts(self, **options):
        daemon = self.start("PROCESS_STATE", config=program("prüfung", actor("hang"), autostart="false"), **options)
        self.wait_for_entries(lambda one: one["fields"]["processname"] == "watch")
        daemon.supervisor.startProcess("prüfung")
        return self.wait_for_entries(lambda one: one["headers"]["eventname"] == "PROCESS_STATE_RUNNING" and
                                     one["fields"]["processname"] != "watch")[0]["fields"]["processname"]


class OurPackage(Listeners):
    package = OUR_PACKAGE

    def test_communication_on_standard_streams(self):
        self.test_communication(TALK_ON_STANDARD_STREAMS)


class Ours(Listeners, TestCase):
    binary = SUPERVISORD

    def test_text_beyond_ascii(self):
        """The length of an event is in bytes unless the listener, as this one, counts characters."""
        self.assertEqual("prüfung", self.start_with_umlauts(of_listener={"len_in_characters": "true"}))


class Original(Listeners, TestCase):
    binary = "/usr/bin/supervisord"

    def test_text_beyond_ascii(self):
        """Here it is in characters."""
        self.assertEqual("prüfung", self.start_with_umlauts())


class OursWithOurPackage(OurPackage, TestCase):
    binary = SUPERVISORD

    def test_text_beyond_ascii(self):
        """Our package reads bytes."""
        self.assertEqual("prüfung", self.start_with_umlauts())


class OriginalWithOurPackage(OurPackage, TestCase):
    binary = "/usr/bin/supervisord"
