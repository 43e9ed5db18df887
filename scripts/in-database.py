"""Prints those of the given source files that the build compiles: in-database.py COMPILE_COMMANDS.json FILE..."""

import json
import os
import sys

compiled = {
    os.path.realpath(os.path.join(entry["directory"], entry["file"]))
    for entry in json.load(open(sys.argv[1], encoding="utf-8"))
}
print("\n".join(name for name in sys.argv[2:] if os.path.realpath(name) in compiled))
