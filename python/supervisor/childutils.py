"""For event listeners, and for programs that talk to the daemon that runs them.

    while True:
        headers, payload = childutils.listener.wait()
        ...
        childutils.listener.ok()

An event's length is in bytes, so that listeners on the real stdin read bytes and decode them afterwards. Streams of
text that are handed in are read by characters.
"""

import sys
import time
import xmlrpc.client

from supervisor.events import ProcessCommunicationEvent
from supervisor.xmlrpc import SupervisorTransport


def getRPCTransport(env):
    """A transport to the daemon that has started this program, which `env` (os.environ) knows of."""
    return SupervisorTransport(env.get("SUPERVISOR_USERNAME", ""), env.get("SUPERVISOR_PASSWORD", ""),
                               env["SUPERVISOR_SERVER_URL"])


def getRPCInterface(env):
    # The transport knows where the daemon is, and a UNIX socket's URL is none that ServerProxy takes.
    return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=getRPCTransport(env))


def get_headers(line):
    """From "a:b c:d" to a dictionary."""
    return dict(pair.split(":") for pair in line.split())


def eventdata(payload):
    """The headers in the first line of a payload, and what comes after it."""
    line, data = payload.split("\n", 1)
    return get_headers(line), data


def get_asctime(now=None):
    """A time as in log files: local, with milliseconds. Seconds since 1970, or what the clock says."""
    now = time.time() if now is None else now
    milliseconds = int((now - int(now)) * 1000)
    return "%s,%03d" % (time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now)), milliseconds)


def _write(stream, text):
    """To the bytes below a stream where there are some, so that locales and newlines have no say."""
    binary = getattr(stream, "buffer", None)
    if binary is None:
        stream.write(text)
    else:
        stream.flush()  # what was written before it comes before it
        binary.write(text.encode("utf-8", "surrogateescape"))
    stream.flush()


def _read_event(stream):
    """The header line and the payload. The header is what says how much there is to read."""
    binary = getattr(stream, "buffer", None)
    source = stream if binary is None else binary
    line = source.readline()
    headers = get_headers(line if binary is None else line.decode("utf-8", "surrogateescape"))
    payload = source.read(int(headers["len"]))
    return headers, payload if binary is None else payload.decode("utf-8", "surrogateescape")


class ProcessCommunicationsProtocol:
    """Sends PROCESS_COMMUNICATION events: the program needs stdout_capture_maxbytes or stderr_capture_maxbytes."""

    def send(self, msg, fp=None):
        text = msg.decode("utf-8", "surrogateescape") if isinstance(msg, bytes) else msg
        _write(sys.stdout if fp is None else fp,
               ProcessCommunicationEvent.BEGIN_TOKEN.decode() + text + ProcessCommunicationEvent.END_TOKEN.decode())

    def stdout(self, msg):
        self.send(msg, sys.stdout)

    def stderr(self, msg):
        self.send(msg, sys.stderr)


class EventListenerProtocol:
    """What a listener says and reads. Each function uses the standard streams unless it is given others."""

    def wait(self, stdin=None, stdout=None):
        """Says that an event is welcome, and waits for one: (headers, payload)."""
        self.ready(stdout)
        return _read_event(sys.stdin if stdin is None else stdin)

    def ready(self, stdout=None):
        _write(sys.stdout if stdout is None else stdout, "READY\n")

    def ok(self, stdout=None):
        self.send("OK", stdout)

    def fail(self, stdout=None):
        """The event was not processed, and is to come again."""
        self.send("FAIL", stdout)

    def send(self, data, stdout=None):
        _write(sys.stdout if stdout is None else stdout, "RESULT %d\n%s" % (len(data.encode("utf-8")), data))


pcomm = ProcessCommunicationsProtocol()
listener = EventListenerProtocol()
