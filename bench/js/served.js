// What a page gets from the server that measures it.

export async function bytes(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.arrayBuffer();
}

/** Time that all processes of the browser have worked; undefined where that cannot be known. */
export async function cpuMs() {
  return (await (await fetch('/bench-cpu')).json()) ?? undefined;
}
