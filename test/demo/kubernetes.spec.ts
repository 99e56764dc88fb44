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

  it('gives a pod more time to stop than it needs', () => {
    const { spec } = read('deployment.yaml') as {
      spec: {
        template: {
          spec: {
            terminationGracePeriodSeconds: number;
            containers: { env: { name: string; value?: string }[] }[];
          };
        };
      };
    };
    const [container] = spec.template.spec.containers;
    const secondsOf = (name: string) =>
      Number(container?.env.find((variable) => variable.name === name)?.value);
    const needed = 5 + secondsOf('DRAIN_SECONDS') + secondsOf('DEADLINE_SECONDS');
    expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(needed);
  });
});
