// Compiles test/types/consumer.ts against the packed package, strictly, in every way modules are resolved, and
// looks for types that say nothing of themselves.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { js, withPacked } from './packed.mjs';

const tsc = path.join(js, 'node_modules/typescript/bin/tsc');
const ways = [['node16', 'node16'], ['nodenext', 'nodenext'], ['esnext', 'bundler']];
let failed = 0;

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

await withPacked(({ project }) => {
  const dist = path.join(project, 'node_modules/edgevec/dist');
  for (const problem of ['index.d.ts', 'types.d.ts', 'errors.d.ts', 'worker/index.d.ts'].flatMap((name) => undescribed(path.join(dist, name)))) {
    failed += 1;
    console.error(problem);
  }
  fs.copyFileSync(path.join(js, 'test/types/consumer.ts'), path.join(project, 'consumer.ts'));
  for (const [module, moduleResolution] of ways) {
    // Nothing of Node's types: a page has none.
    const common = { strict: true, noEmit: true, target: 'es2022', lib: ['es2022', 'dom'], types: [] };
    const compilerOptions = { ...common, module, moduleResolution };
    fs.writeFileSync(path.join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
    try {
      execFileSync(process.execPath, [tsc, '--project', project], { stdio: 'pipe', encoding: 'utf8' });
      console.log(`types resolve with moduleResolution ${moduleResolution}`);
    } catch (error) {
      failed += 1;
      console.error(`types with moduleResolution ${moduleResolution}:\n${error.stdout}`);
    }
  }
});
process.exitCode = failed === 0 ? 0 : 1;
