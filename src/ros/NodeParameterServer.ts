import type { Parameter, ParameterValue } from '../config/Parameter.js';
import {
  cameraParameters,
  changeParameters,
  findParameter,
  parseParameter,
  parseParameters,
  type NodeParameters,
} from '../config/parseParameters.js';
import { PARAMETERS } from '../config/parameters.js';
import { messageOf, VprError } from '../core/VprError.js';
import type { ParameterChangeResult, RosMessage, RosModule, RosNode, RosParameter } from './RosApi.js';

/** rcl_interfaces/msg/ParameterType. */
const ROS_TYPE: Readonly<Record<Parameter['type'], number>> = { bool: 1, int: 2, double: 3, string: 4, 'string[]': 9 };
/** The same by number, in the words of `ros2 param`. */
const TYPE_NAMES = [
  'not set',
  'boolean',
  'integer',
  'double',
  'string',
  'byte array',
  'boolean array',
  'integer array',
  'double array',
  'string array',
];

/** Parameters that ROS 2 itself, launch files and Nav2's manager give to every node. */
const FOREIGN =
  /^(use_sim_time|start_type_description_service|qos_overrides\.|bond_|diagnostic_updater\.|use_intra_process_comms)/;

/**
 * Declares the parameter table on the node and keeps its values. A wrong value in a parameter file does not end the
 * process: it is a problem that `parse` throws, so that configure fails with the reason, until it is set right.
 */
export class NodeParameterServer {
  readonly #ros: RosModule;
  readonly #node: RosNode;
  /** What parameter files and the command line give, also for cameras that are not in the list yet. */
  readonly #overrides: ReadonlyMap<string, unknown>;
  readonly #values: Record<string, ParameterValue> = {};
  readonly #problems = new Map<string, string>();
  #locked = false;
  #onDynamic: ((values: Readonly<Record<string, ParameterValue>>) => void) | undefined;

  constructor(ros: RosModule, node: RosNode) {
    this.#ros = ros;
    this.#node = node;
    this.#overrides = new Map(node.getParameterOverrides().map((parameter) => [parameter.name, parameter.value]));
    for (const row of PARAMETERS) this.#declare(row);
    for (const camera of this.#cameras) for (const row of cameraParameters(camera)) this.#declare(row);
    for (const name of this.#overrides.keys()) this.#checkKnown(name);
    node.addPostSetParametersCallback((parameters) => this.#take(parameters));
  }

  /** From the start of configure to cleanup only dynamic parameters can be set; they are told to `onDynamic`. */
  lock(onDynamic: (values: Readonly<Record<string, ParameterValue>>) => void): void {
    this.#locked = true;
    this.#onDynamic = onDynamic;
  }

  unlock(): void {
    this.#locked = false;
    this.#onDynamic = undefined;
  }

  /** All values by ROS name. Parameters of cameras that are no longer in the list stay declared; they are not part of it. */
  get values(): Readonly<Record<string, ParameterValue>> {
    return Object.fromEntries(Object.entries(this.#values).filter(([name]) => this.#isUsed(name)));
  }

  /** Throws PARAMETER_INVALID for the first problem. */
  parse(): NodeParameters {
    for (const [name, problem] of this.#problems)
      if (this.#isUsed(name)) throw new VprError('PARAMETER_INVALID', problem);
    return parseParameters(this.values);
  }

  get #cameras(): readonly string[] {
    return this.#values['cameras'] as readonly string[];
  }

  /** False for what belongs to a camera that is not in the list. */
  #isUsed(name: string): boolean {
    const camera = /^cameras\.([^.]+)\./.exec(name)?.[1];
    return camera === undefined || findParameter(name) === undefined || this.#cameras.includes(camera);
  }

  #declare(row: Parameter): void {
    if (this.#node.hasParameter(row.name)) return;
    let value: ParameterValue = row.default;
    let problem: string | undefined;
    if (this.#overrides.has(row.name)) {
      try {
        value = parseParameter(row, plain(this.#overrides.get(row.name)));
      } catch (error) {
        problem = messageOf(error);
      }
    }
    this.#values[row.name] = value;
    const type = ROS_TYPE[row.type];
    const range = this.#rangeOf(row);
    const descriptor = new this.#ros.ParameterDescriptor(
      row.name,
      type,
      row.description,
      false,
      ...(range === undefined ? [] : [range]),
    );
    const constraints = [
      ...(row.choices === undefined ? [] : [`one of: ${row.choices.join(', ')}`]),
      row.dynamic ? 'takes effect at once' : 'read at configure: cannot be set while inactive or active',
    ];
    descriptor.additionalConstraints = constraints.join('; ');
    const { toMessage } = descriptor;
    // rclnodejs checks the range but leaves it out of what it tells others.
    descriptor.toMessage = () => ({ ...toMessage.call(descriptor), ...this.#rangeMessage(row) });
    this.#node.declareParameter(new this.#ros.Parameter(row.name, type, rosValue(row, value)), descriptor, true);
    // Declaring sets the default, which puts nothing right.
    if (problem !== undefined) this.#problems.set(row.name, problem);
  }

  #rangeOf(row: Parameter): object | undefined {
    if (row.range === undefined) return undefined;
    const [from, to] = row.range;
    // A step of 0 means that every value between the bounds will do.
    if (row.type === 'double') return new this.#ros.FloatingPointRange(from, to, 0);
    return new this.#ros.IntegerRange(BigInt(from), BigInt(to), 1n);
  }

  /** The range fields of rcl_interfaces/msg/ParameterDescriptor. */
  #rangeMessage({ type, range }: Parameter): RosMessage {
    if (range === undefined) return {};
    const [from, to] = range;
    if (type === 'double') return { floating_point_range: [{ from_value: from, to_value: to, step: 0 }] };
    return { integer_range: [{ from_value: BigInt(from), to_value: BigInt(to), step: 1n }] };
  }

  #checkKnown(name: string): void {
    // Parameters of cameras that are not in use are no mistake: one file may serve several robots.
    if (FOREIGN.test(name) || findParameter(name) !== undefined) return;
    try {
      parseParameters({ [name]: undefined });
    } catch (error) {
      this.#problems.set(name, messageOf(error));
    }
  }

  /** Whether new values will do; asked by the node before it sets them, and before rclnodejs' less telling checks. */
  check(parameters: readonly RosParameter[]): ParameterChangeResult {
    try {
      const changes: Record<string, ParameterValue> = {};
      for (const parameter of parameters) {
        const row = findParameter(parameter.name);
        if (row === undefined) {
          this.#checkForeign(parameter.name);
          continue;
        }
        checkType(row, parameter);
        changes[row.name] = parseParameter(row, plain(parameter.value));
      }
      if (this.#locked) changeParameters(this.values, changes);
      return { successful: true, reason: '' };
    } catch (error) {
      return { successful: false, reason: messageOf(error) };
    }
  }

  #checkForeign(name: string): void {
    if (!this.#node.hasParameter(name)) parseParameters({ [name]: undefined });
  }

  #take(parameters: readonly RosParameter[]): void {
    const changes: Record<string, ParameterValue> = {};
    for (const { name, value } of parameters) {
      const row = findParameter(name);
      if (row === undefined) continue;
      changes[name] = parseParameter(row, plain(value));
      this.#values[name] = changes[name];
      this.#problems.delete(name);
    }
    for (const camera of (changes['cameras'] ?? []) as readonly string[])
      for (const row of cameraParameters(camera)) this.#declare(row);
    if (Object.keys(changes).length > 0) this.#onDynamic?.(changes);
  }
}

/** ROS 2 keeps a parameter's type for good, also where a number would do. Throws PARAMETER_INVALID. */
function checkType(row: Parameter, { type, value }: RosParameter): void {
  if (type === ROS_TYPE[row.type]) return;
  const shown = ['boolean', 'number', 'bigint', 'string'].includes(typeof value) ? ` ${String(value)}` : '';
  const hint = row.type === 'double' && TYPE_NAMES[type] === 'integer' ? `: write${shown}.0` : '';
  throw new VprError(
    'PARAMETER_INVALID',
    `Expected ${TYPE_NAMES[ROS_TYPE[row.type]]} for parameter '${row.name}', got ${TYPE_NAMES[type] ?? `type ${type}`}${shown}${hint}`,
  );
}

/** rclnodejs' integers are bigint; its arrays may be typed arrays. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return ArrayBuffer.isView(value) && !(value instanceof DataView) ? Array.from(value as Uint8Array) : value;
}

function rosValue(row: Parameter, value: ParameterValue): unknown {
  return row.type === 'int' ? BigInt(value as number) : value;
}
