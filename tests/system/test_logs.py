"""Logs under load and under bad luck."""

import glob
import os
import re
import signal
import subprocess

from harness import TestCase, actor, alone, needs_root, program, read, time_limit, wait_for, write


def parts(path):
    """A log and its backups, oldest first."""
    backups = [name for name in glob.glob(path + ".*") if name.rpartition(".")[2].isdigit()]
    return sorted(backups, key=lambda name: -int(name.rpartition(".")[2])) + [path]


def bytes_in(path):
    return sum(os.path.getsize(name) for name in parts(path) if os.path.exists(name))


def numbers_in(path):
    """The numbers of the lines of a log, and the lines that are not whole. Also whether a part ends within a line."""
    numbers, torn = [], []
    for name in parts(path):
        text = read(name)
        if text and not text.endswith("\n"):
            torn.append((name, text[-80:]))
        for line in text.splitlines():
            if re.fullmatch(r"\d{8} x*", line):
                numbers.append(int(line[:8]))
            else:
                torn.append((name, line[:80]))
    return numbers, torn


class FullSpeed(TestCase):
    @alone
    @time_limit(120)
    def test_100_children_lose_tear_and_double_no_line(self):
        count, width = 10000, 100
        daemon = self.daemon(program("w", actor("lines=%d,%d" % (count, width), "exit=0"), numprocs=100,
                                     process_name="w%(process_num)02d",
                                     stdout_logfile=self.path("w%(process_num)02d.log"),
                                     stdout_logfile_maxbytes="100KB", stdout_logfile_backups=50))
        wait_for(lambda: all(info["statename"] == "EXITED" for info in daemon.supervisor.getAllProcessInfo()), 100)
        for number in range(100):
            path = self.path("w%02d.log" % number)
            wait_for(lambda: bytes_in(path) >= count * width, what="all of " + path)
            numbers, torn = numbers_in(path)
            self.assertEqual([], torn[:3])
            self.assertEqual(list(range(1, count + 1)), numbers)
            self.assertGreater(len(parts(path)), 5)
            for name in parts(path):
                self.assertLessEqual(os.path.getsize(name), 100 * 1024)

    def test_lines_of_odd_length_are_not_torn_by_rotation(self):
        daemon = self.daemon(program("a", actor("lines=20000,73", "lines=5,5000", "exit=0"),
                                     stdout_logfile=self.path("a.log"), stdout_logfile_maxbytes="50KB",
                                     stdout_logfile_backups=99))
        daemon.wait_state("a", "EXITED")
        wait_for(lambda: bytes_in(self.path("a.log")) == 20000 * 73 + 25000)
        self.assertEqual([], numbers_in(self.path("a.log"))[1])

    def test_what_a_child_wrote_before_it_was_killed_is_there(self):
        daemon = self.daemon(program("a", actor("noise=60000", "die=KILL"), stdout_logfile=self.path("a.log"),
                                     startsecs=0))
        daemon.wait_state("a", "EXITED")
        self.assertEqual(60000, os.path.getsize(self.path("a.log")))

    def test_what_a_grandchild_writes_after_its_parent_ended_does_not_disturb(self):
        daemon = self.daemon(program("a", actor("fork", "sleep=0.5", "print=late", "end", "print=early", "exit=0")))
        daemon.wait_state("a", "EXITED")
        self.assertIn("early\n", daemon.stdout("a"))
        self.assertIs(True, daemon.supervisor.startProcess("a"))

    def test_log_is_complete_when_the_state_says_exited(self):
        daemon = self.daemon(program("a", actor("lines=3000,100", "exit=0"), stdout_logfile=self.path("a.log"),
                                     stdout_logfile_maxbytes=0, autostart="false"))
        for run in range(1, 11):
            daemon.supervisor.startProcess("a")
            daemon.wait_state("a", "EXITED")
            self.assertEqual(run * 300000, os.path.getsize(self.path("a.log")))


class BadLuck(TestCase):
    def full_disk(self, size="64k"):
        mount = self.subdirectory("disk")
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=" + size, "none", mount], check=False).returncode != 0:
            self.skipTest("cannot mount a tmpfs")
        self.addCleanup(subprocess.run, ["umount", "-l", mount], check=False)
        return mount

    @needs_root
    def test_full_disk_blocks_nobody_and_is_reported_once(self):
        mount = self.full_disk()
        daemon = self.daemon(program("a", actor("lines=50000,100", "error=done", "hang"),
                                     stdout_logfile=mount + "/a.log",
                                     stdout_logfile_maxbytes=0)
                             + program("b", actor("say_on=HUP", "print=fine", "hang")))
        wait_for(lambda: daemon.stderr("a") == "done\n", what="the child to get rid of its output")
        daemon.wait_stdout("b", "fine\n")
        complaints = [message for message in daemon.log_messages() if "No space left" in message]
        self.assertEqual(1, len(complaints), complaints)
        self.assertIn("a.log", complaints[0])

    @needs_root
    def test_log_goes_on_when_there_is_room_again(self):
        mount = self.full_disk()
        daemon = self.daemon(program("a", actor("lines=2000,100", "say_on=HUP", "error=done", "hang"),
                                     stdout_logfile=mount + "/a.log", stdout_logfile_maxbytes=0))
        wait_for(lambda: daemon.stderr("a") == "done\n")
        daemon.supervisor.clearProcessLogs("a")

        def is_heard():
            daemon.supervisor.signalProcess("a", "HUP")
            return "got HUP\n" in read(mount + "/a.log")

        wait_for(is_heard)

    def test_removed_log_directory_is_reported_and_nothing_else_suffers(self):
        where = self.subdirectory("logs")
        daemon = self.daemon(program("a", actor("say_on=HUP", "print=x", "hang"), stdout_logfile=where + "/a.log")
                             + program("b", actor("print=fine", "hang")))
        daemon.wait_stdout("a", "x\n")
        os.unlink(where + "/a.log")
        os.rmdir(where)
        daemon.send_signal(signal.SIGUSR2)
        daemon.wait_log("SIGUSR2")
        for _ in range(20):
            daemon.supervisor.signalProcess("a", "HUP")
        daemon.wait_stdout("b", "fine\n")
        self.assertEqual("RUNNING", daemon.state("a"))
        wait_for(lambda: [line for line in daemon.log_messages() if "a.log" in line and line.startswith(("ERRO",
                                                                                                         "CRIT",
                                                                                                         "WARN"))])

    def test_logs_are_closed_when_a_restart_is_called_off(self):
        daemon = self.daemon(program("a", actor("exit=1"), startsecs=1, startretries=100))
        daemon.wait_state("a", "BACKOFF")

        def is_open():
            where = "/proc/%d/fd" % daemon.pid
            return self.path("a-std") in " ".join(os.readlink(os.path.join(where, name)) for name in os.listdir(where))

        self.assertTrue(is_open())
        daemon.supervisor.stopProcess("a")
        self.assertEqual("STOPPED", daemon.state("a"))
        self.assertFalse(is_open())

    def test_odd_bytes_do_not_break_reading(self):
        daemon = self.daemon(program("a", "/bin/cat " + self.path("bytes"), stdout_logfile=self.path("a.log")))
        with open(self.path("bytes"), "wb") as file:
            file.write(bytes(range(256)) + b"\xe2\x82")
        daemon.wait_state("a", "EXITED")
        daemon.supervisor.startProcess("a")
        wait_for(lambda: os.path.getsize(self.path("a.log")) >= 258)
        text = daemon.supervisor.readProcessStdoutLog("a", 0, 0)
        self.assertIn(" !\"#$%&'()*+,-./0123456789:;<=>?@ABC", text)
        self.assertIn("\ufffd", text)
        self.assertIsInstance(daemon.supervisor.tailProcessStdoutLog("a", 0, 100)[0], str)

    def test_main_log_reads_with_control_characters(self):
        daemon = self.daemon(program("a", actor("print=\x1b[31mred", "hang")))
        daemon.wait_stdout("a", "red")
        self.assertIn("supervisord started", daemon.supervisor.readLog(0, 0))
