import { once, type EventEmitter } from 'node:events';
import { type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { Controller, Get, Inject, Query, Res, StreamableFile } from '@nestjs/common';
import { type Response } from 'express';
import { type FastifyReply } from 'fastify';
import { CurrentSession, type Session } from 'nestjs-redis-session';
import { rawResponseOf } from '../../../libs/redis-session/src/nest/call-context.js';

export const CHUNK_LENGTH = 65_536;
/** 32 MB: more than the socket buffers of both sides take when nobody reads. */
export const CHUNK_COUNT = 512;

/** What a streaming handler was seen to do. */
export interface Flow {
  chunksMade: number;
  /** Most bytes that ever waited in the process to be sent. */
  maxWaitingBytes: number;
  highWaterMark: number;
}

/** Token of the `Flow` that the controller fills in. */
export const FLOW = Symbol('FLOW');
/** Token of an EventEmitter whose `go-on` lets the handler of `late-change` go on. */
export const SIGNALS = Symbol('SIGNALS');

/** Streams long bodies, and changes the session before or after the first byte. */
@Controller()
export class StreamingController {
  constructor(
    @Inject(FLOW) private readonly flow: Flow,
    @Inject(SIGNALS) private readonly signals: EventEmitter,
  ) {}

  @Get('long-pipe')
  pipe(@CurrentSession() session: Session, @Res() response: Response | FastifyReply): void {
    session.setAttribute<boolean>('streamed', true);
    const source = this.observedSource(rawResponseOf(response));
    if ('raw' in response) void response.send(source);
    else source.pipe(response);
  }

  @Get('long-file')
  file(
    @CurrentSession() session: Session,
    @Res({ passthrough: true }) response: object,
  ): StreamableFile {
    session.setAttribute<boolean>('streamed', true);
    return new StreamableFile(this.observedSource(rawResponseOf(response)));
  }

  @Get('late-change')
  lateChange(@CurrentSession() session: Session, @Query('value') value: string): StreamableFile {
    const { signals } = this;
    async function* body(): AsyncGenerator<Buffer> {
      yield Buffer.from('first');
      await once(signals, 'go-on');
      session.setAttribute<string>('value', value);
      yield Buffer.from('last');
    }
    return new StreamableFile(Readable.from(body(), { objectMode: false }));
  }

  /** Looks at what waits whenever a chunk was written: then the pipe asks for the next one, or pauses. */
  private observedSource(response: ServerResponse): Readable {
    const { flow } = this;
    Object.assign(flow, { chunksMade: 0, maxWaitingBytes: 0 });
    const observe = (): void => {
      flow.maxWaitingBytes = Math.max(flow.maxWaitingBytes, response.writableLength);
      flow.highWaterMark = response.writableHighWaterMark;
    };
    const source = new Readable({
      highWaterMark: CHUNK_LENGTH,
      read() {
        observe();
        if (flow.chunksMade === CHUNK_COUNT) this.push(null);
        else this.push(Buffer.alloc(CHUNK_LENGTH, (flow.chunksMade += 1)));
      },
    });
    return source.on('pause', observe);
  }
}
