/** sensor_msgs/Image, as ROS 1 says, to sensor_msgs/msg/Image. Names of ROS 2 come back as they are. */
export function ros2TypeName(type: string): string {
  return /^[^/]+\/[^/]+$/.test(type) ? type.replace('/', '/msg/') : type;
}
