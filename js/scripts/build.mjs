// Builds the package into dist/ from src/ and from the modules in ../wasm/pkg (made by `cargo xtask build`).
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import ts from 'typescript';

const js = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const pkg = path.join(js, '../wasm/pkg');
const generated = ['edgevec.js', 'edgevec.d.ts', 'edgevec_simd128.wasm', 'edgevec_relaxed.wasm'];

const missing = generated.filter((name) => !fs.existsSync(path.join(pkg, name)));
if (missing.length > 0) {
  console.error(`wasm/pkg lacks ${missing.join(', ')}: run \`cargo xtask build\`, which calls this script`);
  process.exit(1);
}

const dist = path.join(js, 'dist');
fs.rmSync(dist, { recursive: true, force: true });
// The compiler wants to see the declarations beside the sources; they are not committed.
const declared = path.join(js, 'src/wasm');
fs.mkdirSync(declared, { recursive: true });
fs.copyFileSync(path.join(pkg, 'edgevec.d.ts'), path.join(declared, 'edgevec.d.ts'));
const inlineTypes = '/** The simd128 build, base64. */\nexport declare const simd128: string;\n';
fs.writeFileSync(path.join(declared, 'inline.d.ts'), inlineTypes);

execFileSync(process.execPath, [path.join(js, 'node_modules/typescript/bin/tsc'), '--project', js], { stdio: 'inherit' });

const target = path.join(dist, 'wasm');
fs.mkdirSync(target, { recursive: true });
for (const name of ['edgevec.js', 'edgevec.d.ts']) fs.copyFileSync(path.join(pkg, name), path.join(target, name));
// The comments of the glue are in its declarations, too: pages need not download them.
const glue = fs.readFileSync(path.join(pkg, 'edgevec.js'), 'utf8');
const bare = { removeComments: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 };
fs.writeFileSync(path.join(target, 'edgevec.js'), ts.transpileModule(glue, { compilerOptions: bare }).outputText);
fs.writeFileSync(path.join(target, 'inline.d.ts'), inlineTypes);
const base64 = fs.readFileSync(path.join(pkg, 'edgevec_simd128.wasm')).toString('base64');
fs.writeFileSync(path.join(target, 'inline.js'), `export const simd128 = '${base64}';\n`);

// What pages get by its address is one folder of files that need no others: bundlers that do not know
// `new URL(…, import.meta.url)` need only copy it.
const assets = path.join(dist, 'assets');
fs.mkdirSync(assets, { recursive: true });
for (const name of ['edgevec_simd128.wasm', 'edgevec_relaxed.wasm']) {
  fs.copyFileSync(path.join(pkg, name), path.join(assets, name));
}
const scripts = ['helper', 'host'].map((name) => path.join(dist, `entry/${name}.js`));
buildSync({ entryPoints: scripts, outdir: assets, bundle: true, format: 'esm', target: 'es2022' });
for (const script of scripts) for (const file of [script, script.replace(/js$/, 'd.ts')]) fs.rmSync(file);
console.log(`dist/ has ${fs.readdirSync(dist, { recursive: true }).length} files`);
