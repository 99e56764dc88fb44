import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import { CarefulCommitter, type ResponseCommitter } from './response-committer.js';
import {
  breakOff,
  droppedError,
  endSilently,
  forgetBody,
  sendInstead,
} from './dropped-response.js';
import { answerForHeldCalls, controlOf, takeControl } from './controlled-methods.js';
import { reportTo, HeldResponse } from './held-response.js';
import {
  announcedLength,
  chunkLength,
  type HeldMethod,
  type NativeMethods,
} from './node-response.js';
import { applyHead, rehearse } from './response-head.js';

/**
 * `ready` nothing has left · `held` calls wait for the commit · `open` the header has left · `ended` the end has left ·
 * `failed` another response was sent instead.
 */
type Phase = 'ready' | 'held' | 'open' | 'ended' | 'failed';

/** Ms that the application has for its own answer to a failed save. No other request waits for it. */
const MAX_ANSWER_TIME_MS = 100;

/**
 * Lets no byte of a response leave before what the request changed is saved, whoever writes it: Express, Fastify, pipes, SSE.
 *
 * The first `writeHead`, `write`, `end` or `flushHeaders` starts the commit. While it runs, the calls wait in order: `write`
 * returns false and `drain` follows, `headersSent` and `writableEnded` answer as if sent, `setHeader` throws as Node does.
 * A response with nothing to save passes through synchronously. 1xx responses pass at any time. A save that fails replaces
 * the response, or, when its header has left already, breaks it off. Mirrors `OnCommittedResponseWrapper` of Spring Session.
 */
export class CommittedResponse {
  private phase: Phase;
  private isGone = false;
  /** The calls that wait. @internal */
  held: HeldResponse | undefined;
  /** Bytes of body until an announced Content-Length is reached; undefined until the header has left. */
  private remainingLength: number | undefined;
  private readonly native: NativeMethods;

  private constructor(
    private readonly response: ServerResponse,
    private readonly committer: CarefulCommitter,
  ) {
    this.phase = response.headersSent ? 'open' : 'ready';
    this.native = takeControl(response, this);
    response.on('close', onClose);
  }

  /** Puts `response` under the control of `committer`; a response that is under control stays with its first committer. */
  static attach(
    response: ServerResponse | Http2ServerResponse,
    committer: ResponseCommitter,
  ): CommittedResponse {
    const known = controlOf(response) as CommittedResponse | undefined;
    return (
      known ?? new CommittedResponse(response as ServerResponse, new CarefulCommitter(committer))
    );
  }

  /** Whether the first byte has left or waits for the commit: the client cannot be told a session id any more. */
  get isCommitted(): boolean {
    return this.phase !== 'ready';
  }

  /** @internal */
  call(method: HeldMethod, args: unknown[]): unknown {
    switch (this.phase) {
      case 'open':
        return this.isLast(method, args) && this.committer.needsCommit()
          ? this.hold(method, args)
          : this.pass(method, args);
      case 'ended':
        return Reflect.apply(this.native[method], this.response, args);
      case 'ready':
        return this.begin(method, args);
      case 'held':
        return this.held?.call(method, args);
      case 'failed':
        return this.swallow(method, args);
    }
  }

  /** @internal */
  close(): void {
    if (this.phase === 'ended' || this.phase === 'failed') return;
    this.isGone = true;
    if (this.phase !== 'held') void this.committer.saveForNobody();
  }

  private begin(method: HeldMethod, args: unknown[]): unknown {
    if (this.isGone) return this.pass(method, args);
    if (this.committer.needsCommit()) return this.hold(method, args);
    if (!this.committer.hasHeadersToWrite()) return this.pass(method, args);
    rehearse(this.response, method, args);
    const rest = method === 'writeHead' ? applyHead(this.response, args) : args;
    return this.committer.writeHeaders(this.response)
      ? this.pass(method, rest)
      : this.hold(method, rest);
  }

  /** Makes a call on the response as Node made it. */
  private pass(method: HeldMethod, args: unknown[]): unknown {
    const isFirst = this.phase === 'ready';
    this.phase = method === 'end' ? 'ended' : 'open';
    if (this.isGone && (isFirst || method === 'end')) void this.committer.saveForNobody();
    try {
      const result: unknown = Reflect.apply(this.native[method], this.response, args);
      if (method === 'write') this.countDown(args);
      return result;
    } catch (error) {
      // Node refused the call, so it did not happen.
      this.phase = isFirst && !this.response.headersSent ? 'ready' : 'open';
      throw error;
    }
  }

  private hold(method: HeldMethod, args: unknown[]): unknown {
    const held = new HeldResponse(this.response, this.native, method, args);
    this.held = held;
    answerForHeldCalls(this.response);
    this.phase = 'held';
    void this.committer
      .save(() => held.hasEnd)
      .then(
        () => this.release(held),
        (error: unknown) => this.fail(held, error),
      );
    return held.firstResult;
  }

  private release(held: HeldResponse): void {
    this.reveal(held);
    if (this.isGone || this.response.destroyed) {
      this.abandon(held);
      return;
    }
    try {
      if (!held.isLate && this.committer.hasHeadersToWrite()) {
        held.applyHead();
        this.committer.addHeaders(this.response);
      }
      held.replay((method, args) => this.pass(method, args));
    } catch (error) {
      this.replace(held, error);
    }
  }

  private fail(held: HeldResponse, error: unknown): void {
    this.reveal(held);
    if (this.isGone || this.response.destroyed) {
      this.committer.reportLate(error);
      this.abandon(held, error);
    } else {
      this.replace(held, error);
    }
  }

  private reveal(held: HeldResponse): void {
    held.reveal();
    this.held = undefined;
    this.phase = 'open';
  }

  /** Nobody listens any more: forgets the response, keeps what the app changed meanwhile. */
  private abandon(held: HeldResponse, cause?: unknown): void {
    held.drop(droppedError(cause));
    void this.committer.saveForNobody();
    if (!held.hasEnd) return;
    this.phase = 'ended';
    endSilently(this.response, this.native);
  }

  private replace(held: HeldResponse, error: unknown): void {
    held.drop(droppedError(error));
    if (held.hasEnd && !this.response.headersSent && this.handOver(error)) return;
    this.answerInstead(error);
  }

  private answerInstead(error: unknown): void {
    // HTTP/2 writes the body of `end` through `write`: both must pass.
    this.phase = 'ended';
    const isReplaced =
      !this.response.headersSent &&
      sendInstead(this.response, this.native, this.committer.describeFailure(error));
    this.phase = 'failed';
    if (isReplaced) return;
    this.committer.reportLate(error);
    breakOff(this.response);
  }

  /** Has the app's own error handling answer, on a response of which nothing is left. */
  private handOver(error: unknown): boolean {
    const handleFailure = this.committer.takeFailureHandler();
    if (!handleFailure) return false;
    forgetBody(this.response);
    this.phase = 'ready';
    try {
      handleFailure(error);
    } catch (handlerError) {
      this.committer.reportLate(handlerError);
    }
    this.answerUnlessAnswered(error);
    return true;
  }

  /** Middleware that lets a response end only once stops the second answer: without this, the client would wait for ever. */
  private answerUnlessAnswered(error: unknown): void {
    const answer = (): void => {
      if (this.phase === 'ready' && !this.isGone) this.answerInstead(error);
    };
    setTimeout(answer, MAX_ANSWER_TIME_MS).unref();
  }

  /** The app goes on with a response that was replaced; its streams stop when the replacement is out. */
  private swallow(method: HeldMethod, args: unknown[]): unknown {
    reportTo(args, droppedError(undefined));
    if (method === 'flushHeaders') return undefined;
    return method === 'write' ? false : this.response;
  }

  /** Whether the client has the whole answer after this call: then all changes must be saved before it. */
  private isLast(method: HeldMethod, args: unknown[]): boolean {
    if (method !== 'write') return method === 'end';
    const remaining = this.remainingLength ?? announcedLength(this.response);
    return remaining !== Infinity && chunkLength(args) >= remaining;
  }

  private countDown(args: unknown[]): void {
    this.remainingLength ??= announcedLength(this.response);
    if (this.remainingLength !== Infinity) this.remainingLength -= chunkLength(args);
  }
}

function onClose(this: ServerResponse): void {
  (controlOf(this) as CommittedResponse).close();
}
