"""The extension cache: values by key in the daemon's memory, and the actions of supervisorctl for them."""

import signal
import xmlrpc.client

from harness import PLUGINS, Fault, TestCase, UnixTransport, actor, program, section

FACTORY = "supervisor_cache.rpcinterface:make_cache_rpcinterface"
CTL_FACTORY = "supervisor_cache.controllerplugin:make_cache_controllerplugin"
METHODS = ["clear", "delete", "fetch", "getAPIVersion", "getCount", "getKeys", "store"]


def sections(**options):
    return section("rpcinterface:cache", **{"supervisor.rpcinterface_factory": FACTORY}, **options)


class CacheTestCase(TestCase):
    def cache(self, config="", options=None, **arguments):
        return self.daemon(sections(**(options or {})) + config, supervisord={"plugin_path": PLUGINS}, **arguments)


class Methods(CacheTestCase):
    def test_are_listed_and_explained(self):
        system = self.cache().rpc.system
        self.assertEqual(METHODS, [name[len("cache."):] for name in system.listMethods() if name.startswith("cache.")])
        for name in METHODS:
            self.assertTrue(system.methodHelp("cache." + name))
        self.assertEqual(["boolean", "string", "string"], system.methodSignature("cache.store"))
        self.assertEqual(["int"], system.methodSignature("cache.getCount"))

    def test_session(self):
        daemon = self.cache(inet=True)
        tcp = xmlrpc.client.ServerProxy("http://127.0.0.1:%d/RPC2" % daemon.port)
        self.addCleanup(tcp("close"))
        cache = daemon.rpc.cache
        self.assertEqual("1.0", cache.getAPIVersion())
        self.assertEqual([], cache.getKeys())
        self.assertIs(True, cache.store("foo", "bar baz"))
        self.assertEqual("bar baz", tcp.cache.fetch("foo"))
        self.assertEqual(["foo"], tcp.cache.getKeys())
        self.assertIs(True, tcp.cache.store("empty", ""))
        self.assertEqual("", cache.fetch("empty"))
        self.assertEqual(2, cache.getCount())
        self.assertIs(True, cache.store("foo", "other"))
        self.assertEqual(["foo", "empty"], cache.getKeys())
        self.assertEqual("other", cache.fetch("foo"))
        self.assertIs(True, cache.delete("foo"))
        self.assertIs(False, cache.delete("foo"))
        self.assertEqual(["empty"], cache.getKeys())
        self.assertIs(True, cache.clear())
        self.assertEqual((0, []), (cache.getCount(), cache.getKeys()))

    def test_values_keep_their_types(self):
        cache = self.cache().rpc.cache
        values = [7, -1, True, False, 1.5, "", "grüße\n<&>", [], [1, ["x", {}]], {}, {"a": {"b": [1.25]}},
                  xmlrpc.client.Binary(b"\0\xff"), xmlrpc.client.DateTime("20260102T03:04:05")]
        for number, value in enumerate(values):
            self.assertIs(True, cache.store("key %d" % number, value))
        for number, value in enumerate(values):
            found = cache.fetch("key %d" % number)
            self.assertEqual((type(value), value), (type(found), found))

    def test_unknown_key(self):
        cache = self.cache().rpc.cache
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: foo", cache.fetch, "foo")
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: ", cache.fetch, "")

    def test_empty_key(self):
        cache = self.cache().rpc.cache
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: a key must not be empty", cache.store, "", "x")
        self.assertEqual(0, cache.getCount())

    def test_parameters_of_a_wrong_type(self):
        cache = self.cache().rpc.cache
        for call, parameters in ((cache.store, (1, "x")), (cache.store, ("x",)), (cache.store, ("x", "y", "z")),
                                 (cache.fetch, (["x"],)), (cache.fetch, ()), (cache.delete, ({},)), (cache.clear, (1,)),
                                 (cache.getKeys, ("x",)), (cache.getCount, (0,))):
            with self.subTest(parameters), self.assertRaises(xmlrpc.client.Fault) as caught:
                call(*parameters)
            self.assertEqual(Fault.INCORRECT_PARAMETERS, caught.exception.faultCode)

    def test_account_that_may_only_look(self):
        daemon = self.cache(unix={"username": "boss", "password": "1", "readonly_username": "guest",
                                  "readonly_password": "2"})

        def client(account):
            return xmlrpc.client.ServerProxy("http://%s@localhost/RPC2" % account,
                                             transport=UnixTransport(daemon.socket, 30)).cache
        self.assertIs(True, client("boss:1").store("a", "b"))
        self.assertEqual(("b", ["a"], 1), (client("guest:2").fetch("a"), client("guest:2").getKeys(),
                                           client("guest:2").getCount()))
        for method, parameters in (("store", ("a", "c")), ("delete", ("a",)), ("clear", ())):
            self.assertFault(Fault.READ_ONLY, "READ_ONLY: this account may not call cache." + method,
                             getattr(client("guest:2"), method), *parameters)

    def test_while_shutting_down(self):
        daemon = self.cache(program("slow", actor("ignore=TERM", "print=deaf", "hang"), stopwaitsecs=2))
        daemon.wait_stdout("slow", "deaf")
        daemon.send_signal(signal.SIGTERM)
        daemon.wait_log("waiting for slow")
        self.assertFault(Fault.SHUTDOWN_STATE, "SHUTDOWN_STATE", daemon.rpc.cache.store, "a", "b")


class Bounds(CacheTestCase):
    """64 bytes are counted for each value besides its own and those of its key."""

    def test_full(self):
        cache = self.cache(options={"max_bytes": "1000"}).rpc.cache
        self.assertIs(True, cache.store("a", "x" * 435))
        self.assertIs(True, cache.store("b", "x" * 435))
        self.assertFault(Fault.FAILED, "FAILED: it would take 65 bytes, and max_bytes=1000 leaves 0", cache.store, "c", "")
        self.assertFault(Fault.FAILED, "FAILED: it would take 501 bytes, and max_bytes=1000 leaves 500", cache.store, "b",
                         "x" * 436)
        self.assertEqual("x" * 435, cache.fetch("b"))
        self.assertIs(True, cache.store("b", "y" * 435))
        self.assertIs(True, cache.delete("a"))
        self.assertIs(True, cache.store("c", "x" * 435))
        self.assertIs(True, cache.clear())
        self.assertIs(True, cache.store("d", "x" * 935))

    def test_many_small_values(self):
        cache = self.cache(options={"max_bytes": "1KB"}).rpc.cache
        with self.assertRaises(xmlrpc.client.Fault) as caught:
            cache.store("a", [[]] * 100)
        self.assertEqual("FAILED: it would take 6465 bytes, and max_bytes=1024 leaves 1024", caught.exception.faultString)
        with self.assertRaises(xmlrpc.client.Fault):
            cache.store("a", {"x" * 500: "", "y" * 500: ""})
        self.assertEqual(0, cache.getCount())

    def test_number_of_values(self):
        cache = self.cache().rpc.cache
        self.assertIs(True, cache.store("a", list(range(49997))))
        self.assertIs(True, cache.store("b", []))
        self.assertIs(True, cache.store("c", ""))
        self.assertFault(Fault.FAILED, "FAILED: there would be more than 50000 values", cache.store, "d", "")
        self.assertFault(Fault.FAILED, "FAILED: there would be more than 50000 values", cache.store, "b", [1])
        self.assertIs(True, cache.store("a", "less"))
        self.assertIs(True, cache.store("d", ""))

    def test_depth(self):
        cache = self.cache().rpc.cache
        deep = "bottom"
        for _ in range(31):
            deep = [deep]
        self.assertIs(True, cache.store("a", deep))
        self.assertFault(Fault.FAILED, "FAILED: it is nested more than 32 deep", cache.store, "b", {"x": deep})
        self.assertEqual(deep, cache.fetch("a"))

    def test_default(self):
        cache = self.cache().rpc.cache
        for number in range(10):
            self.assertIs(True, cache.store(str(number), "x" * 1000000))
        with self.assertRaises(xmlrpc.client.Fault) as caught:
            cache.store("last", "x" * 1000000)
        self.assertEqual(Fault.FAILED, caught.exception.faultCode)

    def test_sizes_that_make_no_sense(self):
        for text in ("0", "-1", "much", "10TB", "1.5MB", "", "99999999999999999999", "18446744073709551615GB"):
            answer = self.refuse(sections(max_bytes=text), supervisord={"plugin_path": PLUGINS})
            self.assertEqual(2, answer.code)
            self.assertIn("max_bytes=%s: a number of bytes is wanted" % text, answer.err)
            self.assertIn("rpcinterface:cache", answer.err)

    def test_unknown_option_is_refused(self):
        answer = self.refuse(sections(max_byte="1"), supervisord={"plugin_path": PLUGINS})
        self.assertEqual(2, answer.code)
        self.assertIn("max_byte", answer.err)


class Life(CacheTestCase):
    def test_upgrade_keeps_all(self):
        daemon = self.cache(options={"max_bytes": "4MB"})
        deep = "bottom"
        for _ in range(31):
            deep = [deep]
        values = {"many": [True] * 49900, "deep": deep, "text": "grüße\n", "number": 7, "list": [1, {"a": True}], "bytes": xmlrpc.client.Binary(b"\0\xff")}
        for key, value in values.items():
            daemon.rpc.cache.store(key, value)
        daemon.upgrade()
        cache = daemon.rpc.cache
        self.assertEqual(list(values), cache.getKeys())
        self.assertEqual(values, {key: cache.fetch(key) for key in values})
        with self.assertRaises(xmlrpc.client.Fault):
            cache.store("more", "x" * 1000000)

    def test_restart_keeps_nothing(self):
        daemon = self.cache()
        daemon.rpc.cache.store("a", "b")
        daemon.restart()
        self.assertEqual([], daemon.rpc.cache.getKeys())


class Actions(CacheTestCase):
    def cache(self, config="", options=None, **arguments):
        return super().cache(section("ctlplugin:cache", **{"supervisor.ctl_factory": CTL_FACTORY}) + config, options,
                             ctl={"plugin_path": PLUGINS}, **arguments)

    def expect(self, daemon, words, out="", code=0):
        answer = daemon.ctl(*words)
        self.assertEqual((code, out, ""), tuple(answer), words)

    def test_session(self):
        daemon = self.cache()
        self.expect(daemon, ["cache_keys"], "[]\n")
        self.expect(daemon, ["cache_store", "foo", "bar baz"])
        self.assertEqual("bar baz", daemon.rpc.cache.fetch("foo"))
        self.expect(daemon, ["cache_fetch", "foo"], "'bar baz'\n")
        self.expect(daemon, ["cache_keys"], "['foo']\n")
        self.expect(daemon, ["cache_store", "two", ""])
        self.expect(daemon, ["cache_count"], "2\n")
        self.expect(daemon, ["cache_keys"], "['foo', 'two']\n")
        self.expect(daemon, ["cache_delete", "foo"])
        self.expect(daemon, ["cache_delete", "foo"], "foo: ERROR (no such key)\n", 1)
        self.expect(daemon, ["cache_clear"])
        self.expect(daemon, ["cache_count"], "0\n")

    def test_session_in_the_shell(self):
        daemon = self.cache()
        answer = daemon.ctl(input="cache_keys\ncache_store 'foo' 'bar baz'\ncache_fetch 'foo'\ncache_keys\n")
        self.assertEqual(["supervisor> []", "supervisor> supervisor> 'bar baz'", "supervisor> ['foo']", "supervisor> ", ""],
                         answer.out.split("\n"))

    def test_values_as_python_shows_them(self):
        daemon = self.cache()
        for value in (7, True, False, 1.5, 2.0, 0.1, 1e300, "", "it's", 'say "it\'s"', "a\\b\n\t\x7f", "grüße", [], [1, "x"],
                      {}, {"a": [1, {"b": False}]}):
            daemon.rpc.cache.store("x", value)
            self.expect(daemon, ["cache_fetch", "x"], repr(value) + "\n")

    def test_wrong_arguments(self):
        daemon = self.cache()
        for words, wanted in ((["cache_clear", "x"], "0 arguments, not 1"), (["cache_count", "x"], "0 arguments, not 1"),
                              (["cache_keys", "x"], "0 arguments, not 1"), (["cache_fetch"], "1 argument, not 0"),
                              (["cache_delete", "a", "b"], "1 argument, not 2"), (["cache_store", "a"], "2 arguments, not 1"),
                              (["cache_store", "a", "b", "c"], "2 arguments, not 3")):
            answer = daemon.ctl(*words)
            self.assertEqual(2, answer.code)
            self.assertTrue(answer.out.startswith("Error: %s takes %s\n" % (words[0], wanted)), answer.out)
            self.assertIn(words[0] + " ", answer.out.split("\n", 1)[1].replace("\t", " "))

    def test_faults(self):
        daemon = self.cache(options={"max_bytes": "100"})
        for words, text in ((["cache_fetch", "none"], "BAD_NAME: none"), (["cache_store", "a", "x" * 100], "max_bytes=100")):
            answer = daemon.ctl(*words)
            self.assertEqual(1, answer.code)
            self.assertIn(text, answer.out)

    def test_help(self):
        daemon = self.cache()
        answer = daemon.ctl("help")
        for name in ("cache_clear", "cache_count", "cache_delete", "cache_fetch", "cache_keys", "cache_store"):
            self.assertIn(name, answer.out)
            self.assertIn(name, daemon.ctl("help", name).out)

    def test_without_the_daemon(self):
        daemon = self.cache()
        daemon.stop()
        answer = daemon.ctl("cache_keys")
        self.assertEqual((7, "unix://%s no such file\n" % daemon.socket), (answer.code, answer.out))

    def test_without_the_extension_of_the_daemon(self):
        daemon = self.daemon(section("ctlplugin:cache", **{"supervisor.ctl_factory": CTL_FACTORY}),
                             ctl={"plugin_path": PLUGINS})
        answer = daemon.ctl("cache_keys")
        self.assertNotEqual(0, answer.code)
        self.assertTrue(answer.out)
