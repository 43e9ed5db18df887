"""A small client of the W3C WebDriver protocol, and a headless Chromium behind Debian's chromedriver.

    with Browser(directory) as browser:
        browser.open("http://127.0.0.1:9001/")
        browser.find("#filter").type("web")
"""

import base64
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

import harness

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
SWITCHES = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
            "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-extensions", "--disable-default-apps", "--hide-scrollbars")


class Key:
    """Keys that are no characters."""

    TAB = "\ue004"
    ENTER = "\ue007"
    ESCAPE = "\ue00c"
    SPACE = " "


class WebDriverError(Exception):
    def __init__(self, value):
        super().__init__("%s: %s" % (value.get("error"), value.get("message")))
        self.kind = value.get("error")


class Element:
    def __init__(self, browser, identity):
        self.browser = browser
        self.path = "/element/" + identity
        self.reference = {ELEMENT: identity}

    def click(self):
        self.browser.call("POST", self.path + "/click", {})

    def type(self, text):
        self.browser.call("POST", self.path + "/value", {"text": text})

    def clear(self):
        self.browser.call("POST", self.path + "/clear", {})

    @property
    def text(self):
        return self.browser.call("GET", self.path + "/text")

    def attribute(self, name):
        return self.browser.call("GET", self.path + "/attribute/" + name)

    def is_shown(self):
        return self.browser.call("GET", self.path + "/displayed")

    def find_all(self, selector):
        return self.browser.elements(self.path + "/elements", selector)


class Browser:
    """One session with a chromedriver, a Chromium and an empty profile of its own; all of it ends with close()."""

    def __init__(self, directory, *, scripts=True, size=(1280, 900), switches=()):
        self.directory = tempfile.mkdtemp(prefix="chromium", dir=directory)
        self.port = harness.free_port()
        self.session = ""
        self.driver = None
        try:
            self._begin(scripts, size, switches)
        except BaseException:
            self.close()
            raise

    def _begin(self, scripts, size, further):
        program = shutil.which("chromedriver")
        if program is None:
            raise AssertionError("no chromedriver: scripts/install-deps.sh check installs it")
        with open(os.path.join(self.directory, "driver.log"), "w") as output:
            self.driver = subprocess.Popen([program, "--port=%d" % self.port], stdin=subprocess.DEVNULL, stdout=output,
                                           stderr=output, env=dict(os.environ, HOME=self.directory))
        harness.wait_for(self._is_ready, 20, "chromedriver")
        switches = SWITCHES + ("--user-data-dir=" + os.path.join(self.directory, "profile"),
                               "--window-size=%d,%d" % size) + tuple(further)
        options = {"args": list(switches)}
        if not scripts:
            options["prefs"] = {"profile.managed_default_content_settings.javascript": 2}
        wanted = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}}
        self.session = "/session/" + self._request("POST", "/session", wanted)["sessionId"]

    def _is_ready(self):
        if self.driver.poll() is not None:
            raise AssertionError("chromedriver ended with status %d" % self.driver.returncode)
        try:
            return self._request("GET", "/status")["ready"]
        except OSError:
            return False

    def _request(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40 * harness.PATIENCE)
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            value = json.loads(answer.read())["value"]
        finally:
            connection.close()
        if answer.status != 200:
            raise WebDriverError(value)
        return value

    def call(self, method, path, body=None):
        return self._request(method, self.session + path, body)

    def close(self):
        """Ends the browser. What does not go by itself is killed: by pid, as it is below us."""
        if self.driver is None:
            return
        processes = [self.driver.pid] + harness.descendants_of(self.driver.pid)
        try:
            if self.session:
                self.call("DELETE", "")
        except (OSError, http.client.HTTPException, WebDriverError):
            pass  # it is killed then
        for pid in processes:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.driver.wait()
        self.driver = None
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close()

    # Pages

    def open(self, url):
        self.call("POST", "/url", {"url": url})
        return self

    def reload(self):
        self.call("POST", "/refresh", {})

    @property
    def url(self):
        return self.call("GET", "/url")

    @property
    def title(self):
        return self.call("GET", "/title")

    def elements(self, path, selector):
        found = self.call("POST", path, {"using": "css selector", "value": selector})
        return [Element(self, one[ELEMENT]) for one in found]

    def find_all(self, selector):
        return self.elements("/elements", selector)

    def find(self, selector, timeout=10):
        """The first one, waited for."""
        return harness.wait_for(lambda: self.find_all(selector), timeout, "%s in %s" % (selector, self.url))[0]

    def text(self, selector):
        """The text of the first one, as it stands in the page; None when there is none."""
        return self.run("const e = document.querySelector(arguments[0]); return e && e.textContent.trim()", selector)

    def wait_text(self, selector, pattern, timeout=10):
        """Waits until the text of the first one matches, and gives it."""
        return harness.wait_for(lambda: (lambda text: text if re.search(pattern, text or "") else None)
                                (self.text(selector)), timeout, "%r in %s" % (pattern, selector))

    def run(self, script, *arguments):
        """The value of a function's body. Works in pages whose own scripts are off, too."""
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def press(self, *keys):
        """Keys for whatever has the focus."""
        strokes = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]})

    def focused(self):
        identity = self.call("GET", "/element/active")[ELEMENT]
        return Element(self, identity)

    # What it pretends to be

    def devtools(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def be_phone(self, width=390, height=844):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2,
                      mobile=True)
        self.devtools("Emulation.setTouchEmulationEnabled", enabled=True)

    def be_desktop(self):
        self.devtools("Emulation.clearDeviceMetricsOverride")
        self.devtools("Emulation.setTouchEmulationEnabled", enabled=False)

    def prefer(self, **features):
        """Media features: prefer(color_scheme="dark", reduced_motion="reduce")."""
        self.devtools("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-" + name.replace("_", "-"), "value": value}
                                for name, value in features.items()])

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("GET", "/screenshot")))
