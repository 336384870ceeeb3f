// A CommonJS program: the package is a module, and comes by import().
import('edgevec').then(async ({ EdgeVec }) => {
  const { check } = await import('./check.js');
  console.log(JSON.stringify({ ...(await check(EdgeVec)), did: 'itself' }));
});
