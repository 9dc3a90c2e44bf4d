import { InferenceSession, Tensor } from 'onnxruntime-node';
import { VprError } from '../core/VprError.js';

export interface GraphTensor {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

/** Runs a graph on the CPU: values of its inputs by name -> values of its one output. */
export type GraphRun = (inputs: Readonly<Record<string, GraphTensor>>) => Promise<Float32Array>;

/** Opens a graph that is no place recognition model: f32 inputs, one f32 output. All cores: nothing else runs beside it. */
export async function openGraph(bytes: Uint8Array): Promise<GraphRun> {
  const session = await InferenceSession.create(bytes, { executionProviders: ['cpu'], logSeverityLevel: 3 });
  const name = session.outputNames[0]!;
  return async (inputs) => {
    const feeds = Object.entries(inputs).map(([input, { values, shape }]) => [
      input,
      new Tensor('float32', values, shape),
    ]);
    const outputs = await session.run(Object.fromEntries(feeds) as Record<string, Tensor>);
    const data = outputs[name]?.data;
    if (!(data instanceof Float32Array))
      throw new VprError('MODEL_OUTPUT_INVALID', `Expected f32 values for the output '${name}', got none`);
    return data;
  };
}
