"""The extension twiddler: programs come into groups and processes leave them while the daemon runs."""

import signal
import xmlrpc.client

from harness import PLUGINS, Fault, TestCase, actor, program, section

NOT_IN_WHITELIST = 230
FACTORY = "supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface"
METHODS = ["addProgramToGroup", "getAPIVersion", "getGroupNames", "log", "removeProcessFromGroup"]
QUIET = {"command": actor("hang"), "autostart": "false", "startsecs": "0"}


class TwiddlerTestCase(TestCase):
    def twiddler(self, config="", options=None, **arguments):
        """A daemon with an empty group `pool`."""
        return self.daemon(section("rpcinterface:twiddler", **{"supervisor.rpcinterface_factory": FACTORY},
                                   **(options or {})) + section("group:pool", programs="") + config,
                           supervisord={"plugin_path": PLUGINS}, **arguments)


class Methods(TwiddlerTestCase):
    def test_are_listed_and_explained(self):
        system = self.twiddler().rpc.system
        self.assertEqual(METHODS, [name[len("twiddler."):] for name in system.listMethods()
                                   if name.startswith("twiddler.")])
        for name in METHODS:
            self.assertTrue(system.methodHelp("twiddler." + name))
        self.assertEqual(["boolean", "string", "string", "struct"],
                         system.methodSignature("twiddler.addProgramToGroup"))

    def test_version(self):
        self.assertEqual("1.0", self.twiddler().rpc.twiddler.getAPIVersion())

    def test_group_names(self):
        daemon = self.twiddler(program("web", actor("hang"), autostart="false"))
        self.assertEqual(["pool", "web"], sorted(daemon.rpc.twiddler.getGroupNames()))

    def test_session(self):
        daemon = self.twiddler()
        twiddler = daemon.rpc.twiddler
        self.assertIs(True, twiddler.addProgramToGroup("pool", "ls", {
            "command": actor("print=total 0"), "autostart": "false", "autorestart": "false", "startsecs": "0"}))
        self.assertEqual("STOPPED", daemon.state("pool:ls"))
        self.assertIs(True, daemon.supervisor.startProcess("pool:ls"))
        daemon.wait_state("pool:ls", "EXITED")
        self.assertEqual("total 0\n", daemon.supervisor.readProcessLog("pool:ls", 0, 50))
        self.assertIs(True, twiddler.removeProcessFromGroup("pool", "ls"))
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: pool:ls", daemon.supervisor.getProcessInfo, "pool:ls")

    def test_program_starts_by_itself(self):
        daemon = self.twiddler()
        self.assertIs(True, daemon.rpc.twiddler.addProgramToGroup("pool", "a", {"command": actor("hang")}))
        daemon.wait_state("pool:a", "RUNNING")

    def test_numbers_and_booleans_are_options_too(self):
        daemon = self.twiddler()
        self.assertIs(True, daemon.rpc.twiddler.addProgramToGroup("pool", "a", {
            "command": actor("hang"), "autostart": False, "numprocs": 2, "process_name": "%(program_name)s%(process_num)d",
            "startsecs": 0, "environment": "A=\"%(group_name)s\""}))
        self.assertEqual(["a0", "a1"], sorted(info["name"] for info in daemon.supervisor.getAllProcessInfo()))
        self.assertEqual("STOPPED", daemon.state("pool:a0"))

    def test_process_survives_an_upgrade_and_not_a_restart(self):
        daemon = self.twiddler()
        daemon.rpc.twiddler.addProgramToGroup("pool", "a", {"command": actor("hang"), "startsecs": "0"})
        pid = daemon.wait_state("pool:a", "RUNNING")["pid"]
        daemon.upgrade()
        self.assertEqual(pid, daemon.wait_state("pool:a", "RUNNING")["pid"])
        self.assertIs(True, daemon.rpc.twiddler.addProgramToGroup("pool", "b", QUIET))
        daemon.restart()
        self.assertEqual([], daemon.supervisor.getAllProcessInfo())
        self.assertEqual(["pool"], daemon.rpc.twiddler.getGroupNames())


class Log(TwiddlerTestCase):
    def test_levels(self):
        daemon = self.twiddler(arguments=["-e", "blather"])
        self.assertIs(True, daemon.rpc.twiddler.log("by default"))
        for number, level in enumerate(("CRIT", "ERRO", "warn", "INFO", "debug", "TRAC", "BLAT", 50, 40, 30, 20, 10, 5, 3)):
            self.assertIs(True, daemon.rpc.twiddler.log("line %d" % number, level))
        wanted = ["CRIT", "ERRO", "WARN", "INFO", "DEBG", "TRAC", "BLAT"] * 2
        messages = daemon.log_messages()
        self.assertIn("INFO by default", messages)
        self.assertEqual(["%s line %d" % (code, number) for number, code in enumerate(wanted)],
                         [message for message in messages if " line " in message])

    def test_unknown_level(self):
        log = self.twiddler().rpc.twiddler.log
        for level in ("LOUD", "", 15, True, ["INFO"], {}):
            self.assertFault(Fault.INCORRECT_PARAMETERS, "INCORRECT_PARAMETERS: no level of the log; CRIT, ERRO, WARN, "
                             "INFO, DEBG, TRAC, BLAT are", log, "x", level)

    def test_message_stays_on_its_line(self):
        daemon = self.twiddler()
        daemon.rpc.twiddler.log("one\n2026-01-01 00:00:00,000 CRIT two\r\tthree")
        self.assertIn("INFO one 2026-01-01 00:00:00,000 CRIT two  three", daemon.log_messages())

    def test_is_no_format(self):
        daemon = self.twiddler()
        daemon.rpc.twiddler.log("%s %n %d 100%")
        self.assertIn("INFO %s %n %d 100%", daemon.log_messages())


class Refused(TwiddlerTestCase):
    def test_unknown_group(self):
        twiddler = self.twiddler().rpc.twiddler
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: nowhere", twiddler.addProgramToGroup, "nowhere", "a", QUIET)
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: nowhere", twiddler.removeProcessFromGroup, "nowhere", "a")
        self.assertEqual(["pool"], twiddler.getGroupNames())

    def test_unknown_process(self):
        twiddler = self.twiddler().rpc.twiddler
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: pool:a", twiddler.removeProcessFromGroup, "pool", "a")

    def test_process_that_is_there(self):
        twiddler = self.twiddler().rpc.twiddler
        self.assertIs(True, twiddler.addProgramToGroup("pool", "a", QUIET))
        self.assertFault(Fault.ALREADY_ADDED, "ALREADY_ADDED: pool:a", twiddler.addProgramToGroup, "pool", "a", QUIET)

    def test_process_that_runs(self):
        daemon = self.twiddler()
        twiddler = daemon.rpc.twiddler
        twiddler.addProgramToGroup("pool", "a", dict(QUIET, autostart="true"))
        daemon.wait_state("pool:a", "RUNNING")
        self.assertFault(Fault.STILL_RUNNING, "STILL_RUNNING: pool:a", twiddler.removeProcessFromGroup, "pool", "a")
        daemon.supervisor.stopProcess("pool:a")
        self.assertIs(True, twiddler.removeProcessFromGroup("pool", "a"))

    def test_parameters_of_a_wrong_type(self):
        twiddler = self.twiddler().rpc.twiddler
        for call, parameters in ((twiddler.addProgramToGroup, ("pool", "a", "b")), (twiddler.addProgramToGroup, ("pool", 1, {})),
                                 (twiddler.addProgramToGroup, ("pool", "a")), (twiddler.removeProcessFromGroup, ({}, "a")),
                                 (twiddler.getAPIVersion, (1,)), (twiddler.log, (1,)), (twiddler.log, ())):
            with self.subTest(parameters):
                fault = self.fault_of(call, *parameters)
                self.assertEqual(Fault.INCORRECT_PARAMETERS, fault.faultCode)

    def fault_of(self, call, *parameters):
        with self.assertRaises(xmlrpc.client.Fault) as caught:
            call(*parameters)
        return caught.exception

    def test_while_shutting_down(self):
        daemon = self.twiddler(program("slow", actor("ignore=TERM", "print=deaf", "hang"), stopwaitsecs=2))
        daemon.wait_stdout("slow", "deaf")
        daemon.send_signal(signal.SIGTERM)
        daemon.wait_log("waiting for slow")
        self.assertFault(Fault.SHUTDOWN_STATE, "SHUTDOWN_STATE", daemon.rpc.twiddler.addProgramToGroup, "pool", "a", QUIET)
        self.assertFault(Fault.SHUTDOWN_STATE, "SHUTDOWN_STATE", daemon.rpc.twiddler.getGroupNames)


class Whitelist(TwiddlerTestCase):
    def test_others_are_listed_and_refused(self):
        daemon = self.twiddler(options={"whitelist": "getAPIVersion, getGroupNames"})
        twiddler = daemon.rpc.twiddler
        self.assertEqual("1.0", twiddler.getAPIVersion())
        self.assertEqual(["pool"], twiddler.getGroupNames())
        for call, parameters in ((twiddler.addProgramToGroup, ("pool", "a", QUIET)), (twiddler.log, ("x",)),
                                 (twiddler.removeProcessFromGroup, (1,))):
            self.assertFault(NOT_IN_WHITELIST, "NOT_IN_WHITELIST", call, *parameters)
        self.assertEqual(METHODS, [name[len("twiddler."):] for name in daemon.rpc.system.listMethods()
                                   if name.startswith("twiddler.")])
        self.assertEqual([], daemon.supervisor.getAllProcessInfo())

    def test_words_may_have_blanks_and_newlines_between(self):
        twiddler = self.twiddler(options={"whitelist": "log\n  getAPIVersion"}).rpc.twiddler
        self.assertEqual("1.0", twiddler.getAPIVersion())
        self.assertIs(True, twiddler.log("x"))
        self.assertFault(NOT_IN_WHITELIST, "NOT_IN_WHITELIST", twiddler.getGroupNames)

    def test_part_of_a_name_is_no_name(self):
        twiddler = self.twiddler(options={"whitelist": "getAPI,getAPIVersions,GETAPIVERSION"}).rpc.twiddler
        self.assertFault(NOT_IN_WHITELIST, "NOT_IN_WHITELIST", twiddler.getAPIVersion)

    def test_empty_one_allows_all(self):
        self.assertIs(True, self.twiddler(options={"whitelist": " , "}).rpc.twiddler.log("x"))


class Options(TwiddlerTestCase):
    def test_unknown_one_is_refused(self):
        answer = self.refuse(section("rpcinterface:twiddler", **{"supervisor.rpcinterface_factory": FACTORY},
                                     whitelists="log"), supervisord={"plugin_path": PLUGINS})
        self.assertEqual(2, answer.code)
        self.assertIn("rpcinterface:twiddler", answer.err)
        self.assertIn("whitelists", answer.err)

    def test_namespace_is_the_name_of_the_section(self):
        daemon = self.daemon(section("rpcinterface:other", **{"supervisor.rpcinterface_factory": FACTORY}),
                             supervisord={"plugin_path": PLUGINS})
        self.assertEqual("1.0", daemon.rpc.other.getAPIVersion())
        self.assertFault(Fault.UNKNOWN_METHOD, "UNKNOWN_METHOD", daemon.rpc.twiddler.getAPIVersion)
