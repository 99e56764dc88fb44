import { Controller, Get, Inject } from '@nestjs/common';
import { SessionRepository } from 'nestjs-redis-session';

/** Two questions of whoever runs the container: must it be restarted, and may it get requests? */
@Controller()
export class HealthController {
  constructor(@Inject(SessionRepository) private readonly sessions: SessionRepository) {}

  /** Does not ask the store: a restart of this process would not bring the store back. */
  @Get('livez')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** Looks for a session that nobody has. The library answers 503 when the store does not. */
  @Get('readyz')
  async ready(): Promise<{ status: 'ok' }> {
    await this.sessions.findById('readyz');
    return { status: 'ok' };
  }
}
