import { VprError } from '../../core/VprError.js';
import type { DataType } from './DataType.js';
import { floats, halves, type Tensor } from './Tensor.js';

/** Operator set of the default domain that every graph states: the first with Gelu, and ONNX Runtime >= 1.17 runs it. */
export const OPSET_VERSION = 20;
/** The file format version that goes with it. */
export const IR_VERSION = 9;
/** ONNX Runtime's own operators (fused attention); stated only by graphs that use one. */
export const MICROSOFT_DOMAIN = 'com.microsoft';

/** An edge of the graph: its type and its full shape are known while building. */
export interface Value {
  readonly graph: GraphBuilder;
  readonly name: string;
  readonly dataType: DataType;
  readonly shape: readonly number[];
}

/** Numbers must say which they are: ONNX tells integer attributes from float ones. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly text: string };

export interface GraphNode {
  readonly opType: string;
  readonly domain: string;
  readonly name: string;
  /** Empty strings are absent optional inputs. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface OutputType {
  readonly dataType: DataType;
  readonly shape: readonly number[];
}

/**
 * Collects the inputs, constants, nodes and outputs of one ONNX graph. Operators (operators/*.ts) check types and shapes
 * and call `node`; a wrong graph is a GRAPH_INVALID error at the line that builds it, not at load time on the robot.
 */
export class GraphBuilder {
  readonly name: string;
  readonly inputs: Value[] = [];
  readonly outputs: Value[] = [];
  readonly nodes: GraphNode[] = [];
  readonly constants = new Map<string, Tensor>();
  /** Shape of every edge by its name. */
  readonly shapes = new Map<string, readonly number[]>();
  readonly #names = new Map<string, number>();
  readonly #shared = new Map<string, Value>();
  readonly #scopes: string[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** Runs `build` with `scope` in front of the names of all that it makes: names in profiles then say where they come from. */
  scoped<T>(scope: string, build: () => T): T {
    this.#scopes.push(scope);
    try {
      return build();
    } finally {
      this.#scopes.pop();
    }
  }

  input(name: string, dataType: DataType, shape: readonly number[]): Value {
    const value = this.#value(this.#claim(name), dataType, shape);
    this.inputs.push(value);
    return value;
  }

  /** Adds a constant; its bytes are asked for when the model is written. */
  constant(name: string, tensor: Tensor): Value {
    const value = this.#value(this.#unique(name), tensor.dataType, tensor.shape);
    this.constants.set(value.name, tensor);
    return value;
  }

  /** A small float constant; equal ones are stored once. */
  float(values: number | readonly number[], dataType: 'float32' | 'float16' = 'float32'): Value {
    const list = typeof values === 'number' ? [values] : values;
    const shape = typeof values === 'number' ? [] : [list.length];
    return this.shared(`${dataType}:${shape.length}:${list.join(',')}`, 'float', () => {
      const tensor = floats(list, shape);
      return dataType === 'float16' ? halves(tensor) : tensor;
    });
  }

  /** A constant that is stored once for all uses under one key. */
  shared(key: string, name: string, make: () => Tensor): Value {
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const value = this.constant(name, make());
    this.#shared.set(key, value);
    return value;
  }

  /** Adds a node and returns its outputs. Absent optional inputs are undefined. */
  node(
    opType: string,
    inputs: readonly (Value | undefined)[],
    outputs: readonly OutputType[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): Value[] {
    for (const input of inputs)
      if (input !== undefined && input.graph !== this)
        throw new TypeError(`Input ${input.name} of ${opType} belongs to another graph`);
    const name = this.#unique(opType);
    const values = outputs.map((output, i) =>
      this.#value(this.#claim(outputs.length === 1 ? `${name}_out` : `${name}_out${i}`), output.dataType, output.shape),
    );
    this.nodes.push({
      opType,
      domain,
      name,
      inputs: inputs.map((input) => input?.name ?? ''),
      outputs: values.map((value) => value.name),
      attributes,
    });
    return values;
  }

  /** Declares a result of the graph under a name of its own. */
  output(name: string, value: Value): Value {
    const named = this.#value(this.#claim(name), value.dataType, value.shape);
    this.nodes.push({
      opType: 'Identity',
      domain: '',
      name: `${name}_identity`,
      inputs: [value.name],
      outputs: [name],
      attributes: {},
    });
    this.outputs.push(named);
    return named;
  }

  #value(name: string, dataType: DataType, shape: readonly number[]): Value {
    for (const size of shape)
      if (!Number.isSafeInteger(size) || size < 1)
        throw new VprError('GRAPH_INVALID', `Expected positive sizes for ${name}, got [${shape.join(', ')}]`);
    this.shapes.set(name, shape);
    return { graph: this, name, dataType, shape };
  }

  #unique(stem: string): string {
    const scoped = [...this.#scopes, stem].join('/');
    const used = this.#names.get(scoped) ?? 0;
    if (used === 0) return this.#claim(scoped);
    this.#names.set(scoped, used + 1);
    return this.#claim(`${scoped}_${used}`);
  }

  #claim(name: string): string {
    if (this.#names.has(name)) throw new VprError('GRAPH_INVALID', `Expected unique names, got '${name}' twice`);
    this.#names.set(name, 1);
    return name;
  }
}
