"""Writes small bags of every storage and compression, by other people's writers: rosbags and mcap for Python.

Every bag has the images of ../image/encodings.json (one case an encoding and byte order): image i is stamped 100 + i / 10
seconds, raw ones on /front/image_raw, compressed ones on /rear/image_raw/compressed. Bags named in WITH_POSES also have a
drive: x = t - 100, y = 2 (t - 100), z = 0.5, yaw = 0.1 (t - 100), every 0.125 s, as Odometry, PoseStamped,
PoseWithCovarianceStamped, TF (map -> odom static shift of 10 m in x; odom -> base_link the drive), and NavSatFix.
Run: python make_bags.py (needs rosbags, mcap, numpy, zstandard; nothing random). Rewrites the folders beside it.
"""
import json
import math
import pathlib
import shutil
import zlib

import numpy as np
from mcap.writer import CompressionType, IndexType, Writer as McapWriter
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer as Ros2Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

HERE = pathlib.Path(__file__).parent
GOLDENS = HERE.parent / "image"
ROS2, ROS1 = get_typestore(Stores.ROS2_JAZZY), get_typestore(Stores.ROS1_NOETIC)
ROS1.register(get_types_from_msg("geometry_msgs/TransformStamped[] transforms", "tf2_msgs/msg/TFMessage"))
WITH_POSES = {"mcap_zstd", "db3", "ros1_none"}

blob = (GOLDENS / "encodings.bin").read_bytes()
cases, seen = [], set()
for index, case in enumerate(json.loads((GOLDENS / "encodings.json").read_text())["cases"]):
    key = (case["kind"], case.get("encoding", case.get("format")), case.get("isBigEndian"))
    if key not in seen:
        seen.add(key)
        cases.append((index, case))


def stamp_of(store, seconds):
    nanoseconds = round(seconds * 1e9)
    return store.types["builtin_interfaces/msg/Time"](sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)


def header(store, seconds, frame):
    fields = {"stamp": stamp_of(store, seconds), "frame_id": frame}
    if store is ROS1:
        fields["seq"] = 7
    return store.types["std_msgs/msg/Header"](**fields)


def images(store):
    for i, (_, case) in enumerate(cases):
        seconds = 100 + i / 10
        offset, length = case["message"]
        data = np.frombuffer(blob[offset:offset + length], np.uint8)
        if case["kind"] == "raw":
            message = store.types["sensor_msgs/msg/Image"](
                header=header(store, seconds, "front_optical"), height=case["height"], width=case["width"],
                encoding=case["encoding"], is_bigendian=int(case["isBigEndian"]), step=case["step"], data=data)
            yield seconds, "/front/image_raw", message
        else:
            message = store.types["sensor_msgs/msg/CompressedImage"](
                header=header(store, seconds, "rear_optical"), format=case["format"], data=data)
            yield seconds, "/rear/image_raw/compressed", message


def poses(store):
    types = store.types
    Vector3, Quaternion = types["geometry_msgs/msg/Vector3"], types["geometry_msgs/msg/Quaternion"]
    covariance = np.zeros(36)

    def transform(seconds, frame, child, x, y, z, yaw):
        rotation = Quaternion(x=0.0, y=0.0, z=math.sin(yaw / 2), w=math.cos(yaw / 2))
        return types["geometry_msgs/msg/TransformStamped"](
            header=header(store, seconds, frame), child_frame_id=child,
            transform=types["geometry_msgs/msg/Transform"](translation=Vector3(x=x, y=y, z=z), rotation=rotation))

    tf = types["tf2_msgs/msg/TFMessage"]
    yield 100, "/tf_static", tf(transforms=[transform(100, "map", "odom", 10.0, 0.0, 0.0, 0.0),
                                            transform(100, "base_link", "camera", 0.2, 0.0, 1.0, 0.0)])
    for i in range(80):
        t = i / 8
        seconds, yaw = 100 + t, 0.1 * t
        pose = types["geometry_msgs/msg/Pose"](
            position=types["geometry_msgs/msg/Point"](x=t, y=2 * t, z=0.5),
            orientation=Quaternion(x=0.0, y=0.0, z=math.sin(yaw / 2), w=math.cos(yaw / 2)))
        with_covariance = types["geometry_msgs/msg/PoseWithCovariance"](pose=pose, covariance=covariance)
        still = types["geometry_msgs/msg/Twist"](linear=Vector3(x=1.0, y=2.0, z=0.0), angular=Vector3(x=0.0, y=0.0, z=0.1))
        twist = types["geometry_msgs/msg/TwistWithCovariance"](twist=still, covariance=covariance)
        yield seconds, "/odom", types["nav_msgs/msg/Odometry"](
            header=header(store, seconds, "odom"), child_frame_id="base_link", pose=with_covariance, twist=twist)
        yield seconds, "/pose", types["geometry_msgs/msg/PoseStamped"](header=header(store, seconds, "map"), pose=pose)
        yield seconds, "/amcl_pose", types["geometry_msgs/msg/PoseWithCovarianceStamped"](
            header=header(store, seconds, "map"), pose=with_covariance)
        yield seconds, "/tf", tf(transforms=[transform(seconds, "odom", "base_link", t, 2 * t, 0.5, yaw)])
        if i % 10 == 0:
            yield seconds, "/fix", types["sensor_msgs/msg/NavSatFix"](
                header=header(store, seconds, "gps"),
                status=types["sensor_msgs/msg/NavSatStatus"](status=0, service=1), latitude=48.0 + t * 1e-5,
                longitude=11.0 + t * 2e-5, altitude=500.0, position_covariance=np.zeros(9),
                position_covariance_type=0)


def messages(name, store):
    both = list(images(store)) + (list(poses(store)) if name in WITH_POSES else [])
    return sorted(both, key=lambda entry: entry[0])


def fresh(name):
    path = HERE / name
    shutil.rmtree(path, ignore_errors=True)
    path.unlink(missing_ok=True)
    return path


def write_rosbag2(name, plugin, mode=CompressionMode.NONE, big_endian=False):
    writer = Ros2Writer(fresh(name), version=9, storage_plugin=plugin)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connections = {}
        for seconds, topic, message in messages(name, ROS2):
            kind = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=ROS2)
            data = ROS2.serialize_cdr(message, kind, little_endian=not big_endian)
            writer.write(connections[topic], round(seconds * 1e9), data)


def write_mcap(name, store=ROS2, part=slice(None), path=None, extras=False, **options):
    path = path or fresh(name + ".mcap")
    with path.open("wb") as stream:
        writer = McapWriter(stream, **{"chunk_size": 4096, **options})
        writer.start(profile="ros2" if store is ROS2 else "ros1")
        schemas, channels = {}, {}
        for sequence, (seconds, topic, message) in enumerate(messages(name, store)[part]):
            kind = message.__msgtype__
            if kind not in schemas:
                text, _ = store.generate_msgdef(kind, ros_version=2 if store is ROS2 else 1)
                label = kind if store is ROS2 else kind.replace("/msg/", "/")
                schemas[kind] = writer.register_schema(label, "ros2msg" if store is ROS2 else "ros1msg", text.encode())
            if topic not in channels:
                channels[topic] = writer.register_channel(topic, "cdr" if store is ROS2 else "ros1", schemas[kind])
            data = store.serialize_cdr(message, kind) if store is ROS2 else store.serialize_ros1(message, kind)
            time = round(seconds * 1e9)
            writer.add_message(channels[topic], time, bytes(data), time, sequence)
        if extras:
            writer.add_attachment(create_time=1, log_time=2, name="notes.txt", media_type="text/plain", data=b"rain" * 9)
            writer.add_metadata("vehicle", {"name": "shuttle", "lens": "wide"})
        writer.finish()
    return path


def write_ros1(name, compression):
    path = fresh(name + ".bag")
    writer = Ros1Writer(path)
    if compression:
        writer.set_compression(compression)
    with writer:
        connections = {}
        for seconds, topic, message in messages(name, ROS1):
            kind = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=ROS1)
            writer.write(connections[topic], round(seconds * 1e9), ROS1.serialize_ros1(message, kind))


write_rosbag2("mcap_rosbags", StoragePlugin.MCAP)
write_rosbag2("mcap_big_endian", StoragePlugin.MCAP, big_endian=True)
write_rosbag2("mcap_message_zstd", StoragePlugin.MCAP, CompressionMode.MESSAGE)
write_rosbag2("mcap_file_zstd", StoragePlugin.MCAP, CompressionMode.FILE)
write_rosbag2("db3", StoragePlugin.SQLITE3)
write_rosbag2("db3_message_zstd", StoragePlugin.SQLITE3, CompressionMode.MESSAGE)
write_rosbag2("db3_file_zstd", StoragePlugin.SQLITE3, CompressionMode.FILE)
write_mcap("mcap_zstd", compression=CompressionType.ZSTD)
write_mcap("mcap_lz4", compression=CompressionType.LZ4)
write_mcap("mcap_uncompressed", compression=CompressionType.NONE)
write_mcap("mcap_unchunked", use_chunking=False)
write_mcap("mcap_every_record", compression=CompressionType.LZ4, extras=True)
write_mcap("mcap_every_record_unchunked", use_chunking=False, extras=True)
BARE = {"index_types": IndexType.NONE, "repeat_channels": False, "repeat_schemas": False, "use_statistics": False,
        "use_summary_offsets": False}
write_mcap("mcap_no_summary", compression=CompressionType.ZSTD, **BARE)
write_mcap("mcap_unchunked_no_summary", use_chunking=False, **BARE)
write_mcap("mcap_ros1", store=ROS1)
whole = write_mcap("mcap_truncated", compression=CompressionType.LZ4)
whole.write_bytes(whole.read_bytes()[:int(whole.stat().st_size * 0.6)])

split = fresh("mcap_split")
split.mkdir()
half = len(cases) // 2
write_mcap("mcap_split", part=slice(0, half), path=split / "mcap_split_0.mcap")
write_mcap("mcap_split", part=slice(half, None), path=split / "mcap_split_1.mcap")
(split / "metadata.yaml").write_text(
    "rosbag2_bagfile_information:\n  version: 5\n  storage_identifier: mcap\n  compression_format: ''\n"
    "  compression_mode: ''\n  relative_file_paths:\n    - mcap_split_0.mcap\n    - mcap_split_1.mcap\n")

write_ros1("ros1_none", None)
write_ros1("ros1_lz4", Ros1Writer.CompressionFormat.LZ4)
write_ros1("ros1_bz2", Ros1Writer.CompressionFormat.BZ2)
(HERE / "bags.json").write_text(json.dumps({"cases": [index for index, _ in cases]}))
