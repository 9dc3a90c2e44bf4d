import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { VprError } from '../../core/VprError.js';
import { bytesPerElement, dataTypeCode } from './DataType.js';
import {
  IR_VERSION,
  MICROSOFT_DOMAIN,
  OPSET_VERSION,
  type Attribute,
  type GraphBuilder,
  type Value,
} from './GraphBuilder.js';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type TensorProto,
  type ValueInfoProto,
} from './onnxCode.js';
import { elementCount, type Tensor } from './Tensor.js';

/** Constants of more bytes than this in all go to a file of their own: protobuf ends at 2 GB and parsers copy. */
export const EXTERNAL_DATA_BYTES = 64 * 1024 * 1024;
/** Smaller constants stay in the graph even then: a robot's tools can read them there. */
const INLINE_BYTES = 1024;
/** A page, so that ONNX Runtime can map the weights instead of copying them. */
const EXTERNAL_ALIGNMENT = 4096;

export interface WrittenModel {
  /** File names relative to the folder; the graph comes first. */
  readonly files: readonly string[];
  readonly parameters: number;
}

export interface WriteOptions {
  /** Name of the graph's file; weights go to `<fileName>.data`. */
  readonly fileName?: string;
  /** Threshold in bytes; tests make it small. */
  readonly externalDataBytes?: number;
  /** Called after each constant that was written, with bytes done and bytes in all. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

function attributeProto(name: string, attribute: Attribute): AttributeProto {
  const type = AttributeProto_AttributeType;
  if ('int' in attribute) return create(AttributeProtoSchema, { name, type: type.INT, i: BigInt(attribute.int) });
  if ('float' in attribute) return create(AttributeProtoSchema, { name, type: type.FLOAT, f: attribute.float });
  if ('ints' in attribute)
    return create(AttributeProtoSchema, { name, type: type.INTS, ints: attribute.ints.map(BigInt) });
  if ('floats' in attribute)
    return create(AttributeProtoSchema, { name, type: type.FLOATS, floats: [...attribute.floats] });
  return create(AttributeProtoSchema, { name, type: type.STRING, s: new TextEncoder().encode(attribute.text) });
}

function valueInfo(value: Value): ValueInfoProto {
  const dim = value.shape.map((size) =>
    create(TensorShapeProto_DimensionSchema, { value: { case: 'dimValue', value: BigInt(size) } }),
  );
  const tensorType = create(TypeProto_TensorSchema, {
    elemType: dataTypeCode(value.dataType),
    shape: create(TensorShapeProtoSchema, { dim }),
  });
  return create(ValueInfoProtoSchema, {
    name: value.name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensorType } }),
  });
}

function byteCount(tensor: Tensor): number {
  return elementCount(tensor.shape) * bytesPerElement(tensor.dataType);
}

function checkedBytes(name: string, tensor: Tensor): Uint8Array {
  const bytes = tensor.read();
  if (bytes.byteLength !== byteCount(tensor))
    throw new VprError(
      'GRAPH_INVALID',
      `Expected ${byteCount(tensor)} bytes for constant ${name} [${tensor.shape.join(', ')}], got ${bytes.byteLength}`,
    );
  return bytes;
}

/** Appends constants to the external data file, one at a time. */
class ExternalDataFile {
  readonly #descriptor: number;
  readonly #location: string;
  #offset = 0;

  constructor(folder: string, location: string) {
    this.#location = location;
    this.#descriptor = openSync(path.join(folder, location), 'w');
  }

  append(bytes: Uint8Array): Pick<TensorProto, 'externalData' | 'dataLocation'> {
    const offset = Math.ceil(this.#offset / EXTERNAL_ALIGNMENT) * EXTERNAL_ALIGNMENT;
    for (let done = 0; done < bytes.length;)
      done += writeSync(this.#descriptor, bytes, done, bytes.length - done, offset + done);
    this.#offset = offset + bytes.length;
    const entry = (key: string, value: string | number) =>
      create(StringStringEntryProtoSchema, { key, value: String(value) });
    return {
      dataLocation: TensorProto_DataLocation.EXTERNAL,
      externalData: [entry('location', this.#location), entry('offset', offset), entry('length', bytes.length)],
    };
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function encodedModel(graph: GraphBuilder, initializer: TensorProto[]): Uint8Array {
  const domains = new Set(graph.nodes.map((node) => node.domain));
  const model = create(ModelProtoSchema, {
    irVersion: BigInt(IR_VERSION),
    producerName: 'vpr_node',
    opsetImport: [
      create(OperatorSetIdProtoSchema, { domain: '', version: BigInt(OPSET_VERSION) }),
      ...(domains.has(MICROSOFT_DOMAIN)
        ? [create(OperatorSetIdProtoSchema, { domain: MICROSOFT_DOMAIN, version: 1n })]
        : []),
    ],
    graph: create(GraphProtoSchema, {
      name: graph.name,
      node: graph.nodes.map((node) =>
        create(NodeProtoSchema, {
          name: node.name,
          opType: node.opType,
          domain: node.domain,
          input: [...node.inputs],
          output: [...node.outputs],
          attribute: Object.entries(node.attributes).map(([name, attribute]) => attributeProto(name, attribute)),
        }),
      ),
      initializer,
      input: graph.inputs.map(valueInfo),
      output: graph.outputs.map(valueInfo),
    }),
  });
  return toBinary(ModelProtoSchema, model);
}

/** The graph as a file's bytes, for one without constants: ONNX Runtime opens them where they are. */
export function encodeModel(graph: GraphBuilder): Uint8Array {
  if (graph.constants.size > 0)
    throw new VprError('GRAPH_INVALID', `Expected no constants for graph ${graph.name}, got ${graph.constants.size}`);
  return encodedModel(graph, []);
}

/**
 * Writes the graph into `folder` as model.onnx, and its weights into model.onnx.data where they are above 64 MB. Constants
 * are read and written one by one: memory is bounded by the largest. Throws GRAPH_INVALID for a constant of a wrong size.
 */
export function writeModel(graph: GraphBuilder, folder: string, options: WriteOptions = {}): WrittenModel {
  const fileName = options.fileName ?? 'model.onnx';
  if (graph.outputs.length === 0)
    throw new VprError('GRAPH_INVALID', `Expected an output for graph ${graph.name}, got none`);
  mkdirSync(folder, { recursive: true });
  const used = new Set(graph.nodes.flatMap((node) => node.inputs));
  const constants = [...graph.constants].filter(([name]) => used.has(name));
  const totalBytes = constants.reduce((sum, [, tensor]) => sum + byteCount(tensor), 0);
  const external =
    totalBytes > (options.externalDataBytes ?? EXTERNAL_DATA_BYTES)
      ? new ExternalDataFile(folder, `${fileName}.data`)
      : undefined;
  let doneBytes = 0;
  let initializer;
  try {
    initializer = constants.map(([name, tensor]) => {
      const bytes = checkedBytes(name, tensor);
      doneBytes += bytes.length;
      options.onProgress?.(doneBytes, totalBytes);
      return create(TensorProtoSchema, {
        name,
        dims: tensor.shape.map(BigInt),
        dataType: dataTypeCode(tensor.dataType),
        ...(external !== undefined && bytes.length >= INLINE_BYTES ? external.append(bytes) : { rawData: bytes }),
      });
    });
  } finally {
    external?.close();
  }
  writeFileSync(path.join(folder, fileName), encodedModel(graph, initializer));
  return {
    files: external === undefined ? [fileName] : [fileName, `${fileName}.data`],
    parameters: constants.reduce((sum, [, tensor]) => sum + elementCount(tensor.shape), 0),
  };
}
