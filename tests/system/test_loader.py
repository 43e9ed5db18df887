"""The extension loader: groups and programs that come and go while the daemon runs, and how they are kept."""

import http.client
import json
import os
import signal
import stat
import threading
import xmlrpc.client

from harness import (PLUGINS, Fault, TestCase, UnixTransport, actor, events_of, needs_root, pool, program, read, section,
                     wait_for, write)

FACTORY = "supervisor_loader.rpcinterface:make_loader_rpcinterface"
METHODS = ["addGroup", "addProgramToGroup", "getAPIVersion", "getGroupNames", "getgroup_names", "hasGroup",
           "hasProcessInGroup", "log", "removeGroup", "removeProcessFromGroup"]
QUIET = {"command": actor("hang"), "autostart": "false", "startsecs": "0"}
NUMBERED = dict(QUIET, process_name="%(program_name)s_%(process_num)d")

FIZZBUZZ = """#!/usr/bin/env python3
for number in range(1, 16):
    print("Fizz" * (number % 3 == 0) + "Buzz" * (number % 5 == 0) or number)
"""


def sections(**options):
    return section("rpcinterface:loader", **{"supervisor.rpcinterface_factory": FACTORY}, **options)


class LoaderTestCase(TestCase):
    def loader(self, config="", options=None, **arguments):
        return self.daemon(sections(**(options or {})) + config, supervisord={"plugin_path": PLUGINS}, **arguments)

    def names(self, daemon):
        return sorted("%(group)s:%(name)s" % info for info in daemon.supervisor.getAllProcessInfo())


class Session(LoaderTestCase):
    """What the readme of supervisor_loader shows, answer by answer."""

    def options(self):
        return {"command": "fizzbuzz.py", "autostart": "true", "autorestart": "false",
                "environment": "PYTHONUNBUFFERED=1", "priority": "1", "startsecs": "0", "startretries": "0",
                "stopwaitsecs": "0", "exitcodes": "0,1,2", "redirect_stderr": "true", "stderr_logfile": "NONE",
                "stdout_logfile": "%(ENV_LOGDIR)s/%(program_name)s_%(process_num)d.log", "stdout_events_enabled": "true",
                "stderr_events_enabled": "true", "process_name": "%(program_name)s_%(process_num)d"}

    def run_session(self, daemon, server):
        loader = server.loader
        self.assertIs(False, loader.hasGroup("mygroup"))
        loader.addGroup("mygroup")
        self.assertIs(True, loader.hasGroup("mygroup"))
        self.assertIs(False, loader.hasProcessInGroup("mygroup", "fizzbuzz"))
        self.assertEqual("fizzbuzz_1", loader.addProgramToGroup("mygroup", "fizzbuzz", self.options()))
        self.assertIs(True, loader.hasProcessInGroup("mygroup", "fizzbuzz"))
        self.assertEqual(["mygroup"], loader.getgroup_names())
        self.assertEqual("fizzbuzz_2", loader.addProgramToGroup("mygroup", "fizzbuzz", self.options()))
        for name in ("fizzbuzz_1", "fizzbuzz_2"):
            daemon.wait_state("mygroup:" + name, "EXITED")
            self.assertEqual(0, daemon.info("mygroup:" + name)["exitstatus"])
            self.assertTrue(read(self.path("logs", name + ".log")).endswith("13\n14\nFizzBuzz\n"))

    def daemon_for_session(self):
        write(os.path.join(self.subdirectory("bin"), "fizzbuzz.py"), FIZZBUZZ, 0o755)
        path = "%s:%s" % (self.path("bin"), os.environ["PATH"])
        return self.loader(inet=True, environment={"PATH": path, "LOGDIR": self.subdirectory("logs")})

    def test_over_tcp(self):
        daemon = self.daemon_for_session()
        server = xmlrpc.client.ServerProxy("http://localhost:%d/RPC2" % daemon.port)
        self.addCleanup(server("close"))
        self.run_session(daemon, server)

    def test_over_a_unix_socket(self):
        daemon = self.daemon_for_session()
        self.run_session(daemon, daemon.rpc)


class Methods(LoaderTestCase):
    def test_are_listed_and_explained(self):
        system = self.loader().rpc.system
        self.assertEqual(METHODS, [name[len("loader."):] for name in system.listMethods() if name.startswith("loader.")])
        for name in METHODS:
            self.assertTrue(system.methodHelp("loader." + name))
        self.assertEqual(["string", "string", "string", "struct"],
                         system.methodSignature("loader.addProgramToGroup"))
        self.assertEqual(["boolean", "string", "int"], system.methodSignature("loader.addGroup"))

    def test_version_and_log(self):
        daemon = self.loader()
        self.assertEqual("1.0", daemon.rpc.loader.getAPIVersion())
        self.assertIs(True, daemon.rpc.loader.log("said by a client", "WARN"))
        self.assertIn("WARN said by a client", daemon.log_messages())

    def test_group_is_as_any_other(self):
        daemon = self.loader(program("web", actor("hang"), autostart="false"))
        loader = daemon.rpc.loader
        self.assertIs(True, loader.addGroup("late", 2000))
        self.assertIs(True, loader.addGroup("early", -5))
        self.assertEqual(["early", "late", "web"], sorted(loader.getGroupNames()))
        self.assertEqual(loader.getGroupNames(), loader.getgroup_names())
        self.assertIs(True, loader.hasGroup("web"))
        self.assertIs(True, loader.hasProcessInGroup("web", "web"))
        self.assertIs(False, loader.hasProcessInGroup("early", "web"))
        self.assertIs(False, loader.hasProcessInGroup("nowhere", "web"))
        self.assertEqual([], daemon.supervisor.startProcessGroup("early"))

    def test_group_is_made_for_a_program(self):
        daemon = self.loader()
        self.assertEqual("a", daemon.rpc.loader.addProgramToGroup("new", "a", {"command": actor("hang")}))
        daemon.wait_state("new:a", "RUNNING")
        self.assertEqual(["new"], daemon.rpc.loader.getGroupNames())

    def test_programs_in_a_group_of_the_file(self):
        daemon = self.loader(program("web", actor("hang"), autostart="false"))
        self.assertEqual("extra", daemon.rpc.loader.addProgramToGroup("web", "extra", QUIET))
        self.assertEqual(["web:extra", "web:web"], self.names(daemon))

    def test_process_is_controlled_as_any_other(self):
        daemon = self.loader()
        daemon.rpc.loader.addProgramToGroup("g", "a", dict(QUIET, command=actor("print=up", "hang")))
        self.assertEqual("STOPPED", daemon.state("g:a"))
        self.assertEqual("g:a: started\n", daemon.ctl("start", "g:a").out)
        daemon.wait_stdout("g:a", "up")
        self.assertIs(True, daemon.supervisor.stopProcess("g:a"))
        self.assertEqual("up\n", daemon.supervisor.readProcessStdoutLog("g:a", 0, 0))

    def test_events(self):
        daemon = self.loader(pool("ear", "record=" + self.path("events"), "serve", events="PROCESS_GROUP"))
        daemon.wait_state("ear", "RUNNING")
        daemon.rpc.loader.addGroup("g")
        daemon.rpc.loader.removeGroup("g")
        wait_for(lambda: [(event.name, event.payload) for event in events_of(self.path("events"))
                          if "groupname:g" in event.payload] ==
                 [("PROCESS_GROUP_ADDED", "groupname:g\n"), ("PROCESS_GROUP_REMOVED", "groupname:g\n")])

    def test_removal(self):
        daemon = self.loader()
        loader = daemon.rpc.loader
        for _ in range(2):
            loader.addProgramToGroup("g", "a", NUMBERED)
        self.assertIs(True, loader.removeProcessFromGroup("g", "a_1"))
        self.assertEqual(["g:a_2"], self.names(daemon))
        self.assertIs(True, loader.hasProcessInGroup("g", "a"))
        self.assertIs(False, loader.hasProcessInGroup("g", "a_1"))
        self.assertIs(True, loader.removeGroup("g"))
        self.assertIs(False, loader.hasGroup("g"))
        self.assertEqual([], self.names(daemon))
        self.assertIs(True, loader.addGroup("g"))


    def test_removal_before_it_has_begun_to_start(self):
        daemon = self.loader()
        program_options = {"command": actor("hang"), "startsecs": 0}
        calls = [("addProgramToGroup", "g", "a", program_options), ("removeProcessFromGroup", "g", "a"),
                 ("addProgramToGroup", "g", "b", program_options), ("addProgramToGroup", "h", "c", program_options),
                 ("removeGroup", "h")]
        self.assertEqual(["a", True, "b", "c", True], daemon.rpc.system.multicall(
            [{"methodName": "loader." + name, "params": params} for name, *params in calls]))
        daemon.wait_state("g:b", "RUNNING")
        self.assertEqual(["g:b"], self.names(daemon))
        self.assertEqual(1, read(daemon.log).count("spawned: "))


class Numbers(LoaderTestCase):
    def test_free_ones_are_used_again(self):
        loader = self.loader().rpc.loader
        self.assertEqual(["a_1", "a_2", "a_3"], [loader.addProgramToGroup("g", "a", NUMBERED) for _ in range(3)])
        loader.removeProcessFromGroup("g", "a_2")
        self.assertEqual(["a_2", "a_4"], [loader.addProgramToGroup("g", "a", NUMBERED) for _ in range(2)])

    def test_each_group_and_program_has_its_own(self):
        loader = self.loader().rpc.loader
        self.assertEqual(["a_1", "b_1", "a_1", "a_2"],
                         [loader.addProgramToGroup(group, name, NUMBERED) for group, name in
                          (("g", "a"), ("g", "b"), ("h", "a"), ("g", "a"))])

    def test_several_at_once(self):
        loader = self.loader().rpc.loader
        self.assertEqual("a_1 a_2 a_3", loader.addProgramToGroup("g", "a", dict(NUMBERED, numprocs="3")))
        self.assertEqual("a_4 a_5", loader.addProgramToGroup("g", "a", dict(NUMBERED, numprocs=2)))
        loader.removeProcessFromGroup("g", "a_1")
        self.assertEqual("a_6", loader.addProgramToGroup("g", "a", NUMBERED))
        for name in ("a_2", "a_3"):
            loader.removeProcessFromGroup("g", name)
        self.assertEqual("a_1 a_2", loader.addProgramToGroup("g", "a", dict(NUMBERED, numprocs=2)))

    def test_none_at_all(self):
        loader = self.loader().rpc.loader
        self.assertEqual("", loader.addProgramToGroup("g", "a", dict(NUMBERED, numprocs=0)))
        self.assertEqual("a_1", loader.addProgramToGroup("g", "a", NUMBERED))

    def test_of_the_client_count(self):
        loader = self.loader().rpc.loader
        self.assertEqual("a_0", loader.addProgramToGroup("g", "a", dict(NUMBERED, numprocs_start=0)))
        self.assertEqual("a_7", loader.addProgramToGroup("g", "a", dict(NUMBERED, NumProcs_Start="7")))
        self.assertFault(Fault.ALREADY_ADDED, "ALREADY_ADDED: g:a_7", loader.addProgramToGroup, "g", "a",
                         dict(NUMBERED, numprocs_start=7))
        self.assertEqual("a_1", loader.addProgramToGroup("g", "a", NUMBERED))

    def test_absurd_ones(self):
        loader = self.loader().rpc.loader
        self.assertEqual("a_1", loader.addProgramToGroup("g", "a", NUMBERED))
        for key in ("numprocs", "numprocs_start"):
            for number in ("9" * 30, "-" + "9" * 30, str((1 << 63) - 1), -(1 << 31), (1 << 31) - 1):
                try:
                    loader.addProgramToGroup("g", "a", dict(NUMBERED, **{key: number}))
                except xmlrpc.client.Fault as fault:
                    self.assertEqual(Fault.INCORRECT_PARAMETERS, fault.faultCode)
        self.assertEqual("a_2", loader.addProgramToGroup("g", "a", NUMBERED))

    def test_name_without_one_is_taken_once(self):
        loader = self.loader().rpc.loader
        self.assertEqual("a", loader.addProgramToGroup("g", "a", QUIET))
        self.assertFault(Fault.ALREADY_ADDED, "ALREADY_ADDED: g:a", loader.addProgramToGroup, "g", "a", QUIET)


class Refused(LoaderTestCase):
    def fault_of(self, call, *parameters):
        with self.assertRaises(xmlrpc.client.Fault, msg=repr(parameters)) as caught:
            call(*parameters)
        return caught.exception

    def test_names(self):
        loader = self.loader().rpc.loader
        for name in ("", "a:b", "a/b", "a b", " "):
            self.assertEqual(Fault.BAD_NAME, self.fault_of(loader.addGroup, name).faultCode, name)
            self.assertEqual(Fault.BAD_NAME, self.fault_of(loader.addProgramToGroup, name, "a", QUIET).faultCode, name)
            self.assertEqual(Fault.BAD_NAME, self.fault_of(loader.addProgramToGroup, "g", name, QUIET).faultCode, name)
            self.assertIs(False, loader.hasGroup(name))
        self.assertEqual([], loader.getGroupNames())

    def test_what_is_not_there(self):
        loader = self.loader().rpc.loader
        loader.addGroup("g")
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: nowhere", loader.removeGroup, "nowhere")
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: nowhere", loader.removeProcessFromGroup, "nowhere", "a")
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: g:a", loader.removeProcessFromGroup, "g", "a")

    def test_groups_that_stay_as_they_are(self):
        loader = self.loader(pool("ear", "serve", events="TICK_60", autostart="false")).rpc.loader
        text = "BAD_NAME: ear: the processes of a listener pool stay as they are"
        self.assertFault(Fault.BAD_NAME, text, loader.addProgramToGroup, "ear", "a", QUIET)
        self.assertFault(Fault.BAD_NAME, text, loader.removeProcessFromGroup, "ear", "ear")

    def test_what_is_there(self):
        loader = self.loader(program("web", actor("hang"), autostart="false")).rpc.loader
        self.assertIs(True, loader.addGroup("g"))
        for name in ("g", "web"):
            self.assertFault(Fault.ALREADY_ADDED, "ALREADY_ADDED: " + name, loader.addGroup, name)

    def test_what_runs(self):
        daemon = self.loader()
        loader = daemon.rpc.loader
        loader.addProgramToGroup("g", "a", {"command": actor("hang"), "startsecs": 0})
        daemon.wait_state("g:a", "RUNNING")
        self.assertFault(Fault.STILL_RUNNING, "STILL_RUNNING: g", loader.removeGroup, "g")
        self.assertFault(Fault.STILL_RUNNING, "STILL_RUNNING: g:a", loader.removeProcessFromGroup, "g", "a")
        self.assertEqual("RUNNING", daemon.state("g:a"))

    def test_parameters_of_a_wrong_type(self):
        loader = self.loader().rpc.loader
        for call, parameters in ((loader.addGroup, ()), (loader.addGroup, (1,)), (loader.addGroup, ("g", "first")),
                                 (loader.addGroup, ("g", 1, 2)), (loader.addGroup, ("g", {})), (loader.hasGroup, ([],)),
                                 (loader.addProgramToGroup, ("g", "a")), (loader.addProgramToGroup, ("g", "a", "x")),
                                 (loader.addProgramToGroup, ("g", "a", [["command", "x"]])),
                                 (loader.addProgramToGroup, ("g", {}, QUIET)), (loader.removeGroup, (True,)),
                                 (loader.hasProcessInGroup, ("g",)), (loader.removeProcessFromGroup, ("g", 1.5))):
            self.assertEqual(Fault.INCORRECT_PARAMETERS, self.fault_of(call, *parameters).faultCode, parameters)
        self.assertEqual([], loader.getGroupNames())

    def test_options(self):
        """The group that was made for it goes again."""
        daemon = self.loader()
        loader = daemon.rpc.loader
        for options, text in (({}, "command"), (dict(QUIET, startsecs="soon"), "startsecs"),
                              (dict(QUIET, autostart="perhaps"), "autostart"), (dict(QUIET, stopsignal="FOO"), "FOO"),
                              (dict(QUIET, user="nobody-of-that-name"), "nobody-of-that-name"),
                              (dict(QUIET, environment="A=%(ENV_NOT_SET)s"), "ENV_NOT_SET"),
                              (dict(QUIET, command="%(nothing"), "%(nothing"), (dict(QUIET, environment="A"), "environment"),
                              (dict(QUIET, numprocs="2"), "process_num"), (dict(QUIET, priority=1.5), "priority"),
                              (dict(QUIET, numprocs="9" * 30), "numprocs"), (dict(QUIET, process_name="a:b"), "a:b"),
                              (dict(QUIET, command=["x"]), "command"), (dict(QUIET, environment={"A": "b"}), "environment"),
                              (dict(QUIET, stdout_logfile="/no/such/directory/x.log"), "/no/such/directory"),
                              (dict(QUIET, command=xmlrpc.client.Binary(b"x")), "command")):
            fault = self.fault_of(loader.addProgramToGroup, "g", "a", options)
            self.assertEqual(Fault.INCORRECT_PARAMETERS, fault.faultCode, (options, fault.faultString))
            self.assertTrue(fault.faultString.startswith("INCORRECT_PARAMETERS: "), fault.faultString)
            self.assertIn(text, fault.faultString)
            self.assertEqual([], loader.getGroupNames(), options)
        self.assertEqual("a", loader.addProgramToGroup("g", "a", QUIET))

    def test_unknown_options_are_ignored_as_in_a_file(self):
        daemon = self.loader()
        self.assertEqual("a", daemon.rpc.loader.addProgramToGroup("g", "a", dict(QUIET, colour="blue", programs="x")))

    def test_text_that_would_be_more_lines_in_a_file(self):
        daemon = self.loader()
        loader = daemon.rpc.loader
        loader.addProgramToGroup("g", "a", dict(QUIET, command=actor("hang") + "\n[program:evil]\ncommand=cat"))
        self.assertEqual(["g:a"], self.names(daemon))

    def test_account_that_may_only_look(self):
        daemon = self.loader(unix={"username": "boss", "password": "1", "readonly_username": "guest",
                                   "readonly_password": "2"})
        loader = xmlrpc.client.ServerProxy("http://guest:2@localhost/RPC2",
                                           transport=UnixTransport(daemon.socket, 30)).loader
        self.assertEqual([], loader.getGroupNames())
        self.assertIs(False, loader.hasGroup("g"))
        for method, parameters in (("addGroup", ("g",)), ("addProgramToGroup", ("g", "a", QUIET)), ("log", ("x",)),
                                   ("removeGroup", ("g",)), ("removeProcessFromGroup", ("g", "a"))):
            self.assertEqual(Fault.READ_ONLY, self.fault_of(getattr(loader, method), *parameters).faultCode)

    def test_while_shutting_down(self):
        daemon = self.loader(program("slow", actor("ignore=TERM", "print=deaf", "hang"), stopwaitsecs=2))
        daemon.wait_stdout("slow", "deaf")
        daemon.send_signal(signal.SIGTERM)
        daemon.wait_log("waiting for slow")
        for method, parameters in (("addGroup", ("g",)), ("addProgramToGroup", ("g", "a", QUIET)), ("hasGroup", ("g",)),
                                   ("removeGroup", ("slow",)), ("getAPIVersion", ())):
            self.assertFault(Fault.SHUTDOWN_STATE, "SHUTDOWN_STATE", getattr(daemon.rpc.loader, method), *parameters)

    def test_unknown_option_of_the_section(self):
        answer = self.refuse(sections(persists="/x"), supervisord={"plugin_path": PLUGINS})
        self.assertEqual(2, answer.code)
        self.assertIn("rpcinterface:loader", answer.err)
        self.assertIn("persists", answer.err)


class Persistence(LoaderTestCase):
    def setUp(self):
        super().setUp()
        self.file = self.path("loader.json")

    def loader(self, config="", **arguments):
        return super().loader(config, options={"persist": "%(here)s/loader.json"}, **arguments)

    def fill(self, daemon):
        loader = daemon.rpc.loader
        loader.addGroup("empty", 5)
        loader.addProgramToGroup("g", "a", dict(NUMBERED, autostart="true"))
        loader.addProgramToGroup("g", "a", dict(NUMBERED, numprocs=3))
        loader.addProgramToGroup("g", "grüße", dict(QUIET, environment="A=\"ä%%\""))
        loader.addProgramToGroup("gone", "a", QUIET)
        loader.removeProcessFromGroup("g", "a_3")
        loader.removeGroup("gone")

    def check(self, daemon):
        self.assertEqual(["empty", "g"], sorted(daemon.rpc.loader.getGroupNames()))
        self.assertEqual(["g:a_1", "g:a_2", "g:a_4", "g:grüße"], self.names(daemon))
        daemon.wait_state("g:a_1", "RUNNING")
        self.assertEqual("STOPPED", daemon.state("g:a_2"))

    def check_and_go_on(self, daemon):
        self.check(daemon)
        self.assertEqual("a_5", daemon.rpc.loader.addProgramToGroup("g", "a", NUMBERED))
        daemon.rpc.loader.removeProcessFromGroup("g", "a_5")

    def test_over_a_restart(self):
        daemon = self.loader()
        self.fill(daemon)
        for _ in range(2):
            daemon.restart()
            self.check_and_go_on(daemon)

    def test_over_a_stop(self):
        daemon = self.loader()
        self.fill(daemon)
        self.assertEqual(0, daemon.stop())
        daemon.start()
        self.check_and_go_on(daemon)

    def test_over_sudden_death(self):
        daemon = self.loader()
        self.fill(daemon)
        orphan = daemon.wait_state("g:a_1", "RUNNING")["pid"]
        daemon.kill()
        os.kill(orphan, signal.SIGKILL)
        daemon.start()
        self.check_and_go_on(daemon)

    def test_over_sudden_death_amid_changes(self):
        """What was answered is there."""
        daemon = self.loader()
        rpc = daemon.new_rpc()
        added = []

        def add():
            try:
                while True:
                    added.append("g:" + rpc.loader.addProgramToGroup("g", "a", NUMBERED))
            except (OSError, http.client.HTTPException):
                pass
        adding = threading.Thread(target=add)
        adding.start()
        wait_for(lambda: len(added) >= 20)
        daemon.kill()
        adding.join()
        daemon.start()
        self.assertEqual([], sorted(set(added) - set(self.names(daemon))))
        self.assertIn(len(self.names(daemon)) - len(added), (0, 1))

    def test_over_an_upgrade_and_a_restart(self):
        daemon = self.loader()
        self.fill(daemon)
        pid = daemon.wait_state("g:a_1", "RUNNING")["pid"]
        daemon.upgrade()
        self.check_and_go_on(daemon)
        self.assertEqual(pid, daemon.info("g:a_1")["pid"])
        daemon.restart()
        self.check_and_go_on(daemon)

    def test_without_the_option_nothing_is_kept(self):
        daemon = super().loader()
        self.fill(daemon)
        daemon.restart()
        self.assertEqual([], daemon.rpc.loader.getGroupNames())
        self.assertFalse(os.path.exists(self.file))

    def test_without_the_option_an_upgrade_keeps_the_numbers(self):
        daemon = super().loader()
        self.fill(daemon)
        daemon.upgrade()
        self.check_and_go_on(daemon)

    def test_over_an_upgrade_with_much_to_keep(self):
        """More values than the daemon reads in one answer."""
        daemon = super().loader(arguments=["-e", "info"])
        options = dict(NUMBERED, **{"x%d" % number: number for number in range(700)})
        for _ in range(150):
            daemon.rpc.loader.addProgramToGroup("g", "a", options)
        daemon.upgrade()
        self.assertEqual("a_151", daemon.rpc.loader.addProgramToGroup("g", "a", NUMBERED))

    def test_file_is_for_its_owner_alone(self):
        daemon = self.loader()
        self.fill(daemon)
        self.assertEqual(0o600, stat.S_IMODE(os.stat(self.file).st_mode))
        self.assertEqual(["empty", "g"], [group["name"] for group in json.loads(read(self.file))["groups"]])
        self.assertEqual([], [name for name in os.listdir(self.dir) if name.startswith("loader.json.")])

    def test_what_others_remove_stays_away(self):
        daemon = self.loader()
        self.fill(daemon)
        daemon.supervisor.stopProcessGroup("g")
        self.assertEqual("g: removed process group\n", daemon.ctl("remove", "g").out)
        daemon.restart()
        self.assertEqual(["empty"], daemon.rpc.loader.getGroupNames())

    def test_update_passes_over_what_was_added(self):
        daemon = self.loader()
        self.fill(daemon)
        daemon.wait_state("g:a_1", "RUNNING")
        daemon.configure(sections(persist=self.file) + program("web", actor("hang"), autostart="false"))
        self.assertEqual("web: added process group\n", daemon.ctl("update").out)
        daemon.rpc.loader.addProgramToGroup("web", "extra", QUIET)
        daemon.configure(sections(persist=self.file))
        self.assertEqual("web: stopped\nweb: removed process group\n", daemon.ctl("update").out)
        self.check_and_go_on(daemon)
        daemon.restart()
        self.check_and_go_on(daemon)

    def test_group_of_the_file_keeps_what_was_added(self):
        web = program("web", actor("hang"), autostart="false")
        daemon = self.loader(web)
        daemon.rpc.loader.addProgramToGroup("web", "extra", QUIET)
        daemon.restart()
        self.assertEqual(["web:extra", "web:web"], self.names(daemon))
        daemon.configure(sections(persist=self.file))
        daemon.restart()
        self.assertEqual(["web:extra"], self.names(daemon))

    def test_what_has_come_into_the_file_is_its_matter(self):
        daemon = self.loader()
        daemon.rpc.loader.addGroup("g", 7)
        daemon.rpc.loader.addProgramToGroup("g", "a", QUIET)
        daemon.configure(sections(persist=self.file) + program("a", actor("hang"), autostart="false") +
                         section("group:g", programs="a"))
        daemon.restart()
        self.assertEqual(["g:a"], self.names(daemon))
        self.assertEqual([], json.loads(read(self.file))["programs"])
        daemon.configure(sections(persist=self.file))
        daemon.restart()
        self.assertEqual([], daemon.rpc.loader.getGroupNames())

    def test_broken_files(self):
        good = {"supervisor_loader": 1, "groups": [], "programs": []}
        member = {"group": "g", "program": "a", "options": QUIET, "names": ["a"]}
        for text, cause in (("", "line 1"), ("{\"supervisor_loader\": 1, \"gro", "line 1"), ("\0\0\0", "line 1"),
                            ("[program:a]\ncommand=cat\n", "line 1"), ("[]", "\"supervisor_loader\" is missing"),
                            ("{\"groups\": []}", "\"supervisor_loader\" is missing"),
                            (json.dumps(dict(good, supervisor_loader=2)), "\"supervisor_loader\" is 2"),
                            (json.dumps(dict(good, supervisor_loader="1")), "must be int"),
                            (json.dumps(dict(good, groups={})), "\"groups\" must be array"),
                            (json.dumps(dict(good, groups=[7])), "\"groups\", item 1"),
                            (json.dumps(dict(good, groups=[{"name": "a", "priority": 1 << 40}])), "out of range"),
                            (json.dumps(dict(good, programs=[dict(member, names=[1])])), "\"programs\", item 1"),
                            (json.dumps(dict(good, programs=[dict(member, options=None)])), "must be struct"),
                            (json.dumps(good).replace("{", "{\"groups\": [], "), "duplicate")):
            write(self.file, text, 0o600)
            answer = self.refuse(sections(persist=self.file), supervisord={"plugin_path": PLUGINS})
            self.assertEqual(2, answer.code, text)
            for part in ("rpcinterface:loader", self.file, cause):
                self.assertIn(part, answer.err, text)
            self.assertEqual(text, read(self.file))

    def test_contents_that_cannot_be_added(self):
        member = {"group": "g", "program": "a", "options": QUIET, "names": ["a"]}
        for programs, groups, cause in (([dict(member, options={})], [], "command"), ([dict(member, program="a:b")], [], "a:b"),
                                        ([dict(member, options=dict(QUIET, user="nobody-of-that-name"))], [], "nobody-of"),
                                        ([], [{"name": "a/b", "priority": 1}], "a/b")):
            text = json.dumps({"supervisor_loader": 1, "groups": groups, "programs": programs})
            write(self.file, text, 0o600)
            answer = self.refuse(sections(persist=self.file), supervisord={"plugin_path": PLUGINS})
            self.assertEqual(2, answer.code)
            for part in ("rpcinterface:loader", self.file, cause):
                self.assertIn(part, answer.err)
            self.assertEqual(text, read(self.file))

    def test_broken_file_ends_a_restart(self):
        daemon = self.loader()
        self.fill(daemon)
        write(self.file, read(self.file)[:-20])
        daemon.send_signal(signal.SIGHUP)
        self.assertEqual(2, daemon.wait())
        daemon.pid = None
        self.assertIn(self.file, read(daemon.output) + read(daemon.log))

    def test_file_that_others_can_write_to(self):
        write(self.file, json.dumps({"supervisor_loader": 1, "groups": [], "programs": []}))
        for mode in (0o602, 0o620):
            os.chmod(self.file, mode)
            answer = self.refuse(sections(persist=self.file), supervisord={"plugin_path": PLUGINS})
            self.assertEqual(2, answer.code)
            self.assertIn(self.file + " can be written by others", answer.err)

    @needs_root
    def test_file_of_another_user(self):
        write(self.file, json.dumps({"supervisor_loader": 1, "groups": [], "programs": []}), 0o600)
        os.chown(self.file, 65534, -1)
        answer = self.refuse(sections(persist=self.file), supervisord={"plugin_path": PLUGINS})
        self.assertEqual(2, answer.code)
        self.assertIn(self.file + " can be written by others", answer.err)

    def test_places_where_nothing_can_be_kept(self):
        for path, cause in (("/no/such/directory/x.json", "/no/such/directory/x.json"), (self.dir, self.dir),
                            ("loader.json", "an absolute path is wanted"), ("", "an absolute path is wanted")):
            answer = self.refuse(sections(persist=path), supervisord={"plugin_path": PLUGINS})
            self.assertEqual(2, answer.code)
            self.assertIn(cause, answer.err)
            self.assertIn("rpcinterface:loader", answer.err)

    def test_change_that_cannot_be_kept_is_told(self):
        directory = self.subdirectory("place")
        daemon = super().loader(options={"persist": os.path.join(directory, "x.json")})
        os.rename(directory, directory + ".away")
        with self.assertRaises(xmlrpc.client.Fault) as caught:
            daemon.rpc.loader.addGroup("g")
        self.assertEqual(Fault.FAILED, caught.exception.faultCode)
        self.assertIn("FAILED: done, but a restart will forget it: ", caught.exception.faultString)
        self.assertIn(directory, caught.exception.faultString)
        self.assertIs(True, daemon.rpc.loader.hasGroup("g"))
        os.rename(directory + ".away", directory)
        self.assertIs(True, daemon.rpc.loader.addGroup("h"))
        daemon.restart()
        self.assertEqual(["g", "h"], sorted(daemon.rpc.loader.getGroupNames()))
