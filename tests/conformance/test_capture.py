"""Capture mode: messages between tags, which are no output (manual 1.5.7)."""

import os
import re

from harness import PROGRAMS, TestCase, actor, differs, program, read, section, wait_for

BEGIN = "<!--XSUPERVISOR:BEGIN-->"
END = "<!--XSUPERVISOR:END-->"
# The original holds back what may be a tag; this pushes it out.
TAIL = "." * 40


class Log(TestCase):
    def assertLogged(self, expected, *actions, **options):
        options.setdefault("stdout_capture_maxbytes", "1MB")
        path = self.path("a.log")
        self.daemon(program("a", actor(*actions, "raw=" + TAIL, "hang"), stdout_logfile=path, **options))
        wait_for(lambda: read(path).endswith(TAIL))
        self.assertEqual(expected + TAIL, read(path))

    def test_messages_stay_out_of_it(self):
        self.assertLogged("beforeafter", "raw=before" + BEGIN + "message" + END + "after")

    def test_several_messages(self):
        self.assertLogged("123", "raw=1" + BEGIN + "a" + END + "2" + BEGIN + END + "3")

    def test_end_without_begin_is_text(self):
        self.assertLogged("x" + END + "y", "raw=x" + END + "y")

    def test_begin_within_a_message_is_part_of_it(self):
        self.assertLogged("x" + END + "y", "raw=" + BEGIN + "one" + BEGIN + "two" + END + "x" + END + "y")

    def test_tags_may_be_cut_anywhere(self):
        stream = "before" + BEGIN + "message" + END + "after"
        pieces = [stream[at:at + 9] for at in range(0, len(stream), 9)]
        self.assertLogged("beforeafter", *[word for piece in pieces for word in ("raw=" + piece, "sleep=0.05")])

    def test_what_only_looks_like_a_tag_is_text(self):
        self.assertLogged("<!--XSUPERVISOR:BEG>", "raw=<!--XSUPER", "sleep=0.1", "raw=VISOR:BEG>")

    def test_long_message(self):
        self.assertLogged("beforeafter", "raw=before" + BEGIN, "noise=300000", "raw=" + END + "after",
                          stdout_capture_maxbytes="1KB")

    def test_no_capture_mode_without_a_maximum(self):
        self.assertLogged("x" + BEGIN + "y" + END + "z", "raw=x" + BEGIN + "y" + END + "z", stdout_capture_maxbytes=0)

    def test_stderr_has_its_own(self):
        out, err = self.path("a.out"), self.path("a.err")
        text = "x" + BEGIN + "y" + END + TAIL
        self.daemon(program("a", actor("error=" + text, "print=" + text, "hang"), stderr_capture_maxbytes="1KB",
                            stdout_logfile=out, stderr_logfile=err))
        wait_for(lambda: read(err) == "x" + TAIL + "\n" and read(out) == text + "\n")

    def test_end_of_a_message_is_in_the_activity_log(self):
        daemon = self.daemon(program("a", actor("raw=" + BEGIN + "message" + END + TAIL, "hang"),
                                     stdout_capture_maxbytes="1KB"))
        daemon.wait_log("DEBG 'a' stdout emitted a comm event\n")

    def test_message_without_an_end_is_lost_with_its_child(self):
        path = self.path("a.log")
        daemon = self.daemon(program("a", actor("raw=" + TAIL + BEGIN + "message", "exit=0"), stdout_logfile=path,
                                     stdout_capture_maxbytes="1KB"))
        daemon.wait_state("a", "EXITED")
        self.assertIs(True, daemon.supervisor.startProcess("a", False))
        wait_for(lambda: read(path) == TAIL + TAIL)

    @differs("the original holds back up to 24 bytes of output until more comes, and loses them when the process ends.")
    def test_short_output_is_not_held_back(self):
        path = self.path("a.log")
        daemon = self.daemon(program("a", actor("print=short", "sleep=0.1", "raw=last<!--XSUP", "exit=0"),
                                     stdout_logfile=path, stdout_capture_maxbytes="1KB"))
        daemon.wait_state("a", "EXITED")
        self.assertEqual("short\nlast<!--XSUP", read(path))


class Events(TestCase):
    def listen(self, events, *actions, **options):
        """A daemon with a listener that records events; the process begins once the listener is ready."""
        record = self.path("events")
        options.setdefault("stdout_capture_maxbytes", "1MB")
        listener = section("eventlistener:l", command="%s record=%s serve" % (os.path.join(PROGRAMS, "listener"), record),
                           events=events, buffer_size=1000)
        daemon = self.daemon(listener + program("a", actor(*actions, "raw=" + TAIL, "hang"), autostart="false",
                                                **options))
        daemon.wait_state("l:l", "RUNNING")
        daemon.supervisor.startProcess("a")
        return daemon

    def recorded(self):
        """The events so far: their name and their payload, with the pid as N."""
        lines = read(self.path("events")).splitlines()
        return [(re.search(r"eventname:(\S+)", header)[1], re.sub(r"pid:\d+", "pid:N", payload))
                for header, payload in zip(lines[::2], lines[1::2])]

    def wait_events(self, *expected):
        wait_for(lambda: len(self.recorded()) >= len(expected))
        self.assertEqual(list(expected), self.recorded())

    def test_message_is_published_at_its_end(self):
        self.listen("PROCESS_COMMUNICATION", "raw=x" + BEGIN + "mes", "sleep=0.1", "raw=sage" + END)
        self.wait_events(("PROCESS_COMMUNICATION_STDOUT", "processname:a groupname:a pid:N\\nmessage"))

    def test_stderr(self):
        self.listen("PROCESS_COMMUNICATION", "error=" + BEGIN + "message" + END + TAIL,
                    stderr_capture_maxbytes="1MB")
        self.wait_events(("PROCESS_COMMUNICATION_STDERR", "processname:a groupname:a pid:N\\nmessage"))

    def test_empty_message_and_one_with_a_tag_in_it(self):
        self.listen("PROCESS_COMMUNICATION", "raw=" + BEGIN + END + BEGIN + "a" + BEGIN + "b" + END)
        self.wait_events(("PROCESS_COMMUNICATION_STDOUT", "processname:a groupname:a pid:N\\n"),
                         ("PROCESS_COMMUNICATION_STDOUT", "processname:a groupname:a pid:N\\na" + BEGIN + "b"))

    def test_log_events_have_what_is_logged(self):
        self.listen("PROCESS_LOG", "raw=one", stdout_events_enabled="true", stdout_capture_maxbytes=0)
        wait_for(lambda: self.recorded() and self.recorded()[-1][1].endswith(TAIL))
        self.assertEqual({"PROCESS_LOG_STDOUT"}, {name for name, _ in self.recorded()})
        head = "processname:a groupname:a pid:N channel:stdout\\n"
        self.assertEqual("one" + TAIL, "".join(payload[len(head):] for _, payload in self.recorded()))

    @differs("`*_capture_maxbytes` is enforced per read by the original")
    def test_newest_bytes_of_a_long_message_are_kept(self):
        self.listen("PROCESS_COMMUNICATION", "raw=" + BEGIN, "lines=5000,100", "raw=end" + END,
                    stdout_capture_maxbytes=10)
        self.wait_events(("PROCESS_COMMUNICATION_STDOUT", "processname:a groupname:a pid:N\\nxxxxxx\\nend"))

    @differs("What is written in capture mode causes no PROCESS_LOG events")
    def test_messages_are_no_log_events(self):
        self.listen("PROCESS_LOG", "raw=one" + BEGIN + "two" + END, stdout_events_enabled="true")
        wait_for(lambda: self.recorded() and self.recorded()[-1][1].endswith(TAIL))
        head = "processname:a groupname:a pid:N channel:stdout\\n"
        self.assertEqual("one" + TAIL, "".join(payload[len(head):] for _, payload in self.recorded()))
