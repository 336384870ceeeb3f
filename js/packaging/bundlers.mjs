// Bundles the pages of apps/ as users would, and runs what comes out in Chromium.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { runPage } from '../harness/run.mjs';

/** Opens a page in Chromium; fails when there was an error on it, or a request failed. */
export async function inChromium(options) {
  const { version, result, errors } = await runPage({ engine: 'chromium', timeout: 60, ...options });
  if (errors.length > 0) throw new Error(`on the page: ${errors.join('; ')}`);
  if (result.error) throw new Error(result.error);
  if (result.backend !== (options.backend ?? 'relaxed-simd')) throw new Error(`the page has the backend ${result.backend}`);
  return { browser: version, ...result };
}

/** The names of the modules below a folder, when each of the package's two is there exactly once. */
function modulesIn(folder, installed) {
  const hash = (file) => createHash('sha256').update(fs.readFileSync(file)).digest('hex');
  const modules = (from) =>
    fs.readdirSync(from, { recursive: true }).filter((name) => name.endsWith('.wasm')).map((name) => path.join(from, name));
  const [emitted, wanted] = [modules(folder), modules(path.join(installed, 'dist/assets'))];
  const names = emitted.map((file) => path.basename(file)).sort();
  const same = emitted.map(hash).sort().join() === wanted.map(hash).sort().join();
  if (!same || wanted.length !== 2) throw new Error(`the build has ${names.join(', ') || 'no .wasm'} instead of each module once`);
  return names;
}

/** Writes a page with one script, and an import map where it needs one. */
function writePage(folder, script, { type = 'module', imports } = {}) {
  fs.mkdirSync(folder, { recursive: true });
  const html = [
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>EdgeVec</title><link rel="icon" href="data:,">',
    ...(imports ? [`<script type="importmap">${JSON.stringify({ imports })}</script>`] : []),
    `<script type="${type}" src="${script}"></script></html>`,
  ];
  fs.writeFileSync(path.join(folder, 'index.html'), html.join('\n'));
}

/** Runs the page of a folder that a bundler has filled. */
async function inFolder(folder, { installed }) {
  const modules = modulesIn(folder, installed);
  return { modules, ...(await inChromium({ root: folder, page: '/index.html' })) };
}

const viteOptions = (project) => ({ root: project, configFile: false, logLevel: 'error' });

/** The page from the development server of a Vite, with what that one has to be told. */
const viteServer = (name, options = {}) => async ({ project }) => {
  const vite = await import(name);
  writePage(project, '/src/page.js');
  const server = await vite.createServer({ ...viteOptions(project), ...options, server: { host: '127.0.0.1', port: 0 } });
  try {
    await server.listen();
    const { port } = server.httpServer.address();
    return { tool: `Vite ${vite.version}`, ...(await inChromium({ origin: `http://127.0.0.1:${port}`, page: '/' })) };
  } finally {
    await server.close();
  }
};

export const viteDev = viteServer('vite');
// It puts packages into one file beforehand, and leaves behind what they name by `new URL`.
export const vite7Dev = viteServer('vite7', { optimizeDeps: { exclude: ['edgevec'] } });

/** The page as a Vite builds it. */
const viteBuilt = (name) => async ({ project, installed }) => {
  const vite = await import(name);
  writePage(project, '/src/page.js');
  const folder = path.join(project, `out-${name}`);
  await vite.build({ ...viteOptions(project), build: { outDir: folder } });
  return { tool: `Vite ${vite.version}`, ...(await inFolder(folder, { installed })) };
};

export const viteBuild = viteBuilt('vite');
export const vite7Build = viteBuilt('vite7');

export async function webpack({ project, installed }) {
  const { default: webpack } = await import('webpack');
  const folder = path.join(project, 'out-webpack');
  const compiler = webpack({ mode: 'production', context: project, entry: './src/page.js', output: { path: folder } });
  const stats = await promisify(compiler.run.bind(compiler))();
  await promisify(compiler.close.bind(compiler))();
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
  const problems = [...errors, ...warnings.filter(({ message }) => !message.includes('size limit'))];
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('; '));
  writePage(folder, 'main.js', { type: 'text/javascript' });
  return { tool: `webpack ${webpack.version}`, ...(await inFolder(folder, { installed })) };
}

/** Bundles scripts with esbuild, and copies the folder of what pages get by its address. */
async function esbuilt({ project, installed }, name, scripts, { copies = true, format = 'esm' } = {}) {
  const { build, version } = await import('esbuild');
  const folder = path.join(project, `out-${name}`);
  const entryPoints = scripts.map((script) => path.join(project, 'src', script));
  await build({ entryPoints, bundle: true, format, outdir: folder, logLevel: 'error', absWorkingDir: project });
  if (copies) fs.cpSync(path.join(installed, 'dist/assets'), path.join(folder, 'assets'), { recursive: true });
  return { folder, tool: `esbuild ${version}` };
}

export async function esbuild(context) {
  const { folder, tool } = await esbuilt(context, 'esbuild', ['page.js']);
  writePage(folder, 'page.js');
  return { tool, ...(await inFolder(folder, context)) };
}

export async function esbuildInline(context) {
  const { folder, tool } = await esbuilt(context, 'inline', ['inline.js'], { copies: false, format: 'iife' });
  writePage(folder, 'inline.js', { type: 'text/javascript' });
  return { tool, ...(await inChromium({ root: folder, page: '/index.html', backend: 'simd128' })) };
}

export async function rollup({ project, installed }) {
  const { rollup, VERSION } = await import('rollup');
  const { nodeResolve } = await import('@rollup/plugin-node-resolve');
  const { importMetaAssets } = await import('@web/rollup-plugin-import-meta-assets');
  const folder = path.join(project, 'out-rollup');
  const onwarn = ({ message }) => {
    throw new Error(message);
  };
  const plugins = [nodeResolve(), importMetaAssets()];
  const bundle = await rollup({ input: path.join(project, 'src/page.js'), plugins, onwarn });
  await bundle.write({ dir: folder, format: 'es' });
  await bundle.close();
  writePage(folder, 'page.js');
  return { tool: `Rollup ${VERSION}`, ...(await inFolder(folder, { installed })) };
}

export async function plain({ project }) {
  const entry = (name) => `/node_modules/edgevec/dist/entry/${name}.js`;
  const imports = { edgevec: entry('browser'), 'edgevec/worker': entry('worker') };
  writePage(path.join(project, 'plain'), '/src/page.js', { imports });
  return { tool: 'import map', ...(await inChromium({ root: project, page: '/plain/index.html' })) };
}

/** A page with a worker of its own: `dedicated` or `service`. */
const withWorker = (kind) => async (context) => {
  const { folder, tool } = await esbuilt(context, kind, [`${kind}-page.js`, `${kind}.js`]);
  writePage(folder, `${kind}-page.js`);
  return { tool, ...(await inFolder(folder, context)) };
};

export const dedicatedWorker = withWorker('dedicated');
export const serviceWorker = withWorker('service');
