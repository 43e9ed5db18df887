"""Reading, tailing and clearing of the children's logs (manual 2.1.3)."""

import os

from harness import Fault, TestCase, actor, program, read, wait_for, write

LOG = "0123456789"


class Logs(TestCase):
    """A stopped program, so that nobody but the test writes to its logs."""

    def setUp(self):
        super().setUp()
        self.files = {"Stdout": write(self.path("out.log"), LOG), "Stderr": write(self.path("err.log"), LOG)}
        self.it = self.daemon(program("a", "/bin/cat", autostart="false", stdout_logfile=self.files["Stdout"],
                                      stderr_logfile=self.files["Stderr"])
                              + program("none", "/bin/cat", autostart="false", stdout_logfile="NONE",
                                        stderr_logfile="NONE"))

    def call(self, method, *arguments):
        return getattr(self.it.supervisor, method)(*arguments)

    def each(self, verb):
        """Names of the methods for both streams, and the old one."""
        return ["%sProcessStdoutLog" % verb, "%sProcessStderrLog" % verb, "%sProcessLog" % verb]


class Read(Logs):
    def test_arithmetic(self):
        table = {(0, 0): LOG, (2, 3): "234", (6, 0): "6789", (-3, 0): "789", (-100, 0): LOG, (8, 100): "89",
                 (100, 0): "", (100, 5): "", (10, 0): "", (0, 10): LOG, (0, 1): "0", (-10, 0): LOG}
        for method in self.each("read"):
            for (offset, length), text in table.items():
                with self.subTest(method=method, offset=offset, length=length):
                    self.assertEqual(text, self.call(method, "a", offset, length))

    def test_bad_arguments(self):
        for method in self.each("read"):
            for offset, length in ((-3, 1), (0, -1), (-1, -1), (5, -5)):
                with self.subTest(method=method, offset=offset, length=length):
                    self.assertFault(Fault.BAD_ARGUMENTS, "BAD_ARGUMENTS", self.call, method, "a", offset, length)

    def test_unknown_name(self):
        for method in self.each("read"):
            self.assertFault(Fault.BAD_NAME, "BAD_NAME: x", self.call, method, "x", 0, 0)
            self.assertFault(Fault.BAD_NAME, "BAD_NAME: a:*", self.call, method, "a:*", 0, 0)

    def test_no_log(self):
        for method in self.each("read"):
            self.assertFault(Fault.NO_FILE, "NO_FILE", self.call, method, "none", 0, 0)

    def test_removed_log(self):
        os.unlink(self.files["Stdout"])
        self.assertFault(Fault.NO_FILE, "NO_FILE: " + self.files["Stdout"], self.call, "readProcessLog", "a", 0, 0)

    def test_utf_8(self):
        write(self.files["Stdout"], "caf\u00e9 \u20ac <&>\n")
        self.assertEqual("caf\u00e9 \u20ac <&>\n", self.call("readProcessLog", "a", 0, 0))

    def test_wrong_number_of_arguments(self):
        self.assertFault(Fault.INCORRECT_PARAMETERS, "INCORRECT_PARAMETERS", self.call, "readProcessLog", "a", 0)
        self.assertFault(Fault.INCORRECT_PARAMETERS, "INCORRECT_PARAMETERS", self.call, "readProcessLog", "a", 0, 0, 0)


class Tail(Logs):
    def test_arithmetic(self):
        table = {(0, 10): [LOG, 10, False], (0, 100): [LOG, 10, False], (0, 5): ["56789", 10, True],
                 (0, 0): ["", 10, True], (5, 5): ["56789", 10, False], (5, 3): ["789", 10, True],
                 (10, 5): ["", 10, False], (8, 5): ["56789", 10, False], (20, 5): ["", 10, False],
                 (11, 5): ["", 10, False]}
        answers = {}
        for arguments in table:
            answers[arguments] = self.call("tailProcessStdoutLog", "a", *arguments)
        self.assertEqual(table, answers)

    def test_the_three_methods_agree(self):
        for method in self.each("tail"):
            self.assertEqual(["789", 10, True], self.call(method, "a", 0, 3))

    def test_unknown_name(self):
        for method in self.each("tail"):
            self.assertFault(Fault.BAD_NAME, "BAD_NAME: x", self.call, method, "x", 0, 5)

    def test_no_log_is_an_empty_one(self):
        for method in self.each("tail"):
            self.assertEqual(["", 0, False], self.call(method, "none", 0, 5))

    def test_removed_log_is_an_empty_one(self):
        os.unlink(self.files["Stdout"])
        self.assertEqual(["", 0, False], self.call("tailProcessLog", "a", 0, 5))


class Clear(TestCase):
    def test_running_process(self):
        for method in ("clearProcessLogs", "clearProcessLog"):
            with self.subTest(method):
                daemon = self.daemon(program("a", actor("print=out", "error=err", "say_on=HUP", "hang")),
                                     directory=self.subdirectory(method))
                daemon.wait_stdout("a", "out\n")
                wait_for(lambda: daemon.stderr("a") == "err\n")
                self.assertIs(True, getattr(daemon.supervisor, method)("a"))
                self.assertEqual(("", ""), (daemon.stdout("a"), daemon.stderr("a")))
                daemon.supervisor.signalProcess("a", "HUP")
                wait_for(lambda: daemon.stdout("a") == "got HUP\n")

    def test_unknown_name(self):
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: x", self.daemon().supervisor.clearProcessLogs, "x")

    def test_all(self):
        daemon = self.daemon(program("a", actor("print=out", "hang")) + program("b", actor("print=out", "hang")))
        daemon.wait_stdout("a", "out\n")
        daemon.wait_stdout("b", "out\n")
        self.assertCountEqual([{"name": name, "group": name, "status": 80, "description": "OK"} for name in "ab"],
                              daemon.supervisor.clearAllProcessLogs())
        self.assertEqual(("", ""), (daemon.stdout("a"), daemon.stdout("b")))

    def test_all_of_none(self):
        self.assertEqual([], self.daemon().supervisor.clearAllProcessLogs())

    def test_no_log(self):
        daemon = self.daemon(program("a", actor("hang"), stdout_logfile="NONE", stderr_logfile="NONE"))
        daemon.wait_state("a", "RUNNING")
        self.assertIs(True, daemon.supervisor.clearProcessLogs("a"))

    def test_group_is_not_a_process(self):
        daemon = self.daemon(program("a", actor("hang")))
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: a:*", daemon.supervisor.clearProcessLogs, "a:*")

    def test_rotated_files_stay(self):
        daemon = self.daemon(program("a", actor("lines=100,10", "hang"), stdout_logfile=self.path("a.log"),
                                     stdout_logfile_maxbytes=500, stdout_logfile_backups=3))
        wait_for(lambda: os.path.exists(self.path("a.log.1")))
        daemon.supervisor.clearProcessLogs("a")
        self.assertEqual("", read(self.path("a.log")))
        self.assertTrue(os.path.exists(self.path("a.log.1")))
