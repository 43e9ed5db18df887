"""The same session with every client, with ours and with the original: all that is answered is the same."""

import concurrent.futures
import os

import session
from harness import SUPERVISORD, TestCase, time_limit, wait_for

ORIGINAL = "/usr/bin/supervisord"
TCP, UNIX = "tcp", "unix"


def foreign(interpreter, script, *arguments):
    command = [interpreter, os.path.join(session.HERE, script)] + list(arguments)
    return lambda *place: session.ForeignClient(command, *place)


CLIENTS = {  # name: how to make one, the servers that it can reach
    "python": (session.PythonClient, (TCP, UNIX)),
    "npm_supervisord": (foreign("node", "npm_client.js", "supervisord"), (TCP, UNIX)),
    "npm_node_supervisord": (foreign("node", "npm_client.js", "node-supervisord"), (TCP,)),
    "perl_rpc_xml": (foreign("perl", "rpc_xml_client.pl"), (TCP,)),
    "perl_xmlrpc_lite": (foreign("perl", "xmlrpc_lite_client.pl"), (TCP,)),
    "ruby": (foreign("ruby", "ruby_client.rb"), (TCP,)),
}


@time_limit(240)
class Session(TestCase):
    def compare(self, client_of, server, account):
        def hold(name, binary):
            return self.hold(client_of, name, binary, server, account)

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            ours = pool.submit(hold, "ours", SUPERVISORD)
            original = pool.submit(hold, "original", ORIGINAL)
        for one, other in zip(original.result(), ours.result()):
            self.assertEqual(one, other)
        self.assertEqual(len(original.result()), len(ours.result()))

    def hold(self, client_of, name, binary, server, account):
        """The whole session with one daemon: what can be compared of its answers."""
        daemon = self.start_daemon(name, binary, server, account)
        place = "unix://" + daemon.socket if server == UNIX else "http://127.0.0.1:%d" % daemon.port
        watcher = session.PythonClient(place, *account)
        wait_for(lambda: session.settled(watcher.call("supervisor.getAllProcessInfo", [])["value"]))
        watcher.close()
        if account:
            self.refuse_strangers(client_of, place)
        client = client_of(place, *account)
        transcript = session.perform(client, session.STATUS + session.CONTROL + session.LOGS + session.MULTICALL)
        daemon.configure(session.configuration(changed=True))
        transcript += session.perform(client, session.CHANGE)
        if binary != ORIGINAL:
            session.perform(client, session.UNICODE_IN_ANSWERS_THAT_WAIT)
        transcript += session.perform(client, session.END)
        self.assertEqual(0, daemon.wait())
        if client.methods is not None:
            self.assertEqual(set(), set(client.methods) - {one.method for one, _ in transcript}, "never called")
        client.close()
        return session.comparable(transcript, daemon.directory)

    def start_daemon(self, name, binary, server, account):
        options = dict(zip(("username", "password"), account))
        return self.daemon(session.configuration(), directory=self.subdirectory(name), binary=binary,
                           unix=options if server == UNIX else None, inet=options or True if server == TCP else None)

    def refuse_strangers(self, client_of, place):
        for account in ((), (session.USER, "wrong")):
            client = client_of(place, *account)
            self.assertRegex(client.call("supervisor.getState", []).get("error", "no error"), "401|Unauthorized")
            client.close()


def add_tests():
    """A test for each client, with each of its servers, with and without a password."""
    def make(*how):
        return lambda self: self.compare(*how)

    for name, (client_of, servers) in CLIENTS.items():
        for server in servers:
            setattr(Session, "test_%s_%s" % (name, server), make(client_of, server, ()))
            if (name, server) != ("npm_supervisord", UNIX):  # which has no way to give one there
                setattr(Session, "test_%s_%s_password" % (name, server),
                        make(client_of, server, (session.USER, session.PASSWORD)))


add_tests()
