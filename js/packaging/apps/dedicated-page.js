const worker = new Worker(new URL('./dedicated.js', import.meta.url), { type: 'module' });
worker.onmessage = ({ data }) => (window.__result = data);
worker.onerror = ({ message }) => (window.__result = { error: message ?? 'the worker could not be started' });
