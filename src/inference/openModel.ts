import { messageOf, VprError } from '../core/VprError.js';
import type { DescriptorExtractor } from './DescriptorExtractor.js';
import { whyUnavailable } from './executionProviders.js';
import type { ModelManifest } from './ModelManifest.js';
import { OnnxExtractor } from './OnnxExtractor.js';
import { modelSha256, readModelManifest, verifyModelFiles } from './readModelManifest.js';
import { selfTest, type SelfTestResult } from './selfTest.js';

export interface OpenModelOptions {
  /** In order of preference; ['cpu'] by default. The first that opens the graph and passes the self-test runs. */
  readonly providers?: readonly string[];
  readonly deviceId?: number;
  /** 0: cores - 1. */
  readonly threads?: number;
  /** Hears of slow steps. */
  readonly note?: (text: string) => void;
}

export interface OpenModel {
  readonly extractor: DescriptorExtractor;
  readonly manifest: ModelManifest;
  /** Identity of the model: what maps remember. */
  readonly sha256: string;
  /** One sentence for each preferred provider that does not run. */
  readonly providerNotes: readonly string[];
  readonly selfTest: SelfTestResult;
}

/**
 * Opens a model folder: manifest, checksums of all files, session on the first provider that works, self-test.
 * Throws FILE_MISSING, MODEL_INVALID, MODEL_FILE_CHANGED; PROVIDER_UNAVAILABLE or MODEL_SELF_TEST_FAILED when no
 * provider of the list is left, with the reason for each.
 */
export async function openModel(folder: string, options: OpenModelOptions = {}): Promise<OpenModel> {
  const { providers = ['cpu'], deviceId = 0, threads = 0, note = () => undefined } = options;
  const manifest = readModelManifest(folder);
  await verifyModelFiles(folder, manifest);
  const notes: string[] = [];
  let lastError: unknown;
  for (const provider of providers) {
    const reason = whyUnavailable(provider);
    if (reason !== undefined) {
      notes.push(`${provider}: ${reason}`);
      continue;
    }
    let extractor: OnnxExtractor | undefined;
    try {
      note(provider === 'tensorrt' ? 'TensorRT is building its engine (minutes each time)' : `opening on ${provider}`);
      extractor = await OnnxExtractor.open(folder, manifest, { provider, deviceId, threads });
      const result = await selfTest(extractor);
      return { extractor, manifest, sha256: modelSha256(manifest), providerNotes: notes, selfTest: result };
    } catch (error) {
      lastError = error;
      notes.push(`${provider}: ${messageOf(error)}`);
      await extractor?.close();
    }
  }
  // With one provider asked for, its own error says more than a list of one.
  if (providers.length === 1 && lastError !== undefined) throw lastError;
  throw new VprError(
    lastError instanceof VprError ? lastError.code : 'PROVIDER_UNAVAILABLE',
    `Expected an execution provider that runs ${manifest.name} among ${providers.join(', ')}, got none: ${notes.join('; ')}`,
    { cause: lastError },
  );
}
