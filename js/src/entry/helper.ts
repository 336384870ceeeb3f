/** The script of a helper's thread, a Web Worker. */
import { serveHelper } from '../helper.js';
import { webPort } from '../threads-web.js';

serveHelper(webPort());
