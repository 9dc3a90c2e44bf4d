/** The one worker: owns decode, inference, search and decision. Started by RecognizerClient. */
import { parentPort, workerData } from 'node:worker_threads';
import { failureOf, type WorkerData, type WorkerReply } from './messages.js';
import { openRecognizer } from './openRecognizer.js';
import { serveRecognizer } from './serveRecognizer.js';

if (parentPort === null) throw new Error('Expected to run in a worker thread');
const port = parentPort;
const reply = (message: WorkerReply): void => port.postMessage(message);

try {
  const { start } = workerData as WorkerData;
  const recognizer = await openRecognizer(start, {
    note: (note) => reply({ kind: 'progress', note }),
    onMapError: (error) => reply({ kind: 'map-failed', failure: failureOf(error) }),
  });
  serveRecognizer(port, recognizer);
} catch (error) {
  reply({ kind: 'open-failed', failure: failureOf(error) });
}
