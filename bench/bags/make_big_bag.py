"""Writes a bag of N synthetic 640x480 rgb8 images, by the mcap package: make_big_bag.py FOLDER IMAGES none|zstd|lz4 REPEATS.

REPEATS lists the one file that many times in metadata.yaml: a long drive without the disk for it.
"""
import pathlib
import sys

import numpy as np
from mcap.writer import CompressionType, Writer
from rosbags.typesys import Stores, get_typestore

folder, count, compression, repeats = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
store = get_typestore(Stores.ROS2_JAZZY)
folder.mkdir(parents=True, exist_ok=True)
y, x = np.mgrid[0:480, 0:640]
noise = np.random.default_rng(1).integers(0, 24, (480, 640, 3))
with (folder / "part.mcap").open("wb") as stream:
    writer = Writer(stream, chunk_size=4 << 20, compression=CompressionType[compression.upper()])
    writer.start(profile="ros2")
    kind = "sensor_msgs/msg/Image"
    schema = writer.register_schema(kind, "ros2msg", store.generate_msgdef(kind, ros_version=2)[0].encode())
    channel = writer.register_channel("/front/image_raw", "cdr", schema)
    for i in range(count):
        pixels = (np.stack([(x + 3 * i) % 200, (y + i) % 200, (x + y) % 200], -1) + noise).astype(np.uint8)
        stamp = store.types["builtin_interfaces/msg/Time"](sec=i // 30, nanosec=i % 30 * 33_000_000)
        header = store.types["std_msgs/msg/Header"](stamp=stamp, frame_id="front")
        message = store.types[kind](header=header, height=480, width=640, encoding="rgb8", is_bigendian=0, step=1920,
                                    data=pixels.ravel())
        time = i * 33_000_000
        writer.add_message(channel, time, bytes(store.serialize_cdr(message, kind)), time, i)
    writer.finish()
duration = count * 33_000_000
(folder / "metadata.yaml").write_text(
    "rosbag2_bagfile_information:\n  version: 5\n  storage_identifier: mcap\n  compression_format: ''\n  compression_mode: ''\n"
    f"  message_count: {count}\n  duration: {{nanoseconds: {duration}}}\n  starting_time: {{nanoseconds_since_epoch: 0}}\n"
    "  topics_with_message_count:\n    - topic_metadata: {name: /front/image_raw, type: sensor_msgs/msg/Image,"
    " serialization_format: cdr, offered_qos_profiles: ''}\n"
    f"      message_count: {count}\n  relative_file_paths:\n" + "    - part.mcap\n" * repeats)
