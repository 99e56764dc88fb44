import {
  Controller,
  Get,
  type OnApplicationShutdown,
  ServiceUnavailableException,
} from '@nestjs/common';
import { Redis } from 'ioredis';
import { environment } from '../environment.js';

/** Two questions of whoever runs the container: must it be restarted, and may it get requests? */
@Controller()
export class HealthController implements OnApplicationShutdown {
  private readonly redis =
    environment.store === 'redis'
      ? new Redis(environment.redisUrl, { commandTimeout: 1_000, enableOfflineQueue: false })
      : undefined;

  constructor() {
    // Lost connections are reported by the sessions; here they only make the next answer a 503.
    this.redis?.on('error', () => undefined);
  }

  /** Does not ask Redis: a restart of this process would not bring Redis back. */
  @Get('livez')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('readyz')
  async ready(): Promise<{ status: 'ok' }> {
    try {
      await this.redis?.ping();
    } catch (cause) {
      throw new ServiceUnavailableException('Redis does not answer.', { cause });
    }
    return { status: 'ok' };
  }

  onApplicationShutdown(): void {
    this.redis?.disconnect();
  }
}
