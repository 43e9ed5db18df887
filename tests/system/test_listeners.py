"""Event listeners: speed, shutdown, and what the original gets wrong."""

import os
import re
import sys
import time

from harness import TestCase, actor, alone, events_of, pool, program, read, section, time_limit, wait_for, write


class ListenerCase(TestCase):
    def record(self, name="events"):
        return "record=" + self.path(name)

    def events(self, name="events"):
        return events_of(self.path(name))

    def payloads(self, name="events"):
        return [event.payload for event in self.events(name)]

    def wait_events(self, count, name="events", timeout=15):
        wait_for(lambda: len(self.events(name)) >= count, timeout, "%d events" % count)
        return self.events(name)


class Shutdown(ListenerCase):
    def test_a_listener_alone_is_told(self):
        daemon = self.daemon(pool("pool", self.record(), "serve", events="SUPERVISOR_STATE_CHANGE_STOPPING"))
        daemon.wait_log("pool: ACKNOWLEDGED -> READY")
        daemon.stop()
        self.assertEqual(["SUPERVISOR_STATE_CHANGE_STOPPING"], [event.name for event in self.events()])

    def test_listeners_hear_of_the_end_of_everybody_else(self):
        daemon = self.daemon(pool("pool", self.record(), "serve", events="PROCESS_STATE_STOPPED", buffer_size=1000)
                             + program("a", actor("hang"), numprocs=100, process_name="a%(process_num)d"))
        daemon.wait_log("pool: ACKNOWLEDGED -> READY")
        wait_for(lambda: all(info["statename"] == "RUNNING" for info in daemon.supervisor.getAllProcessInfo()))
        daemon.stop()
        self.assertEqual({"a%d" % number for number in range(100)},
                         {re.match(r"processname:(\S+)", payload)[1] for payload in self.payloads()})

    def test_a_listener_that_hangs_holds_up_a_shutdown_for_two_seconds_at_most(self):
        daemon = self.daemon(pool("pool", self.record(), "ready", "take", "hang", events="REMOTE_COMMUNICATION"))
        daemon.wait_log("pool: ACKNOWLEDGED -> READY")
        daemon.wait_state("pool", "RUNNING")
        daemon.supervisor.sendRemoteCommEvent("t", "1")
        self.wait_events(1)
        started = time.monotonic()
        daemon.stop()
        self.assertGreater(time.monotonic() - started, 1.5)
        self.assertLess(time.monotonic() - started, 8)

    def test_a_broken_listener_holds_up_nothing(self):
        daemon = self.daemon(pool("pool", "say=garbage", "hang", events="SUPERVISOR_STATE_CHANGE"))
        daemon.wait_log("pool: ACKNOWLEDGED -> UNKNOWN")
        started = time.monotonic()
        daemon.stop()
        self.assertLess(time.monotonic() - started, 1.5)


class Bytes(ListenerCase):
    def test_length_counts_bytes(self):
        daemon = self.daemon(pool("pool", self.record(), "serve", events="REMOTE_COMMUNICATION"))
        daemon.wait_log("pool: ACKNOWLEDGED -> READY")
        daemon.supervisor.sendRemoteCommEvent("t", "gr\u00fc\u20ac")
        daemon.supervisor.sendRemoteCommEvent("t", "next")
        events = self.wait_events(2)
        self.assertEqual(["type:t\ngr\u00fc\u20ac", "type:t\nnext"], self.payloads())
        self.assertTrue(events[0].header.endswith(" len:14"), events[0].header)

    def test_length_counts_characters_when_asked_to(self):
        """For a listener in text mode, such as this one."""
        script = self.path("listener.py")
        write(script, """import sys
log = open(sys.argv[1], "a", encoding="utf-8")
while True:
    print("READY", flush=True)
    fields = dict(token.split(":") for token in sys.stdin.readline().split())
    print(fields["len"], sys.stdin.read(int(fields["len"])), sep="|", end="|", file=log, flush=True)
    print("RESULT 2\\nOK", end="", flush=True)
""")
        daemon = self.daemon(section("eventlistener:l", command="%s %s %s" % (sys.executable, script, self.path("out")),
                                     events="REMOTE_COMMUNICATION", len_in_characters="true", startsecs=0,
                                     environment='PYTHONIOENCODING="utf-8"'))
        daemon.wait_log("l: ACKNOWLEDGED -> READY")
        for text in ("gr\u00fc\u20ac\U0001f600", "", "next"):
            daemon.supervisor.sendRemoteCommEvent("t", text)
        wait_for(lambda: read(self.path("out")) == "12|type:t\ngr\u00fc\u20ac\U0001f600|7|type:t\n|11|type:t\nnext|")

    def test_output_comes_byte_for_byte(self):
        self.daemon(pool("pool", self.record(), "serve", events="PROCESS_LOG")
                    + program("a", """sh -c "printf 'a\\\\377\\\\303\\\\274'; exec sleep 100" """,
                              stdout_events_enabled="true"))
        event = self.wait_events(1)[0]
        self.assertRegex(event.payload, "^processname:a groupname:a pid:\\d+ channel:stdout\na\udcff\u00fc$")
        self.assertTrue(event.header.endswith(" len:%d" % len(event.payload.encode(errors="surrogateescape"))))


class Protocol(ListenerCase):
    def test_a_type_that_is_named_twice_comes_once(self):
        daemon = self.daemon(pool("pool", self.record(), "serve", events="PROCESS_GROUP,PROCESS_GROUP_ADDED,TICK_5"))
        daemon.wait_log("pool: event was processed")
        daemon.wait_log("BUSY -> ACKNOWLEDGED")
        self.assertEqual(1, len(self.events()))

    def test_a_listener_that_closed_its_stdin_is_tried_once(self):
        daemon = self.daemon(pool("pool", "ready", "close=0", "error=closed", "hang", events="REMOTE_COMMUNICATION"))
        wait_for(lambda: "closed" in daemon.stderr("pool"))
        daemon.wait_state("pool", "RUNNING")
        for text in "12":
            daemon.supervisor.sendRemoteCommEvent("t", text)
        self.assertEqual(1, read(daemon.log).count("epipe occurred while sending event 0 to listener pool"))
        self.assertNotIn("UNKNOWN", read(daemon.log))

    def test_results_that_nobody_can_give(self):
        for result in ("RESULT -2\\nOK", "RESULT 99999999999999999999\\nOK", "x" * 70):
            with self.subTest(result):
                directory = self.subdirectory(re.sub(r"\W", "_", result)[:20])
                daemon = self.prepare(pool("pool", "ready", "take", "say=" + result, "hang",
                                           events="REMOTE_COMMUNICATION"), directory=directory).start()
                daemon.wait_log("pool: ACKNOWLEDGED -> READY")
                daemon.wait_state("pool", "RUNNING")
                daemon.supervisor.sendRemoteCommEvent("t", "1")
                daemon.wait_log("pool: BUSY -> UNKNOWN")
                daemon.stop()

    def test_a_listener_that_answers_without_reading_is_given_up(self):
        lie = "say=RESULT 2\\nOKREADY\\n"
        daemon = self.daemon(pool("pool", "ready", "await=" + self.path("first"), lie, "await=" + self.path("second"),
                                  lie, "hang", events="REMOTE_COMMUNICATION"))
        daemon.wait_log("pool: ACKNOWLEDGED -> READY")
        daemon.wait_state("pool", "RUNNING")
        for number, name in enumerate(("first", "second")):
            daemon.supervisor.sendRemoteCommEvent("t", "x" * 7000000)
            daemon.wait_log("event %d sent to listener pool" % number)
            write(self.path(name), "")
            wait_for(lambda: read(daemon.log).count("pool: BUSY -> ACKNOWLEDGED") == number + 1)
        daemon.supervisor.sendRemoteCommEvent("t", "x" * 7000000)
        daemon.wait_log("pool: pool does not read its stdin")
        daemon.wait_log("pool: READY -> UNKNOWN")
        daemon.wait_log("rebuffering event 2")

    def test_a_listener_that_dies_with_every_event_does_not_keep_the_machine_busy(self):
        daemon = self.daemon(pool("pool", "ready", "take", "exit=1", events="REMOTE_COMMUNICATION", autorestart="true"))
        daemon.wait_state("pool", "RUNNING")
        daemon.supervisor.sendRemoteCommEvent("t", "1")
        wait_for(lambda: read(daemon.log).count("event 0 sent to listener pool") > 5)
        started = time.monotonic()
        before = read(daemon.log).count("event 0 sent")
        wait_for(lambda: read(daemon.log).count("event 0 sent") > before + 20)
        self.assertGreater(time.monotonic() - started, 0.15)

    def test_a_listener_that_rejects_everything_is_asked_as_often_as_it_says_ready(self):
        daemon = self.daemon(pool("pool", self.record(), "ready", "take", "fail", "ready", "take", "fail", "hang",
                                  events="REMOTE_COMMUNICATION"))
        daemon.wait_log("pool: ACKNOWLEDGED -> READY")
        daemon.wait_state("pool", "RUNNING")
        daemon.supervisor.sendRemoteCommEvent("t", "1")
        wait_for(lambda: read(daemon.log).count("event was rejected") == 2)
        self.assertEqual(2, len(self.events()))


class Ticks(ListenerCase):
    def timers(self, daemon):
        """What the timers of the daemon's clock wait for: seconds, 0 for one that is not armed."""
        found = []
        for fd in os.listdir("/proc/%d/fdinfo" % daemon.pid):
            match = re.search(r"it_value: \((\d+), (\d+)\)", read("/proc/%d/fdinfo/%s" % (daemon.pid, fd)))
            if match:
                found.append(int(match[1]) + int(match[2]) / 1e9)
        return found

    def test_a_timer_runs_only_while_somebody_wants_ticks(self):
        daemon = self.daemon(program("a", actor("hang")))
        self.assertEqual([0], self.timers(daemon))
        daemon.configure(pool("pool", "serve", events="TICK_60"))
        daemon.ctl("update")
        wait_for(lambda: self.timers(daemon)[0] > 0)
        self.assertLessEqual(self.timers(daemon)[0], 61)
        daemon.configure()
        daemon.ctl("update")
        self.assertEqual([0], self.timers(daemon))


class Load(ListenerCase):
    @alone
    @time_limit(120)
    def test_ten_thousand_events_a_second_reach_four_listeners(self):
        """20,000 events in two seconds, none lost or doubled, while clients are answered."""
        count, batch = 20000, 500
        daemon = self.daemon(pool("pool", self.record("events%(process_num)d"), "serve", numprocs=4,
                                  process_name="p%(process_num)d", events="REMOTE_COMMUNICATION", buffer_size=count),
                             supervisord={"loglevel": "info"})
        wait_for(lambda: all(info["statename"] == "RUNNING" for info in daemon.supervisor.getAllProcessInfo()))
        begun = time.monotonic()
        slowest = 0
        for start in range(0, count, batch):
            daemon.rpc.system.multicall([{"methodName": "supervisor.sendRemoteCommEvent",
                                          "params": ["t", str(start + i)]} for i in range(batch)])
            asked = time.monotonic()
            if start % (batch * 10) == 0:
                self.assertEqual(4, daemon.ctl("status").out.count("RUNNING"))
                slowest = max(slowest, time.monotonic() - asked)
            time.sleep(max(0, begun + (start + batch) / 10000 - time.monotonic()))

        def taken():
            return [payload for number in range(4) for payload in self.payloads("events%d" % number)]
        wait_for(lambda: sum(read(self.path("events%d" % number)).count("\n") for number in range(4)) == 2 * count, 60)
        self.assertEqual(sorted("type:t\n%d" % number for number in range(count)), sorted(taken()))
        self.assertLess(slowest, 5)
        self.assertNotIn("discarding", read(daemon.log))
