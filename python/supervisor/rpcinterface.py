"""The supervisor.* methods, for extensions: each calls the daemon and waits for its answer.

A fault is raised as supervisor.xmlrpc.RPCError. The daemon and the extension's other methods go on meanwhile.
"""

import inspect

from supervisor.options import VERSION  # noqa: F401 (is imported from here, too)
from supervisor.xmlrpc import Faults, RPCError  # noqa: F401

API_VERSION = "3.0"

_METHODS = """
    addProcessGroup(name) clearAllProcessLogs() clearLog() clearProcessLog(name) clearProcessLogs(name) getAPIVersion()
    getAllConfigInfo() getAllProcessInfo() getIdentification() getPID() getProcessInfo(name) getState()
    getSupervisorVersion() getVersion() readLog(offset,length) readMainLog(offset,length)
    readProcessLog(name,offset,length) readProcessStderrLog(name,offset,length) readProcessStdoutLog(name,offset,length)
    reloadConfig() removeProcessGroup(name) restart() sendProcessStdin(name,chars) sendRemoteCommEvent(type,data)
    shutdown() signalAllProcesses(signal) signalProcess(name,signal) signalProcessGroup(name,signal)
    startAllProcesses(wait=True) startProcess(name,wait=True) startProcessGroup(name,wait=True)
    stopAllProcesses(wait=True) stopProcess(name,wait=True) stopProcessGroup(name,wait=True)
    tailProcessLog(name,offset,length) tailProcessStderrLog(name,offset,length) tailProcessStdoutLog(name,offset,length)
"""


class SupervisorNamespaceRPCInterface:
    def __init__(self, supervisord):
        self.supervisord = supervisord


def _make_method(name, parameters):
    signature = inspect.Signature([inspect.Parameter(
        word.partition("=")[0], inspect.Parameter.POSITIONAL_OR_KEYWORD,
        default=True if "=" in word else inspect.Parameter.empty) for word in ["self"] + parameters])

    def method(self, *args, **kwargs):
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        return self.supervisord.call_daemon("supervisor." + name, bound.args[1:])

    method.__name__ = name
    method.__qualname__ = "SupervisorNamespaceRPCInterface." + name
    method.__signature__ = signature
    return method


for _word in _METHODS.split():
    _name, _, _parameters = _word.rstrip(")").partition("(")
    setattr(SupervisorNamespaceRPCInterface, _name,
            _make_method(_name, [word for word in _parameters.split(",") if word]))


def make_main_rpcinterface(supervisord):
    return SupervisorNamespaceRPCInterface(supervisord)
