"""Types of events, and who wants to hear of them.

Within an extension, subscribe() is told of what happens in the daemon; see supervisor.plugin_host.
"""

from supervisor.states import getProcessStateDescription

callbacks = []  # (type, callback) in the order of subscription
_hooks = []  # called with nothing when `callbacks` has changed


def _tell_hooks():
    for hook in _hooks:
        hook()


def subscribe(type, callback):
    """`callback` is called with each event of a type or of a type below it."""
    callbacks.append((type, callback))
    _tell_hooks()


def unsubscribe(type, callback):
    callbacks.remove((type, callback))
    _tell_hooks()


def clear():
    """Forgets all subscriptions."""
    callbacks[:] = []
    _tell_hooks()


def notify(event):
    """Tells those who have subscribed to it, in this program."""
    for type, callback in list(callbacks):
        if isinstance(event, type):
            callback(event)


def _as_text(data):
    return data.decode("utf-8", "replace") if isinstance(data, bytes) else data


def _of_process(process, **values):
    """The first line of most payloads."""
    group = "" if process.group is None else process.group.config.name
    pairs = [("processname", process.config.name), ("groupname", group)] + list(values.items())
    return " ".join("%s:%s" % pair for pair in pairs)


class Event:
    """All of them."""


class ProcessStateEvent(Event):
    def __init__(self, process, from_state, expected=True):
        self.process = process
        self.from_state = from_state
        self.expected = expected
        self.extra_values = self.get_extra_values()  # of this moment: the process goes on

    def get_extra_values(self):
        """What a payload has beyond names and state: pairs of name and value."""
        return []

    def payload(self):
        return _of_process(self.process, from_state=getProcessStateDescription(self.from_state),
                           **dict(self.extra_values))


class ProcessStateStartingOrBackoffEvent(ProcessStateEvent):
    def get_extra_values(self):
        return [("tries", int(self.process.backoff))]


class _ProcessStateWithPidEvent(ProcessStateEvent):
    def get_extra_values(self):
        return [("pid", self.process.pid)]


class ProcessStateStartingEvent(ProcessStateStartingOrBackoffEvent):
    pass


class ProcessStateBackoffEvent(ProcessStateStartingOrBackoffEvent):
    pass


class ProcessStateRunningEvent(_ProcessStateWithPidEvent):
    pass


class ProcessStateStoppingEvent(_ProcessStateWithPidEvent):
    pass


class ProcessStateStoppedEvent(_ProcessStateWithPidEvent):
    pass


class ProcessStateExitedEvent(ProcessStateEvent):
    def get_extra_values(self):
        return [("expected", int(self.expected)), ("pid", self.process.pid)]


class ProcessStateFatalEvent(ProcessStateEvent):
    pass


class ProcessStateUnknownEvent(ProcessStateEvent):
    pass


class _OutputEvent(Event):
    """Something that a process has said: `data`, bytes."""

    channel = None

    def __init__(self, process, pid, data):
        self.process = process
        self.pid = pid
        self.data = data


class ProcessLogEvent(_OutputEvent):
    def payload(self):
        return "%s\n%s" % (_of_process(self.process, pid=self.pid, channel=self.channel), _as_text(self.data))


class ProcessLogStdoutEvent(ProcessLogEvent):
    channel = "stdout"


class ProcessLogStderrEvent(ProcessLogEvent):
    channel = "stderr"


class ProcessCommunicationEvent(_OutputEvent):
    BEGIN_TOKEN = b"<!--XSUPERVISOR:BEGIN-->"
    END_TOKEN = b"<!--XSUPERVISOR:END-->"

    def payload(self):
        return "%s\n%s" % (_of_process(self.process, pid=self.pid), _as_text(self.data))


class ProcessCommunicationStdoutEvent(ProcessCommunicationEvent):
    channel = "stdout"


class ProcessCommunicationStderrEvent(ProcessCommunicationEvent):
    channel = "stderr"


class RemoteCommunicationEvent(Event):
    def __init__(self, type, data):
        self.type = type
        self.data = data

    def payload(self):
        return "type:%s\n%s" % (self.type, self.data)


class SupervisorStateChangeEvent(Event):
    def payload(self):
        return ""


class SupervisorRunningEvent(SupervisorStateChangeEvent):
    pass


class SupervisorStoppingEvent(SupervisorStateChangeEvent):
    pass


class ProcessGroupEvent(Event):
    def __init__(self, group):
        self.group = group  # its name

    def payload(self):
        return "groupname:%s\n" % self.group


class ProcessGroupAddedEvent(ProcessGroupEvent):
    pass


class ProcessGroupRemovedEvent(ProcessGroupEvent):
    pass


class _ProcessEvent(Event):
    def __init__(self, process):
        self.process = process

    def payload(self):
        return _of_process(self.process)


class ProcessAddedEvent(_ProcessEvent):
    pass


class ProcessRemovedEvent(_ProcessEvent):
    pass


class TickEvent(Event):
    def __init__(self, when, supervisord):
        self.when = when
        self.supervisord = supervisord

    def payload(self):
        return "when:%s" % self.when


class Tick5Event(TickEvent):
    period = 5


class Tick60Event(TickEvent):
    period = 60


class Tick3600Event(TickEvent):
    period = 3600


TICK_EVENTS = [Tick5Event, Tick60Event, Tick3600Event]


class EventTypes:
    """The types by the names that [eventlistener:x] sections use."""

    EVENT = Event
    PROCESS_STATE = ProcessStateEvent
    PROCESS_STATE_STOPPED = ProcessStateStoppedEvent
    PROCESS_STATE_EXITED = ProcessStateExitedEvent
    PROCESS_STATE_STARTING = ProcessStateStartingEvent
    PROCESS_STATE_STOPPING = ProcessStateStoppingEvent
    PROCESS_STATE_BACKOFF = ProcessStateBackoffEvent
    PROCESS_STATE_FATAL = ProcessStateFatalEvent
    PROCESS_STATE_RUNNING = ProcessStateRunningEvent
    PROCESS_STATE_UNKNOWN = ProcessStateUnknownEvent
    PROCESS_COMMUNICATION = ProcessCommunicationEvent
    PROCESS_COMMUNICATION_STDOUT = ProcessCommunicationStdoutEvent
    PROCESS_COMMUNICATION_STDERR = ProcessCommunicationStderrEvent
    PROCESS_LOG = ProcessLogEvent
    PROCESS_LOG_STDOUT = ProcessLogStdoutEvent
    PROCESS_LOG_STDERR = ProcessLogStderrEvent
    REMOTE_COMMUNICATION = RemoteCommunicationEvent
    SUPERVISOR_STATE_CHANGE = SupervisorStateChangeEvent
    SUPERVISOR_STATE_CHANGE_RUNNING = SupervisorRunningEvent
    SUPERVISOR_STATE_CHANGE_STOPPING = SupervisorStoppingEvent
    TICK = TickEvent
    TICK_5 = Tick5Event
    TICK_60 = Tick60Event
    TICK_3600 = Tick3600Event
    PROCESS_GROUP = ProcessGroupEvent
    PROCESS_GROUP_ADDED = ProcessGroupAddedEvent
    PROCESS_GROUP_REMOVED = ProcessGroupRemovedEvent
    PROCESS_ADDED = ProcessAddedEvent
    PROCESS_REMOVED = ProcessRemovedEvent


def getEventNameByType(requested):
    """The name of a type, or None."""
    return next((name for name, type in vars(EventTypes).items() if type is requested), None)


def register(name, event):
    """Adds a type of one's own; it is heard of in this program alone."""
    setattr(EventTypes, name, event)
