// Puts the comments on the schemas of the options into the built declarations, where editors show them: tsc leaves out the
// comments inside a call such as z.strictObject({ … }).
import { readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';
import { GROUPS, commentsOf } from './option-groups.mjs';

const BUILT = new URL('../libs/redis-session/build/', import.meta.url);

for (const [, , file, name] of GROUPS) {
  const target = new URL(`${file}.d.ts`, BUILT);
  const text = readFileSync(target, 'utf8');
  writeFileSync(target, withComments(text, name, commentsOf(file, name)));
}

function withComments(text, name, comments) {
  let commented = text;
  for (const member of [...membersOf(text, name)].reverse()) {
    const comment = comments.get(member.name.text);
    if (!comment) throw new Error(`${name}: the option ${member.name.text} has no comment.`);
    const [before, after] = [
      commented.slice(0, member.getStart()),
      commented.slice(member.getStart()),
    ];
    commented = `${before}/** ${comment} */\n    ${after}`;
  }
  return commented;
}

/** The members of the shape in `export declare const name: z.ZodObject<{ … }, …>`. */
function membersOf(text, name) {
  const source = ts.createSourceFile('built.d.ts', text, ts.ScriptTarget.Latest, true);
  const declarations = source.statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => declarationList.declarations);
  const shape = declarations.find((each) => each.name.getText() === name)?.type?.typeArguments?.[0];
  if (!shape || !ts.isTypeLiteralNode(shape)) throw new Error(`Cannot find the shape of ${name}.`);
  return shape.members;
}
