import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { eventually } from '../../servers/eventually.mjs';
import { startRedisCluster } from '../../servers/redis-cluster.mjs';
import { EVERYTHING } from '../model-user.mjs';
import { FAULT_MS, lossesOf } from './stage.mjs';

const SLOTS_PER_MOVE = 3_000;
const COMPLETE_WITHIN_MS = 30_000;
const REPLICAS = 3;

/** @typedef {import('../../servers/redis-cluster.mjs').RedisCluster} RedisCluster */
/** @typedef {'SIGKILL' | 'SIGSTOP' | 'SIGCONT'} Signal */

/**
 * Three masters with one replica each.
 *
 * @returns {Promise<import('./stage.mjs').Stage>}
 */
export async function startCluster() {
  const cluster = await startRedisCluster();
  const servers = new Map(cluster.nodes.map((node) => [node.port, node]));
  const signal = (/** @type {Signal} */ name) => (/** @type {number} */ port) =>
    servers.get(port).kill(name);
  const restart = async (/** @type {number} */ port) =>
    void servers.set(port, await cluster.restart(port));
  /** @param {(port: number) => Promise<void>} begin @param {(port: number) => Promise<void>} end */
  const failover = (begin, end) => ({ inflict: () => failOver(cluster, begin, end) });
  return {
    variables: {
      REDIS_NODES: cluster.addresses.map(({ host, port }) => `${host}:${port}`).join(','),
    },
    faults: {
      'slots moved': { inflict: () => moveSlots(cluster), serves: EVERYTHING },
      'master frozen': failover(signal('SIGSTOP'), signal('SIGCONT')),
      'master killed': failover(signal('SIGKILL'), restart),
    },
    stop: () => cluster.stop(),
  };
}

/**
 * Takes a master away until its replica has been promoted, and brings it back.
 *
 * @param {RedisCluster} cluster
 * @param {(port: number) => Promise<void>} begin
 * @param {(port: number) => Promise<void>} end
 */
async function failOver(cluster, begin, end) {
  const nodes = await nodesOf(cluster.addresses[0].port);
  const [victim, witness] = nodes.filter(({ isMaster }) => isMaster);
  const heir = nodes.find(({ masterId }) => masterId === victim.id);
  const startedAtMs = performance.now();
  await begin(victim.port);
  const isPromoted = async () =>
    (await nodesOf(witness.port)).some(({ id, isMaster }) => id === heir.id && isMaster);
  await eventually(isPromoted, COMPLETE_WITHIN_MS);
  const promotedAtMs = performance.now();
  await delay(FAULT_MS);
  await end(victim.port);
  await waitUntilComplete(cluster);
  return { overAtMs: promotedAtMs, mayLose: lossesOf({ startedAtMs, promotedAtMs }) };
}

/** Moves slots from one master to another one and back. */
async function moveSlots(/** @type {RedisCluster} */ cluster) {
  const [{ port }] = cluster.addresses;
  const [one, other] = (await nodesOf(port)).filter(({ isMaster }) => isMaster);
  for (const [from, to] of [
    [one, other],
    [other, one],
  ]) {
    await waitUntilComplete(cluster);
    await execa('redis-cli', [
      ...['--cluster', 'reshard', `127.0.0.1:${port}`],
      ...['--cluster-from', from.id, '--cluster-to', to.id],
      ...['--cluster-slots', String(SLOTS_PER_MOVE), '--cluster-yes'],
    ]);
  }
  await waitUntilComplete(cluster);
}

/** Until every node sees three masters with a replica each, and all agree who has which slots. */
async function waitUntilComplete(/** @type {RedisCluster} */ { addresses }) {
  const isComplete = async (/** @type {number} */ port) => {
    const nodes = await nodesOf(port);
    const followers = nodes.filter(({ isMaster, isUp }) => !isMaster && isUp);
    return (
      followers.length === REPLICAS &&
      new Set(followers.map(({ masterId }) => masterId)).size === REPLICAS
    );
  };
  await Promise.all(
    addresses.map(({ port }) => eventually(() => isComplete(port), COMPLETE_WITHIN_MS)),
  );
  await eventually(async () => {
    const address = `127.0.0.1:${addresses[0].port}`;
    return (await execa('redis-cli', ['--cluster', 'check', address])).exitCode === 0;
  }, COMPLETE_WITHIN_MS);
}

/** @returns {Promise<{ id: string, port: number, isMaster: boolean, isUp: boolean, masterId: string }[]>} as the node of that port sees them */
async function nodesOf(/** @type {number} */ port) {
  const { stdout } = await execa('redis-cli', ['-p', String(port), 'cluster', 'nodes'], {
    timeout: 2_000,
  });
  return stdout.split('\n').map((line) => {
    const [id, address, flags, masterId, , , , link] = line.split(' ');
    const isUp = !flags.includes('fail') && link === 'connected';
    const isMaster = flags.includes('master') && isUp;
    return { id, port: Number(address.split(/[:@]/)[1]), isMaster, isUp, masterId };
  });
}
