import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FILE = `${ROOT}test/docs/virtual-controller.ts`;

const CODE = `
import { CurrentSession, CurrentUser, type Session } from 'nestjs-redis-session';
declare module 'nestjs-redis-session' {
  interface SessionAttributes { basketOfTheShop: string[] }
}
declare const session: Session;
const basket: string[] | undefined = session.getAttribute('basketOfTheShop');
const other: string | undefined = session.getAttribute<string>('of another name');
session.setAttribute('basketOfTheShop', ['tea']);
const name: string = 'of a variable';
session.getAttribute(name);
session.setAttribute(name, 1);
session.setAttribute<number>('of another name', 1);
session.setAttribute<number>('of another name', undefined);
void session.update<number>('of another name', (count = 0) => count + 1);
// @ts-expect-error no such name
session.getAttribute('basketOfTheShip');
// @ts-expect-error no such name
session.setAttribute('basketOfTheShip', ['tea']);
session.removeAttribute('basketOfTheShop');
session.removeAttribute(name);
session.removeAttribute<string>('of another name');
// @ts-expect-error no such name
session.removeAttribute('basketOfTheShip');
// @ts-expect-error no such name
session.update('basketOfTheShip', () => ['tea']);
// @ts-expect-error not a list
session.setAttribute('basketOfTheShop', 1);
// @ts-expect-error not a text
session.setAttribute<string>('of another name', 1);
// @ts-expect-error no such name
session.getAttribute('/*read*/');
// @ts-expect-error no such name
session.setAttribute('/*write*/', undefined);
CurrentUser('username');
// @ts-expect-error it injects the whole session, and takes no name
CurrentSession('basketOfTheShop');
export { basket, other };
`;

/** What an editor knows of {@link CODE}. */
function openInEditor(): ts.LanguageService {
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    paths: { 'nestjs-redis-session': [`${ROOT}libs/redis-session/src/index.ts`] },
    skipLibCheck: true,
    strict: true,
    target: ts.ScriptTarget.ES2022,
  };
  const read = (path: string) => (path === FILE ? CODE : ts.sys.readFile(path));
  return ts.createLanguageService({
    getCompilationSettings: () => options,
    getCurrentDirectory: () => ROOT,
    getDefaultLibFileName: (given) => ts.getDefaultLibFilePath(given),
    getScriptFileNames: () => [FILE],
    getScriptSnapshot: (path) => {
      const text = read(path);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getScriptVersion: () => '1',
    fileExists: (path) => path === FILE || ts.sys.fileExists(path),
    readFile: read,
    directoryExists: (path) => ts.sys.directoryExists(path),
    realpath: (path) => (path === FILE ? path : (ts.sys.realpath?.(path) ?? path)),
  });
}

describe('an editor that knows the declared attributes', () => {
  const editor = openInEditor();

  it('accepts declared names, variables and names with a type, and refuses misspelt names', () => {
    expect(editor.getSemanticDiagnostics(FILE).map(({ messageText }) => messageText)).toEqual([]);
  });

  it.each(['/*read*/', '/*write*/'])('completes their names at %s', (place) => {
    const position = CODE.indexOf(place);
    const completions = editor.getCompletionsAtPosition(FILE, position, undefined);
    expect(completions?.entries.map(({ name }) => name)).toContain('basketOfTheShop');
  });
});
