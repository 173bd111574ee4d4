"""A process that drives a system, and the lines that it speaks: see drivers/protocol.py."""
import json
import queue
import subprocess
import threading
import time

from server import Failure


class Driver:
    def __init__(self, command, log):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True)
        self.messages = queue.Queue()
        #: When the first job was handled, how many have been, and the number and start of each where asked for.
        self.first, self.handled, self.starts = None, 0, []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            message = json.loads(line)
            match message["e"]:
                case "first":
                    self.first = message["t"]
                case "n":
                    self.handled = message["n"]
                case "starts":
                    self.starts += message["rows"]
                case _:
                    self.messages.put(message)
        self.messages.put({"e": "end"})

    def expect(self, kind, seconds):
        """The next message, which must be of this kind."""
        try:
            message = self.messages.get(timeout=seconds)
        except queue.Empty:
            raise Failure(f'no "{kind}" in {seconds:.0f} s') from None
        if message["e"] != kind:
            raise Failure(f'"{message["e"]}" came where "{kind}" was expected')
        return message

    def begin(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def check(self):
        if self.process.poll() is not None:
            raise Failure(f"the driver ended with status {self.process.returncode}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def wait_until(seconds, done, drivers=()):
    """Whether `done` came true in time, while the drivers lived."""
    deadline = time.monotonic() + seconds
    while not done():
        for driver in drivers:
            driver.check()
        if time.monotonic() > deadline:
            return False
        time.sleep(0.004)
    return True
