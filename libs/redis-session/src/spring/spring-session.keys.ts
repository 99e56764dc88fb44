import { PRINCIPAL_NAME_ATTRIBUTE } from './spring-attributes.js';

/** The name of every key, for one namespace. Those that Spring knows are called as Spring calls them. */
export interface SpringSessionKeys {
  /** `spring:session:sessions:` */
  readonly sessionPrefix: string;
  /** `spring:session:expirations:` followed by a minute, epoch ms — set of `"expires:33fdd1b6-…"` */
  readonly bucketPrefix: string;
  /** `spring:session:sessions:33fdd1b6-…` — hash */
  session(id: string): string;
  /** `spring:session:sessions:expires:33fdd1b6-…` — string '': expires with the session */
  shadow(id: string): string;
  /** `spring:session:index:org.springframework.…PRINCIPAL_NAME_INDEX_NAME:alice` — set of `"33fdd1b6-…"` */
  index(principalName: string): string;
  /** `spring:session:event:0:created:33fdd1b6-…` — channel; `*` for all */
  created(database: number, id: string): string;
  /** `spring:session:ended:33fdd1b6-…` — string: why somebody else ended the session. Spring does not know it. */
  ended(id: string): string;
  /** `spring:session:left:33fdd1b6-…` — hash: what a session held whose place a newer login took. Spring does not know it. */
  left(id: string): string;
  /** `spring:session:saves:<save id>` — string, lives until ten seconds after the save would be too late. Spring does not know it. */
  save(saveId: string): string;
  /** `spring:session:told:deleted:33fdd1b6-…` — string: the event is recorded. Spring does not know it. */
  told(type: string, id: string): string;
}

/** @param namespace - prefix of all keys, such as `spring:session` */
export function springSessionKeys(namespace: string): SpringSessionKeys {
  const sessionPrefix = `${namespace}:sessions:`;
  return {
    sessionPrefix,
    bucketPrefix: `${namespace}:expirations:`,
    session: (id) => sessionPrefix + id,
    shadow: (id) => `${sessionPrefix}expires:${id}`,
    index: (principalName) => `${namespace}:index:${PRINCIPAL_NAME_ATTRIBUTE}:${principalName}`,
    created: (database, id) => `${namespace}:event:${database}:created:${id}`,
    ended: (id) => `${namespace}:ended:${id}`,
    left: (id) => `${namespace}:left:${id}`,
    save: (saveId) => `${namespace}:saves:${saveId}`,
    told: (type, id) => `${namespace}:told:${type}:${id}`,
  };
}

/** @param member - of a set of Spring's: an id as JSON, or `"expires:<id>"` */
export function springMemberId(member: string): string {
  return member.replace(/^"?(?:expires:)?(.*?)"?$/s, '$1');
}
