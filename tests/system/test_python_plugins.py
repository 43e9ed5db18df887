"""Extensions in Python: what passes to and fro, and plugins at their worst while the daemon serves everybody."""

import datetime
import os
import re
import signal
import struct
import textwrap
import threading
import xmlrpc.client

from harness import (PYTHON_PLUGIN, Fault, TestCase, actor, children_of, command_line, events_of, is_alive, lines_of,
                     pool, program, read, run, section, wait_for, write)

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"
OUR_PACKAGE = os.path.join(PYTHON_PLUGIN, "python")


class Plugins(TestCase):
    def configure(self, config="", factory="unruly_plugin:make", **options):
        """The configuration of a daemon with the plugin, and what else prepare() is to be given."""
        options = dict({"supervisor.python_path": HERE}, **options)
        interface = section("rpcinterface:unruly", **dict({"supervisor.rpcinterface_factory": factory}, **options))
        return {"config": interface + config, "supervisord": {"plugin_path": PYTHON_PLUGIN},
                "environment": {"PATH": "/usr/bin:/bin"}}

    def start(self, config="", **options):
        self.running = self.daemon(**self.configure(config, **options))
        return self.running

    @property
    def unruly(self):
        return self.running.rpc.unruly

    def in_background(self, call, *arguments):
        """Calls on a connection of its own: a function that gives the result or raises the fault."""
        outcome = []

        def work():
            try:
                outcome.append((call(self.running.new_rpc().unruly)(*arguments), None))
            except Exception as error:
                outcome.append((None, error))

        thread = threading.Thread(target=work, daemon=True)
        thread.start()

        def result():
            thread.join(30)
            value, error = outcome[0]
            if error:
                raise error
            return value

        return result

    def wait_for_restart(self):
        def answers():
            try:
                return self.unruly.pid()
            except xmlrpc.client.Fault:
                return None

        return wait_for(answers, 20)

    def assert_serves(self):
        self.assertEqual("RUNNING", self.running.supervisor.getState()["statename"])


class Values(Plugins):
    def test_all_types_survive(self):
        self.start()
        values = [0, -2 ** 31, 2 ** 31 - 1, True, False, 0.1, -1e300, "", "prüfung \U0001f600", "a\nb\t<&>", [], {},
                  [[1, [2]], {"a": {"b": "c"}}], {"$base64": "no"}, {"$x": 1, "y": 2}, {"ä": 1}]
        self.assertEqual(values, self.unruly.echo(*values))

    def test_bytes_times_and_nil(self):
        self.start()
        rpc = xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=self.running.new_rpc()("transport"),
                                        allow_none=True)
        data, time = xmlrpc.client.Binary(bytes(range(256))), xmlrpc.client.DateTime("20260102T03:04:05")
        self.assertEqual([data, time, None], rpc.unruly.echo(data, time, None))
        self.assertEqual(["bytes", "DateTime", "NoneType"], [rpc.unruly.type_of(one) for one in (data, time, None)])

    def test_results_of_kinds_that_python_has(self):
        self.start()
        self.assertEqual([1, "two"], self.unruly.give("tuple"))
        self.assertEqual(None, self.unruly.give("nil"))
        self.assertEqual(b"\0\xff", self.unruly.give("bytes").data)
        self.assertEqual(datetime.datetime(2026, 1, 2, 3, 4, 5).strftime("%Y%m%dT%H:%M:%S"),
                         self.unruly.give("datetime").value)
        self.assertEqual("y" * 1000000, self.unruly.give("long"))
        self.assertEqual("a?b", self.unruly.give("surrogate"))
        self.unruly.give("deep")

    def test_rubbish_is_a_fault(self):
        self.start()
        for name in ("object", "huge integer", "nan", "infinity", "loop", "key", "set", "huge"):
            with self.subTest(name), self.assertRaises(xmlrpc.client.Fault) as caught:
                self.unruly.give(name)
            self.assertEqual(Fault.FAILED, caught.exception.faultCode)
            self.assertIn("the result of give has no place in XML-RPC: ", caught.exception.faultString)
        self.assertEqual(["still"], self.unruly.echo("still"))

    def test_text_that_is_not_utf8(self):
        daemon = self.start(program("a", actor("hang")))
        daemon.wait_state("a", "RUNNING")
        with open(daemon.info("a")["stdout_logfile"], "wb") as log:
            log.write(b"caf\xe9")
        self.assertEqual("caf\ufffd", self.unruly.read_log("a"))

    def test_multicall(self):
        self.start()
        calls = [{"methodName": "unruly." + name, "params": params} for name, params in
                 (("echo", [1]), ("later", [2]), ("fail", []), ("nope", []), ("sleep", [0]))]
        results = self.running.rpc.system.multicall(calls)
        self.assertEqual([[1], "after 2", Fault.FAILED, Fault.UNKNOWN_METHOD, 0],
                         [one["faultCode"] if isinstance(one, dict) else one for one in results])


class Calls(Plugins):
    def test_options(self):
        self.start(retries="3", Other="x y")
        self.assertEqual({"retries": "3", "other": "x y"}, self.unruly.getOptions())

    def test_faults(self):
        self.start()
        self.assertFault(230, "UNKNOWN: own", self.unruly.refuse, 230, "own")
        self.assertFault(Fault.FAILED, "FAILED: ValueError: not today: ä", self.unruly.fail)
        self.assertFault(Fault.FAILED, "FAILED: SystemExit: 3", self.unruly.leave)
        self.assertFault(Fault.INCORRECT_PARAMETERS, "INCORRECT_PARAMETERS", self.unruly.sleep)
        self.assertFault(Fault.UNKNOWN_METHOD, "UNKNOWN_METHOD", self.unruly._hidden)
        self.running.wait_log("ValueError: not today")

    def test_a_slow_method_holds_up_nobody(self):
        self.start()
        slow = self.in_background(lambda unruly: unruly.sleep, 3)
        self.assertEqual([1], self.unruly.echo(1))
        self.assert_serves()
        self.assertEqual(3, slow())

    def test_many_at_a_time(self):
        self.start()
        results = [self.in_background(lambda unruly: unruly.sleep, 0.2) for _ in range(30)]
        self.assertEqual([0.2] * 30, [result() for result in results])

    def test_answers_that_come_later(self):
        self.start()
        self.assertEqual("after 3", self.unruly.later(3))
        self.assertFault(Fault.FAILED, "FAILED: below zero", self.unruly.later, 0)

    def test_a_client_that_goes_away(self):
        self.start()
        body = xmlrpc.client.dumps((), "unruly.never").encode()
        connection = self.running.http()
        connection.request("POST", "/RPC2", body, {"Content-Type": "text/xml"})
        self.unruly.echo(1)
        connection.close()
        self.assertEqual([2], self.unruly.echo(2))

    def test_calls_back(self):
        self.start(program("a", actor("hang"), autostart="false", startsecs=1) + program("b", actor("hang")))
        self.running.wait_state("b", "RUNNING")
        self.assertEqual({"a": "STOPPED", "b": "RUNNING"}, self.unruly.states())
        self.assertIs(True, self.unruly.start("a"))
        self.assertEqual({"a": "RUNNING", "b": "RUNNING"}, self.unruly.states())
        self.assertFault(Fault.ALREADY_STARTED, "ALREADY_STARTED: a", self.unruly.start, "a")
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: nope", self.unruly.start, "nope")

    def test_what_stands_for_the_daemon(self):
        self.start(program("a", actor("hang"), autostart="false") + section("group:g", programs="a", priority=7))
        self.assertEqual(["supervisor", "unix://" + self.running.socket, 1], self.unruly.daemon())
        self.assertEqual({"g": [7, {"a": [0, actor("hang")]}]}, self.unruly.groups())

    def test_the_factory_may_ask(self):
        self.start(program("a", actor("hang")), factory="unruly_plugin:ask")
        self.assertEqual({"a": "STOPPED"}, self.unruly.getOptions())

    def test_two_sections_are_two_processes(self):
        other = section("rpcinterface:other", **{"supervisor.rpcinterface_factory": "unruly_plugin:make",
                                                 "supervisor.python_path": HERE})
        self.start(other)
        self.assertNotEqual(self.unruly.pid(), self.running.rpc.other.pid())

    def test_signature_and_help(self):
        self.start()
        self.assertEqual("Gives back what it is given.", self.running.rpc.system.methodHelp("unruly.echo"))
        self.assertFault(Fault.SIGNATURE_UNSUPPORTED, "SIGNATURE_UNSUPPORTED",
                         self.running.rpc.system.methodSignature, "unruly.echo")


class Events(Plugins):
    def test_payloads_are_those_of_listeners(self):
        record = self.path("record")
        self.start(pool("watch", "record=" + record, "serve", events="PROCESS_STATE,PROCESS_LOG,PROCESS_GROUP,"
                        "REMOTE_COMMUNICATION", buffer_size=1000) +
                   program("a", actor("print=häuser", "hang"), autostart="false", stdout_events_enabled="true") +
                   program("b", actor("exit=3"), autostart="false"))
        wait_for(lambda: "processname:watch" in read(record) and "RUNNING" in read(record))
        for name in ("PROCESS_STATE", "PROCESS_LOG", "PROCESS_GROUP", "REMOTE_COMMUNICATION"):
            self.unruly.subscribe(name)
        self.running.supervisor.sendRemoteCommEvent("begin", "ä")
        self.running.supervisor.startProcess("a")
        self.running.wait_stdout("a", "häuser")
        self.running.supervisor.startProcess("b")
        self.running.wait_state("b", "EXITED")
        self.running.supervisor.stopProcess("a")
        self.running.supervisor.removeProcessGroup("b")
        self.running.supervisor.sendRemoteCommEvent("end", "")

        def told():
            events = [[event.name, event.payload] for event in events_of(record)]
            names = [event for event in events if event[1].startswith("type:")]
            return events[events.index(names[0]):] if names and names[-1][1].startswith("type:end") else None

        self.assertEqual(wait_for(told), wait_for(
            lambda: self.unruly.getHeard() if self.unruly.getHeard()[-1][1].startswith("type:end") else None))

    def test_unsubscribing(self):
        self.start()
        self.unruly.subscribe("REMOTE_COMMUNICATION")
        self.running.supervisor.sendRemoteCommEvent("a", "1")
        wait_for(lambda: len(self.unruly.getHeard()) == 1)
        self.unruly.unsubscribe("REMOTE_COMMUNICATION")
        self.running.supervisor.sendRemoteCommEvent("a", "2")
        self.unruly.subscribe("REMOTE_COMMUNICATION")
        self.running.supervisor.sendRemoteCommEvent("a", "3")
        wait_for(lambda: len(self.unruly.getHeard()) == 2)
        self.assertEqual("type:a\n3", self.unruly.getHeard()[1][1])

    def test_a_callback_may_call_back(self):
        self.start(program("a", actor("fail_first=%s,1" % self.path("count"), "hang"), autorestart="false",
                           autostart="false"))
        self.unruly.start_what_exits()
        self.running.supervisor.startProcess("a")
        self.running.wait_state("a", "RUNNING")

    def test_a_callback_that_fails(self):
        self.start()
        self.unruly.fail_in_callback()
        self.unruly.subscribe("REMOTE_COMMUNICATION")
        self.running.supervisor.sendRemoteCommEvent("a", "1")
        wait_for(lambda: len(self.unruly.getHeard()) == 1)
        self.running.wait_log("ValueError: in a callback")


class Logs(Plugins):
    def test_levels(self):
        self.start()
        for level, code in (("critical", "CRIT"), ("warn", "WARN"), ("info", "INFO"), ("debug", "DEBG")):
            self.unruly.log(level, "hello ä\nfrom %s" % level)
            self.running.wait_log("%s [rpcinterface:unruly] from %s\n" % (code, level))
        self.unruly.log("trace", "quiet")
        self.unruly.log("info", "end")
        self.running.wait_log("end\n")
        self.assertNotIn("quiet", read(self.running.log))

    def test_what_it_prints(self):
        self.start()
        self.unruly.say("printed: äBELL\nand more")
        self.running.wait_log("INFO [rpcinterface:unruly] printed: ä?\n")
        self.running.wait_log("INFO [rpcinterface:unruly] and more\n")
        self.unruly.say("z" * 5000)
        self.running.wait_log("z" * 904 + "\n")
        self.assertLess(max(len(line) for line in lines_of(self.running.log)), 1200)

    def test_a_flood_is_held_back(self):
        self.start()
        self.unruly.flood()
        self.assertEqual([1], self.unruly.echo(1))
        for _ in range(20):
            self.assert_serves()
        wait_for(lambda: len(lines_of(self.running.log)) > 1000, 20)
        count = len(lines_of(self.running.log))
        wait_for(lambda: len(lines_of(self.running.log)) > count + 1500, 20)
        self.assertLess(len(lines_of(self.running.log)), count + 20000)


class Crashes(Plugins):
    def survive(self, name, *arguments, cause, fault="FAILED: the Python plugin unruly has died"):
        """A call that ends the host, another that is under way, and life afterwards."""
        pid = self.unruly.pid()
        other = self.in_background(lambda unruly: unruly.sleep, 60)
        wait_for(lambda: self.unruly.echo(1))
        with self.assertRaises(xmlrpc.client.Fault) as caught:
            getattr(self.unruly, name)(*arguments)
        self.assertEqual((Fault.FAILED, fault), (caught.exception.faultCode, caught.exception.faultString))
        with self.assertRaises(xmlrpc.client.Fault):
            other()
        self.assert_serves()
        self.running.wait_log("[rpcinterface:unruly] its Python host has died: %s" % cause)
        self.assertNotEqual(pid, self.wait_for_restart())

    def test_exit(self):
        self.start()
        self.survive("die", cause="it has ended; starting another in 1 s")

    def test_signal(self):
        self.start()
        self.survive("kill", cause="it has ended")

    def test_a_huge_message(self):
        self.start()
        self.survive("send", xmlrpc.client.Binary(b"\xff\xff\xff\xff"), cause="it sends a message of 4294967295 bytes")

    def test_rubbish(self):
        self.start()
        self.survive("send", xmlrpc.client.Binary(struct.pack(">I", 4) + b"\xff\0{]"),
                     cause="it sends what is no message")

    def test_messages_that_have_no_place(self):
        texts = {b"{}": "has no place", b"[]": "no message", b'{"op":"nope"}': "has no place",
                 b'{"op":"answer","id":1}': "no value", b'{"op":"fault","id":1}': "no fault",
                 b'{"op":"call","id":1,"method":"x"}': "no method", b'{"op":"subscribe"}': "no events",
                 b'{"op":"register","methods":[]}': "", b'{"op":"log"}': "no text", b"": "no message"}
        for text, cause in texts.items():
            with self.subTest(text):
                daemon = Plugins.start(self) if not self.daemons else self.running
                write(daemon.log, "")
                with self.assertRaises(xmlrpc.client.Fault):
                    self.unruly.send(xmlrpc.client.Binary(struct.pack(">I", len(text)) + text))
                self.assert_serves()
                wait_for(lambda: cause in read(daemon.log) and "has died" in read(daemon.log))
                daemon.stop()
                daemon.start()

    def test_too_many_calls(self):
        self.start()
        self.survive("call_too_much", cause="it calls what is no method, or too many at a time")

    def test_one_that_does_not_read(self):
        self.start()
        pid = self.unruly.pid()
        self.unruly.subscribe("REMOTE_COMMUNICATION")
        os.kill(pid, signal.SIGSTOP)
        for _ in range(60):
            self.running.supervisor.sendRemoteCommEvent("big", "x" * 900000)
            if "it does not take what it is sent" in read(self.running.log):
                break
        self.running.wait_log("its Python host has died: it does not take what it is sent")
        self.assertNotEqual(pid, self.wait_for_restart())

    def test_closing_everything(self):
        self.start()
        self.survive("close", cause="it has ended")

    def test_children_do_not_outlive_it(self):
        self.start()
        child = self.unruly.fork()
        self.survive("die", cause="it has ended")
        wait_for(lambda: not is_alive(child))

    def test_calls_meanwhile_and_a_growing_pause(self):
        self.start(factory="unruly_plugin:once", mark=self.path("mark"))
        with self.assertRaises(xmlrpc.client.Fault):
            self.unruly.die()
        self.assertFault(Fault.FAILED, "FAILED: the Python plugin unruly is being started again", self.unruly.pid)
        for pause in (1, 2, 4):
            self.running.wait_log("starting another in %d s" % pause, 20)
        self.assertIn("has died: ValueError: only once; starting another in 2 s", read(self.running.log))
        os.remove(self.path("mark"))
        self.wait_for_restart()


class Refused(Plugins):
    """A daemon that must not start, with a message of the section and the cause."""

    def refused(self, cause, factory, **options):
        answer = self.refuse(**self.configure(factory=factory, **options))
        self.assertEqual(2, answer.code, answer.err)
        self.assertIn("[rpcinterface:unruly] supervisor.rpcinterface_factory=%s: %s" % (factory, cause), answer.err)
        self.assertEqual(1, len([line for line in answer.err.splitlines() if line.startswith("Error: ")]))

    def test_no_module(self):
        self.refused("there is no Python module nowhere", "nowhere:make")

    def test_no_callable(self):
        self.refused("the Python module unruly_plugin has no nope", "unruly_plugin:nope")
        self.refused("unruly_plugin:SOCKET is not callable", "unruly_plugin:SOCKET")

    def test_an_import_that_fails(self):
        write(self.path("broken.py"), "import no_such_thing_x")
        write(self.path("wrong.py"), "1 +")
        write(self.path("raises.py"), "raise KeyError('x')")
        options = {"supervisor.python_path": self.dir}
        self.refused("ModuleNotFoundError: No module named 'no_such_thing_x'", "broken:make", **options)
        self.refused("File ", "wrong:make", **options)
        self.refused("KeyError: 'x'", "raises:make", **options)

    def test_a_factory_that_fails(self):
        self.refused("ValueError: no such luck", "unruly_plugin:fail")
        self.refused("SystemExit: I give up", "unruly_plugin:give_up")
        self.refused("it has ended", "unruly_plugin:crash")
        self.refused("TypeError: ", "unruly_plugin:fail", surplus="1")

    def test_a_factory_that_hangs(self):
        self.refused("its factory has not returned in 10 s", "unruly_plugin:hang")

    def test_no_python(self):
        path = self.subdirectory("empty")
        daemon = self.configure()
        daemon["environment"] = {"PATH": path}
        answer = self.refuse(**daemon)
        self.assertEqual(2, answer.code)
        self.assertIn("there is no python3: install the package python3, or name an interpreter by supervisor.python",
                      answer.err)
        self.refused("there is no /nowhere/python3: ", "unruly_plugin:make", **{"supervisor.python": "/nowhere/python3"})


class Life(Plugins):
    def hosts(self):
        return [pid for pid in children_of(self.running.pid) if "python" in command_line(pid)]

    def test_without_a_section_there_is_no_python(self):
        self.running = self.daemon(supervisord={"plugin_path": PYTHON_PLUGIN})
        self.assertEqual([], children_of(self.running.pid))

    def test_an_interpreter_of_ones_own(self):
        wrapper = write(self.path("my-python"), '#!/bin/sh\nMARK=ours exec %s "$@"\n' % PYTHON, 0o755)
        self.start(**{"supervisor.python": wrapper})
        host, = self.hosts()
        with open("/proc/%d/environ" % host) as file:
            self.assertIn("MARK=ours", file.read().split("\0"))

    def test_it_inherits_little(self):
        self.start()
        pid = self.unruly.pid()
        names = sorted(os.listdir("/proc/%d/fd" % pid), key=int)
        self.assertEqual(["0", "1", "2", "3"], names[:4])
        links = [os.readlink("/proc/%d/fd/%s" % (pid, name)) for name in names]
        self.assertEqual("/dev/null", links[0])
        self.assertEqual([], [link for link in links if self.dir in link])
        self.assertEqual(pid, os.getpgid(pid))

    def test_it_ends_with_the_daemon(self):
        daemon = self.start()
        pid = self.unruly.pid()
        self.assertEqual(0, daemon.stop())
        self.assertFalse(is_alive(pid))

    def test_one_that_does_not_end(self):
        daemon = self.start()
        pid = self.unruly.pid()
        os.kill(pid, signal.SIGSTOP)
        self.assertEqual(0, daemon.stop())
        wait_for(lambda: not is_alive(pid))

    def test_a_daemon_that_is_killed(self):
        daemon = self.start()
        pid = self.unruly.pid()
        daemon.kill()
        wait_for(lambda: not is_alive(pid))

    def test_restart_and_reload(self):
        daemon = self.start()
        pid = self.unruly.pid()
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: not is_alive(pid))
        wait_for(daemon.answers)
        self.assertNotEqual(pid, self.wait_for_restart())
        again = self.unruly.pid()
        daemon.supervisor.reloadConfig()
        self.assertEqual(again, self.unruly.pid())

    def test_upgrade(self):
        daemon = self.start(program("a", actor("hang")))
        pid, child = self.unruly.pid(), daemon.wait_state("a", "RUNNING")["pid"]
        daemon.send_signal(signal.SIGUSR1)
        daemon.wait_log("has taken over", 20)
        wait_for(daemon.answers)
        self.assertNotEqual(pid, self.wait_for_restart())
        wait_for(lambda: not is_alive(pid))
        self.assertEqual(child, daemon.info("a")["pid"])

    def test_a_daemon_in_the_background(self):
        options = self.configure()
        self.running = self.daemon(daemonize=True, **options)
        pid = self.unruly.pid()
        with self.assertRaises(xmlrpc.client.Fault):
            self.unruly.die()
        self.assertNotEqual(pid, self.wait_for_restart())

    def test_calls_while_it_shuts_down(self):
        daemon = self.start(program("a", actor("ignore=TERM", "print=deaf", "hang"), stopwaitsecs=2))
        daemon.wait_stdout("a", "deaf")
        daemon.supervisor.shutdown()
        self.assertEqual([1], self.unruly.echo(1))
        self.assertFault(Fault.SHUTDOWN_STATE, "SHUTDOWN_STATE", self.unruly.states)
        self.assertEqual(-1, self.unruly.daemon()[2])
        daemon.wait()


class Documentation(Plugins):
    """The examples of docs/extending.md, as they stand there."""

    def examples(self):
        text = read(os.path.join(HERE, "..", "..", "docs", "extending.md"))
        return [textwrap.dedent(block) for block in re.findall(r"^ +```python\n(.*?)^ +```$", text, re.M | re.S)]

    def example(self, words):
        found, = [block for block in self.examples() if words in block]
        return found

    def test_the_plugin(self):
        write(self.path("greeter.py"), self.example("def make_greeter"))
        self.start(program("a", actor("hang")), factory="greeter:make_greeter", greeting="Good morning",
                   **{"supervisor.python_path": self.dir})
        rpc = self.running.rpc.unruly
        self.assertEqual("Good morning Ada", rpc.greet("Ada"))
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: nobody to greet", rpc.greet, "")
        self.assertEqual(["string", "string"], self.running.rpc.system.methodSignature("unruly.greet"))
        self.running.wait_state("a", "RUNNING")
        self.assertEqual(["a"], rpc.running())
        self.running.wait_log("INFO [rpcinterface:unruly] greeting Ada\n")

    def test_the_client(self):
        write(self.path("greeter.py"), self.example("def make_greeter"))
        client = self.example("rpc.greeter.greet").replace("/run/supervisor.sock", self.path("s.sock"))
        write(self.path("client.py"), client.replace("rpc.greeter", "rpc.unruly").replace('"greeter.', '"unruly.'))
        self.start(factory="greeter:make_greeter", **{"supervisor.python_path": self.dir})
        answer = run(PYTHON, self.path("client.py"), environment={"PYTHONPATH": OUR_PACKAGE})
        self.assertEqual(["Hello Ada", "Greets somebody by name"], answer.out.splitlines()[:2], answer.err)

    def test_the_listener(self):
        script = write(self.path("mourner.py"), self.example("childutils.listener.wait"))
        self.start(section("eventlistener:mourner", command="%s %s" % (PYTHON, script), events="PROCESS_STATE_EXITED",
                           environment='PYTHONPATH="%s"' % OUR_PACKAGE) +
                   program("a", actor("fail_first=%s,1" % self.path("count"), "hang"), autorestart="false"))
        self.running.wait_state("a", "RUNNING")
        wait_for(lambda: "a:a has exited" in self.running.stderr("mourner"))
