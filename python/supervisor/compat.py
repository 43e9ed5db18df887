"""Names that programs import which once ran with Python 2 as well."""

import http.client as httplib  # noqa: F401
import urllib.parse as urlparse  # noqa: F401
import xmlrpc.client as xmlrpclib  # noqa: F401
from io import StringIO  # noqa: F401

PY2 = False


def as_bytes(s, encoding="utf8"):
    return s if isinstance(s, bytes) else s.encode(encoding)


def as_string(s, encoding="utf8"):
    return s if isinstance(s, str) else s.decode(encoding)
