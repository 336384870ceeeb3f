// Runs the programs of apps/ in runtimes without pages: Node, Deno, Bun, workerd.
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { within } from '../harness/processes.mjs';

const TIMEOUT_MS = 60_000;
const folder = path.dirname(fileURLToPath(import.meta.url));

/** Said of a runtime that npm has no binary of, for this platform. */
export class NotToBeHad extends Error {}

/** Whether a package, as the lock file describes it, is for this platform. */
function isForHere({ os = [process.platform], cpu = [process.arch], libc }) {
  const own = process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  return os.includes(process.platform) && cpu.includes(process.arch) && (libc ?? [own]).includes(own);
}

/**
 * The binary of a runtime. It lies in a package for each platform, an optional dependency of the runtime's own package,
 * whose install script only links it and is not needed.
 */
function binaryOf(runtime, place) {
  const { packages } = JSON.parse(fs.readFileSync(path.join(folder, 'package-lock.json'), 'utf8'));
  const names = Object.keys(packages[`node_modules/${runtime}`].optionalDependencies);
  const forHere = names.filter((name) => isForHere(packages[`node_modules/${name}`]));
  if (forHere.length === 0) throw new NotToBeHad(`npm has no ${runtime} for ${process.platform} on ${process.arch}`);
  const files = forHere.map((name) => path.join(folder, 'node_modules', name, place));
  const binary = files.flatMap((file) => [file, `${file}.exe`]).find((file) => fs.existsSync(file));
  if (binary === undefined) throw new Error(`${forHere.join(', ')} is not installed: npm ci in js/packaging`);
  return binary;
}

/** Runs a program and returns the JSON that it printed last. */
async function printed(binary, args, { project, env = {} }) {
  const options = { cwd: project, timeout: TIMEOUT_MS, env: { ...process.env, HOME: project, ...env } };
  const { stdout, stderr } = await promisify(execFile)(binary, args, options);
  if (stderr !== '') throw new Error(`${path.basename(binary)} says: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

async function versionOf(binary) {
  const { stdout } = await promisify(execFile)(binary, ['--version'], { timeout: TIMEOUT_MS });
  return stdout.match(/\d[\w.-]*/)[0];
}

const inNode = (program) => async (context) => {
  const result = await printed(process.execPath, [`src/${program}`], context);
  return { tool: `Node ${process.versions.node}`, ...result };
};

export const nodeModule = inNode('program.mjs');
export const nodeCommonJs = inNode('program.cjs');
export const nodeThread = inNode('thread.mjs');

export async function deno({ project }) {
  const binary = binaryOf('deno', 'deno');
  const env = { DENO_DIR: path.join(project, 'deno'), DENO_NO_UPDATE_CHECK: '1' };
  const args = ['run', '--no-prompt', '--node-modules-dir=manual', '--allow-read', 'src/program.mjs'];
  return { tool: `Deno ${await versionOf(binary)}`, ...(await printed(binary, args, { project, env })) };
}

export async function bun({ project }) {
  const binary = binaryOf('bun', 'bin/bun');
  const env = { DO_NOT_TRACK: '1' };
  return { tool: `Bun ${await versionOf(binary)}`, ...(await printed(binary, ['run', 'src/program.mjs'], { project, env })) };
}

/** Bundled as Cloudflare's tools do: modules stay files, which the configuration names. */
export async function workerd({ project }) {
  const binary = binaryOf('workerd', 'bin/workerd');
  const esbuild = await import('esbuild');
  const out = path.join(project, 'out-workerd');
  await esbuild.build({
    entryPoints: [path.join(project, 'src/edge.js')],
    outdir: out,
    absWorkingDir: project,
    bundle: true,
    format: 'esm',
    conditions: ['workerd', 'worker', 'browser'],
    loader: { '.wasm': 'copy' },
    logLevel: 'error',
  });
  const names = fs.readdirSync(out).filter((name) => name.endsWith('.wasm'));
  if (names.length !== 1) throw new Error(`the build has ${names.join(', ') || 'no .wasm'} instead of one module`);
  const listed = [['edge.js', 'esModule'], ...names.map((name) => [name, 'wasm'])]
    .map(([name, kind]) => `(name = "${name}", ${kind} = embed "${name}")`);
  const configuration = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (modules = [${listed.join(', ')}], compatibilityDate = "2025-01-01"))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`;
  fs.writeFileSync(path.join(out, 'config.capnp'), configuration);
  return { tool: `workerd ${await versionOf(binary)}`, modules: names, ...(await answered(binary, out)) };
}

/** What workerd answers to a request. */
async function answered(binary, folder) {
  const server = spawn(binary, ['serve', 'config.capnp', '--control-fd=3'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [server.stdout, server.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  try {
    const listening = new Promise((resolve, reject) => {
      server.once('error', reject);
      server.once('exit', (code) => reject(new Error(`workerd ended with ${code}: ${said}`)));
      server.stdio[3].setEncoding('utf8').on('data', (text) => resolve(JSON.parse(text.split('\n')[0])));
    });
    const { port } = await within(listening, TIMEOUT_MS, 'workerd');
    const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const text = await response.text();
    if (!response.ok) throw new Error(`workerd answers ${response.status}: ${text}${said}`);
    if (said !== '') throw new Error(`workerd says: ${said}`);
    return JSON.parse(text);
  } finally {
    server.kill('SIGKILL');
  }
}
