// A page of one classic script.
import { EdgeVec } from 'edgevec/inline';
import { check } from './check.js';
import { show } from './show.js';

show(check(EdgeVec).then((result) => ({ ...result, did: 'edgevec/inline' })));
