// The package, as it is built beside these pages.

/** A module of the package. */
export const packageModule = (name) => import(`../../../js/dist/${name}`);

/** What `load` resolves to. The package is built, not stored with the source: say so instead of failing with a bare 404. */
export async function loadPackage(load) {
  try {
    return await load();
  } catch (cause) {
    throw new Error(`The package could not be loaded (${cause.message}). Build it with "cargo xtask build", or start this page with "cargo xtask demo".`, { cause });
  }
}
