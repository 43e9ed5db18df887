"""The plugin interface: every part of it through a plugin that does as it is told (tests/plugins)."""

import base64
import http.client
import os
import shutil
import signal
import socket
import struct
import subprocess
import unittest
import xmlrpc.client

from harness import BUILD, Fault, TestCase, actor, pool, program, read, section, wait_for, write


class PluginTestCase(TestCase):
    def setUp(self):
        super().setUp()
        self.plugins = self.path("plugins")
        os.mkdir(self.plugins)
        os.chmod(self.plugins, 0o755)

    def install(self, name, as_name=None):
        """A copy that belongs to root, as the daemon demands."""
        path = os.path.join(self.plugins, (as_name or name) + ".so")
        shutil.copyfile(os.path.join(BUILD, "tests/plugins", name + ".so"), path)
        os.chmod(path, 0o644)
        return path

    def configuration(self, config="", factory="exercise", name="exercise", **options):
        return section("rpcinterface:" + name, **{"supervisor.rpcinterface_factory": factory}, **options) + config

    def exercise(self, config="", options=None, **keywords):
        """A daemon with the plugin, and a proxy of the plugin's methods."""
        self.install("exercise")
        keywords.setdefault("supervisord", {}).setdefault("plugin_path", self.plugins)
        daemon = self.daemon(self.configuration(config, **(options or {})), **keywords)
        return daemon, daemon.rpc.exercise

    def assertRefused(self, code, call, *arguments):
        with self.assertRaises(xmlrpc.client.Fault) as caught:
            call(*arguments)
        self.assertEqual(code, caught.exception.faultCode, caught.exception)
        return caught.exception.faultString

    def assertStartFails(self, *texts, config=None, supervisord=None):
        daemon = self.prepare(config if config is not None else self.configuration(),
                              supervisord=dict({"plugin_path": self.plugins}, **(supervisord or {})))
        daemon.launch()
        self.assertEqual(2, daemon.wait())
        for text in texts:
            self.assertIn(text, read(daemon.output))


class Loading(PluginTestCase):
    def test_one_that_is_not_there(self):
        self.assertStartFails("[rpcinterface:exercise] supervisor.rpcinterface_factory=exercise",
                              "there is no exercise.so in " + self.plugins)

    def test_without_a_path_our_own_directory_is_searched(self):
        self.assertStartFails("there is no exercise.so in /", supervisord={"plugin_path": None})

    def test_by_its_absolute_path(self):
        path = self.install("exercise")
        daemon = self.daemon(self.configuration(factory=path))
        self.assertEqual(["a"], daemon.rpc.exercise.echo("a"))

    def test_the_first_directory_of_the_path_that_has_it(self):
        second = self.path("second")
        os.mkdir(second, 0o755)
        self.install("exercise")
        shutil.copyfile("/bin/true", os.path.join(second, "exercise.so"))
        daemon, plugin = self.exercise(supervisord={"plugin_path": "%s:%s:%s" % (self.path("none"), self.plugins,
                                                                                 second)})
        self.assertEqual("exercise.nameOfCall", plugin.nameOfCall())

    def test_a_relative_path_is_refused(self):
        self.assertStartFails("there is no ./exercise.so", config=self.configuration(factory="./exercise"))

    def test_what_is_no_shared_object(self):
        write(os.path.join(self.plugins, "exercise.so"), "text")
        self.assertStartFails("[rpcinterface:exercise]", "cannot load " + self.plugins)

    def test_a_shared_object_that_is_no_plugin(self):
        self.install("ctl_exercise", "exercise")
        self.assertStartFails("cannot load", "undefined symbol: ctl_session_")

    def test_one_of_another_version(self):
        path = self.install("exercise")
        with open(path, "rb") as file:
            data = bytearray(file.read())
        place = self.offset_of(path, "supervisor_plugin")
        data[place:place + 4] = struct.pack("<I", 4711)
        with open(path, "wb") as file:
            file.write(data)
        self.assertStartFails("is for version 4711 of the interface, this program has version 1")

    def offset_of(self, path, symbol):
        """Where in the file a symbol's bytes are: its address less that of the section that holds it."""
        symbols = subprocess.run(["nm", "-D", path], capture_output=True, text=True, check=True).stdout
        address = int(next(line.split()[0] for line in symbols.splitlines() if line.endswith(" " + symbol)), 16)
        headers = subprocess.run(["readelf", "-W", "-S", path], capture_output=True, text=True, check=True).stdout
        for line in headers.splitlines():
            words = line.replace("[ ", "[").split()
            if len(words) > 6 and words[0].startswith("[") and words[2] in ("PROGBITS",):
                start, offset, size = (int(word, 16) for word in words[3:6])
                if start <= address < start + size:
                    return address - start + offset
        raise AssertionError("no section has " + symbol)

    @unittest.skipIf(os.geteuid() != 0, "only root is that careful")
    def test_root_loads_nothing_that_others_can_write_to(self):
        path = self.install("exercise")
        for mode in (0o664, 0o646):
            os.chmod(path, mode)
            self.assertStartFails(path + " can be written by others than root")
        os.chmod(path, 0o644)
        os.chmod(self.plugins, 0o777)
        self.assertStartFails(self.plugins + " can be written by others than root")
        os.chmod(self.plugins, 0o755)
        os.chown(path, 1, 1)
        self.assertStartFails(path + " can be written by others than root")

    def test_a_link_counts_as_what_it_leads_to(self):
        path = self.install("exercise", "other")
        os.symlink(path, os.path.join(self.plugins, "exercise.so"))
        os.chmod(path, 0o666)
        if os.geteuid() == 0:
            self.assertStartFails(path + " can be written by others than root")

    def test_a_plugin_that_refuses_to_begin(self):
        self.install("exercise")
        self.assertStartFails("[rpcinterface:exercise] supervisor.rpcinterface_factory=exercise: no luck today",
                              config=self.configuration(refuse="no luck today"))
        self.assertStartFails("[rpcinterface:exercise]", "does not say why it cannot begin",
                              config=self.configuration(silently="1"))

    def test_nothing_is_started_when_a_plugin_refuses(self):
        self.install("exercise")
        self.assertStartFails("no luck", config=self.configuration(
            program("a", actor("mark=%s,up" % self.path("mark"), "hang")), refuse="no luck"))
        self.assertFalse(os.path.exists(self.path("mark")))

    def test_options_that_it_does_not_know(self):
        self.install("exercise")
        self.assertStartFails("there is no option tekst", config=self.configuration(strict="1", tekst="x"))

    def test_namespaces_that_are_taken(self):
        self.install("exercise")
        for name in ("supervisor", "system"):
            daemon = self.prepare(self.configuration(name=name), supervisord={"plugin_path": self.plugins})
            if name == "supervisor":
                daemon.sections["rpcinterface:supervisor"] = None
                daemon.configure(self.configuration(name=name))
            daemon.launch()
            self.assertEqual(2, daemon.wait())
            self.assertIn("the namespace %s is the daemon's own" % name, read(daemon.output))

    def test_our_own_methods_in_another_namespace(self):
        self.assertStartFails("in the namespace supervisor and in no other", config=self.configuration(
            factory="supervisor.rpcinterface:make_main_rpcinterface"))

    def test_check_says_the_same(self):
        daemon = self.prepare(self.configuration(), supervisord={"plugin_path": self.plugins})
        answer = self.check(daemon)
        self.assertEqual(2, answer.returncode)
        self.assertIn("there is no exercise.so", answer.stderr)
        self.install("exercise")
        self.assertEqual(0, self.check(daemon).returncode)

    def check(self, daemon):
        return subprocess.run([daemon.binary, "-c", daemon.path, "--check"], capture_output=True, text=True,
                              check=False)

    def test_one_object_for_two_sections(self):
        self.install("exercise")
        daemon = self.daemon(self.configuration(name="one", text="1") + self.configuration(name="two", text="2"),
                             supervisord={"plugin_path": self.plugins})
        self.assertEqual(["1", "2"], [proxy.section()["options"]["text"] for proxy in (daemon.rpc.one, daemon.rpc.two)])
        self.assertEqual([1, 2, 1], [daemon.rpc.one.count(), daemon.rpc.one.count(), daemon.rpc.two.count()])


class Section(PluginTestCase):
    def test_what_a_plugin_knows(self):
        daemon, plugin = self.exercise(options={"Text": "%(here)s %%", "other": ""},
                                       supervisord={"identifier": "me"})
        self.assertEqual({"namespace": "exercise", "factory": "exercise", "identifier": "me", "version": "5.0.0",
                          "server_url": "unix://" + daemon.socket, "state": "RUNNING",
                          "options": {"text": self.dir_of(daemon) + " %", "other": ""}}, plugin.section())

    def dir_of(self, daemon):
        return os.path.dirname(daemon.path)

    def test_good_bye_at_the_end(self):
        daemon, _ = self.exercise()
        daemon.stop()
        self.assertIn("INFO exercise says good-bye", daemon.log_messages())

    def test_opened_anew_by_a_restart(self):
        daemon, plugin = self.exercise()
        plugin.count()
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: "INFO exercise says good-bye" in daemon.log_messages())
        wait_for(daemon.answers, what="the daemon after a restart")
        self.assertEqual(1, daemon.new_rpc().exercise.count())

    def test_state_survives_an_upgrade(self):
        daemon, plugin = self.exercise()
        plugin.count()
        plugin.count()
        self.assertIs(True, daemon.supervisor.upgrade())
        wait_for(lambda: any("has taken over" in message for message in daemon.log_messages()))
        self.assertEqual(3, daemon.new_rpc().exercise.count())


class Methods(PluginTestCase):
    def test_any_parameters(self):
        _, plugin = self.exercise()
        values = [1, -2**31, True, 1.5, "text \u20ac", xmlrpc.client.Binary(b"\0\xff"), [1, [2]], {"a": {"b": ""}}]
        self.assertEqual(values, plugin.echo(*values))
        self.assertEqual([], plugin.echo())

    def test_appear_in_system(self):
        daemon, _ = self.exercise()
        self.assertIn("exercise.setNumprocs", daemon.rpc.system.listMethods())
        self.assertEqual("Changes numprocs.", daemon.rpc.system.methodHelp("exercise.setNumprocs"))
        self.assertEqual(["struct", "string", "int"], daemon.rpc.system.methodSignature("exercise.setNumprocs"))

    def test_parameters_are_checked(self):
        _, plugin = self.exercise()
        for call in (lambda: plugin.find("a"), lambda: plugin.find("a", "b", "c"), lambda: plugin.find("a", 1)):
            self.assertRefused(Fault.INCORRECT_PARAMETERS, call)
        self.assertEqual("later", plugin.answerLater())

    def test_faults(self):
        _, plugin = self.exercise()
        self.assertFault(4711, "A FAULT: of its own", plugin.fail, 4711, "A FAULT: of its own")
        self.assertFault(30, "FAILED", plugin.failSilently)

    def test_no_answer_is_nil(self):
        _, plugin = self.exercise()
        self.assertIsNone(plugin.answerNothing())

    def test_later_answers(self):
        daemon, plugin = self.exercise()
        self.assertEqual("later", plugin.answerLater(50))
        self.assertEqual(["later", "later"], daemon.rpc.system.multicall(
            [{"methodName": "exercise.answerLater", "params": [20]}] * 2))

    def test_clients_that_go_away(self):
        daemon, plugin = self.exercise()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(daemon.socket)
            body = xmlrpc.client.dumps((3600000,), "exercise.answerLater").encode()
            client.sendall(b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            wait_for(lambda: plugin.count() > 3)
        wait_for(lambda: plugin.countCancelled() == 1, what="the cancelled call")

    def test_calls_under_way_at_the_end(self):
        daemon, plugin = self.exercise()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(daemon.socket)
            body = xmlrpc.client.dumps((3600000,), "exercise.answerLater").encode()
            client.sendall(b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            plugin.count()
            daemon.stop()
        self.assertIn("INFO exercise says good-bye", daemon.log_messages())

    def test_read_only_accounts(self):
        accounts = {"username": "u", "password": "p", "readonly_username": "r", "readonly_password": "r"}
        daemon, _ = self.exercise(inet=accounts)
        looker = xmlrpc.client.ServerProxy("http://r:r@127.0.0.1:%d/RPC2" % daemon.port)
        self.assertEqual([], looker.exercise.echo())
        self.assertRefused(Fault.READ_ONLY, looker.exercise.count)

    def test_calls_of_other_methods(self):
        daemon, plugin = self.exercise(program("a", actor("hang"), autostart="false", startsecs=1))
        self.assertEqual("RUNNING", plugin.callMethod("supervisor.getState", [])["statename"])
        self.assertIs(True, plugin.callMethod("supervisor.startProcess", ["a"]))
        self.assertEqual("RUNNING", daemon.state("a"))
        self.assertFault(Fault.ALREADY_STARTED, "ALREADY_STARTED: a", plugin.callMethod, "supervisor.startProcess",
                         ["a"])
        self.assertFault(Fault.UNKNOWN_METHOD, "UNKNOWN_METHOD", plugin.callMethod, "no.such", [])

    def test_calls_of_others_that_nobody_waits_for(self):
        daemon, plugin = self.exercise(program("a", actor("hang"), autostart="false", startsecs=600))
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(daemon.socket)
            body = xmlrpc.client.dumps(("supervisor.startProcess", ["a"]), "exercise.callMethod").encode()
            client.sendall(b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            wait_for(lambda: daemon.state("a") == "STARTING")
        self.assertEqual(1, plugin.count())


class Events(PluginTestCase):
    def test_every_kind_with_its_members(self):
        daemon, plugin = self.exercise(program("a", actor("print=hello", "exit=3"), autostart="false",
                                               stdout_events_enabled="true"))
        plugin.subscribe("EVENT")
        daemon.supervisor.sendRemoteCommEvent("kind", "data")
        daemon.supervisor.startProcess("a", False)
        daemon.wait_state("a", "EXITED")
        heard = plugin.events()
        wait_for(lambda: heard.extend(plugin.events()) or any("EXITED" in event for event in heard))
        events = [event for event in heard if not event.startswith("TICK")]
        for wanted in ("REMOTE_COMMUNICATION : pid=0 from=STOPPED tries=0 expected=0 bytes=data type=kind tick=0",
                       "PROCESS_STATE_STARTING a:a pid=1 from=STOPPED tries=0",
                       "PROCESS_STATE_RUNNING a:a pid=1 from=STARTING",
                       "PROCESS_LOG_STDOUT a:a pid=1 from=STOPPED tries=0 expected=0 bytes=hello\n",
                       "PROCESS_STATE_EXITED a:a pid=1 from=RUNNING tries=0 expected=0"):
            self.assertTrue(any(event.startswith(wanted) for event in events), (wanted, events))

    def test_payload_is_what_listeners_get(self):
        daemon, plugin = self.exercise()
        plugin.subscribe("REMOTE_COMMUNICATION")
        daemon.supervisor.sendRemoteCommEvent("k", "d")
        self.assertTrue(plugin.events()[0].endswith("payload=%d" % len("type:k\nd")))

    def test_ticks(self):
        _, plugin = self.exercise()
        plugin.subscribe("TICK")
        heard = wait_for(plugin.events, 10, "a tick")
        self.assertRegex(heard[0], "^TICK_5 .* tick=1 ")

    def test_only_what_was_asked_for(self):
        daemon, plugin = self.exercise(program("a", actor("hang"), autostart="false"))
        plugin.subscribe("PROCESS_STATE_RUNNING")
        daemon.supervisor.startProcess("a")
        self.assertEqual(1, len(plugin.events()))
        plugin.unsubscribe()
        daemon.supervisor.stopProcess("a")
        daemon.supervisor.startProcess("a")
        self.assertEqual([], plugin.events())


class Processes(PluginTestCase):
    def test_groups_and_processes(self):
        daemon, plugin = self.exercise(program("a", actor("hang"), priority=7)
                                       + program("b", actor("exit=3"), numprocs=2, process_name="b%(process_num)d"))
        pid = daemon.wait_state("a", "RUNNING")["pid"]
        daemon.wait_state("b:b1", "EXITED")
        daemon.wait_state("b:b0", "EXITED")
        self.assertEqual(["a priority=7 processes=1 alive=1", "b priority=999 processes=2 alive=0"], plugin.groups())
        self.assertEqual([("a", "a"), ("b", "b0"), ("b", "b1")],
                         [(each["group"], each["name"]) for each in plugin.processes()])
        self.assertEqual(["b0", "b1"], [each["name"] for each in plugin.processes("b")])
        found = plugin.find("a", "a")
        self.assertEqual(("a", "RUNNING", pid, 0), tuple(found[key] for key in ("program", "state", "pid", "stop")))
        ended = plugin.find("b", "b1")
        self.assertEqual(("b", "EXITED", 0, 3, "Bad exit code 3"), tuple(
            ended[key] for key in ("program", "state", "pid", "exitstatus", "spawn_error")))
        self.assertGreaterEqual(ended["stop"], ended["start"])
        self.assertIsNone(plugin.find("a", "b"))
        self.assertIsNone(plugin.find("b", "a"))

    def test_options_of_a_program(self):
        _, plugin = self.exercise(program("a", "/bin/cat -u", autostart="false", startsecs=3, exitcodes="0,5",
                                          stopsignal="HUP", environment='A="x y",B="%(program_name)s"', umask="027",
                                          stdout_logfile="NONE", stderr_logfile=self.path("err"), user="nobody",
                                          stdout_logfile_maxbytes="1MB", directory="/tmp"))
        options = plugin.readProgram("a", "a")
        expected = {"command": "/bin/cat -u", "autostart": "false", "startsecs": "3", "exitcodes": "0,5",
                    "stopsignal": "SIGHUP", "environment": 'A="x y",B="a"', "umask": "027", "stdout_logfile": "NONE",
                    "stderr_logfile": self.path("err"), "user": "nobody", "stdout_logfile_maxbytes": "1048576",
                    "directory": "/tmp", "priority": "999", "autorestart": "false", "process_name": "a"}
        self.assertEqual(expected, {key: options[key] for key in expected})
        self.assertNotIn("serverurl", options)
        self.assertIsNone(plugin.readProgram("a", "b"))

    def test_what_it_reads_can_be_given_again(self):
        _, plugin = self.exercise(program("a", "/bin/cat", autostart="false", environment='A="x y"', exitcodes="1,2"))
        options = plugin.readProgram("a", "a")
        plugin.addGroup("g")
        plugin.addProgram("g", "a", options)
        self.assertEqual(options, plugin.readProgram("g", "a"))

    def test_start_and_stop(self):
        daemon, plugin = self.exercise(program("a", actor("hang"), autostart="false"))
        self.assertIs(True, plugin.start("a", "a"))
        daemon.wait_state("a", "RUNNING")
        self.assertFault(Fault.ALREADY_STARTED, "ALREADY_STARTED: a:a", plugin.start, "a", "a")
        self.assertIs(True, plugin.stop("a", "a"))
        daemon.wait_state("a", "STOPPED")
        self.assertRefused(Fault.NOT_RUNNING, plugin.stop, "a", "a")
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: a:x", plugin.start, "a", "x")
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: x:a", plugin.stop, "x", "a")

    def test_extra_arguments(self):
        daemon, plugin = self.exercise(program("a", actor("print=one"), autostart="false"))
        plugin.start("a", "a", "print=two 'print=three four' hang")
        daemon.wait_stdout("a", "one\ntwo\nthree four\n")
        self.assertEqual("print=two 'print=three four' hang", plugin.find("a", "a")["extra_arguments"])
        daemon.supervisor.stopProcess("a")
        self.assertRefused(Fault.NOT_EXECUTABLE, plugin.start, "a", "a", "'unclosed")
        plugin.start("a", "a")
        daemon.wait_stdout("a", "one\ntwo\nthree four\none\n")
        self.assertIsNone(plugin.find("a", "a")["extra_arguments"])

    def test_extra_arguments_survive_an_upgrade(self):
        daemon, plugin = self.exercise(program("a", actor("print=one"), autostart="false"))
        plugin.start("a", "a", "hang")
        daemon.supervisor.upgrade()
        wait_for(lambda: any("has taken over" in message for message in daemon.log_messages()))
        self.assertEqual("hang", daemon.new_rpc().exercise.find("a", "a")["extra_arguments"])

    def test_commands_that_cannot_be_run(self):
        _, plugin = self.exercise(program("a", "/nowhere/x", autostart="false"))
        self.assertRefused(Fault.NO_FILE, plugin.start, "a", "a")


class Dynamic(PluginTestCase):
    def test_groups_come_and_go(self):
        daemon, plugin = self.exercise()
        self.assertIs(True, plugin.addGroup("g", 5))
        self.assertEqual(["g priority=5 processes=0 alive=0"], plugin.groups())
        self.assertFault(Fault.ALREADY_ADDED, "ALREADY_ADDED: g", plugin.addGroup, "g")
        for name in ("", "a:b", "a/b", "a b"):
            self.assertRefused(Fault.BAD_NAME, plugin.addGroup, name)
        self.assertIs(True, plugin.removeGroup("g"))
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: g", plugin.removeGroup, "g")
        self.assertEqual([], daemon.supervisor.getAllProcessInfo())

    def test_processes_come_run_and_go(self):
        daemon, plugin = self.exercise()
        plugin.addGroup("g")
        options = {"command": actor("print=%(process_num)d %(group_name)s", "hang").replace("'", '"'), "startsecs": 0,
                   "numprocs": 2, "process_name": "%(program_name)s_%(process_num)d", "autorestart": False}
        self.assertEqual(["p_0", "p_1"], plugin.addProgram("g", "p", options))
        daemon.wait_state("g:p_1", "RUNNING")
        daemon.wait_stdout("g:p_1", "1 g\n")
        self.assertFault(Fault.STILL_RUNNING, "STILL_RUNNING: g:p_0", plugin.removeProcess, "g", "p_0")
        self.assertFault(Fault.STILL_RUNNING, "STILL_RUNNING: g", plugin.removeGroup, "g")
        daemon.supervisor.stopProcess("g:p_0")
        log = daemon.info("g:p_0")["stdout_logfile"]
        self.assertIs(True, plugin.removeProcess("g", "p_0"))
        self.assertFalse(os.path.exists(log), "its AUTO log goes with it")
        self.assertEqual(["p_1"], [each["name"] for each in daemon.supervisor.getAllProcessInfo()])
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: g:p_0", plugin.removeProcess, "g", "p_0")
        self.assertEqual("RUNNING", daemon.state("g:p_1"))

    def test_several_programs_in_one_group(self):
        daemon, plugin = self.exercise(program("a", actor("hang")))
        pid = daemon.wait_state("a", "RUNNING")["pid"]
        for number in range(30):
            plugin.addProgram("a", "x%d" % number, {"command": actor("hang"), "autostart": number % 2 == 0})
        self.assertEqual(31, len(plugin.processes("a")))
        daemon.wait_state("a:x28", "RUNNING")
        self.assertEqual("STOPPED", daemon.state("a:x29"))
        self.assertEqual(pid, daemon.info("a:a")["pid"])
        for number in range(29, -1, -1):
            if number % 2 == 0:
                daemon.supervisor.stopProcess("a:x%d" % number)
            plugin.removeProcess("a", "x%d" % number)
        self.assertEqual(pid, daemon.info("a")["pid"])
        daemon.supervisor.stopProcess("a")
        self.assertIs(True, daemon.supervisor.startProcess("a"))

    def test_bad_options(self):
        _, plugin = self.exercise()
        plugin.addGroup("g")
        for options, text in (({}, "does not specify its command"),
                              ({"command": "x", "autorestart": "maybe"}, "autorestart=maybe"),
                              ({"command": "%(nothing)s"}, "nothing"),
                              ({"command": "x", "user": "nobody-of-that-name"}, "nobody-of-that-name"),
                              ({"command": "x", "numprocs": 2}, "process_num"),
                              ({"command": ["x"]}, "the option command must be text")):
            self.assertIn(text, self.assertRefused(Fault.INCORRECT_PARAMETERS, plugin.addProgram, "g", "p", options))
        self.assertRefused(Fault.INCORRECT_PARAMETERS, plugin.addProgram, "g", "p", "text")
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: h", plugin.addProgram, "h", "p", {"command": "x"})
        self.assertRefused(Fault.BAD_NAME, plugin.addProgram, "g", "a:b", {"command": "x"})
        self.assertEqual([], plugin.processes())

    def test_names_that_are_there(self):
        _, plugin = self.exercise(program("a", actor("hang")))
        self.assertFault(Fault.ALREADY_ADDED, "ALREADY_ADDED: a:a", plugin.addProgram, "a", "a", {"command": "x"})

    def test_options_that_are_none_are_told_of(self):
        daemon, plugin = self.exercise()
        plugin.addGroup("g")
        plugin.addProgram("g", "p", {"command": "/bin/cat", "autostat": "false"})
        self.assertTrue(any("autostat, which is no option" in message for message in daemon.log_messages()))

    def test_environment_of_the_daemon(self):
        daemon, plugin = self.exercise(supervisord={"environment": 'WORD="blue"'}, environment={"DIR": self.dir})
        plugin.addGroup("g")
        plugin.addProgram("g", "p", {"command": actor("print=%(ENV_WORD)s", "hang"),
                                     "stdout_logfile": "%(ENV_DIR)s/p.log"})
        wait_for(lambda: read(self.path("p.log")) == "blue\n")

    def test_they_are_among_what_is_configured(self):
        daemon, plugin = self.exercise(program("a", actor("hang"), autostart="false"))
        plugin.addGroup("g", 7)
        plugin.addProgram("g", "p", {"command": "/bin/cat", "autostart": False, "priority": 5})
        plugin.addProgram("a", "q", {"command": "/bin/cat", "autostart": False})
        infos = daemon.supervisor.getAllConfigInfo()
        self.assertEqual([("a", "a", 999), ("g", "p", 5), ("a", "q", 999)],
                         [(info["group"], info["name"], info["process_prio"]) for info in infos])
        self.assertEqual([True] * 3, [info["inuse"] for info in infos])
        self.assertRegex(daemon.ctl("avail").out, r"(?m)^g:p .*in use")

    def test_a_reload_passes_over_them(self):
        daemon, plugin = self.exercise(program("a", actor("hang")))
        plugin.addGroup("g")
        plugin.addProgram("g", "p", {"command": actor("hang")})
        plugin.addProgram("a", "q", {"command": actor("hang")})
        daemon.wait_state("a:q", "RUNNING")
        self.assertEqual([[[], [], []]], daemon.supervisor.reloadConfig())
        self.assertEqual("", daemon.ctl("update").out)
        self.assertEqual(["a", "q", "p"], [each["name"] for each in plugin.processes()])

    def test_an_upgrade_keeps_them(self):
        daemon, plugin = self.exercise(program("a", actor("hang")))
        plugin.addGroup("g")
        plugin.addProgram("g", "p", {"command": actor("hang")})
        plugin.addProgram("a", "q", {"command": actor("hang")})
        pids = [daemon.wait_state(name, "RUNNING")["pid"] for name in ("a:a", "a:q", "g:p")]
        daemon.supervisor.upgrade()
        wait_for(lambda: any("has taken over" in message for message in daemon.log_messages()))
        self.assertEqual(pids, [daemon.info(name)["pid"] for name in ("a:a", "a:q", "g:p")])
        self.assertEqual([[[], [], []]], daemon.supervisor.reloadConfig())
        daemon.supervisor.stopProcess("a:q")
        self.assertIs(True, daemon.new_rpc().exercise.removeProcess("a", "q"))

    def test_listeners_hear_of_processes_that_come_and_go(self):
        daemon, plugin = self.exercise(pool("pool", "record=%s" % self.path("record"), "serve",
                                            events="PROCESS_ADDED,PROCESS_REMOVED"))
        plugin.addGroup("g")
        plugin.subscribe("EVENT")
        plugin.addProgram("g", "p", {"command": "/bin/cat", "autostart": False})
        plugin.removeProcess("g", "p")
        heard = [event.split(" pid")[0] for event in plugin.events()]
        self.assertEqual(["PROCESS_ADDED g:p", "PROCESS_REMOVED g:p"],
                         [event for event in heard if not event.startswith(("TICK", "PROCESS_STATE"))])
        wait_for(lambda: "eventname:PROCESS_REMOVED" in read(self.path("record")))
        self.assertIn("processname:p groupname:g", read(self.path("record")))

    def test_no_changes_while_the_daemon_stops(self):
        daemon, plugin = self.exercise(program("a", actor("ignore=TERM", "print=up", "hang"), stopwaitsecs=600))
        daemon.wait_stdout("a", "up\n")
        daemon.send_signal(signal.SIGTERM)
        wait_for(lambda: "WARN received SIGTERM indicating exit request" in daemon.log_messages())
        self.assertFault(Fault.SHUTDOWN_STATE, "SHUTDOWN_STATE", plugin.addGroup, "g")
        os.kill(self.pid_in_log(daemon), signal.SIGKILL)
        self.assertEqual(0, daemon.wait())

    def pid_in_log(self, daemon):
        return next(int(message.rsplit(" ", 1)[1]) for message in daemon.log_messages() if "spawned: 'a'" in message)


class Numprocs(PluginTestCase):
    def programs(self, numprocs=2, **options):
        return program("p", actor("hang"), numprocs=numprocs, process_name="p%(process_num)d", **options)

    def test_more_and_fewer(self):
        daemon, plugin = self.exercise(self.programs())
        pids = [daemon.wait_state("p:p%d" % number, "RUNNING")["pid"] for number in range(2)]
        self.assertEqual({"added": ["p2", "p3"], "removed": []}, plugin.setNumprocs("p", 4))
        daemon.wait_state("p:p3", "RUNNING")
        self.assertEqual(pids, [daemon.info("p:p%d" % number)["pid"] for number in range(2)])
        self.assertFault(Fault.STILL_RUNNING, "STILL_RUNNING: p:p1", plugin.setNumprocs, "p", 1)
        for number in (1, 2, 3):
            daemon.supervisor.stopProcess("p:p%d" % number)
        self.assertEqual({"added": [], "removed": ["p1", "p2", "p3"]}, plugin.setNumprocs("p", 1))
        self.assertEqual(pids[0], daemon.info("p:p0")["pid"])
        self.assertEqual({"added": [], "removed": []}, plugin.setNumprocs("p", 1))

    def test_in_a_group(self):
        daemon, plugin = self.exercise(self.programs() + program("q", actor("hang"))
                                       + section("group:g", programs="p,q"))
        plugin.setNumprocs("p", 3)
        daemon.wait_state("g:p2", "RUNNING")
        self.assertEqual({"p0", "p1", "p2", "q"}, {each["name"] for each in plugin.processes("g")})

    def test_what_cannot_be(self):
        daemon, plugin = self.exercise(self.programs() + program("solo", actor("hang"))
                                       + pool("pool", "serve", events="TICK_60")
                                       + section("fcgi-program:f", command="/bin/cat",
                                                 socket="unix://" + self.path("f.sock"), autostart="false"))
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: x", plugin.setNumprocs, "x", 1)
        self.assertRefused(Fault.BAD_NAME, plugin.setNumprocs, "pool", 1)
        self.assertRefused(Fault.BAD_NAME, plugin.setNumprocs, "f", 1)
        self.assertRefused(Fault.INCORRECT_PARAMETERS, plugin.setNumprocs, "p", -1)
        self.assertRefused(Fault.CANT_REREAD, plugin.setNumprocs, "solo", 2)
        daemon.configure("[program:p]\ncommand=x\nstartsecs=x\n")
        self.assertRefused(Fault.CANT_REREAD, plugin.setNumprocs, "p", 3)

    def test_an_update_undoes_it(self):
        daemon, plugin = self.exercise(self.programs())
        plugin.setNumprocs("p", 3)
        self.assertEqual([[[], ["p"], []]], daemon.supervisor.reloadConfig())


class LoopAndFiles(PluginTestCase):
    def test_descriptors(self):
        _, plugin = self.exercise()
        fifo = self.path("fifo")
        os.mkfifo(fifo)
        self.assertIs(True, plugin.readFrom(fifo))
        with open(fifo, "w") as out:
            out.write("through a pipe")
        wait_for(lambda: plugin.received() == "through a pipe")

    def test_what_cannot_be_watched(self):
        _, plugin = self.exercise()
        self.assertFault(Fault.FAILED, "FAILED: cannot be watched", plugin.readFrom, write(self.path("plain"), "x"))

    def test_small_files(self):
        _, plugin = self.exercise()
        path = self.path("state")
        self.assertIs(True, plugin.writeFile(path, "one"))
        self.assertIs(True, plugin.writeFile(path, "two \u20ac"))
        self.assertEqual("two \u20ac", plugin.readFile(path))
        self.assertEqual(0o600, os.stat(path).st_mode & 0o777)
        self.assertEqual([], [name for name in os.listdir(self.dir) if name.startswith("state.")])

    def test_files_that_cannot_be(self):
        _, plugin = self.exercise()
        for call, text in ((lambda: plugin.writeFile("/nowhere/x", ""), "cannot write /nowhere/x"),
                           (lambda: plugin.readFile("/nowhere/x"), "cannot read /nowhere/x"),
                           (lambda: plugin.readFile("/dev/null"), "no regular file"),
                           (lambda: plugin.readFile(write(self.path("big"), "x" * 5000)), "more than 4096 bytes")):
            with self.assertRaises(xmlrpc.client.Fault) as caught:
                call()
            self.assertIn(text, caught.exception.faultString)


class Http(PluginTestCase):
    def request(self, daemon, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20)
        self.addCleanup(connection.close)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def test_routes_and_pages(self):
        daemon, _ = self.exercise(inet=True)
        self.assertEqual((200, "POST /exercise/echo/x y q=1 2 may_change=1 body=hello\n"),
                         self.request(daemon, "POST", "/exercise/echo/x%20y?q=1%202", "hello"))
        self.assertEqual((200, "a page of a plugin\n"), self.request(daemon, "GET", "/exercise/page"))
        self.assertEqual((200, ""), self.request(daemon, "HEAD", "/exercise/page"))
        self.assertEqual(405, self.request(daemon, "PUT", "/exercise/echo", "x")[0])
        self.assertEqual(413, self.request(daemon, "POST", "/exercise/echo", "x" * 1001)[0])
        self.assertEqual(404, self.request(daemon, "GET", "/exercise/none")[0])

    def test_the_servers_own_authentication(self):
        accounts = {"username": "u", "password": "p", "readonly_username": "r", "readonly_password": "r"}
        daemon, _ = self.exercise(inet=accounts)
        self.assertEqual(401, self.request(daemon, "GET", "/exercise/echo")[0])
        self.assertEqual(401, self.request(daemon, "GET", "/exercise/page")[0])
        header = {"Authorization": "Basic " + base64.b64encode(b"r:r").decode()}
        self.assertIn("may_change=0", self.request(daemon, "GET", "/exercise/echo", headers=header)[1])

    def handshake(self, daemon, early=b""):
        client = socket.create_connection(("127.0.0.1", daemon.port), timeout=20)
        self.addCleanup(client.close)
        client.sendall(b"GET /exercise/socket HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                       b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                       b"Sec-WebSocket-Version: 13\r\n\r\n%s" % (daemon.port, early))
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += client.recv(1)
        self.assertIn(b"101", answer.split(b"\r\n")[0])
        self.assertIn(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", answer)
        return client

    def frame(self, text):
        mask = b"\1\2\3\4"
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(text))
        return struct.pack("!BB", 0x81, 0x80 | len(text)) + mask + masked

    def read_frame(self, client):
        data = b""
        while len(data) < 2 or len(data) < 2 + data[1]:
            piece = client.recv(4096)
            self.assertTrue(piece, "the socket was closed")
            data += piece
        return data[2:2 + data[1]]

    def test_websockets(self):
        daemon, plugin = self.exercise(inet=True)
        clients = [self.handshake(daemon, self.frame(b"early")) for _ in range(3)]
        for client in clients:
            self.assertEqual(b"early", self.read_frame(client))
            client.sendall(self.frame(b"hello"))
            self.assertEqual(b"hello", self.read_frame(client))
        clients[0].close()
        self.assertEqual(1, plugin.count())
        daemon.stop()
        self.assertEqual(b"", clients[1].recv(10))

    def test_websockets_do_not_hold_up_an_upgrade(self):
        daemon, plugin = self.exercise(inet=True)
        client = self.handshake(daemon)
        plugin.count()
        daemon.supervisor.upgrade()
        wait_for(lambda: any("has taken over" in message for message in daemon.log_messages()))
        self.assertEqual(b"", client.recv(10))
        self.assertEqual(2, daemon.new_rpc().exercise.count())


class Ctl(PluginTestCase):
    def session(self, options=None, config="", factory="ctl_exercise"):
        self.install("ctl_exercise")
        text = section("ctlplugin:x", **{"supervisor.ctl_factory": factory}, **(options or {}))
        return self.daemon(text + config, ctl={"plugin_path": self.plugins})

    def test_actions_of_a_plugin(self):
        daemon = self.session({"Key": "%(here)s"})
        self.assertEqual("<a><b c><'d'>\n", daemon.ctl("exercise_words", "a", "b c", "'d'").out)
        self.assertEqual("\n", daemon.ctl("exercise_words").out)
        self.assertEqual(os.path.dirname(daemon.path) + "\n", daemon.ctl("exercise_option", "key").out)
        self.assertEqual("(none)\n", daemon.ctl("exercise_option", "nokey").out)
        self.assertEqual("struct\n", daemon.ctl("exercise_call", "supervisor.getState").out)

    def test_in_the_shell(self):
        daemon = self.session()
        answer = daemon.ctl(input="exercise_words 'a b' c\"d\"\nexercise_words 'open\nhelp exercise_words\nhelp\n")
        self.assertIn("<a b><cd>\n", answer.out)
        self.assertIn("Error: ", answer.out)
        self.assertIn("exercise_words ...\tPrint the arguments\n", answer.out)
        self.assertRegex(answer.out, r"(?s)\nx commands \(type help <topic>\):\n={31}\n.*exercise_call")
        self.assertEqual("exercise_call <method>\tCall a method\n", daemon.ctl("help", "exercise_call").out)

    def test_failures(self):
        daemon = self.session()
        answer = daemon.ctl("exercise_call")
        self.assertEqual((2, "Error: it takes the name of one method\nexercise_call <method>\tCall a method\n"),
                         (answer.code, answer.out))
        answer = daemon.ctl("exercise_call", "no.such")
        self.assertEqual(1, answer.code)
        self.assertIn("error: ", answer.out)
        self.assertEqual("fault 1: UNKNOWN_METHOD\n", daemon.ctl("exercise_quietly", "no.such").out)
        self.assertEqual(42, daemon.ctl("exercise_status", "42").code)
        daemon.stop()
        answer = daemon.ctl("exercise_call", "supervisor.getState")
        self.assertEqual(7, answer.code)
        self.assertIn("no such file", answer.out)

    def refused(self, text, *arguments, **keywords):
        answer = self.session(*arguments, **keywords).ctl("version")
        self.assertEqual(2, answer.code, answer)
        self.assertIn(text, answer.err)
        self.assertIn("[ctlplugin:x]", answer.err)

    def test_plugins_that_are_none(self):
        self.refused("there is no nothing.so", factory="nothing")

    def test_plugins_that_refuse(self):
        self.refused("not today", {"refuse": "not today"})

    def test_actions_in_python_are_left_out(self):
        daemon = self.session(factory="mr.laforge.controllerplugin:make_laforge_controllerplugin")
        answer = daemon.ctl("pid")
        self.assertEqual((0, "%d\n" % daemon.pid), (answer.code, answer.out))
        self.assertEqual("supervisorctl: [ctlplugin:x] supervisor.ctl_factory=mr.laforge.controllerplugin:"
                         "make_laforge_controllerplugin: actions in Python cannot be run; going on without them\n",
                         answer.err)

    def test_plugins_of_the_daemon(self):
        self.install("exercise")
        self.refused("cannot load", factory="exercise")


if __name__ == "__main__":
    unittest.main()
