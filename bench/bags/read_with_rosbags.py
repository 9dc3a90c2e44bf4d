"""Reads all images of a bag with rosbags' AnyReader, as its documentation shows, and prints seconds, images, bytes and processor seconds."""
import pathlib
import sys
import time

from rosbags.highlevel import AnyReader

start, cpu, images, total = time.perf_counter(), time.process_time(), 0, 0
with AnyReader([pathlib.Path(sys.argv[1])]) as reader:
    connections = [c for c in reader.connections if c.msgtype.endswith("Image")]
    for connection, _, raw in reader.messages(connections=connections):
        message = reader.deserialize(raw, connection.msgtype)
        images += 1
        total += message.data.size
print(time.perf_counter() - start, images, total, time.process_time() - cpu)
