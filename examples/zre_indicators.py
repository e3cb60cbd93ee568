"""A ZRE peer (ZeroMQ RFC 36) that is no node of Tocsin: it hears and tells indicators in the group INDICATORS (python3-zmq).

Run: python3 examples/zre_indicators.py NAME ENDPOINT [ENDPOINT]...

ENDPOINT is where a node's peers dial (`tocsin status` names it); name every node, or use Zyre, which finds them by beacons.
Prints each indicator that it is told, as JSON. Each line of standard input is JSON that it shouts; `whisper JSON` tells it to the
first node alone. When the mesh has a key, set TOCSIN_MESH_PUBLIC and TOCSIN_MESH_SECRET to the halves that
`tocsin keygen --pair mesh` prints.
"""

import os
import struct
import sys
import uuid

import zmq

HELLO, WHISPER, SHOUT, JOIN, LEAVE, PING, PING_OK = 1, 2, 3, 4, 5, 6, 7
GROUP = "INDICATORS"
name, endpoints = sys.argv[1], sys.argv[2:]
context = zmq.Context()
identity = b"\x01" + uuid.uuid4().bytes


def short(text):
    return struct.pack(">B", len(text.encode())) + text.encode()


def long(text):
    return struct.pack(">I", len(text.encode())) + text.encode()


class Peer:
    """Another node's mailbox; every message to it has its number."""

    def __init__(self, endpoint):
        self.sent = 0
        self.entered = False
        self.mailbox = context.socket(zmq.DEALER)
        self.mailbox.setsockopt(zmq.IDENTITY, identity)
        self.mailbox.linger = 1000
        if "TOCSIN_MESH_SECRET" in os.environ:
            self.mailbox.curve_serverkey = os.environ["TOCSIN_MESH_PUBLIC"].encode()
            self.mailbox.curve_publickey = os.environ["TOCSIN_MESH_PUBLIC"].encode()
            self.mailbox.curve_secretkey = os.environ["TOCSIN_MESH_SECRET"].encode()
        self.mailbox.connect(endpoint)
        groups, headers, status = struct.pack(">I", 1) + long(GROUP), {}, 1
        if "TOCSIN_MESH_PUBLIC" in os.environ:
            headers["X-PUBLICKEY"] = os.environ["TOCSIN_MESH_PUBLIC"]
        fields = b"".join(short(key) + long(value) for key, value in headers.items())
        hello = short(own_endpoint) + groups + bytes([status]) + short(name)
        self.say(HELLO, hello + struct.pack(">I", len(headers)) + fields)

    def say(self, kind, fields=b"", content=None):
        self.sent = (self.sent + 1) % 65536
        control = struct.pack(">HBBH", 0xAAA1, kind, 2, self.sent) + fields
        self.mailbox.send_multipart([control] if content is None else [control, content])


inbox = context.socket(zmq.ROUTER)
inbox.router_handover = 1
if "TOCSIN_MESH_SECRET" in os.environ:
    inbox.curve_server = True
    inbox.curve_secretkey = os.environ["TOCSIN_MESH_SECRET"].encode()
port = inbox.bind_to_random_port("tcp://127.0.0.1")
own_endpoint = f"tcp://127.0.0.1:{port}"
peers = {endpoint: Peer(endpoint) for endpoint in endpoints}
# Whose mailbox is whose, once they have greeted us.
mailbox_of = {}


def hear(sender, control, content=b""):
    signature, kind, version, _ = struct.unpack_from(">HBBH", control)
    if signature != 0xAAA1 or version != 2:
        return
    if kind == HELLO:
        endpoint = control[7 : 7 + control[6]].decode()
        peer = peers[endpoint] = mailbox_of[sender] = peers.get(endpoint) or Peer(endpoint)
        peer.entered = True
        print("entered", endpoint, file=sys.stderr, flush=True)
    elif sender not in mailbox_of:
        return
    elif kind == PING:
        mailbox_of[sender].say(PING_OK)
    elif kind == SHOUT and control[7 : 7 + control[6]].decode() == GROUP:
        print(content.decode(), flush=True)


def tell(line):
    if line.startswith("whisper "):
        peers[endpoints[0]].say(WHISPER, content=line[8:].encode())
        return
    for peer in peers.values():
        if peer.entered:
            peer.say(SHOUT, short(GROUP), line.encode())


poller = zmq.Poller()
poller.register(inbox, zmq.POLLIN)
poller.register(sys.stdin.fileno(), zmq.POLLIN)
unread = b""
while True:
    ready = dict(poller.poll())
    if inbox in ready:
        hear(*inbox.recv_multipart()[:3])
    if sys.stdin.fileno() in ready:
        read = os.read(sys.stdin.fileno(), 65536)
        if not read:
            poller.unregister(sys.stdin.fileno())
        *lines, unread = (unread + read).split(b"\n")
        for line in lines:
            tell(line.decode())
