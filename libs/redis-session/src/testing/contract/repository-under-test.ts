import { type MapSession } from '../../session/map-session.js';
import {
  DEFAULT_REPOSITORY_OPTIONS,
  type SessionRepositoryOptions,
} from '../../session/repository-options.js';
import { type StoredSessionRepository } from '../../session/stored-session-repository.js';

/** Makes one replica of the repository that a case of the contract is about. Every option has a value. */
export type SessionRepositoryFactory = (
  options: SessionRepositoryOptions,
) => StoredSessionRepository;

/** A repository, a clock that stands still, and short names for what most cases do. */
export class RepositoryUnderTest<
  Repository extends StoredSessionRepository = StoredSessionRepository,
> {
  /** Epoch ms. Starts at the real time, because some stores compare with their own clock. */
  nowMs = Date.now();
  readonly warnings: string[] = [];
  readonly repository: Repository;

  constructor(
    factory: (options: SessionRepositoryOptions) => Repository,
    options: Partial<SessionRepositoryOptions> = {},
  ) {
    const warn = (message: string) => void this.warnings.push(message);
    this.repository = factory({
      ...DEFAULT_REPOSITORY_OPTIONS,
      clock: () => this.nowMs,
      logger: { warn, error: warn },
      ...options,
    });
  }

  /** The id of a new session with these attributes. */
  async store(attributes: Record<string, unknown> = { first: 'value' }): Promise<string> {
    const session = this.repository.createSession();
    for (const [name, value] of Object.entries(attributes)) session.setAttribute(name, value);
    await session.save();
    return session.id;
  }

  /** Reads a session that must be there, as a request does that another request runs beside. */
  async find(id: string): Promise<MapSession> {
    const session = await this.repository.findById(id);
    if (!session) throw new Error('The session is not there.');
    return session;
  }

  async exists(id: string): Promise<boolean> {
    return (await this.repository.findById(id)) !== undefined;
  }

  /** All attributes as stored. */
  async attributesOf(id: string): Promise<Record<string, unknown>> {
    const session = await this.find(id);
    return Object.fromEntries(
      session.attributeNames.map((name) => [name, session.getAttribute(name)]),
    );
  }

  pass(seconds: number): void {
    this.nowMs += seconds * 1000;
  }
}
