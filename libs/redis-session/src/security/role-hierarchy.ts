import { SessionOptionError } from '../session/session.errors.js';

/** Gives `authorities` and all that they include, each once. */
export type RoleHierarchy = (authorities: readonly string[]) => readonly string[];

/**
 * Has authorities include others, directly or by way of others.
 *
 * ```ts
 * const reachable = roleHierarchy({ ADMIN: ['EDITOR'], EDITOR: ['USER'] });
 * reachable(['ADMIN']); // ['ADMIN', 'EDITOR', 'USER']
 * ```
 *
 * Mirrors `RoleHierarchyImpl` of Spring Security.
 *
 * @throws SessionOptionError when an authority includes itself
 */
export function roleHierarchy(
  includes: Readonly<Record<string, readonly string[]>>,
): RoleHierarchy {
  const direct = new Map(Object.entries(includes));
  const reachable = new Map<string, readonly string[]>();
  for (const authority of direct.keys()) resolve(authority, { direct, reachable }, []);
  return (authorities) => [
    ...new Set(authorities.flatMap((authority) => reachable.get(authority) ?? [authority])),
  ];
}

interface Graph {
  readonly direct: ReadonlyMap<string, readonly string[]>;
  readonly reachable: Map<string, readonly string[]>;
}

function resolve(authority: string, graph: Graph, path: readonly string[]): readonly string[] {
  const way = [...path, authority];
  if (path.includes(authority)) {
    throw new SessionOptionError(
      `roleHierarchy must not have an authority include itself, got ${way.slice(path.indexOf(authority)).join(' > ')}.`,
    );
  }
  const known = graph.reachable.get(authority);
  if (known) return known;
  const included = graph.direct.get(authority) ?? [];
  const all = [...new Set([authority, ...included.flatMap((next) => resolve(next, graph, way))])];
  graph.reachable.set(authority, all);
  return all;
}
