"""What the other workers do with a mail, as a command for examples/shell/worker."""

import json
import sys
import threading

mail = json.load(sys.stdin)
if "@" not in mail["to"]:
    sys.exit(f"no address: {mail['to']}")
threading.Event().wait(mail.get("seconds", 0))
