navigator.serviceWorker.onmessage = ({ data }) => (window.__result = data);
navigator.serviceWorker.register('./service.js', { type: 'module' }).then(
  async () => (await navigator.serviceWorker.ready).active.postMessage('check'),
  (error) => (window.__result = { error: String(error) }),
);
