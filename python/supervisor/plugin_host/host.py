"""The life of the host: the factory, the methods, the end."""

import importlib
import queue
import socket
import sys
import threading
import traceback

from supervisor import events
from supervisor.plugin_host import daemon, methods, values
from supervisor.plugin_host.channel import Calls, Channel
from supervisor.xmlrpc import Faults, RPCError

SOCKET = 3
WORKERS_MAX = 64  # methods that run at a time; further calls wait
TEXT_MAX = 4000  # of a fault


class Workers:
    """Threads that run what they are given, one after the other. They end with the program."""

    def __init__(self, most):
        self._most = most
        self._jobs = queue.SimpleQueue()
        self._count = 0
        self._idle = threading.Semaphore(0)

    def submit(self, function, *arguments):
        if not self._idle.acquire(blocking=False) and self._count < self._most:
            self._count += 1
            threading.Thread(target=self._work, daemon=True).start()
        self._jobs.put((function, arguments))

    def _work(self):
        while True:
            function, arguments = self._jobs.get()
            function(*arguments)
            self._idle.release()


class StartError(Exception):
    """Why there is no interface."""


def import_factory(path):
    """The callable that "module:callable" names."""
    module_name, _, attributes = path.partition(":")
    try:
        found = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name + ".").startswith(error.name + "."):
            raise StartError("there is no Python module %s in the search path %s" % (
                error.name, ":".join(sys.path))) from None
        raise
    try:
        for name in attributes.split("."):
            found = getattr(found, name)
    except AttributeError:
        raise StartError("the Python module %s has no %s" % (module_name, attributes)) from None
    if not callable(found):
        raise StartError("%s is not callable" % path)
    return found


def describe_error(error):
    return "".join(traceback.format_exception_only(type(error), error)).strip()[:TEXT_MAX]


class Host:
    def __init__(self, channel):
        self.channel = channel
        self.calls = Calls(channel)
        self.start = channel.receive()
        self.supervisord = daemon.Supervisord(channel, self.calls, self.start)
        self.logger = self.supervisord.options.logger
        self.methods = {}
        self.wanted = set()  # ids of calls whose answers somebody waits for
        self.workers = Workers(WORKERS_MAX)
        self.events = Workers(1)  # in the order in which they came
        self.subscribed = []
        events._hooks.append(self.subscribe)

    def subscribe(self):
        types = daemon.wanted_types()
        if types != self.subscribed:
            self.subscribed = types
            self.channel.send("subscribe", types=types)

    # What comes from the daemon

    def receive(self):
        handlers = {"call": self.take_call, "cancel": self.take_cancel, "answer": self.calls.take,
                    "fault": self.calls.take, "event": self.take_event}
        while True:
            message = self.channel.receive()
            if message is None:
                return
            handlers[message["op"]](message)

    def take_call(self, message):
        self.wanted.add(message["id"])
        self.workers.submit(self.answer, message["id"], message["method"], message["params"])

    def take_cancel(self, message):
        self.wanted.discard(message["id"])

    def take_event(self, message):
        self.events.submit(self.pass_on, message)

    def pass_on(self, message):
        event = daemon.make_event(values.decode(message), self.supervisord)
        for type, callback in list(events.callbacks):
            if isinstance(event, type):
                try:
                    callback(event)
                except Exception:
                    self.logger.error("in a callback for %s:\n%s" % (message["type"], traceback.format_exc()))

    # Calls

    def answer(self, number, name, params):
        try:
            value = methods.run(self.find(name), values.decode(params), lambda: number in self.wanted)
            self.channel.send("answer", id=number, value=self.encode(name, value))
        except RPCError as error:
            self.channel.send("fault", id=number, code=error.code, text=str(error.text)[:TEXT_MAX])
        except values.Unsendable as error:
            self.fail(number, "the result of %s has no place in XML-RPC: %s" % (name, error))
        except BaseException as error:  # SystemExit too: a method does not end the others
            self.logger.error("in %s:\n%s" % (name, traceback.format_exc()))
            self.fail(number, describe_error(error))
        finally:
            self.wanted.discard(number)

    def find(self, name):
        """A method, which the interface may have lost with a restart of the host."""
        if name not in self.methods:
            raise RPCError(Faults.UNKNOWN_METHOD)
        return self.methods[name]

    @staticmethod
    def encode(name, value):
        try:
            return values.encode(value)
        except RecursionError:
            raise values.Unsendable("nested too deeply") from None

    def fail(self, number, text):
        error = RPCError(Faults.FAILED, text)
        self.channel.send("fault", id=number, code=error.code, text=error.text[:TEXT_MAX])

    # Life

    def make_interface(self):
        sys.path[1:1] = [path for path in self.start["python_path"].split(":") if path]
        factory = import_factory(self.start["factory"])
        return factory(self.supervisord, **self.start["options"])

    def run(self):
        """The factory runs in the main thread, where signal handlers and the like can be made."""
        receiver = threading.Thread(target=self.receive, daemon=True)
        receiver.start()
        try:
            self.methods = methods.find_methods(self.make_interface())
            self.channel.send("register", methods=methods.describe(self.methods))
        except StartError as error:
            self.channel.send("failed", text=str(error))
            return
        except BaseException as error:
            traceback.print_exc()
            self.channel.send("failed", text=describe_error(error))
            return
        receiver.join()


def main():
    Host(Channel(socket.socket(fileno=SOCKET))).run()
