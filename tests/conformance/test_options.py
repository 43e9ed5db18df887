"""Options that no other file looks at, each by what it does: of the sections (manual 1.4), of the command lines (1.3)."""

import glob
import hashlib
import os
import pwd
import re
import signal
import stat
import subprocess
import xmlrpc.client

from harness import (SUPERVISORCTL, TestCase, actor, needs_root, not_wrapped, pool, program, read, section,
                     supervisorctl, wait_for, write)


class OfSupervisord(TestCase):
    def test_silent(self):
        daemon = self.daemon(supervisord={"silent": "true"})
        daemon.wait_log("supervisord started")
        self.assertNotIn("supervisord started", read(daemon.output))

    def test_childlogdir(self):
        logs = self.subdirectory("logs")
        daemon = self.daemon(program("a", actor("hang")), supervisord={"childlogdir": logs})
        self.assertEqual(logs, os.path.dirname(daemon.info("a")["stdout_logfile"]))

    def test_childlogdir_is_that_of_temporary_files_by_default(self):
        logs = self.subdirectory("temporary")
        daemon = self.daemon(program("a", actor("hang")), supervisord={"childlogdir": None},
                             environment={"TMPDIR": logs})
        self.assertEqual(logs, os.path.dirname(daemon.info("a")["stdout_logfile"]))

    def test_log_and_pidfile_are_in_the_working_directory_by_default(self):
        daemon = self.daemon(supervisord={"logfile": None, "pidfile": None})
        self.assertIn("supervisord started", read(self.path("supervisord.log")))
        self.assertEqual("%d\n" % daemon.pid, read(self.path("supervisord.pid")))


class OfServers(TestCase):
    def status(self, daemon, *credentials):
        url = "http://%s127.0.0.1:%d/RPC2" % ("%s:%s@" % credentials if credentials else "", daemon.port)
        try:
            xmlrpc.client.ServerProxy(url).supervisor.getState()
            return 200
        except xmlrpc.client.ProtocolError as error:
            return error.errcode

    def test_password_over_tcp(self):
        for password in ("secret", "{SHA}" + hashlib.sha1(b"secret").hexdigest()):
            with self.subTest(password), self.prepare(inet={"username": "me", "password": password}) as daemon:
                self.assertEqual([200, 401, 401, 401],
                                 [self.status(daemon, "me", "secret"), self.status(daemon, "me", "wrong"),
                                  self.status(daemon, "you", "secret"), self.status(daemon)])

    def test_servers_have_passwords_of_their_own(self):
        daemon = self.daemon(inet={"username": "me", "password": "secret"})
        self.assertEqual(daemon.pid, daemon.supervisor.getPID())
        self.assertEqual(401, self.status(daemon))


class OfSupervisorctl(TestCase):
    def test_serverurl(self):
        daemon = self.daemon(inet={"username": "me", "password": "secret"})
        path = write(self.path("ctl.conf"), section("supervisorctl", serverurl="http://127.0.0.1:%d" % daemon.port,
                                                    username="me", password="secret"))
        self.assertEqual((0, "%d\n" % daemon.pid, ""), supervisorctl("-c", path, "pid"))

    def test_here_is_the_directory_of_the_file(self):
        daemon = self.daemon(ctl={"serverurl": "unix://%(here)s/s.sock"})
        self.assertEqual("%d\n" % daemon.pid, daemon.ctl("pid").out)

    def test_maintail_follows(self):
        daemon = self.daemon(program("a", actor("hang"), autostart="false"))
        out = self.path("tail.out")
        with open(out, "w") as file:
            client = subprocess.Popen([SUPERVISORCTL, "-c", daemon.path, "maintail", "-f"], stdout=file)
        try:
            wait_for(lambda: "supervisord started" in read(out))
            self.assertTrue(read(out).startswith("==> Press Ctrl-C to exit <==\n"))
            daemon.supervisor.startProcess("a")
            wait_for(lambda: "INFO spawned: 'a' with pid " in read(out))
        finally:
            client.send_signal(signal.SIGINT)
            client.wait(10)


class OfPrograms(TestCase):
    def test_stderr_logfile(self):
        self.daemon(program("a", actor("print=out", "error=err", "hang"), stderr_logfile=self.path("a.err"),
                            stdout_logfile=self.path("a.out")))
        wait_for(lambda: (read(self.path("a.out")), read(self.path("a.err"))) == ("out\n", "err\n"))

    def test_stderr_logfile_rotates(self):
        self.daemon(program("a", actor(*["errlines=100,10", "sleep=0.05"] * 8, "error=end", "hang"),
                            stderr_logfile=self.path("a.err"), stderr_logfile_maxbytes=1000, stderr_logfile_backups=2))
        wait_for(lambda: read(self.path("a.err")).endswith("end\n"))
        self.assertEqual(["a.err", "a.err.1", "a.err.2"],
                         sorted(os.path.basename(path) for path in glob.glob(self.path("a.err*"))))


class OfGroups(TestCase):
    def started(self, daemon, *names):
        for name in names:
            daemon.wait_state(name, "RUNNING")
        return re.findall(r"spawned: '(\w+)'", read(daemon.log))

    def test_priority_is_the_place_among_groups(self):
        daemon = self.daemon(program("a", actor("hang")) + program("b", actor("hang"))
                             + section("group:late", programs="a", priority=20)
                             + section("group:early", programs="b", priority=10))
        self.assertEqual(["b", "a"], self.started(daemon, "early:b", "late:a"))
        daemon.stop()
        self.assertEqual(["a", "b"], re.findall(r"stopped: (\w+)", read(daemon.log)))

    def test_programs_make_a_group_that_is_controlled_as_one(self):
        daemon = self.daemon("".join(program(name, actor("hang"), autostart="false") for name in "abc")
                             + section("group:g", programs="b, a"))
        daemon.supervisor.startProcessGroup("g")
        self.assertEqual([("c", "c", "STOPPED"), ("g", "a", "RUNNING"), ("g", "b", "RUNNING")],
                         [(info["group"], info["name"], info["statename"])
                          for info in daemon.supervisor.getAllProcessInfo()])


class OfEventListeners(TestCase):
    def test_events_of_every_type(self):
        types = """EVENT PROCESS_STATE PROCESS_STATE_STARTING PROCESS_STATE_RUNNING PROCESS_STATE_BACKOFF
                   PROCESS_STATE_STOPPING PROCESS_STATE_EXITED PROCESS_STATE_STOPPED PROCESS_STATE_FATAL
                   PROCESS_STATE_UNKNOWN REMOTE_COMMUNICATION PROCESS_LOG PROCESS_LOG_STDOUT PROCESS_LOG_STDERR
                   PROCESS_COMMUNICATION PROCESS_COMMUNICATION_STDOUT PROCESS_COMMUNICATION_STDERR
                   SUPERVISOR_STATE_CHANGE SUPERVISOR_STATE_CHANGE_RUNNING SUPERVISOR_STATE_CHANGE_STOPPING TICK
                   TICK_5 TICK_60 TICK_3600 PROCESS_GROUP PROCESS_GROUP_ADDED PROCESS_GROUP_REMOVED""".split()
        daemon = self.daemon("".join(pool("x%d" % number, "serve", events=name) for number, name in enumerate(types)))
        for number in range(len(types)):
            daemon.wait_log("x%d: ACKNOWLEDGED -> READY" % number)


class CommandLineOfSupervisord(TestCase):
    def started(self, *arguments, config="", **options):
        daemon = self.prepare(config, **options)
        daemon.arguments = list(arguments)
        return daemon.start()

    @needs_root
    def test_user(self):
        os.chmod(self.dir, 0o777)
        daemon = self.started("-u", "nobody")
        uid = re.search(r"^Uid:\t(\d+)", read("/proc/%d/status" % daemon.pid), re.M)[1]
        self.assertEqual(str(pwd.getpwnam("nobody").pw_uid), uid)

    def test_umask(self):
        daemon = self.started("-m", "077", daemonize=True, config=program("a", actor("print=x", "hang"),
                                                                          stdout_logfile=self.path("a.log")))
        daemon.wait_stdout("a", "x")
        self.assertEqual(0o600, stat.S_IMODE(os.stat(self.path("a.log")).st_mode))

    def test_directory(self):
        where = self.subdirectory("where")
        daemon = self.started("-d", where, daemonize=True)
        self.assertEqual(where, os.readlink("/proc/%d/cwd" % daemon.pid))

    def test_rotation_of_the_log(self):
        daemon = self.started("-y", "1KB", "-z", "2", config=program("a", actor("exit=0")))
        for _ in range(30):
            daemon.wait_state("a", "EXITED")
            daemon.supervisor.startProcess("a", False)
        wait_for(lambda: os.path.exists(daemon.log + ".2"))
        self.assertFalse(os.path.exists(daemon.log + ".3"))

    def test_nocleanup(self):
        old = write(self.path("a-stdout---supervisor-abcdef.log"), "old")
        self.started("-k")
        self.assertTrue(os.path.exists(old))

    @not_wrapped("valgrind keeps descriptors, and the limit, to itself")
    def test_minfds_and_minprocs(self):
        daemon = self.started("-a", "700", "--minprocs", "600", prefix=["prlimit", "--nofile=256:4096",
                                                                         "--nproc=500:5000"])
        limits = read("/proc/%d/limits" % daemon.pid)
        self.assertGreaterEqual(int(re.search(r"^Max open files +(\d+)", limits, re.M)[1]), 700)
        self.assertGreaterEqual(int(re.search(r"^Max processes +(\d+)", limits, re.M)[1]), 600)

    def test_strip_ansi(self):
        daemon = self.started("-t", config=program("a", actor("print=\x1b[31mred\x1b[0m", "hang")))
        daemon.wait_stdout("a", "\n")
        self.assertEqual("red\n", daemon.stdout("a"))

    def test_profile_options(self):
        daemon = self.started("--profile_options=cumulative,calls")
        self.assertEqual(0, daemon.stop())
