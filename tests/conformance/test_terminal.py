"""supervisorctl at a terminal: prompt, history, passwords, following output."""

import os
import pty
import select
import signal
import time

from harness import PATIENCE, SUPERVISORCTL, TestCase, actor, differs, program, read, wait_for


class Terminal:
    """supervisorctl with a terminal of its own."""

    def __init__(self, test, daemon, *arguments, **environment):
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(daemon.directory)
            os.environ.update({"TERM": "dumb"}, **environment)
            os.execv(SUPERVISORCTL, [SUPERVISORCTL, "-c", daemon.path, *arguments])
        test.addCleanup(self.close)

    def type(self, text):
        os.write(self.fd, text.encode())

    def expect(self, text, timeout=10):
        """Reads until the text has come; what was read up to and with it."""
        limit = time.monotonic() + timeout * PATIENCE
        while text not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(0, limit - time.monotonic()))
            try:
                piece = os.read(self.fd, 4096) if ready else b""
            except OSError:
                piece = b""
            if not piece:
                raise AssertionError("%r did not come after %r" % (text, self.seen))
            self.seen += piece.decode(errors="replace")
        before, _, self.seen = self.seen.partition(text)
        return before + text

    def end(self):
        """Waits for its end and gives its exit status."""
        def ended():
            try:
                if select.select([self.fd], [], [], 0)[0]:
                    os.read(self.fd, 4096)
            except OSError:
                pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            return (status,) if pid else None

        status = wait_for(ended, what="the end of supervisorctl")[0]
        self.pid = None
        return os.waitstatus_to_exitcode(status)

    def close(self):
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


class Shell(TestCase):
    def test_prompts_acts_and_exits(self):
        daemon = self.daemon(program("a", actor("hang")))
        daemon.wait_state("a", "RUNNING")
        terminal = Terminal(self, daemon)
        self.assertIn("RUNNING", terminal.expect("supervisor> "))
        terminal.type("pid\n")
        self.assertIn(str(daemon.pid), terminal.expect("supervisor> "))
        terminal.type("exit\n")
        self.assertEqual(0, terminal.end())

    def test_end_of_input_ends_it(self):
        terminal = Terminal(self, self.daemon())
        terminal.expect("supervisor> ")
        terminal.type("\x04")
        self.assertEqual(0, terminal.end())

    def test_history_file(self):
        history = self.path("history")
        terminal = Terminal(self, self.daemon(ctl={"history_file": history}))
        terminal.expect("supervisor> ")
        terminal.type("version\n")
        terminal.expect("supervisor> ")
        terminal.type("exit\n")
        terminal.end()
        self.assertIn("version", read(history))

    @differs("`-r` keeps a history")
    def test_history_without_a_file_in_the_configuration(self):
        terminal = Terminal(self, self.daemon(), "-r", HOME=self.dir)
        terminal.expect("supervisor> ")
        terminal.type("version\n")
        terminal.expect("supervisor> ")
        terminal.type("exit\n")
        terminal.end()
        self.assertIn("version", read(self.path(".supervisorctl_history")))

    def test_shutdown_asks_first(self):
        daemon = self.daemon()
        terminal = Terminal(self, daemon)
        terminal.expect("supervisor> ")
        terminal.type("shutdown\n")
        terminal.expect("Really shut the remote supervisord process down y/N? ")
        terminal.type("n\n")
        terminal.expect("supervisor> ")
        self.assertEqual("RUNNING", daemon.supervisor.getState()["statename"])

    def test_asks_for_a_password(self):
        daemon = self.daemon(unix={"username": "me", "password": "secret"})
        terminal = Terminal(self, daemon)
        terminal.expect("Username:")
        terminal.type("me\n")
        terminal.expect("Password:")
        terminal.type("secret\n")
        self.assertNotIn("secret", terminal.expect("supervisor> "))
        terminal.type("pid\n")
        terminal.expect(str(daemon.pid))


class Foreground(TestCase):
    def test_shows_output_and_passes_on_input(self):
        daemon = self.daemon(program("cat", "/bin/cat"))
        daemon.wait_state("cat", "RUNNING")
        terminal = Terminal(self, daemon, "fg", "cat")
        terminal.expect("==> Press Ctrl-C to exit <==")
        terminal.type("hello\n")
        daemon.wait_stdout("cat", "hello\n")
        self.assertEqual("RUNNING", daemon.state("cat"))

    def test_stopped_process(self):
        daemon = self.daemon(program("cat", "/bin/cat", autostart="false"))
        self.assertIn("ERROR: process not running", daemon.ctl("fg", "cat").out)

    def test_unknown_process(self):
        self.assertIn("ERROR: bad process name supplied", self.daemon().ctl("fg", "x").out)
