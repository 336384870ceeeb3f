// Gives the result of a page to what has opened it.

export function show(promise) {
  promise.then(
    (result) => (window.__result = result),
    (error) => (window.__result = { error: String(error?.stack ?? error) }),
  );
}
