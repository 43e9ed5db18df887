"""What stands for the daemon within an extension: the `supervisord` that factories are given."""

from supervisor import events, loggers
from supervisor.states import ProcessStates, SupervisorStates
from supervisor.xmlrpc import Faults, RPCError


class _Record:
    """Attributes, from a dictionary."""

    def __init__(self, **values):
        vars(self).update(values)

    def __repr__(self):
        return "<%s %s>" % (type(self).__name__.lower(), self.config.name)


class Config(_Record):
    def __repr__(self):
        return "<config of %s>" % self.name


class Process(_Record):
    def get_state(self):
        return self.state


class Group(_Record):
    """`processes` are its processes by name."""


class _DaemonLog(loggers.Handler):
    """Writes into the activity log, whose level the daemon minds."""

    level = loggers.LevelsByName.BLAT

    def __init__(self, channel):
        super().__init__()
        self._channel = channel
        self._names = {level: name for name, level in vars(loggers.LevelsByDescription).items() if name.islower()}

    def write_record(self, record):
        self._channel.send("log", level=self._names.get(record.level, "info"), text=record.message()[:8192])

    def emit(self, record):
        try:
            self.write_record(record)
        except Exception:  # such as a message that does not fit its values
            self.handleError(record)


class Options:
    def __init__(self, supervisord, channel, start):
        self._supervisord = supervisord
        self.identifier = start["identifier"]
        self.serverurl = start["server_url"]
        self.logger = loggers.Logger(loggers.LevelsByName.BLAT, [_DaemonLog(channel)])

    @property
    def mood(self):
        return self._supervisord.get_state()


class Supervisord:
    """Everything here is asked of the daemon when it is looked at, and is as it was at that moment."""

    def __init__(self, channel, calls, start):
        self._calls = calls
        self.options = Options(self, channel, start)

    def call_daemon(self, method, params):
        """Calls any method of the daemon and waits for its end; a fault is an RPCError."""
        return self._calls.call(method, params)

    def get_state(self):
        try:
            return self.call_daemon("supervisor.getState", [])["statecode"]
        except RPCError as error:
            if error.code == Faults.SHUTDOWN_STATE:
                return SupervisorStates.SHUTDOWN
            raise

    @property
    def process_groups(self):
        """Groups by name."""
        configs = {(one["group"], one["name"]): one for one in self.call_daemon("supervisor.getAllConfigInfo", [])}
        groups = {}
        for info in self.call_daemon("supervisor.getAllProcessInfo", []):
            config = configs.get((info["group"], info["name"]), {"name": info["name"]})
            group = groups.setdefault(info["group"], Group(
                config=Config(name=info["group"], priority=config.get("group_prio")), processes={}))
            group.processes[info["name"]] = _make_process(group, config, info)
        return groups


def _make_process(group, config, info):
    config = Config(**dict(config, priority=config.get("process_prio")))
    return Process(config=config, group=group, state=info["state"], pid=info["pid"], spawnerr=info["spawnerr"],
                   exitstatus=info["exitstatus"], laststart=info["start"], laststop=info["stop"])


# --- events ----------------------------------------------------------------------------------------------------------


def _process_of(message, **values):
    group = Group(config=Config(name=message["group"]))
    return Process(config=Config(name=message["process"]), group=group, pid=message["pid"], **values)


def _make_state_event(type, message, supervisord):
    to = getattr(ProcessStates, message["type"][len("PROCESS_STATE_"):])
    process = _process_of(message, state=to, backoff=message["tries"])
    expected = message["expected"] or to != ProcessStates.EXITED  # of others nothing else could be expected
    return type(process, getattr(ProcessStates, message["from"]), expected)


def _make_output_event(type, message, supervisord):
    return type(_process_of(message), message["pid"], message["data"])


_MAKERS = (
    (events.ProcessStateEvent, _make_state_event),
    (events.ProcessLogEvent, _make_output_event),
    (events.ProcessCommunicationEvent, _make_output_event),
    (events.RemoteCommunicationEvent, lambda type, message, supervisord:
        type(message["remote_type"], message["data"].decode("utf-8", "replace"))),
    (events.ProcessAddedEvent, lambda type, message, supervisord: type(_process_of(message))),
    (events.ProcessRemovedEvent, lambda type, message, supervisord: type(_process_of(message))),
    (events.ProcessGroupEvent, lambda type, message, supervisord: type(message["group"])),
    (events.TickEvent, lambda type, message, supervisord: type(message["when"], supervisord)),
    (events.SupervisorStateChangeEvent, lambda type, message, supervisord: type()),
)


def make_event(message, supervisord):
    """The event that a message tells of."""
    type = getattr(events.EventTypes, message["type"])
    return next(make for base, make in _MAKERS if issubclass(type, base))(type, message, supervisord)


def wanted_types():
    """The names of all types that somebody has subscribed to, but for those that only have others below them."""
    wanted = tuple(type for type, _ in events.callbacks)
    named = {name: type for name, type in vars(events.EventTypes).items() if name.isupper()}
    return sorted(name for name, type in named.items() if issubclass(type, wanted)
                  and not any(other is not type and issubclass(other, type) for other in named.values()))
