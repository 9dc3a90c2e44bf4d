/**
 * Every failure that outside data or the environment can cause (a file, a message, a model, a map, a parameter).
 * Caller bugs are TypeError/RangeError; impossible states are assertions.
 *
 * Message formula: "Expected X for Y, got Z [file, offset | topic, stamp]".
 */
export const VPR_ERROR_CODES = [
  'ARGUMENT_INVALID',
  'PARAMETER_INVALID',
  'PARAMETER_READ_ONLY',
  'FILE_MISSING',
  'FILE_UNREADABLE',
  'FILE_NOT_WRITABLE',
  'DISK_FULL',
  'IMAGE_INVALID',
  'IMAGE_ENCODING_UNSUPPORTED',
  'IMAGE_TOO_LARGE',
  'MESSAGE_INVALID',
  'MESSAGE_TYPE_UNSUPPORTED',
  'BAG_INVALID',
  'BAG_TRUNCATED',
  'BAG_NO_IMAGES',
  'TOPIC_MISSING',
  'POSES_INVALID',
  'FOLDER_INVALID',
  'GROUND_TRUTH_INVALID',
  'MODEL_INVALID',
  'MODEL_FILE_CHANGED',
  'MODEL_OUTPUT_INVALID',
  'MODEL_SELF_TEST_FAILED',
  'PROVIDER_UNAVAILABLE',
  'MAP_MISSING',
  'MAP_EXISTS',
  'MAP_LOCKED',
  'MAP_READ_ONLY',
  'MAP_VERSION',
  'MAP_CORRUPT',
  'MAP_OTHER_MODEL',
  'CHECKPOINT_INVALID',
  'CHECKPOINT_UNSAFE',
  'CHECKPOINT_KEY_MISSING',
  'CHECKPOINT_KEY_UNUSED',
  'CHECKPOINT_SHAPE',
  'GRAPH_INVALID',
  'WORKER_CRASHED',
  'CALIBRATION_INVALID',
  'ROS_MISSING',
] as const;

export type VprErrorCode = (typeof VPR_ERROR_CODES)[number];

/** Messages quote outside data; more than this helps nobody. */
const MAX_MESSAGE_LENGTH = 2000;

/** One printable line: control characters of outside data must not reach a terminal or break a log. */
function printable(message: string): string {
  const line = message.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  if (line.length <= MAX_MESSAGE_LENGTH) return line;
  return `${line.slice(0, MAX_MESSAGE_LENGTH / 2)} ... ${line.slice(-MAX_MESSAGE_LENGTH / 2)}`;
}

export class VprError extends Error {
  override readonly name = 'VprError';
  readonly code: VprErrorCode;

  constructor(code: VprErrorCode, message: string, options?: { cause?: unknown }) {
    super(printable(message), options);
    this.code = code;
  }
}

/** The message of anything that was thrown, on one line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
