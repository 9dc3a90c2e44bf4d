"""Plays a bag through the live node and records what it says.

    ros2 launch vpr_node replay.launch.py bag:=second_lap map:=town.vpr cameras:=front=/camera/front/image_raw

With `ros2 bag` installed it plays and records (results_bag); otherwise, or with lockstep:=true, the project's own player
does, and writes one PlaceMatch a line as JSON (results).
"""

import importlib.util
import os

from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RESULT_TOPICS = ['place', 'loop_closure', 'pose', 'state', 'map_info']

ARGUMENTS = [
    ('bag', None, 'Bag file or folder to play.'),
    ('map', '', 'Map file. Empty: an empty map in memory, grown in slam mode.'),
    ('model', '', 'Model folder. Empty: the default model.'),
    ('mode', '', 'localization, mapping or slam. Empty: localization with a map, slam without.'),
    ('cameras', '', 'Cameras, comma-separated: NAME=TOPIC.'),
    ('params_file', '', 'YAML file with parameters.'),
    ('rate', '1.0', 'Speed, 1.0 as recorded.'),
    ('results', 'replay_results.jsonl', "File for the results of the project's own player."),
    ('results_bag', 'replay_results', 'Bag for the results of `ros2 bag record`.'),
    ('lockstep', 'false', "Own player: an image only after the answer to the last, so that none is dropped."),
]


def own_player():
    """The package's executable, or node on the checkout's compiled file."""
    if os.path.exists(os.path.join(ROOT, 'tsconfig.json')):
        return ['node', os.path.join(ROOT, 'dist', 'src', 'ros', 'playBag.js')]
    return [os.path.join(os.path.dirname(os.path.dirname(ROOT)), 'lib', 'vpr_node', 'play_bag')]


def start(context):
    value = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    bag = os.path.abspath(os.path.expanduser(value['bag']))
    if not os.path.exists(bag):
        raise RuntimeError(f"Expected a bag for 'bag', found nothing at {bag}")
    node = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(os.path.join(ROOT, 'launch', 'vpr_node.launch.py')),
        launch_arguments={
            **{name: value[name] for name in ('map', 'model', 'mode', 'cameras', 'params_file')},
            'use_sim_time': 'true',
            'autostart': 'true',
            'respawn': 'false',
        }.items(),
    )
    actions = [node]
    lockstep = value['lockstep'].lower() in ('true', '1', 'yes')
    if importlib.util.find_spec('ros2bag') is not None and not lockstep:
        # The node needs a moment to subscribe; what is played before is lost.
        player = ExecuteProcess(
            cmd=['ros2', 'bag', 'play', bag, '--clock', '--rate', value['rate'], '--delay', '5'], output='screen'
        )
        topics = [f'/vpr_node/{topic}' for topic in RESULT_TOPICS]
        actions.append(
            ExecuteProcess(cmd=['ros2', 'bag', 'record', '-o', value['results_bag'], *topics], output='screen')
        )
    else:
        actions.append(LogInfo(msg="playing with the project's own player"))
        player = ExecuteProcess(
            cmd=[
                *own_player(),
                bag,
                '--rate',
                value['rate'],
                '--results',
                os.path.abspath(value['results']),
                *(['--lockstep'] if lockstep else []),
            ],
            output='screen',
        )
    actions.append(player)
    actions.append(
        RegisterEventHandler(
            OnProcessExit(target_action=player, on_exit=[EmitEvent(event=Shutdown(reason='the bag was played'))])
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
