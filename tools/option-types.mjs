// Writes the types of the options into the built declarations member by member, as editors show them best. tsc writes what
// zod infers them from. What an application may say keeps the comments on the schema.
import { readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';
import { program } from './option-groups.mjs';

const checker = program.getTypeChecker();
const printer = ts.createPrinter();

for (const source of program.getSourceFiles()) {
  const inferred = source.statements.filter(isInferred);
  if (inferred.length === 0) continue;
  const target = source.fileName.replace('/src/', '/build/').replace(/\.ts$/, '.d.ts');
  let text = readFileSync(target, 'utf8');
  for (const statement of inferred) text = withMembers(text, statement);
  writeFileSync(target, text);
}

function isInferred(statement) {
  if (!ts.isInterfaceDeclaration(statement) && !ts.isTypeAliasDeclaration(statement)) return false;
  return /OptionsOf<\s*typeof|ReturnType<typeof resolve/.test(statement.getText());
}

/** A built declaration in which the type of `statement` has all its members. */
function withMembers(text, statement) {
  const name = statement.name.text;
  const built = ts.createSourceFile('built.d.ts', text, ts.ScriptTarget.Latest, true);
  const found = built.statements.find((each) => each.name?.text === name);
  // Not exported, and so not declared.
  if (!found) return text;
  const bases = (statement.heritageClauses ?? [])
    .flatMap(({ types }) => types)
    .filter(({ typeArguments }) => !typeArguments);
  const inherited = new Set(bases.flatMap(namesOf));
  const lines = checker
    .getPropertiesOfType(checker.getTypeAtLocation(statement.name))
    .filter((member) => !inherited.has(member.name))
    .map((member) => memberOf(member, statement));
  const heritage = bases.map((base) => ` extends ${base.getText()}`).join('');
  const type = `export interface ${name}${heritage} {\n${lines.join('')}}`;
  return text.slice(0, found.getStart()) + type + text.slice(found.end);
}

function namesOf(node) {
  return checker.getPropertiesOfType(checker.getTypeAtLocation(node)).map(({ name }) => name);
}

function memberOf(member, statement) {
  const type = checker.getTypeOfSymbolAtLocation(member, statement);
  const node = checker.typeToTypeNode(type, statement, ts.NodeBuilderFlags.NoTruncation);
  const shown = printer.printNode(ts.EmitHint.Unspecified, node, statement.getSourceFile());
  const optional = member.flags & ts.SymbolFlags.Optional ? '?' : '';
  return `${commentOf(member, statement)}    readonly ${member.name}${optional}: ${shown};\n`;
}

function commentOf(member, statement) {
  if (statement.name.text.startsWith('Resolved')) return '';
  const comment = ts.displayPartsToString(member.getDocumentationComment(checker));
  return comment && `    /** ${comment.replaceAll(/\s+/g, ' ')} */\n`;
}
