"""The original's supervisorctl with our supervisord, and ours with the original's: both print and end as the original's
two programs do with each other, line for line, for every action."""

import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "conformance"))

import ctl_compare
from harness import SUPERVISORCTL, SUPERVISORD, TestCase, time_limit

ORIGINAL_CTL, ORIGINAL_DAEMON = "/usr/bin/supervisorctl", "/usr/bin/supervisord"
PARTS = 4  # so that they run side by side


@time_limit(600)
class Supervisorctl(TestCase):
    def setUp(self):
        super().setUp()
        tempfile.tempdir = self.dir

    def compare_part(self, number):
        cases = ctl_compare.CASES
        part = cases[len(cases) * number // PARTS:len(cases) * (number + 1) // PARTS]
        pairs = [(ORIGINAL_CTL, ORIGINAL_DAEMON), (ORIGINAL_CTL, SUPERVISORD), (SUPERVISORCTL, ORIGINAL_DAEMON)]
        for (same, results), case in zip(ctl_compare.compare(pairs, part), part):
            with self.subTest(case):
                self.assertTrue(same, "\n".join(map(repr, results)))


def add_tests():
    def make(number):
        return lambda self: self.compare_part(number)

    for number in range(PARTS):
        setattr(Supervisorctl, "test_command_lines_%d_of_%d" % (number + 1, PARTS), make(number))


add_tests()
