/** Ends the FerretDB of global-setup.ts. */
export default async function teardown(): Promise<void> {
  await globalThis.sharedTestFerret?.stop();
}
