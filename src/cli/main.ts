import { Command, CommanderError } from 'commander'
import { complaintOf } from './amount.ts'
import { EXIT, Interrupted, sentenceOf } from './failures.ts'
import { tellAsJson, tellFailure } from './verb.ts'
import { packageVersion } from './package-version.ts'
import { processSession } from './session.ts'
import type { Session } from './session.ts'

const AFTER_HELP = `
Exit codes: 0 done, 1 fell short (declined, does not verify), 2 wrong use, 3 could not reach something,
78 settings that a server cannot start with, 130 stopped by Ctrl-C.
Files are under .hedgerow, or HEDGEROW_HOME. Each verb has --help with an example.
Rows, records, terms, SQL, receipts, public keys and tokens come from a pipe where their file is "-".
`

/** Verbs that are added to the program, with the words that they begin with. */
interface Verbs {
  readonly words: readonly string[]
  readonly load: () => Promise<(program: Command, session: Session) => void>
}

/** In the order of the help. Who types one verb waits only for what that one needs. */
const VERBS: readonly Verbs[] = [
  { words: ['demo'], load: async () => (await import('./demo.ts')).addDemoVerb },
  { words: ['status'], load: async () => (await import('./status.ts')).addStatusVerb },
  { words: ['offers'], load: async () => (await import('./trade/offers.ts')).addOffersVerb },
  { words: ['ask'], load: async () => (await import('./trade/ask.ts')).addAskVerb },
  { words: ['lineage'], load: async () => (await import('./trade/lineage.ts')).addLineageVerb },
  { words: ['release'], load: async () => (await import('./trade/release.ts')).addReleaseVerbs },
  { words: ['receipt'], load: async () => (await import('./trade/receipt.ts')).addReceiptVerbs },
  { words: ['site'], load: async () => (await import('./site/site.ts')).addSiteVerbs },
  { words: ['dataset'], load: async () => (await import('./site/dataset.ts')).addDataSetVerbs },
  { words: ['policy'], load: async () => (await import('./trade/policy.ts')).addPolicyVerbs },
  { words: ['access'], load: async () => (await import('./site/access.ts')).addAccessVerbs },
  { words: ['grant'], load: async () => (await import('./person/grant.ts')).addGrantVerbs },
  { words: ['guardian'], load: async () => (await import('./person/guardian.ts')).addGuardianVerbs },
  { words: ['officer'], load: async () => (await import('./officer/officer.ts')).addOfficerVerbs },
  { words: ['person'], load: async () => (await import('./person/person.ts')).addPersonVerbs },
  { words: ['request'], load: async () => (await import('./person/request.ts')).addRequestVerbs },
  { words: ['network'], load: async () => (await import('./network/network.ts')).addNetworkVerbs },
  { words: ['member'], load: async () => (await import('./network/member.ts')).addMemberVerbs },
  { words: ['terms'], load: async () => (await import('./network/terms.ts')).addTermsVerbs },
  { words: ['notices'], load: async () => (await import('./trade/notices.ts')).addNoticesVerbs },
  { words: ['ledger'], load: async () => (await import('./network/ledger.ts')).addLedgerVerbs },
  { words: ['dispute'], load: async () => (await import('./network/dispute.ts')).addDisputeVerbs },
  { words: ['person'], load: async () => (await import('./person/erasure.ts')).addErasureVerbs },
  { words: ['person'], load: async () => (await import('./person/correction.ts')).addCorrectionVerbs },
  { words: ['person', 'grant'], load: async () => (await import('./person/principal.ts')).addPrincipalVerbs },
  { words: ['person'], load: async () => (await import('./person/person-bases.ts')).addPersonBasesVerb },
  {
    words: ['person'],
    load: async () => (await import('./person/person-consents.ts')).addPersonConsentsVerb,
  },
  { words: ['completion'], load: async () => (await import('./completion.ts')).addCompletionVerb },
]

/** It writes the words of all verbs down. */
const COMPLETION = 'completion'

/** What is answered without any verb. */
const OF_THE_PROGRAM: readonly string[] = ['--version', '-V']

/**
 * The command line as a tree of commands; `scripts/generate-reference.ts` prints the reference from it. With the first word
 * of a verb it holds no more than the verbs that begin with it, if there are any; to tell its version it holds none.
 */
export async function buildProgram(session: Session, word = ''): Promise<Command> {
  const program = new Command('hedgerow')
    .description('Keeps personal data inside its perimeter and lets the outside world come to it')
    .version(packageVersion())
    // A verb has options of the same names: `hedgerow terms show --version 2`.
    .enablePositionalOptions()
    .addHelpText('after', AFTER_HELP)
    .showHelpAfterError('(add --help for how it is used)')
    .configureOutput({
      writeOut: (text) => void session.terminal.out.write(text),
      writeErr: (text) => void session.terminal.error.write(text),
      outputError: (text, write) => write(complaintOf(text)),
    })
  for (const { load } of verbsFor(word)) (await load())(program, session)
  exitByCode(program)
  return program
}

function verbsFor(word: string): readonly Verbs[] {
  if (OF_THE_PROGRAM.includes(word)) return []
  const typed = word === COMPLETION ? [] : VERBS.filter(({ words }) => words.includes(word))
  return typed.length > 0 ? typed : VERBS
}

/** Commander ends the process with 1 for wrong use; here that is 2, and 1 means that something fell short. */
function exitByCode(command: Command): void {
  command.exitOverride()
  for (const inner of command.commands) exitByCode(inner)
}

/** Runs one command of this process: its arguments, environment, terminal and signals. */
export async function runCommandLine(): Promise<void> {
  const interrupt = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => interrupt.abort(new Interrupted(name)))
  // `hedgerow offers | head` closes the pipe early: no failure of ours, but reason enough to stop.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      interrupt.abort(new Interrupted('SIGPIPE'))
    })
  await runCommand(processSession(process.env, interrupt.signal), process.argv.slice(2))
}

/** Runs what was typed; how it ended is the exit code of the process. */
export async function runCommand(processed: Session, args: readonly string[]): Promise<void> {
  const session = { ...processed, isJson: args.includes('--json') }
  try {
    const program = await buildProgram(session, args[0])
    await program.parseAsync(args, { from: 'user' })
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      process.exitCode = thrown.exitCode === 0 ? EXIT.done : EXIT.wrongUse
      const detail = thrown.message.replace(/^error: /, '')
      if (thrown.exitCode !== 0) tellAsJson(session, { error: { detail }, exitCode: EXIT.wrongUse })
      return
    }
    tellFailure(session, thrown, { sentence: sentenceOf(thrown), exitCode: EXIT.fellShort })
    process.exitCode = EXIT.fellShort
  }
}

if (import.meta.main) await runCommandLine()
