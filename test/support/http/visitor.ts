import { CookieJar } from 'tough-cookie';
import { type Answer, type RequestLine, send, type SendOptions } from './http-client.js';

/** What Chromium sends when somebody follows a link or sends a form. */
export const NAVIGATION = {
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8',
  'sec-fetch-dest': 'document',
  'sec-fetch-mode': 'navigate',
  'upgrade-insecure-requests': '1',
} as const;

/** What a program sends. */
export const API = { accept: 'application/json' } as const;

const FORM = { 'content-type': 'application/x-www-form-urlencoded' } as const;
const JSON_CONTENT = { 'content-type': 'application/json' } as const;

type Headers = Readonly<Record<string, string>>;

/** Somebody who keeps cookies as a browser does and follows no redirect. */
export class Visitor {
  private jar = new CookieJar();

  /**
   * @param url - of the application; may be changed to that of another replica, cookies stay
   * @param agent - keeps connections for later requests
   */
  constructor(
    public url: string,
    private readonly agent?: SendOptions['agent'],
  ) {}

  /** Goes to a page as a browser does. */
  open(path: string, headers: Headers = {}): Promise<Answer> {
    return this.send('GET', path, { ...NAVIGATION, ...headers });
  }

  /** Sends a form as a browser does. */
  submit(path: string, fields: Record<string, string> = {}): Promise<Answer> {
    const body = new URLSearchParams(fields).toString();
    return this.send('POST', path, { ...NAVIGATION, ...FORM }, body);
  }

  /** Asks as a program does. */
  get(path: string, headers: Headers = {}): Promise<Answer> {
    return this.send('GET', path, { ...API, ...headers });
  }

  /** Puts JSON as a program does. */
  put(path: string, content: object): Promise<Answer> {
    return this.send('PUT', path, { ...API, ...JSON_CONTENT }, JSON.stringify(content));
  }

  /** Deletes as a program does. */
  remove(path: string): Promise<Answer> {
    return this.send('DELETE', path, API);
  }

  /** Sends JSON as a program does. */
  post(path: string, content: object = {}, headers: Headers = {}): Promise<Answer> {
    return this.postText(path, JSON.stringify(content), headers);
  }

  /** Sends a text that passes for JSON unless `headers` say what it is. */
  postText(path: string, text: string, headers: Headers = {}): Promise<Answer> {
    return this.send('POST', path, { ...API, ...JSON_CONTENT, ...headers }, text);
  }

  /** The value of a cookie; undefined when there is none. */
  async cookie(name = 'SESSION'): Promise<string | undefined> {
    const cookies = await this.jar.getCookies(this.url);
    return cookies.find(({ key }) => key === name)?.value;
  }

  /** The names of all cookies. */
  async cookieNames(): Promise<string[]> {
    return (await this.jar.getCookies(this.url)).map(({ key }) => key);
  }

  /** A second browser with the same cookies: a thief, or a request that was under way. */
  async twin(): Promise<Visitor> {
    const twin = new Visitor(this.url, this.agent);
    twin.jar = await this.jar.clone();
    return twin;
  }

  private async send(
    method: 'DELETE' | 'GET' | 'POST' | 'PUT',
    path: string,
    headers: Headers,
    body = '',
  ): Promise<Answer> {
    const address = new URL(path, this.url).href;
    const cookie = await this.jar.getCookieString(address);
    const all = cookie === '' ? headers : { ...headers, cookie };
    const line = `${method} ${path}` as RequestLine;
    const options = { body, ...(this.agent && { agent: this.agent }) };
    const answer = await send(this.url, line, all, options);
    for (const each of setCookieLinesOf(answer)) await this.jar.setCookie(each, address);
    return answer;
  }
}

/** All `Set-Cookie` lines of an answer. */
export function setCookieLinesOf({ headers }: { readonly headers: object }): string[] {
  return (headers as { 'set-cookie'?: string[] })['set-cookie'] ?? [];
}
