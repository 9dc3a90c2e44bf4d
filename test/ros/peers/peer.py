"""An rclpy node that does what it is told on stdin, one JSON object a line, and tells on stdout what happened.

{"id": 1, "op": "subscribe", "type": "vpr_node/msg/PlaceMatch", "topic": "/vpr_node/place", "qos": {...}}
{"id": 2, "op": "call", "type": "...", "name": "...", "request": {...}, "timeout_s": 20}
Answers: {"id": 1, "value": ...} or {"id": 1, "error": "..."}; events: {"topic": "...", "message": {...}}.
"""

import base64
import faulthandler
import hashlib
import importlib
import json
import os
import queue
import sys
import threading
import time
import traceback

import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy


def interface(name):
    package, kind, type_name = name.split('/')
    return getattr(importlib.import_module(f'{package}.{kind}'), type_name)


def to_plain(value):
    """A message as JSON; of bytes their number and digest."""
    if hasattr(value, 'get_fields_and_field_types'):
        return {field: to_plain(getattr(value, field)) for field in value.get_fields_and_field_types()}
    if isinstance(value, bytes):
        return value[0] if len(value) == 1 else {'bytes': len(value)}
    if hasattr(value, 'typecode') and value.typecode == 'B':
        return {'bytes': len(value), 'sha256': hashlib.sha256(bytes(value)).hexdigest()}
    if hasattr(value, 'tolist'):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    return value


def fill(message, values):
    types = message.get_fields_and_field_types()
    for field, value in values.items():
        if isinstance(value, dict) and 'base64' in value:
            setattr(message, field, base64.b64decode(value['base64']))
        elif isinstance(value, dict):
            fill(getattr(message, field), value)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            element = types[field].removeprefix('sequence<').rstrip('>')
            package, name = element.split('/')
            setattr(message, field, [fill(interface(f'{package}/msg/{name}')(), item) for item in value])
        elif types[field] in ('double', 'float'):
            # JSON does not tell 1 from 1.0, and rclpy takes an int for the bytes of a float.
            setattr(message, field, float(value))
        else:
            setattr(message, field, value)
    return message


def profile(qos):
    qos = qos or {}
    return QoSProfile(
        depth=qos.get('depth', 50),
        reliability=ReliabilityPolicy[qos.get('reliability', 'reliable').upper()],
        durability=DurabilityPolicy[qos.get('durability', 'volatile').upper()],
    )


class Peer:
    def __init__(self, name):
        self.node = Node(name)
        self.publishers = {}
        self.subscriptions = {}
        self.services = {}
        self.clients = {}
        self.lock = threading.Lock()

    def say(self, **what):
        with self.lock:
            sys.stdout.write(json.dumps(what) + '\n')
            sys.stdout.flush()

    def subscribe(self, topic, type, qos=None, count_only=False):
        count = [0]

        def heard(message):
            count[0] += 1
            if not count_only:
                self.say(topic=topic, message=to_plain(message))

        self.subscriptions[topic] = (self.node.create_subscription(interface(type), topic, heard, profile(qos)), count)

    def unsubscribe(self, topic):
        self.node.destroy_subscription(self.subscriptions.pop(topic)[0])

    def count(self, topic):
        return self.subscriptions[topic][1][0]

    def advertise(self, topic, type, qos=None):
        self.publishers[topic] = (self.node.create_publisher(interface(type), topic, profile(qos)), interface(type))

    def unadvertise(self, topic):
        self.node.destroy_publisher(self.publishers.pop(topic)[0])

    def matched(self, topic):
        return self.publishers[topic][0].get_subscription_count()

    def publish(self, topic, message):
        publisher, message_type = self.publishers[topic]
        publisher.publish(fill(message_type(), message))

    def publish_cdr(self, topic, base64_text):
        """Serialised bytes, as they are."""
        self.publishers[topic][0].publish(base64.b64decode(base64_text))

    def publish_file(self, topic, path):
        with open(path, 'rb') as file:
            self.publishers[topic][0].publish(file.read())

    def stream(self, topic, width, height, hz, seconds):
        """Raw rgb8 images at a rate, from a thread of their own; returns when they are all sent."""
        publisher, message_type = self.publishers[topic]
        message = message_type()
        message.width, message.height, message.step, message.encoding = width, height, width * 3, 'rgb8'
        message.data = os.urandom(width * 3) * height
        message.header.frame_id = 'stream'
        sent = 0
        late = 0
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            now = self.node.get_clock().now()
            message.header.stamp = now.to_msg()
            publisher.publish(message)
            sent += 1
            due = start + sent / hz - time.monotonic()
            if due > 0:
                time.sleep(due)
            elif due < -1.5 / hz:
                late += 1
        return {'sent': sent, 'late': late, 'seconds': time.monotonic() - start}

    def serve(self, type, name):
        """A service that answers with an empty response and tells what it was asked."""

        def handle(request, response):
            self.say(topic=name, message=to_plain(request))
            return response

        self.services[name] = self.node.create_service(interface(type), name, handle)

    def topic_names(self):
        return [name for name, _ in self.node.get_topic_names_and_types()]

    def forget_clients(self):
        """A client of a node that is gone may take its successor for it."""
        for client in self.clients.values():
            self.node.destroy_client(client)
        self.clients.clear()

    def call(self, type, name, request=None, timeout_s=20):
        service = interface(type)
        key = (type, name)
        if key not in self.clients:
            self.clients[key] = self.node.create_client(service, name)
            # Ready means that the server is known here, not that it knows this client, too.
            fresh = True
        else:
            fresh = False
        client = self.clients[key]
        deadline = time.monotonic() + timeout_s
        while not client.service_is_ready():
            if time.monotonic() > deadline:
                raise TimeoutError(f'no service {name}')
            time.sleep(0.02)
        if fresh:
            time.sleep(0.3)
        future = client.call_async(fill(service.Request(), request or {}))
        while not future.done():
            if time.monotonic() > deadline:
                raise TimeoutError(f'no answer of {name} within {timeout_s} s')
            time.sleep(0.002)
        return to_plain(future.result())


def main():
    faulthandler.enable()
    rclpy.init(args=['--ros-args', '--log-level', 'error'])
    peer = Peer(sys.argv[1] if len(sys.argv) > 1 else 'peer')

    def spin():
        # A peer that no longer hears would look like a node that no longer answers.
        try:
            rclpy.spin(peer.node)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)

    threading.Thread(target=spin, daemon=True).start()
    peer.say(id=0, value='ready')

    def run(command):
        number = command.pop('id')
        try:
            peer.say(id=number, value=getattr(peer, command.pop('op'))(**command))
        except Exception as error:  # what the test asked for may fail; the test judges
            peer.say(id=number, error=f'{error.__class__.__name__}: {error}')

    ordered = queue.Queue()

    def work():
        while True:
            run(ordered.get())

    threading.Thread(target=work, daemon=True).start()
    for line in sys.stdin:
        command = json.loads(line)
        # Calls and streams take their time; everything else happens in the order it was asked for.
        if command['op'] in ('call', 'stream'):
            threading.Thread(target=run, args=(command,), daemon=True).start()
        else:
            ordered.put(command)
    os._exit(0)


main()
