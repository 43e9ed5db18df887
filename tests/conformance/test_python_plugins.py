"""Extensions in Python: the examples of the tutorial and of the manual (1.8.1), and what clients see of methods."""

from harness import PYTHON_PLUGIN, Fault, TestCase, actor, differs, program, section, wait_for, write

TUTORIAL = """\
from supervisor.rpcinterface import SupervisorNamespaceRPCInterface


class CustomRPCInterface:
    def __init__(self, supervisord):
        self.supervisord = supervisord
        self.retries = 3

    def startProcessOrRetry(self, name, wait=True):
        interface = SupervisorNamespaceRPCInterface(self.supervisord)
        retry = 0

        while not interface.startProcess(name) or retry < self.retries:
            retry = retry + 1


# this is not used in code but referenced via an entry point in the conf file
def make_custom_rpcinterface(supervisord):
    return CustomRPCInterface(supervisord)
"""

MANUAL = """\
class AnotherRPCInterface:
    def __init__(self, supervisord, retries):
        self.supervisord = supervisord
        self.retries = retries

    def getRetries(self):
        return self.retries


def make_another_rpcinterface(supervisord, **config):
    retries = int(config.get('retries', 0))
    another_rpc_interface = AnotherRPCInterface(supervisord, retries)
    return another_rpc_interface
"""

METHODS = '''\
from supervisor import events
from supervisor.http import NOT_DONE_YET
from supervisor.states import SupervisorStates
from supervisor.xmlrpc import Faults, RPCError


class Interface:
    attribute = 5

    def __init__(self, supervisord, keywords):
        self.supervisord = supervisord
        self.keywords = keywords
        self.function = lambda: 1
        self.heard = []
        events.subscribe(events.ProcessStateEvent, self._hear)
        events.subscribe(events.RemoteCommunicationEvent, self._hear)

    def _hear(self, event):
        extra = [list(pair) for pair in getattr(event, 'extra_values', []) if pair[0] != 'pid']
        self.heard.append([type(event).__name__, events.getEventNameByType(type(event)), extra])

    def getHeard(self):
        return self.heard

    def getKeywords(self):
        return self.keywords

    def add(self, a, b=2):
        """Adds two numbers

        @param int a  The first
        @param int b  The second
        @return int sum  Both
        """
        return a + b

    def bare(self):
        """Without types."""
        return True

    @classmethod
    def of_class(cls):
        return cls.__name__

    @staticmethod
    def static():
        return 1

    def refuse(self):
        raise RPCError(Faults.BAD_NAME, 'nobody')

    def refuse_in_own_words(self):
        raise RPCError(230)

    def fail(self):
        raise ValueError('no')

    def later(self):
        left = [3]

        def look():
            left[0] -= 1
            return NOT_DONE_YET if left[0] else 'now'

        look.delay = 0.05
        return look

    def fail_later(self):
        def look():
            raise RPCError(Faults.FAILED, 'in the end')

        look.delay = 0.05
        return look

    def describe(self):
        options = self.supervisord.options
        groups = self.supervisord.process_groups
        return [options.identifier, options.serverurl, self.supervisord.get_state() == SupervisorStates.RUNNING,
                sorted(groups), groups['g'].config.priority, sorted(groups['g'].processes),
                groups['g'].processes['b'].config.name, groups['g'].processes['b'].get_state()]


def make(supervisord, **keywords):
    return Interface(supervisord, keywords)
'''


class Plugins(TestCase):
    def start(self, source, module, factory, config="", **options):
        write(self.path(module + ".py"), source)
        name = "%s:%s" % (module, factory)
        interface = section("rpcinterface:x", **dict({"supervisor.rpcinterface_factory": name}, **options))
        return self.daemon(interface + config, supervisord={"plugin_path": PYTHON_PLUGIN},
                           environment={"PATH": "/usr/bin:/bin", "PYTHONPATH": self.dir})


class Examples(Plugins):
    def test_the_tutorials(self):
        """Its loop goes on although the process has been started, and so comes upon a fault."""
        daemon = self.start(TUTORIAL, "my_interface", "make_custom_rpcinterface",
                            program("a", actor("hang"), autostart="false", startsecs=1))
        self.assertIn("x.startProcessOrRetry", daemon.rpc.system.listMethods())
        self.assertFault(Fault.ALREADY_STARTED, "ALREADY_STARTED: a", daemon.rpc.x.startProcessOrRetry, "a")
        daemon.wait_state("a", "RUNNING")
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: nope", daemon.rpc.x.startProcessOrRetry, "nope")

    def test_the_manuals(self):
        daemon = self.start(MANUAL, "another", "make_another_rpcinterface", retries=1)
        self.assertEqual(1, daemon.rpc.x.getRetries())


class Methods(Plugins):
    def start_methods(self, config="", **options):
        self.running = self.start(METHODS, "methods", "make", config, **options)
        return self.running.rpc.x

    def test_which_there_are(self):
        self.start_methods()
        names = [name for name in self.running.rpc.system.listMethods() if name.startswith("x.")]
        for name in ("add", "bare", "of_class", "later"):
            self.assertIn("x." + name, names)
        for name in ("_hear", "attribute", "function", "keywords"):
            self.assertNotIn("x." + name, names)

    def test_what_cannot_be_called(self):
        self.start_methods()
        for name in ("_hear", "__init__", "attribute", "function", "static", "supervisord.options", "nope"):
            self.assertFault(Fault.UNKNOWN_METHOD, "UNKNOWN_METHOD", getattr(self.running.rpc, "x." + name))

    def test_keywords(self):
        rpc = self.start_methods(Retries="3", other="a:b, c")
        self.assertEqual({"retries": "3", "other": "a:b, c"}, rpc.getKeywords())

    def test_parameters(self):
        rpc = self.start_methods()
        self.assertEqual([3, 7], [rpc.add(1), rpc.add(3, 4)])
        self.assertFault(Fault.INCORRECT_PARAMETERS, "INCORRECT_PARAMETERS", rpc.add)
        self.assertFault(Fault.INCORRECT_PARAMETERS, "INCORRECT_PARAMETERS", rpc.add, 1, 2, 3)
        self.assertEqual("Interface", rpc.of_class())

    def test_help(self):
        self.start_methods()
        system = self.running.rpc.system
        self.assertTrue(system.methodHelp("x.add").startswith("Adds two numbers\n"))
        self.assertEqual("Without types.", system.methodHelp("x.bare"))
        self.assertEqual(["int", "int", "int"], system.methodSignature("x.add"))
        self.assertFault(Fault.SIGNATURE_UNSUPPORTED, "SIGNATURE_UNSUPPORTED", system.methodSignature, "x.bare")

    def test_faults(self):
        rpc = self.start_methods()
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: nobody", rpc.refuse)
        self.assertFault(230, "UNKNOWN", rpc.refuse_in_own_words)

    @differs("An extension's method that raises")
    def test_an_exception_is_a_fault(self):
        rpc = self.start_methods()
        self.assertFault(Fault.FAILED, "FAILED: ValueError: no", rpc.fail)

    def test_answers_that_come_later(self):
        rpc = self.start_methods()
        self.assertEqual("now", rpc.later())
        self.assertFault(Fault.FAILED, "FAILED: in the end", rpc.fail_later)

    def test_multicall(self):
        self.start_methods()
        calls = [{"methodName": "x." + name, "params": []} for name in ("later", "bare", "refuse")]
        self.assertEqual(["now", True, {"faultCode": Fault.BAD_NAME, "faultString": "BAD_NAME: nobody"}],
                         self.running.rpc.system.multicall(calls))

    def test_what_it_knows_of_the_daemon(self):
        rpc = self.start_methods(program("a", actor("hang"), autostart="false") + section("group:g", programs="b",
                                 priority=77) + program("b", actor("hang"), autostart="false"))
        self.assertEqual(["supervisor", "unix://" + self.running.socket, True, ["a", "g"], 77, ["b"], "b", 0],
                         rpc.describe())

    def test_events(self):
        rpc = self.start_methods(program("a", actor("hang"), autostart="false", startsecs=1))
        self.running.supervisor.startProcess("a")
        self.running.supervisor.stopProcess("a")
        self.running.supervisor.sendRemoteCommEvent("type", "data")
        names = [("ProcessState%sEvent" % name.title(), "PROCESS_STATE_" + name)
                 for name in ("STARTING", "RUNNING", "STOPPING", "STOPPED")]
        wanted = [[one, other, [["tries", 0]] if other.endswith("STARTING") else []] for one, other in names]
        wanted.append(["RemoteCommunicationEvent", "REMOTE_COMMUNICATION", []])
        wait_for(lambda: len(rpc.getHeard()) == len(wanted))
        self.assertEqual(wanted, rpc.getHeard())
