import { TensorProto_DataType } from './onnxCode.js';

/** Element types that the builder writes. */
export type DataType = 'float32' | 'float16' | 'uint8' | 'int8' | 'int32' | 'int64' | 'bool';

const TABLE: Readonly<Record<DataType, { readonly code: TensorProto_DataType; readonly bytes: number }>> = {
  float32: { code: TensorProto_DataType.FLOAT, bytes: 4 },
  float16: { code: TensorProto_DataType.FLOAT16, bytes: 2 },
  uint8: { code: TensorProto_DataType.UINT8, bytes: 1 },
  int8: { code: TensorProto_DataType.INT8, bytes: 1 },
  int32: { code: TensorProto_DataType.INT32, bytes: 4 },
  int64: { code: TensorProto_DataType.INT64, bytes: 8 },
  bool: { code: TensorProto_DataType.BOOL, bytes: 1 },
};

/** The number that stands for the type in an ONNX file. */
export function dataTypeCode(type: DataType): TensorProto_DataType {
  return TABLE[type].code;
}

export function bytesPerElement(type: DataType): number {
  return TABLE[type].bytes;
}
