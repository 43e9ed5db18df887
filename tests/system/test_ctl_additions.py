"""What supervisorctl can do beyond the original."""

import json
import time

from harness import TestCase, actor, program


class Additions(TestCase):
    def setUp(self):
        super().setUp()
        self.it = self.daemon(program("web", actor("hang"), numprocs=3, process_name="web_%(process_num)02d")
                              + program("off", actor("hang"), autostart="false"))
        self.it.wait_state("web:web_02", "RUNNING")

    def test_status_as_json(self):
        answer = self.it.ctl("status", "--json")
        self.assertEqual(3, answer.code)
        found = json.loads(answer.out)
        self.assertEqual({"off": "STOPPED", "web_00": "RUNNING", "web_01": "RUNNING", "web_02": "RUNNING"},
                         {process["name"]: process["statename"] for process in found})

    def test_patterns(self):
        answer = self.it.ctl("status", "web:*_0[01]")
        self.assertEqual(["web:web_00", "web:web_01"], [line.split()[0] for line in answer.out.splitlines()])
        answer = self.it.ctl("stop", "web:*_0?")
        self.assertEqual(["web:web_00: stopped", "web:web_01: stopped", "web:web_02: stopped"],
                         sorted(answer.out.splitlines()))

    def test_many_names_are_started_side_by_side(self):
        daemon = self.daemon("".join(program("p%d" % number, actor("hang"), autostart="false", startsecs=1)
                                     for number in range(5)), directory=self.subdirectory("many"))
        began = time.monotonic()
        answer = daemon.ctl("start", *["p%d" % number for number in range(5)])
        self.assertLess(time.monotonic() - began, 3.5)
        self.assertEqual((0, ["p%d: started" % number for number in range(5)]),
                         (answer.code, sorted(answer.out.splitlines())))
