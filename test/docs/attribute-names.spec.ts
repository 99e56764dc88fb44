import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FILE = `${ROOT}test/docs/virtual-controller.ts`;

const CODE = `
import { type Session } from 'nestjs-redis-session';
declare module 'nestjs-redis-session' {
  interface SessionAttributes { basketOfTheShop: string[] }
}
declare const session: Session;
const basket: string[] | undefined = session.getAttribute('basketOfTheShop');
const other: unknown = session.getAttribute('of another name');
session.setAttribute('basketOfTheShop', ['tea']);
session.getAttribute('/*read*/');
session.setAttribute('/*write*/', undefined);
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

  it('takes declared names by their types, and other names', () => {
    expect(editor.getSemanticDiagnostics(FILE).map(({ messageText }) => messageText)).toEqual([]);
  });

  it.each(['/*read*/', '/*write*/'])('completes their names at %s', (place) => {
    const position = CODE.indexOf(place);
    const completions = editor.getCompletionsAtPosition(FILE, position, undefined);
    expect(completions?.entries.map(({ name }) => name)).toContain('basketOfTheShop');
  });
});
