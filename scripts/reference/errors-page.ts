import { EXIT } from '../../src/cli/failures.ts'
import { FAULTS } from '../../src/kernel/faults.ts'
import { RECEIPT_PROBLEMS } from '../../src/protocol/proof/verify-receipt.ts'
import { REASONS } from '../../src/protocol/reason.ts'
import { markdownTable } from './markdown.ts'

/** `errors.md`: every reason, fault, problem of a receipt and exit code. */
export function errorsPage(): string {
  const reasons = Object.entries(REASONS).map(([code, { forAsker, forOperator }]) => [
    `\`${code}\``,
    forAsker,
    forOperator,
  ])
  const faults = Object.entries(FAULTS).map(([code, { status, isRetryable, publicText, remedy }]) => [
    `\`${code}\``,
    String(status),
    isRetryable ? 'yes' : 'no',
    publicText,
    remedy,
  ])
  const problems = Object.entries(RECEIPT_PROBLEMS).map(([code, text]) => [`\`${code}\``, text])
  const exits = Object.entries(EXIT).map(([name, code]) => [String(code), EXIT_WORDS[name] ?? name])
  return `# Reasons and faults

A **reason** is a decision about an ask; it is an answer, not a failure. A **fault** is something that Hedgerow, or
what it depends on, could not do. Codes are stable: none is used again for something else.

## Reasons

In order of precedence: when several apply, the one that stands first is given.

${markdownTable(['code', 'to the asker', 'to the operator'], reasons)}

## Faults

Doors answer with an RFC 9457 problem document whose \`code\` is one of these and whose \`type\` is
\`urn:hedgerow:problem:CODE\`; \`errors\` names each wrong field with what was expected.

${markdownTable(['code', 'HTTP', 'try again', 'public text', 'remedy'], faults)}

## Receipts that do not verify

${markdownTable(['problem', 'meaning'], problems)}

## Exit codes of the command line

${markdownTable(['code', 'meaning'], exits)}
`
}

const EXIT_WORDS: Readonly<Record<string, string>> = {
  done: 'done',
  fellShort: 'fell short: declined, does not verify, refused',
  wrongUse: 'wrong use: say it differently',
  unreachable: 'could not reach something',
  configuration: 'a server’s settings are wrong (before any port opens)',
}
