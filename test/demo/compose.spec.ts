import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

interface Service {
  readonly cap_drop: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly init?: boolean;
  readonly mem_limit: string;
  readonly ports?: readonly string[];
  readonly read_only: boolean;
  readonly restart: string;
  readonly security_opt: readonly string[];
  readonly stop_grace_period?: string;
  readonly volumes?: readonly string[];
}

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const servicesOf = (file: string) =>
  (parse(read(file), { merge: true }) as { services: Record<string, Service> }).services;

const services = servicesOf('docker-compose.yml');

describe('docker-compose.yml', () => {
  it('publishes the port of nginx alone, to this machine alone', () => {
    const published = Object.entries(services).filter(([, { ports }]) => ports);
    expect(published.map(([name]) => name)).toEqual(['nginx']);
    expect(services['nginx']?.ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:/)]);
  });

  it.each(Object.entries(services))(
    'the container of %s restarts, writes to no file of its own, has no rights, and cannot take the memory of the machine',
    (_, service) => {
      expect(service).toMatchObject({
        cap_drop: ['ALL'],
        mem_limit: expect.stringMatching(/^\d+m$/),
        read_only: true,
        restart: 'unless-stopped',
        security_opt: ['no-new-privileges:true'],
      });
    },
  );

  it.each(['pod-a', 'pod-b'])('gives %s more time to stop than it needs', (name) => {
    const defaults = [...read('docs/operations.md').matchAll(/_SECONDS` +\| `(5|25)`/g)];
    const neededSeconds = defaults.reduce((sum, [, seconds]) => sum + Number(seconds), 0);
    expect(neededSeconds).toBe(30);
    expect(parseInt(services[name]?.stop_grace_period ?? '', 10)).toBeGreaterThan(neededSeconds);
  });

  it.each(['pod-a', 'pod-b'])('passes the signal to stop on to the process of %s', (name) => {
    expect(services[name]).toMatchObject({ init: true });
  });

  it('lets nginx start without a pod, and ask Docker for the address of each one again', () => {
    const directives = services['nginx']?.environment?.['PODS']?.split(';').map((it) => it.trim());
    expect(directives).toEqual([
      expect.stringMatching(/^zone /),
      expect.stringMatching(/^resolver 127\.0\.0\.11 valid=\ds$/),
      expect.stringMatching(/^server pod-a:3000 resolve /),
      expect.stringMatching(/^server pod-b:3000 resolve /),
      '',
    ]);
  });

  it('asks nginx and the pods whether they can serve, which includes Redis', () => {
    expect(services['nginx']?.healthcheck?.test.at(-1)).toMatch(/\/readyz$/);
    expect(read('Dockerfile')).toMatch(/^HEALTHCHECK [\s\S]*?\/readyz`/m);
  });
});

describe('deploy/nginx.conf', () => {
  it('bounds what a client and a replica may take, and keeps idle connections shorter than Node', () => {
    const timeouts = [...read('deploy/nginx.conf').matchAll(/^ *(\w+_timeout) (\w+);/gm)];
    expect(timeouts.map(([, name, time]) => `${name} ${time}`).sort()).toEqual([
      'client_body_timeout 10s',
      'client_header_timeout 10s',
      'keepalive_timeout 4s',
      'keepalive_timeout 60s',
      'proxy_connect_timeout 500ms',
      'proxy_read_timeout 60s',
      'proxy_send_timeout 10s',
      'send_timeout 10s',
      'worker_shutdown_timeout 60s',
    ]);
  });
});

describe('deploy/compose.durable.yml', () => {
  const { redis } = servicesOf('deploy/compose.durable.yml');
  const settingOf = (name: string) => redis?.command?.[redis.command.indexOf(name) + 1];

  it('lets Redis keep its sessions in a volume', () => {
    expect(settingOf('--appendonly')).toBe('yes');
    expect(redis?.volumes).toEqual(['redis-data:/data']);
  });

  it('lets Redis ask for the password that the pods have', () => {
    expect(settingOf('--requirepass')).toBe('${REDIS_PASSWORD}');
    const { 'x-pod': pod } = parse(read('deploy/compose.durable.yml')) as {
      'x-pod': { environment: Record<string, string> };
    };
    expect(pod.environment['REDIS_URL']).toMatch(/^redis:\/\/:\$\{REDIS_PASSWORD/);
  });

  it('lets a full Redis evict no session, as without it', () => {
    expect(settingOf('--maxmemory-policy')).toBe('noeviction');
    expect(services['redis']?.command).toContain('noeviction');
  });
});
