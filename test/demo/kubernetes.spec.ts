import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { Service } from 'kubernetes-models/v1/Service';
import { parse } from 'yaml';

const FOLDER = new URL('../../deploy/kubernetes/', import.meta.url);
const MODELS = { Deployment, PodDisruptionBudget, Service };

function read(file: string): unknown {
  return parse(readFileSync(new URL(file, FOLDER), 'utf8'));
}

describe('deploy/kubernetes', () => {
  const { resources } = read('kustomization.yaml') as { resources: string[] };

  it('applies every manifest of the folder', () => {
    const files = readdirSync(FOLDER).filter((file) => file !== 'kustomization.yaml');
    expect([...resources].sort()).toEqual(files.sort());
  });

  it.each(resources)('is valid for Kubernetes: %s', (file) => {
    const manifest = read(file) as { kind: keyof typeof MODELS };
    const Model = MODELS[manifest.kind] as new (data: object) => { validate(): void };
    expect(() => new Model(manifest).validate()).not.toThrow();
  });

  it('names the same pods in each manifest', () => {
    const { spec } = read('deployment.yaml') as {
      spec: { selector: { matchLabels: object }; template: { metadata: { labels: object } } };
    };
    const pods = spec.template.metadata.labels;
    const service = read('service.yaml') as { spec: { selector: object } };
    const budget = read('pod-disruption-budget.yaml') as {
      spec: { selector: { matchLabels: object } };
    };
    expect(spec.selector.matchLabels).toEqual(pods);
    expect(service.spec.selector).toEqual(pods);
    expect(budget.spec.selector.matchLabels).toEqual(pods);
  });

  it('replaces one ready pod after the other, and lets nodes be emptied', () => {
    expect(read('deployment.yaml')).toMatchObject({
      spec: { replicas: 2, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } },
    });
    expect(read('pod-disruption-budget.yaml')).toMatchObject({ spec: { maxUnavailable: 1 } });
    expect(resources).toContain('pod-disruption-budget.yaml');
  });

  it('asks a pod whether it lives and can serve, takes its rights, and keeps the address of Redis secret', () => {
    const { spec, container } = readPod();
    expect(spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(container).toMatchObject({
      livenessProbe: { httpGet: { path: '/livez', port: 'http' } },
      readinessProbe: { httpGet: { path: '/readyz', port: 'http' } },
      resources: { limits: { memory: expect.any(String) } },
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        readOnlyRootFilesystem: true,
      },
    });
    expect(container.env).toContainEqual({
      name: 'REDIS_URL',
      valueFrom: { secretKeyRef: { name: 'shop-redis', key: 'url' } },
    });
  });

  it('gives a pod more time to stop than it needs', () => {
    const { spec, container } = readPod();
    const secondsOf = (name: string) =>
      Number(container.env.find((variable) => variable.name === name)?.value);
    const preStopMs = Number(/, (\d+)\)$/.exec(container.lifecycle.preStop.exec.command[2])?.[1]);
    expect(preStopMs).toBeGreaterThanOrEqual(5_000);
    const neededSeconds =
      preStopMs / 1_000 + secondsOf('DRAIN_SECONDS') + secondsOf('DEADLINE_SECONDS');
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(neededSeconds);
  });
});

interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly [Container];
}

interface Container {
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly lifecycle: {
    readonly preStop: { readonly exec: { readonly command: readonly [string, string, string] } };
  };
}

function readPod() {
  const { spec } = read('deployment.yaml') as { spec: { template: { spec: PodSpec } } };
  const pod = spec.template.spec;
  return { spec: pod, container: pod.containers[0] };
}
