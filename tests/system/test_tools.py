"""The small programs: echo_supervisord_conf and pidproxy."""

import glob
import os
import re
import signal
import subprocess

from harness import (SUPERVISORD, Outcome, TestCase, is_alive, is_instrumented, needs_root, program, read, run, wait_for, write)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOLS = os.path.join(os.path.dirname(SUPERVISORD), "..", "tools")
PIDPROXY = os.path.join(TOOLS, "pidproxy")
ECHO = os.path.join(TOOLS, "echo_supervisord_conf")


class Sample(TestCase):
    def sample(self):
        return run(ECHO).out

    def check(self, text):
        path = write(self.path("sample.conf"), text)
        return run(SUPERVISORD, "--check", "-c", path)

    def test_it_is_a_good_configuration(self):
        self.assertEqual(0, self.check(self.sample()).code)

    @needs_root
    def test_every_option_in_use_is_a_good_configuration(self):
        text = re.sub(r"(?m)^;(?=[\[a-z])", "", self.sample())
        answer = self.check(text)
        self.assertEqual(0, answer.code, answer)

    def test_every_option_is_there_with_a_value(self):
        reference = run(os.path.join(TOOLS, "config_reference")).out
        options = set(re.findall(r"(?m)^\| `([a-z_.]+)`", reference)) - {"here", "host_node_name", "program_name",
                                                                         "group_name", "process_num", "numprocs"}
        self.assertGreater(len(options), 60)
        written = set(re.findall(r"(?m)^;?([a-z_.]+)=.", self.sample()))
        self.assertEqual(set(), options - written)

    def test_what_is_in_use_is_what_the_original_has_in_use(self):
        used = re.findall(r"(?m)^(\[[^]]*\]|[a-z_.]+(?==))", self.sample())
        self.assertEqual({"[supervisord]", "logfile", "logfile_maxbytes", "logfile_backups", "loglevel", "pidfile",
                          "nodaemon", "silent", "minfds", "minprocs", "[unix_http_server]", "file", "[supervisorctl]",
                          "serverurl", "[rpcinterface:supervisor]", "supervisor.rpcinterface_factory"}, set(used))

    def test_a_daemon_runs_with_it(self):
        text = self.sample().replace("/tmp/", self.dir + "/").replace("nodaemon=false", "nodaemon=true")
        path = write(self.path("sample.conf"), text)
        process = subprocess.Popen([SUPERVISORD, "-c", path], stdout=subprocess.DEVNULL, cwd=self.dir)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        wait_for(lambda: os.path.exists(self.path("supervisor.sock")))

    def test_arguments_do_not_matter(self):
        self.assertEqual(self.sample(), run(ECHO, "-h", "x").out)


class Install(TestCase):
    LISTENERS = ("crashmail", "crashmailbatch", "crashsms", "eventlog", "exitwatch", "fatalmailbatch", "httpok", "memmon")
    FILES = {"bin/" + name for name in ("supervisord", "supervisorctl", "echo_supervisord_conf", "pidproxy")} | {
        name for listener in LISTENERS for name in ("bin/" + listener, "share/man/man1/%s.1" % listener)} | {
        "include/supervisor/%s.h" % name for name in ("ctl_plugin", "error", "event", "fault", "http", "listener", "log",
                                                      "plugin", "rpc", "state", "value")} | {
        "lib/supervisor/%s.so" % name for name in ("cache", "ctl_cache", "loader", "python", "twiddler")} | {
        "lib/supervisor/" + os.path.relpath(path, ROOT)
        for path in glob.glob(os.path.join(ROOT, "python", "**", "*.py"), recursive=True)} | {
        "lib/libsupervisor-listener.a", "lib/pkgconfig/supervisor-listener.pc",
        "share/man/man1/echo_supervisord_conf.1", "share/man/man1/pidproxy.1", "share/man/man1/supervisorctl.1",
        "share/man/man5/supervisord.conf.5", "share/man/man8/supervisord.8",
        "share/bash-completion/completions/supervisorctl", "share/bash-completion/completions/supervisord",
        "share/zsh/site-functions/_supervisorctl", "share/fish/vendor_completions.d/supervisorctl.fish"}

    def installed(self):
        paths = [os.path.join(folder, name) for folder, _, names in os.walk(self.dir) for name in names]
        prefix = next((path for path in paths if path.endswith("/bin/supervisord")), "/bin/supervisord")
        names = [os.path.relpath(path, prefix[:-len("/bin/supervisord")]) for path in paths]
        return {re.sub("^lib(64)?/[a-z0-9_]+-[a-z0-9_-]+/", "lib/", name) for name in names}

    def build_a_listener(self):
        """With what is installed, and the compiler as it is."""
        config = next(os.path.join(folder, name) for folder, _, names in os.walk(self.dir) for name in names
                      if name == "supervisor-listener.pc")
        flags = run("pkg-config", "--cflags", "--libs", "supervisor-listener", environment={
            "PKG_CONFIG_PATH": os.path.dirname(config), "PKG_CONFIG_SYSROOT_DIR": self.dir})
        self.assertEqual(0, flags.code, flags.err)
        sanitizers = ["-fsanitize=address,undefined"] if is_instrumented() else []
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/listener/state_watcher.c")
        program = self.path("state_watcher")
        built = run("cc", "-Wall", "-Wextra", "-Werror", "-o", program, source, *flags.out.split(), *sanitizers)
        self.assertEqual(0, built.code, built.err)
        answer = run(program, environment={"SUPERVISOR_SERVER_URL": "unix:///nowhere"})
        os.unlink(program)
        self.assertEqual(Outcome(0, "READY\n", ""), answer)

    def test_all_is_installed_and_removed_again(self):
        build = os.path.join(os.path.dirname(SUPERVISORD), "../..")
        log = os.path.join(build, "meson-logs/install-log.txt")  # what the last true install put where
        before = read(log, None)
        try:
            answer = run("meson", "install", "-C", build, "--no-rebuild", "--destdir", self.dir)
            self.assertEqual(0, answer.code, answer.err)
            self.assertEqual(self.FILES, self.installed())
            self.build_a_listener()
            self.assertEqual(0, run("ninja", "-C", build, "uninstall").code)
            self.assertEqual(set(), self.installed())
        finally:
            os.unlink(log) if before is None else write(log, before)


class Pidproxy(TestCase):
    def setUp(self):
        super().setUp()
        self.pidfile = self.path("pid")
        self.log = self.path("log")

    def start(self, *command):
        process = subprocess.Popen([PIDPROXY, self.pidfile] + list(command), stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        return process

    def shell(self, script):
        return self.start("/bin/sh", "-c", script)

    def detached(self, ending, late=""):
        script = write(self.path("daemon.sh"), "trap '%s' TERM\n%s\necho $$ >%s.new\nmv %s.new %s\n"
                       "while :; do sleep 0.05; done\n" % (ending, late, self.pidfile, self.pidfile, self.pidfile))
        return self.shell("setsid /bin/sh %s & exit 0" % script)

    def wait_pidfile(self):
        return int(wait_for(lambda: read(self.pidfile).strip()))

    def test_usage(self):
        for arguments in ((), ("x",)):
            answer = run(PIDPROXY, *arguments)
            self.assertEqual(1, answer.code)
            self.assertIn("Usage:", answer.err)

    def test_command_that_cannot_be_run(self):
        answer = run(PIDPROXY, self.pidfile, "/nowhere/x")
        self.assertEqual(127, answer.code)
        self.assertIn("/nowhere/x", answer.err)
        answer = run(PIDPROXY, self.pidfile, "/etc/passwd")
        self.assertEqual(126, answer.code)
        self.assertIn("/etc/passwd", answer.err)

    def test_it_ends_as_its_command_does(self):
        self.assertEqual(7, run(PIDPROXY, self.pidfile, "/bin/sh", "-c", "exit 7").code)
        self.assertEqual(-signal.SIGTERM, run(PIDPROXY, self.pidfile, "/bin/sh", "-c", "kill -TERM $$").code)

    def test_signals_go_to_the_process_in_the_pidfile(self):
        proxy = self.shell("trap 'echo parent >>%s' HUP; sh -c 'trap \"echo child >>%s\" HUP; echo $$ >%s; "
                           "while :; do sleep 0.05; done' & wait $!; exit 5" %
                           (self.log, self.log, self.pidfile))
        self.wait_pidfile()
        proxy.send_signal(signal.SIGHUP)
        self.assertEqual("child\n", wait_for(lambda: read(self.log)))
        os.kill(int(read(self.pidfile)), signal.SIGKILL)
        self.assertEqual(5, proxy.wait(10))

    def test_signals_go_to_the_command_before_there_is_a_pidfile(self):
        proxy = self.shell("trap 'exit 3' TERM; echo ready >%s; while :; do sleep 0.05; done" % self.log)
        wait_for(lambda: read(self.log))
        proxy.send_signal(signal.SIGTERM)
        self.assertEqual(3, proxy.wait(10))

    def test_pids_that_are_not_of_its_own_are_not_signalled(self):
        other = subprocess.Popen(["/bin/sleep", "100"])
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        for text in ("%d\n" % other.pid, "1\n", "0\n", "-1\n", "-%d\n" % other.pid, "99999999999999999999\n", "x\n",
                     "", "%d x\n" % other.pid):
            with self.subTest(text):
                write(self.pidfile, text)
                proxy = self.shell("trap 'exit 3' TERM; echo ready >%s; while :; do sleep 0.05; done" % self.log)
                wait_for(lambda: read(self.log))
                proxy.send_signal(signal.SIGTERM)
                self.assertEqual(3, proxy.wait(10))
                os.unlink(self.log)
        self.assertTrue(is_alive(other.pid))

    def test_a_daemon_that_detaches_itself_is_followed_to_its_end(self):
        proxy = self.detached("sleep 0.2; rm %s; exit 9" % self.pidfile)
        pid = self.wait_pidfile()
        self.assertIsNone(proxy.poll())
        proxy.send_signal(signal.SIGTERM)
        self.assertEqual(9, proxy.wait(10))
        self.assertFalse(is_alive(pid))

    def test_a_pidfile_may_be_late(self):
        proxy = self.detached("exit 9", late="sleep 1")
        self.wait_pidfile()
        self.assertIsNone(proxy.poll())
        proxy.send_signal(signal.SIGTERM)
        self.assertEqual(9, proxy.wait(10))

    def test_a_pidfile_that_is_gone(self):
        proxy = self.detached("exit 9", late="trap 'echo heard >%s' USR1" % self.log)
        pid = self.wait_pidfile()
        proxy.send_signal(signal.SIGUSR1)
        wait_for(lambda: read(self.log))  # now it knows whom it serves
        os.unlink(self.pidfile)
        os.kill(pid, signal.SIGTERM)
        self.assertEqual(9, proxy.wait(10))

    def test_an_end_that_its_own_parent_does_not_wait_for(self):
        keeper = self.path("keeper")
        inner = write(self.path("inner.sh"), "echo $$ >%s\nwhile :; do sleep 0.05; done\n" % self.pidfile)
        outer = write(self.path("outer.sh"), "echo $$ >%s\n/bin/sh %s &\nexec sleep 100\n" % (keeper, inner))
        proxy = self.shell("setsid /bin/sh %s & while ! [ -s %s ]; do sleep 0.05; done; exit 4" %
                           (outer, self.pidfile))
        pid = self.wait_pidfile()
        self.addCleanup(lambda: os.kill(int(read(keeper)), signal.SIGKILL))
        children = "/proc/%d/task/%d/children" % (proxy.pid, proxy.pid)
        wait_for(lambda: read(children).split() == [read(keeper).strip()])  # the command has ended
        self.assertIsNone(proxy.poll())
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(4, proxy.wait(10))
        self.assertTrue(is_alive(int(read(keeper))))

    def test_what_is_left_behind_without_a_pidfile_does_not_hold_it(self):
        proxy = self.shell("sleep 8 & echo $! >%s; exit 4" % self.log)
        self.assertEqual(4, proxy.wait(10))
        os.kill(int(read(self.log)), signal.SIGKILL)

    def test_below_supervisord(self):
        script = write(self.path("daemon.sh"), "trap 'sleep 0.3; exit 0' TERM\necho $$ >%s\n"
                       "while :; do sleep 0.05; done\n" % self.pidfile)
        daemon = self.daemon(program("a", PIDPROXY, self.pidfile, "/bin/sh", "-c",
                                     "'setsid /bin/sh %s & exit 0'" % script))
        pid = self.wait_pidfile()
        daemon.wait_state("a", "RUNNING")
        self.assertTrue(is_alive(pid))
        daemon.supervisor.stopProcess("a")
        self.assertFalse(is_alive(pid))
        self.assertEqual("STOPPED", daemon.info("a")["statename"])
