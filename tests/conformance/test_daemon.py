"""supervisord as a process: command line, daemon mode, pidfile, sockets, activity log."""

import glob
import os
import pwd
import re
import socket
import stat
import xmlrpc.client

import harness
from harness import (TestCase, actor, differs, free_port, lines_of, needs_root, program, read, run, section,
                     supervisord, version_text, wait_for, write)


class CommandLine(TestCase):
    def test_version(self):
        for option in ("-v", "--version"):
            answer = supervisord(option)
            self.assertEqual((0, version_text() + "\n", ""), answer)
            self.assertRegex(answer.out, r"^\d+\.\d+\.\d+\n$")

    def test_help(self):
        for option in ("-h", "--help"):
            answer = supervisord(option)
            self.assertEqual(0, answer.code)
            for word in ("-c/--configuration", "-n/--nodaemon", "--minprocs"):
                self.assertIn(word, answer.out)

    def wrong(self, text, *arguments):
        answer = supervisord(*arguments)
        self.assertEqual(2, answer.code)
        self.assertIn("Error: %s\n" % text, answer.err)
        self.assertRegex(answer.err, r"For help, use .*supervisord -h\n$")

    def test_unknown_options(self):
        self.wrong("option -Z not recognized", "-Z")
        self.wrong("option --nothing not recognized", "--nothing")

    def test_option_without_its_argument(self):
        self.wrong("option -c requires argument", "-c")
        self.wrong("option --logfile requires argument", "--logfile")

    def test_configuration_from_a_pipe(self):
        text = "[supervisord]\nuser=no-such-user\n"
        self.assertIn("no-such-user", supervisord("-c", "/dev/stdin", input=text).err)
        substituted = run("bash", "-c", '"$0" -c <(echo "$1")', harness.SUPERVISORD, text)
        self.assertIn("no-such-user", substituted.err)

    def test_repeated_option(self):
        self.wrong("conflicting command line option '-l'", "-c", self.prepare().path, "-l", "x", "-l", "y")

    def test_positional_argument(self):
        self.wrong("positional arguments are not supported: ['stray']", "-c", self.prepare().path, "stray")

    def test_bad_values(self):
        path = self.prepare().path
        for option, value in (("-e", "loud"), ("-y", "1TB"), ("-z", "many"), ("-m", "999"), ("-a", "few"),
                              ("-u", "no-such-user-x"), ("-q", "/nowhere/dir"), ("-d", "/nowhere/dir")):
            with self.subTest(option):
                answer = supervisord("-c", path, option, value)
                self.assertEqual(2, answer.code)
                self.assertRegex(answer.err, "(?m)^Error: .*" + re.escape(value))

    def test_options_win_over_the_file(self):
        log, pidfile, logs = self.path("l"), self.path("p"), self.subdirectory("logs")
        daemon = self.prepare(program("a", actor("hang")))
        daemon.arguments = ["-l", log, "-j", pidfile, "-i", "me", "-q", logs, "-e", "warn"]
        daemon.start()
        self.assertEqual("me", daemon.supervisor.getIdentification())
        self.assertEqual("%d\n" % daemon.pid, read(pidfile))
        self.assertTrue(daemon.info("a")["stdout_logfile"].startswith(logs + "/"))
        self.assertTrue(read(log))
        self.assertNotIn("INFO", read(log))
        self.assertFalse(os.path.exists(daemon.log))
        daemon.stop()
        self.assertFalse(os.path.exists(pidfile))

    def test_long_options(self):
        log, pidfile = self.path("l"), self.path("p")
        daemon = self.prepare(program("a", actor("hang")))
        daemon.arguments = ["--logfile=" + log, "--pidfile", pidfile, "--identifier=me", "--loglevel=debug",
                            "--nocleanup",
                            "--strip_ansi", "--logfile_maxbytes=1MB", "--logfile_backups=2", "--minfds=100",
                            "--minprocs=10", "--umask=027"]
        daemon.start()
        self.assertEqual("me", daemon.supervisor.getIdentification())
        self.assertTrue(os.path.exists(log))

    def test_finds_the_file_in_the_working_directory(self):
        daemon = self.prepare()
        daemon.command = lambda: [os.environ["SUPERVISORD"], "-n"]
        daemon.start()
        self.assertEqual(daemon.pid, daemon.supervisor.getPID())

    def test_finds_the_file_in_etc_below_the_working_directory(self):
        daemon = self.prepare()
        self.subdirectory("etc")
        os.rename(daemon.path, self.path("etc", "supervisord.conf"))
        daemon.command = lambda: [os.environ["SUPERVISORD"], "-n"]
        daemon.start()
        self.assertEqual(daemon.pid, daemon.supervisor.getPID())

    @needs_root
    def test_root_is_warned_when_it_names_no_file(self):
        daemon = self.prepare()
        daemon.command = lambda: [os.environ["SUPERVISORD"], "-n"]
        daemon.start()
        self.assertRegex(read(daemon.output), "running as root and .*searching for .* configuration file")


class DaemonMode(TestCase):
    def test_detaches(self):
        daemon = self.daemon(program("a", actor("hang")), daemonize=True)
        daemon.wait_log("daemonizing the supervisord process")
        self.assertEqual(daemon.pid, daemon.supervisor.getPID())
        self.assertEqual(daemon.pid, os.getsid(daemon.pid))
        for fd in (0, 1, 2):
            self.assertEqual("/dev/null", os.readlink("/proc/%d/fd/%d" % (daemon.pid, fd)))
        self.assertEqual(0, daemon.stop())

    def test_umask(self):
        daemon = self.daemon(program("a", actor("print=x", "hang"), stdout_logfile=self.path("x.log")), daemonize=True,
                             supervisord={"umask": "077"})
        daemon.wait_stdout("a", "x")
        self.assertEqual(0o600, stat.S_IMODE(os.stat(self.path("x.log")).st_mode))

    def test_directory(self):
        where = self.subdirectory("where")
        daemon = self.daemon(daemonize=True, supervisord={"directory": where})
        self.assertEqual(where, os.readlink("/proc/%d/cwd" % daemon.pid))

    def test_nodaemon_in_the_file(self):
        daemon = self.prepare(supervisord={"nodaemon": "true"})
        daemon.command = lambda: [os.environ["SUPERVISORD"], "-c", daemon.path]
        daemon.start()
        self.assertIsNone(daemon.process.poll())


class Pidfile(TestCase):
    def test_is_written_and_removed(self):
        daemon = self.daemon()
        self.assertEqual("%d\n" % daemon.pid, read(daemon.pidfile))
        daemon.stop()
        self.assertFalse(os.path.exists(daemon.pidfile))

    def test_that_cannot_be_written_is_logged(self):
        daemon = self.daemon(supervisord={"pidfile": self.subdirectory("p")})
        daemon.wait_log("could not write pidfile")
        daemon.stop()
        os.rmdir(self.path("p"))

    def test_stale_one_is_replaced(self):
        write(self.path("supervisord.pid"), "1\n")
        daemon = self.daemon()
        self.assertEqual("%d\n" % daemon.pid, read(daemon.pidfile))


class Sockets(TestCase):
    def test_mode_is_0700_by_default(self):
        daemon = self.daemon()
        self.assertEqual(0o700, stat.S_IMODE(os.stat(daemon.socket).st_mode))

    def test_mode(self):
        daemon = self.daemon(unix={"chmod": "0770"})
        self.assertEqual(0o770, stat.S_IMODE(os.stat(daemon.socket).st_mode))

    @needs_root
    def test_owner(self):
        nobody = pwd.getpwnam("nobody")
        daemon = self.daemon(unix={"chown": "nobody:root"})
        status = os.stat(daemon.socket)
        self.assertEqual((nobody.pw_uid, 0), (status.st_uid, status.st_gid))

    @needs_root
    def test_owner_alone_leaves_the_group(self):
        nobody = pwd.getpwnam("nobody")
        daemon = self.daemon(unix={"chown": "nobody"})
        status = os.stat(daemon.socket)
        self.assertEqual((nobody.pw_uid, os.getgid()), (status.st_uid, status.st_gid))

    def test_stale_one_is_replaced(self):
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(self.path("s.sock"))
        self.daemon()

    def test_live_one_refuses_the_start(self):
        first = self.daemon(program("a", actor("hang")))
        self.subdirectory("second")
        second = self.prepare(directory=self.path("second"), unix={"file": first.socket},
                              config=program("b", actor("mark=%s,started" % self.path("mark"))))
        answer = run(*[os.environ["SUPERVISORD"], "-c", second.path], directory=second.directory)
        self.assertEqual(2, answer.code)
        self.assertIn("Error: Another program is already listening on a port that one of our HTTP servers is configured "
                      "to use.  Shut this program down first before starting supervisord.\n", answer.err)
        self.assertEqual(first.pid, first.supervisor.getPID())
        self.assertFalse(os.path.exists(second.pidfile))
        self.assertFalse(os.path.exists(self.path("mark")))

    def test_port_in_use_refuses_the_start(self):
        first = self.daemon(inet=True)
        where = self.subdirectory("second")
        second = self.prepare(directory=where, unix=False,
                              config=section("inet_http_server", port="127.0.0.1:%d" % first.port))
        answer = run(*[os.environ["SUPERVISORD"], "-c", second.path], directory=where)
        self.assertEqual(2, answer.code)
        self.assertIn("Error: Another program is already listening on a port", answer.err)

    def test_both_kinds_at_once(self):
        daemon = self.daemon(inet=True)
        over_tcp = xmlrpc.client.ServerProxy("http://127.0.0.1:%d/RPC2" % daemon.port)
        self.assertEqual(daemon.pid, over_tcp.supervisor.getPID())
        self.assertEqual(daemon.pid, daemon.supervisor.getPID())

    def test_all_interfaces(self):
        port = free_port()
        self.daemon(config=section("inet_http_server", port="*:%d" % port))
        over_tcp = xmlrpc.client.ServerProxy("http://127.0.0.1:%d/RPC2" % port)
        self.assertEqual("3.0", over_tcp.supervisor.getAPIVersion())

    def test_port_alone(self):
        port = free_port()
        self.daemon(config=section("inet_http_server", port=port))
        over_tcp = xmlrpc.client.ServerProxy("http://127.0.0.1:%d/RPC2" % port)
        self.assertEqual("3.0", over_tcp.supervisor.getAPIVersion())


class ActivityLog(TestCase):
    def test_format(self):
        daemon = self.daemon(program("a", actor("hang")))
        daemon.wait_state("a", "RUNNING")
        for line in lines_of(daemon.log):
            self.assertRegex(line, r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (CRIT|ERRO|WARN|INFO|DEBG|TRAC|BLAT) .")

    def test_what_a_start_and_an_end_say(self):
        daemon = self.daemon(supervisord={"loglevel": "info", "user": "root" if os.geteuid() == 0 else None})
        daemon.stop()
        self.assertEqual(["INFO Set uid to user 0 succeeded"] * (os.geteuid() == 0) + [
            "INFO RPC interface 'supervisor' initialized",
            "CRIT Server 'unix_http_server' running without any HTTP authentication checking",
            "INFO supervisord started with pid %d" % daemon.process.pid,
            "WARN received SIGTERM indicating exit request"], daemon.log_messages())

    def test_is_echoed_to_stdout_in_the_foreground(self):
        daemon = self.daemon()
        wait_for(lambda: "INFO supervisord started with pid %d" % daemon.pid in read(daemon.output))

    def test_silent(self):
        daemon = self.prepare()
        daemon.arguments = ["--silent"]
        daemon.start()
        daemon.wait_log("supervisord started")
        self.assertNotIn("supervisord started", read(daemon.output))

    def test_levels(self):
        daemon = self.daemon(supervisord={"loglevel": "error"})
        self.assertNotRegex(read(daemon.log), "INFO|WARN|DEBG")

    def test_rotates(self):
        daemon = self.daemon(supervisord={"logfile_maxbytes": "1KB", "logfile_backups": "2", "loglevel": "debug"},
                             config=program("a", actor("exit=0"), startsecs=0))
        for _ in range(30):
            daemon.wait_state("a", "EXITED")
            daemon.supervisor.startProcess("a", False)
        wait_for(lambda: os.path.exists(daemon.log + ".2"))
        self.assertFalse(os.path.exists(daemon.log + ".3"))
        self.assertLess(os.path.getsize(daemon.log + ".1"), 1500)

    @differs("`logfile=NONE` in `[supervisord]` means no log")
    def test_none(self):
        daemon = self.daemon(supervisord={"logfile": "NONE"})
        self.assertEqual([], glob.glob(self.path("NONE")))
        self.assertEqual("RUNNING", daemon.supervisor.getState()["statename"])


class Cleanup(TestCase):
    def test_old_automatic_logs_are_removed(self):
        old = write(self.path("a-stdout---supervisor-abcdef.log"), "old")
        other = write(self.path("a-stdout---other-abcdef.log"), "other")
        self.daemon()
        self.assertFalse(os.path.exists(old))
        self.assertTrue(os.path.exists(other))

    def test_nocleanup(self):
        old = write(self.path("a-stdout---supervisor-abcdef.log"), "old")
        self.daemon(supervisord={"nocleanup": "true"})
        self.assertTrue(os.path.exists(old))


@needs_root
class User(TestCase):
    def test_daemon_runs_as_the_user(self):
        os.chmod(self.dir, 0o777)
        nobody = pwd.getpwnam("nobody")
        daemon = self.daemon(program("a", actor("hang")), supervisord={"user": "nobody"})
        pid = daemon.wait_state("a", "RUNNING")["pid"]
        for process in (daemon.pid, pid):
            uids = re.search(r"^Uid:\t(.*)$", read("/proc/%d/status" % process), re.M).group(1).split()
            self.assertEqual([str(nobody.pw_uid)] * 4, uids)

    def test_other_user_of_a_program_needs_root(self):
        os.chmod(self.dir, 0o777)
        daemon = self.daemon(program("a", actor("hang"), user="daemon", startretries=0, startsecs=60),
                             supervisord={"user": "nobody"})
        daemon.wait_state("a", "FATAL")
