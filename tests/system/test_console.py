"""Many processes that share /dev/stdout, as in a container, and prefixes that tell them apart."""

import collections
import os
import re

from harness import Fault, TestCase, actor, program, read, time_limit, wait_for


def lines_by_prefix(text):
    """The numbered lines of each prefix, and the lines that are not whole."""
    numbers, torn = collections.defaultdict(list), []
    for line in text.split("\n"):
        match = re.fullmatch(r"\[(\w+)\] (\d{8}) x*", line)
        if match:
            numbers[match[1]].append(int(match[2]))
        elif line:
            torn.append(line[:80])
    return numbers, torn


class SharedStdout(TestCase):
    @time_limit(120)
    def test_eight_writers_of_long_lines_do_not_mix(self):
        self.daemon(program("w", actor("lines=2000,3000", "hang"), numprocs=8, process_name="w%(process_num)d",
                            stdout_logfile="/dev/stdout", stdout_prefix="[w%(process_num)d]",
                            stdout_logfile_maxbytes=0),
                    supervisord={"logfile": "/dev/null", "silent": "true"})
        output = self.daemons[0].output
        size = 8 * 2000 * (3000 + len("[w0] "))
        wait_for(lambda: len(read(output)) >= size, 60)
        numbers, torn = lines_by_prefix(read(output))
        self.assertEqual([], torn[:3])
        self.assertEqual({"w%d" % number: list(range(1, 2001)) for number in range(8)}, numbers)

    def test_both_streams_beside_the_activity_log(self):
        daemon = self.daemon(program("a", actor("print=one", "error=two", "raw=three", "exit=0"),
                                     stdout_logfile="/dev/stdout", stderr_logfile="/dev/stderr",
                                     stdout_prefix="[%(program_name)s]", stderr_prefix="[%(group_name)s err]",
                                     stdout_logfile_maxbytes=0, stderr_logfile_maxbytes=0),
                             supervisord={"logfile": "/dev/null", "loglevel": "info"})
        wait_for(lambda: "exited: a" in read(daemon.output))
        lines = [line for line in read(daemon.output).splitlines() if not re.match(r"\d{4}-", line)]
        self.assertEqual(["[a err] two", "[a] one", "[a] three"], sorted(lines))


class Prefix(TestCase):
    def test_knows_the_variables_of_a_process(self):
        daemon = self.daemon(program("a", actor("print=x", "hang"), environment='WHERE="here"', numprocs=1,
                                     process_name="a%(process_num)02d", stdout_logfile=self.path("a.log"),
                                     stdout_prefix="%(ENV_WHERE)s %(group_name)s %(process_num)d:"))
        wait_for(lambda: read(self.path("a.log")) == "here a 0: x\n")
        self.assertEqual("here a 0: x\n", daemon.supervisor.readProcessStdoutLog("a:a00", 0, 0))

    def test_goes_without_the_bytes_that_are_stripped_or_captured(self):
        self.daemon(program("a", actor("raw=\x1b[31mone<!--XSUPERVISOR:BEGIN-->two", "print=", "raw=<!--XSUPERVISOR:END-->",
                                       "print= \x1b[0mfour", "print=five", "hang"),
                            stdout_logfile=self.path("a.log"), stdout_prefix="a:", stdout_capture_maxbytes="1KB"),
                    supervisord={"strip_ansi": "true"})
        wait_for(lambda: read(self.path("a.log")).endswith("five\n"))
        self.assertEqual("a: one four\na: five\n", read(self.path("a.log")))

    def test_lines_rotate_whole(self):
        self.daemon(program("a", actor("lines=1000,60", "hang"), stdout_logfile=self.path("a.log"),
                            stdout_prefix="[a]", stdout_logfile_maxbytes="10KB", stdout_logfile_backups=20))
        parts = [self.path("a.log.%d" % number) for number in range(6, 0, -1)] + [self.path("a.log")]
        wait_for(lambda: sum(len(read(part)) for part in parts) == 64000)
        numbers, torn = lines_by_prefix("".join(read(part) for part in parts))
        self.assertEqual([], torn)
        self.assertEqual({"a": list(range(1, 1001))}, numbers)
        self.assertTrue(all(read(part).endswith("\n") for part in parts))

    def test_change_is_a_change_of_the_configuration(self):
        config = program("a", actor("hang"), stdout_prefix="%s")
        daemon = self.daemon(config % "one")
        daemon.configure(config % "two")
        self.assertEqual([[[], ["a"], []]], daemon.supervisor.reloadConfig())


class UnusableLog(TestCase):
    def test_is_a_failed_start_without_a_child(self):
        log, mark = self.path("logs", "a.log"), self.path("mark")
        self.subdirectory("logs")
        daemon = self.daemon(program("a", actor("mark=%s,ran" % mark, "hang"), stderr_logfile=log, startretries=0,
                                     autostart="false"))
        os.rmdir(self.path("logs"))
        self.assertFault(Fault.SPAWN_ERROR, "SPAWN_ERROR: a", daemon.supervisor.startProcess, "a")
        self.assertEqual("cannot open log file %s: No such file or directory" % log, daemon.info("a")["spawnerr"])
        self.assertEqual("", read(mark))
        os.mkdir(self.path("logs"))
        self.assertIs(True, daemon.supervisor.startProcess("a"))
        wait_for(lambda: read(mark) == "ran\n")
