import { type FerretServer, startFerretServer } from '../../../tools/servers/ferretdb-server.mjs';

declare global {
  /** The FerretDB of this run; set here and read in global-teardown.ts. */
  var sharedTestFerret: FerretServer | undefined;
}

/** Starts a FerretDB, unless `MONGODB_URL` names a server. Its address is `process.env.TEST_MONGODB_URL`. */
export default async function setup(): Promise<void> {
  const { MONGODB_URL: url } = process.env;
  if (url === undefined) globalThis.sharedTestFerret = await startFerretServer();
  process.env['TEST_MONGODB_URL'] = url ?? globalThis.sharedTestFerret?.url;
}
