"""Signals to supervisord (manual 1.3.4)."""

import os
import signal
import time
import xmlrpc.client

from harness import TestCase, actor, is_alive, lines_of, program, read, wait_for


class Shutdown(TestCase):
    def ends_on(self, number, name):
        daemon = self.daemon(program("a", actor("hang")))
        pid = daemon.wait_state("a", "RUNNING")["pid"]
        self.assertEqual(0, daemon.stop(number))
        self.assertFalse(is_alive(pid))
        self.assertIn("WARN received %s indicating exit request" % name, daemon.log_messages())
        self.assertTrue([message for message in daemon.log_messages()
                         if message.startswith("INFO waiting for a to die")])

    def test_term(self):
        self.ends_on(signal.SIGTERM, "SIGTERM")

    def test_int(self):
        self.ends_on(signal.SIGINT, "SIGINT")

    def test_quit(self):
        self.ends_on(signal.SIGQUIT, "SIGQUIT")

    def test_second_signal_changes_nothing(self):
        daemon = self.daemon(program("a", actor("ignore=TERM", "print=up", "hang"), stopwaitsecs=2))
        daemon.wait_stdout("a", "up")
        began = time.monotonic()
        daemon.send_signal(signal.SIGTERM)
        daemon.wait_log("received SIGTERM")
        daemon.send_signal(signal.SIGTERM)
        daemon.send_signal(signal.SIGINT)
        self.assertEqual(0, daemon.wait())
        self.assertGreater(time.monotonic() - began, 1.8)

    def test_stops_groups_one_at_a_time_highest_priority_first(self):
        marks = self.path("marks")
        config = "".join(program(name, actor("mark_on=TERM,%s,%s" % (marks, name), "print=up", "hang"),
                                 priority=priority,
                                 stopwaitsecs=1) for name, priority in (("a", 1), ("b", 3), ("c", 2)))
        daemon = self.daemon(config)
        for name in "abc":
            daemon.wait_stdout(name, "up")
        began = time.monotonic()
        daemon.stop()
        self.assertEqual(["b", "c", "a"], lines_of(marks))
        self.assertGreater(time.monotonic() - began, 2.5)

    def test_members_of_a_group_are_signalled_together(self):
        marks = self.path("marks")
        daemon = self.daemon(program("w", actor("mark_on=TERM,%s,x" % marks, "print=up", "hang"), numprocs=3,
                                     process_name="w%(process_num)d", stopwaitsecs=2))
        for number in range(3):
            daemon.wait_stdout("w:w%d" % number, "up")
        began = time.monotonic()
        daemon.stop()
        self.assertEqual(3, len(lines_of(marks)))
        self.assertLess(time.monotonic() - began, 5.5)

    def test_stops_a_starting_process(self):
        daemon = self.daemon(program("a", actor("print=up", "hang"), startsecs=60))
        daemon.wait_stdout("a", "up")
        self.assertEqual(0, daemon.stop())

    def test_ends_with_a_process_in_backoff(self):
        daemon = self.daemon(program("a", actor("exit=1"), startsecs=60, startretries=99))
        daemon.wait_state("a", "BACKOFF")
        self.assertEqual(0, daemon.stop())

    def test_nothing_is_restarted_meanwhile(self):
        count = self.path("count")
        daemon = self.daemon(program("a", actor("mark=%s,start" % count, "hang"), autorestart="true", priority=1)
                             + program("slow", actor("ignore=TERM", "print=up", "hang"), priority=9, stopwaitsecs=3))
        daemon.wait_stdout("slow", "up")
        pid = daemon.wait_state("a", "RUNNING")["pid"]
        wait_for(lambda: lines_of(count))
        daemon.send_signal(signal.SIGTERM)
        daemon.wait_log("waiting for")
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(0, daemon.wait())
        self.assertEqual(["start"], lines_of(count))


class Restart(TestCase):
    def wait_names(self, daemon, names):
        def names_are():
            try:
                return [info["name"] for info in daemon.new_rpc().supervisor.getAllProcessInfo()] == names
            except (OSError, xmlrpc.client.Fault):
                return False
        wait_for(names_are, what="the programs to be " + ", ".join(names))

    def test_hup_starts_again_with_the_new_configuration(self):
        daemon = self.daemon(program("old", actor("hang")))
        pid = daemon.wait_state("old", "RUNNING")["pid"]
        daemon.configure(program("new", actor("hang")))
        daemon.send_signal(signal.SIGHUP)
        self.wait_names(daemon, ["new"])
        self.assertFalse(is_alive(pid))
        self.assertEqual(daemon.pid, daemon.new_rpc().supervisor.getPID())
        daemon.wait_log("WARN received SIGHUP indicating restart request")

    def test_hup_with_a_broken_file_ends_it(self):
        daemon = self.daemon(program("a", actor("hang")))
        daemon.wait_state("a", "RUNNING")
        daemon.configure(program("a", actor("hang"), startsecs="many"))
        daemon.send_signal(signal.SIGHUP)
        self.assertEqual(2, daemon.wait())
        self.assertIn("many", read(daemon.output))
        for path in (daemon.socket, daemon.pidfile):
            if os.path.exists(path):
                os.unlink(path)

    def test_hup_during_a_shutdown_is_ignored(self):
        daemon = self.daemon(program("a", actor("ignore=TERM", "print=up", "hang"), stopwaitsecs=2))
        daemon.wait_stdout("a", "up")
        daemon.send_signal(signal.SIGTERM)
        daemon.wait_log("received SIGTERM")
        daemon.send_signal(signal.SIGHUP)
        self.assertEqual(0, daemon.wait())

    def test_term_during_a_restart_turns_it_into_a_shutdown(self):
        daemon = self.daemon(program("a", actor("ignore=TERM", "print=up", "hang"), stopwaitsecs=2))
        daemon.wait_stdout("a", "up")
        daemon.send_signal(signal.SIGHUP)
        daemon.wait_log("received SIGHUP")
        daemon.send_signal(signal.SIGTERM)
        self.assertEqual(0, daemon.wait())


class Reopen(TestCase):
    def test_usr2_reopens_the_logs(self):
        daemon = self.daemon(program("a", actor("say_on=HUP", "print=before", "hang"),
                                     stdout_logfile=self.path("a.log")))
        daemon.wait_stdout("a", "before")
        os.rename(daemon.log, daemon.log + ".moved")
        os.rename(self.path("a.log"), self.path("a.moved"))
        daemon.send_signal(signal.SIGUSR2)
        wait_for(lambda: os.path.exists(daemon.log) and os.path.exists(self.path("a.log")))
        daemon.supervisor.signalProcess("a", "HUP")
        wait_for(lambda: read(self.path("a.log")) == "got HUP\n")
        self.assertEqual("before\n", read(self.path("a.moved")))
        self.assertIn("INFO received SIGUSR2 indicating log reopen request",
                      read(daemon.log + ".moved") + read(daemon.log))
