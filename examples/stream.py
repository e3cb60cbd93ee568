"""Prints each indicator as a node learns it, by Server-Sent Events and Python's standard library alone.

Run: python3 examples/stream.py ['kind=indicator&itype=url']. TOCSIN_URL and TOCSIN_TOKEN name the node and a token of it.
"""

import http.client
import json
import os
import random
import sys
import time
import urllib.error
import urllib.request

url = os.environ.get("TOCSIN_URL", "http://127.0.0.1:8480")
headers = {"Authorization": "Bearer " + os.environ["TOCSIN_TOKEN"], "Accept": "text/event-stream"}
filters = sys.argv[1] if len(sys.argv) > 1 else "kind=indicator"


def blocks(lines):
    """The blocks of a stream, each a dict of its fields."""
    block = {}
    for line in lines:
        text = line.decode().rstrip("\r\n")
        field, _, value = text.partition(":")
        if field:
            block[field] = value.removeprefix(" ")
        elif text == "" and block:
            yield block
            block = {}


wait = 1
while True:
    try:
        request = urllib.request.Request(f"{url}/stream?{filters}", headers=headers)
        # The node breaks a silence every 15 s: after three of these it is gone.
        with urllib.request.urlopen(request, timeout=45) as response:
            for block in blocks(response):
                # A block without data is a heartbeat, and its id all the same is where to go on.
                if "id" in block:
                    headers["Last-Event-ID"] = block["id"]
                event, data = block.get("event"), json.loads(block.get("data", "{}"))
                if event in ("reset", "gap"):
                    print(f"{event}: {data}", file=sys.stderr)
                elif "id" in data:
                    # CloudEvents 1.0: "id" is the same on every node, "data" the record.
                    print(data["type"], data["id"], data["data"].get("indicator"), flush=True)
                    wait = 1
        reason = "it ended"
    except urllib.error.HTTPError as error:
        if error.code < 500:
            raise SystemExit(error.read().decode())
        reason = error
    except (OSError, http.client.HTTPException) as error:
        reason = error
    print(f"lost the stream ({reason}), going on after {headers.get('Last-Event-ID')}", file=sys.stderr)
    time.sleep(random.uniform(0, wait))
    wait = min(wait * 2, 30)
