import type { ParameterValue } from '../config/Parameter.js';
import type { NodeParameters } from '../config/parseParameters.js';
import { messageOf, VprError } from '../core/VprError.js';
import { outdatedCalibration } from '../worker/confidenceFor.js';
import { TEMPORARY_MAP, type MapSummary, type Recognizer } from '../worker/protocol.js';
import { ActiveSession } from './ActiveSession.js';
import { createAsyncLifecycleNode, type AsyncLifecycleNode, type TransitionName } from './AsyncLifecycleNode.js';
import { DiagnosticsPublisher } from './DiagnosticsPublisher.js';
import type { Ros } from './loadRos.js';
import { NodeLog } from './NodeLog.js';
import { NodeParameterServer } from './NodeParameterServer.js';
import { NodeServices } from './NodeServices.js';
import { modeOf, openRecognizerSession } from './OpenSession.js';
import { ResultPublisher } from './ResultPublisher.js';
import type { RosModule } from './RosApi.js';
import { StatePublisher } from './StatePublisher.js';

const LOCALIZE_TIMEOUT_MS = 5_000;
const NEXT_IMAGE_TIMEOUT_MS = 2_000;
const GROWTH_PERIOD_MS = 1_000;

function sentenceOf(error: unknown): string {
  return error instanceof VprError ? `${error.message} (${error.code})` : messageOf(error);
}

/**
 * The lifecycle node. configure opens model and map in the worker, activate listens to the cameras, deactivate stops
 * listening, cleanup closes the worker, shutdown does all of it.
 */
export class VprNode {
  readonly node: AsyncLifecycleNode;
  readonly parameters: NodeParameterServer;
  readonly #ros: RosModule;
  readonly #log: NodeLog;
  readonly #state: StatePublisher;
  readonly #results: ResultPublisher;
  readonly #diagnostics: DiagnosticsPublisher;
  readonly #services: NodeServices;
  #recognizer: Recognizer | undefined;
  #configured: NodeParameters | undefined;
  #session: ActiveSession | undefined;
  #growthTimer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor({ ros, native }: Ros) {
    this.#ros = ros;
    this.node = createAsyncLifecycleNode(ros, native, 'vpr_node', {
      transition: (name) => this.#transition(name),
      onState: (label) => this.#state.setLifecycle(label),
      checkParameters: (parameters) => this.parameters.check(parameters),
      onError: (sentence) => this.#log.error(sentence),
    });
    this.#log = new NodeLog(this.node.getLogger());
    this.parameters = new NodeParameterServer(ros, this.node);
    this.#state = new StatePublisher(ros, this.node);
    this.#results = new ResultPublisher(ros, this.node, this.#log);
    this.#diagnostics = new DiagnosticsPublisher(
      ros,
      this.node,
      this.#state,
      this.parameters.values['diagnostics_period_s'] as number,
    );
    this.#services = new NodeServices(this.node, {
      recognizer: () => this.#openRecognizer(),
      mapInfo: (map) => this.#results.mapInfo(map),
      onMap: (map, swapped) => this.#onMap(map, swapped),
      nextImage: (camera) => this.#activeSession().nextImage(camera, NEXT_IMAGE_TIMEOUT_MS),
      localize: async () => this.#activeSession().localize(LOCALIZE_TIMEOUT_MS),
      defaultCandidates: () => this.parameters.values['top_k'] as number,
    });
  }

  /** Configure and activate, as `autostart` asks. A failure is logged by the transition; the node stays up. */
  async start(): Promise<void> {
    if (this.parameters.values['autostart'] !== true) return;
    if (await this.node.changeState('configure')) await this.node.changeState('activate');
  }

  /** Lets go of everything, flushing the map; for signals. Never throws. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#growthTimer);
    try {
      await this.#deactivate();
      await this.#cleanup();
    } catch (error) {
      this.#log.error(`shutdown: ${messageOf(error)}`);
    }
    this.#services.close();
    this.#diagnostics.close();
  }

  async #transition(name: TransitionName): Promise<boolean> {
    try {
      await this.#carryOut(name);
      this.#state.setError('');
      return true;
    } catch (error) {
      const sentence = `${name} failed: ${sentenceOf(error)}`;
      this.#log.error(sentence);
      this.#state.setError(sentence);
      return false;
    }
  }

  async #carryOut(name: TransitionName): Promise<void> {
    switch (name) {
      case 'configure':
        return this.#configure();
      case 'activate':
        return this.#activate();
      case 'deactivate':
        return this.#deactivate();
      case 'cleanup':
        return this.#cleanup();
      case 'shutdown':
        await this.#deactivate();
        return this.#cleanup();
    }
  }

  async #configure(): Promise<void> {
    const parameters = this.parameters.parse();
    // The values are used from here on: what is set while model and map open must take effect too, or be refused.
    const changedMeanwhile: Record<string, ParameterValue> = {};
    this.parameters.lock((values) => Object.assign(changedMeanwhile, values));
    const recognizer = await this.#open(parameters).catch((error: unknown) => {
      this.parameters.unlock();
      throw error;
    });
    const change = (values: Readonly<Record<string, ParameterValue>>): void => {
      recognizer.setParameters(values).catch((error: unknown) => this.#log.error(`parameters: ${messageOf(error)}`));
    };
    if (Object.keys(changedMeanwhile).length > 0) change(changedMeanwhile);
    this.parameters.lock(change);
    this.#recognizer = recognizer;
    this.#configured = parameters;
    this.#diagnostics.setPeriod(parameters.diagnosticsPeriodS);
    this.#state.setMode(modeOf(parameters));
    this.#diagnostics.setRecognizer(recognizer);
    this.#onMap(recognizer.info.map, true);
  }

  async #open(parameters: NodeParameters): Promise<Recognizer> {
    const recognizer = await openRecognizerSession(parameters, this.parameters.values, this.#log, {
      onStep: (text) => this.#diagnostics.setStep(text),
      onCrash: (sentence, restarts, restarting) => this.#onCrash(sentence, restarts, restarting),
      onRestarted: () => this.#onRestarted(),
    }).finally(() => this.#diagnostics.setStep(undefined));
    if (!this.#stopped) return recognizer;
    await recognizer.close();
    throw new Error('the node was shut down while it opened');
  }

  async #activate(): Promise<void> {
    // Where the robot was at the last deactivate says nothing: it may have been carried since.
    await this.#openRecognizer().resetFilter();
    this.#session = new ActiveSession({
      ros: this.#ros,
      node: this.node,
      log: this.#log,
      parameters: this.#configured!,
      values: () => this.parameters.values,
      recognizer: this.#openRecognizer(),
      results: this.#results,
      state: this.#state,
      onGrown: () => this.#onGrown(),
    });
    this.#diagnostics.setSession(this.#session);
  }

  async #deactivate(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    this.#diagnostics.setSession(undefined);
    await session?.close();
    this.#state.resetPlace();
  }

  async #cleanup(): Promise<void> {
    const recognizer = this.#recognizer;
    this.#recognizer = undefined;
    this.#diagnostics.setRecognizer(undefined);
    this.parameters.unlock();
    try {
      await recognizer?.close();
    } catch (error) {
      // All is let go of: an inactive node without model and map could go nowhere.
      this.#log.error(`cleanup: ${sentenceOf(error)}`);
    }
  }

  #openRecognizer(): Recognizer {
    if (this.#recognizer !== undefined) return this.#recognizer;
    throw new Error(`Expected state inactive or active, got ${this.node.stateLabel}`);
  }

  #activeSession(): ActiveSession {
    if (this.#session !== undefined) return this.#session;
    throw new Error(`Expected state active, got ${this.node.stateLabel}`);
  }

  /** swapped: another map, not the same one with more in it. */
  #onMap(map: MapSummary, swapped: boolean): void {
    this.#results.publishMap(map);
    this.#diagnostics.setMap(map);
    if (!swapped) return;
    this.#state.resetPlace();
    this.#session?.forgetPlace();
    const outdated = outdatedCalibration(map);
    if (outdated !== undefined) this.#log.warn(outdated);
    if (map.poseKind === 'mapFromCamera')
      this.#log.warn(`map: its poses are those of the camera, not of the base, and so is ~/pose [${map.path}]`);
  }

  /** A reference was added by the stream: the map is described again, not for every image. */
  #onGrown(): void {
    if (this.#growthTimer !== undefined) return;
    this.#growthTimer = setTimeout(() => {
      this.#growthTimer = undefined;
      this.#recognizer?.mapSummary().then(
        (map) => this.#onMap(map, false),
        (error: unknown) => this.#log.warn(`map: ${messageOf(error)}`),
      );
    }, GROWTH_PERIOD_MS);
  }

  #onCrash(sentence: string, restarts: number, restarting: boolean): void {
    this.#diagnostics.setRestarts(restarts);
    this.#diagnostics.setStep(undefined);
    this.#state.setError(sentence);
    this.#log.error(
      `${sentence}${restarting ? '; starting it again' : '; giving up: deactivate and cleanup, or restart'}`,
    );
  }

  #onRestarted(): void {
    this.#diagnostics.setStep(undefined);
    this.#state.setError('');
    this.#log.info('the recognition worker runs again');
    const map = this.#recognizer?.info.map;
    if (map === undefined) return;
    if (map.path === TEMPORARY_MAP) this.#log.error('the map was in memory only and is lost: a new one begins');
    this.#onMap(map, true);
  }
}
