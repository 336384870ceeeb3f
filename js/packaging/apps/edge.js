// A program for workerd, which answers a request with what it found.
import { EdgeVec } from 'edgevec';
import { check } from './check.js';

export default {
  async fetch() {
    return Response.json({ ...(await check(EdgeVec)), did: 'itself' });
  },
};
