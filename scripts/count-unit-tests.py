"""Counts the cases in Meson's log of cmocka programs: count-unit-tests.py meson-logs/testlog.json

cmocka reports each case on stderr; Meson keeps that beside the result, one JSON object for each program.
A program that failed without naming a case (a crash, a sanitizer's finding) counts as one failure.
"""

import json
import os
import re
import sys

passed = failed = 0
if not os.path.exists(sys.argv[1]):
    sys.exit("no unit test was run")
with open(sys.argv[1], encoding="utf-8") as log:
    for line in log:
        program = json.loads(line)
        text = program.get("stdout", "") + program.get("stderr", "")
        cases_failed = sum(map(int, re.findall(r"\[  FAILED  \] (\d+) test\(s\)", text)))
        passed += sum(map(int, re.findall(r"\[  PASSED  \] (\d+) test\(s\)", text)))
        failed += cases_failed or int(program["result"] not in ("OK", "SKIP", "EXPECTEDFAIL"))
print(f"{passed} passed, {failed} failed")
