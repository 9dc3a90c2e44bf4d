import path from 'node:path';
import type { ParameterValue } from '../config/Parameter.js';
import type { NodeParameters } from '../config/parseParameters.js';
import { defaultModelPath } from '../worker/defaultModel.js';
import { RecognizerClient } from '../worker/RecognizerClient.js';
import type { Recognizer, RecognizerMode, RecognizerStart } from '../worker/protocol.js';
import type { NodeLog } from './NodeLog.js';

const WARNING_PERIOD_MS = 5_000;

export function modeOf(parameters: NodeParameters): RecognizerMode {
  if (parameters.mode !== 'auto') return parameters.mode;
  return parameters.map === '' ? 'slam' : 'localization';
}

/** `~` is the shell's word, but parameter files use it all the same. */
function expandHome(file: string): string {
  return file.startsWith('~/') ? path.join(process.env['HOME'] ?? '', file.slice(2)) : file;
}

export interface WorkerEvents {
  /** A slow step of opening begins: a model is opened, an engine is built. */
  readonly onStep: (text: string) => void;
  /** restarting: false when the client has given up. */
  readonly onCrash: (sentence: string, restarts: number, restarting: boolean) => void;
  readonly onRestarted: () => void;
}

/** Starts the worker with model and map. Throws the VprError that says what is wrong with them. */
export async function openRecognizerSession(
  parameters: NodeParameters,
  values: Readonly<Record<string, ParameterValue>>,
  log: NodeLog,
  events: WorkerEvents,
): Promise<Recognizer> {
  const mode = modeOf(parameters);
  const start: RecognizerStart = {
    modelPath: parameters.model === '' ? defaultModelPath() : path.resolve(expandHome(parameters.model)),
    ...(parameters.map === '' ? {} : { mapPath: path.resolve(expandHome(parameters.map)) }),
    mode,
    executionProviders: parameters.executionProviders,
    parameters: values,
  };
  const recognizer = await RecognizerClient.open(start, {
    maxRestarts: parameters.workerRestarts,
    onProgress: (note) => {
      log.info(note);
      events.onStep(note);
    },
    onCrash: (error, restarts, restarting) => events.onCrash(error.message, restarts, restarting),
    onRestarted: () => events.onRestarted(),
    onMapError: (error) => log.warnEvery('growth', WARNING_PERIOD_MS, `map: ${error.message} (${error.code})`),
  });
  const { info } = recognizer;
  for (const note of info.providerNotes) log.info(note);
  log.info(`model ${info.manifest.name} on ${info.provider}`);
  if (parameters.map === '' && parameters.mode === 'auto')
    log.info('no map given: mode slam on an empty map in memory; ~/save_map keeps it, map:=FILE continues it');
  else log.info(`mode ${mode}, map ${info.map.path}: ${info.map.references} references of ${info.map.places} places`);
  return recognizer;
}
