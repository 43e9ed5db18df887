"""The life of a process: starting, failing, restarting, stopping (manual 1.4.6, 1.5.4)."""

import os
import re
import signal
import time

from harness import TestCase, actor, lines_of, program, read, section, wait_for


def pauses(daemon, name):
    """Seconds between the spawns of a process, from the log's times."""
    times = []
    for line in lines_of(daemon.log):
        if "spawned: '%s'" % name in line:
            moment = time.mktime(time.strptime(line[:19], "%Y-%m-%d %H:%M:%S")) + int(line[20:23]) / 1000
            times.append(moment)
    return [after - before for before, after in zip(times, times[1:])]


class Start(TestCase):
    def test_is_running_after_startsecs(self):
        daemon = self.daemon(program("a", actor("hang"), startsecs=1))
        daemon.wait_state("a", "STARTING")
        daemon.wait_state("a", "RUNNING")
        daemon.wait_log("INFO success: a entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)")

    def test_is_running_at_once_without_startsecs(self):
        daemon = self.daemon(program("a", actor("hang")))
        daemon.wait_log("INFO success: a entered RUNNING state, process has stayed up for > than 0 seconds (startsecs)")

    def test_spawn_is_logged_with_the_pid(self):
        daemon = self.daemon(program("a", actor("hang")))
        pid = daemon.wait_state("a", "RUNNING")["pid"]
        self.assertIn("INFO spawned: 'a' with pid %d" % pid, daemon.log_messages())

    def test_is_not_started_without_autostart(self):
        daemon = self.daemon(program("a", actor("hang"), autostart="false") + program("b", actor("hang")))
        daemon.wait_state("b", "RUNNING")
        self.assertEqual("STOPPED", daemon.state("a"))

    def test_exit_before_startsecs_is_a_failed_start(self):
        daemon = self.daemon(program("a", actor("exit=0"), startsecs=5, startretries=9))
        daemon.wait_state("a", "BACKOFF")
        self.assertIn("WARN exited: a (exit status 0; not expected)", daemon.log_messages())

    def test_boots_in_order_of_priority(self):
        config = "".join(program(name, actor("hang"), priority=priority)
                         for name, priority in (("a", 30), ("b", 10), ("c", 20)))
        daemon = self.daemon(config)
        for name in "abc":
            daemon.wait_state(name, "RUNNING")
        spawned = [message.split("'")[1] for message in daemon.log_messages() if "spawned" in message]
        self.assertEqual(["b", "c", "a"], spawned)

    def test_boots_equal_priorities_by_name(self):
        daemon = self.daemon("".join(program(name, actor("hang")) for name in ("c", "a", "b")))
        for name in "abc":
            daemon.wait_state(name, "RUNNING")
        spawned = [message.split("'")[1] for message in daemon.log_messages() if "spawned" in message]
        self.assertEqual(["a", "b", "c"], spawned)


class Retries(TestCase):
    def test_startretries_are_made_after_the_first_attempt_with_growing_pauses(self):
        daemon = self.daemon(program("a", actor("exit=1"), startsecs=60, startretries=2))
        daemon.wait_state("a", "FATAL")
        self.assertIn("INFO gave up: a entered FATAL state, too many start retries too quickly", daemon.log_messages())
        found = pauses(daemon, "a")
        self.assertEqual(2, len(found))
        self.assertGreater(found[0], 0.9)
        self.assertGreater(found[1], 1.9)

    def test_no_retries(self):
        daemon = self.daemon(program("a", actor("exit=1"), startsecs=60, startretries=0))
        daemon.wait_state("a", "FATAL")
        self.assertEqual([], pauses(daemon, "a"))

    def test_succeeds_in_the_end(self):
        daemon = self.daemon(program("a", actor("fail_first=%s,2" % self.path("count"), "hang"), startsecs=3))
        daemon.wait_state("a", "RUNNING")
        self.assertEqual(2, len(pauses(daemon, "a")))

    def test_missing_command_ends_fatal(self):
        daemon = self.daemon(program("a", "/nowhere/a", startretries=1))
        info = daemon.wait_state("a", "FATAL")
        self.assertEqual("can't find command '/nowhere/a'", info["spawnerr"])
        self.assertEqual(["INFO spawnerr: can't find command '/nowhere/a'"] * 2,
                         [message for message in daemon.log_messages() if "spawnerr" in message])


class Autorestart(TestCase):
    def restarts(self, *actions, **options):
        daemon = self.daemon(program("a", actor(*actions), **options))
        wait_for(lambda: len(pauses(daemon, "a")) >= 1, what="a restart")

    def stays_down(self, *actions, **options):
        daemon = self.daemon(program("a", actor(*actions), **options) + program("tick", actor("exit=0"),
                                                                                autorestart="true"))
        daemon.wait_state("a", "EXITED")
        seen = len(pauses(daemon, "tick"))
        wait_for(lambda: len(pauses(daemon, "tick")) >= seen + 2)
        self.assertEqual([], pauses(daemon, "a"))
        return daemon

    def test_true_restarts_after_an_expected_exit(self):
        self.restarts("exit=0", autorestart="true")

    def test_true_restarts_after_an_unexpected_exit(self):
        self.restarts("exit=9", autorestart="true")

    def test_false_does_not_restart_after_an_expected_exit(self):
        daemon = self.stays_down("exit=0", autorestart="false")
        self.assertIn("INFO exited: a (exit status 0; expected)", daemon.log_messages())

    def test_false_does_not_restart_after_an_unexpected_exit(self):
        daemon = self.stays_down("exit=9", autorestart="false")
        self.assertIn("WARN exited: a (exit status 9; not expected)", daemon.log_messages())

    def test_unexpected_restarts_after_an_unexpected_exit(self):
        self.restarts("exit=9", autorestart="unexpected")

    def test_unexpected_does_not_restart_after_an_expected_exit(self):
        self.stays_down("exit=0", autorestart="unexpected")

    def test_unexpected_heeds_exitcodes(self):
        self.stays_down("exit=7", autorestart="unexpected", exitcodes="3,7")

    def test_unexpected_restarts_after_zero_when_it_is_not_among_the_exitcodes(self):
        self.restarts("exit=0", autorestart="unexpected", exitcodes="3")

    def test_unexpected_restarts_after_a_signal(self):
        self.restarts("die=KILL", autorestart="unexpected", exitcodes="0,137")

    def test_a_stopped_process_is_not_restarted(self):
        daemon = self.daemon(program("a", actor("hang"), autorestart="true")
                             + program("tick", actor("exit=0"), autorestart="true"))
        daemon.wait_state("a", "RUNNING")
        daemon.supervisor.stopProcess("a")
        seen = len(pauses(daemon, "tick"))
        wait_for(lambda: len(pauses(daemon, "tick")) >= seen + 2)
        self.assertEqual("STOPPED", daemon.state("a"))

    def test_a_killed_process_is_back_with_another_pid(self):
        daemon = self.daemon(program("a", actor("hang"), autorestart="true"))
        pid = daemon.wait_state("a", "RUNNING")["pid"]
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: daemon.info("a")["pid"] not in (0, pid))
        self.assertIn("WARN exited: a (terminated by SIGKILL; not expected)", daemon.log_messages())


class Stop(TestCase):
    def test_sends_term_by_default(self):
        daemon = self.daemon(program("a", actor("mark_on=TERM,%s,term" % self.path("m"), "print=up", "hang"),
                                     stopwaitsecs=1))
        daemon.wait_stdout("a", "up")
        daemon.supervisor.stopProcess("a")
        self.assertEqual(["term"], lines_of(self.path("m")))

    def test_stopsignals(self):
        for name in ("HUP", "INT", "QUIT", "USR1", "USR2", "TERM"):
            with self.subTest(name):
                where = self.subdirectory(name)
                daemon = self.daemon(program("a", actor("exit_on=%s,5" % name, "print=up", "hang"), stopsignal=name),
                                     directory=where)
                daemon.wait_stdout("a", "up")
                daemon.supervisor.stopProcess("a")
                self.assertEqual(5, daemon.info("a")["exitstatus"])
                self.assertIn("WARN stopped: a (exit status 5)", daemon.log_messages())
                self.assertIn("DEBG killing a (pid ", read(daemon.log))
                self.assertIn("with signal SIG%s" % name, read(daemon.log))

    def test_stopsignal_by_number(self):
        daemon = self.daemon(program("a", actor("exit_on=USR1,5", "print=up", "hang"), stopsignal=signal.SIGUSR1.value))
        daemon.wait_stdout("a", "up")
        daemon.supervisor.stopProcess("a")
        self.assertEqual(5, daemon.info("a")["exitstatus"])

    def test_kills_after_stopwaitsecs(self):
        daemon = self.daemon(program("a", actor("ignore=TERM", "print=up", "hang"), stopwaitsecs=1))
        daemon.wait_stdout("a", "up")
        began = time.monotonic()
        daemon.supervisor.stopProcess("a")
        self.assertGreater(time.monotonic() - began, 0.9)
        self.assertTrue([message for message in daemon.log_messages()
                         if re.match(r"WARN killing 'a' \(\d+\) with SIGKILL$", message)])
        self.assertIn("WARN stopped: a (terminated by SIGKILL)", daemon.log_messages())

    def test_willing_exit_is_logged_as_information(self):
        daemon = self.daemon(program("a", actor("exit_on=TERM,0", "print=up", "hang")))
        daemon.wait_stdout("a", "up")
        daemon.supervisor.stopProcess("a")
        self.assertIn("INFO stopped: a (exit status 0)", daemon.log_messages())

    def test_waiting_for_a_slow_stop_is_logged(self):
        daemon = self.daemon(program("a", actor("ignore=TERM", "print=up", "hang"), stopwaitsecs=2))
        daemon.wait_stdout("a", "up")
        daemon.supervisor.stopProcess("a")
        self.assertIn("INFO waiting for a to stop", daemon.log_messages())

    def test_log_of_a_stop(self):
        daemon = self.daemon(program("a", actor("hang")))
        daemon.wait_state("a", "RUNNING")
        daemon.supervisor.stopProcess("a")
        self.assertIn("WARN stopped: a (terminated by SIGTERM)", daemon.log_messages())
        self.assertRegex(read(daemon.log), r"DEBG killing a \(pid \d+\) with signal SIGTERM")


class ProcessGroupSignals(TestCase):
    """A child with a child of its own, which leaves a line for every signal it gets."""

    def family(self, name="TERM", parent=("hang",), **options):
        self.marks = self.path("marks")
        child = ["fork", "mark_on=%s,%s,child" % (name, self.marks), "mark=%s,up" % self.marks, "sleep=30", "end"]
        daemon = self.daemon(program("a", actor(*child, *parent), **options))
        daemon.wait_state("a", "RUNNING")
        wait_for(lambda: lines_of(self.marks))
        self.addCleanup(self.end_family, daemon.info("a")["pid"])
        return daemon

    def end_family(self, group):
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def group_is_gone(self, group):
        """Whether nobody of a process group is alive; zombies do not count."""
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                fields = read("/proc/%s/stat" % entry).rpartition(")")[2].split()
                if len(fields) > 2 and int(fields[2]) == group and fields[0] != "Z":
                    return False
        return True

    def test_only_the_process_is_signalled_by_default(self):
        daemon = self.family()
        group = daemon.info("a")["pid"]
        daemon.supervisor.stopProcess("a")
        self.assertEqual(["up"], lines_of(self.marks))
        self.assertFalse(self.group_is_gone(group))
        self.end_family(group)

    def test_stopasgroup_signals_the_group(self):
        daemon = self.family(stopasgroup="true")
        group = daemon.info("a")["pid"]
        daemon.supervisor.stopProcess("a")
        wait_for(lambda: lines_of(self.marks) == ["up", "child"])
        self.end_family(group)

    def test_killasgroup_kills_the_group(self):
        daemon = self.family(parent=("ignore=TERM", "print=deaf", "hang"), killasgroup="true", stopwaitsecs=1)
        daemon.wait_stdout("a", "deaf")
        group = daemon.info("a")["pid"]
        daemon.supervisor.stopProcess("a")
        wait_for(lambda: self.group_is_gone(group))
        self.assertEqual(["up"], lines_of(self.marks))

    def test_stopasgroup_kills_the_group_too(self):
        daemon = self.family(parent=("ignore=TERM", "print=deaf", "hang"), stopasgroup="true", stopwaitsecs=1)
        daemon.wait_stdout("a", "deaf")
        group = daemon.info("a")["pid"]
        daemon.supervisor.stopProcess("a")
        wait_for(lambda: self.group_is_gone(group))
        self.assertEqual(["up", "child"], lines_of(self.marks))

    def test_signalProcess_reaches_only_the_process(self):
        daemon = self.family(name="USR1", parent=("mark_on=USR1,%s,parent" % self.path("marks"), "print=up", "hang"))
        daemon.wait_stdout("a", "up")
        daemon.supervisor.signalProcess("a", "USR1")
        wait_for(lambda: lines_of(self.marks) == ["up", "parent"])
        self.end_family(daemon.info("a")["pid"])


class Numprocs(TestCase):
    def test_names_and_numbers(self):
        daemon = self.daemon(program("w", actor("print=n%(process_num)d", "hang"), numprocs=3,
                                     process_name="%(program_name)s_%(process_num)02d"))
        for number in range(3):
            daemon.wait_stdout("w:w_%02d" % number, "n%d\n" % number)

    def test_start_number(self):
        daemon = self.daemon(program("w", actor("hang"), numprocs=2, numprocs_start=5, process_name="w%(process_num)d"))
        self.assertEqual(["w5", "w6"], [info["name"] for info in daemon.supervisor.getAllProcessInfo()])

    def test_process_name_of_a_single_one(self):
        daemon = self.daemon(program("w", actor("hang"), process_name="other"))
        self.assertEqual([("w", "other")], [(info["group"],
                                             info["name"]) for info in daemon.supervisor.getAllProcessInfo()])

    def test_group_shares_the_priority_of_the_section(self):
        daemon = self.daemon(program("a", actor("hang"), priority=1) + program("b", actor("hang"), priority=2)
                             + section("group:g", programs="a,b", priority=50))
        self.assertEqual([(50, 1), (50, 2)], [(info["group_prio"], info["process_prio"])
                                              for info in daemon.supervisor.getAllConfigInfo()])
