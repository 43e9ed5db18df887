"""The event listeners that come with supervisord: eventlog, exitwatch; the library's example; and bad command lines."""

import json
import os

from harness import (BUILD, Fault, TestCase, actor, lines_of, program, read, run, wait_for)
from listening import ByHand, eventlistener, listener

EXAMPLE = os.path.join(BUILD, "examples", "listener", "state_watcher")
ALL = ("crashmail", "crashmailbatch", "crashsms", "eventlog", "exitwatch", "fatalmailbatch", "httpok", "memmon")
NEED_SERVER = {"exitwatch": ("-a",), "httpok": ("-a", "http://localhost/"), "memmon": ("-a", "1GB")}


class Eventlog(TestCase):
    def events(self):
        return [json.loads(line) for line in lines_of(self.path("events"))]

    def wait_event(self, name, **fields):
        def found():
            for event in self.events():
                if event["event"] == name and fields.items() <= event["fields"].items():
                    return event
            return None

        return wait_for(found, what="%s %s" % (name, fields))

    def by_hand(self, *arguments):
        return ByHand(self, listener("eventlog"), *arguments)

    def test_every_event_is_a_line_of_json(self):
        self.daemon(eventlistener("log", listener("eventlog"), "-o", self.path("events"), buffer_size=1000) +
                    program("a", actor("print=up", "exit=3"), exitcodes="3"))
        event = self.wait_event("PROCESS_STATE_EXITED", processname="a")
        self.assertEqual({"processname": "a", "groupname": "a", "from_state": "RUNNING", "expected": "1"},
                         {key: value for key, value in event["fields"].items() if key != "pid"})
        self.assertEqual(("supervisor", "log"), (event["server"], event["pool"]))
        self.assertGreater(event["serial"], 0)
        self.assertNotIn("data", event)

    def test_stderr_is_where_it_goes_without_a_file(self):
        daemon = self.daemon(eventlistener("log", listener("eventlog"), events="REMOTE_COMMUNICATION"))
        daemon.supervisor.sendRemoteCommEvent("greeting", "hello\nworld\n")
        wait_for(lambda: daemon.stderr("log").endswith("\n"))
        event = json.loads(daemon.stderr("log"))
        self.assertEqual(({"type": "greeting"}, "hello\nworld\n"), (event["fields"], event["data"]))

    def test_bytes_that_are_no_text(self):
        it = self.by_hand("-o", self.path("events"))
        it.send("PROCESS_LOG_STDOUT", b"processname:a groupname:a pid:7\n\xc3\xa4 \xff\0\x01 \xe2\x82 end")
        self.assertEqual("\u00e4 \ufffd\0\1 \ufffd\ufffd end", self.events()[0]["data"])
        self.assertEqual(0, it.end())

    def test_a_file_that_is_rotated_away(self):
        it = self.by_hand("-o", self.path("events"), "--sync")
        it.tick()
        os.rename(self.path("events"), self.path("events.1"))
        it.tick()
        self.assertEqual([2], [event["serial"] for event in self.events()])
        self.assertEqual(1, len(lines_of(self.path("events.1"))))

    def test_a_full_disk_is_told_once_and_events_are_answered(self):
        it = self.by_hand("-o", "/dev/full")
        for _ in range(3):
            it.tick()
        self.assertEqual("eventlog: cannot write to /dev/full, events are lost: No space left on device\n", it.said())

    def test_a_file_that_cannot_be_opened(self):
        answer = run(listener("eventlog"), "-o", self.path("no/where"))
        self.assertEqual((2, ""), (answer.code, answer.out))
        self.assertIn("eventlog: cannot open %s: No such file or directory\n" % self.path("no/where"), answer.err)


class Exitwatch(TestCase):
    def watched(self, *arguments, then="", **options):
        return self.daemon(eventlistener("watch", listener("exitwatch"), *arguments,
                                         events="PROCESS_STATE_EXITED,PROCESS_STATE_FATAL", **options) + then)

    def test_supervisord_ends_with_the_chosen_status(self):
        daemon = self.watched("-p", "main", "-x", "7", then=program("main", actor("exit_on=USR1,3", "print=up", "hang")))
        daemon.wait_stdout("main", "up")
        daemon.supervisor.signalProcess("main", "USR1")
        self.assertEqual(7, daemon.wait())

    def test_supervisord_ends_with_the_status_of_the_process(self):
        daemon = self.prepare(eventlistener("watch", listener("exitwatch"), "-p", "main", events="PROCESS_STATE") +
                              program("main", actor("exit=42"), autorestart="unexpected", exitcodes="42"))
        daemon.launch()
        self.assertEqual(42, daemon.wait())

    def test_a_status_of_0_is_passed_on(self):
        daemon = self.prepare(eventlistener("watch", listener("exitwatch"), "-a", events="PROCESS_STATE") +
                              program("main", actor("exit=0")))
        daemon.launch()
        self.assertEqual(0, daemon.wait())

    def test_a_signal_is_a_failure(self):
        daemon = self.prepare(eventlistener("watch", listener("exitwatch"), "-a", events="PROCESS_STATE") +
                              program("main", actor("die=KILL")))
        daemon.launch()
        self.assertEqual(1, daemon.wait())

    def test_a_process_that_cannot_be_started(self):
        daemon = self.prepare(eventlistener("watch", listener("exitwatch"), "-p", "main", "-u", events="PROCESS_STATE") +
                              program("main", actor("exit=0"), startsecs=60, startretries=0))
        daemon.launch()
        self.assertEqual(1, daemon.wait())

    def test_what_is_not_watched_goes_by(self):
        others = program("other", actor("exit=1")) + program("expected", actor("exit=3"), exitcodes="3")
        daemon = self.watched("-u", "-p", "main", "-p", "expected", then=others)
        daemon.wait_state("other", "EXITED")
        daemon.wait_state("expected", "EXITED")
        wait_for(lambda: daemon.stdout("watch").count("OK") == 2)
        self.assertEqual("RUNNING", daemon.supervisor.getState()["statename"])
        self.assertEqual("", daemon.stderr("watch"))

    def test_a_wrong_password(self):
        daemon = self.prepare(eventlistener("watch", listener("exitwatch"), "-a", events="PROCESS_STATE_EXITED",
                                            environment='SUPERVISOR_PASSWORD="wrong"') +
                              program("a", actor("exit=1")), unix={"username": "me", "password": "right"})
        daemon.start()
        log = wait_for(lambda: next((path for path in os.listdir(self.dir) if path.startswith("watch-stderr")), None))
        wait_for(lambda: "supervisor.shutdownWithStatus: the user name or the password is wrong" in
                 read(self.path(log)))
        self.assertTrue(daemon.is_running())

    def test_a_supervisord_that_knows_no_status(self):
        daemon = self.daemon()
        it = ByHand(self, listener("exitwatch"), "-a", "-x", "9", environment={
            "SUPERVISOR_SERVER_URL": "unix://" + self.path("nobody")})
        it.send("PROCESS_STATE_EXITED", "processname:a groupname:a from_state:RUNNING expected:1 pid:7")
        self.assertIn("a:a has exited: shutting supervisord down with status 9\n", it.said())
        self.assertIn("unix://%s: No such file or directory" % self.path("nobody"), it.said())
        self.assertTrue(daemon.is_running())


class ShutdownWithStatus(TestCase):
    def test_a_status_that_is_none(self):
        daemon = self.daemon()
        for status in (-1, 256):
            self.assertFault(Fault.INCORRECT_PARAMETERS,
                             "INCORRECT_PARAMETERS: status must be from 0 to 255, not %d" % status,
                             daemon.supervisor.shutdownWithStatus, status)
        self.assertEqual(["boolean", "int"], daemon.rpc.system.methodSignature("supervisor.shutdownWithStatus"))

    def test_a_signal_during_the_shutdown_changes_nothing(self):
        daemon = self.daemon(program("a", actor("exit_on=TERM,0", "print=up", "hang")))
        daemon.wait_stdout("a", "up")
        self.assertIs(True, daemon.supervisor.shutdownWithStatus(11))
        self.assertEqual(11, daemon.wait())


class Example(TestCase):
    def test_it_tells_what_becomes_of_processes(self):
        daemon = self.daemon(eventlistener("watch", EXAMPLE, events="PROCESS_STATE,TICK_5") +
                             program("a", actor("exit_on=USR1,3", "print=up", "hang")))
        daemon.wait_stdout("a", "up")
        daemon.supervisor.signalProcess("a", "USR1")
        wait_for(lambda: "state_watcher: a:a has ended with status 3 (" in daemon.stderr("watch"))
        self.assertIn("state_watcher: a:a was STARTING: PROCESS_STATE_RUNNING\n", daemon.stderr("watch"))


class Conversation(TestCase):
    """What comes from something that is no supervisord, or from one that ends."""

    def setUp(self):
        super().setUp()
        self.it = ByHand(self, listener("eventlog"), "-o", self.path("events"))

    def refused(self, data, message):
        self.it.expect(b"READY\n")
        self.it.write(data)
        self.assertEqual(1, self.it.end())
        self.assertEqual("eventlog: %s\n" % message, self.it.said())

    def test_rubbish_for_a_header(self):
        self.refused(b"hello world\n", "what came is not the header of an event: hello world")

    def test_a_length_that_is_none(self):
        self.refused(b"eventname:X len:-5\n", "the header of an event has a bad len: -5")

    def test_a_header_without_an_end(self):
        self.refused(b"x" * 65537, "the header of an event is longer than 65536 bytes")

    def test_a_header_that_is_cut(self):
        self.refused(b"ver:3.0 eventna", "supervisord ended in the middle of a header")

    def test_a_payload_that_is_cut(self):
        self.refused(b"eventname:X len:9\nshort", "supervisord ended in the middle of a payload")

    def test_control_characters_do_not_reach_the_log(self):
        self.refused(b"a\x1b[31m\tb\n", "what came is not the header of an event: a?[31m\tb")

    def test_a_payload_that_is_too_long_is_left_out(self):
        size = (64 << 20) + 1
        self.it.expect(b"READY\n")
        self.it.write(b"eventname:X len:%d\n" % size)
        for _ in range(64):
            self.it.write(b"x" * (1 << 20))
        self.it.write(b"x")
        self.it.expect(b"RESULT 2\nOK")
        self.it.tick()
        self.assertEqual(1, len(lines_of(self.path("events"))))
        self.assertEqual("eventlog: left out X: its payload of %d bytes is too long\n" % size, self.it.said())

    def test_large_payloads_arrive_whole(self):
        text = "x" * (3 << 20)
        self.it.send("REMOTE_COMMUNICATION", "type:t\n" + text)
        self.assertEqual(text, json.loads(lines_of(self.path("events"))[0])["data"])

    def test_a_length_that_counts_characters(self):
        """As the original counts it."""
        payload = "processname:a\n\u00e4\u20ac\U0001f600 and more"
        self.it.send("PROCESS_LOG_STDOUT", payload, len(payload))
        self.it.tick()
        events = [json.loads(line) for line in lines_of(self.path("events"))]
        self.assertEqual(["\u00e4\u20ac\U0001f600 and more", "TICK_60"], [events[0]["data"], events[1]["event"]])

    def test_events_from_a_file(self):
        payload = "type:t\n\u00e4".encode()
        self.it.write(b"ver:3.0 eventname:REMOTE_COMMUNICATION len:%d\n%s" % (len(payload), payload) +
                      b"ver:3.0 eventname:TICK_5 len:6\nwhen:1")
        wait_for(lambda: len(lines_of(self.path("events"))) == 2)
        self.assertEqual(0, self.it.end())

    def test_a_supervisord_that_goes_away(self):
        self.it.tick()
        self.assertEqual(0, self.it.end())
        self.assertEqual("", self.it.said())

    def test_a_supervisord_that_is_killed(self):
        daemon = self.daemon(eventlistener("log", listener("eventlog")))
        daemon.wait_state("log", "RUNNING")
        pid = daemon.info("log")["pid"]
        daemon.kill()
        wait_for(lambda: not os.path.exists("/proc/%d" % pid) or os.waitpid(pid, os.WNOHANG) != (0, 0))


class CommandLine(TestCase):
    def refused(self, name, *arguments, environment=None):
        answer = run(listener(name), *arguments, environment=environment)
        self.assertEqual((2, ""), (answer.code, answer.out), answer)
        message, _, rest = answer.err.partition("\n")
        self.assertEqual("For help, use %s -h\n" % name, rest)
        return message

    def test_help(self):
        for name in ALL:
            for word in ("-h", "--help"):
                answer = run(listener(name), word)
                self.assertEqual((0, ""), (answer.code, answer.err))
                self.assertRegex(answer.out, "(?s)^%s: .*\nusage: %s .*--help.*events=" % (name, name))

    def test_unknown_options(self):
        for name in ALL:
            self.assertEqual("%s: unknown option: -Z" % name, self.refused(name, "-Z"))
            self.assertEqual("%s: unknown option: --zebra" % name, self.refused(name, "--zebra"))

    def test_options_without_their_value(self):
        for name, letter in (("memmon", "-p"), ("httpok", "-t"), ("crashmail", "-m"), ("crashsms", "-t")):
            self.assertEqual("%s: an option lacks its value: %s" % (name, letter), self.refused(name, letter))

    def test_bad_values(self):
        for name, arguments, message in (
                ("memmon", ("-p", "web"), '--program: not NAME=SIZE: "web"'),
                ("memmon", ("-p", "=1MB"), '--program: not NAME=SIZE: "=1MB"'),
                ("memmon", ("-g", "web=1TB"), '--groupname: not NAME=SIZE: "web=1TB"'),
                ("memmon", ("-a", "0"), '--any: not SIZE: "0"'),
                ("memmon", ("-a", "99999999999GB"), '--any: not SIZE: "99999999999GB"'),
                ("memmon", ("-a", "1MB", "-u", "5x"), '--uptime: not TIME: "5x"'),
                ("memmon", ("-a", "1MB", "-s", "mail 'x"), '--sendmail_program: not COMMAND: "mail \'x"'),
                ("memmon", ("-a", "1MB", "-s", " "), '--sendmail_program: not COMMAND: " "'),
                ("memmon", (), "nothing to watch: none of -p, -g and -a is given"),
                ("memmon", ("-a", "1MB", "x"), "unexpected argument: x"),
                ("httpok", ("-a",), "no URL is given"),
                ("httpok", ("-a", "http://a", "http://b"), "unexpected argument: http://b"),
                ("httpok", ("-a", "file:///etc/passwd"), "not an http:// or https:// URL: file:///etc/passwd"),
                ("httpok", ("http://a",), "nothing to do about a bad page: none of -p, -a and -m is given"),
                ("httpok", ("-a", "-c", "2x", "http://a"), '--code: not STATUS: "2x"'),
                ("httpok", ("-a", "-t", "0", "http://a"), '--timeout: not SECONDS: "0"'),
                ("httpok", ("-a", "--header", "a: b\nc: d", "http://a"), '--header: not LINE: "a: b'),
                ("crashmail", (), "nothing to watch: neither -p nor -a is given"),
                ("crashmailbatch", (), "nobody to tell: no --toEmail is given"),
                ("fatalmailbatch", ("-t", "a@b"), "nobody who tells: no --fromEmail is given"),
                ("crashsms", ("-i", "soon"), '--interval: not MINUTES: "soon"'),
                ("crashsms", ("-e", "TOCK"), '--tickEvent: not EVENT: "TOCK"'),
                ("crashsms", ("-t", "a@b", "-f", "a@b", "-e", "TICK_7"),
                 "--tickEvent: TICK_7 is none of TICK_5, TICK_60, TICK_3600"),
                ("exitwatch", ("-a", "-x", "256"), '--status: not 0-255|same: "256"'),
                ("exitwatch", (), "nothing to watch: neither -p nor -a is given")):
            with self.subTest(name=name, arguments=arguments):
                if "\n" in "".join(arguments):
                    self.assertIn(message, run(listener(name), *arguments).err)
                else:
                    self.assertEqual("%s: %s" % (name, message), self.refused(name, *arguments))

    def test_without_a_supervisord(self):
        for name, arguments in NEED_SERVER.items():
            self.assertIn("%s: SUPERVISOR_SERVER_URL is not set" % name, self.refused(name, *arguments))
            self.assertIn("%s: Unknown protocol for serverurl gopher://x" % name,
                          self.refused(name, *arguments, environment={"SUPERVISOR_SERVER_URL": "gopher://x"}))
