"""Messages to and from the daemon."""

import itertools
import json
import queue
import struct
import threading

from supervisor.plugin_host import values
from supervisor.xmlrpc import RPCError

_LENGTH = struct.Struct(">I")
FRAME_MAX = 16 * 1024 * 1024  # as in the daemon


class Channel:
    """The socket. Any thread may send; one receives."""

    def __init__(self, sock):
        self._socket = sock
        self._stream = sock.makefile("rb")
        self._sending = threading.Lock()

    def send(self, op, **members):
        """The daemon's end is this program's: the receiving thread sees to it, so here it goes unnoticed."""
        text = json.dumps(dict(members, op=op), separators=(",", ":"), allow_nan=False).encode("utf-8")
        if len(text) > FRAME_MAX:
            raise values.Unsendable("more than %d MB" % (FRAME_MAX // 1024 // 1024))
        with self._sending:
            try:
                self._socket.sendall(_LENGTH.pack(len(text)) + text)
            except OSError:
                pass

    def receive(self):
        """The next message, or None at the end."""
        try:
            head = self._stream.read(_LENGTH.size)
            if len(head) < _LENGTH.size:
                return None
            length, = _LENGTH.unpack(head)
            text = self._stream.read(length)
            return json.loads(text) if len(text) == length else None
        except OSError:
            return None


class Fault(RPCError):
    """A fault that came from the daemon, with its text as it was."""

    def __init__(self, code, text):
        super().__init__(code)
        self.text = text


class Calls:
    """Calls of the daemon's methods, each of which a thread waits for."""

    def __init__(self, channel):
        self._channel = channel
        self._numbers = itertools.count(1)
        self._waiting = {}

    def call(self, method, params):
        number = next(self._numbers)
        mailbox = self._waiting[number] = queue.SimpleQueue()
        try:
            self._channel.send("call", id=number, method=method, params=[values.encode(item) for item in params])
            message = mailbox.get()
        finally:
            del self._waiting[number]
        if message["op"] == "fault":
            raise Fault(message["code"], values.decode(message["text"]))
        return values.decode(message["value"])

    def take(self, message):
        """An answer or a fault has come."""
        mailbox = self._waiting.get(message["id"])
        if mailbox is not None:
            mailbox.put(message)
