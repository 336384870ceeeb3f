// A static file server on 127.0.0.1 for the demo and the tests: right types, no caching, nothing outside its folder.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

const TYPES = {
  '.css': 'text/css', '.gz': 'application/gzip', '.html': 'text/html', '.js': 'text/javascript',
  '.json': 'application/json', '.map': 'application/json', '.mjs': 'text/javascript', '.png': 'image/png',
  '.svg': 'image/svg+xml', '.txt': 'text/plain', '.wasm': 'application/wasm', '.webp': 'image/webp',
};

/** What a page must be served with to have `SharedArrayBuffer`. */
const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/**
 * Serves `root`; only paths that begin with one of `folders`, when given; `isolated` from other origins, when
 * asked. Paths below one of `mounts` come from its folder instead, and each of `answers` calls a function for JSON.
 */
export async function serve(root, { port = 0, folders, isolated = false, mounts = {}, answers = {} } = {}) {
  const bases = Object.entries({ ...mounts, '/': root }).map(([at, folder]) => [at, fs.realpathSync(folder)]);
  const missing = [];
  const server = http.createServer((request, response) => {
    const answer = (status, text) => {
      if (status >= 400) missing.push(`${status} ${request.url}`);
      response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(text);
    };
    const json = (value) => {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }).end(JSON.stringify(value));
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'only GET and HEAD');
    let file;
    try {
      const { pathname } = new URL(request.url, 'http://localhost');
      if (pathname === '/favicon.ico') return answer(204, '');
      if (Object.hasOwn(answers, pathname)) return json(answers[pathname]());
      const [at, base] = bases.find(([prefix]) => pathname.startsWith(prefix));
      const asked = path.join(base, decodeURIComponent(pathname.slice(at.length)));
      if (folders && !folders.some((folder) => pathname.startsWith(folder))) return answer(404, 'not here');
      file = fs.realpathSync(asked);
      if (!file.startsWith(base + path.sep) || !fs.statSync(file).isFile()) return answer(404, 'not here');
    } catch {
      return answer(404, 'not here');
    }
    const type = TYPES[path.extname(file)] ?? 'application/octet-stream';
    const charset = type.startsWith('text/') ? '; charset=utf-8' : '';
    response.writeHead(200, {
      'Content-Type': type + charset,
      'Content-Length': fs.statSync(file).size,
      'Cache-Control': 'no-store',
      ...(isolated ? ISOLATION : {}),
    });
    if (request.method === 'HEAD') return response.end();
    return fs.createReadStream(file).on('error', () => response.destroy()).pipe(response);
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    missing,
    close: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}
