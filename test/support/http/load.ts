import { Agent, request } from 'node:http';

/** An answer, as far as a {@link LoadClient} looks at it. */
export interface LoadAnswer {
  readonly status: number;
  readonly body: string;
  readonly pod: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 32 });

/** A client that is cheap enough to have thousands of: a jar of cookies, one request at a time. */
export class LoadClient {
  private readonly cookies = new Map<string, string>();

  constructor(readonly name: string) {}

  get(url: string, path: string): Promise<LoadAnswer> {
    return this.send(url + path, 'GET');
  }

  post(url: string, path: string, body: object): Promise<LoadAnswer> {
    return this.send(url + path, 'POST', JSON.stringify(body));
  }

  get cookieNames(): string[] {
    return [...this.cookies.keys()];
  }

  private send(url: string, method: string, body = ''): Promise<LoadAnswer> {
    const headers = {
      Cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      ...(body !== '' && { 'Content-Type': 'application/json', 'Content-Length': body.length }),
    };
    return new Promise((resolve, reject) => {
      const sent = request(url, { method, headers, agent }, (response) => {
        this.keep(response.headers['set-cookie'] ?? []);
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => {
          const pod = String(response.headers['x-pod']);
          resolve({ status: response.statusCode ?? 0, body: text, pod });
        });
        response.on('error', reject);
      });
      sent.on('error', reject).end(body);
    });
  }

  private keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
  }
}

/** Runs `work` for each of `items`, on `lanes` lanes. */
export async function onLanes<T>(
  items: readonly T[],
  lanes: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  const lane = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
