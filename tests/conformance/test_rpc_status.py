"""Status and control of the daemon itself, and the system namespace (manual 2.1.1, 2.1.4)."""

import os
import time
import xmlrpc.client

from harness import Fault, TestCase, actor, program, read, version_text, wait_for, write

METHODS = """
supervisor.addProcessGroup supervisor.clearAllProcessLogs supervisor.clearLog supervisor.clearProcessLog
supervisor.clearProcessLogs supervisor.getAPIVersion supervisor.getAllConfigInfo supervisor.getAllProcessInfo
supervisor.getIdentification supervisor.getPID supervisor.getProcessInfo supervisor.getState
supervisor.getSupervisorVersion supervisor.getVersion supervisor.readLog supervisor.readMainLog
supervisor.readProcessLog supervisor.readProcessStderrLog supervisor.readProcessStdoutLog supervisor.reloadConfig
supervisor.removeProcessGroup supervisor.restart supervisor.sendProcessStdin supervisor.sendRemoteCommEvent
supervisor.shutdown supervisor.signalAllProcesses supervisor.signalProcess supervisor.signalProcessGroup
supervisor.startAllProcesses supervisor.startProcess supervisor.startProcessGroup supervisor.stopAllProcesses
supervisor.stopProcess supervisor.stopProcessGroup supervisor.tailProcessLog supervisor.tailProcessStderrLog
supervisor.tailProcessStdoutLog system.listMethods system.methodHelp system.methodSignature system.multicall
""".split()

INFO_KEYS = {"name": str, "group": str, "description": str, "start": int, "stop": int, "now": int, "state": int,
             "statename": str, "spawnerr": str, "exitstatus": int, "logfile": str, "stdout_logfile": str,
             "stderr_logfile": str, "pid": int}

CONFIG_KEYS = {"autostart": bool, "directory": str, "uid": str, "command": str, "exitcodes": list, "group": str,
               "group_prio": int, "inuse": bool, "killasgroup": bool, "name": str, "process_prio": int,
               "redirect_stderr": bool, "startretries": int, "startsecs": int, "stdout_capture_maxbytes": int,
               "stdout_events_enabled": bool, "stdout_logfile": str, "stdout_logfile_backups": int,
               "stdout_logfile_maxbytes": int, "stdout_syslog": bool, "stopsignal": int, "stopwaitsecs": int,
               "stderr_capture_maxbytes": int, "stderr_events_enabled": bool, "stderr_logfile": str,
               "stderr_logfile_backups": int, "stderr_logfile_maxbytes": int, "stderr_syslog": bool, "serverurl": str}


class Versions(TestCase):
    def test_api_version_is_3_0_under_both_names(self):
        supervisor = self.daemon().supervisor
        self.assertEqual("3.0", supervisor.getAPIVersion())
        self.assertEqual("3.0", supervisor.getVersion())

    def test_supervisor_version_is_that_of_the_command_line(self):
        self.assertEqual(version_text(), self.daemon().supervisor.getSupervisorVersion())

    def test_identification_is_supervisor_by_default(self):
        self.assertEqual("supervisor", self.daemon().supervisor.getIdentification())

    def test_identification_is_configured(self):
        daemon = self.daemon(supervisord={"identifier": "the one"})
        self.assertEqual("the one", daemon.supervisor.getIdentification())

    def test_pid_is_that_of_the_process(self):
        daemon = self.daemon()
        self.assertEqual(daemon.pid, daemon.supervisor.getPID())

    def test_state_is_running(self):
        self.assertEqual({"statecode": 1, "statename": "RUNNING"}, self.daemon().supervisor.getState())

    def test_methods_without_parameters_refuse_one(self):
        supervisor = self.daemon().supervisor
        for name in ("getAPIVersion", "getState", "getPID", "getAllProcessInfo", "clearLog", "shutdown", "restart",
                     "reloadConfig", "getAllConfigInfo", "clearAllProcessLogs"):
            with self.subTest(name):
                self.assertFault(Fault.INCORRECT_PARAMETERS, "INCORRECT_PARAMETERS", getattr(supervisor, name), "x")


class MainLog(TestCase):
    def setUp(self):
        super().setUp()
        self.it = self.daemon(supervisord={"loglevel": "warn"})
        write(self.it.log, "0123456789")

    def read(self, offset, length):
        return self.it.supervisor.readLog(offset, length)

    def test_whole_log(self):
        self.assertEqual("0123456789", self.read(0, 0))

    def test_slice(self):
        self.assertEqual("234", self.read(2, 3))

    def test_from_offset_to_the_end(self):
        self.assertEqual("6789", self.read(6, 0))

    def test_tail(self):
        self.assertEqual("789", self.read(-3, 0))

    def test_tail_longer_than_the_log(self):
        self.assertEqual("0123456789", self.read(-100, 0))

    def test_slice_over_the_end(self):
        self.assertEqual("89", self.read(8, 100))

    def test_offset_behind_the_end(self):
        self.assertEqual("", self.read(100, 0))

    def test_negative_offset_with_a_length(self):
        self.assertFault(Fault.BAD_ARGUMENTS, "BAD_ARGUMENTS", self.read, -3, 1)

    def test_negative_length(self):
        self.assertFault(Fault.BAD_ARGUMENTS, "BAD_ARGUMENTS", self.read, 0, -1)

    def test_alias_readMainLog(self):
        self.assertEqual("234", self.it.supervisor.readMainLog(2, 3))

    def test_clear_empties_it(self):
        self.assertIs(True, self.it.supervisor.clearLog())
        self.assertNotIn("0123456789", read(self.it.log))

    def test_removed_log(self):
        os.unlink(self.it.log)
        self.assertFault(Fault.NO_FILE, "NO_FILE: " + self.it.log, self.read, 0, 0)
        self.assertFault(Fault.NO_FILE, "NO_FILE", self.it.supervisor.clearLog)


class System(TestCase):
    def test_lists_the_documented_methods_sorted(self):
        added = ["supervisor.shutdownWithStatus", "supervisor.upgrade"]  # ours alone
        found = self.daemon().rpc.system.listMethods()
        self.assertEqual(METHODS, [name for name in found if name not in added])
        self.assertEqual(sorted(found), found)

    def test_help_of_every_method_is_text(self):
        rpc = self.daemon().rpc
        for name in METHODS:
            with self.subTest(name):
                self.assertGreater(len(rpc.system.methodHelp(name)), 10)

    def test_help_of_an_unknown_method(self):
        self.assertFault(Fault.SIGNATURE_UNSUPPORTED, "SIGNATURE_UNSUPPORTED",
                         self.daemon().rpc.system.methodHelp, "supervisor.nothing")

    def test_signatures(self):
        expected = {
            "supervisor.getAPIVersion": ["string"],
            "supervisor.getVersion": ["string"],
            "supervisor.getSupervisorVersion": ["string"],
            "supervisor.getIdentification": ["string"],
            "supervisor.getState": ["struct"],
            "supervisor.getPID": ["int"],
            "supervisor.readLog": ["string", "int", "int"],
            "supervisor.readMainLog": ["string", "int", "int"],
            "supervisor.clearLog": ["boolean"],
            "supervisor.shutdown": ["boolean"],
            "supervisor.restart": ["boolean"],
            "supervisor.reloadConfig": ["array"],
            "supervisor.addProcessGroup": ["boolean", "string"],
            "supervisor.removeProcessGroup": ["boolean", "string"],
            "supervisor.getProcessInfo": ["struct", "string"],
            "supervisor.getAllProcessInfo": ["array"],
            "supervisor.getAllConfigInfo": ["array"],
            "supervisor.startProcess": ["boolean", "string", "boolean"],
            "supervisor.startProcessGroup": ["array", "string", "boolean"],
            "supervisor.startAllProcesses": ["array", "boolean"],
            "supervisor.stopProcess": ["boolean", "string", "boolean"],
            "supervisor.stopProcessGroup": ["array", "string", "boolean"],
            "supervisor.stopAllProcesses": ["array", "boolean"],
            "supervisor.signalProcess": ["boolean", "string", "string"],
            "supervisor.signalProcessGroup": ["array", "string", "string"],
            "supervisor.signalAllProcesses": ["array", "string"],
            "supervisor.sendProcessStdin": ["boolean", "string", "string"],
            "supervisor.sendRemoteCommEvent": ["boolean", "string", "string"],
            "supervisor.readProcessStdoutLog": ["string", "string", "int", "int"],
            "supervisor.readProcessStderrLog": ["string", "string", "int", "int"],
            "supervisor.readProcessLog": ["string", "string", "int", "int"],
            "supervisor.tailProcessStdoutLog": ["array", "string", "int", "int"],
            "supervisor.tailProcessStderrLog": ["array", "string", "int", "int"],
            "supervisor.tailProcessLog": ["array", "string", "int", "int"],
            "supervisor.clearProcessLogs": ["boolean", "string"],
            "supervisor.clearProcessLog": ["boolean", "string"],
            "supervisor.clearAllProcessLogs": ["array"],
            "system.listMethods": ["array"],
            "system.methodHelp": ["string", "string"],
            "system.methodSignature": ["array", "string"],
            "system.multicall": ["array", "array"],
        }
        rpc = self.daemon().rpc
        answers = {}
        for name in METHODS:
            try:
                answers[name] = rpc.system.methodSignature(name)
            except xmlrpc.client.Fault as fault:
                answers[name] = fault.faultString
        self.assertEqual(expected, answers)

    def test_signature_of_an_unknown_method(self):
        self.assertFault(Fault.SIGNATURE_UNSUPPORTED, "SIGNATURE_UNSUPPORTED",
                         self.daemon().rpc.system.methodSignature, "nothing")

    def test_unknown_methods_are_unknown(self):
        rpc = self.daemon().rpc
        for name in ("supervisor.nothing", "nothing.getState", "getState", "supervisor.getState.x",
                     "supervisor.supervisord.options.make_logger", "supervisor._update", "supervisor.__init__",
                     "system.x"):
            with self.subTest(name):
                self.assertFault(Fault.UNKNOWN_METHOD, "UNKNOWN_METHOD", getattr(rpc, name))


class Multicall(TestCase):
    def call(self, *calls, config=""):
        return self.daemon(config).rpc.system.multicall(
            [{"methodName": name, "params": list(parameters)} for name, *parameters in calls])

    def test_answers_bare_values_in_order(self):
        self.assertEqual(["3.0", {"statecode": 1, "statename": "RUNNING"}],
                         self.call(("supervisor.getAPIVersion",), ("supervisor.getState",)))

    def test_nothing_to_call(self):
        self.assertEqual([], self.call())

    def test_a_fault_stands_in_its_place_and_the_rest_is_done(self):
        self.assertEqual([{"faultCode": 10, "faultString": "BAD_NAME: x"}, "3.0"],
                         self.call(("supervisor.getProcessInfo", "x"), ("supervisor.getAPIVersion",)))

    def test_unknown_method(self):
        self.assertEqual([{"faultCode": 1, "faultString": "UNKNOWN_METHOD"}], self.call(("supervisor.x",)))

    def test_wrong_number_of_parameters(self):
        self.assertEqual([{"faultCode": 2, "faultString": "INCORRECT_PARAMETERS"}],
                         self.call(("supervisor.getState", 1)))

    def test_params_may_be_left_out(self):
        rpc = self.daemon().rpc
        self.assertEqual(["3.0"], rpc.system.multicall([{"methodName": "supervisor.getAPIVersion"}]))

    def test_without_a_method_name(self):
        rpc = self.daemon().rpc
        self.assertEqual([{"faultCode": 2, "faultString": "INCORRECT_PARAMETERS: No methodName"}],
                         rpc.system.multicall([{"params": []}]))

    def test_does_not_call_itself(self):
        self.assertEqual([{"faultCode": 2,
                           "faultString": "INCORRECT_PARAMETERS: Recursive system.multicall forbidden"}],
                         self.call(("system.multicall", [])))

    def test_waiting_calls_run_one_after_another(self):
        config = (program("a", actor("hang"), autostart="false", startsecs=1)
                  + program("b", actor("hang"), autostart="false", startsecs=1))
        began = time.monotonic()
        answers = self.call(("supervisor.startProcess", "a"), ("supervisor.startProcess", "b"),
                            ("supervisor.getProcessInfo", "a"), ("supervisor.stopProcess", "a"), config=config)
        self.assertEqual([True, True, "RUNNING", True], [answers[0], answers[1], answers[2]["statename"], answers[3]])
        self.assertGreater(time.monotonic() - began, 1.9)


class ProcessInfo(TestCase):
    def test_keys_and_types(self):
        info = self.daemon(program("cat", "/bin/cat")).info("cat")
        self.assertEqual(INFO_KEYS, {key: type(value) for key, value in info.items()})

    def test_running(self):
        daemon = self.daemon(program("cat", "/bin/cat"))
        info = daemon.wait_state("cat", "RUNNING")
        self.assertEqual(("cat", "cat", 20, "", 0, 0), tuple(info[key] for key in
                         ("name", "group", "state", "spawnerr", "exitstatus", "stop")))
        self.assertRegex(info["description"], r"^pid %d, uptime 0:00:0\d$" % info["pid"])
        self.assertLess(abs(info["now"] - time.time()), 3)
        self.assertLess(abs(info["start"] - time.time()), 5)
        self.assertEqual(info["stdout_logfile"], info["logfile"])

    def test_never_started(self):
        info = self.daemon(program("cat", "/bin/cat", autostart="false")).info("cat")
        self.assertEqual((0, "STOPPED", "Not started", 0, 0, 0, 0, ""), tuple(info[key] for key in
                         ("state", "statename", "description", "pid", "start", "stop", "exitstatus", "spawnerr")))

    def test_stopped(self):
        daemon = self.daemon(program("cat", "/bin/cat"))
        daemon.wait_state("cat", "RUNNING")
        daemon.supervisor.stopProcess("cat")
        info = daemon.info("cat")
        self.assertEqual((0, "STOPPED", 0, -1), tuple(info[key] for key in ("state", "statename", "pid", "exitstatus")))
        self.assertLess(abs(info["stop"] - time.time()), 5)
        self.assertEqual(time.strftime("%b %d %I:%M %p", time.gmtime(info["stop"])), info["description"])

    def test_exited(self):
        daemon = self.daemon(program("once", actor("exit=3"), exitcodes="3"))
        info = daemon.wait_state("once", "EXITED")
        self.assertEqual((100, 0, 3, ""), tuple(info[key] for key in ("state", "pid", "exitstatus", "spawnerr")))
        self.assertRegex(info["description"], r"^[A-Z][a-z]{2} \d\d \d\d:\d\d [AP]M$")

    def test_exited_unexpectedly(self):
        info = self.daemon(program("once", actor("exit=3"))).wait_state("once", "EXITED")
        self.assertEqual((3, "Bad exit code 3"), (info["exitstatus"], info["spawnerr"]))

    def test_fatal(self):
        daemon = self.daemon(program("quick", actor("exit=0"), startsecs=60, startretries=0))
        info = daemon.wait_state("quick", "FATAL")
        text = "Exited too quickly (process log may have details)"
        self.assertEqual((200, text, text, 0), tuple(info[key] for key in ("state", "description", "spawnerr",
                                                                           "exitstatus")))

    def test_backoff(self):
        daemon = self.daemon(program("quick", actor("exit=0"), startsecs=5, startretries=9))
        info = daemon.wait_state("quick", "BACKOFF")
        self.assertEqual((30, "Exited too quickly (process log may have details)"),
                         (info["state"], info["description"]))

    def test_starting_has_a_pid_and_no_description(self):
        info = self.daemon(program("slow", actor("hang"), startsecs=60)).wait_state("slow", "STARTING")
        self.assertEqual((10, ""), (info["state"], info["description"]))
        self.assertGreater(info["pid"], 0)

    def test_stopping(self):
        daemon = self.daemon(program("deaf", actor("ignore=TERM", "print=deaf", "hang"), stopwaitsecs=3))
        daemon.wait_stdout("deaf", "deaf")
        daemon.supervisor.stopProcess("deaf", False)
        info = daemon.info("deaf")
        self.assertEqual((40, "STOPPING", ""), (info["state"], info["statename"], info["description"]))
        self.assertGreater(info["pid"], 0)
        daemon.wait_state("deaf", "STOPPED")

    def test_uptime_counts(self):
        daemon = self.daemon(program("cat", "/bin/cat"))
        wait_for(lambda: daemon.info("cat")["description"].endswith("0:00:02"))

    def test_names_of_groups(self):
        daemon = self.daemon(program("a", "/bin/cat") + program("b", "/bin/cat") + "[group:both]\nprograms=a,b\n")
        self.assertEqual(("a", "both"), tuple(daemon.info("both:a")[key] for key in ("name", "group")))
        for name in ("a", "both:c", "both:*", "both:", "both", "", "*", "x:a"):
            with self.subTest(name):
                self.assertFault(Fault.BAD_NAME, "BAD_NAME: " + name, daemon.supervisor.getProcessInfo, name)

    def test_all_are_listed_by_name_of_group_and_process(self):
        daemon = self.daemon(program("z", "/bin/cat", priority=1) + program("a", "/bin/cat")
                             + program("m", "/bin/cat", numprocs=3, process_name="m%(process_num)d", priority=5))
        self.assertEqual(["a", "m0", "m1", "m2", "z"],
                         [info["name"] for info in daemon.supervisor.getAllProcessInfo()])

    def test_nothing_configured(self):
        self.assertEqual([], self.daemon().supervisor.getAllProcessInfo())

    def test_log_files(self):
        daemon = self.daemon(program("a", "/bin/cat", stdout_logfile=self.path("out"), stderr_logfile="NONE"))
        info = daemon.info("a")
        self.assertEqual((self.path("out"), self.path("out"), ""),
                         (info["logfile"], info["stdout_logfile"], info["stderr_logfile"]))


class ConfigInfo(TestCase):
    def test_keys_and_types(self):
        info = self.daemon(program("cat", "/bin/cat", directory="/tmp", user="root")).supervisor.getAllConfigInfo()[0]
        self.assertEqual(CONFIG_KEYS.keys(), info.keys())

    def test_values(self):
        daemon = self.daemon(program("cat", "/bin/cat", "-u", autostart="false", priority=7, exitcodes="0,2",
                                     startsecs=3,
                                     startretries=4, stopsignal="INT", stopwaitsecs=6, stopasgroup="true",
                                     redirect_stderr="true", stdout_logfile=self.path("x.log"),
                                     stdout_logfile_maxbytes="1MB", stdout_logfile_backups=2, directory="/tmp"))
        info = daemon.supervisor.getAllConfigInfo()[0]
        expected = {"name": "cat", "group": "cat", "command": "/bin/cat -u", "autostart": False, "process_prio": 7,
                    "group_prio": 7, "exitcodes": [0, 2], "startsecs": 3, "startretries": 4, "stopsignal": 2,
                    "stopwaitsecs": 6, "killasgroup": True, "redirect_stderr": True, "inuse": True,
                    "stdout_logfile": self.path("x.log"), "stdout_logfile_maxbytes": 1048576,
                    "stdout_logfile_backups": 2, "stdout_capture_maxbytes": 0, "stdout_events_enabled": False,
                    "stdout_syslog": False}
        self.assertEqual(expected, {key: info[key] for key in expected})

    def test_defaults(self):
        daemon = self.daemon("[program:x]\ncommand=/bin/cat\nautostart=false\n")
        info = daemon.supervisor.getAllConfigInfo()[0]
        expected = {"process_prio": 999, "group_prio": 999, "exitcodes": [0], "startsecs": 1, "startretries": 3,
                    "stopsignal": 15, "stopwaitsecs": 10, "killasgroup": False, "redirect_stderr": False, "inuse": True,
                    "stdout_logfile_maxbytes": 52428800, "stdout_logfile_backups": 10,
                    "stderr_logfile_maxbytes": 52428800, "stderr_logfile_backups": 10, "stderr_capture_maxbytes": 0,
                    "directory": "none", "uid": "none", "serverurl": "none"}
        self.assertEqual(expected, {key: info.get(key) for key in expected})

    def test_a_process_that_is_not_active_is_not_in_use(self):
        daemon = self.daemon(program("cat", "/bin/cat"))
        daemon.configure(program("cat", "/bin/cat") + program("new", "/bin/cat"))
        daemon.supervisor.reloadConfig()
        self.assertEqual({"cat": True, "new": False},
                         {info["name"]: info["inuse"] for info in daemon.supervisor.getAllConfigInfo()})


class ShutdownAndRestart(TestCase):
    def test_shutdown_ends_it(self):
        daemon = self.daemon(program("cat", "/bin/cat"))
        self.assertIs(True, daemon.supervisor.shutdown())
        self.assertEqual(0, daemon.wait())

    def test_methods_fault_while_shutting_down(self):
        daemon = self.daemon(program("deaf", actor("ignore=TERM", "print=deaf", "hang"), stopwaitsecs=3))
        daemon.wait_stdout("deaf", "deaf")
        daemon.supervisor.shutdown()
        for name in ("getState", "getPID", "getAllProcessInfo", "shutdown", "restart", "reloadConfig"):
            self.assertFault(Fault.SHUTDOWN_STATE, "SHUTDOWN_STATE", getattr(daemon.supervisor, name))
        self.assertIn("supervisor.getState", daemon.rpc.system.listMethods())
        self.assertIs(True, daemon.supervisor.sendRemoteCommEvent("a", "b"))
        self.assertEqual(0, daemon.wait())

    def test_restart_keeps_the_pid_and_starts_everything_again(self):
        daemon = self.daemon(program("cat", "/bin/cat"))
        before = daemon.wait_state("cat", "RUNNING")["pid"]
        self.assertIs(True, daemon.supervisor.restart())

        def restarted():
            try:
                info = daemon.new_rpc().supervisor.getProcessInfo("cat")
                return info["pid"] not in (0, before)
            except (OSError, xmlrpc.client.Fault):
                return False

        wait_for(restarted, what="cat to be started again")
        self.assertEqual(daemon.pid, daemon.new_rpc().supervisor.getPID())

    def test_restart_reads_the_configuration_again(self):
        daemon = self.daemon(program("old", "/bin/cat"))
        daemon.configure(program("new", "/bin/cat"))
        daemon.supervisor.restart()

        def has_new():
            try:
                return [info["name"] for info in daemon.new_rpc().supervisor.getAllProcessInfo()] == ["new"]
            except (OSError, xmlrpc.client.Fault):
                return False

        wait_for(has_new, what="the new program")
