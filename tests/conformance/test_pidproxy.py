"""pidproxy: signals reach the process in the pid file."""

import os
import signal
import subprocess

from harness import ACTOR, SUPERVISORD, TestCase, lines_of, read, wait_for

FOLDERS = (os.path.join(os.path.dirname(SUPERVISORD), "../tools"), os.path.dirname(SUPERVISORD))
PIDPROXY = next(path for path in (os.path.join(folder, "pidproxy") for folder in FOLDERS) if os.path.exists(path))
# A command whose work is done by a child of it, with the pid file that such programs have.
START = '"$0" "mark_on=HUP,$1,hup" "mark_on=USR1,$1,usr1" "exit_on=TERM,0" "mark=$1,ready" hang & echo $! >"$2"; wait $!'


class Pidproxy(TestCase):
    def test_signals_are_passed_on(self):
        marks, pidfile = self.path("marks"), self.path("pid")
        process = subprocess.Popen([PIDPROXY, pidfile, "/bin/sh", "-c", START, ACTOR, marks, pidfile])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        wait_for(lambda: lines_of(marks) == ["ready"] and read(pidfile).strip().isdigit())
        for number, text in ((signal.SIGHUP, "hup"), (signal.SIGUSR1, "usr1")):
            process.send_signal(number)
            wait_for(lambda text=text: lines_of(marks)[-1] == text)
        process.terminate()
        self.assertEqual(0, process.wait(20))
        wait_for(lambda: not os.path.exists("/proc/" + read(pidfile).strip()))

    def test_usage(self):
        for arguments in ([], ["pidfile"]):
            answer = subprocess.run([PIDPROXY, *arguments], capture_output=True, text=True, check=False)
            self.assertEqual(1, answer.returncode)
            self.assertIn("Usage: ", answer.stdout + answer.stderr)
