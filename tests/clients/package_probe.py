"""Prints what a Python package `supervisor` says and does, as a line of JSON for each thing."""

import inspect
import io
import json

from supervisor import childutils, events, loggers, options, rpcinterface, states, xmlrpc


def say(what, value):
    print(json.dumps([what, value], sort_keys=True))


def attempt(function, *arguments):
    """The result, or the kind of exception."""
    try:
        return function(*arguments)
    except Exception as error:
        return type(error).__name__


def constants(kind):
    return {name: value for name, value in vars(kind).items() if not name.startswith("_")}


def parameters(function):
    return [(one.name, one.default is not one.empty) for one in inspect.signature(function).parameters.values()]


class Thing:
    def __init__(self, **values):
        vars(self).update(values)


def make_process(group="g"):
    return Thing(config=Thing(name="p"), pid=42, backoff=3,
                 group=None if group is None else Thing(config=Thing(name=group)))


class Stream:
    def __init__(self):
        self.written = []

    def write(self, data):
        self.written.append(data if isinstance(data, str) else data.decode())

    def flush(self):
        pass


say("version", type(options.VERSION).__name__)
for kind in (states.ProcessStates, states.SupervisorStates, states.EventListenerStates, xmlrpc.Faults,
             loggers.LevelsByName, loggers.LevelsByDescription):
    say(kind.__name__, constants(kind))
for name in ("RUNNING_STATES", "STOPPED_STATES", "SIGNALLABLE_STATES"):
    say(name, sorted(getattr(states, name)))
for name in ("getProcessStateDescription", "getSupervisorStateDescription", "getEventListenerStateDescription"):
    say(name, [getattr(states, name)(code) for code in (-1, 0, 1, 2, 10, 20, 30, 40, 100, 200, 1000, 7)])

for code, extra in ((10, None), (10, "x"), (999, "x"), (2, "")):
    error = xmlrpc.RPCError(code, extra)
    say("RPCError", [error.code, error.text, str(error)])
say("getFaultDescription", [xmlrpc.getFaultDescription(code) for code in (1, 92, 7)])
xmlrpc.Faults.NOT_IN_WHITELIST = 230
say("a fault of one's own", xmlrpc.RPCError(230, "x").text)
say("capped_int", [xmlrpc.capped_int(number) for number in (0, -2 ** 40, 2 ** 40, "12")])
for url in ("unix:///x", "http://h:1", "http://h/", "foo://x", ""):
    transport = attempt(xmlrpc.SupervisorTransport, "u", "p", url)
    say(url, transport if isinstance(transport, str) else [transport.serverurl, transport.username])

for spec in ("a", "a:b", "a:*", "a:"):
    say(spec, options.split_namespec(spec))
say("make_namespec", [options.make_namespec("a", "a"), options.make_namespec("a", "b")])

for text in ("a:b c:d", "", "a", "a:b:c", "a:b\nc"):
    say(text, [attempt(childutils.get_headers, text), attempt(childutils.eventdata, text)])
say("get_asctime", [childutils.get_asctime(now) for now in (0, 0.5, 1234567890.999)] +
    [len(childutils.get_asctime())])
say("no server", attempt(childutils.getRPCInterface, {}))
stream = io.StringIO()
say("wait", childutils.listener.wait(io.StringIO("len:5 a:b\nhällo"), stream))
childutils.listener.ok(stream)
childutils.listener.fail(stream)
childutils.listener.ready(stream)
childutils.listener.send("other", stream)
say("listener", stream.getvalue())
stream = Stream()
childutils.pcomm.send("text", stream)
say("pcomm", "".join(stream.written))

say("event types", sorted((name, kind.__name__) for name, kind in constants(events.EventTypes).items()
                          if not name.startswith(("PROCESS_ADDED", "PROCESS_REMOVED"))))
for name, kind in sorted(constants(events.EventTypes).items()):
    if name.startswith("PROCESS_STATE_"):
        for group, expected in (("g", True), (None, False)):
            event = kind(make_process(group), states.ProcessStates.STARTING, expected)
            say(name, [event.payload(), event.extra_values, event.expected, event.from_state])
    elif name.startswith(("PROCESS_LOG_", "PROCESS_COMMUNICATION_")):
        say(name, [kind(make_process(), 42, data).payload() for data in (b"some\ndata", "text")] + [kind.channel])
say("others", [events.RemoteCommunicationEvent("t", "d").payload(), events.ProcessGroupAddedEvent("g").payload(),
               events.SupervisorRunningEvent().payload(), events.Tick5Event(5, None).payload(),
               events.Tick3600Event.period])
say("getEventNameByType", [events.getEventNameByType(kind) for kind in (events.Event, events.Tick5Event, int)])
heard = []
events.subscribe(events.ProcessGroupEvent, lambda event: heard.append(event.group))
for event in (events.ProcessGroupAddedEvent("one"), events.Tick5Event(5, None), events.ProcessGroupRemovedEvent("two")):
    events.notify(event)
say("heard", heard)
events.clear()
say("callbacks", events.callbacks)

logger = loggers.getLogger(loggers.LevelsByName.INFO)
handler = loggers.StreamHandler(io.StringIO())
handler.setFormat("%(levelname)s %(message)s")
handler.setLevel(logger.level)
logger.addHandler(handler)
for level in ("critical", "error", "warn", "info", "debug", "trace", "blather"):
    getattr(logger, level)("to %(whom)s ä\n", whom=level)
logger.info("plain 100%\n")
say("logged", handler.stream.getvalue())
say("levels", [loggers.getLevelNumByDescription(word) for word in ("info", "nope")])

for name, method in sorted(vars(rpcinterface.SupervisorNamespaceRPCInterface).items()):
    if not name.startswith("_"):
        say(name, parameters(method))
for function in (childutils.getRPCTransport, childutils.getRPCInterface, childutils.listener.wait,
                 childutils.listener.send, childutils.pcomm.send, childutils.pcomm.stdout, events.subscribe,
                 events.notify, loggers.handle_file, loggers.handle_stdout, rpcinterface.make_main_rpcinterface,
                 xmlrpc.SupervisorTransport, xmlrpc.RPCError, options.make_namespec):
    say(function.__qualname__, parameters(function))
