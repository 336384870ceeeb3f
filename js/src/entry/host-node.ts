/** The script of the worker thread that has an index, in Node. */
import { nodePort } from '../threads-node.js';
import { serve } from '../worker/host.js';
import { EdgeVec } from './node.js';

serve(nodePort(), EdgeVec);
