"""minfds and minprocs: limits that are raised, or that cannot be (manual 1.4.4)."""

import re

from harness import TestCase, not_wrapped, program, read


class Limits(TestCase):
    def limit(self, pid, name):
        """The soft limit."""
        return int(re.search(r"^%s +(\d+)" % name, read("/proc/%d/limits" % pid), re.M).group(1))

    @not_wrapped("valgrind keeps descriptors, and the limit, to itself")
    def test_minfds_raises_the_limit(self):
        daemon = self.prepare(supervisord={"minfds": 700})
        daemon.prefix = ["prlimit", "--nofile=256:4096"]
        daemon.start()
        self.assertGreaterEqual(self.limit(daemon.pid, "Max open files"), 700)

    def test_minprocs_raises_the_limit(self):
        daemon = self.prepare(supervisord={"minprocs": 600})
        daemon.prefix = ["prlimit", "--nproc=500:5000"]
        daemon.start()
        self.assertGreaterEqual(self.limit(daemon.pid, "Max processes"), 600)

    def test_limit_that_cannot_be_had_refuses_the_start(self):
        answer = self.refuse(supervisord={"minfds": 1 << 40})
        self.assertEqual(2, answer.code)
        self.assertIn("minfds", answer.err)

    @not_wrapped("valgrind keeps descriptors, and the limit, to itself")
    def test_satisfied_limit_is_left_alone(self):
        daemon = self.prepare(supervisord={"minfds": 300})
        daemon.prefix = ["prlimit", "--nofile=2000:4000"]
        daemon.start()
        self.assertIn(self.limit(daemon.pid, "Max open files"), (2000, 4000))
