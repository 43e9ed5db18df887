"""An extension in Python for tests/system/test_python_plugins.py, with good methods and bad ones."""

import datetime
import os
import signal
import socket
import struct
import sys
import threading
import time
import xmlrpc.client

from supervisor import events
from supervisor.http import NOT_DONE_YET
from supervisor.rpcinterface import SupervisorNamespaceRPCInterface
from supervisor.xmlrpc import Faults, RPCError

SOCKET = 3


def make_loop():
    loop = []
    loop.append(loop)
    return loop


def make_deep():
    value = 1
    for _ in range(50):
        value = [value]
    return value


VALUES = {
    "object": object, "huge integer": lambda: 2 ** 70, "nan": lambda: float("nan"), "infinity": lambda: float("inf"),
    "loop": make_loop, "key": lambda: {1: 2}, "set": lambda: {1}, "huge": lambda: "x" * (17 * 1024 * 1024),
    "deep": make_deep, "long": lambda: "y" * 1000000, "tuple": lambda: (1, "two"), "surrogate": lambda: "a\ud800b",
    "datetime": lambda: datetime.datetime(2026, 1, 2, 3, 4, 5), "nil": lambda: None, "bytes": lambda: b"\0\xff",
}


class Unruly:
    def __init__(self, supervisord, options):
        self.supervisord = supervisord
        self.options = options
        self.interface = SupervisorNamespaceRPCInterface(supervisord)
        self.heard = []

    # Good ones

    def getOptions(self):
        return self.options

    def echo(self, *values):
        """Gives back what it is given."""
        return list(values)

    def type_of(self, value):
        return type(value).__name__

    def pid(self):
        return os.getpid()

    def sleep(self, seconds):
        time.sleep(seconds)
        return seconds

    def give(self, name):
        return VALUES[name]()

    def later(self, rounds):
        """Answers when it has been asked so many times."""
        left = [rounds]

        def look():
            left[0] -= 1
            if left[0] < 0:
                raise RPCError(Faults.FAILED, "below zero")
            return NOT_DONE_YET if left[0] else "after %d" % rounds

        look.delay = 0.02
        return look

    def never(self):
        def look():
            return NOT_DONE_YET

        look.delay = 0.01
        return look

    def start(self, name):
        return self.interface.startProcess(name)

    def states(self):
        return {info["name"]: info["statename"] for info in self.interface.getAllProcessInfo()}

    def groups(self):
        return {name: [group.config.priority, {process.config.name: [process.get_state(), process.config.command]
                                               for process in group.processes.values()}]
                for name, group in self.supervisord.process_groups.items()}

    def daemon(self):
        return [self.supervisord.options.identifier, self.supervisord.options.serverurl, self.supervisord.get_state()]

    def read_log(self, name):
        return self.interface.readProcessStdoutLog(name, 0, 0)

    def log(self, level, text):
        getattr(self.supervisord.options.logger, level)(text)
        return True

    # Events

    def subscribe(self, name):
        events.subscribe(getattr(events.EventTypes, name), self._hear)
        return True

    def unsubscribe(self, name):
        events.unsubscribe(getattr(events.EventTypes, name), self._hear)
        return True

    def _hear(self, event):
        self.heard.append([events.getEventNameByType(type(event)), event.payload()])

    def getHeard(self):
        return self.heard

    def start_what_exits(self):
        """From within a callback, which waits for the answer."""
        events.subscribe(events.ProcessStateExitedEvent,
                         lambda event: self.interface.startProcess(event.process.config.name))
        return True

    def fail_in_callback(self):
        def fail(event):
            raise ValueError("in a callback")

        events.subscribe(events.RemoteCommunicationEvent, fail)
        return True

    # Bad ones

    def fail(self):
        raise ValueError("not today: ä")

    def leave(self):
        raise SystemExit(3)

    def refuse(self, code, text):
        raise RPCError(code, text)

    def die(self):
        os._exit(1)

    def kill(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def stop(self):
        os.kill(os.getpid(), signal.SIGSTOP)

    def send(self, frame):
        """Raw bytes to the daemon."""
        os.write(SOCKET, frame.data if isinstance(frame, xmlrpc.client.Binary) else frame)
        time.sleep(30)

    def call_too_much(self):
        text = b'{"op":"call","id":1,"method":"unruly.sleep","params":[30]}'
        for _ in range(1100):
            os.write(SOCKET, struct.pack(">I", len(text)) + text)
        time.sleep(30)

    def close(self):
        socket.socket(fileno=SOCKET).shutdown(socket.SHUT_RDWR)
        os.close(1)
        os.close(2)
        time.sleep(30)

    def say(self, text):
        print(text.replace("BELL", "\a"))
        return True

    def flood(self):
        """Prints and logs without end."""
        def print_on():
            while True:
                sys.stderr.write("flooding\n" * 1000)

        def log_on():
            while True:
                self.supervisord.options.logger.info("logging without end")

        threading.Thread(target=print_on, daemon=True).start()
        threading.Thread(target=log_on, daemon=True).start()
        return True

    def fork(self):
        """A child that stays, with all descriptors."""
        pid = os.fork()
        if pid == 0:
            time.sleep(600)
            os._exit(0)
        return pid

    def _hidden(self):
        return True


def make(supervisord, **options):
    return Unruly(supervisord, options)


def fail(supervisord):
    raise ValueError("no such luck")


def hang(supervisord):
    time.sleep(600)


def give_up(supervisord):
    sys.exit("I give up")


def crash(supervisord):
    os._exit(5)


def once(supervisord, mark):
    """Works the first time."""
    if os.path.exists(mark):
        raise ValueError("only once")
    with open(mark, "w"):
        pass
    return Unruly(supervisord, {})


def ask(supervisord):
    """The daemon answers while the factory is at work."""
    unruly = Unruly(supervisord, {})
    unruly.options = unruly.states()
    return unruly
