import type { Command } from 'commander'
import { FellShort, Interrupted, exitCodeOf, failureDocument, sentenceOf } from './failures.ts'
import { jsonText } from './json-output.ts'
import { requireHome } from './require-home.ts'
import type { Session } from './session.ts'
import { complain, hasWritten, say } from './terminal.ts'

/** The common frame of a verb: `--json`, an example in its help, one sentence and an exit code for each failure. */
export function verb(
  parent: Command,
  {
    name,
    summary,
    example,
    hasJson = true,
  }: { name: string; summary: string; example: string; hasJson?: boolean },
): Command {
  const command = parent
    .command(name)
    .description(summary)
    .addHelpText('after', `\nExample:\n  ${example.split('\n').join('\n  ')}\n`)
  return hasJson ? command.option('--json', 'print the result as JSON') : command
}

/**
 * Runs what a verb does: its own exit code when it gives one, else 0; a failure is one sentence on standard error.
 * With `exitCode` a server says with which code wrong settings end.
 */
export async function perform(
  session: Session,
  act: () => Promise<number | void>,
  codeOf: (thrown: unknown) => number = exitCodeOf,
): Promise<void> {
  try {
    requireHome(session.home)
    process.exitCode = (await act()) ?? 0
  } catch (thrown) {
    const reason: unknown = session.signal.reason
    const isStopped = session.signal.aborted && reason instanceof Interrupted
    const sentence = isStopped ? stoppedSentence(thrown) : sentenceOf(thrown)
    const exitCode = isStopped ? reason.exitCode : codeOf(thrown)
    tellFailure(session, thrown, { sentence, exitCode })
    process.exitCode = exitCode
  }
}

/** On standard error one sentence; with `--json` a document on standard output too, where none is there yet. */
export function tellFailure(
  { terminal, isJson = false }: Session,
  thrown: unknown,
  told: { sentence: string; exitCode: number },
): void {
  complain(terminal, told.sentence)
  tellAsJson({ terminal, isJson }, failureDocument(thrown, told))
}

/** A program that asked for JSON gets one document, however the verb ended. */
export function tellAsJson(
  { terminal, isJson = false }: Pick<Session, 'terminal' | 'isJson'>,
  document: object,
): void {
  if (isJson && !hasWritten(terminal)) say(terminal, jsonText(document))
}

/** What was under way may know better how things stand now; where it was a call, only the other side knows. */
function stoppedSentence(thrown: unknown): string {
  return thrown instanceof FellShort
    ? sentenceOf(thrown)
    : 'Stopped; what had been sent by then may have been done'
}

/** The options of every verb that talks to a site. */
export function addSiteOptions(command: Command): Command {
  return command
    .option('--site <name>', 'name of the site; absent: the only one on this machine')
    .option('--url <url>', 'where it listens; absent: where the site of this machine does')
    .option('--as <issuer>', 'member that acts; absent: the operator of the site')
}

/** The options of every verb in which a member talks to a network. */
export function addMemberOptions(command: Command): Command {
  return command
    .option('--as <member>', 'member that acts; absent: the only one on this machine')
    .option('--network <url>', 'address of the network')
}
