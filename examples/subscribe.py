"""Prints each indicator of one node's ZeroMQ stream as it arrives (python3-zmq).

Run: python3 examples/subscribe.py [endpoint] [topic]
"""

import json
import sys

import zmq

endpoint, topic = (sys.argv[1:] + ["tcp://127.0.0.1:8481", "indicator/"][len(sys.argv) - 1 :])[:2]
socket = zmq.Context.instance().socket(zmq.SUB)
socket.connect(endpoint)
socket.setsockopt_string(zmq.SUBSCRIBE, topic)
while True:
    name, message = socket.recv_multipart()
    event = json.loads(message)
    # CloudEvents 1.0: "id" is the same on every node, "data" the record.
    print(name.decode(), event["id"], event["data"]["indicator"], flush=True)
