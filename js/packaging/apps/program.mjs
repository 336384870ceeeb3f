// A program for Node and what is compatible with it; prints what it found as JSON.
import { everything } from './everything.mjs';

console.log(JSON.stringify(await everything()));
