"""The Python package: the original's and ours say and do the same."""

import os

from harness import TestCase, run

HERE = os.path.dirname(os.path.abspath(__file__))
OUR_PACKAGE = os.path.normpath(os.path.join(HERE, "..", "..", "python"))
PYTHON = "/usr/bin/python3"  # which has Debian's package


class Package(TestCase):
    def probe(self, path):
        answer = run(PYTHON, os.path.join(HERE, "package_probe.py"),
                     environment={"PYTHONPATH": path, "TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1"})
        self.assertEqual((0, ""), (answer.code, answer.err))
        return answer.out.splitlines()

    def test_ours_is_as_the_originals(self):
        original, ours = self.probe(""), self.probe(OUR_PACKAGE)
        self.assertGreater(len(original), 100)
        self.assertEqual(original, ours)
