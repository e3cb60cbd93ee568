"""Sends what a sensor sees to a node by ZeroMQ PUSH (python3-zmq): each line of standard input is an indicator.

Run: python3 examples/sensor.py [endpoint] [provider] < values.txt

The node takes it with --pull-port 8482. With a stream key, set TOCSIN_STREAM_PUBLIC and TOCSIN_STREAM_SECRET to the two
halves that `tocsin keygen --pair` prints.
"""

import json
import os
import sys

import zmq

endpoint, provider = (sys.argv[1:] + ["tcp://127.0.0.1:8482", "sensor"][len(sys.argv) - 1 :])[:2]
context = zmq.Context()
socket = context.socket(zmq.PUSH)
if "TOCSIN_STREAM_SECRET" in os.environ:
    socket.curve_serverkey = os.environ["TOCSIN_STREAM_PUBLIC"].encode()
    socket.curve_publickey = os.environ["TOCSIN_STREAM_PUBLIC"].encode()
    socket.curve_secretkey = os.environ["TOCSIN_STREAM_SECRET"].encode()
# A node that takes no more for now holds send() up at so many messages; a reader of the socket is no reason to lose any.
socket.sndhwm = 1000
socket.connect(endpoint)
for line in sys.stdin:
    if line.strip():
        socket.send_string(json.dumps({"indicator": line.strip(), "provider": provider}))
# What is not sent yet gets this many milliseconds; without term() the program would end before.
socket.close(linger=10_000)
context.term()
