/** Message definitions of the sample bags, as rosbag2 stores them: the type, then each type it needs after a ruler. */
const RULER = '='.repeat(80);
const part = (name: string, fields: string): string => `${RULER}\nMSG: ${name}\n${fields}\n`;

const TIME = part('builtin_interfaces/Time', 'int32 sec\nuint32 nanosec');
const HEADER = part('std_msgs/Header', 'builtin_interfaces/Time stamp\nstring frame_id');
const POSE = [
  part('geometry_msgs/Pose', 'Point position\nQuaternion orientation'),
  part('geometry_msgs/Point', 'float64 x\nfloat64 y\nfloat64 z'),
  part('geometry_msgs/Quaternion', 'float64 x 0\nfloat64 y 0\nfloat64 z 0\nfloat64 w 1'),
].join('');
const TWIST = [
  part('geometry_msgs/Twist', 'Vector3 linear\nVector3 angular'),
  part('geometry_msgs/Vector3', 'float64 x\nfloat64 y\nfloat64 z'),
].join('');

export const ROS_SCHEMAS = {
  'sensor_msgs/msg/CompressedImage': `std_msgs/Header header\nstring format\nuint8[] data\n${HEADER}${TIME}`,
  'sensor_msgs/msg/Image': `std_msgs/Header header
uint32 height
uint32 width
string encoding
uint8 is_bigendian
uint32 step
uint8[] data
${HEADER}${TIME}`,
  'nav_msgs/msg/Odometry': `std_msgs/Header header
string child_frame_id
geometry_msgs/PoseWithCovariance pose
geometry_msgs/TwistWithCovariance twist
${HEADER}${part('geometry_msgs/PoseWithCovariance', 'Pose pose\nfloat64[36] covariance')}${part(
    'geometry_msgs/TwistWithCovariance',
    'Twist twist\nfloat64[36] covariance',
  )}${POSE}${TWIST}${TIME}`,
} as const;

export type RosSchemaName = keyof typeof ROS_SCHEMAS;
