/** The script of a helper's thread, in Node. */
import { serveHelper } from '../helper.js';
import { nodePort } from '../threads-node.js';

serveHelper(nodePort());
