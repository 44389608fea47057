import { parseDocument } from 'yaml'
import type { FieldProblem } from './faults.ts'
import { err, ok } from './result.ts'
import type { Result } from './result.ts'

/** Reads one YAML (or JSON) document into plain values; problems carry line and column. */
export function parseYaml(text: string): Result<unknown, readonly FieldProblem[]> {
  const document = parseDocument(text, {
    prettyErrors: true,
    strict: true,
    uniqueKeys: true,
    maxAliasCount: 0,
  } as object)
  if (document.errors.length > 0) {
    return err(
      document.errors.map((problem) => ({
        field: positionOf(problem.linePos),
        expected: firstLine(problem.message),
      })),
    )
  }
  try {
    return ok(document.toJS({ maxAliasCount: 0 }))
  } catch {
    return err([{ field: 'document', expected: 'expected no aliases (&name, *name): write the value out' }])
  }
}

function positionOf(position: readonly { line: number; col: number }[] | undefined): string {
  const start = position?.[0]
  return start ? `line ${start.line}, column ${start.col}` : 'document'
}

/** The library shows the text below its message, and the place, which the field has, at its end. */
function firstLine(message: string): string {
  return (message.split('\n', 1)[0] ?? message).replace(/ at line \d+, column \d+:?$/, '')
}
