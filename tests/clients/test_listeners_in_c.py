"""Our listeners, written in C, below the original supervisord and below ours."""

import json

from harness import ACTOR, SUPERVISORD, TestCase, actor, free_port, lines_of, program, wait_for
from listening import eventlistener, listener

ORIGINAL = "/usr/bin/supervisord"
UMLAUTS = "Prüfung \u20ac \U0001f600"


class Listeners:
    """The tests, for one of the two daemons."""

    binary = None

    def events(self, name):
        return [event for event in map(json.loads, lines_of(self.path("events"))) if event["event"] == name]

    def test_events_of_every_length(self):
        """The original counts characters where we count bytes: eventlog is not put out of step by either."""
        self.daemon(eventlistener("log", listener("eventlog"), "-o", self.path("events"), buffer_size=1000) +
                    program("a", ACTOR, "'print=%s'" % UMLAUTS, "sleep=0.1", "print=more", "exit=3",
                            stdout_events_enabled="true"), binary=self.binary)
        exited = wait_for(lambda: [event for event in self.events("PROCESS_STATE_EXITED")], 20)[0]
        self.assertEqual(("a", "0"), (exited["fields"]["processname"], exited["fields"]["expected"]))
        self.assertEqual(UMLAUTS + "\nmore\n", "".join(event["data"] for event in self.events("PROCESS_LOG_STDOUT")))

    def test_memmon_restarts(self):
        daemon = self.daemon(eventlistener("memmon", listener("memmon"), "-p", "big=20MB", events="TICK_5") +
                             program("big", actor("grow=40", "print=up", "hang"), stopsignal="KILL"),
                             binary=self.binary)
        daemon.wait_stdout("big", "up\nup\n", 30)
        self.assertIn("It was restarted.", daemon.stderr("memmon"))

    def test_calls_with_a_password_over_tcp(self):
        port = free_port()
        daemon = self.prepare(
            eventlistener("watch", listener("exitwatch"), "-p", "main", "-x", "3", events="PROCESS_STATE_EXITED",
                          environment='SUPERVISOR_SERVER_URL="http://127.0.0.1:%d",SUPERVISOR_USERNAME="me",'
                                      'SUPERVISOR_PASSWORD="secret"' % port) +
            program("main", actor("exit=1")), binary=self.binary,
            inet={"port": "127.0.0.1:%d" % port, "username": "me", "password": "secret"})
        daemon.launch()
        self.assertEqual(self.end_status, daemon.wait())


class Ours(Listeners, TestCase):
    binary = SUPERVISORD
    end_status = 3


class Original(Listeners, TestCase):
    binary = ORIGINAL
    end_status = 0  # it knows no other
