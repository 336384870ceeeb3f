// Chromium by the DevTools protocol and Firefox by WebDriver BiDi.
import fs from 'node:fs';
import path from 'node:path';

const EXECUTABLES = {
  chromium: [process.env.CHROMIUM_BIN, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'],
  firefox: [process.env.FIREFOX_BIN, '/usr/bin/firefox-esr', '/usr/bin/firefox', '/Applications/Firefox.app/Contents/MacOS/firefox'],
};

// No sandbox, because CI runs as root; no service of the browser's own talks to the network.
const CHROMIUM_ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--disable-extensions', '--disable-sync',
  '--no-first-run', '--no-default-browser-check', '--disable-default-apps', '--disable-background-networking',
  '--disable-component-update', '--disable-domain-reliability', '--disable-breakpad', '--no-pings', '--password-store=basic',
  '--disable-background-timer-throttling', '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows',
  '--disable-features=Translate,OptimizationHints,MediaRouter,CertificateTransparencyComponentUpdater',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
];

const FIREFOX_PREFERENCES = {
  // What is not local goes to a closed port and fails at once.
  'network.proxy.type': 1,
  'network.proxy.http': '127.0.0.1',
  'network.proxy.http_port': 9,
  'network.proxy.ssl': '127.0.0.1',
  'network.proxy.ssl_port': 9,
  'network.proxy.no_proxies_on': '127.0.0.1, localhost',
  'network.proxy.failover_direct': false,
  'network.trr.mode': 5,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'app.normandy.enabled': false,
  'app.update.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.update.enabled': false,
  'services.settings.server': 'data:,#remote-settings-dummy/v1',
  'toolkit.telemetry.enabled': false,
  // A long calculation is no reason to stop a script.
  'dom.max_script_run_time': 0,
};

export function find(engine) {
  return EXECUTABLES[engine].find((file) => file && fs.existsSync(file));
}

/** Opens a page; what it logs goes to `log`. */
export async function open(run, { engine, width, height, startMs, timeoutMs, log }) {
  const { default: puppeteer } = await import('puppeteer-core');
  const firefox = engine === 'firefox';
  const browser = await puppeteer.launch({
    browser: firefox ? 'firefox' : 'chrome',
    executablePath: find(engine),
    headless: true,
    userDataDir: path.join(run.folder, 'profile'),
    env: run.env(firefox ? { MOZ_REMOTE_SETTINGS_DEVTOOLS: '1', MOZ_CRASHREPORTER_DISABLE: '1' } : {}),
    args: firefox ? [] : CHROMIUM_ARGUMENTS,
    ...(firefox ? { extraPrefsFirefox: FIREFOX_PREFERENCES } : {}),
    timeout: startMs,
    protocolTimeout: timeoutMs + 60_000,
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
  const child = browser.process();
  if (child?.pid) run.groups.add(child.pid);
  run.closers.push(() => browser.close());
  const page = (await browser.pages())[0] ?? (await browser.newPage());
  await page.setViewport({ width, height });
  page.on('console', (message) => {
    if (message.type() === 'error') log.errors.push(message.text());
    else log.lines.push(message.text());
  });
  page.on('pageerror', (error) => log.errors.push(error.stack?.includes(error.message) ? error.stack : String(error)));
  page.on('error', (error) => log.errors.push(`the page crashed: ${error.message}`));
  page.on('requestfailed', (request) => log.errors.push(`${request.url()}: ${request.failure()?.errorText}`));
  return {
    version: await browser.version(),
    goto: (url) => page.goto(url, { waitUntil: 'domcontentloaded', timeout: timeoutMs }),
    evaluate: (script) => page.evaluate(script),
    screenshot: (file) => page.screenshot({ path: file }),
  };
}
