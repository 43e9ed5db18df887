"""Control of processes and groups, and changes of the configuration (manual 2.1.2)."""

import time
import xmlrpc.client

from harness import Fault, TestCase, actor, differs, is_alive, program, section, wait_for, write

SUCCESS = {"status": 80, "description": "OK"}


def ok(group, name):
    return dict(SUCCESS, group=group, name=name)


class Start(TestCase):
    def test_waits_for_startsecs(self):
        daemon = self.daemon(program("a", actor("hang"), autostart="false", startsecs=1))
        began = time.monotonic()
        self.assertIs(True, daemon.supervisor.startProcess("a"))
        self.assertGreater(time.monotonic() - began, 0.9)
        self.assertEqual("RUNNING", daemon.state("a"))

    def test_does_not_wait_when_told_so(self):
        daemon = self.daemon(program("a", actor("hang"), autostart="false", startsecs=3))
        self.assertIs(True, daemon.supervisor.startProcess("a", False))
        self.assertEqual("STARTING", daemon.state("a"))

    def test_without_startsecs_it_is_running_at_once(self):
        daemon = self.daemon(program("a", actor("hang"), autostart="false"))
        daemon.supervisor.startProcess("a")
        self.assertEqual("RUNNING", daemon.state("a"))

    def test_running_one(self):
        daemon = self.daemon(program("a", actor("hang")))
        daemon.wait_state("a", "RUNNING")
        self.assertFault(Fault.ALREADY_STARTED, "ALREADY_STARTED: a", daemon.supervisor.startProcess, "a")

    def test_starting_one(self):
        daemon = self.daemon(program("a", actor("hang"), startsecs=60))
        daemon.wait_state("a", "STARTING")
        self.assertFault(Fault.ALREADY_STARTED, "ALREADY_STARTED: a", daemon.supervisor.startProcess, "a")

    def test_one_in_backoff(self):
        daemon = self.daemon(program("a", actor("exit=1"), startsecs=9, startretries=9))
        daemon.wait_state("a", "BACKOFF")
        self.assertFault(Fault.ALREADY_STARTED, "ALREADY_STARTED: a", daemon.supervisor.startProcess, "a")

    def test_stopping_one(self):
        daemon = self.daemon(program("a", actor("ignore=TERM", "print=up", "hang"), stopwaitsecs=2))
        daemon.wait_stdout("a", "up")
        pid = daemon.info("a")["pid"]
        daemon.supervisor.stopProcess("a", False)
        self.assertFault(Fault.ABNORMAL_TERMINATION, "ABNORMAL_TERMINATION: a", daemon.supervisor.startProcess, "a")
        self.assertEqual(("STOPPING", pid), tuple(daemon.info("a")[key] for key in ("statename", "pid")))

    def test_unknown_name(self):
        supervisor = self.daemon(program("a", actor("hang"))).supervisor
        for name in ("b", "a:b", "", "b:*", "a b"):
            with self.subTest(name):
                self.assertFault(Fault.BAD_NAME, "BAD_NAME: " + name, supervisor.startProcess, name)

    def test_one_that_exits_too_early(self):
        daemon = self.daemon(program("a", actor("exit=1"), autostart="false", startsecs=5, startretries=0))
        self.assertFault(Fault.SPAWN_ERROR, "SPAWN_ERROR: a", daemon.supervisor.startProcess, "a")

    def test_missing_command(self):
        daemon = self.daemon(program("a", "/nowhere/a", autostart="false"))
        self.assertFault(Fault.NO_FILE, "NO_FILE: can't find command '/nowhere/a'", daemon.supervisor.startProcess, "a")
        self.assertEqual("STOPPED", daemon.state("a"))

    def test_missing_command_without_path(self):
        daemon = self.daemon(program("a", "no-such-command-here", autostart="false"))
        self.assertFault(Fault.NO_FILE, "NO_FILE: can't find command 'no-such-command-here'",
                         daemon.supervisor.startProcess, "a")

    def test_command_that_is_not_executable(self):
        path = write(self.path("text"), "x")
        daemon = self.daemon(program("a", path, autostart="false"))
        self.assertFault(Fault.NOT_EXECUTABLE, "NOT_EXECUTABLE: command at '%s' is not executable" % path,
                         daemon.supervisor.startProcess, "a")

    def test_command_that_is_a_directory(self):
        daemon = self.daemon(program("a", self.dir, autostart="false"))
        self.assertFault(Fault.NOT_EXECUTABLE, "NOT_EXECUTABLE: command at '%s' is a directory" % self.dir,
                         daemon.supervisor.startProcess, "a")

    def test_group_with_a_star(self):
        daemon = self.daemon(program("a", actor("hang"), autostart="false", numprocs=2, process_name="%(process_num)d"))
        self.assertCountEqual([ok("a", "0"), ok("a", "1")], daemon.supervisor.startProcess("a:*"))
        self.assertEqual(["RUNNING"] * 2, [daemon.state("a:0"), daemon.state("a:1")])

    def test_group(self):
        daemon = self.daemon(program("a", actor("hang"), autostart="false") + program("b", actor("hang"),
                                                                                      autostart="false")
                             + program("c", actor("hang"), autostart="false") + section("group:g", programs="a,b"))
        self.assertCountEqual([ok("g", "a"), ok("g", "b")], daemon.supervisor.startProcessGroup("g"))
        self.assertEqual("STOPPED", daemon.state("c"))

    def test_group_leaves_out_members_that_run(self):
        daemon = self.daemon(program("a", actor("hang")) + program("b", actor("hang"), autostart="false")
                             + section("group:g", programs="a,b"))
        daemon.wait_state("g:a", "RUNNING")
        self.assertEqual([ok("g", "b")], daemon.supervisor.startProcessGroup("g"))
        self.assertEqual([], daemon.supervisor.startProcessGroup("g"))

    def test_group_with_a_member_that_fails(self):
        daemon = self.daemon(program("a", "/nowhere/a", autostart="false") + program("b", actor("hang"),
                                                                                     autostart="false")
                             + section("group:g", programs="a,b"))
        answers = sorted(daemon.supervisor.startProcessGroup("g"), key=lambda answer: answer["name"])
        self.assertEqual([{"group": "g", "name": "a", "status": 20,
                           "description": "NO_FILE: can't find command '/nowhere/a'"},
                          ok("g", "b")], answers)

    def test_unknown_group(self):
        supervisor = self.daemon(program("a", actor("hang"))).supervisor
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: x", supervisor.startProcessGroup, "x")
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: ", supervisor.startProcessGroup, "")

    def test_all(self):
        daemon = self.daemon(program("a", actor("hang"), autostart="false") + program("b", actor("hang"),
                                                                                      autostart="false"))
        self.assertCountEqual([ok("a", "a"), ok("b", "b")], daemon.supervisor.startAllProcesses())
        self.assertEqual([], daemon.supervisor.startAllProcesses())

    def test_all_without_waiting(self):
        daemon = self.daemon(program("a", actor("hang"), autostart="false", startsecs=9))
        self.assertEqual([ok("a", "a")], daemon.supervisor.startAllProcesses(False))
        self.assertEqual("STARTING", daemon.state("a"))

    def test_group_starts_by_priority(self):
        log = self.path("order")
        config = "".join(program(name, actor("mark=%s,%s" % (log, name), "hang"), autostart="false", priority=priority,
                                 startsecs=1) for name, priority in (("a", 3), ("b", 1), ("c", 2)))
        daemon = self.daemon(config + section("group:g", programs="a,b,c"))
        daemon.supervisor.startProcessGroup("g", False)
        for name in "abc":
            daemon.wait_state("g:" + name, "RUNNING")
        spawned = [message.split("'")[1] for message in daemon.log_messages() if message.startswith("INFO spawned")]
        self.assertEqual(["b", "c", "a"], spawned)

    def test_fatal_one_can_be_started_again(self):
        count = self.path("count")
        daemon = self.daemon(program("a", actor("fail_first=%s,1" % count, "hang"), startsecs=3, startretries=0))
        daemon.wait_state("a", "FATAL")
        self.assertIs(True, daemon.supervisor.startProcess("a"))
        self.assertEqual("RUNNING", daemon.state("a"))
        self.assertEqual("", daemon.info("a")["spawnerr"])

    def test_exited_one_can_be_started_again(self):
        daemon = self.daemon(program("a", actor("sleep=0.3", "exit=0")))
        daemon.wait_state("a", "EXITED")
        first = daemon.info("a")["start"]
        self.assertIs(True, daemon.supervisor.startProcess("a"))
        daemon.wait_state("a", "EXITED")
        self.assertGreaterEqual(daemon.info("a")["start"], first)

    @differs("Ours waits for the last attempt, and a late success is a success.")
    def test_waits_through_failed_attempts(self):
        daemon = self.daemon(program("a", actor("sleep=0.3", "fail_first=%s,1" % self.path("count"), "hang"),
                                     autostart="false", startsecs=3, startretries=3))
        self.assertIs(True, daemon.supervisor.startProcess("a"))
        self.assertEqual("RUNNING", daemon.state("a"))

    def test_wait_may_be_a_number(self):
        daemon = self.daemon(program("a", actor("hang"), autostart="false", startsecs=60))
        self.assertIs(True, daemon.supervisor.startProcess("a", 0))
        self.assertEqual("STARTING", daemon.state("a"))

    def test_missing_command_faults_without_waiting_too(self):
        daemon = self.daemon(program("a", "/nowhere/a", autostart="false"))
        self.assertFault(Fault.NO_FILE, "NO_FILE: can't find command '/nowhere/a'", daemon.supervisor.startProcess,
                         "a", False)
        self.assertEqual([{"group": "a", "name": "a", "status": 20,
                           "description": "NO_FILE: can't find command '/nowhere/a'"}],
                         daemon.supervisor.startAllProcesses())


class Stop(TestCase):
    def test_waits_for_the_end(self):
        daemon = self.daemon(program("a", actor("hang")))
        pid = daemon.wait_state("a", "RUNNING")["pid"]
        self.assertIs(True, daemon.supervisor.stopProcess("a"))
        self.assertEqual(("STOPPED", 0), tuple(daemon.info("a")[key] for key in ("statename", "pid")))
        self.assertFalse(is_alive(pid))

    def test_does_not_wait_when_told_so(self):
        daemon = self.daemon(program("a", actor("ignore=TERM", "print=up", "hang"), stopwaitsecs=2))
        daemon.wait_stdout("a", "up")
        began = time.monotonic()
        self.assertIs(True, daemon.supervisor.stopProcess("a", False))
        self.assertLess(time.monotonic() - began, 1.5)
        self.assertEqual("STOPPING", daemon.state("a"))
        daemon.wait_state("a", "STOPPED")

    def test_stopped_one(self):
        daemon = self.daemon(program("a", actor("hang"), autostart="false"))
        self.assertFault(Fault.NOT_RUNNING, "NOT_RUNNING: a", daemon.supervisor.stopProcess, "a")

    def test_exited_one(self):
        daemon = self.daemon(program("a", actor("exit=0")))
        daemon.wait_state("a", "EXITED")
        self.assertFault(Fault.NOT_RUNNING, "NOT_RUNNING: a", daemon.supervisor.stopProcess, "a")

    def test_fatal_one(self):
        daemon = self.daemon(program("a", "/nowhere/a", startretries=0))
        daemon.wait_state("a", "FATAL")
        self.assertFault(Fault.NOT_RUNNING, "NOT_RUNNING: a", daemon.supervisor.stopProcess, "a")

    def test_starting_one(self):
        daemon = self.daemon(program("a", actor("print=up", "hang"), startsecs=60))
        daemon.wait_stdout("a", "up")
        self.assertIs(True, daemon.supervisor.stopProcess("a"))
        self.assertEqual("STOPPED", daemon.state("a"))

    def test_stopping_one(self):
        daemon = self.daemon(program("a", actor("ignore=TERM", "print=up", "hang"), stopwaitsecs=2))
        daemon.wait_stdout("a", "up")
        daemon.supervisor.stopProcess("a", False)
        self.assertFault(Fault.NOT_RUNNING, "NOT_RUNNING: a", daemon.supervisor.stopProcess, "a")

    def test_one_in_backoff_is_stopped_at_once(self):
        daemon = self.daemon(program("a", actor("exit=1"), startsecs=9, startretries=99))
        wait_for(lambda: daemon.log_messages().count("WARN exited: a (exit status 1; not expected)") > 2)
        daemon.wait_state("a", "BACKOFF")
        self.assertIs(True, daemon.supervisor.stopProcess("a"))
        self.assertEqual("STOPPED", daemon.state("a"))

    def test_unknown_name(self):
        supervisor = self.daemon(program("a", actor("hang"))).supervisor
        for name in ("b", "a:b", "", "b:*"):
            with self.subTest(name):
                self.assertFault(Fault.BAD_NAME, "BAD_NAME: " + name, supervisor.stopProcess, name)

    def test_group(self):
        daemon = self.daemon(program("a", actor("hang"), numprocs=2, process_name="%(process_num)d")
                             + program("b", actor("hang")))
        daemon.wait_state("a:1", "RUNNING")
        self.assertCountEqual([ok("a", "0"), ok("a", "1")], daemon.supervisor.stopProcessGroup("a"))
        self.assertEqual([], daemon.supervisor.stopProcessGroup("a"))
        self.assertEqual("RUNNING", daemon.state("b"))

    def test_group_with_a_star(self):
        daemon = self.daemon(program("a", actor("hang")))
        daemon.wait_state("a", "RUNNING")
        self.assertEqual([ok("a", "a")], daemon.supervisor.stopProcess("a:*"))

    def test_unknown_group(self):
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: x", self.daemon().supervisor.stopProcessGroup, "x")

    def test_all(self):
        daemon = self.daemon(program("a", actor("hang")) + program("b", actor("hang"))
                             + program("c", actor("hang"), autostart="false"))
        daemon.wait_state("b", "RUNNING")
        self.assertCountEqual([ok("a", "a"), ok("b", "b")], daemon.supervisor.stopAllProcesses())
        self.assertEqual([], daemon.supervisor.stopAllProcesses())

    def test_all_without_waiting(self):
        daemon = self.daemon(program("a", actor("hang")))
        daemon.wait_state("a", "RUNNING")
        self.assertEqual([ok("a", "a")], daemon.supervisor.stopAllProcesses(False))
        daemon.wait_state("a", "STOPPED")


class Signal(TestCase):
    def setUp(self):
        super().setUp()
        self.it = self.daemon(program("a", actor("say_on=HUP", "say_on=USR1", "print=up", "hang"))
                              + program("b", actor("hang"), autostart="false"))
        self.it.wait_stdout("a", "up")

    def test_by_name_number_and_full_name(self):
        for signal_name in ("HUP", "SIGHUP", "1", "hup"):
            with self.subTest(signal_name):
                self.it.supervisor.clearProcessLogs("a")
                self.assertIs(True, self.it.supervisor.signalProcess("a", signal_name))
                self.it.wait_stdout("a", "got HUP")

    def test_bad_signal(self):
        for signal_name in ("NOPE", "SIGNOPE", "", "12345"):
            with self.subTest(signal_name):
                self.assertFault(Fault.BAD_SIGNAL, "BAD_SIGNAL: " + signal_name,
                                 self.it.supervisor.signalProcess, "a", signal_name)

    def test_stopped_process(self):
        self.assertFault(Fault.NOT_RUNNING, "NOT_RUNNING: b", self.it.supervisor.signalProcess, "b", "HUP")

    def test_unknown_name(self):
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: x", self.it.supervisor.signalProcess, "x", "HUP")
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: x", self.it.supervisor.signalProcessGroup, "x", "HUP")

    def test_group(self):
        self.assertEqual([ok("a", "a")], self.it.supervisor.signalProcessGroup("a", "USR1"))
        self.it.wait_stdout("a", "got USR1")
        self.assertEqual([ok("a", "a")], self.it.supervisor.signalProcess("a:*", "USR1"))

    def test_all_leaves_out_stopped_ones(self):
        self.assertEqual([ok("a", "a")], self.it.supervisor.signalAllProcesses("USR1"))
        self.it.wait_stdout("a", "got USR1")

    def test_group_of_a_stopped_one(self):
        self.assertEqual([], self.it.supervisor.signalProcessGroup("b", "HUP"))

    def test_bad_signal_for_a_group(self):
        bad = [{"group": "a", "name": "a", "status": 11, "description": "BAD_SIGNAL: NOPE"}]
        self.assertEqual(bad, self.it.supervisor.signalProcessGroup("a", "NOPE"))
        self.assertEqual(bad, self.it.supervisor.signalAllProcesses("NOPE"))

    def test_number_zero_and_integers(self):
        self.assertIs(True, self.it.supervisor.signalProcess("a", "0"))
        self.assertIs(True, self.it.supervisor.signalProcess("a", 1))
        self.it.wait_stdout("a", "got HUP")

    def test_process_in_backoff(self):
        daemon = self.daemon(program("back", actor("exit=1"), startsecs=9, startretries=9),
                             directory=self.subdirectory("other"))
        daemon.wait_state("back", "BACKOFF")
        self.assertFault(Fault.NOT_RUNNING, "NOT_RUNNING: back", daemon.supervisor.signalProcess, "back", "HUP")
        self.assertFault(Fault.NOT_RUNNING, "NOT_RUNNING: back", daemon.supervisor.sendProcessStdin, "back", "x")

    def test_starting_and_stopping_processes_are_signalled(self):
        daemon = self.daemon(program("s", actor("ignore=TERM", "say_on=HUP", "print=up", "hang"), startsecs=60,
                                     stopwaitsecs=3), directory=self.subdirectory("other"))
        daemon.wait_stdout("s", "up")
        self.assertIs(True, daemon.supervisor.signalProcess("s", "HUP"))
        daemon.wait_stdout("s", "got HUP\n")
        daemon.supervisor.stopProcess("s", False)
        self.assertIs(True, daemon.supervisor.signalProcess("s", "HUP"))
        daemon.wait_stdout("s", "got HUP\ngot HUP\n")
        self.assertFault(Fault.NOT_RUNNING, "NOT_RUNNING: s", daemon.supervisor.sendProcessStdin, "s", "x")

    def test_a_deadly_signal_ends_it(self):
        self.it.supervisor.signalProcess("a", "KILL")
        info = self.it.wait_state("a", "EXITED")
        self.assertEqual(-1, info["exitstatus"])
        self.it.wait_log("exited: a (terminated by SIGKILL; not expected)")


class Stdin(TestCase):
    def test_reaches_the_process(self):
        daemon = self.daemon(program("cat", "/bin/cat"))
        daemon.wait_state("cat", "RUNNING")
        self.assertIs(True, daemon.supervisor.sendProcessStdin("cat", "hello\n"))
        daemon.wait_stdout("cat", "hello\n")

    def test_unicode_is_sent_as_utf_8(self):
        daemon = self.daemon(program("cat", "/bin/cat"))
        daemon.wait_state("cat", "RUNNING")
        daemon.supervisor.sendProcessStdin("cat", "caf\u00e9 \u20ac\n")
        daemon.wait_stdout("cat", "caf\u00e9 \u20ac\n")

    def test_stopped_process(self):
        daemon = self.daemon(program("cat", "/bin/cat", autostart="false"))
        self.assertFault(Fault.NOT_RUNNING, "NOT_RUNNING: cat", daemon.supervisor.sendProcessStdin, "cat", "x")

    def test_unknown_name(self):
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: x", self.daemon().supervisor.sendProcessStdin, "x", "x")

    def test_group_is_not_a_process(self):
        daemon = self.daemon(program("cat", "/bin/cat"))
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: cat:*", daemon.supervisor.sendProcessStdin, "cat:*", "x")

    def test_number_is_not_text(self):
        daemon = self.daemon(program("cat", "/bin/cat"))
        daemon.wait_state("cat", "RUNNING")
        self.assertFault(Fault.INCORRECT_PARAMETERS, "INCORRECT_PARAMETERS: 5",
                         daemon.supervisor.sendProcessStdin, "cat", 5)

    def test_closed_stdin(self):
        daemon = self.daemon(program("deaf", actor("close=0", "print=closed", "hang")))
        daemon.wait_stdout("deaf", "closed")
        self.assertFault(Fault.NO_FILE, "NO_FILE: deaf", daemon.supervisor.sendProcessStdin, "deaf", "x")


class RemoteCommEvent(TestCase):
    def test_is_accepted(self):
        self.assertIs(True, self.daemon().supervisor.sendRemoteCommEvent("type", "data"))

    def test_numbers_are_accepted_as_text(self):
        self.assertIs(True, self.daemon().supervisor.sendRemoteCommEvent("t\u00e9", "d\u00e4ta"))


class Reload(TestCase):
    def reload(self, daemon, config):
        daemon.configure(config)
        return daemon.supervisor.reloadConfig()

    def test_nothing_changed(self):
        config = program("a", actor("hang"))
        daemon = self.daemon(config)
        self.assertEqual([[[], [], []]], self.reload(daemon, config))

    def test_added_changed_removed(self):
        daemon = self.daemon(program("a", actor("hang")) + program("b", actor("hang")) + program("c", actor("hang")))
        self.assertEqual([[["d"], ["b"], ["c"]]],
                         self.reload(daemon, program("a", actor("hang")) + program("b", actor("hang", "exit=0"))
                                     + program("d", actor("hang"))))
        daemon.wait_state("c", "RUNNING")
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: d", daemon.supervisor.getProcessInfo, "d")

    def test_the_order_of_sections_is_no_change(self):
        daemon = self.daemon(program("a", actor("hang")) + program("b", actor("hang")))
        self.assertEqual([[[], [], []]], self.reload(daemon, program("b", actor("hang")) + program("a", actor("hang"))))

    def test_comments_are_no_change(self):
        daemon = self.daemon(program("a", actor("hang")))
        self.assertEqual([[[], [], []]], self.reload(daemon, "; hello\n" + program("a", actor("hang")) + "# bye\n"))

    def test_every_option_is_a_change(self):
        daemon = self.daemon(program("a", actor("hang")))
        changes = {"priority": "5", "autostart": "false", "autorestart": "true", "startsecs": "2", "startretries": "9",
                   "exitcodes": "1,2", "stopsignal": "INT", "stopwaitsecs": "3", "stopasgroup": "true",
                   "killasgroup": "true", "user": "root", "redirect_stderr": "true", "stdout_logfile": "NONE",
                   "stdout_logfile_maxbytes": "5MB", "stdout_logfile_backups": "2", "stdout_capture_maxbytes": "1KB",
                   "stdout_events_enabled": "true", "stderr_logfile": "NONE", "stderr_logfile_maxbytes": "5MB",
                   "stderr_logfile_backups": "2", "stderr_capture_maxbytes": "1KB", "stderr_events_enabled": "true",
                   "environment": "A=\"1\"", "directory": "/tmp", "umask": "077", "serverurl": "http://x:1",
                   "stdout_syslog": "true", "stderr_syslog": "true"}
        for name, value in changes.items():
            with self.subTest(name):
                self.assertEqual([[[], ["a"], []]], self.reload(daemon, program("a", actor("hang"), **{name: value})))

    def test_program_moved_into_a_group(self):
        daemon = self.daemon(program("a", actor("hang")))
        self.assertEqual([[["g"], [], ["a"]]],
                         self.reload(daemon, program("a", actor("hang")) + section("group:g", programs="a")))

    def test_group_gains_a_member(self):
        two = program("a", actor("hang")) + program("b", actor("hang"))
        daemon = self.daemon(two + section("group:g", programs="a"))
        self.assertEqual([[[], ["g"], ["b"]]], self.reload(daemon, two + section("group:g", programs="a,b")))

    def test_broken_file_leaves_everything_as_it_is(self):
        daemon = self.daemon(program("a", actor("hang")))
        daemon.configure(program("a", actor("hang"), startsecs="many"))
        with self.assertRaises(xmlrpc.client.Fault) as caught:
            daemon.supervisor.reloadConfig()
        self.assertEqual(Fault.CANT_REREAD, caught.exception.faultCode)
        self.assertRegex(caught.exception.faultString, "^CANT_REREAD: .*(many|startsecs)")
        daemon.wait_state("a", "RUNNING")

    def test_add(self):
        daemon = self.daemon(program("a", actor("hang")))
        self.reload(daemon, program("a", actor("hang")) + program("b", actor("hang")))
        self.assertIs(True, daemon.supervisor.addProcessGroup("b"))
        daemon.wait_state("b", "RUNNING")

    def test_add_without_autostart(self):
        daemon = self.daemon()
        self.reload(daemon, program("b", actor("hang"), autostart="false"))
        daemon.supervisor.addProcessGroup("b")
        self.assertEqual("STOPPED", daemon.state("b"))

    def test_add_twice(self):
        daemon = self.daemon(program("a", actor("hang")))
        self.assertFault(Fault.ALREADY_ADDED, "ALREADY_ADDED: a", daemon.supervisor.addProcessGroup, "a")

    def test_add_unknown(self):
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: x", self.daemon().supervisor.addProcessGroup, "x")

    def test_remove_a_stopped_one(self):
        daemon = self.daemon(program("a", actor("hang"), autostart="false"))
        self.assertIs(True, daemon.supervisor.removeProcessGroup("a"))
        self.assertEqual([], daemon.supervisor.getAllProcessInfo())
        self.assertIs(True, daemon.supervisor.addProcessGroup("a"))

    def test_remove_a_running_one(self):
        daemon = self.daemon(program("a", actor("hang")))
        daemon.wait_state("a", "RUNNING")
        self.assertFault(Fault.STILL_RUNNING, "STILL_RUNNING: a", daemon.supervisor.removeProcessGroup, "a")

    def test_remove_one_in_backoff(self):
        daemon = self.daemon(program("a", actor("exit=1"), startsecs=9, startretries=99))
        daemon.wait_state("a", "BACKOFF")
        self.assertFault(Fault.STILL_RUNNING, "STILL_RUNNING: a", daemon.supervisor.removeProcessGroup, "a")

    def test_remove_unknown(self):
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: x", self.daemon().supervisor.removeProcessGroup, "x")

    def test_changed_program_takes_effect_after_remove_and_add(self):
        daemon = self.daemon(program("a", actor("print=old", "hang")))
        daemon.wait_stdout("a", "old")
        self.reload(daemon, program("a", actor("print=new", "hang")))
        daemon.supervisor.stopProcess("a")
        daemon.supervisor.removeProcessGroup("a")
        daemon.supervisor.addProcessGroup("a")
        daemon.wait_stdout("a", "new")
