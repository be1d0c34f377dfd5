"""A grader at formgrader, on a real Jupyter server: by its API, or in a real browser."""

import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.browser import Browser, find_browser

TOKEN = "tests"
SECONDS = 60.0
CHROMIUM = find_browser()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def jupyter_server(course: Path, environment: dict[str, str]) -> Iterator[str]:
    """Run a Jupyter server with formgrader in a course; give its address."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "jupyter", "server", "--allow-root", "--no-browser"),
        *(f"--port={port}", "--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0"),
        f"--IdentityProvider.token={TOKEN}",
        "--ServerApp.jpserver_extensions=nbgrader.server_extensions.formgrader=True",
    ]
    log = course.with_name("server.log")
    with log.open("w") as file:
        server = subprocess.Popen(
            command, cwd=course, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        address = f"http://127.0.0.1:{port}/formgrader"
        wait_for(lambda: Api(address).get("status") == {"status": True}, server, log)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def wait_for(condition: Any, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError):
            if condition():
                return
        time.sleep(0.1)
    raise AssertionError(f"it did not come up:\n{log.read_text()}")


class Api:
    """The calls behind formgrader's pages."""

    def __init__(self, address: str) -> None:
        self.address = address

    def call(self, method: str, path: str, body: object = None) -> str:
        request = urllib.request.Request(
            f"{self.address}/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {TOKEN}"},
        )
        with urllib.request.urlopen(request, timeout=SECONDS) as reply:
            return str(reply.read().decode())

    def get(self, path: str) -> Any:
        return json.loads(self.call("GET", f"api/{path}"))

    def press(self, path: str) -> Any:
        """Do what a button does; return what it says."""
        return json.loads(self.call("POST", f"api/{path}") or "{}")

    def submission(self, name: str, student: str) -> str:
        """Return the address of the page of a student's notebook."""
        found = self.get(f"submitted_notebooks/{name}/{name}")
        return next(one["id"] for one in found if one["student"] == student)

    def page(self, name: str, student: str) -> str:
        return self.call("GET", f"submissions/{self.submission(name, student)}/")

    def enter(self, name: str, student: str, cell: str, **fields: float | str) -> None:
        """Enter a score, extra credit or a comment beside a cell."""
        submission = self.submission(name, student)
        kind = "comment" if "manual_comment" in fields else "grade"
        rows = self.get(f"{kind}s?submission_id={submission}")
        row = next(one for one in rows if one["name"] == cell)
        self.call("PUT", f"api/{kind}/{row['id']}", row | fields)


class Page(Browser):
    """A page of formgrader in a browser, at which somebody sits."""

    def run(self, script: str) -> Any:
        """Run JavaScript in the page and return its value; what is not there yet is null."""
        found = self("Runtime.evaluate", expression=script, returnByValue=True)
        return found["result"].get("value")

    def until(self, script: str) -> Any:
        """Return the value of JavaScript as soon as it is true."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if value := self.run(script):
                return value
            time.sleep(0.05)
        raise AssertionError(f"never true: {script}\n{self.run('document.body.innerText')}")

    def go(self, address: str, ready: str) -> None:
        """Open an address, and wait for what is there when the page is ready."""
        self("Page.navigate", url=address)
        self.until(f"window.location.href.startsWith({json.dumps(address)}) && !!({ready})")

    def type(self, selector: str, text: str) -> None:
        """Type into a field by the keyboard and leave it; again where what was stored takes over.

        The page fills its fields when it has loaded what they hold, whatever was typed before.
        """
        field = f"document.querySelector({json.dumps(selector)})"
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            self.run(f"{field}.focus(); {field}.select()")
            self("Input.insertText", text=text)
            self.run(f"{field}.blur()")
            if self.run(f"{field}.value === {json.dumps(text)}"):
                return
            time.sleep(0.05)
        raise AssertionError(f"cannot be typed into: {selector}")

    def click(self, selector: str) -> None:
        """Click with the mouse on what stands there."""
        place = self.until(
            f"((e) => {{ if (!e) return null; e.scrollIntoView({{block: 'center'}});"
            "const r = e.getBoundingClientRect();"
            "return r.width ? [r.x + r.width / 2, r.y + r.height / 2] : null"
            f"}})(document.querySelector({json.dumps(selector)}))"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self(
                "Input.dispatchMouseEvent",
                type=kind,
                x=place[0],
                y=place[1],
                button="left",
                clickCount=1,
            )

    def modal(self) -> str:
        """Return what the dialogue says that ends a button's work, and close it."""
        said = self.until(
            "(() => { const m = document.querySelector('.modal.in'); return m && m.innerText })()"
        )
        self.until("getComputedStyle(document.querySelector('.modal.in')).opacity === '1'")
        time.sleep(0.5)  # it slides into its place
        self.click(".modal.in .modal-footer button.close")
        self.until("!document.querySelector('.modal')")
        return str(said)
