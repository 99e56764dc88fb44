/** Stops the redis-server that global-setup.ts has started. */
export default async function teardown(): Promise<void> {
  await globalThis.sharedTestRedis?.stop();
}
