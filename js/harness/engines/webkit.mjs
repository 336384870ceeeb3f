// WebKitGTK, Safari's engine, by its WebDriver; under a display of its own.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep, within } from '../processes.mjs';

const DRIVER = process.env.WEBKIT_DRIVER_BIN ?? '/usr/bin/WebKitWebDriver';
const DISPLAY_SERVER = '/usr/bin/Xvfb';
const PYTHON = '/usr/bin/python3';
const HOST = fileURLToPath(new URL('./webkit-host.py', import.meta.url));

export function find() {
  if (![DRIVER, DISPLAY_SERVER, PYTHON].every((file) => fs.existsSync(file))) return undefined;
  try {
    const script = "import gi; gi.require_version('Gtk', '3.0'); gi.require_version('WebKit2', '4.1')";
    execFileSync(PYTHON, ['-c', script], { stdio: 'ignore' });
    return DRIVER;
  } catch {
    return undefined;
  }
}

async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startDisplay(run, width, height) {
  const size = `${Math.max(width, 1280)}x${Math.max(height + 200, 1024)}x24`;
  const display = run.start(DISPLAY_SERVER, ['-displayfd', '3', '-screen', '0', size, '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const number = new Promise((resolve, reject) => {
    let text = '';
    display.stdio[3].on('data', (data) => {
      text += data;
      if (text.includes('\n')) resolve(text.trim());
    });
    display.once('exit', (code) => reject(new Error(`Xvfb ended with ${code}`)));
  });
  return within(Promise.race([number, display.failed]), 30_000, 'Xvfb');
}

/** Reads what the host and the page print: `CONSOLE` lines carry the page's messages. */
function readOutput(file, log) {
  let read = 0;
  return () => {
    const text = fs.readFileSync(file, 'utf8');
    const end = text.lastIndexOf('\n') + 1;
    for (const line of text.slice(read, end).split('\n')) {
      const [, kind, message] = /CONSOLE (?:[A-Z-]+ )?(ERROR|WARN|LOG|INFO|DEBUG)?:? ?(.*)$/.exec(line) ?? [];
      if (line.startsWith('HOST ')) log.errors.push(line.slice(5));
      else if (message !== undefined) (kind === 'ERROR' ? log.errors : log.lines).push(message);
    }
    read = Math.max(read, end);
  };
}

/** Opens a page; what it logs goes to `log`. */
export async function open(run, { width, height, startMs, timeoutMs, log }) {
  const display = await startDisplay(run, width, height);
  // The driver throws the browser's output away, so a script in between writes it to a file.
  const output = path.join(run.folder, 'output');
  const browser = path.join(run.folder, 'browser');
  fs.writeFileSync(output, '');
  fs.writeFileSync(browser, `#!/bin/sh\nexec ${PYTHON} '${HOST}' "$@" >>'${output}' 2>&1\n`, { mode: 0o755 });
  const drain = readOutput(output, log);

  const port = await freePort();
  const driver = run.start(DRIVER, [`--port=${port}`], {
    stdio: 'ignore',
    env: run.env({
      DISPLAY: `:${display}`,
      GDK_BACKEND: 'x11',
      WAYLAND_DISPLAY: '',
      NO_AT_BRIDGE: '1',
      GSETTINGS_BACKEND: 'memory',
      GIO_USE_PROXY_RESOLVER: 'dummy',
      WEBKIT_HOST_DATA: path.join(run.folder, 'data'),
      WEBKIT_HOST_SIZE: `${width}x${height}`,
    }),
  });
  const call = async (method, where, body, ms = 30_000) => {
    const response = await fetch(`http://127.0.0.1:${port}${where}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ms),
    });
    const { value } = await response.json();
    if (!response.ok || value?.error) throw new Error(`WebDriver, ${where}: ${value?.error}: ${value?.message}`);
    return value;
  };
  const deadline = Date.now() + startMs;
  for (;;) {
    try {
      await Promise.race([call('GET', '/status', undefined, 2000), driver.failed]);
      break;
    } catch (error) {
      if (driver.exitCode !== null || Date.now() > deadline) throw new Error(`WebKitWebDriver: ${error.message}`);
      await sleep(100);
    }
  }
  const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': { binary: browser, args: [] } } };
  const session = await call('POST', '/session', { capabilities }, startMs);
  const at = `/session/${session.sessionId}`;
  run.closers.push(() => call('DELETE', at, undefined, 5000));
  await call('POST', `${at}/timeouts`, { script: timeoutMs, pageLoad: timeoutMs, implicit: 0 });
  await call('POST', `${at}/window/rect`, { width, height }).catch(() => {});
  return {
    version: `WebKitGTK/${session.capabilities.browserVersion}`,
    goto: (url) => call('POST', `${at}/url`, { url }, timeoutMs),
    evaluate: async (script) => {
      drain();
      return call('POST', `${at}/execute/sync`, { script: `return ${script}`, args: [] }, timeoutMs);
    },
    screenshot: async (file) => {
      await sleep(300); // another process paints
      fs.writeFileSync(file, Buffer.from(await call('GET', `${at}/screenshot`), 'base64'));
    },
  };
}
