"""The children's logs: where they are, how they rotate (manual 1.4.6, 1.6.2)."""

import glob
import os
import stat

from harness import TestCase, actor, program, read, wait_for, write


class Automatic(TestCase):
    def test_name_and_mode(self):
        daemon = self.daemon(program("a", actor("print=x", "hang")))
        daemon.wait_stdout("a", "x\n")
        info = daemon.info("a")
        for stream in ("stdout", "stderr"):
            self.assertRegex(info[stream + "_logfile"],
                             "^%s/a-%s---supervisor-[A-Za-z0-9_]+\\.log$" % (self.dir, stream))
            self.assertEqual(0o600, stat.S_IMODE(os.stat(info[stream + "_logfile"]).st_mode))

    def test_identifier_is_in_the_name(self):
        daemon = self.daemon(program("a", actor("hang")), supervisord={"identifier": "me"})
        self.assertIn("a-stdout---me-", daemon.info("a")["stdout_logfile"])

    def test_name_stays_over_restarts(self):
        daemon = self.daemon(program("a", actor("print=x", "hang")))
        daemon.wait_stdout("a", "x\n")
        before = daemon.info("a")["stdout_logfile"]
        daemon.supervisor.stopProcess("a")
        daemon.supervisor.startProcess("a")
        daemon.wait_stdout("a", "x\nx\n")
        self.assertEqual(before, daemon.info("a")["stdout_logfile"])

    def test_auto_in_any_case(self):
        daemon = self.daemon(program("a", actor("hang"), stdout_logfile="auto", stderr_logfile="None"))
        self.assertIn("a-stdout---supervisor-", daemon.info("a")["stdout_logfile"])
        self.assertEqual("", daemon.info("a")["stderr_logfile"])


class Named(TestCase):
    def test_is_appended_to(self):
        write(self.path("a.log"), "old\n")
        daemon = self.daemon(program("a", actor("print=new", "hang"), stdout_logfile=self.path("a.log")))
        wait_for(lambda: read(self.path("a.log")) == "old\nnew\n")

    def test_relative_to_the_working_directory(self):
        daemon = self.daemon(program("a", actor("print=x", "hang"), stdout_logfile="a.log"))
        wait_for(lambda: read(self.path("a.log")) == "x\n")
        self.assertIn(daemon.info("a")["stdout_logfile"], ("a.log", self.path("a.log")))

    def test_output_without_a_newline(self):
        self.daemon(program("a", actor("raw=x", "hang"), stdout_logfile=self.path("a.log")))
        wait_for(lambda: read(self.path("a.log")) == "x")

    def test_dev_stdout(self):
        daemon = self.daemon(program("a", actor("print=to the console", "hang"), stdout_logfile="/dev/stdout",
                                     stdout_logfile_maxbytes=0))
        wait_for(lambda: "to the console\n" in read(daemon.output))

    def test_dev_stderr(self):
        daemon = self.daemon(program("a", actor("error=to the console", "hang"), stderr_logfile="/dev/stderr",
                                     stderr_logfile_maxbytes=0))
        wait_for(lambda: "to the console\n" in read(daemon.output))

    def test_several_processes_with_names_of_their_own(self):
        self.daemon(program("w", actor("print=%(process_num)d", "hang"), numprocs=2, process_name="w%(process_num)d",
                            stdout_logfile=self.path("w%(process_num)d.log")))
        wait_for(lambda: (read(self.path("w0.log")), read(self.path("w1.log"))) == ("0\n", "1\n"))


class Rotation(TestCase):
    def whole(self, name):
        """All bytes of a log, oldest first."""
        files = sorted(glob.glob(self.path(name + ".*")), key=lambda path: -int(path.rpartition(".")[2]))
        return "".join(read(path) for path in files) + read(self.path(name))

    def test_backups(self):
        self.daemon(program("a", actor(*["lines=100,10", "sleep=0.05"] * 8, "print=end", "hang"), startsecs=0,
                            stdout_logfile=self.path("a.log"), stdout_logfile_maxbytes=1000, stdout_logfile_backups=3))
        wait_for(lambda: read(self.path("a.log")).endswith("end\n"))
        self.assertEqual(["a.log", "a.log.1", "a.log.2", "a.log.3"],
                         sorted(os.path.basename(path) for path in glob.glob(self.path("a.log*"))))

    def test_no_backups_empties_the_file(self):
        self.daemon(program("a", actor("lines=300,10", "sleep=0.3", "print=end", "hang"),
                            stdout_logfile=self.path("a.log"), stdout_logfile_maxbytes=1000, stdout_logfile_backups=0))
        wait_for(lambda: read(self.path("a.log")).endswith("end\n"))
        self.assertEqual(["a.log"], [os.path.basename(path) for path in glob.glob(self.path("a.log*"))])
        self.assertLess(os.path.getsize(self.path("a.log")), 1000)

    def test_zero_means_never(self):
        self.daemon(program("a", actor("lines=10000,100", "hang"), stdout_logfile=self.path("a.log"),
                            stdout_logfile_maxbytes=0))
        wait_for(lambda: os.path.getsize(self.path("a.log")) == 1000000)
        self.assertFalse(os.path.exists(self.path("a.log.1")))

    def test_nothing_is_lost(self):
        self.daemon(program("a", actor("lines=20000,100", "hang"), stdout_logfile=self.path("a.log"),
                            stdout_logfile_maxbytes="200KB", stdout_logfile_backups=50))
        wait_for(lambda: len(self.whole("a.log")) >= 2000000)
        numbers = [int(line[:8]) for line in self.whole("a.log").splitlines()]
        self.assertEqual(list(range(1, 20001)), numbers)


class Ansi(TestCase):
    def test_is_kept_by_default(self):
        self.daemon(program("a", actor("print=\x1b[31mred\x1b[0m", "hang"), stdout_logfile=self.path("a.log")))
        wait_for(lambda: read(self.path("a.log")) == "\x1b[31mred\x1b[0m\n")

    def test_strip_ansi(self):
        self.daemon(program("a", actor("print=\x1b[31mred\x1b[0m \x1b[1;32mgreen\x1b[m", "hang"),
                            stdout_logfile=self.path("a.log")), supervisord={"strip_ansi": "true"})
        wait_for(lambda: read(self.path("a.log")) == "red green\n")


class Flow(TestCase):
    def test_stderr_floods_do_not_block(self):
        daemon = self.daemon(program("a", actor("errlines=50000,100", "print=done", "hang")))
        daemon.wait_stdout("a", "done\n")
        wait_for(lambda: os.path.getsize(daemon.info("a")["stderr_logfile"]) == 5000000)

    def test_without_a_log_output_is_read_and_dropped(self):
        daemon = self.daemon(program("a", actor("lines=50000,100", "error=done", "hang"), stdout_logfile="NONE"))
        wait_for(lambda: daemon.stderr("a") == "done\n")

    def test_everything_written_before_the_end_is_there(self):
        daemon = self.daemon(program("a", actor("lines=5000,100", "error=last words", "exit=0"),
                                     stdout_logfile=self.path("a.log"), stdout_logfile_maxbytes=0))
        daemon.wait_state("a", "EXITED")
        wait_for(lambda: os.path.getsize(self.path("a.log")) == 500000)
        self.assertEqual("last words\n", daemon.stderr("a"))


class Warnings(TestCase):
    """What the daemon says of logs when it starts."""

    DEPRECATED = ("WARN For [program:%s], %s_logfile=syslog but this is deprecated and will be removed.  "
                  "Use %s_syslog=true to enable syslog instead.")
    IGNORED = ("WARN For [program:%s], redirect_stderr=true but stderr_logfile has also been set to a filename, "
               "the filename has been ignored")

    def warnings(self, daemon):
        return [line for line in daemon.log_messages() if line.startswith("WARN For ")]

    def test_of_syslog_as_a_file_and_of_files_without_output(self):
        daemon = self.daemon(
            program("z", actor("hang"), stdout_logfile="SYSLOG", stderr_logfile="syslog", autostart="false")
            + program("many", actor("hang"), numprocs=2, process_name="x%(process_num)d", stdout_logfile="syslog",
                      autostart="false")
            + program("a", actor("hang"), redirect_stderr="true", stderr_logfile=self.path("%(program_name)s.log"),
                      autostart="false")
            + program("b", actor("hang"), redirect_stderr="true", stderr_logfile="syslog", autostart="false"))
        self.assertEqual([self.DEPRECATED % ("z", "stdout", "stdout"), self.DEPRECATED % ("z", "stderr", "stderr"),
                          self.DEPRECATED % ("many", "stdout", "stdout"),
                          self.DEPRECATED % ("many", "stdout", "stdout"), self.IGNORED % "a",
                          self.DEPRECATED % ("b", "stderr", "stderr")], self.warnings(daemon))

    def test_come_before_included_files_and_not_with_a_reread(self):
        included = write(self.path("more.conf"), program("a", actor("hang"), stdout_logfile="syslog",
                                                         autostart="false"))
        include = "[include]\nfiles=%s\n" % included
        daemon = self.daemon(include)
        messages = daemon.log_messages()
        at = messages.index(self.DEPRECATED % ("a", "stdout", "stdout"))
        self.assertEqual('INFO Included extra file "%s" during parsing' % included, messages[at + 1])
        daemon.configure(include + program("b", actor("hang"), stdout_logfile="syslog"))
        self.assertEqual([[["b"], [], []]], daemon.supervisor.reloadConfig())
        self.assertEqual(1, len(self.warnings(daemon)))

    def test_not_where_nothing_is_ignored(self):
        daemon = self.daemon(
            program("a", actor("hang"), stdout_syslog="true", autostart="false")
            + program("b", actor("hang"), stdout_syslog="true", stdout_logfile="NONE", autostart="false")
            + program("c", actor("hang"), redirect_stderr="true", stderr_logfile="NONE", autostart="false")
            + program("d", actor("hang"), redirect_stderr="true", stderr_logfile="AUTO", autostart="false"))
        self.assertEqual([], self.warnings(daemon))
