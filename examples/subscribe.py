"""Prints each indicator of one node's ZeroMQ stream as it arrives (python3-zmq).

Run: python3 examples/subscribe.py [endpoint] [topic]

PUB keeps nothing for who is away. With TOCSIN_URL and TOCSIN_TOKEN, what came while the connection was lost is asked for by HTTP.
"""

import collections
import json
import os
import sys
import time
import urllib.parse
import urllib.request

import zmq

endpoint, topic = (sys.argv[1:] + ["tcp://127.0.0.1:8481", "indicator/"][len(sys.argv) - 1 :])[:2]
url, token = os.environ.get("TOCSIN_URL"), os.environ.get("TOCSIN_TOKEN")
socket = zmq.Context.instance().socket(zmq.SUB)
monitor = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
socket.connect(endpoint)
socket.setsockopt_string(zmq.SUBSCRIBE, topic)
poller = zmq.Poller()
poller.register(socket, zmq.POLLIN)
poller.register(monitor, zmq.POLLIN)
cursor, seen = None, collections.OrderedDict()


def show(event):
    """Prints an event, once: its "id" is the same on every node, however it came. "data" is the record (CloudEvents 1.0)."""
    global cursor
    cursor = event["cursor"]
    if event["id"] not in seen and event["type"].split(".")[1] != "stream":
        seen[event["id"]] = True
        print(event["type"], event["id"], event["data"].get("indicator"), flush=True)
    while len(seen) > 100_000:
        seen.popitem(last=False)


def catch_up():
    """What came since the last event, in pages."""
    names = dict(zip(("kind", "itype", "tlp"), filter(None, topic.split("/"))))
    events = True
    while events:
        query = urllib.parse.urlencode({**names, "cursor": cursor, "wait": 0})
        request = urllib.request.Request(f"{url}/stream/ndjson?{query}", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=45) as response:
            events = [json.loads(line) for line in response]
        for event in events:
            show(event)


while True:
    ready = dict(poller.poll())
    if monitor in ready:
        monitor.recv_multipart()
        if cursor and url and token:
            # So that the node knows the subscription before it is asked for what came without it.
            time.sleep(1)
            while True:
                try:
                    catch_up()
                    break
                except OSError as error:
                    print(f"what was missed cannot be had yet: {error}", file=sys.stderr)
                    time.sleep(2)
    if socket in ready:
        show(json.loads(socket.recv_multipart()[1]))
