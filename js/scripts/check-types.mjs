// Compiles the programs of test/types/ against the packed package, strictly, in every way modules are resolved and
// under every condition of its exports, and looks for types that say nothing of themselves.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { js, withPacked } from './packed.mjs';

const tsc = path.join(js, 'node_modules/typescript/bin/tsc');
const ways = [
  ...['node16', 'nodenext'].map((name) => ({ module: name, moduleResolution: name, files: ['consumer.ts', 'commonjs.cts'] })),
  ...[[], ...conditions()].map((customConditions) => ({
    module: 'esnext', moduleResolution: 'bundler', customConditions, files: ['consumer.ts'],
  })),
];
let failed = 0;

/** The conditions of the package's exports, each as a list of its own. */
function conditions() {
  const { exports } = JSON.parse(fs.readFileSync(path.join(js, 'package.json'), 'utf8'));
  return Object.keys(exports['.']).filter((condition) => condition !== 'default').map((condition) => [condition]);
}

/** The declarations of a file without a comment: exported types, and their members that users see. */
function undescribed(file) {
  const source = ts.createSourceFile(file, fs.readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const { PrivateKeyword } = ts.SyntaxKind;
  const hidden = (node) => ts.canHaveModifiers(node) && node.modifiers?.some(({ kind }) => kind === PrivateKeyword);
  const internal = (node) => node.name !== undefined && ts.isPrivateIdentifier(node.name);
  const members = source.statements.flatMap((node) => [node, ...(node.members ?? [])]);
  return members
    .filter((node) => node.name !== undefined && !hidden(node) && !internal(node))
    .filter((node) => ts.getJSDocCommentsAndTags(node).length === 0)
    .map((node) => `${path.basename(file)}: ${node.name.getText()} has no description`);
}

await withPacked(({ project, installed }) => {
  const dist = path.join(installed, 'dist');
  for (const problem of ['index.d.ts', 'types.d.ts', 'errors.d.ts', 'worker/index.d.ts'].flatMap((name) => undescribed(path.join(dist, name)))) {
    failed += 1;
    console.error(problem);
  }
  fs.cpSync(path.join(js, 'test/types'), project, { recursive: true });
  for (const { files, ...way } of ways) {
    // Nothing of Node's types: a page has none.
    const compilerOptions = { strict: true, noEmit: true, target: 'es2022', lib: ['es2022', 'dom'], types: [], ...way };
    fs.writeFileSync(path.join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    const under = (way.customConditions ?? []).map((condition) => ` under the condition ${condition}`).join('');
    const name = `moduleResolution ${way.moduleResolution}${under}`;
    try {
      execFileSync(process.execPath, [tsc, '--project', project], { stdio: 'pipe', encoding: 'utf8' });
      console.log(`types resolve with ${name}`);
    } catch (error) {
      failed += 1;
      console.error(`types with ${name}:\n${error.stdout}`);
    }
  }
});
process.exitCode = failed === 0 ? 0 : 1;
