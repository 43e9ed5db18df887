"""Events and event listeners (manual 1.7, 1.4.10)."""

import os
import re
import time

from harness import LISTENER, TestCase, actor, events_of, pool, program, read, section, wait_for, write

UNKNOWN_LINE = ("WARN %s: has entered the UNKNOWN state and will no longer receive events, this usually indicates the "
                "process violated the eventlistener protocol")


class EventCase(TestCase):
    def record(self, name="events"):
        return "record=" + self.path(name)

    def events(self, name="events"):
        return events_of(self.path(name))

    def wait_events(self, count, name="events", timeout=15):
        wait_for(lambda: len(self.events(name)) >= count, timeout,
                 "%d events in %s (%r)" % (count, name, read(self.path(name))))
        return self.events(name)

    def wait_event(self, event_name, text="", name="events", timeout=15):
        def find():
            return [event for event in self.events(name) if event.name == event_name and text in event.payload]
        return wait_for(find, timeout, "%s with %r in %r" % (event_name, text, self.events(name)))[0]

    def serving(self, config, options=None, **more):
        """A daemon whose listeners are ready, so that what is recorded afterwards comes from what a test does."""
        daemon = self.daemon(config, **(options or {}), **more)
        for info in daemon.supervisor.getAllProcessInfo():
            if info["group"].startswith("pool"):
                daemon.wait_state("%s:%s" % (info["group"], info["name"]), "RUNNING")
        return daemon

    def send(self, daemon, *texts):
        for text in texts:
            self.assertIs(True, daemon.supervisor.sendRemoteCommEvent("t", text))

    def payloads(self, name="events"):
        return [event.payload for event in self.events(name)]

    def protocol_log(self, daemon, name):
        """The lines about one listener and its pool's events, without what listeners said."""
        wanted = re.compile(r"(DEBG|WARN|ERRO) (%s: |event |pool |rebuffering )" % re.escape(name))
        return [line for line in daemon.log_messages() if wanted.match(line)]


class Payloads(EventCase):
    def test_header_is_one_line_of_tokens(self):
        daemon = self.serving(pool("pool", self.record(), "serve", events="REMOTE_COMMUNICATION"),
                              supervisord={"identifier": "it"})
        self.send(daemon, "1", "22")
        first, second = self.wait_events(2)
        self.assertEqual("ver:3.0 server:it serial:0 pool:pool poolserial:0 eventname:REMOTE_COMMUNICATION len:8",
                         first.header)
        self.assertEqual("ver:3.0 server:it serial:1 pool:pool poolserial:1 eventname:REMOTE_COMMUNICATION len:9",
                         second.header)

    def test_remote_communication_has_type_and_data(self):
        daemon = self.serving(pool("pool", self.record(), "serve", events="REMOTE_COMMUNICATION"))
        for kind, data in (("a b", "line\nline\n"), ("", ""), ("x", "\\ and : and ,")):
            daemon.supervisor.sendRemoteCommEvent(kind, data)
        self.wait_events(3)
        self.assertEqual(["type:a b\nline\nline\n", "type:\n", "type:x\n\\ and : and ,"], self.payloads())

    def states_of(self, name):
        """The state events of one process as (state, rest of the payload), pids replaced by P."""
        found = []
        for event in self.events():
            match = re.match(r"processname:(\S+) groupname:(\S+) (.*)$", event.payload)
            if event.name.startswith("PROCESS_STATE_") and match[1] == name:
                found.append((event.name[len("PROCESS_STATE_"):], re.sub(r"pid:[1-9]\d*", "pid:P", match[3])))
        return found

    def test_every_state_of_a_process(self):
        self.serving(pool("pool", self.record(), "serve", events="PROCESS_STATE", buffer_size=100)
                     + program("good", actor("exit=0")) + program("bad", actor("exit=3"))
                     + program("early", actor("exit=1"), startsecs=5, startretries=1)
                     + program("none", "/does/not/exist", startretries=0))
        for name, last in (("good", "EXITED"), ("bad", "EXITED"), ("early", "FATAL"), ("none", "FATAL")):
            self.wait_event("PROCESS_STATE_" + last, "processname:%s " % name)
        self.assertEqual([("STARTING", "from_state:STOPPED tries:0"), ("RUNNING", "from_state:STARTING pid:P"),
                          ("EXITED", "from_state:RUNNING expected:1 pid:P")], self.states_of("good"))
        self.assertEqual([("STARTING", "from_state:STOPPED tries:0"), ("RUNNING", "from_state:STARTING pid:P"),
                          ("EXITED", "from_state:RUNNING expected:0 pid:P")], self.states_of("bad"))
        self.assertEqual([("STARTING", "from_state:STOPPED tries:0"), ("BACKOFF", "from_state:STARTING tries:1"),
                          ("STARTING", "from_state:BACKOFF tries:1"), ("BACKOFF", "from_state:STARTING tries:2"),
                          ("FATAL", "from_state:BACKOFF")], self.states_of("early"))
        self.assertEqual([("STARTING", "from_state:STOPPED tries:0"), ("BACKOFF", "from_state:STARTING tries:1"),
                          ("FATAL", "from_state:BACKOFF")], self.states_of("none"))

    def test_stopped_processes(self):
        daemon = self.serving(pool("pool", self.record(), "serve", events="PROCESS_STATE", buffer_size=100)
                              + section("group:g", programs="a,b")
                              + program("a", actor("hang")) + program("b", actor("exit=1"), startsecs=3))
        daemon.wait_state("g:a", "RUNNING")
        daemon.wait_state("g:b", "BACKOFF")
        pid = daemon.info("g:a")["pid"]
        daemon.supervisor.stopProcessGroup("g")
        self.wait_event("PROCESS_STATE_STOPPED", "processname:a")
        self.wait_event("PROCESS_STATE_STOPPED", "processname:b")
        self.assertEqual([("STARTING", "from_state:STOPPED tries:0"), ("RUNNING", "from_state:STARTING pid:P"),
                          ("STOPPING", "from_state:RUNNING pid:P"), ("STOPPED", "from_state:STOPPING pid:P")],
                         self.states_of("a"))
        self.assertEqual(("STOPPED", "from_state:BACKOFF pid:0"), self.states_of("b")[-1])
        self.assertEqual("processname:a groupname:g from_state:STOPPING pid:%d" % pid,
                         self.wait_event("PROCESS_STATE_STOPPED", "processname:a").payload)

    def test_groups_that_come_and_go(self):
        base = pool("pool", self.record(), "serve", events="PROCESS_GROUP")
        daemon = self.serving(base + program("a", actor("hang"), autostart="false"))
        self.wait_events(2)
        daemon.configure(base + program("b", actor("hang"), autostart="false"))
        daemon.supervisor.reloadConfig()
        daemon.supervisor.removeProcessGroup("a")
        daemon.supervisor.addProcessGroup("b")
        self.wait_events(4)
        self.assertEqual([("PROCESS_GROUP_ADDED", "groupname:pool\n"), ("PROCESS_GROUP_ADDED", "groupname:a\n"),
                          ("PROCESS_GROUP_REMOVED", "groupname:a\n"), ("PROCESS_GROUP_ADDED", "groupname:b\n")],
                         [(event.name, event.payload) for event in self.events()])

    def test_output_with_its_channel(self):
        self.serving(pool("pool", self.record(), "serve", events="PROCESS_LOG")
                     + program("a", actor("print=hello", "hang"), stdout_events_enabled="true")
                     + program("b", actor("error=oops", "hang"), stderr_events_enabled="true")
                     + program("c", actor("print=quiet", "error=quiet", "hang")))
        out = self.wait_event("PROCESS_LOG_STDOUT")
        error = self.wait_event("PROCESS_LOG_STDERR")
        self.assertRegex(out.payload, r"^processname:a groupname:a pid:\d+ channel:stdout\nhello\n$")
        self.assertRegex(error.payload, r"^processname:b groupname:b pid:\d+ channel:stderr\noops\n$")
        self.assertEqual(2, len(self.events()))

    def test_messages_of_capture_mode(self):
        message = "<!--XSUPERVISOR:BEGIN-->%s<!--XSUPERVISOR:END-->"
        self.serving(pool("pool", self.record(), "serve", events="PROCESS_COMMUNICATION")
                     + program("a", actor("raw=" + message % "hello", "hang"), stdout_capture_maxbytes="1KB")
                     + program("b", actor("error=" + message % "oops", "hang"), stderr_capture_maxbytes="1KB"))
        self.assertRegex(self.wait_event("PROCESS_COMMUNICATION_STDOUT").payload,
                         r"^processname:a groupname:a pid:\d+\nhello$")
        self.assertRegex(self.wait_event("PROCESS_COMMUNICATION_STDERR").payload,
                         r"^processname:b groupname:b pid:\d+\noops$")

    def test_ticks_at_multiples_of_their_period(self):
        self.serving(pool("pool", self.record(), "serve", events="TICK"))
        tick = self.wait_event("TICK_5", timeout=8)
        self.assertRegex(tick.payload, r"^when:\d+$")
        when = int(tick.payload[5:])
        self.assertEqual(0, when % 5)
        self.assertTrue(0 <= time.time() - when < 3, when)

    def test_the_start_and_the_end_of_the_daemon(self):
        daemon = self.serving(pool("pool", self.record(), "serve", events="SUPERVISOR_STATE_CHANGE")
                              + program("slow", actor("ignore=TERM", "print=up", "hang"), stopwaitsecs=2))
        daemon.wait_stdout("slow", "up")
        daemon.stop()
        self.assertEqual(["SUPERVISOR_STATE_CHANGE_RUNNING", "SUPERVISOR_STATE_CHANGE_STOPPING"],
                         [event.name for event in self.events()])
        self.assertEqual(["", ""], self.payloads())

    def test_everything_in_the_order_of_a_start(self):
        self.serving(pool("pool", self.record(), "serve", events="EVENT", buffer_size=100)
                     + program("a", actor("hang")))
        self.wait_event("PROCESS_STATE_RUNNING", "processname:a")
        self.assertEqual([("PROCESS_GROUP_ADDED", "groupname:pool\n"), ("PROCESS_GROUP_ADDED", "groupname:a\n"),
                          ("SUPERVISOR_STATE_CHANGE_RUNNING", ""),
                          ("PROCESS_STATE_STARTING", "processname:pool groupname:pool from_state:STOPPED tries:0")],
                         [(event.name, event.payload) for event in self.events()[:4]])
        self.assertEqual(list(range(len(self.events()))), [event.serial for event in self.events()])


class Subscriptions(EventCase):
    def test_each_pool_gets_its_types_under_common_serials(self):
        daemon = self.serving(pool("pool1", self.record("one"), "serve", events="REMOTE_COMMUNICATION")
                              + pool("pool2", self.record("two"), "serve", events="PROCESS_GROUP,REMOTE_COMMUNICATION")
                              + pool("pool3", self.record("three"), "serve", events="PROCESS_GROUP_REMOVED"))
        self.send(daemon, "1")
        one = self.wait_events(1, "one")
        two = self.wait_events(3, "two")
        self.assertEqual(["PROCESS_GROUP_ADDED"] * 2 + ["REMOTE_COMMUNICATION"], [event.name for event in two])
        self.assertEqual([0, 1, 2], [event.pool_serial for event in two])
        self.assertEqual((two[2].serial, 0), (one[0].serial, one[0].pool_serial))
        self.assertIn(" pool:pool1 ", one[0].header)
        self.assertEqual([], self.events("three"))

    def test_type_names_ignore_case(self):
        daemon = self.serving(pool("pool", self.record(), "serve", events="remote_Communication"))
        self.send(daemon, "1")
        self.wait_events(1)

    def test_serials_go_on_after_a_restart_and_those_of_a_pool_begin_anew(self):
        daemon = self.serving(pool("pool", self.record(), "serve", events="REMOTE_COMMUNICATION"))
        self.send(daemon, "1")
        self.wait_events(1)
        daemon.supervisor.restart()
        wait_for(lambda: daemon.log_messages().count("INFO spawned: 'pool' with pid %s" % self.pid_in_log(daemon)) and
                 len([line for line in daemon.log_messages() if "spawned: 'pool'" in line]) == 2)
        wait_for(daemon.answers)
        daemon.connections = []
        daemon.wait_state("pool", "RUNNING")
        self.send(daemon, "2")
        self.assertEqual([(0, 0), (1, 0)], [(event.serial, event.pool_serial) for event in self.wait_events(2)])

    def pid_in_log(self, daemon):
        return re.findall(r"spawned: 'pool' with pid (\d+)", read(daemon.log))[-1]


class Protocol(EventCase):
    def listening(self, *actions, events="REMOTE_COMMUNICATION", **options):
        return self.serving(pool("pool", self.record(), *actions, events=events, **options))

    def wait_unknown(self, daemon, name="pool"):
        daemon.wait_log(UNKNOWN_LINE[5:] % name)

    def test_a_processed_event_in_the_log(self):
        daemon = self.listening("serve")
        daemon.wait_log("pool: ACKNOWLEDGED -> READY")
        self.send(daemon, "1")
        wait_for(lambda: len(self.protocol_log(daemon, "pool")) >= 5)
        self.assertEqual(["DEBG pool: ACKNOWLEDGED -> READY", "DEBG event 0 sent to listener pool",
                          "DEBG pool: event was processed", "DEBG pool: BUSY -> ACKNOWLEDGED",
                          "DEBG pool: ACKNOWLEDGED -> READY"], self.protocol_log(daemon, "pool"))

    def test_a_rejected_event_comes_again_before_others(self):
        daemon = self.listening("ready", "take", "await=" + self.path("go"), "fail", "serve")
        self.send(daemon, "1")
        self.wait_events(1)
        self.send(daemon, "2")
        write(self.path("go"), "")
        events = self.wait_events(3)
        self.assertEqual(["type:t\n1", "type:t\n1", "type:t\n2"], self.payloads())
        self.assertEqual([0, 0, 1], [event.serial for event in events])
        self.assertEqual(events[0].header, events[1].header)
        log = self.protocol_log(daemon, "pool")
        at = log.index("WARN pool: event was rejected")
        self.assertEqual(["WARN pool: event was rejected", "DEBG pool: BUSY -> ACKNOWLEDGED",
                          "DEBG rebuffering event 0 for pool pool (buf size=1, max=10)",
                          "DEBG pool: ACKNOWLEDGED -> READY", "DEBG event 0 sent to listener pool"], log[at:at + 5])

    def test_any_result_but_ok_is_a_rejection(self):
        for result in ("RESULT 3\\nOK\\n", "RESULT 0\\nREADY\\n", "RESULT 7\\nWHATEVR", "RESULT 2\\nok"):
            with self.subTest(result):
                directory = self.subdirectory(re.sub(r"\W", "_", result))
                daemon = self.prepare(pool("pool", "ready", "take", "say=" + result, "hang",
                                           events="REMOTE_COMMUNICATION"), directory=directory).start()
                daemon.wait_log("pool: ACKNOWLEDGED -> READY")
                daemon.wait_state("pool", "RUNNING")
                self.send(daemon, "1")
                daemon.wait_log("pool: event was rejected")
                daemon.stop()

    def test_results_as_they_may_be_written(self):
        for result in ("RESULT  2 \\nOK", "result 2\\nOK", "RESULT 002\\nOK"):
            with self.subTest(result):
                directory = self.subdirectory(re.sub(r"\W", "_", result))
                daemon = self.prepare(pool("pool", "ready", "take", "say=" + result, "hang",
                                           events="REMOTE_COMMUNICATION"), directory=directory).start()
                daemon.wait_log("pool: ACKNOWLEDGED -> READY")
                daemon.wait_state("pool", "RUNNING")
                self.send(daemon, "1")
                daemon.wait_log("pool: event was processed")
                daemon.stop()

    def test_bad_result_lines(self):
        for line in ("junk", "RESULT", "RESULT x", "RESULT2", "RESULT 1 2", "FOO 2"):
            with self.subTest(line):
                directory = self.subdirectory(re.sub(r"\W", "_", line))
                daemon = self.prepare(pool("pool", "ready", "take", "say=%s\\n" % line, "hang",
                                           events="REMOTE_COMMUNICATION"), directory=directory).start()
                daemon.wait_log("pool: ACKNOWLEDGED -> READY")
                daemon.wait_state("pool", "RUNNING")
                self.send(daemon, "1")
                daemon.wait_log("rebuffering event 0")
                log = self.protocol_log(daemon, "pool")
                self.assertEqual(["WARN pool: bad result line: '%s'" % line, "DEBG pool: BUSY -> UNKNOWN",
                                  UNKNOWN_LINE % "pool",
                                  "DEBG rebuffering event 0 for pool pool (buf size=0, max=10)"], log[-4:])
                self.assertEqual("RUNNING", daemon.state("pool"))
                daemon.stop()

    def test_garbage_instead_of_ready(self):
        daemon = self.listening("say=garbage", "hang")
        self.wait_unknown(daemon)
        self.assertEqual(["DEBG pool: ACKNOWLEDGED -> UNKNOWN", UNKNOWN_LINE % "pool"],
                         self.protocol_log(daemon, "pool"))
        self.send(daemon, "1")
        self.assertEqual("RUNNING", daemon.state("pool"))

    def test_garbage_after_ready(self):
        for text in ("READY\\nREADY\\n", "READY\\nx"):
            with self.subTest(text):
                directory = self.subdirectory(re.sub(r"\W", "_", text))
                daemon = self.prepare(pool("pool", "say=" + text, "hang", events="REMOTE_COMMUNICATION"),
                                      directory=directory).start()
                self.wait_unknown(daemon)
                self.assertEqual(["DEBG pool: ACKNOWLEDGED -> READY", "DEBG pool: READY -> UNKNOWN",
                                  UNKNOWN_LINE % "pool"], self.protocol_log(daemon, "pool"))
                daemon.stop()

    def test_a_restart_is_a_new_chance_and_nothing_was_lost(self):
        daemon = self.listening("once=" + self.path("done"), "say=garbage", "serve")
        self.wait_unknown(daemon)
        self.send(daemon, "1", "2")
        self.assertEqual([], self.events())
        daemon.supervisor.stopProcess("pool")
        daemon.supervisor.startProcess("pool")
        self.wait_events(2)
        self.assertEqual(["type:t\n1", "type:t\n2"], self.payloads())

    def test_ready_in_pieces(self):
        daemon = self.listening("say=REA", "await=" + self.path("go"), "say=DY\\n", "take", "hang")
        self.send(daemon, "1")
        write(self.path("go"), "")
        self.wait_events(1)
        self.assertNotIn("UNKNOWN", read(daemon.log))

    def test_results_in_pieces(self):
        for cut in (1, 7, 9, 10):
            with self.subTest(cut):
                text = "RESULT 2\nOK"
                first, second = (part.replace("\n", "\\n") for part in (text[:cut], text[cut:]))
                directory = self.subdirectory("cut%d" % cut)
                go = os.path.join(directory, "go")
                daemon = self.prepare(pool("pool", "ready", "take", "say=" + first, "error=said", "await=" + go,
                                           "say=" + second, "hang", events="REMOTE_COMMUNICATION"),
                                      directory=directory).start()
                daemon.wait_log("pool: ACKNOWLEDGED -> READY")
                daemon.wait_state("pool", "RUNNING")
                self.send(daemon, "1")
                wait_for(lambda: "said" in daemon.stderr("pool"))
                self.assertNotIn("processed", read(daemon.log))
                write(go, "")
                daemon.wait_log("pool: event was processed")
                daemon.stop()

    def test_more_than_the_result_is_what_comes_next(self):
        daemon = self.listening("ready", "take", "say=RESULT 2\\nOKREADY\\n", "take", "hang")
        self.send(daemon, "1", "2")
        self.wait_events(2)
        self.assertEqual(["type:t\n1", "type:t\n2"], self.payloads())

    def test_an_event_whose_listener_dies_comes_again(self):
        daemon = self.listening("ready", "take", "await=" + self.path("go"), "exit=1")
        self.send(daemon, "1")
        self.wait_events(1)
        write(self.path("go"), "")
        daemon.wait_state("pool", "EXITED")
        daemon.wait_log("rebuffering event 0 for pool pool (buf size=0, max=10)")
        os.unlink(self.path("go"))
        daemon.supervisor.startProcess("pool")
        events = self.wait_events(2)
        self.assertEqual(events[0], events[1])

    def test_a_full_buffer_loses_the_oldest(self):
        daemon = self.listening("ready", "take", "await=" + self.path("go"), "ok", "serve", buffer_size=3)
        self.send(daemon, "0")
        self.wait_events(1)
        self.send(daemon, *"12345")
        daemon.wait_log("discarding event 2")
        write(self.path("go"), "")
        self.wait_events(4)
        self.assertEqual(["type:t\n%s" % text for text in "0345"], self.payloads())
        self.assertEqual(["ERRO pool pool event buffer overflowed, discarding event 1",
                          "ERRO pool pool event buffer overflowed, discarding event 2"],
                         [line for line in daemon.log_messages() if line.startswith("ERRO")])

    def test_a_rejected_event_takes_the_place_of_the_oldest(self):
        daemon = self.listening("ready", "take", "await=" + self.path("go"), "fail", "serve", buffer_size=2)
        self.send(daemon, "0")
        self.wait_events(1)
        self.send(daemon, *"12")
        write(self.path("go"), "")
        self.wait_events(3)
        self.assertEqual(["type:t\n%s" % text for text in "002"], self.payloads())
        daemon.wait_log("pool pool event buffer overflowed, discarding event 1")

    def test_nothing_is_sent_before_the_listener_is_running(self):
        daemon = self.daemon(pool("pool", self.record(), "serve", events="REMOTE_COMMUNICATION", startsecs=1))
        daemon.wait_log("pool: ACKNOWLEDGED -> READY")
        self.send(daemon, "1")
        self.wait_events(1)
        log = read(daemon.log)
        self.assertLess(log.index("success: pool entered RUNNING"), log.index("event 0 sent"))


class Pools(EventCase):
    def test_events_go_to_whoever_is_free(self):
        daemon = self.serving(pool("pool", self.record("events%(process_num)d"), "ready", "take", "hang", numprocs=3,
                                   process_name="p%(process_num)d", events="REMOTE_COMMUNICATION"))
        for number in range(3):
            daemon.wait_log("p%d: ACKNOWLEDGED -> READY" % number)
        self.send(daemon, "1", "2", "3", "4")
        wait_for(lambda: sum(len(self.events("events%d" % number)) for number in range(3)) == 3)
        self.assertEqual({"type:t\n1", "type:t\n2", "type:t\n3"},
                         {payload for number in range(3) for payload in self.payloads("events%d" % number)})

    def test_another_listener_takes_over(self):
        daemon = self.serving(pool("pool", self.record("events%(process_num)d"), "ready", "take", "hang", numprocs=2,
                                   process_name="p%(process_num)d", events="REMOTE_COMMUNICATION"))
        for number in range(2):
            daemon.wait_log("p%d: ACKNOWLEDGED -> READY" % number)
        self.send(daemon, "1")
        first = wait_for(lambda: [number for number in range(2) if self.events("events%d" % number)])[0]
        daemon.supervisor.stopProcess("pool:p%d" % first)
        self.wait_events(1, "events%d" % (1 - first))
        self.assertEqual(self.events("events0")[0].header, self.events("events1")[0].header)

    def test_a_listener_that_reads_nothing_harms_nobody(self):
        daemon = self.serving(pool("pool1", "ready", "hang", events="REMOTE_COMMUNICATION")
                              + pool("pool2", self.record(), "serve", events="REMOTE_COMMUNICATION", buffer_size=50))
        daemon.wait_log("pool1: ACKNOWLEDGED -> READY")
        self.send(daemon, *["x" * 300000] * 5)
        self.wait_events(5)
        self.assertEqual({300007}, {len(payload) for payload in self.payloads()})
        self.assertEqual("RUNNING", daemon.state("pool1"))

    def test_a_listener_that_floods_stderr_is_served(self):
        daemon = self.serving(pool("pool", self.record(), "flood=3000000", "serve", events="REMOTE_COMMUNICATION",
                                   stderr_logfile=self.path("err"), stderr_logfile_maxbytes=0))
        self.send(daemon, "1")
        self.wait_events(1)
        wait_for(lambda: os.path.getsize(self.path("err")) == 3000000)

    def test_output_of_listeners_is_logged(self):
        daemon = self.serving(pool("pool", "error=hello", "ready", "hang", events="REMOTE_COMMUNICATION"))
        daemon.wait_stdout("pool", "READY\n")
        wait_for(lambda: daemon.stderr("pool") == "hello\n")

    def test_what_a_listener_says_is_no_log_event_but_its_errors_are(self):
        self.serving(pool("pool", self.record(), "error=me", "serve", events="PROCESS_LOG",
                          stdout_events_enabled="true", stderr_events_enabled="true")
                     + program("a", actor("print=up", "hang"), stdout_events_enabled="true"))
        self.wait_event("PROCESS_LOG_STDOUT", "processname:a ")
        self.assertRegex(self.wait_event("PROCESS_LOG_STDERR").payload,
                         r"^processname:pool groupname:pool pid:\d+ channel:stderr\nme\n$")
        self.assertEqual(2, len(self.events()))

    def test_pools_have_priority_minus_one(self):
        daemon = self.serving(pool("pool", "serve", events="TICK_5") + pool("pool2", "serve", events="TICK_5", priority=7))
        self.assertEqual({"pool": (-1, 999), "pool2": (7, 7)},
                         {info["group"]: (info["group_prio"], info["process_prio"])
                          for info in daemon.supervisor.getAllConfigInfo()})

    def test_listeners_are_ordinary_processes_to_clients(self):
        daemon = self.serving(pool("pool", "serve", events="TICK_5"))
        self.assertEqual("RUNNING", daemon.info("pool")["statename"])
        self.assertRegex(daemon.ctl("status").out, r"^pool +RUNNING +pid \d+, uptime ")

    def test_listeners_are_stopped_last(self):
        daemon = self.serving(pool("pool", "serve", events="TICK_5") + program("a", actor("hang"))
                              + program("b", actor("hang"), priority=1))
        for name in "ab":
            daemon.wait_state(name, "RUNNING")
        daemon.stop()
        self.assertEqual(["a", "b", "pool"], re.findall(r"stopped: (\w+)", read(daemon.log)))

    def test_a_pool_is_removed_and_added_with_an_event_in_flight(self):
        daemon = self.serving(pool("pool", self.record(), "ready", "take", "hang", events="REMOTE_COMMUNICATION"))
        self.send(daemon, "1", "2")
        self.wait_events(1)
        daemon.supervisor.stopProcess("pool")
        daemon.supervisor.removeProcessGroup("pool")
        self.send(daemon, "3")
        daemon.supervisor.addProcessGroup("pool")
        daemon.wait_state("pool", "RUNNING")
        self.send(daemon, "4")
        events = self.wait_events(2)
        self.assertEqual(["type:t\n1", "type:t\n4"], self.payloads())
        self.assertEqual([(0, 0), (2, 0)], [(event.serial, event.pool_serial) for event in events])

    def test_an_updated_pool_has_its_new_types(self):
        daemon = self.serving(pool("pool", self.record("old"), "serve", events="REMOTE_COMMUNICATION"))
        daemon.configure(pool("pool", self.record("new"), "serve", events="PROCESS_GROUP"))
        self.assertEqual("pool: stopped\npool: updated process group\n", daemon.ctl("update").out)
        daemon.wait_state("pool", "RUNNING")
        self.send(daemon, "1")
        self.assertEqual("groupname:pool\n", self.wait_events(1, "new")[0].payload)
        self.assertEqual(1, len(self.events("new")))
        self.assertEqual([], self.events("old"))


class Refusals(TestCase):
    def refused(self, *words, **options):
        options.setdefault("events", "EVENT")
        answer = self.refuse(section("eventlistener:x", command=LISTENER + " serve",
                                     **{key: value for key, value in options.items() if value is not None}))
        self.assertEqual(2, answer.code)
        self.assertTrue(answer.err.startswith("Error: "), answer.err)
        for word in words + ("[eventlistener:x]",):
            self.assertIn(word, answer.err)

    def test_stderr_in_the_protocol(self):
        self.refused("redirect_stderr", redirect_stderr="true")

    def test_other_result_handlers(self):
        self.refused("nobody:nothing cannot be resolved", result_handler="nobody:nothing")

    def test_no_events(self):
        self.refused("events", events=None)

    def test_an_unknown_type_of_event(self):
        self.refused("NO_SUCH", events="TICK_5,NO_SUCH")

    def test_no_buffer(self):
        self.refused("buffer_size", "0", buffer_size=0)

    def test_what_is_not_refused(self):
        daemon = self.daemon(pool("x", "serve", events="TICK_5", stdout_capture_maxbytes="1MB",
                                  stderr_capture_maxbytes="1MB", stdout_events_enabled="true",
                                  result_handler="supervisor.dispatchers:default_handler"))
        daemon.wait_log("x: ACKNOWLEDGED -> READY")
        info = daemon.supervisor.getAllConfigInfo()[0]
        self.assertEqual((1 << 20, True), (info["stdout_capture_maxbytes"], info["stdout_events_enabled"]))
