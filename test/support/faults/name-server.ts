import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';

const HEADER_BYTES = 12;
const ADDRESS_TYPE = 1;
const NO_SUCH_NAME = 3;

/** A DNS server on 127.0.0.1 that knows the addresses which a test gives it. */
export class NameServer {
  /** IPv4 addresses by name; a name that is not there does not exist. */
  readonly addresses = new Map<string, string>();
  /** The names that somebody has asked for. */
  readonly asked = new Set<string>();
  /** Whether questions get answers. */
  answers = true;
  private readonly socket = createSocket('udp4');

  /** @returns the port */
  async start(): Promise<number> {
    this.socket.on('message', (question, sender) => this.answer(question, sender));
    this.socket.bind(0, '127.0.0.1');
    await once(this.socket, 'listening');
    return this.socket.address().port;
  }

  stop(): void {
    this.socket.close();
  }

  /** @see RFC 1035 section 4.1 */
  private answer(question: Buffer, sender: RemoteInfo): void {
    const labels: string[] = [];
    let end = HEADER_BYTES;
    for (let length = question[end++]; length; length = question[end++])
      labels.push(question.toString('latin1', end, (end += length)));
    const type = question.readUInt16BE(end);
    const name = labels.join('.');
    this.asked.add(name);
    if (!this.answers) return;
    const address = this.addresses.get(name);
    const hasAddress = address !== undefined && type === ADDRESS_TYPE;
    const reply = Buffer.concat([
      question.subarray(0, 2),
      Buffer.from([0x81, 0x80 | (address === undefined ? NO_SUCH_NAME : 0), 0, 1]),
      Buffer.from([0, hasAddress ? 1 : 0, 0, 0, 0, 0]),
      question.subarray(HEADER_BYTES, end + 4),
      // The name of the question, an IPv4 address of the internet, valid for one second.
      ...(hasAddress ? [Buffer.from([0xc0, HEADER_BYTES, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4])] : []),
      ...(hasAddress ? [Buffer.from(address.split('.').map(Number))] : []),
    ]);
    this.socket.send(reply, sender.port, sender.address);
  }
}
