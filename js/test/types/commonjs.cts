// A CommonJS program: the package is a module, whose types it may name and which it gets by import().
import type { EdgeVec, Hit } from 'edgevec' with { 'resolution-mode': 'import' };

async function nearest(query: Float32Array): Promise<Hit[]> {
  const { EdgeVec: Local } = await import('edgevec');
  const { EdgeVec: InWorker } = await import('edgevec/worker');
  const { EdgeVec: Inline } = await import('edgevec/inline');
  const local: EdgeVec = await Local.create({ dimensions: query.length });
  const inline = await Inline.create({ dimensions: query.length });
  const away = await InWorker.create({ dimensions: query.length });
  return [...local.search(query), ...inline.search(query), ...(await away.search(query))];
}

module.exports = { nearest };
declare const module: { exports: object };
