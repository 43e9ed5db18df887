"""XML-RPC: faults, and a transport that reaches the daemon over TCP or its UNIX socket.

    transport = SupervisorTransport(None, None, "unix:///run/supervisor.sock")
    proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
"""

import base64
import http.client
import socket
import urllib.parse
import xmlrpc.client

from supervisor.http import NOT_DONE_YET  # noqa: F401 (is imported from here, too)


class Faults:
    UNKNOWN_METHOD = 1
    INCORRECT_PARAMETERS = 2
    BAD_ARGUMENTS = 3
    SIGNATURE_UNSUPPORTED = 4
    SHUTDOWN_STATE = 6
    BAD_NAME = 10
    BAD_SIGNAL = 11
    NO_FILE = 20
    NOT_EXECUTABLE = 21
    FAILED = 30
    ABNORMAL_TERMINATION = 40
    SPAWN_ERROR = 50
    ALREADY_STARTED = 60
    NOT_RUNNING = 70
    SUCCESS = 80
    ALREADY_ADDED = 90
    STILL_RUNNING = 91
    CANT_REREAD = 92


def getFaultDescription(code):
    """The name of a fault, with those that an extension has added to Faults; "UNKNOWN" for a number that is none."""
    return next((name for name, value in vars(Faults).items() if name.isupper() and value == code), "UNKNOWN")


class RPCError(Exception):
    """Raised by a method, it is what the client gets as a fault."""

    def __init__(self, code, extra=None):
        super().__init__(code, extra)
        self.code = code
        self.text = getFaultDescription(code)
        if extra is not None:
            self.text += ": %s" % extra

    def __str__(self):
        return "code=%r, text=%r" % (self.code, self.text)


def capped_int(value):
    """As int(), with what XML-RPC's four bytes cannot hold brought to the nearest that they can."""
    return max(xmlrpc.client.MININT, min(xmlrpc.client.MAXINT, int(value)))


class UnixStreamHTTPConnection(http.client.HTTPConnection):
    """HTTP over a UNIX socket, whose path is `socketfile`."""

    socketfile = None

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        if self.timeout is not socket._GLOBAL_DEFAULT_TIMEOUT:
            self.sock.settimeout(self.timeout)
        self.sock.connect(self.socketfile)


class SupervisorTransport(xmlrpc.client.Transport):
    """Reaches the daemon at `serverurl` (http://host:port or unix:///path), whatever URL the proxy was given.

    The connection is kept from one call to the next, and made anew when the daemon has closed it meanwhile.
    """

    _KINDS = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}

    def __init__(self, username=None, password=None, serverurl=None):
        super().__init__()
        self.username = username
        self.password = password
        self.serverurl = serverurl
        self.verbose = False
        url = urllib.parse.urlsplit(serverurl or "")
        if url.scheme == "unix" and url.path.startswith("/"):
            self._make = self._connect_to_unix_socket
        elif url.scheme in self._KINDS and url.hostname:
            self._make = lambda: self._KINDS[url.scheme](url.hostname, url.port)
        else:
            raise ValueError("Unknown protocol for serverurl %s" % serverurl)

    def _connect_to_unix_socket(self):
        connection = UnixStreamHTTPConnection("localhost")
        connection.socketfile = urllib.parse.unquote(self.serverurl[len("unix://"):])
        return connection

    def make_connection(self, host):
        if self._connection[1] is None:
            self._connection = host, self._make()
        return self._connection[1]

    def send_headers(self, connection, headers):
        if self.username:
            account = "%s:%s" % (self.username, self.password or "")
            headers = headers + [("Authorization", "Basic " + base64.b64encode(account.encode()).decode("ascii"))]
        super().send_headers(connection, headers)
