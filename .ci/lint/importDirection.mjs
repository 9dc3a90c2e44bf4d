/**
 * ESLint rule: a folder of src/ imports only what its row of the layout table lists (FOLDERS below is that table).
 * `types` are folders of which only types may be imported (`import type`): interfaces, no code.
 */
import path from 'node:path';

export const FOLDERS = {
  core: { folders: [], packages: [], node: false },
  config: { folders: ['core'], packages: [] },
  simd: { folders: [], packages: [] },
  hamming: { folders: ['core', 'simd'], packages: [] },
  geometry: { folders: ['core', 'hamming'], packages: [] },
  search: { folders: ['core', 'simd', 'hamming'], packages: ['lru-cache'] },
  map: { folders: ['core'], packages: ['better-sqlite3'] },
  image: { folders: ['core', 'simd'], packages: ['sharp'] },
  inference: { folders: ['core'], packages: ['onnxruntime-node'] },
  recognizer: { folders: ['core'], types: ['image', 'inference', 'search', 'map'], packages: [] },
  mapping: { folders: ['core', 'map'], types: ['recognizer'], packages: [] },
  worker: {
    folders: ['core', 'config', 'hamming', 'search', 'map', 'image', 'inference', 'geometry', 'recognizer', 'mapping'],
    packages: [],
  },
  onnx: { folders: ['core'], packages: ['@bufbuild/protobuf'] },
  bag: { folders: ['core'], packages: ['@mcap/', '@foxglove/', 'better-sqlite3', 'fzstd', 'js-yaml'] },
  evaluation: { folders: ['core'], packages: [] },
  report: { folders: ['core', 'evaluation'], packages: [] },
  sample: { folders: ['core', 'bag'], packages: ['@mcap/', '@foxglove/', 'sharp'] },
  // bag: for play_bag alone, which publishes a bag's messages.
  ros: { folders: ['core', 'config', 'worker', 'bag'], packages: ['rclnodejs'] },
  cli: { folders: '*', except: ['ros'], packages: ['js-yaml', 'sharp'] },
};

function folderOf(file) {
  const match = /[\\/]src[\\/]([^\\/]+)[\\/]/.exec(file);
  return match?.[1];
}

function checkFolder(rule, from, to, typeOnly) {
  if (to === from) return undefined;
  if (rule.folders === '*') return rule.except.includes(to) ? `src/${from} must not import src/${to}` : undefined;
  if (rule.folders.includes(to)) return undefined;
  if (rule.types?.includes(to))
    return typeOnly ? undefined : `src/${from} may import only types of src/${to} (use 'import type')`;
  return `src/${from} must not import src/${to}; it may import: ${rule.folders.join(', ') || 'nothing'}`;
}

export const importDirection = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    const from = folderOf(context.filename);
    if (from === undefined) return {};
    const rule = FOLDERS[from];
    const report = (node, message) => context.report({ node, message });
    if (rule === undefined)
      return {
        Program: (node) => report(node, `src/${from} has no row in the layout table (.ci/lint/importDirection.mjs)`),
      };
    const check = (node, typeOnly) => {
      const source = node.source?.value;
      if (typeof source !== 'string') return;
      if (source.startsWith('.')) {
        const target = path.resolve(path.dirname(context.filename), source);
        const to = folderOf(target);
        if (to === undefined) return report(node, `src/${from} imports ${source}, which is outside src/`);
        const problem = checkFolder(rule, from, to, typeOnly);
        if (problem) report(node, problem);
      } else if (source.startsWith('node:')) {
        if (rule.node === false) report(node, `src/${from} is pure: it must not import ${source}`);
      } else if (
        !rule.packages.some((name) => source === name || source.startsWith(name.endsWith('/') ? name : `${name}/`))
      ) {
        report(node, `src/${from} must not import the package ${source}`);
      }
    };
    return {
      ImportDeclaration: (node) => check(node, node.importKind === 'type'),
      ExportNamedDeclaration: (node) => check(node, node.exportKind === 'type'),
      ExportAllDeclaration: (node) => check(node, node.exportKind === 'type'),
      ImportExpression: (node) => check(node, false),
    };
  },
};
