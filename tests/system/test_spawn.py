"""Children: how they fail to start and what they must not inherit."""

import json
import os
import signal
import sys
import threading
import unittest

from harness import (REPORT, TestCase, actor, children_of, is_alive, is_instrumented, lines_of, needs_root,
                     not_wrapped, program, read, run, section, wait_for, write)


class Causes(TestCase):
    """What goes wrong between fork and exec reaches the parent with its cause."""

    def fatal(self, *command, daemon_options=None, **options):
        daemon = self.daemon(program("a", *command, startretries=0, **options), **(daemon_options or {}))
        return daemon.wait_state("a", "FATAL")["spawnerr"]

    def test_directory(self):
        text = self.fatal(actor("hang"), directory="/nowhere/dir")
        self.assertIn("/nowhere/dir", text)
        self.assertIn("ENOENT", text)

    @not_wrapped("valgrind dies of an exec that the kernel refuses")
    def test_interpreter(self):
        text = self.fatal(write(self.path("script"), "#!/nowhere/interpreter\n", 0o755))
        self.assertIn(self.path("script"), text)
        self.assertIn("ENOENT", text)

    def test_format(self):
        text = self.fatal(write(self.path("text"), "echo never\n", 0o755))
        self.assertIn(self.path("text"), text)
        self.assertIn("ENOEXEC", text)

    @needs_root
    def test_user_without_root(self):
        os.chmod(self.dir, 0o777)
        text = self.fatal(actor("hang"), user="daemon", daemon_options={"supervisord": {"user": "nobody"}})
        self.assertIn("daemon", text)
        self.assertIn("EPERM", text)

    @needs_root
    def test_directory_that_the_user_may_not_enter(self):
        secret = self.subdirectory("secret")
        os.chmod(secret, 0o700)
        os.chmod(self.dir, 0o755)
        text = self.fatal(actor("hang"), user="nobody", directory=secret)
        self.assertIn(secret, text)
        self.assertIn("EACCES", text)

    @needs_root
    @not_wrapped("strace has to hold the child, and valgrind would not let it")
    @unittest.skipIf(is_instrumented(), "LeakSanitizer does not work below strace")
    def test_child_stopped_by_its_user_before_the_exec_holds_up_nobody(self):
        os.chmod(self.dir, 0o777)
        slow_setuid = ["strace", "-D", "-f", "-o", self.path("trace"), "-e", "trace=setuid", "-e",
                       "inject=setuid:delay_exit=1000000"]
        daemon = self.daemon(program("a", actor("hang"), user="nobody", startretries=0, autostart="false"),
                             prefix=slow_setuid)
        start = threading.Thread(target=daemon.ctl, args=("start", "a"))
        start.start()
        child = wait_for(lambda: children_of(daemon.pid))[0]
        os.kill(child, signal.SIGSTOP)
        start.join()
        self.assertIn("stopped by a signal", daemon.info("a")["spawnerr"])
        self.assertEqual("FATAL", daemon.info("a")["statename"])
        self.assertEqual([], children_of(daemon.pid))

    def test_startProcess_faults_with_spawn_error(self):
        daemon = self.daemon(program("a", actor("hang"), directory="/nowhere/dir", autostart="false", startretries=0))
        self.assertFault(50, "SPAWN_ERROR: a", daemon.supervisor.startProcess, "a")

    def test_no_zombie_stays(self):
        daemon = self.daemon(program("a", actor("hang"), directory="/nowhere/dir", startretries=2))
        daemon.wait_state("a", "FATAL")
        wait_for(lambda: children_of(daemon.pid) == [])


class Inheritance(TestCase):
    def report(self, daemon_config="", **options):
        out = self.path("report.json")
        daemon = self.daemon(program("a", REPORT, out, "exit") + daemon_config, **options)
        return daemon, json.loads(wait_for(lambda: (lambda text: text if text.endswith("}\n") else None)(read(out))))

    def test_no_descriptor_but_the_standard_ones_with_many_open(self):
        others = "".join(program("x%d" % number, actor("hang"), priority=1) for number in range(20))
        _, found = self.report(others, inet=True)
        self.assertEqual({"0": "pipe", "1": "pipe", "2": "pipe"}, found["descriptors"])

    def test_signals_are_as_by_default(self):
        _, found = self.report()
        self.assertEqual(([], []), (found["blocked"], found["ignored"]))

    def test_signals_that_the_daemon_was_started_with_ignored_or_blocked(self):
        # a launcher such as nohup leaves HUP ignored; a stop signal must reach the children all the same
        launcher = [sys.executable, "-c", "import os, signal, sys\n"
                    "for number in (signal.SIGHUP, signal.SIGPIPE, signal.SIGTERM, signal.SIGUSR1):\n"
                    "    signal.signal(number, signal.SIG_IGN)\n"
                    "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGCHLD, signal.SIGTERM])\n"
                    "os.execvp(sys.argv[1], sys.argv[1:])"]
        daemon, found = self.report(prefix=launcher)
        self.assertEqual(([], []), (found["blocked"], found["ignored"]))
        self.assertEqual(0, daemon.stop())

    def test_start_of_one_that_exits_at_once_is_a_success_without_startsecs(self):
        daemon = self.daemon(program("a", actor("exit=0"), autostart="false"))
        for _ in range(20):
            self.assertIs(True, daemon.supervisor.startProcess("a"))
            daemon.wait_state("a", "EXITED")

    def test_start_followed_at_once_by_stop_is_quick(self):
        daemon = self.daemon(program("a", actor("hang"), autostart="false", stopwaitsecs=60))
        for _ in range(50):
            daemon.supervisor.startProcess("a", False)
            daemon.supervisor.stopProcess("a")


class Init(TestCase):
    """The daemon as the first process of a container."""

    @needs_root
    def test_orphans_are_reaped(self):
        if run("unshare", "-pf", "--mount-proc", "true").code != 0:
            self.skipTest("no namespaces here")
        mark = self.path("orphans")
        one = ["fork", "setsid", "mark=%s,x" % mark, "sleep=0.1", "exit=3", "end"]
        daemon = self.prepare(program("a", actor(*one * 10, "exit=0"))
                              + program("b", actor("hang")))
        daemon.prefix = ["unshare", "-pf", "--mount-proc", "--kill-child"]
        daemon.launch()
        daemon.pid = daemon.process.pid
        wait_for(daemon.answers)
        self.assertEqual(1, daemon.supervisor.getPID())
        daemon.wait_state("a", "EXITED")
        wait_for(lambda: len(lines_of(mark)) == 10)
        inside = children_of(daemon.process.pid)[0]
        wait_for(lambda: len(children_of(inside)) == 1, what="only b to be left")
        self.assertTrue(any("reaped unknown pid" in message for message in daemon.log_messages()))
        os.kill(inside, signal.SIGTERM)
        self.assertEqual(0, daemon.wait())


class Scarcity(TestCase):
    @not_wrapped("valgrind keeps descriptors to itself")
    def test_no_descriptors_left(self):
        daemon = self.prepare(program("w", actor("hang"), numprocs=60, process_name="w%(process_num)02d",
                                      startretries=1,
                                      stdout_logfile="NONE", stderr_logfile="NONE"),
                              supervisord={"minfds": 80})
        daemon.prefix = ["prlimit", "--nofile=80:80"]
        daemon.start()
        wait_for(lambda: all(info["statename"] in ("RUNNING",
                                                   "FATAL") for info in daemon.supervisor.getAllProcessInfo()),
                 timeout=20)
        states = [info["statename"] for info in daemon.supervisor.getAllProcessInfo()]
        self.assertIn("RUNNING", states)
        failed = [info for info in daemon.supervisor.getAllProcessInfo() if info["statename"] == "FATAL"]
        self.assertTrue(failed)
        self.assertEqual("too many open files to spawn '%s'" % failed[0]["name"], failed[0]["spawnerr"])
        daemon.supervisor.stopAllProcesses()
        self.assertIs(True, daemon.supervisor.startProcess("w:" + failed[0]["name"]))

    @needs_root
    def test_fork_refused(self):
        os.chmod(self.dir, 0o777)
        daemon = self.prepare(program("w", actor("hang"), numprocs=8, process_name="w%(process_num)d", startretries=0),
                              supervisord={"user": "games", "minprocs": 1})
        daemon.prefix = ["prlimit", "--nproc=5:5"]
        daemon.start()
        wait_for(lambda: all(info["statename"] in ("RUNNING",
                                                   "FATAL") for info in daemon.supervisor.getAllProcessInfo()))
        failed = [info for info in daemon.supervisor.getAllProcessInfo() if info["statename"] == "FATAL"]
        self.assertTrue(failed)
        self.assertEqual("Too many processes in process table to spawn '%s'" % failed[0]["name"], failed[0]["spawnerr"])


class Leftovers(TestCase):
    def test_daemon_that_was_killed_leaves_a_socket_that_the_next_replaces(self):
        daemon = self.daemon(program("a", actor("exit_on=TERM,0", "hang")))
        pid = daemon.wait_state("a", "RUNNING")["pid"]
        daemon.kill()
        os.kill(pid, signal.SIGKILL)
        self.assertTrue(os.path.exists(daemon.socket))
        daemon.start()
        self.assertEqual("%d\n" % daemon.pid, read(daemon.pidfile))

    def killed(self, **options):
        """Kills the daemon and returns the pid of the child that it had."""
        daemon = self.daemon(program("a", actor("hang"), **options))
        pid = daemon.wait_state("a", "RUNNING")["pid"]
        daemon.kill()
        return pid

    def test_child_with_killonparentdeath_dies_with_the_daemon(self):
        pid = self.killed(killonparentdeath="true")
        wait_for(lambda: not is_alive(pid))

    @needs_root
    def test_child_of_another_user_with_killonparentdeath_dies_with_the_daemon(self):
        os.chmod(self.dir, 0o777)
        pid = self.killed(killonparentdeath="true", user="nobody")
        wait_for(lambda: not is_alive(pid))

    def test_child_without_killonparentdeath_lives_on(self):
        pid = self.killed()
        self.assertTrue(is_alive(pid))
        os.kill(pid, signal.SIGKILL)

    def test_failed_start_leaves_no_pidfile_and_no_socket(self):
        answer = self.refuse(section("inet_http_server", port="203.0.113.1:9999"))
        self.assertEqual(2, answer.code, answer)
        self.assertEqual(["supervisord.conf"], [name for name in os.listdir(self.dir)
                                                if not name.endswith(".log")])

    def test_pidfile_is_there_when_the_daemon_answers(self):
        for _ in range(5):
            daemon = self.daemon()
            self.assertEqual("%d\n" % daemon.pid, read(daemon.pidfile))
            daemon.stop()
