"""The methods of an extension: which they are, what is told of them, and how they run."""

import inspect
import re
import time

from supervisor.http import NOT_DONE_YET
from supervisor.xmlrpc import Faults, RPCError

# Types that docstrings use, and what XML-RPC calls them.
_TYPES = {"nil": "nil", "none": "nil", "int": "int", "integer": "int", "boolean": "boolean", "bool": "boolean",
          "double": "double", "float": "double", "string": "string", "str": "string", "datetime": "dateTime.iso8601",
          "base64": "base64", "bytes": "base64", "array": "array", "list": "array", "tuple": "array",
          "struct": "struct", "dict": "struct"}
PAUSE_MIN = 0.01  # seconds between two looks at an answer that is not there yet


def find_methods(interface):
    """Bound methods by name, but for those whose names begin with an underscore."""
    found = {}
    for name in dir(interface):
        if not name.startswith("_"):
            value = getattr(interface, name, None)
            if inspect.ismethod(value):
                found[name] = value
    return found


def _signature(help):
    """Types of the result and of the parameters, from @return and @param; "" without a @return."""
    def types(tag):
        return [_TYPES.get(word.lower(), "string") for word in re.findall(r"^\s*@%s\s+(\S+)" % tag, help, re.M)]

    return " ".join(types("return")[:1] + types("param")) if types("return") else ""


def describe(methods):
    """What the daemon is told of them."""
    described = []
    for name, method in methods.items():
        help = method.__doc__ or ""
        described.append({"name": name, "help": help, "signature": _signature(help)})
    return described


def check_parameters(method, params):
    try:
        signature = inspect.signature(method)
    except ValueError:  # it does not tell
        return
    try:
        signature.bind(*params)
    except TypeError:
        raise RPCError(Faults.INCORRECT_PARAMETERS) from None


def run(method, params, is_wanted):
    """The method's result; for one that answers later, what it says when it does. None when nobody waits for it."""
    check_parameters(method, params)
    result = method(*params)
    if not (callable(result) and hasattr(result, "delay")):
        return result
    while is_wanted():
        value = result()
        if value is not NOT_DONE_YET:
            return value
        time.sleep(max(float(result.delay), PAUSE_MIN))
    return None
