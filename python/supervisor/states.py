"""States of processes, of event listeners and of the daemon, as they travel in answers and events."""


class ProcessStates:
    STOPPED = 0
    STARTING = 10
    RUNNING = 20
    BACKOFF = 30
    STOPPING = 40
    EXITED = 100
    FATAL = 200
    UNKNOWN = 1000


STOPPED_STATES = (ProcessStates.STOPPED, ProcessStates.EXITED, ProcessStates.FATAL, ProcessStates.UNKNOWN)
RUNNING_STATES = (ProcessStates.RUNNING, ProcessStates.BACKOFF, ProcessStates.STARTING)
SIGNALLABLE_STATES = (ProcessStates.RUNNING, ProcessStates.STARTING, ProcessStates.STOPPING)


class SupervisorStates:
    FATAL = 2
    RUNNING = 1
    RESTARTING = 0
    SHUTDOWN = -1


class EventListenerStates:
    READY = 10
    BUSY = 20
    ACKNOWLEDGED = 30
    UNKNOWN = 40


def _make_description(states):
    names = {code: name for name, code in vars(states).items() if name.isupper()}

    def describe(code):
        """The name of a state, or None for a number that is none."""
        return names.get(code)

    return describe


getProcessStateDescription = _make_description(ProcessStates)
getSupervisorStateDescription = _make_description(SupervisorStates)
getEventListenerStateDescription = _make_description(EventListenerStates)
