"""A browser for tests: Chromium without a window, driven through a pipe, as DevTools does."""

import base64
import fcntl
import itertools
import json
import os
import select
import shutil
import subprocess
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SECONDS = 60  # for an answer


def find_browser():
    """Return the path of a browser, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """A browser with one page; `troubles` are what the console said and what it asked for."""

    def __init__(self, path, profile):
        ours, theirs = os.pipe(), os.pipe()
        # The browser reads from descriptor 3 and writes to 4, which may be a pipe's own end here.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (ours[0], theirs[1])]
        options = [
            *("--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu"),
            *("--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage"),
            f"--user-data-dir={profile}",
        ]
        connect = f'exec "$0" "$@" 3<&{ends[0]} 4>&{ends[1]}'
        self._process = subprocess.Popen(
            ["bash", "-c", connect, path, *options, "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=ends,
        )
        for end in (*ends, ours[0], theirs[1]):
            os.close(end)
        self._write, self._read = ours[1], theirs[0]
        self._numbers, self._rest, self.troubles = itertools.count(1), b"", []
        self._session = None
        attached = self("Target.attachToTarget", targetId=self._page(), flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self(f"{domain}.enable")

    def _page(self):
        deadline = time.monotonic() + SECONDS
        while True:
            for target in self("Target.getTargets")["targetInfos"]:
                if target["type"] == "page":
                    return target["targetId"]
            assert time.monotonic() < deadline, "the browser opens no page"
            time.sleep(0.05)

    def __call__(self, method, **params):
        """Call a method of the DevTools protocol and return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self._note(answer)

    def _next(self):
        while b"\0" not in self._rest:
            assert select.select([self._read], [], [], SECONDS)[0], "the browser does not answer"
            part = os.read(self._read, 1 << 20)
            assert part, "the browser is gone"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def _note(self, event):
        method, params = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent" and params["type"] != "Document":
            self.troubles.append(f"asks for {params['request']['url']}")
        elif method == "Runtime.exceptionThrown":
            self.troubles.append(params["exceptionDetails"].get("text"))
        elif method == "Runtime.consoleAPICalled":
            self.troubles.append(f"{params['type']}: {params['args']}")
        elif method == "Log.entryAdded":
            self.troubles.append(params["entry"]["text"])
        elif method == "Page.loadEventFired":
            self._loaded = True

    def open(self, path, width=1280, dark=False, media="screen"):
        """Open a file as a page of a width and a colour scheme."""
        self.troubles.clear()
        self("Emulation.setDeviceMetricsOverride", **self._screen(width))
        self.show(dark, media)
        self._loaded = False
        self("Page.navigate", url=path.as_uri())
        while not self._loaded:
            self._note(self._next())

    def show(self, dark, media="screen"):
        """Show the page in a colour scheme."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self("Emulation.setEmulatedMedia", media=media, features=[scheme])

    @staticmethod
    def _screen(width):
        return {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}

    def value(self, expression):
        """Return the value of an expression in JavaScript."""
        found = self("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def pdf(self):
        """Return the page as it is printed."""
        return base64.b64decode(self("Page.printToPDF", preferCSSPageSize=True)["data"])

    def close(self):
        """End the browser."""
        self._process.terminate()
        self._process.wait(SECONDS)
        os.close(self._write)
        os.close(self._read)
