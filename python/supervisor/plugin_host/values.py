"""XML-RPC values as JSON.

What JSON lacks is an object with one member: {"$base64": text}, {"$datetime": text}; from the daemon also
{"$text": base64} for text that is not UTF-8. An object that could be taken for one of these is {"$struct": object}.
"""

import base64
import datetime
import math
import xmlrpc.client

DEPTH_MAX = 100
INTEGER_MAX = 2 ** 63


class Unsendable(Exception):
    """A value that XML-RPC has no place for."""


def _encode_integer(number):
    if not -INTEGER_MAX <= number < INTEGER_MAX:
        raise Unsendable("an integer of more than 64 bits")
    return int(number)


def _encode_double(number):
    if not math.isfinite(number):
        raise Unsendable("%r" % float(number))
    return float(number)


def _encode_text(text):
    return str(text).encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair is no text


def _encode_key(key):
    if not isinstance(key, str):
        raise Unsendable("a dictionary with a key that is no text: %.100r" % (key,))
    return _encode_text(key)


def _encode_struct(record, depth):
    members = {_encode_key(key): encode(value, depth + 1) for key, value in record.items()}
    return {"$struct": members} if any(key.startswith("$") for key in members) else members


_SCALARS = (
    (bool, bool),
    (int, _encode_integer),
    (float, _encode_double),
    (str, _encode_text),
    ((bytes, bytearray), lambda data: {"$base64": base64.b64encode(data).decode("ascii")}),
    (xmlrpc.client.Binary, lambda binary: encode(binary.data)),
    (xmlrpc.client.DateTime, lambda time: {"$datetime": _encode_text(time.value)}),
    (datetime.datetime, lambda time: {"$datetime": time.strftime("%Y%m%dT%H:%M:%S")}),
)


def encode(value, depth=0):
    """From a value of Python's to one of JSON's."""
    if value is None:
        return None
    for types, function in _SCALARS:
        if isinstance(value, types):
            return function(value)
    if depth > DEPTH_MAX:
        raise Unsendable("a value that is nested too deeply, or has itself in it")
    if isinstance(value, (list, tuple)):
        return [encode(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return _encode_struct(value, depth)
    raise Unsendable("an object of type %s" % type(value).__name__)


_TAGS = {
    "$base64": base64.b64decode,
    "$text": lambda text: base64.b64decode(text).decode("utf-8", "replace"),  # what is not UTF-8
    "$datetime": xmlrpc.client.DateTime,
    "$struct": lambda members: {key: decode(item) for key, item in members.items()},
}


def decode(value):
    """The other way round."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (key, content), = value.items()
        if key in _TAGS:
            return _TAGS[key](content)
    return {key: decode(item) for key, item in value.items()}
