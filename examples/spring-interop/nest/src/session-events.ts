import { Injectable, type OnModuleInit } from '@nestjs/common';
import { SessionEvents } from 'nestjs-redis-session';

/** What the library tells of the sessions of both sides, with the indexed repository: the kind of the event and the user. */
@Injectable()
export class SessionEventLog implements OnModuleInit {
  readonly events: string[] = [];

  constructor(private readonly source: SessionEvents) {}

  onModuleInit(): void {
    this.source.events$.subscribe(({ type, sessionId, principalName = 'nobody' }) => {
      this.events.push(`${type} ${sessionId} ${principalName}`);
    });
  }
}
