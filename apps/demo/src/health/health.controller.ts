import {
  Controller,
  Get,
  type OnApplicationShutdown,
  ServiceUnavailableException,
} from '@nestjs/common';
import { Redis } from 'ioredis';
import { environment } from '../environment.js';

/** Good as long as Redis answers: for Docker's health check and for whoever waits for the start. */
@Controller('healthz')
export class HealthController implements OnApplicationShutdown {
  private readonly redis =
    environment.store === 'redis'
      ? new Redis(environment.redisUrl, { commandTimeout: 1_000, enableOfflineQueue: false })
      : undefined;

  constructor() {
    // Lost connections are reported by the sessions; here they only make the next answer a 503.
    this.redis?.on('error', () => undefined);
  }

  @Get()
  async check(): Promise<{ status: 'ok' }> {
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
