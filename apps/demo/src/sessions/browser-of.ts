import Bowser from 'bowser';

/** Such as `Chrome on Linux`; a program that Bowser does not know is shown by its own name. */
export function browserOf(userAgent: string | undefined): string {
  if (!userAgent) return 'unknown';
  const { browser, os } = Bowser.parse(userAgent);
  if (!browser.name) return userAgent.split('/', 1)[0] ?? userAgent;
  return os.name ? `${browser.name} on ${os.name}` : browser.name;
}
