"""Starts vpr_node: from an installed package, or from a checkout by this file's path.

    ros2 launch vpr_node vpr_node.launch.py cameras:=front=/front/image_raw map:=town.vpr
"""

import os
import shutil

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node

# share/vpr_node, or the checkout.
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

ARGUMENTS = [
    ('map', '', 'Map file. Empty: an empty map in memory, grown in slam mode.'),
    ('model', '', 'Model folder (holds model.json). Empty: the default model.'),
    ('mode', '', 'localization, mapping or slam. Empty: localization with a map, slam without.'),
    ('cameras', '', 'Cameras, comma-separated: NAME or NAME=TOPIC (base topic, default NAME/image_raw). Empty: as in params_file.'),
    ('params_file', '', 'YAML file with parameters; the other arguments win over it. Empty: the defaults.'),
    ('namespace', '', 'Namespace of the node.'),
    ('autostart', '', 'Configure and activate at start; false: a lifecycle manager does. Empty: as in params_file, else true.'),
    ('use_sim_time', '', 'Take the time from /clock. Empty: as in params_file, else false (RViz: false).'),
    ('log_level', 'info', 'debug, info, warn, error or fatal.'),
    ('rviz', 'false', 'Start RViz with the configuration of the package.'),
    ('shared_memory', 'true', 'Fast DDS profile with room for large images in shared memory (config/fastdds_shared_memory.xml).'),
    ('respawn', 'true', 'Start the node again when its process ends.'),
]

# glibc gives every thread a heap of its own and seldom gives it back: without a limit the process grows to 900 MB in a
# hundred rounds of configure and cleanup, with it to 260 MB.
HEAPS = 'MALLOC_ARENA_MAX'


def is_true(text):
    if text.lower() not in ('true', 'false', '1', '0', 'yes', 'no'):
        raise ValueError(f"Expected true or false, got '{text}'")
    return text.lower() in ('true', '1', 'yes')


def camera_parameters(text):
    """'front=/front/image_raw,rear' as parameters."""
    names = []
    parameters = {}
    for entry in (part.strip() for part in text.split(',') if part.strip()):
        name, _, topic = entry.partition('=')
        names.append(name)
        if topic:
            parameters[f'cameras.{name}.topic'] = topic
    return {'cameras': names, **parameters} if names else {}


def node_program():
    """How to start the node: the package's executable, or node on the checkout's compiled main."""
    if not os.path.exists(os.path.join(ROOT, 'tsconfig.json')):
        return {'package': 'vpr_node', 'executable': 'vpr_node'}
    main = os.path.join(ROOT, 'dist', 'src', 'ros', 'main.js')
    if not os.path.exists(main):
        raise RuntimeError(f"Expected the compiled node in {main}: run 'npm run setup' in {ROOT}")
    if shutil.which('node') is None:
        raise RuntimeError('Expected node (20.20 or newer) on the PATH')
    return {'executable': 'node', 'arguments': [main]}


def start(context):
    value = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    parameters = camera_parameters(value['cameras'])
    for name in ('autostart', 'use_sim_time'):
        if value[name]:
            parameters[name] = is_true(value[name])
    for name in ('map', 'model', 'mode'):
        if value[name]:
            # A path is taken from where the launch was started, as the shell would.
            parameters[name] = value[name] if name == 'mode' else os.path.abspath(os.path.expanduser(value[name]))
    actions = []
    if is_true(value['shared_memory']):
        profile = os.path.join(ROOT, 'config', 'fastdds_shared_memory.xml')
        # Both spellings: Fast DDS 2 and 3. A profile that the user chose stays.
        for variable in ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'):
            if variable not in os.environ:
                actions.append(SetEnvironmentVariable(variable, profile))
    program = node_program()
    arguments = program.pop('arguments', [])
    respawn = is_true(value['respawn'])
    # The logger of a node in a namespace has the namespace in its name.
    logger = '.'.join([*filter(None, value['namespace'].split('/')), 'vpr_node'])
    actions.append(
        LifecycleNode(
            **program,
            name='vpr_node',
            namespace=value['namespace'],
            arguments=[*arguments, '--ros-args', '--log-level', f"{logger}:={value['log_level']}"],
            parameters=[*([value['params_file']] if value['params_file'] else []), *([parameters] if parameters else [])],
            output='screen',
            emulate_tty=True,
            additional_env={HEAPS: os.environ.get(HEAPS, '2')},
            respawn=respawn,
            respawn_delay=2.0,
        )
    )
    if is_true(value['rviz']):
        if shutil.which('rviz2') is None:
            actions.append(LogInfo(msg='rviz:=true, but rviz2 is not on the PATH'))
        else:
            actions.append(
                Node(
                    package='rviz2',
                    executable='rviz2',
                    arguments=['-d', os.path.join(ROOT, 'config', 'vpr_node.rviz')],
                    parameters=[{'use_sim_time': is_true(value['use_sim_time'] or 'false')}],
                )
            )
    return actions


def generate_launch_description():
    return LaunchDescription(
        [
            *(DeclareLaunchArgument(name, default_value=default, description=text) for name, default, text in ARGUMENTS),
            OpaqueFunction(function=start),
        ]
    )
